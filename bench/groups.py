"""Groups: how quickly they are found beside scikit-learn's plain way, and how well they agree with labels.

`tables(data, rounds)` races on rows of features, and `groups.py group NAME FOLDER` is one contestant's turn.
`python bench/groups.py FOLDER ... [--rows 30000]` asks more: of each folder, every algorithm on the features of the
network and on colours: groups, pictures in none, agreement with the folders' labels (near copies drawn together) and
whether they are called groups. The algorithms that take a number of groups are run with that of the labels, and with
the one that they find. With --rows, the time and memory that as many synthetic rows of 1,280 numbers take.
"""

import argparse
import itertools
import json
import resource
import sys
import tempfile
import time
from pathlib import Path

import cv2
import harness
import numpy as np
from sklearn.metrics import adjusted_rand_score

from assay.data import folder
from assay.data.collection import collect
from assay.data.workspace import Workspace
from assay.models import backbone, cluster, layout, partitions, structure
from assay.stats import partitions as agreement
from assay.tasks import copies
from assay.tasks.group import group, palettes

FIGURES = (agreement.adjusted_rand, agreement.mutual_information, agreement.matched_accuracy)
PARTS, SIDE, ROWS, CLOUDS = 20, 256, 5000, 20


def assay(rows):
    """Find groups, and how many there are."""
    rng = np.random.default_rng(0)
    return partitions.partition(cluster.reduce(rows, rng=rng), rng=rng).labels


def sklearn(rows):
    """Do the same as it is usually written: every number of groups, silhouettes of all pictures, the highest wins."""
    from sklearn.cluster import KMeans
    from sklearn.decomposition import PCA
    from sklearn.metrics import silhouette_score
    from sklearn.preprocessing import normalize

    points = PCA(50, random_state=0).fit_transform(normalize(rows))
    found = [KMeans(k, n_init=4, random_state=0).fit(points).labels_ for k in partitions.counts(len(points))]
    return max(found, key=lambda labels: silhouette_score(points, labels))


def parts(data):
    """Return the features of parts of the pictures of a folder, and which picture each is of."""
    rng, views, labels = np.random.default_rng(0), [], []
    for i, path in enumerate(sorted(data.iterdir())):
        image = cv2.imread(str(path))[:, :, ::-1]
        side = min(SIDE, *image.shape[:2])
        for _ in range(PARTS):
            top, left = (int(rng.integers(0, n - side + 1)) for n in image.shape[:2])
            views.append(cv2.resize(image[top : top + side, left : left + side], (backbone.SIZE, backbone.SIZE)))
            labels.append(i)
    return backbone.Backbone().see(np.stack(views)[:, None]).features.astype(np.float32), np.array(labels)


def clouds():
    """Return rows that look like features, in clouds that run into each other, and the cloud of each."""
    rng = np.random.default_rng(0)
    middles, labels = rng.normal(size=(CLOUDS, 1280)), rng.integers(0, CLOUDS, ROWS)
    return np.abs(0.5 * middles[labels] + rng.normal(size=(ROWS, 1280))).astype(np.float32), labels


def tables(data, rounds):
    """Race on parts of the pictures of a folder, and on rows in clouds.

    Args:
        data: folder of pictures.
        rounds: turns of each contestant.
    """
    text = "scikit-learn's way is the one that its users write: PCA, k-means for every number of groups, the highest\n"
    text += "silhouette. Same rows, same starts; agreement is the adjusted Rand index with the kinds.\n\n"
    works = {
        f"{PARTS} parts of each of {len(list(data.iterdir()))} pictures": parts(data),
        f"{ROWS:,} rows in {CLOUDS} clouds": clouds(),
    }
    for title, (rows, labels) in works.items():
        with tempfile.TemporaryDirectory() as temporary:
            np.save(f"{temporary}/rows.npy", rows)
            runs = harness.race("group", ["assay", "sklearn"], temporary, rounds=rounds, script=__file__)
        lines = []
        for name, found in (("assay", assay), ("scikit-learn", sklearn)):
            own = found(rows)
            lines.append(f"{name} {len(np.unique(own))} groups, agreement {adjusted_rand_score(labels, own):.2f}")
        text += harness.table(f"Grouping: {title}, how many groups not told", runs)
        text += f"\nFound: {'; '.join(lines)}.\n\n"
    return text


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
                worth = structure.ask(points, found, method=method, k=k, rng=rng).verdict
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
        structure.ask(points, found, method=method, k=None, rng=rng)
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


def turn(name, place):
    """Print how long a contestant takes for the rows of a file."""
    rows = np.load(f"{place}/rows.npy")
    globals()[name](rows[:200])  # what loads when it is first used
    began = time.perf_counter()
    globals()[name](rows)
    print(json.dumps({"pictures": len(rows), "seconds": time.perf_counter() - began}))


if __name__ == "__main__":
    if sys.argv[1:2] == ["group"]:
        turn(*sys.argv[2:])
    else:
        main()
