"""Whether groups are worth the name: are they farther apart than those of one cloud, and are they found again?"""

import math
from dataclasses import dataclass

import numpy as np
from sklearn.metrics import adjusted_rand_score
from sklearn.neighbors import NearestNeighbors

from ..errors import InputError
from . import partitions

_DRAWN = 300  # pictures of a redraw, and of a cloud without groups
_RUNGS = {2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40}  # numbers of groups that are tried in clouds
_CHANCE = 0.05  # of calling one cloud groups
_LEAST, _ENOUGH = 10, 40  # pictures that can tell anything, and from which groups that are not seen are called none
_STABLE = 0.6  # adjusted Rand index between redraws, from which groups are more than a way to cut


@dataclass(frozen=True, slots=True)
class Structure:
    """Whether groups are worth the name.

    verdict: "clear"; "weak", more than one cloud but cut differently when drawn again; "none", no better than one cloud
    without groups, or fewer than two groups; or "unknown", too few pictures to tell; silhouette: of the groups on as
    many pictures as each cloud; null: silhouettes of groups found in clouds; chance: share of clouds, and of this data,
    that do as well; stability: mean adjusted Rand index between groups of two redraws, nan where it was not measured.
    """

    verdict: str
    silhouette: float
    null: list[float]
    chance: float
    stability: float


def ask(
    points: np.ndarray, found: partitions.Partition, *, method: str, k: int | None, clouds: int = 19, redraws: int = 6,
    rng: np.random.Generator,
) -> Structure:  # fmt: skip
    """Ask whether groups are worth the name.

    Two questions. Do they lie farther apart than what the same algorithm (k-means for hierarchical too) finds in one
    cloud of the same spread, in which there are no groups? And are the same ones found again in other pictures of the
    folder?

    Args:
        points: (n, c), as they were grouped.
        found: the groups.
        method: by which they were found.
        k: number of groups that was asked for, or None.
        clouds: normal ones that are grouped for comparison, >= 19 for a chance of 0.05.
        redraws: pairs of halves that are grouped.
        rng: source of randomness.

    Returns:
        Structure. Of at most 300 pictures each time.

    Raises:
        InputError: clouds or redraws is too small.

    Assumes that a folder of one kind is a normal cloud: what is long-tailed or bent, but of one piece, may pass.

    Source: the cloud is that of SigClust, Liu et al. 2008, doi:10.1198/016214508000000454, weighed by the silhouette;
    stability as in Ben-Hur, Elisseeff & Guyon 2002.
    """
    if clouds < 19 or redraws < 1:
        raise InputError(f"clouds must be >= 19 and redraws >= 1, got {clouds!r} and {redraws!r}")
    points = np.asarray(points, np.float32)
    n = len(points)
    if n < _LEAST or (k or 0) > n // 4:
        return Structure("unknown", found.silhouette, [], math.nan, math.nan)
    if found.k < 2:
        return Structure("none", math.nan, [], 1.0, math.nan)
    size = min(n, _DRAWN)
    # Silhouettes depend on how many pictures there are: as many are compared with as many.
    # Ward's cuts are greedy, and what they miss is noise here: k-means stands for both that are told a number.
    tested = "kmeans" if method in partitions.COUNTED else method
    ks = [j for j in partitions.counts(size) if j in _RUNGS] if k is None else ()
    own = partitions.partition(points[rng.permutation(n)[:size]], method=tested, k=k, ks=ks, rng=rng)
    spread, null = points.std(axis=0), []
    for _ in range(clouds):
        cloud = (rng.normal(size=(size, points.shape[1])) * spread).astype(np.float32)
        null.append(partitions.partition(cloud, method=tested, k=k, ks=ks, rng=rng).silhouette)
    reached = own.silhouette if math.isfinite(own.silhouette) else -1.0
    chance = (1 + sum(math.isfinite(s) and s >= reached for s in null)) / (1 + clouds)
    asked, again = found.k if method in partitions.COUNTED else None, []
    for _ in range(redraws):
        drawn = rng.permutation(n)[: 2 * _DRAWN]
        halves = [
            _told(
                points[drawn], partitions.partition(points[half], method=method, k=asked, ks=(), rng=rng), points[half]
            )
            for half in np.array_split(drawn, 2)
        ]
        again.append(float(adjusted_rand_score(*halves)))
    stability = float(np.mean(again))
    # On few pictures groups must lie very far apart to be told from chance: not to see them says nothing.
    missed = "none" if n >= _ENOUGH else "unknown"
    verdict = missed if chance > _CHANCE else "weak" if stability < _STABLE else "clear"
    return Structure(verdict, reached, [s for s in null if math.isfinite(s)], chance, stability)


def _told(points: np.ndarray, found: partitions.Partition, learned: np.ndarray) -> np.ndarray:
    """Give each picture the group of its nearest one among those that were grouped."""
    near = NearestNeighbors(n_neighbors=1).fit(learned).kneighbors(points, return_distance=False)[:, 0]
    return np.asarray(found.labels[near])
