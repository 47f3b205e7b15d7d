"""Which of two models is better: labels and two sets of answers in, their difference and a p-value out."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import special, stats

from ..errors import InputError
from . import areas, ranks
from .differences import mover, paired_proportions
from .intervals import Estimate, proportion


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two figures, first minus second, and how often chance alone would put them as far apart."""

    first: Estimate
    second: Estimate
    difference: Estimate
    p_value: float


def aucs(
    labels: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    *,
    level: float = 0.95,
    groups: np.ndarray | None = None,
) -> Comparison:
    """Compare the areas under the ROC curves of two models on the same pictures.

    Args:
        labels: bool (n,), True for positive.
        first: float (n,), scores of the first model; higher means more positive.
        second: float (n,), of the second; its scale may be another.
        level: coverage of the intervals, in (0, 1).
        groups: (n,), one name per picture; pictures of one group are not independent.

    Returns:
        Comparison: the difference in [-1, 1], of zero width only where both rank every pair alike; the p-value is
        that of the interval that just touches 0, so the two never disagree.

    Raises:
        InputError: shapes differ, or scores are not finite.
        UndefinedError: there are not two of each class, or two groups that hold each class.

    Assumes pictures, or groups, are independent.

    Source: the correlation is that of DeLong et al. 1988, doi:10.2307/2531595; the intervals of `roc.auc` are joined
    by squares (`differences.mover`), so that they hold near 1, where DeLong's variance of a difference is too small.

    >>> labels, first = np.array([0, 0, 1, 1], bool), np.array([.1, .4, .35, .8])
    >>> c = aucs(labels, first, first)
    >>> c.difference.value, c.p_value
    (0.0, 1.0)
    """
    scores = [ranks.checked(labels, s, least=2, what="auc")[1] for s in (first, second)]
    labels = ranks.binary(np.asarray(labels))
    placed = ranks.placements(labels, np.array(scores), groups=groups)
    covariance = ranks.delong(placed).covariance
    scale = math.sqrt(covariance[0, 0] * covariance[1, 1])
    correlation = min(max(covariance[0, 1] / scale, -1.0), 1.0) if scale > 0 else 0.0
    found = _compared(areas.area(placed, row=0), areas.area(placed, row=1), correlation, level)
    if scale > 0 and all((p[0] == p[1]).all() for p in (placed.wins, placed.losses)):
        # Alike by rank, they are one model. Where both are perfect nothing shows that they would go on to agree.
        return Comparison(found.first, found.second, Estimate(0.0, 0.0, 0.0, level, "mover-delong"), 1.0)
    return found


def unpaired_aucs(
    first: tuple[np.ndarray, np.ndarray], second: tuple[np.ndarray, np.ndarray], *, level: float = 0.95
) -> Comparison:
    """Compare areas under ROC curves of different pictures.

    Args:
        first: labels, bool (n,), and scores, float (n,), of the first.
        second: labels and scores of the second.
        level: coverage of the intervals, in (0, 1).

    Returns:
        Comparison, as `aucs`.

    Raises:
        InputError: shapes differ, or scores are not finite.
        UndefinedError: there are not two of each class on either side.

    Assumes all pictures are independent.

    >>> labels, scores = np.array([0, 0, 1, 1], bool), np.array([.1, .4, .35, .8])
    >>> print(unpaired_aucs((labels, scores), (labels, -scores)).difference)
    0.500 [-0.497, 0.846] (95%, mover-delong)
    """
    one, other = (
        areas.area(ranks.placements(*ranks.checked(labels, scores, least=2, what="auc")))
        for labels, scores in (first, second)
    )
    return _compared(one, other, 0.0, level)


