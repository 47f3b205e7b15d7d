"""Control: a world in, the value of each action in it out, and with that what to do; by SARSA and Q-learning."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from ..errors import InputError
from . import codings, saved
from .codings import Coding
from .experience import STEPS, Outcomes, World, actions, finite, outcomes
from .policies import EpsilonGreedy, Policy, Schedule, Softmax
from .prediction import TRACES, dense

METHODS = ("sarsa", "expected-sarsa", "q-learning", "double-q")
_ROWS = 1000  # of a matrix that are coded at a time
_POLICIES: dict[str, type[Policy]] = {"epsilon-greedy": EpsilonGreedy, "softmax": Softmax}


@dataclass(frozen=True, slots=True)
class Moves:
    """Moves that were made once, by whatever policy, to learn from again.

    observations, following: (n, ...), before and after; actions: int (n,); rewards: float (n,); ended: bool (n,).
    """

    observations: np.ndarray
    actions: np.ndarray
    rewards: np.ndarray
    following: np.ndarray
    ended: np.ndarray


@dataclass(frozen=True, slots=True)
class Trials:
    """Every action tried in each of some states.

    observations: (n, ...); rewards: float (n, actions); following: (k, ...), what some of the actions led to; origins:
    int (k, 2), the state and the action that each came from. An action with nothing following ended there.
    """

    observations: np.ndarray
    rewards: np.ndarray
    following: np.ndarray
    origins: np.ndarray


class Control:
    """Action values, learned by acting.

    Args:
        coding: of observations: `Table(n)`, `Tiles(...)` or `Linear(d)`.
        actions: of the world, >= 1.
        method: "sarsa", which learns of the way it acts, exploring included; "expected-sarsa", the same with the mean
            over what it might do next; "q-learning", which learns of the best way while it explores; "double-q", which
            keeps two sets of values, so that the best is not overrated.
        alpha: share of an error that one update takes away, in (0, 1]; split among tilings.
        gamma: discount per step, in [0, 1].
        policy: `EpsilonGreedy(epsilon)` or `Softmax(temperature)`, each a number or a `Schedule` over episodes.
        decay: lambda of SARSA(lambda), in [0, 1]; other methods have none.
        traces: "accumulating", "replacing" or "dutch" (true on-line SARSA(lambda)).
        initial: value of every action before learning.

    Learned: `weights_` float64 (heads, actions, S), two heads for double-q; `returns_` and `lengths_` of each episode,
    float64 and int64 (episodes,).

    Source: Sutton & Barto 2018, 6.4-6.7, 12.7; double learning: van Hasselt 2010.

    >>> from assay.td.codings import Table
    >>> from assay.td.worlds import CliffWalking
    >>> learner = Control(Table(48), 4, method="q-learning", alpha=0.5)
    >>> learner.learn(CliffWalking(), 500, rng=np.random.default_rng(0)).predict([36, 24]).tolist()  # up, right
    [0, 1]
    """

    def __init__(
        self,
        coding: Coding,
        actions: int,
        *,
        method: str = "sarsa",
        alpha: float = 0.1,
        gamma: float = 1.0,
        policy: Policy = EpsilonGreedy(0.1),  # noqa: B008 - it is frozen
        decay: float = 0.0,
        traces: str = "replacing",
        initial: float = 0.0,
    ) -> None:
        self.coding, self.actions, self.method, self.alpha, self.gamma = coding, actions, method, alpha, gamma
        self.policy, self.decay, self.traces, self.initial = policy, decay, traces, initial
        self._check()
        heads = 2 if method == "double-q" else 1
        self.weights_ = np.full((heads, actions, coding.size), float(initial) / coding.active)
        self.returns_, self.lengths_ = np.zeros(0), np.zeros(0, np.int64)

    def get_params(self, *, deep: bool = True) -> dict[str, Any]:  # noqa: ARG002 - scikit-learn's signature
        """Return what it was made with."""
        names = ("coding", "actions", "method", "alpha", "gamma", "policy", "decay", "traces", "initial")
        return {name: getattr(self, name) for name in names}

    def learn(
        self,
        env: World,
        episodes: int,
        *,
        rng: np.random.Generator,
        steps: int = STEPS,
        tell: Callable[[int], None] = lambda _: None,
        stop: Callable[[], bool] = lambda: False,
    ) -> Self:
        """Act in a world and learn from it; called again, it goes on.

        Args:
            env: any Gymnasium environment with as many discrete actions.
            episodes: to live through, >= 1.
            rng: source of randomness; the world is seeded from it.
            steps: after which an episode is cut short, >= 1.
            tell: is given the number of episodes done, after each; not where the whole loop is compiled.
            stop: asked after each episode; True ends the learning.

        Raises:
            InputError: the world has other actions, a reward is not finite, or observations do not fit the coding.
        """
        if actions(env) != self.actions:
            raise InputError(f"the world must have {self.actions} actions, as the learner has, got {actions(env)}")
        if episodes < 1 or steps < 1:
            raise InputError(f"episodes and steps must be >= 1, got {episodes!r} and {steps!r}")
        done = len(self.returns_)
        self.returns_ = np.append(self.returns_, np.zeros(episodes))
        self.lengths_ = np.append(self.lengths_, np.zeros(episodes, np.int64))
        levels = self.policy.levels(np.arange(done, done + episodes))
        model = outcomes(env)
        seed = int(rng.integers(2**31))
        if model is not None:
            self._learn_model(env, model, levels, seed=seed, steps=steps, rng=rng)
            return self
        for i, level in enumerate(levels.tolist()):
            gain, length = self._live(env, level, seed=seed if i == 0 else None, steps=steps, rng=rng)
            self.returns_[done + i], self.lengths_[done + i] = gain, length
            tell(i + 1)
            if stop():
                self.returns_, self.lengths_ = self.returns_[: done + i + 1], self.lengths_[: done + i + 1]
                break
        return self

    def replay(self, moves: Moves, *, sweeps: int = 1, rng: np.random.Generator) -> Self:
        """Learn from remembered moves, each sweep in an order of its own.

        Args:
            moves: of any policy: Q-learning learns of the best way whatever was done.
            sweeps: times that all moves are gone through, >= 1.
            rng: source of randomness.

        Raises:
            InputError: the method is not "q-learning" or "double-q", the moves are of different numbers, an action is
                unknown, a reward is not finite, or observations do not fit the coding.
        """
        from . import kernels

        codes, chosen, rewards, ended = self._checked(moves, sweeps)
        step, gamma = self._options()[:2]
        n = len(chosen)
        for _ in range(sweeps):
            heads = rng.integers(len(self.weights_), size=n)
            kernels.replay(self.weights_, *codes, chosen, rewards, ended, rng.permutation(n), step, gamma, heads)
        return self

    def solve(self, trials: Trials, *, sweeps: int = 1, ridge: float = 0.0) -> Self:
        """Learn from trials by least squares: where replaying them for ever, with ever smaller steps, ends.

        Each sweep fits every action's values to rewards and to the best values that the sweep before has found.

        Args:
            trials: every action in each state.
            sweeps: >= 1; as many as moves follow one another.
            ridge: what weights are held by, >= 0, as if each had been seen so often to be 0.

        Raises:
            InputError: the method is not "q-learning", trials do not fit each other or the actions, a reward is not
                finite, observations do not fit the coding, or there are more than 5,000 weights an action.

        Source: Ernst, Geurts & Wehenkel 2005 (fitted Q iteration), with linear features.
        """
        if self.method != "q-learning" or not (np.isfinite(ridge) and ridge >= 0) or sweeps < 1:
            raise InputError(
                f"solving needs q-learning, ridge >= 0 and sweeps >= 1, got {self.method!r}, {ridge!r} and {sweeps!r}"
            )
        rewards, origins = np.asarray(trials.rewards, float), np.asarray(trials.origins)
        n, k = len(trials.observations), len(trials.following)
        within = origins.shape == (k, 2) and ((origins >= 0) & (origins < (n, self.actions))).all()
        if rewards.shape != (n, self.actions) or not within:
            raise InputError(
                f"trials must have rewards ({n}, {self.actions}) and origins ({k}, 2) among them, "
                f"got {rewards.shape} and {origins.shape}"
            )
        if not np.isfinite(rewards).all():
            raise InputError(f"rewards must be finite, got {float(rewards[~np.isfinite(rewards)][0])}")
        here, after = self._rows(trials.observations), self._rows(trials.following)
        solver = np.linalg.pinv(here.T @ here + ridge * np.eye(self.coding.size), hermitian=True) @ here.T
        for _ in range(sweeps):
            targets = rewards.copy()
            targets[origins[:, 0], origins[:, 1]] += self.gamma * (after @ self.weights_[0].T).max(axis=1)
            self.weights_[0] = (solver @ targets).T
        return self

    def _rows(self, observations: np.ndarray) -> np.ndarray:
        """Return codes as rows of a matrix, some rows at a time: places take as much memory as values."""
        found = np.zeros((len(observations), self.coding.size))
        for i in range(0, len(found), _ROWS):
            found[i : i + _ROWS] = dense(*self.coding.encode(observations[i : i + _ROWS]), self.coding.size)
        return found

    def _checked(self, moves: Moves, sweeps: int) -> tuple[tuple[np.ndarray, ...], np.ndarray, np.ndarray, np.ndarray]:
        """Return codes before and after, actions, rewards and ends."""
        if self.method not in ("q-learning", "double-q"):
            raise InputError(
                f"only q-learning and double-q learn of another policy than their own, got {self.method!r}"
            )
        chosen, rewards = np.asarray(moves.actions), np.asarray(moves.rewards, float)
        n = len(chosen)
        if {len(moves.observations), len(moves.following), len(rewards), len(moves.ended)} != {n} or sweeps < 1:
            raise InputError(f"moves must have as many of each field, and sweeps be >= 1, got {n} and {sweeps!r}")
        if not np.isfinite(rewards).all():
            raise InputError(f"rewards must be finite, got {float(rewards[~np.isfinite(rewards)][0])}")
        if chosen.dtype.kind not in "iu" or not ((chosen >= 0) & (chosen < self.actions)).all():
            raise InputError(f"actions must be whole numbers in 0..{self.actions - 1}, got {chosen!r:.80}")
        codes = *self.coding.encode(moves.observations), *self.coding.encode(moves.following)
        return codes, chosen, rewards, np.asarray(moves.ended, bool)

    def values(self, observations: Any) -> np.ndarray:
        """Return the value of each action, float64 (n, actions).

        Args:
            observations: as the coding wants them; one alone counts as n = 1.
        """
        places, values = self.coding.encode(observations)
        weights = self.weights_.mean(axis=0)
        return np.asarray(np.einsum("ank,nk->na", weights[:, places], values))

    def predict(self, observations: Any) -> np.ndarray:
        """Return the best action, int (n,); the first of those that tie.

        Args:
            observations: as the coding wants them; one alone counts as n = 1.
        """
        return np.asarray(self.values(observations).argmax(axis=1))

    def pack(self, *, notes: dict[str, Any] | None = None) -> bytes:
        """Return it as the bytes of a safetensors file.

        Args:
            notes: plain JSON values to keep beside it.
        """
        kind = "epsilon-greedy" if isinstance(self.policy, EpsilonGreedy) else "softmax"
        level = self.policy.epsilon if isinstance(self.policy, EpsilonGreedy) else self.policy.temperature
        if isinstance(level, Schedule):
            level_card: Any = [level.start, level.end, level.episodes, level.shape]
        else:
            level_card = level
        card = self.get_params() | {"coding": codings.card(self.coding), "policy": [kind, level_card]}
        arrays = {"weights": self.weights_, "returns": self.returns_, "lengths": self.lengths_.astype(float)}
        return saved.pack("control", card | {"notes": notes or {}}, arrays)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it to a safetensors file.

        Args:
            path: of the file.
        """
        Path(path).write_bytes(self.pack())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read what `save` wrote.

        Args:
            path: of the file.

        Raises:
            InputError: the file holds no such learner, or was written by another version.
        """
        card, arrays = saved.read(path, "control")
        rest = {k: v for k, v in card.items() if k not in ("format", "kind", "coding", "policy", "notes")}
        try:
            kind, level = card["policy"]
            policy = _POLICIES[kind](Schedule(*level) if isinstance(level, list) else level)
            new = cls(codings.from_card(card["coding"]), policy=policy, **rest)
            weights, returns, lengths = arrays["weights"], arrays["returns"], arrays["lengths"]
        except (KeyError, TypeError, ValueError) as e:
            raise InputError(f"a saved learner must hold action values, got {path}: {e}") from e
        if weights.shape != new.weights_.shape:
            raise InputError(f"weights must be {new.weights_.shape}, got {weights.shape} in {path}")
        new.weights_, new.returns_, new.lengths_ = (
            weights.astype(float),
            returns.astype(float),
            lengths.astype(np.int64),
        )
        return new

    def _check(self) -> None:
        if self.method not in METHODS:
            raise InputError(f"method must be one of {', '.join(METHODS)}, got {self.method!r}")
        if self.actions < 1:
            raise InputError(f"actions must be >= 1, got {self.actions!r}")
        if not 0 < self.alpha <= 1:
            raise InputError(f"alpha must be in (0, 1], got {self.alpha!r}")
        for name, share in (("gamma", self.gamma), ("decay", self.decay)):
            if not 0 <= share <= 1:
                raise InputError(f"{name} must be in [0, 1], got {share!r}")
        if self.decay and self.method != "sarsa":
            raise InputError(f"decay belongs to sarsa, got {self.decay!r} for {self.method!r}")
        if self.traces not in TRACES:
            raise InputError(f"traces must be one of {', '.join(TRACES)}, got {self.traces!r}")
        if not np.isfinite(self.initial):
            raise InputError(f"initial must be finite, got {self.initial!r}")

    def _options(self) -> tuple[float, float, float, int, int]:
        """Return step, gamma, lambda, kind of traces and kind of policy, as the compiled loops take them."""
        kind = 0 if isinstance(self.policy, EpsilonGreedy) else 1
        return self.alpha / self.coding.active, self.gamma, self.decay, TRACES[self.traces], kind

    def _scratch(self) -> tuple[np.ndarray, ...]:
        size = self.actions * self.coding.size if self.decay else 0
        return np.zeros(self.actions), np.zeros(size), np.zeros(size, np.bool_), np.zeros(size, np.int64), np.zeros(2)

    def _learn_model(
        self, env: World, model: Outcomes, levels: np.ndarray, *, seed: int, steps: int, rng: np.random.Generator
    ) -> None:
        from . import kernels

        first, _ = env.reset(seed=seed)
        places, values = self.coding.encode(np.arange(len(model.then)))
        n = len(levels)
        kernels.control(
            self.weights_, *self._scratch(), METHODS.index(self.method), int(first), *model.arrays(), places, values,
            steps, *self._options(), levels, env.np_random, rng, self.returns_[-n:], self.lengths_[-n:],
        )  # fmt: skip

    def _live(
        self, env: World, level: float, *, seed: int | None, steps: int, rng: np.random.Generator
    ) -> tuple[float, int]:
        """Live through one episode; return what it gave and how long it was."""
        from . import kernels

        method, options = METHODS.index(self.method), self._options()
        scratch, kind = self._scratch(), options[-1]
        q = scratch[0]

        def seen(observation: Any) -> tuple[np.ndarray, np.ndarray, int]:
            return *self.coding.encode(np.asarray(observation)[None]), 0

        def chosen(code: tuple[np.ndarray, np.ndarray, int]) -> int:
            kernels.evaluate(self.weights_, *code, q)
            return int(kernels.choose(q, kind, level, rng))

        observation, _ = env.reset(seed=seed)
        code, total, length = seen(observation), 0.0, 0
        action = chosen(code)
        for length in range(1, steps + 1):  # noqa: B007 - it is returned
            observation, reward, end, cut, _ = env.step(action)
            after, gain = seen(observation), finite(reward)
            total += gain
            ahead = chosen(after) if self.method == "sarsa" and not end else 0
            kernels.backup(
                self.weights_, *scratch, method, *code, action, gain, *after, ahead, bool(end), *options, level, rng
            )
            if end or cut:
                break
            action = ahead if self.method == "sarsa" else chosen(after)
            code = after
        return total, length


def greedy_path(learner: Control, env: World, *, steps: int = 1000) -> list[Any]:
    """Return the observations on the way that a learner thinks best, the last included.

    Args:
        learner: that has learned.
        env: a world without chance, or one that has been seeded.
        steps: after which the way is cut short.
    """
    observation, _ = env.reset()
    way = [observation]
    for _ in range(steps):
        observation, _, end, cut, _ = env.step(int(learner.predict(np.asarray(observation)[None])[0]))
        way.append(observation)
        if end or cut:
            break
    return way
