"""An area under the ROC curve and its limits: how pictures stand to each other in, how far the area can be trusted out.

What the modules on ROC curves and on comparison share.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import special

from . import ranks
from .intervals import quantile


@dataclass(frozen=True, slots=True)
class Area:
    """An area and what its interval rests on; m and n are how many pictures of each class count as independent.

    evidence: the fewest pictures of a class that are out of order, on either side; astray: of each class as how many
    those count that keep the area from the nearer end, those furthest out weighing most.
    """

    value: float
    variance: float
    df: float
    evidence: int
    astray: tuple[float, float]
    m: float
    n: float


# Pictures of a class that must be out of order before DeLong's variance counts as much as the one held
# against it. With 10, coverage at 95 % was above 93 % from 10 of each class for AUC .6 to .99.
PRIOR_PICTURES = 10
# With fewer out of order than this, though some, the logit interval held the truth in less than 93 % of such samples.
FEW_PICTURES = 5


def _score_limits(area: Area, level: float) -> tuple[float, float]:
    ratio = area.variance / _area_variance(area.value, area.m, area.n) if area.variance > 0 else 1.0
    trust = area.evidence / (area.evidence + PRIOR_PICTURES)
    ratio = trust * ratio + (1 - trust) * max(ratio, 1.0)
    reach = ratio * quantile(level, df=area.df) ** 2
    low, high = (_furthest(area.value, end, reach, area.m, area.n) for end in (0.0, 1.0))
    if area.value in (0, 1):
        edge = _edge(area, level)
        return min(low, edge, area.value), max(high, 1 - edge, area.value)
    nearest = min(_fewer(k, size, level) for k, size in zip(area.astray, (area.m, area.n), strict=True))
    if area.value < 0.5:
        return min(low, area.value * nearest), high
    return low, max(high, 1 - (1 - area.value) * nearest)


def _edge(area: Area, level: float) -> float:
    """The lowest area under which as many pairs as the smaller class has pictures might all agree by chance."""
    return math.pow((1 - level) / 2, 1 / min(area.m, area.n))


def _fewer(astray: float, n: float, level: float) -> float:
    """How many of n pictures might truly be out of order, where chance has sent the most, as a share of those seen."""
    return float(special.betaincinv(astray, n - astray + 1, 1 - level) * n / astray)


def _logit_limits(area: Area, level: float) -> tuple[float, float]:
    z, value = quantile(level), area.value
    if area.variance == 0 or value in (0, 1):
        edge = _edge(area, level)
        return min(edge, value), max(1 - edge, value)
    half = z * area.variance**0.5 / (value * (1 - value))
    low, high = special.expit(special.logit(value) + half * np.array([-1, 1]))
    return float(low), float(high)


METHODS: dict[str, Callable[[Area, float], tuple[float, float]]] = {
    "delong-score": _score_limits,
    "delong-logit": _logit_limits,
}


def area(placed: ranks.Placements, *, row: int | None = None) -> Area:
    """An area, and what is known of its spread.

    Args:
        placed: how pictures stand to each other, by k sets of scores.
        row: which set; by default the mean of all.

    Returns:
        Area.
    """
    parts = (placed.wins, placed.losses, placed.areas)
    if row is None and len(placed.wins) > 1:
        wins, losses, value = (c.mean(axis=0) for c in parts)
    else:
        wins, losses, value = (c[row or 0] for c in parts)
    one = ranks.Placements(wins[None], losses[None], placed.positives, placed.negatives, np.array([value]))
    spread = ranks.delong(one)
    evidence: list[int] = []
    sizes, astray = [], []
    for components, codes in ((wins, placed.positives), (losses, placed.negatives)):
        outs = (components < 1, components > 0)
        evidence += [int(np.count_nonzero(out if codes is None else np.bincount(codes[out]))) for out in outs]
        # How many pictures of the class there were, if those of a group were copies (Kish).
        counts = np.bincount(codes).astype(float) if codes is not None else None
        sizes.append(float(len(components)) if counts is None else _kish(counts))
        away = 1 - components if value >= 0.5 else components
        astray.append(min(_kish(away if codes is None else np.bincount(codes, away)), sizes[-1]))
    return Area(float(value), float(spread.covariance[0, 0]), spread.df, min(evidence), (astray[0], astray[1]), *sizes)


def _kish(weights: np.ndarray) -> float:
    """As how many equal ones these count; 0 where all are 0."""
    squares = float(weights @ weights)
    return float(weights.sum()) ** 2 / squares if squares > 0 else 0.0


def limits(found: Area, *, level: float = 0.95, method: str = "delong-score") -> tuple[float, float]:
    """Limits of an area.

    Args:
        found: the area, and what its interval rests on.
        level: coverage, in (0, 1).
        method: one of METHODS.

    Returns:
        Low and high, in [0, 1]; the area lies between them.
    """
    return METHODS[method](found, level)


def _area_variance(area: float, m: float, n: float) -> float:
    """Variance of an area between m positives and n negatives, were both exponential (Hanley & McNeil)."""
    extra = (m + n) / 2 - 1
    spread = 1 + extra * ((1 - area) / (2 - area) + area / (1 + area))
    return max(area * (1 - area) * spread / (m * n), 0.0)


def _furthest(value: float, end: float, reach: float, m: float, n: float) -> float:
    """The area furthest towards end that the value found does not rule out."""
    inside, outside = value, end
    for _ in range(45):
        middle = (inside + outside) / 2
        ruled_out = (middle - value) ** 2 > reach * _area_variance(middle, m, n)
        inside, outside = (inside, middle) if ruled_out else (middle, outside)
    return inside
