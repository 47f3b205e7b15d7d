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

_FLOOR = 0.4  # grey levels below which a logarithm tells little
_NEAR = 40  # grey levels from black or white that may be a spike
_LAPLACIAN = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32) / 6
_BLOCK = 16  # pixels of a side of the squares whose calmest tell the noise
_CALM = 0.1  # share of squares that are calmer
# Calmest squares of plain noise have less of it than others, by so much: of 14 x 14 and of 8 x 8 such pixels.
_FINE, _COARSE = 1.115, 1.25

NAMES = (
    *("fine noise", "coarse noise", "noise", "fine", "middle", "coarse", "impulses", "spikes", "corners", "blocks"),
    *("speckle", "brightness", "edges", "crisp"),
)


def symptoms(image: np.ndarray) -> np.ndarray:
    """Find the symptoms of a picture.

    Args:
        image: picture, uint8, (H, W) or (H, W, 3), 24 x 24 pixels at least.

    Returns:
        float64 (14,), each about -2 to 2, in the order of NAMES: fine noise, coarse noise: its sigma at full and at
        half the size where the picture is calmest, as a logarithm; noise: its sigma at half the size everywhere, as a
        logarithm; fine, middle, coarse: how much there is at about 1, 2 and 4 pixels, as logarithms; impulses: share of
        black and white pixels among others; spikes: share of those that are nearly so; corners: the sigma of noise at
        full size everywhere, as a logarithm; blocks: jumps at every 8th pixel against jumps elsewhere; speckle: how
        much more noise there is where it is bright; brightness; edges: how much what is there at 2 pixels keeps to few
        places; crisp: how much steeper the steepest edges are at 1 than at 2 pixels.

    Raises:
        InputError: the picture is not uint8, or too small.
    """
    if image.dtype != np.uint8:
        raise InputError(f"symptoms need a picture of uint8, got {image.dtype}")
    checked(image, side=LEAST)
    found = [_part(part) for part in _parts(image)]
    return np.concatenate(
        [
            [_log(_calmest([fine for _, fine, _ in found]) * _FINE, 3)],
            [_log(_calmest([coarse for *_, coarse in found]) * 2 * _COARSE, 3)],
            np.mean([rest for rest, *_ in found], axis=0),
        ]
    )


def noise(seen: np.ndarray) -> tuple[float, float]:
    """Tell the sigma of noise from symptoms.

    Args:
        seen: from `symptoms`.

    Returns:
        In grey levels of 255, >= 0: as it shows at full size, and as it shows at half the size. Of noise that is
        independent from pixel to pixel both are its sigma; of noise that JPEG has smoothed only the second is.

    Source: Immerkaer 1996, doi:10.1006/cviu.1996.0060, in the calmest tenth of small squares.
    """
    fine, coarse = (max(3 * 2 ** (1.5 * float(x)) - _FLOOR, 0.0) for x in seen[:2])
    return fine, coarse


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


def _part(part: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the symptoms of a part that are means, and the power of noise in its squares, fine and coarse."""
    # Green alone: its noise is that of a grey picture, while a weighted mean of channels has less.
    grey = np.ascontiguousarray(part if part.ndim == 2 else part[..., 1])
    # Impulses would drown all else: what they hit is filled from around it.
    calm = cv2.medianBlur(grey, 3)
    unlike = cv2.absdiff(grey, calm)
    stuck = ((grey == 0) | (grey == 255)) & (unlike > 32)
    spikes = ((grey <= _NEAR) | (grey >= 255 - _NEAR)) & (unlike > 60)
    x = np.where(stuck | spikes, calm, grey).astype(np.float32)

    diagonal, half = _diagonal(x), cv2.resize(x, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    blurs = [x, *(cv2.GaussianBlur(x, (0, 0), s) for s in (0.8, 1.6, 3.2))]
    bands = [np.abs(a - b) for a, b in itertools.pairwise(blurs)]
    energies = [float(np.median(band)) / 0.6745 for band in bands]
    spread = float(cv2.norm(bands[1])) / math.sqrt(x.size) / (energies[1] + 0.5)
    steep = [float(np.quantile(band, 0.98)) + 0.5 for band in bands[:2]]
    rest = [
        _log(_sigma(_diagonal(half)), 3),
        *(_log(e, m) for e, m in zip(energies, (3, 3, 4), strict=True)),
        4 * math.sqrt(stuck.mean()),
        4 * math.sqrt(spikes.mean()),
        _log(_sigma(diagonal), 3),
        _blocks(x),
        _speckle(np.abs(diagonal), blurs[2][:-1, :-1]),
        x.mean() / 127.5 - 1,
        spread - 1.5,
        2 * math.log2(steep[0] / steep[1]),
    ]
    return np.array(rest), _squares(x, _BLOCK), _squares(half, _BLOCK // 2)


def _squares(x: np.ndarray, side: int) -> np.ndarray:
    """Return the power of noise in squares, float (n,), of those that are cut off neither at black nor at white."""
    noisy = cv2.filter2D(x, -1, _LAPLACIAN)[1:-1, 1:-1]
    height, width = (max(n // side, 1) * side for n in noisy.shape)

    def means(values: np.ndarray) -> np.ndarray:
        kept = values[:height, :width]
        side_y, side_x = min(side, kept.shape[0]), min(side, kept.shape[1])
        return np.asarray(kept.reshape(kept.shape[0] // side_y, side_y, -1, side_x).mean(axis=(1, 3)).ravel())

    power, level = means(noisy**2), means(x[1:-1, 1:-1])
    whole = (level > 8) & (level < 247)
    return power[whole] if whole.sum() > power.size // 8 else power


def _calmest(powers: list[np.ndarray]) -> float:
    return math.sqrt(float(np.quantile(np.concatenate(powers), _CALM)))


def _diagonal(x: np.ndarray) -> np.ndarray:
    return np.asarray((x[:-1, :-1] - x[:-1, 1:] - x[1:, :-1] + x[1:, 1:]) / 2)


def _sigma(diagonal: np.ndarray) -> float:
    # Donoho & Johnstone 1994, doi:10.1093/biomet/81.3.425: the finest diagonal detail is noise but for few places.
    return float(np.median(np.abs(diagonal))) / 0.6745


def _log(level: float, middle: float) -> float:
    return math.log2((level + _FLOOR) / middle) / 1.5


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
