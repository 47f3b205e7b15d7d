"""Unsharp masking with the box blurs of Pillow, exactly as it rounds them; the kernel is compiled on first use."""

import math

import cv2
import numpy as np
from numba import njit

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
    """Blur by three boxes; the border is repeated.

    Args:
        image: picture, float32, C-contiguous.
        radius: standard deviation in pixels, > 0.

    Returns:
        The same shape and dtype.
    """
    whole, part = weights(radius)
    box = np.ones(2 * whole + 3, np.float64)
    box[[0, -1]] = part
    box /= box.sum()
    for _ in range(_PASSES):
        image = cv2.sepFilter2D(image, -1, box, box, borderType=cv2.BORDER_REPLICATE)
    return image


def unsharp(image: np.ndarray, *, radius: float, percent: float, threshold: float) -> np.ndarray:
    """Add a part of the difference from a blur, where it is more than a threshold: what Pillow gives, pixel by pixel.

    Args:
        image: picture, uint8, C-contiguous.
        radius: standard deviation in pixels, > 0.
        percent: of the difference, 0 to 10,000; what is added is cut towards 0.
        threshold: in grey levels, >= 0.

    Returns:
        The same shape and dtype.
    """
    whole, part = weights(radius)
    # The weight of one pixel is cut to single precision first, as Pillow's argument is.
    inner = int(_ONE / (np.float32(whole + part) * 2 + 1))
    outer = (_ONE - (2 * whole + 1) * inner) // 2
    factors = np.array([inner, outer, round(100 * percent), min(threshold, 255)], np.uint32)
    result = np.empty_like(image)
    source, target = (x.reshape(len(x), -1) for x in (image, result))
    width, step = source.shape[1], image[0, 0].size

    def work(top: int, bottom: int) -> None:
        rings = np.empty((_PASSES, 2 * whole + 3, width), np.uint8)
        sums = np.empty((_PASSES + 1, width), np.uint32)
        wide = np.empty((2, width + 2 * (whole + 1) * step), np.uint8)
        sharpen(source, target, rings, sums, wide, factors, whole, step, top, bottom)

    in_bands(work, image)
    return result


@kernel
def sharpen(
    image: np.ndarray,
    out: np.ndarray,
    rings: np.ndarray,
    sums: np.ndarray,
    wide: np.ndarray,
    factors: np.ndarray,
    whole: int,
    step: int,
    top: int,
    bottom: int,
) -> None:
    """Blur and sharpen some rows in one sweep.

    Each row is blurred along itself by three passes, and then goes through three passes along columns, each of which
    works one reach behind the pass before it and needs only the last rows of that.

    Args:
        image: uint8 (H, W * step).
        out: uint8 (H, W * step).
        rings: uint8 (3, 2 * whole + 3, W * step), for the rows that passes along columns need; of any content.
        sums: uint32 (4, W * step), for running sums; of any content.
        wide: uint8 (2, (W + 2 * whole + 2) * step), for a row with its ends repeated; of any content.
        factors: uint32 (4,): weight of a whole pixel and of one that counts in part, of 2**24; hundredths of a per cent
            of the difference; threshold.
        whole: pixels on each side that count whole.
        step: channels.
        top: first row of out to fill.
        bottom: row after the last.
    """
    width, passes, depth, reach = image.shape[1], len(rings), rings.shape[1], whole + 1
    inner, outer, hundredths, threshold = factors
    first, end = max(top - passes * reach, 0), min(bottom + passes * reach, image.shape[0])
    soft = wide[0, :width]
    for at in range(first, end + passes * reach):
        if at < end:
            _along(image[at], rings[0, at % depth], wide, sums[passes], inner, outer, whole, step)
        for n in range(passes):
            y = at - (n + 1) * reach
            if first <= y < end:
                ring, total = rings[n], sums[n]
                if y == first:
                    for x in range(width):
                        total[x] = 0
                    for other in range(y - whole, y + whole + 1):
                        row = ring[min(max(other, first), end - 1) % depth]
                        for x in range(width):
                            total[x] += row[x]
                above, below = ring[max(y - reach, first) % depth], ring[min(y + reach, end - 1) % depth]
                leaving = ring[max(y - whole, first) % depth]
                result = soft if n == passes - 1 else rings[n + 1, y % depth]
                for x in range(width):
                    ends = np.uint32(above[x]) + np.uint32(below[x])
                    result[x] = _rounded(total[x], ends, inner, outer)
                    total[x] += np.uint32(below[x]) - np.uint32(leaving[x])
        y = at - passes * reach
        if top <= y < bottom:
            _add(image[y], soft, out[y], hundredths, threshold)


@njit(inline="always")
def _rounded(total: np.uint32, ends: np.uint32, inner: np.uint32, outer: np.uint32) -> np.uint32:
    """Weigh a sum of pixels and one of those at the ends, and round."""
    return np.uint32(np.uint32(total * inner) + np.uint32(ends * outer) + np.uint32(1 << 23)) >> np.uint32(24)


@kernel
def _along(
    row: np.ndarray,
    result: np.ndarray,
    wide: np.ndarray,
    sums: np.ndarray,
    inner: np.uint32,
    outer: np.uint32,
    whole: int,
    step: int,
) -> None:
    """Blur a row along itself, three times."""
    width, beyond = len(row), (whole + 1) * step
    middle = wide[0, beyond : beyond + width]
    for x in range(width):
        middle[x] = row[x]
    for n in range(_PASSES):
        source, target = wide[n % 2], wide[(n + 1) % 2, beyond : beyond + width]
        for x in range(beyond):
            source[x] = source[beyond + x % step]
            source[beyond + width + x] = source[beyond + width - step + x % step]
        # Narrow boxes, those of small radii, are summed for many pixels at once.
        before, after = source[:width], source[2 * beyond : 2 * beyond + width]
        centre = source[beyond : beyond + width]
        if whole == 0:
            for x in range(width):
                total = np.uint32(centre[x])
                target[x] = _rounded(total, np.uint32(before[x]) + np.uint32(after[x]), inner, outer)
        elif whole == 1:
            left, right = source[step : step + width], source[3 * step : 3 * step + width]
            for x in range(width):
                total = np.uint32(np.uint32(left[x]) + np.uint32(centre[x]) + np.uint32(right[x]))
                target[x] = _rounded(total, np.uint32(before[x]) + np.uint32(after[x]), inner, outer)
        else:
            for x in range(step):
                sums[x] = 0
                for shift in range(step, 2 * beyond, step):
                    sums[x] += source[x + shift]
            for x in range(step, width):
                sums[x] = sums[x - step] + np.uint32(source[x + 2 * beyond - step]) - np.uint32(source[x])
            for x in range(width):
                target[x] = _rounded(sums[x], np.uint32(before[x]) + np.uint32(after[x]), inner, outer)
    final = wide[_PASSES % 2, beyond : beyond + width]
    for x in range(width):
        result[x] = final[x]


@kernel
def _add(image: np.ndarray, soft: np.ndarray, result: np.ndarray, hundredths: np.uint32, threshold: np.uint32) -> None:
    """Add to a row what its difference from the blur calls for."""
    for x in range(len(image)):
        value, around = np.int32(image[x]), np.int32(soft[x])
        size = np.uint32(value - around) if value > around else np.uint32(around - value)
        part = np.int32(np.uint32(size * hundredths) // np.uint32(10000)) if size > threshold else np.int32(0)
        value = np.int32(value + part) if value > around else np.int32(value - part)
        result[x] = min(max(value, np.int32(0)), np.int32(255))
