"""Ranks in windows: medians by networks, and clamping to the neighbours; compiled on first use.

Arrays are (H, W * channels), C-contiguous, uint8 or float32; `step` is the number of channels, so that a neighbour to
the right is `step` elements on. A kernel fills rows top to bottom of `out` and lets other threads run meanwhile.
"""

import functools
from dataclasses import dataclass, field

import numpy as np

from .kernel import kernel

TILE = 1024  # elements of a row at a time, so that all the values of a network stay in the nearest cache
_BOTH, _LOWER, _HIGHER = 0, 1, 2


@kernel
def clamp(image: np.ndarray, out: np.ndarray, rows: np.ndarray, radius: int, step: int, top: int, bottom: int) -> None:
    """Bring every pixel between the least and the greatest of its neighbours; the window ends at the border.

    Args:
        image: (H, W * step).
        out: the same shape and dtype.
        rows: (4, W * step + 2 * radius * step) of the same dtype: the first of a value that is above all others, the
            second of one that is below, for what lies beyond the picture; then of any content.
        radius: of the window, >= 1.
        step: channels.
        top: first row.
        bottom: row after the last.
    """
    height, width = image.shape
    reach = radius * step
    low, high, others_low, others_high = rows
    for y in range(top, bottom):
        for x in range(width):
            others_low[x], others_high[x] = low[0], high[0]
        for other in range(max(y - radius, 0), min(y + radius + 1, height)):
            if other != y:
                row = image[other]
                for x in range(width):
                    value = row[x]
                    others_low[x] = min(others_low[x], value)
                    others_high[x] = max(others_high[x], value)
        centre = image[y]
        whole_low, whole_high = low[reach : reach + width], high[reach : reach + width]
        for x in range(width):
            value = centre[x]
            whole_low[x] = min(others_low[x], value)
            whole_high[x] = max(others_high[x], value)
        for shift in range(-reach, reach + 1, step):
            if shift:
                beside_low = low[reach + shift : reach + shift + width]
                beside_high = high[reach + shift : reach + shift + width]
                for x in range(width):
                    others_low[x] = min(others_low[x], beside_low[x])
                    others_high[x] = max(others_high[x], beside_high[x])
        result = out[y]
        for x in range(width):
            value = centre[x]
            value = max(value, others_low[x])
            result[x] = min(value, others_high[x])


@kernel
def median(
    padded: np.ndarray, out: np.ndarray, steps: np.ndarray, values: np.ndarray, step: int, top: int, bottom: int
) -> None:
    """Take medians of windows by the comparisons of a network, each of them on a stretch of a row at once.

    Args:
        padded: (H + size - 1, (W + size - 1) * step).
        out: (H, W * step).
        steps: int32 (n, 7), from `network`.
        values: (places, TILE + 2 * (size - 1) * step) of the same dtype, finite; places from `network`.
        step: channels.
        top: first row of out.
        bottom: row after the last.
    """
    width = out.shape[1]
    size = padded.shape[0] - out.shape[0] + 1
    reach = (size - 1) * step
    tile = values.shape[1] - 2 * reach
    for y in range(top, bottom):
        for left in range(0, width, tile):
            count = min(tile, width - left)
            whole = count + reach
            for i in range(size):
                row, source = values[i], padded[y + i, left : left + whole]
                for x in range(whole):
                    row[x] = source[x]
            for n in range(len(steps)):
                kind, first, first_shift, second, second_shift, lower, higher = steps[n]
                a = values[first, first_shift * step : first_shift * step + whole]
                b = values[second, second_shift * step : second_shift * step + whole]
                low, high = values[lower], values[higher]
                if kind == _BOTH:
                    for x in range(whole):
                        low[x] = min(b[x], a[x])
                        high[x] = max(b[x], a[x])
                elif kind == _LOWER:
                    for x in range(whole):
                        low[x] = min(b[x], a[x])
                else:
                    for x in range(whole):
                        high[x] = max(b[x], a[x])
            last = steps[-1, 5] if steps[-1, 0] == _LOWER else steps[-1, 6]
            middle, result = values[last], out[y, left : left + count]
            for x in range(count):
                result[x] = middle[x]


@dataclass(frozen=True)
class _Value:
    """A row of values, seen from `shift` pixels further right."""

    name: int
    shift: int = 0


