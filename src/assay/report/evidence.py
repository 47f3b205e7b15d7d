"""Evidence: plots of how far a classifier can be trusted. Curves, bins and estimates go in, drawings on axes come out.

Every plot can be read in grey: what colour tells apart, a dash, a marker or a word tells apart too.
"""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from ..errors import InputError
from ..stats import precision_recall
from ..stats.bayes import NaturalFrequencies, PredictiveValues
from ..stats.calibration import Bin, CalibrationBand
from ..stats.intervals import Estimate
from ..stats.roc import Band, Curve
from .page import Html, number, visible
from .plots import ACCENT, BAD, DASHES, DIM, INK, frame, short, unit_square
from .theme import CLASSES, TOKENS

_MOST = 1500  # points of a curve that are drawn: more lie closer together than the line is wide
_COLUMNS = 50  # figures in a row of natural frequencies


def area(curve: Curve) -> float:
    """Area under a curve as it is drawn, to name it by.

    Args:
        curve: an ROC curve.

    Returns:
        The area, in [0, 1]: the value, without the interval, that `stats.roc.auc` gives.
    """
    return float(np.trapezoid(curve.sensitivity, curve.false_positive_rate))


def roc(
    curves: Sequence[tuple[str, Curve, Band | None]],
    *,
    cutoff: float | None = None,
    pairs: Sequence[tuple[str, Curve]] = (),
    ax: Axes,
) -> None:
    """Draw ROC curves on a square, each with its band and named with its area.

    Args:
        curves: name, curve, and its band or None; 1 to 8 of them.
        cutoff: threshold to mark on the first curve.
        pairs: of several classes each against each, the worst first: thin lines behind, of which the worst is named.
        ax: axes to draw on.

    Raises:
        InputError: there are no curves, or more than 8.
    """
    if not 1 <= len(curves) <= len(CLASSES):
        raise InputError(f"curves must be 1 to {len(CLASSES)}, got {len(curves)}: leave out the best")
    unit_square(ax, "1 − specificity", "sensitivity")
    alone = len(curves) == 1
    for i, (name, curve, band) in enumerate(curves):
        colour = ACCENT if alone else CLASSES[i]
        if band is not None:
            shade = 0.16 if alone else 0.1
            ax.fill_between(band.false_positive_rate, band.low, band.high, color=colour, alpha=shade, linewidth=0)
        ax.plot(
            *_thinned(curve.false_positive_rate, curve.sensitivity),
            color=colour,
            linewidth=2.2,
            linestyle=DASHES[i % 4],
            label=f"{short(name)}  {number(area(curve))}",
            solid_joinstyle="round",
        )
    for i, (name, curve) in enumerate(pairs):
        worst = i == 0
        ax.plot(
            *_thinned(curve.false_positive_rate, curve.sensitivity),
            color=INK if worst else DIM,
            linewidth=1.4 if worst else 0.8,
            alpha=1 if worst else 0.5,
            linestyle=(0, (1, 1.5)) if worst else "-",
            zorder=1.9,
            label=f"{name}  {number(area(curve))}" if worst else ("other pairs" if i == 1 else None),
        )
    if cutoff is not None:
        first = curves[0][1]
        at = max(int(np.count_nonzero(first.thresholds >= cutoff)) - 1, 0)
        x, y = first.false_positive_rate[at], first.sensitivity[at]
        ax.plot([x, x, -0.01], [-0.01, y, y], color=INK, linewidth=1, linestyle=(0, (2, 3)))
        ax.plot([x], [y], "o", color=INK, markersize=8)
        left = x > 0.55  # the label stays inside, and under the curve
        ax.annotate(
            f"cut-off {cutoff:.3g}",
            (x, y),
            xytext=(-10 if left else 10, -8),
            textcoords="offset points",
            ha="right" if left else "left",
            va="top",
            color=INK,
        )
    _key(ax, "lower right", "area under the curve")


