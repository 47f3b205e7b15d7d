"""Judgement: the core that every judging task shares. Labels, scores and what mistakes cost go in; figures come out.

What is chosen here, a cut-off, is never measured on the rows that it was chosen on.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..data import splits
from ..errors import InputError, UndefinedError
from ..stats import bayes, confusion, cutoffs, intervals, roc
from ..stats.intervals import Estimate

_TANGLED = 20_000  # groups: dealing more of them one by one takes longer than it evens out
_FOLDS = 10
_PLENTY = 200_000  # rows: of half of as many the same cut-off is chosen as of nine tenths, and five times sooner


@dataclass(frozen=True, slots=True)
class Measures:
    """How good n predictions are; lists are by class, None where a class has too few to say.

    log_loss: None where scores are no probabilities.
    """

    n: int
    accuracy: Estimate
    baseline: Estimate
    balanced_accuracy: Estimate
    log_loss: Estimate | None
    recall: list[Estimate | None]
    precision: list[Estimate | None]
    auc: list[Estimate | None]


@dataclass(frozen=True, slots=True)
class Cutoff:
    """Where a score counts as positive, what follows for rows it was not chosen on, and what a flag then means.

    positive: a class; threshold: of its score; rule: in words; prevalence: share of positives where the model
    is used; ppv, npv: at that prevalence, None where nothing was flagged; frequencies: the same in whole numbers out
    of 1,000.
    """

    positive: str
    threshold: float
    rule: str
    sensitivity: Estimate
    specificity: Estimate
    prevalence: float
    prevalence_given: bool
    ppv: Estimate | None
    npv: Estimate | None
    frequencies: bayes.NaturalFrequencies


def check(
    *,
    specificity: float | None,
    cost_fp: float,
    cost_fn: float,
    prevalence: float | None,
    level: float = 0.95,
    seed: int,
) -> None:
    """Refuse what no cut-off could honour before hours of work, not after.

    Args:
        specificity: share of negatives that the cut-off must pass, or None.
        cost_fp: cost of a false alarm.
        cost_fn: cost of a miss.
        prevalence: share of positives where the model will be used, or None.
        level: coverage of every interval.
        seed: of everything random.

    Raises:
        InputError: one of them is out of range.
    """
    for name, value in (("--specificity", specificity), ("--prevalence", prevalence), ("--level", level)):
        if value is not None and not 0 < value < 1:
            raise InputError(f"{name} must be between 0 and 1, got {value!r}")
    for name, cost in (("--cost-fp", cost_fp), ("--cost-fn", cost_fn)):
        if not (np.isfinite(cost) and cost > 0):
            raise InputError(f"{name} must be a number above 0, got {cost!r}")
    if seed < 0:
        raise InputError(f"--seed must be >= 0, got {seed!r}")


def measure(
    labels: np.ndarray,
    scores: np.ndarray,
    predictions: np.ndarray,
    groups: np.ndarray | None,
    *,
    level: float = 0.95,
    probable: bool = True,
) -> Measures:
    """Measure predictions; those of several repeats of the same rows count the rows once.

    Args:
        labels: int (n,), class numbers.
        scores: float (repeats, n, k).
        predictions: int (repeats, n).
        groups: int (n,), of rows that are not independent, or None.
        level: coverage of every interval.
        probable: whether scores are probabilities; only then there is a log loss.

    Returns:
        Measures with intervals over groups.
    """
    repeats, n, k = scores.shape
    y, flat = np.tile(labels, repeats), predictions.ravel()
    own = np.arange(n) if groups is None else groups
    # Distinct groups and one repeat are independent rows: the plain interval is the right one.
    plain = repeats == 1 and (groups is None or len(np.unique(groups)) == n)
    named, once = (None, None) if plain else (np.tile(own, repeats), own)
    loss = None
    if probable and n > 1:
        loss = confusion.log_loss(y, scores.reshape(-1, k), level=level, groups=named)
    if k == 2:  # the other class loses every pair that this one wins
        aucs = [_auc(labels == 1, scores[:, :, 1], once, level)] * 2
    else:
        aucs = [_auc(labels == c, scores[:, :, c], once, level) for c in range(k)]
    return Measures(
        n=n,
        accuracy=confusion.accuracy(y, flat, level=level, groups=named),
        baseline=confusion.majority(labels, level=level, groups=once),
        balanced_accuracy=confusion.balanced_accuracy(y, flat, classes=k, level=level, groups=named),
        log_loss=loss,
        recall=confusion.recall(y, flat, classes=k, level=level, groups=named),
        precision=confusion.precision(y, flat, classes=k, level=level, groups=named),
        auc=aucs,
    )


def choose(
    positive: np.ndarray,
    scores: np.ndarray,
    *,
    specificity: float | None,
    cost_fp: float,
    cost_fn: float,
    prevalence: float | None,
) -> float:
    """Choose a cut-off: by a specificity, else by costs that differ, else where both classes fare best together.

    Args:
        positive: bool (n,).
        scores: float (n,).
        specificity: share of negatives that must pass, or None.
        cost_fp: cost of a false alarm.
        cost_fn: cost of a miss.
        prevalence: share of positives where the cut-off will be used, or None for that of these rows.

    Returns:
        The threshold at or above which a row is flagged.
    """
    if specificity is not None:
        return cutoffs.cutoff(positive, scores, specificity=specificity)
    if cost_fp == cost_fn:  # Youden's rule: what costs would be were both classes equally frequent
        return cutoffs.cutoff(positive, scores, prevalence=0.5)
    return cutoffs.cutoff(positive, scores, cost_fp=cost_fp, cost_fn=cost_fn, prevalence=prevalence)


def rule(*, specificity: float | None, cost_fp: float, cost_fn: float) -> str:
    """Say by which rule `choose` chooses.

    Args:
        specificity: as in `choose`.
        cost_fp: as in `choose`.
        cost_fn: as in `choose`.

    Returns:
        A few words.
    """
    if specificity is not None:
        return f"specificity of at least {specificity:g} out of fold"
    if cost_fp == cost_fn:
        return "the greatest sum of sensitivity and specificity out of fold"
    return f"least cost out of fold, a miss costing {cost_fn / cost_fp:g} times a false alarm"


def meaning(
    name: str,
    positive: np.ndarray,
    flagged: np.ndarray,
    *,
    threshold: float,
    rule: str,
    prevalence: float,
    given: bool,
    groups: np.ndarray | None,
    level: float = 0.95,
    sway: tuple[float, float] | None = None,
) -> Cutoff | None:
    """Say what a cut-off is worth, and what a flag means at a base rate.

    Args:
        name: of the class that a flag means.
        positive: bool (n,), truly of that class.
        flagged: bool (n,), by a cut-off that was not chosen on the row.
        threshold: the cut-off that will be used.
        rule: by which it was chosen, in words.
        prevalence: share of positives where it will be used.
        given: whether the user said so.
        groups: int (n,), of rows that are not independent, or None.
        level: coverage of every interval.
        sway: variance of sensitivity and specificity as other samples would have moved the threshold, where the rows
            chose it in turns; None where others chose it.

    Returns:
        The cut-off; None where one of the classes has no row.
    """
    try:
        sensitivity, specificity = cutoffs.at(positive, flagged.astype(float), 0.5, groups=groups, level=level)
    except UndefinedError:
        return None
    if sway is not None:
        sensitivity, specificity = (_doubted(e, s) for e, s in zip((sensitivity, specificity), sway, strict=True))
    ppv = npv = None
    try:
        values = bayes.predictive_values(sensitivity, specificity, prevalence, level=level)
        ppv, npv = values.ppv, values.npv
    except UndefinedError:  # nothing was flagged, or everything
        pass
    frequencies = bayes.natural_frequencies(sensitivity, specificity, prevalence)
    return Cutoff(name, threshold, rule, sensitivity, specificity, prevalence, given, ppv, npv, frequencies)


def _doubted(rate: Estimate, sway: float) -> Estimate:
    """A rate with the doubt about its threshold in its limits."""
    size = cutoffs.swayed(rate.value, intervals.worth(rate), sway)
    low, high = intervals.limits(rate.value, size, level=rate.level, method="clopper-pearson")
    return Estimate(rate.value, low, high, rate.level, "exact-out-of-fold")


def _auc(positive: np.ndarray, scores: np.ndarray, groups: np.ndarray | None, level: float) -> Estimate | None:
    try:
        return roc.auc(positive, scores, groups=groups, level=level)
    except UndefinedError:
        return None


def turns(
    labels: np.ndarray, groups: np.ndarray | None, folds: np.ndarray | None, *, rng: np.random.Generator
) -> np.ndarray:
    """Deal rows into folds in whose turns a cut-off is chosen.

    Args:
        labels: int (n,), class numbers.
        groups: int (n,), of rows that stay together, or None.
        folds: int (n,), in which rows were scored together, or None; they are kept where each leaves every class
            outside itself.
        rng: source of randomness.

    Returns:
        int (n,); a single fold where a class lies in one group.
    """
    if folds is not None:
        counts = np.zeros((int(folds.max()) + 1, int(labels.max()) + 1), int)
        np.add.at(counts, (folds, labels), 1)
        if (counts.sum(axis=0) > counts).all():
            return folds
    count = _FOLDS if len(labels) <= _PLENTY else 2
    if groups is None:
        # Each class is dealt out in a random order: as even as it can be, without a loop over rows.
        dealt = np.empty(len(labels), int)
        for c in np.unique(labels):
            mine = np.flatnonzero(labels == c)
            dealt[rng.permutation(mine)] = np.arange(len(mine)) % count
        return dealt
    codes = np.unique(groups, return_inverse=True)[1]
    if codes.max() < _TANGLED:
        try:
            return splits.folds(labels, codes, count=count, rng=rng)
        except UndefinedError:  # a class lies in one group: nothing could be chosen without it
            return np.zeros(len(labels), int)
    return rng.integers(count, size=int(codes.max()) + 1)[codes]


def in_turns(positive: np.ndarray, scores: np.ndarray, folds: np.ndarray, options: dict[str, Any]) -> np.ndarray:
    """Flag the rows of each fold by a cut-off chosen on all the others.

    Args:
        positive: bool (n,).
        scores: float (n,).
        folds: int (n,), from `turns`.
        options: of `choose`.

    Returns:
        bool (n,).
    """
    flagged = np.zeros(len(scores), bool)
    numbers = np.unique(folds)
    for fold in numbers:
        here = folds == fold
        others = ~here if len(numbers) > 1 else here
        threshold = choose(positive[others], scores[others], **options)
        flagged[here] = scores[here] >= threshold
    return flagged
