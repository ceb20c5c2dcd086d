"""Times NumPy making offspring: the mean of rho parents plus Gaussian noise, sigma = 0.01.

By hand, from the root of the repository (see `protocol.py` for the lines it reads):

    printf 'shape 16 8 2 4194304\\nrun plain 1 1\\n' | python3 esgd-bench/peers/offspring_numpy.py

Forms: `plain` is the expression as people write it, with `default_rng` and noise in single precision.
`in-place` draws with SFC64, NumPy's fastest generator, into memory made beforehand, 256 KiB at a time
so that it stays in the cache; the offspring are shared out over THREADS threads, each with its own
generator (drawing and arithmetic release Python's lock).
"""

from concurrent.futures import ThreadPoolExecutor

from protocol import answer, parents_of, skip, timed, value

try:
    import numpy as np
except ImportError:
    skip("NumPy is not installed")

SIGMA = np.float32(0.01)
PIECE = 1 << 16


class Offspring:
    def __init__(self, parents, offspring, rho, lengths):
        self.population = [
            [value(np.arange(n), j).astype(np.float32) for n in lengths] for j in range(parents)
        ]
        self.out = [[np.full(n, 0.5, np.float32) for n in lengths] for _ in range(offspring)]
        self.plan = [parents_of(k, parents, rho) for k in range(offspring)]
        self.rng = np.random.default_rng(1)

    def plain(self):
        for chosen, child in zip(self.plan, self.out):
            for t, out in enumerate(child):
                mean = np.mean([self.population[j][t] for j in chosen], axis=0)
                # Assigned to memory that is there: keeping every child would need new memory.
                out[:] = mean + SIGMA * self.rng.standard_normal(out.size, dtype=np.float32)

    def in_place(self, rows, rng):
        total = np.empty(PIECE, np.float32)
        for chosen, child in zip(self.plan[rows], self.out[rows]):
            share = np.float32(1 / len(chosen))
            for t, whole in enumerate(child):
                for at in range(0, whole.size, PIECE):
                    out = whole[at : at + PIECE]
                    parents = [self.population[j][t][at : at + PIECE] for j in chosen]
                    rng.standard_normal(out=out, dtype=np.float32)
                    np.multiply(out, SIGMA, out=out)
                    means = total[: out.size]
                    np.copyto(means, parents[0])
                    for parent in parents[1:]:
                        np.add(means, parent, out=means)
                    np.multiply(means, share, out=means)
                    np.add(out, means, out=out)


memory = None
pools = {}


def reshape(*shape):
    global memory
    memory = None
    memory = Offspring(*shape)


def run(form, threads, repeats):
    if form == "plain":
        return timed(memory.plain, repeats)
    if form != "in-place":
        raise ValueError(f"there is no form {form}")
    if threads not in pools:
        generators = [np.random.Generator(np.random.SFC64(i)) for i in range(threads)]
        pools[threads] = ThreadPoolExecutor(threads), generators
    pool, generators = pools[threads]
    offspring = len(memory.out)
    cuts = [offspring * i // threads for i in range(threads + 1)]
    parts = [slice(*cut) for cut in zip(cuts, cuts[1:])]
    return timed(lambda: list(pool.map(memory.in_place, parts, generators)), repeats)


if __name__ == "__main__":
    answer(f"NumPy {np.__version__}", reshape, run)
