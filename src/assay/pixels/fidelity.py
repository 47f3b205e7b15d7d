"""Fidelity: how far a picture is from another one of the same size. Two pictures in, a number or a map out.

Errors are in the unit of the pixels: grey levels of 0 to 255 for uint8, 0 to 1 for float32. In colour each figure is
the mean over the three channels. Nothing is resized and nothing is made grey here.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from ..errors import InputError
from . import geometry

_SCALES = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # weights of Wang, Simoncelli & Bovik, fine to coarse


@dataclass(frozen=True, slots=True)
class Window:
    """A separable window: weights from the centre on, up to a factor, and what a variance under it is multiplied by."""

    weights: tuple[float, ...]
    norm: float

    @property
    def size(self) -> int:
        """Pixels of its side."""
        return 2 * len(self.weights) - 1


def _gaussian(sigma: float, radius: int) -> tuple[float, ...]:
    fall = [math.exp(-(k**2) / (2 * sigma**2)) for k in range(radius + 1)]
    return tuple(w / (fall[0] + 2 * sum(fall[1:])) for w in fall)


# The gaussian one is that of the paper; the uniform one, with the sample's variance, is scikit-image's default.
WINDOWS = {"gaussian": Window(_gaussian(1.5, 5), 1.0), "uniform": Window((1.0,) * 4, 49 / 48)}


def mse(a: np.ndarray, b: np.ndarray) -> float:
    """Mean squared error.

    Args:
        a: picture, uint8 or float32, (H, W) or (H, W, 3).
        b: picture of the same shape and dtype.

    Returns:
        Mean over pixels and channels of the squared difference, >= 0, in squared units of the pixels; 0 for equal
        pictures.

    Raises:
        InputError: shapes or dtypes differ, or are not those of a picture, or a pixel is not finite.

    >>> mse(np.array([[0, 10]], np.uint8), np.array([[0, 14]], np.uint8))
    8.0
    """
    _check(a, b)
    # OpenCV sums squares of bytes exactly, and those of floats as doubles.
    a, b = (np.ascontiguousarray(x).reshape(len(x), -1) for x in (a, b))
    return _finite(cv2.norm(a, b, cv2.NORM_L2SQR) / a.size)


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    """Peak signal-to-noise ratio.

    Args:
        a: picture, uint8 or float32, (H, W) or (H, W, 3).
        b: picture of the same shape and dtype.

    Returns:
        10 log10(limit^2 / mse) in dB, where limit is 255 for uint8 and 1 for float32; infinite for equal pictures.

    Raises:
        InputError: as in `mse`.

    >>> round(psnr(np.array([[0, 10]], np.uint8), np.array([[0, 14]], np.uint8)), 2)
    39.1
    """
    error = mse(a, b)
    return 10 * math.log10(_limit(a) ** 2 / error) if error > 0 else math.inf


def ssim(a: np.ndarray, b: np.ndarray, *, window: str = "gaussian") -> float:
    """Structural similarity: alike in local brightness, contrast and structure.

    Args:
        a: picture, uint8 or float32, (H, W) or (H, W, 3), at least as large as the window.
        b: picture of the same shape and dtype.
        window: "gaussian", 11x11 of sigma 1.5 pixels, as in the paper; or "uniform", 7x7 with the sample's variance,
            scikit-image's default. Their scores differ: say which.

    Returns:
        Mean over all places where the window lies inside the picture, and over channels; -1 to 1, 1 for equal
        pictures. The same whichever of the two comes first.

    Raises:
        InputError: as in `mse`; or the window is unknown or larger than the picture.

    Source: Wang et al. 2004, doi:10.1109/TIP.2003.819861, k1 = 0.01, k2 = 0.03, at full size.

    >>> flat = np.full((11, 12), 100, np.uint8)
    >>> ssim(flat, flat), round(ssim(flat, flat + 20), 4)
    (1.0, 0.9836)
    """
    _check(a, b)
    scores = [_compare(p, q, window)[0] for p, q in _planes(a, b)]
    return _finite(sum(scores) / len(scores))


def ssim_map(a: np.ndarray, b: np.ndarray, *, window: str = "gaussian") -> np.ndarray:
    """Structural similarity at every pixel; a border is mirrored.

    Args:
        a: picture, uint8 or float32, (H, W) or (H, W, 3), at least as large as the window.
        b: picture of the same shape and dtype.
        window: as in `ssim`.

    Returns:
        float32 of the shape of the pictures, -1 to 1. Its mean without a margin of half a window is `ssim`.

    Raises:
        InputError: as in `ssim`.

    Source: as `ssim`.
    """
    _check(a, b)
    radius = _window(a, window).size // 2
    maps = []
    for pair in _planes(a, b):
        found = np.empty(a.shape[:2])
        p, q = (cv2.copyMakeBorder(x, *(radius,) * 4, cv2.BORDER_REFLECT) for x in pair)
        _finite(_compare(p, q, window, found=found)[0])
        maps.append(found.astype(np.float32))
    return maps[0] if a.ndim == 2 else np.dstack(maps)


def ms_ssim(a: np.ndarray, b: np.ndarray) -> float:
    """Structural similarity over five scales, each half as large as the one before.

    Args:
        a: picture, uint8 or float32, (H, W) or (H, W, 3), both sides >= 161.
        b: picture of the same shape and dtype.

    Returns:
        0 to 1, 1 for equal pictures: contrast and structure at four scales, and the whole of SSIM at the coarsest,
        multiplied; under the 11x11 gaussian window. A negative term counts as 0. Mean over channels.

    Raises:
        InputError: as in `mse`; or the picture is too small.

    Source: Wang, Simoncelli & Bovik 2003, doi:10.1109/ACSSC.2003.1292216, weights of its table; halved by 2x2 means.
    """
    _check(a, b)
    side, steps = WINDOWS["gaussian"].size, len(_SCALES) - 1
    least = (side - 1) * 2**steps + 1
    if min(a.shape[:2]) < least:
        raise InputError(f"ms_ssim needs pictures of {least}x{least} pixels at least, got {_size(a)}: use ssim")
    scores = []
    for p, q in _planes(a, b):
        score, whole = 1.0, [np.asarray(x / np.float32(_limit(x)), np.float32) for x in (p, q)]
        for step, weight in enumerate(_SCALES):
            both, structure = _compare(whole[0], whole[1], "gaussian")
            score *= max(_finite(both if step == steps else structure), 0.0) ** weight
            whole = [geometry.halve(x, times=1) for x in whole]
        scores.append(score)
    return sum(scores) / len(scores)


def _compare(p: np.ndarray, q: np.ndarray, window: str, *, found: np.ndarray | None = None) -> tuple[float, float]:
    """Return the means of SSIM and of its contrast and structure term over two planes."""
    from . import ssim_kernel  # it compiles, so only who asks for a score pays

    shape = _window(p, window)
    # Sums of whole numbers under weights of 1 stay below 2^24, so single precision holds them exactly, twice as quick.
    whole = p.dtype == np.uint8 and set(shape.weights) == {1.0}
    sums = np.empty(ssim_kernel.ROOM, np.float32 if whole else np.float64)
    weights: tuple[Any, ...] = tuple(map(sums.dtype.type, shape.weights))
    found = np.empty((0, 0)) if found is None else found
    score, structure = ssim_kernel.compare(p, q, weights[:4], weights[4:] or None, shape.norm, _limit(p), sums, found)
    return float(score), float(structure)


def _planes(a: np.ndarray, b: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the channels of two pictures as planes that the kernel can read."""
    if a.ndim == 2:
        # Numba compiles once more for arrays that are read-only, though it only reads: a copy is cheaper.
        yield np.require(a, requirements=("C", "W")), np.require(b, requirements=("C", "W"))
    else:
        yield from zip(*(cv2.split(np.ascontiguousarray(x)) for x in (a, b)), strict=True)


