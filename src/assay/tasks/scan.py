"""Scan: read every file of a folder once, and bring the table of the workspace up to date with it."""

import os
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from ..data import folder, issues, rows
from ..data.folder import Problem
from ..data.table import KEY
from ..data.workspace import Workspace
from ..errors import InputError
from ..models import backbone
from ..pixels.facts import Facts
from ..report import record
from ..workers import local
from ..workers.clock import Clock

_ROWS = 512  # of a batch: what a kill costs at most
_SECONDS = 5.0  # after which a batch is written even if it is small
_VIEWS = 96 << 20  # bytes of views that wait for the network at most


@dataclass(frozen=True, slots=True)
class Scan:
    """What is in a folder.

    statuses: files by status; skipped: entries passed over, by reason; issues: pictures by issue;
    problems: every file that is no picture; read: files read in this scan; seconds: that it took.
    """

    folder: str
    out: str
    statuses: dict[str, int]
    skipped: dict[str, int]
    issues: dict[str, int]
    problems: list[Problem]
    read: int
    seconds: float

    def _repr_html_(self) -> str:
        return record.as_html(self)


def scan(
    path: str | os.PathLike[str],
    *,
    out: str | os.PathLike[str] | None = None,
    processes: int | None = None,
    tell: Callable[[str], None] = lambda _: None,
    stop: Callable[[], bool] = lambda: False,
) -> Scan:
    """Read every file of a folder that is new or has changed, and say what is in it.

    Args:
        path: the folder; it is never written to.
        out: the workspace; `./<name>.assay` by default.
        processes: that read pictures; as many as processors by default.
        tell: shows a line about progress.
        stop: asked between batches; True ends the scan after the one under way.

    Returns:
        What is in the folder.

    Raises:
        InputError: path is no readable folder, or out is in use for something else.
        WorkspaceError: the workspace is held, newer, full or cannot be written.
        KeyboardInterrupt: stop said True; everything read so far is kept.
    """
    root, began = Path(path), time.monotonic()
    listing = folder.walk(root)
    with Workspace(place(root, out), width=backbone.WIDTH) as workspace:
        n = len(listing.files)
        clock = Clock({"reading": n / 500}, tell=tell, job="scan", units=n)
        read = refresh(workspace, root, listing, processes=processes, clock=clock, stop=stop)
        clock.finish()
        return summary(workspace, root, listing, read=read, seconds=time.monotonic() - began)


def place(root: Path, out: str | os.PathLike[str] | None) -> Path:
    """Return the folder of the workspace: what was asked for, or `./<name>.assay`.

    Args:
        root: the folder of pictures.
        out: what was asked for.
    """
    return Path(out) if out is not None else Path(f"{root.resolve().name or 'pictures'}.assay")


def refresh(
    workspace: Workspace,
    root: Path,
    listing: folder.Listing,
    *,
    features: bool = False,
    tiles: bool = False,
    processes: int | None = None,
    clock: Clock,
    stop: Callable[[], bool],
) -> int:
    """Bring the table up to date: drop the rows of files that are gone or changed, read the new ones.

    Args:
        workspace: open.
        root: the folder of pictures.
        listing: its files.
        features: also run each picture through the network.
        tiles: also its tiles; needs features.
        processes: that read pictures.
        clock: is told of the progress.
        stop: asked between batches.

    Returns:
        The number of files read.

    Raises:
        InputError: processes is not positive.
        WorkspaceError: the workspace is full or cannot be written.
        KeyboardInterrupt: stop said True; what was read is kept.
    """
    if processes is not None and processes < 1:
        raise InputError(f"processes must be >= 1, got {processes!r}")
    processes = processes or len(os.sched_getaffinity(0))
    pending = _pending(workspace, listing, features=features, tiles=tiles)
    clock.begin("reading" if not features else "reading and seeing", len(pending))
    if not pending:
        return 0
    network = backbone.Backbone(threads=processes) if features else None
    read = partial(rows.read, root=root, size=backbone.SIZE if features else None, tiles=tiles)
    batch: list[rows.Row] = []
    written = time.monotonic()
    for results in local.run(read, pending, then=rows.describe, processes=min(processes, len(pending)), stop=stop):
        batch += [_failed(file, result) if isinstance(result, local.Failure) else result for file, result in results]
        clock.advance(len(results))
        views = sum(r.views.nbytes for r in batch if r.views is not None)
        if len(batch) >= _ROWS or views >= _VIEWS or time.monotonic() - written > _SECONDS:
            workspace.table.put(_columns(batch, network))
            batch, written = [], time.monotonic()
    if batch:
        workspace.table.put(_columns(batch, network))
    if stop():
        raise KeyboardInterrupt
    workspace.table.compact()
    return len(pending)


