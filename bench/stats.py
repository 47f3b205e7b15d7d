"""Statistics beside scikit-learn, confidenceinterval and MLstatkit: speed, values at the edge, coverage.

`stats.py WORK NAME` takes one contestant's turn and prints JSON; `tables` lets all take turns. The peers need Pythons
of their own, named by BENCH_PYTHON_CONFIDENCEINTERVAL and BENCH_PYTHON_MLSTATKIT.
"""

import json
import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

LEVEL, TRUTH = 0.95, 0.95
SPEED = {
    "AUC with its interval, 1,000,000 scores": ("auc_1000000", ["assay", "sklearn", "confidenceinterval", "mlstatkit"]),
    "AUC with its interval, 10,000,000 scores": ("auc_10000000", ["assay", "sklearn"]),
    "AUC, 2,000 resamples of 100,000 scores": ("bootstrap_2000", ["assay", "sklearn"]),
}
VALUES = {
    "AUC of 40 pictures in perfect order": "perfect",
    "Highest upper limit of an AUC, 500 small problems": "auc_range",
    "Highest upper limit of macro-F1, 500 small problems": "f1_range",
    "Coverage, AUC .95, 30 + 100 pictures, 1,000 runs": "coverage",
    "Coverage, AUC .99, 20 + 50 pictures, 1,000 runs": "coverage_hard",
}
PEERS = ["assay", "sklearn", "confidenceinterval", "mlstatkit"]
NOTES = {
    "sklearn": "scikit-learn gives the area alone; its bootstrap is the loop that users write, timed on 20 resamples",
    "mlstatkit": "MLstatkit compares two models: the pair is timed, and the interval is that of the first",
}


def drawn(n, seed=0):
    rng = np.random.default_rng(seed)
    labels = rng.random(n) < 0.3
    return labels, rng.normal(size=n) + labels


def small(m, n, shift, rng):
    labels = np.arange(m + n) < m
    return labels, rng.normal(size=m + n) + shift * labels


def auc_assay(labels, scores):
    from assay.stats import roc

    e = roc.auc(labels, scores)
    return e.value, e.low, e.high


def auc_sklearn(labels, scores):
    from sklearn.metrics import roc_auc_score

    return roc_auc_score(labels, scores), None, None


def auc_confidenceinterval(labels, scores):
    from confidenceinterval import roc_auc_score

    value, (low, high) = roc_auc_score(labels.astype(int), scores, confidence_level=LEVEL)
    return value, low, high


def auc_mlstatkit(labels, scores):
    from MLstatkit import Delong_test

    # A second model that ranks otherwise: two alike send it into a bootstrap.
    found = Delong_test(labels.astype(int), scores, np.cos(1e4 * scores), n_boot=100, random_state=0)
    return found[4], *found[2]


def f1_assay(labels, answers):
    from assay.stats import summaries

    return summaries.macro_f1(labels, answers, classes=3).high


def f1_confidenceinterval(labels, answers):
    from confidenceinterval import f1_score

    return f1_score(labels.tolist(), answers.tolist(), confidence_level=LEVEL, average="macro")[1][1]


def speed(name, size):
    labels, scores = drawn(size)
    contestant = globals()[f"auc_{name}"]
    contestant(labels[:5000], scores[:5000])  # what is imported or compiled once is not counted
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.perf_counter()
    contestant(labels, scores)
    seconds = time.perf_counter() - began
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 / (labels.nbytes + scores.nbytes)
    return {"seconds": seconds, "memory": grown}


def bootstrap(name, runs):
    labels, scores = drawn(100_000)
    rng = np.random.default_rng(1)
    if name == "assay":
        from assay.stats import resampling

        resampling.auc(labels, scores, runs=100, rng=rng)
        began = time.perf_counter()
        resampling.auc(labels, scores, runs=runs, rng=rng)
        return {"seconds": time.perf_counter() - began, "memory": 0.0}
    from sklearn.metrics import roc_auc_score

    began = time.perf_counter()
    for _ in range(20):
        i = rng.integers(0, len(labels), len(labels))
        roc_auc_score(labels[i], scores[i])
    return {"seconds": (time.perf_counter() - began) * runs / 20, "memory": 0.0}


