"""The kernel behind `fidelity.ssim`: two planes in, one pass over them in tiles that fit the cache, a score out.

It works on the sum s and the difference d of the planes. Their local means and variances give all that SSIM asks for,
2 E[a]E[b] = (E[s]^2 - E[d]^2) / 2 and so on, from four filtered planes rather than five; equal planes have d = 0, so
they score 1 exactly, and swapping the planes changes no bit. Only `fidelity` imports this, and only when it is asked
for a score, because it brings Numba.
"""

import numpy as np
from numba import njit

_WIDE, _HIGH = 64, 64  # pixels of a tile: its four filtered planes stay in the second cache
_REACH = 5  # the largest radius of a window
_LINE = _WIDE + 2 * _REACH
_PLANE = _WIDE * (_HIGH + 2 * _REACH)
ROOM = 4 * (_PLANE + _LINE)  # numbers that `compare` sums in
Weights = tuple[float, ...]


# NaN must come through, so "fast" does not take its absence for granted.
_FAST = {"contract", "reassoc", "nsz"}


@njit(inline="always")
def _weigh(line: np.ndarray, at: int, step: int, near: Weights, far: Weights | None) -> float:
    """Sum a symmetric window of radius 3, or 5 where there are far weights, about a place."""
    total: float = near[0] * line[at]
    total += near[1] * (line[at - step] + line[at + step])
    total += near[2] * (line[at - 2 * step] + line[at + 2 * step])
    total += near[3] * (line[at - 3 * step] + line[at + 3 * step])
    if far is not None:
        total += far[0] * (line[at - 4 * step] + line[at + 4 * step])
        total += far[1] * (line[at - 5 * step] + line[at + 5 * step])
    return total


@njit(cache=True, nogil=True, fastmath=_FAST)
def _across(
    p: np.ndarray, q: np.ndarray, near: Weights, far: Weights | None, half: float, line: np.ndarray, sums: np.ndarray
) -> None:
    """Filter s, d and their squares along one row of a tile; sums has the row's place in the first of four planes."""
    radius = 3 if far is None else 5
    n = len(p) - 2 * radius
    for x in range(len(p)):
        u, v = p[x] - half, q[x] - half  # counted from mid-grey: smaller squares, less rounding
        s, d = u + v, u - v
        line[x] = s
        line[x + _LINE] = d
        line[x + 2 * _LINE] = s * s
        line[x + 3 * _LINE] = d * d
    for plane in range(4):
        given, row = line[plane * _LINE :], sums[plane * _PLANE :]
        for x in range(n):
            row[x] = _weigh(given, x + radius, 1, near, far)


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_FAST)
def compare(
    a: np.ndarray,
    b: np.ndarray,
    near: Weights,
    far: Weights | None,
    norm: float,
    limit: float,
    sums: np.ndarray,
    found: np.ndarray,
) -> tuple[float, float]:
    """Score every place at which the window lies inside both planes.

    Args:
        a: plane, uint8 or float32, C-contiguous (H, W).
        b: likewise.
        near: 4 weights of the window, from its centre on; it is separable and symmetric. They need not add up to 1.
        far: 2 more, or None for a window of radius 3.
        norm: what a variance is multiplied by.
        limit: the largest pixel value.
        sums: float32 or float64 (ROOM,) to sum in, of the weights' dtype.
        found: float64 (H - 2 radius, W - 2 radius) that takes the scores, or (0, 0).

    Returns:
        Mean of SSIM, and mean of its contrast and structure term alone.
    """
    radius = 3 if far is None else 5
    height, width = a.shape[0] - 2 * radius, a.shape[1] - 2 * radius
    line, sums = sums[4 * _PLANE :], sums[: 4 * _PLANE]
    half = sums.dtype.type(0.5 * limit)
    side = 0.0
    for k in range(4):
        side += near[k] * (2 if k else 1)
    if far is not None:
        side += 2 * (far[0] + far[1])
    scale = 1 / (side * side)
    c1, c2 = 2 * (0.01 * limit) ** 2, 2 * (0.03 * limit) ** 2
    scores = np.empty(_WIDE)
    total, structure = 0.0, 0.0
    for left in range(0, width, _WIDE):
        n = min(_WIDE, width - left)
        for top in range(0, height, _HIGH):
            m = min(_HIGH, height - top)
            for y in range(m + 2 * radius):
                p = a[top + y, left : left + n + 2 * radius]
                q = b[top + y, left : left + n + 2 * radius]
                _across(p, q, near, far, half, line, sums[y * _WIDE :])
            for y in range(m):
                tile = sums[y * _WIDE :]
                for x in range(n):
                    at = x + radius * _WIDE
                    s = scale * _weigh(tile, at, _WIDE, near, far)
                    d = scale * _weigh(tile, at + _PLANE, _WIDE, near, far)
                    s_spread = norm * (scale * _weigh(tile, at + 2 * _PLANE, _WIDE, near, far) - s * s)
                    d_spread = norm * (scale * _weigh(tile, at + 3 * _PLANE, _WIDE, near, far) - d * d)
                    s += limit
                    alike = (s_spread - d_spread + c2) / (s_spread + d_spread + c2)
                    score = (s * s - d * d + c1) / (s * s + d * d + c1) * alike
                    total += score
                    structure += alike
                    scores[x] = score
                if found.size:
                    found[top + y, left : left + n] = scores[:n]
    return total / (height * width), structure / (height * width)
