"""Panels: pictures side by side with what is said of them, a matrix of likeness, and what components keep.

They draw on matplotlib axes (`ax=`) as `plots` does, for `plots.png`; nothing here computes a result.
"""

import io
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.ticker import MaxNLocator
from PIL import Image

from ..errors import InputError
from ..stats.intervals import Estimate
from .page import visible
from .plots import ACCENT, DIM, INK, PAPER, frame, png
from .theme import CLASSES

Row = tuple[str, Sequence[tuple[np.ndarray, str]]]

_GAP, _TITLE, _LINE = 12, 26, 16  # pixels between pictures, of a row's title and of a line of its captions
_FONT = 11.0
_NAMED, _NUMBERED = 40, 12  # pictures of a matrix up to which each has its name, and each pair its number
SHADES = LinearSegmentedColormap.from_list("assay", [PAPER, ACCENT])


def sheet(rows: Sequence[Row], *, cell: int = 144) -> bytes:
    """Draw a shelf into a picture for sharing.

    Args:
        rows: as in `shelf`.
        cell: as in `shelf`.

    Returns:
        A PNG file, twice as wide and high for sharp screens; grey where all pictures are.

    Raises:
        InputError: there is no picture.
    """

    def draw(ax: Axes) -> None:
        shelf(rows, cell=cell, ax=ax)

    grey = all(image.ndim == 2 for _, pictures in rows for image, _ in pictures)
    drawn = Image.open(io.BytesIO(png(draw, size=shelf_size(rows, cell=cell))))
    paper = Image.new("RGBA", drawn.size, PAPER)
    paper.alpha_composite(drawn.convert("RGBA"))
    out = io.BytesIO()
    paper.convert("L" if grey else "RGB").save(out, "PNG", optimize=True)  # a third of the bytes, where it is grey
    return out.getvalue()


