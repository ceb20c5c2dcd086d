// All kernels as C++, and their names.
#include "cuda_on_cpu.h"

#include "evolution.cu"
#include "missing_barrier.cu"
#include "noise.cu"
#include "norm.cu"
#include "pairs.cu"
#include "recombine.cu"
#include "square_roots.cu"

#include "kernels.h"

namespace {

struct Named {
    const char* name;
    Kernel kernel;
};

template <typename Arguments, void (*KERNEL)(Arguments)>
void call(const void* arguments) {
    KERNEL(*static_cast<const Arguments*>(arguments));
}

const Named KERNELS[] = {
    {"adaptive_step", call<ValueByValue, adaptive_step>},
    {"distances_of_tiles", call<Squares, distances_of_tiles>},
    {"exponential", call<ValueByValue, exponential>},
    {"missing_barrier", call<Reversal, missing_barrier>},
    {"mutate", call<Mutation, mutate>},
    {"mutate_diagonal", call<DiagonalMutation, mutate_diagonal>},
    {"normals", call<Fill, normals>},
    {"pairs", call<Pairs, pairs>},
    {"product", call<ValueByValue, product>},
    {"recombine_direct", call<Recombination, recombine_direct>},
    {"recombine_staged", call<Recombination, recombine_staged>},
    {"squared_noise", call<NoiseSum, squared_noise>},
    {"squares_of_tiles", call<Squares, squares_of_tiles>},
    {"sums_of_tiles", call<Sums, sums_of_tiles>},
    {"trial", call<Trial, trial>},
    {"uniforms", call<Fill, uniforms>},
    {"velocity", call<Velocity, velocity>},
    {"weighted_noise", call<NoiseSum, weighted_noise>},
    {"with_barrier", call<Reversal, with_barrier>},
    {"wrong_square_roots", call<SquareRoots, wrong_square_roots>},
};

}  // namespace

Kernel kernel_named(const char* name) {
    for (const Named& named : KERNELS) {
        if (std::strcmp(named.name, name) == 0) {
            return named.kernel;
        }
    }
    return nullptr;
}
