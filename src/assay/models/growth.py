"""How a figure grows with what it was learnt from: points of a learning curve in, a forecast with its doubt out."""

from collections.abc import Sequence

import numpy as np
from scipy import optimize

from ..errors import InputError, UndefinedError
from ..stats.intervals import Estimate, quantile

_DRAWS = 200
_FASTEST = 1.5  # exponent: errors that fall faster with n than this are noise


def forecast(
    points: Sequence[tuple[int, Estimate]], sizes: Sequence[int], *, rng: np.random.Generator
) -> list[tuple[int, Estimate]]:
    """Say which figure more rows would reach, were they like those there are.

    The error falls as a power of the number of rows, towards a floor that no number of rows gets below. Points are
    redrawn from their intervals and the curve is fitted anew: what agrees with the points shows how far it can be known.

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
    ahead = np.array(sizes, float)
    best = _along(_fitted(n, 1 - value, spread), ahead)
    # Points of one curve share their test rows, so they move together for the larger part.
    together = rng.normal(size=(_DRAWS, 1)) * np.sqrt(0.8)
    moved = value + (together + rng.normal(size=(_DRAWS, len(n))) * np.sqrt(0.2)) * spread
    draws = np.array([_along(_fitted(n, 1 - np.clip(row, 0, 1), spread), ahead) for row in moved])
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return [
        (size, Estimate(float(1 - b), float(min(1 - h, 1 - b)), float(max(1 - w, 1 - b)), level, "inverse-power-law"))
        for size, b, w, h in zip(sizes, best, low, high, strict=True)
    ]


def _fitted(n: np.ndarray, error: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Floor, height and exponent of the power law that lies closest, small points weighing less."""
    scale = n[-1]

    def residuals(p: np.ndarray) -> np.ndarray:
        return (_along(np.array([*p, scale]), n) - error) / spread

    start = np.array([max(error[-1] * 0.5, 1e-6), max(error[-1] * 0.5, 1e-6), 0.5])
    found = optimize.least_squares(residuals, start, bounds=([0, 0, 0.05], [1, 1, _FASTEST]))
    return np.array([*found.x, scale])


def _along(p: np.ndarray, n: np.ndarray) -> np.ndarray:
    floor, height, exponent, scale = p
    curve: np.ndarray = floor + height * (n / scale) ** -exponent
    return curve
