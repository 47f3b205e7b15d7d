"""Compiled Gibbs samplers for the Ising model: planes of bits or of floats in, counts and traces out.

A picture is kept by the colours of a checkerboard. Row i of colour c holds the pixels j = 2 k + o with o = (i + c) % 2,
by k; a pixel's neighbours are all of the other colour. The rows above, below and its own hold them at the same k, its
own also at k - 1 where o = 0 and at k + 1 where o = 1.

Importing this module loads the compiler, so only the functions that sample import it. Nothing is checked here.
"""

import numpy as np
from llvmlite import ir
from numba import njit, prange, types
from numba.extending import intrinsic

BITS = 53  # of a random number; as many as a probability has in double precision
_FIRST = 12  # bits that are compared for all spins at once; what is undecided then is rare
BLOCK = 128  # words that are updated together, so that all of their work stays in the nearest cache
_COUNTERS = 8  # bits of the counters that are kept bit by bit

_U1, _U63 = np.uint64(1), np.uint64(63)
_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)


@intrinsic
def _popcount(typing, word):  # noqa: ANN001, ANN202, ARG001 - the compiler's own calling convention
    """Count the bits of a word, by the processor's instruction."""

    def build(context, builder, signature, arguments):  # noqa: ANN001, ANN202, ARG001
        kind = ir.IntType(64)
        count = builder.module.declare_intrinsic("llvm.ctpop", [kind])
        return builder.call(count, [arguments[0]])

    return types.int64(types.uint64), build


@njit(inline="always")
def _turn(x, n):
    return (x << np.uint64(n)) | (x >> np.uint64(64 - n))


@njit(inline="always")
def _draw(state, q):
    """Draw 64 random bits from generator q. Source: xoroshiro128++ 1.0, Blackman & Vigna 2021, doi:10.1145/3460772."""
    a, b = state[0, q], state[1, q]
    word = _turn(a + b, 17) + a
    b ^= a
    state[0, q] = _turn(a, 49) ^ b ^ (b << np.uint64(21))
    state[1, q] = _turn(b, 28)
    return word


@njit(cache=True)
def pack(white, planes):
    """Fill bit planes (2, H + 2, words) from a picture (H, W); the first and the last row stay empty."""
    planes[:] = np.uint64(0)
    for i in range(white.shape[0]):
        for j in range(white.shape[1]):
            if white[i, j]:
                k = j >> 1
                planes[(i + j) & 1, i + 1, k >> 6] |= _U1 << np.uint64(k & 63)


@njit(cache=True)
def unpack(planes, white):
    """Fill a picture (H, W) from bit planes."""
    for i in range(white.shape[0]):
        for j in range(white.shape[1]):
            k = j >> 1
            white[i, j] = (planes[(i + j) & 1, i + 1, k >> 6] >> np.uint64(k & 63)) & _U1


@njit(inline="always")
def _bit(planes, i, j):
    k = j >> 1
    return np.int64((planes[(i + j) & 1, i + 1, k >> 6] >> np.uint64(k & 63)) & _U1)


@njit(cache=True)
def _border_pixel(planes, seen, i, j, height, width, chances, state):
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
    white = y if (_draw(state, 0) >> np.uint64(64 - BITS)) < chances[agree + 4] else 1 - y
    k = j >> 1
    word, here = planes[(i + j) & 1, i + 1, k >> 6], _U1 << np.uint64(k & 63)
    planes[(i + j) & 1, i + 1, k >> 6] = (word | here) if white else (word & ~here)