def shelf(rows: Sequence[Row], *, cell: int = 144, ax: Axes) -> None:
    """Set pictures side by side, row under row.

    Args:
        rows: a title, and pictures with captions of any number of lines; uint8, or float32 in 0..1.
        cell: CSS pixels of the longer side of a picture.
        ax: axes to draw on, of `shelf_size`.

    Raises:
        InputError: there is no picture.
    """
    width, height = shelf_size(rows, cell=cell)
    top = 0
    for title, pictures in rows:
        ax.text(0, top + 4, _short(title, most=width // 8), va="top", color=INK, fontsize=13)
        top += _TITLE if title else 0
        tall = max(_fitted(image, cell)[1] for image, _ in pictures)
        for i, (image, caption) in enumerate(pictures):
            left, (wide, high) = i * (cell + _GAP), _fitted(image, cell)
            limit = 255 if image.dtype == np.uint8 else 1
            place = (left, left + wide, top + high, top)
            way = "antialiased" if max(image.shape) > cell else "nearest"
            ax.imshow(image, extent=place, cmap="gray", vmin=0, vmax=limit, interpolation=way)
            for j, line in enumerate(caption.split("\n")):
                ax.text(left, top + tall + 4 + j * _LINE, _short(line, most=int(cell / 6.6)), va="top",
                        color=INK if j == 0 else DIM, fontsize=_FONT)  # fmt: skip
        top += tall + _captions(pictures) + _GAP
    ax.set(xlim=(0, width), ylim=(height, 0), aspect="equal")
    ax.axis("off")


def shelf_size(rows: Sequence[Row], *, cell: int = 144) -> tuple[int, int]:
    """Tell how much room a shelf takes.

    Args:
        rows: as in `shelf`.
        cell: as in `shelf`.

    Returns:
        Width and height in CSS pixels.

    Raises:
        InputError: there is no picture.
    """
    if not rows or not all(pictures for _, pictures in rows):
        raise InputError("a shelf must have a picture in each row, got a row without")
    width = max(len(pictures) for _, pictures in rows) * (cell + _GAP) - _GAP
    heights = [
        (_TITLE if title else 0) + max(_fitted(image, cell)[1] for image, _ in pictures) + _captions(pictures) + _GAP
        for title, pictures in rows
    ]
    return width, sum(heights)


def matrix(values: np.ndarray, names: Sequence[str], *, name: str, ax: Axes) -> None:
    """Draw how alike each two pictures are: darker is more alike.

    Args:
        values: float (n, n), symmetric, 1 at most.
        names: of the n pictures.
        name: of the values.
        ax: axes to draw on.

    Raises:
        InputError: the matrix is not n by n.
    """
    n = len(names)
    if np.shape(values) != (n, n):
        raise InputError(f"values must be ({n}, {n}) for {n} names, got {np.shape(values)}")
    low = min(float(np.min(values)), 0.0)
    drawn = ax.imshow(values, cmap=SHADES, vmin=low, vmax=1, interpolation="nearest")
    bar = ax.figure.colorbar(drawn, ax=ax, shrink=0.7, aspect=30)
    bar.outline.set_visible(False)
    bar.ax.tick_params(length=0, labelcolor=DIM)
    bar.set_label(name, color=DIM)
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0, labelcolor=DIM)
    if n <= _NUMBERED:
        for i, j in np.ndindex(n, n):
            dark = values[i, j] > low + 0.6 * (1 - low)
            ax.text(j, i, f"{values[i, j]:.2f}", ha="center", va="center", fontsize=10, color=PAPER if dark else INK)
    if n <= _NAMED:
        shorts = [_short(text, most=24) for text in names]
        font = float(np.clip(360 / n, 7, 12))
        ax.set_xticks(range(n), shorts, rotation=90, fontsize=font)
        ax.set_yticks(range(n), shorts, fontsize=font)
    else:
        ax.set_xlabel("pictures, in the order of their names", color=DIM)
        ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        ax.yaxis.set_major_locator(MaxNLocator(6, integer=True))


def variance(ratios: np.ndarray, marks: Sequence[int], *, ax: Axes) -> None:
    """Draw how much of the variance the first components hold together.

    Args:
        ratios: float (k,), share of each component.
        marks: numbers of components to point out.
        ax: axes to draw on.
    """
    reached = np.concatenate([[0], np.cumsum(ratios)]) * 100
    frame(ax, "components kept", "variance kept, %")
    ax.plot(np.arange(len(reached)), reached, color=ACCENT, linewidth=2.2)
    for mark in marks:
        x, y = mark, float(reached[mark])
        late = mark > 0.8 * (len(reached) - 1)
        ax.plot([x], [y], "o", color=INK, markersize=7)
        ax.annotate(f"{mark}: {y:.1f} %", (x, y), xytext=(-4 if late else 8, -8), textcoords="offset points",
                    va="top", ha="right" if late else "left", color=INK)  # fmt: skip
    ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    ax.set_ylim(0, 104)
    ax.set_xlim(left=0)


def quality(curves: Mapping[str, Sequence[tuple[int, Estimate]]], *, name: str, ax: Axes) -> None:
    """Draw a figure against the number of components, each with its interval.

    Args:
        curves: name to components and the figure reached with them.
        name: of the figure, with its unit.
        ax: axes to draw on.
    """
    frame(ax, "components kept", name)
    for i, (title, points) in enumerate(curves.items()):
        x, colour = [k for k, _ in points], (ACCENT, CLASSES[5])[i % 2]
        low, high = [e.low for _, e in points], [e.high for _, e in points]
        ax.fill_between(x, low, high, color=colour, alpha=0.16, linewidth=0)
        ax.plot(x, [e.value for _, e in points], color=colour, linewidth=2.2, marker="os"[i % 2], markersize=5,
                linestyle=("-", (0, (6, 2)))[i % 2], label=title)  # fmt: skip
    ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    ax.legend(loc="best", frameon=False, labelcolor=INK, fontsize=12, handlelength=2.4)


def _fitted(image: np.ndarray, cell: int) -> tuple[int, int]:
    height, width = image.shape[:2]
    scale = cell / max(height, width)
    return max(round(width * scale), 1), max(round(height * scale), 1)


def _captions(pictures: Sequence[tuple[np.ndarray, str]]) -> int:
    return 4 + _LINE * max(caption.count("\n") + 1 if caption else 0 for _, caption in pictures)


def _short(text: str, *, most: int) -> str:
    """Keep the end of a name: it tells more than the folder it begins with."""
    text = visible(text)
    return text if len(text) <= most else "…" + text[1 - most :]
