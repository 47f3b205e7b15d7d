"""Filters: a picture in, a picture of the same shape and dtype out.

A picture is uint8 in 0..255 or float32 in 0..1, (H, W) or (H, W, 3). Colour is filtered channel by channel in RGB, or
in another `space` on request: "hsv" as a disc, so that hue is the circle it is, or "lab". Grey has no hue: it is
filtered as it is. Borders are mirrored where a docstring says nothing else. The input is never written to.
"""

import math

import cv2
import numpy as np

from ..errors import InputError
from . import smoothing
from .colour import through
from .picture import checked

_MIRROR = cv2.BORDER_REFLECT
_EDGES = {
    4: np.array([[0, -1, 0], [-1, 4, -1], [0, -1, 0]], np.float32),
    8: np.array([[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]], np.float32),
}


def mean(image: np.ndarray, *, size: int, space: str = "rgb") -> np.ndarray:
    """Average over squares.

    Args:
        image: picture.
        size: pixels of a side of the square: odd, up to the picture; 1 changes nothing.
        space: "rgb", "hsv" or "lab".

    Returns:
        The blurred picture. Mean brightness is kept to rounding, because the border is mirrored.

    Raises:
        InputError: size is even or larger than the picture, or image is no picture.

    >>> mean(np.array([[0, 9, 0], [0, 0, 0], [0, 0, 0]], np.uint8), size=3)[1]
    array([1, 1, 1], dtype=uint8)
    """
    picture = _fits(image, size)
    return through(picture, space=space, work=lambda x: cv2.blur(x, (size, size), borderType=_MIRROR))


def gaussian(
    image: np.ndarray, *, sigma: float | None = None, size: int | None = None, space: str = "rgb"
) -> np.ndarray:
    """Blur with a Gaussian, given by its standard deviation or by the size of its window.

    Args:
        image: picture.
        sigma: standard deviation in pixels, 0 to the shorter side; 0 changes nothing.
        size: pixels of a side of the window, odd, up to the picture; without sigma, sigma follows from it: about
            0.15 * size + 0.35.
        space: "rgb", "hsv" or "lab".

    Returns:
        The blurred picture. Mean brightness is kept to rounding, because the border is mirrored.

    Raises:
        InputError: neither is given, one is out of its range, or image is no picture.

    Source: separable sampled Gaussian, and sigma from the size, as in OpenCV's `GaussianBlur`.

    >>> dot = np.zeros((5, 5), np.float32); dot[2, 2] = 1
    >>> gaussian(dot, sigma=0.4)[2].round(3)
    array([0.   , 0.037, 0.845, 0.037, 0.   ], dtype=float32)
    """
    if sigma is None and size is None:
        raise InputError("gaussian needs sigma or size, got neither")
    picture = checked(image) if size is None else _fits(image, size)
    if sigma is not None:
        _sigma_fits(picture, sigma)
    if sigma == 0 or size == 1:
        return picture.copy()
    window = (size or 0, size or 0)
    return through(picture, space=space, work=lambda x: cv2.GaussianBlur(x, window, sigma or 0, borderType=_MIRROR))


def median(image: np.ndarray, *, size: int, space: str = "rgb") -> np.ndarray:
    """Take the median over squares: single wrong pixels go, straight edges stay.

    Args:
        image: picture.
        size: pixels of a side of the square: odd, up to the picture; 1 changes nothing.
        space: "rgb", "hsv" or "lab".

    Returns:
        Every value stood in the picture before.

    Raises:
        InputError: size is even or larger than the picture, or image is no picture.

    >>> median(np.array([[7, 7, 7], [7, 255, 7], [7, 7, 7]], np.uint8), size=3)[1]
    array([7, 7, 7], dtype=uint8)
    """
    picture = _fits(image, size)
    return through(picture, space=space, work=lambda x: smoothing.median(x, size))


