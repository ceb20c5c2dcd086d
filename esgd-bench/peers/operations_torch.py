"""Times PyTorch on the operations of other evolution strategies, as one writes them, one expression
for each network.

By hand, from the root of the repository (see `protocol.py` for the lines it reads):

    printf 'shape 4 8 2 4194304\\nrun trial 1 1\\n' | python3 esgd-bench/peers/operations_torch.py

Forms: `weighted` recombination with noise, uniform `crossover`, `antithetic` pairs, `weighted-noise`
(a sum of noise that is made anew from seeds), the `trial` vector of differential evolution, the step
of a `particle`, and `squared-norm`. Results are assigned to memory that is there.
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
        self.plan = [parents_of(k, parents, rho) for k in range(offspring)]

    def weighted(self):
        for out, chosen in zip(self.out, self.plan):
            mean = sum(1 / len(chosen) * self.population[j] for j in chosen)
            out[:] = mean + SIGMA * torch.randn(mean.shape)

    def crossover(self):
        for out, (a, b, *_) in zip(self.out, self.plan):
            from_a = torch.rand(out.shape) < 0.5
            out[:] = torch.where(from_a, self.population[a], self.population[b])

    def antithetic(self):
        theta = self.population[0]
        for plus, minus in zip(self.out[::2], self.out[1::2]):
            noise = SIGMA * torch.randn(theta.shape)
            plus[:] = theta + noise
            minus[:] = theta - noise

    def weighted_noise(self):
        generator = torch.Generator()
        total = torch.zeros_like(self.out[0])
        for seed in range(len(self.out)):
            generator.manual_seed(seed)
            total += 0.5 * torch.randn(total.shape, generator=generator)
        self.out[0][:] = total

    def trial(self):
        for k, out in enumerate(self.out):
            x, a, b, c = (self.population[(k + j) % len(self.population)] for j in range(4))
            out[:] = torch.where(torch.rand(out.shape) < 0.9, a + 0.5 * (b - c), x)

    def particle(self):
        swarm_best = self.population[0]
        for k, (x, v) in enumerate(zip(self.out[::2], self.out[1::2])):
            own_best = self.population[k % len(self.population)]
            r1, r2 = torch.rand(x.shape), torch.rand(x.shape)
            v[:] = 0.7 * v + 1.4 * r1 * (own_best - x) + 1.4 * r2 * (swarm_best - x)
            x += v

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
        "antithetic": memory.antithetic,
        "weighted-noise": memory.weighted_noise,
        "trial": memory.trial,
        "particle": memory.particle,
        "squared-norm": memory.squared_norm,
    }
    return timed(forms[form], repeats)


if __name__ == "__main__":
    answer(f"PyTorch {torch.__version__}", reshape, run)
