// Offspring of several parents: theta = blend of the parents + sigma times noise, eq. 12 of the ESGD
// paper. `mean`, `weighted`, `crossover` and `mutate` of esgd-core/src/plan/definition.rs say what is
// computed.
//
// A thread owns two groups of four parameters and makes them for one offspring after another, so
// each parent is read from memory once for the whole batch. The parents' values wait in shared
// memory, where a thread finds what it put there itself: no barrier. (The first-level cache would
// hold them too, but with many blocks a multiprocessor it would not hold all.) Where the parents are
// too many for shared memory, `recombine_direct` reads them again for every offspring, through the
// caches.
//
// The offspring of a launch share a seed, and so round keys. Those come from memory and not as
// arguments, from which the compiler would fetch them again for each offspring. The grid's z shares
// the offspring out where tiles are few.
#include "groups.cuh"

extern __shared__ float4 shared_memory[];

const unsigned int MEAN = 0;
const unsigned int WEIGHTED = 1; // else crossover

// A thread's two groups are so many apart, and a block has no more threads: 16 parents take 32 KB of
// shared memory.
const unsigned int WIDTH = 64;

struct alignas(16) Child {
    Start start;
    // Where its parents and their weights begin in the lists.
    unsigned int list;
    unsigned int parents;
    // One over their number where that is a power of two, else 0.
    float share;
    unsigned int blend;
};

// The key of an offspring's choices in crossover: it has a seed of its own.
struct alignas(16) Choice {
    Start start;
    // The round keys of round 2.
    unsigned int k0, k1;
};

// What an offspring's tensor needs.
struct alignas(16) Row {
    float* out;
    float sigma;
};

struct Recombination {
    Layout layout;
    // [parent][tensor].
    const float* const* population;
    // [tensor][offspring].
    const Row* rows;
    const Child* children;
    const Choice* choices;
    const unsigned int* lists;
    const float* weights;
    const RoundKeys* rounds;
    unsigned int parents;
    unsigned int count;
    unsigned int tensors;
};

// The parents' values of a thread's groups, from shared memory or from where they are.
template <bool STAGED>
struct Parents {
    const Recombination& r;
    unsigned int tensor;
    const Group (&groups)[2];
    float4* shared;

    __device__ __forceinline__ const float* in_memory(unsigned int parent) const {
        return r.population[static_cast<unsigned long long>(parent) * r.tensors + tensor];
    }

    __device__ __forceinline__ float4& in_shared(unsigned int parent, int h) const {
        return shared[(2 * parent + h) * WIDTH];
    }

    __device__ __forceinline__ void stage() const {
        if (STAGED) {
            for (unsigned int parent = 0; parent < r.parents; parent++) {
                const float* from = in_memory(parent);
#pragma unroll
                for (int h = 0; h < 2; h++) {
                    const Four x = load(from, groups[h]);
                    in_shared(parent, h) = make_float4(x.v[0], x.v[1], x.v[2], x.v[3]);
                }
            }
        }
    }

    __device__ __forceinline__ Four four(unsigned int parent, int h) const {
        if (STAGED) {
            const float4 x = in_shared(parent, h);
            return {{x.x, x.y, x.z, x.w}};
        }
        return load(in_memory(parent), groups[h]);
    }

    __device__ __forceinline__ float one(unsigned int parent, int h, int k) const {
        if (STAGED) {
            return reinterpret_cast<const float*>(&in_shared(parent, h))[k];
        }
        return has(groups[h], k) ? *pointer(beginning(in_memory(parent), groups[h]), groups[h], k) : 0.0f;
    }
};

template <typename Step>
__device__ __forceinline__ void each(Four (&x)[2], Step step) {
#pragma unroll
    for (int h = 0; h < 2; h++) {
#pragma unroll
        for (int k = 0; k < 4; k++) {
            x[h].v[k] = step(x[h].v[k]);
        }
    }
}

template <typename From>
__device__ __forceinline__ void add(const From& from, unsigned int parent, Four (&x)[2]) {
#pragma unroll
    for (int h = 0; h < 2; h++) {
        const Four theta = from.four(parent, h);
#pragma unroll
        for (int k = 0; k < 4; k++) {
            x[h].v[k] = __fadd_rn(x[h].v[k], theta.v[k]);
        }
    }
}

template <typename From>
__device__ __forceinline__ void mean(
    const From& from, const Child& child, const unsigned int* list, Four (&x)[2]) {
    x[0] = from.four(list[0], 0);
    x[1] = from.four(list[0], 1);
    if (child.parents == 2) {
        add(from, list[1], x);
        each(x, [](float sum) { return __fmul_rn(sum, 0.5f); });
        return;
    }
#pragma unroll 1
    for (unsigned int j = 1; j < child.parents; j++) {
        add(from, list[j], x);
    }
    // One over a power of two is exact, so a product rounds as the quotient does.
    if (child.share != 0.0f) {
        each(x, [&](float sum) { return __fmul_rn(sum, child.share); });
    } else {
        const float rho = __int2float_rn(static_cast<int>(child.parents));
        each(x, [&](float sum) { return __fdiv_rn(sum, rho); });
    }
}

