"""Experience: episodes as arrays, recorded from a world that is stepped through, or drawn from its model.

A world is any Gymnasium environment with discrete actions. One that tells its whole model, as Gymnasium's own small
worlds do (`P[state][action]`, a list of (probability, next state, reward, ended)), is walked in a compiled loop.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from ..errors import InputError

STEPS = 100_000  # of one episode at most, unless told otherwise


class World(Protocol):
    """What a learner needs of a Gymnasium environment."""

    action_space: Any
    observation_space: Any
    np_random: Any

    def reset(self, *, seed: int | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode; return the first observation and notes."""

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Act; return observation, reward, whether the episode ended, whether it was cut short, and notes."""


@dataclass(frozen=True, slots=True)
class Episodes:
    """Episodes one after the other.

    observations: (N, ...), every one seen, the last of each episode included; rewards: float64 (N,), what came on
    leaving each, 0 for the last; starts: int64 (E + 1,), where each episode begins, and N; ended: bool (E,), False for
    an episode that was cut short, so that its last observation still has a value.
    """

    observations: np.ndarray
    rewards: np.ndarray
    starts: np.ndarray
    ended: np.ndarray

    def __len__(self) -> int:
        return len(self.ended)

    def first(self, count: int) -> "Episodes":
        """Return the first episodes alone."""
        end = self.starts[count]
        return Episodes(self.observations[:end], self.rewards[:end], self.starts[: count + 1], self.ended[:count])


def episodes(trips: Iterable[tuple[Any, Any]]) -> Episodes:
    """Put together episodes that ended.

    Args:
        trips: of each episode the observations (n + 1, ...), the last included, and the rewards (n,), n >= 1.

    Raises:
        InputError: there is none, lengths do not fit, or a reward is not finite.

    >>> one = episodes([([0, 1, 2], [0.0, 5.0])])
    >>> one.observations, one.rewards, len(one)
    (array([0, 1, 2]), array([0., 5., 0.]), 1)
    """
    pairs = [(np.asarray(o), np.asarray(r, float)) for o, r in trips]
    if not pairs or any(len(o) != len(r) + 1 or not len(r) for o, r in pairs):
        raise InputError("each episode must have one observation more than it has rewards, and 1 reward or more")
    rewards = np.concatenate([np.append(r, 0.0) for _, r in pairs])
    if not np.isfinite(rewards).all():
        raise InputError(f"rewards must be finite, got {float(rewards[~np.isfinite(rewards)][0])}")
    starts = np.cumsum([0, *(len(o) for o, _ in pairs)])
    return Episodes(np.concatenate([o for o, _ in pairs]), rewards, starts, np.ones(len(pairs), bool))


def record(
    env: World,
    count: int,
    *,
    act: Callable[[Any], int] | None = None,
    steps: int = STEPS,
    rng: np.random.Generator,
) -> Episodes:
    """Walk a world and write down what is seen.

    Args:
        env: the world.
        count: episodes, >= 1.
        act: chooses an action from an observation; any action with equal chance by default.
        steps: after which an episode is cut short, >= 1.
        rng: source of randomness; the world is seeded from it.

    Returns:
        Episodes.

    Raises:
        InputError: actions are not discrete, count or steps is below 1, or a reward is not finite.
    """
    n = actions(env)
    if count < 1 or steps < 1:
        raise InputError(f"count and steps must be >= 1, got {count!r} and {steps!r}")
    model = outcomes(env)
    seed = int(rng.integers(2**31))
    if model is not None and act is None:
        from . import kernels

        first, _ = env.reset(seed=seed)
        return Episodes(*kernels.walk(int(first), *model.arrays(), n, count, steps, env.np_random, rng))
    seen: list[Any] = []
    rewards: list[float] = []
    starts, ended = [0], []
    for episode in range(count):
        observation, _ = env.reset(seed=seed if episode == 0 else None)
        end = cut = False
        for _ in range(steps):
            seen.append(observation)
            action = int(rng.random() * n) if act is None else act(observation)
            observation, reward, end, cut, _ = env.step(action)
            rewards.append(finite(reward))
            if end or cut:
                break
        seen.append(observation)
        rewards.append(0.0)
        starts.append(len(seen))
        ended.append(bool(end))
    return Episodes(np.asarray(seen), np.asarray(rewards), np.asarray(starts), np.asarray(ended))


def actions(env: World) -> int:
    """Return how many actions a world has.

    Args:
        env: the world.

    Raises:
        InputError: its actions are not discrete, or do not begin at 0.
    """
    n = getattr(env.action_space, "n", None)
    if n is None or int(getattr(env.action_space, "start", 0)) != 0:
        raise InputError(f"a world must have discrete actions 0..n-1, got {env.action_space}")
    return int(n)


def finite(reward: Any) -> float:
    """Return a reward as a float.

    Args:
        reward: what a world gave.

    Raises:
        InputError: it is not finite.
    """
    value = float(reward)
    if not np.isfinite(value):
        raise InputError(f"rewards must be finite, got {value!r}")
    return value


@dataclass(frozen=True, slots=True)
class Outcomes:
    """The model of a world with few states.

    begin: float (S,), cumulative chances of the first state; chance: float (S, A, B), cumulative chances of the
    outcomes; then: int (S, A, B), the next state; reward: float (S, A, B); end: bool (S, A, B).
    """

    begin: np.ndarray
    chance: np.ndarray
    then: np.ndarray
    reward: np.ndarray
    end: np.ndarray

    def arrays(self) -> tuple[np.ndarray, ...]:
        """Return all of it, as the compiled loops take it."""
        return self.begin, self.chance, self.then, self.reward, self.end


def outcomes(env: World) -> Outcomes | None:
    """Return the model of a world that tells it, or None.

    Only a world with nothing wrapped around it counts: a wrapper may change what comes of an action.

    Args:
        env: the world.

    Raises:
        InputError: a reward or a chance in the model is not finite, or chances do not add up to 1.
    """
    table, begin = getattr(env, "P", None), getattr(env, "initial_state_distrib", None)
    if getattr(env, "unwrapped", None) is not env or not isinstance(table, dict) or begin is None:
        return None
    cached: Outcomes | None = getattr(env, "outcomes", None)
    if cached is not None:
        return cached
    return from_table(table, np.asarray(begin, float))


def from_table(table: dict[int, dict[int, list[tuple[float, int, float, bool]]]], begin: np.ndarray) -> Outcomes:
    """Turn a model as Gymnasium writes it into arrays.

    Args:
        table: `P[state][action]`, a list of (probability, next state, reward, ended).
        begin: float (S,), the chance of each first state.

    Returns:
        The model; outcomes that an action lacks have chance 0.

    Raises:
        InputError: a reward or a chance is not finite, chances do not add up to 1, or a state is not in the table.
    """
    states, n = len(table), len(table[0])
    if set(table) != set(range(states)) or any(set(row) != set(range(n)) for row in table.values()):
        raise InputError(f"a model must have states 0..{states - 1} with actions 0..{n - 1} each")
    most = max(len(table[s][a]) for s in range(states) for a in range(n))
    chance, reward = np.zeros((states, n, most)), np.zeros((states, n, most))
    then, end = np.zeros((states, n, most), np.int64), np.zeros((states, n, most), np.bool_)
    for s in range(states):
        for a in range(n):
            for b, (p, where, gain, over) in enumerate(table[s][a]):
                chance[s, a, b], then[s, a, b], reward[s, a, b], end[s, a, b] = p, where, gain, over
    if not ((then >= 0) & (then < states)).all() or begin.shape != (states,):
        raise InputError(f"a model must lead from and to states 0..{states - 1}, got {int(then.max())}")
    if not np.isfinite(reward).all():
        raise InputError(f"rewards must be finite, got {float(reward[~np.isfinite(reward)][0])}")
    sums = np.append(chance.sum(axis=2).ravel(), begin.sum())
    if not (np.isfinite(sums).all() and np.allclose(sums, 1)):
        raise InputError(f"the chances of an action must add up to 1, got {float(sums[~np.isclose(sums, 1)][0])}")
    return Outcomes(_cumulative(begin), _cumulative(chance), then, reward, end)


def _cumulative(chance: np.ndarray) -> np.ndarray:
    sums = np.cumsum(chance, axis=-1)
    return np.asarray(np.where(sums > 1 - 1e-9, 1.0, sums))  # rounding must not leave room for what has no chance
