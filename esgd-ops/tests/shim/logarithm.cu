// -2 ln u as src/box_muller.rs has it, step by step, against the kernels' own arrangement of the same
// steps: counts the arguments for which the two differ in a bit.
#include "box_muller.cuh"

struct Logarithms {
    // The first argument, and how many follow.
    unsigned int first;
    unsigned int count;
    unsigned int* wrong;
};

inline float minus_two_ln_in_rust(unsigned int a) {
    const float x = static_cast<float>(static_cast<int>(a)) + 0.5f;
    const int bits = __float_as_int(x);
    const int e = (bits - SQRT_HALF) >> 23;
    const float m = __int_as_float(bits - e * (1 << 23));
    const float below_one =
        (static_cast<float>(static_cast<int>(a ^ 0x7FFFFFFFu)) + 0.5f) * -TWO_POW_MINUS_31;
    const float f = e == 31 ? below_one : m - 1.0f;
    const float z = f * f;
    const float c[] = {0.3333333f,  -0.25000823f, 0.20001261f, -0.16623335f,
                       0.14200988f, -0.13149032f, 0.12711218f, -0.07570157f};
    float p = c[7];
    for (int k = 6; k >= 0; k--) {
        p = std::fmaf(p, f, c[k]);
    }
    const float ln = std::fmaf(f * z, p, std::fmaf(z, -0.5f, f));
    return std::fmaf(static_cast<float>(e - 31), -2.0f * LN_2, -2.0f * ln);
}

extern "C" __global__ void wrong_logarithms(const Logarithms l) {
    for (unsigned int i = 0; i < l.count; i++) {
        const unsigned int a = l.first + i;
        const float found = minus_two_ln(a << 1 | (a & 1));
        if (__float_as_int(found) != __float_as_int(minus_two_ln_in_rust(a))) {
            atomicAdd(l.wrong, 1u);
        }
    }
}