def recall(
    curves: Sequence[tuple[str, precision_recall.Curve, Estimate]], *, prevalence: float | None = None, ax: Axes
) -> None:
    """Draw how precision falls as more positives are found, each curve named with its average precision.

    Args:
        curves: name, curve and average precision; 1 to 8 of them.
        prevalence: share of positives, which a guess reaches: a dotted line; None for none.
        ax: axes to draw on.

    Raises:
        InputError: there are no curves, or more than 8.
    """
    if not 1 <= len(curves) <= len(CLASSES):
        raise InputError(f"curves must be 1 to {len(CLASSES)}, got {len(curves)}: leave out the best")
    unit_square(ax, "recall (sensitivity)", "precision (share of flags that are right)", diagonal=False)
    for i, (name, curve, average) in enumerate(curves):
        colour = ACCENT if len(curves) == 1 else CLASSES[i]
        ax.plot(*_thinned(curve.recall, curve.precision), color=colour, linewidth=2.2, linestyle=DASHES[i % 4],
                label=f"{short(name)}  {number(average.value)}", solid_joinstyle="round")  # fmt: skip
    if prevalence is not None:
        ax.axhline(prevalence, color=DIM, linestyle=(0, (3, 4)), linewidth=1.2)
        # Every curve ends on this line at the right, coming from above.
        under = prevalence > 0.12
        ax.text(0.99 if under else 0.02, prevalence + (-0.015 if under else 0.01), f"a guess: {number(prevalence)}",
                color=DIM, ha="right" if under else "left", va="top" if under else "bottom", fontsize=12)  # fmt: skip
    # The key stands where no curve runs, and above what a guess reaches.
    crowded = min(float(np.interp(0.3, c.recall, c.precision)) for _, c, _ in curves) < 0.5
    low = prevalence + 0.06 if prevalence is not None and prevalence <= 0.3 else 0.0
    _key(ax, "upper right" if crowded else "lower left", "average precision", over=0.0 if crowded else low)


def calibration(bins: Sequence[Bin], *, band: CalibrationBand | None = None, ax: Axes) -> None:
    """Draw how often things of a stated probability are positive, with intervals; on the diagonal it is honest.

    Args:
        bins: from `stats.calibration.reliability`.
        band: of the whole curve at once, or None.
        ax: axes to draw on.
    """
    unit_square(ax, "probability that the model states", "share that is truly so")
    if band is not None:
        ax.fill_between(band.probability, band.low, band.high, color=ACCENT, alpha=0.13, linewidth=0)
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
    names = [short(c, most=18) for c in classes]
    upright = sum(len(n) for n in names) * font * 0.62 > 330
    ax.set_xticklabels(names, rotation=90 if upright else 0, fontsize=font)
    ax.set_yticklabels(names, fontsize=font)


