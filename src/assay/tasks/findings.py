"""Findings: everything that scores say about a classifier, found out once for the verdict, the page and the plots."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..errors import UndefinedError
from ..stats import bayes, calibration, confusion, cutoffs, precision_recall, roc, several, summaries
from ..stats.calibration import CalibrationBand, CalibrationError
from ..stats.intervals import Estimate
from .judgement import Cutoff, Measures, choose, in_turns, meaning, measure, rule, turns

_LARGE = 100_000  # rows: from here on a band is thinner than the line it surrounds, and resampling tells nothing new
_PARTS = 20  # of many rows, each of which chooses a cut-off for itself, in place of resamples
_POINTS = 2000  # of a curve that are kept: more cannot be drawn apart
_PAIRED = 12  # classes: of more, each against each is more than anybody reads
_FEW = 10  # of a class: below, an interval is too wide to decide anything


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything that is found out about scores.

    labels, predictions: int (n,), places in classes; positive: place of the one that a flag means, of two; matrix: int
    (k, k), rows true; figures: name, estimate and what a guess would reach; curves and recalls: by class, or of the
    positive alone; pairs: of more than two classes, each against each by the score of the first, the worst first;
    threshold: with its uncertainty, None where it was given; predictive: by base rate.
    """

    classes: tuple[str, ...]
    labels: np.ndarray
    predictions: np.ndarray
    positive: int | None
    measures: Measures
    matrix: np.ndarray
    figures: list[tuple[str, Estimate | None, float | None]]
    cutoff: Cutoff | None
    threshold: Estimate | None
    curves: list[tuple[str, roc.Curve, roc.Band | None]]
    recalls: list[tuple[str, precision_recall.Curve, Estimate]]
    bins: list[calibration.Bin]
    reliable: CalibrationBand | None
    error: CalibrationError | None
    predictive: list[tuple[float, bayes.PredictiveValues]]
    pairs: list[tuple[str, str, roc.Curve, Estimate]] = field(default_factory=list)

    @property
    def auc(self) -> Estimate | None:
        """The area under the curve, of two classes."""
        return self.measures.auc[1] if self.positive is not None else None

    @property
    def fewest(self) -> tuple[str, int]:
        """The class that has the fewest rows, and how many."""
        counts = np.bincount(self.labels, minlength=len(self.classes))
        least = int(np.where(counts > 0, counts, counts.max() + 1).argmin())
        return self.classes[least], int(counts[least])

    @property
    def too_few(self) -> bool:
        """Whether a class has so few rows that nothing can be decided."""
        return self.fewest[1] < _FEW


@dataclass(frozen=True, slots=True)
class Versus:
    """How two compare on the same rows: first minus second, in the figure named."""

    name: str
    figure: str
    first: Estimate
    second: Estimate
    difference: Estimate
    p_value: float


def find_two(
    classes: tuple[str, ...],
    labels: np.ndarray,
    scores: np.ndarray,
    *,
    positive: int,
    probable: bool,
    groups: np.ndarray | None = None,
    folds: np.ndarray | None = None,
    fixed: tuple[float, str] | None = None,
    specificity: float | None = None,
    cost_fp: float = 1.0,
    cost_fn: float = 1.0,
    prevalence: float | None = None,
    level: float = 0.95,
    rng: np.random.Generator,
) -> Findings:
    """Find out everything about scores of two classes.

    Args:
        classes: two names.
        labels: int (n,), places in classes; each class at least twice.
        scores: float (n,), or (repeats, n); higher means more positive.
        positive: place of the class that a high score means.
        probable: whether scores are probabilities.
        groups: int (n,), of rows that are not independent, or None.
        folds: int (n,), in which rows were scored together, or None; by these the cut-off is chosen in turns.
        fixed: a threshold that was chosen on other rows and by which rule, or None to choose one.
        specificity: as in `choose`.
        cost_fp: as in `choose`.
        cost_fn: as in `choose`.
        prevalence: as in `choose`.
        level: coverage of every interval.
        rng: source of randomness.

    Returns:
        The findings.

    Raises:
        UndefinedError: a class has fewer than two rows.
    """
    is_positive = labels == positive
    one = scores if scores.ndim == 1 else scores.mean(axis=0)
    options: dict[str, Any] = {
        "specificity": specificity,
        "cost_fp": cost_fp,
        "cost_fn": cost_fn,
        "prevalence": prevalence,
    }
    sway, known = None, None
    if fixed is not None:
        threshold, why = fixed
        flagged = one >= threshold
    else:
        threshold = choose(is_positive, one, **options)
        why = rule(specificity=specificity, cost_fp=cost_fp, cost_fn=cost_fn)
        flagged = in_turns(is_positive, one, turns(labels, groups, folds, rng=rng), options)
        moved, due = _moved(is_positive, one, options, groups, rng)
        if moved.size:
            up, down = cutoffs.swaying(is_positive, one, moved)
            sway = up * due, down * due
        if moved.size and due == 1:
            low, high = np.quantile(moved, [(1 - level) / 2, (1 + level) / 2])
            known = Estimate(threshold, min(float(low), threshold), max(float(high), threshold), level, "percentile")
    predictions = np.where(flagged, positive, 1 - positive)
    stacked = np.atleast_2d(scores)
    both = np.stack([1 - stacked, stacked] if positive else [stacked, 1 - stacked], axis=2)
    measures = measure(
        labels, both, predictions[None].repeat(len(both), axis=0), groups, level=level, probable=probable
    )
    share = prevalence if prevalence is not None else float(is_positive.mean())
    cutoff = meaning(
        classes[positive], is_positive, flagged, threshold=threshold, rule=why, prevalence=share,
        given=prevalence is not None, groups=groups, level=level, sway=sway,
    )  # fmt: skip
    small = len(labels) <= _LARGE
    average = precision_recall.average_precision(is_positive, one, level=level, groups=groups)
    band = roc.band(is_positive, one, level=level, groups=groups, rng=rng) if small else None
    findings = Findings(
        classes=classes,
        labels=labels,
        predictions=predictions,
        positive=positive,
        measures=measures,
        matrix=confusion.matrix(labels, predictions, classes=2),
        figures=[],
        cutoff=cutoff,
        threshold=known,
        curves=[(classes[positive], _thin(roc.curve(is_positive, one)), band)],
        recalls=[(classes[positive], _thin_recall(precision_recall.curve(is_positive, one)), average)],
        bins=calibration.reliability(is_positive, one, bins=10, level=level) if probable else [],
        reliable=calibration.band(is_positive, one, level=level) if probable and small else None,
        error=calibration.ece(is_positive, one, level=level, rng=rng) if probable and small else None,
        predictive=_predictive(cutoff, level),
    )
    findings.figures.extend(_figures(findings, average, is_positive, one if probable else None, groups, level))
    return findings


