"""Learning ratings: what pictures look like and votes in; a rater, and how good it is on pictures unseen, out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from ..data import splits
from ..data.ratings import Ratings
from ..errors import UndefinedError
from ..models import neighbours, ratings
from ..models.graph import Graph
from ..models.rating_network import Lesson
from ..models.ratings import Rater
from ..pixels import hashes
from ..stats import votes
from . import appearances, rating_contest
from .appearances import Appearances
from .rating_contest import Contest
from .rating_figures import Figures, measure
from .rating_tuned import Taught

_FOLDS = 5
_FEWEST = 10  # different pictures that learning needs
_PARTS = 5  # of the scale, that folds are stratified by
_TENTHS = 10  # parts of the scale, of each of which no more than so many pictures are learned from
_HELD = 8  # parts of what a network learns from, one of which tells its best epoch instead

Teach = Callable[..., Taught]  # `rating_tuned.teach`, but for the shares, the folds, what is taught and what is held


@dataclass(frozen=True, slots=True)
class Learnt:
    """A rater, and what is known of it from pictures that it was not fitted on.

    rater: fitted on all; tail: of a network, or None; shares: float (n, k), out of fold; folds: int (n,); figures: of
    these; head: what the rater of frozen features says out of fold, and by which kinds; head_figures: how good that is,
    and contest: whether the network is better; lessons: of the training on all, which learned from so many pictures and
    held so many back. The last four are None or empty where no network was taught.
    """

    rater: Rater
    tail: Graph | None
    shares: np.ndarray
    folds: np.ndarray
    figures: Figures
    head: ratings.OutOfFold
    head_figures: Figures | None = None
    contest: Contest | None = None
    lessons: tuple[Lesson, ...] = ()
    parts: tuple[int, int] | None = None


def learn(
    given: Ratings,
    used: np.ndarray,
    shares: np.ndarray,
    found: Appearances,
    *,
    middle: float | None,
    most: int | None,
    seed: int,
    teach: Teach | None = None,
) -> Learnt:
    """Cross-validate, fit on all, and measure what was said out of fold.

    Args:
        given: ratings.
        used: (n,) rows of them, one for each picture that was found.
        shares: float (n, k), of votes.
        found: what the pictures look like.
        middle: from where on a picture counts as good; halfway by default.
        most: learn from so many pictures of each tenth of the scale at most; from all by default.
        seed: of folds and intervals.
        teach: teaches a network on the same folds, and is then what is learned; the rater of frozen features, which
            costs seconds, is what it is compared with.

    Returns:
        What was learned.

    Raises:
        UndefinedError: there are too few different pictures, or all were rated alike.
    """
    group = _together(found, None if given.groups is None else [given.groups[i] for i in used])
    mean = votes.moments(shares, given.scale)[0]
    different = len(np.unique(group))
    if different < _FEWEST or np.ptp(mean) == 0:
        raise UndefinedError(
            f"learning ratings needs {_FEWEST} different pictures that are not all rated alike, got {different} in "
            f"{len(mean)} pictures"
        )
    rng = np.random.default_rng(seed)
    folds = splits.folds(_parts(mean, group), group, count=_FOLDS, rng=rng)
    taught = np.ones(len(mean), bool)
    if most is not None:
        taught[:] = False
        taught[ratings.balanced(mean, given.scale, bins=_TENTHS, most=most, rng=rng)] = True
    # Many small products: threads that wait for each other cost more than they save.
    with threadpool_limits(1):
        out_of_fold = ratings.cross_validate(
            found.features, shares, folds, candidates=ratings.kinds(appearances.BLOCKS), taught=taught
        )
        inside = {name: block[taught] for name, block in found.features.items()}
        rater = ratings.fit(
            inside, shares[taught], scale=given.scale, kind=out_of_fold.kind, penalty=out_of_fold.penalty
        )
    counts = None if given.counts is None else given.counts[used]
    noise = 0.0
    if counts is not None:
        noise = float((votes.moments(shares, given.scale)[1] ** 2 / np.maximum(counts.sum(axis=1) - 1, 1)).mean())

    def measured(rater: Rater, predicted: np.ndarray) -> tuple[Rater, Figures]:
        guess = votes.moments(predicted, given.scale)[0]
        rater = rater.stretched(guess, mean, noise=noise)
        figures = measure(
            predicted, shares, given.scale, full=rater.full(guess), counts=counts, groups=group, middle=middle, rng=rng
        )
        return rater, figures

    rater, figures = measured(rater, out_of_fold.shares)
    if teach is None:
        return Learnt(rater, None, out_of_fold.shares, folds, figures, out_of_fold)
    network = teach(shares, folds, taught=taught, hold=lambda where: _held(mean[where], group[where], seed=seed))
    own, own_figures = measured(network.rater, network.shares)
    contest = rating_contest.hold(
        ("finetune", "head"), network.shares, out_of_fold.shares, shares, given.scale, groups=group, rng=rng
    )
    return Learnt(
        own, network.tail, network.shares, folds, own_figures, out_of_fold, figures, contest, network.lessons,
        (network.learned, network.held),
    )  # fmt: skip


def _held(mean: np.ndarray, group: np.ndarray, *, seed: int) -> np.ndarray:
    """Say which pictures tell the best epoch and are not learned from, bool (m,): whole groups, all over the scale."""
    folds = splits.folds(_parts(mean, group), group, count=_HELD, rng=np.random.default_rng(seed))
    return np.asarray(folds == 0)


def _parts(mean: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Return a part of the scale for each picture, that folds are to share evenly; fewer where there are few groups."""
    for parts in range(_PARTS, 1, -1):
        edges = np.quantile(mean, np.linspace(0, 1, parts + 1)[1:-1])
        which = np.digitize(mean, edges)
        if all(len(np.unique(group[which == p])) >= _FOLDS for p in np.unique(which)):
            return np.asarray(which)
    return np.zeros(len(mean), int)


def _together(found: Appearances, given: Sequence[str] | None) -> np.ndarray:
    """Join copies, near copies and the groups that were given."""
    near = hashes.near_pairs(found.hash, radius=hashes.RADIUS).reshape(-1, 2)
    pairs = [neighbours.sharing(found.sha256), neighbours.sharing(given or ()), near]
    return neighbours.connected(len(found), np.concatenate(pairs))
