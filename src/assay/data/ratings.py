"""Ratings: what people said of pictures, from a file in whichever form it comes; shares of votes per step come out.

Histograms as CSV or JSON, AVA.txt, mean and deviation, or single ratings. No picture is opened here.
"""

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputError
from ..stats import votes

MOST = 100  # steps of a scale
_FILES = ("file", "image_file", "image_id", "image", "filename", "file_name", "name", "path", "picture")
_MEANS = ("mean", "mos", "score", "average", "mean_rating")
_DEVIATIONS = ("sd", "std", "stdev", "deviation", "mos_std")
_SINGLES = ("rating", "vote", "stars", "rate")
_TOTALS = ("n", "votes", "total", "count", "raters")
_STEP = re.compile(r"^(\D*?)(\d+)$")
_AVA = 15  # columns of AVA.txt: number, picture, ten counts, two tags, challenge
_OFF = 0.02  # from 1, that shares may add up to before they are taken for wrong
_ENDINGS = re.compile(r"\.(jpe?g|png|tiff?|webp|bmp|gif|avif|heic)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Wrong:
    """A picture whose ratings cannot be used, and why."""

    file: str
    reason: str


@dataclass(frozen=True, slots=True)
class Ratings:
    """What n pictures were rated.

    files: their names as the file has them; shares: float (n, k), votes per step, each row adds up to 1; counts: votes
    (n, k) where they are known one by one, else None; scale: float (k,); groups: what belongs together, or None;
    form: which kind of file it was, in words; wrong: what was left out; notes: what was taken for granted.
    """

    files: tuple[str, ...]
    shares: np.ndarray
    counts: np.ndarray | None
    scale: np.ndarray
    groups: tuple[str, ...] | None
    form: str
    wrong: list[Wrong] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.files)


def read(path: Path, *, scale: tuple[int, int] | None = None) -> Ratings:
    """Read ratings.

    Args:
        path: one of: JSON, a list of {"image_id": ..., "label": [votes or shares per step]}; AVA.txt; CSV with a column
            for the picture (file, image_id, image_file, ...) and a column for each step (1, 2, ... or n1, n2, ...), or
            mean and sd, or mean alone, or rating (one row for each rating). A column group tells what belongs together.
        scale: its ends. By default those of the steps of a histogram, and else from 1 to the first of 5, 7, 10 and 100
            that holds all.

    Returns:
        The ratings, a picture once. Mean and deviation become the distribution of greatest entropy; a mean alone its
        two nearest steps.

    Raises:
        InputError: the file cannot be read, is none of these, or nothing in it can be used.
    """
    if scale is not None and not (scale[0] < scale[1] and scale[1] - scale[0] < MOST):
        raise InputError(f"--scale must rise and have {MOST} steps at most, got {scale[0]} to {scale[1]}")
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as e:
        raise InputError(f"--train must be a readable file of ratings, got {e}") from e
    if not text.strip():
        raise InputError(f"--train must hold ratings, got an empty file at {path}")
    found = _json(text, path) if text.lstrip()[0] in "[{" else _lines(text, path, scale)
    if scale is not None and (found.scale[0], found.scale[-1]) != scale:
        raise InputError(
            f"--scale must fit the histograms, got {scale[0]} to {scale[1]} for {len(found.scale)} steps in {path}"
        )
    if not len(found):
        first = f", such as {found.wrong[0].file!r}: {found.wrong[0].reason}" if found.wrong else ""
        raise InputError(f"--train must hold ratings that can be used, got none in {path}{first}")
    return found


