"""Precision against recall: labels and scores in, the curve and the average precision out.

Both depend on the share of positives among the pictures: at another base rate they are others.
"""

from dataclasses import dataclass

import numpy as np

from . import ranks
from .intervals import Estimate, effective, limits, quantile


@dataclass(frozen=True, slots=True)
class Curve:
    """Precision and recall at each distinct score from the top; the first point has recall 0 and precision 1."""

    recall: np.ndarray
    precision: np.ndarray
    thresholds: np.ndarray


def curve(labels: np.ndarray, scores: np.ndarray) -> Curve:
    """Precision-recall curve, with a point for every distinct score.

    Args:
        labels: bool (n,), True for positive.
        scores: float (n,), higher means more positive.

    Returns:
        Curve: recall rises from 0 to 1, thresholds fall from infinity; the last precision is the share of positives.

    Raises:
        InputError: shapes differ, or scores are not finite.
        UndefinedError: a class has no picture.

    >>> curve(np.array([0, 0, 1, 1], bool), np.array([.1, .4, .35, .8])).precision.round(3)
    array([1.   , 1.   , 0.5  , 0.667, 0.5  ])
    """
    steps = ranks.stairs(*ranks.checked(labels, scores, what="a precision-recall curve"))
    called = steps.true + steps.false
    precision = np.concatenate([[1.0], steps.true[1:] / called[1:]])
    return Curve(steps.true / steps.true[-1], precision, np.concatenate([[np.inf], steps.levels]))


def average_precision(
    labels: np.ndarray, scores: np.ndarray, *, level: float = 0.95, groups: np.ndarray | None = None
) -> Estimate:
    """Precision at the threshold of each positive, averaged over the positives.

    Args:
        labels: bool (n,), True for positive.
        scores: float (n,), higher means more positive.
        level: coverage of the interval, in (0, 1).
        groups: (n,), one name per picture; pictures of one group are not independent.

    Returns:
        Estimate, in [0, 1], never of zero width, at the base rate of these labels; the share of positives is a blind
        guess. With few positives the value runs high, by .05 for 10 of them beside 90; the interval allows for it.

    Raises:
        InputError: shapes differ, or scores are not finite.
        UndefinedError: there are not two of each class.

    Assumes pictures, or groups, are independent; the share of positives is fixed.

    Source: the step-wise sum of Boyd, Eng & Page 2013, doi:10.1007/978-3-642-40994-3_29; variance by the infinitesimal
    jackknife, held up by theirs where few positives are out of order; Wilson's limits at the number of pictures that
    this variance is worth.

    >>> average_precision(np.array([0, 0, 1, 1], bool), np.array([.1, .4, .35, .8])).value
    0.8333333333333333
    """
    labels, scores = ranks.checked(labels, scores, least=2, what="average precision")
    if groups is not None:
        groups = ranks.named(groups, labels)
    t = quantile(level)
    steps = ranks.stairs(labels, scores)
    m, n = int(steps.true[-1]), int(steps.false[-1])
    hits, alarms = np.diff(steps.true), np.diff(steps.false)
    called = steps.true[1:] + steps.false[1:]
    precision = steps.true[1:] / called
    value = min(float(hits @ precision) / m, 1.0)

    # How the mean moves with one more picture at each level: by its own precision, and that of positives below it.
    below = np.cumsum((hits * steps.false[1:] / called**2)[::-1])[::-1]
    above = np.cumsum((hits * steps.true[1:] / called**2)[::-1])[::-1]
    up, down = (precision - value + below) / m, -above / m
    up, down = up - hits @ up / m, down - alarms @ down / n
    variance = float(hits @ up**2) * m / (m - 1) + float(alarms @ down**2) * n / (n - 1)
    spread = value * (1 - value)
    evidence = int(hits[precision < 1].sum())
    trust = evidence / (evidence + PRIOR_POSITIVES)
    variance = trust * variance + (1 - trust) * max(variance, spread / m)
    size = spread / variance if variance > 0 and spread > 0 else float(m)
    if groups is not None:
        place = len(steps.levels) - 1 - np.searchsorted(steps.levels[::-1], scores)
        pulls = np.where(labels, up[place], down[place])
        size *= effective(pulls, groups) / len(labels)
    size *= (t / quantile(level, df=m - 1)) ** 2
    low, high = limits(value, size, level=level)
    return Estimate(value, low, high, level, "jackknife-wilson")


# Positives out of order before the jackknife's variance counts as much as the one held against it.
PRIOR_POSITIVES = 10
