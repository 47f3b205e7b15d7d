"""Compare: two pictures, or each two of a folder, in; how alike they are out, in numbers and as figures."""

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from pathlib import Path

import numpy as np

from ..data import folder, looks
from ..data.folder import File, Problem
from ..errors import InputError, PictureError
from ..pixels import fidelity, geometry
from ..report import likeness, record
from ..workers.clock import Clock
from . import looking

REPORT, TABLE, MATRIX, EXTREMES, FIGURE = "report.html", "pairs.csv", "matrix.png", "pairs.png", "comparison.png"
WHICH = ("all", "nearest")
_MOST = 1000  # pictures of which all pairs are scored: half a million
_CANDIDATES = 10  # pictures that are scored to find the nearest one
_SMALL = 32  # side in pixels of the copies by which candidates are found
_WHOLE = 1 << 14  # pixels of a side that no picture exceeds
_SHOWN = 4  # pairs at each end that are shown
_LEAST_MS = 161  # pixels that the shorter side must have for MS-SSIM


@dataclass(frozen=True, slots=True)
class Pair:
    """How alike two pictures are, compared at height by width pixels.

    ssim: -1 to 1, 1 being the same; ms_ssim: 0 to 1, of two single pictures only, None where they are too small;
    mse: squared grey levels of 0 to 255; psnr: in dB, infinite where they are the same; resized: in words, what was
    made smaller, or "".
    """

    first: str
    second: str
    ssim: float
    ms_ssim: float | None
    mse: float
    psnr: float
    height: int
    width: int
    resized: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """How alike pictures are, most alike first.

    pictures: how many were compared; pairs: that were scored and are listed; window: of SSIM; notes: how it was done;
    problems: files that could not be compared; written: the files that were made.
    """

    headline: str
    pictures: int
    pairs: list[Pair]
    window: str
    notes: list[str]
    problems: list[Problem]
    written: list[str]
    seconds: float

    def _repr_html_(self) -> str:
        return record.as_html(self)


def compare(
    paths: Sequence[str | os.PathLike[str]],
    *,
    out: str | os.PathLike[str] | None = None,
    pairs: str = "all",
    window: str = "gaussian",
    colour: bool = False,
    side: int = 256,
    processes: int | None = None,
    tell: Callable[[str], None] = lambda _: None,
    stop: Callable[[], bool] = lambda: False,
) -> Comparison:
    """Say how alike two pictures are, or the pictures of a folder.

    Two pictures of different size are compared at the smaller height and the smaller width of the two: what is larger
    is made smaller, nothing is enlarged.

    Args:
        paths: of two pictures, or of one folder.
        out: where report, table and figures go; for a folder `./<name>.compared` by default, for two pictures nowhere.
        pairs: of a folder, "all", or "nearest": for each picture the one most like it.
        window: of SSIM, "gaussian" or "uniform", as in `pixels.fidelity.ssim`.
        colour: compare the channels; else the pictures are made grey.
        side: pixels that the longer side of a folder's pictures is shrunk to, >= 11. Two pictures are compared whole.
        processes: that read pictures; as many as processors by default.
        tell: shows a line about progress.
        stop: asked between steps; True ends the work.

    Returns:
        The pairs, most alike first.

    Raises:
        InputError: an option is not allowed, there are not two pictures, or `out` cannot be written to.
        PictureError: one of two single pictures cannot be read.
        KeyboardInterrupt: stop said True.
    """
    if window not in fidelity.WINDOWS:
        raise InputError(f"window must be one of {', '.join(fidelity.WINDOWS)}, got {window!r}")
    if pairs not in WHICH:
        raise InputError(f"pairs must be one of {', '.join(WHICH)}, got {pairs!r}")
    if side < fidelity.WINDOWS[window].size:
        raise InputError(f"side must be >= {fidelity.WINDOWS[window].size}, got {side!r}")
    began, clock = time.monotonic(), Clock({"reading": 1.0, "comparing": 1.0}, tell=tell)
    if len(paths) == 2:
        a, b = map(Path, paths)
        return _two(a, b, out, window=window, colour=colour, clock=clock, stop=stop, began=began)
    if len(paths) != 1 or not Path(paths[0]).is_dir():
        given = ", ".join(map(str, paths)) or "nothing"
        raise InputError(f"compare needs two pictures or one folder, got {given}")
    root = Path(paths[0])
    place = looking.out_folder(root, out, ending="compared")
    names, images, problems = _read(root, window, colour=colour, side=side, processes=processes, clock=clock, stop=stop)
    if len(images) < 2:
        raise InputError(f"a comparison needs 2 pictures, got {len(images)} in {root}")
    if pairs == "all" and len(images) > _MOST:
        raise InputError(f"all pairs need {_MOST:,} pictures at most, got {len(images):,}: use --pairs nearest")
    exact = len(images) <= _MOST
    wanted = list(combinations(range(len(images)), 2)) if exact else _candidates(images)
    clock.begin("comparing", len(wanted))
    scored = list(_score(wanted, names, images, window=window, clock=clock, stop=stop))
    clock.finish()
    best = dict.fromkeys(_nearest(wanted, scored) if pairs == "nearest" else range(len(wanted)))
    chosen = sorted(best, key=lambda i: -scored[i].ssim)
    notes = [f"{_method(window, colour=colour)}, on copies whose longer side is {side} pixels at most."]
    if any(scored[i].resized for i in chosen):
        notes.append("Of two pictures of different size the larger is made smaller; nothing is enlarged.")
    if not exact:
        notes.append(f"The nearest picture is the most alike of {_CANDIDATES} candidates, found on copies of 32x32.")
    result = Comparison(
        _headline([scored[i] for i in chosen], len(images), pairs),
        len(images),
        [scored[i] for i in chosen],
        window,
        notes,
        problems,
        [str(place / name) for name in (REPORT, TABLE, EXTREMES, *([MATRIX] if pairs == "all" else []))],
        time.monotonic() - began,
    )
    _write(place, root, result, [wanted[i] for i in chosen], names, images, whole=pairs == "all")
    return result


