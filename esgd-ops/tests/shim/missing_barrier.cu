// A kernel that reverses the threads' numbers through shared memory, right and wrong: the second
// forgets to wait. That the tests tell them apart shows that they would see it elsewhere.
extern __shared__ float4 shared_memory[];

struct Reversal {
    float* out;
};

template <bool WAITS>
__device__ __forceinline__ void reverse(const Reversal& r) {
    shared_memory[threadIdx.x].x = static_cast<float>(threadIdx.x);
    if (WAITS) {
        __syncthreads();
    }
    r.out[threadIdx.x] = shared_memory[blockDim.x - 1 - threadIdx.x].x;
}

extern "C" __global__ void with_barrier(const Reversal r) {
    reverse<true>(r);
}

extern "C" __global__ void missing_barrier(const Reversal r) {
    reverse<false>(r);
}
