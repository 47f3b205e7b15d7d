"""Which pictures there are to learn from: their files, labels, groups and parts, with bad files named.

Folders, tables and CSV files go in; one row per good picture comes out, in the order of the paths. Each file is read
once and decoded small, so that what cannot be read is known before training begins; nothing is kept of its pixels.
"""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ..errors import CorruptError, InputError, RefusedError
from ..pixels import colour, hashes, likeness
from . import delivery, folder, pictures, splits

SUBSETS = {"training": "train", "validation": "val", "test": "test"}
_SMALL = 96  # pixels of the shorter side of the pictures that copies are found by


@dataclass(frozen=True, slots=True)
class Catalogue:
    """n pictures, in the order of their paths, and the files that are none.

    files: where each lies; names: their paths below the folder, as text; label, group, part: (n,) text, "" for none;
    sha256: of the content; hash: uint64 (n,) perceptual, or None where nobody looked; problems: name and reason of
    each file that was skipped.
    """

    files: list[str]
    names: list[str]
    label: np.ndarray
    group: np.ndarray
    part: np.ndarray
    sha256: list[str]
    hash: np.ndarray | None
    problems: list[tuple[str, str]]

    def keep(self, which: np.ndarray) -> "Catalogue":
        """Return only some of the pictures.

        Args:
            which: bool (n,).
        """
        rows = np.flatnonzero(which).tolist()
        files, names, sha256 = ([column[i] for i in rows] for column in (self.files, self.names, self.sha256))
        label, group, part = self.label[rows], self.group[rows], self.part[rows]
        hash_ = None if self.hash is None else self.hash[rows]
        return Catalogue(files, names, label, group, part, sha256, hash_, self.problems)


def from_folder(root: Path, *, csv: Path | None = None, workers: int) -> Catalogue:
    """List the pictures of a folder, labelled by the folders inside it or by a CSV file.

    Args:
        root: the folder.
        csv: with columns file and label, and at need group and part; None for labels by folders.
        workers: threads that read.

    Returns:
        Every picture below it that can be read.

    Raises:
        InputError: it is no folder, or the table cannot be read.
    """
    listing = folder.walk(root)
    paths = [f.path for f in listing.files]
    labels = folder.from_folders(paths) if csv is None else folder.from_csv(csv, paths)
    files = [os.fsdecode(os.path.join(os.fsencode(root), p)) for p in paths]  # noqa: PTH118 - bytes paths
    if csv is not None:  # what it does not name is not asked for
        named = np.flatnonzero(labels.label != "").tolist()
        files, paths = [files[i] for i in named], [paths[i] for i in named]
        labels = folder.Labels(labels.label[named], labels.part[named], labels.group[named], labels.source)
    return _read(files, [os.fsdecode(p) for p in paths], labels.label, labels.group, labels.part, workers)


def from_columns(root: Path, table: Mapping[str, Any], *, workers: int) -> Catalogue:
    """List the pictures that a table names.

    Args:
        root: the folder that its paths are below.
        table: columns by name: a dictionary, a data frame or an Arrow table, with file (or path) and label, and at
            need group, part and status. With sha256 no file is read now, as a scan has done it; rows whose status is
            not "ok" are skipped.
        workers: threads that read.

    Returns:
        Its pictures, in the order of their paths.

    Raises:
        InputError: a column is missing, or they differ in length.
    """
    names = {str(name) for name in getattr(table, "column_names", table)}
    key = "file" if "file" in names else "path"
    if key not in names:
        raise InputError(f"a table must have a column file or path, got {', '.join(sorted(names)) or 'none'}")
    found = {name: _column(table, name) for name in names & {key, "label", "group", "part", "status", "sha256", "hash"}}
    lengths = {name: len(values) for name, values in found.items()}
    if len(set(lengths.values())) > 1:
        raise InputError(f"columns of a table must be as long, got {lengths}")
    order = sorted(range(lengths[key]), key=lambda i: os.fsencode(found[key][i]))
    texts = {n: ["" if v is None or v != v else _text(v) for v in values] for n, values in found.items() if n != "hash"}  # noqa: PLR0124 - NaN
    statuses = texts.get("status", ["ok"] * len(order))
    problems = [(texts[key][i], f"{statuses[i]} in the table") for i in order if statuses[i] != "ok"]
    order = [i for i in order if statuses[i] == "ok"]
    names_ = [texts[key][i] for i in order]
    files = [str(root / name) for name in names_]
    label, group, part = (
        np.array([texts[c][i] for i in order] if c in texts else [""] * len(order), object)
        for c in ("label", "group", "part")
    )
    if "sha256" not in texts:
        read = _read(files, names_, label, group, part, workers)
        return replace(read, problems=problems + read.problems)
    hash_ = np.array([found["hash"][i] for i in order], np.uint64) if "hash" in found else None
    return Catalogue(files, names_, label, group, part, [texts["sha256"][i] for i in order], hash_, problems)


