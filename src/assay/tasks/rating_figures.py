"""How good ratings are: predicted shares of votes against those of people, every figure with its interval."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from scipy import stats

from ..errors import InputError, UndefinedError
from ..stats import agreement, intervals, resampling, votes
from ..stats.intervals import Estimate

Told = TypeVar("Told")
RUNS = 1000  # resamples of an interval where pictures belong together


@dataclass(frozen=True, slots=True)
class Ceiling:
    """What people leave to be predicted.

    halves: correlation of the mean votes of one half of the raters with those of the other; reliability: of the mean of
    all (Spearman-Brown); best: the correlation that a perfect predictor would reach.
    """

    halves: Estimate
    reliability: Estimate
    best: Estimate


@dataclass(frozen=True, slots=True)
class Spread:
    """How much of the scale is used: standard deviation, and the 5th and 95th percentile, of mean ratings.

    labels, predicted, full: (sd, low, high) of people's means, of the best guesses, and of those with a full scale;
    error, error_full: root mean square error of the two, in steps; slope: of people's means on the best guesses: 1
    where
    they are as far from the middle as they should be, above 1 where they crowd there more than their doubt asks for.
    """

    labels: tuple[float, float, float]
    predicted: tuple[float, float, float]
    full: tuple[float, float, float]
    error: float
    error_full: float
    slope: float


@dataclass(frozen=True, slots=True)
class Figures:
    """How good predicted ratings are.

    emd: mean earth mover's distance (r = 1) as a part of the scale; emd_guess: of always saying the mean of all votes;
    emd_2: with r = 2, the root of what was minimised, over pictures; lcc, srcc: correlations of means; accuracy: share
    of pictures put on the right side of `middle`; guess: of always saying the more frequent side; ceiling: None where
    single votes are not known. An estimate is None where the data cannot tell.
    """

    pictures: int
    groups: int
    emd: Estimate | None
    emd_guess: float
    emd_2: Estimate | None
    lcc: Estimate | None
    srcc: Estimate | None
    accuracy: Estimate | None
    guess: float
    middle: float
    ceiling: Ceiling | None
    spread: Spread


def measure(
    predicted: np.ndarray,
    rated: np.ndarray,
    scale: np.ndarray,
    *,
    full: np.ndarray,
    counts: np.ndarray | None,
    groups: np.ndarray | None,
    middle: float | None,
    rng: np.random.Generator,
) -> Figures:
    """Measure predictions of pictures that were not learned from.

    Args:
        predicted: float (n, k), shares of votes.
        rated: float (n, k), shares of people's votes.
        scale: float (k,).
        full: float (n,), predicted means on the full scale.
        counts: int (n, k), single votes, or None.
        groups: int (n,), pictures that belong together, or None where each stands alone.
        middle: of the scale; halfway between its ends by default.
        rng: for resampling, and to part the votes.

    Returns:
        Figures.

    Raises:
        InputError: shapes differ, or the middle lies outside the scale.
    """
    middle = float(scale[0] + scale[-1]) / 2 if middle is None else float(middle)
    if not scale[0] < middle <= scale[-1]:
        raise InputError(f"--middle must lie within the scale {scale[0]:g} to {scale[-1]:g}, got {middle:g}")
    if groups is not None and len(np.unique(groups)) == len(groups):
        groups = None
    guessed, said = (votes.moments(shares, scale)[0] for shares in (predicted, rated))
    above = said >= middle
    right = (guessed >= middle) == above
    always = np.tile(rated.mean(axis=0), (len(rated), 1))
    return Figures(
        pictures=len(rated),
        groups=len(rated) if groups is None else len(np.unique(groups)),
        emd=_maybe(lambda: intervals.mean(votes.emd(predicted, rated), groups=groups)),
        emd_guess=float(votes.emd(always, rated).mean()),
        emd_2=_maybe(lambda: intervals.mean(votes.emd(predicted, rated, r=2), groups=groups)),
        lcc=_maybe(lambda: _correlation(agreement.pearson, stats.pearsonr, guessed, said, groups, rng)),
        srcc=_maybe(lambda: _correlation(agreement.spearman, stats.spearmanr, guessed, said, groups, rng)),
        accuracy=_maybe(lambda: _share(right, groups)),
        guess=float(max(above.mean(), 1 - above.mean())),
        middle=middle,
        ceiling=_maybe(lambda: _ceiling(counts, scale, rng)),
        spread=_spread(said, guessed, full),
    )


def _maybe(make: Callable[[], Told]) -> Told | None:
    """Return what can be told, None where the data cannot tell it."""
    try:
        return make()
    except UndefinedError:
        return None


def _share(right: np.ndarray, groups: np.ndarray | None) -> Estimate:
    return intervals.proportion(right, len(right), groups=groups) if groups is not None else intervals.proportion(
        int(right.sum()), len(right)
    )  # fmt: skip


def _correlation(
    formula: Callable[..., Estimate],
    plain: Callable[..., object],
    x: np.ndarray,
    y: np.ndarray,
    groups: np.ndarray | None,
    rng: np.random.Generator,
) -> Estimate:
    """Correlate; where pictures belong together, the interval draws whole groups."""
    if groups is None:
        return formula(x, y)
    if len(x) < 4 or np.ptp(x) == 0 or np.ptp(y) == 0:
        raise UndefinedError("a correlation needs 4 pairs that vary on both sides")

    def statistic(i: np.ndarray) -> float:
        found = float(plain(x[i], y[i]).statistic)  # type: ignore[attr-defined]
        return found if math.isfinite(found) else 0.0

    return resampling.bootstrap(statistic, len(x), groups=groups, runs=RUNS, rng=rng)


def _ceiling(counts: np.ndarray | None, scale: np.ndarray, rng: np.random.Generator) -> Ceiling:
    enough = counts is not None and (counts.sum(axis=1) >= 2).all()
    if counts is None or not enough:
        raise UndefinedError("a ceiling needs 2 votes for each picture, one by one")
    return Ceiling(*votes.ceiling(counts, scale, rng=rng))


def _spread(said: np.ndarray, guessed: np.ndarray, full: np.ndarray) -> Spread:
    def told(x: np.ndarray) -> tuple[float, float, float]:
        low, high = np.quantile(x, [0.05, 0.95])
        return float(x.std()), float(low), float(high)

    variance = float(guessed.var())
    slope = float(((guessed - guessed.mean()) * (said - said.mean())).mean() / variance) if variance > 0 else math.nan
    error, error_full = (float(np.sqrt(((x - said) ** 2).mean())) for x in (guessed, full))
    return Spread(told(said), told(guessed), told(full), error, error_full, slope)
