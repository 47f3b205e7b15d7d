"""Likeness as people see it: pairs of pictures, a matrix, a map of where two differ, and the page of a folder.

Pictures and plain values go in, PNG files and HTML come out. What is alike is decided elsewhere.
"""

from collections.abc import Sequence
from functools import partial

import cv2
import numpy as np
from matplotlib.axes import Axes

from . import page, panels, plots
from .gallery import figure

Two = tuple[np.ndarray, np.ndarray, str]

_CELL = 248  # CSS pixels of a pair
_LISTED = 200  # pairs in the page; the table holds all
_LEAST = 96  # pixels of height that a picture of a pair is enlarged to


def ends(most: Sequence[Two], least: Sequence[Two]) -> bytes:
    """Draw the most and the least alike pairs.

    Args:
        most: pairs of pictures with captions, at least one.
        least: likewise, or none.

    Returns:
        A PNG file.
    """
    named = [("Most alike", most), ("Least alike", least)]
    rows = [(title, [(_beside(a, b), text) for a, b, text in pairs]) for title, pairs in named if pairs]
    return panels.sheet(rows, cell=_CELL)


def squares(values: np.ndarray, names: Sequence[str]) -> bytes:
    """Draw SSIM of every picture with every other.

    Args:
        values: float (n, n).
        names: of the n pictures.

    Returns:
        A PNG file.
    """
    side = int(np.clip(200 + 28 * len(names), 420, 900))
    draw = partial(_matrix, values, names)
    return plots.png(draw, size=(side + 60, side))


def difference(
    a: np.ndarray, b: np.ndarray, alike: np.ndarray, *, names: tuple[str, str], mse: float, ssim: float
) -> bytes:
    """Draw two pictures, where they differ, and where they are alike.

    Args:
        a: picture, uint8.
        b: picture of the same shape.
        alike: their SSIM map; below 0 is drawn as 0.
        names: of the two.
        mse: mean squared error, in squared grey levels.
        ssim: mean of the map.

    Returns:
        A PNG file.
    """
    pictures = [
        (a, f"first\n{names[0]}"),
        (b, f"second\n{names[1]}"),
        (cv2.absdiff(a, b), f"MSE {mse:,.1f}\ndifference, black: none"),
        (np.clip(alike, 0, 1), f"SSIM {ssim:.4f}\nSSIM map, white: alike"),
    ]
    rows = [("", pictures)]
    return panels.sheet(rows, cell=_CELL)


def document(
    name: str,
    headline: str,
    notes: Sequence[str],
    *,
    ends: bytes,
    squares: bytes | None,
    pairs: Sequence[tuple[str, str, float, float, float, str]],
    left_out: Sequence[tuple[str, str, str]],
) -> page.Html:
    """Write the page of a folder's pairs.

    Args:
        name: of the folder.
        headline: the answer in a sentence.
        notes: how it was done.
        ends: picture of the most and the least alike pairs.
        squares: picture of the matrix, where all pairs were scored.
        pairs: first, second, SSIM, MSE, PSNR, and what was made smaller; most alike first.
        left_out: file, status and reason.

    Returns:
        The whole file.
    """
    parts = [page.section("Most and least alike", figure(ends, "Pairs of pictures, most and least alike"), id="ends")]
    if squares is not None:
        shown = figure(squares, "SSIM of every picture with every other, dark where they are alike")
        parts.append(page.section("Every picture with every other", shown, id="matrix"))
    rows = [
        [a, b, f"{ssim:.3f}", f"{mse:,.1f}", "same pixels" if mse == 0 else f"{psnr:.2f}", resized]
        for a, b, ssim, mse, psnr, resized in pairs[:_LISTED]
    ]
    more = len(pairs) - len(rows)
    rest = page.text(f"and {more:,} more in the table", dim=True) if more else ""
    header = ["first", "second", "SSIM", "MSE, grey levels²", "PSNR, dB", "made smaller"]
    table = page.folded(header, rows, rest="less alike", numeric={2, 3, 4})
    parts.append(page.section("Pairs", table, rest, id="pairs"))
    if left_out:
        table = page.folded(["file", "status", "reason"], left_out, rest="others")
        parts.append(page.section("Left out", table, id="left-out"))
    body = page.join(page.verdict(headline, notes), *parts)
    return page.document(f"assay · {name}", "how alike pictures are", body, footer="SSIM: Wang et al. 2004.")


def _matrix(values: np.ndarray, names: Sequence[str], ax: Axes) -> None:
    panels.matrix(values, names, name="SSIM (1: the same)", ax=ax)


def _beside(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Set two pictures beside one another, at one height, on white."""
    height = max(min(len(a), len(b)), _LEAST)
    both = [cv2.resize(x, (max(round(x.shape[1] * height / len(x)), 1), height), interpolation=cv2.INTER_AREA)
            for x in (a, b)]  # fmt: skip
    gap = np.full((height, 6, *a.shape[2:]), 255, np.uint8)
    return np.hstack([both[0], gap, both[1]])
