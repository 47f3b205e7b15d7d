"""Looking: the pictures of a folder, read in processes that may die, handed out in the order of their paths."""

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ..data import delivery
from ..data.folder import File, Problem
from ..data.looks import Look
from ..errors import InputError
from ..workers import local
from ..workers.clock import Clock


def look(
    read: Callable[[Any], Look],
    files: Sequence[File],
    *,
    processes: int | None = None,
    clock: Clock,
    stop: Callable[[], bool],
) -> Iterator[tuple[File, Look]]:
    """Read files in parallel, and yield them in their order.

    Args:
        read: of `data.looks`, as a `partial` with its options.
        files: to read.
        processes: that read; as many as processors by default.
        clock: is told of the progress.
        stop: asked between chunks.

    Returns:
        Each file with its look; a reader that died or hung is a look without a picture.

    Raises:
        InputError: processes is not positive.
        KeyboardInterrupt: stop said True.
    """
    if processes is not None and processes < 1:
        raise InputError(f"processes must be >= 1, got {processes!r}")
    processes = min(processes or len(os.sched_getaffinity(0)), max(len(files), 1))
    waiting: dict[int, tuple[File, Look]] = {}
    following = 0
    numbered = {file.path: i for i, file in enumerate(files)}
    for results in local.run(read, files, processes=processes, stop=stop):
        clock.advance(len(results))
        for file, result in results:
            failed = isinstance(result, local.Failure)
            waiting[numbered[file.path]] = file, Look(None, 0, 0, result.status, result.reason) if failed else result
        while following in waiting:
            yield waiting.pop(following)
            following += 1
    if stop():
        raise KeyboardInterrupt


def problem(file: File, found: Look) -> Problem:
    """Say why a file is no picture.

    Args:
        file: as listed.
        found: its look.
    """
    return Problem(os.fsdecode(file.path), found.status, found.reason)


def out_folder(root: Path, out: str | os.PathLike[str] | None, *, ending: str) -> Path:
    """Return the folder that a task writes to, made if it is not there: what was asked for, or `./<name>.<ending>`.

    Args:
        root: the folder of pictures.
        out: what was asked for.
        ending: of its name by default.

    Raises:
        InputError: it lies within the folder of pictures, or cannot be made or written to.
    """
    place = Path(out) if out is not None else Path(f"{root.resolve().name or 'pictures'}.{ending}")
    if place.resolve() == root.resolve() or (root.is_dir() and root.resolve() in place.resolve().parents):
        raise InputError(f"--out must lie outside the folder of pictures, got {place} in {root}")
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as e:
        raise InputError(f"--out must be a folder that can be made, got {e}") from e
    if not os.access(place, os.W_OK):
        raise InputError(f"--out must be a folder that can be written to, got {place}")
    return place


def write(path: Path, data: bytes) -> None:
    """Write a file, whole or not at all.

    Args:
        path: of the file.
        data: its bytes.

    Raises:
        InputError: it cannot be written; what was there before then stands.
    """
    try:
        delivery.swap(path, data)
    except OSError as e:
        raise InputError(f"--out must be a folder that can be written to, got {e}") from e