@dataclass
class _Network:
    """Comparisons of values, as (first, second, name of the lower, name of the higher)."""

    names: int
    steps: list[tuple[_Value, _Value, int, int]] = field(default_factory=list)

    def compare(self, a: _Value, b: _Value) -> tuple[_Value, _Value]:
        low, high = self.names, self.names + 1
        self.names += 2
        self.steps.append((a, b, low, high))
        return _Value(low), _Value(high)

    def merge(self, a: list[_Value], b: list[_Value]) -> list[_Value]:
        """Merge two sorted lists: Batcher's odd-even merge, for any two lengths."""
        if not a or not b:
            return a or b
        if len(a) == len(b) == 1:
            return list(self.compare(a[0], b[0]))
        even, odd = self.merge(a[::2], b[::2]), self.merge(a[1::2], b[1::2])
        merged = even[:1]
        for low, high in zip(odd, even[1:], strict=False):
            merged += self.compare(low, high)
        return merged + odd[len(even) - 1 :] + even[1 + len(odd) :]

    def sort(self, values: list[_Value]) -> list[_Value]:
        half = len(values) // 2
        return self.merge(self.sort(values[:half]), self.sort(values[half:])) if half else values

    def select(self, a: list[_Value], b: list[_Value], k: int) -> None:
        """Find the value of rank k, from 0, of two sorted lists: the least of the greater ends of all ways to cut."""
        found: _Value | None = None
        for taken in range(max(k + 1 - len(b), 0), min(k + 1, len(a)) + 1):
            ends = a[taken - 1 : taken] if taken else []
            ends = ends + (b[k - taken : k - taken + 1] if taken <= k else [])
            greater = self.compare(*ends)[1] if len(ends) == 2 else ends[0]
            found = greater if found is None else self.compare(found, greater)[0]


def _seen(values: list[_Value], shift: int) -> list[_Value]:
    return [_Value(v.name, v.shift + shift) for v in values]


@functools.lru_cache(maxsize=32)
def network(size: int) -> tuple[np.ndarray, int]:
    """Write out the comparisons that give the median of size x size pixels.

    A column is sorted once for all windows that hold it; two columns are merged once for all windows that hold both,
    then two such pairs, and so on; of the last merge only the middle is made.

    Args:
        size: odd, >= 3.

    Returns:
        int32 (n, 7) of kind (0 both, 1 the lower, 2 the higher), first value and its shift in pixels, second value and
        its shift, places of the lower and the higher; and the number of places. Places 0 to size - 1 hold the rows of
        the window to begin with; the last comparison gives the median.

    Source: Batcher 1968, doi:10.1145/1468075.1468121; sorted columns that windows share as in Adams 2021,
    doi:10.1145/3450626.3459773.
    """
    net = _Network(size)
    columns = net.sort([_Value(i) for i in range(size)])
    powers = {1: columns}
    while (width := max(powers)) * 2 <= size:
        powers[2 * width] = net.merge(powers[width], _seen(powers[width], width))
    largest = powers.pop(max(powers))
    # What remains of the window, from its right side on.
    place, rest = len(largest) // size, []
    for width in sorted(powers, reverse=True):
        if size - place >= width:
            rest.append(_seen(powers[width], place))
            place += width
    others = functools.reduce(net.merge, reversed(rest))
    net.select(largest, others, size * size // 2)
    return _allocate(net.steps, size)


def _allocate(steps: list[tuple[_Value, _Value, int, int]], size: int) -> tuple[np.ndarray, int]:
    """Drop what nothing needs, and give every value a place from its making to its last use."""
    needed = {steps[-1][2]}
    kept = []
    last_use: dict[int, int] = {}
    for a, b, low, high in reversed(steps):
        if low in needed or high in needed:
            needed |= {a.name, b.name}
            kept.append((a, b, low if low in needed else -1, high if high in needed else -1))
    kept.reverse()
    for n, (a, b, _, _) in enumerate(kept):
        last_use[a.name] = last_use[b.name] = n
    places = {i: i for i in range(size)}
    free: list[int] = []
    count = size
    written = np.zeros((len(kept), 7), np.int32)
    for n, (a, b, low, high) in enumerate(kept):
        for name in (low, high):
            if name >= 0:
                if not free:
                    free.append(count)
                    count += 1
                places[name] = free.pop()
        kind = _BOTH if low >= 0 and high >= 0 else _LOWER if low >= 0 else _HIGHER
        written[n] = (
            kind, places[a.name], a.shift, places[b.name], b.shift, places.get(low, 0), places.get(high, 0)
        )  # fmt: skip
        # Only now: a comparison never writes where it reads, so that it can be made on many elements at once.
        free += [places[name] for name in {a.name, b.name} if last_use[name] == n]
    return written, count
