"""Where a score counts as positive: labels and scores in, thresholds and what they give out.

A picture is called positive where its score is at or above the threshold.
"""

import math

import numpy as np

from ..errors import InputError
from . import ranks
from .intervals import Estimate, proportion


def cutoff(
    labels: np.ndarray,
    scores: np.ndarray,
    *,
    specificity: float | None = None,
    cost_fp: float = 1.0,
    cost_fn: float = 1.0,
    prevalence: float | None = None,
) -> float:
    """Threshold to use: pictures that score at or above it are called positive.

    Args:
        labels: bool (n,), True for positive.
        scores: float (n,), higher means more positive.
        specificity: keep at least this on these pictures and find the most positives, in [0, 1];
            costs and prevalence are then not used.
        cost_fp: cost of a false alarm, >= 0.
        cost_fn: cost of a missed positive, >= 0.
        prevalence: share of positives where the threshold will be used, in (0, 1); default: here.

    Returns:
        Threshold, halfway between the scores on its two sides, or at the lowest score where all are
        called positive. Of thresholds that serve equally, the one that calls fewest positive.

    Raises:
        InputError: shapes differ, scores are not finite, or an option is outside its range.
        UndefinedError: a class has no picture.

    Assumes these are not the pictures it will be judged on: it fits them better than any others.

    >>> cutoff(np.array([0, 0, 1, 1], bool), np.array([.1, .4, .35, .8]), specificity=0.9)
    0.6000000000000001
    """
    labels, scores = ranks.checked(labels, scores, what="a cut-off")
    steps = ranks.stairs(labels, scores)
    levels, true, false = steps.levels, steps.true, steps.false
    m, n = true[-1], false[-1]
    if specificity is not None:
        if not 0 <= specificity <= 1:
            raise InputError(f"specificity must be in [0, 1], got {specificity!r}")
        kept = n - false >= specificity * n - 1e-9
        best = int(np.argmax(np.where(kept, true, -1)))
    else:
        if not (cost_fp >= 0 and cost_fn >= 0 and 0 < cost_fp + cost_fn < math.inf):
            raise InputError(f"costs must be finite, >= 0 and not both 0, got {cost_fp!r} and {cost_fn!r}")
        share = m / (m + n) if prevalence is None else prevalence
        if not 0 < share < 1:
            raise InputError(f"prevalence must be in (0, 1), got {share!r}")
        cost = share * cost_fn * (1 - true / m) + (1 - share) * cost_fp * false / n
        best = int(np.argmax(cost <= cost.min() + 1e-12 * (cost_fp + cost_fn)))
    if best == 0:
        return float(np.nextafter(levels[0], np.inf))
    if best == len(levels):
        return float(levels[-1])
    # Halves are added, not sums halved: the sum of two large scores may overflow.
    above, below = levels[best - 1], levels[best]
    middle = above / 2 + below / 2
    return float(middle if below < middle <= above else above)


def at(
    labels: np.ndarray,
    scores: np.ndarray,
    threshold: float,
    *,
    level: float = 0.95,
    groups: np.ndarray | None = None,
) -> tuple[Estimate, Estimate]:
    """Sensitivity and specificity at a threshold.

    Args:
        labels: bool (n,), True for positive.
        scores: float (n,), higher means more positive.
        threshold: scores at or above it are called positive.
        level: coverage of each interval, in (0, 1).
        groups: (n,), one name per picture; pictures of one group are not independent.

    Returns:
        Sensitivity and specificity, each in [0, 1], with Wilson's interval, over groups where given.

    Raises:
        InputError: shapes differ, scores are not finite, or the threshold is not a number.
        UndefinedError: a class has no picture.

    Assumes the threshold was not chosen on these pictures.

    >>> print(at(np.array([0, 0, 1, 1], bool), np.array([.1, .4, .35, .8]), 0.6)[1])
    1.000 [0.342, 1.000] (95%, wilson)
    """
    labels, scores = ranks.checked(labels, scores, what="a rate of each class")
    if math.isnan(threshold):
        raise InputError(f"threshold must be a number, got {threshold!r}")
    names = None if groups is None else ranks.named(groups, labels)
    right = (scores >= threshold) == labels
    rates = [
        proportion(right[c], int(c.sum()), level=level, groups=None if names is None else names[c])
        for c in (labels, ~labels)
    ]
    return rates[0], rates[1]
