"""Augment: more pictures on disk than there were, each with an account of where it came from and what was changed."""

import json
import os
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ..data import delivery, folder, pictures, variants
from ..data.folder import Problem
from ..data.workspace import fingerprint
from ..errors import InputError
from ..pixels import recipes
from ..pixels.recipes import Recipe
from ..report import gallery, record
from ..workers import local
from ..workers.clock import Clock
from . import sources

NOTE, TABLE, PREVIEW = "recipe.json", "provenance.csv", "preview.png"
FORMATS = ("same", "jpg", "png")
_TOGETHER = 8  # variants made from one decode
_SECONDS = 60.0  # that they may take
_PREVIEW = (6, 5)  # pictures, and variants of each


@dataclass(frozen=True, slots=True)
class Augmented:
    """What was made.

    sources: pictures it was made from; written: pictures in `out`, by label ("" where there is none); left_out:
    pictures that may not be used, by reason; skipped: entries passed over, by reason; problems: files that are no
    pictures; notes: what a reader should know.
    """

    folder: str
    out: str
    recipe: Recipe
    seed: int
    sources: int
    written: dict[str, int]
    left_out: dict[str, int]
    skipped: dict[str, int]
    problems: list[Problem]
    notes: list[str]
    table: str
    preview: str
    seconds: float

    def _repr_html_(self) -> str:
        return record.as_html(self)


def augment(
    path: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    count: int,
    recipe: str | os.PathLike[str] | Mapping[str, Any] | Recipe = "gentle",
    per_class: bool = False,
    balance: bool = False,
    split: str | os.PathLike[str] | None = None,
    format: str = "same",  # noqa: A002 - the word for it
    quality: int = 95,
    seed: int = 0,
    processes: int | None = None,
    tell: Callable[[str], None] = lambda _: None,
    stop: Callable[[], bool] = lambda: False,
) -> Augmented:
    """Write changed copies of the pictures of a folder, of its training pictures where a split is known.

    Every picture is used once before any is used twice. The bytes of each file are a function of its source, the
    recipe, the seed and its index: not of the number of processes. A command that was stopped goes on where it was.

    Args:
        path: the folder: of pictures, of classes, or of train, val and test; it is never written to.
        out: the folder to make; files lie in it as their sources lie in `path`.
        count: pictures to write.
        recipe: "gentle", "seven", a JSON file that holds a recipe, or a recipe.
        per_class: count is of each class.
        balance: share count out so that the classes, with what they had, are as even as can be.
        split: a workspace of `run`: only what trained there is used.
        format: "jpg", "png", or "same": JPEG for JPEG, PNG for all others.
        quality: of JPEGs, 1 to 100.
        seed: of everything random, >= 0.
        processes: that make pictures; as many as processors by default.
        tell: shows a line about progress.
        stop: asked between pictures; True ends after those under way.

    Returns:
        What was made, with provenance.csv (file, source, label, transforms, seed, index), preview.png and recipe.json
        beside the pictures.

    Raises:
        InputError: a value is not allowed, count is too small for every picture to be used, out holds other things or
            cannot be written, the split is not known, or no picture can be read.
        KeyboardInterrupt: stop said True; everything written so far is kept.
    """
    began, root, place = time.monotonic(), Path(path), Path(out)
    processes = len(os.sched_getaffinity(0)) if processes is None else processes
    _check(root, place, count, format, quality, seed, processes)
    chosen = _recipe(recipe)
    listing = folder.walk(root)
    run = partial(local.run, processes=processes, seconds=_SECONDS, stop=stop)
    usable = sources.training(root, listing.files, split=None if split is None else Path(split), seed=seed, run=run)
    pools = sources.pools(usable, count, per_class=per_class, balance=balance)
    label = {f.path: own for f, own in zip(usable.files, usable.labels, strict=True)}
    plan = [[(f.path, f.bytes, f.mtime_ns) for f in usable.files], count, per_class, balance, format, quality]
    _begin(place, {"recipe": chosen, "seed": seed, "count": count, "plan": fingerprint(plan)})

    clock = Clock({"augmenting": count / 200}, tell=tell)
    clock.begin("augmenting", sum(pool.count for pool in pools))
    make = partial(variants.make, root=root, out=place, recipe=chosen, seed=seed, quality=quality)
    bad: dict[bytes, Problem] = {}
    table: list[tuple[Any, ...]] = []
    for pool in pools:
        extension = partial(_extension, format_=format)
        found = _filled(pool, len(table), extension, seed, bad, partial(run, make, chunk=2), clock)
        if stop():
            raise KeyboardInterrupt
        table += [(os.fsdecode(name), os.fsdecode(s), label[s], text, seed, i) for i, name, s, text in found]
    clock.finish()
    header = ["file", "source", "label", "transforms", "seed", "index"]
    _replace(place / TABLE, record.as_csv(header, table).encode())
    _replace(place / PREVIEW, _preview(root, place, table))
    return Augmented(
        folder=str(root),
        out=str(place),
        recipe=chosen,
        seed=seed,
        sources=len({row[1] for row in table}),
        written=dict(sorted(Counter(str(row[2]) for row in table).items())),
        left_out=usable.left_out,
        skipped=dict(listing.skipped),
        problems=[bad[name] for name in sorted(bad)],
        notes=usable.notes,
        table=str(place / TABLE),
        preview=str(place / PREVIEW),
        seconds=time.monotonic() - began,
    )


