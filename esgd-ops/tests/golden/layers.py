"""Makes layers.json: outputs and gradients of torch.nn.functional's layers.

Inputs follow a pattern that tests/layers.rs repeats. float64 on the CPU, so the kernels' float32
differs in the last places. Needs PyTorch:

    python3 layers.py

It writes layers.json beside itself, which tests/layers.rs reads.
"""

import json
import math
import pathlib

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)


def pattern(shape, salt):
    """Value i is ((7919 i + 104729 salt) mod 1009) / 504.5 - 1, as float32."""
    n = math.prod(shape)
    values = [((i * 7919 + salt * 104729) % 1009) / 504.5 - 1 for i in range(n)]
    return torch.tensor(values, dtype=torch.float32).double().reshape(shape)


def decimals(tensor):
    return [float(f"{x:.9g}") for x in tensor.detach().flatten().tolist()]


def gradients(y, dy, **inputs):
    found = torch.autograd.grad(y, list(inputs.values()), dy)
    return {f"d{name}": decimals(g) for name, g in zip(inputs, found)}


def convolution(inputs, outputs, height, width, kernel, stride, padding):
    x = pattern((1, inputs, height, width), 1).requires_grad_()
    w = pattern((outputs, inputs, kernel, kernel), 2).requires_grad_()
    y = F.conv2d(x, w, stride=stride, padding=padding)
    shape = {"inputs": inputs, "outputs": outputs, "height": height, "width": width}
    shape |= {"kernel": kernel, "stride": stride, "padding": padding}
    return shape | {"y": decimals(y)} | gradients(y, pattern(y.shape, 3), x=x, w=w)


def batch_norm():
    x = pattern((3, 2, 4, 5), 1).requires_grad_()
    gamma = (pattern((2,), 2) + 1.5).requires_grad_()
    beta = pattern((2,), 3).requires_grad_()
    mean, variance = pattern((2,), 4), pattern((2,), 5) + 1.5
    evaluated = F.batch_norm(x, mean, variance, gamma, beta, training=False)
    y = F.batch_norm(x, mean, variance, gamma, beta, training=True)
    found = {"evaluated": decimals(evaluated), "y": decimals(y)}
    found |= {"mean": decimals(mean), "variance": decimals(variance)}
    return found | gradients(y, pattern(y.shape, 6), x=x, gamma=gamma, beta=beta)


def linear():
    x = pattern((5, 7), 1).requires_grad_()
    w = pattern((3, 7), 2).requires_grad_()
    b = pattern((3,), 3).requires_grad_()
    y = F.linear(x, w, b)
    return {"y": decimals(y)} | gradients(y, pattern(y.shape, 4), x=x, w=w, b=b)


def pooling(size, how):
    x = pattern((2, 3, 5, 6), 1).requires_grad_()
    y = F.max_pool2d(x, size) if how == "max" else x.mean((2, 3))
    found = {"how": how, "size": size, "y": decimals(y)}
    return found | gradients(y, pattern(y.shape, 2), x=x)


def activation(name):
    x = (5 * pattern((60,), 1)).requires_grad_()
    y = getattr(torch, name)(x)
    return {"name": name, "y": decimals(y)} | gradients(y, pattern(y.shape, 2), x=x)


def cross_entropy():
    x = (5 * pattern((4, 11), 1)).requires_grad_()
    classes = torch.tensor([0, 10, 3, 7])
    loss = F.cross_entropy(x, classes)
    return {"loss": loss.item()} | gradients(loss, torch.tensor(1.0), x=x)


def main():
    all_of = {
        "torch": torch.__version__,
        "convolutions": [
            convolution(2, 3, 5, 6, 3, 1, 1),
            convolution(3, 4, 7, 5, 3, 2, 1),
            convolution(8, 8, 6, 7, 3, 1, 1),
            convolution(4, 5, 6, 6, 1, 2, 0),
            convolution(2, 2, 6, 9, 5, 1, 2),
        ],
        "batch_norm": batch_norm(),
        "linear": linear(),
        "pooling": [pooling(2, "max"), pooling(3, "max"), pooling(0, "mean")],
        "activations": [activation(name) for name in ["relu", "sigmoid", "tanh"]],
        "cross_entropy": cross_entropy(),
    }
    path = pathlib.Path(__file__).with_suffix(".json")
    lines = ",\n".join(
        f"{json.dumps(name)}: {json.dumps(value, separators=(',', ':'))}"
        for name, value in all_of.items()
    )
    path.write_text(f"{{{lines}}}\n")
    print(f"{path.name}: {path.stat().st_size} bytes, PyTorch {torch.__version__}")


if __name__ == "__main__":
    main()
