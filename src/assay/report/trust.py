"""Parts of a report on how far a classifier can be trusted: shared by the report of a folder and that of scores.

Estimates, counts, curves and tiles go in, HTML comes out; each part has something to say when there is nothing.
"""

from collections.abc import Mapping, Sequence
from typing import TypeVar

import numpy as np

from ..stats import precision_recall
from ..stats.bayes import NaturalFrequencies, PredictiveValues
from ..stats.calibration import Bin, CalibrationBand, CalibrationError
from ..stats.intervals import Estimate
from ..stats.roc import Band, Curve
from . import evidence, page, plots
from .gallery import wall
from .page import Html, join, safe, text
from .theme import CLASSES

Row = tuple[str, Estimate | None, float | None]
BESIDE = 12  # classes whose confusion matrix can be read in half the page's width
_WORST = 4  # curves that are drawn where there are more than colours
_WIDE = (430, 330)
_Curve = TypeVar("_Curve")


def matrix(counts: np.ndarray | None, names: Sequence[str]) -> Html:
    """Show what is taken for what, as a plot.

    Args:
        counts: int (k, k), rows true, columns predicted; None for nothing.
        names: k classes.

    Returns:
        The part.
    """
    if counts is None:
        return Html("")
    k = len(names)
    side = int(np.clip(240 + 13 * k, 340, 830))
    label = f"Confusion matrix of {k} classes: {_right(counts)}"
    drawn = plots.svg(lambda ax: evidence.confusion(counts, names, ax=ax), label=label, size=(side, side - 20))
    return join(_taken(counts), page.scroll(drawn, label=label) if k > BESIDE else drawn)


def cells(counts: np.ndarray, names: Sequence[str], tiles: Mapping[tuple[int, int], Sequence[str]]) -> Html:
    """Show what is taken for what, as a table whose every count leads to the pictures behind it.

    Args:
        counts: int (k, k), rows true, columns predicted.
        names: k classes.
        tiles: from `gallery.tile`, by place of the true and of the predicted class.

    Returns:
        The part. It needs no script: a count is a link, and its pictures show while they are linked to.
    """
    totals = np.maximum(np.sum(counts, axis=1), 1)
    rows, walls = [], []
    for i, name in enumerate(names):
        line: list[str] = [name]
        for j, said in enumerate(names):
            n = int(counts[i, j])
            if not n or not tiles.get((i, j)):
                line.append(f"{n:,}")
                continue
            kind = "right" if i == j else "wrong"
            shade = 7 + 43 * n / totals[i]
            line.append(Html(f'<a class="{kind}" style="--shade:{shade:.0f}%" href="#cell-{i}-{j}">{n:,}</a>'))
            title = page.heading(f"{name}, called {said}" if i != j else f"{name}, rightly called so", note=f"{n:,}")
            shown = tiles[i, j]
            walls.append(
                Html(f'<div class="cell" id="cell-{i}-{j}">{join(title, wall(shown, more=n - len(shown)))}</div>')
            )
        rows.append(line)
    table = page.table(["true ╲ said", *names], rows, numeric=range(1, len(names) + 1))
    hint = text("Choose a count to see the pictures behind it.", dim=True)
    return join(_taken(counts), Html(f'<div class="matrix">{table}</div>'), hint, *walls)


def curves(
    found: Sequence[tuple[str, Curve, Band | None]],
    cutoff: float | None,
    *,
    pairs: Sequence[tuple[str, str, Curve, Estimate]] = (),
) -> Html:
    """Show ROC curves.

    Args:
        found: name, curve and band; of more than 8 the 4 worst are drawn.
        cutoff: threshold to mark, for one curve.
        pairs: of several classes each against each, the worst first.

    Returns:
        The part; nothing for no curves.
    """
    if not found:
        return Html("")
    shown, note = _drawn(found, [evidence.area(c) for _, c, _ in found])
    label = "ROC curve: " + ", ".join(f"{name}, area {page.number(evidence.area(c))}" for name, c, _ in shown)
    cutoff = cutoff if len(found) == 1 else None
    between = named(pairs)
    if between:
        note += " Thin: each class against each, by the score of the first."
    drawn = plots.svg(lambda ax: evidence.roc(shown, cutoff=cutoff, pairs=between, ax=ax), label=label)
    return join(drawn, text(note, dim=True))


def named(pairs: Sequence[tuple[str, str, Curve, Estimate]]) -> list[tuple[str, Curve]]:
    """Name pairs of classes for a plot.

    Args:
        pairs: two classes, curve and area.

    Returns:
        Name and curve.
    """
    return [(f"{plots.short(a, most=10)} v {plots.short(b, most=10)}", curve) for a, b, curve, _ in pairs]


