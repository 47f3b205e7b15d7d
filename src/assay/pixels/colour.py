"""Colour: to grey, to 8 bits, onto white. A picture in, a picture out; the input is never written to."""

import cv2
import numpy as np

from ..errors import InputError

_BAND = 256  # rows that are laid on white at a time, so that a large picture needs no second one in floats


def grey(image: np.ndarray) -> np.ndarray:
    """Weigh the channels as the eye does: 0.299 red + 0.587 green + 0.114 blue.

    Args:
        image: picture, uint8 or float32, (H, W) or (H, W, 3).

    Returns:
        (H, W) of the same dtype; a picture that is grey is returned as it is, not copied.

    Source: ITU-R BT.601 luma, OpenCV `COLOR_RGB2GRAY`.

    >>> grey(np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]]], np.uint8))
    array([[ 76, 150,  29]], dtype=uint8)
    """
    return image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)


def to_uint8(image: np.ndarray) -> np.ndarray:
    """Bring a picture to 8 bits.

    Args:
        image: picture, uint8 or float32, (H, W) or (H, W, 3).

    Returns:
        uint8 of the same shape; floats are clipped to 0..1 and rounded; uint8 is returned as it is, not copied.

    Raises:
        InputError: the dtype is another.

    >>> to_uint8(np.array([[0, 0.5, 1.2]], np.float32))
    array([[  0, 128, 255]], dtype=uint8)
    """
    if image.dtype == np.uint8:
        return image
    if image.dtype != np.float32:
        raise InputError(f"a picture must be uint8 or float32, got {image.dtype}")
    return np.asarray(np.clip(image, 0, 1) * 255 + 0.5).astype(np.uint8)


def on_white(colours: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Lay transparent colours on white.

    Args:
        colours: uint8 or uint16, (H, W), (H, W, 1) or (H, W, 3), not multiplied by alpha.
        alpha: same dtype, (H, W); the largest value is opaque.

    Returns:
        What is seen, same dtype, (H, W) or (H, W, 3); an opaque pixel keeps its colour exactly.

    >>> on_white(np.array([[[255, 0, 0], [255, 0, 0]]], np.uint8), np.array([[0, 255]], np.uint8)).tolist()
    [[[255, 255, 255], [255, 0, 0]]]
    """
    colours = colours[..., 0] if colours.ndim == 3 and colours.shape[2] == 1 else colours
    white = np.iinfo(colours.dtype).max
    result = np.empty(colours.shape, colours.dtype)
    for top in range(0, len(alpha), _BAND):
        rows = slice(top, top + _BAND)
        opacity = alpha[rows].astype(np.float32) / white
        if colours.ndim == 3:
            opacity = opacity[..., None]
        result[rows] = white - (white - colours[rows].astype(np.float32)) * opacity + 0.5
    return result
