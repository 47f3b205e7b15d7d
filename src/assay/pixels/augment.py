"""Augmentation: a picture in, a picture like it out, and an account of what was changed.

A `Recipe` says which changes there are, with what ranges and chances; a `Draw` is one throw of it. The geometry of a
draw is one affine matrix, so that a pixel is interpolated once however many changes there are. Nothing here opens a
file, and nothing here decides which pictures may be changed: that is the caller's promise, kept for training alone.
"""

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from ..errors import InputError
from .recipes import CHANGES, FLIPS, RANGES, Recipe

_BORDERS = {
    "constant": cv2.BORDER_CONSTANT,
    "nearest": cv2.BORDER_REPLICATE,
    "reflect": cv2.BORDER_REFLECT,
    "wrap": cv2.BORDER_WRAP,
}
INTERPOLATIONS = {
    "nearest": cv2.INTER_NEAREST,
    "bilinear": cv2.INTER_LINEAR,
    "bicubic": cv2.INTER_CUBIC,
    "lanczos": cv2.INTER_LANCZOS4,
}
_GEOMETRY = frozenset({*FLIPS, *list(RANGES)[:6]})
_NORMALS = 1 << 22  # in the table that noise is cut from
_GOLDEN = (math.sqrt(5) - 1) / 2


@dataclass(frozen=True, slots=True)
class Draw:
    """One throw of a recipe: the changes that are made, each with its values, and how the outside is filled."""

    changes: dict[str, tuple[float, ...]]
    fill_mode: str = "reflect"
    cval: float = 0.0

    def __str__(self) -> str:
        """Name the changes with their values, such as "horizontal_flip; rotation -7.5"."""
        return "; ".join(
            " ".join([name.removesuffix("_range"), *(f"{v:.6g}" for v in values)])
            for name, values in self.changes.items()
        )


def generator(*, seed: int, index: int) -> np.random.Generator:
    """Return the source of randomness of one item, the same whichever process asks and in whatever order.

    Args:
        seed: of the whole, >= 0.
        index: of the item, >= 0.

    Raises:
        InputError: one of them is negative or not whole.
    """
    if not all(isinstance(n, int | np.integer) and n >= 0 for n in (seed, index)):
        raise InputError(f"seed and index must be whole numbers >= 0, got {seed!r} and {index!r}")
    return np.random.default_rng([seed, index])


def draw(recipe: Recipe, *, rng: np.random.Generator) -> Draw:
    """Throw the dice once.

    Args:
        recipe: what can happen.
        rng: source of randomness; as many numbers are taken whatever the recipe, so that a change has the same value
            with others beside it as without them.

    Returns:
        What is to happen: values are uniform over their ranges.
    """
    dice = rng.random((len(CHANGES) + 1, 4))
    spans = recipe.changes()
    if recipe.pick is None:
        made = [name for name, span in spans.items() if dice[CHANGES.index(name), 0] < span[2]]
    else:
        fewest, most = recipe.pick
        count = fewest + int(dice[-1, 0] * (most - fewest + 1))
        order = sorted(spans, key=lambda name: float(dice[CHANGES.index(name), 0]))
        made = sorted(order[:count], key=CHANGES.index)
    changes: dict[str, tuple[float, ...]] = {}
    for name in made:
        low, high, _ = spans[name]
        _, first, second, third = dice[CHANGES.index(name)].tolist()
        value = low + (high - low) * first
        if name in FLIPS:
            changes[name] = ()
        elif name == "crop_range":
            changes[name] = (value, second, third)
        elif name == "channel_shift_range":
            changes[name] = (value, low + (high - low) * second, low + (high - low) * third)
        elif name == "noise_range":
            changes[name] = (value, second)
        elif name in {"width_shift_range", "height_shift_range"} and max(abs(low), abs(high)) >= 1:
            changes[name] = (value, 1.0)  # in pixels
        else:
            changes[name] = (value,)
    return Draw(changes, recipe.fill_mode, recipe.cval)


