"""Facts: what can be said of a picture in numbers without knowing what it shows. A picture in, a row of floats out."""

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from ..errors import InputError
from . import colour, geometry
from .picture import checked

_SMALL = 64  # pixels of the longer side of the picture on which edges are weighed, as in cleanvision
_LINES = 64  # rows and columns that colours are judged by, at least: evenly spread ones of a larger picture
_SECOND = np.array([1, -2, 1], np.float32)  # a second difference
_EDGES = np.array([[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]], np.float32)
_LUMINANCE = (0.241, 0.691, 0.068)  # of squared channels


@dataclass(frozen=True, slots=True)
class Facts:
    """Numbers about one picture; grey levels are 0 to 255.

    brightness: mean grey, 0 to 1; brightness_5, brightness_99: percentiles of the perceived brightness, 0 to 1;
    contrast: standard deviation of grey, 0 to 1; sharpness: variance of the Laplacian, in squared grey levels;
    entropy: of the histogram of grey, 0 to 8 bits; colourfulness: 0 for grey, about 60 for rather colourful;
    noise_sigma: of white noise, in grey levels; edges: standard deviation of the edges of the picture at 64 pixels,
    in grey levels; spread: standard deviation of the 256 counts of the histogram of that small picture.
    """

    brightness: float
    brightness_5: float
    brightness_99: float
    contrast: float
    sharpness: float
    entropy: float
    colourfulness: float
    noise_sigma: float
    edges: float
    spread: float


def facts(image: np.ndarray, *, grey: np.ndarray | None = None) -> Facts:
    """Find the facts about a picture.

    They depend on its size: a smaller picture is sharper and less noisy. So give pictures of about one size.

    Args:
        image: picture, uint8, (H, W) or (H, W, 3).
        grey: the same in grey, (H, W), where it is known already.

    Returns:
        Its facts. noise_sigma is 0 where a side has fewer than 3 pixels. Of colour pictures with 128 rows and
        columns and more, colourfulness and the percentiles of brightness are those of every second, third, ... of both.

    Raises:
        InputError: the picture is not uint8.

    Source: perceived brightness, edges and spread as in cleanvision 0.3, which weighs its issues with them;
    colourfulness: Hasler & Suesstrunk 2003, doi:10.1117/12.477378; noise: Immerkaer 1996, doi:10.1006/cviu.1996.0060,
    which takes texture for noise too.

    >>> found = facts(np.full((8, 12), 51, np.uint8))
    >>> found.brightness, found.contrast, found.entropy
    (0.2, 0.0, 0.0)
    """
    if image.dtype != np.uint8:
        raise InputError(f"facts needs a picture of uint8, got {image.dtype}; pixels.colour.to_uint8 makes one")
    grey = np.ascontiguousarray(colour.grey(image) if grey is None else grey)
    counts = _histogram(grey)
    mean, deviation = _moments(grey)
    share = counts[counts > 0] / grey.size
    perceived, colourfulness = counts, 0.0
    if image.ndim == 3:
        planes = cv2.split(_spread(image))
        perceived, colourfulness = _histogram(_perceived(planes)), _colourfulness(planes)
    low, high = _percentiles(perceived)
    small = _shrink(grey)
    return Facts(
        brightness=mean / 255,
        brightness_5=low / 255,
        brightness_99=high / 255,
        contrast=deviation / 255,
        sharpness=_sharpness(grey),
        entropy=abs(float(-(share * np.log2(share)).sum())),
        colourfulness=colourfulness,
        noise_sigma=_noise(grey),
        edges=_moments(_find_edges(small))[1],
        spread=float(_histogram(small).std()),
    )


def histogram(image: np.ndarray) -> np.ndarray:
    """Count how many pixels have each level, channel by channel.

    Args:
        image: picture.

    Returns:
        int64 (channels, 256): 1 channel of grey, or red, green and blue; float32 is rounded to 8 bits first. Each row
        sums to the number of pixels.

    Raises:
        InputError: image is no picture.

    >>> histogram(np.array([[0, 0, 255]], np.uint8))[0, [0, 1, 255]]
    array([2, 0, 1])
    """
    levels = colour.to_uint8(checked(image))
    planes = cv2.split(levels) if levels.ndim == 3 else [levels]
    return np.stack([np.bincount(plane.ravel(), minlength=256) for plane in planes])