def match(ratings: Ratings, paths: Sequence[str]) -> tuple[np.ndarray, np.ndarray, list[Wrong]]:
    """Find the picture of each rating.

    Args:
        ratings: whose files are paths below the folder, or names, with or without their ending, in any case.
        paths: of the pictures, below the folder.

    Returns:
        Two int arrays of one length, places in ratings and in paths; and the ratings whose picture is missing, or whose
        name could mean several.
    """
    keys: dict[str, int | None] = {}
    for i, path in enumerate(paths):
        name = path.rpartition("/")[2]
        forms = dict.fromkeys((path, name, _ENDINGS.sub("", path), _ENDINGS.sub("", name)))
        for form in (*forms, *(f"\0{form.lower()}" for form in forms)):
            keys[form] = None if form in keys and keys[form] != i else i
    exact = {path: i for i, path in enumerate(paths)}
    rows, places, missing = [], [], []
    for row, file in enumerate(ratings.files):
        place = exact.get(file, keys.get(file, keys.get(f"\0{file.lower()}", -1)))
        if place is None:
            missing.append(Wrong(file, "could be several pictures: give its path below the folder"))
        elif place < 0:
            missing.append(Wrong(file, "no such picture"))
        else:
            rows.append(row)
            places.append(place)
    twice = {p for p, n in Counter(places).items() if n > 1}
    if twice:
        which = [ratings.files[r] for r, p in zip(rows, places, strict=True) if p == min(twice)]
        raise InputError(f"a picture must be rated in one place, got {which[0]!r} and {which[1]!r} for one file")
    return np.array(rows, int), np.array(places, int), missing


def _json(text: str, path: Path) -> Ratings:
    """Read idealo's form."""
    try:
        rows = json.loads(text)
    except ValueError as e:
        raise InputError(f"--train must be JSON, got {e} in {path}") from e
    good = (
        isinstance(rows, list) and rows and all(isinstance(r, dict) and isinstance(r.get("label"), list) for r in rows)
    )
    if not good or not all("image_id" in r for r in rows):
        raise InputError(f'--train must be a list of {{"image_id": ..., "label": [...]}}, got something else in {path}')
    lengths = Counter(len(row["label"]) for row in rows)
    ((k, _),) = lengths.most_common(1)
    if not 2 <= k <= MOST:
        raise InputError(f"a label must have 2 to {MOST} steps, got {k} in {path}")
    table = [(str(r["image_id"]), r["label"], None, str(r.get("group", ""))) for r in rows]
    return _histograms(table, np.arange(1.0, k + 1), form="histograms (JSON)")


def _lines(text: str, path: Path, scale: tuple[int, int] | None) -> Ratings:
    first = text.partition("\n")[0]
    fields = first.split()
    if len(fields) == _AVA and all(f.isdigit() for f in fields):
        return _ava(text, path)
    separator = max(",;\t", key=first.count)
    try:
        rows = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=separator))
    except csv.Error as e:
        raise InputError(f"--train must be a readable CSV file, got {e} in {path}") from e
    header = {(name or "").strip().lower(): name for name in (rows[0] if rows else {}) if name is not None}
    files = [header[name] for name in _FILES if name in header]
    if not rows or not files:
        raise InputError(f"--train must have a header with a column file, got {first[:80]!r} in {path}")
    # Where a table has several such columns, the one that names most pictures is meant.
    file = max(files, key=lambda name: sum(bool((row[name] or "").strip()) for row in rows))
    named = [row for row in rows if (row[file] or "").strip()]
    notes = [f"{len(rows) - len(named):,} rows name no picture and are left out"] if len(named) < len(rows) else []

    def column(names: Sequence[str]) -> str | None:
        return next((header[n] for n in names if n in header), None)

    steps = _steps([name for name in header if header[name] != file])
    mean, single = column(_MEANS), column(_SINGLES)
    if steps:
        numbers, columns = steps
        total = column(_TOTALS)
        table = [
            (row[file].strip(), [row[header[c]] for c in columns], row[total] if total else None, _group(row, header))
            for row in named
        ]
        found = _histograms(table, np.array(numbers, float), form="histograms (CSV)")
    elif single:
        found = _single(named, file, single, header, scale)
    elif mean:
        found = _means(named, file, mean, column(_DEVIATIONS), header, scale)
    else:
        raise InputError(
            f"--train must have a column for each step (1, 2, ...), or mean and sd, or rating, got {first[:80]!r} "
            f"in {path}"
        )
    return Ratings(
        found.files, found.shares, found.counts, found.scale, found.groups, found.form, found.wrong, notes + found.notes
    )


