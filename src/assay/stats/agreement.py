"""How well two or more raters, or two measurements, agree: their answers in, estimates out."""

import math
from collections.abc import Callable

import numpy as np
from scipy import special, stats

from ..errors import InputError, UndefinedError
from . import confusion
from .intervals import Estimate, quantile
from .summaries import score_limits

WEIGHTS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "equal": lambda apart: (apart > 0) * 1.0,
    "linear": lambda apart: apart * 1.0,
    "quadratic": lambda apart: apart**2 * 1.0,
}


def kappa(
    first: np.ndarray,
    second: np.ndarray,
    *,
    classes: int,
    weights: str = "equal",
    level: float = 0.95,
    groups: np.ndarray | None = None,
) -> Estimate:
    """Cohen's kappa: agreement beyond what chance would give, 0 for chance, 1 where all agree.

    Args:
        first: int (n,), 0..classes - 1, answers of the first rater, or labels.
        second: int (n,), of the second, or predictions.
        classes: number of classes, >= 2.
        weights: how bad it is to be far apart: "equal", or for ordered classes "linear" or "quadratic".
        level: coverage of the interval, in (0, 1).
        groups: (n,), one name per picture; pictures of one group are not independent.

    Returns:
        Estimate, in [-1, 1], never of zero width.

    Raises:
        InputError: shapes differ, a number is not a class, or the weights are unknown.
        UndefinedError: all answers are of one class: chance alone then agrees.

    Assumes pictures, or groups, are independent.

    Source: Cohen 1960, doi:10.1177/001316446002000104; 1968, doi:10.1037/h0026256; limits as in
    `summaries.score_limits`.

    >>> print(kappa(np.array([0, 2, 0, 1, 2]), np.array([0, 2, 0, 1, 0]), classes=3))
    0.688 [0.085, 0.944] (95%, score)
    """
    if weights not in WEIGHTS:
        raise InputError(f"weights must be one of {', '.join(WEIGHTS)}, got {weights!r}")
    first, second = np.asarray(first), np.asarray(second)
    counts = confusion.matrix(first, second, classes=classes)
    numbers = np.arange(classes)
    cost = WEIGHTS[weights](np.abs(numbers[:, None] - numbers))
    if not counts.sum() or not counts.sum(axis=1) @ cost @ counts.sum(axis=0):
        raise UndefinedError("kappa needs answers of 2 classes, got 1: chance alone agrees")

    def measure(shares: np.ndarray) -> tuple[float, np.ndarray]:
        rows, columns = shares.sum(axis=1), shares.sum(axis=0)
        seen, chance = float((cost * shares).sum()), max(float(rows @ cost @ columns), 1e-300)
        slope = seen / chance**2 * ((cost @ columns)[:, None] + (rows @ cost)[None, :]) - cost / chance
        return 1 - seen / chance, slope

    return score_limits(measure, first, second, counts, level=level, groups=groups)


def pearson(x: np.ndarray, y: np.ndarray, *, level: float = 0.95) -> Estimate:
    """Pearson's correlation, with Fisher's interval.

    Args:
        x: float (n,), finite.
        y: float (n,), of the same things.
        level: coverage of the interval, in (0, 1).

    Returns:
        Estimate, in [-1, 1]; of zero width only where the points lie on a line.

    Raises:
        InputError: shapes differ, or a value is not finite.
        UndefinedError: there are fewer than 4 pairs, or a side does not vary.

    Assumes both are normal together: elsewhere `spearman` is safer.

    Source: Fisher 1921.

    >>> print(pearson(np.array([1.0, 2, 3, 4, 5]), np.array([1.0, 3, 2, 5, 4])))
    0.800 [-0.280, 0.986] (95%, fisher)
    """
    x, y = _pair(x, y)
    value = min(max(float(np.corrcoef(x, y)[0, 1]), -1.0), 1.0)
    return _fisher(value, value, 1 / math.sqrt(len(x) - 3), level, "fisher")


