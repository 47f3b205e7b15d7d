"""How good is it? `python bench/evaluate.py FOLDER ... [--tiles] [--imagenet FOLDER --wnids FILE] [--hostile FOLDER]`.

Of each folder: what `assay run` says of its sealed part, and grouped cross-validation on all of its labelled pictures,
with near copies kept together. Of the ImageNet samples: how often the network's best names hold the right one.
"""

import argparse
import re
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
from scipy.special import softmax

from assay.data import folder, splits
from assay.data.collection import collect
from assay.data.workspace import Workspace
from assay.models import backbone, heads
from assay.stats.intervals import Estimate, proportion
from assay.tasks import copies, judgement, learning
from assay.tasks.run import run
from assay.tasks.scan import scan

REPEATS = 3


def said(estimate: Estimate) -> str:
    return f"{estimate.value:.3f} ({estimate.low:.3f} to {estimate.high:.3f})"


def labelled(path, out, *, tiles):
    """Judge a folder as `assay run` does, and by cross-validation on everything in it."""
    began = time.perf_counter()
    result = run(path, out=out, tiles=tiles)
    seconds = time.perf_counter() - began
    with Workspace(out, width=backbone.WIDTH) as workspace:
        pictures = collect(workspace.table, tiles=tiles)
        same = copies.find(workspace, pictures)
    names, y = np.unique(folder.from_folders(list(pictures.paths)).label, return_inverse=True)
    classes, rng = tuple(map(str, names)), np.random.default_rng(0)
    x = heads.root(learning.seen(pictures))
    folds = np.stack([splits.folds(y, same.group, rng=rng) for _ in range(REPEATS)])
    found = heads.cross_validate(x, y, folds, classes=classes, groups=same.group)
    chances = softmax(found.logits.astype(float) / found.temperature, axis=2)
    measures = judgement.measure(y, chances, chances.argmax(axis=2), same.group)
    auc = f", AUC {said(measures.auc[0])}" if len(classes) == 2 else ""
    views = ", tiles" if tiles else ""
    print(f"{path.name}{views}: {len(y):,} pictures, {len(same.groups)} sets of copies, {seconds:.0f} s")
    print(f"  sealed part: accuracy {said(result.accuracy)}")
    print("  cross-validated, copies together:")
    print(f"  accuracy {said(measures.accuracy)}{auc}, log loss {said(measures.log_loss)}")


def imagenet(path, out, wnids):
    """Compare the names of files (wnid_label.jpg) with the five best classes of each."""
    order = [re.match(r"n\d+", line)[0] for line in wnids.read_text().splitlines()]
    run(path, out=out, labels="none")
    with Workspace(out, width=backbone.WIDTH) as workspace:
        pictures = collect(workspace.table)
    truth = np.array([order.index(re.match(r"n\d+", Path(pictures.name(i)).name)[0]) for i in range(len(pictures))])
    for best in (1, 5):
        right = int((pictures.classes[:, :best] == truth[:, None]).any(axis=1).sum())
        print(f"{path.name}: top-{best} {said(proportion(right, len(truth)))}, {right} of {len(truth)}")


def hostile(path, out):
    """Read broken pictures: one row for each file."""
    found = scan(path, out=out)
    rows, files = sum(found.statuses.values()), len(folder.walk(path).files)
    print(f"{path.name}: {rows:,} rows for {files:,} files in {found.seconds:.1f} s, {dict(Counter(found.statuses))}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--tiles", action="store_true")
    parser.add_argument("--imagenet", type=Path)
    parser.add_argument("--wnids", type=Path)
    parser.add_argument("--hostile", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        for path in options.folders:
            labelled(path, Path(temporary) / path.name, tiles=options.tiles)
        if options.imagenet:
            imagenet(options.imagenet, Path(temporary) / "imagenet", options.wnids)
        if options.hostile:
            hostile(options.hostile, Path(temporary) / "hostile")


if __name__ == "__main__":
    main()
