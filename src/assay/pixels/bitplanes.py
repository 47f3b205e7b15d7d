"""A compiled Gibbs sampler for the Ising model on bits: 64 pixels to a word, all of them drawn at a time.

Planes of bits are kept by the colours of a checkerboard, as `lattice` has them. Neighbours that agree with what is seen
are added up by logic on words; random bits are compared with the bits of the chances until all 64 pixels are decided,
so chances are exact to `lattice.BITS` bits.

Importing this module loads the compiler, so only the functions that sample import it. Nothing is checked here.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, prange, types
from numba.extending import intrinsic

from .lattice import BITS, draw

BLOCK = 128  # words that are updated together, so that all of their work stays in the nearest cache
_FIRST = 12  # bits that are compared for all spins at once; what is undecided then is rare
_COUNTERS = 8  # bits of the counters that are kept bit by bit

_U1, _U63 = np.uint64(1), np.uint64(63)
_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)


def _build(_typing: Any, _word: Any) -> tuple[Any, Callable[..., Any]]:
    """Count the bits of a word, by the processor's instruction."""

    def build(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        count = builder.module.declare_intrinsic("llvm.ctpop", [ir.IntType(64)])
        return builder.call(count, [arguments[0]])

    return types.int64(types.uint64), build


_popcount: Any = intrinsic(_build)


@njit(cache=True)
def pack(white: np.ndarray, planes: np.ndarray) -> None:
    """Fill bit planes (2, H + 2, words) from a picture (H, W); the first and the last row stay empty."""
    planes[:] = np.uint64(0)
    for i in range(white.shape[0]):
        for j in range(white.shape[1]):
            if white[i, j]:
                k = j >> 1
                planes[(i + j) & 1, i + 1, k >> 6] |= _U1 << np.uint64(k & 63)


@njit(cache=True)
def unpack(planes: np.ndarray, white: np.ndarray) -> None:
    """Fill a picture (H, W) from bit planes."""
    for i in range(white.shape[0]):
        for j in range(white.shape[1]):
            k = j >> 1
            white[i, j] = (planes[(i + j) & 1, i + 1, k >> 6] >> np.uint64(k & 63)) & _U1


@njit(inline="always")
def _bit(planes: np.ndarray, i: int, j: int) -> Any:
    k = j >> 1
    return np.int64((planes[(i + j) & 1, i + 1, k >> 6] >> np.uint64(k & 63)) & _U1)


@njit(cache=True)
def _border_pixel(
    planes: np.ndarray,
    seen: np.ndarray,
    i: int,
    j: int,
    height: int,
    width: int,
    chances: np.ndarray,
    state: np.ndarray,
) -> None:
    """Draw a pixel that lacks a neighbour: chances (9,) by how many more neighbours agree with what is seen."""
    y = _bit(seen, i, j)
    agree = 0
    if i > 0:
        agree += 1 if _bit(planes, i - 1, j) == y else -1
    if i < height - 1:
        agree += 1 if _bit(planes, i + 1, j) == y else -1
    if j > 0:
        agree += 1 if _bit(planes, i, j - 1) == y else -1
    if j < width - 1:
        agree += 1 if _bit(planes, i, j + 1) == y else -1
    white = y if (draw(state, 0) >> np.uint64(64 - BITS)) < chances[agree + 4] else 1 - y
    k = j >> 1
    word, here = planes[(i + j) & 1, i + 1, k >> 6], _U1 << np.uint64(k & 63)
    planes[(i + j) & 1, i + 1, k >> 6] = (word | here) if white else (word & ~here)


@njit(cache=True)
def _colour(
    planes: np.ndarray,
    seen: np.ndarray,
    c: int,
    height: int,
    width: int,
    chances: np.ndarray,
    masks: np.ndarray,
    state: np.ndarray,
    edge: np.ndarray,
    work: np.ndarray,
) -> None:
    """Draw all pixels of one colour, a block of rows at a time."""
    words = planes.shape[2]
    rows = max(1, BLOCK // words)
    own, other, look = planes[c], planes[1 - c], seen[c]
    none, one, two, three, four = work[0], work[1], work[2], work[3], work[4]
    less, open_ = work[5], work[6]
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        n = (bottom - top) * words
        for i in range(top, bottom):
            at = (i - top) * words
            right = (i + c) & 1
            for k in range(words):
                no = ~look[i + 1, k]
                m = other[i + 1, k]
                if right:
                    q = m >> _U1
                    if k + 1 < words:
                        q |= other[i + 1, k + 1] << _U63
                else:
                    q = m << _U1
                    if k > 0:
                        q |= other[i + 1, k - 1] >> _U63
                u, v = other[i, k] ^ no, other[i + 2, k] ^ no
                m ^= no
                q ^= no
                # Adders on 64 pixels at once: how many of the four neighbours agree with what is seen.
                a, b, d, e = u ^ v, u & v, m ^ q, m & q
                c0, t, f = a ^ d, a & d, b ^ e
                c1, c2 = f ^ t, (b & e) | (f & t)
                low = ~(c1 | c2)
                none[at + k] = low & ~c0
                one[at + k] = low & c0
                two[at + k] = c1 & ~c0
                three[at + k] = c1 & c0
                four[at + k] = c2
                less[at + k] = np.uint64(0)
                open_[at + k] = _ALL
        # A random number is below a threshold as soon as, at the first bit that differs, the threshold has the one.
        for bit in range(_FIRST):
            t0, t1, t2, t3, t4 = masks[bit, 0], masks[bit, 1], masks[bit, 2], masks[bit, 3], masks[bit, 4]
            for q in range(n):
                t = (none[q] & t0) | (one[q] & t1) | (two[q] & t2) | (three[q] & t3) | (four[q] & t4)
                z = draw(state, q)
                less[q] |= open_[q] & t & ~z
                open_[q] &= ~(t ^ z)
        for q in range(n):
            if open_[q] != np.uint64(0):
                for bit in range(_FIRST, BITS):
                    t = none[q] & masks[bit, 0] | one[q] & masks[bit, 1] | two[q] & masks[bit, 2]
                    t |= three[q] & masks[bit, 3] | four[q] & masks[bit, 4]
                    z = draw(state, q)
                    less[q] |= open_[q] & t & ~z
                    open_[q] &= ~(t ^ z)
                    if open_[q] == np.uint64(0):
                        break
        for i in range(top, bottom):
            at = (i - top) * words
            for k in range(words):
                own[i + 1, k] = ~(less[at + k] ^ look[i + 1, k])
    for i in range(height):
        first = (i + c) & 1
        if i in (0, height - 1):
            for j in range(first, width, 2):
                _border_pixel(planes, seen, i, j, height, width, chances, edge)
        else:
            if first == 0:
                _border_pixel(planes, seen, i, 0, height, width, chances, edge)
            if width > 1 and ((width - 1 - first) & 1) == 0:
                _border_pixel(planes, seen, i, width - 1, height, width, chances, edge)


@njit(cache=True)
def _measure(planes: np.ndarray, seen: np.ndarray, valid: np.ndarray, height: int) -> tuple[int, int, int]:
    """Count pairs that differ, pixels that differ from what is seen, and white pixels."""
    words = planes.shape[2]
    pairs, unlike, white = 0, 0, 0
    for i in range(1, height + 1):
        o = (i - 1) & 1  # of colour 0 in this row
        for c in range(2):
            good = valid[o ^ c]
            below = i < height
            for k in range(words):
                s = planes[c, i, k]
                unlike += _popcount((s ^ seen[c, i, k]) & good[k])
                white += _popcount(s & good[k])
                if below:
                    pairs += _popcount((s ^ planes[1 - c, i + 1, k]) & good[k])
        even, odd = planes[o, i], planes[1 - o, i]  # the pixels j = 2 k, and j = 2 k + 1
        carry = np.uint64(0)
        for k in range(words):
            pairs += _popcount((even[k] ^ odd[k]) & valid[1, k])
            before = (odd[k] << _U1) | carry
            carry = odd[k] >> _U63
            edges = valid[0, k] if k > 0 else valid[0, k] & ~_U1
            pairs += _popcount((even[k] ^ before) & edges)
    return pairs, unlike, white


@njit(cache=True)
def _count(counters: np.ndarray, planes: np.ndarray, work: np.ndarray) -> None:
    """Add a sample to the counters, each a column of bits: half adders, until no carry is left."""
    flat, size = planes.reshape(-1), planes.size
    carry = work[0]
    for at in range(0, size, BLOCK):
        n = min(BLOCK, size - at)
        for q in range(n):
            carry[q] = flat[at + q]
        for p in range(_COUNTERS):
            plane = counters[p]
            left = np.uint64(0)
            for q in range(n):
                old = plane[at + q]
                both = old & carry[q]
                plane[at + q] = old ^ carry[q]
                carry[q] = both
                left |= both
            if left == np.uint64(0):
                break


@njit(cache=True)
def _pour(counters: np.ndarray, shape: tuple[int, int], total: np.ndarray) -> None:
    """Add the counters to whole numbers (H, W), and empty them."""
    rows, words = shape
    height, width = total.shape
    for i in range(height):
        for j in range(width):
            k = j >> 1
            at = (((i + j) & 1) * rows + i + 1) * words + (k >> 6)
            shift, value = np.uint64(k & 63), np.int64(0)
            for p in range(_COUNTERS):
                value += np.int64((counters[p, at] >> shift) & _U1) << p
            total[i, j] += value
    counters[:] = np.uint64(0)


@njit(parallel=True, cache=True)
def two_level(
    start: np.ndarray,
    seen: np.ndarray,
    valid: np.ndarray,
    thresholds: np.ndarray,
    masks: np.ndarray,
    burn_in: int,
    states: np.ndarray,
    edges: np.ndarray,
    total: np.ndarray,
    traces: np.ndarray,
) -> None:
    """Run chains on bit planes, each on a processor of its own.

    start: uint64 (chains, 2, H + 2, words), left as the last samples; seen: (2, H + 2, words); valid: (2, words) for
    both offsets; thresholds: uint64 (tables, 9) of `BITS` bits; masks: (tables, BITS, 5), all ones where the bit is
    set; sweep t uses table min(t, tables - 1); states: (chains, 2, lanes) and edges: (chains, 2, 1), of the generators;
    total: int32 (chains, H, W), gains the samples after burn_in; traces: int64 (chains, sweeps, 3), is filled.
    """
    chains, sweeps = traces.shape[0], traces.shape[1]
    height, width = total.shape[1], total.shape[2]
    lanes = states.shape[2]
    for chain in prange(chains):
        planes, counters = start[chain], np.zeros((_COUNTERS, seen.size), np.uint64)
        work, held = np.empty((7, lanes), np.uint64), 0
        for t in range(sweeps):
            table = min(t, len(thresholds) - 1)
            for c in range(2):
                _colour(
                    planes, seen, c, height, width, thresholds[table], masks[table], states[chain], edges[chain], work
                )
            traces[chain, t, 0], traces[chain, t, 1], traces[chain, t, 2] = _measure(planes, seen, valid, height)
            if t >= burn_in:
                _count(counters, planes, work)
                held += 1
                if held == 2**_COUNTERS - 1:
                    _pour(counters, planes.shape[1:], total[chain])
                    held = 0
        if held:
            _pour(counters, planes.shape[1:], total[chain])
