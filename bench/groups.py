"""How well do groups agree with labels? `python bench/groups.py FOLDER ... [--rows 30000]`.

Of each folder, every algorithm on the features of the network and on colours: groups, pictures in none, agreement with
the folders' labels (near copies drawn together) and whether they are called groups. The algorithms that take a number
of groups are run with that of the labels, and with the one that they find. With --rows, the time and memory that as
many synthetic rows of 1,280 numbers take.
"""

import argparse
import itertools
import resource
import tempfile
import time
from pathlib import Path

import numpy as np

from assay.data import folder
from assay.data.collection import collect
from assay.data.workspace import Workspace
from assay.models import backbone, cluster, layout, partitions
from assay.stats import partitions as agreement
from assay.tasks import copies
from assay.tasks.group import group, palettes

FIGURES = (agreement.adjusted_rand, agreement.mutual_information, agreement.matched_accuracy)


def said(estimate):
    return f"{estimate.value:.3f} ({estimate.low:.3f} to {estimate.high:.3f})"


def labelled(path, out):
    """Print a table of one folder."""
    began = time.perf_counter()
    group(path, out=out)
    seconds = time.perf_counter() - began
    with Workspace(out, width=backbone.WIDTH) as workspace:
        pictures = collect(workspace.table)
        same = copies.find(workspace, pictures).group
        rows = {"network": pictures.features, "hsv": palettes(pictures)}
    labels = folder.from_folders(list(pictures.paths)).label.astype(str)
    kinds = len(np.unique(labels))
    print(f"\n{path.name}: {len(labels):,} pictures, {kinds} labels; assay group takes {seconds:.0f} s\n")
    print("| features | algorithm | groups | in none | ARI | NMI | accuracy of the best match | worth |")
    print("|---|---|---|---|---|---|---|---|")
    for name, features in rows.items():
        points = cluster.reduce(features, rng=np.random.default_rng(0))
        for method in partitions.METHODS:
            for k in (kinds, None) if method in partitions.COUNTED else (None,):
                rng = np.random.default_rng(0)
                found = partitions.partition(points, method=method, k=k, rng=rng)
                worth = partitions.structure(points, found, method=method, k=k, rng=rng).verdict
                told = ["–"] * 3
                if len(np.unique(found.labels)) > 1:
                    told = [said(f(labels, found.labels, groups=same, rng=rng)) for f in FIGURES]
                none = int((found.labels < 0).sum())
                asked = method if k is None else f"{method}, k = {k}"
                print(f"| {name} | {asked} | {found.k} | {none} | {' | '.join(told)} | {worth} |", flush=True)


def large(n):
    """Print what n rows in eight clouds take."""
    rng = np.random.default_rng(0)
    middles = rng.normal(size=(8, 1280)).astype(np.float32)
    rows = np.abs(middles[rng.integers(0, 8, n)] + rng.normal(size=(n, 1280)).astype(np.float32))
    start = time.perf_counter()
    points = cluster.reduce(rows, rng=rng)
    print(f"\n{n:,} rows of 1,280: to 50 directions in {time.perf_counter() - start:.1f} s\n")
    print("| algorithm | groups | in none | grouping, s | is it structure, s | peak memory so far, MB |")
    print("|---|---|---|---|---|---|")
    for method in partitions.METHODS:
        times = [time.perf_counter()]
        found = partitions.partition(points, method=method, rng=rng)
        times.append(time.perf_counter())
        partitions.structure(points, found, method=method, k=None, rng=rng)
        times.append(time.perf_counter())
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        took = " | ".join(f"{b - a:.1f}" for a, b in itertools.pairwise(times))
        print(f"| {method} | {found.k} | {int((found.labels < 0).sum())} | {took} | {peak:,.0f} |", flush=True)
    start = time.perf_counter()
    layout.layout(points, rng=rng)
    print(f"\nmap in {time.perf_counter() - start:.1f} s")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--rows", type=int, default=0)
    parser.add_argument("--out", type=Path, help="keep the workspaces here")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        for path in options.folders:
            labelled(path, (options.out or Path(temporary)) / f"{path.name}.assay")
    if options.rows:
        large(options.rows)


if __name__ == "__main__":
    main()
