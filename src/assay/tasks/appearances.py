"""Appearances: what a rater looks at in every picture of a folder, each read once; kept by content between runs."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from ..data import appearance
from ..data.activations import Activations
from ..data.folder import File, Problem
from ..errors import InputError
from ..models import backbone, heads
from ..models.graph import Graph
from ..models.ratings import NETWORK
from ..workers import local
from ..workers.clock import Clock
from .rating_tuned import Trunk

BLOCKS = ("damage", "content")
VERSION = "naturalness-1"  # raised when what `pixels.naturalness` measures changes
_BATCH = 64  # pictures that the network is given at a time
_NUMBERS = 400  # of damage at most: a row of what is kept has this many places for it


@dataclass(frozen=True, slots=True)
class Appearances:
    """What n pictures look like.

    files: as listed; sha256, width, height, hash: (n,); features: float32 (n, d) by name: "damage", of
    `pixels.naturalness`, "content", square roots of what the backbone sees, and "network", what a network that was
    taught makes of the picture; broken: files that are no pictures.
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
    tail: Graph | None = None,
    trunk: Trunk | None = None,
) -> Appearances:
    """Look at pictures.

    Args:
        files: to look at.
        root: folder that their paths are below.
        kept: folder of what was seen in earlier runs, or None.
        processes: that read pictures; as many as processors by default.
        clock: is told of every file.
        stop: asked between batches.
        tail: of a network that was taught: what it makes of the pictures is then all that is looked at.
        trunk: of a network that is to be taught: is shown what it has not seen.

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
    examine = partial(
        appearance.examine,
        root=root,
        size=backbone.SIZE,
        known=known if trunk is None else known & trunk.keys(),
        measured=known,
        damage=tail is None,
        moved=0 if trunk is None else trunk.moved,
        seed=0 if trunk is None else trunk.seed,
    )
    watcher = _Watcher(store, processes, tail, trunk)
    found: dict[bytes, tuple[File, appearance.Appearance]] = {}
    broken: list[Problem] = []
    try:
        for results in local.run(examine, files, processes=processes, stop=stop):
            for file, result in results:
                if isinstance(result, local.Failure) or result.status != "ok":
                    broken.append(Problem(os.fsdecode(file.path), result.status, result.reason))
                else:
                    found[file.path] = file, result
                    watcher.add(result)
            clock.advance(len(results))
        watcher.see()
    finally:
        watcher.keep()
    if stop():
        raise KeyboardInterrupt
    order = [found[path] for path in sorted(found)]
    rows = [watcher.row(one.sha256) for _, one in order]
    return _arrays(order, rows, sorted(broken, key=lambda p: p.path), looked=tail is None)


class _Watcher:
    """The network, started when it is first needed; what waits for it; and what is known of each content."""

    def __init__(self, store: Activations | None, threads: int, tail: Graph | None, trunk: Trunk | None) -> None:
        self._store, self._threads, self._tail, self._trunk = store, threads, tail, trunk
        self._network: backbone.Backbone | None = None
        self._rows: dict[str, np.ndarray] = {}
        self._waiting: dict[str, tuple[np.ndarray, np.ndarray | None]] = {}

    def add(self, one: appearance.Appearance) -> None:
        """Take a picture; one whose content is known is left alone."""
        if one.views is None:
            return
        if self._trunk is not None:
            self._trunk.see(one.sha256, one.views, threads=self._threads)
        if one.sha256 not in self._rows and (self._store is None or one.sha256 not in self._store):
            self._waiting[one.sha256] = one.views[0], one.damage
        if len(self._waiting) >= _BATCH:
            self.see()

    def see(self) -> None:
        """Let the network see what waits."""
        if not self._waiting:
            return
        self._network = self._network or backbone.Backbone(threads=self._threads, tail=self._tail)
        seen = self._network.see(np.stack([view for view, _ in self._waiting.values()])[:, None])
        if seen.tail is not None:
            self._rows |= dict(zip(self._waiting, seen.tail, strict=True))
            self._waiting = {}
            return
        for (sha256, (_, damage)), features in zip(self._waiting.items(), seen.features, strict=True):
            # float16 is what a rater sees, whether it was kept or not.
            row = np.zeros(_NUMBERS + backbone.WIDTH, np.float16)
            row[_NUMBERS:] = features
            if damage is not None:
                row[: len(damage)] = damage
            self._rows[sha256] = row
            if self._store is not None:
                self._store.put(sha256, row[None])
        self._waiting = {}

    def row(self, sha256: str) -> np.ndarray:
        """Return what is known of a content."""
        if sha256 not in self._rows and self._store is not None:
            self._rows[sha256] = self._store.read([sha256], np.zeros(1, int))[0]
        return self._rows[sha256]

    def keep(self) -> None:
        """Put on disk what was seen."""
        if self._store is not None:
            self._store.flush()
        if self._trunk is not None:
            self._trunk.flush()


def _arrays(
    order: Sequence[tuple[File, appearance.Appearance]],
    rows: Sequence[np.ndarray],
    broken: list[Problem],
    *,
    looked: bool,
) -> Appearances:
    table = np.array(rows, np.float32).reshape(len(rows), -1 if rows else _NUMBERS + backbone.WIDTH)
    blocks = {"damage": table[:, :_NUMBERS], "content": heads.root(table[:, _NUMBERS:])}
    return Appearances(
        files=[file for file, _ in order],
        sha256=np.array([one.sha256 for _, one in order], object),
        width=np.array([one.width for _, one in order], int),
        height=np.array([one.height for _, one in order], int),
        hash=np.array([one.hash for _, one in order], np.uint64),
        features=blocks if looked else {NETWORK: table},
        broken=broken,
    )
