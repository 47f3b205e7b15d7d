"""Judge: how good is a classifier on pictures it has never seen, and how sure can that be?"""

import json
from dataclasses import dataclass

import numpy as np

from ..data.collection import Collection
from ..data.workspace import Workspace, fingerprint
from ..errors import InputError, UndefinedError
from ..models import heads
from ..stats import bayes, calibration, confusion, cutoffs, planning, roc
from ..stats.intervals import Estimate
from .learn import Learned, seen

_READS = "sealed.json"


@dataclass(frozen=True, slots=True)
class Measures:
    """How good n predictions are; lists are by class, None where a class has too few pictures to say."""

    n: int
    accuracy: Estimate
    baseline: Estimate
    balanced_accuracy: Estimate
    log_loss: Estimate
    recall: list[Estimate | None]
    precision: list[Estimate | None]
    auc: list[Estimate | None]


@dataclass(frozen=True, slots=True)
class Cutoff:
    """Where a score counts as positive, what follows for sealed pictures, and what a flag then means.

    positive: a class; threshold: of its probability; rule: in words; prevalence: share of positives where the model
    is used; ppv, npv: at that prevalence, None where nothing was flagged; frequencies: the same in whole pictures out
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


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the sealed part and repeated cross-validation on the rest say.

    sealed, repeated: measures of the two; probabilities: float (t, k) of the sealed part; predictions: int (t,);
    matrix: int (k, k), rows true; curves: by class (for two classes, of the positive alone); cutoff: for two classes;
    more: sealed pictures that would halve the interval of the accuracy; reads: models that the sealed part has judged.
    """

    sealed: Measures
    repeated: Measures
    probabilities: np.ndarray
    predictions: np.ndarray
    matrix: np.ndarray
    curves: list[tuple[str, roc.Curve, roc.Band | None]]
    reliability: list[calibration.Bin]
    cutoff: Cutoff | None
    more: int
    reads: int


def judge(
    workspace: Workspace,
    pictures: Collection,
    learned: Learned,
    *,
    positive: str | None = None,
    specificity: float | None = None,
    cost_fp: float = 1.0,
    cost_fn: float = 1.0,
    prevalence: float | None = None,
    seed: int = 0,
) -> Judgement:
    """Judge a classifier on its sealed part.

    Args:
        workspace: where it is counted how often the sealed part was read.
        pictures: of the folder.
        learned: the classifier.
        positive: for two classes, the one that a flag means; the rarer by default.
        specificity: that the cut-off must reach; by default the cut-off has least cost.
        cost_fp: cost of a false alarm, in any unit.
        cost_fn: cost of a miss, in the same unit.
        prevalence: share of positives where the model will be used; as in the labels by default.
        seed: of the bootstrap for the band round the curve.

    Returns:
        The judgement.

    Raises:
        InputError: positive is no class, or prevalence, specificity or a cost is out of range.
    """
    classes = learned.classes
    if positive is not None and positive not in classes:
        raise InputError(f"--positive must be one of {', '.join(map(repr, classes[:10]))}, got {positive!r}")
    if positive is not None and len(classes) > 2:
        raise InputError(f"--positive needs 2 classes, got {len(classes)}")
    if prevalence is not None and not 0 < prevalence < 1:
        raise InputError(f"--prevalence must be between 0 and 1, got {prevalence!r}")
    rng = np.random.default_rng(seed)
    sealed = learned.sealed
    y, group = learned.label[sealed], learned.group[sealed]
    probabilities = learned.head.probabilities(heads.root(seen(pictures)[learned.used[sealed]]))
    developed = learned.label[learned.development]
    out_of_fold = learned.probabilities

    cutoff, predictions = None, probabilities.argmax(axis=1)
    if len(classes) == 2:
        which = classes.index(positive) if positive else int(np.argmin(np.bincount(learned.label, minlength=2)))
        threshold, rule = _threshold(
            developed == which, out_of_fold[..., which], specificity, cost_fp, cost_fn, prevalence
        )
        predictions = np.where(probabilities[:, which] >= threshold, which, 1 - which)
        share = prevalence if prevalence is not None else float((learned.label == which).mean())
        cutoff = _cutoff(classes[which], y == which, probabilities[:, which], threshold, rule, share, prevalence, group)
    wanted = [classes.index(cutoff.positive)] if cutoff else range(len(classes))
    measured = measure(y, probabilities[None], predictions[None], group)
    return Judgement(
        sealed=measured,
        repeated=measure(developed, out_of_fold, out_of_fold.argmax(axis=2), learned.group[learned.development]),
        probabilities=probabilities,
        predictions=predictions,
        matrix=confusion.matrix(y, predictions, classes=len(classes)),
        curves=[
            (classes[c], *_curve(y == c, probabilities[:, c], rng)) for c in wanted if 1 < (y == c).sum() < len(y) - 1
        ],
        reliability=_reliability(developed, out_of_fold.mean(axis=0)),
        cutoff=cutoff,
        more=planning.halve(measured.accuracy, len(y)),
        reads=_count(
            workspace, fingerprint([learned.head.weight, learned.head.bias, pictures.keys[learned.used[sealed]]])
        ),
    )


