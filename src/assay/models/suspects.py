"""Labels that the pictures contradict: out-of-fold probabilities in, likely mistakes out. Nothing is relabelled."""

from dataclasses import dataclass

import numpy as np

from ..errors import InputError


@dataclass(frozen=True, slots=True)
class Suspects:
    """Pictures whose label is likely wrong, worst first.

    indices: int (m,); suggested: int (m,), the class that fits better; score: float (m,), the probability of the given
    label less that of the best other, in [-1, 0): the lower the worse.
    """

    indices: np.ndarray
    suggested: np.ndarray
    score: np.ndarray


def suspects(labels: np.ndarray, probabilities: np.ndarray) -> Suspects:
    """Find the pictures that are surely of another class than their label says.

    A picture is surely of class j when its probability of j is at least the mean of those labelled j. It is a suspect
    when the likeliest of its sure classes is not its label, nor is its label the likeliest of all.

    Args:
        labels: int (n,), 0..k-1.
        probabilities: (n, k), each row adding up to 1, from heads that were not fitted on the picture.

    Returns:
        Suspects, ranked by score; ties in the order of the pictures.

    Raises:
        InputError: shapes differ, a label is no class, or a row does not add up to 1.

    Assumes the probabilities are out of fold: a head believes the labels it was fitted on.

    Source: confident learning, Northcutt et al. 2021, doi:10.1613/jair.1.12125; off the diagonal of the confident
    joint, ranked by normalised margin.

    >>> suspects(np.array([0, 0, 1, 1]), np.array([[0.9, 0.1], [0.1, 0.9], [0.2, 0.8], [0.3, 0.7]])).indices
    array([1])
    """
    labels, probabilities = np.asarray(labels), np.asarray(probabilities, float)
    if probabilities.ndim != 2 or labels.shape != probabilities.shape[:1]:
        raise InputError(
            f"labels and probabilities must be (n,) and (n, k), got {labels.shape} and {probabilities.shape}"
        )
    n, k = probabilities.shape
    if labels.dtype.kind not in "iu" or (n and not 0 <= labels.min() <= labels.max() < k):
        raise InputError(f"labels must be whole numbers in 0..{k - 1}, got {np.unique(labels)[:9]}")
    sums = probabilities.sum(axis=1)
    if not (np.abs(sums - 1) < 1e-3).all():
        wrong = int(np.argmin(np.abs(sums - 1) < 1e-3))
        raise InputError(f"each row of probabilities must add up to 1, got {sums[wrong]:.4g} in row {wrong}")
    rows = np.arange(n)
    own = probabilities[rows, labels]
    counts = np.bincount(labels, minlength=k)
    # A class without pictures has no bar to pass: nothing can be suggested as one.
    bars = np.where(counts > 0, np.bincount(labels, own, minlength=k) / np.maximum(counts, 1), np.inf)
    sure = np.where(probabilities >= bars - 1e-6, probabilities, -np.inf)
    likeliest = sure.argmax(axis=1) if n else labels
    others = probabilities.copy()
    others[rows, labels] = -np.inf
    margin = own - others.max(axis=1, initial=-np.inf)
    found = np.flatnonzero(np.isfinite(sure.max(axis=1, initial=-np.inf)) & (likeliest != labels) & (margin < 0))
    found = found[np.argsort(margin[found], kind="stable")]
    return Suspects(indices=found, suggested=likeliest[found], score=margin[found])
