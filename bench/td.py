"""Updates a second of temporal differences, compiled and in plain Python: `python bench/td.py [--rounds N]`."""

import argparse
import statistics
import time

import numpy as np

from assay.td import kernels, updates
from assay.td.codings import Table
from assay.td.control import Control
from assay.td.experience import record
from assay.td.policies import EpsilonGreedy
from assay.td.worlds import CliffWalking, RandomWalk

MANY, FEW = 4_000_000, 40_000
NOWHERE = np.zeros((0, 0))


def walk(n):
    """Return a walk of about n steps, coded for a table of 21 states."""
    trips = record(RandomWalk(n=19), n // 100, rng=np.random.default_rng(0))
    return *Table(21).encode(trips.observations), trips.rewards, trips.starts, trips.ended


def moves(n):
    """Return n moves between 48 states, coded for tables."""
    rng = np.random.default_rng(0)
    codes = *Table(48).encode(rng.integers(0, 48, n)), *Table(48).encode(rng.integers(0, 48, n))
    return *codes, rng.integers(0, 4, n), rng.normal(size=n), rng.random(n) < 0.1, np.arange(n), np.zeros(n, np.int64)


def td(loop, n):
    along = walk(n)
    weights = np.zeros(21)
    began = time.perf_counter()
    loop(weights, *along, 0.1, 1.0, 1, True, NOWHERE)
    return (len(along[2]) - len(along[4])) / (time.perf_counter() - began)


def td_lambda(loop, n):
    along = walk(n)
    weights = np.zeros(21)
    began = time.perf_counter()
    loop(weights, *along, 0.1, 1.0, 0.9, 0, True, NOWHERE)
    return (len(along[2]) - len(along[4])) / (time.perf_counter() - began)


def q_learning(loop, n):
    *codes, actions, rewards, ended, order, heads = moves(n)
    weights = np.zeros((1, 4, 48))
    began = time.perf_counter()
    loop(weights, *codes, actions, rewards, ended, order, 0.5, 1.0, heads)
    return n / (time.perf_counter() - began)


def acting(n):
    """Return steps a second of Q-learning that also acts: policy, world and update."""
    learner = Control(Table(48), 4, method="q-learning", alpha=0.5, policy=EpsilonGreedy(0.1))
    learner.learn(CliffWalking(), 10, rng=np.random.default_rng(0))
    began = time.perf_counter()
    learner.learn(CliffWalking(), n // 17, rng=np.random.default_rng(0))
    return learner.lengths_[10:].sum() / (time.perf_counter() - began)


def tables(data=None, rounds=5):  # noqa: ARG001 - as the other families are called
    """Return the results as Markdown."""
    races = {
        "TD(0), table": (td, kernels.compiled(updates.n_step), updates.n_step),
        "TD(lambda), accumulating traces, table": (td_lambda, kernels.compiled(updates.td_lambda), updates.td_lambda),
        "Q-learning from remembered moves, table": (q_learning, kernels.replay, kernels.replay.py_func),
    }
    lines = ["**Updates a second, one core**: medians of turns", ""]
    lines += ["| | compiled, million/s | lowest - highest | in Python, million/s | times |", "|---|---|---|---|---|"]
    for name, (race, fast, slow) in races.items():
        race(fast, FEW)  # compiles, or loads what was compiled
        turns = [(race(fast, MANY) / 1e6, race(slow, FEW) / 1e6) for _ in range(rounds)]
        ours, theirs = zip(*turns, strict=True)
        a, b = statistics.median(ours), statistics.median(theirs)
        lines.append(f"| {name} | {a:.1f} | {min(ours):.1f} - {max(ours):.1f} | {b:.3f} | {a / b:,.0f} |")
    rates = [acting(2_000_000) / 1e6 for _ in range(rounds)]
    middle, low, high = statistics.median(rates), min(rates), max(rates)
    lines.append(f"| Q-learning that acts: the cliff | {middle:.1f} | {low:.1f} - {high:.1f} | | |")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    print(tables(rounds=parser.parse_args().rounds))


if __name__ == "__main__":
    main()