def conservative(image: np.ndarray, *, size: int = 3, border: str = "mirror", space: str = "rgb") -> np.ndarray:
    """Bring every pixel into the range of its neighbours: only what sticks out alone is changed.

    A pixel above the greatest of its neighbours becomes that one, a pixel below the least of them that one; the pixel
    is not its own neighbour.

    Args:
        image: picture.
        size: pixels of a side of the square of neighbours: odd, up to the picture; 1 changes nothing.
        border: "mirror", where pixels beside the border are their own neighbours in the mirror, and so stay; or "cut",
            where the window ends at the border, and they change too.
        space: "rgb", "hsv" or "lab".

    Returns:
        Every value stood in the picture before.

    Raises:
        InputError: size is even or larger than the picture, there is no such border, or image is no picture.

    >>> conservative(np.array([[3, 5, 4], [6, 255, 4], [5, 3, 4]], np.uint8), size=3)[1]
    array([6, 6, 4], dtype=uint8)
    """
    picture = _fits(image, size)
    mirrored = _mirrored(border)
    return through(picture, space=space, work=lambda x: smoothing.conservative(x, size, mirrored=mirrored))


def crimmins(image: np.ndarray, *, iterations: int = 1, border: str = "mirror", space: str = "rgb") -> np.ndarray:
    """Remove speckle by complementary hulling: bit by bit, whatever is thinner than two pixels is worn away.

    Per iteration, dark pixels are raised along each of four directions (N-S, E-W, NW-SE, NE-SW) by four rules, one
    after the other, each over the whole picture as the one before has left it; then light pixels are lowered likewise.
    With a, b, c three pixels in a row: if a >= b + 2 then b + 1; if a > b and b <= c then b + 1; if c > b and b <= a
    then b + 1; if c >= b + 2 then b + 1; for light ones the same with signs changed.

    Args:
        image: picture of 2 x 2 pixels at least.
        iterations: 0 to 1000; 0 changes nothing.
        border: "mirror", or "cut", where a rule that lacks a pixel beyond the border changes nothing.
        space: "rgb", "hsv" or "lab".

    Returns:
        No pixel is changed by more than 16 grey levels per iteration. A level of float32 is 1/255.

    Raises:
        InputError: iterations is out of its range, there is no such border, or image is no picture.

    Source: Crimmins 1985, doi:10.1364/AO.24.001438, in the order that HIPR's page on speckle removal gives.

    >>> crimmins(np.array([[9, 9, 9], [9, 6, 9], [9, 9, 9]], np.uint8))[1]
    array([9, 9, 9], dtype=uint8)
    """
    if not 0 <= iterations <= 1000 or int(iterations) != iterations:
        raise InputError(f"iterations must be a whole number in 0..1000, got {iterations!r}")
    picture, mirrored = checked(image, side=2), _mirrored(border)
    return through(picture, space=space, work=lambda x: smoothing.crimmins(x, int(iterations), mirrored=mirrored))


def laplacian(image: np.ndarray, *, neighbours: int = 4, edges_only: bool = False, space: str = "rgb") -> np.ndarray:
    """Sharpen by adding the edges: what a pixel is more than its neighbours.

    Args:
        image: picture of 2 x 2 pixels at least.
        neighbours: 4 (above, below, beside) or 8 (the diagonal ones too).
        edges_only: give the edges alone, on mid grey (128, or 0.5).
        space: "rgb", "hsv" or "lab"; of the sharpened picture only.

    Returns:
        The picture plus neighbours * pixel - their sum, cut off at black and white.

    Raises:
        InputError: neighbours is neither 4 nor 8, or image is no picture.

    >>> laplacian(np.array([[5, 5, 5], [5, 6, 5], [5, 5, 5]], np.uint8))
    array([[ 5,  4,  5],
           [ 4, 10,  4],
           [ 5,  4,  5]], dtype=uint8)
    """
    if neighbours not in _EDGES:
        raise InputError(f"neighbours must be 4 or 8, got {neighbours!r}")
    picture = checked(image, side=2)
    kernel = _EDGES[neighbours].copy()
    kernel[1, 1] += 0 if edges_only else 1
    middle = (128 if picture.dtype == np.uint8 else 0.5) if edges_only else 0

    def work(x: np.ndarray) -> np.ndarray:
        return cv2.filter2D(x, -1, kernel, delta=middle, borderType=_MIRROR)

    return through(picture, space="rgb" if edges_only else space, work=work, overshoots=True)


