"""Intervals by drawing again: a statistic or a procedure in, an estimate out."""

import math
from collections.abc import Callable
from typing import TypeVar

import numpy as np
from scipy import special

from ..errors import InputError, UndefinedError
from . import ranks
from .intervals import Estimate, proportion, quantile

Sample = TypeVar("Sample")


def _percentile(_value: float, draws: np.ndarray, _left_out: np.ndarray, level: float) -> tuple[float, float]:
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _basic(value: float, draws: np.ndarray, left_out: np.ndarray, level: float) -> tuple[float, float]:
    low, high = _percentile(value, draws, left_out, level)
    return 2 * value - high, 2 * value - low


def _bca(value: float, draws: np.ndarray, left_out: np.ndarray, level: float) -> tuple[float, float]:
    tail, z, runs = (1 + np.array([-level, level])) / 2, np.array([-1, 1]) * quantile(level), len(draws)
    pull = left_out.mean() - left_out
    spread = (pull**2).sum() ** 1.5
    acceleration = (pull**3).sum() / (6 * spread) if spread > 0 and math.isfinite(spread) else 0.0
    below = ((draws < value).sum() + (draws == value).sum() / 2) / runs
    bias = special.ndtri(np.clip(below, 1 / runs, 1 - 1 / runs))
    stretch = 1 - acceleration * (bias + z)
    tail = np.where(stretch > 0, special.ndtr(bias + (bias + z) / np.where(stretch > 0, stretch, 1)), tail)
    low, high = np.quantile(draws, tail)
    return float(low), float(high)


# Each from the value, its draws, and what it is when parts of the data are left out.
METHODS: dict[str, Callable[[float, np.ndarray, np.ndarray, float], tuple[float, float]]] = {
    "bca": _bca,
    "percentile": _percentile,
    "basic": _basic,
}


def bootstrap(
    statistic: Callable[[np.ndarray], float],
    n: int,
    *,
    groups: np.ndarray | None = None,
    strata: np.ndarray | None = None,
    level: float = 0.95,
    method: str = "bca",
    runs: int = 1000,
    rng: np.random.Generator,
) -> Estimate:
    """Any statistic of n pictures, with its bootstrap interval.

    For figures that have no formula. Prefer `proportion`, `clustered`, `mean` or `roc.auc` where they
    apply: they stay honest with few pictures and at perfection, where resampling shows no spread.

    Args:
        statistic: takes indices (k,) into the n pictures, returns a finite number.
        n: number of pictures, >= 2.
        groups: (n,), one name per picture; groups are drawn whole.
        strata: (n,), such as the labels; each stratum keeps its number of groups.
        level: coverage of the interval, in (0, 1).
        method: "bca", "percentile", or "basic", which may leave the range of the statistic.
        runs: resamples, >= 100.
        rng: source of randomness.

    Returns:
        Estimate, in the unit of the statistic, and by the first two methods within its range.

    Raises:
        InputError: a shape differs, runs is too small, a group lies in two strata, or the method is unknown.
        UndefinedError: the statistic is not finite, or does not vary, over the resamples.

    Assumes groups, or pictures, are independent within a stratum, and there are some 20 or more.

    Source: Efron 1987, doi:10.1080/01621459.1987.10478410; acceleration by a delete-a-block jackknife. Basic:
    Davison & Hinkley 1997, 5.2.

    >>> heights = np.arange(40.0)
    >>> e = bootstrap(lambda i: heights[i].mean(), 40, rng=np.random.default_rng(0))
    >>> e.value, e.low < 17 < 22 < e.high
    (19.5, True)
    """
    if n < 2:
        raise InputError(f"n must be >= 2, got {n!r}")
    _checked(method, level, runs)
    for name, given in (("groups", groups), ("strata", strata)):
        if given is not None and np.shape(given) != (n,):
            raise InputError(f"{name} must be ({n},), got {np.shape(given)}")
    codes = np.arange(n) if groups is None else np.unique(groups, return_inverse=True)[1]
    layers = np.zeros(n, int) if strata is None else np.unique(strata, return_inverse=True)[1]
    members = np.split(np.argsort(codes, kind="stable"), np.cumsum(np.bincount(codes))[:-1])
    layer_of = np.array([layers[m[0]] for m in members])
    if (layers != layer_of[codes]).any():
        raise InputError("each group must lie in one stratum, got a group in two: leave out strata, or split the group")
    if len(members) < 2:
        raise UndefinedError(f"a bootstrap needs 2 groups, got {len(members)}")
    pools = [np.flatnonzero(layer_of == layer) for layer in range(layers.max() + 1)]

    def indices(chosen: np.ndarray) -> np.ndarray:
        return chosen if groups is None else np.concatenate([members[g] for g in chosen])

    value = float(statistic(np.arange(n)))
    draws = np.array(
        [statistic(indices(np.concatenate([rng.choice(pool, len(pool)) for pool in pools]))) for _ in range(runs)]
    )
    if not np.isfinite(draws).all() or not math.isfinite(value):
        raise UndefinedError("statistic must be finite on every resample, got one that is not: pass strata=labels")
    if (draws == value).all():
        raise UndefinedError(f"statistic must vary between resamples, got {value!r} each time: use an exact interval")
    blocks = np.array_split(rng.permutation(len(members)), min(len(members), 100))
    left_out = np.array([statistic(indices(np.setdiff1d(np.arange(len(members)), block))) for block in blocks])
    low, high = METHODS[method](value, draws, left_out, level)
    return Estimate(value, min(low, value), max(high, value), level, f"bootstrap-{method}")


