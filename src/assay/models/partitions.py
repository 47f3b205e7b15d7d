"""Groups by any of five algorithms, and how far each picture is from its group."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy.cluster import hierarchy
from sklearn.cluster import DBSCAN, HDBSCAN, KMeans, MeanShift, estimate_bandwidth
from sklearn.metrics import pairwise_distances, silhouette_samples
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import threadpool_limits

from ..errors import InputError

_FEW, _MANY, _SHARE = 12, 40, 8  # groups that are tried at least and at most, and pictures for each of them
_MOST = 5000  # pictures whose distances to each other fit into memory
_SHIFTED = 2000  # pictures that mean shift climbs with
_CORE = 10  # pictures that make a place dense
_FEWEST = 5  # pictures of a group of HDBSCAN
_LEAST = 0.04  # share of the pictures that HDBSCAN takes for a group
_CLIMBERS = 100  # places that mean shift starts from
_REACH = 0.1  # share of the pictures within the bandwidth of mean shift
_SCORED = 2000  # pictures on which a silhouette is measured
_STARTS = 4
_EACH = 10  # pictures of a sample for each group that is asked for
_DENSE = 10  # directions in which density means something: in many more, all pictures are about as far apart


@dataclass(frozen=True, slots=True)
class Partition:
    """Pictures in groups, the largest first.

    labels: int (n,), 0..k-1, -1 for none; distances: float (n,), to the mean of the own group, nan for none, in the
    unit of the points; k: number of groups; silhouettes, spreads: by number of groups tried, the mean silhouette and
    the mean squared distance to the own group's mean, empty where the algorithm finds the number itself; silhouette:
    of these groups, nan where there are not two; setting: what the algorithm was set to, in words.
    """

    labels: np.ndarray
    distances: np.ndarray
    k: int
    silhouettes: dict[int, float]
    spreads: dict[int, float]
    silhouette: float
    setting: str


@dataclass(frozen=True, slots=True)
class _Found:
    labels: np.ndarray
    setting: str
    silhouettes: dict[int, float]
    spreads: dict[int, float]


def partition(
    points: np.ndarray,
    *,
    method: str = "kmeans",
    k: int | None = None,
    ks: Iterable[int] | None = None,
    rng: np.random.Generator,
) -> Partition:
    """Put pictures into groups.

    Args:
        points: (n, c), finite, as from `cluster.reduce`. Those that go by density see the first 10 columns, and of
            those only which way a picture lies from the mean, not how far.
        method: one of METHODS.
        k: number of groups, for those of COUNTED; by default the fewest of ks whose silhouette is the largest, or less
            by no more than two standard errors of the difference.
        ks: numbers of groups to try, each >= 2, by default `counts`; what they give is in the Partition.
        rng: source of randomness.

    Returns:
        Partition. Another order of the rows gives the same groups. Above 5,000 pictures (2,000 for mean shift) all but
        k-means look at a random sample; every other picture joins the group of its nearest one there, unless that is
        in no group or farther than the pictures of the sample are apart.

    Raises:
        InputError: points are not (n, c) or not finite, the method is unknown, or k is not for it, below 1, or above
            the number of different pictures.

    Source: k-means++, Arthur & Vassilvitskii 2007; Ward 1963; DBSCAN, Ester et al. 1996, its radius the median
    distance to the tenth neighbour; HDBSCAN, Campello et al. 2013; mean shift, Comaniciu & Meer 2002. All but the
    radius are those of scikit-learn and SciPy. What those that go by density see, and their settings, were chosen on
    ten textures (DTD) and Fashion-MNIST.
    """
    points = np.asarray(points, np.float32)
    check(method, k)
    if points.ndim != 2 or not np.isfinite(points).all():
        raise InputError(f"points must be (n, c) and finite, got {points.shape}")
    n = len(points)
    different = len(np.unique(points, axis=0)) if n else 0
    if k is not None and k > different:
        raise InputError(f"k must be <= {different}, the number of different pictures, got {k}")
    seed = int(rng.integers(2**31))
    if n < 2 or different < 2:
        return _measured(points, np.zeros(n, int), _Found(np.zeros(n, int), "", {}, {}), seed)
    # The algorithms go by the numbers of rows: in one canonical order, the rows' own order cannot matter.
    order = np.lexsort(points.T[::-1])
    ordered = points[order]
    most = {"kmeans": n, "meanshift": _SHIFTED}.get(method, _MOST)
    picked = np.sort(np.random.default_rng(seed).permutation(n)[:most])
    if (k or 0) > len(np.unique(ordered[picked], axis=0)):
        raise InputError(f"k must be <= {most:,} different pictures for {method} on so many, got {k}: use kmeans")
    seen = ordered if method in COUNTED else _directions(ordered[:, :_DENSE])
    with threadpool_limits(1):  # on so few pictures threads would only wait for each other
        found = METHODS[method](seen[picked], k, counts(n) if ks is None else ks, seed)
    labels = np.empty(n, int)
    labels[order] = _spread(seen, picked, found.labels)
    return _measured(points, _ranked(points, labels), found, seed)


def counts(n: int) -> range:
    """Return the numbers of groups that are tried: 2 to 12, or to one for each 8 pictures, but 40 at most.

    Args:
        n: how many pictures there are.
    """
    return range(2, min(_MANY, max(_FEW, n // _SHARE)) + 1)


def check(method: str, k: int | None) -> None:
    """Refuse what no partition can be made with.

    Args:
        method: its name.
        k: number of groups, or None.

    Raises:
        InputError: the method is unknown, or k is not for it or below 1.
    """
    if method not in METHODS:
        raise InputError(f"method must be one of {', '.join(METHODS)}, got {method!r}")
    if k is not None and method not in COUNTED:
        raise InputError(f"k must be left out, because {method} finds the number of groups itself, got {k!r}")
    if k is not None and k < 1:
        raise InputError(f"k must be >= 1, got {k!r}")


def knee(values: Mapping[int, float]) -> int | None:
    """Find where a falling curve bends most.

    Args:
        values: by number, falling.

    Returns:
        The number farthest below the line between the ends, or None where there are not three or none lies below it.

    Source: Satopaa et al. 2011, doi:10.1109/ICDCSW.2011.20, without smoothing.

    >>> knee({1: 10.0, 2: 4.0, 3: 1.0, 4: 0.8, 5: 0.6})
    3
    """
    ks = sorted(values)
    if len(ks) < 3:
        return None
    x, y = np.array(ks, float), np.array([values[k] for k in ks], float)
    below = y[0] + (x - x[0]) / (x[-1] - x[0]) * (y[-1] - y[0]) - y
    return ks[int(below.argmax())] if below.max() > 1e-9 * abs(y[0]) else None


def _directions(points: np.ndarray) -> np.ndarray:
    """Return which way each point lies from their mean: of length 1, or 0."""
    away = points - points.mean(axis=0)
    length = np.linalg.norm(away, axis=1, keepdims=True)
    return np.asarray(away / np.where(length > 0, length, 1), np.float32)


def _spread(points: np.ndarray, picked: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Carry the groups of a sample over to all pictures."""
    spread = np.empty(len(points), int)
    spread[picked] = labels
    others = np.setdiff1d(np.arange(len(points)), picked)
    if len(others):
        search = NearestNeighbors(n_neighbors=2).fit(points[picked])
        far, near = search.kneighbors(points[others], n_neighbors=1)
        apart = search.kneighbors(points[picked])[0][:, 1]
        joined = labels[near[:, 0]]
        # A picture like none of the sample is in no group, where the algorithm knows of such pictures at all.
        alone = far[:, 0] > apart.max() if (labels < 0).any() else np.zeros(len(others), bool)
        spread[others] = np.where(alone, -1, joined)
    return spread