def accuracies(
    labels: np.ndarray, first: np.ndarray, second: np.ndarray, *, level: float = 0.95, method: str = "mid-p"
) -> Comparison:
    """Compare how often two models are right on the same pictures.

    Args:
        labels: (n,), what is true.
        first: (n,), what the first model says.
        second: (n,), what the second says.
        level: coverage of the intervals, in (0, 1).
        method: of McNemar's test, as in `mcnemar`.

    Returns:
        Comparison: Wilson's interval of each, Newcombe's of the difference, McNemar's p-value.

    Raises:
        InputError: shapes differ, or the method is unknown.
        UndefinedError: there is no picture.

    Assumes pictures are independent.

    >>> labels = np.array([0, 1, 1, 0, 1, 1])
    >>> print(accuracies(labels, labels, np.zeros(6, int)).difference)
    0.667 [0.131, 0.903] (95%, newcombe-paired)
    """
    labels, first, second = np.asarray(labels), np.asarray(first), np.asarray(second)
    if not (labels.ndim == 1 and labels.shape == first.shape == second.shape):
        raise InputError(f"labels and answers must be (n,), got {labels.shape}, {first.shape} and {second.shape}")
    one, other = first == labels, second == labels
    only_first, only_second = int((one & ~other).sum()), int((other & ~one).sum())
    cells = int((one & other).sum()), only_first, only_second, int((~one & ~other).sum())
    difference = paired_proportions(*cells, level=level)
    a, b = (proportion(int(right.sum()), len(labels), level=level) for right in (one, other))
    return Comparison(a, b, difference, mcnemar(only_first, only_second, method=method))


def _exact(least: int, n: int) -> float:
    return min(2 * float(special.bdtr(least, n, 0.5)), 1.0)


def _mid_p(least: int, n: int) -> float:
    # Half the chance of just this split; a draw is no evidence at all.
    seen = float(stats.binom.pmf(least, n, 0.5))
    return 1.0 if 2 * least == n else min(2 * float(special.bdtr(least, n, 0.5)) - seen, 1.0)


def _chi2(least: int, n: int) -> float:
    return float(special.chdtrc(1, (n - 2 * least) ** 2 / n)) if n else 1.0


def _chi2_corrected(least: int, n: int) -> float:
    return float(special.chdtrc(1, max(abs(n - 2 * least) - 1, 0) ** 2 / n)) if n else 1.0


MCNEMAR: dict[str, Callable[[int, int], float]] = {
    "mid-p": _mid_p,
    "exact": _exact,
    "chi2": _chi2,
    "chi2-corrected": _chi2_corrected,
}


def mcnemar(only_first: int, only_second: int, *, method: str = "mid-p") -> float:
    """Whether two models are right equally often, from the pictures that only one of them gets right.

    Args:
        only_first: pictures that the first alone gets right, >= 0.
        only_second: that the second alone gets right, >= 0.
        method: "mid-p", "exact" (never too small, larger), "chi2" or "chi2-corrected" (for many pictures).

    Returns:
        p-value of two sides, in (0, 1].

    Raises:
        InputError: a count is negative, or the method is unknown.

    Source: McNemar 1947, doi:10.1007/BF02295996; mid-P: Fagerland, Lydersen & Laake 2013, doi:10.1186/1471-2288-13-91.

    >>> round(mcnemar(3, 12, method="exact"), 4), round(mcnemar(3, 12), 4)
    (0.0352, 0.0213)
    """
    if method not in MCNEMAR:
        raise InputError(f"method must be one of {', '.join(MCNEMAR)}, got {method!r}")
    if min(only_first, only_second) < 0 or only_first != int(only_first) or only_second != int(only_second):
        raise InputError(f"counts must be whole numbers >= 0, got {only_first!r} and {only_second!r}")
    return MCNEMAR[method](min(only_first, only_second), only_first + only_second)