def _check(root: Path, out: Path, count: int, format_: str, quality: int, seed: int, processes: int) -> None:
    if count < 1 or processes < 1 or seed < 0:
        raise InputError(f"count and processes must be >= 1 and seed >= 0, got {count!r}, {processes!r} and {seed!r}")
    if format_ not in FORMATS or not 1 <= quality <= 100:
        raise InputError(f"format must be one of {', '.join(FORMATS)}, quality 1 to 100, got {format_!r}, {quality!r}")
    a, b = root.resolve(), out.resolve()
    if a == b or a in b.parents or b in a.parents:
        raise InputError(f"OUT must lie outside of IN, got {out} for {root}: what is made would be read as what was")


def _recipe(given: str | os.PathLike[str] | Mapping[str, Any] | Recipe) -> Recipe:
    if isinstance(given, Recipe):
        return given
    if isinstance(given, Mapping):
        return recipes.read(given)
    if str(given) in recipes.RECIPES:
        return recipes.RECIPES[str(given)]
    try:
        values = json.loads(Path(given).read_text())
    except (OSError, ValueError) as e:
        names = ", ".join(recipes.RECIPES)
        raise InputError(f"recipe must be {names} or a JSON file, got {os.fspath(given)!r}: {e}") from e
    if not isinstance(values, dict):
        raise InputError(f"a recipe must be a JSON object, got {type(values).__name__} in {os.fspath(given)}")
    return recipes.read(values)


def _begin(place: Path, note: dict[str, Any]) -> None:
    """Make the folder, or see that it was begun by the same command."""
    text = record.as_json(note)
    try:
        if place.exists() and (not place.is_dir() or any(p.name != NOTE for p in place.iterdir())):
            begun = place / NOTE
            if not begun.is_file() or begun.read_text() != text:
                raise InputError(f"OUT must be new, empty or begun by the same command, got {place} with other things")
        place.mkdir(parents=True, exist_ok=True)
    except OSError as e:
        raise InputError(f"OUT must be writable, got {e}") from e
    _replace(place / NOTE, text.encode())


