"""Restore: pictures in, better ones out, each by a chain of plain filters chosen for it; and learning to choose."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from ..data import folder, pictures
from ..errors import InputError, PictureError, WorkerError
from ..models import restorer as models
from ..models import training
from ..models.restoring import Experience
from ..models.symptoms import SIDE
from ..pixels import colour
from ..report import panels, plots, record
from ..workers import local
from ..workers.clock import Clock
from . import looking
from .mending import Mended, mend

_SECONDS = 600.0  # that one picture may take: non-local means of 64 megapixels is slow
_MEMORY = 6 << 30  # bytes that a process may map for it
_SHOWN = 6  # pictures in a figure
_LONGEST = 1200  # pixels of a side that is learned from: beyond it there is more noise than detail


@dataclass(frozen=True, slots=True)
class Restored:
    """What became of pictures.

    chains: how often each chain was chosen, in words; rows: one per file; figure: before and after, or None.
    """

    headline: str
    chains: dict[str, int]
    rows: list[Mended]
    figure: str | None
    seconds: float

    def _repr_html_(self) -> str:
        return record.as_html(self)


@dataclass(frozen=True, slots=True)
class Trained:
    """A restorer that was learned: its file, the pictures and episodes it learned from, and files left out."""

    headline: str
    model: str
    pictures: int
    episodes: int
    left_out: int
    seconds: float


def restore(
    path: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    model: str | os.PathLike[str] | None = None,
    figure: str | os.PathLike[str] | None = None,
    processes: int | None = None,
    tell: Callable[[str], None] = lambda _: None,
    stop: Callable[[], bool] = lambda: False,
) -> Restored:
    """Restore pictures.

    Args:
        path: a picture, or a folder of them.
        out: the restored picture (.png, .jpg, .tif, .webp or .bmp), or a folder for them, as PNG; never one of the
            pictures themselves, nor below their folder.
        model: a restorer that `train` has written; the one that comes with assay by default.
        figure: a PNG to draw, with up to 6 pictures before and after.
        processes: that work; as many as processors by default.
        tell: shows a line about progress.
        stop: asked between pictures; True ends the work.

    Returns:
        The chain of each picture in words. A picture that is thought clean is written as it is; a file that is no
        picture, or smaller than 24 x 24, has its status and reason.

    Raises:
        InputError: there is no picture, out is not allowed or cannot be written, or model is no restorer.
        KeyboardInterrupt: stop said True; pictures written so far stay.
    """
    began, source, place = time.monotonic(), Path(path), Path(out)
    weights = Path(model) if model is not None else models.SHIPPED
    models.Restorer.load(weights)  # fails here rather than in every worker
    single = not source.is_dir()
    files, root = _files(source), source.parent if single else source
    _check_out(source, place, single=single)
    workers = min(_workers(processes), len(files))
    work = partial(mend, root=root, out=place, single=single, model=weights, shown=figure is not None)
    clock = Clock({"restoring": len(files) * 1.0}, tell=tell, job="restore", units=len(files))
    clock.begin("restoring", len(files))
    rows: list[Mended] = []
    for results in local.run(work, files, processes=workers, chunk=1, seconds=_SECONDS, memory=_MEMORY, stop=stop):
        for file, result in results:
            if isinstance(result, local.Failure) and "Error" in result.reason:
                raise InputError(f"OUT must be a place that can be written to, got {result.reason}")
            name = os.fsdecode(file.path)
            failed = isinstance(result, local.Failure)
            row = Mended(name, "", (), 0.0, 0.0, 0.0, "", result.status, result.reason) if failed else result
            rows.append(row)
        clock.advance(len(results))
    clock.finish()
    if stop():
        raise KeyboardInterrupt
    rows.sort(key=lambda row: os.fsencode(row.file))
    good = [row for row in rows if row.status == "ok"]
    if single and not good:
        raise InputError(f"IN must be a picture, got {rows[0].reason} in {source}")
    drawn = _draw([row for row in good if row.chain] or good, Path(figure)) if figure is not None and good else None
    chains: dict[str, int] = {}
    for row in good:
        chain = ", then ".join(row.chain) or "left alone"
        chains[chain] = chains.get(chain, 0) + 1
    chains = dict(sorted(chains.items(), key=lambda item: -item[1]))
    rows = [replace(row, parts=None) for row in rows]
    return Restored(_headline(good, len(rows)), chains, rows, drawn, time.monotonic() - began)


def train(
    path: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    episodes: int | None = None,
    seed: int = 0,
    processes: int | None = None,
    tell: Callable[[str], None] = lambda _: None,
    stop: Callable[[], bool] = lambda: False,
) -> Trained:
    """Learn which filter comes next from clean pictures, which are damaged in many ways to learn from.

    Args:
        path: a folder of clean pictures, each at least 128 pixels a side.
        out: the file to write, .safetensors.
        episodes: damaged parts to learn from; 6,000 by default.
        seed: of everything random; the number of processes changes nothing.
        processes: that try filters; as many as processors by default.
        tell: shows a line about progress.
        stop: asked now and then; True ends the training.

    Returns:
        Where it was written, and what it was learned from.

    Raises:
        InputError: there is no picture large enough, or an argument is not allowed.
        KeyboardInterrupt: stop said True; nothing is written.
    """
    began, place = time.monotonic(), Path(out)
    count = training.EPISODES if episodes is None else episodes
    if count < 1 or seed < 0:
        raise InputError(f"--episodes must be >= 1 and --seed >= 0, got {count!r} and {seed!r}")
    if place.suffix != ".safetensors":
        raise InputError(f"the file to write must end in .safetensors, got {place}")
    workers = _workers(processes)
    files = _files(Path(path))
    clean = [plane for file in files for plane in _clean(Path(path) / os.fsdecode(file.path))]
    if not clean:
        raise InputError(f"--train must hold pictures of {SIDE} x {SIDE} pixels or more, got none in {path}")
    clock = Clock({"trying filters": count * 0.15, "learning": 40.0}, tell=tell, job="train restorer", units=count)
    clock.begin("trying filters", count)
    planned = training.plan(count, rng=np.random.default_rng(seed))
    parts: dict[tuple[int, int], Experience] = {}
    work = partial(training.part, pictures=clean)
    for results in local.run(
        work, planned.parts, processes=min(workers, len(planned.parts)), chunk=1, seconds=_SECONDS, stop=stop
    ):
        for job, result in results:
            if isinstance(result, local.Failure):
                raise WorkerError(f"trying filters must not fail, got {result.reason}")
            parts[job] = result
            clock.advance(job[1])
    if stop():
        raise KeyboardInterrupt
    clock.begin("learning", 1)
    notes = {"pictures": len(clean), "episodes": count, "seed": seed}
    found = training.finish([parts[job] for job in planned.parts], planned, notes=notes)
    looking.write(place, found.pack())
    clock.finish()
    seconds = time.monotonic() - began
    headline = f"Learned from {count:,} damaged parts of {len(clean):,} pictures in {seconds / 60:.0f} min."
    return Trained(headline, str(place), len(clean), count, len(files) - len(clean), seconds)


def _clean(path: Path) -> list[np.ndarray]:
    """Read a picture to learn from: grey, no larger than there is detail for; none where it is no good."""
    try:
        grey = colour.grey(colour.to_uint8(pictures.read(path, shorter=_LONGEST)))
    except (OSError, PictureError):
        return []
    ratio = _LONGEST / max(grey.shape)
    grey = cv2.resize(grey, None, fx=ratio, fy=ratio, interpolation=cv2.INTER_AREA) if ratio < 1 else grey
    return [grey] if min(grey.shape) >= SIDE else []


def _workers(processes: int | None) -> int:
    if processes is not None and processes < 1:
        raise InputError(f"processes must be >= 1, got {processes!r}")
    return processes or len(os.sched_getaffinity(0))


def _files(source: Path) -> list[folder.File]:
    if source.is_dir():
        files = folder.walk(source).files
        if not files:
            raise InputError(f"IN must hold pictures, got no file in {source}")
        return files
    if not source.exists():
        raise InputError(f"IN must be a picture or a folder of pictures, got nothing at {source}")
    status = source.stat()
    return [folder.File(os.fsencode(source.name), status.st_size, status.st_mtime_ns)]


def _check_out(source: Path, place: Path, *, single: bool) -> None:
    """Refuse to write over what is to be restored."""
    there, here = place.resolve(), source.resolve()
    if single:
        if there == here or place.is_dir():
            raise InputError(f"OUT must be a file other than IN, got {place}")
        if place.suffix.lower() not in {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp"}:
            raise InputError(f"OUT must end in .png, .jpg, .tif, .webp or .bmp, got {place}")
    elif there == here or here in there.parents or place.is_file():
        raise InputError(f"OUT must be a folder outside IN, got {place}")


def _headline(good: list[Mended], count: int) -> str:
    alone = sum(not row.chain for row in good)
    rest = f"; {count - len(good):,} are no pictures" if len(good) < count else ""
    if count == 1:
        return good[0].words[0].upper() + good[0].words[1:] if good else "It is no picture"
    return f"{len(good) - alone:,} of {count:,} restored, {alone:,} left alone{rest}"


def _draw(rows: list[Mended], figure: Path) -> str:
    """Draw pictures before and after."""
    shelves: list[panels.Row] = []
    for row in rows[:_SHOWN]:
        if row.parts is not None:
            before, after = row.parts
            captions = f"as it was\npredicted SSIM {row.before:.2f}", f"restored\npredicted SSIM {row.after:.2f}"
            title = f"{Path(row.file).name}: {', then '.join(row.chain) or 'left alone'}"
            shelves.append((title, list(zip((before, after), captions, strict=True))))
    size = panels.shelf_size(shelves, cell=320)
    looking.write(figure, plots.png(lambda ax: panels.shelf(shelves, cell=320, ax=ax), size=size))
    return str(figure)
