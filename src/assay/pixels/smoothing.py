"""Smoothing: the work of the filters that no one call of a library does. Checked arrays in, new arrays out.

Arrays are C-contiguous, (H, W) or (H, W, 3), uint8 in 0..255 or float32 of any range with 1 for white; arguments are
taken to be right: `filters` has checked them.
"""

from collections.abc import Callable

import cv2
import numpy as np

from .picture import in_bands

_MIRROR = cv2.BORDER_REFLECT
_LEVELS = np.float32(255)
# Sides of windows: up to the first OpenCV's networks are quickest, up to the second ours, beyond them histograms.
_SMALL, _NETWORK, _HISTOGRAM = 5, 13, 255


def median(image: np.ndarray, size: int) -> np.ndarray:
    """Take medians over mirrored borders.

    Args:
        image: picture.
        size: odd, >= 1.
    """
    if size == 1:
        return image.copy()
    if size <= _SMALL:
        return _by_opencv(image, size)
    if size <= _NETWORK:
        return _by_network(image, size)
    if image.dtype == np.uint8 and size <= _HISTOGRAM:
        return _by_histograms(image, size)
    from scipy import ndimage

    window = (size, size, 1)[: image.ndim]
    result: np.ndarray = ndimage.median_filter(image, window, mode="reflect")
    return result


def _by_opencv(image: np.ndarray, size: int) -> np.ndarray:
    """Take small medians as OpenCV does, which has no threads for them."""
    r = size // 2
    if r == 1:  # quicker than a thread begins; and a repeated last pixel is a mirrored one
        return cv2.medianBlur(image, size)
    result = np.empty_like(image)

    def work(top: int, bottom: int) -> None:
        cv2.medianBlur(image[top:bottom], size, dst=result[top:bottom])

    for seam in in_bands(work, image):
        strip = image[seam - 2 * r : seam + 2 * r]
        result[seam - r : seam + r] = cv2.medianBlur(strip, size)[r:-r]
    return _mend(image, result, r, lambda x: cv2.medianBlur(x, size))


