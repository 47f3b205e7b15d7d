"""Complementary hulling: the kernel of the Crimmins speckle filter, compiled on first use.

An array (H, W), uint8 or float32 in grey levels, goes in; another of the same shape is filled.
"""

import numpy as np

from .kernel import kernel

# Where the pixel c lies from b, in rows and columns: N-S, E-W, NW-SE, NE-SW; a lies opposite.
DIRECTIONS = ((1, 0), (0, 1), (1, 1), (1, -1))
DEPTH = 24  # rows that a result depends on, above and below: 2 shades x 3 directions that leave the row x 4 rules
_FAR_A, _NEAR_A, _NEAR_C, _FAR_C = range(4)


def stages() -> np.ndarray:
    """Write out the 32 passes of one iteration in their order.

    Returns:
        int64 (32, 4): 1 to raise dark pixels or 0 to lower light ones, the rule, the rows and columns from b to c.
    """
    return np.array([(dark, rule, *place) for dark in (1, 0) for place in DIRECTIONS for rule in range(4)])


@kernel
def hull(
    image: np.ndarray, out: np.ndarray, passes: np.ndarray, kept: np.ndarray, mirrored: int, top: int, bottom: int
) -> None:
    """Run the passes of one iteration over some rows, all of them in one sweep.

    Pass n works on the row that pass n - 1 has just finished, or on the one before where it needs the row below; of
    each pass only the last three rows are kept. Every rule sees the picture as the rule before has left it.

    Args:
        image: (H, W).
        out: the same shape and dtype.
        passes: int64 (n, 4), from `stages`.
        kept: (n, 3, W) of the same dtype, for the rows that are kept; of any content.
        mirrored: 1: pixels beyond the border mirror those within it; 0: a rule that lacks one of its pixels changes
            nothing.
        top: first row of out to fill.
        bottom: row after the last.
    """
    height, width = image.shape
    count = len(passes)
    first, end = max(top - DEPTH, 0), min(bottom + DEPTH, height)
    lag = passes[:, 2].sum()
    for at in range(first, end + lag):
        y = at
        for n in range(count):
            y -= passes[n, 2]
            if first <= y < end:
                dark, rule, down, right = passes[n]
                b = image[y] if n == 0 else kept[n - 1, y % 3]
                result = kept[n, y % 3]
                a, c = b, b
                above, below = y - down >= first, y + down < end
                if down:
                    a = (image[y - 1] if n == 0 else kept[n - 1, (y - 1) % 3]) if above else b
                    c = (image[y + 1] if n == 0 else kept[n - 1, (y + 1) % 3]) if below else b
                if not mirrored and ((rule != _FAR_C and not above) or (rule != _FAR_A and not below)):
                    for x in range(width):
                        result[x] = b[x]
                    continue
                edge = abs(right)  # columns at either side whose neighbours may lie beyond the border
                left, stop = edge, width - edge
                _move(
                    rule,
                    dark,
                    a[left - right : stop - right],
                    b[left:stop],
                    c[left + right : stop + right],
                    result[left:stop],
                )
                for x in (0, width - 1):
                    if edge:
                        i, j = x - right, x + right
                        lacks = (rule != _FAR_C and not 0 <= i < width) or (rule != _FAR_A and not 0 <= j < width)
                        if lacks and not mirrored:
                            result[x] = b[x]
                        else:
                            i, j = min(max(i, 0), width - 1), min(max(j, 0), width - 1)
                            _move(rule, dark, a[i : i + 1], b[x : x + 1], c[j : j + 1], result[x : x + 1])
        if top <= y < bottom:
            finished, row = kept[count - 1, y % 3], out[y]
            for x in range(width):
                row[x] = finished[x]


@kernel
def _move(rule: int, dark: int, a: np.ndarray, b: np.ndarray, c: np.ndarray, result: np.ndarray) -> None:
    """Apply one rule to pixels b between a and c."""
    if rule == _FAR_A:
        _far(a, b, result, dark)
    elif rule == _NEAR_A:
        _near(a, b, c, result, dark)
    elif rule == _NEAR_C:
        _near(c, b, a, result, dark)
    else:
        _far(c, b, result, dark)


@kernel
def _far(a: np.ndarray, b: np.ndarray, result: np.ndarray, dark: int) -> None:
    """Move b by a level towards a that is two or more away: if a >= b + 2 then b + 1; if a <= b - 2 then b - 1."""
    # Differences are taken the way in which they are never negative, so that 8 bits hold them.
    if dark:
        for x in range(len(b)):
            rise = b.dtype.type((max(b[x], a[x])) - b[x])
            result[x] = b.dtype.type(b[x] + (rise >= b.dtype.type(2)))
    else:
        for x in range(len(b)):
            fall = b.dtype.type(b[x] - (min(b[x], a[x])))
            result[x] = b.dtype.type(b[x] - (fall >= b.dtype.type(2)))


@kernel
def _near(a: np.ndarray, b: np.ndarray, c: np.ndarray, result: np.ndarray, dark: int) -> None:
    """Fill or cut where b lies below a and not above c: if a > b and b <= c then b + 1; with < and >= then b - 1."""
    if dark:
        for x in range(len(b)):
            result[x] = b.dtype.type(b[x] + ((a[x] > b[x]) & (b[x] <= c[x])))
    else:
        for x in range(len(b)):
            result[x] = b.dtype.type(b[x] - ((a[x] < b[x]) & (b[x] >= c[x])))
