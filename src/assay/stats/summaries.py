"""One number for a whole confusion matrix: labels and predictions in, F1, precision and correlation out.

Labels and predictions are class numbers 0..classes - 1. The rates of single classes are in `confusion`.
"""

import math
from collections.abc import Callable

import numpy as np

from ..errors import InputError, UndefinedError
from . import confusion
from .intervals import Estimate, clustered, effective, proportion, quantile

# From shares of a confusion matrix (k, k): the measure, and how it rises with each share.
Measure = Callable[[np.ndarray], tuple[float, np.ndarray]]


def f1(
    labels: np.ndarray,
    predictions: np.ndarray,
    *,
    classes: int,
    level: float = 0.95,
    groups: np.ndarray | None = None,
) -> list[Estimate | None]:
    """F1 of each class: the harmonic mean of its precision and its recall.

    F1 is 2 j / (1 + j), where j is the share of hits among the pictures that are of the class or are called so: a
    plain proportion, whose interval is carried over.

    Args:
        labels: int (n,), 0..classes - 1.
        predictions: int (n,), likewise.
        classes: number of classes, >= 2.
        level: coverage of each interval, in (0, 1).
        groups: (n,), one name per picture; pictures of one group are not independent.

    Returns:
        One Estimate per class, in [0, 1], never of zero width; None where no picture is of the class or called so.

    Raises:
        InputError: shapes differ, or a number is not a class.

    Assumes pictures, or groups, are independent.

    >>> [str(e) for e in f1(np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1]), classes=3)]
    ['0.667 [0.173, 0.950] (95%, wilson)', '0.800 [0.344, 0.968] (95%, wilson)', 'None']
    """
    return _by_class(labels, predictions, classes, level, groups, "wilson")


def macro_f1(
    labels: np.ndarray,
    predictions: np.ndarray,
    *,
    classes: int,
    level: float = 0.95,
    groups: np.ndarray | None = None,
) -> Estimate:
    """Mean of the F1 of all classes that occur.

    Args:
        labels: int (n,), 0..classes - 1.
        predictions: int (n,), likewise.
        classes: number of classes, >= 2; those that no picture is of or called are left out.
        level: coverage of the interval, in (0, 1).
        groups: (n,), one name per picture; pictures of one group are not independent.

    Returns:
        Estimate, in [0, 1], never of zero width.

    Raises:
        InputError: shapes differ, or a number is not a class.
        UndefinedError: there is no picture.

    Assumes pictures, or groups, are independent.

    Source: distances from each F1 to its Clopper-Pearson limits, joined by squares ("MOVER", Zou & Donner 2008,
    doi:10.1002/sim.3095) with the correlation of their delta method; that of two classes without error is 1.

    >>> print(macro_f1(np.array([0, 1, 2, 0, 1, 2]), np.array([0, 2, 1, 0, 0, 1]), classes=3))
    0.267 [0.057, 0.859] (95%, mover-clopper-pearson)
    """
    labels, predictions = np.asarray(labels), np.asarray(predictions)
    counts = confusion.matrix(labels, predictions, classes=classes)
    method = "clopper-pearson" if groups is None else "wilson"
    parts = _by_class(labels, predictions, classes, level, groups, method)
    known = [(c, e) for c, e in enumerate(parts) if e is not None]
    if not known:
        raise UndefinedError("macro F1 needs 1 row, got 0")
    pulls = []  # how the F1 of each class moves with each picture
    for c, e in known:
        of, called = labels == c, predictions == c
        held = counts[c].sum() + counts[:, c].sum()
        pulls.append((2.0 * (of & called) - e.value * (of * 1.0 + called)) / held)
    return _mean([e for _, e in known], np.array(pulls), groups, level)


