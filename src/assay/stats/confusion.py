"""Right and wrong by class: labels and predictions in, counts and estimates out.

Labels and predictions are class numbers 0..classes - 1; nothing here knows their names.
"""

import math

import numpy as np

from ..errors import InputError, UndefinedError
from .intervals import Estimate, mean, on_log_scale, proportion


def matrix(labels: np.ndarray, predictions: np.ndarray, *, classes: int) -> np.ndarray:
    """Confusion matrix.

    Args:
        labels: int (n,), 0..classes - 1.
        predictions: int (n,), likewise.
        classes: number of classes, >= 2.

    Returns:
        int (classes, classes): rows are labels, columns predictions; sums to n.

    Raises:
        InputError: shapes differ, or a number is not a class.

    >>> matrix(np.array([0, 0, 1]), np.array([0, 1, 1]), classes=2)
    array([[1, 1],
           [0, 1]])
    """
    labels, predictions = _pair(labels, predictions, classes)
    return np.bincount(labels * classes + predictions, minlength=classes**2).reshape(classes, classes)


def accuracy(
    labels: np.ndarray, predictions: np.ndarray, *, level: float = 0.95, groups: np.ndarray | None = None
) -> Estimate:
    """Share of pictures whose prediction is right.

    Args:
        labels: int (n,), class numbers.
        predictions: int (n,), likewise.
        level: coverage of the interval, in (0, 1).
        groups: (n,), one name per picture; pictures of one group are not independent.

    Returns:
        Estimate, in [0, 1]: Wilson's interval, over groups where they are given.

    Raises:
        InputError: shapes differ, or a number is not a class.
        UndefinedError: there is no picture.

    >>> print(accuracy(np.array([0, 1, 1, 0]), np.array([0, 1, 1, 1])))
    0.750 [0.301, 0.954] (95%, wilson)
    """
    labels, predictions = _pair(labels, predictions, None)
    return proportion(labels == predictions, len(labels), level=level, groups=_grouping(groups, labels))


def recall(
    labels: np.ndarray,
    predictions: np.ndarray,
    *,
    classes: int,
    level: float = 0.95,
    groups: np.ndarray | None = None,
) -> list[Estimate | None]:
    """Of the pictures of each class, the share that was recognised.

    Args:
        labels: int (n,), 0..classes - 1.
        predictions: int (n,), likewise.
        classes: number of classes, >= 2.
        level: coverage of each interval, in (0, 1).
        groups: (n,), one name per picture; pictures of one group are not independent.

    Returns:
        One Estimate per class, in [0, 1]; None where the class has no picture.

    Raises:
        InputError: shapes differ, or a number is not a class.

    >>> [str(e) for e in recall(np.array([0, 0, 1]), np.array([0, 1, 1]), classes=3)]
    ['0.500 [0.095, 0.905] (95%, wilson)', '1.000 [0.207, 1.000] (95%, wilson)', 'None']
    """
    labels, predictions = _pair(labels, predictions, classes)
    return _by_class(labels, labels == predictions, classes, level, _grouping(groups, labels))


def precision(
    labels: np.ndarray,
    predictions: np.ndarray,
    *,
    classes: int,
    level: float = 0.95,
    groups: np.ndarray | None = None,
) -> list[Estimate | None]:
    """Of the pictures predicted as each class, the share that is of it.

    Args:
        labels: int (n,), 0..classes - 1.
        predictions: int (n,), likewise.
        classes: number of classes, >= 2.
        level: coverage of each interval, in (0, 1).
        groups: (n,), one name per picture; pictures of one group are not independent.

    Returns:
        One Estimate per class, in [0, 1], at the base rates of these labels (`bayes.predictive_values`
        gives it at others); None where the class was never predicted.

    Raises:
        InputError: shapes differ, or a number is not a class.

    >>> [str(e) for e in precision(np.array([0, 0, 1]), np.array([0, 1, 1]), classes=3)]
    ['1.000 [0.207, 1.000] (95%, wilson)', '0.500 [0.095, 0.905] (95%, wilson)', 'None']
    """
    labels, predictions = _pair(labels, predictions, classes)
    return _by_class(predictions, labels == predictions, classes, level, _grouping(groups, labels))


