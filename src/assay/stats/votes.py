"""Votes: how people rate pictures on a scale, as shares of votes per step; distances, moments, and the noise of raters.

Shares are float (n, k), each row adds up to 1, on a scale of k steps such as 1..10. Numbers in, numbers and estimates
out; nothing here knows a picture.
"""

import math

import numpy as np

from ..errors import InputError, UndefinedError
from .agreement import pearson
from .intervals import Estimate

_STEPS = 200  # of Newton's method, most of them never taken
_NEAR = 1e-11  # of the moments, on a scale that goes from -1 to 1
_STEEP = 700.0  # of an exponent: what lies so far below the top is nothing


def emd(first: np.ndarray, second: np.ndarray, *, r: float = 1.0) -> np.ndarray:
    """Earth mover's distance of shares: how far votes must be moved, as a part of the scale.

    ((1 / k) sum |CDF_first - CDF_second| ** r) ** (1 / r). With r = 1 and times k it is Wasserstein's distance in
    steps of the scale; with r = 2 it weighs a few long ways more, and is what networks are trained with.

    Args:
        first: float (n, k) or (k,), shares.
        second: the same shape.
        r: power, > 0.

    Returns:
        float (n,), or () for single rows, in [0, 1). 0 where both are the same.

    Raises:
        InputError: shapes differ, rows are not shares, or r is not above 0.

    Source: Hou, Yu & Samaras 2016, arXiv:1611.05916; Talebi & Milanfar 2018, doi:10.1109/TIP.2018.2831899 (NIMA),
    equation 1.

    >>> emd(np.array([1.0, 0, 0, 0]), np.array([0, 0, 1.0, 0])).item()
    0.5
    """
    first, second = np.asarray(first, float), np.asarray(second, float)
    if first.shape != second.shape or first.ndim not in (1, 2):
        raise InputError(f"shares must be (n, k) on both sides, got {first.shape} and {second.shape}")
    if not (math.isfinite(r) and r > 0):
        raise InputError(f"r must be finite and > 0, got {r!r}")
    check(np.atleast_2d(first))
    check(np.atleast_2d(second))
    apart = np.abs(np.cumsum(first - second, axis=-1))
    return np.asarray((apart**r).mean(axis=-1) ** (1 / r))


def check(shares: np.ndarray) -> np.ndarray:
    """Refuse what is not shares.

    Args:
        shares: float (n, k).

    Returns:
        The same as float.

    Raises:
        InputError: it is not (n, k >= 2), a share is negative or not finite, or a row does not add up to 1 (to 1e-6).
    """
    shares = np.asarray(shares, float)
    if shares.ndim != 2 or shares.shape[1] < 2:
        raise InputError(f"shares must be (n, k) with 2 steps or more, got {shares.shape}")
    bad = ~np.isfinite(shares).all(axis=1) | (shares < 0).any(axis=1) | (np.abs(shares.sum(axis=1) - 1) > 1e-6)
    if bad.any():
        raise InputError(
            f"shares must be >= 0 and add up to 1, got {np.count_nonzero(bad):,} rows that do not, the first is row "
            f"{int(bad.argmax())} with the sum {shares[int(bad.argmax())].sum():g}"
        )
    return shares


