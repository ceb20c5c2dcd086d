// Whether a GPU's approximate 1/sqrt(x) is good enough for `square_root`: compares it with the exact
// root for every x in [2^-32, 2^6), where -2 ln u lies, and counts those that differ.
#include "box_muller.cuh"

struct SquareRoots {
    // The bits of the first x, and how many follow.
    unsigned int first;
    unsigned int count;
    unsigned int* wrong;
};

extern "C" __global__ void wrong_square_roots(const SquareRoots s) {
    const unsigned int step = gridDim.x * blockDim.x;
    for (unsigned int i = blockIdx.x * blockDim.x + threadIdx.x; i < s.count; i += step) {
        const float x = __int_as_float(static_cast<int>(s.first + i));
        if (square_root(x) != __fsqrt_rn(x)) {
            atomicAdd(s.wrong, 1u);
        }
    }
}
