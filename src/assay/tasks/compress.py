"""Compress: a folder of pictures in, their mean and principal components out, and what that costs the pictures."""

import hashlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from ..data import folder, looks, packed, pictures
from ..data.folder import File, Problem
from ..data.packed import Packed
from ..errors import InputError
from ..pixels import fidelity
from ..pixels.eigen import EigenPictures
from ..report import compression, record
from ..stats import intervals
from ..stats.intervals import Estimate
from ..workers.clock import Clock
from . import looking

PACKED, MEAN, REPORT = "pictures.safetensors", "mean.png", "report.html"
COMPONENTS = (10, 50, 100, 300)
_BATCH = 16 << 20  # bytes of pictures that are handed on at a time
_KEPT = 256 << 20  # bytes of pictures that are kept rather than read twice
_ROOM = 2 << 30  # bytes that a decomposition may take
_LEAST = fidelity.WINDOWS["gaussian"].size  # pixels of a side: SSIM's window must fit
_JUDGED = 200  # pictures of the fit, and as many not of it, by which fidelity is judged
_SHOWN = 3  # pictures of either kind that are drawn
_BEST_DB = 58.92  # PSNR where nothing but rounding to whole grey levels is lost: an error of 1/12


@dataclass(frozen=True, slots=True)
class Level:
    """What so many components keep.

    variance: share of it that the fit keeps, 0 to 1; bytes_kept: of mean, components and scores; bytes_raw: of the
    pixels; psnr (dB, 58.92 at most: what rounding costs) and ssim: means over pictures of the fit, and over pictures
    that were not in it; None where there are fewer than 2.
    """

    components: int
    variance: float
    bytes_kept: int
    bytes_raw: int
    psnr: Estimate | None
    ssim: Estimate | None
    psnr_new: Estimate | None
    ssim_new: Estimate | None


@dataclass(frozen=True, slots=True)
class Compressed:
    """What was kept of a folder of pictures.

    pictures: that are packed, at height by width pixels; fitted: of them, that the components were made from; levels:
    by number of components; notes: how it was done; problems: files that are no pictures; written: files made.
    """

    headline: str
    pictures: int
    fitted: int
    height: int
    width: int
    levels: list[Level]
    notes: list[str]
    problems: list[Problem]
    written: list[str]
    seconds: float

    def _repr_html_(self) -> str:
        return record.as_html(self)


