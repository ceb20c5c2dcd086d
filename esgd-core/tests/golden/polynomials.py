"""Where the coefficients in esgd-core/src/rng/box_muller.rs come from.

    python3 polynomials.py      # needs NumPy

Each function is a polynomial times known factors. The coefficients minimise the largest weighted
error on the interval (Remez's exchange, on a grid). They are rounded to float32 one at a time from
the lowest order on, the others fitted anew after each, so that the rounding of one is made up for by
the rest.
"""

import numpy as np

GRID = 20_001


def remez(target, weight, basis, points):
    """Coefficients c that minimise max |weight · (basis @ c − target)|, and that maximum."""
    n = basis.shape[1]
    index = np.round((1 - np.cos(np.pi * np.arange(n + 1) / n)) / 2 * (points - 1)).astype(int)
    for _ in range(100):
        sign = (-1.0) ** np.arange(n + 1)
        system = np.column_stack([basis[index], sign / weight[index]])
        c = np.linalg.solve(system, target[index])[:n]
        error = weight * (basis @ c - target)
        edges = np.concatenate([[0], np.nonzero(np.diff(np.sign(error)))[0] + 1, [points]])
        peaks = [a + np.argmax(np.abs(error[a:b])) for a, b in zip(edges, edges[1:]) if b > a]
        while len(peaks) > n + 1:
            peaks.pop(0 if abs(error[peaks[0]]) < abs(error[peaks[-1]]) else -1)
        if len(peaks) < n + 1 or np.array_equal(peaks, index):
            break
        index = np.array(peaks)
    return c, np.abs(error).max()


def fit(name, x, target, weight, powers):
    """Prints float32 coefficients of x**p for p in powers, and the largest weighted error."""
    basis = np.stack([x**p for p in powers], axis=1)
    fixed = []
    for k in range(len(powers)):
        rest = target - basis[:, :k] @ np.array(fixed) if k else target
        c, _ = remez(rest, weight, basis[:, k:], len(x))
        fixed.append(float(np.float32(c[0])))
    error = np.abs(weight * (basis @ np.array(fixed) - target)).max()
    print(f"{name}: largest relative error {error:.2e} = 2^{np.log2(error):.1f}")
    for c in fixed:
        print(f"    {np.float32(c)!r},  // {np.float32(c).view(np.uint32):#010x}")


def main():
    # ln(1 + f) = f − f²/2 + f³ P(f) for 1 + f in [√½, √2); relative to ln(1 + f).
    f = np.linspace(np.sqrt(0.5) - 1, np.sqrt(2) - 1, GRID)
    f = f[np.abs(f) > 1e-3]
    log = np.log1p(f)
    fit("ln: P", f, (log - f + f * f / 2) / f**3, np.abs(f**3 / log), range(8))
    # sin(πy/4) = y S(y²) and cos(πy/4) = 1 + y² C(y²) for y in [−1, 1].
    y = np.linspace(1e-3, 1, GRID)
    z = y * y
    sin, cos = np.sin(np.pi / 4 * y), np.cos(np.pi / 4 * y)
    fit("sin: S", z, sin / y, y / sin, range(4))
    fit("cos: C", z, (cos - 1) / z, z / cos, range(3))


main()
