"""Which pictures may be learned from where a split is known, and how many variants each class is to give."""

import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ..data import folder, variants
from ..errors import InputError


@dataclass(frozen=True, slots=True)
class Usable:
    """Files that may be learned from, their labels, how many may not, by reason, and what a person should know."""

    files: list[folder.File]
    labels: list[str]
    left_out: dict[str, int]
    notes: list[str]


@dataclass(frozen=True, slots=True)
class Pool:
    """Pictures of one label, or of all, that variants are made from in turn, and how many are wanted of them."""

    label: str
    files: list[folder.File]
    count: int


def training(
    root: Path, files: list[folder.File], *, split: Path | None, seed: int, run: Callable[..., Iterable[Any]]
) -> Usable:
    """Find the pictures that may be learned from.

    Args:
        root: the folder.
        files: below it.
        split: a workspace in which a run has split them, or None for the folders train, val and test, where they are.
        seed: of the split.
        run: runs a function over files, as `workers.local.run` does.

    Returns:
        Of pictures in train those that are no copies, byte for byte, of one in val or test; where no split is known,
        all.

    Raises:
        InputError: the split cannot be read, or nothing may be used.
    """
    labels = folder.from_folders([f.path for f in files])
    if split is None and not any(labels.part):
        note = "no split is known, so every picture is used: split first, or what is made here leaks into the test"
        return Usable(files, list(labels.label), {}, [note])
    found = {f: d for chunk in run(partial(variants.digest, root=root), files) for f, d in chunk if isinstance(d, str)}
    if split is not None:
        part = _split(split, seed)
        parts = [part.get(found.get(f, ""), "not in the split") for f in files]
    else:
        parts = [p or "not in a part" for p in labels.part]
        sealed = {found[f] for f, p in zip(files, parts, strict=True) if p != "train" and found.get(f)}
        copied = [p == "train" and found.get(f, "") in sealed for f, p in zip(files, parts, strict=True)]
        parts = ["copy of one in val or test" if c else p for c, p in zip(copied, parts, strict=True)]
    used = [i for i, p in enumerate(parts) if p == "train"]
    if not used:
        raise InputError(f"there must be training pictures, got none of {len(files)} in {root}")
    left_out = dict(Counter(p for p in parts if p != "train"))
    return Usable([files[i] for i in used], [labels.label[i] for i in used], left_out, [])


def _split(workspace: Path, seed: int) -> dict[str, str]:
    """Part of each content hash, as a run has written it down."""
    file = workspace / "splits.json"
    try:
        stored = json.loads(file.read_text())
        parts = {str(seed): {str(content): str(part) for content, part in own.items()} for seed, own in stored.items()}
    except (OSError, ValueError, AttributeError) as e:
        raise InputError(f"split must be a workspace in which a run has split pictures, got {e}: {workspace}") from e
    if str(seed) not in parts and len(parts) != 1:
        raise InputError(
            f"seed must be that of a split, got {seed} where there are {', '.join(parts) or 'none'} in {file}"
        )
    return parts.get(str(seed)) or next(iter(parts.values()))


def pools(usable: Usable, count: int, *, per_class: bool, balance: bool) -> list[Pool]:
    """Share out what is to be made.

    Args:
        usable: what variants may be made from.
        count: to make.
        per_class: count is of each class.
        balance: so that the classes, with what they have, are as even as can be.

    Returns:
        One pool of all files, or one of each class in the order of their names.

    Raises:
        InputError: count is too small for what is asked, or the pictures have no classes.
    """
    files, labels = usable.files, usable.labels
    if not files:
        raise InputError("IN must hold pictures, got no file in it")
    if not (per_class or balance):
        if count < len(files):
            raise InputError(f"count must be >= {len(files)}, so that every picture is used, got {count}")
        return [Pool("", files, count)]
    if per_class and balance:
        raise InputError("per_class and balance exclude each other, got both")
    if "" in labels or len(set(labels)) < 2:
        raise InputError(
            "per_class and balance need each picture in a folder of its class, got other files or one class"
        )
    classes = {
        label: [f for f, own in zip(files, labels, strict=True) if own == label] for label in sorted(set(labels))
    }
    sizes = {label: len(own) for label, own in classes.items()}
    largest = max(sizes, key=lambda label: sizes[label])
    if per_class:
        if count < sizes[largest]:
            raise InputError(f"count must be >= {sizes[largest]}, as {largest!r} has pictures to use, got {count}")
        return [Pool(label, own, count) for label, own in classes.items()]
    needed = sum(sizes[largest] - n for n in sizes.values())
    if count < needed:
        raise InputError(f"count must be >= {needed}, what it takes to even out {sizes}, got {count}")
    each, rest = divmod(sum(sizes.values()) + count, len(sizes))
    return [Pool(label, own, each + (i < rest) - sizes[label]) for i, (label, own) in enumerate(classes.items())]
