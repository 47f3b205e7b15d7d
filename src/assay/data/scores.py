"""Scores: what any program said of labelled things, from a CSV file; labels, scores, groups and folds as arrays.

The columns are `label` and `score`, or `label` and one column per class; `group`, `fold` and `id` or `file` at need.
"""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..errors import InputError
from . import sheets
from .sheets import MISSING, Names, Sheet

_OTHERS = ("label", "score", "group", "fold", "id", "file")
_PREFIXES = ("", "score_", "prob_", "p_", "proba_", "probability_")
_YES = frozenset({"1", "1.0", "+1", "yes", "y", "true", "t", "positive", "pos", "+"})
MOST = 1000  # classes: more are a mistake in the column
_OURS = {"file", "label", "probability", "status", "reason"}


@dataclass(frozen=True, slots=True)
class Scores:
    """What was said of n things, and what they are.

    labels: int (n,), places in classes; scores: float (n,) of the positive of two classes, or (n, k); positive: place
    of the positive of two classes, else None; probabilities: whether the scores are; groups: int (n,) of things that
    belong together, or None; folds: int (n,), or None; ids: names of the things, or None; files: names of their
    pictures, or None.
    """

    classes: tuple[str, ...]
    labels: np.ndarray
    scores: np.ndarray
    positive: int | None
    probabilities: bool
    groups: np.ndarray | None
    folds: np.ndarray | None
    ids: Names | None
    files: Names | None = None
    notes: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.labels)


def read(path: Path, *, positive: str | None = None, group: str | None = None) -> Scores:
    """Read scores.

    Args:
        path: CSV with a header.
        positive: of two classes, the one that a high score means; by default the one that is called 1, yes, true or
            positive, else the rarer.
        group: column of things that are not independent; `group` by default, where it is there.

    Returns:
        The scores, in the order of the rows.

    Raises:
        InputError: the file cannot be read, lacks a column or a label, has one class only or more classes than columns,
            holds a score that is no finite number, or a group that spans folds.
    """
    sheet = sheets.look(path)
    if set(sheet.columns) >= _OURS:
        raise InputError(
            f"label must be the truth, got predictions of `assay predict` in {path}: judge the model itself with "
            "`assay judge MODEL FOLDER`"
        )
    group = group or ("group" if "group" in sheet.columns else None)
    sheets.require(sheet, ["label", *([group] if group else [])])
    keys = [str(name) for name in ("id", "file") if name in sheet.columns][:1]
    folds = ["fold"] if "fold" in sheet.columns else []
    files = ["file"] if "file" in sheet.columns and "file" not in keys else []
    texts = ["label", *([group] if group else []), *folds, *keys, *files]
    if "score" in sheet.columns:
        return _single(sheet, texts, positive, group, keys)
    return _several(sheet, texts, positive, group, keys)


def default_positive(classes: tuple[str, ...], labels: np.ndarray) -> int:
    """Say which of two classes a flag means where nobody says so.

    Args:
        classes: two names.
        labels: int (n,), places in classes.

    Returns:
        The place of the one that is called 1, yes, true or positive; else of the rarer.

    >>> default_positive(("no", "yes"), np.array([1, 1, 0])), default_positive(("ant", "bee"), np.array([1, 1, 0]))
    (1, 0)
    """
    called = [i for i, name in enumerate(classes) if name.lower() in _YES]
    return called[0] if len(called) == 1 else int(np.argmin(np.bincount(labels, minlength=2)))


def _single(sheet: Sheet, texts: list[str], positive: str | None, group: str | None, keys: list[str]) -> Scores:
    """Read one score for the positive of two classes."""
    try:
        names, numbers = sheets.read(sheet, texts=texts, numbers=["score"])
    except InputError as e:
        raise _not_labels(sheet, e) from e
    classes, labels = _labels(sheet, names["label"])
    if len(classes) > 2:
        some = ", ".join(map(repr, classes[:5]))
        raise InputError(
            f"scores of {len(classes)} classes must have a column for each, named as the label, got the one column "
            f"'score' for {some} in {sheet.path}"
        )
    which = _positive(classes, labels, positive)
    scores = _finite(sheet, "score", numbers["score"])
    spare = [c for c in sheet.columns if c and c not in (*_OTHERS, group)]
    notes = [f"left out: the columns {', '.join(spare[:8])}{' ...' if len(spare) > 8 else ''}"] if spare else []
    return Scores(
        classes, labels, scores, which, bool(scores.min() >= 0 and scores.max() <= 1),
        *_structure(sheet, names, group), names[keys[0]] if keys else None, names.get("file"), notes,
    )  # fmt: skip


