"""A contest of raters: which of two ways of learning puts pictures nearer to people's order, on the same folds?"""

import contextlib
from dataclasses import dataclass

import numpy as np
from scipy.stats import spearmanr

from ..errors import UndefinedError
from ..stats import intervals, resampling, votes
from ..stats.intervals import Estimate
from .rating_figures import RUNS


@dataclass(frozen=True, slots=True)
class Contest:
    """Two ways of learning, each on pictures that it has not learned from; differences are first minus second.

    srcc: of the rank correlations, by a paired bootstrap of whole groups; loss: of the mean squared EMD (r = 2);
    better: the way that is shown to be better in one of them and not worse in the other, or None; words: the answer.
    """

    first: str
    second: str
    srcc: Estimate | None
    loss: Estimate | None
    better: str | None
    words: str


def hold(
    names: tuple[str, str],
    first: np.ndarray,
    second: np.ndarray,
    rated: np.ndarray,
    scale: np.ndarray,
    *,
    groups: np.ndarray,
    rng: np.random.Generator,
) -> Contest:
    """Compare two ways of learning.

    Args:
        names: of the two.
        first: float (n, k), shares that the one has predicted.
        second: float (n, k), shares that the other has predicted, on the same folds.
        rated: float (n, k), shares of people's votes.
        scale: float (k,).
        groups: int (n,), pictures that belong together.
        rng: for resampling.

    Returns:
        The contest.
    """
    one, other, said = (votes.moments(shares, scale)[0] for shares in (first, second, rated))

    def apart(i: np.ndarray) -> float:
        return _order(one[i], said[i]) - _order(other[i], said[i])

    srcc = loss = None
    with contextlib.suppress(UndefinedError):  # the same answers, or too few groups: nothing is shown
        srcc = resampling.bootstrap(apart, len(said), groups=groups, runs=RUNS, rng=rng)
        losses = [votes.emd(shares, rated, r=2) ** 2 for shares in (first, second)]
        loss = intervals.mean(losses[0] - losses[1], groups=groups)
    shown = {*_shown(names, srcc), *_shown(names[::-1], loss)}
    better = shown.pop() if len(shown) == 1 else None
    return Contest(*names, srcc, loss, better, _words(names, srcc, loss, better))


def _shown(names: tuple[str, str], gain: Estimate | None) -> set[str]:
    """Return the one that a difference shows to be better: the first of two where it lies above 0."""
    if gain is None or gain.low <= 0 <= gain.high:
        return set()
    return {names[0] if gain.value > 0 else names[1]}


def _order(guess: np.ndarray, said: np.ndarray) -> float:
    """Return the rank correlation; 0 where one side does not vary."""
    if np.ptp(guess) == 0 or np.ptp(said) == 0:
        return 0.0
    return float(spearmanr(guess, said).statistic)


def _words(names: tuple[str, str], srcc: Estimate | None, loss: Estimate | None, better: str | None) -> str:
    first, second = names
    if srcc is None:
        return f"Whether {first} or {second} is better cannot be told from these pictures."
    more = f", that of the squared EMD, of which less is better, {_signed(loss, digits=4)}" if loss is not None else ""
    answer = f"{better} is better" if better else "neither is shown to be better"
    return (
        f"On the same folds the rank correlation of {first} less that of {second} is {_signed(srcc, digits=3)}{more}: "
        f"{answer}."
    )


def _signed(e: Estimate, *, digits: int) -> str:
    return f"{e.value:+.{digits}f} ({e.low:+.{digits}f} to {e.high:+.{digits}f})"
