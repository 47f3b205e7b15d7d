"""Cases: what there is to judge. A file of scores, a table, or a model and pictures in; labels and scores out."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..data import features, folder, scores, splits
from ..data.features import Features
from ..data.sheets import Names
from ..errors import InputError, UndefinedError
from ..models import growth, tabular
from ..stats import confusion, roc
from ..stats.intervals import Estimate
from ..workers.clock import Clock
from . import traps
from .predict import NONE, load, look

_STEPS = (0.1, 0.2, 0.4, 0.7, 1.0)  # of the rows to learn from, for a learning curve
_AHEAD = (2, 4)  # times the rows there are, to forecast
_MOST = 50_000  # rows: from here on a learning curve takes longer than it teaches
_LEAST = 50
_SOUGHT = 100  # files of a column that are looked for before it is said that there are none


@dataclass(frozen=True, slots=True)
class Case:
    """Labels and scores, and everything that is known about how they came about.

    labels: int (n,), places in classes; scores: float (n,) of the positive of two classes, (n, k), or with repeats in
    front; probable: whether they are probabilities; fixed: a cut-off chosen elsewhere and its rule, or None; unit:
    what a row is, in the singular; names: (n,) of the rows, or None; files: (n,) of their pictures, or None; pictures:
    the folder that these lie below, or None; thumbnails: JPEG files of the rows, or none; learning and forecast: how
    many were learnt from, and the figure named reached.
    """

    classes: tuple[str, ...]
    labels: np.ndarray
    scores: np.ndarray
    positive: int | None
    probable: bool
    groups: np.ndarray | None
    folds: np.ndarray | None
    unit: str
    fixed: tuple[float, str] | None = None
    names: list[str] | None = None
    files: list[str] | None = None
    thumbnails: list[bytes] = field(default_factory=list)
    pictures: Path | None = None
    split: str = ""
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    figure: str = ""
    learning: list[tuple[int, Estimate]] = field(default_factory=list)
    forecast: list[tuple[int, Estimate]] = field(default_factory=list)


def from_scores(path: Path, *, positive: str | None, group: str | None, root: Path | None = None) -> Case:
    """Read what any program said.

    Args:
        path: CSV with the columns label and score, or label and one per class.
        positive: of two classes, the one that a high score means.
        group: column of rows that are not independent.
        root: folder of the pictures that a column `file` names; where the CSV file lies by default.

    Returns:
        The case. Its rows are pictures where these files are there.

    Raises:
        InputError: as `data.scores.read`, or root does not hold the pictures.
        UndefinedError: a class has fewer than two rows.
    """
    found = scores.read(path, positive=positive, group=group)
    enough(found.classes, found.labels)
    notes = list(found.notes)
    if not found.probabilities:
        low, high = float(found.scores.min()), float(found.scores.max())
        notes.append(
            f"the scores are no probabilities (they go from {low:.3g} to {high:.3g}), so calibration is not judged"
        )
    split = ""
    if found.folds is not None:
        folds = len(np.unique(found.folds))
        split = f"Each of {folds} folds was scored by a model that had not seen it, as the file says."
    names = None if found.ids is None else _listed(found.ids)
    files = None if found.files is None else _listed(found.files)
    place = _pictured(path, files, root, notes)
    return Case(
        found.classes, found.labels, found.scores, found.positive, found.probabilities, found.groups, found.folds,
        unit="row" if place is None else "picture", names=names, files=files, pictures=place, split=split, notes=notes,
    )  # fmt: skip


def from_table(
    path: Path,
    *,
    target: str,
    classifier: Any,
    positive: str | None,
    group: str | None,
    folds: int,
    repeats: int,
    level: float,
    seed: int,
    curve: bool,
    clock: Clock,
    stop: Callable[[], bool],
) -> Case:
    """Cross-validate a classifier on a table.

    Args:
        path: CSV.
        target: the column of classes.
        classifier: its name, or a scikit-learn estimator.
        positive: of two classes, the one that a flag means.
        group: column of rows that are not independent.
        folds: parts that take turns to be judged.
        repeats: times that this is done, with other folds.
        level: coverage of every interval.
        seed: of the folds and of the classifier.
        curve: whether to learn from fewer rows too.
        clock: is told of every fit.
        stop: asked after every fit; True ends it.

    Returns:
        The case.

    Raises:
        InputError: as `data.features.read`, or the classifier or a class is unknown.
        UndefinedError: a class has fewer than two rows, or lies in one group.
        KeyboardInterrupt: stop said True.
    """
    table = features.read(path, target=target, group=group)
    enough(table.classes, table.labels)
    two = len(table.classes) == 2
    which = _which(table.classes, table.labels, positive) if two else None
    if positive is not None and not two:
        raise InputError(f"--positive needs 2 classes, got {len(table.classes)}")
    estimator = tabular.build(classifier, table.categories, seed=seed)
    rng = np.random.default_rng(seed)
    groups, copies = _groups(table)
    units = np.arange(len(table)) if groups is None else groups
    dealt = np.stack([_dealt(table.labels, groups, units, folds, rng) for _ in range(repeats)])
    curve = curve and _LEAST <= len(table) <= _MOST
    fits = int(dealt.max() + 1) * repeats + (len(_STEPS) * 5 if curve else 0)
    clock.begin("cross-validating", fits)

    def tell(count: int) -> None:
        clock.advance(count)
        if stop():
            raise KeyboardInterrupt

    found = tabular.out_of_fold(estimator, table.x, table.labels, dealt if repeats > 1 else dealt[0], tell=tell)
    learned = _learning(estimator, table, groups, which, level, rng, tell) if curve else []
    used = int(dealt.max()) + 1
    name = classifier if isinstance(classifier, str) else type(classifier).__name__
    again = f", {repeats} times with other folds" if repeats > 1 else ""
    kept = " Rows of one group stayed in one fold." if groups is not None and not copies else ""
    return Case(
        table.classes, table.labels, found if which is None else found[..., which], which, True, groups,
        dealt[0] if repeats == 1 else None, "row",
        split=f"By {used}-fold cross-validation{again}: {name} judged each row without having learned from it.{kept}",
        notes=[*table.notes, *([copies] if copies else []), f"told by {len(table.columns)} columns"],
        warnings=traps.telling(table, target, which, found), figure="AUC" if two else "accuracy",
        learning=learned, forecast=_forecast(learned, len(table), rng),
    )  # fmt: skip


def from_model(
    path: Path,
    root: Path,
    *,
    labels: str,
    positive: str | None,
    own: bool,
    processes: int | None,
    clock: Clock,
    stop: Callable[[], bool],
) -> Case:
    """Let a model see labelled pictures.

    Args:
        path: a `.assay` file.
        root: the folder of pictures.
        labels: "folders", or a CSV file with the columns file and label.
        positive: of two classes, the one that a flag means; the model's own by default.
        own: whether to keep the model's cut-off.
        processes: that read pictures.
        clock: is told of every picture.
        stop: asked between batches; True ends it.

    Returns:
        The case. Pictures that the model has learned from are left out, and it is said so.

    Raises:
        InputError: the model cannot be read, or no picture has a label that the model knows.
        UndefinedError: a class has fewer than two pictures.
        KeyboardInterrupt: stop said True.
    """
    model = load(path)
    classes = model.head.classes
    listing = folder.walk(root)
    paths = [f.path for f in listing.files]
    known = folder.from_folders(paths) if labels == "folders" else folder.from_csv(Path(labels), paths)
    given = dict(zip(paths, known.label.tolist(), strict=True))
    belongs = dict(zip(paths, known.group.tolist(), strict=True))
    wanted = [f for f in listing.files if given[f.path] in classes]
    strangers = sorted({label for label in given.values() if label and label not in classes})
    if not wanted:
        got = ", ".join(map(repr, strangers[:5])) or "no label at all"
        raise InputError(
            f"FOLDER must hold pictures labelled {', '.join(map(repr, classes[:5]))}, got {got} in {root}: put them "
            f"into "
            "folders of these names, or name a table with --labels"
        )
    clock.begin("looking", len(wanted))
    seen = list(look(model, wanted, root=root, processes=processes, clock=clock, stop=stop))
    if stop():
        raise KeyboardInterrupt
    parts = model.card.get("splits") or {}
    good = [s for s in seen if s.prediction.status == "ok"]
    new = [s for s in good if parts.get(s.sha256) not in ("train", "val")]
    if not new:
        raise InputError(f"FOLDER must hold pictures that the model has not learned from, got none in {root}")
    new.sort(key=lambda s: os.fsencode(s.prediction.file))
    keys = [os.fsencode(s.prediction.file) for s in new]
    y = np.array([classes.index(given[key]) for key in keys])
    enough(classes, y, unit="picture")
    chances = np.array([s.prediction.probabilities for s in new])
    refused = sum(s.prediction.label == NONE for s in new)
    notes = [*known.notes]
    notes += (
        [f"left out: {len(good) - len(new):,} pictures that the model has learned from"] if len(new) < len(good) else []
    )
    notes += [f"left out: {len(seen) - len(good):,} files that could not be read"] if len(good) < len(seen) else []
    notes += (
        [f"left out: pictures labelled {', '.join(map(repr, strangers[:8]))}, which the model does not know"]
        if strangers
        else []
    )
    notes += (
        [f"{refused:,} of {len(new):,} pictures were called “{NONE}”; they are judged by their probabilities"]
        if refused
        else []
    )
    sealed = sum(parts.get(s.sha256) == "test" for s in new)
    notes += [f"{sealed:,} of them are of the sealed part that judged the model before"] if sealed else []
    which, fixed = None, None
    cutoff = model.card.get("cutoff")
    if len(classes) == 2:
        which = _which(classes, y, positive or (cutoff["positive"] if isinstance(cutoff, dict) else None))
        if own and isinstance(cutoff, dict) and classes[which] == cutoff["positive"]:
            fixed = (cutoff["threshold"], f"the model's own, by {cutoff['rule']}")
    groups = np.array([belongs[key] for key in keys], object)
    return Case(
        classes, y, chances if which is None else chances[:, which], which, True,
        _grouped(groups) if any(groups) else None, None, "picture", fixed=fixed,
        names=[s.prediction.file for s in new], files=[s.prediction.file for s in new],
        thumbnails=[s.thumbnail for s in new],
        split="The model had seen none of these pictures." if parts else "", notes=notes,
    )  # fmt: skip


def enough(classes: tuple[str, ...], labels: np.ndarray, *, unit: str = "row") -> None:
    """Refuse labels of which a class that occurs has a single row, or of which one class alone occurs.

    Args:
        classes: their names.
        labels: int (n,), places in classes.
        unit: what a row is.

    Raises:
        UndefinedError: there are too few of a class.
    """
    counts = np.bincount(labels, minlength=len(classes))
    lone = [i for i, n in enumerate(counts) if n == 1 or (n == 0 and len(classes) == 2)]
    if lone:
        raise UndefinedError(
            f"each class must have 2 {unit}s or more, got {counts[lone[0]]} of {classes[lone[0]]!r}: with 10 of each "
            "something can be said, with 100 something can be decided; add some, or leave the class out"
        )
    if np.count_nonzero(counts) < 2:
        raise UndefinedError(f"labels must be of two classes or more, got {classes[int(counts.argmax())]!r} alone")


def _which(classes: tuple[str, ...], labels: np.ndarray, positive: str | None) -> int:
    if positive is None:
        return scores.default_positive(classes, labels)
    if positive not in classes:
        raise InputError(f"--positive must be one of {', '.join(map(repr, classes))}, got {positive!r}")
    return classes.index(positive)


def _listed(names: Names) -> list[str]:
    return [names.names[c] if c >= 0 else "" for c in names.codes.tolist()]


def _pictured(path: Path, files: list[str] | None, root: Path | None, notes: list[str]) -> Path | None:
    """The folder that files lie below; None where there are none."""
    if files is None:
        if root is not None:
            raise InputError(f"FOLDER goes with a column 'file' that names its pictures, got none in {path}")
        return None
    place = path.parent if root is None else root
    if any((place / name).is_file() for name in files[:_SOUGHT] if name):
        return place
    if root is not None:
        raise InputError(
            f"FOLDER must hold the pictures that the column 'file' names, got none such as {files[0]!r} in {root}"
        )
    notes.append(
        f"no pictures are shown, for there is none such as {files[0]!r}; name their folder: "
        f"assay judge {path.name} FOLDER"
    )
    return None


def _grouped(names: np.ndarray) -> np.ndarray:
    """Numbers of groups; a picture without a group is one of its own."""
    own = [name or f"\0{i}" for i, name in enumerate(names)]
    return np.unique(own, return_inverse=True)[1]


def _groups(table: Features) -> tuple[np.ndarray | None, str]:
    """Groups of a table, and what to say where equal rows were put together.

    Equal rows are copies only where a column takes so many values that they cannot be equal by accident.
    """
    if table.groups is not None:
        return table.groups, ""
    n = len(table)
    codes = np.unique(np.nan_to_num(table.x, nan=-1e300), axis=0, return_inverse=True)[1].ravel()
    many = (int(codes.max()) + 1) / 2
    if not any(len(np.unique(table.x[:, j])) > many for j, kind in enumerate(table.categories) if kind is None):
        return None, ""
    same = n - int(codes.max()) - 1
    if not same:
        return None, ""
    return codes, f"{same:,} rows are copies of others; copies stayed in one fold"


def _dealt(
    labels: np.ndarray, groups: np.ndarray | None, units: np.ndarray, count: int, rng: np.random.Generator
) -> np.ndarray:
    if groups is not None or len(labels) <= _MOST:
        return splits.folds(labels, units, count=count, rng=rng)
    dealt = np.empty(len(labels), int)
    for c in np.unique(labels):
        mine = np.flatnonzero(labels == c)
        dealt[rng.permutation(mine)] = np.arange(len(mine)) % count
    return dealt


def _learning(
    estimator: Any,
    table: Features,
    groups: np.ndarray | None,
    which: int | None,
    level: float,
    rng: np.random.Generator,
    tell: Callable[[int], None],
) -> list[tuple[int, Estimate]]:
    """The figure reached with few rows and with more, each on all rows out of fold."""
    units = np.arange(len(table)) if groups is None else groups
    folds = splits.folds(table.labels, units, count=5, rng=rng)
    most = int(len(table) - np.bincount(folds).max())
    least = 4 * len(table.classes)
    sizes = sorted({max(int(share * most), least) for share in _STEPS})
    found = tabular.growing(estimator, table.x, table.labels, folds, groups, sizes=sizes, rng=rng, tell=tell)
    points = []
    for size, chances in zip(sizes, found, strict=True):
        if which is None:
            figure = confusion.accuracy(table.labels, chances.argmax(axis=1), level=level, groups=groups)
        else:
            figure = roc.auc(table.labels == which, chances[:, which], level=level, groups=groups)
        points.append((size, figure))
    return points


def _forecast(points: list[tuple[int, Estimate]], n: int, rng: np.random.Generator) -> list[tuple[int, Estimate]]:
    if len(points) < 3 or points[-1][1].value >= 1:
        return []
    return growth.forecast(points, [times * n for times in _AHEAD], rng=rng)