def laplacian_of_gaussian(
    image: np.ndarray, *, sigma: float, edges_only: bool = False, space: str = "rgb"
) -> np.ndarray:
    """Sharpen by adding the edges of the blurred picture, which noise disturbs less.

    Args:
        image: picture of 2 x 2 pixels at least.
        sigma: of the blur, in pixels, 0 to the shorter side; 0 is `laplacian`.
        edges_only: give the edges alone, on mid grey (128, or 0.5).
        space: "rgb", "hsv" or "lab"; of the sharpened picture only.

    Returns:
        The picture plus the edges (4 neighbours) of its blur, cut off at black and white.

    Raises:
        InputError: sigma is out of its range, or image is no picture.

    Source: Marr & Hildreth 1980, doi:10.1098/rspb.1980.0020, with the Laplacian as a difference.
    """
    picture = checked(image, side=2)
    _sigma_fits(picture, sigma)

    def work(x: np.ndarray) -> np.ndarray:
        exact = x.astype(np.float32, copy=False)
        soft = cv2.GaussianBlur(exact, (0, 0), sigma, borderType=_MIRROR) if sigma else exact
        middle = (128 if x.dtype == np.uint8 else 0.5) if edges_only else 0
        edges = cv2.filter2D(soft, -1, _EDGES[4], delta=middle, borderType=_MIRROR)
        total = edges if edges_only else cv2.add(exact, edges, dst=edges)
        return np.rint(total, out=total).clip(0, 255).astype(np.uint8) if x.dtype == np.uint8 else total

    return through(picture, space="rgb" if edges_only else space, work=work, overshoots=True)


def unsharp(
    image: np.ndarray, *, radius: float = 2, percent: float = 150, threshold: float = 3, space: str = "rgb"
) -> np.ndarray:
    """Sharpen by adding a part of what a blur takes away.

    Args:
        image: picture of 2 x 2 pixels at least.
        radius: standard deviation of the blur in pixels, 0 to the shorter side; 0 changes nothing.
        percent: how much of the difference is added, 0 to 10,000.
        threshold: grey levels (of 255) that the difference must exceed, 0 to 255.
        space: "rgb", "hsv" or "lab".

    Returns:
        The sharpened picture, cut off at black and white; of uint8 the same as Pillow's. The border is repeated, as
        Pillow does.

    Raises:
        InputError: a value is out of its range, or image is no picture.

    Source: Pillow's `UnsharpMask`, whose Gaussian is three box blurs.
    """
    picture = checked(image, side=2)
    _sigma_fits(picture, radius, name="radius")
    for name, value, most in (("percent", percent, 10_000), ("threshold", threshold, 255)):
        if not 0 <= value <= most:
            raise InputError(f"{name} must be in 0..{most}, got {value!r}")
    if radius == 0:
        return picture.copy()
    return through(
        picture, space=space, work=lambda x: smoothing.unsharp(x, radius, percent, threshold), overshoots=True
    )


