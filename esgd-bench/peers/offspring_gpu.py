"""Times PyTorch, and cuRAND with cuBLAS, making offspring on a GPU: eq. 12 of the ESGD paper.

    plain           child = randn * sigma + population[parents].mean(0), as people write it
    in-place        no new memory: normal_ into the offspring, then the parents added to it
    compiled        the plain form under torch.compile
    curand-cublas   cuRAND's normals into all offspring, then one product of cuBLAS adds the means:
                    out = W @ population + out, with 1/rho where an offspring has a parent

Run by the program `gpu`, or by hand:

    printf 'shape 16 64 2 25000000\\nrun in-place 1 3\\n' | python3 offspring_gpu.py
"""

import ctypes
import glob
import os

from protocol import answer, parents_of, skip, timed

try:
    import torch
except ImportError:
    skip("Python has no torch")
if not torch.cuda.is_available():
    skip("PyTorch has no GPU")

SIGMA = 0.01
memory = {}


def reshape(parents, offspring, rho, lengths):
    memory.clear()
    torch.cuda.empty_cache()
    d = sum(lengths)
    memory["population"] = torch.rand(parents, d, device="cuda") - 0.5
    memory["out"] = torch.zeros(offspring, d, device="cuda")
    memory["families"] = [parents_of(k, parents, rho) for k in range(offspring)]
    weights = torch.zeros(offspring, parents, device="cuda")
    for k, family in enumerate(memory["families"]):
        for j in family:
            weights[k, j] += 1 / rho
    memory["weights"] = weights
    index = [torch.tensor(family, device="cuda") for family in memory["families"]]
    memory["index"] = index


def child_of(population, family):
    return population[family].mean(0) + SIGMA * torch.randn_like(population[0])


def plain():
    for k, family in enumerate(memory["index"]):
        memory["out"][k] = child_of(memory["population"], family)


def in_place():
    population = memory["population"]
    for row, family in zip(memory["out"], memory["families"]):
        row.normal_(0, SIGMA)
        for j in family:
            row.add_(population[j], alpha=1 / len(family))


compiled_child = torch.compile(child_of)


def compiled():
    for k, family in enumerate(memory["index"]):
        memory["out"][k] = compiled_child(memory["population"], family)


def library(name):
    """A CUDA library: PyTorch's own, or the system's."""
    site = os.path.dirname(os.path.dirname(torch.__file__))
    found = sorted(glob.glob(f"{site}/nvidia/**/lib{name}.so*", recursive=True))
    return ctypes.CDLL(found[0] if found else f"lib{name}.so")


class Libraries:
    """cuRAND and cuBLAS by their C interfaces, on PyTorch's memory and stream."""

    def __init__(self):
        self.curand, self.cublas = library("curand"), library("cublas")
        self.generator, self.handle = ctypes.c_void_p(), ctypes.c_void_p()
        # 161 is CURAND_RNG_PSEUDO_PHILOX4_32_10.
        check(self.curand.curandCreateGenerator(ctypes.byref(self.generator), 161))
        check(self.curand.curandSetPseudoRandomGeneratorSeed(self.generator, ctypes.c_ulonglong(1)))
        check(self.cublas.cublasCreate_v2(ctypes.byref(self.handle)))
        stream = ctypes.c_void_p(torch.cuda.current_stream().cuda_stream)
        check(self.curand.curandSetStream(self.generator, stream))
        check(self.cublas.cublasSetStream_v2(self.handle, stream))

    def run(self):
        out, population, weights = memory["out"], memory["population"], memory["weights"]
        pointer = lambda tensor: ctypes.c_void_p(tensor.data_ptr())
        count = ctypes.c_size_t(out.numel() + out.numel() % 2)
        if count.value != out.numel():
            raise ValueError("cuRAND makes even numbers of normals only")
        zero, sigma, one = ctypes.c_float(0), ctypes.c_float(SIGMA), ctypes.c_float(1)
        check(self.curand.curandGenerateNormal(self.generator, pointer(out), count, zero, sigma))
        (offspring, d), parents = out.shape, population.shape[0]
        # Column-major, the transposes: out' (d x offspring) = population' weights' + out'.
        check(self.cublas.cublasSgemm_v2(
            self.handle, 0, 0, d, offspring, parents, ctypes.byref(one), pointer(population), d,
            pointer(weights), parents, ctypes.byref(one), pointer(out), d))


def check(status):
    if status != 0:
        raise RuntimeError(f"a CUDA library answered {status}")


def curand_cublas():
    if "libraries" not in memory:
        memory["libraries"] = Libraries()
    memory["libraries"].run()


FORMS = {"plain": plain, "in-place": in_place, "compiled": compiled, "curand-cublas": curand_cublas}


def run(form, _threads, repeats):
    def work():
        FORMS[form]()

    torch.cuda.synchronize()

    def all_of_them():
        for _ in range(repeats):
            work()
        torch.cuda.synchronize()

    return timed(all_of_them, 1)


answer(f"PyTorch {torch.__version__}", reshape, run)
