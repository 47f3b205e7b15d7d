"""Prediction: experience in, the value of each state out; by Monte Carlo, by temporal differences, and in between."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import numpy as np

from ..errors import InputError
from . import codings, saved, updates
from .codings import Coding, Table
from .experience import STEPS, Episodes, World, record

METHODS = ("every-visit", "first-visit", "td", "n-step", "td-lambda", "batch-td", "batch-mc")
TRACES = {"accumulating": updates.ACCUMULATING, "replacing": updates.REPLACING, "dutch": updates.DUTCH}
_COMPILE = 50_000  # updates that take longer in Python than it takes to import the compiler and load the loop
_DENSE = 5000  # weights at most for which a batch is solved


class Values:
    """State values, learned from episodes under a fixed way of acting.

    Args:
        coding: of observations: `Table(n)`, `Tiles(...)` or `Linear(d)`.
        method: "every-visit" or "first-visit" Monte Carlo, which move values towards the whole return once an episode
            is over; "td", which moves a value towards the next reward and value; "n-step", after n rewards;
            "td-lambda", a mixture of them all; "batch-td" and "batch-mc", where repeating all episodes for ever ends.
        alpha: share of an error that one update takes away, in (0, 1]; split among tilings. None: the mean of all
            returns, for Monte Carlo and tables.
        gamma: discount per step, in [0, 1].
        steps: rewards that n-step waits for, >= 1.
        decay: lambda of td-lambda, in [0, 1].
        traces: "accumulating", "replacing" or "dutch" (true on-line TD(lambda)).
        online: each update starts from what the one before left, inside the episode; else all updates of an episode
            start from the values at its beginning. Monte Carlo waits for the end either way.
        initial: value before learning; of every weight of a table.

    Learned: `weights_` float64 (S,); `episodes_`, how many it has seen.

    Source: Sutton & Barto 2018, 5.1, 6.1-6.3, 7.1, 12.1-12.5; dutch traces: van Seijen & Sutton 2014; batch TD by least
    squares: Bradtke & Barto 1996, doi:10.1007/BF00114723.

    >>> from assay.td.experience import episodes
    >>> trip = episodes([([0, 1, 2, 3, 4, 5], [5, 15, 10, 10, 3])])
    >>> Values(Table(6), method="every-visit", alpha=1.0).update(trip).weights_.tolist()
    [43.0, 38.0, 23.0, 13.0, 3.0, 0.0]
    """

    def __init__(
        self,
        coding: Coding,
        *,
        method: str = "td",
        alpha: float | None = 0.1,
        gamma: float = 1.0,
        steps: int = 1,
        decay: float = 0.0,
        traces: str = "accumulating",
        online: bool = True,
        initial: float = 0.0,
    ) -> None:
        self.coding, self.method, self.alpha, self.gamma = coding, method, alpha, gamma
        self.steps, self.decay, self.traces, self.online, self.initial = steps, decay, traces, online, initial
        self._check()
        self.weights_ = np.full(coding.size, float(initial) / coding.active)
        self.episodes_ = 0
        self._visits = np.zeros(coding.size, np.int64)

    def get_params(self, *, deep: bool = True) -> dict[str, Any]:  # noqa: ARG002 - scikit-learn's signature
        """Return what it was made with."""
        names = ("coding", "method", "alpha", "gamma", "steps", "decay", "traces", "online", "initial")
        return {name: getattr(self, name) for name in names}

    def learn(
        self,
        env: World,
        episodes: int,
        *,
        rng: np.random.Generator,
        act: Callable[[Any], int] | None = None,
        steps: int = STEPS,
    ) -> Self:
        """Walk a world and learn from it; called again, it goes on.

        Args:
            env: any Gymnasium environment with discrete actions.
            episodes: to walk, >= 1.
            rng: source of randomness; the world is seeded from it.
            act: chooses an action from an observation; any action with equal chance by default.
            steps: after which an episode is cut short.

        Raises:
            InputError: actions are not discrete, a reward is not finite, or observations do not fit the coding.
        """
        return self.update(record(env, episodes, act=act, steps=steps, rng=rng))

    def update(self, episodes: Episodes) -> Self:
        """Learn from episodes that are there.

        Args:
            episodes: in the order in which they were lived.

        Raises:
            InputError: observations do not fit the coding.
        """
        self._update(episodes, np.zeros((0, 0)))
        return self

    def trail(self, episodes: Episodes) -> np.ndarray:
        """Learn from episodes that are there, and return the weights after each, float64 (E, S).

        Args:
            episodes: in the order in which they were lived.

        Raises:
            InputError: the method is a batch, or observations do not fit the coding.
        """
        if self.method.startswith("batch"):
            raise InputError(f"a trail needs a method that goes episode by episode, got {self.method!r}")
        trail = np.zeros((len(episodes), self.coding.size))
        self._update(episodes, trail)
        return trail

    def predict(self, observations: Any) -> np.ndarray:
        """Return the value of observations, float64 (n,).

        Args:
            observations: as the coding wants them; one alone counts as n = 1.
        """
        places, values = self.coding.encode(observations)
        return np.asarray((self.weights_[places] * values).sum(axis=1))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it to a safetensors file.

        Args:
            path: of the file.
        """
        card = self.get_params() | {"coding": codings.card(self.coding), "episodes": self.episodes_}
        arrays = {"weights": self.weights_, "visits": self._visits.astype(float)}
        Path(path).write_bytes(saved.pack("values", card, arrays))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read what `save` wrote.

        Args:
            path: of the file.

        Raises:
            InputError: the file holds no such learner, or was written by another version.
        """
        card, arrays = saved.read(path, "values")
        rest = {k: v for k, v in card.items() if k not in ("format", "kind", "coding", "episodes")}
        try:
            new = cls(codings.from_card(card["coding"]), **rest)
            weights, visits, new.episodes_ = arrays["weights"], arrays["visits"], int(card["episodes"])
        except (KeyError, TypeError, ValueError) as e:
            raise InputError(f"a saved learner must hold values, got {path}: {e}") from e
        if weights.shape != new.weights_.shape or visits.shape != weights.shape:
            raise InputError(f"weights must be {new.weights_.shape}, got {weights.shape} in {path}")
        new.weights_, new._visits = weights.astype(float), visits.astype(np.int64)
        return new

    def _check(self) -> None:  # noqa: C901 - one rule after the other
        if self.method not in METHODS:
            raise InputError(f"method must be one of {', '.join(METHODS)}, got {self.method!r}")
        if self.alpha is None:
            if not self.method.endswith("-visit") or not isinstance(self.coding, Table):
                raise InputError("alpha may be None, the mean of all returns, for Monte Carlo and tables only")
        elif not 0 < self.alpha <= 1:
            raise InputError(f"alpha must be in (0, 1], got {self.alpha!r}")
        for name, share in (("gamma", self.gamma), ("decay", self.decay)):
            if not 0 <= share <= 1:
                raise InputError(f"{name} must be in [0, 1], got {share!r}")
        if self.steps < 1:
            raise InputError(f"steps must be >= 1, got {self.steps!r}")
        if self.traces not in TRACES:
            raise InputError(f"traces must be one of {', '.join(TRACES)}, got {self.traces!r}")
        if self.traces == "dutch" and not self.online:
            raise InputError("dutch traces are made for updates inside the episode, got online=False")
        if self.method == "first-visit" and not isinstance(self.coding, Table):
            raise InputError(f"a first visit needs states that are told apart, got {type(self.coding).__name__}")
        if not np.isfinite(self.initial):
            raise InputError(f"initial must be finite, got {self.initial!r}")

    def _update(self, episodes: Episodes, trail: np.ndarray) -> None:
        places, values = self.coding.encode(episodes.observations)
        along = (self.weights_, places, values, episodes.rewards, episodes.starts, episodes.ended)
        step = (self.alpha or 0.0) / self.coding.active
        fast = _compiled if len(episodes.rewards) > _COMPILE else _plain
        if self.method.startswith("batch"):
            self.weights_ = self._solve(episodes, places, values)
        elif self.method.endswith("-visit"):
            first = self.method == "first-visit"
            fast(updates.monte_carlo)(*along, step, self.gamma, first, self.online, self._visits, trail)
        elif self.method == "td-lambda":
            fast(updates.td_lambda)(*along, step, self.gamma, self.decay, TRACES[self.traces], self.online, trail)
        else:
            n = self.steps if self.method == "n-step" else 1
            fast(updates.n_step)(*along, step, self.gamma, n, self.online, trail)
        self.episodes_ += len(episodes)

    def _solve(self, episodes: Episodes, places: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Return the weights at which the updates of all episodes add up to nothing, nearest to those it has."""
        x = dense(places, values, self.coding.size)
        last = episodes.starts[1:] - 1
        here = np.delete(np.arange(len(places)), last)
        after = x.copy()
        after[last[episodes.ended]] = 0  # nothing follows an end
        targets = episodes.rewards.copy()
        if self.method == "batch-td":
            moved = x[here] - self.gamma * after[here + 1]
        else:
            # A return reaches to the end of its episode; where that was cut short, the value there stands for the rest.
            reach = after.copy()
            for t in here[::-1]:
                targets[t] += self.gamma * (targets[t + 1] if t + 1 not in last else 0.0)
                reach[t] = self.gamma * reach[t + 1]
            moved = x[here] - reach[here]
        a, b = x[here].T @ moved, x[here].T @ targets[here]
        correction = np.linalg.lstsq(a, b - a @ self.weights_, rcond=None)[0]
        return np.asarray(self.weights_ + correction)


def dense(places: np.ndarray, values: np.ndarray, size: int) -> np.ndarray:
    """Return codes as rows of a matrix.

    Args:
        places: int (n, k).
        values: float (n, k).
        size: weights.

    Returns:
        float64 (n, size).

    Raises:
        InputError: there are more weights than a batch is solved for.
    """
    if size > _DENSE:
        raise InputError(f"a batch is solved for {_DENSE:,} weights at most, got {size:,}")
    x = np.zeros((len(places), size))
    np.add.at(x, (np.arange(len(places))[:, None], places), values)
    return x


def _plain(loop: Callable[..., None]) -> Callable[..., None]:
    return loop


def _compiled(loop: Callable[..., None]) -> Any:
    from . import kernels

    return kernels.compiled(loop)
