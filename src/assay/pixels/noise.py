"""Noise: add it by a known amount, or say how much there is. Pictures in, pictures or numbers out.

Amounts are in grey levels of 255, whatever the dtype. The input is never written to.
"""

import math

import cv2
import numpy as np

from ..errors import InputError
from .picture import checked

_PATCH = 8  # pixels of a side of the squares whose spread tells the noise
_SIDE = 24  # pixels that a picture needs for enough of them
_FAR = 25.0  # grey levels that an impulse lies from the pixels around it, at least
_PIXELS = 1 << 20  # that are looked at, at most: rows of a larger picture are left out evenly


def gaussian(image: np.ndarray, *, sigma: float, rng: np.random.Generator) -> np.ndarray:
    """Add Gaussian noise, independent for every pixel and channel.

    Args:
        image: picture.
        sigma: standard deviation in grey levels of 255, >= 0.
        rng: source of randomness.

    Returns:
        The noisy picture, same shape and dtype, cut off at black and white.

    Raises:
        InputError: sigma is negative or not finite, or image is no picture.
    """
    _at_least_0("sigma", sigma)
    picture = checked(image)
    return _cut(picture, _levels(picture) + sigma * rng.standard_normal(picture.shape, np.float32))


def salt_and_pepper(image: np.ndarray, *, fraction: float, salt: float = 0.5, rng: np.random.Generator) -> np.ndarray:
    """Turn single pixels white or black, all channels of a pixel together.

    Args:
        image: picture.
        fraction: of pixels that are hit, 0 to 1.
        salt: share of those that become white, 0 to 1.
        rng: source of randomness.

    Returns:
        The noisy picture, same shape and dtype; pixels that are not hit keep their value.

    Raises:
        InputError: fraction or salt is outside 0..1, or image is no picture.
    """
    for name, value in (("fraction", fraction), ("salt", salt)):
        if not 0 <= value <= 1:
            raise InputError(f"{name} must be in 0..1, got {value!r}")
    result = checked(image).copy()
    draw = rng.random(result.shape[:2])
    white = 255 if result.dtype == np.uint8 else 1
    result[draw < fraction] = 0
    result[draw < fraction * salt] = white
    return result


def speckle(image: np.ndarray, *, sigma: float, rng: np.random.Generator) -> np.ndarray:
    """Multiply every pixel and channel by 1 + Gaussian noise, as light that interferes with itself does.

    Args:
        image: picture.
        sigma: standard deviation as a part of the pixel, >= 0.
        rng: source of randomness.

    Returns:
        The noisy picture, same shape and dtype, cut off at black and white. Black stays black.

    Raises:
        InputError: sigma is negative or not finite, or image is no picture.
    """
    _at_least_0("sigma", sigma)
    picture = checked(image)
    return _cut(picture, _levels(picture) * (1 + sigma * rng.standard_normal(picture.shape, np.float32)))


def poisson(image: np.ndarray, *, photons: float, rng: np.random.Generator) -> np.ndarray:
    """Count photons, as a sensor does: the variance of a pixel is proportional to its value.

    Args:
        image: picture.
        photons: counted on average where the picture is white, > 0; few are noisy.
        rng: source of randomness.

    Returns:
        The noisy picture, same shape and dtype, cut off at white. Black stays black.

    Raises:
        InputError: photons is not positive and finite, or image is no picture.
    """
    if not (math.isfinite(photons) and photons > 0):
        raise InputError(f"photons must be finite and > 0, got {photons!r}")
    picture = checked(image)
    if picture.dtype == np.float32 and picture.min() < 0:
        raise InputError(f"a picture must be >= 0 to count photons, got {picture.min()!r}")
    counts = rng.poisson(_levels(picture).astype(np.float64) * (photons / 255))
    return _cut(picture, (counts * (255 / photons)).astype(np.float32))


