// Operations of other evolution strategies: `trial`, `velocity`, `product`, `exponential` and `adaptive_step` of
// esgd-core/src/plan/definition.rs say what is computed.
#include "exp.cuh"
#include "groups.cuh"

struct Trial {
    Layout layout;
    // [network][tensor]: the target, then the others.
    const float* const* networks;
    // One for each other.
    const float* weights;
    float* const* out;
    unsigned long long forced;
    unsigned int others;
    unsigned int tensors;
    float cr;
    Stream stream;
};

extern "C" __global__ void trial(const Trial t) {
    for_each_group(t.layout, [&](const Group& group, unsigned int tensor) {
        const Four draws = uniforms_of(words_of(t.stream, group.block));
        Four x = load(t.networks[tensor], group);
        Four mutant = {{0.0f, 0.0f, 0.0f, 0.0f}};
        for (unsigned int j = 0; j < t.others; j++) {
            const float w = t.weights[j];
            const Four theta = load(t.networks[(j + 1ull) * t.tensors + tensor], group);
#pragma unroll
            for (int k = 0; k < 4; k++) {
                mutant.v[k] = j == 0 ? __fmul_rn(w, theta.v[k])
                                     : __fmaf_rn(w, theta.v[k], mutant.v[k]);
            }
        }
#pragma unroll
        for (int k = 0; k < 4; k++) {
            if (draws.v[k] < t.cr || 4ull * group.block + k == t.forced) {
                x.v[k] = mutant.v[k];
            }
        }
        store(t.out[tensor], group, x);
    });
}

struct Velocity {
    Layout layout;
    const float* const* x;
    const float* const* v;
    const float* const* own_best;
    const float* const* swarm_best;
    float* const* out;
    float inertia;
    float own;
    float social;
    Stream first;
    Stream second;
};

extern "C" __global__ void velocity(const Velocity p) {
    for_each_group(p.layout, [&](const Group& group, unsigned int tensor) {
        const Four own_best = load(p.own_best[tensor], group);
        const Four swarm_best = load(p.swarm_best[tensor], group);
        const Four r1 = uniforms_of(words_of(p.first, group.block));
        const Four r2 = uniforms_of(words_of(p.second, group.block));
        const Four x = load(p.x[tensor], group);
        Four v = load(p.v[tensor], group);
#pragma unroll
        for (int k = 0; k < 4; k++) {
            const float to_own = __fsub_rn(own_best.v[k], x.v[k]);
            const float to_swarm = __fsub_rn(swarm_best.v[k], x.v[k]);
            const float kept = __fmul_rn(p.inertia, v.v[k]);
            const float towards_own = __fmaf_rn(__fmul_rn(p.own, r1.v[k]), to_own, kept);
            v.v[k] = __fmaf_rn(__fmul_rn(p.social, r2.v[k]), to_swarm, towards_own);
        }
        store(p.out[tensor], group, v);
    });
}

// What is made value by value, without chance.
struct ValueByValue {
    Layout layout;
    // As many as the operation takes; the others are null.
    const float* const* a;
    const float* const* b;
    const float* const* c;
    float* const* out;
    float rate;
    float epsilon;
};

template <typename Value>
__device__ __forceinline__ void of_two(const ValueByValue& v, Value value) {
    for_each_group(v.layout, [&](const Group& group, unsigned int tensor) {
        Four a = load(v.a[tensor], group);
        const Four b = load(v.b[tensor], group);
#pragma unroll
        for (int k = 0; k < 4; k++) {
            a.v[k] = value(a.v[k], b.v[k]);
        }
        store(v.out[tensor], group, a);
    });
}

extern "C" __global__ void product(const ValueByValue v) {
    of_two(v, [](float a, float b) { return __fmul_rn(a, b); });
}

extern "C" __global__ void exponential(const ValueByValue v) {
    of_two(v, [&](float a, float b) { return __fmul_rn(a, exponential_of(__fmul_rn(v.rate, b))); });
}

extern "C" __global__ void adaptive_step(const ValueByValue v) {
    for_each_group(v.layout, [&](const Group& group, unsigned int tensor) {
        Four theta = load(v.a[tensor], group);
        const Four m = load(v.b[tensor], group);
        const Four variance = load(v.c[tensor], group);
#pragma unroll
        for (int k = 0; k < 4; k++) {
            const float scale = __fadd_rn(__fsqrt_rn(variance.v[k]), v.epsilon);
            const float step = __fdiv_rn(__fmul_rn(v.rate, m.v[k]), scale);
            theta.v[k] = __fadd_rn(theta.v[k], step);
        }
        store(v.out[tensor], group, theta);
    });
}