def find_many(
    classes: tuple[str, ...],
    labels: np.ndarray,
    scores: np.ndarray,
    *,
    probable: bool,
    groups: np.ndarray | None = None,
    level: float = 0.95,
    rng: np.random.Generator,
) -> Findings:
    """Find out everything about scores of several classes.

    Args:
        classes: k names.
        labels: int (n,), places in classes.
        scores: float (n, k), or (repeats, n, k).
        probable: whether scores are probabilities.
        groups: int (n,), of rows that are not independent, or None.
        level: coverage of every interval.
        rng: source of randomness.

    Returns:
        The findings.
    """
    stacked = scores if scores.ndim == 3 else scores[None]
    one = stacked.mean(axis=0)
    predictions = one.argmax(axis=1)
    each = stacked.argmax(axis=2) if len(stacked) > 1 else predictions[None]
    measures = measure(labels, stacked, each, groups, level=level, probable=probable)
    k, small = len(classes), len(labels) <= _LARGE
    curves: list[tuple[str, roc.Curve, roc.Band | None]] = []
    recalls = []
    for c in range(k):
        mine = labels == c
        if 1 < mine.sum() < len(labels) - 1:
            band = roc.band(mine, one[:, c], level=level, groups=groups, rng=rng) if small else None
            curves.append((classes[c], _thin(roc.curve(mine, one[:, c])), band))
            average = precision_recall.average_precision(mine, one[:, c], level=level, groups=groups)
            recalls.append((classes[c], _thin_recall(precision_recall.curve(mine, one[:, c])), average))
    right, sure = predictions == labels, one.max(axis=1)
    figures: list[tuple[str, Estimate | None, float | None]] = [
        ("Accuracy", measures.accuracy, measures.baseline.value),
        ("Balanced accuracy", measures.balanced_accuracy, 1 / k),
        ("Macro F1", summaries.macro_f1(labels, predictions, classes=k, level=level, groups=groups), None),
    ]
    if probable:
        figures.append(("Log loss (nats)", measures.log_loss, None))
    return Findings(
        classes=classes,
        labels=labels,
        predictions=predictions,
        positive=None,
        measures=measures,
        matrix=confusion.matrix(labels, predictions, classes=k),
        figures=figures,
        cutoff=None,
        threshold=None,
        curves=curves,
        recalls=recalls,
        bins=calibration.reliability(right, sure, bins=10, level=level) if probable else [],
        reliable=calibration.band(right, sure, level=level) if probable and small else None,
        error=calibration.ece(right, sure, level=level, rng=rng) if probable and small else None,
        predictive=[],
        pairs=_pairs(classes, labels, one, groups, level) if k <= _PAIRED else [],
    )