def sigma(image: np.ndarray) -> float:
    """Estimate the standard deviation of Gaussian noise from the picture alone.

    Small squares of a picture spread in few directions; in all others only noise does. So the small eigenvalues of
    their covariance are the noise's variance: as many as it takes until their mean is their median.

    Args:
        image: picture of 24 x 24 pixels at least.

    Returns:
        In grey levels of 255, >= 0; of a colour picture the root mean square over channels. Clipped pixels (black or
        white) make it too low, fine texture without flat parts makes it too high.

    Raises:
        InputError: image is no picture, or too small.

    Assumes: noise of one strength everywhere, independent from pixel to pixel (JPEG and resizing break that).

    Source: Chen, Zhu & Heng 2015, doi:10.1109/ICCV.2015.62.
    """
    picture = _levels(checked(image, side=_SIDE))
    planes = cv2.split(picture) if picture.ndim == 3 else [picture]
    return math.sqrt(sum(_variance(plane) for plane in planes) / len(planes))


def impulse_fraction(image: np.ndarray) -> float:
    """Estimate the share of pixels that salt-and-pepper noise has hit.

    A pixel counts that is black or white and lies far from the median of what is neither around it.

    Args:
        image: picture of 3 x 3 pixels at least.

    Returns:
        0 to 1. Impulses where the picture itself is near black or white are taken to be as many as elsewhere.

    Raises:
        InputError: image is no picture, or too small.

    Assumes: impulses are single pixels, under half of all; thin black or white lines are taken for impulses.
    """
    picture = _levels(checked(image, side=3))
    black, white = ((picture.reshape(*picture.shape[:2], -1) == end).all(axis=2) for end in (0, 255))
    grey = picture if picture.ndim == 2 else picture.mean(axis=2)
    around = _median_of_others(grey, black | white)
    # Where the surroundings are dark only salt can be told, and where they are bright only pepper.
    shares = [
        float((end & seen).sum()) / max(int(seen.sum()), 1)
        for end, seen in ((black, around > _FAR), (white, around < 255 - _FAR))
    ]
    return min(sum(shares), 1.0)


def _median_of_others(grey: np.ndarray, hit: np.ndarray) -> np.ndarray:
    """Return medians over 5 x 5 pixels of those that are not hit; where all are hit, of all."""
    padded = np.pad(
        np.where(hit, np.nan, grey).astype(np.float32), 2, mode="symmetric" if min(grey.shape) > 1 else "edge"
    )
    height, width = grey.shape
    stack = np.stack([padded[y : y + height, x : x + width] for y in range(5) for x in range(5)])
    stack.sort(axis=0)  # NaN goes last
    count = np.isfinite(stack).sum(axis=0)
    at = np.maximum(count - 1, 0) // 2
    found: np.ndarray = np.take_along_axis(stack, at[None], axis=0)[0]
    return np.where(count > 0, found, grey)


def _variance(plane: np.ndarray) -> float:
    plane = plane[:: max(plane.size // _PIXELS, 1)] if plane.size > 2 * _PIXELS else plane
    windows = np.lib.stride_tricks.sliding_window_view(plane, (_PATCH, _PATCH))
    step = 1 if windows[..., 0, 0].size < _PIXELS // 4 else 2
    patches = windows[::step, ::step].reshape(-1, _PATCH * _PATCH)
    values = np.linalg.eigvalsh(np.cov(patches, rowvar=False, dtype=np.float64))
    for count in range(len(values), 0, -1):
        average = values[:count].mean()
        if (values[:count] > average).sum() <= (values[:count] < average).sum():
            continue
        return max(float(average), 0.0)
    return max(float(values[0]), 0.0)


def _levels(picture: np.ndarray) -> np.ndarray:
    """Return grey levels of 255 in float32."""
    return picture.astype(np.float32) if picture.dtype == np.uint8 else picture * np.float32(255)


def _cut(picture: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Bring grey levels back to what the picture was."""
    np.clip(levels, 0, 255, out=levels)
    return np.rint(levels).astype(np.uint8) if picture.dtype == np.uint8 else levels / np.float32(255)


def _at_least_0(name: str, value: float) -> None:
    if not (math.isfinite(value) and value >= 0):
        raise InputError(f"{name} must be finite and >= 0, got {value!r}")
