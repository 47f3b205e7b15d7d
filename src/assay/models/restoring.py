"""Restoring as a world: a damaged part of a clean picture, filters as actions, and as reward what each brings.

A Gymnasium environment, so that any learner for discrete actions can be put into it; and experience gathered in it for
learning again and again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import gymnasium
import numpy as np
from gymnasium import spaces

from ..errors import InputError
from ..pixels import fidelity
from . import chain, damage
from .chain import ACTIONS, COST, STEPS, WIDTH, View
from .damage import Damage
from .symptoms import SIDE

_BEST = 50.0  # dB, beyond which nothing is gained: an untouched clean picture has infinitely many
_LOOKED = 4  # filters of each state whose outcome is looked at again; what the others lead to is taken for nothing
_ON = 0.75  # chance to go on after a filter: first steps matter most, and each costs as much as a later one
_SEEN = 8.0  # ends of what a restorer sees


def gain(image: np.ndarray, clean: np.ndarray) -> float:
    """Return the PSNR of a picture in dB, 50 at most.

    Args:
        image: picture, uint8.
        clean: what it should be.
    """
    return min(fidelity.psnr(image, clean), _BEST)


class Restoring(gymnasium.Env[np.ndarray, int]):
    """A damaged picture, and the filters as actions; 0 stops. The reward is what PSNR gains, less a small cost.

    Args:
        pictures: clean ones, uint8, 128 x 128 pixels at least; parts of them are used.
        mixture: draws the damage of an episode.

    Raises:
        InputError: there is no picture, or one is not uint8 or too small.
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": []}  # type: ignore[misc]

    def __init__(
        self,
        pictures: Sequence[np.ndarray],
        *,
        mixture: Callable[[np.random.Generator], Damage] = lambda rng: damage.draw(rng=rng),
    ) -> None:
        if not pictures or any(p.dtype != np.uint8 or min(p.shape[:2]) < SIDE for p in pictures):
            raise InputError(f"restoring is learned from pictures of uint8, {SIDE} x {SIDE} pixels and more")
        self._pictures, self._mixture = pictures, mixture
        self.observation_space: Any = spaces.Box(-_SEEN, _SEEN, (WIDTH,), np.float64)
        self.action_space: Any = spaces.Discrete(len(ACTIONS))
        self.clean = np.zeros((SIDE, SIDE), np.uint8)
        self.view: View = chain.begin(self.clean)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Damage a part of a picture; return what is seen of it, and what was done to it."""
        super().reset(seed=seed, options=options)
        rng = self.np_random
        picture = self._pictures[int(rng.integers(len(self._pictures)))]
        top, left = (int(rng.integers(0, n - SIDE + 1)) for n in picture.shape[:2])
        part = picture[top : top + SIDE, left : left + SIDE]
        self.clean = np.ascontiguousarray(part[:, ::-1] if rng.random() < 0.5 else part)
        drawn = self._mixture(rng)
        self.view = chain.begin(drawn.apply(self.clean, rng=rng))
        return self.seen(), {"damage": str(drawn)}

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Apply a filter, or stop."""
        if not self.action_space.contains(action):
            raise InputError(f"action must be in 0..{len(ACTIONS) - 1}, got {action!r}")
        if action == 0:
            return self.seen(), 0.0, True, False, {}
        before = gain(self.view.image, self.clean)
        self.view = chain.follow(self.view, int(action), chain.outcome(self.view, action)[1])
        reward = gain(self.view.image, self.clean) - before - COST
        return self.seen(), reward, len(self.view.done) == STEPS, False, {}

    def seen(self) -> np.ndarray:
        """Return what a restorer sees now, float64 (WIDTH,)."""
        return _seen(self.view)

    def outcomes(self) -> tuple[list[np.ndarray], np.ndarray]:
        """Return the picture after each action, and each action's reward, float64 (actions,)."""
        images = [chain.outcome(self.view, a)[1] for a in range(len(ACTIONS))]
        before = gain(self.view.image, self.clean)
        rewards = np.array([gain(image, self.clean) - before - COST for image in images])
        rewards[0] = 0.0
        return images, rewards


def _seen(view: View) -> np.ndarray:
    return np.asarray(chain.state(view).clip(-_SEEN, _SEEN))


@dataclass(frozen=True, slots=True)
class Experience:
    """What was lived through: every action in each of n states.

    seen: float64 (n, WIDTH); rewards: float64 (n, actions); following: float64 (k, WIDTH), what some of the actions led
    to; origins: int64 (k, 2), from which state and by which action; scores: float64 (n,), SSIM of each picture.
    """

    seen: np.ndarray
    rewards: np.ndarray
    following: np.ndarray
    origins: np.ndarray
    scores: np.ndarray


def gather(world: Restoring, episodes: int, *, rng: np.random.Generator) -> Experience:
    """Live through episodes, and in each state try every action.

    Half of the time the best is then done, else one of the next best, or any.

    Args:
        world: seeded.
        episodes: to live through.
        rng: source of randomness.

    Returns:
        The experience. What actions lead to that bring much less than the best is not looked at.
    """
    seen: list[np.ndarray] = []
    rewards: list[np.ndarray] = []
    following: list[np.ndarray] = []
    origins: list[tuple[int, int]] = []
    scores: list[float] = []
    for _ in range(episodes):
        here, _ = world.reset()
        while True:
            images, gains = world.outcomes()
            order = np.argsort(-gains[1:]) + 1
            best = int(order[0]) if gains[order[0]] > 0 else 0
            draw = rng.random()
            action = best if draw < 0.5 else int(order[rng.integers(6)] if draw < 0.85 else rng.integers(1, len(gains)))
            last = len(world.view.done) == STEPS - 1
            then = {a: chain.follow(world.view, a, images[a]) for a in {*order[:_LOOKED].tolist(), action} - {0}}
            if not last:
                following += [_seen(view) for view in then.values()]
                origins += [(len(seen), a) for a in then]
            seen.append(here)
            rewards.append(gains)
            scores.append(fidelity.ssim(world.view.image, world.clean))
            if action == 0 or last or rng.random() > _ON:
                break
            world.view, here = then[action], _seen(then[action])
    places = np.array(origins, np.int64).reshape(-1, 2)
    return Experience(
        np.array(seen), np.array(rewards), np.array(following).reshape(-1, WIDTH), places, np.array(scores)
    )