def _pairs(
    classes: tuple[str, ...], labels: np.ndarray, scores: np.ndarray, groups: np.ndarray | None, level: float
) -> list[tuple[str, str, roc.Curve, Estimate]]:
    """Each class against each, the worst first; those that are too few to say are left out."""
    found = []
    for (i, j), estimate in several.pairwise(labels, scores, level=level, groups=groups).items():
        if estimate is not None:
            both = (labels == i) | (labels == j)
            drawn = _thin(roc.curve(labels[both] == i, scores[both, i]))
            found.append((classes[i], classes[j], drawn, estimate))
    return sorted(found, key=lambda pair: pair[3].value)


def _moved(
    positive: np.ndarray,
    scores: np.ndarray,
    options: dict[str, Any],
    groups: np.ndarray | None,
    rng: np.random.Generator,
) -> tuple[np.ndarray, float]:
    """Cut-offs that other rows would have chosen, and what of their variance is due to as many rows as there are."""

    def chosen(labels: np.ndarray, values: np.ndarray) -> float:
        return choose(labels, values, **options)

    if len(scores) <= _LARGE:
        try:
            return cutoffs.redrawn(positive, scores, chosen, groups=groups, rng=rng), 1.0
        except UndefinedError:  # a class lies in one group
            return np.empty(0), 1.0
    own = np.arange(len(scores)) if groups is None else np.unique(groups, return_inverse=True)[1]
    part = rng.integers(_PARTS, size=int(own.max()) + 1)[own]
    inside = [part == i for i in range(_PARTS)]
    parts = [chosen(positive[i], scores[i]) for i in inside if 0 < positive[i].sum() < i.sum()]
    # The threshold with the greatest sum settles with the cube root of the rows only, others with their square root.
    return np.array(parts), _PARTS ** (-2 / 3)


def _predictive(cutoff: Cutoff | None, level: float) -> list[tuple[float, bayes.PredictiveValues]]:
    if cutoff is None or cutoff.ppv is None:
        return []
    rarest = min(0.001, cutoff.prevalence / 3)
    grid = np.geomspace(rarest, 0.9, 60)
    return [
        (float(p), bayes.predictive_values(cutoff.sensitivity, cutoff.specificity, float(p), level=level)) for p in grid
    ]


def _figures(
    findings: Findings,
    average: Estimate,
    positive: np.ndarray,
    probabilities: np.ndarray | None,
    groups: np.ndarray | None,
    level: float,
) -> Sequence[tuple[str, Estimate | None, float | None]]:
    """The table of two classes, with what a guess would reach."""
    measures, cutoff, share = findings.measures, findings.cutoff, float(positive.mean())
    rows: list[tuple[str, Estimate | None, float | None]] = [
        ("AUC", findings.auc, 0.5),
        ("Average precision", average, share),
    ]
    if cutoff is not None:
        rows += [
            ("Sensitivity", cutoff.sensitivity, None),
            ("Specificity", cutoff.specificity, None),
            ("PPV at the base rate", cutoff.ppv, cutoff.prevalence),
            ("NPV at the base rate", cutoff.npv, 1 - cutoff.prevalence),
        ]
    y = positive.astype(int)
    flagged = (findings.predictions == findings.positive).astype(int)
    f1 = summaries.f1(y, flagged, classes=2, level=level, groups=groups)[1]
    rows += [
        ("Accuracy", measures.accuracy, measures.baseline.value),
        ("Balanced accuracy", measures.balanced_accuracy, 0.5),
        ("F1", f1, None),
        ("Matthews correlation", _mcc(y, flagged, level, groups), None),
    ]
    if probabilities is not None:
        rows += [
            ("Brier score", calibration.brier(positive, probabilities, level=level).score, share * (1 - share)),
            ("Log loss (nats)", measures.log_loss, None),
        ]
    return rows


def _mcc(labels: np.ndarray, flagged: np.ndarray, level: float, groups: np.ndarray | None) -> Estimate | None:
    try:
        return summaries.mcc(labels, flagged, classes=2, level=level, groups=groups)
    except UndefinedError:
        return None


def _thin(curve: roc.Curve) -> roc.Curve:
    """Keep as many points of a curve as can be told apart in a drawing."""
    kept = _spread(curve.false_positive_rate + curve.sensitivity)
    return roc.Curve(curve.false_positive_rate[kept], curve.sensitivity[kept], curve.thresholds[kept])


def _thin_recall(curve: precision_recall.Curve) -> precision_recall.Curve:
    kept = _spread(curve.recall)
    return precision_recall.Curve(curve.recall[kept], curve.precision[kept], curve.thresholds[kept])


def _spread(along: np.ndarray) -> np.ndarray:
    """Indices of points that are spread evenly along what rises or falls; all of them where they are few."""
    if len(along) <= _POINTS:
        return np.arange(len(along))
    rising = along if along[-1] >= along[0] else -along
    places = np.searchsorted(rising, np.linspace(rising[0], rising[-1], _POINTS))
    return np.unique(np.concatenate([[0], places.clip(0, len(along) - 1), [len(along) - 1]]))
