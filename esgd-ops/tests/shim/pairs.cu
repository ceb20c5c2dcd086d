// The pairs of normal numbers of given words, which the tests compare with the Rust file's.
#include "box_muller.cuh"

struct Pairs {
    // Pair i is that of the words first + i * step and w1.
    unsigned int first;
    unsigned int step;
    unsigned int w1;
    unsigned int count;
    // Two numbers a pair.
    float* out;
};

extern "C" __global__ void pairs(const Pairs p) {
    for (unsigned int i = 0; i < p.count; i++) {
        const Pair pair = box_muller(p.first + i * p.step, p.w1);
        p.out[2 * i] = pair.x;
        p.out[2 * i + 1] = pair.y;
    }
}
