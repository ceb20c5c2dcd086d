// Runs kernels on the CPU: one block after another, the threads of a block as fibers.
#include "cuda_on_cpu.h"

#include <ucontext.h>

#include <cstdint>
#include <functional>
#include <numeric>
#include <random>
#include <vector>

#include "kernels.h"

Index blockIdx, threadIdx, blockDim, gridDim;
float4 shared_memory[48 * 1024 / sizeof(float4)];

namespace {

const std::size_t STACK = 64 * 1024;

struct Fiber {
    ucontext_t context;
    std::vector<char> stack;
    bool done;
};

ucontext_t scheduler;
std::vector<Fiber> fibers;
Kernel kernel;
const void* arguments;

void run_one() {
    kernel(arguments);
    Fiber& self = fibers[threadIdx.x];
    self.done = true;
    swapcontext(&self.context, &scheduler);
}

// Turns of the threads: 0 as they are numbered, 1 in reverse, else shuffled anew each round.
void shuffle(std::vector<unsigned int>& turns, unsigned int order, std::mt19937& random) {
    if (order == 1) {
        std::iota(turns.rbegin(), turns.rend(), 0u);
    } else if (order > 1) {
        for (std::size_t i = turns.size(); i > 1; i--) {
            std::swap(turns[i - 1], turns[random() % i]);
        }
    }
}

void run_block(unsigned int threads, unsigned int order, std::mt19937& random) {
    // What a block finds in shared memory is nothing that it put there.
    std::memset(shared_memory, 0xFF, sizeof shared_memory);
    fibers.resize(threads);
    for (Fiber& fiber : fibers) {
        fiber.stack.resize(STACK);
        fiber.done = false;
        getcontext(&fiber.context);
        fiber.context.uc_stack.ss_sp = fiber.stack.data();
        fiber.context.uc_stack.ss_size = STACK;
        fiber.context.uc_link = &scheduler;
        makecontext(&fiber.context, run_one, 0);
    }
    std::vector<unsigned int> turns(threads);
    std::iota(turns.begin(), turns.end(), 0u);
    bool busy = true;
    while (busy) {
        busy = false;
        shuffle(turns, order, random);
        for (unsigned int t : turns) {
            if (!fibers[t].done) {
                threadIdx = {t, 0, 0};
                swapcontext(&scheduler, &fibers[t].context);
                busy = true;
            }
        }
    }
}

}  // namespace

void __syncthreads() {
    // Another thread runs meanwhile, and threadIdx is its.
    Fiber& self = fibers[threadIdx.x];
    swapcontext(&self.context, &scheduler);
}

// Runs the kernel of that name, with a struct of arguments; 1 if there is none.
extern "C" int esgd_launch(
    const char* name, const void* args, const unsigned int* blocks, unsigned int threads,
    unsigned int order) {
    kernel = kernel_named(name);
    if (kernel == nullptr) {
        return 1;
    }
    arguments = args;
    std::mt19937 random(order);
    blockDim = {threads, 1, 1};
    gridDim = {blocks[0], blocks[1], blocks[2]};
    for (unsigned int z = 0; z < blocks[2]; z++) {
        for (unsigned int y = 0; y < blocks[1]; y++) {
            for (unsigned int x = 0; x < blocks[0]; x++) {
                blockIdx = {x, y, z};
                run_block(threads, order, random);
            }
        }
    }
    return 0;
}
