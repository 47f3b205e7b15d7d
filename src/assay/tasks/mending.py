"""Mending: one file in, a restored one out. Runs in a worker."""

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np

from ..data import pictures
from ..data.folder import File
from ..errors import InputError
from ..models.restorer import Restorer
from ..pixels import colour

SIDE = 320  # pixels of the shorter side of the part that figures show


@dataclass(frozen=True, slots=True)
class Mended:
    """What became of one file.

    chain: names of the filters, in order; gain: dB of PSNR that they were thought to bring; before, after: predicted
    SSIM; words: all of it as a person reads it; status, reason: as in a scan; parts: the middle of the picture before
    and after, uint8, where a figure is wanted.
    """

    file: str
    out: str
    chain: tuple[str, ...]
    gain: float
    before: float
    after: float
    words: str
    status: str
    reason: str
    parts: tuple[np.ndarray, np.ndarray] | None = None


@cache
def restorer(model: Path) -> Restorer:
    """Return a restorer, read once in a process.

    Args:
        model: its file.

    Raises:
        InputError: it holds no restorer.
    """
    return Restorer.load(model)


def mend(file: File, *, root: Path, out: Path, single: bool, model: Path, shown: bool) -> Mended:
    """Read a picture, restore it, and write it.

    Args:
        file: as listed.
        root: folder that its path is below.
        out: folder for the restored pictures, or the restored picture itself.
        single: out is a file.
        model: of the restorer.
        shown: bring its middle back for a figure.

    Returns:
        What became of it; a file that is no picture, or too small, has its status and reason.

    Raises:
        OSError: the restored picture cannot be written.
    """
    cv2.setNumThreads(1)
    name = os.fsdecode(file.path)
    try:
        image = pictures.read(root / name)
    except pictures.FAULTS as e:
        return _none(name, *pictures.fault(e))
    try:
        found = restorer(model).restore(image)
    except InputError as e:
        return _none(name, "refused", str(e))
    place = out if single else (out / name).with_suffix(".png")
    place.parent.mkdir(parents=True, exist_ok=True)
    pictures.write(place, found.image)
    parts = (_middle(image), _middle(found.image)) if shown else None
    return Mended(name, str(place), found.chain, found.gain, found.before, found.after, found.words, "ok", "", parts)


def _none(name: str, status: str, reason: str) -> Mended:
    return Mended(name, "", (), 0.0, 0.0, 0.0, "", status, reason)


def _middle(image: np.ndarray) -> np.ndarray:
    top, left = (max(n - SIDE, 0) // 2 for n in image.shape[:2])
    return colour.to_uint8(np.ascontiguousarray(image[top : top + SIDE, left : left + SIDE]))