def classes(rows: Catalogue, *, chosen: Sequence[str] | None = None) -> list[str]:
    """Name the classes.

    Args:
        rows: pictures.
        chosen: some of them, in the order that they are to have.

    Returns:
        What was chosen, or all there are, sorted.

    Raises:
        InputError: one that was chosen is not there, or stands twice.
    """
    there = sorted({str(name) for name in rows.label if name})
    if chosen is None:
        return there
    if set(chosen) - set(there) or len(set(chosen)) != len(chosen):
        raise InputError(f"classes must be different ones of {', '.join(there) or 'none'}, got {', '.join(chosen)}")
    return list(chosen)


def subset(
    rows: Catalogue, *, name: str | None, seed: int, shares: tuple[float, float], memory: Path | None
) -> tuple[Catalogue, int]:
    """Return the pictures of a subset, and how many copies were left out of it.

    Args:
        rows: pictures with labels.
        name: training, validation or test; None for all, where nothing is split.
        seed: of the split.
        shares: of validation and test, where parts are drawn.
        memory: as `parted` takes it.

    Returns:
        Where parts are given, training has no copy of a picture in val or test; where they are drawn, there is none.

    Raises:
        InputError: shares are not allowed, or parts are both given and asked for, or neither.
    """
    if min(shares) < 0 or not sum(shares) < 1:
        raise InputError(f"validation_split and test_split must be >= 0 and under 1 together, got {shares}")
    given, drawn = any(rows.part), sum(shares) > 0 or memory is not None
    if given and drawn:
        raise InputError("pictures come in train, val and test: leave validation_split, test_split and splits out")
    if name is None and drawn:
        raise InputError(f"subset must be one of {', '.join(SUBSETS)} where there is a split, got None")
    if name is None:
        return rows, 0
    if drawn:
        part = parted(rows, seed=seed, fractions=(1 - sum(shares), *shares), memory=memory)
        return rows.keep(part == SUBSETS[name]), 0
    if not given:
        raise InputError(f"a subset needs folders train, val and test, or a validation_split, got only {name!r}")
    mine = rows.part == SUBSETS[name]
    if name != "training":
        return rows.keep(mine), 0
    group = groups(rows)
    copied = mine & np.isin(group, group[np.isin(rows.part, ["val", "test"])])
    return rows.keep(mine & ~copied), int(copied.sum())


def parted(
    rows: Catalogue, *, seed: int, fractions: tuple[float, float, float], memory: Path | None = None
) -> np.ndarray:
    """Give each picture a part: by what is given, or drawn, with copies on one side.

    Args:
        rows: pictures with labels.
        seed: of the split.
        fractions: shares that train, validate and test.
        memory: JSON file that holds the parts of earlier times, by seed and content, as a workspace's splits.json; it
            is brought up to date. None: the split depends on nothing but the pictures there are.

    Returns:
        str (n,), train, val or test. With a memory, pictures that are added later never move one towards training.

    Raises:
        InputError: the memory cannot be read or written.
    """
    before = _remembered(memory)
    own = before.get(str(seed), {})
    part = splits.split(rows.sha256, rows.label, groups(rows), seed=seed, fractions=fractions, before=own)
    if memory is not None:
        now = {**before, str(seed): {**own, **dict(zip(rows.sha256, part.tolist(), strict=True))}}
        try:
            delivery.swap(memory, json.dumps(now, indent=1).encode())
        except OSError as e:
            raise InputError(f"splits must be a file that can be written, got {e}") from e
    return part


