"""Spikes: single pixels that are black or white and do not belong where they are. A picture in, a picture out."""

import cv2
import numpy as np

from ..errors import InputError
from . import smoothing
from .picture import checked

_MIRROR = cv2.BORDER_REFLECT
_FAR = 25.0  # grey levels that a spike lies from the pixels around it, at least
_ENOUGH = 3  # pixels within 3 x 3 that are no spikes; with fewer, 5 x 5 are looked at
_PIECE = 1 << 16  # spikes that are mended together, so that memory stays small


def despike(image: np.ndarray, *, tolerance: float = 0) -> np.ndarray:
    """Replace black and white pixels that stick out by the median of the others around them.

    Args:
        image: picture; of a colour picture all channels of a pixel must be black, or all white.
        tolerance: grey levels (of 255) from black or white that still count as such, 0 to 100: more than 0 where noise
            or JPEG came after the spikes.

    Returns:
        The picture. Black and white pixels that lie more than 25 grey levels from the median of all 5 x 5 around them
        are spikes. Each becomes the median of what is no spike in the 3 x 3 around it, or, where that are fewer than 3,
        in the 5 x 5, if it lies more than 25 grey levels from that too; all other pixels are kept.

    Raises:
        InputError: tolerance is out of its range, or image is no picture.

    Source: decision-based median filter, Srinivasan & Ebenezer 2007, doi:10.1109/LSP.2006.884018, with larger squares
    in place of its last neighbour.

    >>> despike(np.array([[7, 7, 8], [7, 255, 8], [9, 9, 9]], np.uint8))[1]
    array([7, 8, 8], dtype=uint8)
    """
    if not 0 <= tolerance <= 100:
        raise InputError(f"tolerance must be in 0..100, got {tolerance!r}")
    picture = checked(image)
    level = np.float32(1 if picture.dtype == np.uint8 else 1 / 255)
    spikes = np.zeros(picture.shape[:2], bool)
    for end in (picture <= tolerance * level, picture >= (255 - tolerance) * level):
        spikes |= end if end.ndim == 2 else end.all(axis=2)
    # What is black over more than half of the surroundings is no spike, but a black thing.
    out = cv2.absdiff(picture, smoothing.median(picture, 5)) > _FAR * level
    spikes &= out if out.ndim == 2 else out.any(axis=2)
    calm = cv2.copyMakeBorder((~spikes).astype(np.uint8), 2, 2, 2, 2, _MIRROR)
    near = cv2.boxFilter(calm, cv2.CV_32F, (5, 5), normalize=False)[2:-2, 2:-2]
    rows, columns = np.nonzero(spikes & (near > 0))
    result, around = picture.copy(), cv2.copyMakeBorder(picture, 2, 2, 2, 2, _MIRROR)
    for i in range(0, len(rows), _PIECE):
        y, x = rows[i : i + _PIECE], columns[i : i + _PIECE]
        found = _median(around, calm, y, x)
        unlike = np.abs(found - result[y, x].astype(np.float32))
        far = (unlike if unlike.ndim == 1 else unlike.max(axis=1)) > _FAR * level
        result[y[far], x[far]] = found[far].astype(picture.dtype)
    return result


def _median(around: np.ndarray, calm: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Return the lower median of what is calm around each place, float32 (n,) or (n, 3)."""
    down, right = (x.ravel() for x in np.mgrid[:5, :5])
    places = rows[:, None] + down, columns[:, None] + right
    counted = calm[places] > 0
    inner = (np.abs(down - 2) < 2) & (np.abs(right - 2) < 2)
    counted &= inner | ((counted & inner).sum(axis=1) < _ENOUGH)[:, None]
    values = around[places].astype(np.float32)
    values[~counted] = np.inf
    values.sort(axis=1)
    at = (counted.sum(axis=1) - 1) // 2
    return np.asarray(values[np.arange(len(rows)), at])
