"""How a figure grows with what it was learnt from: points of a learning curve in, a forecast with its doubt out."""

from collections.abc import Sequence

import numpy as np

from ..errors import InputError, UndefinedError
from ..stats.intervals import Estimate, quantile

_DRAWS = 200
# The redrawn curves alone held the truth in 83 to 87 of 100 simulations at 95 %: few points hardly tell a low floor
# from a slow fall. This much further from the forecast they hold it in 95.
_WIDER = 1.4
_EXPONENTS = np.linspace(0.05, 1.5, 30)  # errors that fall faster with n than the last are noise


def forecast(
    points: Sequence[tuple[int, Estimate]], sizes: Sequence[int], *, rng: np.random.Generator
) -> list[tuple[int, Estimate]]:
    """Say which figure more rows would reach, were they like those there are.

    The error falls as a power of the number of rows, towards a floor that no number of rows gets below. Points are
    redrawn from their intervals and the curve is fitted anew: what agrees with the points shows how far it can be
    known.

    Args:
        points: how many rows were learnt from, rising, and the figure reached, in [0, 1], 1 the best; 3 or more.
        sizes: how many rows there might be, each more than the last point's.
        rng: source of randomness.

    Returns:
        Size and forecast, at the level of the points; never worse than the interval of the last point allows, never
        above 1.

    Raises:
        InputError: sizes are not beyond the points.
        UndefinedError: there are fewer than 3 points.

    Assumes the new rows come from where the old ones came from.

    Source: inverse power law of learning curves, Cortes et al. 1993, NIPS 6; Figueroa et al. 2012,
    doi:10.1186/1472-6947-12-8.
    """
    if len(points) < 3:
        raise UndefinedError(f"a forecast needs 3 points of a learning curve, got {len(points)}")
    n = np.array([size for size, _ in points], float)
    if min(sizes, default=np.inf) <= n[-1]:
        raise InputError(f"sizes must be more than the {n[-1]:.0f} rows of the last point, got {list(sizes)}")
    level = points[-1][1].level
    value = np.array([e.value for _, e in points])
    spread = np.array([max(e.high - e.low, 1e-4) for _, e in points]) / (2 * quantile(level))
    # Points of one curve share their test rows, so they move together for the larger part.
    together = rng.normal(size=(_DRAWS, 1)) * np.sqrt(0.8)
    moved = value + (together + rng.normal(size=(_DRAWS, len(n))) * np.sqrt(0.2)) * spread
    errors = _ahead(n, 1 - np.clip(np.vstack([value, moved]), 0, 1), spread, np.array(sizes, float))
    best = errors[0]
    low, high = (
        best + _WIDER * (q - best) for q in np.quantile(errors[1:], [(1 - level) / 2, (1 + level) / 2], axis=0)
    )
    return [
        (
            size,
            Estimate(
                float(1 - b), float(max(min(1 - h, 1 - b), 0)), float(min(max(1 - w, 1 - b), 1)), level, "power-law"
            ),
        )
        for size, b, w, h in zip(sizes, best, low, high, strict=True)
    ]


def _ahead(n: np.ndarray, errors: np.ndarray, spread: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Errors (curves, sizes) of the power laws that lie closest to errors (curves, points).

    For a given exponent, floor and height are two numbers >= 0 by least squares; the exponent is searched on a grid.
    """
    weight = 1 / spread**2
    least, found = np.full(len(errors), np.inf), np.empty((len(errors), len(sizes)))
    for exponent in _EXPONENTS:
        fall, further = (n / n[-1]) ** -exponent, (sizes / n[-1]) ** -exponent
        ones, mixed, squares = weight.sum(), weight @ fall, weight @ fall**2
        constant, along = errors @ weight, errors @ (weight * fall)
        determinant = ones * squares - mixed**2
        both = (constant * squares - along * mixed) / determinant, (along * ones - constant * mixed) / determinant
        none = np.zeros(len(errors))
        for floor, height in (both, (constant / ones, none), (none, along / squares)):
            off = ((floor[:, None] + height[:, None] * fall - errors) ** 2 @ weight) + np.where(
                (floor < 0) | (height < 0), np.inf, 0
            )
            better = off < least
            least[better] = off[better]
            found[better] = (floor[:, None] + height[:, None] * further)[better]
    return found