def bilateral(image: np.ndarray, *, sigma: float, sigma_levels: float, space: str = "rgb") -> np.ndarray:
    """Blur among pixels that are alike, so that edges stay.

    Args:
        image: picture; the channels of a colour picture are weighed together.
        sigma: in pixels, 0 to the shorter side; 0 changes nothing.
        sigma_levels: in grey levels (of 255), > 0: how unlike a pixel may be.
        space: "rgb", "hsv" or "lab".

    Returns:
        The blurred picture.

    Raises:
        InputError: a value is out of its range, or image is no picture.

    Source: Tomasi & Manduchi 1998, doi:10.1109/ICCV.1998.710815, OpenCV `bilateralFilter`.
    """
    picture = checked(image)
    _sigma_fits(picture, sigma)
    _positive("sigma_levels", sigma_levels)
    if sigma == 0:
        return picture.copy()

    def work(x: np.ndarray) -> np.ndarray:
        unlike = sigma_levels if x.dtype == np.uint8 else sigma_levels / 255
        return cv2.bilateralFilter(x, 0, unlike, sigma, borderType=_MIRROR)

    return through(picture, space=space, work=work)


def nonlocal_means(
    image: np.ndarray, *, strength: float, patch: int = 7, search: int = 21, space: str = "rgb"
) -> np.ndarray:
    """Average pixels whose surroundings are alike, wherever they lie near by.

    Args:
        image: picture; the channels of a colour picture are weighed together.
        strength: grey levels (of 255) by which surroundings may differ, > 0; about the noise's sigma.
        patch: pixels of a side of the surroundings, odd, >= 1.
        search: pixels of a side of the square that is searched, odd, up to the picture.
        space: "rgb", "hsv" or "lab".

    Returns:
        The average with weights exp(-(mean squared difference) / strength**2).

    Raises:
        InputError: a value is out of its range, or image is no picture.

    Source: Buades, Coll & Morel 2005, doi:10.1109/CVPR.2005.38; of uint8 OpenCV `fastNlMeansDenoising`, of float32 by
    shifts of the whole picture (Darbon et al. 2008, doi:10.1109/ISBI.2008.4541250).
    """
    _positive("strength", strength)
    picture = _fits(image, patch, name="patch")
    _fits(picture, search, name="search")
    return through(picture, space=space, work=lambda x: smoothing.nonlocal_means(x, strength, patch, search))


def tv(
    image: np.ndarray, *, weight: float, steps: int = 200, tolerance: float = 2e-4, space: str = "rgb"
) -> np.ndarray:
    """Smooth towards the least total variation: flat areas with sharp edges between them.

    Args:
        image: picture of 2 x 2 pixels at least.
        weight: of the variation against the fidelity, > 0; about the noise's sigma as a part of white.
        steps: at most, >= 1.
        tolerance: ends when the energy changes by less than this part of its first value.
        space: "rgb", "hsv" or "lab".

    Returns:
        The smoothed picture; each channel on its own.

    Raises:
        InputError: a value is out of its range, or image is no picture.

    Source: Chambolle 2004, doi:10.1023/B:JMIV.0000011325.36760.1e, with scikit-image's step and stop.
    """
    _positive("weight", weight)
    if steps < 1:
        raise InputError(f"steps must be >= 1, got {steps!r}")
    return through(checked(image, side=2), space=space, work=lambda x: smoothing.tv(x, weight, steps, tolerance))


def _fits(image: np.ndarray, size: int, *, name: str = "size") -> np.ndarray:
    """Check the picture and the side of a window in it; return the picture."""
    picture = checked(image)
    shorter = min(picture.shape[:2])
    if size != int(size) or size % 2 == 0 or not 1 <= size <= shorter:
        raise InputError(f"{name} must be odd and in 1..{shorter}, the shorter side of the picture, got {size!r}")
    return picture


def _sigma_fits(picture: np.ndarray, sigma: float, *, name: str = "sigma") -> None:
    shorter = min(picture.shape[:2])
    if not 0 <= sigma <= shorter:
        raise InputError(f"{name} must be in 0..{shorter} pixels, the shorter side of the picture, got {sigma!r}")


def _positive(name: str, value: float) -> None:
    if not (math.isfinite(value) and value > 0):
        raise InputError(f"{name} must be finite and > 0, got {value!r}")


def _mirrored(border: str) -> bool:
    if border not in ("mirror", "cut"):
        raise InputError(f"border must be 'mirror' or 'cut', got {border!r}")
    return border == "mirror"
