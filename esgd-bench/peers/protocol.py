"""How a peer answers: lines on standard input, one answer line each on standard output.

    shape PARENTS OFFSPRING RHO LENGTH...   makes the population's memory; answers `ready`
    run FORM THREADS REPEATS                times REPEATS runs; answers their seconds in total

The first line of all says `ready NAME VERSION`, or `skipped: WHY`. What goes wrong with one line is
answered as `error: WHY`, and the next line is read. The program `ops` speaks to a peer in this way,
so that its runs can alternate with those of others without the cost of starting it anew.
"""

import sys
import time


def parents_of(k, parents, rho):
    """The parents of offspring `k`: the same for every contestant."""
    return [(7 * k + 3 * j) % parents for j in range(rho)]


def value(i, j):
    """Value `i` of parent `j` (integers or arrays of them): no zeros, nothing denormal."""
    return (i * 7919 + j * 10477) % 1009 / 1000 - 0.5031


def skip(why):
    """Says why this peer cannot run, and ends it."""
    print(f"skipped: {why}", flush=True)
    sys.exit(0)


def timed(work, repeats):
    """The seconds that `repeats` calls of `work` take."""
    start = time.perf_counter()
    for _ in range(repeats):
        work()
    return time.perf_counter() - start


def answer(name, reshape, run):
    """Answers all lines. `reshape(parents, offspring, rho, lengths)` makes the memory, and
    `run(form, threads, repeats)` gives seconds."""
    print(f"ready {name}", flush=True)
    for line in sys.stdin:
        command, *words = line.split()
        try:
            if command == "shape":
                parents, offspring, rho, *lengths = map(int, words)
                reshape(parents, offspring, rho, lengths)
                print("ready", flush=True)
            else:
                form, threads, repeats = words
                print(run(form, int(threads), int(repeats)), flush=True)
        except Exception as error:  # whatever it is, the asker shows it in the row
            first = (str(error).strip() or "no message").splitlines()[0]
            print(f"error: {type(error).__name__}: {first}", flush=True)