template <typename From>
__device__ __forceinline__ void weighted(
    const From& from, const Child& child, const unsigned int* list, const float* weights,
    Four (&x)[2]) {
#pragma unroll 1
    for (unsigned int j = 0; j < child.parents; j++) {
        const unsigned int parent = list[j];
        const float w = weights[j];
#pragma unroll
        for (int h = 0; h < 2; h++) {
            const Four theta = from.four(parent, h);
#pragma unroll
            for (int k = 0; k < 4; k++) {
                x[h].v[k] = j == 0 ? __fmul_rn(w, theta.v[k])
                                   : __fmaf_rn(w, theta.v[k], x[h].v[k]);
            }
        }
    }
}

template <typename From>
__device__ __forceinline__ void crossover(
    const From& from, const Child& child, const unsigned int* list, const Choice& choice,
    const unsigned long long (&products)[2], Four (&x)[2]) {
    const RoundKeys rounds = rounds_from(choice.k0, choice.k1);
#pragma unroll
    for (int h = 0; h < 2; h++) {
        const Words words = philox(products[h], choice.start, rounds);
#pragma unroll
        for (int k = 0; k < 4; k++) {
            const unsigned int j = high(wide_product(words.w[k], child.parents));
            x[h].v[k] = from.one(list[j], h, k);
        }
    }
}

__device__ __forceinline__ void store_both(float* out, const Group (&groups)[2], const Four (&x)[2]) {
    const unsigned long long to = beginning(out, groups[0]);
    if ((groups[0].mask & groups[1].mask) == WHOLE && (to & 15) == 0) {
        float4* four = reinterpret_cast<float4*>(pointer(to, groups[0], 0));
        four[0] = make_float4(x[0].v[0], x[0].v[1], x[0].v[2], x[0].v[3]);
        four[WIDTH] = make_float4(x[1].v[0], x[1].v[1], x[1].v[2], x[1].v[3]);
        return;
    }
    store(out, groups[0], x[0]);
    store(out, groups[1], x[1]);
}

// Makes groups `i` and `i + WIDTH` of a tile for every offspring; `lane` is this thread's share of
// shared memory.
template <bool STAGED>
__device__ __forceinline__ void two_groups(
    const Recombination& r, const RoundKeys& rounds, const Tile& tile, const Tensor& tensor,
    unsigned int i, unsigned int lane) {
    const Group groups[2] = {group_at(tile, tensor, i), group_at(tile, tensor, i + WIDTH)};
    const unsigned long long products[2] = {
        wide_product(PHILOX_M0, groups[0].block), wide_product(PHILOX_M0, groups[1].block)};
    const Parents<STAGED> from = {r, tile.tensor, groups, shared_memory + lane};
    from.stage();
    const Row* rows = r.rows + static_cast<unsigned long long>(tile.tensor) * r.count + blockIdx.z;
    const Child* children = r.children + blockIdx.z;
    for (unsigned int c = blockIdx.z; c < r.count; c += gridDim.z) {
        const Child child = *children;
        const Row row = *rows;
        children += gridDim.z;
        rows += gridDim.z;
        const unsigned int* list = r.lists + child.list;
        // The noise comes first: meanwhile the list arrives.
        Four noise[2];
        if (row.sigma != 0.0f) {
#pragma unroll
            for (int h = 0; h < 2; h++) {
                noise[h] = normals_of(philox(products[h], child.start, rounds));
            }
        }
        Four x[2];
        if (child.blend == MEAN) {
            mean(from, child, list, x);
        } else if (child.blend == WEIGHTED) {
            weighted(from, child, list, r.weights + child.list, x);
        } else {
            crossover(from, child, list, r.choices[c], products, x);
        }
        if (row.sigma != 0.0f) {
            x[0] = mutated(x[0], row.sigma, noise[0]);
            x[1] = mutated(x[1], row.sigma, noise[1]);
        }
        store_both(row.out, groups, x);
    }
}

template <bool STAGED>
__device__ __forceinline__ void recombine(const Recombination& r) {
    const Tile tile = r.layout.tiles[blockIdx.x];
    const Tensor tensor = r.layout.tensors[tile.tensor];
    const RoundKeys rounds = *r.rounds;
    const unsigned int step = 2 * WIDTH * gridDim.y;
    for (unsigned int first = 2 * WIDTH * blockIdx.y; first < tile.groups; first += step) {
        for (unsigned int lane = threadIdx.x; lane < WIDTH; lane += blockDim.x) {
            two_groups<STAGED>(r, rounds, tile, tensor, first + lane, lane);
        }
    }
}

extern "C" __global__ void __launch_bounds__(WIDTH) recombine_staged(const Recombination r) {
    recombine<true>(r);
}

extern "C" __global__ void __launch_bounds__(WIDTH) recombine_direct(const Recombination r) {
    recombine<false>(r);
}
