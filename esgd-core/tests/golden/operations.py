"""Makes operations.json: every operation of esgd_core::Operation, in NumPy, for f32 and for f64.

Random numbers are those of recombine.py, an independent Philox4x32-10 and Box-Muller, and the 53-bit numbers
that f64 has. Arithmetic is float64 throughout, so what is computed in float32 differs in the last places.
Needs NumPy alone:

    python3 operations.py

It writes operations.json beside itself, which tests/operations.rs reads.
"""

import json
import pathlib

import numpy as np

from recombine import MUTATION, normals, parents, philox4x32_10, words

DERIVED = 9  # esgd_core::rng::Purpose::Derived
ADDRESS = {"seed": 0x1234_5678_9ABC_DEF0, "generation": 3, "step": 1, "individual": 5}
N = 61
WEIGHTS = [0.5, 0.25, -0.125, 1.0]


def derive(address, tag):
    """esgd_core::rng::Key::derive: a key of its own for part `tag` of the work at an address."""
    here = words(address, 4 * (2**32 - 1), 4)
    counter = [[here[0]], [here[1]], [tag % 2**32], [tag >> 32]]
    made = philox4x32_10(counter, [here[2], here[3]])[:, 0]
    seed = int(made[0]) | int(made[1]) << 32
    return {"seed": seed, "generation": 0, "step": 0, "individual": 0}


def individual(j):
    return ADDRESS | {"individual": j}


def wide(address, first, second, purpose):
    """Of each two of N words the upper 53 bits as a number in [0, 1), the first word the upper half."""
    w = words(address, 0, 2 * N + 2, purpose).astype(object)
    return np.array([((int(a) << 32 | int(b)) >> 11) / 2**53 for a, b in zip(w[first::2], w[second::2])])


class Single:
    """What f32 draws: 24 bits of a word, and a normal number of two words with another."""

    name = "f32"

    @staticmethod
    def uniform(address, purpose=MUTATION):
        return (words(address, 0, N, purpose) >> np.uint64(8)).astype(np.float64) / 2**24

    @staticmethod
    def normal(address):
        return normals(address, 0, N).astype(np.float64)


class Double:
    """What f64 draws: 53 bits of two words, and two normal numbers of four."""

    name = "f64"

    @staticmethod
    def uniform(address, purpose=MUTATION):
        return wide(address, 0, 1, purpose)[:N]

    @staticmethod
    def normal(address):
        u = wide(address, 0, 1, MUTATION)
        a, b = u[0::2], u[1::2]
        radius = np.sqrt(-2 * np.log1p(-a))
        z = radius * np.exp(2j * np.pi * b)
        return np.stack([z.real, z.imag], axis=1).reshape(-1)[:N]


def results(real):
    theta = parents(4, N).astype(np.float64)
    x, a, b, c = theta
    variance = b * b
    weighted = np.tensordot(WEIGHTS, theta, 1)
    chosen = words(derive(ADDRESS, 0), 0, N, DERIVED) * np.uint64(4) >> np.uint64(32)
    crossed = theta[chosen.astype(int), np.arange(N)]
    draw = words(derive(ADDRESS, 3), 0, 2, DERIVED)
    forced = ((int(draw[1]) << 32 | int(draw[0])) * N) >> 64
    epsilon, mine = [real.normal(individual(j)) for j in range(4)], real.normal(ADDRESS)
    r1, r2 = real.uniform(ADDRESS), real.uniform(derive(ADDRESS, 1), DERIVED)
    taken = (r1 < 0.4) | (np.arange(N) == forced)
    high, low = (int(word) for word in words(derive(ADDRESS, 2), 0, 2, DERIVED))
    share = ((high << 32 | low) >> 11) / 2**53
    radius = np.linalg.norm(c - (x + a + b) / 3)
    noise = lambda power: sum(w * e**power for w, e in zip(WEIGHTS, epsilon))
    return {
        "mean": theta.mean(0),
        "weighted": weighted + 0.1 * mine,
        "mirrored": weighted - 0.1 * mine,
        "relative": weighted + 0.1 * np.sqrt((weighted**2).mean()) * mine,
        "diagonal": (x + a) / 2 + 0.1 * np.abs(b) * mine,
        "ball": (x + a + b) / 3 + share * radius * mine / np.linalg.norm(mine),
        "crossover": crossed,
        "mutated_crossover": crossed + 0.1 * mine,
        "trial": np.where(taken, np.tensordot(WEIGHTS[:3], theta[1:], 1), x),
        "velocity": 0.7 * a + 1.4 * r1 * (b - x) + 1.6 * r2 * (c - x),
        "weighted_noise": noise(1),
        "squared_noise": noise(2),
        "product": x * a,
        "exponential": x * np.exp(-3 * a),
        "adaptive_step": x - 0.3 * a / (np.sqrt(variance) + 0.01),
        "rescaled": x * 2.5 / np.linalg.norm(x),
        "clipped": x,
        "values": a,
    }


def decimals(values):
    return [float(f"{value:.15g}") for value in values]


def main():
    rows = lambda real: ",\n".join(
        f'"{name}": {json.dumps(decimals(values), separators=(",", ":"))}'
        for name, values in results(real).items()
    )
    kinds = ",\n".join(f'"{real.name}": {{\n{rows(real)}\n}}' for real in [Single, Double])
    versions = json.dumps({"numpy": np.__version__})
    path = pathlib.Path(__file__).with_suffix(".json")
    path.write_text(f'{{"versions": {versions},\n{kinds}\n}}\n')
    print(f"{path.name}: {len(results(Single))} results of {N} values, {versions}")


if __name__ == "__main__":
    main()
