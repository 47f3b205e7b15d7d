"""Compiled Gibbs samplers for the Ising model on numbers: a field and spins in, counts and traces out.

A picture is kept by the colours of a checkerboard. Row i of colour c holds the pixels j = 2 k + o with o = (i + c) % 2,
by k; a pixel's neighbours are all of the other colour. The rows above, below and its own hold them at the same k, its
own also at k - 1 where o = 0 and at k + 1 where o = 1.

Importing this module loads the compiler, so only the functions that sample import it. Nothing is checked here.
"""

from typing import Any

import numpy as np
from numba import njit, prange

BITS = 53  # of a random number; as many as a probability has in double precision


@njit(inline="always")
def _turn(x: Any, n: int) -> Any:
    return (x << np.uint64(n)) | (x >> np.uint64(64 - n))


@njit(inline="always")
def draw(state: np.ndarray, q: int) -> Any:
    """Draw 64 random bits from generator q. Source: xoroshiro128++ 1.0, Blackman & Vigna 2021, doi:10.1145/3460772."""
    a, b = state[0, q], state[1, q]
    word = _turn(a + b, 17) + a
    b ^= a
    state[0, q] = _turn(a, 49) ^ b ^ (b << np.uint64(21))
    state[1, q] = _turn(b, 28)
    return word


@njit(cache=True)
def _real_row(
    a: np.ndarray,
    s: np.ndarray,
    above: np.ndarray,
    below: np.ndarray,
    beside: np.ndarray,
    tilt: np.ndarray,
    count: int,
    up: float,
    down: float,
    kept: bool,
    tally: np.ndarray,
    state: np.ndarray,
) -> None:
    """Draw one row of one colour: u < 1 / (1 + x) without a division."""
    for k in range(count):
        x = above[k] * below[k] * beside[k] * beside[k + 1] * tilt[k]
        u = np.float64(np.int64(draw(state, k) >> np.uint64(64 - BITS))) * (1.0 / 2.0**BITS)
        white = u * (1.0 + x) < 1.0
        a[k] = up if white else down
        s[k] = 1 if white else -1
        if kept:
            tally[k] += white


@njit(cache=True, fastmath={"reassoc"})
def _real_sums(
    own: np.ndarray, below: np.ndarray, beside: np.ndarray, at: int, field: np.ndarray, count: int
) -> tuple[float, int, int]:
    """Sum spin times field, spins, and spin times the spins below and, where at is not 0, on both sides."""
    along, sum_, alike = 0.0, 0, 0
    for k in range(count):
        along += own[k] * field[k]
        sum_ += own[k]
        alike += own[k] * below[k]
    if at:
        for k in range(count):
            alike += own[k] * (beside[k] + beside[k + 1])
    return along, sum_, alike


@njit(parallel=True, cache=True)
def real_valued(
    start: np.ndarray,
    field: np.ndarray,
    width: int,
    couplings: np.ndarray,
    scales: np.ndarray,
    burn_in: int,
    states: np.ndarray,
    total: np.ndarray,
    traces: np.ndarray,
) -> None:
    """Run chains on a real-valued field, each on a processor of its own.

    start: int8 (chains, 2, H + 2, K + 2), +1 and -1, 0 round the picture, left as the last samples; field: float64
    (2, H, K) by colour; width: of the picture; couplings, scales: float64 (tables,), of the neighbours and on the
    field; sweep t uses table min(t, tables - 1); states: (chains, 2, K); total: int32 (chains, 2, H, K), gains the
    samples after burn_in; traces: float64 (chains, sweeps, 3), is filled: pairs that are alike less those that differ,
    sum of spin times field, sum of spins.
    """
    chains, sweeps = traces.shape[0], traces.shape[1]
    height, half = field.shape[1], field.shape[2]
    for chain in prange(chains):
        spins, a, tilt = start[chain], np.ones(start.shape[1:]), np.empty(field.shape)
        for t in range(sweeps):
            table = min(t, len(couplings) - 1)
            # A spin stands as the factor that it puts on its neighbours' odds of black, a missing one as 1.
            up, down = np.exp(-2 * couplings[table]), np.exp(2 * couplings[table])
            if t < len(couplings):
                limit = 4 * couplings[table] + 20
                for c in range(2):
                    for i in range(height):
                        for k in range(half):
                            pull = min(max(field[c, i, k] * scales[table], -limit), limit)
                            tilt[c, i, k] = np.exp(-2 * pull)
                        for k in range(half + 2):
                            spin = spins[c, i + 1, k]
                            a[c, i + 1, k] = 1.0 if spin == 0 else (up if spin > 0 else down)
            for c in range(2):
                for i in range(height):
                    o = (i + c) & 1
                    count = (width - o + 1) >> 1
                    beside = a[1 - c, i + 1, o : o + half + 1]  # from k - 1 or from k on
                    _real_row(
                        a[c, i + 1, 1:], spins[c, i + 1, 1:], a[1 - c, i, 1:], a[1 - c, i + 2, 1:], beside,
                        tilt[c, i], count, up, down, t >= burn_in, total[chain, c, i], states[chain],
                    )  # fmt: skip
            alike, along, sum_ = 0, 0.0, 0
            for i in range(height):
                for c in range(2):
                    o = (i + c) & 1
                    sums = _real_sums(
                        spins[c, i + 1, 1:], spins[1 - c, i + 2, 1:], spins[1 - c, i + 1], 1 - o, field[c, i],
                        (width - o + 1) >> 1,
                    )  # fmt: skip
                    along += sums[0]
                    sum_ += sums[1]
                    alike += sums[2]
            traces[chain, t, 0], traces[chain, t, 1], traces[chain, t, 2] = alike, along, sum_


