"""Maps from scores to probabilities that mean what they say: labels and scores in, a map out.

For several classes and logits there is `calibration.temperature`.
"""

from dataclasses import dataclass

import numpy as np
from scipy import optimize, special

from . import ranks


@dataclass(frozen=True, slots=True)
class Platt:
    """A logistic map: probability = 1 / (1 + exp(-(slope * score + intercept)))."""

    slope: float
    intercept: float

    def probabilities(self, scores: np.ndarray) -> np.ndarray:
        """Probabilities in (0, 1) of scores of any shape."""
        found: np.ndarray = special.expit(self.slope * np.asarray(scores, float) + self.intercept)
        return found


@dataclass(frozen=True, slots=True)
class Isotonic:
    """A rising map: straight lines between scores (knots) and their probabilities (values), level beyond the ends."""

    knots: np.ndarray
    values: np.ndarray

    def probabilities(self, scores: np.ndarray) -> np.ndarray:
        """Probabilities in [0, 1] of scores of any shape."""
        found: np.ndarray = np.interp(np.asarray(scores, float), self.knots, self.values)
        return found


def platt(labels: np.ndarray, scores: np.ndarray) -> Platt:
    """Logistic map from scores to probabilities: two numbers, for few pictures.

    Args:
        labels: bool (n,), True for positive.
        scores: float (n,), higher means more positive.

    Returns:
        Platt, with the least log loss of labels drawn a little towards the middle, so that it never says 0 or 1 where
        the classes separate.

    Raises:
        InputError: shapes differ, or scores are not finite.
        UndefinedError: a class has no picture.

    Assumes the pictures were not used to fit the model, and scores normal in each class with one spread, or near it.

    Source: Platt 1999; Lin, Lin & Weng 2007, doi:10.1007/s10994-007-5018-6.

    >>> p = platt(np.array([0, 0, 1, 1], bool), np.array([-1.0, -1, 1, 1]))
    >>> p.probabilities(np.array([-1.0, 1.0])).round(3)  # (1 / (2 + 2), (2 + 1) / (2 + 2))
    array([0.25, 0.75])
    """
    labels, scores = ranks.checked(labels, scores, what="a map to probabilities")
    m = int(np.count_nonzero(labels))
    targets = np.where(labels, (m + 1) / (m + 2), 1 / (len(labels) - m + 2))
    # In units of their spread scores of any scale converge alike; halves are added lest a sum overflow.
    centre = float(np.median(scores))
    spread = float(np.std(scores / 2 - centre / 2)) * 2 or 1.0
    x = scores / spread - centre / spread

    def loss(terms: np.ndarray) -> tuple[float, np.ndarray]:
        z = terms[0] * x + terms[1]
        gap = special.expit(z) - targets
        return float((np.logaddexp(0, z) - targets * z).sum()), np.array([gap @ x, gap.sum()])

    slope, shift = optimize.minimize(loss, np.zeros(2), jac=True, method="BFGS", options={"gtol": 1e-8}).x
    return Platt(float(slope / spread), float(shift - slope * centre / spread))


def isotonic(labels: np.ndarray, scores: np.ndarray) -> Isotonic:
    """Rising map from scores to probabilities: any shape, for many pictures.

    Args:
        labels: bool (n,), True for positive.
        scores: float (n,), higher means more positive.

    Returns:
        Isotonic, with the least squared error of all rising maps.

    Raises:
        InputError: shapes differ, or scores are not finite.
        UndefinedError: a class has no picture.

    Assumes the pictures were not used to fit the model.

    Source: Zadrozny & Elkan 2002, doi:10.1145/775047.775151; pool adjacent violators (Ayer et al. 1955).

    >>> isotonic(np.array([0, 1, 0, 1], bool), np.array([1.0, 2, 3, 4])).values
    array([0. , 0.5, 0.5, 1. ])
    """
    labels, scores = ranks.checked(labels, scores, what="a map to probabilities")
    knots, place = np.unique(scores, return_inverse=True)
    weights = np.bincount(place).astype(float)
    return Isotonic(knots, optimize.isotonic_regression(np.bincount(place, labels) / weights, weights=weights).x)
