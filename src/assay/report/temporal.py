"""Temporal differences, drawn: what a trip changes, curves over many runs with their bands, and ways along a cliff.

Each draws on matplotlib axes (`ax=`) as `plots` does; nothing here computes a result.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from ..errors import InputError
from ..stats.intervals import Estimate
from .page import visible
from .plots import ACCENT, BAD, DIM, INK, LINE, frame
from .theme import CLASSES

_DASHES = ["-", (0, (6, 2)), (0, (2, 2)), (0, (6, 2, 2, 2)), (0, (1, 1))]


def trip(
    places: Sequence[str],
    before: np.ndarray,
    after: np.ndarray,
    *,
    title: str,
    actual: float | None = None,
    ax: Axes,
) -> None:
    """Draw predictions along a trip, and an arrow from each to what it becomes.

    Args:
        places: names of the n points of the trip.
        before: float (n,), predicted total in minutes at each.
        after: float (n,), the same after learning.
        title: of the drawing.
        actual: the total in the end, drawn as a line.
        ax: axes to draw on.

    Raises:
        InputError: numbers do not fit.
    """
    n = len(places)
    if not np.shape(before) == np.shape(after) == (n,):
        raise InputError(f"before and after must be ({n},), got {np.shape(before)} and {np.shape(after)}")
    frame(ax, "", "predicted total, minutes")
    ax.grid(visible=False, axis="x")
    if actual is not None:
        ax.axhline(actual, color=DIM, linewidth=1.2, linestyle=(0, (3, 4)))
        ax.annotate(
            f"actual {actual:g}", (n - 1, actual), xytext=(0, 6), textcoords="offset points", ha="right", color=DIM
        )
    ax.plot(range(n), before, color=INK, linewidth=2, marker="o", markersize=6)
    for i, (start, end) in enumerate(zip(before, after, strict=True)):
        if start != end:
            arrow = {"arrowstyle": "-|>", "color": ACCENT, "linewidth": 2.2, "shrinkA": 5, "shrinkB": 0}
            ax.annotate("", (i, end), xytext=(i, start), arrowprops=arrow)
            shift = f"{end - start:+g}".replace("-", "−")
            ax.annotate(
                shift, (i, (start + end) / 2), xytext=(7, 0), textcoords="offset points", va="center", color=ACCENT
            )
    ax.set_xticks(range(n))
    ax.set_xticklabels(
        [visible(p).replace(", ", ",\n") for p in places], rotation=40, ha="right", rotation_mode="anchor"
    )
    ax.set(xlim=(-0.3, n - 0.4), ylim=(min(*before, *after) - 2, max(*before, *after) + 2))
    ax.set_title(visible(title), color=INK, loc="left", fontsize=14)


def curves(
    lines: Mapping[str, Sequence[tuple[float, Estimate]]],
    *,
    x: str,
    y: str,
    low: float | None = None,
    high: float | None = None,
    mark: tuple[float, str] | None = None,
    ax: Axes,
) -> None:
    """Draw means over many runs, each with its band and its name at its end.

    Args:
        lines: name to (place, estimate), places rising.
        x: name of the places.
        y: name of the estimates, with the unit.
        low: end of the vertical axis.
        high: the other end.
        mark: a value to mark and what it is.
        ax: axes to draw on.
    """
    frame(ax, x, y)
    ends: list[tuple[float, float, str, str]] = []
    for i, (name, points) in enumerate(lines.items()):
        colour = CLASSES[i % len(CLASSES)]
        at = [p for p, _ in points]
        ax.fill_between(
            at, [e.low for _, e in points], [e.high for _, e in points], color=colour, alpha=0.22, linewidth=0
        )
        ax.plot(at, [e.value for _, e in points], color=colour, linewidth=2, linestyle=_DASHES[i % len(_DASHES)])
        ends.append((points[-1][1].value, at[-1], visible(name), colour))
    if mark:
        ax.axhline(mark[0], color=DIM, linewidth=1.2, linestyle=(0, (3, 4)))
        ax.annotate(visible(mark[1]), (0.02, mark[0]), xycoords=("axes fraction", "data"), xytext=(0, 4), color=DIM,
                    textcoords="offset points")  # fmt: skip
    bottom, top = ax.get_ylim()
    ax.set_ylim(bottom if low is None else low, top if high is None else high)
    bottom, top = ax.get_ylim()
    # Names that would lie over one another are moved apart, the lowest stays.
    least = -float("inf")
    for value, place, name, _ in sorted(ends):
        least = max(value, least + (top - bottom) * 0.062)
        ax.annotate(name, (place, least), xytext=(8, 0), textcoords="offset points", va="center", color=INK,
                    annotation_clip=False)  # fmt: skip
        if abs(least - value) > (top - bottom) * 0.01:
            ax.annotate("", (place, value), xytext=(place, least), textcoords="data", annotation_clip=False,
                        arrowprops={"arrowstyle": "-", "color": LINE, "linewidth": 0.8})  # fmt: skip


def cliff(ways: Mapping[str, Sequence[int]], *, rows: int, columns: int, ax: Axes) -> None:
    """Draw ways through a grid with a cliff along its lowest row.

    Args:
        ways: name to the states passed, row by row from the upper left corner.
        rows: of the grid.
        columns: of the grid.
        ax: axes to draw on.
    """
    ax.axis("off")
    for row, column in np.ndindex(rows, columns):
        falls = row == rows - 1 and 0 < column < columns - 1
        ax.fill([column, column + 1, column + 1, column], [row, row, row + 1, row + 1],
                facecolor=BAD if falls else "none", alpha=0.16 if falls else 1, edgecolor=LINE)  # fmt: skip
    ax.text(columns / 2, rows - 0.5, "the cliff: −100, back to the start", ha="center", va="center", color=BAD)
    for name, column in (("start", 0.5), ("goal", columns - 0.5)):
        ax.text(column, rows - 0.2, name, ha="center", va="center", color=DIM, fontsize=11)
    for i, (name, way) in enumerate(ways.items()):
        y, x = np.divmod(np.array(way), columns)
        shift = 0.14 * (i - (len(ways) - 1) / 2)
        ax.plot(
            x + 0.5 + shift, y + 0.45 + shift, color=CLASSES[i], linewidth=3, linestyle=_DASHES[i], label=visible(name)
        )
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), frameon=False, ncols=len(ways), labelcolor=INK, handlelength=2.6)
    ax.set(xlim=(-0.05, columns + 0.05), ylim=(rows + 0.05, -0.05), aspect="equal")