def _read(
    root: Path,
    window: str,
    *,
    colour: bool,
    side: int,
    processes: int | None,
    clock: Clock,
    stop: Callable[[], bool],
) -> tuple[list[str], list[np.ndarray], list[Problem]]:
    """Read the pictures of a folder that a window fits into."""
    listing, size = folder.walk(root), fidelity.WINDOWS[window].size
    clock.begin("reading", len(listing.files))
    read = partial(looks.fitted, root=root, side=side, coloured=colour)
    names, images, problems = [], [], []
    for file, found in looking.look(read, listing.files, processes=processes, clock=clock, stop=stop):
        if found.image is None:
            problems.append(looking.problem(file, found))
        elif min(found.image.shape[:2]) < size:
            reason = f"{size} pixels a side is the least at {side} pixels, got {_size(found.image)}"
            problems.append(Problem(os.fsdecode(file.path), "too small", reason))
        else:
            names.append(os.fsdecode(file.path))
            images.append(found.image)
    return names, images, problems


def _two(
    a: Path,
    b: Path,
    out: str | os.PathLike[str] | None,
    *,
    window: str,
    colour: bool,
    clock: Clock,
    stop: Callable[[], bool],
    began: float,
) -> Comparison:
    """Compare two single pictures, whole."""
    for path in (a, b):
        if not path.is_file():
            raise InputError(f"compare needs two pictures or one folder, got no picture at {path}")
    place = None if out is None else looking.out_folder(a, out, ending="compared")
    files = [File(os.fsencode(path.resolve()), 0, 0) for path in (a, b)]
    clock.begin("reading", 2)
    read = partial(looks.fitted, root=Path(), side=_WHOLE, coloured=colour)
    images = []
    for file in files:  # one at a time, since they may be one file
        for _, found in looking.look(read, [file], processes=1, clock=clock, stop=stop):
            if found.image is None:
                raise PictureError(f"{found.status}: {found.reason}, in {os.fsdecode(file.path)}")
            images.append(found.image)
    clock.begin("comparing", 1)
    p, q, resized = _alike(*images, names=(str(a), str(b)))
    pair = _pair((str(a), str(b)), p, q, resized, window=window)
    if min(p.shape[:2]) >= _LEAST_MS:
        pair = Pair(**{name: getattr(pair, name) for name in Pair.__slots__} | {"ms_ssim": fidelity.ms_ssim(p, q)})
    clock.finish()
    notes = [f"{_method(window, colour=colour)}."]
    notes += [f"{resized}; nothing is enlarged."] if resized else []
    written = []
    if place is not None:
        alike = fidelity.ssim_map(p, q, window=window)
        drawn = likeness.difference(p, q, alike, names=(pair.first, pair.second), mse=pair.mse, ssim=pair.ssim)
        looking.write(place / FIGURE, drawn)
        written.append(str(place / FIGURE))
    headline = f"SSIM {pair.ssim:.4f} (1 is the same), mean squared error {pair.mse:.2f} grey levels squared, " + (
        "the same pixels." if pair.mse == 0 else f"PSNR {pair.psnr:.2f} dB."
    )
    return Comparison(headline, 2, [pair], window, notes, [], written, time.monotonic() - began)


def _alike(p: np.ndarray, q: np.ndarray, *, names: tuple[str, str]) -> tuple[np.ndarray, np.ndarray, str]:
    """Bring two pictures to the smaller height and width of the two, and say so."""
    if p.shape == q.shape:
        return p, q, ""
    shape = min(p.shape[0], q.shape[0]), min(p.shape[1], q.shape[1])
    said = [f"{n} from {_size(x)}" for n, x in zip(names, (p, q), strict=True) if x.shape[:2] != shape]
    p, q = (geometry.reshape(x, shape=shape) for x in (p, q))
    return p, q, f"Compared at {_size(p)}: {' and '.join(said)}"


