"""Naturalness: numbers that tell how a picture was damaged, without the picture as it was before.

A picture in, a row of numbers out. Photographs as cameras take them are alike in how neighbouring pixels differ, once
the local mean and contrast are taken out; noise, blur, coding and coarse levels each break that in a way of their own.
"""

import math
from collections.abc import Sequence

import cv2
import numpy as np
from scipy.special import gamma

from . import colour, noise
from .picture import checked

SIDE = 32  # pixels that a picture needs: two halvings leave 8
_SCALES = 3  # whole, half, quarter
_WINDOW = 7 / 6  # sigma in pixels of the local mean and contrast
_PAIRS = ((0, 1), (1, 0), (1, 1), (1, -1))  # neighbours: right, below, and the two diagonals
_BANDS = np.array([0, 1 / 16, 1 / 8, 3 / 16, 1 / 4, 5 / 16, 3 / 8, 7 / 16, 1 / 2, 1])  # cycles per pixel
_BLOCK = 8  # pixels of a side of a block of JPEG
_NOISY = 256  # pixels of a side of the part that noise is told by
_SHAPES = np.geomspace(0.2, 10, 400)
_TINY = 1e-3
# Luminance, and two differences of colours, each of about the spread of a channel.
_OPPONENT = np.array([[0.299, 0.587, 0.114], [0.5, -0.5, 0], [0.25, 0.25, -0.5]], np.float32)


def measure(image: np.ndarray) -> np.ndarray:
    """Measure what damage leaves behind.

    For luminance and two opponent colours, at three sizes: shape and spread of the pixels less their local mean, over
    their local contrast, and of the products of neighbours; how the local contrast itself spreads; energy by
    frequency. For the whole: steps at the borders of blocks of 8 pixels, how many levels and colours there are, white
    noise, impulses, how far the channels' edges agree, brightness, contrast and colour.

    Args:
        image: picture of 32 x 32 pixels at least, as it was stored: shrinking it hides damage.

    Returns:
        float32 (d,), finite; the same d for every picture. A grey picture counts as three equal channels.

    Raises:
        InputError: image is no picture, or too small.

    Source: the statistics of Mittal, Moorthy & Bovik 2012, doi:10.1109/TIP.2012.2214050 (BRISQUE), with those of
    colour added; shape by moments, Sharifi & Leon-Garcia 1995, doi:10.1109/76.350779.
    """
    picture = checked(image, side=SIDE)
    levels = colour.rgb(colour.to_uint8(picture))
    rgb = levels.astype(np.float32)
    opponent = cv2.transform(rgb, _OPPONENT)
    found: list[float] = []
    for plane in cv2.split(opponent):
        found += _bands(plane)
        smaller = plane
        for _ in range(_SCALES):
            found += _local(smaller)
            height, width = smaller.shape
            smaller = cv2.resize(smaller, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    found += _blocks(cv2.split(opponent)) + _levels(levels) + _channels(rgb) + _whole(rgb, opponent)
    found += [math.log1p(noise.sigma(_middle(levels))), math.sqrt(noise.impulse_fraction(levels))]
    return np.asarray(found, np.float32)


def _middle(levels: np.ndarray) -> np.ndarray:
    """Green of the middle, enough to tell the noise by."""
    top, left = (max(length - _NOISY, 0) // 2 for length in levels.shape[:2])
    return np.ascontiguousarray(levels[top : top + _NOISY, left : left + _NOISY, 1])


def _local(plane: np.ndarray) -> list[float]:
    """Shape and spread of normalised pixels and of products of neighbours, and spread of the local contrast."""
    mean = cv2.GaussianBlur(plane, (7, 7), _WINDOW, borderType=cv2.BORDER_REFLECT)
    square = cv2.GaussianBlur(plane * plane, (7, 7), _WINDOW, borderType=cv2.BORDER_REFLECT)
    contrast = np.sqrt(np.maximum(square - mean * mean, 0))
    normal = (plane - mean) / (contrast + 1)
    shape, spread = _generalised(normal)
    found = [shape, math.log(spread + _TINY), _kurtosis(normal)]
    height, width = normal.shape
    for down, right in _PAIRS:
        first = normal[: height - down, max(-right, 0) : width - max(right, 0)]
        second = normal[down:, max(right, 0) : width - max(-right, 0)]
        found += _sided(first * second)
    low, middle, high = np.quantile(contrast[::2, ::2], [0.1, 0.5, 0.9])
    found += [math.log(x + 0.1) for x in (low, middle, high, float(contrast.mean()))]
    return found


def _generalised(values: np.ndarray) -> tuple[float, float]:
    """Shape (2 for Gaussian, 1 for Laplacian) and standard deviation of a generalised Gaussian around 0."""
    square, absolute = float((values * values).mean()), float(np.abs(values).mean())
    return _shape(square / max(absolute**2, 1e-12)), math.sqrt(square)


def _shape(ratio: float) -> float:
    """Invert how the ratio of moments falls with the shape; in logarithms, so that its ends are not far out."""
    ratios = gamma(1 / _SHAPES) * gamma(3 / _SHAPES) / gamma(2 / _SHAPES) ** 2
    return float(np.log(np.interp(-ratio, -ratios, _SHAPES)))


def _sided(values: np.ndarray) -> list[float]:
    """Shape, asymmetry, and spreads to the left and right of an asymmetric generalised Gaussian."""
    below = values < 0
    squares = values * values
    total, count = float(squares.sum(dtype=float)), values.size
    under, negative = float(squares[below].sum(dtype=float)), int(np.count_nonzero(below))
    left, right = math.sqrt(under / max(negative, 1)), math.sqrt((total - under) / max(count - negative, 1))
    shape = _shape(total / count / max(float(np.abs(values).mean()) ** 2, 1e-12))
    return [shape, float(values.mean()), math.log(left + _TINY), math.log(right + _TINY)]


def _kurtosis(values: np.ndarray) -> float:
    squares = values * values
    square = float(squares.mean())
    return math.log(max(float((squares * squares).mean()), _TINY) / max(square * square, _TINY))


def _bands(plane: np.ndarray) -> list[float]:
    """Logarithm of the energy by frequency, less that of the whole, and of the whole."""
    height, width = plane.shape
    window = np.hanning(height)[:, None] * np.hanning(width)[None, :]
    spectrum = np.abs(np.fft.rfft2((plane - plane.mean()) * window)) ** 2
    radius = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None, :])
    which = np.digitize(radius.ravel(), _BANDS) - 1
    sums = np.bincount(which, spectrum.ravel(), minlength=len(_BANDS))[: len(_BANDS) - 1]
    counts = np.bincount(which, minlength=len(_BANDS))[: len(_BANDS) - 1]
    energy = np.log(sums / np.maximum(counts, 1) / plane.size + _TINY)
    return [*(np.diff(energy)).tolist(), float(energy[0]), float(energy[-1])]