def macro_precision(
    labels: np.ndarray,
    predictions: np.ndarray,
    *,
    classes: int,
    level: float = 0.95,
    groups: np.ndarray | None = None,
) -> Estimate:
    """Mean of the precision of all classes that were predicted. Its twin, the mean recall, is balanced accuracy.

    Args:
        labels: int (n,), 0..classes - 1.
        predictions: int (n,), likewise.
        classes: number of classes, >= 2; those never predicted are left out.
        level: coverage of the interval, in (0, 1).
        groups: (n,), one name per picture; pictures of one group are not independent.

    Returns:
        Estimate, in [0, 1], at the base rates of these labels, never of zero width.

    Raises:
        InputError: shapes differ, or a number is not a class.
        UndefinedError: there is no picture.

    >>> print(macro_precision(np.array([0, 0, 0, 1]), np.array([0, 0, 1, 1]), classes=2))
    0.750 [0.364, 0.953] (95%, mover-wilson)
    """
    return confusion.balanced_accuracy(predictions, labels, classes=classes, level=level, groups=groups)


def micro_f1(
    labels: np.ndarray, predictions: np.ndarray, *, level: float = 0.95, groups: np.ndarray | None = None
) -> Estimate:
    """F1 over all classes counted together; with one label a picture it is the accuracy, as micro recall is.

    Args:
        labels: int (n,), class numbers.
        predictions: int (n,), likewise.
        level: coverage of the interval, in (0, 1).
        groups: (n,), one name per picture; pictures of one group are not independent.

    Returns:
        Estimate, in [0, 1], never of zero width.

    Raises:
        InputError: shapes differ, or a number is not a class.
        UndefinedError: there is no picture.

    >>> print(micro_f1(np.array([0, 1, 2, 0, 1, 2]), np.array([0, 2, 1, 0, 0, 1])))
    0.333 [0.097, 0.700] (95%, wilson)
    """
    return confusion.accuracy(labels, predictions, level=level, groups=groups)


def mcc(
    labels: np.ndarray,
    predictions: np.ndarray,
    *,
    classes: int,
    level: float = 0.95,
    groups: np.ndarray | None = None,
) -> Estimate:
    """Matthews' correlation between labels and predictions: 0 for a blind guess, 1 where all are right.

    Args:
        labels: int (n,), 0..classes - 1.
        predictions: int (n,), likewise.
        classes: number of classes, >= 2.
        level: coverage of the interval, in (0, 1).
        groups: (n,), one name per picture; pictures of one group are not independent.

    Returns:
        Estimate, in [-1, 1], never of zero width.

    Raises:
        InputError: shapes differ, or a number is not a class.
        UndefinedError: all labels, or all predictions, are of one class.

    Assumes pictures, or groups, are independent.

    Source: Matthews 1975, doi:10.1016/0005-2795(75)90109-9; several classes: Gorodkin 2004,
    doi:10.1016/j.compbiolchem.2004.09.006; limits as in `score_limits`.

    >>> print(mcc(np.array([1, 1, 1, 0]), np.array([1, 0, 1, 1]), classes=2))
    -0.333 [-0.819, 0.588] (95%, score)
    """
    labels, predictions = np.asarray(labels), np.asarray(predictions)
    counts = confusion.matrix(labels, predictions, classes=classes)
    for name, sums in (("labels", counts.sum(axis=1)), ("predictions", counts.sum(axis=0))):
        if np.count_nonzero(sums) < 2:
            raise UndefinedError(f"mcc needs {name} of 2 classes, got {np.count_nonzero(sums)}")
    return score_limits(_mcc, labels, predictions, counts, level=level, groups=groups, least=-1.0)


