"""Plots: results in, drawings on matplotlib axes out, as SVG for a page or PNG for sharing.

Each plot takes the axes to draw on (`ax=`), so that it can stand in a notebook's own figure. Nothing here keeps
pyplot's state, and nothing computes a result.
"""

import hashlib
import io
import re
import threading
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import IO, Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..errors import InputError
from ..stats.bayes import NaturalFrequencies
from ..stats.calibration import Bin
from ..stats.intervals import Estimate
from ..stats.roc import Band, Curve
from .page import Html, number, safe, visible
from .theme import CLASSES, TOKENS

INK, DIM, LINE, PAPER, ACCENT, BAD = (TOKENS[t] for t in ("ink", "dim", "line", "paper", "accent", "bad"))
_DASHES = ["-", (0, (6, 2)), (0, (2, 2)), (0, (6, 2, 2, 2))]  # so that lines differ in grey too
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


def _render(draw: Callable[[Axes], None], size: tuple[int, int], out: IO[Any], **options: Any) -> None:
    with _ONE, mpl.rc_context(_RC), warnings.catch_warnings():
        # Text stays text in SVG: the reader's fonts have what the measuring font lacks.
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        figure = Figure(figsize=(size[0] / 72, size[1] / 72), layout="constrained")
        figure.patch.set_visible(False)
        draw(figure.subplots())
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


def _unit_square(ax: Axes, x: str, y: str) -> None:
    frame(ax, x, y)
    ticks = [0, 0.25, 0.5, 0.75, 1]
    names = ["0", "", "0.5", "", "1"]
    ax.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), xticks=ticks, yticks=ticks, aspect="equal")
    ax.set_xticklabels(names)
    ax.set_yticklabels(names)
    ax.plot([0, 1], [0, 1], color=DIM, linestyle=(0, (3, 4)), linewidth=1.2)


def _short(name: str, *, most: int = 22) -> str:
    name = visible(name)
    return name if len(name) <= most else name[: most - 1] + "…"


def area(curve: Curve) -> float:
    """Area under a curve as it is drawn, to name it by.

    Args:
        curve: an ROC curve.

    Returns:
        The area, in [0, 1]: the value, without the interval, that `stats.roc.auc` gives.
    """
    return float(np.trapezoid(curve.sensitivity, curve.false_positive_rate))


def roc(curves: Sequence[tuple[str, Curve, Band | None]], *, cutoff: float | None = None, ax: Axes) -> None:
    """Draw ROC curves on a square, each with its band and named with its area.

    Args:
        curves: name, curve, and its band or None; 1 to 8 of them.
        cutoff: threshold to mark on the first curve.
        ax: axes to draw on.

    Raises:
        InputError: there are no curves, or more than 8.
    """
    if not 1 <= len(curves) <= len(CLASSES):
        raise InputError(f"curves must be 1 to {len(CLASSES)}, got {len(curves)}: leave out the best")
    _unit_square(ax, "1 − specificity", "sensitivity")
    alone = len(curves) == 1
    for i, (name, curve, band) in enumerate(curves):
        colour = ACCENT if alone else CLASSES[i]
        if band is not None:
            shade = 0.16 if alone else 0.1
            ax.fill_between(band.false_positive_rate, band.low, band.high, color=colour, alpha=shade, linewidth=0)
        ax.plot(
            curve.false_positive_rate,
            curve.sensitivity,
            color=colour,
            linewidth=2.2,
            linestyle=_DASHES[i % 4],
            label=f"{_short(name)}  {number(area(curve))}",
            solid_joinstyle="round",
        )
    if cutoff is not None:
        first = curves[0][1]
        at = max(int(np.count_nonzero(first.thresholds >= cutoff)) - 1, 0)
        x, y = first.false_positive_rate[at], first.sensitivity[at]
        ax.plot([x, x, -0.01], [-0.01, y, y], color=INK, linewidth=1, linestyle=(0, (2, 3)))
        ax.plot([x], [y], "o", color=INK, markersize=8)
        left = x > 0.55  # the label stays inside, and under the curve
        ax.annotate(
            f"cut-off {cutoff:.2f}",
            (x, y),
            xytext=(-10 if left else 10, -8),
            textcoords="offset points",
            ha="right" if left else "left",
            va="top",
            color=INK,
        )
    title = "area under the curve"
    key = ax.legend(loc="lower right", frameon=False, title=title, labelcolor=INK, fontsize=12, handlelength=2.4)
    key.get_title().set(color=DIM, fontsize=12)


def calibration(bins: Sequence[Bin], *, ax: Axes) -> None:
    """Draw how often pictures of a stated probability are positive, with intervals; on the diagonal it is honest.

    Args:
        bins: from `stats.calibration.reliability`.
        ax: axes to draw on.
    """
    _unit_square(ax, "probability that the model states", "share that is truly so")
    x = np.array([b.mean_probability for b in bins])
    seen = np.array([(b.observed.value, b.observed.low, b.observed.high) for b in bins]).reshape(-1, 3)
    ax.vlines(x, seen[:, 1], seen[:, 2], color=ACCENT, alpha=0.4, linewidth=5)
    ax.plot(x, seen[:, 0], "o", color=ACCENT, markersize=6)
    ax.text(0.02, 0.98, "too careful", color=DIM, va="top")
    ax.text(0.98, 0.02, "too sure", color=DIM, ha="right")


