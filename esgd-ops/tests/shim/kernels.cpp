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
    {"antithetic", call<Antithetic, antithetic>},
    {"missing_barrier", call<Reversal, missing_barrier>},
    {"mutate", call<Mutation, mutate>},
    {"normals", call<Fill, normals>},
    {"pairs", call<Pairs, pairs>},
    {"particle", call<Particle, particle>},
    {"recombine_direct", call<Recombination, recombine_direct>},
    {"recombine_staged", call<Recombination, recombine_staged>},
    {"squares_of_tiles", call<Squares, squares_of_tiles>},
    {"sums_of_tiles", call<Sums, sums_of_tiles>},
    {"trial", call<Trial, trial>},
    {"uniforms", call<Fill, uniforms>},
    {"weighted_noise", call<WeightedNoise, weighted_noise>},
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
