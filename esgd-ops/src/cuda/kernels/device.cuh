// What no exactly rounded operation of CUDA's can say, or plain C++ only badly; elsewhere than on a
// GPU, the includer defines its own beforehand.
#pragma once

#ifndef ESGD_NO_DEVICE
// An approximation of 1/sqrt(x), off by little more than one unit of the last place. Its bits may
// differ between GPUs, so what is made of it is tried on each GPU before it is used.
__device__ __forceinline__ float approximate_rsqrt(float x) {
    float r;
    asm("rsqrt.approx.ftz.f32 %0, %1;" : "=f"(r) : "f"(x));
    return r;
}

// Swaps x and y if bit 30 of w is set. The compiler makes three instructions of that test.
__device__ __forceinline__ void swap_by_bit_30(unsigned int w, float& x, float& y) {
    const float a = x, b = y;
    asm("{\n\t"
        ".reg .pred set;\n\t"
        ".reg .b32 bit;\n\t"
        "and.b32 bit, %2, 0x40000000;\n\t"
        "setp.ne.u32 set, bit, 0;\n\t"
        "selp.f32 %0, %4, %3, set;\n\t"
        "selp.f32 %1, %3, %4, set;\n\t"
        "}"
        : "=f"(x), "=f"(y)
        : "r"(w), "f"(a), "f"(b));
}
#endif
