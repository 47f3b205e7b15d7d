"""Decompress: a file of packed pictures in, a folder of pictures out."""

import os
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ..data import packed, pictures
from ..errors import InputError
from ..report import record
from ..workers.clock import Clock

_TOGETHER = 64  # pictures that are built at a time


@dataclass(frozen=True, slots=True)
class Decompressed:
    """What was made: pictures in `folder`, each height by width pixels, from so many components."""

    folder: str
    pictures: int
    components: int
    height: int
    width: int
    seconds: float

    def _repr_html_(self) -> str:
        return record.as_html(self)


def decompress(
    file: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    components: int | None = None,
    tell: Callable[[str], None] = lambda _: None,
    stop: Callable[[], bool] = lambda: False,
) -> Decompressed:
    """Turn a file of packed pictures back into pictures.

    Args:
        file: that `compress` wrote.
        out: the folder to make; it must not be there yet, or be empty.
        components: how many to use, 1 to those in the file; all by default.
        tell: shows a line about progress.
        stop: asked between pictures; True ends the work.

    Returns:
        What was made: a PNG for each picture, at the size that it was packed at, under the name it had.

    Raises:
        InputError: the file is none of ours, there are fewer components, or `out` holds something or cannot be made.
        KeyboardInterrupt: stop said True; the pictures written so far stay.
    """
    began, place = time.monotonic(), Path(out)
    found = packed.unpack(Path(file))
    most = len(found.components)
    components = most if components is None else components
    if not 1 <= components <= most:
        raise InputError(f"--components must be 1 to {most}, which the file has, got {components!r}")
    if place.exists() and (not place.is_dir() or any(place.iterdir())):
        raise InputError(f"OUT must be a new or empty folder, got {place}")
    clock = Clock({"writing": len(found.names) / 500}, tell=tell)
    clock.begin("writing", len(found.names))
    names = _as_png(found.names)
    for start in range(0, len(names), _TOGETHER):
        if stop():
            raise KeyboardInterrupt
        some = slice(start, start + _TOGETHER)
        for name, image in zip(names[some], found.rebuild(some, components=components), strict=True):
            try:
                (place / name).parent.mkdir(parents=True, exist_ok=True)
                pictures.write(place / name, image)
            except OSError as e:
                raise InputError(f"OUT must be a folder that can be written to, got {e}") from e
        clock.advance(len(names[some]))
    clock.finish()
    height, width = found.shape[:2]
    return Decompressed(str(place), len(names), components, height, width, time.monotonic() - began)


def _as_png(names: list[str]) -> list[str]:
    """Name the pictures as they were, but for the ending; where two would be one, the old endings stay before it."""
    plain = [str(PurePosixPath(name).with_suffix(".png")) for name in names]
    twice = {name for name, times in Counter(plain).items() if times > 1}
    new = [f"{old}.png" if name in twice else name for old, name in zip(names, plain, strict=True)]
    return new if len(set(new)) == len(new) else [f"{old}.png" for old in names]