def score_limits(
    measure: Measure,
    labels: np.ndarray,
    predictions: np.ndarray,
    counts: np.ndarray,
    *,
    level: float = 0.95,
    groups: np.ndarray | None = None,
    least: float = -1.0,
) -> Estimate:
    """A measure of a confusion matrix, and the values that lie just a quantile away by their own standard error.

    The matrix is mixed with a perfect one, and with one where nothing is right, until its measure is that far off:
    what Wilson's interval does for a share.

    Args:
        measure: of shares (k, k), with its slope (k, k).
        labels: int (n,), 0..k - 1.
        predictions: int (n,), likewise.
        counts: int (k, k), their confusion matrix.
        level: coverage of the interval, in (0, 1).
        groups: (n,), one name per picture; pictures of one group are not independent.
        least: lowest value that the measure can have; the highest is 1.

    Returns:
        Estimate, in [least, 1], never of zero width.

    Raises:
        InputError: groups are not as many, or level is outside (0, 1).

    Assumes pictures, or groups, are independent. Accuracy would get Wilson's interval.

    Source: the idea of Wilson 1927, doi:10.1080/01621459.1927.10502953; variances by the delta method. The path is
    ours.
    """
    z, n = quantile(level), float(counts.sum())
    shares = counts / n
    value, slope = measure(shares)
    if groups is not None:
        if np.shape(groups) != np.shape(labels):
            raise InputError(f"groups must be {np.shape(labels)}, got {np.shape(groups)}")
        n = effective(slope[labels, predictions], np.asarray(groups))
    perfect = np.diag(shares.sum(axis=1))
    wrong = np.outer(shares.sum(axis=1), shares.sum(axis=0)) * (1 - np.eye(len(shares)))
    found = []
    for end, limit in ((wrong / wrong.sum(), least), (perfect, 1.0)):
        inside, outside = 0.0, 1.0
        for _ in range(35):
            part = (inside + outside) / 2
            mixed = (1 - part) * shares + part * end
            there, rise = measure(mixed)
            variance = ((mixed * rise**2).sum() - (mixed * rise).sum() ** 2) / n
            ruled_out = (there - value) ** 2 > z**2 * variance
            inside, outside = (inside, part) if ruled_out else (part, outside)
        reached = measure((1 - inside) * shares + inside * end)[0]
        found.append(limit if inside > 1 - 1e-9 else reached)
    low, high = max(min(found[0], value), least), min(max(found[1], value), 1.0)
    return Estimate(float(value), float(low), float(high), level, "score" if groups is None else "score-clustered")


def _mcc(shares: np.ndarray) -> tuple[float, np.ndarray]:
    rows, columns = shares.sum(axis=1), shares.sum(axis=0)
    above = shares.trace() - rows @ columns
    a, b = 1 - rows @ rows, 1 - columns @ columns
    scale = math.sqrt(max(a * b, 1e-300))
    slope = (np.eye(len(shares)) - columns[:, None] - rows[None, :]) / scale
    slope += above / scale * (rows[:, None] / max(a, 1e-300) + columns[None, :] / max(b, 1e-300))
    return min(max(float(above / scale), -1.0), 1.0), slope


def _by_class(
    labels: np.ndarray,
    predictions: np.ndarray,
    classes: int,
    level: float,
    groups: np.ndarray | None,
    method: str,
) -> list[Estimate | None]:
    labels, predictions = np.asarray(labels), np.asarray(predictions)
    confusion.matrix(labels, predictions, classes=classes)  # its checks
    if groups is not None and np.shape(groups) != labels.shape:
        raise InputError(f"groups must be {labels.shape}, got {np.shape(groups)}")
    found: list[Estimate | None] = []
    for c in range(classes):
        either = (labels == c) | (predictions == c)
        hits = (labels == predictions)[either]
        if not either.any():
            found.append(None)
            continue
        if groups is None:
            e = proportion(int(hits.sum()), len(hits), level=level, method=method)
        else:
            e = clustered(hits, np.asarray(groups)[either], level=level)
        value, low, high = (2 * j / (1 + j) for j in (e.value, e.low, e.high))
        found.append(Estimate(value, low, high, level, e.method))
    return found


def _mean(parts: list[Estimate], pulls: np.ndarray, groups: np.ndarray | None, level: float) -> Estimate:
    """Mean of estimates whose errors go together as the pulls of single pictures, or of groups, say."""
    if groups is not None:
        codes = np.unique(groups, return_inverse=True)[1]
        pulls = np.array([np.bincount(codes, row) for row in pulls])
    covariance = pulls @ pulls.T
    scale = np.sqrt(np.outer(covariance.diagonal(), covariance.diagonal()))
    together = np.where(scale > 0, covariance / np.where(scale > 0, scale, 1), 1.0)
    value = float(np.mean([e.value for e in parts]))
    sides = np.array([[e.value - e.low, e.high - e.value] for e in parts]).T
    down, up = (math.sqrt(max(float(side @ together @ side), 0.0)) / len(parts) for side in sides)
    return Estimate(value, max(value - down, 0.0), min(value + up, 1.0), level, f"mover-{parts[0].method}")
