"""Training steps in PyTorch: models side by side, one thread and one process each.

Answers as `protocol.py` has it, without shapes: `run FORM MODELS REPEATS` gives the seconds in which
each of MODELS processes has made REPEATS steps. A form is a network and how it runs:

    mlp-64, mlp-784, bn50, convnet, resnet20    training: forward, loss, backward, SGD with momentum
    …:forward                                   forward in evaluation mode, without gradients
    …:channels-last                             that memory layout
    …:compiled                                  through torch.compile
"""

import multiprocessing
import sys
import time

import protocol

try:
    import torch
    from torch import nn
    from torch.nn import functional as F
except ImportError:
    protocol.skip("PyTorch is not installed")


def mlp(*widths, activation=nn.ReLU):
    """Fully connected layers."""
    layers = []
    for inputs, outputs in zip(widths, widths[1:]):
        layers += [nn.Linear(inputs, outputs), activation()]
    return nn.Sequential(*layers[:-1])


def convnet():
    """Two 3 × 3 layers of 32 filters with batch norm, each halved by max-pooling, and a classifier."""
    return nn.Sequential(
        nn.Conv2d(3, 32, 3, padding=1, bias=False), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 32, 3, padding=1, bias=False), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(32 * 8 * 8, 10))


class Block(nn.Module):
    """A residual block; where the shape changes the shortcut takes every other pixel and pads (A)."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.stride = stride

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)), inplace=True)))
        if self.stride != 1:
            pad = (y.shape[1] - x.shape[1]) // 2
            x = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, pad, pad))
        return F.relu(y + x, inplace=True)


class ResNet(nn.Module):
    """A ResNet for CIFAR-10 of 6 n + 2 layers (He et al., arXiv:1512.03385, section 4.2)."""

    def __init__(self, n):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        blocks, inputs = [], 16
        for outputs, stride in [(16, 1), (32, 2), (64, 2)]:
            for i in range(n):
                blocks.append(Block(inputs, outputs, stride if i == 0 else 1))
                inputs = outputs
        self.blocks = nn.Sequential(*blocks)
        self.linear = nn.Linear(64, 10)

    def forward(self, x):
        x = self.blocks(F.relu(self.bn1(self.conv1(x)), inplace=True))
        return self.linear(x.mean((2, 3)))


NETWORKS = {
    "mlp-64": (lambda: mlp(64, 64, 10), (64, 64), 10),
    "mlp-784": (lambda: mlp(784, 256, 128, 10), (128, 784), 10),
    "bn50": (lambda: mlp(360, 1024, 1024, 1024, 1024, 1024, 512, 5000), (128, 360), 5000),
    "convnet": (convnet, (100, 3, 32, 32), 10),
    "resnet20": (lambda: ResNet(3), (128, 3, 32, 32), 10),
}


def stepper(form):
    """A function that makes one step of `form`."""
    name, *options = form.split(":")
    make, shape, classes = NETWORKS[name]
    torch.manual_seed(1)
    model, x, y = make(), torch.randn(shape), torch.randint(classes, shape[:1])
    if "channels-last" in options:
        model, x = (v.to(memory_format=torch.channels_last) for v in (model, x))
    if "forward" in options:
        model.eval()
    run = torch.compile(model) if "compiled" in options else model
    if "forward" in options:
        def forward():
            with torch.inference_mode():
                run(x)
        return forward
    sgd = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, foreach=True)

    def step():
        sgd.zero_grad(set_to_none=True)
        F.cross_entropy(run(x), y).backward()
        sgd.step()
    return step


def work(pipe):
    """Makes the steps that are asked for through a pipe."""
    torch.set_num_threads(1)
    steps = {}
    while True:
        form, repeats = pipe.recv()
        try:
            if form not in steps:
                steps[form] = stepper(form)
            start = time.perf_counter()
            for _ in range(repeats):
                steps[form]()
            pipe.send(time.perf_counter() - start)
        except Exception as error:
            pipe.send(error)


class Team:
    """Processes that work side by side."""

    def __init__(self):
        self.pipes = []

    def run(self, form, models, repeats):
        while len(self.pipes) < models:
            ours, theirs = multiprocessing.Pipe()
            multiprocessing.get_context("fork").Process(
                target=work, args=(theirs,), daemon=True).start()
            self.pipes.append(ours)
        for pipe in self.pipes[:models]:
            pipe.send((form, repeats))
        answers = [pipe.recv() for pipe in self.pipes[:models]]
        for answer in answers:
            if isinstance(answer, Exception):
                raise answer
        return max(answers)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        sys.exit(__doc__)
    protocol.answer(f"PyTorch {torch.__version__}", lambda *_: None, Team().run)