def _mend(image: np.ndarray, result: np.ndarray, radius: int, work: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Filter the borders again, as mirrored ones, where a library repeats the last pixel."""
    r = radius
    # The left and the right border are laid on their side: wide strips are quicker than high ones.
    sides = (0, 1, 2)[: image.ndim], (1, 0, 2)[: image.ndim]
    for way in sides:
        for step in (1, -1):
            source, target = (x.transpose(way)[::step] for x in (image, result))
            strip = cv2.copyMakeBorder(np.ascontiguousarray(source[: 2 * r]), r, 0, r, r, _MIRROR)
            target[:r] = work(strip)[r : 2 * r, r:-r]
    return result


def _by_network(image: np.ndarray, size: int) -> np.ndarray:
    from . import ranks

    r, step = size // 2, image[0, 0].size
    steps, places = ranks.network(size)
    padded = cv2.copyMakeBorder(image, r, r, r, r, _MIRROR)
    result = np.empty_like(image)
    source, target = (x.reshape(len(x), -1) for x in (padded, result))

    def work(top: int, bottom: int) -> None:
        values = np.zeros((places, ranks.TILE + 2 * (size - 1) * step), image.dtype)
        ranks.median(source, target, steps, values, step, top, bottom)

    in_bands(work, image)
    return result


def _by_histograms(image: np.ndarray, size: int) -> np.ndarray:
    r = size // 2
    padded = cv2.copyMakeBorder(image, r, r, r, r, _MIRROR)
    result = np.empty_like(image)

    def work(top: int, bottom: int) -> None:
        result[top:bottom] = cv2.medianBlur(padded[top : bottom + 2 * r], size)[r:-r, r:-r]

    in_bands(work, image)
    return result


def conservative(image: np.ndarray, size: int, *, mirrored: bool) -> np.ndarray:
    """Bring pixels into the range of their neighbours.

    Args:
        image: picture.
        size: odd, >= 1.
        mirrored: pixels beyond the border mirror those within it; else the window ends there.
    """
    if size == 1:
        return image.copy()
    from . import ranks

    step, radius = image[0, 0].size, size // 2
    result = np.empty_like(image)
    source, target = (x.reshape(len(x), -1) for x in (image, result))
    lowest, highest = (0, 255) if image.dtype == np.uint8 else (-np.inf, np.inf)

    def work(top: int, bottom: int) -> None:
        rows = np.empty((4, source.shape[1] + 2 * radius * step), image.dtype)
        rows[0], rows[1] = highest, lowest
        ranks.clamp(source, target, rows, radius, step, top, bottom)

    in_bands(work, image)
    if mirrored:
        # What the mirror adds are pixels that the window holds anyway, and near the border the pixel itself: it stays.
        rim = (radius + 1) // 2
        for side in np.s_[:rim], np.s_[-rim:], np.s_[:, :rim], np.s_[:, -rim:]:
            result[side] = image[side]
    return result


def crimmins(image: np.ndarray, iterations: int, *, mirrored: bool) -> np.ndarray:
    """Remove speckle by complementary hulling.

    Args:
        image: picture.
        iterations: >= 0.
        mirrored: pixels beyond the border mirror those within it; else a rule that lacks one changes nothing.
    """
    if not iterations:
        return image.copy()
    if image.ndim == 3:
        planes = (np.ascontiguousarray(plane) for plane in cv2.split(image))
        return cv2.merge([crimmins(plane, iterations, mirrored=mirrored) for plane in planes])
    from . import hulling

    passes = hulling.stages()
    before = image if image.dtype == np.uint8 else image * _LEVELS
    after = before
    for _ in range(iterations):
        source, target = after, np.empty_like(before)

        def work(top: int, bottom: int, source: np.ndarray = source, target: np.ndarray = target) -> None:
            kept = np.empty((len(passes), 3, image.shape[1]), before.dtype)
            hulling.hull(source, target, passes, kept, int(mirrored), top, bottom)

        in_bands(work, image)
        after = target
    # The change is divided, not the picture, so that what is not changed stays as it was to the last bit.
    return after if image.dtype == np.uint8 else image + (after - before) / _LEVELS


def unsharp(image: np.ndarray, radius: float, percent: float, threshold: float) -> np.ndarray:
    """Add a part of what a blur takes away.

    Args:
        image: picture.
        radius: in pixels, > 0.
        percent: of the difference.
        threshold: in grey levels.
    """
    from . import boxes

    if image.dtype == np.uint8:
        return boxes.unsharp(image, radius=radius, percent=percent, threshold=threshold)
    difference = cv2.subtract(image, boxes.blur(image, radius=radius))
    difference[np.abs(difference) * _LEVELS <= threshold] = 0
    return cv2.scaleAdd(difference, percent / 100, image)


def nonlocal_means(image: np.ndarray, strength: float, patch: int, search: int) -> np.ndarray:
    """Average pixels whose surroundings are alike.

    Args:
        image: picture.
        strength: in grey levels.
        patch: odd.
        search: odd.
    """
    r, half, height, width = search // 2, patch // 2, *image.shape[:2]
    beyond = r + half
    padded = cv2.copyMakeBorder(image, beyond, beyond, beyond, beyond, _MIRROR)
    if image.dtype == np.uint8:
        found = cv2.fastNlMeansDenoising(padded, None, strength, patch, search)
        return np.ascontiguousarray(found[beyond : beyond + height, beyond : beyond + width])
    centre = padded[r : r + height + 2 * half, r : r + width + 2 * half]
    total, weights = np.zeros_like(image), np.zeros((height, width), np.float32)
    scale = -1 / (strength / 255) ** 2
    for y in range(search):
        for x in range(search):
            moved = padded[y : y + height + 2 * half, x : x + width + 2 * half]
            unlike = cv2.subtract(centre, moved)
            unlike = cv2.multiply(unlike, unlike)
            unlike = unlike if image.ndim == 2 else unlike.mean(axis=2)
            near = cv2.blur(unlike, (patch, patch))[half : half + height, half : half + width]
            weight = cv2.exp(near * scale)
            weights += weight
            moved = moved[half : half + height, half : half + width]
            total += moved * (weight if image.ndim == 2 else weight[..., None])
    return total / (weights if image.ndim == 2 else weights[..., None])


def tv(image: np.ndarray, weight: float, steps: int, tolerance: float) -> np.ndarray:
    """Lower the total variation.

    Args:
        image: picture.
        weight: of the variation.
        steps: at most.
        tolerance: part of the first energy.
    """
    if image.ndim == 3:
        return cv2.merge([tv(np.ascontiguousarray(plane), weight, steps, tolerance) for plane in cv2.split(image)])
    picture = image / _LEVELS if image.dtype == np.uint8 else image
    down, right = np.zeros_like(picture), np.zeros_like(picture)
    first = before = 0.0
    result = picture
    for step in range(steps):
        divergence = -down - right
        divergence[1:] += down[:-1]
        divergence[:, 1:] += right[:, :-1]
        result = picture + divergence
        slope_down, slope_right = np.zeros_like(picture), np.zeros_like(picture)
        slope_down[:-1] = np.diff(result, axis=0)
        slope_right[:, :-1] = np.diff(result, axis=1)
        norm = cv2.magnitude(slope_down, slope_right)
        energy = (float(cv2.norm(divergence, cv2.NORM_L2SQR)) + weight * float(cv2.sumElems(norm)[0])) / picture.size
        norm = norm * np.float32(0.25 / weight) + 1
        down = (down - 0.25 * slope_down) / norm
        right = (right - 0.25 * slope_right) / norm
        if step == 0:
            first = before = energy
        elif abs(before - energy) < tolerance * first:
            break
        else:
            before = energy
    return np.rint(result * _LEVELS).clip(0, 255).astype(np.uint8) if image.dtype == np.uint8 else result
