"""Which pictures are alike: features in, pairs out; pairs in, groups out. Every pair is looked at, none is guessed."""

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ..errors import InputError

_BLOCK = 2048  # rows compared at once: 16 MB of similarities


def connected(n: int, pairs: np.ndarray) -> np.ndarray:
    """Join pairs into groups: who is alike to a member is a member.

    Args:
        n: number of pictures.
        pairs: int (p, 2), indices in 0..n-1.

    Returns:
        int (n,), the group of each picture: 0, 1, 2, ... by first member. A picture in no pair is a group of its own.

    Raises:
        InputError: n is negative, or an index names no picture.

    >>> connected(5, np.array([[3, 1], [4, 3]]))
    array([0, 1, 2, 1, 1])
    """
    pairs = np.asarray(pairs, int).reshape(-1, 2)
    if n < 0:
        raise InputError(f"n must be >= 0, got {n!r}")
    if len(pairs) and not 0 <= pairs.min() <= pairs.max() < n:
        raise InputError(f"pairs must be indices in 0..{n - 1}, got {pairs.min()}..{pairs.max()}")
    if n == 0:
        return np.zeros(0, int)
    links = coo_array((np.ones(len(pairs), bool), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    found = connected_components(links, directed=False)[1]
    _, first, place = np.unique(found, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[place]


def alike(features: np.ndarray, *, similarity: float = 0.985) -> np.ndarray:
    """Find the pairs of pictures whose features point the same way.

    Args:
        features: (n, d), finite; a row of zeros is like nothing.
        similarity: least cosine of a pair, in (0, 1].

    Returns:
        int (p, 2), each pair once, smaller index first, in order. Rows that are equal to the last bit are paired with
        the first of them only, so that a thousand blank pictures do not make half a million pairs.

    Raises:
        InputError: features are not (n, d) or not finite, or similarity is outside (0, 1].

    >>> alike(np.array([[1.0, 0.0], [0.0, 1.0], [2.0, 0.01]]))
    array([[0, 2]])
    """
    features = np.asarray(features, np.float32)
    if features.ndim != 2 or not np.isfinite(features).all():
        raise InputError(f"features must be (n, d) and finite, got {features.shape}")
    if not 0 < similarity <= 1:
        raise InputError(f"similarity must be in (0, 1], got {similarity!r}")
    _, first, place = np.unique(features, axis=0, return_index=True, return_inverse=True)
    keep = np.sort(first)
    again = np.column_stack([first[place], np.arange(len(features))])[features.any(axis=1)]
    length = np.linalg.norm(features[keep], axis=1, keepdims=True)
    unit = features[keep] / np.where(length > 0, length, 1)
    # Rounding may take a copy's cosine a little below 1.
    least = np.float32(similarity - 1e-6)
    found = [again[again[:, 0] < again[:, 1]]]
    for i in range(0, len(unit), _BLOCK):
        for j in range(i, len(unit), _BLOCK):
            rows, columns = np.nonzero(unit[i : i + _BLOCK] @ unit[j : j + _BLOCK].T >= least)
            pairs = np.column_stack([keep[rows + i], keep[columns + j]])
            found.append(pairs[pairs[:, 0] < pairs[:, 1]])
    pairs = np.concatenate(found)
    return pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