def _steps(names: list[str]) -> tuple[list[int], list[str]] | None:
    """Return the steps of a histogram, and the columns that hold them: one word, followed by numbers without a gap."""
    by_word: dict[str, dict[int, str]] = {}
    for name in names:
        parts = _STEP.match(name)
        if parts:
            by_word.setdefault(parts[1], {})[int(parts[2])] = name
    for found in sorted(by_word.values(), key=len, reverse=True):
        numbers = sorted(found)
        if 2 <= len(numbers) <= MOST and numbers == list(range(numbers[0], numbers[-1] + 1)):
            return numbers, [found[n] for n in numbers]
    return None


def _ava(text: str, path: Path) -> Ratings:
    table = []
    for i, line in enumerate(text.splitlines(), 1):
        fields = line.split()
        if fields and len(fields) != _AVA:
            raise InputError(
                f"each line of AVA.txt must have {_AVA} columns, got {len(fields)} in line {i:,} of {path}"
            )
        if fields:
            table.append((fields[1], fields[2:12], None, ""))
    return _histograms(table, np.arange(1.0, 11), form="AVA.txt")


def _histograms(table: Sequence[tuple[str, Sequence[Any], Any, str]], scale: np.ndarray, *, form: str) -> Ratings:
    """Turn rows of (picture, votes, their number or None, group) into shares, and say which cannot be used."""
    files, kept, groups, wrong = [], [], [], []
    seen: set[str] = set()
    whole = True
    for file, label, total, group in table:
        numbers = _numbers(label)
        reason = _fault(numbers, total, len(scale))
        if file in seen:
            reason = "is there twice"
        if reason or numbers is None:
            wrong.append(Wrong(file, reason))
            continue
        seen.add(file)
        files.append(file)
        kept.append(numbers)
        groups.append(group)
        whole = whole and bool((numbers == np.rint(numbers)).all()) and numbers.sum() > 1
    values = np.array(kept).reshape(-1, len(scale))
    shares = values / np.maximum(values.sum(axis=1, keepdims=True), 1e-300)
    counts = values.astype(np.int64) if whole and len(values) else None
    return Ratings(tuple(files), shares, counts, scale, _named(groups), form, wrong)


def _fault(numbers: np.ndarray | None, total: Any, k: int) -> str:
    """Say what is wrong with a row of votes; nothing where it is good."""
    if numbers is None or not np.isfinite(numbers).all():
        return "votes must be numbers"
    if len(numbers) != k:
        return f"votes must be for {k} steps, got {len(numbers)}"
    added, stated = float(numbers.sum()), _number(total)
    reason = ""
    if (numbers < 0).any():
        reason = f"votes must be >= 0, got {numbers.min():g}"
    elif added <= 0:
        reason = "nobody voted"
    elif (numbers != np.rint(numbers)).any() and numbers.max() <= 1 and abs(added - 1) > _OFF:
        reason = f"shares of votes must add up to 1, got {added:.3g}"
    elif stated is not None and abs(stated - added) > _OFF * max(stated, 1) and abs(added - 1) > _OFF:
        reason = f"votes must add up to their number {stated:g}, got {added:g}"
    return reason


