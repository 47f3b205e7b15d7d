"""Plots: results in, drawings on matplotlib axes out, as SVG for a page or PNG for sharing.

Each plot takes the axes to draw on (`ax=`), so that it can stand in a notebook's own figure. Nothing here keeps
pyplot's state, and nothing computes a result.
"""

import contextlib
import hashlib
import io
import re
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import IO, Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .page import Html, safe, visible
from .theme import TOKENS

INK, DIM, LINE, PAPER, ACCENT, BAD = (TOKENS[t] for t in ("ink", "dim", "line", "paper", "accent", "bad"))
DASHES = ["-", (0, (6, 2)), (0, (2, 2)), (0, (6, 2, 2, 2))]  # so that lines differ in grey too
_RC: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "assay",
    "font.size": 13,
    "font.family": "DejaVu Sans",
    "text.color": INK,
    "text.parse_math": False,
    "axes.unicode_minus": True,
}
_ONE = threading.Lock()  # matplotlib's settings are shared by all threads
_VARIABLES = {colour: f"var(--{name})" for name, colour in TOKENS.items()}


def svg(draw: Callable[[Axes], None], *, label: str, size: tuple[int, int] = (400, 380)) -> Html:
    """Draw a plot into a page.

    Args:
        draw: takes axes and draws on them.
        label: what the plot shows, for those who do not see it.
        size: width and height in CSS pixels; a little larger where there is room, smaller where there is not.

    Returns:
        An SVG element whose colours follow the page, dark or light, and whose text is the page's.
    """
    out = io.StringIO()
    _render(draw, size, out, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    body = re.sub(
        r"^.*?<svg[^>]*>|</svg>\s*$|<style.*?</style>|<metadata>.*?</metadata>", "", out.getvalue(), flags=re.DOTALL
    )
    unique = "p" + hashlib.sha256(f"{label!a}{body}".encode("utf-8", "backslashreplace")).hexdigest()[:8]
    body = re.sub(r"<[^>]*>", lambda tag: _themed(tag[0], unique), body)
    body = re.sub(r">\s+<", "><", body)
    return Html(
        f'<svg viewBox="0 0 {size[0]} {size[1]}" style="max-width:{1.2 * size[0]:.0f}px" role="img"'
        f' aria-label="{safe(label)}">{body.strip()}</svg>'
    )


def png(draw: Callable[[Axes], None], *, size: tuple[int, int] = (400, 380)) -> bytes:
    """Draw a plot into a picture for sharing.

    Args:
        draw: takes axes and draws on them.
        size: width and height in CSS pixels.

    Returns:
        A PNG file, twice as wide and high for sharp screens.
    """
    out = io.BytesIO()
    _render(draw, size, out, format="png", dpi=144, facecolor=PAPER)
    return out.getvalue()


def files(draw: Callable[[Axes], None], *, label: str, size: tuple[int, int] = (400, 380)) -> tuple[bytes, str]:
    """Draw a plot once, into a PNG for sharing and an SVG for papers.

    Args:
        draw: takes axes and draws on them.
        label: what the plot shows, for those who do not see it.
        size: width and height in CSS pixels.

    Returns:
        A PNG file, twice as wide and high for sharp screens, and the text of an SVG file; both on light paper. The
        words of the SVG can still be edited.
    """
    picture, vectors = io.BytesIO(), io.StringIO()
    metadata = {**dict.fromkeys(("Date", "Creator", "Format", "Type")), "Title": visible(label)}
    with _drawn(draw, size) as figure:
        figure.patch.set_visible(True)  # on paper: what is transparent cannot be read on a dark page
        figure.savefig(picture, format="png", dpi=144, facecolor=PAPER)
        figure.set_layout_engine("none")  # it has been laid out
        figure.savefig(vectors, format="svg", metadata=metadata, facecolor=PAPER)
    return picture.getvalue(), vectors.getvalue()


@contextlib.contextmanager
def _drawn(draw: Callable[[Axes], None], size: tuple[int, int]) -> Iterator[Figure]:
    """Draw a figure in the settings of the house, which hold until it is saved."""
    with _ONE, mpl.rc_context(_RC), warnings.catch_warnings():
        # Text stays text in SVG: the reader's fonts have what the measuring font lacks.
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        figure = Figure(figsize=(size[0] / 72, size[1] / 72), layout="constrained")
        figure.patch.set_visible(False)
        draw(figure.subplots())
        yield figure


def _render(draw: Callable[[Axes], None], size: tuple[int, int], out: IO[Any], **options: Any) -> None:
    with _drawn(draw, size) as figure:
        figure.patch.set_visible("facecolor" in options)  # a file stands on paper, a part of a page on the page
        figure.savefig(out, transparent=options["format"] == "svg", **options)


def _themed(tag: str, unique: str) -> str:
    """Let a tag's colours follow the page, and make its names unique in it."""
    tag = re.sub(r"\s+", " ", tag)
    tag = re.sub(r' id="(?![mp][0-9a-f]{10}")[^"]*"', "", tag)  # only markers and clips are referred to
    tag = re.sub(r'(id="|url\(#|xlink:href="#)', rf"\g<1>{unique}", tag).replace("xlink:href", "href")
    tag = re.sub(r"font-family: [^;\"]*;? ?", "", tag)
    return re.sub(r"#[0-9a-f]{6}(?=[;\"])", lambda c: _VARIABLES.get(c[0], c[0]), tag)


def frame(ax: Axes, x: str, y: str) -> None:
    """Give axes the look of the house: named, a quiet grid, no box.

    Args:
        ax: axes to be drawn on.
        x: what runs along, with its unit.
        y: what runs up, with its unit.
    """
    ax.set_xlabel(x, color=DIM)
    ax.set_ylabel(y, color=DIM)
    ax.spines[:].set_visible(False)
    ax.patch.set_visible(False)
    ax.tick_params(length=0, labelcolor=DIM, pad=6)
    ax.grid(color=LINE, linewidth=1)
    ax.set_axisbelow(True)


def unit_square(ax: Axes, x: str, y: str, *, diagonal: bool = True) -> None:
    """Give axes the look of a square from 0 to 1.

    Args:
        ax: axes to be drawn on.
        x: which share runs along.
        y: which share runs up.
        diagonal: dot the line on which both are equal.
    """
    frame(ax, x, y)
    ticks = [0, 0.25, 0.5, 0.75, 1]
    names = ["0", "", "0.5", "", "1"]
    ax.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), xticks=ticks, yticks=ticks, aspect="equal")
    ax.set_xticklabels(names)
    ax.set_yticklabels(names)
    if diagonal:
        ax.plot([0, 1], [0, 1], color=DIM, linestyle=(0, (3, 4)), linewidth=1.2)


