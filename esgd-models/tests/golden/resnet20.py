"""Makes resnet20.json: the logits of a ResNet-20 in PyTorch, with weights that follow a pattern.

The network is that of He et al. (arXiv:1512.03385, section 4.2) with shortcuts of option A, its tensors
named as in PyTorch's usual implementations. Needs PyTorch:

    python3 resnet20.py

It writes resnet20.json beside itself, which tests/resnet20.rs reads.
"""

import json
import math
import pathlib

import torch
import torch.nn.functional as F
from torch import nn

torch.set_default_dtype(torch.float64)


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.more, self.stride = outputs - inputs, stride

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        shortcut = x[:, :, :: self.stride, :: self.stride]
        before = self.more // 2
        return F.relu(y + F.pad(shortcut, (0, 0, 0, 0, before, self.more - before)))


class ResNet20(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.layer1 = nn.Sequential(*[Block(16, 16, 1) for _ in range(3)])
        self.layer2 = nn.Sequential(*[Block(16 if i == 0 else 32, 32, 2 if i == 0 else 1) for i in range(3)])
        self.layer3 = nn.Sequential(*[Block(32 if i == 0 else 64, 64, 2 if i == 0 else 1) for i in range(3)])
        self.linear = nn.Linear(64, 10)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.linear(x.mean((2, 3)))


def pattern(shape, salt):
    n = math.prod(shape)
    values = [((i * 7919 + salt * 104729) % 1009) / 504.5 - 1 for i in range(n)]
    return torch.tensor(values, dtype=torch.float32).double().reshape(shape)


def weights(name, shape, salt):
    """Kernels as large as keeps the activations' size; normalisations around the identity."""
    values = pattern(shape, salt)
    if len(shape) > 1:
        return (values.float() * torch.tensor(math.sqrt(6 / math.prod(shape[1:])), dtype=torch.float32)).double()
    if name.endswith("bn1.weight") or name.endswith("bn2.weight") or name.endswith("running_var"):
        return (values.float() * 0.25 + 1).double()
    return (values.float() * 0.25).double()


def main():
    net = ResNet20().eval()
    names = sorted(name for name in net.state_dict() if not name.endswith("num_batches_tracked"))
    shapes = {name: list(net.state_dict()[name].shape) for name in names}
    state = {name: weights(name, shapes[name], salt) for salt, name in enumerate(names)}
    # A plain dictionary without num_batches_tracked is what a safetensors file of ours is: strict.
    net.load_state_dict(state)
    logits = net(pattern((2, 3, 32, 32), 1000))
    count = sum(p.numel() for p in net.parameters())
    out = {"torch": torch.__version__, "parameters": count, "shapes": shapes}
    out["logits"] = [[float(f"{x:.9g}") for x in row] for row in logits.tolist()]
    path = pathlib.Path(__file__).with_suffix(".json")
    lines = ",\n".join(f"{json.dumps(k)}: {json.dumps(v, separators=(',', ':'))}" for k, v in out.items())
    path.write_text(f"{{{lines}}}\n")
    print(f"{path.name}: {count} parameters, {len(names)} tensors, logits {out['logits'][0][:3]}")


if __name__ == "__main__":
    main()