def balanced_accuracy(
    labels: np.ndarray,
    predictions: np.ndarray,
    *,
    classes: int,
    level: float = 0.95,
    groups: np.ndarray | None = None,
) -> Estimate:
    """Mean of the recalls: what accuracy would be were all classes equally frequent.

    Args:
        labels: int (n,), 0..classes - 1.
        predictions: int (n,), likewise.
        classes: number of classes, >= 2; those without a picture are left out.
        level: coverage of the interval, in (0, 1).
        groups: (n,), one name per picture; a group may hold pictures of several classes.

    Returns:
        Estimate, in [0, 1], never of zero width.

    Raises:
        InputError: shapes differ, or a number is not a class.
        UndefinedError: there is no picture.

    Assumes pictures, or groups, are independent.

    Source: each side joins the distances from the recalls to their Wilson limits by squares ("MOVER",
    Zou & Donner 2008, doi:10.1002/sim.3095); recalls of shared groups count as correlated as their errors are.

    >>> print(balanced_accuracy(np.array([0, 0, 0, 0, 1, 1]), np.array([0, 0, 0, 1, 1, 1]), classes=2))
    0.875 [0.477, 0.977] (95%, mover-wilson)
    """
    labels, predictions = _pair(labels, predictions, classes)
    groups = _grouping(groups, labels)
    parts = [e for e in _by_class(labels, labels == predictions, classes, level, groups) if e is not None]
    if not parts:
        raise UndefinedError("balanced accuracy needs 1 row, got 0")
    value = float(np.mean([e.value for e in parts]))
    together = np.eye(len(parts)) if groups is None else _shared_errors(labels, labels == predictions, groups)
    sides = np.array([[e.value - e.low, e.high - e.value] for e in parts]).T
    down, up = (math.sqrt(side @ together @ side) / len(parts) for side in sides)
    # The squares cannot pass the ends; rounding could.
    return Estimate(value, max(value - down, 0.0), min(value + up, 1.0), level, "mover-wilson")


def majority(labels: np.ndarray, *, level: float = 0.95, groups: np.ndarray | None = None) -> Estimate:
    """Accuracy of always answering the most frequent class: the baseline to beat.

    Args:
        labels: int (n,), class numbers.
        level: coverage of the interval, in (0, 1).
        groups: (n,), one name per picture; pictures of one group are not independent.

    Returns:
        Estimate, in [0, 1].

    Raises:
        InputError: labels are not (n,) class numbers.
        UndefinedError: there is no picture.

    >>> print(majority(np.array([0, 1, 1, 2])))
    0.500 [0.150, 0.850] (95%, wilson)
    """
    labels, _ = _pair(labels, labels, None)
    most = np.bincount(labels).argmax() if labels.size else 0
    return proportion(labels == most, len(labels), level=level, groups=_grouping(groups, labels))


