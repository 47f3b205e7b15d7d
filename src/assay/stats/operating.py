"""One point of an ROC curve: what sensitivity a wanted specificity leaves, and the reverse, with intervals."""

import numpy as np
from scipy import optimize, special

from ..errors import InputError
from . import ranks
from .intervals import Estimate, quantile

# A threshold lies somewhere between two negatives: its place there is tried at the middle of each of so many parts.
PARTS = 5


def sensitivity_at(
    labels: np.ndarray,
    scores: np.ndarray,
    specificity: float,
    *,
    level: float = 0.95,
    groups: np.ndarray | None = None,
) -> Estimate:
    """Sensitivity where the threshold passes this share of all negatives.

    Which threshold does that is itself known only from the negatives at hand: its doubt is in the interval. How many
    of n negatives lie above the right one is binomial whatever the scores are like; each such number leaves a
    Jeffreys posterior of the sensitivity, and the interval is that of their mixture.

    Args:
        labels: bool (n,), True for positive.
        scores: float (n,), higher means more positive.
        specificity: in (0, 1).
        level: coverage of the interval, in (0, 1).
        groups: (n,), one name per picture; pictures of one group are not independent.

    Returns:
        Estimate, in [0, 1], never of zero width. Where the wanted specificity leaves less than one negative above
        the threshold, the low end is near 0: no picture shows where that threshold lies.

    Raises:
        InputError: shapes differ, scores are not finite, or specificity is outside (0, 1).
        UndefinedError: a class has no picture.

    Assumes pictures, or groups, are independent. It is not the sensitivity at a threshold that was fixed
    beforehand: that is `cutoffs.at`.

    Source: the count above a quantile is binomial (David & Nagaraja 2003, 7.1); Jeffreys as in Brown, Cai &
    DasGupta 2001, doi:10.1214/ss/1009213286. The mixture is ours, its coverage found by simulation.

    >>> print(sensitivity_at(np.arange(40) >= 20, np.r_[0:20, 15:35], 0.9))  # negatives 18 and 19 lie above
    0.850 [0.154, 0.991] (95%, binomial-mixture)
    """
    labels, scores = ranks.checked(labels, scores, what="sensitivity at a specificity")
    if not 0 < specificity < 1:
        raise InputError(f"specificity must be in (0, 1), got {specificity!r}")
    return _at(labels, scores, specificity, level, groups)


def specificity_at(
    labels: np.ndarray,
    scores: np.ndarray,
    sensitivity: float,
    *,
    level: float = 0.95,
    groups: np.ndarray | None = None,
) -> Estimate:
    """Specificity where the threshold finds this share of all positives: `sensitivity_at` with the classes swapped.

    Args:
        labels: bool (n,), True for positive.
        scores: float (n,), higher means more positive.
        sensitivity: in (0, 1).
        level: coverage of the interval, in (0, 1).
        groups: (n,), one name per picture; pictures of one group are not independent.

    Returns:
        Estimate, in [0, 1], never of zero width.

    Raises:
        InputError: shapes differ, scores are not finite, or sensitivity is outside (0, 1).
        UndefinedError: a class has no picture.

    >>> print(specificity_at(np.arange(40) >= 20, np.r_[0:20, 15:35], 0.9))  # positives 15 and 16 lie below
    0.850 [0.154, 0.991] (95%, binomial-mixture)
    """
    labels, scores = ranks.checked(labels, scores, what="specificity at a sensitivity")
    if not 0 < sensitivity < 1:
        raise InputError(f"sensitivity must be in (0, 1), got {sensitivity!r}")
    return _at(~labels, -scores, sensitivity, level, groups)


def _at(labels: np.ndarray, scores: np.ndarray, kept: float, level: float, groups: np.ndarray | None) -> Estimate:
    quantile(level)
    steps = ranks.stairs(labels, scores)
    m, size = ranks.independent(labels, scores, groups=groups)
    n, rate = max(round(size), 1), 1 - kept
    value = float(ranks.along(steps, np.array([rate]))[0])

    # Seven standard deviations either way hold all but a trillionth of the binomial; of very many counts, some do.
    reach = 7 * np.sqrt(n * rate * kept) + 7
    step = 1 + int(reach / 250)
    above = np.arange(max(0, int(n * rate - reach)), min(n, int(n * rate + reach)) + 1, step)
    log = special.gammaln(n + 1) - special.gammaln(above + 1) - special.gammaln(n - above + 1)
    weights = np.exp(log + special.xlogy(above, rate) + special.xlogy(n - above, kept))
    parts = (np.arange(PARTS) + 0.5)[:, None] / PARTS
    found = (ranks.between(steps, above, n, parts) * (m / steps.true[-1])).ravel()
    # Many thresholds leave the same count: each count is weighed once.
    counts, place = np.unique(found, return_inverse=True)
    shares = np.bincount(place, np.tile(weights, PARTS))
    shares = shares / shares.sum()
    low, high = (_mixture(counts, m, shares, tail) for tail in ((1 - level) / 2, (1 + level) / 2))
    return Estimate(value, min(low, value), max(high, value), level, "binomial-mixture")


def _mixture(counts: np.ndarray, m: float, weights: np.ndarray, tail: float) -> float:
    """Quantile of the mixture of Jeffreys posteriors of counts out of m."""

    def below(share: float) -> float:
        return float(weights @ special.betainc(counts + 0.5, m - counts + 0.5, share)) - tail

    return float(optimize.brentq(below, 0.0, 1.0, xtol=1e-10))
