"""Frequencies: keep the low ones or the high ones, or show them all. A picture in, a picture out.

Frequencies are in cycles per picture: along rows, per width; along columns, per height. A picture is taken to go on
mirrored beyond its border ("mirror"), which leaves no step there, or to repeat itself ("wrap") as a plain discrete
Fourier transform has it.
"""

import functools
import math
from collections.abc import Callable

import cv2
import numpy as np
from scipy import fft

from ..errors import InputError
from .colour import grey, through
from .picture import checked

KINDS = ("ideal", "disc", "gaussian", "butterworth")
BORDERS = ("mirror", "wrap")
_REACH = 4.5  # radii at which a Gaussian is below 5e-5, so that nothing beyond can be seen
_WAVES = 160  # along a side, up to which products with them are quicker than a Fourier transform


def lowpass(
    image: np.ndarray, *, radius: float, kind: str = "ideal", order: int = 2, border: str = "mirror", space: str = "rgb"
) -> np.ndarray:
    """Keep the low frequencies: what is coarse.

    Args:
        image: picture of 2 x 2 pixels at least.
        radius: in cycles per picture, >= 0: where "ideal", a square in the middle of the spectrum, and "disc" end,
            where "gaussian" falls to exp(-1/2), where "butterworth" falls to a half.
        kind: "ideal", "disc", "gaussian" or "butterworth".
        order: of Butterworth: how steep, >= 1.
        border: "mirror" or "wrap".
        space: "rgb", "hsv" or "lab".

    Returns:
        The picture, cut off at black and white only where it is uint8. Its mean is kept: at radius 0 that is all.

    Raises:
        InputError: a value is out of its range, or image is no picture.

    Source: Gonzalez & Woods, Digital Image Processing, chapter 4; the mirrored border makes it a cosine transform.

    >>> lowpass(np.array([[0, 4], [4, 8]], np.uint8), radius=0)
    array([[4, 4],
           [4, 4]], dtype=uint8)
    """
    return _through(image, space, lambda x: _low(x, radius, kind, order, border), radius, kind, order, border)


def highpass(
    image: np.ndarray,
    *,
    radius: float,
    kind: str = "ideal",
    order: int = 2,
    border: str = "mirror",
    edges_only: bool = True,
) -> np.ndarray:
    """Keep the high frequencies: what is fine.

    Args:
        image: picture of 2 x 2 pixels at least.
        radius: as in `lowpass`, whose complement this is.
        kind: "ideal", "disc", "gaussian" or "butterworth".
        order: of Butterworth: how steep, >= 1.
        border: "mirror" or "wrap".
        edges_only: give what is fine alone, on mid grey (128, or 0.5); else add it to the picture, which sharpens.

    Returns:
        The picture minus its low pass, or that added to it; cut off at black and white.

    Raises:
        InputError: a value is out of its range, or image is no picture.
    """

    def work(x: np.ndarray) -> np.ndarray:
        exact = x.astype(np.float32, copy=False)
        low = _low(exact, radius, kind, order, border)
        eight = x.dtype == np.uint8
        middle = (128 if eight else 0.5) if edges_only else 0
        found = cv2.addWeighted(exact, 1 if edges_only else 2, low, -1, middle)
        return _to_eight(found) if eight else found

    result = _through(image, "rgb", work, radius, kind, order, border)
    return result if result.dtype == np.uint8 else np.clip(result, 0, 1, out=result)


def spectrum(image: np.ndarray) -> np.ndarray:
    """Show how strong each frequency is.

    Args:
        image: picture of 2 x 2 pixels at least; of a colour picture the grey one counts.

    Returns:
        float32 (H, W): 20 log10(1 + magnitude) in decibels, with grey levels of 255 for the magnitude, frequency 0 at
        row H // 2 and column W // 2, and the picture taken to repeat itself.

    Raises:
        InputError: image is no picture.

    >>> spectrum(np.full((2, 2), 9, np.uint8)).round(2)
    array([[ 0.  ,  0.  ],
           [ 0.  , 31.36]], dtype=float32)
    """
    picture = grey(checked(image, side=2))
    levels = picture.astype(np.float32) if picture.dtype == np.uint8 else picture * np.float32(255)
    magnitude = np.abs(np.fft.fftshift(fft.fft2(levels)))
    found: np.ndarray = (20 * np.log10(1 + magnitude)).astype(np.float32)
    return found


