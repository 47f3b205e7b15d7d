"""Policies: action values in, the chance of each action out; and schedules, by which exploring fades."""

from dataclasses import dataclass

import numpy as np

from ..errors import InputError


@dataclass(frozen=True, slots=True)
class Schedule:
    """A number that goes from start to end over some episodes, and stays there.

    shape: "linear", or "exponential", which falls by the same factor each episode and needs both ends above 0.
    """

    start: float
    end: float
    episodes: int
    shape: str = "linear"

    def __post_init__(self) -> None:
        if self.shape not in ("linear", "exponential"):
            raise InputError(f"shape must be linear or exponential, got {self.shape!r}")
        if self.episodes < 1 or (self.shape == "exponential" and min(self.start, self.end) <= 0):
            raise InputError(f"a schedule needs 1 episode, and exponential ends above 0, got {self}")

    def at(self, episodes: np.ndarray) -> np.ndarray:
        """Return the number in each of the episodes, counted from 0."""
        share = np.clip(np.asarray(episodes) / self.episodes, 0, 1)
        if self.shape == "exponential":
            return np.asarray(self.start * (self.end / self.start) ** share)
        return np.asarray(self.start + (self.end - self.start) * share)


Level = float | Schedule


def _at(level: Level, episodes: np.ndarray) -> np.ndarray:
    return level.at(episodes) if isinstance(level, Schedule) else np.full(np.shape(episodes), float(level))


def _ends(level: Level) -> tuple[float, float]:
    return (level.start, level.end) if isinstance(level, Schedule) else (level, level)


@dataclass(frozen=True, slots=True)
class EpsilonGreedy:
    """The best action, but with chance epsilon any action at all; best ones that tie share the rest."""

    epsilon: Level = 0.1

    def __post_init__(self) -> None:
        if not all(0 <= e <= 1 for e in _ends(self.epsilon)):
            raise InputError(f"epsilon must be in [0, 1], got {self.epsilon!r}")

    def levels(self, episodes: np.ndarray) -> np.ndarray:
        """Return epsilon in each of the episodes, counted from 0."""
        return _at(self.epsilon, episodes)

    def probabilities(self, values: np.ndarray, *, episode: int = 0) -> np.ndarray:
        """Return the chance of each action, (n, actions), from its value; each row adds up to 1."""
        values = _rows(values)
        best = values == values.max(axis=1, keepdims=True)
        epsilon = float(self.levels(np.array(episode)))
        return np.asarray(epsilon / values.shape[1] + (1 - epsilon) * best / best.sum(axis=1, keepdims=True))


@dataclass(frozen=True, slots=True)
class Softmax:
    """Each action with a chance that goes with exp(value / temperature)."""

    temperature: Level = 1.0

    def __post_init__(self) -> None:
        if not all(0 < t < np.inf for t in _ends(self.temperature)):
            raise InputError(f"temperature must be a finite number above 0, got {self.temperature!r}")

    def levels(self, episodes: np.ndarray) -> np.ndarray:
        """Return the temperature in each of the episodes, counted from 0."""
        return _at(self.temperature, episodes)

    def probabilities(self, values: np.ndarray, *, episode: int = 0) -> np.ndarray:
        """Return the chance of each action, (n, actions), from its value; each row adds up to 1."""
        values = _rows(values)
        weights = np.exp((values - values.max(axis=1, keepdims=True)) / self.levels(np.array(episode)))
        return np.asarray(weights / weights.sum(axis=1, keepdims=True))


Policy = EpsilonGreedy | Softmax
GREEDY = EpsilonGreedy(0.0)
UNIFORM = EpsilonGreedy(1.0)


def _rows(values: np.ndarray) -> np.ndarray:
    values = np.asarray(values, float)
    if values.ndim != 2 or not values.size or not np.isfinite(values).all():
        raise InputError(f"action values must be finite, (n, actions), got shape {values.shape}")
    return values