def compress(
    path: str | os.PathLike[str],
    *,
    components: Sequence[int] | None = None,
    out: str | os.PathLike[str] | None = None,
    side: int = 100,
    colour: bool = False,
    held_out: float = 0.1,
    seed: int = 0,
    processes: int | None = None,
    tell: Callable[[str], None] = lambda _: None,
    stop: Callable[[], bool] = lambda: False,
) -> Compressed:
    """Describe every picture of a folder by a few numbers, and say how good it comes back.

    Pictures are brought to one size, centred, and described by principal components, which are found exactly. A share
    of them is held out of the fit, because pictures that the components have seen come back better than others.

    Args:
        path: the folder; it is never written to.
        components: how many to keep, each judged, the most of them packed; of 10, 50, 100 and 300 those that there
            are pictures for by default.
        out: where the file, the figures and the report go; `./<name>.compressed` by default.
        side: pixels of the longer side of all pictures, at most, >= 11. The size is the median one of the folder,
            shrunk to it; pictures of another shape are squashed.
        colour: keep the colours; else the pictures are made grey.
        held_out: share that is kept out of the fit, in [0, 1). Which ones depends on their names and the seed alone.
        seed: of that choice.
        processes: that read pictures; as many as processors by default.
        tell: shows a line about progress.
        stop: asked between steps; True ends the work.

    Returns:
        What was kept, by number of components.

    Raises:
        InputError: an option is not allowed, there are more components than pictures or pixels, the decomposition
            would take more than 2 GB, or `out` cannot be written to.
        KeyboardInterrupt: stop said True.
    """
    if side < _LEAST:
        raise InputError(f"side must be >= {_LEAST}, got {side!r}")
    if not 0 <= held_out < 1:
        raise InputError(f"held_out must be in [0, 1), got {held_out!r}")
    if components is not None and (not components or min(components) < 1):
        raise InputError(f"components must be whole numbers >= 1, got {list(components)!r}")
    began, root = time.monotonic(), Path(path)
    listing = folder.walk(root)
    place = looking.out_folder(root, out, ending="compressed")
    clock = Clock({"measuring": 1.0, "decomposing": 1.0, "describing": 1.0}, tell=tell)
    source = _Source(root, listing.files, side, colour=colour, processes=processes, clock=clock, stop=stop)
    chosen = [_held(file, seed) >= held_out for file in source.files]
    levels = _levels(components, sum(chosen), source.pixels)
    clock.begin("decomposing", len(source.files))
    fit = EigenPictures(levels[-1]).fit_batches(rows for rows, _ in source.batches(chosen))
    clock.begin("describing", len(source.files))
    scores: list[np.ndarray] = []
    names: list[str] = []
    fitted: list[bool] = []
    judged = _Judged()
    for rows, files in source.batches([True] * len(source.files)):
        scores.append((fit.transform(rows) / 255).astype(np.float16))
        fitted += [_held(file, seed) >= held_out for file in files]
        judged.see(rows, fitted[len(names) :], len(names))
        names += [os.fsdecode(file.path) for file in files]
    arrays = (fit.mean_ / 255).astype(np.float32), fit.components_.astype(np.float16), np.concatenate(scores)
    kept = Packed(*arrays, names, source.shape)
    found = [_judge(kept, k, float(fit.explained_variance_ratio_[:k].sum()), judged) for k in levels]
    notes = _notes(source, len(names), sum(fitted), held_out, judged)
    written = _write(place, root, kept, fit, found, judged, notes, source.problems)
    clock.finish()
    height, width = source.shape[:2]
    return Compressed(
        _headline(found, len(names), source.shape),
        len(names),
        sum(fitted),
        height,
        width,
        found,
        notes,
        source.problems,
        written,
        time.monotonic() - began,
    )


