"""Training of a restorer: clean pictures in, a restorer out, which has tried every filter in every state it was in.

The parts of the experience depend on the pictures and a seed alone, so that they may be gathered in any order, in any
number of processes: the same restorer comes out.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..errors import InputError
from ..pixels import fidelity
from ..td.codings import Linear
from ..td.control import Moves
from ..td.experience import episodes
from ..td.prediction import Values
from .chain import STEPS
from .restorer import Restorer, learner_for, peaks, squares
from .restoring import Restoring, gather

EPISODES = 1920
PART = 20  # episodes that are gathered together
_KNOWN = 1500  # states that peaks stand at, at most
_RIDGE = 0.3
_WORST = -4.0  # dB: how much worse an action is than that does not matter
_JUDGED = 400  # episodes lived through with the restorer at most, to learn how good its pictures are


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


def part(job: tuple[int, int], *, pictures: Sequence[np.ndarray]) -> Moves:
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


def finish(
    parts: Sequence[Moves], planned: Plan, *, pictures: Sequence[np.ndarray], notes: dict[str, Any] | None = None
) -> Restorer:
    """Learn from all parts, and learn how good the restored pictures are.

    Args:
        parts: from `part`, in the order of the plan.
        planned: the plan.
        pictures: those that the parts were made with.
        notes: plain JSON values to keep with it.

    Returns:
        A restorer.
    """
    rng = np.random.default_rng(planned.last)
    moves = Moves(*(np.concatenate([getattr(p, field) for p in parts]) for field in Moves.__slots__))
    world = Restoring(pictures)
    world.reset(seed=int(rng.integers(2**31)))
    count = sum(size for _, size in planned.parts)
    return judged(learned(moves, notes=notes or {}, rng=rng), world, min(max(count // 5, 3), _JUDGED))


def learned(moves: Moves, *, notes: dict[str, Any], rng: np.random.Generator) -> Restorer:
    """Learn action values by Q-learning from all moves at once.

    Args:
        moves: from `restoring.gather`.
        notes: to keep with it.
        rng: source of randomness.
    """
    seen = np.unique(moves.observations, axis=0)
    scale = seen.std(axis=0) + 1e-3
    m = min(_KNOWN, len(seen))
    known = (rng.permutation(seen)[:m] / scale).astype(np.float32).astype(float)
    coded = replace(
        moves,
        observations=peaks(moves.observations / scale, known),
        following=peaks(moves.following / scale, known),
        rewards=np.maximum(moves.rewards, _WORST),
    )
    learner = learner_for(m).solve(coded, sweeps=STEPS, ridge=_RIDGE)
    return Restorer(known, scale, learner, np.zeros((2 * seen.shape[1] + 1, 2)), notes=notes)


def judged(found: Restorer, world: Restoring, count: int) -> Restorer:
    """Learn how good its pictures are, before and after, by Monte Carlo on damage that it has not learned from.

    Args:
        found: a restorer.
        world: seeded.
        count: episodes, >= 1.
    """
    seen, scores = [], []
    for _ in range(count):
        seen.append(world.reset()[0])
        after = found.restore(world.image).image
        scores.append([fidelity.ssim(image, world.clean) for image in (world.image, after)])
    features = squares(np.array(seen) / found.scale)
    quality = []
    for column in np.array(scores).T:
        trips = episodes([(np.array([x, x]), [score]) for x, score in zip(features, column, strict=True)])
        quality.append(Values(Linear(features.shape[1]), method="batch-mc").update(trips).weights_)
    return Restorer(found.known, found.scale, found.learner, np.array(quality).T, notes=found.notes)
