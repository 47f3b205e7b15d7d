"""Ratings drawn: predicted means against people's, how much of the scale is used, how votes fall, a contact sheet.

Arrays go in, drawings on axes (`ax=`) or one picture come out; nothing here computes a result.
"""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from . import gallery, networks
from .plots import ACCENT, DIM, INK, frame
from .theme import CLASSES

_DOTS = 4000  # points that are drawn at most


def against(rated: np.ndarray, predicted: np.ndarray, scale: np.ndarray, *, ax: Axes) -> None:
    """Draw predicted means against those of people; on the dotted line they are the same.

    Args:
        rated: float (n,), people's mean ratings.
        predicted: float (n,), of pictures that were not learned from.
        scale: float (k,).
        ax: axes to draw on.
    """
    frame(ax, "people's mean rating", "predicted mean rating")
    low, high = float(scale[0]), float(scale[-1])
    chosen = np.unique(np.linspace(0, len(rated) - 1, min(len(rated), _DOTS)).round().astype(int))
    faint = float(np.clip(60 / np.sqrt(max(len(chosen), 1)) / 8, 0.25, 0.8))
    ax.plot([low, high], [low, high], color=DIM, linestyle=(0, (3, 4)), linewidth=1.2)
    ax.scatter(rated[chosen], predicted[chosen], s=22, color=ACCENT, alpha=faint, linewidths=0)
    ends = _ends(np.concatenate([rated, predicted]), scale)
    ax.set(xlim=ends, ylim=ends, aspect="equal")


def phases(epochs: Sequence[tuple[int, float, float | None]], *, first: int, ax: Axes) -> None:
    """Draw how a network learned in two phases.

    Args:
        epochs: number, from 1 through both phases, squared EMD on what it learned from, and on what it did not.
        first: how many of them are of the first phase.
        ax: axes to draw on.
    """
    losses = [val if val is not None else train for _, train, val in epochs]
    networks.learning(epochs, best=int(np.argmin(losses)) + 1, name="squared EMD", ax=ax)
    top = ax.get_ylim()[1] * 1.18
    ax.set_ylim(top=top)
    if 0 < first < len(epochs):
        ax.axvline(first + 0.5, color=DIM, linestyle=(0, (3, 4)), linewidth=1.2)
        ax.annotate("the last layer ", (first + 0.5, 0.97 * top), color=DIM, fontsize=12, va="top", ha="right")
        ax.annotate(" and more", (first + 0.5, 0.97 * top), color=DIM, fontsize=12, va="top", ha="left")
    ax.set_xlim(0.5, len(epochs) + 0.5)
    ax.legend(frameon=False, labelcolor=INK, fontsize=12, handlelength=2.4, loc="lower left")


def spreads(rows: Sequence[tuple[str, tuple[float, float, float], np.ndarray]], scale: np.ndarray, *, ax: Axes) -> None:
    """Draw how much of the scale several lists of means use: a histogram each, and its 5th to 95th percentile.

    Args:
        rows: name, (sd, 5th, 95th percentile), and the means.
        scale: float (k,).
        ax: axes to draw on.
    """
    frame(ax, "mean rating", "")
    ax.grid(visible=False, axis="y")
    bins = np.linspace(scale[0], scale[-1], 46)
    for i, (name, (sd, low, high), values) in enumerate(rows):
        at, colour = len(rows) - 1 - i, (INK, ACCENT, CLASSES[5])[i % 3]
        counts = np.histogram(values, bins)[0]
        ax.bar((bins[:-1] + bins[1:]) / 2, 0.55 * counts / max(counts.max(), 1), bottom=at, color=colour, alpha=0.45,
               width=0.92 * np.diff(bins))  # fmt: skip
        ax.plot([low, high], [at - 0.07, at - 0.07], color=colour, linewidth=4, solid_capstyle="butt")
        ax.text(scale[0], at + 0.62, f"{name}: sd {sd:.2f}, 90 % lie in {low:.1f} to {high:.1f}", color=INK,
        fontsize=12,
                va="bottom")  # fmt: skip
    ax.set_yticks([])
    ax.set(xlim=(scale[0], scale[-1]), ylim=(-0.2, len(rows)))


def votes(rated: np.ndarray | None, predicted: np.ndarray, scale: np.ndarray, *, ax: Axes) -> None:
    """Draw how votes for one picture fall: bars for people, a line with dots for the prediction.

    Args:
        rated: float (k,), shares of people's votes, or None where nobody was asked.
        predicted: float (k,).
        scale: float (k,).
        ax: axes to draw on.
    """
    frame(ax, "rating", "share of votes, %")
    ax.grid(visible=False, axis="x")
    if rated is not None:
        ax.bar(scale, 100 * rated, color=DIM, alpha=0.4, width=0.8 * float(np.diff(scale).min()), label="people")
    ax.plot(scale, 100 * predicted, color=ACCENT, linewidth=2.2, marker="o", markersize=5, label="predicted")
    ax.set_ylim(bottom=0)
    few = len(scale) <= 12
    if few:
        ax.set_xticks(scale, [f"{s:g}" for s in scale])
    if rated is not None:
        ax.legend(loc="best", frameon=False, labelcolor=INK, fontsize=12)


def contact(images: Sequence[np.ndarray | None], captions: Sequence[str], *, columns: int = 8) -> bytes:
    """Set pictures into a contact sheet, in the order in which they come.

    Args:
        images: pictures.
        captions: one each.
        columns: pictures in a row.

    Returns:
        A PNG file.
    """
    return gallery.grid(list(images), captions=captions, columns=columns, side=112)


def _ends(values: np.ndarray, scale: np.ndarray) -> tuple[float, float]:
    """Return the part of the scale in which the values lie, with a margin."""
    margin = 0.04 * float(scale[-1] - scale[0])
    low, high = max(values.min() - margin, scale[0] - margin), min(values.max() + margin, scale[-1] + margin)
    return float(low), float(high)