def permutation(
    labels: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    *,
    groups: np.ndarray | None = None,
    runs: int = 1000,
    rng: np.random.Generator,
) -> float:
    """Whether two models rank the same pictures equally well, by swapping their ranks at random.

    Args:
        labels: bool (n,), True for positive.
        first: float (n,), scores of the first model; higher means more positive.
        second: float (n,), of the second; its scale may be another.
        groups: (n,), one name per picture; pictures of one group are swapped together.
        runs: swaps, >= 100.
        rng: source of randomness.

    Returns:
        p-value of two sides of the difference of the areas under the ROC curves, in (0, 1].

    Raises:
        InputError: shapes differ, scores are not finite, or runs is too small.
        UndefinedError: a class has no picture.

    Assumes pictures, or groups, are independent; under the null the two models may swap places on any of them.

    Source: Bandos, Rockette & Gur 2005, doi:10.1002/sim.2149.

    >>> labels = np.arange(40) % 2 == 0
    >>> permutation(labels, labels + 0.0, np.arange(40.0), rng=np.random.default_rng(0)) < 0.01
    True
    """
    if runs < 100:
        raise InputError(f"runs must be >= 100, got {runs!r}")
    pair = [ranks.checked(labels, s)[1] for s in (first, second)]
    labels = ranks.binary(np.asarray(labels))
    codes = np.arange(len(labels))
    if groups is not None:
        codes = np.unique(ranks.named(groups, labels), return_inverse=True)[1]
    one, other = (stats.rankdata(s) for s in pair)

    def apart(a: np.ndarray, b: np.ndarray) -> float:
        areas = ranks.placements(labels, np.array([a, b])).areas
        return abs(float(areas[0] - areas[1]))

    seen, as_far = apart(one, other), 1
    for _ in range(runs):
        swap = (rng.random(codes.max() + 1) < 0.5)[codes]
        # Sums of the same areas in another order differ in the last digit: equal within rounding is equal.
        as_far += apart(np.where(swap, other, one), np.where(swap, one, other)) >= seen - 1e-12
    return as_far / (runs + 1)


def holm(p_values: np.ndarray) -> np.ndarray:
    """P-values of several comparisons, raised so that the chance of any false alarm stays below each.

    Args:
        p_values: float (k,), in [0, 1].

    Returns:
        float (k,), in [0, 1], each at least what it was.

    Raises:
        InputError: a p-value is outside [0, 1].

    Source: Holm 1979, doi:10.2307/4615733.

    >>> holm(np.array([.01, .04, .03, .005]))
    array([0.03, 0.06, 0.06, 0.02])
    """
    p, order = _ordered(p_values)
    raised = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    return _put_back(raised, order)


def benjamini_hochberg(p_values: np.ndarray) -> np.ndarray:
    """P-values of several comparisons, raised so that the share of false ones among those called stays below each.

    Args:
        p_values: float (k,), in [0, 1].

    Returns:
        float (k,), in [0, 1], each at least what it was.

    Raises:
        InputError: a p-value is outside [0, 1].

    Assumes the comparisons are independent, or positively dependent.

    Source: Benjamini & Hochberg 1995, doi:10.1111/j.2517-6161.1995.tb02031.x.

    >>> benjamini_hochberg(np.array([.01, .04, .03, .005]))
    array([0.02, 0.04, 0.04, 0.02])
    """
    p, order = _ordered(p_values)
    raised = p[order] * len(p) / np.arange(1, len(p) + 1)
    return _put_back(np.minimum.accumulate(raised[::-1])[::-1], order)


def _ordered(p_values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    p = np.asarray(p_values, float)
    if p.ndim != 1 or not ((p >= 0) & (p <= 1)).all():
        raise InputError(f"p_values must be (k,) in [0, 1], got {p_values!r}")
    return p, np.argsort(p, kind="stable")


def _put_back(raised: np.ndarray, order: np.ndarray) -> np.ndarray:
    found = np.empty_like(raised)
    found[order] = np.minimum(raised, 1)
    return found


def _compared(first: areas.Area, second: areas.Area, correlation: float, level: float) -> Comparison:
    def at(level: float) -> tuple[Estimate, Estimate, Estimate]:
        pair = [Estimate(a.value, *areas.limits(a, level=level), level, "delong-score") for a in (first, second)]
        return pair[0], pair[1], mover(pair[0], pair[1], correlation=correlation)

    one, other, e = at(level)
    difference = Estimate(e.value, max(e.low, -1.0), min(e.high, 1.0), level, "mover-delong")
    # The p-value is what is left of 1 at the level whose interval just touches 0.
    touching, leaving = 1.0, 0.0
    for _ in range(50):
        middle = (touching + leaving) / 2
        if not 0 < middle < 1 or difference.value == 0:
            break
        _, _, wide = at(middle)
        holds = wide.low <= 0 <= wide.high
        touching, leaving = (middle, leaving) if holds else (touching, middle)
    return Comparison(one, other, difference, 1.0 if difference.value == 0 else 1 - touching)
