"""Sealed: how good is a classifier on pictures it has never seen, and how sure can that be?"""

import json
from dataclasses import dataclass

import numpy as np

from ..data.collection import Collection
from ..data.workspace import Workspace, fingerprint
from ..errors import InputError
from ..stats import calibration, confusion, intervals, planning, roc
from ..stats.intervals import Estimate
from .judgement import Cutoff, Measures, choose, meaning, measure, rule
from .learning import Learned, chances, seen

_READS = "sealed.json"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the sealed part and repeated cross-validation on the rest say.

    sealed, repeated: measures of the two; probabilities: float (t, k) of the sealed part; predictions: int (t,);
    matrix: int (k, k), rows true; curves: by class (for two classes, of the positive alone); cutoff: for two classes;
    refused: share of the sealed pictures, all of known kinds, that "none of these" turns away; None where there is no
    such rule; more: sealed pictures that would halve the interval of the accuracy; reads: models that the sealed part
    has judged.
    """

    sealed: Measures
    repeated: Measures
    probabilities: np.ndarray
    predictions: np.ndarray
    matrix: np.ndarray
    curves: list[tuple[str, roc.Curve, roc.Band | None]]
    reliability: list[calibration.Bin]
    cutoff: Cutoff | None
    refused: Estimate | None
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
    reads = [
        _count(workspace, fingerprint([taught.head.weight, taught.head.bias, pictures.keys[learned.used[sealed]]]))
        for taught in (learned.taught, *learned.rivals)
    ][-1]
    y, group = learned.label[sealed], learned.group[sealed]
    probabilities = chances(learned.taught, learned.taught.sees(sealed))
    developed = learned.label[learned.development]
    out_of_fold = learned.probabilities

    cutoff, predictions = None, probabilities.argmax(axis=1)
    if len(classes) == 2:
        which = classes.index(positive) if positive else int(np.argmin(np.bincount(learned.label, minlength=2)))
        threshold, words = _threshold(
            developed == which, out_of_fold[..., which], specificity, cost_fp, cost_fn, prevalence
        )
        flagged = probabilities[:, which] >= threshold
        predictions = np.where(flagged, which, 1 - which)
        share = prevalence if prevalence is not None else float((learned.label == which).mean())
        cutoff = meaning(
            classes[which], y == which, flagged, threshold=threshold, rule=words, prevalence=share,
            given=prevalence is not None, groups=group,
        )  # fmt: skip
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
        refused=_refused(learned, pictures, group),
        more=planning.halve(measured.accuracy, len(y)),
        reads=reads,
    )


def _refused(learned: Learned, pictures: Collection, groups: np.ndarray) -> Estimate | None:
    if learned.novelty is None:
        return None
    refuses = learned.novelty.refuses(seen(pictures)[learned.used[learned.sealed]])
    return intervals.proportion(refuses, len(refuses), groups=groups)


def _threshold(
    positive: np.ndarray,
    scores: np.ndarray,
    specificity: float | None,
    cost_fp: float,
    cost_fn: float,
    prevalence: float | None,
) -> tuple[float, str]:
    """Choose a cut-off, at need on out-of-fold scores (repeats, d), and say by which rule."""
    if specificity is None and cost_fp == cost_fn:
        # The probabilities are calibrated out of fold: the likelier class makes the fewest errors, and a cut-off
        # searched for on a few dozen pictures would only add its own noise.
        return 0.5, "the likelier class"
    threshold = choose(
        positive, scores.mean(axis=0), specificity=specificity, cost_fp=cost_fp, cost_fn=cost_fn, prevalence=prevalence
    )
    return threshold, rule(specificity=specificity, cost_fp=cost_fp, cost_fn=cost_fn)


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
