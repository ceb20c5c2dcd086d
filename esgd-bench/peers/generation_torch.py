"""One generation of ESGD in PyTorch, as one would write it.

Answers as `protocol.py` has it, without shapes: `run generation:NETWORK:MU:LAMBDA THREADS REPEATS` gives the
seconds of so many, and `run peak-memory 1 1` the bytes of memory that the process has had at most. Options after
the form:

    …:threads           a network a Python thread, instead of one after another on all threads
    …:channels-last     that memory layout
"""

import concurrent.futures
import copy
import random
import resource
import sys
import time

import protocol

try:
    import torch
    from torch.nn import functional as F
except ImportError:
    protocol.skip("PyTorch is not installed")

from training_torch import NETWORKS, ResNet

TRAIN, FITNESS, BATCH = 1280, 500, 128


def evaluate(model, x, y):
    model.eval()
    with torch.inference_mode():
        total = sum(
            F.cross_entropy(model(x[i : i + BATCH]), y[i : i + BATCH], reduction="sum").item()
            for i in range(0, len(x), BATCH))
    return total / len(x)


def epoch(model, x, y):
    model.train()
    sgd = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, foreach=True)
    order = torch.randperm(len(x))
    for i in range(0, len(x), BATCH):
        batch = order[i : i + BATCH]
        sgd.zero_grad(set_to_none=True)
        F.cross_entropy(model(x[batch]), y[batch]).backward()
        sgd.step()


def offspring(parents, sigma):
    """The mean of the parents, and noise on what is trained."""
    child = copy.deepcopy(parents[0])
    with torch.no_grad():
        for p, *others in zip(child.parameters(), *(q.parameters() for q in parents)):
            p.copy_(torch.stack(others).mean(0)).add_(torch.randn_like(p), alpha=sigma)
        for b, *others in zip(child.buffers(), *(q.buffers() for q in parents)):
            if b.is_floating_point():
                b.copy_(torch.stack(others).mean(0))
    return child


def generation(make, shape, classes, mu, lam, channels_last, each):
    """`each(f, items)` gives f of all items."""
    layout = {"memory_format": torch.channels_last} if channels_last else {}
    data = [(torch.randn(n, *shape[1:]).to(**layout), torch.randint(classes, (n,)))
            for n in (TRAIN, FITNESS)]
    start = time.perf_counter()

    def scored(model):
        return evaluate(model, *data[1]), model

    def step(individual):
        before, model = individual
        old = copy.deepcopy(model)
        epoch(model, *data[0])
        after = evaluate(model, *data[1])
        return (after, model) if after <= before else (before, old)

    population = each(lambda _: scored(make().to(**layout)), range(mu))
    population = each(step, population)
    # Offspring are scored and dropped but for the best, as memory is short.
    weights = [1 / fitness for fitness, _ in population]
    chosen = [random.choices(population, weights, k=2) for _ in range(lam)]
    children = each(lambda pair: scored(offspring([model for _, model in pair], 0.01)), chosen)
    everyone = sorted(population + children, key=lambda individual: individual[0])
    m = -(-mu * 3 // 5)
    everyone[:m] + random.sample(everyone[m:], mu - m)
    return time.perf_counter() - start


def run(form, threads, repeats):
    if form == "peak-memory":
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    _, name, mu, lam, *options = form.split(":")
    networks = NETWORKS | {"resnet56": (lambda: ResNet(9), (128, 3, 32, 32), 10)}
    make, shape, classes = networks[name]
    how = (make, shape, classes, int(mu), int(lam), "channels-last" in options)
    if "threads" not in options:
        torch.set_num_threads(threads)
        one = lambda: generation(*how, lambda f, items: [f(item) for item in items])
        return sum(one() for _ in range(repeats))
    torch.set_num_threads(1)
    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        one = lambda: generation(*how, lambda f, items: list(pool.map(f, items)))
        return sum(one() for _ in range(repeats))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        sys.exit(__doc__)
    protocol.answer(f"PyTorch {torch.__version__}", lambda *_: None, run)