def matrix(drawn: Draw, *, shape: tuple[int, ...], size: tuple[int, int] | None = None) -> np.ndarray:
    """Return where pixels go: one matrix for all the geometry of a draw.

    Args:
        drawn: what is to happen.
        shape: of the picture, (H, W) or (H, W, 3).
        size: height and width of the result; as the picture's by default.

    Returns:
        float (2, 3): times (x, y, 1) of the centre of a pixel, x to the right and y down from the centre of the first
        one, it gives x and y in the result. Changes are made in the order crop, flip, shear, zoom, rotation, shift,
        about the centre of the picture.

    >>> matrix(Draw({"horizontal_flip": ()}), shape=(4, 6))
    array([[-1.,  0.,  5.],
           [ 0.,  1.,  0.]])
    """
    height, width = shape[:2]
    made = drawn.changes
    whole = _moved(-(width - 1) / 2, -(height - 1) / 2)
    if "crop_range" in made:
        kept, x, y = made["crop_range"]
        off = (x - 0.5) * (1 - kept) * width, (y - 0.5) * (1 - kept) * height
        whole = _linear(1 / kept, 0, 0, 1 / kept) @ _moved(-off[0], -off[1]) @ whole
    if not made.keys().isdisjoint(FLIPS):
        whole = _linear(-1 if "horizontal_flip" in made else 1, 0, 0, -1 if "vertical_flip" in made else 1) @ whole
    if "shear_range" in made:
        whole = _linear(1, math.tan(math.radians(made["shear_range"][0])), 0, 1) @ whole
    if "zoom_range" in made:
        whole = _linear(made["zoom_range"][0], 0, 0, made["zoom_range"][0]) @ whole
    if "rotation_range" in made:
        cosine, sine = _turn(made["rotation_range"][0])
        whole = _linear(cosine, sine, -sine, cosine) @ whole  # y points down
    right, down = _shift(made.get("width_shift_range"), width), _shift(made.get("height_shift_range"), height)
    whole = _moved((width - 1) / 2 + right, (height - 1) / 2 + down) @ whole
    if size is not None and tuple(size) != (height, width):
        # Borders meet borders, not the centres of the pixels beside them.
        x, y = size[1] / width, size[0] / height
        whole = _moved(x / 2 - 0.5, y / 2 - 0.5) @ _linear(x, 0, 0, y) @ whole
    return np.asarray(whole[:2])


def apply(
    image: np.ndarray, drawn: Draw, *, size: tuple[int, int] | None = None, interpolation: str = "bilinear"
) -> np.ndarray:
    """Make the changes of a draw: all geometry in one warp, then light, blur and noise.

    Args:
        image: picture, uint8 or float32, (H, W) or (H, W, 3).
        drawn: what is to happen.
        size: height and width of the result, each >= 1; as the picture's by default.
        interpolation: nearest, bilinear, bicubic or lanczos. A picture that shrinks by more than a factor of 2 should
            be halved before, or pixels are left out.

    Returns:
        A new picture of the same dtype and as many channels; clipped to its scale. Flips alone, and turns by 90
        degrees of square pictures, move pixels without changing any.

    Raises:
        InputError: the picture is empty, not finite, or of another shape or dtype; size or interpolation is not
            allowed.

    Assumes noise may be cut at a random place from a table of four million normal numbers, drawn once: two pictures
    share a place with a chance of one in a million, and no picture repeats itself where it has fewer values than that.
    """
    _check(image, size, interpolation)
    made = drawn.changes
    source = np.ascontiguousarray(image)  # OpenCV takes no negative strides
    result = _warped(source, drawn, size, INTERPOLATIONS[interpolation])
    if result is not source and result.dtype == np.float32 and interpolation in {"bicubic", "lanczos"}:
        np.clip(result, 0, 1, out=result)  # these overshoot at edges
    if not made.keys().isdisjoint({"brightness_range", "contrast_range", "channel_shift_range"}):
        result = _lit(result, made)
    if "blur_range" in made and made["blur_range"][0] > 0:
        result = cv2.GaussianBlur(result, (0, 0), made["blur_range"][0], borderType=cv2.BORDER_REFLECT)
    if "noise_range" in made:
        result = _noisy(result, *made["noise_range"])
    return image.copy() if result is source else result


def vary(image: np.ndarray, *, recipe: Recipe, rng: np.random.Generator) -> np.ndarray:
    """Throw the dice once and make the changes.

    Args:
        image: picture, uint8 or float32, (H, W) or (H, W, 3).
        recipe: what can happen.
        rng: source of randomness.

    Returns:
        A new picture of the same shape and dtype.

    Raises:
        InputError: as `apply`.
    """
    return apply(image, draw(recipe, rng=rng))


