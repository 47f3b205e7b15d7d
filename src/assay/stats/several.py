"""Ranking of more than two classes: each class against the rest, and each pair."""

import numpy as np

from ..errors import InputError, UndefinedError
from . import roc
from .intervals import Estimate


def one_vs_rest(
    labels: np.ndarray, scores: np.ndarray, *, level: float = 0.95, groups: np.ndarray | None = None
) -> list[Estimate | None]:
    """Area under the ROC curve of each class against all others, by its own score.

    Args:
        labels: int (n,), 0..k - 1.
        scores: float (n, k), one column per class; higher means more of it.
        level: coverage of each interval, in (0, 1).
        groups: (n,), one name per picture; pictures of one group are not independent.

    Returns:
        One Estimate per class, in [0, 1]; None where a side has fewer than two pictures or groups.

    Raises:
        InputError: shapes differ, a label is no class, or scores are not finite.

    >>> scores = np.array([[0.8, 0.2], [0.6, 0.4], [0.3, 0.7], [0.1, 0.9]])
    >>> [e.value for e in one_vs_rest(np.array([0, 0, 1, 1]), scores)]
    [1.0, 1.0]
    """
    labels, scores = _checked(labels, scores)
    return [_auc(labels == c, scores[:, c], level, groups) for c in range(scores.shape[1])]


def pairwise(
    labels: np.ndarray, scores: np.ndarray, *, level: float = 0.95, groups: np.ndarray | None = None
) -> dict[tuple[int, int], Estimate | None]:
    """Area under the ROC curve of each class against each other, by the score of the first.

    Args:
        labels: int (n,), 0..k - 1.
        scores: float (n, k), one column per class; higher means more of it.
        level: coverage of each interval, in (0, 1).
        groups: (n,), one name per picture; pictures of one group are not independent.

    Returns:
        An Estimate, in [0, 1], for every ordered pair (first, second); None where a class has fewer than two pictures
        or groups. The mean of all is the M of Hand & Till, which does not depend on base rates.

    Raises:
        InputError: shapes differ, a label is no class, or scores are not finite.

    Source: Hand & Till 2001, doi:10.1023/A:1010920819831.

    >>> scores = np.array([[0.8, 0.2], [0.6, 0.4], [0.3, 0.7], [0.1, 0.9]])
    >>> {pair: e.value for pair, e in pairwise(np.array([0, 0, 1, 1]), scores).items()}
    {(0, 1): 1.0, (1, 0): 1.0}
    """
    labels, scores = _checked(labels, scores)
    found = {}
    for first in range(scores.shape[1]):
        for second in range(scores.shape[1]):
            if first != second:
                pair = (labels == first) | (labels == second)
                names = None if groups is None else np.asarray(groups)[pair]
                found[first, second] = _auc(labels[pair] == first, scores[pair, first], level, names)
    return found


def _auc(positive: np.ndarray, scores: np.ndarray, level: float, groups: np.ndarray | None) -> Estimate | None:
    try:
        return roc.auc(positive, scores, level=level, groups=groups)
    except UndefinedError:
        return None


def _checked(labels: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    labels, scores = np.asarray(labels), np.asarray(scores, float)
    if scores.ndim != 2 or scores.shape[1] < 2 or labels.shape != scores.shape[:1]:
        raise InputError(f"labels and scores must be (n,) and (n, classes >= 2), got {labels.shape} and {scores.shape}")
    if labels.size and (labels.dtype.kind not in "biu" or labels.min() < 0 or labels.max() >= scores.shape[1]):
        raise InputError(f"labels must be whole numbers in 0..{scores.shape[1] - 1}: give a column of scores per class")
    if not np.isfinite(scores).all():
        raise InputError(f"scores must be finite, got {np.count_nonzero(~np.isfinite(scores))} that are not")
    return labels, scores
