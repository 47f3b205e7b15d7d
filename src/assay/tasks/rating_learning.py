"""Learning ratings: what pictures look like and votes in; a rater, and how good it is on pictures unseen, out."""

from collections.abc import Sequence

import numpy as np
from threadpoolctl import threadpool_limits

from ..data import splits
from ..data.ratings import Ratings
from ..errors import UndefinedError
from ..models import neighbours, ratings
from ..pixels import hashes
from ..stats import votes
from . import appearances
from .appearances import Appearances
from .rating_figures import Figures, measure

_FOLDS = 5
_FEWEST = 10  # different pictures that learning needs
_PARTS = 5  # of the scale, that folds are stratified by
_TENTHS = 10  # parts of the scale, of each of which no more than so many pictures are learned from


def learn(
    given: Ratings,
    used: np.ndarray,
    shares: np.ndarray,
    found: Appearances,
    *,
    middle: float | None,
    most: int | None,
    seed: int,
) -> tuple[ratings.Rater, ratings.OutOfFold, Figures]:
    """Cross-validate, fit on all, and measure what was said out of fold.

    Args:
        given: ratings.
        used: (n,) rows of them, one for each picture that was found.
        shares: float (n, k), of votes.
        found: what the pictures look like.
        middle: from where on a picture counts as good; halfway by default.
        most: learn from so many pictures of each tenth of the scale at most; from all by default.
        seed: of folds and intervals.

    Returns:
        The rater, what is said of every picture without its fold, and how good that is.

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
        own = {name: block[taught] for name, block in found.features.items()}
        rater = ratings.fit(own, shares[taught], scale=given.scale, kind=out_of_fold.kind, penalty=out_of_fold.penalty)
    counts = None if given.counts is None else given.counts[used]
    predicted = votes.moments(out_of_fold.shares, given.scale)[0]
    noise = 0.0
    if counts is not None:
        noise = float((votes.moments(shares, given.scale)[1] ** 2 / np.maximum(counts.sum(axis=1) - 1, 1)).mean())
    rater = rater.stretched(predicted, mean, noise=noise)
    figures = measure(
        out_of_fold.shares, shares, given.scale, full=rater.full(predicted), counts=counts, groups=group, middle=middle,
        rng=rng,
    )  # fmt: skip
    return rater, out_of_fold, figures


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