class _Source:
    """The pictures of a folder as rows of one length, as often as they are asked for."""

    def __init__(
        self,
        root: Path,
        files: list[File],
        side: int,
        *,
        colour: bool,
        processes: int | None,
        clock: Clock,
        stop: Callable[[], bool],
    ) -> None:
        self.problems: list[Problem] = []
        self.files: list[File] = []
        self._look = partial(looking.look, processes=processes, clock=clock, stop=stop)
        self._clock = clock
        sizes = []
        clock.begin("measuring", len(files))
        for file, found in self._look(partial(looks.measure, root=root), files):
            if found.status == "ok":
                self.files.append(file)
                sizes.append((found.height, found.width))
            else:
                self.problems.append(looking.problem(file, found))
        if len(sizes) < 2:
            raise InputError(f"components need 2 pictures at least, got {len(sizes)} in {root}")
        middle = np.median(np.array(sizes, float), axis=0)
        height, width = (max(round(n), _LEAST) for n in middle * min(side / middle.max(), 1))
        self.squashed = sum(abs(np.log(h * width / (w * height))) > 0.05 for h, w in sizes)
        self.shape = (height, width, 3) if colour else (height, width)
        self.pixels = int(np.prod(self.shape))
        self._read = partial(looks.shaped, root=root, shape=(height, width), coloured=colour)
        self._kept: list[tuple[File, np.ndarray]] | None = None

    def batches(self, wanted: Sequence[bool]) -> Iterator[tuple[np.ndarray, list[File]]]:
        """Yield rows and their files, of those files that are wanted."""
        rows: list[np.ndarray] = []
        files: list[File] = []
        most = max(_BATCH // self.pixels, 1)
        take = {file.path for file, want in zip(self.files, wanted, strict=True) if want}
        for file, row in self._rows(take):
            if file.path in take:
                rows.append(row)
                files.append(file)
            if len(rows) == most:
                yield np.stack(rows), files
                rows, files = [], []
        if rows:
            yield np.stack(rows), files

    def _rows(self, take: set[bytes]) -> Iterator[tuple[File, np.ndarray]]:
        if self._kept is not None:
            self._clock.advance(len(self._kept))
            yield from self._kept
            return
        keep = len(self.files) * self.pixels <= _KEPT
        if keep:
            self._kept = list(self._decoded(self.files))
            yield from self._kept
        else:
            yield from self._decoded([file for file in self.files if file.path in take])

    def _decoded(self, files: list[File]) -> Iterator[tuple[File, np.ndarray]]:
        for file, found in self._look(self._read, files):
            if found.image is not None:
                yield file, found.image.ravel()
            elif (problem := looking.problem(file, found)) not in self.problems:
                self.problems.append(problem)


class _Judged:
    """The pictures by which fidelity is judged: the first of the fit, and the first that are not of it."""

    def __init__(self) -> None:
        self.rows: dict[bool, list[np.ndarray]] = {True: [], False: []}
        self.places: dict[bool, list[int]] = {True: [], False: []}

    def see(self, rows: np.ndarray, fitted: Sequence[bool], first: int) -> None:
        for i, (row, inside) in enumerate(zip(rows, fitted, strict=True), first):
            if len(self.rows[inside]) < _JUDGED:
                self.rows[inside].append(row)
                self.places[inside].append(i)


def _held(file: File, seed: int) -> float:
    """Place a file in [0, 1) by its name, so that no other file moves it."""
    digest = hashlib.blake2b(b"%d\0" % seed + file.path, digest_size=8).digest()
    return int.from_bytes(digest) / 2**64


def _levels(components: Sequence[int] | None, fitted: int, pixels: int) -> list[int]:
    most = min(fitted, pixels)
    if most < 1:
        raise InputError(f"components need 2 pictures in the fit at least, got {fitted}: lower --held-out")
    levels = sorted(set(components)) if components else [k for k in COMPONENTS if k <= most] or [most]
    if levels[-1] > most:
        raise InputError(
            f"--components must be at most {most} for {fitted:,} pictures of {pixels:,} pixels in the fit,"
            f" got {levels[-1]}"
        )
    room = 4 * most**2 + (fitted * pixels if fitted <= pixels else 0)
    if room > _ROOM:
        raise InputError(
            f"a decomposition must take {_ROOM / 1e9:.1f} GB at most, got {room / 1e9:.1f} GB for {fitted:,} pictures"
            f" of {pixels:,} pixels: use a smaller --side"
        )
    return levels


def _judge(kept: Packed, components: int, variance: float, judged: _Judged) -> Level:
    """Measure what comes back, of pictures of the fit and of others, as it would from the file."""
    means: dict[bool, tuple[Estimate | None, Estimate | None]] = {}
    for inside, rows in judged.rows.items():
        means[inside] = None, None
        if len(rows) >= 2:
            built = kept.rebuild(np.array(judged.places[inside]), components=components)
            pairs = [(row.reshape(kept.shape), image) for row, image in zip(rows, built, strict=True)]
            psnr = np.array([min(fidelity.psnr(a, b), _BEST_DB) for a, b in pairs])
            means[inside] = intervals.mean(psnr), intervals.mean(np.array([fidelity.ssim(a, b) for a, b in pairs]))
    raw = len(kept.names) * len(kept.mean)
    return Level(components, variance, kept.size(components), raw, *means[True], *means[False])


def _notes(source: _Source, count: int, fitted: int, held_out: float, judged: _Judged) -> list[str]:
    kind = "colour" if len(source.shape) == 3 else "grey"
    notes = [f"All pictures are brought to {source.shape[1]}x{source.shape[0]} pixels, {kind}; they come back so."]
    if source.squashed:
        notes.append(f"{source.squashed:,} of them have another shape and are squashed.")
    new = len(judged.rows[False])
    if new >= 2:
        judging = f"judged by {new:,} of them" if count - fitted > new else "judged by all of them"
        notes.append(f"{count - fitted:,} pictures were held out of the fit; what is new is {judging}.")
    else:
        notes.append(f"Too few pictures were held out ({held_out:g} of all) to say how new ones come back.")
    return notes


def _headline(found: Sequence[Level], count: int, shape: tuple[int, ...]) -> str:
    saving = [level for level in found if level.bytes_kept < level.bytes_raw]
    level = saving[-1] if saving else found[0]
    share = 100 * level.bytes_kept / level.bytes_raw
    text = (
        f"{count:,} pictures of {shape[1]}x{shape[0]}: {level.components} components keep "
        f"{100 * level.variance:.1f} % of the variance in {share:.0f} % of the bytes"
    )
    psnr, which = (level.psnr_new, "pictures not in the fit") if level.psnr_new else (level.psnr, "pictures of the fit")
    if psnr is not None:
        text += f"; {which} come back at {psnr.value:.1f} dB ({psnr.low:.1f} to {psnr.high:.1f})"
    return f"{text}." if saving else f"{text}: nothing is saved with so few pictures."


def _write(
    place: Path,
    root: Path,
    kept: Packed,
    fit: EigenPictures,
    found: Sequence[Level],
    judged: _Judged,
    notes: Sequence[str],
    problems: Sequence[Problem],
) -> list[str]:
    """Write the file, the mean picture, the figures and the report."""
    mean = np.asarray(np.clip(kept.mean * 255 + 0.5, 0, 255)).astype(np.uint8).reshape(kept.shape)
    levels = [level.components for level in found]
    rows = []
    for inside, title in ((True, "in the fit"), (False, "not in the fit")):
        for row, i in zip(judged.rows[inside][:_SHOWN], judged.places[inside], strict=False):
            original, at = row.reshape(kept.shape), np.array([i])
            built = [kept.rebuild(at, components=k)[0] for k in levels]
            captions = [
                f"{k} components\n{fidelity.psnr(original, b):.1f} dB" for k, b in zip(levels, built, strict=True)
            ]
            rows.append((f"{kept.names[i]}, {title}", [(original, "original"), *zip(built, captions, strict=True)]))
    first = [row.reshape(kept.shape) for row in fit.components_[:5]]
    figures = {
        "components.png": compression.components(mean, first, fit.explained_variance_ratio_),
        "rebuilt.png": compression.rebuilt(rows),
        "variance.png": compression.variance(fit.explained_variance_ratio_, levels),
    }
    curves = {
        name: points
        for name, points in (
            ("in the fit", [(x.components, x.psnr) for x in found if x.psnr]),
            ("not in the fit", [(x.components, x.psnr_new) for x in found if x.psnr_new]),
        )
        if points
    }
    if curves:
        figures["fidelity.png"] = compression.quality(curves)
    page = compression.document(
        root.resolve().name,
        _headline(found, len(kept.names), kept.shape),
        notes,
        figures=figures,
        levels=[
            (x.components, x.variance, x.bytes_kept, x.bytes_raw, x.psnr, x.ssim, x.psnr_new, x.ssim_new) for x in found
        ],
        left_out=[(p.path, p.status, p.reason) for p in problems],
    )
    try:
        pictures.write(place / MEAN, mean)
    except OSError as e:
        raise InputError(f"--out must be a folder that can be written to, got {e}") from e
    files = {PACKED: packed.pack(kept), **figures, REPORT: page.encode("utf-8", "surrogateescape")}
    for name, data in files.items():
        looking.write(place / name, data)
    return [str(place / name) for name in (REPORT, PACKED, MEAN, *figures)]