def confusion(matrix: np.ndarray, classes: Sequence[str], *, ax: Axes) -> None:
    """Draw which class is taken for which: rows are true, shades are shares of the row.

    Args:
        matrix: int (k, k), rows true, columns predicted.
        classes: k names.
        ax: axes to draw on.

    Raises:
        InputError: the matrix is not k by k.
    """
    k = len(classes)
    if np.shape(matrix) != (k, k):
        raise InputError(f"matrix must be ({k}, {k}) for {k} classes, got {np.shape(matrix)}")
    frame(ax, "predicted", "true")
    ax.grid(visible=False)
    shares = np.asarray(matrix) / np.maximum(np.sum(matrix, axis=1, keepdims=True), 1)
    font = float(np.clip(520 / k, 7, 12))
    for i, j in np.argwhere(shares > 0).tolist():
        # Half shade at most, so that ink on it can be read on light paper and on dark.
        alpha = 0.07 + 0.43 * shares[i, j]
        ax.fill([j - 0.47, j + 0.47, j + 0.47, j - 0.47], [i - 0.47, i - 0.47, i + 0.47, i + 0.47],
                color=ACCENT if i == j else BAD, alpha=alpha, linewidth=0)  # fmt: skip
    if k <= 16:
        for i, j in np.ndindex(k, k):
            n = int(matrix[i][j])
            ax.text(j, i, f"{n:,}", ha="center", va="center", fontsize=font, color=INK if n else DIM)
    ax.set(xlim=(-0.5, k - 0.5), ylim=(k - 0.5, -0.5), aspect="equal", xticks=range(k), yticks=range(k))
    names = [_short(c, most=18) for c in classes]
    upright = sum(len(n) for n in names) * font * 0.62 > 330
    ax.set_xticklabels(names, rotation=90 if upright else 0, fontsize=font)
    ax.set_yticklabels(names, fontsize=font)


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


def learning(points: Sequence[tuple[int, Estimate]], *, name: str, ax: Axes) -> None:
    """Draw a figure against the number of pictures learnt from, with its band.

    Args:
        points: pictures, and the figure reached with them; from few to many.
        name: of the figure, such as accuracy.
        ax: axes to draw on.
    """
    frame(ax, "pictures learnt from", visible(name))
    x = [n for n, _ in points]
    ax.fill_between(x, [e.low for _, e in points], [e.high for _, e in points], color=ACCENT, alpha=0.16, linewidth=0)
    ax.plot(x, [e.value for _, e in points], color=ACCENT, linewidth=2.2, marker="o", markersize=4)
    ax.set_ylim(top=1)


def icons(frequencies: NaturalFrequencies) -> Html:
    """Draw every picture of natural frequencies as a square, told apart by colour and by shape.

    Args:
        frequencies: found, missed, false alarms and passed.

    Returns:
        An SVG with a key: as many shapes as pictures, 50 a row.
    """
    kinds = (
        ("found", frequencies.found, "good"),
        ("missed", frequencies.missed, "bad"),
        ("false alarm", frequencies.false_alarms, "warn"),
        ("rightly passed", frequencies.passed, "line"),
    )
    total, paths, start = sum(n for _, n, _ in kinds), "", 0
    for name, n, token in kinds:
        places = (divmod(i, 50) for i in range(start, start + n))
        d = "".join(f"M{11 * column} {11 * row}{_SHAPES[name]}" for row, column in places)
        paths += f'<path d="{d}" style="fill:var(--{token})" fill-rule="evenodd"/>' if n else ""
        start += n
    label = f"{total:,} pictures: " + ", ".join(f"{n:,} {name}" for name, n, _ in kinds)
    key = "".join(
        f'<li><svg viewBox="0 0 9 9" aria-hidden="true"><path d="M0 0{_SHAPES[name]}" style="fill:var(--{token})"'
        f' fill-rule="evenodd"/></svg>{name} {n:,}</li>'
        for name, n, token in kinds
    )
    height = 11 * -(-total // 50) - 2
    return Html(
        f'<svg viewBox="0 0 548 {max(height, 9)}" role="img" aria-label="{label}">{paths}</svg>'
        f'<ul class="key">{key}</ul>'
    )


# Paths from the upper left corner of a 9 x 9 field: full, hollow, on its tip, full.
_SHAPES = {
    "found": "h9v9h-9z",
    "missed": "h9v9h-9zm2.5 2.5h4v4h-4z",
    "false alarm": "m4.5 0l4.5 4.5l-4.5 4.5l-4.5 -4.5z",
    "rightly passed": "h9v9h-9z",
}
