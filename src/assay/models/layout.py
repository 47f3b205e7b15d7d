"""A map of pictures: points in many dimensions in, places on a square out, near where pictures are alike."""

import numpy as np
from sklearn.manifold import TSNE
from sklearn.neighbors import NearestNeighbors

from ..errors import InputError

_LAID_OUT = 3000  # pictures that t-SNE places itself
_NEIGHBOURS = 5  # between which the others are placed
_PERPLEXITY = 30.0


def layout(points: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
    """Place pictures on a square, like ones together.

    Args:
        points: (n, c), finite, as from `cluster.reduce`.
        rng: source of randomness.

    Returns:
        float32 (n, 2) in 0..1; the longer side of the map fills the square. Only who is near whom means something:
        not distances across the map, nor which way is up. Above 3,000 pictures, the others lie between their five
        nearest of a random 3,000.

    Raises:
        InputError: points are not (n, c) or not finite.

    Source: t-SNE, van der Maaten & Hinton 2008, started from the first two principal components (Kobak & Berens 2019,
    doi:10.1038/s41467-019-13056-x).
    """
    points = np.asarray(points, np.float32)
    if points.ndim != 2 or not np.isfinite(points).all():
        raise InputError(f"points must be (n, c) and finite, got {points.shape}")
    n = len(points)
    if n <= 3:
        # One in the middle, two on a line, three on a triangle.
        few = [[], [(0.5, 0.5)], [(0, 0.5), (1, 0.5)], [(0, 0.067), (1, 0.067), (0.5, 0.933)]]
        return np.array(few[n], np.float32).reshape(n, 2)
    seed = int(rng.integers(2**31))
    picked = np.sort(np.random.default_rng(seed).permutation(n)[:_LAID_OUT])
    sample = points[picked]
    spread = float(sample.std())
    # Equal pictures would start on one spot, and t-SNE could not part them.
    start = np.zeros((len(sample), 2))
    start[:, : min(2, points.shape[1])] = sample[:, :2]
    start = start / (start[:, 0].std() or 1) + np.random.default_rng(seed).normal(size=start.shape) * 1e-3
    drawn = TSNE(
        perplexity=min(_PERPLEXITY, (len(sample) - 1) / 3),
        init=(1e-4 * start).astype(np.float32),
        learning_rate="auto",
        max_iter=600,
        random_state=seed,
    ).fit_transform(sample / (spread or 1))
    places = np.empty((n, 2))
    places[picked] = drawn
    others = np.setdiff1d(np.arange(n), picked)
    if len(others):
        far, near = NearestNeighbors(n_neighbors=_NEIGHBOURS).fit(sample).kneighbors(points[others])
        weight = 1 / (far**2 + 1e-9 * (spread**2 or 1))
        places[others] = (drawn[near] * (weight / weight.sum(axis=1, keepdims=True))[:, :, None]).sum(axis=1)
    low, high = places.min(axis=0), places.max(axis=0)
    middle, side = (low + high) / 2, float((high - low).max()) or 1.0
    return np.asarray(np.clip((places - middle) / side + 0.5, 0, 1), np.float32)
