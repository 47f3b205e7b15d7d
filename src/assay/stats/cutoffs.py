"""Where a score counts as positive: labels and scores in, thresholds and what they give out.

A picture is called positive where its score is at or above the threshold.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from ..errors import InputError, UndefinedError
from . import agreement, confusion, ranks, summaries
from .intervals import Estimate, effective, limits, proportion, quantile


@dataclass(frozen=True, slots=True)
class Counts:
    """How many pictures of each class lie on each side of a threshold."""

    true_positives: int
    false_negatives: int
    false_positives: int
    true_negatives: int


@dataclass(frozen=True, slots=True)
class Rates:
    """What follows from a threshold; None where no picture can say, such as ppv where none is called positive."""

    counts: Counts
    sensitivity: Estimate
    specificity: Estimate
    ppv: Estimate | None
    npv: Estimate | None
    accuracy: Estimate
    balanced_accuracy: Estimate
    f1: Estimate | None
    mcc: Estimate | None
    kappa: Estimate


@dataclass(frozen=True, slots=True)
class Choice:
    """A threshold, how far another sample would move it, and what it gives on pictures that did not choose it."""

    rule: str
    threshold: Estimate
    sensitivity: Estimate
    specificity: Estimate


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


def choose(
    labels: np.ndarray,
    scores: np.ndarray,
    *,
    rule: str = "specificity",
    specificity: float = 0.9,
    cost_fp: float = 1.0,
    cost_fn: float = 1.0,
    prevalence: float | None = None,
    level: float = 0.95,
    groups: np.ndarray | None = None,
    runs: int = 200,
    rng: np.random.Generator,
) -> Choice:
    """Choose a threshold, and judge it on pictures that had no say.

    The rates of a threshold on the pictures that chose it are too good. Here it is chosen again on resamples, and each
    picture is judged by the thresholds of those resamples that it is not in.

    Args:
        labels: bool (n,), True for positive.
        scores: float (n,), higher means more positive.
        rule: "specificity" (at least that), "youden" (most sensitivity + specificity) or "cost" (least).
        specificity: for the rule of that name, in [0, 1].
        cost_fp: for "cost", of a false alarm, >= 0.
        cost_fn: for "cost", of a missed positive, >= 0.
        prevalence: for "cost", share of positives where the threshold will be used, in (0, 1); default: here.
        level: coverage of the intervals, in (0, 1).
        groups: (n,), one name per picture; groups are drawn whole.
        runs: resamples, >= 100.
        rng: source of randomness.

    Returns:
        Choice: the threshold of all pictures with the percentiles of those of the resamples; sensitivity and
        specificity out of bag, each in [0, 1] with the interval of Clopper and Pearson.

    Raises:
        InputError: shapes differ, scores are not finite, the rule is unknown or an option is outside its range.
        UndefinedError: there are not two of each class, or of groups.

    Assumes pictures, or groups, are independent.

    Source: out-of-bag estimation, Breiman 1996; Efron & Tibshirani 1997, doi:10.1080/01621459.1997.10474007 (the
    leave-one-out bootstrap, which is a little pessimistic).

    >>> c = choose(np.arange(60) % 3 == 0, np.arange(60) % 3 * -1.0 + np.arange(60) / 40, rng=np.random.default_rng(0))
    >>> c.threshold.low < c.threshold.value < c.threshold.high, c.sensitivity.method
    (True, 'exact-out-of-bag')
    """
    quantile(level)
    options = {
        "specificity": {"specificity": specificity},
        "youden": {"prevalence": 0.5},
        "cost": {"cost_fp": cost_fp, "cost_fn": cost_fn, "prevalence": prevalence},
    }
    if rule not in options:
        raise InputError(f"rule must be one of {', '.join(options)}, got {rule!r}")
    if runs < 100:
        raise InputError(f"runs must be >= 100, got {runs!r}")
    labels, scores = ranks.checked(labels, scores, least=2, what="a choice of a cut-off")
    value = cutoff(labels, scores, **options[rule])  # type: ignore[arg-type]
    names = np.arange(len(labels)) if groups is None else np.unique(ranks.named(groups, labels), return_inverse=True)[1]
    thresholds, right, judged = [], np.zeros(len(labels)), np.zeros(len(labels))
    for bag in _bags(labels, names, runs, rng):
        thresholds.append(cutoff(labels[bag], scores[bag], **options[rule]))  # type: ignore[arg-type]
        out = np.ones(names.max() + 1, bool)
        out[names[bag]] = False
        judge = out[names]
        right[judge] += ((scores >= thresholds[-1]) == labels)[judge]
        judged[judge] += 1
    rates = []
    for side, sway in zip((labels, ~labels), swaying(labels, scores, np.array(thresholds)), strict=True):
        seen = side & (judged > 0)
        shares, size = right[seen] / judged[seen], float(seen.sum())
        if groups is not None:
            size = effective(shares, names[seen])
        rate = float(shares.mean())
        # Out of bag a rate runs low, most where few mistakes are expected: Wilson's upper limit then falls short.
        low, high = limits(rate, swayed(rate, size, sway), level=level, method="clopper-pearson")
        rates.append(Estimate(rate, low, high, level, "exact-out-of-bag"))
    low, high = np.quantile(thresholds, [(1 - level) / 2, (1 + level) / 2])
    threshold = Estimate(value, min(float(low), value), max(float(high), value), level, "bootstrap-percentile")
    return Choice(rule, threshold, rates[0], rates[1])


def redrawn(
    labels: np.ndarray,
    scores: np.ndarray,
    choose: Callable[[np.ndarray, np.ndarray], float],
    *,
    groups: np.ndarray | None = None,
    runs: int = 200,
    rng: np.random.Generator,
) -> np.ndarray:
    """Thresholds that other samples would have chosen.

    Args:
        labels: bool (n,), True for positive.
        scores: float (n,), higher means more positive.
        choose: takes labels and scores of a resample, returns a threshold.
        groups: (n,), one name per picture; groups are drawn whole.
        runs: resamples, >= 1.
        rng: source of randomness.

    Returns:
        float (runs,).

    Raises:
        UndefinedError: there are not two of each class, or of groups.
    """
    names = np.arange(len(labels)) if groups is None else np.unique(ranks.named(groups, labels), return_inverse=True)[1]
    return np.array([choose(labels[bag], scores[bag]) for bag in _bags(labels, names, runs, rng)])


def swaying(labels: np.ndarray, scores: np.ndarray, thresholds: np.ndarray) -> tuple[float, float]:
    """How far sensitivity and specificity sway with the threshold.

    Args:
        labels: bool (n,), True for positive; some of each.
        scores: float (n,), higher means more positive.
        thresholds: float (k,), from `redrawn`.

    Returns:
        Variance of the sensitivity and of the specificity over these thresholds.
    """
    shares = (np.searchsorted(np.sort(scores[side]), thresholds, "left") / side.sum() for side in (labels, ~labels))
    up, down = (float(share.var()) for share in shares)
    return up, down


def swayed(rate: float, size: float, sway: float) -> float:
    """As how many pictures a rate is known from, whose threshold is itself in doubt.

    Args:
        rate: sensitivity or specificity, in [0, 1].
        size: independent pictures of the class, > 0.
        sway: from `swaying`.

    Returns:
        At most size.
    """
    return size / (1 + sway * size / (rate * (1 - rate))) if 0 < rate < 1 else size


def _bags(labels: np.ndarray, names: np.ndarray, runs: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Resamples of pictures by whole groups, each with both classes."""
    members = np.split(np.argsort(names, kind="stable"), np.cumsum(np.bincount(names))[:-1])
    kinds = np.array([labels[m].all() * 2 + labels[m].any() for m in members])
    # Where no group holds both classes, each class keeps its number of groups.
    mixed = (kinds == 1).any()
    pools = [np.arange(len(members))] if mixed else [np.flatnonzero(kinds == k) for k in (0, 3)]
    if min(len(pool) for pool in pools) < 2:
        raise UndefinedError(f"a choice of a cut-off needs 2 groups of each class, got {len(members)} groups")
    done = 0
    for _ in range(20 * runs):
        chosen = np.concatenate([rng.choice(pool, len(pool)) for pool in pools])
        bag = np.concatenate([members[g] for g in chosen])
        if 0 < labels[bag].sum() < len(bag):
            done += 1
            yield bag
        if done == runs:
            return
    raise UndefinedError("resamples must hold both classes, got too few that do: too few groups")


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


