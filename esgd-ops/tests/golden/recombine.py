"""Makes recombine.json: offspring by eq. 12 of the ESGD paper, θ = (1/ρ) Σ θ_j + ε, ε ~ N(0, σ²).

Random numbers are an independent, vectorised Philox4x32-10 and Box-Muller. Needs NumPy alone:

    python3 recombine.py

It writes recombine.json beside itself, which tests/golden.rs reads.
"""

import json
import pathlib

import numpy as np

MASK = np.uint64(0xFFFF_FFFF)
MUTATION = 6  # esgd_core::rng::Purpose::Mutation


def philox4x32_10(counter, key):
    """Ten rounds on counters of shape (4, n), under a key of two words; 32-bit words as uint64."""
    c = [np.asarray(word, np.uint64) for word in counter]
    k = [int(word) for word in key]
    for _ in range(10):
        low = np.uint64(0xD2511F53) * c[0]
        high = np.uint64(0xCD9E8D57) * c[2]
        c = [
            (high >> np.uint64(32)) ^ c[1] ^ np.uint64(k[0]),
            high & MASK,
            (low >> np.uint64(32)) ^ c[3] ^ np.uint64(k[1]),
            low & MASK,
        ]
        k = [(k[0] + 0x9E3779B9) % 2**32, (k[1] + 0xBB67AE85) % 2**32]
    return np.stack(c)


def normals(address, offset, n):
    """Standard normals number offset to offset + n - 1 of an address, float32."""
    blocks = np.arange(offset // 4, (offset + n + 3) // 4, dtype=np.uint64)
    fill = lambda word: np.full_like(blocks, word)
    second = address["step"] << 8 | MUTATION
    counter = [blocks, fill(second), fill(address["generation"]), fill(address["individual"])]
    seed = address["seed"]
    words = philox4x32_10(counter, [seed % 2**32, seed >> 32]).T.reshape(-1, 2).astype(np.float64)
    radius = np.sqrt(-2 * np.log((words[:, 0] + 0.5) / 2**32))
    angle = 2 * np.pi * (words[:, 1] / 2**32)
    pairs = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    return pairs.reshape(-1)[offset % 4 :][:n].astype(np.float32)


def parents(rho, n):
    """Value i of parent j is ((37 i + 101 j) mod 257 - 128) / 100, rounded to float32 once."""
    i, j = np.arange(n), np.arange(rho)[:, None]
    return ((37 * i + 101 * j) % 257 - 128).astype(np.float32) / np.float32(100)


def offspring(rho, sigma, address, offset, n):
    """Eq. 12 in float32, the parents summed in order."""
    total = np.zeros(n, np.float32)
    for parent in parents(rho, n):
        total += parent
    return total / np.float32(rho) + np.float32(sigma) * normals(address, offset, n)


def decimals(values):
    """The shortest decimals that give these float32 back, read as float64 (give or take an ulp)."""
    short = [float(str(v)) for v in values]
    for side in (-np.inf, np.inf):
        assert (np.nextafter(short, side).astype(np.float32) == values).all()
    return short


def main():
    # The vectors of Random123's tests/kat_vectors: ours is Philox before anything is written.
    pi = [[0x243F6A88], [0x85A308D3], [0x13198A2E], [0x03707344]]
    words = philox4x32_10(pi, [0xA4093822, 0x299F31D0])[:, 0]
    assert words.tolist() == [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1]

    addresses = [
        {"seed": seed, "generation": generation, "step": step, "individual": individual}
        for seed, generation, step, individual in [
            (1, 0, 0, 0),
            (0xFEDC_BA98_7654_3210, 3, 2, 7),
            (2**64 - 1, 2**32 - 1, 2**24 - 1, 2**32 - 1),
            (42, 100, 1, 99),
            (2**32, 0, 5, 1),
        ]
    ]
    cases = []
    for n in [1, 7, 64, 300]:
        for r, rho in enumerate([1, 2, 4, 3]):
            for s, sigma in enumerate([0.0, 0.01, 1.0]):
                if n == 300 and r + s != 2:  # three of them, to keep the file small
                    continue
                for offset in [0, 5]:
                    case = {"n": n, "rho": rho, "sigma": sigma, "offset": offset}
                    case |= addresses[len(cases) % len(addresses)]
                    child = offspring(rho, sigma, case, offset, n)
                    cases.append(case | {"theta": decimals(child)})
    versions = {"numpy": np.__version__}
    path = pathlib.Path(__file__).with_suffix(".json")
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    path.write_text(f'{{"versions": {json.dumps(versions)},\n"cases": [\n{lines}\n]}}\n')
    print(f"{path.name}: {len(cases)} cases, {versions}")


if __name__ == "__main__":
    main()
