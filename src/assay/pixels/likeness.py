"""Likeness: do two pictures show the same, whichever way up? Arrays in, a correlation out."""

import cv2
import numpy as np

from .colour import grey

SAME = 0.95  # correlation of copies: of made ones (JPEG 30, half size, brighter, mirrored, turned) 95 in 100 reach it
_SIDE = 96  # pixels of the square on which they are compared
_FINE, _COARSE = 0.7, 2.0  # sigmas in pixels between which detail is compared: what like things do not share


def detail(image: np.ndarray) -> np.ndarray:
    """Reduce a picture to its fine detail, for `correlation`.

    Args:
        image: picture, uint8, (H, W) or (H, W, 3).

    Returns:
        float32 (96, 96), of mean 0 and length 1; zeros for a flat picture.
    """
    small = cv2.resize(grey(image), (_SIDE, _SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    band = cv2.GaussianBlur(small, (0, 0), _FINE) - cv2.GaussianBlur(small, (0, 0), _COARSE)
    band -= band.mean()
    length = float(np.linalg.norm(band))
    return band / length if length > 1e-3 else np.zeros_like(band)


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Correlate the fine detail of two pictures at the best of the 8 turns and mirrors.

    Args:
        a: from `detail`.
        b: likewise.

    Returns:
        -1 to 1; 1 for the same picture turned or mirrored, about 0 for two that have nothing in common.

    >>> x = np.random.default_rng(0).integers(0, 255, (96, 96), np.uint8)
    >>> round(correlation(detail(x), detail(np.rot90(x)[:, ::-1].copy())), 3)
    1.0
    """
    turned = [np.rot90(side, k) for side in (b, b[:, ::-1]) for k in range(4)]
    return max(float(np.vdot(a, np.ascontiguousarray(t))) for t in turned)