def counts(labels: np.ndarray, scores: np.ndarray, threshold: float) -> Counts:
    """Count the pictures of each class on each side of a threshold.

    Args:
        labels: bool (n,), True for positive.
        scores: float (n,), higher means more positive.
        threshold: scores at or above it are called positive.

    Returns:
        Counts, which sum to n.

    Raises:
        InputError: shapes differ, scores are not finite, or the threshold is not a number.
        UndefinedError: a class has no picture.

    >>> counts(np.array([0, 0, 1, 1], bool), np.array([.1, .4, .35, .8]), 0.38)
    Counts(true_positives=1, false_negatives=1, false_positives=1, true_negatives=1)
    """
    labels, scores = ranks.checked(labels, scores, what="a rate of each class")
    if math.isnan(threshold):
        raise InputError(f"threshold must be a number, got {threshold!r}")
    called = scores >= threshold
    tallies = (labels & called, labels & ~called, ~labels & called, ~labels & ~called)
    return Counts(*(int(np.count_nonzero(t)) for t in tallies))


def rates(
    labels: np.ndarray,
    scores: np.ndarray,
    threshold: float,
    *,
    level: float = 0.95,
    groups: np.ndarray | None = None,
) -> Rates:
    """Everything that is named after a confusion matrix, at a threshold.

    Args:
        labels: bool (n,), True for positive.
        scores: float (n,), higher means more positive.
        threshold: scores at or above it are called positive.
        level: coverage of each interval, in (0, 1).
        groups: (n,), one name per picture; pictures of one group are not independent.

    Returns:
        Rates, each in its range and never of zero width. Values that tell of the future are at the base rate of these
        labels: at another, see `bayes.predictive_values`.

    Raises:
        InputError: shapes differ, scores are not finite, or the threshold is not a number.
        UndefinedError: a class has no picture.

    Assumes the threshold was not chosen on these pictures.

    >>> r = rates(np.array([0, 0, 1, 1], bool), np.array([.1, .4, .35, .8]), 0.6)
    >>> r.counts.true_positives, str(r.ppv), r.f1.value
    (1, '1.000 [0.207, 1.000] (95%, wilson)', 0.6666666666666666)
    """
    tallies = counts(labels, scores, threshold)
    sensitivity, specificity = at(labels, scores, threshold, level=level, groups=groups)
    labels = ranks.binary(np.asarray(labels)).astype(int)
    calls = (np.asarray(scores, float) >= threshold).astype(int)
    npv, ppv = confusion.precision(labels, calls, classes=2, level=level, groups=groups)
    f1 = summaries.f1(labels, calls, classes=2, level=level, groups=groups)[1]
    both = 0 < calls.sum() < len(calls)
    return Rates(
        tallies,
        sensitivity,
        specificity,
        ppv,
        npv,
        confusion.accuracy(labels, calls, level=level, groups=groups),
        confusion.balanced_accuracy(labels, calls, classes=2, level=level, groups=groups),
        f1,
        summaries.mcc(labels, calls, classes=2, level=level, groups=groups) if both else None,
        agreement.kappa(labels, calls, classes=2, level=level, groups=groups),
    )