def _filled(
    pool: sources.Pool,
    start: int,
    extension: Callable[[bytes], str],
    seed: int,
    bad: dict[bytes, Problem],
    run: Callable[[list[variants.Order]], Iterable[Any]],
    clock: Clock,
) -> list[tuple[int, bytes, bytes, str]]:
    """Make the variants of a pool: index, file, source and changes. What a bad file leaves open goes to the others."""
    order = np.random.default_rng([seed, start, len(pool.files)]).permutation(len(pool.files))
    files = [pool.files[i].path for i in order]
    made: dict[int, tuple[bytes, bytes, str]] = {}
    wanted = list(range(start, start + pool.count))
    while wanted:
        files = [f for f in files if f not in bad]
        if not files:
            reasons = "; ".join(sorted({p.reason for p in bad.values()}))[:200]
            raise InputError(f"there must be a picture that can be read, got none of {len(pool.files)}: {reasons}")
        shared = {f: wanted[k :: len(files)] for k, f in enumerate(files)}
        named = {i: _name(f, i, extension(f)) for f, indices in shared.items() for i in indices}
        orders = [
            variants.Order(f, tuple((i, named[i]) for i in indices[k : k + _TOGETHER]))
            for f, indices in shared.items()
            for k in range(0, len(indices), _TOGETHER)
        ]
        failed: set[bytes] = set()
        for results in run(orders):
            for task, result in results:
                if result.status == "unwritable":
                    raise InputError(f"OUT must be writable, with room on its disk, got {result.reason}")
                if result.status != "ok":
                    failed.add(task.source)
                    bad[task.source] = Problem(os.fsdecode(task.source), result.status, result.reason)
                    continue
                made |= {i: (named[i], task.source, text) for i, text in result.changes.items()}
                clock.advance(len(result.changes))
        if not failed:
            break  # all is made, or a stop was asked for
        wanted = [i for i in wanted if i not in made]
    return [(i, *made[i]) for i in sorted(made)]


def _extension(file: bytes, format_: str) -> str:
    """Say which suffix a variant has."""
    jpeg = file.rpartition(b".")[2].lower() in {b"jpg", b"jpeg", b"jpe", b"mpo"}
    return {"jpg": ".jpg", "png": ".png", "same": ".jpg" if jpeg else ".png"}[format_]


def _name(source: bytes, index: int, extension: str) -> bytes:
    """Put a variant where its source lies, under a name that harms nobody and that no other variant has."""
    above, _, name = source.rpartition(b"/")
    stem = re.sub(r"[^\w.-]+", "_", os.fsdecode(name.rpartition(b".")[0] or name))[:80].lstrip(".-")
    own = f"{stem or 'picture'}-{index:06d}{extension}".encode("utf-8", "replace")
    return above + b"/" + own if above else own


def _preview(root: Path, out: Path, table: Sequence[tuple[str, ...]]) -> bytes:
    """Set a few pictures beside what was made of them."""
    of: dict[str, list[tuple[str, ...]]] = {}
    for row in table:
        of.setdefault(row[1], []).append(row)
    several = sorted(of, key=lambda source: (-min(len(of[source]), _PREVIEW[1]), of[source][0][-1]))[: _PREVIEW[0]]
    tiles: list[np.ndarray | None] = []
    captions: list[str] = []
    columns = min(_PREVIEW[1], max((len(of[source]) for source in several), default=0)) + 1
    for source in several:
        some = of[source][: columns - 1]
        places = [root / source, *(out / row[0] for row in some)]
        tiles += [pictures.read(p, shorter=160) for p in places] + [None] * (columns - len(places))
        captions += [Path(source).name, *(_briefly(row[3]) for row in some)] + [""] * (columns - len(places))
    return gallery.grid(tiles, captions=captions, columns=columns)


def _briefly(changes: str) -> str:
    """Name changes without their values, and each family once."""
    names = [change.partition(" ")[0].rpartition("_")[2] for change in changes.split("; ")]
    return ", ".join(dict.fromkeys(names)) if changes else "unchanged"


def _replace(path: Path, data: bytes) -> None:
    """Write a file, whole or not at all."""
    try:
        delivery.swap(path, data)
    except OSError as e:
        raise InputError(f"OUT must be writable, with room on its disk, got {e}") from e
