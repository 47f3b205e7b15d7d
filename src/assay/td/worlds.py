"""Worlds: the drive home, the random walk and the cliff, as Gymnasium environments that tell their whole model."""

from typing import Any, ClassVar

import gymnasium
import numpy as np
from gymnasium import spaces

from ..errors import InputError
from .experience import from_table

Model = dict[int, dict[int, list[tuple[float, int, float, bool]]]]

LEGS = ("leaving office", "reach car, raining", "exit highway", "secondary road, behind truck", "home street", "arrive")
MINUTES = (5.0, 15.0, 10.0, 10.0, 3.0)  # that each leg of the tutorial's trip took
GUESSED = (30.0, 35.0, 15.0, 10.0, 3.0, 0.0)  # minutes to go, as the driver thought at each point


class _World(gymnasium.Env[int, int]):
    """A world of few states, stepped through by its model; randomness comes from the seed of `reset` alone."""

    metadata: ClassVar[dict[str, Any]] = {"render_modes": []}  # type: ignore[misc]

    def __init__(self, model: Model, begin: int) -> None:
        self.P = model
        self.initial_state_distrib = np.eye(len(model))[begin]
        self.outcomes = from_table(model, self.initial_state_distrib)
        self.observation_space: Any = spaces.Discrete(len(model))
        self.action_space: Any = spaces.Discrete(len(model[0]))
        self._state = begin

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        """Begin an episode; return the first state and no notes."""
        super().reset(seed=seed, options=options)
        self._state = int(np.searchsorted(self.outcomes.begin, self.np_random.random(), side="right"))
        return self._state, {}

    def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
        """Act; return the next state, the reward, whether the episode ended, False and no notes."""
        if not self.action_space.contains(action):
            raise InputError(f"action must be in 0..{len(self.P[0]) - 1}, got {action!r}")
        chance = self.outcomes.chance[self._state, action]
        b = int(np.searchsorted(chance, self.np_random.random(), side="right")) if len(chance) > 1 else 0
        _, self._state, reward, ended = self.P[self._state][int(action)][b]
        return self._state, float(reward), ended, False, {}


class DriveHome(_World):
    """The way home from the office: six points, one action (drive on), and minutes as rewards.

    The value of a point is the time to go. Point 5 is home.

    Args:
        spread: share by which each leg may be shorter or longer, each with chance 1/4; 0 is the tutorial's trip.

    Source: Sutton & Barto 2018, example 6.1.
    """

    def __init__(self, *, spread: float = 0.0) -> None:
        if not 0 <= spread <= 1:
            raise InputError(f"spread must be in [0, 1], got {spread!r}")
        shares = ((0.25, 1 - spread), (0.5, 1.0), (0.25, 1 + spread)) if spread else ((1.0, 1.0),)
        model: Model = {
            leg: {0: [(p, leg + 1, share * minutes, leg + 1 == len(MINUTES)) for p, share in shares]}
            for leg, minutes in enumerate(MINUTES)
        }
        super().__init__(model | {len(MINUTES): {0: [(1.0, len(MINUTES), 0.0, True)]}}, 0)


class RandomWalk(_World):
    """A row of states with an end on either side: 0 is left (action 0), and stepping off to the right pays 1.

    States 1..n are the row, 0 and n + 1 the ends. Under actions of equal chance the value of state i is i / (n + 1).

    Args:
        n: states between the ends, odd, so that the middle one is where it begins.

    Source: Sutton & Barto 2018, example 6.2.
    """

    def __init__(self, *, n: int = 5) -> None:
        if n < 1 or n % 2 == 0:
            raise InputError(f"n must be odd and >= 1, got {n!r}")
        model: Model = {end: {a: [(1.0, end, 0.0, True)] for a in range(2)} for end in (0, n + 1)}
        for s in range(1, n + 1):
            left, right = (1.0, s - 1, 0.0, s == 1), (1.0, s + 1, float(s == n), s == n)
            model[s] = {0: [left], 1: [right]}
        super().__init__(dict(sorted(model.items())), (n + 1) // 2)


class CliffWalking(_World):
    """A grid of 4 x 12: from the lower left corner to the lower right one, along a cliff.

    State 12 row + column, row 3 the lowest; actions up, right, down, left. Each step costs 1; stepping off the cliff
    between the corners costs 100 and leads back to the start.

    Source: Sutton & Barto 2018, example 6.6.
    """

    ROWS, COLUMNS = 4, 12
    MOVES = ((-1, 0), (0, 1), (1, 0), (0, -1))

    def __init__(self) -> None:
        start, goal = (self.ROWS - 1) * self.COLUMNS, self.ROWS * self.COLUMNS - 1
        model: Model = {}
        for s in range(self.ROWS * self.COLUMNS):
            row, column = divmod(s, self.COLUMNS)
            model[s] = {}
            for a, (down, right) in enumerate(self.MOVES):
                there = (min(max(row + down, 0), self.ROWS - 1), min(max(column + right, 0), self.COLUMNS - 1))
                after = there[0] * self.COLUMNS + there[1]
                falls = start < after < goal
                model[s][a] = [(1.0, start if falls else after, -100.0 if falls else -1.0, after == goal)]
        super().__init__(model, start)