def _blocks(planes: Sequence[np.ndarray]) -> list[float]:
    """How much larger steps are across the borders of blocks than within them, along and across."""
    found = []
    for plane in planes:
        for axis in (0, 1):
            steps = np.abs(np.diff(plane, axis=axis)).mean(axis=1 - axis)
            sums = np.array([steps[k::_BLOCK].mean() if len(steps[k::_BLOCK]) else 0.0 for k in range(_BLOCK)])
            ranked = np.sort(sums)
            found.append(math.log((ranked[-1] + 0.05) / (np.median(sums) + 0.05)))
            found.append(math.log((sums[_BLOCK - 1] + 0.05) / (np.median(sums) + 0.05)))
        flat = np.abs(np.diff(plane, axis=1)) < 0.5
        found.append(float(flat.mean()))
    return found


def _levels(levels: np.ndarray) -> list[float]:
    """How many levels a channel has and how evenly they are used, how many colours, and how many neighbours equal."""
    found = []
    for plane in cv2.split(levels):
        share = np.bincount(plane.ravel(), minlength=256) / plane.size
        held = share[share > 0]
        rough = np.abs(np.diff(share)).sum()
        found += [math.log(len(held)), float(-(held * np.log2(held)).sum()), math.log(rough + _TINY)]
        found += [float(share[0]), float(share[-1])]
    packed = levels.astype(np.int32) @ np.array([65536, 256, 1])
    colours = len(np.unique(packed))
    found += [math.log(colours), math.log(colours / packed.size)]
    return [*found, float((packed[:, 1:] == packed[:, :-1]).mean()), float((packed[1:] == packed[:-1]).mean())]


def _channels(rgb: np.ndarray) -> list[float]:
    """How far the fine detail of two channels agrees, in place and a little way apart."""
    fine = [plane - cv2.GaussianBlur(plane, (0, 0), 1.5, borderType=cv2.BORDER_REFLECT) for plane in cv2.split(rgb)]
    found = []
    for first, second in ((0, 1), (1, 2), (0, 2)):
        here = _agreement(fine[first], fine[second])
        moved = [
            _agreement(
                fine[first][4:-4, 4:-4], fine[second][4 + y : fine[second].shape[0] - 4 + y, 4 + x : -4 + x or None]
            )
            for y, x in ((0, 2), (0, -2), (2, 0), (-2, 0), (0, 4), (4, 0), (0, -4), (-4, 0))
        ]
        found += [here, max(moved), max(moved) - here]
    return found


def _agreement(first: np.ndarray, second: np.ndarray) -> float:
    product = float((first * second).mean(dtype=float))
    return product / math.sqrt(float((first**2).mean(dtype=float)) * float((second**2).mean(dtype=float)) + _TINY)


def _whole(rgb: np.ndarray, opponent: np.ndarray) -> list[float]:
    """Brightness, contrast and colour of the whole picture."""
    grey = opponent[..., 0]
    ends = np.quantile(grey[::2, ::2], [0.01, 0.1, 0.5, 0.9, 0.99]) / 255
    chroma = np.hypot(opponent[..., 1], opponent[..., 2])
    spread = float(grey.std())
    return [
        *ends.tolist(), math.log(spread + 1), float(grey.mean()) / 255, math.log(float(chroma.mean()) + 1),
        math.log(float(chroma.std()) + 1), float((rgb.max(axis=2) - rgb.min(axis=2)).mean()) / 255,
        math.log(ends[-1] - ends[0] + 0.01),
    ]  # fmt: skip