def _single(
    rows: list[dict[str, Any]], file: str, single: str, header: Mapping[str, str], scale: tuple[int, int] | None
) -> Ratings:
    """Collect single ratings into votes."""
    given = [(row[file].strip(), _number(row[single])) for row in rows]
    ends = scale or _guess([v for _, v in given if v is not None])
    steps = np.arange(float(ends[0]), ends[1] + 1)
    counts: dict[str, np.ndarray] = {}
    wrong, group = [], {}
    for row, (name, value) in zip(rows, given, strict=True):
        if value is None or not ends[0] <= value <= ends[1]:
            said = "nothing" if value is None else f"{value:g}"
            wrong.append(Wrong(name, f"a rating must lie within {ends[0]} to {ends[1]}, got {said}"))
            continue
        group[name] = _group(row, header)
        counts[name] = counts.get(name, np.zeros(len(steps))) + votes.beside(np.array([value]), scale=steps)[0]
    values = np.array(list(counts.values())).reshape(-1, len(steps))
    shares = values / np.maximum(values.sum(axis=1, keepdims=True), 1e-300)
    whole = bool((values == np.rint(values)).all()) and len(values) > 0
    return Ratings(
        tuple(counts), shares, values.astype(np.int64) if whole else None, steps, _named([group[n] for n in counts]),
        "single ratings", wrong, [] if scale else [_said(ends)],
    )  # fmt: skip


def _means(
    rows: list[dict[str, Any]],
    file: str,
    mean: str,
    deviation: str | None,
    header: Mapping[str, str],
    scale: tuple[int, int] | None,
) -> Ratings:
    """Turn means, and deviations where there are any, into shares."""
    given = [(row[file].strip(), _number(row[mean]), _number(row[deviation]) if deviation else 0.0) for row in rows]
    ends = scale or _guess([m for _, m, _ in given if m is not None])
    steps = np.arange(float(ends[0]), ends[1] + 1)
    files: dict[str, None] = {}
    shares, groups, wrong = [], [], []
    for row, (name, m, sd) in zip(rows, given, strict=True):
        if m is None or sd is None:
            wrong.append(Wrong(name, "mean and sd must be numbers"))
        elif name in files:
            wrong.append(Wrong(name, "is there twice"))
        else:
            try:
                at = np.array([m])
                one = (
                    votes.maximum_entropy(at, np.array([sd]), scale=steps)
                    if deviation
                    else votes.beside(at, scale=steps)
                )
            except InputError as e:
                wrong.append(Wrong(name, str(e).removesuffix(" in row 0")))
                continue
            files[name] = None
            shares.append(one[0])
            groups.append(_group(row, header))
    form = "mean and deviation" if deviation else "means"
    how = "each has the distribution of greatest entropy with its mean and deviation" if deviation else (
        "the votes of a mean alone are put on the two steps beside it, so predicted spreads mean nothing"
    )  # fmt: skip
    return Ratings(
        tuple(files), np.array(shares).reshape(-1, len(steps)), None, steps, _named(groups), form, wrong,
        [how, *([] if scale else [_said(ends)])],
    )  # fmt: skip


def _guess(values: Sequence[float]) -> tuple[int, int]:
    if not values:
        return 1, 10
    if min(values) < 1 or max(values) > MOST:
        raise InputError(f"--scale must say which steps there are, got ratings from {min(values):g} to {max(values):g}")
    return 1, next(end for end in (5, 7, 10, MOST) if max(values) <= end)


def _said(ends: tuple[int, int]) -> str:
    return f"the scale is taken to be {ends[0]} to {ends[1]}; --scale says otherwise"


def _group(row: Mapping[str, Any], header: Mapping[str, str]) -> str:
    return str(row[header["group"]] or "").strip() if "group" in header else ""


def _named(groups: Sequence[str]) -> tuple[str, ...] | None:
    return tuple(groups) if any(groups) else None


def _numbers(values: Sequence[Any]) -> np.ndarray | None:
    found = [_number(value) for value in values]
    return None if any(v is None for v in found) else np.array(found, float)


def _number(value: Any) -> float | None:
    try:
        found = float(value)
    except (TypeError, ValueError):
        return None
    return found if np.isfinite(found) else None