@njit(cache=True)
def _colour(planes, seen, c, height, width, chances, masks, state, edge, work):
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
                z = _draw(state, q)
                less[q] |= open_[q] & t & ~z
                open_[q] &= ~(t ^ z)
        for q in range(n):
            if open_[q] != np.uint64(0):
                for bit in range(_FIRST, BITS):
                    t = none[q] & masks[bit, 0] | one[q] & masks[bit, 1] | two[q] & masks[bit, 2]
                    t |= three[q] & masks[bit, 3] | four[q] & masks[bit, 4]
                    z = _draw(state, q)
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
def _measure(planes, seen, valid, height):
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
def _count(counters, planes, work):
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
def _pour(counters, shape, total):
    """Add the counters to whole numbers (H, W), and empty them."""
    rows, words = shape
    height, width = total.shape
    for i in range(height):
        for j in range(width):
            k = j >> 1
            at = (((i + j) & 1) * rows + i + 1) * words + (k >> 6)
            shift, value = np.uint64(k & 63), 0
            for p in range(_COUNTERS):
                value += np.int64((counters[p, at] >> shift) & _U1) << p
            total[i, j] += value
    counters[:] = np.uint64(0)


@njit(parallel=True, cache=True)
def two_level(start, seen, valid, thresholds, masks, burn_in, states, edges, total, traces):
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


@njit(cache=True)
def _real_row(a, s, above, below, beside, tilt, count, up, down, kept, tally, state):
    """Draw one row of one colour: u < 1 / (1 + x) without a division."""
    for k in range(count):
        x = above[k] * below[k] * beside[k] * beside[k + 1] * tilt[k]
        u = np.float64(np.int64(_draw(state, k) >> np.uint64(64 - BITS))) * (1.0 / 2.0**BITS)
        white = u * (1.0 + x) < 1.0
        a[k] = up if white else down
        s[k] = 1 if white else -1
        if kept:
            tally[k] += white


@njit(cache=True, fastmath={"reassoc"})
def _real_sums(own, below, beside, at, field, count):
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
def real_valued(start, field, width, couplings, scales, burn_in, states, total, traces):
    """Run chains on a real-valued field, each on a processor of its own.

    start: int8 (chains, 2, H + 2, K + 2), +1 and -1, 0 round the picture, left as the last samples; field: float64
    (2, H, K) by colour; width: of the picture; couplings, scales: float64 (tables,), of the neighbours and on the field; sweep t uses table
    min(t, tables - 1); states: (chains, 2, K); total: int32 (chains, 2, H, K), gains the samples after burn_in; traces:
    float64 (chains, sweeps, 3), is filled: pairs that are alike less those that differ, sum of spin times field, sum
    of spins.
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
def _ring(spins, y, x, r):
    return np.int64(spins[y - r, x]) + spins[y + r, x] + spins[y, x - r] + spins[y, x + r]


@njit(inline="always")
def _pull(spins, couplings, i, j):
    """Sum of couplings times spins along the row and the column of a pixel; spins have a margin of zeros."""
    reach, total = len(couplings), 0.0
    for r in range(1, reach + 1):
        total += couplings[r - 1] * _ring(spins, i + reach, j + reach, r)
    return total


@njit(parallel=True, cache=True)
def far(start, field, couplings, scales, burn_in, states, total, traces):
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
            alike, along, sum_ = 0.0, 0.0, 0
            for c in range(reach + 1):
                for i in range(height):
                    y = i + reach
                    for j in range((c - i) % (reach + 1), width, reach + 1):
                        x = j + reach
                        black = tilt[i, j]
                        for r in range(reach):
                            black *= odds[r, _ring(spins, y, x, r + 1) + 4]
                        u = np.float64(np.int64(_draw(state, 0) >> np.uint64(64 - BITS))) * (1.0 / 2.0**BITS)
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
                pairs = 0
                for i in range(reach, height + reach):
                    for j in range(reach, width + reach):
                        pairs += np.int64(spins[i, j]) * (np.int64(spins[i + r, j]) + spins[i, j + r])
                alike += couplings[r - 1] * pairs
            traces[chain, t, 0], traces[chain, t, 1], traces[chain, t, 2] = alike, along, sum_


@njit(cache=True)
def descend(spins, field, couplings):
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
