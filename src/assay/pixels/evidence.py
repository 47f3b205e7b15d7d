"""Coupling and noise of an Ising picture: what was seen in, the parameters that foretell it best out.

For each choice of couplings, chains give the chance of white at each pixel; from it follows how likely the pixel was
to be seen as it was, given all others as they were seen. Importing this module loads the compiler.
"""

from collections.abc import Callable

import numpy as np

from . import chains

_WINDOW = 2**18  # pixels that are looked at, at most
# Couplings at distances 1, 2, 3 as shares of their sum.
_SHAPES = {
    1: ((1.0,),),
    2: ((1.0,), (0.8, 0.2), (0.67, 0.33), (0.57, 0.43)),
    3: ((1.0,), (0.8, 0.2), (0.67, 0.33), (0.57, 0.43), (0.57, 0.29, 0.14), (0.44, 0.33, 0.23)),
}
_LEAST, _MOST = 0.05, 3.0  # sum of the couplings
_SWEEPS, _BURN_IN = 80, 20


def search(y: np.ndarray, reach: int) -> tuple[tuple[float, ...], float, float]:
    """Find the couplings and sigma that foretell best.

    Args:
        y: float (H, W), what was seen, -1 for black and +1 for white.
        reach: distances that are coupled at most, 1 to 3.

    Returns:
        Couplings, sigma, and the mean log chance of a pixel given all others.
    """
    y = _middle(y)
    two = bool((np.abs(y) == 1).all())
    sigma = _first_sigma(y, two=two)
    best: tuple[float, float, tuple[float, ...]] = (-np.inf, 1.0, (1.0,))
    for shape in _SHAPES[reach]:
        score, total, sigma_there = _climb(y, np.array(shape), sigma, two=two)
        if score > best[0]:
            best, sigma = (score, total, shape), sigma_there
    score, total, shape = best
    return tuple(float(total * share) for share in shape), float(sigma), float(score)


def _middle(y: np.ndarray) -> np.ndarray:
    if y.size <= _WINDOW:
        return y
    height, width = y.shape
    rows = min(height, max(_WINDOW // width, 512))
    columns = min(width, _WINDOW // rows)
    top, left = (height - rows) // 2, (width - columns) // 2
    return np.ascontiguousarray(y[top : top + rows, left : left + columns])


def _first_sigma(y: np.ndarray, *, two: bool) -> float:
    """Guess from pixels that differ from most of their neighbours, or from the distance to the nearer level."""
    if not two:
        return max(float(np.sqrt(np.mean((np.abs(y) - 1) ** 2))), 0.05)
    p = np.pad(y, 1)
    around = p[:-2, 1:-1] + p[2:, 1:-1] + p[1:-1, :-2] + p[1:-1, 2:]
    return _sigma(float(np.mean(y * around < 0)), y.size)


def _sigma(flipped: float, n: int) -> float:
    flipped = min(max(flipped, 1 / n), 0.45)
    return float(1 / np.sqrt(0.5 * np.log((1 - flipped) / flipped)))


def _climb(y: np.ndarray, shape: np.ndarray, sigma: float, *, two: bool) -> tuple[float, float, float]:
    """Find the sum of couplings of one shape that scores best, sigma following; return score, sum and sigma."""
    found: dict[float, tuple[float, float]] = {}

    def score(log_total: float) -> float:
        nonlocal sigma
        total = float(np.exp(log_total))
        value, sigma_next = foretold(y, total * shape, sigma, two=two)
        found[total] = (value, sigma)
        if value >= max(v for v, _ in found.values()):
            sigma = sigma_next
        return value

    for log_total in np.log([0.5, 0.7, 1.0, 1.4]):
        score(float(log_total))
    centre = float(np.log(max(found, key=lambda total: found[total][0])))
    _golden(score, max(centre - 0.4, np.log(_LEAST)), min(centre + 0.4, np.log(_MOST)), 5)
    best = max(found, key=lambda total: found[total][0])
    return found[best][0], best, found[best][1]


def _golden(score: Callable[[float], float], low: float, high: float, steps: int) -> None:
    """Narrow down where a function of one hump is largest."""
    ratio = (np.sqrt(5) - 1) / 2
    left, right = high - ratio * (high - low), low + ratio * (high - low)
    at_left, at_right = score(left), score(right)
    for _ in range(steps - 2):
        if at_left > at_right:
            high, right, at_right = right, left, at_left
            left = high - ratio * (high - low)
            at_left = score(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + ratio * (high - low)
            at_right = score(right)


def foretold(y: np.ndarray, couplings: np.ndarray, sigma: float, *, two: bool) -> tuple[float, float]:
    """Score parameters by how well each pixel as seen is foretold by all others as seen.

    Args:
        y: float (H, W), what was seen.
        couplings: float (r,).
        sigma: of the noise.
        two: y has two levels.

    Returns:
        The mean log chance (of real-valued y: density), and the sigma that the chains themselves would give.
    """
    rng = np.random.default_rng(20)  # the same for all choices, so that they differ by more than chance
    spins = chains.starts(y, 1, rng).repeat(2, axis=0)
    run = chains.raster(y / sigma**2, couplings, spins, _BURN_IN, _SWEEPS, rng)
    white = run.mean
    if two:
        # The chance given the rest is 1 / mean(1 / chance given the clean pixel), over the posterior.
        right = 1 / (1 + np.exp(-2 / sigma**2))
        agrees = np.where(y > 0, white, 1 - white)
        score = -np.log(agrees / right + (1 - agrees) / (1 - right)).mean()
        return float(score), _sigma(float((1 - agrees).mean()), y.size)
    up, down = ((y - level) ** 2 / (2 * sigma**2) for level in (1, -1))
    inverse = np.logaddexp(np.log(np.maximum(white, 1e-300)) + up, np.log(np.maximum(1 - white, 1e-300)) + down)
    score = -(inverse + np.log(sigma * np.sqrt(2 * np.pi))).mean()
    return float(score), max(float(np.sqrt((white * (y - 1) ** 2 + (1 - white) * (y + 1) ** 2).mean())), 0.02)
