// The transform of Box and Muller with a logarithm and a sine of its own: esgd-core/src/rng/box_muller.rs in CUDA,
// which says what is computed. A change in one is a change in the other.
//
// Each operation is one that IEEE 754 rounds exactly, or one on integers, so the bits are the Rust
// file's. Only the square root differs: it is the compiler's own without its test for arguments out of
// range.
#pragma once

#include "device.cuh"
#include "philox.cuh"

const float TWO_POW_MINUS_31 = 1.0f / 2147483648.0f;
const float LN_2 = 0.69314718056f;

// The bits of sqrt(1/2), rounded down.
const int SQRT_HALF = 0x3F3504F3;
const int EXPONENT_31 = 31 << 23;

// The least a for which (a + 1/2) / 2^31, rounded as below, is at least sqrt(1/2).
const unsigned int FIRST_NEAR_ONE = 1518500161u;

struct Pair {
    float x, y;
};

// The root of a normal number that is far from overflow and underflow, rounded exactly: one step of
// Newton's from an approximate 1/sqrt(x). nvcc makes sqrt.rn of the same steps, on every GPU from
// sm_75 to sm_120. It is exact for most, not for all errors that the approximation may have:
// square_roots.cu tries all arguments, and a GPU where one is wrong is refused.
__device__ __forceinline__ float square_root(float x) {
    const float r = approximate_rsqrt(x);
    const float s = __fmul_rn(x, r);
    return __fmaf_rn(__fmaf_rn(-s, s, x), __fmul_rn(0.5f, r), s);
}

// -2 ln u with u = (a + 1/2) / 2^31, for a = floor(w / 2).
__device__ __forceinline__ float minus_two_ln(unsigned int w) {
    const bool near_one = (w >> 1) >= FIRST_NEAR_ONE;
    const unsigned int a = (near_one ? ~w : w) >> 1;
    const float x = __fadd_rn(__int2float_rn(static_cast<int>(a)), 0.5f);
    // u = m 2^(e - 31) with m in [sqrt(1/2), sqrt(2)); near one m is u, and u - 1 is -x / 2^31.
    const int bits = __float_as_int(x);
    const int exponent = near_one ? 0 : (bits - (SQRT_HALF + EXPONENT_31)) & ~0x007FFFFF;
    const float m = __int_as_float(bits - EXPONENT_31 - exponent);
    const float f = near_one ? __fmul_rn(x, -TWO_POW_MINUS_31) : __fadd_rn(m, -1.0f);
    const float z = __fmul_rn(f, f);
    float p = -2.0f * -0.07570157f;
    p = __fmaf_rn(p, f, -2.0f * 0.12711218f);
    p = __fmaf_rn(p, f, -2.0f * -0.13149032f);
    p = __fmaf_rn(p, f, -2.0f * 0.14200988f);
    p = __fmaf_rn(p, f, -2.0f * -0.16623335f);
    p = __fmaf_rn(p, f, -2.0f * 0.20001261f);
    p = __fmaf_rn(p, f, -2.0f * -0.25000823f);
    p = __fmaf_rn(p, f, -2.0f * 0.3333333f);
    const float minus_two_ln_m = __fmaf_rn(__fmul_rn(f, z), p, __fmaf_rn(f, -2.0f, z));
    return __fmaf_rn(__int2float_rn(exponent), -2.0f * LN_2 / 8388608.0f, minus_two_ln_m);
}

// (sin, cos) of pi y / 4, where y is `turn` as a signed fraction.
__device__ __forceinline__ Pair sin_cos(unsigned int turn) {
    const float y = __fmul_rn(__int2float_rn(static_cast<int>(turn)), TWO_POW_MINUS_31);
    const float z = __fmul_rn(y, y);
    float s = -3.660915e-5f;
    s = __fmaf_rn(s, z, 0.0024910164f);
    s = __fmaf_rn(s, z, -0.08074583f);
    s = __fmaf_rn(s, z, 0.7853982f);
    float c = -0.00031897702f;
    c = __fmaf_rn(c, z, 0.01585015f);
    c = __fmaf_rn(c, z, -0.3084244f);
    return {__fmul_rn(y, s), __fmaf_rn(c, z, 1.0f)};
}

// Two independent standard normal numbers of two random words.
__device__ __forceinline__ Pair box_muller(unsigned int w0, unsigned int w1) {
    const float r = square_root(minus_two_ln(w0));
    const Pair turn = sin_cos(w1 << 2);
    const float cosine = __int_as_float(__float_as_int(turn.y) ^ (w1 & 0x80000000u));
    float x = cosine, y = turn.x;
    swap_by_bit_30(w1, x, y);
    return {__fmul_rn(r, x), __fmul_rn(r, y)};
}

struct Four {
    float v[4];
};

// The four standard normal numbers of a block.
__device__ __forceinline__ Four normals_of(const Words& words) {
    const Pair first = box_muller(words.w[0], words.w[1]);
    const Pair second = box_muller(words.w[2], words.w[3]);
    return {{first.x, first.y, second.x, second.y}};
}

// Its four uniform numbers.
__device__ __forceinline__ Four uniforms_of(const Words& words) {
    return {{unit(words.w[0]), unit(words.w[1]), unit(words.w[2]), unit(words.w[3])}};
}
