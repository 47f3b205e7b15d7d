"""Features on few directions, and what groups of pictures are called and which stand apart in them."""

from collections.abc import Sequence

import numpy as np

from ..errors import InputError

_LEARNED = 20_000  # pictures from which directions are learned: 100 MB of float32
_STANDS_OUT = 2.0  # standard errors of log odds above the other groups
_PRIOR = 5.0  # pictures that the folder's own shares weigh as
_SEEN = 0.1  # mean score of a class in a group that may be named after it
_FEW = 30  # pictures of a group below which none can be called odd
_FENCE = 1.5  # distances between quartiles


def reduce(features: np.ndarray, *, components: int = 50, rng: np.random.Generator) -> np.ndarray:
    """Project features of length 1 on the directions in which they vary most.

    Args:
        features: (n, d), finite.
        components: most directions to keep, >= 1.
        rng: source of randomness; above 20,000 pictures, directions are learned from that many.

    Returns:
        float32 (n, c), c = min(components, n, d); the variance falls from column to column, the mean is 0. The sign of
        a direction is such that its largest loading is positive.

    Raises:
        InputError: features are not (n, d) or not finite, or components is below 1.

    Source: principal component analysis, exact, by the smaller of the covariance and the Gram matrix.

    >>> reduce(np.array([[3.0, 0.0], [0.0, 2.0]]), components=1, rng=np.random.default_rng(0)).round(2)
    array([[ 0.71],
           [-0.71]], dtype=float32)
    """
    features = np.asarray(features, np.float32)
    if features.ndim != 2 or not np.isfinite(features).all():
        raise InputError(f"features must be (n, d) and finite, got {features.shape}")
    if components < 1:
        raise InputError(f"components must be >= 1, got {components!r}")
    n, d = features.shape
    if n == 0:
        return np.zeros((0, min(components, d)), np.float32)
    length = np.linalg.norm(features, axis=1, keepdims=True)
    x = features / np.where(length > 0, length, 1)
    x -= x.mean(axis=0, dtype=float).astype(np.float32)
    c = min(components, n, d)
    learned = x if n <= _LEARNED else x[np.sort(rng.permutation(n)[:_LEARNED])]
    if d <= len(learned):
        basis = np.linalg.eigh((learned.T @ learned).astype(float))[1][:, ::-1][:, :c]
    else:
        values, left = np.linalg.eigh((learned @ learned.T).astype(float))
        values, left = values[::-1][:c], left[:, ::-1][:, :c]
        # A direction without variance gets no points, rather than noise blown up.
        inverse = np.where(values > 1e-10 * max(values[0], 1e-12), 1 / np.sqrt(np.maximum(values, 1e-30)), 0)
        basis = learned.T @ (left * inverse)
    largest = np.abs(basis).argmax(axis=0)
    basis = basis * np.where(basis[largest, np.arange(c)] < 0, -1, 1)
    return np.asarray(x @ basis, np.float32)


def names(
    groups: np.ndarray, class_ids: np.ndarray, class_scores: np.ndarray, *, class_names: Sequence[str]
) -> list[str]:
    """Name each group after the one or two classes that stand out in it.

    Args:
        groups: int (n,), 0..k-1, every one of them with a picture.
        class_ids: int (n, m), the best classes of each picture.
        class_scores: (n, m), their scores in [0, 1].
        class_names: name of each class.

    Returns:
        k names, all different: "ant", "bee, daisy", or "group 3" where no class stands out.

    Raises:
        InputError: shapes differ.

    Source: log odds against the other groups with the folder's own shares as prior, in standard errors; Monroe et al.
    2008, doi:10.1093/pan/mpn018.
    """
    groups, class_ids = np.asarray(groups), np.asarray(class_ids)
    class_scores = np.asarray(class_scores, float)
    if groups.ndim != 1 or class_ids.shape != class_scores.shape or class_ids.shape[:1] != groups.shape:
        shapes = f"{groups.shape}, {class_ids.shape} and {class_scores.shape}"
        raise InputError(f"groups, class_ids and class_scores must be (n,), (n, m) and (n, m), got {shapes}")
    if not len(groups):
        return []
    k = int(groups.max()) + 1
    seen, column = np.unique(class_ids, return_inverse=True)
    mass = np.zeros((k, len(seen)))
    np.add.at(mass, (np.repeat(groups, class_ids.shape[1]), column.ravel()), class_scores.ravel())
    sizes = np.bincount(groups, minlength=k)[:, None]
    total = mass.sum(axis=0, keepdims=True)
    prior = _PRIOR * (1e-3 + total / max(float(total.sum()), 1e-9))

    def log_odds(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
        return np.asarray(np.log((part + prior) / (whole - part + _PRIOR)))

    against = total - mass
    strength = log_odds(mass, sizes) - log_odds(against, len(groups) - sizes)
    strength /= np.sqrt(1 / (mass + prior) + 1 / (against + prior))
    named: list[str] = []
    for g in range(k):
        common = mass[g] / max(sizes[g, 0], 1)
        ok = (common >= _SEEN) & ((strength[g] >= _STANDS_OUT) | (k == 1))
        ranked = np.flatnonzero(ok)[np.argsort(-mass[g, ok] * np.maximum(strength[g, ok], 1), kind="stable")]
        # A second class is worth naming when it is there about as often as the first.
        kept = [c for c in ranked[:2] if mass[g, c] >= 0.5 * mass[g, ranked[0]]]
        name = ", ".join(class_names[int(seen[c])] for c in kept) or f"group {g + 1}"
        named.append(name if name not in named else f"{name} ({g + 1})")
    return named


def outliers(points: np.ndarray, labels: np.ndarray, *, share: float = 0.01) -> np.ndarray:
    """Find the few pictures that are far from their group, for its spread.

    Args:
        points: (n, c), finite.
        labels: int (n,), the group of each.
        share: most of the pictures that may be called odd, in [0, 1].

    Returns:
        int (m,), the oddest first: those whose distance to the median of their group, as a logarithm, is beyond the
        third quartile by 1.5 times the distance between the quartiles. None in groups of fewer than 30 pictures.

    Raises:
        InputError: shapes differ, or share is outside [0, 1].

    Source: the fences of Tukey 1977, Exploratory Data Analysis, chapter 2.
    """
    points, labels = np.asarray(points, float), np.asarray(labels)
    if points.ndim != 2 or labels.shape != points.shape[:1]:
        raise InputError(f"points and labels must be (n, c) and (n,), got {points.shape} and {labels.shape}")
    if not 0 <= share <= 1:
        raise InputError(f"share must be in [0, 1], got {share!r}")
    odd = np.full(len(points), -np.inf)
    for g in np.unique(labels):
        rows = np.flatnonzero(labels == g)
        if len(rows) >= _FEW:
            # The median is not drawn towards the odd ones.
            away = np.log(np.linalg.norm(points[rows] - np.median(points[rows], axis=0), axis=1) + 1e-9)
            low, high = np.quantile(away, [0.25, 0.75])
            odd[rows] = (away - high) / max(high - low, 1e-9) - _FENCE
    ranked = np.argsort(-odd, kind="stable")[: int(share * len(points))]
    return ranked[odd[ranked] > 0]
