"""Symptoms: what can be seen of a picture's damage without knowing how it was: a picture in, a row of numbers out.

A few small parts of the picture are looked at, so that a large one takes no longer than a small one.
"""

import itertools
import math

import cv2
import numpy as np

from ..errors import InputError
from ..pixels.picture import checked

SIDE = 128  # pixels of a part
_PARTS = 4  # that are looked at, at most
_GRID = 8  # pixels of a JPEG block
LEAST = 24  # pixels of the shorter side at least

NAMES = ("noise", "fine", "middle", "coarse", "impulses", "corners", "blocks", "speckle", "brightness", "edges")


def symptoms(image: np.ndarray) -> np.ndarray:
    """Find the symptoms of a picture.

    Args:
        image: picture, uint8, (H, W) or (H, W, 3), 24 x 24 pixels at least.

    Returns:
        float64 (10,), each about -2 to 2, in the order of NAMES: noise: its sigma at half the size, as a logarithm;
        fine, middle, coarse: how much there is at about 1, 2 and 4 pixels, as logarithms; impulses: share of black and
        white pixels among others; corners: the sigma of noise at full size, which JPEG and blur take away first, as a
        logarithm; blocks: jumps at every 8th pixel against jumps elsewhere; speckle: how much more noise there is where
        it is bright; brightness; edges: how much what is there at 2 pixels keeps to few places.

    Raises:
        InputError: the picture is not uint8, or too small.
    """
    if image.dtype != np.uint8:
        raise InputError(f"symptoms need a picture of uint8, got {image.dtype}")
    checked(image, side=LEAST)
    return np.asarray(np.mean([_part(part) for part in _parts(image)], axis=0))


def _parts(image: np.ndarray) -> list[np.ndarray]:
    """Return parts spread over the picture, each beginning where a JPEG block does."""
    height, width = image.shape[:2]
    most = max(1, min(_PARTS, (height // SIDE) * (width // SIDE)))
    down = 1 if height < 2 * SIDE or most < _PARTS else 2
    across = max(most // down, 1)

    def starts(length: int, count: int) -> list[int]:
        room = max(length - SIDE, 0)
        return [int(room * (2 * i + 1) / (2 * count)) // _GRID * _GRID for i in range(count)]

    return [image[y : y + SIDE, x : x + SIDE] for y in starts(height, down) for x in starts(width, across)]


def _part(part: np.ndarray) -> np.ndarray:
    # Green alone: its noise is that of a grey picture, while a weighted mean of channels has less.
    grey = np.ascontiguousarray(part if part.ndim == 2 else part[..., 1])
    # Impulses would drown all else: what they hit is filled from around it.
    calm = cv2.medianBlur(grey, 3)
    stuck = ((grey == 0) | (grey == 255)) & (cv2.absdiff(grey, calm) > 32)
    x = np.where(stuck, calm, grey).astype(np.float32)

    diagonal = _diagonal(x)
    blurs = [x, *(cv2.GaussianBlur(x, (0, 0), s) for s in (0.8, 1.6, 3.2))]
    bands = [a - b for a, b in itertools.pairwise(blurs)]
    energies = [float(np.median(np.abs(band))) / 0.6745 for band in bands]
    spread = float(bands[1].std()) / (energies[1] + 0.5)
    return np.array(
        [
            _log(_sigma(_diagonal(cv2.resize(x, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))), 3),
            *(_log(e, m) for e, m in zip(energies, (3, 3, 4), strict=True)),
            4 * math.sqrt(stuck.mean()),
            _log(_sigma(diagonal), 3),
            _blocks(x),
            _speckle(np.abs(diagonal), blurs[2][:-1, :-1]),
            x.mean() / 127.5 - 1,
            spread - 1.5,
        ]
    )


def _diagonal(x: np.ndarray) -> np.ndarray:
    return np.asarray((x[:-1, :-1] - x[:-1, 1:] - x[1:, :-1] + x[1:, 1:]) / 2)


def _sigma(diagonal: np.ndarray) -> float:
    # Donoho & Johnstone 1994, doi:10.1093/biomet/81.3.425: the finest diagonal detail is noise but for few places.
    return float(np.median(np.abs(diagonal))) / 0.6745


def _log(level: float, middle: float) -> float:
    return math.log2((level + 0.4) / middle) / 1.5


def _blocks(x: np.ndarray) -> float:
    """Jumps across the borders of JPEG's blocks, against the jumps beside them."""
    found = []
    for jumps in (np.abs(np.diff(x, axis=1)).mean(axis=0), np.abs(np.diff(x, axis=0)).mean(axis=1)):
        at = np.arange(_GRID - 1, len(jumps), _GRID)
        others = np.delete(jumps, at)
        found.append(float(jumps[at].mean() + 0.3) / float(others.mean() + 0.3) if len(at) else 1.0)
    return 3 * math.log2(max(sum(found) / 2, 0.1))


def _speckle(noisy: np.ndarray, level: np.ndarray) -> float:
    """Noise in the brighter half against noise in the darker half, of what is cut off neither at black nor at white."""
    whole = (level > 12) & (level < 243)
    if whole.sum() < 64:
        return 0.0
    noisy, level = noisy[whole], level[whole]
    bright = level > np.median(level)
    if bright.all() or not bright.any():
        return 0.0
    # Medians: edges are few, and of any brightness.
    return math.log2((float(np.median(noisy[bright])) + 0.5) / (float(np.median(noisy[~bright])) + 0.5))