def against(pairs: Sequence[tuple[str, str, Curve, Estimate]]) -> Html:
    """Tabulate pairs of classes, the worst first.

    Args:
        pairs: two classes, curve and area.

    Returns:
        The part; nothing for no pairs.
    """
    if not pairs:
        return Html("")
    lines = [(f"{first} against {second}", page.figure(e), page.rail(e, baseline=0.5)) for first, second, _, e in pairs]
    table = page.folded(("by the score of the first", "AUC", "0 … 1"), lines, rest="better pairs")
    return join(page.heading("Which two are hardest to tell apart?"), table)


def recalls(found: Sequence[tuple[str, precision_recall.Curve, Estimate]], prevalence: float | None) -> Html:
    """Show how precision falls as more positives are found.

    Args:
        found: name, curve and average precision; of more than 8 the 4 worst are drawn.
        prevalence: share of positives, for one curve.

    Returns:
        The part; nothing for no curves.
    """
    if not found:
        return Html("")
    shown, note = _drawn(found, [e.value for _, _, e in found])
    label = "Precision against recall: " + ", ".join(f"{name}, average {page.number(e.value)}" for name, _, e in shown)
    prevalence = prevalence if len(found) == 1 else None
    drawn = plots.svg(lambda ax: evidence.recall(shown, prevalence=prevalence, ax=ax), label=label)
    return join(drawn, text(note, dim=True))


def calibration(
    bins: Sequence[Bin], *, band: CalibrationBand | None = None, error: CalibrationError | None = None
) -> Html:
    """Show whether probabilities mean what they say.

    Args:
        bins: from `stats.calibration.reliability`.
        band: of the whole curve at once, or None.
        error: with the band of a perfect model, or None.

    Returns:
        The part; nothing for no bins.
    """
    if not bins:
        return Html("")
    label = "Calibration: " + ", ".join(
        f"stated {page.number(b.mean_probability)}, true {page.number(b.observed.value)}" for b in bins
    )
    why = "On the dotted line, 0.8 means: right in 8 of 10 cases. Bars are intervals."
    if band is not None:
        why += f" The shade holds the whole curve at once, in {100 * band.level:g} % of cases."
    drawn = plots.svg(lambda ax: evidence.calibration(bins, band=band, ax=ax), label=label)
    return join(page.heading("Do its probabilities mean what they say?"), text(why, _off(error)), drawn)


def classes(
    rows: Sequence[tuple[str, Estimate | None, Estimate | None, Estimate | None, int]], *, unit: str = "pictures"
) -> Html:
    """Tabulate classes, the worst first.

    Args:
        rows: class, sensitivity, precision, AUC (None: too few to say) and how many there are.
        unit: what they are counted in.

    Returns:
        The part; nothing for no classes.
    """
    if not rows:
        return Html("")
    worst = sorted(rows, key=lambda row: row[1].value if row[1] else -1.0)
    header = ("class", unit, "found (sensitivity)", "0 … 1", "right when said (precision)", "AUC")
    lines = [
        (name, f"{n:,}", page.figure(recall), page.rail(recall), page.figure(precision), page.figure(auc))
        for name, recall, precision, auc, n in worst
    ]
    return join(
        page.heading("Class by class, the worst first"), page.folded(header, lines, rest="better classes", numeric=[1])
    )


def meaning(
    positive: str,
    prevalence: float,
    frequencies: NaturalFrequencies | None,
    ppv: Estimate | None,
    npv: Estimate | None,
    *,
    unit: str = "pictures",
    curve: Sequence[tuple[float, PredictiveValues]] = (),
    given: bool = True,
) -> Html:
    """Say what a flag means at the base rate.

    Args:
        positive: name of the class that is flagged.
        prevalence: base rate, in (0, 1).
        frequencies: out of 1,000; None where there are not two classes.
        ppv: the chance that a flag is right.
        npv: the chance that a pass is right.
        unit: what is counted, in the plural.
        curve: predictive values at other base rates, to be drawn.
        given: whether the base rate was given, or is that of the data.

    Returns:
        The section.
    """
    if frequencies is None:
        why = "This is said for two classes, one of which is looked for."
        return page.section("What does a flag mean?", text(why), id="meaning")
    f = frequencies
    total, flagged, real = f.found + f.missed + f.false_alarms + f.passed, f.found + f.false_alarms, f.found + f.missed
    name = safe(positive)
    story = Html(
        f"Of {total:,} {safe(unit)}, <b>{real:,}</b> are “{name}”. The model flags <b>{flagged:,}</b>: "
        f"<b>{f.found:,}</b> rightly, {f.false_alarms:,} not. It misses <b>{f.missed:,}</b>."
    )
    rows: list[Row] = [("A flag is right (PPV)", ppv, prevalence), ("A pass is right (NPV)", npv, 1 - prevalence)]
    told = join(text(story), page.estimates(rows))
    elsewhere = Html("")
    if curve:
        label = (
            f"Chance that a flag and that a pass is right, at base rates from {curve[0][0]:.2g} to {curve[-1][0]:.2g}"
        )
        drawn = plots.svg(
            lambda ax: evidence.predictive(curve, at=prevalence, given=given, ax=ax), label=label, size=_WIDE
        )
        why = "The same model at another base rate: where positives are rare, most flags are false alarms."
        elsewhere = page.two(drawn, join(page.heading("Elsewhere"), text(why)))
    return page.section(
        f"What does a flag mean at {rate(prevalence)}?",
        page.two(evidence.icons(f, unit=unit), told), elsewhere, id="meaning",
    )  # fmt: skip


