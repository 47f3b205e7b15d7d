"""Shrinkage of cosine coefficients: the kernel of `shrinkage`, compiled on first use.

Arrays of one channel in float32 go in; another is filled.
"""

import math

import numpy as np

from .kernel import kernel

SIDE = 8  # pixels of a square
BEYOND = SIDE - 1  # rows and columns that are needed around the picture


def waves() -> np.ndarray:
    """Return the orthonormal cosine transform of 8 pixels.

    Returns:
        float32 (8, 8): a row for each wave, from flat to fine.

    Source: DCT-II, Ahmed, Natarajan & Rao 1974, doi:10.1109/T-C.1974.223784.
    """
    k, i = np.mgrid[:SIDE, :SIDE]
    found = np.cos(math.pi * (2 * i + 1) * k / (2 * SIDE)) * math.sqrt(2 / SIDE)
    found[0] /= math.sqrt(2)
    return np.asarray(found, np.float32)


@kernel
def shrink(
    image: np.ndarray,
    pilot: np.ndarray,
    out: np.ndarray,
    basis: np.ndarray,
    room: np.ndarray,
    limits: np.ndarray,
    step: int,
    top: int,
    bottom: int,
) -> None:
    """Add up the shrunken squares that cover some rows.

    Args:
        image: float32 (H + 14, W + 14), mirrored beyond its border.
        pilot: float32 of the same shape; or of no rows, where each coefficient of the image is kept or not.
        out: float32 (H, W), 0 in the rows to fill.
        basis: from `waves`.
        room: float32 (11, W + 14), of any content.
        limits: float32 (2,), the square of the coefficient below which one becomes 0, without a pilot; and the variance
            of the noise, with one.
        step: rows from one square to the next; from column to column it is 1.
        top: first row of out to fill.
        bottom: row after the last.
    """
    height, width = out.shape
    least, power = limits
    wide, count, led = width + BEYOND + BEYOND, width + BEYOND, len(pilot) > 0
    tall, guide, kept = room[8], room[9], room[10]
    first = top + (step - top % step) % step
    for y in range(first, min(bottom, height) + BEYOND, step):
        for v in range(SIDE):
            a0, a1, a2, a3, a4, a5, a6, a7 = basis[v]
            for x in range(wide):
                tall[x] = (
                    a0 * image[y, x]
                    + a1 * image[y + 1, x]
                    + a2 * image[y + 2, x]
                    + a3 * image[y + 3, x]
                    + a4 * image[y + 4, x]
                    + a5 * image[y + 5, x]
                    + a6 * image[y + 6, x]
                    + a7 * image[y + 7, x]
                )
            if led:
                for x in range(wide):
                    guide[x] = (
                        a0 * pilot[y, x]
                        + a1 * pilot[y + 1, x]
                        + a2 * pilot[y + 2, x]
                        + a3 * pilot[y + 3, x]
                        + a4 * pilot[y + 4, x]
                        + a5 * pilot[y + 5, x]
                        + a6 * pilot[y + 6, x]
                        + a7 * pilot[y + 7, x]
                    )
            for x in range(wide):
                room[v, x] = 0
            for u in range(SIDE):
                b0, b1, b2, b3, b4, b5, b6, b7 = basis[u]
                floor = least if u + v > 0 else np.float32(-1)  # the mean of a square is kept
                for x in range(count):
                    c = (
                        b0 * tall[x]
                        + b1 * tall[x + 1]
                        + b2 * tall[x + 2]
                        + b3 * tall[x + 3]
                        + b4 * tall[x + 4]
                        + b5 * tall[x + 5]
                        + b6 * tall[x + 6]
                        + b7 * tall[x + 7]
                    )
                    kept[x] = c if c * c > floor else np.float32(0)
                if led and u + v > 0:
                    for x in range(count):
                        p = (
                            b0 * guide[x]
                            + b1 * guide[x + 1]
                            + b2 * guide[x + 2]
                            + b3 * guide[x + 3]
                            + b4 * guide[x + 4]
                            + b5 * guide[x + 5]
                            + b6 * guide[x + 6]
                            + b7 * guide[x + 7]
                        )
                        kept[x] *= p * p / (p * p + power)
                for x in range(BEYOND, count):
                    room[v, x] += (
                        b0 * kept[x]
                        + b1 * kept[x - 1]
                        + b2 * kept[x - 2]
                        + b3 * kept[x - 3]
                        + b4 * kept[x - 4]
                        + b5 * kept[x - 5]
                        + b6 * kept[x - 6]
                        + b7 * kept[x - 7]
                    )
        for j in range(SIDE):
            row = y + j - BEYOND
            if top <= row < bottom:
                for x in range(width):
                    out[row, x] += (
                        basis[0, j] * room[0, x + BEYOND]
                        + basis[1, j] * room[1, x + BEYOND]
                        + basis[2, j] * room[2, x + BEYOND]
                        + basis[3, j] * room[3, x + BEYOND]
                        + basis[4, j] * room[4, x + BEYOND]
                        + basis[5, j] * room[5, x + BEYOND]
                        + basis[6, j] * room[6, x + BEYOND]
                        + basis[7, j] * room[7, x + BEYOND]
                    )