def short(name: str, *, most: int = 22) -> str:
    """Shorten a name so that it fits into a plot.

    Args:
        name: of any origin; what cannot be seen is spelled out.
        most: characters.

    Returns:
        The name, with … where it was cut.
    """
    name = visible(name)
    return name if len(name) <= most else name[: most - 1] + "…"


def silhouettes(scores: Mapping[int, float], chosen: int, *, ax: Axes) -> None:
    """Draw how well apart the groups lie for each number of groups.

    Args:
        scores: silhouette by number of groups.
        chosen: the number that was taken.
        ax: axes to draw on.
    """
    frame(ax, "number of groups", "silhouette (1: far apart)")
    ks = sorted(scores)
    ax.plot(ks, [scores[k] for k in ks], color=ACCENT, linewidth=2.2, marker="o", markersize=4)
    ax.set_xticks(ks if len(ks) <= 16 else ks[:: len(ks) // 8])
    ax.margins(x=0.08, y=0.2)
    if chosen in scores:
        ax.plot([chosen], [scores[chosen]], "o", color=INK, markersize=9)
        last = ks.index(chosen) > len(ks) / 2
        ax.annotate(f"{chosen} chosen", (chosen, scores[chosen]), xytext=(-8 if last else 8, 8), color=INK,
                    textcoords="offset points", ha="right" if last else "left")  # fmt: skip


def histogram(
    values: np.ndarray, *, name: str, bins: int = 30, mark: tuple[float, str] | None = None, ax: Axes
) -> None:
    """Draw how values spread.

    Args:
        values: float (n,), finite.
        name: of what they measure, with its unit.
        bins: bars.
        mark: a value to mark and what it is.
        ax: axes to draw on.
    """
    frame(ax, visible(name), "pictures")
    ax.grid(visible=False, axis="x")
    ax.hist(values, bins=bins, color=ACCENT, alpha=0.6, rwidth=0.92)
    if mark:
        ax.axvline(mark[0], color=INK, linewidth=1, linestyle=(0, (2, 3)))
        ax.annotate(visible(mark[1]), (mark[0], 1), xycoords=("data", "axes fraction"), xytext=(6, -4), color=INK,
                    textcoords="offset points", va="top")  # fmt: skip
