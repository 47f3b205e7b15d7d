"""One file in, one row of the table out, from one read of its bytes. Runs in a worker, so it imports no table."""

import hashlib
import math
import os
from dataclasses import astuple, dataclass
from pathlib import Path

import cv2
import numpy as np

from ..errors import PictureError
from ..pixels import augment, colour, geometry, hashes
from ..pixels.facts import facts
from ..pixels.recipes import Recipe
from . import pictures
from .folder import File

SHORTER = 160  # pixels that the shorter side of the picture for facts, hash and thumbnail has at least


@dataclass(frozen=True, slots=True)
class Variants:
    """How many changed views of a picture there are to be beside the plain one, by which recipe, with which seed."""

    count: int
    recipe: Recipe
    seed: int


@dataclass(frozen=True, slots=True)
class Row:
    """What one read of a file found; columns as in data.table, and the views that the network is to see."""

    columns: dict[str, object]
    views: np.ndarray | None  # uint8 (views, size, size, 3)
    small: np.ndarray | None = None  # the picture, reduced, until it is described


def examine(file: File, *, root: Path, size: int | None = None, tiles: bool = False) -> Row:
    """Read a file once and find out everything about it.

    Args:
        file: as listed.
        root: folder that its path is below.
        size: side in pixels of the views for the network; None for none.
        tiles: also make the 3 x 3 half-overlapping tiles.

    Returns:
        The row. A file that is no good has its status and reason in it, and no facts.
    """
    return describe(read(file, root=root, size=size, tiles=tiles))


def read(
    file: File, *, root: Path, size: int | None = None, tiles: bool = False, variants: Variants | None = None
) -> Row:
    """Read a file once, and decode its picture as small as will do.

    Args:
        file: as listed.
        root: folder that its path is below.
        size: side in pixels of the views for the network; None for none.
        tiles: also make the 3 x 3 half-overlapping tiles.
        variants: also make changed views, which depend on the content of the file and on this alone.

    Returns:
        The row, whose picture is still to be described. A file that is no good has its status and reason in it.
    """
    cv2.setNumThreads(1)
    columns: dict[str, object] = {"path": file.path, "bytes": file.bytes, "mtime_ns": file.mtime_ns}
    columns["key"] = key(file.path, "")
    try:
        data, status = pictures.read_bytes(os.path.join(os.fsencode(root), file.path))  # noqa: PTH118 - bytes paths
    except pictures.FAULTS as e:
        return _none(columns, e)
    digest = hashlib.sha256(data).hexdigest()
    columns |= {"bytes": len(data), "mtime_ns": status.st_mtime_ns, "sha256": digest, "key": key(file.path, digest)}
    try:
        head = pictures.header(data)
        columns |= {"format": head.format, "mode": head.mode, "width": head.width, "height": head.height}
        columns |= {"orientation": head.orientation, "taken": head.taken, "notes": _notes(head, file.path)}
        small = colour.to_uint8(pictures.decode(data, head, shorter=SHORTER))
        views = None if size is None else _views(data, head, small, size=size, tiles=tiles)
        if views is not None and size is not None and variants is not None:
            views = np.concatenate([views, _varied(data, head, digest, variants, size=size)])
    except PictureError as e:
        return _none(columns, e)
    return Row({**columns, "status": "ok", "reason": ""}, views, small)


def _none(columns: dict[str, object], error: OSError | PictureError) -> Row:
    status, reason = pictures.fault(error)
    return Row({**columns, "status": status, "reason": reason}, None)


def describe(row: Row) -> Row:
    """Find out what a picture looks like: its facts, its hash, its thumbnail.

    Args:
        row: as `read` returned it.

    Returns:
        The whole row; one without a picture comes back as it is.
    """
    if row.small is None:
        return row
    grey = colour.grey(row.small)
    found = {
        "facts": astuple(facts(row.small, grey=grey)),
        "hash": hashes.perceptual(grey),
        "thumbnail": pictures.thumbnail(row.small),
    }
    return Row(row.columns | found, row.views)


def key(path: bytes, sha256: str) -> str:
    """Name a row: half of the hash of the content, then half of the hash of the path.

    Args:
        path: below the folder.
        sha256: of the content; "" where it could not be read.

    Returns:
        64 characters.
    """
    return (sha256[:32] or "-" * 32) + hashlib.sha256(path).hexdigest()[:32]


def _views(data: bytes, head: pictures.Header, small: np.ndarray, *, size: int, tiles: bool) -> np.ndarray:
    """Make what the network sees: the whole picture squashed to a square, and its tiles."""
    shorter = 2 * size if tiles else size
    enough = min(small.shape[:2]) >= shorter or small.shape[:2] == (head.height, head.width)
    image = small if enough else colour.to_uint8(pictures.decode(data, head, shorter=shorter))
    image = colour.rgb(image)
    parts = [image, *(geometry.tiles(image, count=3) if tiles else [])]
    return np.stack([geometry.square(part, size=size) for part in parts])


def _varied(data: bytes, head: pictures.Header, digest: str, variants: Variants, *, size: int) -> np.ndarray:
    """Make changed views: the whole picture squashed to a square no smaller than the recipe enlarges, then one warp."""
    side = math.ceil(size * variants.recipe.enlarges())
    square = colour.rgb(geometry.square(colour.to_uint8(pictures.decode(data, head, shorter=side)), size=side))
    first = int(digest[:12], 16) * variants.count
    draws = [
        augment.draw(variants.recipe, rng=augment.generator(seed=variants.seed, index=first + i))
        for i in range(variants.count)
    ]
    made = [augment.apply(square, drawn, size=(size, size)) for drawn in draws]
    return np.stack(made) if made else np.zeros((0, size, size, 3), np.uint8)


def _notes(head: pictures.Header, path: bytes) -> list[str]:
    """Add to a header's notes that the name promises another format."""
    suffix = path.rpartition(b".")[2].lower() if b"." in path else b""
    promised = {b"jpg": "JPEG", b"jpeg": "JPEG", b"tif": "TIFF", b"heic": "HEIF", b"jpe": "JPEG", b"mpo": "JPEG"}.get(
        suffix, suffix.decode("ascii", "replace").upper()
    )
    known = {"JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF"}
    wrong = promised in known and head.format in known and promised != head.format
    return [*head.notes, *([f"name says {promised}, content is {head.format}"] if wrong else [])]
