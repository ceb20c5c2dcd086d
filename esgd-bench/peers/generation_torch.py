"""One generation of ESGD in PyTorch, as one would write it.

Answers as `protocol.py` has it, without shapes: `run generation:NETWORK:MU:LAMBDA THREADS REPEATS` gives the
seconds of so many, and `run peak-memory 1 1` the bytes of memory that the process has had at
most, and the largest that it started. Options after the form:

    …:threads           a network a Python thread, instead of one after another on all threads
    …:processes         a network a process
    …:channels-last     that memory layout
"""

import contextlib
import copy
import heapq
import itertools
import multiprocessing.pool
import random
import resource
import sys
import time

import protocol

try:
    import torch
    import torch.multiprocessing
    from torch.nn import functional as F
except ImportError:
    protocol.skip("PyTorch is not installed")

from training_torch import NETWORKS

TRAIN, FITNESS, BATCH = 1280, 500, 128
DATA = []


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


def scored(model):
    return evaluate(model, *DATA[1]), model


def step(individual):
    """An epoch, and back if it made things worse."""
    before, model = individual
    old = copy.deepcopy(model)
    epoch(model, *DATA[0])
    after = evaluate(model, *DATA[1])
    return (after, model) if after <= before else (before, old)


def child_of(pair):
    return scored(offspring([model for _, model in pair], 0.01))


def generation(make, mu, lam, each):
    """`each(f, items)` gives f of all items, a few at a time."""
    start = time.perf_counter()
    population = list(each(scored, (make() for _ in range(mu))))
    population = list(each(step, population))
    weights = [1 / fitness for fitness, _ in population]
    chosen = [random.choices(population, weights, k=2) for _ in range(lam)]
    # Offspring are scored and dropped but for the best.
    everyone = itertools.chain(population, each(child_of, chosen))
    heapq.nsmallest(mu, everyone, key=lambda individual: individual[0])
    return time.perf_counter() - start


@contextlib.contextmanager
def workers(options, threads):
    """How `each` is done."""
    if not {"threads", "processes"} & set(options):
        torch.set_num_threads(threads)
        yield map
        return
    torch.set_num_threads(1)
    kind = multiprocessing.pool.ThreadPool if "threads" in options else torch.multiprocessing.get_context("fork").Pool

    def each(f, items):
        items = iter(items)
        while some := list(itertools.islice(items, threads)):
            yield from pool.map(f, some, chunksize=1)

    with kind(threads) as pool:
        yield each


def run(form, threads, repeats):
    if form == "peak-memory":
        who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
        return sum(resource.getrusage(one).ru_maxrss for one in who) * 1024
    _, name, mu, lam, *options = form.split(":")
    make, shape, classes = NETWORKS[name]
    layout = {"memory_format": torch.channels_last} if "channels-last" in options else {}
    DATA[:] = [(torch.randn(n, *shape[1:]).to(**layout), torch.randint(classes, (n,)))
               for n in (TRAIN, FITNESS)]
    with workers(options, threads) as each:
        return sum(generation(lambda: make().to(**layout), int(mu), int(lam), each) for _ in range(repeats))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        sys.exit(__doc__)
    protocol.answer(f"PyTorch {torch.__version__}", lambda *_: None, run)
