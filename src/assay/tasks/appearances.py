"""Appearances: what a rater looks at in every picture of a folder, each read once; kept by content between runs."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from ..data import appearance
from ..data.activations import Activations
from ..data.folder import File
from ..errors import InputError
from ..models import backbone, heads
from ..workers import local
from ..workers.clock import Clock
from .scan import Problem

BLOCKS = ("damage", "content")
VERSION = "naturalness-1"  # raised when what `pixels.naturalness` measures changes
_BATCH = 64  # pictures that the network is given at a time
_NUMBERS = 400  # of damage at most: a row of what is kept has this many places for it


@dataclass(frozen=True, slots=True)
class Appearances:
    """What n pictures look like.

    files: as listed; sha256, width, height, hash: (n,); features: float32 (n, d) by name: "damage", of
    `pixels.naturalness`, and "content", square roots of what the backbone sees; broken: files that are no pictures.
    """

    files: list[File]
    sha256: np.ndarray
    width: np.ndarray
    height: np.ndarray
    hash: np.ndarray
    features: dict[str, np.ndarray]
    broken: list[Problem]

    def __len__(self) -> int:
        return len(self.files)


def look(
    files: Sequence[File],
    *,
    root: Path,
    kept: Path | None,
    processes: int | None,
    clock: Clock,
    stop: Callable[[], bool],
) -> Appearances:
    """Look at pictures.

    Args:
        files: to look at.
        root: folder that their paths are below.
        kept: folder of what was seen in earlier runs, or None.
        processes: that read pictures; as many as processors by default.
        clock: is told of every file.
        stop: asked between batches.

    Returns:
        The pictures among them, in the order of their paths.

    Raises:
        InputError: processes is not positive.
        KeyboardInterrupt: stop said True; what was seen so far is kept.
    """
    if processes is not None and processes < 1:
        raise InputError(f"processes must be >= 1, got {processes!r}")
    processes = max(1, min(processes or len(os.sched_getaffinity(0)), len(files)))
    store = None if kept is None else Activations(kept, shape=(1, _NUMBERS + backbone.WIDTH))
    known = frozenset(store.keys()) if store is not None else frozenset()
    examine = partial(appearance.examine, root=root, size=backbone.SIZE, known=known)
    network: backbone.Backbone | None = None
    found: dict[bytes, tuple[File, appearance.Appearance]] = {}
    rows: dict[str, np.ndarray] = {}
    broken: list[Problem] = []
    batch: list[appearance.Appearance] = []

    def see() -> None:
        nonlocal network, batch
        network = network or backbone.Backbone(threads=processes)
        seen = network.see(np.stack([a.view for a in batch if a.view is not None])[:, None])
        for one, features in zip(batch, seen.features, strict=True):
            rows[one.sha256] = _row(one.damage, features)
            if store is not None:
                store.put(one.sha256, rows[one.sha256][None])
        batch = []

    try:
        for results in local.run(examine, files, processes=processes, stop=stop):
            for file, result in results:
                if isinstance(result, local.Failure) or result.status != "ok":
                    broken.append(Problem(os.fsdecode(file.path), result.status, result.reason))
                    continue
                found[file.path] = file, result
                if result.view is not None and result.sha256 not in rows:
                    rows[result.sha256] = np.zeros(0, np.float16)  # under way
                    batch.append(result)
            clock.advance(len(results))
            if len(batch) >= _BATCH:
                see()
        if batch:
            see()
    finally:
        if store is not None:
            store.flush()
    if stop():
        raise KeyboardInterrupt
    order = [found[path] for path in sorted(found)]
    if store is not None:
        for _, one in order:
            if one.sha256 not in rows:
                rows[one.sha256] = store.read([one.sha256], np.zeros(1, int))[0]
    return _arrays(order, rows, sorted(broken, key=lambda p: p.path))


def _row(damage: np.ndarray | None, features: np.ndarray) -> np.ndarray:
    """Pack what is kept of a picture into float16, which is what a rater sees whether it was kept or not."""
    assert damage is not None  # noqa: S101 - it comes with the view
    row = np.zeros(_NUMBERS + backbone.WIDTH, np.float16)
    row[: len(damage)] = damage
    row[_NUMBERS:] = features
    return row


def _arrays(
    order: Sequence[tuple[File, appearance.Appearance]], rows: dict[str, np.ndarray], broken: list[Problem]
) -> Appearances:
    table = np.array([rows[one.sha256] for _, one in order], np.float32).reshape(-1, _NUMBERS + backbone.WIDTH)
    return Appearances(
        files=[file for file, _ in order],
        sha256=np.array([one.sha256 for _, one in order], object),
        width=np.array([one.width for _, one in order], int),
        height=np.array([one.height for _, one in order], int),
        hash=np.array([one.hash for _, one in order], np.uint64),
        features={"damage": table[:, :_NUMBERS], "content": heads.root(table[:, _NUMBERS:])},
        broken=broken,
    )