def log_loss(
    labels: np.ndarray, probabilities: np.ndarray, *, level: float = 0.95, groups: np.ndarray | None = None
) -> Estimate:
    """Mean surprise at the right class, in nats: 0 is certain and right, log(classes) is a blind guess.

    Args:
        labels: int (n,), 0..classes - 1.
        probabilities: float (n, classes), rows sum to 1.
        level: coverage of the interval, in (0, 1).
        groups: (n,), one name per picture; pictures of one group are not independent.

    Returns:
        Estimate, > 0: Student's interval carried to the log scale, where it cannot fall below 0.

    Raises:
        InputError: shapes differ, a number is not a class, or a row is not a distribution.
        UndefinedError: there are fewer than 2 pictures, or 2 groups.

    Assumes the worst surprises are among these pictures: a model that is wrong once in a thousand, and then
    certain, shows it only in thousands. Probabilities are kept a rounding error away from 0 and 1.

    >>> print(log_loss(np.array([0, 1, 1]), np.array([[0.9, 0.1], [0.2, 0.8], [0.5, 0.5]])))
    0.341 [0.035, 3.291] (95%, t-log, optimistic here)
    """
    probabilities = np.asarray(probabilities, float)
    if probabilities.ndim != 2:
        raise InputError(f"probabilities must be (n, classes), got {probabilities.shape}")
    labels, _ = _pair(labels, labels, probabilities.shape[1])
    if len(labels) != len(probabilities):
        raise InputError(f"labels and probabilities must be as many, got {len(labels)} and {len(probabilities)}")
    sums = probabilities.sum(axis=1)
    if not ((probabilities >= 0).all() and np.allclose(sums, 1, atol=1e-4, rtol=0)):
        raise InputError("each row of probabilities must be >= 0 and sum to 1: divide rows by their sums")
    tiny = np.finfo(float).eps
    losses = -np.log(np.clip(probabilities[np.arange(len(labels)), labels], tiny, 1 - tiny))
    return on_log_scale(mean(losses, level=level, groups=_grouping(groups, labels)))


def _pair(labels: np.ndarray, predictions: np.ndarray, classes: int | None) -> tuple[np.ndarray, np.ndarray]:
    """Both as int (n,), checked."""
    pair = np.asarray(labels), np.asarray(predictions)
    if pair[0].shape != pair[1].shape or pair[0].ndim != 1:
        raise InputError(f"labels and predictions must be (n,), got {pair[0].shape} and {pair[1].shape}")
    if classes is not None and classes < 2:
        raise InputError(f"classes must be >= 2, got {classes!r}")
    for name, given in zip(("labels", "predictions"), pair, strict=True):
        if given.size and given.dtype.kind not in "biu":
            raise InputError(f"{name} must be class numbers, got dtype {given.dtype}")
        if given.size and (given.min() < 0 or (classes is not None and given.max() >= classes)):
            allowed = ">= 0" if classes is None else f"in 0..{classes - 1}"
            raise InputError(f"{name} must be {allowed}, got {given.min()}..{given.max()}")
    return pair[0].astype(int), pair[1].astype(int)


def _grouping(groups: np.ndarray | None, labels: np.ndarray) -> np.ndarray | None:
    if groups is None:
        return None
    groups = np.asarray(groups)
    if groups.shape != labels.shape:
        raise InputError(f"groups must be {labels.shape}, got {groups.shape}")
    return groups


def _by_class(
    chosen: np.ndarray, hits: np.ndarray, classes: int, level: float, groups: np.ndarray | None
) -> list[Estimate | None]:
    """Share of hits among the pictures of each chosen class."""
    found: list[Estimate | None] = []
    for mask in (chosen == c for c in range(classes)):
        names = None if groups is None else groups[mask]
        found.append(proportion(hits[mask], mask.sum(), level=level, groups=names) if mask.any() else None)
    return found


def _shared_errors(labels: np.ndarray, hits: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Correlation between the recalls of the classes that occur, from the groups they share."""
    codes, present = np.unique(groups, return_inverse=True)[1], np.unique(labels)
    counts = np.array([np.bincount(codes[labels == c], minlength=codes.max() + 1) for c in present])
    rights = np.array([np.bincount(codes, hits & (labels == c)) for c in present])
    residuals = rights - counts * (rights.sum(axis=1) / counts.sum(axis=1))[:, None]
    covariance = residuals @ residuals.T
    scale = np.sqrt(np.outer(covariance.diagonal(), covariance.diagonal()))
    # A class without an error shows no correlation: where groups are shared, take the worst.
    worst = ((counts > 0).astype(int) @ (counts > 0).astype(int).T > 0).astype(float)
    together: np.ndarray = np.where(scale > 0, np.clip(covariance, 0, None) / np.where(scale > 0, scale, 1), worst)
    return together
