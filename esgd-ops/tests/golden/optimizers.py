"""Makes optimizers.json: parameters after steps of torch.optim, for given gradients.

Needs PyTorch and NumPy. Everything is float32 on the CPU, by the single-tensor implementations:

    python3 optimizers.py

It writes optimizers.json beside itself, which tests/optimizers.rs reads.
"""

import json
import pathlib

import numpy as np
import torch

STEPS = 50
KEPT = [1, 2, 10, 50]
TENSORS = [5, 3]  # θ is cut into two tensors, whose gradients are clipped together
MAX_NORM = 3.0
# One column has large gradients and one so small that Adam's and RMSProp's eps matters.
SCALE = np.array([1, 1, 0.5, 0.1, 4, 1e-3, 1, 1e-7])

ADAM = {"lr": 0.01, "betas": [0.9, 0.999], "eps": 1e-8}
RMS = {"lr": 0.001, "alpha": 0.99, "eps": 1e-8}
CASES = {
    "sgd": (torch.optim.SGD, {"lr": 0.05}),
    "sgd momentum": (torch.optim.SGD, {"lr": 0.02, "momentum": 0.9}),
    "sgd nesterov decay": (
        torch.optim.SGD,
        {"lr": 0.02, "momentum": 0.9, "nesterov": True, "weight_decay": 1e-4},
    ),
    "adam": (torch.optim.Adam, ADAM),
    "adam decay": (torch.optim.Adam, ADAM | {"weight_decay": 1e-2}),
    "adamw": (torch.optim.AdamW, ADAM | {"weight_decay": 1e-2}),
    "rmsprop": (torch.optim.RMSprop, RMS),
    "rmsprop momentum decay": (torch.optim.RMSprop, RMS | {"momentum": 0.9, "weight_decay": 1e-3}),
    "sgd clipped": (torch.optim.SGD, {"lr": 0.05}),
}


def four_digits(values):
    """Float32 numbers of four significant digits: short in the file."""
    return [float(f"{v:.4g}") for v in values]


def decimals(values):
    """The shortest decimals that give these float32 back, read as float64 (give or take an ulp)."""
    short = [float(str(v)) for v in values]
    for side in (-np.inf, np.inf):
        assert (np.nextafter(short, side).astype(np.float32) == values).all()
    return short


def run(make, options, theta0, grads, max_norm):
    """θ after the steps in KEPT, and in how many of all steps clipping changed the gradient."""
    cut = lambda values: torch.tensor(values, dtype=torch.float32).split(TENSORS)
    params = [torch.nn.Parameter(part.clone()) for part in cut(theta0)]
    # RMSprop has no fused form.
    plain = {"foreach": False} | ({} if make is torch.optim.RMSprop else {"fused": False})
    optimizer = make(params, **options, **plain)
    theta, clipped = {}, 0
    for t, grad in enumerate(grads, 1):
        for param, part in zip(params, cut(grad)):
            param.grad = part.clone()
        if max_norm is not None:
            norm = torch.nn.utils.clip_grad_norm_(params, max_norm, foreach=False)
            clipped += int(norm > max_norm)
        optimizer.step()
        if t in KEPT:
            theta[t] = decimals(torch.cat([p.detach() for p in params]).numpy())
    return theta, clipped


def main():
    rng = np.random.default_rng(2018)
    # Far from zero, where θ would lose the digits that the test compares: PyTorch fuses multiply
    # and add in places where the crate rounds twice.
    theta0 = four_digits(rng.choice([-1, 1], len(SCALE)) * rng.uniform(1, 2, len(SCALE)))
    grads = [four_digits(rng.standard_normal(len(SCALE)) * SCALE) for _ in range(STEPS)]
    cases = []
    for name, (make, options) in CASES.items():
        max_norm = MAX_NORM if name == "sgd clipped" else None
        theta, clipped = run(make, options, theta0, grads, max_norm)
        case = {"name": name, "torch": make.__name__, "options": options}
        if max_norm is not None:
            assert STEPS // 4 < clipped < STEPS, "clipping should act in many steps, not in all"
            case |= {"max_norm": max_norm, "steps_clipped": clipped}
        least = min(abs(x) for values in theta.values() for x in values)
        assert least > 0.2, f"{name} brings a parameter down to {least}"
        cases.append(case | {"theta": theta})
    versions = {"torch": torch.__version__, "numpy": np.__version__}
    rows = lambda items: ",\n".join(json.dumps(item) for item in items)
    path = pathlib.Path(__file__).with_suffix(".json")
    path.write_text(
        f'{{"versions": {json.dumps(versions)},\n"tensors": {TENSORS},\n"theta0": {theta0},\n'
        f'"grads": [\n{rows(grads)}\n],\n"cases": [\n{rows(cases)}\n]}}\n'
    )
    print(f"{path.name}: {len(cases)} cases, {versions}")


if __name__ == "__main__":
    main()