def summary(workspace: Workspace, root: Path, listing: folder.Listing, *, read: int, seconds: float) -> Scan:
    """Say what the table holds.

    Args:
        workspace: open.
        root: the folder of pictures.
        listing: its files.
        read: number of files read this time.
        seconds: that it took.

    Returns:
        Counts by status and issue, and every file that is no picture.
    """
    bad = workspace.table.read(["path", "status", "reason"], where="status != 'ok'").to_pylist()
    good = workspace.table.read(["facts", "width", "height", "mode"], where="status = 'ok'")
    found = flags(good)
    statuses = Counter({"ok": good.num_rows}) + Counter(row["status"] for row in bad)
    return Scan(
        folder=str(root),
        out=str(workspace.folder),
        statuses=dict(statuses),
        skipped=dict(listing.skipped),
        issues={name: int(flagged.sum()) for name, (_, flagged) in found.items()},
        problems=[Problem(os.fsdecode(row["path"]), row["status"], row["reason"]) for row in bad],
        read=read,
        seconds=seconds,
    )


def _pending(workspace: Workspace, listing: folder.Listing, *, features: bool, tiles: bool) -> list[folder.File]:
    """Remove rows that no longer describe a file, and return the files that lack a row or what is asked of it."""
    known = workspace.table.read([KEY, "path", "bytes", "mtime_ns", "status", "network"])
    tiled: set[str] = set()
    if tiles:
        tiled = set(workspace.table.read([KEY], where="tile_features is not null")[KEY].to_pylist())
    now = {file.path: file for file in listing.files}
    stale, complete = [], set()
    for row in known.to_pylist():
        file = now.get(row["path"])
        if file is None or (file.bytes, file.mtime_ns) != (row["bytes"], row["mtime_ns"]):
            stale.append(row[KEY])
            continue
        seen = row["status"] != "ok" or not features or row["network"] == backbone.identity()
        if seen and (row["status"] != "ok" or not tiles or row[KEY] in tiled):
            complete.add(row["path"])
    workspace.table.delete(stale)
    return [file for file in listing.files if file.path not in complete]


def _failed(file: folder.File, failure: local.Failure) -> rows.Row:
    columns: dict[str, object] = {"path": file.path, "bytes": file.bytes, "mtime_ns": file.mtime_ns}
    return rows.Row(
        {**columns, "key": rows.key(file.path, ""), "status": failure.status, "reason": failure.reason}, None
    )


def _columns(batch: list[rows.Row], network: backbone.Backbone | None) -> dict[str, Any]:
    """Turn rows into columns, and let the network see their views."""
    names = dict.fromkeys(name for row in batch for name in row.columns)
    columns: dict[str, Any] = {name: [row.columns.get(name) for row in batch] for name in names}
    seen = [i for i, row in enumerate(batch) if row.views is not None]
    if network is None or not seen:
        return columns
    found = network.see(np.stack([row.views for row in batch if row.views is not None]))
    columns["network"] = [backbone.identity() if row.views is not None else None for row in batch]
    values = {"features": found.features, "classes": found.classes, "class_scores": found.scores}
    if found.tile_features is not None:
        values["tile_features"] = found.tile_features
    for name, array in values.items():
        spread: list[np.ndarray | None] = [None] * len(batch)
        for i, vector in zip(seen, array, strict=True):
            spread[i] = vector
        columns[name] = spread
    return columns


def flags(good: pa.Table) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return each issue's scores and flags.

    Args:
        good: the columns facts, width, height and mode of pictures.

    Returns:
        Issue to scores (n,), 1 being fine, and flags (n,).
    """
    facts = np.array(good["facts"].to_pylist(), np.float32).reshape(len(good), len(Facts.__dataclass_fields__))
    width, height = (np.array(good[c].to_pylist(), np.int64) for c in ("width", "height"))
    if not len(good):
        return {name: (np.zeros(0), np.zeros(0, bool)) for name in issues.NAMES}
    return issues.find(facts, width=width, height=height, mode=good["mode"].to_pylist())
