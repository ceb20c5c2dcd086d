// How a network is shared out over threads: tensors, tiles of them, and groups of four parameters.
//
// Parameter i of a network is counted through its tensors in order; parameters 4b to 4b + 3 are a
// group, and Philox's block b is theirs. A thread owns whole groups. At a tensor's ends a group may
// lie in it in part only, and its other numbers belong to the neighbours. The Rust twin is
// ../tables/layout.rs.
#pragma once

#include "box_muller.cuh"

struct alignas(16) Tensor {
    // The number of parameters before it.
    unsigned long long offset;
    unsigned long long length;
};

// Work of one block: `groups` groups of a tensor from `first` on, counted in the network.
struct alignas(16) Tile {
    unsigned long long first;
    unsigned int groups;
    unsigned int tensor;
};

struct Layout {
    const Tile* tiles;
    const Tensor* tensors;
};

// Four parameters of a network as they lie in a tensor: numbers at + 4 i to at + 4 i + 3. `at` is
// the same for a whole tile; at a tensor's beginning it may be before it, 2^64 less up to three.
struct Group {
    unsigned long long at;
    unsigned int i;
    unsigned int block;
    // Bit k says whether number k is the tensor's.
    unsigned int mask;
};

const unsigned int WHOLE = 15;

// Group `i` of a tile; one past its end has no parameters.
__device__ __forceinline__ Group group_at(const Tile& tile, const Tensor& tensor, unsigned int i) {
    Group group;
    group.at = 4 * tile.first - tensor.offset;
    group.i = i;
    group.block = static_cast<unsigned int>(tile.first) + i;
    group.mask = 0;
#pragma unroll
    for (int k = 0; k < 4; k++) {
        if (i < tile.groups && group.at + 4ull * i + k < tensor.length) {
            group.mask |= 1u << k;
        }
    }
    return group;
}

__device__ __forceinline__ bool has(const Group& group, int k) {
    return (group.mask >> k & 1) != 0;
}

// Where the tile's number 0 is. It need not be in the tensor, so this is no pointer.
__device__ __forceinline__ unsigned long long beginning(const float* tensor, const Group& group) {
    return reinterpret_cast<unsigned long long>(tensor) + 4 * group.at;
}

__device__ __forceinline__ float* pointer(unsigned long long beginning, const Group& group, int k) {
    return reinterpret_cast<float*>(beginning + 16ull * group.i) + k;
}

// The group's values of a tensor; 0 where it has none.
__device__ __forceinline__ Four load(const float* tensor, const Group& group) {
    const unsigned long long from = beginning(tensor, group);
    if (group.mask == WHOLE && (from & 15) == 0) {
        const float4 x = *reinterpret_cast<const float4*>(pointer(from, group, 0));
        return {{x.x, x.y, x.z, x.w}};
    }
    Four x = {{0.0f, 0.0f, 0.0f, 0.0f}};
#pragma unroll
    for (int k = 0; k < 4; k++) {
        if (has(group, k)) {
            x.v[k] = *pointer(from, group, k);
        }
    }
    return x;
}

__device__ __forceinline__ void store(float* tensor, const Group& group, const Four& x) {
    const unsigned long long to = beginning(tensor, group);
    if (group.mask == WHOLE && (to & 15) == 0) {
        const float4 four = make_float4(x.v[0], x.v[1], x.v[2], x.v[3]);
        *reinterpret_cast<float4*>(pointer(to, group, 0)) = four;
        return;
    }
#pragma unroll
    for (int k = 0; k < 4; k++) {
        if (has(group, k)) {
            *pointer(to, group, k) = x.v[k];
        }
    }
}

// Calls `work(group, tensor)` for each group that is this thread's: the grid's x is the tiles, and
// its y shares a tile out over blocks.
template <typename Work>
__device__ __forceinline__ void for_each_group(const Layout& layout, Work work) {
    const Tile tile = layout.tiles[blockIdx.x];
    const Tensor tensor = layout.tensors[tile.tensor];
    const unsigned int step = gridDim.y * blockDim.x;
    for (unsigned int i = blockIdx.y * blockDim.x + threadIdx.x; i < tile.groups; i += step) {
        work(group_at(tile, tensor, i), tile.tensor);
    }
}

__device__ __forceinline__ Words words_of(const Stream& stream, unsigned int block) {
    return philox(wide_product(PHILOX_M0, block), stream.start, stream.rounds);
}

// x + sigma times noise.
__device__ __forceinline__ Four mutated(const Four& x, float sigma, const Four& noise) {
    Four y;
#pragma unroll
    for (int k = 0; k < 4; k++) {
        y.v[k] = __fmaf_rn(sigma, noise.v[k], x.v[k]);
    }
    return y;
}