def perfect(name):
    value, low, high = globals()[f"auc_{name}"](np.arange(40) >= 25, np.arange(40) / 40)
    return f"{value:.3f}, no interval" if low is None else f"{value:.3f} [{low:.3f}, {high:.3f}]"


def auc_range(name):
    rng, found = np.random.default_rng(2), []
    for _ in range(500):
        labels, scores = small(6, 20, 2.2, rng)
        found.append(globals()[f"auc_{name}"](labels, scores)[2])
    return "no interval" if found[0] is None else f"{max(found):.3f}"


def f1_range(name):
    if f"f1_{name}" not in globals():
        return "no interval"
    rng, found = np.random.default_rng(3), []
    for _ in range(500):
        labels = np.repeat([0, 1, 2], 6)
        answers = np.where(rng.random(18) < 0.92, labels, rng.integers(0, 3, 18))
        found.append(globals()[f"f1_{name}"](labels, answers))
    return f"{max(found):.3f}"


def coverage(name, truth=TRUTH, m=30, n=100):
    from statistics import NormalDist

    if name == "sklearn":
        return "no interval"
    rng, runs = np.random.default_rng(4), 1000
    shift, held = NormalDist().inv_cdf(truth) * 2**0.5, 0
    for _ in range(runs):
        _, low, high = globals()[f"auc_{name}"](*small(m, n, shift, rng))
        held += low <= truth <= high
    return f"{held / runs:.1%}"


def coverage_hard(name):
    return coverage(name, 0.99, 20, 50)


def turn(work, name):
    """Take a contestant's turn in a process of its own."""
    python = os.environ.get(f"BENCH_PYTHON_{name.upper()}", sys.executable)
    done = subprocess.run([python, __file__, work, name], capture_output=True, text=True, check=False)
    if done.returncode:
        return {"missing": (done.stderr.strip().splitlines() or ["no message"])[-1][:80]}
    return json.loads(done.stdout.strip().splitlines()[-1])


def tables(_data, rounds):
    """Let all contestants take turns; return Markdown."""
    lines = ["## Statistics", "", "; ".join(NOTES.values()) + ".", ""]
    for title, (work, names) in SPEED.items():
        found = {name: [] for name in names}
        for _ in range(rounds):
            for name in names:
                found[name].append(turn(work, name))
                print(f"  {work}, {name}: {found[name][-1]}", file=sys.stderr, flush=True)
        lines += [
            f"**{title}**",
            "",
            "| | seconds | lowest – highest | assay is | memory / input |",
            "|---|---|---|---|---|",
        ]
        medians = {n: statistics.median(x["seconds"] for x in r) for n, r in found.items() if "missing" not in r[0]}
        for name, results in found.items():
            if name not in medians:
                lines.append(f"| {name} | not run: {results[0]['missing']} | | | |")
                continue
            seconds = [x["seconds"] for x in results]
            ratio = "" if name == "assay" else f"{medians[name] / medians['assay']:,.1f} x"
            memory = max(x["memory"] for x in results)
            span = f"{min(seconds):.3f} – {max(seconds):.3f}"
            lines.append(f"| {name} | {medians[name]:.3f} | {span} | {ratio} | {f'{memory:.1f} x' if memory else ''} |")
        lines.append("")
    lines += ["**What they say**", "", "| | " + " | ".join(PEERS) + " |", "|---" * (len(PEERS) + 1) + "|"]
    for title, work in VALUES.items():
        cells = [turn(work, name) for name in PEERS]
        lines.append(f"| {title} | " + " | ".join(c.get("text", f"not run: {c.get('missing')}") for c in cells) + " |")
        print(f"  {lines[-1]}", file=sys.stderr, flush=True)
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent.parent / "src"))
    task, who = sys.argv[1:]
    kind, _, count = task.rpartition("_")
    if kind == "auc" and count.isdigit():
        print(json.dumps(speed(who, int(count))))
    elif kind == "bootstrap":
        print(json.dumps(bootstrap(who, int(count))))
    else:
        print(json.dumps({"text": globals()[task](who)}))
