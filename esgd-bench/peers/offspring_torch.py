"""Times PyTorch making offspring: the mean of rho parents plus Gaussian noise, sigma = 0.01.

By hand, from the root of the repository (see `protocol.py` for the lines it reads):

    printf 'shape 16 8 2 4194304\\nrun plain 2 1\\n' | python3 esgd-bench/peers/offspring_torch.py

Forms. `plain` is the expression as people write it. The others write into memory made beforehand,
on `torch.set_num_threads(THREADS)`:

    add-noise     sum of the parents, `mul_`, noise drawn into a buffer, `add_`
    noise-first   noise drawn into the offspring, then `add_(parent, alpha=1/rho)` for each parent
    product       noise drawn into all offspring at once, then one matrix product adds the means
    compiled      `torch.compile` of the expression, one graph for an offspring

`noise-first-side-by-side` and `product-side-by-side` share the offspring out over THREADS Python
threads, each with one thread of PyTorch's own and its own generator: PyTorch draws on one thread.
"""

from concurrent.futures import ThreadPoolExecutor

from protocol import answer, parents_of, skip, timed, value

try:
    import torch
except ImportError:
    skip("PyTorch is not installed")

SIGMA = 0.01


class Offspring:
    """Each tensor of the population is one matrix, a row for an individual, as is each of the
    offspring; `noise` is a buffer for the longest tensor."""

    def __init__(self, parents, offspring, rho, lengths):
        individuals = torch.arange(parents).unsqueeze(1)
        self.population = [value(torch.arange(n).unsqueeze(0), individuals) for n in lengths]
        self.out = [torch.full((offspring, n), 0.5) for n in lengths]
        self.noise = torch.full((max(lengths),), 0.5)
        self.plan = [parents_of(k, parents, rho) for k in range(offspring)]
        self.shares = torch.zeros(offspring, parents)
        for k, chosen in enumerate(self.plan):
            for j in chosen:
                self.shares[k, j] += 1 / rho
        self.compiled = torch.compile(compiled_expression)

    def plain(self):
        for theta, out in zip(self.population, self.out):
            for k, chosen in enumerate(self.plan):
                child = torch.stack([theta[j] for j in chosen]).mean(0)
                # Assigned to memory that is there: keeping every child would need new memory.
                out[k] = child + SIGMA * torch.randn(child.shape)

    def add_noise(self):
        for theta, out in zip(self.population, self.out):
            noise = self.noise[: out.shape[1]]
            for k, chosen in enumerate(self.plan):
                if len(chosen) == 1:
                    out[k].copy_(theta[chosen[0]])
                else:
                    torch.add(theta[chosen[0]], theta[chosen[1]], out=out[k])
                    for j in chosen[2:]:
                        out[k].add_(theta[j])
                    out[k].mul_(1 / len(chosen))
                out[k].add_(noise.normal_(0, SIGMA))

    def noise_first(self, rows=slice(None), generator=None):
        for theta, out in zip(self.population, self.out):
            for child, chosen in zip(out[rows], self.plan[rows]):
                child.normal_(0, SIGMA, generator=generator)
                for j in chosen:
                    child.add_(theta[j], alpha=1 / len(chosen))

    def product(self, rows=slice(None), generator=None):
        for theta, out in zip(self.population, self.out):
            out[rows].normal_(0, SIGMA, generator=generator).addmm_(self.shares[rows], theta)

    def compile(self):
        for theta, out in zip(self.population, self.out):
            for k, chosen in enumerate(self.plan):
                self.compiled([theta[j] for j in chosen], out[k])


def compiled_expression(parents, out):
    out.copy_(sum(parents) / len(parents) + SIGMA * torch.randn_like(out))


class SideBySide:
    """Threads that each make their part of the offspring."""

    def __init__(self, threads):
        self.threads = threads
        self.pool = ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,))
        self.generators = [torch.Generator().manual_seed(i) for i in range(threads)]

    def run(self, work, offspring):
        cuts = [offspring * i // self.threads for i in range(self.threads + 1)]
        parts = [slice(*cut) for cut in zip(cuts, cuts[1:])]
        list(self.pool.map(work, parts, self.generators))


memory = None
side_by_side = {}


def reshape(*shape):
    global memory
    memory = None
    memory = Offspring(*shape)


@torch.no_grad()
def run(form, threads, repeats):
    torch.set_num_threads(threads)
    if form.endswith("-side-by-side"):
        if threads not in side_by_side:
            side_by_side[threads] = SideBySide(threads)
        part = memory.product if form.startswith("product") else memory.noise_first
        return timed(lambda: side_by_side[threads].run(part, len(memory.plan)), repeats)
    forms = {
        "plain": memory.plain,
        "add-noise": memory.add_noise,
        "noise-first": memory.noise_first,
        "product": memory.product,
        "compiled": memory.compile,
    }
    return timed(forms[form], repeats)


if __name__ == "__main__":
    answer(f"PyTorch {torch.__version__}", reshape, run)
