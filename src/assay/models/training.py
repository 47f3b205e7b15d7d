"""Training of a restorer: clean pictures in, a restorer out, which has tried every filter in every state it was in."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy.spatial import cKDTree
from sklearn.cluster import MiniBatchKMeans

from ..pixels import fidelity
from ..td.control import Moves
from ..td.experience import episodes
from ..td.prediction import Values
from .restorer import Restorer, learner_for, place
from .restoring import Restoring, gather

EPISODES = 4000
_KNOWN = 1500  # states that values are kept at
_SWEEPS = ((0.5, 12), (0.2, 12), (0.08, 12))  # alpha, and times that all experience is gone through with it
_CHUNK = 20  # episodes between two looks at the clock
_JUDGED = 10  # of so many episodes one more is lived through with the restorer, to learn how good its pictures are


def train(
    pictures: Sequence[np.ndarray],
    *,
    count: int = EPISODES,
    advance: Callable[[int], None] = lambda _: None,
    stop: Callable[[], bool] = lambda: False,
    notes: dict[str, Any] | None = None,
    rng: np.random.Generator,
) -> Restorer:
    """Learn which filter comes next, by Q-learning from experience with every action.

    Args:
        pictures: clean ones, uint8, 128 x 128 pixels at least.
        count: episodes, >= 1.
        advance: is told of the episodes that are done, as they are.
        stop: asked now and then; True ends the training with KeyboardInterrupt.
        notes: plain JSON values to keep with it.
        rng: source of randomness.

    Returns:
        A restorer.

    Raises:
        InputError: there is no picture, or one is not uint8 or too small.
        KeyboardInterrupt: stop said True.
    """
    world = Restoring(pictures)
    world.reset(seed=int(rng.integers(2**31)))
    parts = []
    for begun in range(0, count, _CHUNK):
        if stop():
            raise KeyboardInterrupt
        n = min(_CHUNK, count - begun)
        parts.append(gather(world, n, rng=rng))
        advance(n)
    moves = Moves(*(np.concatenate([getattr(p, f) for p in parts]) for f in Moves.__slots__))
    return judged(learned(moves, notes=notes or {}, rng=rng), world, max(count // _JUDGED, 50))


def learned(moves: Moves, *, notes: dict[str, Any], rng: np.random.Generator) -> Restorer:
    """Learn from experience.

    Args:
        moves: from `restoring.gather`.
        notes: to keep with it.
        rng: source of randomness.
    """
    seen = np.unique(moves.observations, axis=0)
    scale = seen.std(axis=0) + 1e-3
    m = min(_KNOWN, len(seen))
    grouped = MiniBatchKMeans(m, random_state=int(rng.integers(2**31)), n_init=1, batch_size=4096).fit(seen / scale)
    known = grouped.cluster_centers_.astype(np.float32).astype(float)
    tree = cKDTree(known)
    codes = place(tree, moves.observations / scale), place(tree, moves.following / scale)
    coded = Moves(codes[0], moves.actions, moves.rewards, codes[1], moves.ended)
    weights = None
    for alpha, sweeps in _SWEEPS:
        learner = learner_for(m, alpha=alpha)
        if weights is not None:
            learner.weights_ = weights
        weights = learner.replay(coded, sweeps=sweeps, rng=rng).weights_
    return Restorer(known, scale, learner, np.zeros((m, 2)), notes=notes)


def judged(found: Restorer, world: Restoring, count: int) -> Restorer:
    """Learn how good its pictures are, before and after, by Monte Carlo on damage that it has not learned from.

    Args:
        found: a restorer.
        world: seeded.
        count: episodes, >= 1.
    """
    codes, scores = [], []
    for _ in range(count):
        seen, _ = world.reset()
        codes.append(found.code(seen[None])[0])
        after = found.restore(world.image).image
        scores.append([fidelity.ssim(image, world.clean) for image in (world.image, after)])
    quality = []
    for column in np.array(scores).T:
        learner = Values(found.learner.coding, method="every-visit", alpha=0.5, initial=float(column.mean()))
        trips = episodes([(np.array([c, c]), [score]) for c, score in zip(codes, column, strict=True)])
        for _ in range(20):
            learner.update(trips)
        quality.append(learner.weights_)
    return Restorer(found.known, found.scale, found.learner, np.array(quality).T.clip(0, 1), notes=found.notes)
