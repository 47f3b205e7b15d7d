"""Coupling and noise of an Ising picture: what was seen in, the parameters that foretell it best out.

For each choice of couplings, chains give the chance of white at each pixel; from it follows how likely the pixel was
to be seen as it was, given all others as they were seen. Importing this module loads the compiler.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from . import chains

_WINDOW = 2**18  # pixels that are looked at, at most
# Couplings at distances 1, 2, 3 as shares of their sum.
_SHAPES = {
    1: ((1.0,),),
    2: ((1.0,), (0.8, 0.2), (0.67, 0.33), (0.57, 0.43)),
    3: ((1.0,), (0.8, 0.2), (0.67, 0.33), (0.57, 0.43), (0.57, 0.29, 0.14), (0.44, 0.33, 0.23)),
}
_SUMS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.15, 1.3, 1.5)  # of the couplings, from weak to strong
_SWEEPS, _BURN_IN = 60, 15


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
    best, sigma = _climb(y, np.ones(1), _SUMS, _first_sigma(y, two=two), two=two)
    for shape in _SHAPES[reach][1:]:
        # Where one shape is best, the next is not far from it.
        near = [float(best.couplings.sum() * factor) for factor in (0.5, 0.8, 0.9, 1.0, 1.1, 1.25)]
        found, sigma_there = _climb(y, np.array(shape), near, sigma, two=two)
        if found.mean > best.mean:
            best, sigma = found, sigma_there
    best, sigma = _refine(y, best, sigma, two=two)
    best = _weakest(y, best, sigma, two=two)
    return tuple(float(c) for c in best.couplings), float(sigma), best.mean


@dataclass(frozen=True, slots=True)
class _Tried:
    """Couplings, and the log chance of each pixel given all others under them."""

    couplings: np.ndarray
    scores: np.ndarray

    @property
    def mean(self) -> float:
        return float(self.scores.mean())


def _climb(y: np.ndarray, shape: np.ndarray, sums: Sequence[float], sigma: float, *, two: bool) -> tuple[_Tried, float]:
    """Raise the sum of couplings of one shape while that foretells better; sigma follows the best.

    Chains begin where those of weaker couplings ended. Strong ones from a start at what was seen would freeze there,
    and foretell it all too well.
    """
    best, spins = _Tried(shape, np.full(1, -np.inf)), chains.starts(y, 2, rng=np.random.default_rng(21))
    for total in sums:
        scores, sigma_next = foretold(y, total * shape, sigma, spins, two=two)
        tried = _Tried(total * shape, scores)
        if tried.mean < best.mean:
            break
        best, sigma = tried, sigma_next
    return best, sigma


def _refine(y: np.ndarray, start: _Tried, sigma: float, *, two: bool) -> tuple[_Tried, float]:
    """Move sigma to where the chains give it back, and the couplings to the top of a parabola, in turn."""
    spins = chains.starts(y, 2, rng=np.random.default_rng(21))
    couplings, step = start.couplings, 0.1
    foretold(y, couplings / 2, sigma, spins, two=two)
    for _ in range(3):
        # Expectation-maximisation goes there in steps that shrink at a steady rate: two of them tell the end.
        _, second = foretold(y, couplings, sigma, spins, two=two)
        _, third = foretold(y, couplings, second, spins, two=two)
        first_step, next_step = np.log(second / sigma), np.log(third / second)
        rate = float(np.clip(next_step / first_step, 0, 0.9)) if first_step else 0.0
        sigma = float(third * np.exp(next_step * rate / (1 - rate)))
        low, here, high = (
            float(foretold(y, couplings * np.exp(d), sigma, spins, two=two)[0].mean()) for d in (-step, 0.0, step)
        )
        bend = low - 2 * here + high
        top = (low - high) / (2 * bend) if bend < 0 else float(np.sign(high - low))
        couplings = couplings * float(np.exp(step * np.clip(top, -1.5, 1.5)))
    return _Tried(couplings, foretold(y, couplings, sigma, spins, two=two)[0]), sigma


def _weakest(y: np.ndarray, best: _Tried, sigma: float, *, two: bool) -> _Tried:
    """Weaken the best couplings while they do as well within one standard error."""
    spins = chains.starts(y, 2, rng=np.random.default_rng(21))
    for factor in (0.5, 0.8):
        foretold(y, best.couplings * factor, sigma, spins, two=two)
    best = chosen = _Tried(best.couplings, foretold(y, best.couplings, sigma, spins, two=two)[0])
    for factor in (0.95, 0.9, 0.85, 0.8, 0.75, 0.7):
        tried = _Tried(best.couplings * factor, foretold(y, best.couplings * factor, sigma, spins, two=two)[0])
        worse = best.scores - tried.scores
        if worse.mean() > worse.std() / np.sqrt(worse.size):
            break
        chosen = tried
    return chosen


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


def foretold(
    y: np.ndarray, couplings: np.ndarray, sigma: float, spins: np.ndarray, *, two: bool
) -> tuple[np.ndarray, float]:
    """Score parameters by how well each pixel as seen is foretold by all others as seen.

    Args:
        y: float (H, W), what was seen.
        couplings: float (r,).
        sigma: of the noise.
        spins: int8 (chains, H, W), where chains start; left where they end.
        two: y has two levels.

    Returns:
        The log chance of each pixel (of real-valued y: density), and the sigma that the chains themselves would give.
    """
    rng = np.random.default_rng(20)  # the same for all choices, so that they differ by more than chance
    run = chains.smooth(y / sigma**2, couplings, spins, _BURN_IN, _BURN_IN + _SWEEPS, rng=rng)
    spins[:] = run.last
    white = run.mean
    if two:
        # The chance given the rest is 1 / mean(1 / chance given the clean pixel), over the posterior.
        right = 1 / (1 + np.exp(-2 / sigma**2))
        agrees = np.where(y > 0, white, 1 - white)
        score = -np.log(agrees / right + (1 - agrees) / (1 - right))
        return score, _sigma(float((1 - agrees).mean()), y.size)
    up, down = ((y - level) ** 2 / (2 * sigma**2) for level in (1, -1))
    inverse = np.logaddexp(np.log(np.maximum(white, 1e-300)) + up, np.log(np.maximum(1 - white, 1e-300)) + down)
    score = -(inverse + np.log(sigma * np.sqrt(2 * np.pi)))
    return score, max(float(np.sqrt((white * (y - 1) ** 2 + (1 - white) * (y + 1) ** 2).mean())), 0.02)