def _through(
    image: np.ndarray,
    space: str,
    work: Callable[[np.ndarray], np.ndarray],
    radius: float,
    kind: str,
    order: int,
    border: str,
) -> np.ndarray:
    if not (math.isfinite(radius) and radius >= 0):
        raise InputError(f"radius must be a finite number of cycles per picture >= 0, got {radius!r}")
    if order < 1:
        raise InputError(f"order must be >= 1, got {order!r}")
    for name, value, allowed in (("kind", kind, KINDS), ("border", border, BORDERS)):
        if value not in allowed:
            raise InputError(f"{name} must be one of {', '.join(allowed)}, got {value!r}")
    return through(checked(image, side=2), space=space, work=work)


def _low(image: np.ndarray, radius: float, kind: str, order: int, border: str) -> np.ndarray:
    """Return the low frequencies of each channel, of the dtype of the picture."""
    if image.ndim == 3:
        planes = [_low(np.ascontiguousarray(plane), radius, kind, order, border) for plane in cv2.split(image)]
        return cv2.merge(planes)
    levels = image.astype(np.float32, copy=False)
    reach = {"ideal": radius, "gaussian": _REACH * radius}.get(kind, math.inf)
    if (2 * reach + 1) * sum(image.shape) < 2 * _WAVES * max(image.shape):
        rows, columns = (_waves(length, radius, kind, border) for length in image.shape)
        found = (rows[1] @ (rows[0] @ (levels @ columns[0].T))) @ columns[1].T
    elif border == "mirror":
        found = fft.dctn(levels, norm="ortho", workers=cv2.getNumThreads(), overwrite_x=levels is not image)
        found *= _transfer(image.shape, radius, kind, order, border)
        found = fft.idctn(found, norm="ortho", workers=cv2.getNumThreads(), overwrite_x=True)
    else:
        waves = fft.rfft2(levels, workers=cv2.getNumThreads())
        waves *= _transfer(image.shape, radius, kind, order, border)
        found = fft.irfft2(waves, s=image.shape, workers=cv2.getNumThreads())
    found = np.asarray(found)
    return _to_eight(found) if image.dtype == np.uint8 else found


def _to_eight(levels: np.ndarray) -> np.ndarray:
    """Round grey levels to 8 bits, and cut them off at black and white."""
    return np.asarray(cv2.convertScaleAbs(np.maximum(levels, 0, out=levels)))


def _frequencies(length: int, border: str, *, half: bool = False) -> np.ndarray:
    """Return cycles per picture of each coefficient of a transform: cosine, whole Fourier, or half of it."""
    if border == "mirror":
        return np.arange(length) / 2
    return np.arange(length // 2 + 1) if half else np.abs(np.fft.fftfreq(length, 1 / length))


@functools.lru_cache(maxsize=8)
def _waves(length: int, radius: float, kind: str, border: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the low waves along a side: weighed (waves, length), and (length, waves)."""
    reach = radius if kind == "ideal" else _REACH * radius
    if border == "mirror":
        k = np.arange(min(math.floor(2 * reach), length - 1) + 1)[:, None]
        waves, cycles = np.cos(np.pi * k * (np.arange(length) + 0.5) / length), k / 2
    else:
        k = np.arange(min(math.floor(reach), length // 2) + 1)[:, None]
        angle = 2 * np.pi * k * np.arange(length) / length
        # The sine of the highest frequency, if the length is even, is 0 everywhere, as that of frequency 0 is.
        real = (k > 0) & (2 * k < length)
        waves, cycles = np.concatenate([np.cos(angle), np.sin(angle)[real[:, 0]]]), np.concatenate([k, k[real[:, 0]]])
    waves /= np.linalg.norm(waves, axis=1, keepdims=True)
    weight = np.ones_like(cycles) if kind == "ideal" else np.exp(-((cycles / max(radius, 1e-9)) ** 2) / 2)
    return (waves * weight).astype(np.float32), np.ascontiguousarray(waves.T).astype(np.float32)


@functools.lru_cache(maxsize=2)
def _transfer(shape: tuple[int, int], radius: float, kind: str, order: int, border: str) -> np.ndarray:
    """Return by how much each coefficient of the transform is multiplied."""
    down, across = _frequencies(shape[0], border)[:, None], _frequencies(shape[1], border, half=True)
    distance = np.hypot(down, across)
    if kind == "ideal":
        passed = (down <= radius) & (across <= radius)
    elif kind == "disc":
        passed = distance <= radius
    elif radius == 0:
        passed = distance == 0
    elif kind == "gaussian":
        passed = np.exp(-((distance / radius) ** 2) / 2)
    else:
        with np.errstate(over="ignore"):
            passed = 1 / (1 + (distance / radius) ** (2 * order))
    return np.asarray(passed, np.float32)
