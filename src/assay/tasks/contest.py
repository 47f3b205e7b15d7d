"""A contest: is one way of learning better than another, on pictures that neither has learned from?"""

import contextlib
from dataclasses import dataclass

import numpy as np

from ..errors import UndefinedError
from ..stats import compare, intervals
from ..stats.intervals import Estimate
from .learning import Learned, chances
from .tuned import Taught


@dataclass(frozen=True, slots=True)
class Contest:
    """Two ways of learning on the same pictures; differences are first minus second.

    pictures: sealed ones; first_accuracy, second_accuracy, accuracy: on those, of each and their difference; auc: the
    difference of the areas under the ROC curves, of two classes alone; out_of_fold: the difference of the accuracies
    by cross-validation on the others, in the same folds; p_value: how often chance alone would put the accuracies on
    the sealed pictures as far apart; better: the method that is shown to be better there, or None; words: the answer.
    """

    first: str
    second: str
    pictures: int
    first_accuracy: Estimate
    second_accuracy: Estimate
    accuracy: Estimate
    auc: Estimate | None
    out_of_fold: Estimate
    p_value: float
    better: str | None
    words: str


def hold(learned: Learned) -> list[Contest]:
    """Compare a classifier with each of its rivals.

    Args:
        learned: the classifier; its sealed part is read.

    Returns:
        A contest for each rival, in their order.
    """
    return [_between(learned, rival) for rival in learned.rivals]


def _between(learned: Learned, rival: Taught) -> Contest:
    sealed, first = learned.sealed, learned.taught
    y, groups = learned.label[sealed], learned.group[sealed]
    one, other = (chances(taught, taught.sees(sealed)) for taught in (first, rival))
    found = compare.accuracies(y, one.argmax(axis=1), other.argmax(axis=1))
    accuracy = _paired(y, one, other, groups, found.difference)
    auc = None
    if len(learned.classes) == 2:
        with contextlib.suppress(UndefinedError):
            auc = compare.aucs(y == 1, one[:, 1], other[:, 1], groups=groups).difference
    developed, g = learned.label[learned.development], learned.group[learned.development]
    a, b = first.logits[0], rival.logits[0]
    out = compare.accuracies(developed, a.argmax(axis=1), b.argmax(axis=1)).difference
    better = None
    if accuracy.low > 0 or accuracy.high < 0:
        better = first.method if accuracy.value > 0 else rival.method
    return Contest(
        first=first.method,
        second=rival.method,
        pictures=len(y),
        first_accuracy=found.first,
        second_accuracy=found.second,
        accuracy=accuracy,
        auc=auc,
        out_of_fold=_paired(developed, a, b, g, out),
        p_value=found.p_value,
        better=better,
        words=_words(first.method, rival.method, accuracy, len(y), better),
    )


def _paired(y: np.ndarray, one: np.ndarray, other: np.ndarray, groups: np.ndarray, plain: Estimate) -> Estimate:
    """Return the difference of two accuracies; where pictures belong together, with the interval of their groups."""
    if len(np.unique(groups)) == len(groups):
        return plain
    gain = (one.argmax(axis=1) == y).astype(float) - (other.argmax(axis=1) == y)
    grouped = intervals.mean(gain, groups=groups)
    # Pictures of a group can make an interval wider, never narrower than that of as many single ones.
    low, high = min(plain.low, grouped.low), max(plain.high, grouped.high)
    return Estimate(plain.value, max(low, -1.0), min(high, 1.0), plain.level, f"{plain.method}, groups")


def _words(first: str, second: str, gain: Estimate, pictures: int, better: str | None) -> str:
    points = f"{100 * gain.value:+.1f} points ({100 * gain.low:+.1f} to {100 * gain.high:+.1f})"
    where = f"On {pictures:,} sealed pictures the accuracy of {first} less that of {second} is {points}: "
    return where + (f"{better} is better." if better else "neither is shown to be better.")