@njit(inline="always")
def _ring(spins: np.ndarray, y: int, x: int, r: int) -> Any:
    return np.int64(spins[y - r, x]) + spins[y + r, x] + spins[y, x - r] + spins[y, x + r]


@njit(inline="always")
def _pull(spins: np.ndarray, couplings: np.ndarray, i: int, j: int) -> float:
    """Sum of couplings times spins along the row and the column of a pixel; spins have a margin of zeros."""
    reach, total = len(couplings), 0.0
    for r in range(1, reach + 1):
        total += couplings[r - 1] * _ring(spins, i + reach, j + reach, r)
    return total


@njit(parallel=True, cache=True)
def far(
    start: np.ndarray,
    field: np.ndarray,
    couplings: np.ndarray,
    scales: np.ndarray,
    burn_in: int,
    states: np.ndarray,
    total: np.ndarray,
    traces: np.ndarray,
) -> None:
    """Run chains of any reach r, in r + 1 colours along the diagonals: no two pixels of one are coupled.

    start: int8 (chains, H + 2 r, W + 2 r), 0 round the picture; field: float64 (H, W); couplings: float64 (r,), at
    distances 1 to r; scales: float64 (tables,), on both; states: (chains, 2, 1); total: float64 (chains, H, W), gains
    the chances of white after burn_in; traces: as of `real_valued`, with pairs weighted by their coupling.
    """
    chains, sweeps = traces.shape[0], traces.shape[1]
    height, width = field.shape
    reach = len(couplings)
    limit = 4 * couplings.sum() + 20
    for chain in prange(chains):
        spins, state = start[chain], states[chain]
        tilt, odds = np.empty(field.shape), np.empty((reach, 9))
        for t in range(sweeps):
            if t < len(scales):
                # Odds of black: a factor for the field, and one for the sum of the spins at each distance.
                for i in range(height):
                    for j in range(width):
                        tilt[i, j] = np.exp(-2 * scales[t] * min(max(field[i, j], -limit), limit))
                for r in range(reach):
                    for at in range(9):
                        odds[r, at] = np.exp(-2 * scales[t] * couplings[r] * (at - 4))
            alike, along, sum_ = 0.0, 0.0, np.int64(0)
            for c in range(reach + 1):
                for i in range(height):
                    y = i + reach
                    for j in range((c - i) % (reach + 1), width, reach + 1):
                        x = j + reach
                        black = tilt[i, j]
                        for r in range(reach):
                            black *= odds[r, _ring(spins, y, x, r + 1) + 4]
                        u = np.float64(np.int64(draw(state, 0) >> np.uint64(64 - BITS))) * (1.0 / 2.0**BITS)
                        spins[y, x] = 2 * (u * (1 + black) < 1) - 1
                        if t >= burn_in:
                            total[chain, i, j] += 1 / (1 + black)
            for i in range(height):
                y = i + reach
                for j in range(width):
                    spin = np.int64(spins[y, j + reach])
                    along += spin * field[i, j]
                    sum_ += spin
            for r in range(1, reach + 1):
                pairs = np.int64(0)
                for i in range(reach, height + reach):
                    for j in range(reach, width + reach):
                        pairs += np.int64(spins[i, j]) * (np.int64(spins[i + r, j]) + spins[i, j + r])
                alike += couplings[r - 1] * pairs
            traces[chain, t, 0], traces[chain, t, 1], traces[chain, t, 2] = alike, along, sum_


@njit(cache=True)
def descend(spins: np.ndarray, field: np.ndarray, couplings: np.ndarray) -> int:
    """Turn pixels one at a time, in reading order, while that makes the picture more probable; return the turns."""
    height, width = field.shape
    reach, turns, moved = len(couplings), 0, True
    while moved:
        moved = False
        for i in range(height):
            for j in range(width):
                spin = spins[i + reach, j + reach]
                if spin * (_pull(spins, couplings, i, j) + field[i, j]) < 0:
                    spins[i + reach, j + reach] = -spin
                    turns += 1
                    moved = True
    return turns
