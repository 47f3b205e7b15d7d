"""Training of a restorer: clean pictures in, a restorer out, which has tried every filter in every state it was in.

The parts of the experience depend on the pictures and a seed alone, so that they may be gathered in any order, in any
number of processes: the same restorer comes out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import InputError
from ..td.control import Trials
from .chain import STEPS
from .restorer import Restorer, learner_for, peaks
from .restoring import Experience, Restoring, gather

EPISODES = 6000
PART = 20  # episodes that are gathered together
_KNOWN = 2500  # states that peaks stand at, at most
_RIDGE = 0.3
_WORST = -2.0  # dB: how much worse an action is than that does not matter; values are surer where it does


@dataclass(frozen=True, slots=True)
class Plan:
    """What a training consists of: the seed and the episodes of each part, and the seed of what comes after them."""

    parts: tuple[tuple[int, int], ...]
    last: int


def plan(count: int, *, rng: np.random.Generator) -> Plan:
    """Divide episodes into parts.

    Args:
        count: episodes, >= 1.
        rng: source of randomness.

    Returns:
        The plan. A longer one begins with the parts of a shorter one.

    Raises:
        InputError: count is below 1.
    """
    if count < 1:
        raise InputError(f"episodes must be >= 1, got {count!r}")
    last, *seeds = rng.integers(2**31, size=1 + -(-count // PART)).tolist()
    sizes = [min(PART, count - PART * i) for i in range(len(seeds))]
    return Plan(tuple(zip(seeds, sizes, strict=True)), last)


def part(job: tuple[int, int], *, pictures: Sequence[np.ndarray]) -> Experience:
    """Gather one part of the experience.

    Args:
        job: its seed and episodes, from `plan`.
        pictures: clean ones, uint8, 128 x 128 pixels at least.

    Returns:
        A move for each action of each state.

    Raises:
        InputError: there is no picture, or one is not uint8 or too small.
    """
    seed, count = job
    world = Restoring(pictures)
    world.reset(seed=seed)
    return gather(world, count, rng=np.random.default_rng(seed))


def finish(parts: Sequence[Experience], planned: Plan, *, notes: dict[str, Any] | None = None) -> Restorer:
    """Learn from all parts at once, by Q-learning: action values, and how good a picture is.

    Args:
        parts: from `part`, in the order of the plan.
        planned: the plan.
        notes: plain JSON values to keep with it.

    Returns:
        A restorer.
    """
    rng = np.random.default_rng(planned.last)
    seen, rewards, following, scores = (
        np.concatenate([getattr(p, field) for p in parts]) for field in ("seen", "rewards", "following", "scores")
    )
    firsts = np.cumsum([0, *(len(p.seen) for p in parts)])
    origins = np.concatenate([p.origins + np.array([first, 0]) for p, first in zip(parts, firsts[:-1], strict=True)])
    scale = seen.std(axis=0) + 1e-3
    m = min(_KNOWN, len(seen))
    known = (seen[rng.permutation(len(seen))[:m]] / scale).astype(np.float32).astype(float)
    near, after = peaks(seen / scale, known), peaks(following / scale, known)
    tried = Trials(near, np.maximum(rewards, _WORST), after, origins)
    stopped = Trials(near, scores[:, None], after[:0], origins[:0])
    learner = learner_for(m).solve(tried, sweeps=STEPS, ridge=_RIDGE)
    quality = learner_for(m, actions=1).solve(stopped, ridge=_RIDGE).weights_[0, 0]
    return Restorer(known, scale, learner, quality, notes=notes or {})
