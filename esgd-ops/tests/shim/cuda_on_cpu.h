// As much of CUDA as the kernels use, for a C++ compiler and a CPU.
//
// The threads of a block are fibers that take turns: each runs until it reaches a barrier or its end.
// The order of turns is a choice, so a test can show that none matters, and that a barrier that is
// missing does. Blocks run one after another. Compile with -ffp-contract=off: each operation below
// is then one that IEEE 754 rounds exactly, as on a GPU.
#pragma once

#include <cmath>
#include <cstring>
#include <utility>

#define __global__
#define __device__
#define __shared__
#define __forceinline__ inline
#define __launch_bounds__(threads)

struct Index {
    unsigned int x, y, z;
};

extern Index blockIdx, threadIdx, blockDim, gridDim;

// Waits until all threads of the block are here.
void __syncthreads();

struct alignas(16) float4 {
    float x, y, z, w;
};

inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }

inline float __fadd_rn(float a, float b) { return a + b; }
inline float __fsub_rn(float a, float b) { return a - b; }
inline float __fmul_rn(float a, float b) { return a * b; }
inline float __fdiv_rn(float a, float b) { return a / b; }
inline float __fmaf_rn(float a, float b, float c) { return std::fmaf(a, b, c); }
inline float __fsqrt_rn(float x) { return std::sqrt(x); }
inline float __int2float_rn(int i) { return static_cast<float>(i); }
inline double __dadd_rn(double a, double b) { return a + b; }
inline double __dmul_rn(double a, double b) { return a * b; }

inline int __float_as_int(float x) {
    int bits;
    std::memcpy(&bits, &x, sizeof bits);
    return bits;
}

inline float __int_as_float(int bits) {
    float x;
    std::memcpy(&x, &bits, sizeof x);
    return x;
}

inline unsigned int atomicAdd(unsigned int* to, unsigned int x) {
    const unsigned int before = *to;
    *to += x;
    return before;
}

// Correctly rounded, which a GPU's need not be.
#define ESGD_NO_DEVICE
inline float approximate_rsqrt(float x) {
    return static_cast<float>(1.0 / std::sqrt(static_cast<double>(x)));
}

inline void swap_by_bit_30(unsigned int w, float& x, float& y) {
    if ((w & 0x40000000u) != 0) {
        std::swap(x, y);
    }
}
