"""How far apart two figures are: two samples or two estimates in, an estimate of first minus second out."""

import math

import numpy as np

from ..errors import InputError, UndefinedError
from .intervals import Estimate, mean, proportion, quantile


def mover(first: Estimate, second: Estimate, *, correlation: float = 0.0) -> Estimate:
    """Difference of two estimates whose intervals keep their promise.

    Args:
        first: an estimate.
        second: another, at the same level.
        correlation: between the errors of the two, in [-1, 1]; 0 where they come from different pictures.

    Returns:
        Estimate of first - second, within the differences of the ends of the two ranges.

    Raises:
        InputError: levels differ, or the correlation is outside its range.

    Source: "MOVER", Zou & Donner 2008, doi:10.1002/sim.3095: distances to the limits joined by squares.

    >>> print(mover(proportion(56, 70), proportion(48, 80)))  # Newcombe 1998: .0524 to .3339
    0.200 [0.052, 0.334] (95%, mover)
    """
    if first.level != second.level:
        raise InputError(f"both estimates must be at one level, got {first.level} and {second.level}")
    if not -1 <= correlation <= 1:
        raise InputError(f"correlation must be in [-1, 1], got {correlation!r}")
    value = first.value - second.value

    def reach(one: float, other: float) -> float:
        return math.sqrt(max(one**2 + other**2 - 2 * correlation * one * other, 0.0))

    down = reach(first.value - first.low, second.high - second.value)
    up = reach(first.high - first.value, second.value - second.low)
    return Estimate(value, value - down, value + up, first.level, "mover")


def proportions(first: int, n_first: int, second: int, n_second: int, *, level: float = 0.95) -> Estimate:
    """Difference of two shares of different pictures.

    Args:
        first: successes among the first, 0..n_first.
        n_first: pictures, >= 1.
        second: successes among the second, 0..n_second.
        n_second: pictures, >= 1.
        level: coverage of the interval, in (0, 1).

    Returns:
        Estimate, in [-1, 1], never of zero width.

    Raises:
        InputError: a count is impossible.
        UndefinedError: a side has no picture.

    Source: Newcombe 1998, doi:10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I, method 10.

    >>> print(proportions(9, 10, 3, 10))
    0.600 [0.171, 0.809] (95%, newcombe)
    """
    e = mover(proportion(first, n_first, level=level), proportion(second, n_second, level=level))
    return Estimate(e.value, e.low, e.high, level, "newcombe")


def paired_proportions(both: int, only_first: int, only_second: int, neither: int, *, level: float = 0.95) -> Estimate:
    """Difference of two shares of the same pictures.

    Args:
        both: pictures that succeed either way, >= 0.
        only_first: that succeed the first way alone, >= 0.
        only_second: that succeed the second way alone, >= 0.
        neither: that fail either way, >= 0.
        level: coverage of the interval, in (0, 1).

    Returns:
        Estimate, in [-1, 1], never of zero width.

    Raises:
        InputError: a count is negative.
        UndefinedError: there is no picture.

    Source: Newcombe 1998, doi:10.1002/(SICI)1097-0258(19981130)17:22<2635::AID-SIM954>3.0.CO;2-C, method 10.

    >>> print(paired_proportions(36, 12, 2, 0))  # Newcombe 1998: .0569 to .3404
    0.200 [0.057, 0.340] (95%, newcombe-paired)
    """
    cells = (both, only_first, only_second, neither)
    if any(c < 0 or c != int(c) for c in cells):
        raise InputError(f"counts must be whole numbers >= 0, got {cells}")
    n = sum(cells)
    if n < 1:
        raise UndefinedError("a difference needs 1 row, got 0")
    margins = (both + only_first) * (only_second + neither) * (both + only_second) * (only_first + neither)
    cross = float(both * neither - only_first * only_second)
    cross = max(cross - n / 2, 0.0) if cross > 0 else cross
    correlation = cross / math.sqrt(margins) if margins else 0.0
    first, second = (proportion(both + only, n, level=level) for only in (only_first, only_second))
    e = mover(first, second, correlation=correlation)
    return Estimate(e.value, e.low, e.high, level, "newcombe-paired")


def means(first: np.ndarray, second: np.ndarray, *, level: float = 0.95) -> Estimate:
    """Difference of the means of two samples.

    Args:
        first: float (m,), finite.
        second: float (n,), finite.
        level: coverage of the interval, in (0, 1).

    Returns:
        Estimate, in the unit of the values.

    Raises:
        InputError: a shape is wrong, or a value is not finite.
        UndefinedError: a sample has fewer than 2 values.

    Assumes the means are near normal; spreads may differ.

    Source: Welch 1947, doi:10.1093/biomet/34.1-2.28.

    >>> print(means(np.array([4.0, 5, 6]), np.array([1.0, 2, 3, 4])))
    2.500 [0.268, 4.732] (95%, welch)
    """
    parts = []
    for values in (np.asarray(first, float), np.asarray(second, float)):
        mean(values, level=level)  # its checks
        parts.append((float(values.mean()), float(values.var(ddof=1)) / len(values), len(values)))
    (a, va, m), (b, vb, n) = parts
    half = 0.0
    if va + vb > 0:
        df = (va + vb) ** 2 / (va**2 / (m - 1) + vb**2 / (n - 1))
        half = quantile(level, df=df) * math.sqrt(va + vb)
    return Estimate(a - b, a - b - half, a - b + half, level, "welch")


def paired_means(first: np.ndarray, second: np.ndarray, *, level: float = 0.95) -> Estimate:
    """Mean of the differences of pairs, with Student's interval.

    Args:
        first: float (n,), finite.
        second: float (n,), of the same things.
        level: coverage of the interval, in (0, 1).

    Returns:
        Estimate, in the unit of the values.

    Raises:
        InputError: shapes differ, or a value is not finite.
        UndefinedError: there are fewer than 2 pairs.

    >>> print(paired_means(np.array([2.0, 4, 6]), np.array([1.0, 2, 3])))
    2.000 [-0.484, 4.484] (95%, t, optimistic here)
    """
    first, second = np.asarray(first, float), np.asarray(second, float)
    if first.shape != second.shape:
        raise InputError(f"first and second must be as many, got {first.shape} and {second.shape}")
    return mean(first - second, level=level)
