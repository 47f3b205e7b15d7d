"""One file in, its picture out as an array of a given kind, small enough to hold many. Runs in a worker."""

import os
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from ..pixels import colour, geometry
from . import pictures
from .folder import File


@dataclass(frozen=True, slots=True)
class Look:
    """What a file holds: its picture, uint8, or None and why; height and width are those of the file's picture."""

    image: np.ndarray | None
    height: int
    width: int
    status: str = "ok"
    reason: str = ""


def measure(file: File, *, root: Path) -> Look:
    """Read the size of a picture from its header.

    Args:
        file: as listed.
        root: folder that its path is below.

    Returns:
        Its size, without its pixels; or why there is none.
    """
    return _look(file, root, None, 0, coloured=False)


def fitted(file: File, *, root: Path, side: int, coloured: bool) -> Look:
    """Read a picture, shrunk until its longer side fits.

    Args:
        file: as listed.
        root: folder that its path is below.
        side: pixels of its longer side, at most.
        coloured: (H, W, 3), else (H, W).

    Returns:
        The picture; or why there is none.
    """
    return _look(file, root, None, side, coloured=coloured)


def shaped(file: File, *, root: Path, shape: tuple[int, int], coloured: bool) -> Look:
    """Read a picture and bring it to a size: sides that shrink are averaged, sides that grow are interpolated.

    Args:
        file: as listed.
        root: folder that its path is below.
        shape: height and width in pixels; the picture is squashed into them, nothing is cut off.
        coloured: (H, W, 3), else (H, W).

    Returns:
        The picture; or why there is none.
    """
    return _look(file, root, shape, max(shape), coloured=coloured)


def _look(file: File, root: Path, shape: tuple[int, int] | None, side: int, *, coloured: bool) -> Look:
    cv2.setNumThreads(1)
    try:
        data, _ = pictures.read_bytes(os.path.join(os.fsencode(root), file.path))  # noqa: PTH118 - bytes paths
        head = pictures.header(data)
        if not side:
            return Look(None, head.height, head.width)
        image = pictures.decode(data, head, shorter=side)
    except pictures.FAULTS as e:
        return Look(None, 0, 0, *pictures.fault(e))
    image = as_kind(image, coloured=coloured)
    image = geometry.fit(image, side=side) if shape is None else geometry.reshape(image, shape=shape)
    return Look(np.ascontiguousarray(image), head.height, head.width)


def as_kind(image: np.ndarray, *, coloured: bool) -> np.ndarray:
    """Bring a picture to 8 bits, and to grey or to three channels.

    Args:
        image: picture.
        coloured: (H, W, 3), else (H, W).

    Returns:
        uint8; as it is, not copied, where it is so already.
    """
    image = colour.to_uint8(image)
    return colour.rgb(image) if coloured else colour.grey(image)