def _ranked(points: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Number groups by size, and where sizes are equal by their means."""
    groups, sizes = np.unique(labels[labels >= 0], return_counts=True)
    means = np.array([points[labels == g].mean(axis=0, dtype=float) for g in groups]).reshape(-1, points.shape[1])
    rank = np.lexsort((*means.T[::-1], -sizes))
    number = np.full(int(labels.max(initial=-1)) + 2, -1)
    number[groups[rank]] = np.arange(len(groups))
    return np.asarray(number[labels])  # -1 is the last


def _measured(points: np.ndarray, labels: np.ndarray, found: _Found, seed: int) -> Partition:
    k = int(labels.max(initial=-1)) + 1
    distances = np.full(len(points), np.nan)
    for g in range(k):
        rows = labels == g
        distances[rows] = np.linalg.norm(points[rows] - points[rows].mean(axis=0, dtype=float), axis=1)
    inside = np.flatnonzero(labels >= 0)
    inside = inside[np.lexsort(points[inside].T[::-1])]
    inside = inside[np.sort(np.random.default_rng(seed).permutation(len(inside))[:_SCORED])]
    apart = float(_silhouettes(points[inside], labels[inside]).mean())
    return Partition(labels, distances, k, found.silhouettes, found.spreads, apart, found.setting)


def _silhouettes(points: np.ndarray, labels: np.ndarray, *, metric: str = "euclidean") -> np.ndarray:
    """Return the silhouette of each picture; there are none where there are not two groups, or nothing but groups."""
    if not 2 <= len(np.unique(labels)) < len(labels):
        return np.array([math.nan])
    return np.asarray(silhouette_samples(points, labels, metric=metric), float)


def _inertia(points: np.ndarray, labels: np.ndarray) -> float:
    """Return the mean squared distance to the mean of the own group."""
    sizes = np.bincount(labels)
    sums = np.array([np.bincount(labels, column) for column in points.T.astype(float)])
    return float((points.astype(float) ** 2).sum() - (sums**2 / sizes).sum()) / len(points)


def _counted(
    points: np.ndarray, k: int | None, ks: Iterable[int], cut: Callable[[int], np.ndarray], setting: str
) -> _Found:
    """Try numbers of groups on a sample, and take the one that was asked for, or that lies farthest apart."""
    different = len(np.unique(points, axis=0))
    tried = {j: cut(j) for j in ks if j <= min(different, len(points) - 1)}
    scored = np.linspace(0, len(points) - 1, min(len(points), _SCORED)).astype(int)
    apart = pairwise_distances(points[scored])
    np.fill_diagonal(apart, 0)
    parted = {j: _silhouettes(apart, labels[scored], metric="precomputed") for j, labels in tried.items()}
    parted = {j: each for j, each in parted.items() if math.isfinite(each[0])}
    silhouettes = {j: float(each.mean()) for j, each in parted.items()}
    spreads = {1: _inertia(points, np.zeros(len(points), int))}
    spreads |= {j: _inertia(points, labels) for j, labels in tried.items()}
    best = k or _fewest(parted)
    if len(points) < 4 and k is None:
        best = 1
    labels = tried[best] if best in tried else cut(best)
    return _Found(labels, setting, silhouettes, spreads)


def _fewest(parted: Mapping[int, np.ndarray]) -> int:
    """Return the fewest groups that are as far apart as the best, within two standard errors: more would be noise."""
    if not parted:
        return 1
    most = max(parted.values(), key=lambda each: float(each.mean()))
    behind = {j: most - each for j, each in parted.items()}
    return min(j for j, d in behind.items() if d.mean() <= 2 * d.std() / math.sqrt(len(d)))


def _kmeans(points: np.ndarray, k: int | None, ks: Iterable[int], seed: int) -> _Found:
    size = max(_SCORED, _EACH * (k or 0))
    picked = np.sort(np.random.default_rng(seed).permutation(len(points))[:size])
    sample = points[picked]
    different = len(np.unique(sample, axis=0))

    def fit(j: int) -> KMeans:
        return KMeans(min(j, different), n_init=_STARTS, random_state=seed).fit(sample)

    found = _counted(sample, k, ks, lambda j: np.asarray(fit(j).labels_), "k-means, 4 starts")
    if len(sample) == len(points):
        return found
    best = int(found.labels.max()) + 1
    centres = np.array([sample[found.labels == g].mean(axis=0) for g in range(best)])
    labels = KMeans(best, init=centres, n_init=1).fit(points).labels_
    return _Found(np.asarray(labels), found.setting, found.silhouettes, found.spreads)


def _hierarchical(points: np.ndarray, k: int | None, ks: Iterable[int], _seed: int) -> _Found:
    tree = hierarchy.linkage(points, "ward")  # made once, cut at every number

    def cut(j: int) -> np.ndarray:
        return np.asarray(hierarchy.cut_tree(tree, n_clusters=j)[:, 0])

    return _counted(points, k, ks, cut, "hierarchical, Ward's linkage")


def _dbscan(points: np.ndarray, _k: int | None, _ks: Iterable[int], _seed: int) -> _Found:
    near = min(_CORE, len(points) - 1)
    far = NearestNeighbors(n_neighbors=near).fit(points).kneighbors()[0][:, -1]
    radius = max(float(np.median(far)), 1e-6)
    labels = DBSCAN(eps=radius, min_samples=_CORE).fit(points).labels_
    return _Found(np.asarray(labels), f"DBSCAN, {_CORE} pictures within {radius:.3g}", {}, {})


def _hdbscan(points: np.ndarray, _k: int | None, _ks: Iterable[int], _seed: int) -> _Found:
    least = max(_FEWEST, round(_LEAST * len(points)))
    setting = f"HDBSCAN, groups of {least} pictures or more"
    if len(points) < _FEWEST:
        return _Found(np.full(len(points), -1), setting, {}, {})
    labels = HDBSCAN(min_cluster_size=least, min_samples=1, copy=True).fit(points).labels_
    return _Found(np.maximum(labels, -1), setting, {}, {})


def _meanshift(points: np.ndarray, _k: int | None, _ks: Iterable[int], seed: int) -> _Found:
    width = float(estimate_bandwidth(points, quantile=_REACH, random_state=seed)) or float(points.std()) or 1.0
    # Many starts climb the same hill: a hundred, spread along the first direction, find those that hold pictures.
    starts = points[np.linspace(0, len(points) - 1, min(len(points), _CLIMBERS)).astype(int)]
    labels = MeanShift(bandwidth=width, seeds=starts).fit(points).labels_
    return _Found(np.asarray(labels), f"mean shift, bandwidth {width:.3g}", {}, {})


METHODS: dict[str, Callable[[np.ndarray, int | None, Iterable[int], int], _Found]] = {
    "kmeans": _kmeans,
    "hierarchical": _hierarchical,
    "dbscan": _dbscan,
    "hdbscan": _hdbscan,
    "meanshift": _meanshift,
}
COUNTED = ("kmeans", "hierarchical")  # that are told the number of groups
