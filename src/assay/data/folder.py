"""A folder of pictures: which files there are, and what their places say about them.

Paths go out as bytes below the folder, as the file system spells them. No file is opened here.
"""

import csv
import io
import os
import stat
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..errors import InputError

_PARTS = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
}
# What `augment` lays beside the pictures that it makes.
_BESIDE = {b"preview.png", b"provenance.csv", b"recipe.json"}


@dataclass(frozen=True, slots=True)
class File:
    """A file below the folder: its path, its size in bytes and when it last changed."""

    path: bytes
    bytes: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Problem:
    """A file that is no picture: its path for reading, its status, and the reason."""

    path: str
    status: str
    reason: str


@dataclass(frozen=True, slots=True)
class Listing:
    """The files of a tree in the order of their paths, and how many entries were passed over, by reason."""

    files: list[File]
    skipped: Counter[str]


@dataclass(frozen=True, slots=True)
class Labels:
    """What is known of each picture beforehand; "" where nothing is.

    label: (n,) text; part: (n,) "train", "val", "test" or ""; group: (n,) text, of pictures that belong together;
    source: in words, where the labels came from; notes: what a reader should know about them.
    """

    label: np.ndarray
    part: np.ndarray
    group: np.ndarray
    source: str
    notes: list[str] = field(default_factory=list)


def walk(root: Path) -> Listing:
    """List every file of a tree; hidden entries and symbolic links are counted, never followed.

    Args:
        root: a folder.

    Returns:
        The files sorted by path; skipped counts "hidden", "link", "special" (pipes, devices, sockets), "vanished",
        "workspace" (a folder or file of assay's own) and "unreadable folder".

    Raises:
        InputError: root is no folder, or cannot be read.
    """
    try:
        if not root.is_dir():
            what = "a file" if root.exists() else "nothing"
            raise InputError(f"PATH must be a folder of pictures, got {what} at {root}")
    except OSError as e:  # a folder above it may not be entered
        raise InputError(f"PATH must be a readable folder, got {e}") from e
    files: list[File] = []
    skipped: Counter[str] = Counter()
    top = os.fsencode(root)
    waiting = [b""]
    while waiting:
        below = waiting.pop()
        try:
            entries = list(os.scandir(os.path.join(top, below) if below else top))  # noqa: PTH118 - bytes paths
        except OSError as e:
            if not below:
                raise InputError(f"PATH must be a readable folder, got {e}") from e
            skipped["unreadable folder"] += 1
            continue
        for entry in entries:
            path = below + b"/" + entry.name if below else entry.name
            kind = _kind(entry)
            if kind == "folder":
                waiting.append(path)
            elif kind == "file":
                status = entry.stat(follow_symlinks=False)
                files.append(File(path, status.st_size, status.st_mtime_ns))
            else:
                skipped[kind] += 1
    files.sort(key=lambda f: f.path)
    return Listing(files, skipped)


def _kind(entry: os.DirEntry[bytes]) -> str:
    """Say what an entry is to us: a file, a folder, or a reason to pass it over."""
    if entry.name.startswith(b"."):
        return "hidden"
    if entry.is_symlink():
        return "link"
    if entry.is_dir(follow_symlinks=False):
        ours = os.path.exists(os.path.join(entry.path, b"workspace.json"))  # noqa: PTH110, PTH118 - bytes paths
        return "workspace" if ours else "folder"
    try:
        status = entry.stat(follow_symlinks=False)
    except OSError:
        return "vanished"  # since the folder was listed
    if entry.name in _BESIDE and set(os.listdir(os.path.dirname(entry.path))) >= _BESIDE:  # noqa: PTH120, PTH208
        return "workspace"
    return "file" if stat.S_ISREG(status.st_mode) else "special"


