"""Behind a confusion matrix: the pictures of each of its cells, as tiles. A case and its findings in, tiles out."""

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from ..data import rows
from ..data.folder import File
from ..report import gallery
from ..report.page import Html
from ..workers import local
from .cases import Case
from .findings import Findings

CELLS = 12  # classes whose confusion matrix is a table of links
_TILES = 24  # pictures that a cell shows

Tiles = dict[tuple[int, int], list[Html]]


def tiles(case: Case, findings: Findings, *, processes: int | None, stop: Callable[[], bool]) -> Tiles:
    """Fetch the pictures behind each cell of a confusion matrix; only those that are shown are read.

    Args:
        case: what was judged.
        findings: about it.
        processes: that read pictures; as many as processors by default.
        stop: asked between chunks.

    Returns:
        Tiles by place of the true and of the said class; none where rows have no pictures, or classes are too many.

    Raises:
        KeyboardInterrupt: stop said True.
    """
    if not (case.thumbnails or case.pictures) or case.files is None or len(case.classes) > CELLS:
        return {}
    chosen = {
        (i, j): np.flatnonzero((findings.labels == i) & (findings.predictions == j))[:_TILES].tolist()
        for i, j in np.argwhere(findings.matrix > 0).tolist()
    }
    names = {row: case.files[row] for cell in chosen.values() for row in cell}
    if case.thumbnails:
        shown = {row: gallery.tile(case.thumbnails[row], name) for row, name in names.items()}
    else:
        seen = _read(sorted(set(names.values())), case.pictures or Path(), processes, stop)
        shown = {row: gallery.tile(seen[name][0], name, reason=seen[name][1]) for row, name in names.items()}
    return {cell: [shown[row] for row in inside] for cell, inside in chosen.items()}


def _read(
    names: list[str], root: Path, processes: int | None, stop: Callable[[], bool]
) -> dict[str, tuple[bytes | None, str]]:
    """Thumbnail of each file, or None and why."""
    files = [File(os.fsencode(name), 0, 0) for name in names]
    processes = max(1, min(processes or len(os.sched_getaffinity(0)), len(files)))
    found: dict[str, tuple[bytes | None, str]] = {}
    for results in local.run(partial(rows.examine, root=root), files, processes=processes, stop=stop):
        for file, result in results:
            if isinstance(result, local.Failure):
                found[os.fsdecode(file.path)] = None, result.reason
            else:
                thumbnail, reason = result.columns.get("thumbnail"), str(result.columns["reason"])
                found[os.fsdecode(file.path)] = thumbnail if isinstance(thumbnail, bytes) else None, reason
    if stop():
        raise KeyboardInterrupt
    return found
