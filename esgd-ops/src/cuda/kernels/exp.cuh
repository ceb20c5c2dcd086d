// e to the power of x: `exp` of f32 in esgd-core/src/plan/real.rs in CUDA, which says what is computed. A change in
// one is a change in the other.
#pragma once

#include "device.cuh"

// 2^k for k from -126 to 127.
__device__ __forceinline__ float power_of_two(int k) {
    return __int_as_float(static_cast<int>(static_cast<unsigned int>(k + 127) << 23));
}

__device__ __forceinline__ float exponential_of(float x) {
    const float rounds = 12582912.0f;
    // A comparison with what is no number is false, and leaves it.
    x = x < -104.0f ? -104.0f : x;
    x = x > 89.0f ? 89.0f : x;
    const float rounded = __fmaf_rn(x, 1.44269504088896340736f, rounds);
    const float n = __fadd_rn(rounded, -rounds);
    const float r = __fmaf_rn(n, 2.1219444e-4f, __fmaf_rn(n, -0.6933594f, x));
    float series = 1.0f / 5040.0f;
    series = __fmaf_rn(series, r, 1.0f / 720.0f);
    series = __fmaf_rn(series, r, 1.0f / 120.0f);
    series = __fmaf_rn(series, r, 1.0f / 24.0f);
    series = __fmaf_rn(series, r, 1.0f / 6.0f);
    series = __fmaf_rn(series, r, 0.5f);
    series = __fmaf_rn(series, r, 1.0f);
    series = __fmaf_rn(series, r, 1.0f);
    // In two steps, as 2^k alone may have no bits. Of what is no number k is any, kept from overflowing.
    const int k = x == x ? __float_as_int(rounded) - __float_as_int(rounds) : 0;
    const int half = k >> 1;
    return __fmul_rn(__fmul_rn(series, power_of_two(half)), power_of_two(k - half));
}