def _spread(image: np.ndarray) -> np.ndarray:
    height, width = image.shape[:2]
    step = max(min(height, width) // _LINES, 1)
    return cv2.resize(image, (-(-width // step), -(-height // step)), interpolation=cv2.INTER_NEAREST)


def _histogram(grey: np.ndarray) -> np.ndarray:
    return cv2.calcHist([grey], [0], None, [256], [0, 256]).ravel().astype(np.float64)


def _moments(grey: np.ndarray) -> tuple[float, float]:
    mean, deviation = cv2.meanStdDev(grey)
    return float(mean.item()), float(deviation.item())


def _percentiles(counts: np.ndarray) -> tuple[float, float]:
    """Return the 5th and the 99th, linear between neighbours as NumPy has them."""
    reached = np.cumsum(counts)
    return _percentile(reached, 0.05), _percentile(reached, 0.99)


def _percentile(reached: np.ndarray, share: float) -> float:
    place = share * (float(reached[-1]) - 1)
    first, second = (int(reached.searchsorted(at, "right")) for at in (math.floor(place), math.ceil(place)))
    return first + (second - first) * (place - math.floor(place))


def _perceived(planes: Sequence[np.ndarray]) -> np.ndarray:
    # Plane by plane, into one array: a large temporary would be handed back to the system, and asked for, each time.
    total = np.zeros(planes[0].shape, np.float32)
    for plane, weight in zip(planes, _LUMINANCE, strict=True):
        cv2.add(total, cv2.multiply(plane, plane, scale=weight, dtype=cv2.CV_32F), dst=total)
    return cv2.convertScaleAbs(cv2.sqrt(total, dst=total))


def _colourfulness(planes: Sequence[np.ndarray]) -> float:
    red, green, blue = (plane.astype(np.int16) for plane in planes)
    mean_1, square_1 = _raw_moments(red - green)
    mean_2, square_2 = _raw_moments(red + green - 2 * blue)  # yellow - blue, twice
    variance = square_1 - mean_1**2 + (square_2 - mean_2**2) / 4
    return math.sqrt(max(variance, 0.0)) + 0.3 * math.hypot(mean_1, mean_2 / 2)


def _sharpness(grey: np.ndarray) -> float:
    mean, square = _raw_moments(cv2.Laplacian(grey, cv2.CV_16S, borderType=cv2.BORDER_REFLECT_101))
    return max(square - mean**2, 0.0)


def _raw_moments(values: np.ndarray) -> tuple[float, float]:
    """Return the means of int16 values and of their squares, summed exactly."""
    return float(cv2.sumElems(values)[0]) / values.size, float(cv2.norm(values, cv2.NORM_L2SQR)) / values.size


def _noise(grey: np.ndarray) -> float:
    height, width = grey.shape
    if min(height, width) < 3:
        return 0.0
    response = cv2.sepFilter2D(grey, cv2.CV_16S, _SECOND, _SECOND)[1:-1, 1:-1]
    return float(math.sqrt(math.pi / 2) * cv2.norm(response, cv2.NORM_L1) / (6 * (width - 2) * (height - 2)))


def _find_edges(grey: np.ndarray) -> np.ndarray:
    """Weigh edges as Pillow's FIND_EDGES does, which leaves the border as it is."""
    edges = cv2.filter2D(grey, cv2.CV_8U, _EDGES)
    for border in (np.s_[0], np.s_[-1], np.s_[:, 0], np.s_[:, -1]):
        edges[border] = grey[border]
    return edges


def _shrink(grey: np.ndarray) -> np.ndarray:
    """Shrink to at most 64 pixels with the cubic weights of Pillow, which keep edges that averages would blur."""
    height, width = grey.shape
    ratio = max(height, width) / _SMALL
    if ratio <= 1:
        return grey
    sizes = max(int(height // ratio), 1), max(int(width // ratio), 1)
    if ratio > 2:
        grey = geometry.halve(grey, times=int(math.log2(ratio)))
    rows, columns = (_cubic(*pair) for pair in zip(grey.shape, sizes, strict=True))
    small: np.ndarray = np.clip(rows @ grey.astype(np.float32) @ columns.T + 0.5, 0, 255).astype(np.uint8)
    return small


@functools.lru_cache(maxsize=256)
def _cubic(length: int, size: int) -> np.ndarray:
    """Return (size, length) weights of Keys' cubic, a = -0.5, widened by the ratio so that nothing aliases."""
    ratio = length / size
    centres = (np.arange(size)[:, None] + 0.5) * ratio
    x = np.abs((np.arange(length) + 0.5 - centres) / ratio)
    near, far = (1.5 * x - 2.5) * x * x + 1, ((-0.5 * x + 2.5) * x - 4) * x + 2
    weights = np.where(x < 1, near, np.where(x < 2, far, 0))
    weights /= weights.sum(axis=1, keepdims=True)
    result: np.ndarray = weights.astype(np.float32)
    return result
