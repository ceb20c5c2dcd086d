"""Times PyTorch on the operations of other evolution strategies, as one writes them, one expression
for each network.

By hand, from the root of the repository (see `protocol.py` for the lines it reads):

    printf 'shape 4 8 2 4194304\\nrun trial 1 1\\n' | python3 esgd-bench/peers/operations_torch.py

Forms: `weighted` recombination with noise, uniform `crossover`, `diagonal` noise, `weighted-noise` and
`squared-noise` (sums of noise that is made anew from seeds), the `trial` vector of differential evolution, the
`velocity` of a particle, `product`, `exponential`, `adaptive-step` and `squared-norm`. Results are assigned to
memory that is there.
"""

from protocol import answer, parents_of, skip, timed, value

try:
    import torch
except ImportError:
    skip("PyTorch is not installed")

SIGMA = 0.01


class Operations:
    def __init__(self, parents, offspring, rho, lengths):
        d = sum(lengths)
        self.population = [value(torch.arange(d), j) for j in range(parents)]
        self.out = [torch.full((d,), 0.5) for _ in range(offspring)]
        self.above_zero = self.population[0].abs()
        self.plan = [parents_of(k, parents, rho) for k in range(offspring)]

    def weighted(self):
        for out, chosen in zip(self.out, self.plan):
            mean = sum(1 / len(chosen) * self.population[j] for j in chosen)
            out[:] = mean + SIGMA * torch.randn(mean.shape)

    def crossover(self):
        for out, (a, b, *_) in zip(self.out, self.plan):
            from_a = torch.rand(out.shape) < 0.5
            out[:] = torch.where(from_a, self.population[a], self.population[b])

    def sources(self, k, count):
        """As many networks of the population for offspring k."""
        return [self.population[(k + j) % len(self.population)] for j in range(count)]

    def diagonal(self):
        for k, out in enumerate(self.out):
            (theta,) = self.sources(k, 1)
            out[:] = theta + SIGMA * self.above_zero.sqrt() * torch.randn(theta.shape)

    def noise_sum(self, power):
        generator = torch.Generator()
        total = torch.zeros_like(self.out[0])
        for seed in range(len(self.out)):
            generator.manual_seed(seed)
            total += 0.5 * torch.randn(total.shape, generator=generator) ** power
        self.out[0][:] = total

    def trial(self):
        for k, out in enumerate(self.out):
            x, a, b = self.sources(k, 3)
            mutant = a + 0.5 * (b - self.above_zero)
            out[:] = torch.where(torch.rand(out.shape) < 0.9, mutant, x)

    def velocity(self):
        swarm_best = self.above_zero
        for k, out in enumerate(self.out):
            x, v, own_best = self.sources(k, 3)
            r1, r2 = torch.rand(x.shape), torch.rand(x.shape)
            out[:] = 0.7 * v + 1.4 * r1 * (own_best - x) + 1.4 * r2 * (swarm_best - x)

    def product(self):
        for k, out in enumerate(self.out):
            out[:] = self.sources(k, 1)[0] * self.above_zero

    def exponential(self):
        for k, out in enumerate(self.out):
            out[:] = self.sources(k, 1)[0] * torch.exp(0.1 * self.above_zero)

    def adaptive_step(self):
        for k, out in enumerate(self.out):
            theta, m = self.sources(k, 2)
            out[:] = theta - 0.1 * m / (self.above_zero.sqrt() + 1e-8)

    def squared_norm(self):
        for x in self.out:
            x.square().sum()


memory = None


def reshape(*shape):
    global memory
    memory = None
    memory = Operations(*shape)


@torch.no_grad()
def run(form, threads, repeats):
    torch.set_num_threads(threads)
    forms = {
        "weighted": memory.weighted,
        "crossover": memory.crossover,
        "diagonal": memory.diagonal,
        "weighted-noise": lambda: memory.noise_sum(1),
        "squared-noise": lambda: memory.noise_sum(2),
        "trial": memory.trial,
        "velocity": memory.velocity,
        "product": memory.product,
        "exponential": memory.exponential,
        "adaptive-step": memory.adaptive_step,
        "squared-norm": memory.squared_norm,
    }
    return timed(forms[form], repeats)


if __name__ == "__main__":
    answer(f"PyTorch {torch.__version__}", reshape, run)