def from_folders(paths: list[bytes]) -> Labels:
    """Read labels off the folders: `class/*`, or `train/class/*` beside `val/class/*` or `test/class/*`.

    Args:
        paths: of the pictures, below the folder.

    Returns:
        Labels in the order of paths. A flat folder has none.

    >>> from_folders([b"train/ant/1.jpg", b"val/bee/2.jpg"]).part.tolist()
    ['train', 'val']
    """
    pieces = [os.fsdecode(p).split("/") for p in paths]
    tops = {p[0].lower() for p in pieces if len(p) > 1}
    parted = "train" in {_PARTS.get(t) for t in tops} and len(tops) > 1 and all(t in _PARTS for t in tops)
    depth = 1 if parted else 0
    labels = [p[depth] if len(p) > depth + 1 else "" for p in pieces]
    parts = [_PARTS[p[0].lower()] if parted and len(p) > 1 else "" for p in pieces]
    source = "folders inside train, val and test" if parted else "folders" if any(labels) else "none"
    return Labels(_text(labels), _text(parts), _text([""] * len(paths)), source)


def labels(said: str, paths: list[bytes]) -> Labels:
    """Read labels from where they are said to be.

    Args:
        said: "folders", "none", or a CSV file with the columns file and label.
        paths: of the pictures, below the folder.

    Returns:
        Labels in the order of paths.

    Raises:
        InputError: as `from_csv`.
    """
    if said == "none":
        return from_folders([b"-"] * len(paths))
    return from_folders(paths) if said == "folders" else from_csv(Path(said), paths)


def from_csv(file: Path, paths: list[bytes]) -> Labels:
    """Read labels from a table with the columns `file` and `label`, and at need `group` and `part`.

    Args:
        file: CSV with a header; comma, semicolon or tab; UTF-8. `file` is a path below the folder, or a name where that
            is unique.
        paths: of the pictures, below the folder.

    Returns:
        Labels in the order of paths; pictures that the table does not name have none.

    Raises:
        InputError: the table cannot be read, lacks a column, contradicts itself, or names no picture at all.
    """
    try:
        text = file.read_text("utf-8-sig", errors="surrogateescape")
    except OSError as e:
        raise InputError(f"--labels must be a readable CSV file, got {e}") from e
    header = text.partition("\n")[0]
    separator = max(",;\t", key=header.count)
    try:
        # A name may hold a line break, so lines are the reader's business.
        rows = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=separator))
    except csv.Error as e:
        raise InputError(f"--labels must be a readable CSV file, got {e} in {file}") from e
    if not rows or not {"file", "label"} <= set(rows[0]):
        raise InputError(f"--labels must have a header with file and label, got {header[:80]!r} in {file}")
    place = {p: i for i, p in enumerate(paths)}
    names: dict[bytes, int | None] = {}
    for i, p in enumerate(paths):
        name = p.rpartition(b"/")[2]
        names[name] = None if name in names else i  # None: not unique, so it names nothing
    found = {column: [""] * len(paths) for column in ("label", "group", "part")}
    strangers: list[str] = []
    for row in rows:
        wanted = os.fsencode((row["file"] or "").strip())
        index = place.get(wanted, names.get(wanted))
        if index is None:
            strangers.append(str(row["file"]))
            continue
        label = (row["label"] or "").strip()
        if found["label"][index] not in ("", label):
            raise InputError(
                f"a file must have one label, got {found['label'][index]!r} and {label!r} for {row['file']!r} in {file}"
            )
        found["label"][index] = label
        found["group"][index] = (row.get("group") or "").strip()
        found["part"][index] = _part(row.get("part") or "", file)
    if len(strangers) == len(rows):
        raise InputError(
            f"--labels must name files of the folder, got none of its {len(rows)}, such as {strangers[0]!r}, in {file}"
        )
    notes = [f"{len(strangers):,} rows of {file.name} name no picture, such as {strangers[0]!r}"] if strangers else []
    return Labels(_text(found["label"]), _text(found["part"]), _text(found["group"]), file.name, notes)


def _part(value: str, file: Path) -> str:
    part = value.strip().lower()
    if part and part not in _PARTS:
        raise InputError(f"part must be train, val or test, got {value!r} in {file}")
    return _PARTS.get(part, "")


def _text(values: list[str]) -> np.ndarray:
    return np.array(values, object)
