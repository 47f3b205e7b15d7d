"""Extended box blurs, exactly as Pillow rounds them: the kernel of unsharp masking, compiled on first use."""

import math

import cv2
import numpy as np

from .kernel import kernel
from .picture import in_bands

_PASSES = 3  # that come near a Gaussian
_ONE = 1 << 24  # of the weights, which are whole numbers
_STRETCH = 1024  # columns that go through all passes together, so that they stay in a near cache


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
        image = _three_passes(
            cv2.transpose(image), whole, inner, outer
        )  # sums run along columns, a row of them at once
    return image


def _three_passes(image: np.ndarray, whole: int, inner: np.uint32, outer: np.uint32) -> np.ndarray:
    flat = image.reshape(len(image), -1)
    results = np.empty((_PASSES, *flat.shape), np.uint8)

    def work(left: int, right: int) -> None:
        # Columns need nothing of each other: each thread takes some of them, a stretch at a time, through all passes.
        for start in range(left, right, _STRETCH):
            end = min(start + _STRETCH, right)
            total, source = np.empty(end - start, np.uint32), flat
            for result in results:
                box(source, result, total, whole, inner, outer, start, end)
                source = result

    in_bands(work, flat.T)
    return np.asarray(results[-1].reshape(image.shape))


@kernel
def box(
    image: np.ndarray,
    out: np.ndarray,
    total: np.ndarray,
    whole: int,
    inner: np.uint32,
    outer: np.uint32,
    left: int,
    right: int,
) -> None:
    """Weigh 2 * whole + 1 pixels of each column by `inner`, and one more at each end by `outer`.

    Args:
        image: uint8 (H, W).
        out: uint8 (H, W).
        total: uint32 (right - left,), of any content.
        whole: pixels on each side that count whole.
        inner: their weight, of 2**24.
        outer: weight of the ends.
        left: first column of out to fill.
        right: column after the last.
    """
    last = image.shape[0] - 1
    half = np.uint32(1 << 23)
    for x in range(right - left):
        total[x] = 0
    for other in range(-whole, whole + 1):
        row = image[min(max(other, 0), last), left:right]
        for x in range(right - left):
            total[x] += row[x]
    for y in range(last + 1):
        above = image[max(y - whole - 1, 0), left:right]
        below = image[min(y + whole + 1, last), left:right]
        leaving, result = image[max(y - whole, 0), left:right], out[y, left:right]
        for x in range(right - left):
            ends = np.uint32(above[x]) + np.uint32(below[x])
            result[x] = np.uint32(np.uint32(total[x] * inner) + np.uint32(ends * outer) + half) >> np.uint32(24)
            total[x] += np.uint32(below[x]) - np.uint32(leaving[x])


def sharpen(image: np.ndarray, soft: np.ndarray, *, percent: float, threshold: float) -> np.ndarray:
    """Add a part of the difference from a blur, where it is more than a threshold.

    Args:
        image: uint8, C-contiguous.
        soft: the blurred one, of the same shape.
        percent: of the difference, up to 10,000; what is added is cut towards 0, as Pillow does.
        threshold: in grey levels.

    Returns:
        uint8 of the same shape.
    """
    result = np.empty_like(image)

    def work(top: int, bottom: int) -> None:
        before, around, after = (x[top:bottom].reshape(-1) for x in (image, soft, result))
        add(before, around, after, np.uint32(round(100 * percent)), np.uint32(min(threshold, 255)))

    in_bands(work, image)
    return result


@kernel
def add(image: np.ndarray, soft: np.ndarray, result: np.ndarray, hundredths: np.uint32, threshold: np.uint32) -> None:
    """Fill a stretch of a sharpened picture.

    Args:
        image: uint8 (n,).
        soft: uint8 (n,).
        result: uint8 (n,).
        hundredths: of a per cent of the difference.
        threshold: in grey levels.
    """
    for x in range(len(image)):
        value, around = np.int32(image[x]), np.int32(soft[x])
        size = np.uint32(value - around) if value > around else np.uint32(around - value)
        part = np.int32(np.uint32(size * hundredths) // np.uint32(10000)) if size > threshold else np.int32(0)
        value = np.int32(value + part) if value > around else np.int32(value - part)
        result[x] = min(max(value, np.int32(0)), np.int32(255))