def spearman(x: np.ndarray, y: np.ndarray, *, level: float = 0.95) -> Estimate:
    """Spearman's correlation of ranks.

    Args:
        x: float (n,), finite.
        y: float (n,), of the same things.
        level: coverage of the interval, in (0, 1).

    Returns:
        Estimate, in [-1, 1], never of zero width: where all ranks agree, the interval is that of half a swap less.

    Raises:
        InputError: shapes differ, or a value is not finite.
        UndefinedError: there are fewer than 4 pairs, or a side does not vary.

    Source: Bonett & Wright 2000, doi:10.1007/BF02294183.

    >>> print(spearman(np.array([1.0, 2, 3, 4, 5]), np.array([1.0, 3, 2, 5, 4])))
    0.800 [-0.457, 0.991] (95%, bonett-wright)
    """
    x, y = _pair(x, y)
    n = len(x)
    value = min(max(float(np.corrcoef(stats.rankdata(x), stats.rankdata(y))[0, 1]), -1.0), 1.0)
    kept = 1 - 6 / (n * (n**2 - 1))
    inside = min(max(value, -kept), kept)
    return _fisher(value, inside, math.sqrt((1 + inside**2 / 2) / (n - 3)), level, "bonett-wright")


def kendall(x: np.ndarray, y: np.ndarray, *, level: float = 0.95) -> Estimate:
    """Kendall's tau-b: pairs in order less pairs out of order, as a share, corrected for ties.

    Args:
        x: float (n,), finite.
        y: float (n,), of the same things.
        level: coverage of the interval, in (0, 1).

    Returns:
        Estimate, in [-1, 1], never of zero width: where all pairs agree, the interval is that of half a swap less.

    Raises:
        InputError: shapes differ, or a value is not finite.
        UndefinedError: there are fewer than 5 pairs, or a side does not vary.

    Source: Fieller, Hartley & Pearson 1957, doi:10.1093/biomet/44.3-4.470.

    >>> print(kendall(np.array([1.0, 2, 3, 4, 5]), np.array([1.0, 3, 2, 5, 4])))
    0.600 [-0.539, 0.963] (95%, fieller)
    """
    x, y = _pair(x, y, least=5)
    n = len(x)
    value = min(max(float(stats.kendalltau(x, y).statistic), -1.0), 1.0)
    kept = 1 - 2 / (n * (n - 1))
    return _fisher(value, min(max(value, -kept), kept), math.sqrt(0.437 / (n - 4)), level, "fieller")


