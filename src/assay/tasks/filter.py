"""Filter: one picture, or every picture of a folder, through one filter or several, one after the other."""

import inspect
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ..data import folder, pictures
from ..errors import InputError, PictureError
from ..pixels import filters as bank
from ..pixels import frequency, geometry, shrinkage, spikes
from ..report import record, sheets
from ..workers import local
from ..workers.clock import Clock
from . import options

FILTERS: dict[str, Callable[..., np.ndarray]] = {
    "mean": bank.mean,
    "gaussian": bank.gaussian,
    "median": bank.median,
    "conservative": bank.conservative,
    "crimmins": bank.crimmins,
    "laplacian": bank.laplacian,
    "laplacian_of_gaussian": bank.laplacian_of_gaussian,
    "unsharp": bank.unsharp,
    "lowpass": frequency.lowpass,
    "highpass": frequency.highpass,
    "bilateral": bank.bilateral,
    "nonlocal_means": bank.nonlocal_means,
    "tv": bank.tv,
    "dct": shrinkage.dct,
    "despike": spikes.despike,
}
_WRITTEN = {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp"}  # others become PNG
_SHOWN = 4  # pictures of the figure
_SECONDS = 120.0  # that one picture may take: non-local means are slow

Step = tuple[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Problem:
    """A file that was not filtered, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Filtered:
    """What became of the pictures.

    steps: each filter with all its options, as it was understood; written: files written; problems: files that were
    not; skipped: entries of the folder passed over, by reason; figure: where it was written, or None; seconds: it took.
    """

    source: str
    out: str
    steps: tuple[str, ...]
    written: int
    problems: list[Problem]
    skipped: dict[str, int]
    figure: str | None
    seconds: float

    def _repr_html_(self) -> str:
        return record.as_html(self)


def filter(  # noqa: A001 - the verb
    path: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    filters: Sequence[str],
    figure: str | os.PathLike[str] | None = None,
    replace: bool = False,
    quality: int = 95,
    processes: int | None = None,
    tell: Callable[[str], None] = lambda _: None,
    stop: Callable[[], bool] = lambda: False,
) -> Filtered:
    """Filter a picture, or every picture of a folder, and write the results elsewhere.

    Args:
        path: a picture, or a folder of them; it is never written to.
        out: a file for a picture, a folder for a folder, in which the places of the files stay the same. The format is
            that of the suffix; of a folder's files those that cannot be written in their own become PNG.
        filters: what to do, one after the other: a name, and options at need: "median:size=9",
            "unsharp:radius=2,percent=150,threshold=3".
        figure: PNG file for the first pictures before and after.
        replace: write over files that are there.
        quality: of JPEG and WebP, 1 to 100.
        processes: that filter pictures; as many as processors by default.
        tell: shows a line about progress.
        stop: asked between pictures; True ends after those under way.

    Returns:
        What was written, and what was not and why.

    Raises:
        InputError: path holds no picture, out would write over something or into path, or a filter or option is not
            known or out of range.
        KeyboardInterrupt: stop said True; what was written stays.
    """
    began = time.monotonic()
    source, target = Path(path), Path(out)
    steps = [parse(text) for text in filters]
    if not steps:
        raise InputError(f"--filter must name at least one of {', '.join(FILTERS)}")
    if not 1 <= quality <= 100:
        raise InputError(f"quality must be in 1..100, got {quality!r}")
    if processes is not None and processes < 1:
        raise InputError(f"processes must be >= 1, got {processes!r}")
    skipped: dict[str, int] = {}
    if source.is_dir():
        listing = folder.walk(source)
        skipped = dict(listing.skipped)
        jobs = _places(source, target, [f.path for f in listing.files])
    elif source.exists():
        jobs = [(source, target)]
    else:
        raise InputError(f"IN must be a picture or a folder of pictures, got nothing at {source}")
    drawing = Path(figure) if figure is not None else None
    _refuse(source, jobs, drawing, replace=replace)
    clock = Clock({}, tell=tell)
    clock.begin("filtering", len(jobs))
    written, problems = _work(jobs, steps, quality, processes, clock, stop)
    clock.finish()
    if drawing is not None and written:
        drawing.write_bytes(before_and_after(written[:_SHOWN]))
    return Filtered(
        source=str(source),
        out=str(target),
        steps=tuple(_spelled(step) for step in steps),
        written=len(written),
        problems=problems,
        skipped=skipped,
        figure=str(drawing) if drawing is not None and written else None,
        seconds=time.monotonic() - began,
    )


def parse(text: str) -> Step:
    """Read a filter and its options.

    Args:
        text: such as "median:size=9"; hyphens in names are as good as underscores.

    Returns:
        The name, and every option that was given, as the filter takes it.

    Raises:
        InputError: there is no such filter or option, a value is of another kind, or a needed option is missing.

    >>> parse("unsharp:radius=2.5,percent=80")
    ('unsharp', {'radius': 2.5, 'percent': 80.0})
    """
    name, _, rest = text.partition(":")
    name = name.strip().replace("-", "_")
    if name not in FILTERS:
        raise InputError(f"filter must be one of {', '.join(FILTERS)}, got {name!r}")
    known = {p.name: p for p in inspect.signature(FILTERS[name]).parameters.values() if p.kind is p.KEYWORD_ONLY}
    given = options.read(name, rest, kinds={key: str(p.annotation) for key, p in known.items()})
    missing = [k for k, p in known.items() if p.default is p.empty and k not in given]
    if missing:
        raise InputError(f"{name} needs {' and '.join(missing)}, such as {name}:{missing[0]}=5, got {text!r}")
    return name, given


def _spelled(step: Step) -> str:
    """Write a step with all its options, so that it can be given again."""
    name, options = step
    known = inspect.signature(FILTERS[name]).parameters.values()
    whole = {p.name: options.get(p.name, p.default) for p in known if p.kind is p.KEYWORD_ONLY}
    return f"{name}:" + ",".join(f"{k}={v}" for k, v in whole.items() if v is not None)


def _places(source: Path, target: Path, files: Sequence[bytes]) -> list[tuple[Path, Path]]:
    """Say where the result of each file goes; two files of one name but for the suffix keep theirs apart."""
    if target.resolve().is_relative_to(source.resolve()):
        raise InputError(f"OUT must lie outside IN, which is never written to, got {target}")
    jobs, taken = [], set()
    for file in files:
        place = Path(os.fsdecode(file))
        result = place if place.suffix.lower() in _WRITTEN else place.with_suffix(".png")
        if result in taken or (result != place and os.fsencode(result) in files):
            result = place.with_name(place.name + ".png")
        taken.add(result)
        jobs.append((source / place, target / result))
    return jobs


def _refuse(source: Path, jobs: Sequence[tuple[Path, Path]], figure: Path | None, *, replace: bool) -> None:
    """Refuse to write over anything, before anything is read."""
    if not jobs:
        raise InputError(f"IN must hold pictures, got an empty folder at {source}")
    for place, result in jobs:
        if result.exists() and result.samefile(place):
            raise InputError(f"OUT must be another file than IN, which is never written to, got {result}")
        if result.exists() and not replace:
            raise InputError(f"OUT must be new, got {result}, which is there: --replace writes over it")
    if figure is not None:
        if figure.suffix.lower() != ".png" or not figure.parent.is_dir():
            raise InputError(f"figure must be a .png in a folder that is there, got {figure}")
        if figure.exists() and not replace:
            raise InputError(f"figure must be new, got {figure}, which is there: --replace writes over it")


def _work(
    jobs: Sequence[tuple[Path, Path]],
    steps: Sequence[Step],
    quality: int,
    processes: int | None,
    clock: Clock,
    stop: Callable[[], bool],
) -> tuple[list[tuple[Path, Path]], list[Problem]]:
    if len(jobs) == 1:
        failed = one(jobs[0], steps=steps, quality=quality)
        if failed is not None:
            raise InputError(f"{jobs[0][0]} was not filtered: {failed}")
        return list(jobs), []
    count = min(processes or len(os.sched_getaffinity(0)), len(jobs))
    work = partial(one, steps=steps, quality=quality)
    done: list[tuple[Path, Path]] = []
    problems: list[Problem] = []
    for results in local.run(work, jobs, processes=count, chunk=4, seconds=_SECONDS, stop=stop):
        for job, found in results:
            reason = f"{found.status}: {found.reason}" if isinstance(found, local.Failure) else found
            if reason is None:
                done.append(job)
            else:
                problems.append(Problem(str(job[0]), reason))
        clock.advance(len(results))
    if stop():
        raise KeyboardInterrupt
    return sorted(done), sorted(problems, key=lambda p: p.path)


def one(job: tuple[Path, Path], *, steps: Sequence[Step], quality: int) -> str | None:
    """Filter one file.

    Args:
        job: the file to read, and the one to write.
        steps: from `parse`.
        quality: of JPEG and WebP.

    Returns:
        None, or why the file was not filtered.
    """
    source, target = job
    try:
        image = pictures.read(source)
        for name, options in steps:
            image = FILTERS[name](image, **options)
        target.parent.mkdir(parents=True, exist_ok=True)
        pictures.write(target, image, quality=quality)
    except (InputError, PictureError, OSError) as e:
        return str(e)
    return None


def before_and_after(jobs: Sequence[tuple[Path, Path]]) -> bytes:
    """Draw pictures before and after.

    Args:
        jobs: files that were read, and those that were written.

    Returns:
        A PNG file.
    """
    panels: list[tuple[str, sheets.Panel]] = []
    for source, target in jobs:
        for title, file in ((source.name, source), ("filtered", target)):
            panels.append((title, geometry.fit(pictures.read(file), side=480)))
    return sheets.sheet(panels, columns=2, side=360, colours=256)