def _several(sheet: Sheet, texts: list[str], positive: str | None, group: str | None, keys: list[str]) -> Scores:
    """Read a score for each class."""
    given = sheets.read(sheet, texts=["label"])[0]["label"]
    known, _ = _labels(sheet, given)
    columns = {name: next((p + name for p in _PREFIXES if p + name in sheet.columns), None) for name in known}
    lacking = [name for name, column in columns.items() if column is None]
    if lacking:
        raise InputError(
            f"scores must have a column 'score', or one for each class, got none for {lacking[0]!r} of "
            f"{len(known)} classes in {sheet.path}"
        )
    named = [column for column in columns.values() if column]
    prefix = next(p for p in _PREFIXES if named[0] == p + known[0])
    others = [c for c in sheet.columns if c and c not in (*_OTHERS, group, *named) and c.startswith(prefix)]
    others = sheets.numeric(sheet, others)
    names, numbers = sheets.read(sheet, texts=texts, numbers=[*named, *others])
    scores = np.stack([_finite(sheet, c, numbers[c]) for c in named], axis=1)
    extra = np.stack([numbers[c] for c in others], axis=1) if others else np.empty((len(scores), 0))
    classes, notes = known, []
    if others and _distributions(np.hstack([scores, extra])) and not _distributions(scores):
        # Classes that no row has: a probability that went to them is one that the others lack.
        classes, scores = (*known, *(c.removeprefix(prefix) for c in others)), np.hstack([scores, extra])
        notes.append(f"no row is labelled {', '.join(map(repr, classes[len(known) :][:5]))}")
    elif others:
        notes.append(f"left out: the columns {', '.join(others[:8])}{' ...' if len(others) > 8 else ''}")
    labels = _labels(sheet, names["label"])[1]
    sure = _distributions(scores)
    structure, ids = _structure(sheet, names, group), names[keys[0]] if keys else None
    if len(classes) == 2:
        which = _positive(classes, labels, positive)
        single = scores[:, which] if sure else scores[:, which] - scores[:, 1 - which]
        return Scores(classes, labels, single, which, sure, *structure, ids, names.get("file"), notes)
    if positive is not None:
        raise InputError(f"--positive needs 2 classes, got {len(classes)}")
    return Scores(classes, labels, scores, None, sure, *structure, ids, names.get("file"), notes)


def _labels(sheet: Sheet, column: Names) -> tuple[tuple[str, ...], np.ndarray]:
    """Classes and the class of each row; every row must have one, and there must be two or more."""
    missing = [i for i, name in enumerate(column.names) if name in MISSING]
    without = (column.codes < 0) | np.isin(column.codes, missing)
    if without.any():
        raise InputError(
            f"each row must have a label, got {np.count_nonzero(without):,} without, the first in row "
            f"{int(without.argmax()) + 1:,} of {sheet.path}: leave these rows out"
        )
    if len(column.names) < 2:
        raise InputError(f"labels must be of two classes or more, got {column.names[0]!r} alone in {sheet.path}")
    if len(column.names) > MOST:
        raise InputError(
            f"labels must be names of at most {MOST:,} classes, got {len(column.names):,} different in {sheet.path}"
        )
    return column.names, column.codes


def _positive(classes: tuple[str, ...], labels: np.ndarray, positive: str | None) -> int:
    if positive is None:
        return default_positive(classes, labels)
    if positive not in classes:
        raise InputError(f"--positive must be one of {', '.join(map(repr, classes))}, got {positive!r}")
    return classes.index(positive)


def _finite(sheet: Sheet, name: str, numbers: np.ndarray) -> np.ndarray:
    bad = ~np.isfinite(numbers)
    if bad.any():
        raise InputError(
            f"{name} must be a finite number in each row, got {np.count_nonzero(bad):,} that are not, the first in row "
            f"{int(bad.argmax()) + 1:,} of {sheet.path}: a row without a score cannot be judged"
        )
    return numbers


def _distributions(scores: np.ndarray) -> bool:
    """Whether each row is a probability for each class."""
    within = scores.min(initial=0) >= 0 and scores.max(initial=0) <= 1
    return bool(within and np.allclose(scores.sum(axis=1), 1, atol=1e-3, rtol=0))


def _structure(sheet: Sheet, names: dict[str, Names], group: str | None) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Groups and folds; a group in two folds was learned from and judged on."""
    groups = alone(names[group]) if group else None
    folds = names["fold"].codes if "fold" in names else None
    if folds is not None and (folds < 0).any():
        raise InputError(f"each row must have a fold, got {np.count_nonzero(folds < 0):,} without in {sheet.path}")
    if group and groups is not None and folds is not None:
        pairs = np.unique(np.stack([groups, folds], axis=1), axis=0)
        torn, count = next(iter(Counter(pairs[:, 0].tolist()).most_common(1)))
        if count > 1:
            both = " and ".join(names["fold"].names[f] for f in pairs[pairs[:, 0] == torn, 1][:2])
            raise InputError(
                f"a {group} must lie in one fold, got {names[group].names[torn]!r} in {both} in {sheet.path}: what is "
                "learned from one part of it is known of the other, so keep each together and score again"
            )
    return groups, folds


def alone(column: Names) -> np.ndarray:
    """Make groups of names; each row without a name is a group of its own.

    Args:
        column: of the names of groups.

    Returns:
        int (n,), one number per group.
    """
    codes = column.codes.astype(np.int64)
    without = codes < 0
    codes[without] = len(column.names) + np.arange(np.count_nonzero(without))
    return codes


def _not_labels(sheet: Sheet, error: InputError) -> InputError:
    """Say so where the scores are the labels over again."""
    if not str(error).startswith("score must be a number"):
        return error
    found = sheets.read(sheet, texts=["label", "score"])[0]
    if not set(found["score"].names) <= set(found["label"].names):
        return error
    return InputError(
        f"score must be a number that is higher the surer the program is, got labels such as "
        f"{found['score'].names[0]!r} in {sheet.path}: write what it computed before it decided"
    )
