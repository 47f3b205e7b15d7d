"""The compiled loop of the bootstrap for areas: sorted pictures and a seed in, areas of resamples out.

Imported only where it is needed: it loads the compiler.
"""

import numba
import numpy as np


@numba.njit(cache=True, nogil=True)
def areas(
    starts: np.ndarray,
    positives: np.ndarray,
    negatives: np.ndarray,
    left: np.ndarray,
    right: np.ndarray,
    out: np.ndarray,
    seed: np.uint64,
) -> None:
    """Fill out with the areas under the ROC curves of resamples.

    Groups are numbered so that those of one pool follow each other; each pool keeps its number of groups. Scores are
    never sorted again: only how often each group is drawn matters.

    Args:
        starts: int (pools + 1,), the first group of each pool, and the number of groups.
        positives: int (m,), the group of each positive, by rising score.
        negatives: int (n,), likewise.
        left: int (m,), negatives below each positive.
        right: int (m,), negatives at or below each positive.
        out: float (runs,), filled; nan where a resample lacks a class.
        seed: of the generator (splitmix64, Steele et al. 2014).
    """
    counts = np.zeros(starts[-1], np.uint16)  # half the size stays in the cache
    below = np.zeros(len(negatives) + 1, np.int64)
    state = seed
    for run in range(len(out)):
        counts[:] = 0
        for pool in range(len(starts) - 1):
            first, size = starts[pool], np.uint64(starts[pool + 1] - starts[pool])
            for i in range(0, size, 2):
                state += np.uint64(0x9E3779B97F4A7C15)
                z = state
                z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
                z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
                z = z ^ (z >> np.uint64(31))
                # The high part of 32 bits times size is uniform below size to one part in 2 ** 32 / size.
                counts[first + np.int64(((z & np.uint64(0xFFFFFFFF)) * size) >> np.uint64(32))] += 1
                if i + 1 < size:
                    counts[first + np.int64(((z >> np.uint64(32)) * size) >> np.uint64(32))] += 1
        total = np.int64(0)
        for j in range(len(negatives)):
            total += np.int64(counts[negatives[j]])
            below[j + 1] = total
        drawn, wins = np.int64(0), np.int64(0)
        for i in range(len(positives)):
            often = np.int64(counts[positives[i]])
            drawn += often
            wins += often * (below[left[i]] + below[right[i]])
        out[run] = wins / (2.0 * drawn * total) if drawn and total else np.nan
