"""Hashes: pictures that look alike have hashes that differ in few bits. Pictures in, 64-bit numbers or pairs out.

A hash is the same for a picture and its seven rotations and mirror images.
"""

import functools
import itertools
import math

import numpy as np

from ..errors import InputError
from . import colour

# Bits in which copies may differ. Among 672 photographs (hymenoptera, ImageNet samples, Kodak) 1.3 in 100,000 pairs
# that are no copies are within it, among 1,200 textures (DTD) 6 in 100,000.
RADIUS = 12
# Hashes see the broad shapes that all pictures of one product share: one that has more partners than this says nothing.
PARTNERS = 8

_CELLS = 32  # along each side of the small picture whose frequencies are compared
_STEP = 256  # levels to which a grey level is divided there, and below which deviation a picture counts as flat
_WAVES = 16  # frequencies along each side
_ONE = 1024  # of the waves, which are whole numbers so that every sum is exact
_FAINT = 0.02 * _STEP * (_ONE * _CELLS / 2) ** 2  # of a wave that is a hundredth of a grey level high
_SAID = 32  # waves that are not faint, of 64, below which a picture is too plain to be told from others
# The 64 lowest pairs of frequencies; the mean says nothing, and |first row| + |first column| is always positive.
_PAIRS = [(u, s - u) for s in range(2, 2 * _WAVES) for u in range(s // 2 + 1) if s - u < _WAVES][:64]
_U, _V = (np.array(axis) for axis in zip(*_PAIRS, strict=True))
_EVEN_ODD = [
    (u, v) for s in range(1, 2 * _WAVES) for v in range(1, _WAVES, 2) if (u := s - v) % 2 == 0 and 0 <= u < _WAVES
]
_ODD_ODD = [(u, v) for u, v in _PAIRS if u % 2 and v % 2]
_SIGNS = np.where(np.arange(_WAVES) % 2, -1.0, 1.0)
_PART = 1 << 22  # pairs that are looked at at a time, so that memory is bounded
_SORT, _LOOK, _PLAIN = 30.0, 12.0, 2.5  # nanoseconds: to sort a hash, to look at a pair in a bucket, and in a block


def perceptual(image: np.ndarray) -> int:
    """Hash what a picture looks like: the signs of its 64 lowest frequencies.

    Mirroring a picture changes the signs of odd frequencies, turning it swaps rows and columns. So the picture is first
    mirrored until it is brighter at the left and at the top, and each frequency is added to its transposed twin. All
    sums are of whole numbers, hence exact, in whatever order a picture is added up.

    Args:
        image: picture, uint8, (H, W) or (H, W, 3).

    Returns:
        64 bits, exactly the same for all 8 rotations and mirror images. 0 for a picture that is flat, or as plain as
        stripes: it would look like any other such picture.

    Raises:
        InputError: the picture is not uint8.

    Source: the DCT hash of Zauner 2010 (pHash), with signs for medians; the symmetric sums are our own.

    >>> perceptual(np.full((9, 12), 80, np.uint8))
    0
    >>> ramp = np.arange(108, dtype=np.uint8).reshape(9, 12)
    >>> perceptual(ramp) == perceptual(np.rot90(ramp))
    True
    """
    if image.dtype != np.uint8:
        raise InputError(f"perceptual needs a picture of uint8, got {image.dtype}; pixels.colour.to_uint8 makes one")
    cells = _cells(colour.grey(image))
    cells -= np.rint(cells.sum() / cells.size)
    if np.vdot(cells, cells) < cells.size * _STEP**2:
        return 0
    waves = _waves()
    found = waves @ cells @ waves.T
    across, down = _sign(found, _EVEN_ODD), _sign(found.T, _EVEN_ODD)
    if across < 0:
        found = found * _SIGNS
    if down < 0:
        found = found * _SIGNS[:, None]
    sums = found + found.T
    if 0 in {across, down} and _sign(sums, _ODD_ODD) < 0:  # alike on both sides: only the diagonals can tell
        sums = np.where((_SIGNS[:, None] < 0) & (_SIGNS < 0), -sums, sums)
    said = sums[_U, _V]
    if np.count_nonzero(np.abs(said) > _FAINT) < _SAID:
        return 0
    return int.from_bytes(np.packbits(said > 0).tobytes(), "big")


def distance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Count the bits in which hashes differ.

    Args:
        a: uint64, any shape.
        b: uint64, a shape that goes with it.

    Returns:
        uint8, 0 to 64.

    >>> distance(np.array([7, 0], np.uint64), np.array([1, 0], np.uint64))
    array([2, 0], dtype=uint8)
    """
    return np.asarray(np.bitwise_count(np.asarray(a, np.uint64) ^ np.asarray(b, np.uint64)))


def near_pairs(hashes: np.ndarray, *, radius: int) -> np.ndarray:
    """Find every pair of hashes that differ in few bits.

    Hashes are cut into bands. Of two that differ in at most `radius` bits, at least g of radius + g bands are equal; so
    only hashes that share g bands are compared, for every choice of g bands. The cheapest g, by a sample, is taken.

    Args:
        hashes: uint64 (n,); 0 stands for no hash and is in no pair.
        radius: bits in which a pair differs at most, 0 to 64.

    Returns:
        int64 (p, 2), the indices of each pair, smaller first, in order. Exact; memory grows with n and p only.

    Raises:
        InputError: hashes are not uint64 (n,), or radius is outside 0..64.

    Source: Norouzi et al. 2012, multi-index hashing, doi:10.1109/CVPR.2012.6248043, with g bands for one.

    >>> near_pairs(np.array([1, 6, 0, 1, 7], np.uint64), radius=1).tolist()
    [[0, 3], [1, 4]]
    """
    hashes = np.asarray(hashes)
    if hashes.ndim != 1 or hashes.dtype != np.uint64:
        raise InputError(f"hashes must be uint64 (n,), got {hashes.dtype} {hashes.shape}")
    if not 0 <= radius <= 64:
        raise InputError(f"radius must be in 0..64, got {radius!r}")
    places = np.flatnonzero(hashes)
    order = places[np.argsort(hashes[places], kind="stable")]
    values, starts, counts = np.unique(hashes[order], return_index=True, return_counts=True)
    between = _near(values, radius)
    # From pairs of values to pairs of all the places that hold them.
    first, second = between.T
    sizes = counts[first] * counts[second]
    nth = _nth(sizes)
    left = np.repeat(starts[first], sizes) + nth // np.repeat(counts[second], sizes)
    right = np.repeat(starts[second], sizes) + nth % np.repeat(counts[second], sizes)
    later = np.repeat(starts + counts, counts) - np.arange(len(order)) - 1  # places with the same value, further on
    same = np.repeat(np.arange(len(order)), later)
    pairs = np.stack(
        [order[np.concatenate([left, same])], order[np.concatenate([right, same + 1 + _nth(later)])]], axis=1
    )
    pairs.sort(axis=1)
    return pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))].astype(np.int64, copy=False)


@functools.lru_cache(maxsize=1)
def _waves() -> np.ndarray:
    """Return (waves, cells) cosines in whole numbers, exactly even or odd about the middle."""
    half = np.arange(_CELLS // 2)
    left = np.rint(_ONE * np.cos(np.pi * (2 * half + 1) * np.arange(_WAVES)[:, None] / (2 * _CELLS)))
    return np.concatenate([left, left[:, ::-1] * _SIGNS[:, None]], axis=1)


@functools.lru_cache(maxsize=256)
def _shares(length: int) -> np.ndarray:
    """Return (cells, length) parts of each pixel that lie in each cell, in 32nds: whole numbers, `length` a row."""
    begin, end = np.arange(_CELLS)[:, None] * length, np.arange(length) * _CELLS
    overlap = np.minimum(begin + length, end + _CELLS) - np.maximum(begin, end)
    shares: np.ndarray = np.clip(overlap, 0, None).astype(np.float32)
    return shares


def _cells(grey: np.ndarray) -> np.ndarray:
    """Average over 32 x 32 areas, in 256ths of a grey level; whole numbers below 2**24 are exact in float32."""
    height, width = grey.shape
    sums = _shares(height) @ grey.astype(np.float32)
    kind = np.float32 if 255 * height * width < 1 << 24 else np.float64
    total = sums.astype(kind, copy=False) @ _shares(width).T.astype(kind, copy=False)
    cells: np.ndarray = np.rint(total.astype(np.float64) * _STEP / (height * width))
    return cells


def _sign(found: np.ndarray, order: list[tuple[int, int]]) -> float:
    """Return the sign of the first of these that is not 0."""
    return next((math.copysign(1, found[at]) for at in order if found[at]), 0.0)


def _nth(sizes: np.ndarray) -> np.ndarray:
    """Count 0, 1, ... within each of several runs."""
    nth: np.ndarray = np.arange(int(sizes.sum())) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return nth


def _near(values: np.ndarray, radius: int) -> np.ndarray:
    """Find pairs among different hashes, by whichever way is cheapest on a sample of it."""
    n = len(values)
    costs = {0: n * (n - 1) / 2 * _PLAIN}
    for g in range(1, min(4, 64 - radius) + 1):
        choices = list(itertools.combinations(range(radius + g), g))
        sample = choices[:: max(len(choices) // 4, 1)]
        keys = (_key(values, _bands(radius + g), choice) for choice in sample)
        looks = sum(float((c * (c - 1) // 2).sum()) for c in (np.unique(k, return_counts=True)[1] for k in keys))
        costs[g] = len(choices) * (n * _SORT + looks / len(sample) * _LOOK)
        if len(choices) * n * _SORT > costs[0]:
            break
    g = min(costs, key=costs.__getitem__)
    found = _plain(values, radius) if g == 0 else _banded(values, radius, g)
    return np.concatenate([np.zeros((0, 2), np.int64), *found])


def _bands(count: int) -> list[tuple[int, int]]:
    """Cut 64 bits into bands: first bit, and mask of the band when shifted to the right."""
    edges = [64 * i // count for i in range(count + 1)]
    return [(a, (1 << (b - a)) - 1) for a, b in itertools.pairwise(edges)]


def _key(values: np.ndarray, bands: list[tuple[int, int]], choice: tuple[int, ...]) -> np.ndarray:
    key: np.ndarray = np.zeros(len(values), np.uint64)
    width = 0
    for start, mask in (bands[i] for i in choice):
        key |= ((values >> np.uint64(start)) & np.uint64(mask)) << np.uint64(width)
        width += mask.bit_length()
    # NumPy sorts 16 bits by radix.
    kind: type = np.uint16 if width <= 16 else np.uint64
    result: np.ndarray = key.astype(kind)
    return result


def _banded(values: np.ndarray, radius: int, g: int) -> list[np.ndarray]:
    bands, found = _bands(radius + g), []
    masks = [np.uint64(mask << start) for start, mask in bands]
    for choice in itertools.combinations(range(radius + g), g):
        key = _key(values, bands, choice)
        order = np.argsort(key, kind="stable")
        key, sorted_ = key[order], values[order]
        changes = np.flatnonzero(np.r_[key[1:] != key[:-1], True]) + 1
        end = np.repeat(changes, np.diff(changes, prepend=0))
        others = [masks[i] for i in range(choice[-1]) if i not in choice]
        at = np.arange(len(values))
        for step in itertools.count(1):
            at = at[at + step < end[at]]
            if not len(at):
                break
            differs = sorted_[at] ^ sorted_[at + step]
            near = np.flatnonzero(np.bitwise_count(differs) <= radius)
            # A pair may share more than g bands: it counts for the first g alone.
            for mask in others:
                near = near[differs[near] & mask != 0]
            if len(near):
                found.append(np.stack([order[at[near]], order[at[near] + step]], axis=1))
    return found


def _plain(values: np.ndarray, radius: int) -> list[np.ndarray]:
    """Compare every hash with every later one, block by block."""
    found, n = [], len(values)
    rows = max(_PART // max(n, 1), 1)
    for top in range(0, n, rows):
        near = np.bitwise_count(values[top : top + rows, None] ^ values[None, top:]) <= radius
        i, j = np.nonzero(near)
        found.append(np.stack([i, j], axis=1)[i < j] + top)
    return found
