"""The page and the plots of a judgement, put together from what was found."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

from ..report import evidence, page, plots, record, trust
from ..report.theme import CLASSES
from ..stats.roc import Band, Curve
from .behind import Tiles
from .cases import Case
from .findings import Findings, Versus
from .judgement import Cutoff
from .verdict import Verdict

_WIDE = (430, 330)


def write(
    title: str,
    answer: Verdict,
    case: Case,
    findings: Findings,
    *,
    name: str,
    warnings: Sequence[str],
    versus: Versus | None,
    both: Sequence[tuple[str, Curve, Band | None]],
    tiles: Tiles,
    made: Sequence[tuple[str, str]],
) -> str:
    """Write the page.

    Args:
        title: name of what was judged.
        answer: comes first.
        case: what there was to judge.
        findings: about it.
        name: of the classifier.
        warnings: what makes it look too good, or upside down.
        versus: how it compares with another, or None.
        both: the ROC curves of the two, or nothing.
        tiles: the pictures behind each cell of the confusion matrix, from `behind.tiles`.
        made: how the page came about, as (what, value).

    Returns:
        One HTML page that needs nothing else.
    """
    unit = f"{case.unit}s"
    parts: list[str] = [page.verdict(answer.headline, answer.sentences, dim=answer.settle)]
    parts += [page.warning(text) for text in warnings]
    parts += [_good(findings, unit), _mistakes(findings, tiles)]
    cutoff = findings.cutoff
    if cutoff is not None:
        parts.append(
            trust.meaning(
                cutoff.positive,
                cutoff.prevalence,
                cutoff.frequencies,
                cutoff.ppv,
                cutoff.npv,
                unit=unit,
                curve=findings.predictive,
                given=cutoff.prevalence_given,
            )
        )
    if versus is not None:
        names, pair = (name, versus.name), (versus.first, versus.second)
        parts.append(trust.versus(names, versus.figure, pair, versus.difference, versus.p_value, both))
    parts.append(trust.growth(case.learning, case.forecast, figure=case.figure, unit=unit))
    parts.append(page.section("How this was made", page.table(("what", "value"), made), id="made"))
    when = f"{datetime.now(UTC).astimezone():%-d %B %Y, %H:%M}"
    return page.document(
        f"assay · {page.visible(title)}", when, page.join(*parts), footer="assay · nothing left this computer"
    )


def draw(case: Case, findings: Findings) -> dict[str, bytes | str]:
    """Draw every plot of a judgement, for sharing.

    Args:
        case: what there was to judge.
        findings: about it.

    Returns:
        PNG (twice as large, for sharp screens) and SVG files by name.
    """
    files: dict[str, bytes | str] = {}
    for name, label, size, plot in _plots(case, findings):
        files[f"plots/{name}.png"], files[f"plots/{name}.svg"] = plots.files(plot, label=label, size=size)
    return files


def made(source: Path, case: Case, *, seed: int, level: float, cutoff: Cutoff | None) -> list[tuple[str, str]]:
    """Say how a judgement came about, so that it can be made again.

    Args:
        source: the file that was judged.
        case: what was in it.
        seed: of everything random.
        level: coverage of every interval.
        cutoff: that was chosen, or None.

    Returns:
        What, and its value.
    """
    counts = np.bincount(case.labels, minlength=len(case.classes))
    rows = [
        ("file", str(source)),
        (f"{case.unit}s", ", ".join(f"{n:,} {name}" for n, name in list(zip(counts, case.classes, strict=True))[:20])),
    ]
    if case.groups is not None:
        rows.append(("groups", f"{len(np.unique(case.groups)):,}; every interval is over groups"))
    if cutoff is not None:
        rows.append(("cut-off", f"{cutoff.threshold:.6g}, by {cutoff.rule}; measured on rows it was not chosen on"))
    rows += [("note", note) for note in case.notes]
    versions = ", ".join(f"{name} {version}" for name, version in record.versions().items())
    return [*rows, ("level", f"{100 * level:g} %"), ("seed", str(seed)), ("versions", versions)]


def _good(findings: Findings, unit: str) -> str:
    two = findings.positive is not None
    counts = np.bincount(findings.labels, minlength=len(findings.classes))
    m = findings.measures
    rows = zip(findings.classes, m.recall, m.precision, m.auc, counts.tolist(), strict=True)
    per_class = [] if two else list(rows)
    share = float(counts[findings.positive] / counts.sum()) if findings.positive is not None else None
    curves = trust.curves(findings.curves, findings.cutoff.threshold if findings.cutoff else None, pairs=findings.pairs)
    told = [page.estimates(findings.figures)]
    if findings.threshold is not None and findings.cutoff is not None:
        t = findings.threshold
        told.append(
            page.text(
                f"The cut-off is {t.value:.3g}; on other rows it would have come out between {t.low:.3g} and "
                f"{t.high:.3g}. It is chosen in turns on some of the rows and measured on the others.",
                dim=True,
            )
        )
    drawn = page.join(curves, page.heading("Precision against recall"), trust.recalls(findings.recalls, share))
    table, pairs = trust.classes(per_class, unit=unit), trust.against(findings.pairs)
    return page.section("How good is it?", page.two(page.join(*told), drawn), table, pairs, id="results")


def _mistakes(findings: Findings, tiles: Tiles) -> str:
    reliable = trust.calibration(findings.bins, band=findings.reliable, error=findings.error)
    if tiles:
        shown = trust.cells(findings.matrix, findings.classes, tiles)
        return page.section("Which mistakes does it make?", shown, reliable, id="mistakes")
    plot = trust.matrix(findings.matrix, findings.classes)
    wide = len(findings.classes) > trust.BESIDE
    both = page.join(plot, reliable) if wide else page.two(plot, reliable)
    return page.section("Which mistakes does it make?", both, id="mistakes")


def _plots(case: Case, findings: Findings) -> Iterator[tuple[str, str, tuple[int, int], Callable[[Axes], None]]]:
    """Name, label, size and plot, each for a file of its own."""
    square, cutoff, unit = (400, 380), findings.cutoff, f"{case.unit}s"
    curves, recalls = findings.curves[: len(CLASSES)], findings.recalls[: len(CLASSES)]
    if curves:
        mark, between = cutoff.threshold if cutoff else None, trust.named(findings.pairs)
        yield "roc", "ROC curve", square, lambda ax: evidence.roc(curves, cutoff=mark, pairs=between, ax=ax)
        share = float((findings.labels == findings.positive).mean()) if findings.positive is not None else None
        yield (
            "precision-recall",
            "Precision against recall",
            square,
            lambda ax: evidence.recall(recalls, prevalence=share, ax=ax),
        )
    if findings.bins:
        yield "calibration", "Calibration", square, partial(_calibration, findings)
    side = int(np.clip(240 + 13 * len(findings.classes), 340, 830))
    yield (
        "confusion",
        "Confusion matrix",
        (side, side - 20),
        lambda ax: evidence.confusion(findings.matrix, findings.classes, ax=ax),
    )
    if cutoff is not None and findings.predictive:
        at, given, frequencies = cutoff.prevalence, cutoff.prevalence_given, cutoff.frequencies
        yield (
            "predictive-values",
            "Predictive values by base rate",
            _WIDE,
            lambda ax: evidence.predictive(findings.predictive, at=at, given=given, ax=ax),
        )
        yield (
            "natural-frequencies",
            "Natural frequencies",
            (560, 300),
            lambda ax: evidence.natural_frequencies(frequencies, unit=unit, ax=ax),
        )
    if case.learning:
        yield (
            "learning-curve",
            "Learning curve",
            _WIDE,
            lambda ax: evidence.learning(case.learning, name=case.figure, forecast=case.forecast, unit=unit, ax=ax),
        )


def _calibration(findings: Findings, ax: Axes) -> None:
    evidence.calibration(findings.bins, band=findings.reliable, ax=ax)