def auc(
    labels: np.ndarray,
    scores: np.ndarray,
    *,
    groups: np.ndarray | None = None,
    level: float = 0.95,
    method: str = "bca",
    runs: int = 2000,
    rng: np.random.Generator,
) -> Estimate:
    """Area under the ROC curve, with its bootstrap interval: scores are sorted once, and only counts are drawn.

    `roc.auc` is quicker, and honest at perfection, where this has no answer.

    Args:
        labels: bool (n,), True for positive.
        scores: float (n,), higher means more positive.
        groups: (n,), one name per picture; groups are drawn whole.
        level: coverage of the interval, in (0, 1).
        method: "bca", "percentile" or "basic".
        runs: resamples, >= 100.
        rng: source of randomness.

    Returns:
        Estimate, in [0, 1]. Positives and negatives are drawn apart, unless a group holds both.

    Raises:
        InputError: shapes differ, scores are not finite, runs is too small, or the method is unknown.
        UndefinedError: there are not two of each class, or two groups that hold each; or the area does not vary,
            or lacks a class, over the resamples.

    Assumes pictures, or groups, are independent.

    Source: as `bootstrap`; the acceleration is that of the infinitesimal jackknife (Efron 1987, section 7).

    >>> labels, scores = np.arange(40) % 2 == 0, np.arange(40) * 7 % 40 + np.arange(40) % 2 * -9
    >>> e = auc(labels, scores, rng=np.random.default_rng(0))
    >>> round(e.value, 3), e.low < 0.65 < e.high
    (0.68, True)
    """
    from . import redraw

    labels, scores = ranks.checked(labels, scores, least=2, what="auc")
    _checked(method, level, runs)
    names = np.arange(len(labels)) if groups is None else np.unique(ranks.named(groups, labels), return_inverse=True)[1]
    placed = ranks.placements(labels, scores, groups=names)
    value = float(placed.areas[0])
    ups, downs = (np.flatnonzero(chosen)[np.argsort(scores[chosen])] for chosen in (labels, ~labels))
    # Groups are numbered by where they first stand among positives, then negatives: the loop then walks memory.
    seen, first = np.unique(np.concatenate([names[ups], names[downs]]), return_index=True)
    number = np.empty(len(seen), np.int64)
    number[seen[np.argsort(first)]] = np.arange(len(seen))
    held = len(np.unique(names[ups]))
    apart = held + len(np.unique(names[downs])) == len(seen)
    starts = np.array([0, held, len(seen)] if apart else [0, len(seen)])
    left, right = (np.searchsorted(scores[downs], scores[ups], side) for side in ("left", "right"))
    draws = np.empty(runs)
    seed = rng.integers(2**64, dtype=np.uint64)
    redraw.areas(starts, number[names[ups]], number[names[downs]], left, right, draws, seed)
    if np.isnan(draws).any():
        raise UndefinedError("each resample must hold both classes, got one that does not: too few groups")
    if (draws == draws[0]).all():
        raise UndefinedError(f"auc must vary between resamples, got {value!r} each time: use roc.auc")
    parts = ((placed.wins[0], names[labels]), (placed.losses[0], names[~labels]))
    pull = sum(np.bincount(codes, (c - value) / len(c), minlength=len(seen)) for c, codes in parts)
    low, high = METHODS[method](value, draws, -np.asarray(pull), level)
    return Estimate(value, min(low, value), max(high, value), level, f"bootstrap-{method}")


def coverage(
    make_sample: Callable[[np.random.Generator], Sample],
    interval: Callable[[Sample], Estimate],
    truth: float,
    *,
    runs: int = 1000,
    level: float = 0.95,
    rng: np.random.Generator,
) -> Estimate:
    """How often an interval holds the truth, by simulation.

    Args:
        make_sample: draws one sample.
        interval: makes an Estimate of it.
        truth: what the Estimate is of.
        runs: samples, >= 1.
        level: coverage of the interval round the answer, in (0, 1): not that of the intervals tried.
        rng: source of randomness, given to make_sample.

    Returns:
        Estimate, in [0, 1]: the share of samples whose interval holds the truth, with the error of the simulation.

    Raises:
        InputError: runs is not positive.

    >>> from assay.stats.intervals import mean
    >>> e = coverage(lambda rng: rng.normal(5, 2, 9), mean, 5, runs=400, rng=np.random.default_rng(0))
    >>> e.low < 0.95 < e.high
    True
    """
    if runs < 1:
        raise InputError(f"runs must be >= 1, got {runs!r}")
    found = (interval(make_sample(rng)) for _ in range(runs))
    return proportion(sum(e.low <= truth <= e.high for e in found), runs, level=level)


def _checked(method: str, level: float, runs: int) -> None:
    quantile(level)
    if method not in METHODS:
        raise InputError(f"method must be one of {', '.join(METHODS)}, got {method!r}")
    if runs < 100:
        raise InputError(f"runs must be >= 100, got {runs!r}")