def _warped(image: np.ndarray, drawn: Draw, size: tuple[int, int] | None, interpolation: int) -> np.ndarray:
    height, width = size or image.shape[:2]
    made = _GEOMETRY & drawn.changes.keys()
    if (height, width) == image.shape[:2] and made <= set(FLIPS):
        ways = {(True, True): -1, (True, False): 1, (False, True): 0}
        way = ways.get(("horizontal_flip" in made, "vertical_flip" in made))
        return image if way is None else cv2.flip(image, way)
    if not made:
        return cv2.resize(image, (width, height), interpolation=interpolation)
    back = cv2.invertAffineTransform(matrix(drawn, shape=image.shape, size=size))
    level = drawn.cval if image.dtype == np.uint8 else drawn.cval / 255
    # OpenCV warps four channels of bytes in half the time of three, with the same result.
    four = image.ndim == 3 and image.dtype == np.uint8
    source = cv2.cvtColor(image, cv2.COLOR_RGB2RGBA) if four else image
    flags = interpolation | cv2.WARP_INVERSE_MAP
    warped = cv2.warpAffine(
        source, back, (width, height), flags=flags, borderMode=_BORDERS[drawn.fill_mode], borderValue=(level,) * 4
    )
    return cv2.cvtColor(warped, cv2.COLOR_RGBA2RGB) if four else warped


def _lit(image: np.ndarray, made: Mapping[str, tuple[float, ...]]) -> np.ndarray:
    """Brightness, contrast and channel shift: one straight line a channel."""
    channels = 1 if image.ndim == 2 else 3
    top = 255.0 if image.dtype == np.uint8 else 1.0
    brightness, contrast = (made.get(name, (1.0,))[0] for name in ("brightness_range", "contrast_range"))
    mean = sum(cv2.mean(image)[:channels]) / channels
    shifts = np.array(made.get("channel_shift_range", (0.0,) * 3)[:channels]) * top / 255
    offsets = brightness * (1 - contrast) * mean + shifts
    if image.dtype == np.float32:
        lit = image * np.float32(brightness * contrast) + offsets.astype(np.float32)
        return np.clip(lit, 0, 1, out=lit)
    levels = np.arange(256)[:, None] * (brightness * contrast) + offsets
    table = np.rint(levels.clip(0, 255)).astype(np.uint8)
    return cv2.LUT(image, table[:, 0] if channels == 1 else np.ascontiguousarray(table)[None])


def _noisy(image: np.ndarray, sigma: float, place: float) -> np.ndarray:
    """Add normal noise, cut from the table at a place in 0..1."""
    table, eight = _normals(), image.dtype == np.uint8
    flat = image.reshape(1, -1)
    noisy = np.empty_like(flat)
    step = _NORMALS // 2
    for i, start in enumerate(range(0, flat.shape[1], step)):
        part = flat[:, start : start + step]
        at = int((place + i * _GOLDEN) % 1 * (_NORMALS - part.shape[1]))
        normal = table[:, at : at + part.shape[1]]
        scale, depth = (sigma, cv2.CV_8U) if eight else (sigma / 255, cv2.CV_32F)
        noisy[:, start : start + step] = cv2.addWeighted(part, 1, normal, scale, 0, dtype=depth)
    return noisy.reshape(image.shape) if eight else noisy.clip(0, 1).reshape(image.shape)


@functools.cache
def _normals() -> np.ndarray:
    return np.random.default_rng(20_250_101).standard_normal((1, _NORMALS), np.float32)


def _moved(x: float, y: float) -> np.ndarray:
    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1]], float)


def _linear(a: float, b: float, c: float, d: float) -> np.ndarray:
    return np.array([[a, b, 0], [c, d, 0], [0, 0, 1]], float)


def _turn(degrees: float) -> tuple[float, float]:
    """Cosine and sine; exact for quarter turns, so that these move pixels onto pixels."""
    quarters = degrees / 90
    if quarters == round(quarters):
        return ((1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0))[round(quarters) % 4]
    return math.cos(math.radians(degrees)), math.sin(math.radians(degrees))


def _shift(values: tuple[float, ...] | None, side: int) -> float:
    if values is None:
        return 0.0
    return values[0] if len(values) == 2 else values[0] * side


def _check(image: np.ndarray, size: tuple[int, int] | None, interpolation: str) -> None:
    if image.ndim not in {2, 3} or (image.ndim == 3 and image.shape[2] != 3) or not image.size:
        raise InputError(f"a picture must be (H, W) or (H, W, 3) with pixels in it, got {image.shape}")
    if image.dtype not in {np.dtype(np.uint8), np.dtype(np.float32)}:
        raise InputError(f"a picture must be uint8 or float32, got {image.dtype}")
    if image.dtype == np.float32 and not np.isfinite(image).all():
        raise InputError("a picture must be finite, got some pixels that are not")
    if interpolation not in INTERPOLATIONS:
        raise InputError(f"interpolation must be one of {', '.join(INTERPOLATIONS)}, got {interpolation!r}")
    if size is not None and (len(size) != 2 or min(size) < 1):
        raise InputError(f"size must be a height and a width >= 1, got {size!r}")