def _check(a: np.ndarray, b: np.ndarray) -> None:
    for x in (a, b):
        if x.dtype not in (np.uint8, np.float32) or x.ndim not in (2, 3) or (x.ndim == 3 and x.shape[2] != 3):
            raise InputError(f"a picture must be uint8 or float32, (H, W) or (H, W, 3), got {x.dtype} {x.shape}")
        if not x.size:
            raise InputError(f"a picture must have pixels, got {_size(x)}")
    if a.shape != b.shape or a.dtype != b.dtype:
        raise InputError(
            f"two pictures must be of one shape and dtype, got {a.dtype} {a.shape} and {b.dtype} {b.shape}"
        )


def _window(a: np.ndarray, window: str) -> Window:
    if window not in WINDOWS:
        raise InputError(f"window must be one of {', '.join(WINDOWS)}, got {window!r}")
    size = WINDOWS[window].size
    if min(a.shape[:2]) < size:
        raise InputError(f"a {window} window needs pictures of {size}x{size} pixels at least, got {_size(a)}")
    return WINDOWS[window]


def _limit(a: np.ndarray) -> float:
    return 255.0 if a.dtype == np.uint8 else 1.0


def _size(a: np.ndarray) -> str:
    return f"{a.shape[1]}x{a.shape[0]}"


def _finite(figure: float) -> float:
    if not math.isfinite(figure):
        raise InputError(f"pixels must be finite numbers, got a figure of {figure!r}")
    return figure