def predictive(points: Sequence[tuple[float, PredictiveValues]], *, at: float, given: bool = True, ax: Axes) -> None:
    """Draw what a flag and a pass are worth against the base rate, with their bands.

    Args:
        points: base rate, in (0, 1), and the predictive values there; from rare to frequent.
        at: base rate to mark.
        given: whether it is the one where the model will be used, or that of these data.
        ax: axes to draw on.
    """
    frame(ax, "base rate (share of positives, logarithmic)", "chance to be right")
    x = np.array([p for p, _ in points])
    values, styles = [v for _, v in points], ((ACCENT, "-"), (CLASSES[5], DASHES[1]))
    sides = ([v.ppv for v in values], [v.npv for v in values])
    for estimates, (colour, dash) in zip(sides, styles, strict=True):
        low, high = ([getattr(e, end) for e in estimates] for end in ("low", "high"))
        ax.fill_between(x, low, high, color=colour, alpha=0.13, linewidth=0)
        ax.plot(x, [e.value for e in estimates], color=colour, linewidth=2.2, linestyle=dash)
    ax.axvline(at, color=INK, linewidth=1, linestyle=(0, (2, 3)))
    # A name stands beside its line, where nothing else runs.
    right, height, name = at > 0.05, 0.62 if at < 0.25 else 0.25, "your base rate" if given else "here"
    ax.annotate(name, (at, height), xytext=(-6 if right else 6, 0), textcoords="offset points", color=INK, rotation=90,
                ha="right" if right else "left", va="center")  # fmt: skip
    ppv, npv = np.array([v.ppv.value for v in values]), np.array([v.npv.low for v in values])
    third = float(x[min(int(np.searchsorted(ppv, 0.3)), len(x) - 1)])
    flag = min(int(np.searchsorted(ppv, 0.12 if third < at < 8 * third else 0.3)), len(x) - 1)
    passed = min(2 if at > 7 * x[0] else len(x) // 4, len(x) - 1)
    ax.annotate("a flag (PPV)", (x[flag], ppv[flag]), xytext=(10, -4), textcoords="offset points", color=ACCENT,
                ha="left", va="top")  # fmt: skip
    ax.annotate("a pass (NPV)", (x[passed], npv[passed]), xytext=(0, -6), textcoords="offset points",
                color=styles[1][0], ha="left", va="top")  # fmt: skip
    ticks = [t for t in (0.0001, 0.001, 0.01, 0.1, 0.5) if x[0] <= t <= x[-1]]
    ax.set(xscale="log", xlim=(x[0], x[-1]), ylim=(-0.01, 1.01), xticks=ticks, yticks=[0, 0.25, 0.5, 0.75, 1])
    ax.set_yticklabels(["0", "", "0.5", "", "1"])
    ax.set_xticks([], minor=True)
    ax.set_xticklabels([f"{100 * t:g} %" for t in ticks])


def learning(
    points: Sequence[tuple[int, Estimate]],
    *,
    name: str,
    forecast: Sequence[tuple[int, Estimate]] = (),
    unit: str = "pictures",
    ax: Axes,
) -> None:
    """Draw a figure against how many it was learnt from, with its band, and where it seems to go.

    Args:
        points: how many, and the figure reached with them; from few to many.
        name: of the figure, such as accuracy.
        forecast: likewise for more than there are; dashed.
        unit: of what is learnt from, in the plural.
        ax: axes to draw on.
    """
    frame(ax, f"{unit} learnt from", visible(name))
    for part, dash, shade in ((points, "-", 0.16), ([*points[-1:], *forecast] if forecast else (), DASHES[2], 0.08)):
        x = [n for n, _ in part]
        low, high = ([getattr(e, end) for _, e in part] for end in ("low", "high"))
        ax.fill_between(x, low, high, color=ACCENT, alpha=shade, linewidth=0)
        ax.plot(x, [e.value for _, e in part], color=ACCENT, linewidth=2.2, linestyle=dash)
    ax.plot([n for n, _ in points], [e.value for _, e in points], "o", color=ACCENT, markersize=5)
    if forecast:
        n, last = forecast[-1]
        ax.plot([n], [last.value], "o", color=ACCENT, markersize=6, markerfacecolor="none")
        ax.annotate(
            "forecast", (n, last.low), xytext=(0, -6), textcoords="offset points", color=DIM, ha="right", va="top"
        )
        ax.set_xscale("log")
        ticks = [points[0][0], points[-1][0], n]
        ax.set_xticks(ticks, [f"{t:,}" for t in ticks])
        ax.set_xticks([], minor=True)
    ax.set_ylim(top=1.005)


def natural_frequencies(frequencies: NaturalFrequencies, *, unit: str = "pictures", ax: Axes) -> None:
    """Draw every one of natural frequencies as a mark of its own, told apart by colour and by shape.

    Args:
        frequencies: found, missed, false alarms and passed.
        unit: what is counted, in the plural.
        ax: axes to draw on.
    """
    kinds = _kinds(frequencies)
    start, total = 0, sum(n for _, n, _ in kinds)
    wide, size = (_COLUMNS, 1.0) if total > 200 else (20, 2.0)
    for (name, n, token), marker in zip(kinds, ("s", "s", "D", "s"), strict=True):
        rows, columns = np.divmod(np.arange(start, start + n), wide)
        side = size * (4.2 if marker == "s" else 3.9)
        hollow = name == "missed"
        ax.plot(columns, rows, marker, color=TOKENS[token], markersize=side, markeredgewidth=1,
                markerfacecolor="none" if hollow else TOKENS[token], label=f"{name}  {n:,}", linestyle="")  # fmt: skip
        start += n
    ax.set(xlim=(-1, wide), ylim=(-(-total // wide), -1), aspect="equal", xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    ax.patch.set_visible(False)
    ax.set_title(f"of {total:,} {short(unit)}", color=DIM, fontsize=13, loc="left")
    narrow = ax.figure.bbox.width < 6 * ax.figure.dpi
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, 0), ncols=2 if narrow else 4, frameon=False, fontsize=12,
              labelcolor=INK, handletextpad=0.2, columnspacing=1.2)  # fmt: skip


def icons(frequencies: NaturalFrequencies, *, unit: str = "pictures") -> Html:
    """Draw every picture of natural frequencies as a square in a page, told apart by colour and by shape.

    Args:
        frequencies: found, missed, false alarms and passed.
        unit: what is counted, in the plural.

    Returns:
        An SVG with a key: as many shapes as pictures, 50 a row.
    """
    kinds = _kinds(frequencies)
    total, paths, start = sum(n for _, n, _ in kinds), "", 0
    for name, n, token in kinds:
        places = (divmod(i, _COLUMNS) for i in range(start, start + n))
        d = "".join(f"M{11 * column} {11 * row}{_SHAPES[name]}" for row, column in places)
        paths += f'<path d="{d}" style="fill:var(--{token})" fill-rule="evenodd"/>' if n else ""
        start += n
    label = f"{total:,} {unit}: " + ", ".join(f"{n:,} {name}" for name, n, _ in kinds)
    key = "".join(
        f'<li><svg viewBox="0 0 9 9" aria-hidden="true"><path d="M0 0{_SHAPES[name]}" style="fill:var(--{token})"'
        f' fill-rule="evenodd"/></svg>{name} {n:,}</li>'
        for name, n, token in kinds
    )
    height = 11 * -(-total // _COLUMNS) - 2
    return Html(
        f'<svg viewBox="0 0 548 {max(height, 9)}" role="img" aria-label="{label}">{paths}</svg>'
        f'<ul class="key">{key}</ul>'
    )


def _kinds(frequencies: NaturalFrequencies) -> tuple[tuple[str, int, str], ...]:
    """What natural frequencies count, in the order in which it is drawn, each with its colour."""
    return (
        ("found", frequencies.found, "good"),
        ("missed", frequencies.missed, "bad"),
        ("false alarm", frequencies.false_alarms, "warn"),
        ("rightly passed", frequencies.passed, "line"),
    )


# Paths from the upper left corner of a 9 x 9 field: full, hollow, on its tip, full.
_SHAPES = {
    "found": "h9v9h-9z",
    "missed": "h9v9h-9zm2.5 2.5h4v4h-4z",
    "false alarm": "m4.5 0l4.5 4.5l-4.5 4.5l-4.5 -4.5z",
    "rightly passed": "h9v9h-9z",
}


def _thinned(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Leave out points that lie closer to the one before than can be seen."""
    if len(x) <= _MOST:
        return x, y
    along = np.concatenate([[0], np.cumsum(np.abs(np.diff(x)) + np.abs(np.diff(y)))])
    kept = np.unique(np.searchsorted(along, np.linspace(0, along[-1], _MOST)).clip(0, len(x) - 1))
    return x[kept], y[kept]


def _key(ax: Axes, place: str, title: str, *, over: float = 0.0) -> None:
    key = ax.legend(  # type: ignore[call-overload]  # it takes the name of a place
        loc=place,
        bbox_to_anchor=(0, over, 1, 1 - over),
        frameon=False,
        title=title,
        labelcolor=INK,
        fontsize=12,
        handlelength=2.4,
    )
    key.get_title().set(color=DIM, fontsize=12)
