"""Makes recombine.json: offspring by eq. 12 of the ESGD paper, θ = (1/ρ) Σ θ_j + ε, ε ~ N(0, σ²).

Random numbers are an independent, vectorised Philox4x32-10 and Box-Muller. Needs NumPy alone:

    python3 recombine.py

It writes recombine.json beside itself, which tests/operations.rs reads.
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


def words(address, offset, n, purpose=MUTATION):
    """Words number offset to offset + n - 1 of an address."""
    blocks = np.arange(offset // 4, (offset + n + 3) // 4, dtype=np.uint64)
    fill = lambda word: np.full_like(blocks, word)
    second = address["step"] << 8 | purpose
    counter = [blocks, fill(second), fill(address["generation"]), fill(address["individual"])]
    seed = address["seed"]
    drawn = philox4x32_10(counter, [seed % 2**32, seed >> 32]).T.reshape(-1)
    return drawn[offset % 4 :][:n]


def normals(address, offset, n):
    """Standard normals number offset to offset + n - 1 of an address, float32.

    In float64, and by another way to the same angle than esgd-core/src/rng/box_muller.rs: from the quarter of the
    circle that the upper two bits of the second word choose.
    """
    start = offset - offset % 4
    pairs = words(address, start, offset - start + n + 3 & ~3).reshape(-1, 2)
    radius = np.sqrt(-2 * np.log(((pairs[:, 0] >> np.uint64(1)).astype(np.float64) + 0.5) / 2**31))
    within = (pairs[:, 1] & np.uint64(2**30 - 1)).astype(np.float64) / 2**30
    phi = np.pi / 2 * np.where(within < 0.5, within, within - 1)
    sign = np.where(pairs[:, 1] >> np.uint64(31), -1, 1)
    swap = (pairs[:, 1] >> np.uint64(30) & np.uint64(1)).astype(bool)
    cos, sin = sign * np.cos(phi), np.sin(phi)
    both = np.stack([np.where(swap, sin, cos), np.where(swap, cos, sin)], axis=1)
    return (radius[:, None] * both).reshape(-1)[offset - start :][:n].astype(np.float32)


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
