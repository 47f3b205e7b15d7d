"""Features: a table of labelled rows, from a CSV file. One column is what is to be told; all others tell it.

A column of numbers stays numbers, every other becomes categories; columns that only number or name the rows are left
out, and it is said so.
"""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..errors import InputError
from . import sheets
from .scores import MOST, alone
from .sheets import MISSING, Names, Sheet

_NUMBERING = frozenset({"", "id", "index", "key", "no", "nr", "number", "row", "row_id", "rowid", "rownames", "uuid"})
_VALUES = 20  # different numbers that a target may have and still be classes


@dataclass(frozen=True, slots=True)
class Features:
    """Labelled rows.

    labels: int (n,), places in classes; x: float (n, d), numbers, or places in the column's categories, NaN where a
    cell is empty; categories: for each column its texts, or None where it holds numbers; groups: int (n,) of rows that
    belong together, or None.
    """

    classes: tuple[str, ...]
    labels: np.ndarray
    columns: tuple[str, ...]
    x: np.ndarray
    categories: tuple[tuple[str, ...] | None, ...]
    groups: np.ndarray | None
    notes: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.labels)


def read(path: Path, *, target: str, group: str | None = None) -> Features:
    """Read a table.

    Args:
        path: CSV with a header.
        target: the column of classes.
        group: column of rows that are not independent; `group` by default, where it is there.

    Returns:
        The rows that have a target, in the order of the file.

    Raises:
        InputError: the file cannot be read, lacks a column, has one class only, or nothing to tell it by; or the target
            holds measurements.
    """
    sheet = sheets.look(path)
    group = group or ("group" if "group" in sheet.columns and target != "group" else None)
    sheets.require(sheet, [target, *([group] if group else [])])
    told_by = [c for c in sheet.columns if c not in (target, group)]
    numbering = [c for c in told_by if c.lower() in _NUMBERING]
    told_by = [c for c in told_by if c not in numbering]
    numeric = sheets.numeric(sheet, told_by)
    texts = [c for c in told_by if c not in numeric]
    names, numbers = sheets.read(sheet, texts=[target, *([group] if group else []), *texts], numbers=numeric)
    classes, labels, known = _target(sheet, target, names[target])

    columns, parts, categories, useless = [], [], [], []
    for column in told_by:
        held = numbers[column][known] if column in numbers else _codes(names[column])[known]
        given = held[np.isfinite(held)]
        if not len(given) or (given == given[0]).all():
            useless.append(column)
        elif _counts(held) or (column in names and len(np.unique(given)) == len(held) > 2):
            numbering.append(column)
        else:
            columns.append(column)
            parts.append(held)
            categories.append(names[column].names if column in names else None)
    if not columns:
        raise InputError(f"FILE must have a column to tell {target!r} by, got none that varies in {path}")
    notes = [f"left out, because they only number the rows: {', '.join(map(repr, numbering))}"] if numbering else []
    notes += [f"left out, because they do not vary: {', '.join(useless)}"] if useless else []
    if not known.all():
        notes.append(f"{np.count_nonzero(~known):,} rows without a {target} were left out")
    groups = alone(names[group])[known] if group else None
    return Features(classes, labels, tuple(columns), np.stack(parts, axis=1), tuple(categories), groups, notes)


def _target(sheet: Sheet, target: str, column: Names) -> tuple[tuple[str, ...], np.ndarray, np.ndarray]:
    """Classes, the class of each row that has one, and which rows these are."""
    missing = np.array([name in MISSING for name in column.names])
    known = (column.codes >= 0) & ~np.isin(column.codes, np.flatnonzero(missing))
    kept = [i for i, gone in enumerate(missing) if not gone]
    classes = tuple(column.names[i] for i in kept)
    if len(classes) < 2:
        got = f"{classes[0]!r} alone" if classes else "none"
        raise InputError(f"--target must have two classes or more, got {got} in column {target!r} of {sheet.path}")
    if len(classes) > (_VALUES if _numbers(classes) else MOST):
        raise InputError(
            f"--target must be a column of classes, got {len(classes):,} different values in column {target!r} of "
            f"{sheet.path}: cut measurements into classes first"
        )
    place = np.full(len(column.names), -1)
    place[kept] = np.arange(len(kept))
    return classes, place[column.codes[known]], known


def _codes(column: Names) -> np.ndarray:
    codes = column.codes.astype(float)
    codes[column.codes < 0] = np.nan
    return codes


def _counts(values: np.ndarray) -> bool:
    """Whether a column is 1, 2, 3 and so on: the number of the row, which tells only how the file was sorted."""
    return len(values) > 2 and bool((np.diff(values) == 1).all())


def _numbers(names: tuple[str, ...]) -> bool:
    return all(name.replace(".", "", 1).replace("-", "", 1).isdigit() for name in names)