def measure(labels: np.ndarray, probabilities: np.ndarray, predictions: np.ndarray, groups: np.ndarray) -> Measures:
    """Measure predictions; those of several repeats of the same pictures count the pictures once.

    Args:
        labels: int (n,), class numbers.
        probabilities: float (repeats, n, k).
        predictions: int (repeats, n).
        groups: int (n,), pictures that are not independent.

    Returns:
        Measures with intervals over groups.
    """
    repeats, n, k = probabilities.shape
    y, flat, g = np.tile(labels, repeats), predictions.ravel(), np.tile(groups, repeats)
    # Distinct groups and one repeat are independent pictures: the plain interval is the right one.
    named = None if repeats == 1 and len(np.unique(groups)) == n else g
    return Measures(
        n=n,
        accuracy=confusion.accuracy(y, flat, groups=named),
        baseline=confusion.majority(labels, groups=None if named is None else groups),
        balanced_accuracy=confusion.balanced_accuracy(y, flat, classes=k, groups=named),
        log_loss=confusion.log_loss(y, probabilities.reshape(-1, k), groups=named),
        recall=confusion.recall(y, flat, classes=k, groups=named),
        precision=confusion.precision(y, flat, classes=k, groups=named),
        auc=[_auc(labels == c, probabilities[:, :, c], None if named is None else groups) for c in range(k)],
    )


def _auc(positive: np.ndarray, scores: np.ndarray, groups: np.ndarray | None) -> Estimate | None:
    try:
        return roc.auc(positive, scores, groups=groups)
    except UndefinedError:
        return None


def _threshold(
    positive: np.ndarray,
    scores: np.ndarray,
    specificity: float | None,
    cost_fp: float,
    cost_fn: float,
    prevalence: float | None,
) -> tuple[float, str]:
    """Choose a cut-off, at need on out-of-fold scores (repeats, d), and say by which rule."""
    scores = scores.mean(axis=0)
    if specificity is not None:
        rule = f"specificity of at least {specificity:g} out of fold"
        return cutoffs.cutoff(positive, scores, specificity=specificity), rule
    if cost_fp == cost_fn:
        # The probabilities are calibrated out of fold: the likelier class makes the fewest errors, and a cut-off
        # searched for on a few dozen pictures would only add its own noise.
        return 0.5, "the likelier class"
    rule = f"least cost out of fold, a miss costing {cost_fn / cost_fp:g} times a false alarm"
    return cutoffs.cutoff(positive, scores, cost_fp=cost_fp, cost_fn=cost_fn, prevalence=prevalence), rule


def _cutoff(
    name: str,
    positive: np.ndarray,
    scores: np.ndarray,
    threshold: float,
    rule: str,
    share: float,
    given: float | None,
    group: np.ndarray,
) -> Cutoff | None:
    try:
        sensitivity, specificity = cutoffs.at(positive, scores, threshold, groups=group)
    except UndefinedError:  # the sealed part has one class only
        return None
    ppv = npv = None
    try:
        values = bayes.predictive_values(sensitivity, specificity, share)
        ppv, npv = values.ppv, values.npv
    except UndefinedError:  # nothing was flagged, or everything
        pass
    frequencies = bayes.natural_frequencies(sensitivity, specificity, share)
    return Cutoff(name, threshold, rule, sensitivity, specificity, share, given is not None, ppv, npv, frequencies)


def _curve(positive: np.ndarray, scores: np.ndarray, rng: np.random.Generator) -> tuple[roc.Curve, roc.Band | None]:
    return roc.curve(positive, scores), roc.band(positive, scores, rng=rng)


def _reliability(labels: np.ndarray, probabilities: np.ndarray) -> list[calibration.Bin]:
    """Compare the probability of the likeliest class with how often it is right."""
    right = probabilities.argmax(axis=1) == labels
    return calibration.reliability(right, probabilities.max(axis=1), bins=10)


def _count(workspace: Workspace, model: str) -> int:
    """Note that a model was judged on the sealed part; return how many were."""
    models: list[str] = workspace.note(_READS, [])
    if model not in models:
        models.append(model)
        workspace.write(_READS, json.dumps(models))
    return len(models)
