"""Masks: say which pixels are meant, and set them. Pictures and masks in, new ones out; the input is never written to.

A mask is an array of bool, (H, W) for whole pixels; masks are joined by `&`, `|` and `~`.
"""

import ast
import operator
from collections.abc import Callable

import numpy as np

from ..errors import InputError
from .colour import CHANNELS, channel_index, grey
from .picture import checked

_COMPARISONS: dict[type[ast.cmpop], Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_JOINS: dict[type[ast.boolop], np.ufunc] = {ast.And: np.logical_and, ast.Or: np.logical_or}
_NAMES = (*CHANNELS, "grey", "row", "column")


def where(image: np.ndarray, condition: str) -> np.ndarray:
    """Find the pixels that fulfil a condition.

    Args:
        image: picture.
        condition: comparisons of red, green, blue, grey, row and column with each other or with numbers, joined by and,
            or, not and brackets: "red >= 180 and not (blue < 20 or row > 50)". Levels are those of the picture, 0 to
            255 or 0 to 1; rows and columns count from 0.

    Returns:
        bool (H, W).

    Raises:
        InputError: the condition is something else, or names a channel of a grey picture.

    >>> where(np.array([[10, 30], [50, 70]], np.uint8), "20 < grey <= 50")
    array([[False,  True],
           [ True, False]])
    """
    picture = checked(image)
    try:
        tree = ast.parse(condition, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as e:
        raise InputError(f"condition must be such as 'red >= 180 and not blue < 20', got {condition!r}") from e
    try:
        mask = _evaluate(tree, picture, condition)
    except RecursionError as e:
        raise InputError(f"condition must be short enough to follow, got {len(condition):,} characters") from e
    if mask.dtype != bool:
        raise InputError(f"condition must compare something, got {condition!r}")
    return np.array(np.broadcast_to(mask, picture.shape[:2]))


def _evaluate(node: ast.expr, image: np.ndarray, condition: str) -> np.ndarray:
    """Walk a condition; nothing of it is ever run as Python."""
    if isinstance(node, ast.BoolOp):
        parts = [_truth(part, image, condition) for part in node.values]
        return np.asarray(_JOINS[type(node.op)].reduce(np.broadcast_arrays(*parts)))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return np.asarray(~_truth(node.operand, image, condition))
    if isinstance(node, ast.Compare) and all(type(op) in _COMPARISONS for op in node.ops):
        values = [_evaluate(value, image, condition) for value in (node.left, *node.comparators)]
        found = [_COMPARISONS[type(op)](values[i], values[i + 1]) for i, op in enumerate(node.ops)]
        return np.asarray(np.logical_and.reduce(np.broadcast_arrays(*found)))
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        return np.asarray(node.value, np.float64)
    if isinstance(node, ast.Name) and node.id in _NAMES:
        return _named(node.id, image)
    raise InputError(
        f"condition must be made of {', '.join(_NAMES)}, numbers, comparisons, and, or, not; got {condition!r}"
    )


def _truth(node: ast.expr, image: np.ndarray, condition: str) -> np.ndarray:
    found = _evaluate(node, image, condition)
    if found.dtype != bool:
        raise InputError(f"condition must join comparisons, got {condition!r}")
    return found


def _named(name: str, image: np.ndarray) -> np.ndarray:
    height, width = image.shape[:2]
    if name == "row":
        return np.arange(height, dtype=np.float64)[:, None]
    if name == "column":
        return np.arange(width, dtype=np.float64)[None]
    level = grey(image) if name == "grey" else image[..., channel_index(image, name)]
    return np.asarray(level, np.float64)


def disk(height: int, width: int, *, radius: float | None = None) -> np.ndarray:
    """Make a mask in the shape of a disk round the middle.

    Args:
        height: of the mask, >= 1.
        width: of the mask, >= 1.
        radius: in pixels, >= 0; half the height by default.

    Returns:
        bool (height, width): True where a pixel's centre is at most the radius from the middle of the mask.

    Raises:
        InputError: a value is out of its range.

    >>> disk(3, 5).astype(int)
    array([[0, 1, 1, 1, 0],
           [0, 1, 1, 1, 0],
           [0, 1, 1, 1, 0]])
    """
    radius = height / 2 if radius is None else radius
    if height < 1 or width < 1 or not radius >= 0:
        raise InputError(f"a disk needs height and width >= 1 and radius >= 0, got {height!r}, {width!r}, {radius!r}")
    down, across = np.arange(height) - (height - 1) / 2, np.arange(width) - (width - 1) / 2
    return np.asarray(np.hypot(down[:, None], across) <= radius)


def set_pixels(
    image: np.ndarray, mask: np.ndarray, *, value: float | tuple[float, float, float] | np.ndarray, channel: str = ""
) -> np.ndarray:
    """Set the pixels of a mask.

    Args:
        image: picture.
        mask: bool, (H, W), or the shape of the picture to choose single channels.
        value: a level, a colour of three, or an array of the picture's shape to take the values from.
        channel: "red", "green" or "blue" to set only that.

    Returns:
        A copy, same shape and dtype, in which the pixels of the mask are set.

    Raises:
        InputError: the mask does not go with the picture, the value is out of range or of another shape, or there is no
            such channel.

    >>> set_pixels(np.zeros((1, 3), np.uint8), np.array([[True, False, True]]), value=200)
    array([[200,   0, 200]], dtype=uint8)
    """
    picture = checked(image)
    mask = np.asarray(mask)
    if mask.dtype != bool or mask.shape not in (picture.shape, picture.shape[:2]):
        raise InputError(f"mask must be bool {picture.shape[:2]} or {picture.shape}, got {mask.dtype} {mask.shape}")
    white = 255 if picture.dtype == np.uint8 else 1
    values = np.asarray(value)
    if values.shape not in ((), picture.shape) and (values.shape, picture.ndim) != ((3,), 3):
        raise InputError(f"value must be a level, a colour of three, or {picture.shape}, got {values.shape}")
    if not ((values >= 0) & (values <= white)).all():
        raise InputError(f"value must be in 0..{white}, got {values.min()} to {values.max()}")
    if picture.ndim == 3 and mask.ndim == 2:
        mask = np.repeat(mask[..., None], 3, axis=2)
    if channel:
        index = channel_index(picture, channel)
        mask = mask & (np.arange(3) == index)
    return np.where(mask, values.astype(picture.dtype), picture)


def keep_above(image: np.ndarray, *, channel: str, value: float) -> np.ndarray:
    """Keep the pixels of which one channel is high, and make all others black.

    Args:
        image: picture, (H, W, 3).
        channel: "red", "green" or "blue".
        value: level from which on a pixel is kept.

    Returns:
        A copy, same shape and dtype.

    Raises:
        InputError: the picture has no such channel.

    >>> keep_above(np.array([[[200, 1, 2], [100, 3, 4]]], np.uint8), channel="red", value=180).tolist()
    [[[200, 1, 2], [0, 0, 0]]]
    """
    picture = checked(image)
    return set_pixels(picture, picture[..., channel_index(picture, channel)] < value, value=0)
