"""Extended box blurs, exactly as Pillow rounds them: the kernel of unsharp masking, compiled on first use."""

import math

import cv2
import numpy as np

from .kernel import kernel
from .picture import in_bands

_PASSES = 3  # that come near a Gaussian
_ONE = 1 << 24  # of the weights, which are whole numbers


def weights(radius: float) -> tuple[int, float]:
    """Find the box whose three passes have the variance of a Gaussian.

    Args:
        radius: standard deviation of the Gaussian in pixels, > 0.

    Returns:
        Pixels on each side that count whole, and the part of the next one that counts too.

    Source: Gwosdek et al. 2011, doi:10.1007/978-3-642-24785-9_38, as in Pillow.
    """
    variance = radius * radius / _PASSES
    whole = math.floor((math.sqrt(12 * variance + 1) - 1) / 2)
    part = (2 * whole + 1) * (whole * (whole + 1) - 3 * variance)
    part /= 6 * (variance - (whole + 1) * (whole + 1))
    return whole, part


def blur(image: np.ndarray, *, radius: float) -> np.ndarray:
    """Blur as Pillow's GaussianBlur does; the border is repeated.

    Args:
        image: picture, uint8 or float32, C-contiguous.
        radius: standard deviation in pixels, > 0.

    Returns:
        The same shape and dtype; of uint8 every pass is rounded, which makes it equal to Pillow's.
    """
    whole, part = weights(radius)
    if image.dtype == np.float32:
        box = np.ones(2 * whole + 3, np.float64)
        box[[0, -1]] = part
        box /= box.sum()
        for _ in range(_PASSES):
            image = cv2.sepFilter2D(image, -1, box, box, borderType=cv2.BORDER_REPLICATE)
        return image
    # The weight of one pixel is cut to single precision first, as Pillow's argument is.
    width = np.float32(whole + part) * 2 + 1
    inner = np.uint32(_ONE / width)
    outer = np.uint32((_ONE - (2 * whole + 1) * int(inner)) // 2)
    for _ in range(2):
        image = cv2.transpose(image)  # so that sums run along columns: a whole row of them at once
        for _ in range(_PASSES):
            image = _pass(image, whole, inner, outer)
    return image


def _pass(image: np.ndarray, whole: int, inner: np.uint32, outer: np.uint32) -> np.ndarray:
    flat = image.reshape(len(image), -1)
    result = np.empty_like(flat)

    def work(top: int, bottom: int) -> None:
        total = np.empty(flat.shape[1], np.uint32)
        box(flat, result, total, whole, inner, outer, top, bottom)

    in_bands(work, image)
    return result.reshape(image.shape)


@kernel
def box(
    image: np.ndarray,
    out: np.ndarray,
    total: np.ndarray,
    whole: int,
    inner: np.uint32,
    outer: np.uint32,
    top: int,
    bottom: int,
) -> None:
    """Weigh 2 * whole + 1 pixels of each column by `inner`, and one more at each end by `outer`.

    Args:
        image: uint8 (H, W).
        out: uint8 (H, W).
        total: uint32 (W,), of any content.
        whole: pixels on each side that count whole.
        inner: their weight, of 2**24.
        outer: weight of the ends.
        top: first row of out to fill.
        bottom: row after the last.
    """
    last = image.shape[0] - 1
    half = np.uint32(1 << 23)
    for y in range(top, bottom):
        if y == top:
            for x in range(len(total)):
                total[x] = 0
            for other in range(y - whole, y + whole + 1):
                row = image[min(max(other, 0), last)]
                for x in range(len(total)):
                    total[x] += row[x]
        else:
            entering, leaving = image[min(y + whole, last)], image[max(y - whole - 1, 0)]
            for x in range(len(total)):
                total[x] += np.uint32(entering[x]) - np.uint32(leaving[x])
        above, below, result = image[max(y - whole - 1, 0)], image[min(y + whole + 1, last)], out[y]
        for x in range(len(total)):
            ends = np.uint32(above[x]) + np.uint32(below[x])
            result[x] = np.uint32(np.uint32(total[x] * inner) + np.uint32(ends * outer) + half) >> np.uint32(24)


@kernel
def sharpen(image: np.ndarray, soft: np.ndarray, result: np.ndarray, added: np.ndarray) -> None:
    """Add to each pixel what its difference from the blur calls for.

    Args:
        image: uint8 (n,).
        soft: the blurred one, uint8 (n,).
        result: uint8 (n,), to fill.
        added: int16 (511,), by the difference from -255 to 255.
    """
    for x in range(len(image)):
        value = np.int32(image[x]) + np.int32(added[np.int32(image[x]) - np.int32(soft[x]) + np.int32(255)])
        result[x] = np.uint8(min(max(value, np.int32(0)), np.int32(255)))
