"""How many pictures it takes: a wanted width in, a number of pictures out."""

import math

import numpy as np

from ..errors import InputError
from .intervals import METHODS, OPTIMISTIC, Estimate, limits, quantile


def how_many(value: float, half_width: float, *, level: float = 0.95, method: str = "wilson") -> int:
    """Pictures it takes to know a proportion to within a half-width.

    Args:
        value: the proportion that is expected, in [0, 1]; 0.5 needs most.
        half_width: half the width of the interval that is wanted, in (0, 0.5).
        level: coverage of the interval, in (0, 1).
        method: of the interval, as in `proportion`.

    Returns:
        The least n, >= 1, whose interval is as narrow, should the value turn out as expected.

    Raises:
        InputError: an option is outside its range, or the method is unknown.

    >>> how_many(0.9, 0.05)
    141
    """
    quantile(level)
    if method not in METHODS:
        raise InputError(f"method must be one of {', '.join(METHODS)}, got {method!r}")
    if not 0 <= value <= 1:
        raise InputError(f"value must be in [0, 1], got {value!r}")
    if not 0 < half_width < 0.5:
        raise InputError(f"half_width must be in (0, 0.5), got {half_width!r}")
    return max(math.ceil(_size(method, Estimate(value, 0, 1, level, method), 2 * half_width, None) - 1e-6), 1)


def how_many_values(sigma: float, half_width: float, *, level: float = 0.95) -> int:
    """Values it takes to know a mean to within a half-width.

    Args:
        sigma: standard deviation of a single value, > 0.
        half_width: half the width of the interval that is wanted, > 0, in the same unit.
        level: coverage of the interval, in (0, 1).

    Returns:
        The least n, >= 1, of the interval with known sigma.

    Raises:
        InputError: an option is outside its range.

    >>> how_many_values(15.0, 3.0)
    97
    """
    if not (0 < sigma < math.inf and 0 < half_width < math.inf):
        raise InputError(f"sigma and half_width must be finite and > 0, got {sigma!r} and {half_width!r}")
    return max(math.ceil((quantile(level) * sigma / half_width) ** 2 - 1e-6), 1)


def halve(estimate: Estimate, n: int) -> int:
    """How many more independent pictures would halve the width of an interval.

    Args:
        estimate: what was found, from n pictures.
        n: number of pictures behind it, >= 1.

    Returns:
        Pictures to add, >= 1, if the value stays what it is. Proportions are searched on their own
        interval; other widths go with 1 / sqrt(n), which makes it 3 n.

    Raises:
        InputError: n is not positive, or the interval has no width.

    >>> halve(Estimate(0.5, *limits(0.5, 20), 0.95, "wilson"), 20)
    72
    """
    if n < 1:
        raise InputError(f"n must be >= 1, got {n!r}")
    width = estimate.high - estimate.low
    if not width > 0:
        raise InputError(f"the interval must have a width, got {estimate}")
    name = estimate.method.removesuffix(OPTIMISTIC)
    method = name.removesuffix("-clustered")
    if method not in METHODS:
        return 3 * n
    now = _size(method, estimate, width, n) if method != name else n
    return max(math.ceil(_size(method, estimate, width / 2, None) - now - 1e-6), 1)


def _size(method: str, estimate: Estimate, width: float, most: int | None) -> float:
    """The number of independent pictures at which the interval has this width."""
    low, high = 0.0, float(most or 1)
    while most is None and np.ptp(limits(estimate.value, high, level=estimate.level, method=method)) > width:
        low, high = high, 2 * high
    for _ in range(60):
        middle = (low + high) / 2
        wider = middle == 0 or np.ptp(limits(estimate.value, middle, level=estimate.level, method=method)) > width
        low, high = (middle, high) if wider else (low, middle)
    return high
