"""Geometry: smaller, square, cut. A picture in, pictures of the same dtype out; the input is never written to."""

import math
from collections.abc import Callable

import cv2
import numpy as np

from ..errors import InputError

_TURNS: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    1: lambda x: x,
    2: lambda x: cv2.flip(x, 1),
    3: lambda x: cv2.rotate(x, cv2.ROTATE_180),
    4: lambda x: cv2.flip(x, 0),
    5: cv2.transpose,
    6: lambda x: cv2.rotate(x, cv2.ROTATE_90_CLOCKWISE),
    7: lambda x: cv2.flip(cv2.transpose(x), -1),
    8: lambda x: cv2.rotate(x, cv2.ROTATE_90_COUNTERCLOCKWISE),
}


def fit(image: np.ndarray, *, side: int) -> np.ndarray:
    """Shrink a picture until its longer side fits; never enlarge.

    Args:
        image: picture, uint8 or float32, (H, W) or (H, W, 3).
        side: pixels that the longer side has at most, >= 1.

    Returns:
        The picture averaged over squares, then linear between pixels; aspect kept to a pixel, both sides >= 1. As it
        is, not copied, if it fits.

    Raises:
        InputError: side is less than 1.

    >>> fit(np.zeros((60, 100), np.uint8), side=50).shape
    (30, 50)
    """
    if side < 1:
        raise InputError(f"side must be >= 1, got {side!r}")
    height, width = image.shape[:2]
    longer = max(height, width)
    if longer <= side:
        return image
    size = max(1, round(width * side / longer)), max(1, round(height * side / longer))
    # Areas of whole squares are eight times quicker than areas of fractions; under a factor of 2 no pixel is left out.
    return cv2.resize(halve(image, times=int(math.log2(longer / side))), size, interpolation=cv2.INTER_LINEAR)


def square(image: np.ndarray, *, size: int) -> np.ndarray:
    """Squash or stretch the whole picture to a square; nothing is cut off.

    A side of twice the size and more is first averaged over areas until it is less; the rest is cubic, as networks
    trained on ImageNet have seen their pictures. (Averaging all the way costs photographs 0.01 nats of log loss.)

    Args:
        image: picture, uint8 or float32, (H, W) or (H, W, 3).
        size: pixels of each side of the result, >= 1.

    Returns:
        (size, size) or (size, size, 3), same dtype.

    Raises:
        InputError: size is less than 1.
    """
    if size < 1:
        raise InputError(f"size must be >= 1, got {size!r}")
    height, width = image.shape[:2]
    rows, columns = (2 ** int(math.log2(max(length / size, 1))) for length in (height, width))
    if max(rows, columns) > 1:
        image = cv2.resize(image, (-(-width // columns), -(-height // rows)), interpolation=cv2.INTER_AREA)
    square = cv2.resize(image, (size, size), interpolation=cv2.INTER_CUBIC)
    return square if image.dtype == np.uint8 else np.clip(square, 0, 1)  # beside an edge, a cubic swings beyond


def reshape(image: np.ndarray, *, shape: tuple[int, int]) -> np.ndarray:
    """Squash or stretch the whole picture to a shape; nothing is cut off.

    A side that shrinks is averaged over areas, so it never aliases; a side that grows is interpolated.

    Args:
        image: picture, uint8 or float32, (H, W) or (H, W, 3).
        shape: height and width of the result in pixels, >= 1.

    Returns:
        (*shape) or (*shape, 3), same dtype; as it is, not copied, if it has that shape.

    Raises:
        InputError: a side is less than 1.

    >>> reshape(np.array([[0, 2], [4, 6]], np.uint8), shape=(1, 2))
    array([[2, 4]], dtype=uint8)
    """
    if min(shape) < 1:
        raise InputError(f"sides must be >= 1, got {shape!r}")
    (height, width), (rows, columns) = image.shape[:2], shape
    if height > rows or width > columns:
        image = cv2.resize(image, (min(width, columns), min(height, rows)), interpolation=cv2.INTER_AREA)
    if height < rows or width < columns:
        image = cv2.resize(image, (columns, rows), interpolation=cv2.INTER_LINEAR)
    return image


def tiles(image: np.ndarray, *, count: int = 3) -> list[np.ndarray]:
    """Cut a picture into half-overlapping tiles.

    Args:
        image: picture, (H, W) or (H, W, 3).
        count: tiles along each side, >= 1.

    Returns:
        count * count views, row by row; each covers 2 / (count + 1) of each side, and they cover every pixel.

    Raises:
        InputError: count is less than 1.

    >>> [t.shape for t in tiles(np.zeros((8, 12)), count=3)][:2]
    [(4, 6), (4, 6)]
    """
    if count < 1:
        raise InputError(f"count must be >= 1, got {count!r}")
    rows, columns = (_spans(length, count) for length in image.shape[:2])
    return [image[r, c] for r in rows for c in columns]


def centre(image: np.ndarray, *, fraction: float = 0.875) -> np.ndarray:
    """Cut out the central square.

    Args:
        image: picture, (H, W) or (H, W, 3).
        fraction: of the shorter side, in (0, 1].

    Returns:
        A view of at least one pixel.

    Raises:
        InputError: fraction is outside (0, 1].

    >>> centre(np.zeros((8, 12)), fraction=0.5).shape
    (4, 4)
    """
    if not 0 < fraction <= 1:
        raise InputError(f"fraction must be in (0, 1], got {fraction!r}")
    height, width = image.shape[:2]
    side = max(1, round(fraction * min(height, width)))
    top, left = (height - side) // 2, (width - side) // 2
    return image[top : top + side, left : left + side]


def halve(image: np.ndarray, *, times: int) -> np.ndarray:
    """Halve both sides, again and again, by averaging over squares of pixels.

    Args:
        image: picture, uint8, uint16 or float32, (H, W) or (H, W, 3).
        times: how often, >= 0.

    Returns:
        Both sides divided by 2**times and rounded up; where the last square is not full, the last pixel is repeated
        to fill it.

    >>> halve(np.array([[0, 2, 8], [4, 2, 8]], np.uint8), times=1)
    array([[2, 8]], dtype=uint8)
    """
    if times == 0:
        return image
    factor = 2**times
    height, width = (-(-length // factor) for length in image.shape[:2])
    below, right = height * factor - image.shape[0], width * factor - image.shape[1]
    if below or right:
        image = cv2.copyMakeBorder(image, 0, below, 0, right, cv2.BORDER_REPLICATE)
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)


def upright(image: np.ndarray, *, orientation: int) -> np.ndarray:
    """Turn a picture as its camera says.

    Args:
        image: picture, (H, W) or (H, W, 3).
        orientation: EXIF, 1 to 8: 1 is upright, 3 upside down; from 5 on the sides are swapped.

    Returns:
        The upright picture; as it is, not copied, for 1.

    Source: EXIF 2.32, tag 0x0112.

    >>> upright(np.array([[1, 2, 3]], np.uint8), orientation=6).tolist()
    [[1], [2], [3]]
    """
    return _TURNS[orientation](image)


def _spans(length: int, count: int) -> list[slice]:
    """Divide a side; where there are fewer pixels than tiles, tiles share them."""
    edges = [min(round(i * length / (count + 1)), length - 1) for i in range(count)]
    ends = [round((i + 2) * length / (count + 1)) for i in range(count)]
    return [slice(start, max(end, start + 1)) for start, end in zip(edges, ends, strict=True)]
