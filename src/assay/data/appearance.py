"""One file in, all that a rating looks at out, from one read. Runs in a worker, so it imports no network."""

import hashlib
import os
from collections.abc import Collection
from dataclasses import dataclass

import cv2
import numpy as np

from ..pixels import colour, geometry, hashes, naturalness
from . import pictures
from .folder import File

_SHIFT = 16  # views are moved by so small a part of their side at most
_LONGEST = 768  # pixels of a side of the part that damage is measured on, in the middle, as it was stored


@dataclass(frozen=True, slots=True)
class Appearance:
    """What a file looks like.

    status, reason: "ok", or why there is no picture; sha256: of its content; width, height: pixels; hash: perceptual;
    views: uint8 (1 or more, size, size, 3), the whole picture squashed, and then mirrored and shifted; damage: float32
    (d,) of `pixels.naturalness`; both None where there is no picture, or where they are known or not wanted.
    """

    status: str
    reason: str
    sha256: str = ""
    width: int = 0
    height: int = 0
    hash: int = 0
    views: np.ndarray | None = None
    damage: np.ndarray | None = None


def examine(
    file: File,
    *,
    root: str | bytes | os.PathLike[str],
    size: int,
    known: Collection[str] = (),
    measured: Collection[str] = (),
    damage: bool = True,
    moved: int = 0,
    seed: int = 0,
) -> Appearance:
    """Read a file once.

    Args:
        file: as listed.
        root: folder that its path is below.
        size: pixels a side of a view.
        known: SHA-256 of content whose views and damage are not needed again.
        measured: SHA-256 of content whose damage alone is not needed again.
        damage: whether to measure it at all.
        moved: views to make beside the plain one.
        seed: of these; they depend on it and the content of the file alone.

    Returns:
        What it looks like; a file that is no picture, or smaller than 32 x 32 pixels, has its status and reason.
    """
    cv2.setNumThreads(1)
    try:
        data, _ = pictures.read_bytes(os.path.join(os.fsencode(root), file.path))  # noqa: PTH118 - bytes paths
        digest = hashlib.sha256(data).hexdigest()
        head = pictures.header(data)
        if min(head.width, head.height) < naturalness.SIDE:
            least, had = naturalness.SIDE, f"{head.width} x {head.height}"
            return Appearance("refused", f"a picture must have {least} x {least} pixels, got {had}", digest)
        whole = colour.to_uint8(pictures.decode(data, head, shorter=size if digest in known else None))
    except pictures.FAULTS as e:
        return Appearance(*pictures.fault(e))
    alike = hashes.perceptual(colour.grey(whole))
    if digest in known:
        return Appearance("ok", "", digest, head.width, head.height, alike)
    view = geometry.square(colour.rgb(whole), size=size)
    views = np.stack([view, *_moved(view, moved, rng=np.random.default_rng([seed, int(digest[:12], 16)]))])
    found = None
    if damage and digest not in measured:
        top, left = (max(length - _LONGEST, 0) // 2 for length in whole.shape[:2])
        found = naturalness.measure(np.ascontiguousarray(whole[top : top + _LONGEST, left : left + _LONGEST]))
    return Appearance("ok", "", digest, head.width, head.height, alike, views, found)


def _moved(view: np.ndarray, count: int, *, rng: np.random.Generator) -> list[np.ndarray]:
    """Shift a view by whole pixels, and mirror every other one: what changes nothing that people would rate."""
    reach = view.shape[0] // _SHIFT
    framed = np.pad(view, ((reach, reach), (reach, reach), (0, 0)), "reflect")
    shifts = rng.integers(0, 2 * reach + 1, (count, 2))
    parts = [framed[y : y + view.shape[0], x : x + view.shape[1]] for y, x in shifts]
    return [part[:, ::-1] if i % 2 == 0 else part for i, part in enumerate(parts)]