def _pair(names: tuple[str, str], p: np.ndarray, q: np.ndarray, resized: str, *, window: str) -> Pair:
    ssim, mse, psnr = fidelity.ssim(p, q, window=window), fidelity.mse(p, q), fidelity.psnr(p, q)
    return Pair(*names, ssim, None, mse, psnr, p.shape[0], p.shape[1], resized)


def _score(
    wanted: Sequence[tuple[int, int]],
    names: Sequence[str],
    images: Sequence[np.ndarray],
    *,
    window: str,
    clock: Clock,
    stop: Callable[[], bool],
) -> Iterator[Pair]:
    """Score pairs in their order; the kernel lets go of Python's lock, so threads share the work."""

    def score(pair: tuple[int, int]) -> Pair:
        both = names[pair[0]], names[pair[1]]
        return _pair(both, *_alike(images[pair[0]], images[pair[1]], names=both), window=window)

    fidelity.ssim(images[0], images[0], window=window)  # compiled once, before threads ask for it
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        for start in range(0, len(wanted), 1024):
            if stop():
                raise KeyboardInterrupt
            yield from pool.map(score, wanted[start : start + 1024])
            clock.advance(len(wanted[start : start + 1024]))


def _candidates(images: Sequence[np.ndarray]) -> list[tuple[int, int]]:
    """Pair each picture with those whose small copies correlate best with its own."""
    small = np.array([geometry.reshape(x, shape=(_SMALL, _SMALL)).ravel() for x in images], np.float32)
    small -= small.mean(axis=1, keepdims=True)
    small /= np.maximum(np.linalg.norm(small, axis=1, keepdims=True), 1e-6)
    found = set()
    for start in range(0, len(small), 512):
        close = small[start : start + 512] @ small.T
        close[np.arange(len(close)), start + np.arange(len(close))] = -np.inf
        keep = min(_CANDIDATES, len(small) - 1)
        for i, row in enumerate(np.argpartition(-close, keep - 1, axis=1)[:, :keep].tolist(), start):
            found |= {(min(i, j), max(i, j)) for j in row}
    return sorted(found)


def _nearest(wanted: Sequence[tuple[int, int]], scored: Sequence[Pair]) -> Iterator[int]:
    """Tell which pairs hold the nearest picture of either of the two."""
    best: dict[int, int] = {}
    for i, pair in enumerate(wanted):
        for picture in pair:
            if picture not in best or scored[i].ssim > scored[best[picture]].ssim:
                best[picture] = i
    yield from sorted(set(best.values()))


def _headline(pairs: Sequence[Pair], pictures: int, which: str) -> str:
    first, last = pairs[0], pairs[-1]
    counted = f"{len(pairs):,} pairs of" if which == "all" else "The nearest of each of"
    return (
        f"{counted} {pictures:,} pictures. Most alike: {first.first} and {first.second}, SSIM {first.ssim:.3f}; "
        f"least: {last.first} and {last.second}, {last.ssim:.3f}."
    )


def _write(
    place: Path,
    root: Path,
    result: Comparison,
    chosen: Sequence[tuple[int, int]],
    names: Sequence[str],
    images: Sequence[np.ndarray],
    *,
    whole: bool,
) -> None:
    """Write the table, the figures and the page of a folder's pairs."""
    columns = [name for name in Pair.__slots__ if name != "ms_ssim"]
    rows = [[getattr(pair, name) for name in columns] for pair in result.pairs]
    looking.write(place / TABLE, record.as_csv(columns, rows).encode())

    def shown(places: Iterable[int]) -> list[tuple[np.ndarray, np.ndarray, str]]:
        return [(images[chosen[i][0]], images[chosen[i][1]], _caption(result.pairs[i])) for i in places]

    count = min(_SHOWN, len(chosen))
    rest = range(len(chosen) - 1, max(count, len(chosen) - _SHOWN) - 1, -1)
    figures = {EXTREMES: likeness.ends(shown(range(count)), shown(rest))}
    if whole:
        values = np.eye(len(names))
        for (i, j), pair in zip(chosen, result.pairs, strict=True):
            values[i, j] = values[j, i] = pair.ssim
        figures[MATRIX] = likeness.squares(values, names)
    for name, drawn in figures.items():
        looking.write(place / name, drawn)
    text = likeness.document(
        root.resolve().name,
        result.headline,
        result.notes,
        ends=figures[EXTREMES],
        squares=figures.get(MATRIX),
        pairs=[(p.first, p.second, p.ssim, p.mse, p.psnr, p.resized) for p in result.pairs],
        left_out=[(p.path, p.status, p.reason) for p in result.problems],
    )
    looking.write(place / REPORT, text.encode("utf-8", "surrogateescape"))


def _method(window: str, *, colour: bool) -> str:
    size = fidelity.WINDOWS[window].size
    return f"SSIM under the {window} window of {size}x{size} pixels, in {'colour' if colour else 'grey'}"


def _caption(pair: Pair) -> str:
    return f"SSIM {pair.ssim:.3f}  MSE {pair.mse:,.0f}\n{pair.first}\n{pair.second}"


def _size(image: np.ndarray) -> str:
    return f"{image.shape[1]}x{image.shape[0]}"
