// Noise by address, and mutation with it: `mutate`, `mutate_diagonal`, `weighted_noise` and `squared_noise` of
// esgd-core/src/plan/definition.rs say what is computed.
#include "groups.cuh"

// Numbers of a key, for each parameter of a network.
struct Fill {
    Layout layout;
    float* const* out;
    Stream stream;
};

extern "C" __global__ void normals(const Fill f) {
    for_each_group(f.layout, [&](const Group& group, unsigned int tensor) {
        store(f.out[tensor], group, normals_of(words_of(f.stream, group.block)));
    });
}

extern "C" __global__ void uniforms(const Fill f) {
    for_each_group(f.layout, [&](const Group& group, unsigned int tensor) {
        store(f.out[tensor], group, uniforms_of(words_of(f.stream, group.block)));
    });
}

struct Mutation {
    Layout layout;
    float* const* theta;
    // One for each tensor.
    const float* sigma;
    Stream stream;
};

extern "C" __global__ void mutate(const Mutation m) {
    for_each_group(m.layout, [&](const Group& group, unsigned int tensor) {
        const float sigma = m.sigma[tensor];
        if (sigma != 0.0f) {
            float* theta = m.theta[tensor];
            const Four noise = normals_of(words_of(m.stream, group.block));
            store(theta, group, mutated(load(theta, group), sigma, noise));
        }
    });
}

struct DiagonalMutation {
    Layout layout;
    float* const* theta;
    const float* const* variance;
    // One for each tensor.
    const float* sigma;
    Stream stream;
};

extern "C" __global__ void mutate_diagonal(const DiagonalMutation m) {
    for_each_group(m.layout, [&](const Group& group, unsigned int tensor) {
        const float sigma = m.sigma[tensor];
        if (sigma != 0.0f) {
            const Four noise = normals_of(words_of(m.stream, group.block));
            const Four variance = load(m.variance[tensor], group);
            Four theta = load(m.theta[tensor], group);
#pragma unroll
            for (int k = 0; k < 4; k++) {
                const float deviation = __fmul_rn(sigma, __fsqrt_rn(variance.v[k]));
                theta.v[k] = __fmaf_rn(deviation, noise.v[k], theta.v[k]);
            }
            store(m.theta[tensor], group, theta);
        }
    });
}

struct NoiseSum {
    Layout layout;
    float* const* out;
    const Start* starts;
    const float* weights;
    unsigned int count;
    // Whether `out` holds the sum of the keys before these, which had another seed.
    unsigned int goes_on;
    RoundKeys rounds;
};

// `add(sum, weight, noise)` for one key after another.
template <typename Add>
__device__ __forceinline__ void noise_sum(const NoiseSum& n, Add add) {
    for_each_group(n.layout, [&](const Group& group, unsigned int tensor) {
        const unsigned long long product = wide_product(PHILOX_M0, group.block);
        float* out = n.out[tensor];
        Four sum = {{0.0f, 0.0f, 0.0f, 0.0f}};
        if (n.goes_on) {
            sum = load(out, group);
        }
        for (unsigned int j = 0; j < n.count; j++) {
            const Start start = n.starts[j];
            sum = add(sum, n.weights[j], normals_of(philox(product, start, n.rounds)));
        }
        store(out, group, sum);
    });
}

extern "C" __global__ void weighted_noise(const NoiseSum n) {
    noise_sum(n, [](const Four& sum, float w, const Four& noise) { return mutated(sum, w, noise); });
}

extern "C" __global__ void squared_noise(const NoiseSum n) {
    noise_sum(n, [](const Four& sum, float w, const Four& noise) {
        Four more;
#pragma unroll
        for (int k = 0; k < 4; k++) {
            more.v[k] = __fmaf_rn(__fmul_rn(w, noise.v[k]), noise.v[k], sum.v[k]);
        }
        return more;
    });
}