def groups(rows: Catalogue) -> np.ndarray:
    """Say which pictures belong together: by what is given, by their bytes, and near copies by how they look.

    Args:
        rows: pictures.

    Returns:
        int (n,), the same for pictures of one group.
    """
    first: dict[tuple[str, str], int] = {}
    pairs = [(first.setdefault(("sha256", sha), i), i) for i, sha in enumerate(rows.sha256)]
    pairs += [(first.setdefault(("group", str(g)), i), i) for i, g in enumerate(rows.group) if g]
    if rows.hash is not None:
        near = hashes.near_pairs(rows.hash, radius=hashes.RADIUS)
        partners = np.bincount(near.ravel(), minlength=len(rows.hash))
        near = near[(partners[near] <= hashes.PARTNERS).all(axis=1)]
        pairs += [(a, b) for a, b in near.tolist() if _alike(rows.files[a], rows.files[b])]
    n = len(rows.sha256)
    ends = np.array(pairs, int).reshape(-1, 2)
    links = coo_array((np.ones(len(ends), bool), (ends[:, 0], ends[:, 1])), shape=(n, n))
    return np.asarray(connected_components(links, directed=False)[1]) if n else np.zeros(0, int)


def _read(
    files: list[str], names: list[str], label: np.ndarray, group: np.ndarray, part: np.ndarray, workers: int
) -> Catalogue:
    """Look at each file once; what is no picture is a problem."""
    with ThreadPoolExecutor(workers) as pool:
        seen = list(pool.map(_seen, files, chunksize=16))
    good = np.array([not reason for reason, _, _ in seen], bool)
    problems = [(name, reason) for name, (reason, _, _) in zip(names, seen, strict=True) if reason]
    hash_ = np.array([h for _, _, h in seen], np.uint64)
    return Catalogue(files, names, label, group, part, [sha for _, sha, _ in seen], hash_, problems).keep(good)


def _seen(file: str) -> tuple[str, str, int]:
    try:
        status = Path(file).stat()
    except OSError as e:
        return f"unreadable: {e.strerror}", "", 0
    return _examined(file, status.st_size, status.st_mtime_ns)


@lru_cache(1 << 20)
def _examined(file: str, _size: int, _mtime_ns: int) -> tuple[str, str, int]:
    """Say what is wrong with a file, its hash and its perceptual hash; remembered until it changes."""
    try:
        data, _ = pictures.read_bytes(file)
        small = colour.to_uint8(pictures.decode(data, pictures.header(data), shorter=_SMALL))
    except OSError as e:
        return f"unreadable: {e.strerror}", "", 0
    except (RefusedError, CorruptError) as e:
        return f"{'refused' if isinstance(e, RefusedError) else 'corrupt'}: {e}", "", 0
    return "", hashlib.sha256(data).hexdigest(), hashes.perceptual(small)


def _alike(a: str, b: str) -> bool:
    return likeness.correlation(_detail(a), _detail(b)) >= likeness.SAME


@lru_cache(1024)
def _detail(file: str) -> np.ndarray:
    return likeness.detail(colour.to_uint8(pictures.read(file, shorter=_SMALL)))


def _remembered(memory: Path | None) -> dict[str, dict[str, str]]:
    if memory is None or not memory.exists():
        return {}
    try:
        stored = json.loads(memory.read_text())
        return {str(seed): {str(k): str(v) for k, v in parts.items()} for seed, parts in stored.items()}
    except (OSError, ValueError, AttributeError) as e:
        raise InputError(f"splits must be a JSON file of parts by seed and content, got {e} in {memory}") from e


def _column(table: Mapping[str, Any], name: str) -> Sequence[Any]:
    values = table[name]
    plain = (
        values.to_pylist() if hasattr(values, "to_pylist") else values.tolist() if hasattr(values, "tolist") else values
    )
    return list(plain)


def _text(value: Any) -> str:
    return os.fsdecode(value) if isinstance(value, bytes | os.PathLike) else str(value)
