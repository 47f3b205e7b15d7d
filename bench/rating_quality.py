"""How well are ratings predicted? `python bench/rating_quality.py TID LABELS [--quick] [--finetune UNFREEZE]`.

TID is a folder that bench/rebuild_tid.py has filled; LABELS the folder with the published score distributions
(`tid_labels_train.json` and `tid_labels_test.json` of idealo's image-quality-assessment). Every figure is of reference
pictures that were never learned from: six folds of four references; kernel width and penalty are chosen within the
other twenty, by cross-validation over references again (nested), or with --quick by what the other folds say of it.
With --finetune a network is taught beside it on the same folds, in two phases, with the options of `assay rate` as they
are: nothing is chosen but the best epoch, by three of the twenty references that it then does not learn from.
Intervals draw whole references.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

import numpy as np
from rebuild_tid import WAYS
from scipy.stats import spearmanr
from threadpoolctl import threadpool_limits

from assay.data import folder
from assay.models import ratings
from assay.models.rating_network import Course
from assay.models.ratings import Kind
from assay.stats import resampling, votes
from assay.tasks import appearances, rating_contest, rating_tuned
from assay.tasks.options import number_or_word
from assay.workers.clock import Clock

SCALE = np.arange(1.0, 11)
NAMED = (1, 6, 8, 10, 11, 17)  # noise, impulses, blur, JPEG, JPEG 2000, contrast
FOLDS, INNER, HELD = 6, 5, 7
KINDS = tuple(Kind(("damage",), width) for width in ratings.WIDTHS)


def published(labels):
    """Return the published shares by name of the picture."""
    rows = [row for part in ("train", "test") for row in json.loads((labels / f"tid_labels_{part}.json").read_text())]
    return {row["image_id"].lower(): row["label"] for row in rows}


def seen(tid, kept, trunk):
    """Return names, features and hashes of the pictures."""
    files = folder.walk(tid).files
    found = appearances.look(files, root=tid, kept=kept, processes=2, clock=clock(), stop=lambda: False, trunk=trunk)
    names = np.array([file.path.decode().partition(".")[0] for file in found.files])
    return names, found.features, [str(key) for key in found.sha256]


def clock():
    return Clock({}, tell=lambda _: None, job=None)


def tuned(kept, course, trunk, keys, shares, reference):
    """Predict every picture by a network taught on other references alone."""

    def hold(where):
        places = np.unique(reference[where], return_inverse=True)[1]
        return places % HELD == 0

    def listen(name, lesson):
        e = lesson.epoch
        print(f"  {name}, phase {lesson.phase}, epoch {e.number}: squared EMD {e.train_loss:.4f}, on those held back "
              f"{e.val_loss:.4f}, {e.seconds:.0f} s", flush=True)  # fmt: skip

    return rating_tuned.teach(
        kept, course, trunk, keys, shares, reference % FOLDS, scale=SCALE, taught=np.ones(len(keys), bool), hold=hold,
        seed=0, threads=2, clock=clock(), listen=listen, stop=lambda: False,
    ).shares  # fmt: skip


def nested(features, shares, reference):
    """Predict every picture by a rater chosen and fitted on other references alone."""
    predicted, chosen = np.empty_like(shares), []
    for fold in range(FOLDS):
        out = reference % FOLDS == fold
        inside = {name: x[~out] for name, x in features.items()}
        places = np.unique(reference[~out], return_inverse=True)[1]
        found = ratings.cross_validate(inside, shares[~out], places % INNER, candidates=KINDS)
        rater = ratings.fit(inside, shares[~out], scale=SCALE, kind=found.kind, penalty=found.penalty)
        predicted[out] = rater.shares({name: x[out] for name, x in features.items()})
        chosen.append(f"width {found.kind.width:g}, penalty {found.penalty:g}")
    return predicted, chosen


def said(name, guess, truth, reference, rng):
    def statistic(i):
        return float(spearmanr(guess[i], truth[i]).statistic)

    e = resampling.bootstrap(statistic, len(truth), groups=reference, rng=rng)
    print(f"{name}: SRCC {e.value:.3f} ({e.low:.3f} to {e.high:.3f}), {len(truth):,} pictures", flush=True)


def told(title, predicted, shares, reference, way):
    """Print how good predictions are."""
    guess, truth = predicted @ SCALE, shares @ SCALE
    rng = np.random.default_rng(0)
    print(title)
    said(f"all {len(WAYS)} ways", guess, truth, reference, rng)
    some = np.isin(way, NAMED)
    said("noise, impulses, blur, JPEG, JPEG 2000, contrast", guess[some], truth[some], reference[some], rng)
    said("all but contrast", guess[way != 17], truth[way != 17], reference[way != 17], rng)
    print(f"LCC {np.corrcoef(guess, truth)[0, 1]:.3f}, EMD {votes.emd(predicted, shares).mean():.4f}, "
          f"r = 2 {votes.emd(predicted, shares, r=2).mean():.4f}; error "
          f"{np.sqrt(((guess - truth) ** 2).mean()):.2f} steps")  # fmt: skip
    for number, (name, _, _) in WAYS.items():
        here = way == number
        print(f"  {number:02d} {name}: SRCC {spearmanr(guess[here], truth[here]).statistic:.2f}, "
              f"off by {np.mean(guess[here] - truth[here]):+.2f} steps")  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tid", type=Path)
    parser.add_argument("labels", type=Path)
    parser.add_argument("--kept", type=Path, help="where what was seen is kept between runs")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--finetune", metavar="UNFREEZE", help="last-block, a number of layers, or all")
    parser.add_argument("--epochs", type=int, nargs=2, default=Course().epochs, help="of the two phases")
    parser.add_argument("--views", type=int, default=Course().views)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary, threadpool_limits(1):
        kept, course, trunk = options.kept or Path(temporary), None, None
        if options.finetune:
            course = Course(
                unfreeze=number_or_word(options.finetune), epochs=tuple(options.epochs), views=options.views
            )
            trunk = rating_tuned.begin(kept, course, steps=len(SCALE), seed=0)
        began = time.perf_counter()
        names, features, keys = seen(options.tid, kept, trunk)
        print(f"{time.perf_counter() - began:.0f} s of looking")
        known = published(options.labels)
        shares = np.array([known[name] for name in names])
        reference, way = (np.array([int(name[part]) for name in names]) for part in (slice(1, 3), slice(4, 6)))
        began = time.perf_counter()
        if options.quick:
            found = ratings.cross_validate(features, shares, reference % FOLDS, candidates=KINDS)
            predicted, chosen = found.shares, [f"{found.kind}, penalty {found.penalty:g}; {found.losses}"]
        else:
            predicted, chosen = nested(features, shares, reference)
        seconds = time.perf_counter() - began
        told(f"head, {seconds:.0f} s; chosen: {'; '.join(chosen)}", predicted, shares, reference, way)
        if course is not None:
            began = time.perf_counter()
            network = tuned(kept, course, trunk, keys, shares, reference)
            title = f"finetune, {time.perf_counter() - began:.0f} s: {course.in_words()}"
            told(title, network, shares, reference, way)
            contest = rating_contest.hold(
                ("finetune", "head"), network, predicted, shares, SCALE, groups=reference, rng=np.random.default_rng(0)
            )
            print(contest.words)


if __name__ == "__main__":
    main()
