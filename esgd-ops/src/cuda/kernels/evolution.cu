// A trial vector of differential evolution and a step of a particle: `reference::trial` and
// `particle` say what is computed.
#include "groups.cuh"

struct Trial {
    Layout layout;
    // The target, then a, b and c.
    const float* const* x;
    const float* const* a;
    const float* const* b;
    const float* const* c;
    float* const* out;
    unsigned long long forced;
    float f;
    float cr;
    Stream stream;
};

extern "C" __global__ void trial(const Trial t) {
    for_each_group(t.layout, [&](const Group& group, unsigned int tensor) {
        const Four a = load(t.a[tensor], group);
        const Four b = load(t.b[tensor], group);
        const Four c = load(t.c[tensor], group);
        const Four draws = uniforms_of(words_of(t.stream, group.block));
        Four x = load(t.x[tensor], group);
#pragma unroll
        for (int k = 0; k < 4; k++) {
            const float mutant = __fmaf_rn(t.f, __fsub_rn(b.v[k], c.v[k]), a.v[k]);
            if (draws.v[k] < t.cr || 4ull * group.block + k == t.forced) {
                x.v[k] = mutant;
            }
        }
        store(t.out[tensor], group, x);
    });
}

struct Particle {
    Layout layout;
    float* const* x;
    float* const* v;
    const float* const* own_best;
    const float* const* swarm_best;
    float inertia;
    float own;
    float social;
    Stream first;
    Stream second;
};

extern "C" __global__ void particle(const Particle p) {
    for_each_group(p.layout, [&](const Group& group, unsigned int tensor) {
        const Four own_best = load(p.own_best[tensor], group);
        const Four swarm_best = load(p.swarm_best[tensor], group);
        const Four r1 = uniforms_of(words_of(p.first, group.block));
        const Four r2 = uniforms_of(words_of(p.second, group.block));
        Four x = load(p.x[tensor], group);
        Four v = load(p.v[tensor], group);
#pragma unroll
        for (int k = 0; k < 4; k++) {
            const float to_own = __fsub_rn(own_best.v[k], x.v[k]);
            const float to_swarm = __fsub_rn(swarm_best.v[k], x.v[k]);
            const float kept = __fmul_rn(p.inertia, v.v[k]);
            const float towards_own = __fmaf_rn(__fmul_rn(p.own, r1.v[k]), to_own, kept);
            v.v[k] = __fmaf_rn(__fmul_rn(p.social, r2.v[k]), to_swarm, towards_own);
            x.v[k] = __fadd_rn(x.v[k], v.v[k]);
        }
        store(p.x[tensor], group, x);
        store(p.v[tensor], group, v);
    });
}