def versus(
    names: tuple[str, str],
    figure: str,
    estimates: tuple[Estimate, Estimate],
    difference: Estimate,
    p_value: float,
    drawn: Sequence[tuple[str, Curve, Band | None]],
) -> Html:
    """Say whether one is better than another on the same things.

    Args:
        names: of the two.
        figure: by which they are compared.
        estimates: of the two.
        difference: first minus second.
        p_value: chance of a difference as large, were there none.
        drawn: both ROC curves, or nothing.

    Returns:
        The section.
    """
    rows: list[Row] = [(f"{figure}, {name}", e, None) for name, e in zip(names, estimates, strict=True)]
    ends = f"{_signed(difference.low)} to {_signed(difference.high)}"
    told = text(
        Html(f"The difference in {safe(figure)} is <b>{_signed(difference.value)}</b> ({ends}; p {_p(p_value)})."),
        "Both were judged on the same rows, so what is hard for both cancels out. Where the interval holds 0, either "
        "may "
        "be the better one.",
    )
    plot = Html("")
    if drawn:
        label = "ROC curves: " + ", ".join(f"{name}, area {page.number(evidence.area(c))}" for name, c, _ in drawn)
        plot = plots.svg(lambda ax: evidence.roc(drawn, ax=ax), label=label)
    return page.section(
        f"Is it better than {names[1]}?", page.two(join(told, page.estimates(rows)), plot), id="compare"
    )


def growth(
    points: Sequence[tuple[int, Estimate]], forecast: Sequence[tuple[int, Estimate]], *, figure: str, unit: str
) -> Html:
    """Say whether more would help.

    Args:
        points: how many were learnt from, and the figure reached.
        forecast: likewise for more than there are.
        figure: its name.
        unit: what is learnt from, in the plural.

    Returns:
        The section; nothing for no points.
    """
    if not points:
        return Html("")
    told = [f"With {n:,} {unit} it reaches {page.number(e.value)} ({page.between(e)})." for n, e in points[-1:]]
    told += [f"With {n:,} it would reach about {page.number(e.value)} ({page.between(e)})." for n, e in forecast]
    told += (
        ["The dashed part is a power law through the points: it holds for more of the same kind."] if forecast else []
    )
    label = f"{figure} by {unit} learnt from: " + ", ".join(f"{n:,}: {page.number(e.value)}" for n, e in points)
    drawn = plots.svg(
        lambda ax: evidence.learning(points, name=figure, forecast=forecast, unit=unit, ax=ax), label=label, size=_WIDE
    )
    return page.section(f"Would more {unit} help?", page.two(drawn, text(*told)), id="growth")


def rate(prevalence: float) -> str:
    """Say a base rate as people count: 1 in 100, 3 in 10; to 1 in 100 of itself, and of what is left of 1.

    Args:
        prevalence: in (0, 1).

    Returns:
        A few words.

    >>> rate(0.01), rate(0.13), rate(0.5)
    ('1 in 100', '13 in 100', '1 in 2')
    """
    once = round(1 / prevalence)
    if once > 1 and abs(once * prevalence - 1) < 0.001:
        return f"1 in {once:,}"
    for n in (10, 100, 1000, 10_000, 100_000):
        part = round(prevalence * n)
        if abs(part - prevalence * n) < 0.01 * n * min(prevalence, 1 - prevalence):
            return f"{part:,} in {n:,}"
    return f"{prevalence:g}"


def _right(counts: np.ndarray) -> str:
    return f"{int(np.trace(counts)):,} of {int(np.sum(counts)):,} right"


def _taken(counts: np.ndarray) -> Html:
    return join(
        page.heading("What is taken for what?"),
        text(
            f"{_right(counts).removesuffix(' right')} are right. A row is a true class, a column what the model said."
        ),
    )


def _drawn(found: Sequence[_Curve], worth: Sequence[float]) -> tuple[Sequence[_Curve], str]:
    """Those that are drawn, and what to say about them."""
    if len(found) > len(CLASSES):
        order = sorted(range(len(found)), key=worth.__getitem__)[:_WORST]
        return [found[i] for i in order], f"The {_WORST} worst of {len(found)} classes, each against all others."
    return found, "Each class against all others." if len(found) > 1 else ""


def _off(error: CalibrationError | None) -> str:
    if error is None:
        return ""
    told = f"They are off by {page.number(error.value)} on average; a perfect model would show "
    told += f"{page.number(error.null_low)} to {page.number(error.null_high)} on as many."
    return told + (" They cannot be taken at their word." if error.p_value < 0.05 else " That is no more than chance.")


def _signed(x: float) -> str:
    return f"{x:+.3f}".replace("-", "−")


def _p(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"= {p:.3f}"
