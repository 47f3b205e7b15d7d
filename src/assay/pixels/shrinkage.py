"""Shrinkage: noise spreads over all waves of a square, a picture over few; so small ones are made smaller.

A picture in, a picture of the same shape and dtype out. Squares of 8 x 8 pixels lie over one another at every pixel,
and each pixel is the mean over all squares that cover it. Colour is taken apart into its grey and two differences
first, which a picture's colours need few waves for. Borders are mirrored; the input is never written to.
"""

import math

import cv2
import numpy as np

from ..errors import InputError
from .picture import checked, in_bands

# Grey and differences of colour: the orthonormal cosine transform of three channels.
_APART = np.array(
    [
        [1 / math.sqrt(3)] * 3,
        [1 / math.sqrt(2), 0, -1 / math.sqrt(2)],
        [1 / math.sqrt(6), -2 / math.sqrt(6), 1 / math.sqrt(6)],
    ],
    np.float32,
)
STEPS = (1, 2, 4)


def dct(image: np.ndarray, *, sigma: float, threshold: float = 2.7, step: int = 1) -> np.ndarray:
    """Set small cosine coefficients of squares to zero.

    Args:
        image: picture.
        sigma: of the noise, in grey levels of 255, >= 0; 0 changes nothing.
        threshold: sigmas below which a coefficient is taken for noise, >= 0.
        step: rows from one square to the next, 1, 2 or 4: more is quicker and a little worse.

    Returns:
        The picture, cut off at black and white.

    Raises:
        InputError: a value is out of its range, or image is no picture.

    Source: Donoho & Johnstone 1994, doi:10.1093/biomet/81.3.425, on overlapping cosine transforms (Yu & Sapiro 2011,
    doi:10.5201/ipol.2011.ys-dct).

    >>> dct(np.array([[7, 7, 7], [7, 8, 7], [7, 7, 7]], np.uint8), sigma=5)[1]
    array([7, 7, 7], dtype=uint8)
    """
    if not (math.isfinite(threshold) and threshold >= 0):
        raise InputError(f"threshold must be finite and >= 0, got {threshold!r}")
    return _shrunk(checked(image), None, sigma, (threshold * sigma) ** 2, step)


def wiener(image: np.ndarray, *, sigma: float, pilot: np.ndarray, step: int = 1) -> np.ndarray:
    """Weaken each cosine coefficient of squares by what another filter says of it.

    Args:
        image: picture with noise.
        sigma: of its noise, in grey levels of 255, >= 0; 0 changes nothing.
        pilot: the same picture with less noise, as another filter leaves it: where its coefficients are p, those of the
            image are multiplied by p**2 / (p**2 + sigma**2).
        step: rows from one square to the next, 1, 2 or 4: more is quicker and a little worse.

    Returns:
        The picture, cut off at black and white.

    Raises:
        InputError: a value is out of its range, image is no picture, or pilot is not of the same shape and dtype.

    Source: empirical Wiener filter, Ghael, Sayeed & Baraniuk 1997, doi:10.1117/12.292799, as in the second step of
    BM3D (Dabov et al. 2007, doi:10.1109/TIP.2007.901238).
    """
    picture, led = checked(image), checked(pilot)
    if (led.shape, led.dtype) != (picture.shape, picture.dtype):
        raise InputError(f"pilot must be as the image, {picture.shape} {picture.dtype}, got {led.shape} {led.dtype}")
    return _shrunk(picture, led, sigma, -1.0, step)


def _shrunk(picture: np.ndarray, pilot: np.ndarray | None, sigma: float, least: float, step: int) -> np.ndarray:
    if not (math.isfinite(sigma) and sigma >= 0):
        raise InputError(f"sigma must be finite and >= 0, got {sigma!r}")
    if step not in STEPS:
        raise InputError(f"step must be 1, 2 or 4, got {step!r}")
    if sigma == 0:
        return picture.copy()
    white = np.float32(255 if picture.dtype == np.uint8 else 1)
    planes = _planes(picture)
    pilots = _planes(pilot) if pilot is not None else [None] * len(planes)
    found = [_plane(x, p, least, sigma**2, step) for x, p in zip(planes, pilots, strict=True)]
    result = found[0] if len(found) == 1 else cv2.transform(cv2.merge(found), _APART.T)
    result = np.clip(result * (white / 255), 0, white)
    return np.rint(result).astype(np.uint8) if picture.dtype == np.uint8 else result


def _planes(picture: np.ndarray) -> list[np.ndarray]:
    """Return grey levels, or grey and differences of colour."""
    levels = picture.astype(np.float32) if picture.dtype == np.uint8 else picture * np.float32(255)
    return [levels] if levels.ndim == 2 else list(cv2.split(cv2.transform(levels, _APART)))


def _plane(plane: np.ndarray, pilot: np.ndarray | None, least: float, power: float, step: int) -> np.ndarray:
    from . import cosines

    r = cosines.BEYOND
    padded = cv2.copyMakeBorder(plane, r, r, r, r, cv2.BORDER_REFLECT)
    led = padded[:0] if pilot is None else cv2.copyMakeBorder(pilot, r, r, r, r, cv2.BORDER_REFLECT)
    out, basis, limits = np.zeros_like(plane), cosines.waves(), np.array([least, power], np.float32)

    def work(top: int, bottom: int) -> None:
        room = np.empty((cosines.SIDE + 3, padded.shape[1]), np.float32)
        cosines.shrink(padded, led, out, basis, room, limits, step, top, bottom)

    in_bands(work, plane)
    return out * np.float32(step / cosines.SIDE**2)
