"""What a picture is: an array in, the same array checked and contiguous out, or an error that says what must hold."""

import itertools
import math
import threading
from collections.abc import Callable

import cv2
import numpy as np

from ..errors import InputError

_BAND = 1 << 16  # pixels below which a second thread costs more than it saves
_ROWS = 16  # of a band at least: windows reach into the bands beside it


def checked(image: np.ndarray, *, side: int = 1) -> np.ndarray:
    """Check that an array is a picture.

    Args:
        image: anything.
        side: pixels that both sides have at least.

    Returns:
        The picture, C-contiguous; not copied if it is so already. Not to be written to.

    Raises:
        InputError: it is no array of uint8 or float32, not (H, W) or (H, W, 3), too small, or not finite.

    >>> checked(np.zeros((4, 6))[:, ::2])
    Traceback (most recent call last):
    assay.errors.InputError: a picture must be uint8 in 0..255 or float32 in 0..1, got float64
    """
    if not isinstance(image, np.ndarray):
        raise InputError(f"a picture must be a numpy array, got {type(image).__name__}")
    if image.dtype not in (np.uint8, np.float32):
        raise InputError(f"a picture must be uint8 in 0..255 or float32 in 0..1, got {image.dtype}")
    if image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[2] != 3):
        raise InputError(f"a picture must be (H, W) grey or (H, W, 3) RGB, got {image.shape}")
    height, width = image.shape[:2]
    if min(height, width) < side:
        raise InputError(f"a picture must have {side} x {side} pixels at least, got {height} x {width}")
    image = np.ascontiguousarray(image)
    # A sum is not finite where a value is not: one pass, and no array of booleans.
    if image.dtype == np.float32 and not math.isfinite(sum(cv2.sumElems(image))):
        raise InputError("a picture must be finite, got NaN or infinity")
    return image


def in_bands(work: Callable[[int, int], None], image: np.ndarray) -> list[int]:
    """Fill the rows of a result by as many threads as OpenCV uses.

    Args:
        work: a function that lets other threads run meanwhile; gets the first row, and the row after the last.
        image: picture whose rows are meant.

    Returns:
        The first rows of all bands but the first: there two bands meet.
    """
    height, width = image.shape[:2]
    count = max(min(cv2.getNumThreads(), height * width // _BAND, height // _ROWS), 1)
    edges = [height * i // count for i in range(count + 1)]
    threads = [threading.Thread(target=work, args=span) for span in itertools.pairwise(edges[1:])]
    for thread in threads:
        thread.start()
    work(edges[0], edges[1])
    for thread in threads:
        thread.join()
    return edges[1:-1]
