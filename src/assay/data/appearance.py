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

_LONGEST = 768  # pixels of a side of the part that damage is measured on, in the middle, as it was stored


@dataclass(frozen=True, slots=True)
class Appearance:
    """What a file looks like.

    status, reason: "ok", or why there is no picture; sha256: of its content; width, height: pixels; hash: perceptual;
    view: uint8 (size, size, 3), the whole picture squashed; damage: float32 (d,) of `pixels.naturalness`; both None
    where there is no picture, or where they are known already.
    """

    status: str
    reason: str
    sha256: str = ""
    width: int = 0
    height: int = 0
    hash: int = 0
    view: np.ndarray | None = None
    damage: np.ndarray | None = None


def examine(file: File, *, root: str | bytes | os.PathLike[str], size: int, known: Collection[str] = ()) -> Appearance:
    """Read a file once.

    Args:
        file: as listed.
        root: folder that its path is below.
        size: pixels a side of the view.
        known: SHA-256 of content whose view and damage are not needed again.

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
    top, left = (max(length - _LONGEST, 0) // 2 for length in whole.shape[:2])
    damage = naturalness.measure(np.ascontiguousarray(whole[top : top + _LONGEST, left : left + _LONGEST]))
    return Appearance("ok", "", digest, head.width, head.height, alike, view, damage)
