"""Makes evolution.json: the operations of src/evolution and the other blends, in NumPy.

Random numbers are those of recombine.py, an independent Philox4x32-10 and Box-Muller. Arithmetic is
float64 rounded to float32 at the end, so the kernels' float32 differs in the last places. Needs NumPy
alone:

    python3 evolution.py

It writes evolution.json beside itself, which tests/golden.rs reads.
"""

import json
import pathlib

import numpy as np

from recombine import decimals, normals, parents, philox4x32_10, words

DERIVED = 9  # esgd_core::rng::Purpose::Derived
ADDRESS = {"seed": 0x1234_5678_9ABC_DEF0, "generation": 3, "step": 1, "individual": 5}
N, OFFSET = 61, 0


def derive(address, tag):
    """esgd_core::rng::Key::derive: a key of its own for part `tag` of the work at an address."""
    here = words(address, 4 * (2**32 - 1), 4)
    counter = [[here[0]], [here[1]], [tag % 2**32], [tag >> 32]]
    made = philox4x32_10(counter, [here[2], here[3]])[:, 0]
    seed = int(made[0]) | int(made[1]) << 32
    return {"seed": seed, "generation": 0, "step": 0, "individual": 0}


def uniforms(address, purpose):
    return (words(address, OFFSET, N, purpose) >> np.uint64(8)).astype(np.float64) / 2**24


def individual(j):
    return ADDRESS | {"individual": j}


def main():
    theta = parents(4, N).astype(np.float64)
    w = [0.5, 0.25, -0.125, 1.0]
    epsilon = [normals(individual(j), OFFSET, N).astype(np.float64) for j in range(4)]
    choice = words(derive(ADDRESS, 0), OFFSET, N, DERIVED) * np.uint64(4) >> np.uint64(32)
    r1, r2 = uniforms(ADDRESS, 6), uniforms(derive(ADDRESS, 1), DERIVED)
    x, a, b, c = theta
    mutant = a + 0.7 * (b - c)
    taken = (r1 < 0.4) | (np.arange(N) == 17)
    v = 0.7 * a + 1.4 * r1 * (b - x) + 1.6 * r2 * (c - x)
    results = {
        "weighted": sum(w[j] * theta[j] for j in range(4)) + 0.1 * epsilon[3],
        "crossover": theta[choice.astype(int), np.arange(N)],
        "plus": x + 0.3 * epsilon[2],
        "minus": x - 0.3 * epsilon[2],
        "weighted_noise": sum(w[j] * epsilon[j] for j in range(4)),
        "trial": np.where(taken, mutant, x),
        "particle_x": x + v,
        "particle_v": v,
    }
    versions = json.dumps({"numpy": np.__version__})
    rows = ",\n".join(
        f'"{name}": {json.dumps(decimals(values.astype(np.float32)), separators=(",", ":"))}'
        for name, values in results.items()
    )
    path = pathlib.Path(__file__).with_suffix(".json")
    path.write_text(f'{{"versions": {versions},\n{rows}\n}}\n')
    print(f"{path.name}: {len(results)} results of {N} values, {versions}")


if __name__ == "__main__":
    main()
