// Sums of squares in double precision, in the order of `squared_norm` in
// esgd-core/src/plan/definition.rs: in a tile of 4096
// values, partial sum l of 256 takes values l, l + 256, ..., then the upper half of the partial sums
// is added to the lower until one is left. The sums of a tensor's tiles are added in the same way,
// by `sums_of_tiles`, as often as it takes.
#include "groups.cuh"

extern __shared__ float4 shared_memory[];

const unsigned int PARTIAL_SUMS = 256;

// Values of a tensor that one block adds, or sums of its tiles.
struct alignas(16) Chunk {
    unsigned long long first;
    unsigned int count;
    unsigned int tensor;
};

struct Squares {
    const float* const* tensors;
    // What is subtracted from them before, for `distances_of_tiles`.
    const float* const* others;
    const Chunk* chunks;
    double* sums;
};

struct Sums {
    const double* terms;
    const Chunk* chunks;
    double* sums;
};

template <typename Term>
__device__ __forceinline__ void tile_sum(unsigned int count, Term term, double* sum) {
    double* partial = reinterpret_cast<double*>(shared_memory);
    for (unsigned int l = threadIdx.x; l < PARTIAL_SUMS; l += blockDim.x) {
        double total = 0.0;
        for (unsigned int i = l; i < count; i += PARTIAL_SUMS) {
            total = __dadd_rn(total, term(i));
        }
        partial[l] = total;
    }
    __syncthreads();
    for (unsigned int half = PARTIAL_SUMS / 2; half > 0; half /= 2) {
        for (unsigned int l = threadIdx.x; l < half; l += blockDim.x) {
            partial[l] = __dadd_rn(partial[l], partial[l + half]);
        }
        __syncthreads();
    }
    if (threadIdx.x == 0) {
        *sum = partial[0];
    }
}

extern "C" __global__ void squares_of_tiles(const Squares s) {
    const Chunk chunk = s.chunks[blockIdx.x];
    const float* values = s.tensors[chunk.tensor] + chunk.first;
    const auto square = [&](unsigned int i) {
        const double x = values[i];
        return __dmul_rn(x, x);
    };
    tile_sum(chunk.count, square, s.sums + blockIdx.x);
}

extern "C" __global__ void distances_of_tiles(const Squares s) {
    const Chunk chunk = s.chunks[blockIdx.x];
    const float* values = s.tensors[chunk.tensor] + chunk.first;
    const float* others = s.others[chunk.tensor] + chunk.first;
    const auto square = [&](unsigned int i) {
        const double x = __fsub_rn(values[i], others[i]);
        return __dmul_rn(x, x);
    };
    tile_sum(chunk.count, square, s.sums + blockIdx.x);
}

extern "C" __global__ void sums_of_tiles(const Sums s) {
    const Chunk chunk = s.chunks[blockIdx.x];
    const double* terms = s.terms + chunk.first;
    tile_sum(chunk.count, [&](unsigned int i) { return terms[i]; }, s.sums + blockIdx.x);
}
