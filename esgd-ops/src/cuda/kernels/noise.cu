// Noise by address, and mutation with it: `reference::normal`, `uniform`, `mutate`, `antithetic` and
// `weighted_noise` say what is computed.
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

struct Antithetic {
    Layout layout;
    const float* const* theta;
    // [pair][plus, minus][tensor].
    float* const* out;
    const float* sigma;
    // One key for each pair, of one seed.
    const Start* starts;
    unsigned int pairs;
    unsigned int tensors;
    RoundKeys rounds;
};

// Theta is read once for all the pairs that this block makes.
extern "C" __global__ void antithetic(const Antithetic a) {
    for_each_group(a.layout, [&](const Group& group, unsigned int tensor) {
        const Four theta = load(a.theta[tensor], group);
        const float sigma = a.sigma[tensor];
        const unsigned long long product = wide_product(PHILOX_M0, group.block);
        for (unsigned int pair = blockIdx.z; pair < a.pairs; pair += gridDim.z) {
            float* const* out = a.out + 2ull * pair * a.tensors + tensor;
            Four plus = theta, minus = theta;
            if (sigma != 0.0f) {
                const Start start = a.starts[pair];
                const Four noise = normals_of(philox(product, start, a.rounds));
                plus = mutated(theta, sigma, noise);
                minus = mutated(theta, -sigma, noise);
            }
            store(out[0], group, plus);
            store(out[a.tensors], group, minus);
        }
    });
}

struct WeightedNoise {
    Layout layout;
    float* const* out;
    const Start* starts;
    const float* weights;
    unsigned int count;
    // Whether `out` holds the sum of the keys before these, which had another seed.
    unsigned int goes_on;
    RoundKeys rounds;
};

extern "C" __global__ void weighted_noise(const WeightedNoise n) {
    for_each_group(n.layout, [&](const Group& group, unsigned int tensor) {
        const unsigned long long product = wide_product(PHILOX_M0, group.block);
        float* out = n.out[tensor];
        Four sum = {{0.0f, 0.0f, 0.0f, 0.0f}};
        if (n.goes_on) {
            sum = load(out, group);
        }
        for (unsigned int j = 0; j < n.count; j++) {
            const Start start = n.starts[j];
            sum = mutated(sum, n.weights[j], normals_of(philox(product, start, n.rounds)));
        }
        store(out, group, sum);
    });
}