def icc(ratings: np.ndarray, *, kind: str = "2,1", level: float = 0.95) -> Estimate:
    """Intraclass correlation: the share of variance that is between the things rated.

    Args:
        ratings: float (n, k), finite: n things, each rated by k raters.
        kind: "1,1" raters differ by thing, "2,1" raters drawn at random and kept, "3,1" these very raters and
            consistency only; "1,k", "2,k", "3,k" for the mean of the k.
        level: coverage of the interval, in (0, 1).

    Returns:
        Estimate, <= 1.

    Raises:
        InputError: ratings are not (n, k) and finite, or the kind is unknown.
        UndefinedError: there are fewer than 2 things or raters, or the things do not vary.

    Assumes normal errors.

    Source: Shrout & Fleiss 1979, doi:10.1037/0033-2909.86.2.420; McGraw & Wong 1996, doi:10.1037/1082-989X.1.1.30.

    >>> ratings = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7.0]])
    >>> print(icc(ratings))  # Shrout & Fleiss: .29
    0.290 [0.019, 0.761] (95%, f)
    """
    ratings = np.asarray(ratings, float)
    if ratings.ndim != 2 or not np.isfinite(ratings).all():
        raise InputError(f"ratings must be (things, raters) and finite, got shape {ratings.shape}")
    if kind not in ("1,1", "2,1", "3,1", "1,k", "2,k", "3,k"):
        raise InputError(f"kind must be 1,1 2,1 3,1 1,k 2,k or 3,k, got {kind!r}")
    n, k = ratings.shape
    if n < 2 or k < 2:
        raise UndefinedError(f"icc needs 2 things and 2 raters, got {n} and {k}")
    grand, rows, columns = ratings.mean(), ratings.mean(axis=1), ratings.mean(axis=0)
    between = k * float(((rows - grand) ** 2).sum()) / (n - 1)
    raters = n * float(((columns - grand) ** 2).sum()) / (k - 1)
    within = float(((ratings - rows[:, None]) ** 2).sum()) / (n * (k - 1))
    error = float(((ratings - rows[:, None] - columns + grand) ** 2).sum()) / ((n - 1) * (k - 1))
    if between == 0:
        raise UndefinedError("icc needs things that differ, got equal means")
    tail = (1 + level) / 2
    quantile(level)

    def f(df1: float, df2: float) -> float:
        return float(special.fdtri(df1, df2, tail))

    if kind[0] == "2":
        single, low, high = _absolute(between, raters, error, n, k, f)
    else:
        noise, df = (within, n * (k - 1)) if kind[0] == "1" else (error, (n - 1) * (k - 1))
        # Without any noise the ratio is infinite, and so are its limits: all three are 1.
        ratio = between / noise if noise > 0 else math.inf
        ratios = ratio, ratio / f(n - 1, df), ratio * f(df, n - 1)
        single, low, high = (1.0 if math.isinf(r) else (r - 1) / (r + k - 1) for r in ratios)
    if kind[2] == "k":
        single, low, high = (k * r / (1 + (k - 1) * r) for r in (single, low, high))
    return Estimate(single, min(low, single), min(max(high, single), 1.0), level, "f")


def _absolute(
    between: float, raters: float, error: float, n: int, k: int, f: Callable[[float, float], float]
) -> tuple[float, float, float]:
    """ICC(2,1) and its limits, by Satterthwaite's degrees of freedom (McGraw & Wong, case 2A)."""
    value = (between - error) / (between + (k - 1) * error + k * (raters - error) / n)
    if error == 0 and raters == 0:
        return value, value, value
    a, b = k * value / (n * (1 - value)), 1 + k * value * (n - 1) / (n * (1 - value))
    df = (a * raters + b * error) ** 2
    df /= (a * raters) ** 2 / (k - 1) + (b * error) ** 2 / ((n - 1) * (k - 1))
    lower, upper = f(n - 1, df), f(df, n - 1)
    rest = k * raters + (k * n - k - n) * error
    low = n * (between - lower * error) / (lower * rest + n * between)
    high = n * (upper * between - error) / (rest + n * upper * between)
    return value, low, high


def _pair(x: np.ndarray, y: np.ndarray, *, least: int = 4) -> tuple[np.ndarray, np.ndarray]:
    x, y = np.asarray(x, float), np.asarray(y, float)
    if x.ndim != 1 or x.shape != y.shape:
        raise InputError(f"x and y must be (n,), got {x.shape} and {y.shape}")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise InputError("x and y must be finite, got values that are not")
    if len(x) < least or np.ptp(x) == 0 or np.ptp(y) == 0:
        raise UndefinedError(f"a correlation needs {least} pairs that vary on both sides, got {len(x)}")
    return x, y


def _fisher(value: float, inside: float, error: float, level: float, method: str) -> Estimate:
    """Fisher's interval on the scale of the inverse hyperbolic tangent, where it cannot leave [-1, 1]."""
    half = quantile(level) * error
    if abs(inside) == 1:
        return Estimate(value, value, value, level, method)
    low, high = (math.tanh(math.atanh(inside) + side) for side in (-half, half))
    # Where every pair is in order, nothing is known to keep the truth from the very end.
    return Estimate(
        value, -1.0 if value == -1 else min(low, value), 1.0 if value == 1 else max(high, value), level, method
    )