def moments(shares: np.ndarray, scale: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of votes.

    Args:
        shares: float (n, k).
        scale: float (k,), what the steps are called, rising.

    Returns:
        Two float (n,), in units of the scale. The deviation is that of the votes themselves, not of their mean.

    Raises:
        InputError: the scale does not fit.

    >>> [x.tolist() for x in moments(np.array([[0.5, 0, 0.5]]), np.array([1, 2, 3]))]
    [[2.0], [1.0]]
    """
    scale = _scale(scale, np.shape(shares)[-1])
    mean = shares @ scale
    spread = (shares * (scale - mean[:, None]) ** 2).sum(axis=1)
    return mean, np.sqrt(np.maximum(spread, 0))


def maximum_entropy(mean: np.ndarray, sd: np.ndarray, *, scale: np.ndarray) -> np.ndarray:
    """Find the shares with a given mean and standard deviation that assume nothing else.

    They are exp(a s + b s ** 2) of the step s, with the a and b that give the two moments; found by Newton's method.

    Args:
        mean: float (n,), within the scale.
        sd: float (n,), >= 0.
        scale: float (k,), rising.

    Returns:
        float (n, k), shares with these moments, to 1e-9 of the scale.

    Raises:
        InputError: lengths differ, or no votes on this scale have such a mean and deviation.

    Source: Jaynes 1957, doi:10.1103/PhysRev.106.620; used on TID2013 by Talebi & Milanfar 2018 (NIMA), section III.

    >>> maximum_entropy(np.array([2.0]), np.array([np.sqrt(2 / 3)]), scale=np.array([1, 2, 3])).round(6)
    array([[0.333333, 0.333333, 0.333333]])
    """
    mean, sd = np.atleast_1d(np.asarray(mean, float)), np.atleast_1d(np.asarray(sd, float))
    scale = _scale(scale, np.shape(scale)[0])
    if mean.shape != sd.shape or mean.ndim != 1:
        raise InputError(f"mean and sd must be (n,), got {mean.shape} and {sd.shape}")
    low, high = narrowest(mean, scale), np.sqrt(np.maximum((mean - scale[0]) * (scale[-1] - mean), 0))
    slack = 1e-9 * (scale[-1] - scale[0])
    bad = ~((mean >= scale[0]) & (mean <= scale[-1]) & (sd >= low - slack) & (sd <= high + slack))
    if bad.any():
        first = int(bad.argmax())
        raise InputError(
            f"a mean of {mean[first]:g} on the scale {scale[0]:g} to {scale[-1]:g} goes with an sd of "
            f"{low[first]:.3g} to "
            f"{high[first]:.3g}, got {sd[first]:g} in row {first}"
        )
    middle, half = (scale[0] + scale[-1]) / 2, (scale[-1] - scale[0]) / 2
    points, centre = (scale - middle) / half, (mean - middle) / half
    square = centre**2 + (sd / half) ** 2
    found = np.stack([_tilted(points, c, s) for c, s in zip(centre, square, strict=True)])
    found[(sd <= low + slack) | (sd >= high - slack)] = np.nan  # at the ends there is no choice
    for i in np.flatnonzero(np.isnan(found[:, 0])):
        found[i] = _at_the_edge(scale, mean[i], narrow=sd[i] - low[i] < high[i] - sd[i])
    return found


def narrowest(mean: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Return the least standard deviation that votes with a mean can have: all on the two steps beside it.

    Args:
        mean: float (n,).
        scale: float (k,), rising.
    """
    above = np.clip(np.searchsorted(scale, mean), 1, len(scale) - 1)
    return np.asarray(np.sqrt(np.maximum((mean - scale[above - 1]) * (scale[above] - mean), 0)))


def beside(mean: np.ndarray, *, scale: np.ndarray) -> np.ndarray:
    """Put votes on the two steps beside a mean, as one person's rating that may lie between steps.

    Args:
        mean: float (n,), within the scale.
        scale: float (k,), rising.

    Returns:
        float (n, k), shares with these means and no more spread than they need.

    Raises:
        InputError: a mean lies outside the scale.

    >>> beside(np.array([2.25]), scale=np.array([1, 2, 3])).tolist()
    [[0.0, 0.75, 0.25]]
    """
    mean, scale = np.asarray(mean, float), _scale(scale, np.shape(scale)[0])
    bad = ~((mean >= scale[0]) & (mean <= scale[-1]))
    if bad.any():
        raise InputError(f"a mean must lie within {scale[0]:g} to {scale[-1]:g}, got {mean[int(bad.argmax())]:g}")
    return np.stack([_at_the_edge(scale, m, narrow=True) for m in mean])


def tilt(shares: np.ndarray, mean: np.ndarray, *, scale: np.ndarray) -> np.ndarray:
    """Move shares to another mean by as little as can be told: times exp(t s) of the step s.

    Args:
        shares: float (n, k).
        mean: float (n,); what lies outside the scale, or beyond what the shares can give, goes as far as they can.
        scale: float (k,), rising.

    Returns:
        float (n, k), the shares nearest to the given ones in relative entropy that have these means.

    Source: Csiszar 1975, doi:10.1214/aop/1176996454.
    """
    scale = _scale(scale, np.shape(shares)[-1])
    middle, half = (scale[0] + scale[-1]) / 2, (scale[-1] - scale[0]) / 2
    points = (scale - middle) / half
    logs = np.log(np.maximum(shares, 1e-12))
    low, high = np.full(len(shares), -60.0), np.full(len(shares), 60.0)
    wanted = (np.asarray(mean, float) - middle) / half
    for _ in range(60):
        at = (low + high) / 2
        tilted = _normal(logs + at[:, None] * points)
        under = tilted @ points < wanted
        low, high = np.where(under, at, low), np.where(under, high, at)
    return _normal(logs + ((low + high) / 2)[:, None] * points)


def halves(counts: np.ndarray, *, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Part the votes of each picture into two halves, by chance.

    Args:
        counts: whole numbers (n, k), votes per step, 2 a picture or more.
        rng: source of randomness.

    Returns:
        Two int (n, k) that add up to counts; of an odd number of votes, one half has one more.

    Raises:
        InputError: counts are not whole and >= 0, or a picture has fewer than 2 votes.
    """
    counts = np.asarray(counts)
    whole = np.rint(counts).astype(np.int64)
    if counts.ndim != 2 or (np.abs(counts - whole) > 1e-6).any() or (whole < 0).any() or whole.sum(axis=1).min() < 2:
        raise InputError("votes to be parted must be whole numbers (n, k), 2 or more a picture")
    first = rng.multivariate_hypergeometric
    one = np.stack([first(row, int(row.sum() // 2)) for row in whole])
    return one, whole - one


def ceiling(
    counts: np.ndarray, scale: np.ndarray, *, splits: int = 20, level: float = 0.95, rng: np.random.Generator
) -> tuple[Estimate, Estimate, Estimate]:
    """Tell how well anything can predict the mean votes, because people differ: by halves of the raters.

    Args:
        counts: whole numbers (n, k), votes per step, 2 a picture or more.
        scale: float (k,), rising.
        splits: ways to part the votes; their mean is taken.
        level: coverage of the intervals, in (0, 1).
        rng: parts the votes.

    Returns:
        Three estimates: how the means of one half correlate with those of the other; reliability of the mean of all
        votes, 2 r / (1 + r); and its square root, the correlation with these means that a perfect predictor reaches.

    Raises:
        InputError: counts are not votes.
        UndefinedError: there are fewer than 4 pictures, their means do not vary, or the halves do not agree at all.

    Assumes raters were drawn anew for each picture, or have no taste of their own in common.

    Source: Spearman 1910 and Brown 1910, doi:10.1111/j.2044-8295.1910.tb00206.x, .tb00207.x; Fisher's interval around
    the mean correlation.
    """
    steps = _scale(scale, np.shape(counts)[-1])
    found = []
    for _ in range(splits):
        one, other = (half @ steps / half.sum(axis=1) for half in halves(counts, rng=rng))
        found.append(pearson(one, other, level=level))
    value, low, high = (_mean_correlation([getattr(e, end) for e in found]) for end in ("value", "low", "high"))
    if value <= 0:
        raise UndefinedError(f"a ceiling needs raters who agree, got a correlation of {value:.2f} between halves")
    whole = [2 * max(r, 0) / (1 + max(r, 0)) for r in (value, low, high)]
    best = [math.sqrt(r) for r in whole]
    return (
        Estimate(value, low, high, level, "split-half"),
        Estimate(whole[0], whole[1], whole[2], level, "spearman-brown"),
        Estimate(best[0], best[1], best[2], level, "spearman-brown"),
    )


def _mean_correlation(correlations: list[float]) -> float:
    """Average on the scale of the inverse hyperbolic tangent."""
    return math.tanh(float(np.mean([math.atanh(min(max(r, -1 + 1e-12), 1 - 1e-12)) for r in correlations])))


def _scale(scale: np.ndarray, k: int) -> np.ndarray:
    found = np.asarray(scale, float)
    if found.shape != (k,) or k < 2 or not np.isfinite(found).all() or (np.diff(found) <= 0).any():
        raise InputError(f"a scale must have {k} finite steps that rise, got {np.shape(scale)}")
    return found


def _normal(logs: np.ndarray) -> np.ndarray:
    logs = logs - logs.max(axis=-1, keepdims=True)
    raised = np.exp(np.maximum(logs, -_STEEP))
    return np.asarray(raised / raised.sum(axis=-1, keepdims=True))


def _tilted(points: np.ndarray, mean: float, square: float) -> np.ndarray:
    """Return exp(a x + b x ** 2), normalised, with these moments; NaN where a and b would be infinite."""
    basis = np.stack([points, points**2])
    wanted, at = np.array([mean, square]), np.zeros(2)

    def dual(at: np.ndarray) -> float:
        logs = at @ basis
        return float(logs.max() + math.log(np.exp(logs - logs.max()).sum()) - at @ wanted)

    value = dual(at)
    for _ in range(_STEPS):
        shares = _normal(at @ basis)
        off = basis @ shares - wanted
        if np.abs(off).max() < _NEAR:
            return shares
        centred = basis - (basis @ shares)[:, None]
        curve = (centred * shares) @ centred.T
        if np.linalg.cond(curve) > 1e14:
            break
        step = np.linalg.solve(curve, off)
        size = 1.0
        while size > 1e-12 and dual(at - size * step) > value - 1e-4 * size * float(off @ step) + 1e-15:
            size /= 2
        at = at - size * step
        value = dual(at)
    shares = _normal(at @ basis)
    return shares if np.abs(basis @ shares - wanted).max() < 1e-9 else np.full(len(points), np.nan)


def _at_the_edge(scale: np.ndarray, mean: float, *, narrow: bool) -> np.ndarray:
    """Return the shares with the least spread, or the most: on the two steps beside the mean, or on the two ends."""
    above = int(np.clip(np.searchsorted(scale, mean), 1, len(scale) - 1)) if narrow else len(scale) - 1
    below = above - 1 if narrow else 0
    shares = np.zeros(len(scale))
    shares[above] = (mean - scale[below]) / (scale[above] - scale[below])
    shares[below] = 1 - shares[above]
    return shares
