"""Which pictures are alike: features in, pairs out; pairs in, groups out. Every pair is looked at, none is guessed."""

from collections.abc import Hashable, Iterable

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ..errors import InputError

_CELLS = 2**24  # similarities held at once: 64 MB
_LEAST = 0.8  # below this cosine no two pictures are alike, however far the others


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


def sharing(keys: Iterable[Hashable]) -> np.ndarray:
    """Pair each picture with the first that has the same key.

    Args:
        keys: one for each picture; "" is no key.

    Returns:
        int (p, 2), for `connected`.

    >>> sharing(["a", "", "b", "a", ""])
    array([[0, 3]])
    """
    first: dict[Hashable, int] = {}
    pairs = [(first.setdefault(key, i), i) for i, key in enumerate(keys) if key != ""]
    return np.array([(a, b) for a, b in pairs if a != b], np.int64).reshape(-1, 2)


def alike(features: np.ndarray, *, similarity: float = 0.985, ratio: float = 0.3) -> np.ndarray:
    """Find the pairs of pictures that are nearly copies, by their features.

    A pair is alike when its cosine reaches `similarity`; or when its distance (1 - cosine) is at most `ratio` of the
    distance from either picture to its neighbour some places away. The second rule finds the mirrored, brightened and
    cropped where pictures differ widely, and stays strict where a whole folder looks the same.

    Args:
        features: (n, d), finite; a row of zeros is like nothing.
        similarity: least cosine of a pair, in (0, 1], whatever the other pictures are.
        ratio: of the distances, in [0, 1); 0 leaves only the first rule.

    Returns:
        int (p, 2), each pair once, smaller index first, in order. Rows that are equal to the last bit are paired with
        the first of them only, so that a thousand blank pictures do not make half a million pairs.

    Raises:
        InputError: features are not (n, d) or not finite, similarity is outside (0, 1], or ratio outside [0, 1).

    Assumes most pictures have no more copies than places are counted: a tenth of the pictures up to 10 places, a
    fiftieth beyond that, never fewer than 3 nor more than 100.

    Source: the ratio test of Lowe 2004, doi:10.1023/B:VISI.0000029664.99615.94, with a later neighbour than the second.

    >>> alike(np.array([[1.0, 0.0], [0.0, 1.0], [2.0, 0.01]]))
    array([[0, 2]])
    """
    features = np.asarray(features, np.float32)
    if features.ndim != 2 or not np.isfinite(features).all():
        raise InputError(f"features must be (n, d) and finite, got {features.shape}")
    if not 0 < similarity <= 1:
        raise InputError(f"similarity must be in (0, 1], got {similarity!r}")
    if not 0 <= ratio < 1:
        raise InputError(f"ratio must be in [0, 1), got {ratio!r}")
    _, first, place = np.unique(features, axis=0, return_index=True, return_inverse=True)
    again = np.column_stack([first[place], np.arange(len(features))])[features.any(axis=1)]
    again = again[again[:, 0] < again[:, 1]]
    keep = np.sort(first)
    keep = keep[features[keep].any(axis=1)]
    unit = features[keep] / np.linalg.norm(features[keep], axis=1, keepdims=True)
    n = len(unit)
    places = _places(n)
    # Rounding may take a copy's cosine a little below 1.
    sure, found, far = similarity - 1e-6, [np.zeros((0, 2), int)], np.zeros(n, np.float32)
    block = max(1, _CELLS // max(n, 1))
    close = []
    for i in range(0, n, block):
        cosine = unit[i : i + block] @ unit.T
        if n > places + 1:
            # Itself takes the first place.
            far[i : i + block] = 1 - np.partition(cosine, n - 1 - places, axis=1)[:, n - 1 - places]
        least = np.minimum(sure, np.maximum(_LEAST, 1 - ratio * far[i : i + block, None]))
        rows, columns = np.nonzero(cosine >= least)
        kept = rows + i < columns
        found.append(np.column_stack([rows + i, columns])[kept])
        close.append(cosine[rows, columns][kept])
    pairs, cosines = np.concatenate(found), np.concatenate([np.zeros(0, np.float32), *close])
    # So far only the first of each pair was asked.
    within = 1 - cosines <= ratio * far[pairs].min(axis=1, initial=np.inf)
    pairs = keep[pairs[(cosines >= sure) | within]]
    pairs = np.concatenate([again, pairs])
    return pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]


def _places(n: int) -> int:
    """How many places away the neighbour is that says how far apart pictures are here."""
    return min(max(3, min(n // 10, 10), n // 50), 100)
