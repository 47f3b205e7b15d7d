"""Issues: what is odd about the pictures of a folder. Columns of the table in, a score and a flag per picture out.

The names, scores and limits are cleanvision's. No picture is opened here.
"""

from collections.abc import Sequence

import numpy as np

from ..errors import InputError
from ..pixels.facts import Facts

NAMES = ("dark", "light", "blurry", "low_information", "odd_size", "odd_aspect_ratio", "grayscale")

_COLUMN = {name: i for i, name in enumerate(Facts.__dataclass_fields__)}
_LIMITS = {
    "dark": 0.32,
    "light": 0.05,
    "blurry": 0.29,
    "low_information": 0.3,
    "odd_aspect_ratio": 0.35,
}  # flagged below
_FLAT = 0.18  # spread, as a score, up to which it says nothing for the picture
_BANDS = np.log2(3)  # bits that three bands hold more than one
_RANGES = 3.0  # interquartile ranges beyond the quartiles where sizes become odd
_GREY = {"1", "L", "LA", "La", "I", "I;16", "I;16L", "I;16B", "I;16N"}


def find(
    facts: np.ndarray, *, width: np.ndarray, height: np.ndarray, mode: Sequence[str] | np.ndarray
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Score and flag every picture for every issue.

    Args:
        facts: float (n, facts), in the order of `pixels.facts.Facts`.
        width: (n,), in pixels.
        height: (n,), in pixels.
        mode: (n,) text, Pillow's name of the pixel kind.

    Returns:
        Issue to scores (n,) in 0..1, 1 being fine, and flags (n,), True where the score is below the issue's limit.
        odd_size compares the pictures with each other; the others look at one picture at a time.

    Raises:
        InputError: the columns differ in length, or facts have other columns.

    Source: cleanvision 0.3.7, its default limits.

    >>> row = [0.5, 0.2, 0.9, 0.2, 800, 7, 30, 2, 50, 40]
    >>> found = find(np.array([row, row]), width=np.array([90, 90]), height=np.array([60, 20]), mode=["RGB", "L"])
    >>> [name for name in found if found[name][1][1]]
    ['odd_aspect_ratio', 'grayscale']
    """
    facts = np.asarray(facts, np.float64)
    width, height = np.asarray(width, np.float64), np.asarray(height, np.float64)
    n = len(width)
    if facts.shape != (n, len(_COLUMN)) or len(height) != n or len(mode) != n:
        got = f"{facts.shape}, {width.shape}, {height.shape} and {np.shape(mode)}"
        raise InputError(f"facts must be (n, {len(_COLUMN)}), and width, height and mode (n,), got {got}")
    column = {name: facts[:, i] for name, i in _COLUMN.items()}
    grey = np.array([m in _GREY for m in mode], bool)
    spread = 1 - np.exp(-0.01 * column["spread"])
    scores = {
        "dark": column["brightness_99"],
        "light": 1 - column["brightness_5"],
        "blurry": 1 - np.exp(-0.01 * column["edges"]) + np.where(spread > _FLAT, spread, 0),
        # cleanvision counts the levels of all bands in one histogram.
        "low_information": 0.1 * (column["entropy"] + np.where(grey, 0, _BANDS)),
        "odd_aspect_ratio": np.minimum(width, height) / np.maximum(np.maximum(width, height), 1),
    }
    found = {}
    for name in NAMES:
        if name == "grayscale":
            found[name] = np.where(grey, 0.0, 1.0), grey
        elif name == "odd_size":
            found[name] = _odd_size(np.sqrt(width * height))
        else:
            score = np.clip(scores[name], 0, 1)
            found[name] = score, score < _LIMITS[name]
    return found


def _odd_size(size: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Score the distance from the middle of what is usual: 0.5 at its ends. Where half are equal, they alone pass."""
    if not len(size):
        return np.zeros(0), np.zeros(0, bool)
    first, third = np.percentile(size, [25, 75])
    low, high = first - _RANGES * (third - first), third + _RANGES * (third - first)
    middle = (low + high) / 2
    limit, unit = (0.5, high - low) if high > low else (1.0, middle)
    score = 1 - np.clip(np.abs(size - middle) / unit, 0, 1)
    return score, score < limit
