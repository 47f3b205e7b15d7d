"""Judge: how far can a classifier be trusted? By any program's scores, on a table, or on pictures new to it."""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..data import delivery
from ..errors import InputError, UndefinedError
from ..report import record
from ..stats import compare as comparisons
from ..stats.intervals import Estimate
from ..stats.roc import Band, Curve
from ..workers.clock import Clock
from . import behind, judge_page, ruling
from .cases import Case, from_model, from_scores, from_table
from .findings import Findings, Versus, find_many, find_two
from .judgement import Cutoff, check


@dataclass(frozen=True, slots=True)
class Judged:
    """How far a classifier can be trusted, and where that was written.

    counts: rows by class; figures: estimates by name, None where there are too few rows to say; areas: of more than two
    classes, AUC of each against all others, and of each against each by the score of the first; matrix: rows are true
    classes, columns what was said; learning and forecast: rows learnt from, and the figure reached or to be expected.
    """

    headline: str
    sentences: list[str]
    warnings: list[str]
    n: int
    counts: dict[str, int]
    positive: str | None
    figures: dict[str, Estimate | None]
    areas: dict[str, Estimate | None]
    cutoff: Cutoff | None
    threshold: Estimate | None
    matrix: np.ndarray
    compared: Versus | None
    learning: list[tuple[int, Estimate]]
    forecast: list[tuple[int, Estimate]]
    notes: list[str]
    report: str
    plots: list[str]

    def _repr_html_(self) -> str:
        return record.as_html(self)


def judge(
    path: str | os.PathLike[str],
    *,
    folder: str | os.PathLike[str] | None = None,
    target: str | None = None,
    classifier: Any = "boosting",
    compare: Any = None,
    labels: str = "folders",
    positive: str | None = None,
    specificity: float | None = None,
    cost_fp: float = 1.0,
    cost_fn: float = 1.0,
    prevalence: float | None = None,
    group: str | None = None,
    level: float = 0.95,
    folds: int = 10,
    repeats: int = 1,
    out: str | os.PathLike[str] | None = None,
    seed: int = 0,
    processes: int | None = None,
    tell: Callable[[str], None] = lambda _: None,
    stop: Callable[[], bool] = lambda: False,
) -> Judged:
    """Judge a classifier: by scores that any program wrote, by cross-validation on a table, or on pictures.

    Args:
        path: CSV with the columns label and score (or one column per class; group, fold, id, file at need); a CSV
            table, with target; or a `.assay` file, with folder.
        folder: labelled pictures, for a model; of scores that name pictures in a column `file`, where these lie, by
            default where the CSV file does.
        target: the column of a table that is to be told by the others.
        classifier: "boosting", "logistic" or "bayes", or a scikit-learn estimator; for a table.
        compare: another CSV of scores of the same rows; for a table another classifier; for a model another model.
        labels: "folders", or a CSV file with the columns file and label; for a model.
        positive: of two classes, the one that a flag means; by default the one called 1, yes, true or positive, else
            the rarer.
        specificity: share of negatives that the cut-off must pass.
        cost_fp: cost of a false alarm. Without costs or a specificity the cut-off has the greatest sum of sensitivity
            and specificity.
        cost_fn: cost of a miss, in the same unit.
        prevalence: share of positives where the classifier will be used; as in the data by default.
        group: column of rows that are not independent; `group` by default, where it is there.
        level: coverage of every interval.
        folds: parts of a table that take turns to be judged.
        repeats: times that this is done, with other folds.
        out: folder for the report, the plots and the result; `./<name>.judged` by default.
        seed: of everything random.
        processes: that read pictures.
        tell: shows a line about progress.
        stop: asked between steps; True ends the work.

    Returns:
        What was found, and where it was written.

    Raises:
        InputError: an argument is not allowed, or a file is not what it must be: the message says what must hold.
        UndefinedError: a class has fewer than two rows.
        WorkspaceError: the results cannot be written.
        KeyboardInterrupt: stop said True.
    """
    source = Path(path)
    check(specificity=specificity, cost_fp=cost_fp, cost_fn=cost_fn, prevalence=prevalence, level=level, seed=seed)
    _check(source, folder, target, folds, repeats)
    place = Path(out) if out is not None else Path(f"{source.stem}.judged")
    delivery.claim(place)
    clock = Clock({"reading": 1.0, "judging": 2.0, "writing the report": 6.0}, tell=tell)
    clock.begin("reading", 1)
    own = specificity is None and cost_fp == cost_fn
    rng = np.random.default_rng(seed)

    def read(what: Any, *, first: bool) -> Case:
        if source.suffix.lower() == ".assay" and folder is not None:
            return from_model(
                Path(what), Path(folder), labels=labels, positive=positive, own=own, processes=processes, clock=clock,
                stop=stop
            )  # fmt: skip
        if target is not None:
            return from_table(
                source, target=target, classifier=what, positive=positive, group=group, folds=folds, repeats=repeats,
                level=level, seed=seed, curve=first, clock=clock, stop=stop,
            )  # fmt: skip
        # Which rows belong together is said once, by the file that is judged.
        root = Path(folder) if folder is not None and first else None
        return from_scores(Path(what), positive=positive, group=group if first else None, root=root)

    case = read(classifier if target is not None else source, first=True)
    two = case.positive is not None
    if not two and not (own and prevalence is None):
        raise InputError(f"--specificity, costs and --prevalence need 2 classes, got {len(case.classes)}")

    def find(of: Case) -> Findings:
        shared: dict[str, Any] = {"probable": of.probable, "groups": of.groups, "level": level, "rng": rng}
        if of.positive is None:
            return find_many(of.classes, of.labels, of.scores, **shared)
        return find_two(
            of.classes, of.labels, of.scores, positive=of.positive, folds=of.folds, fixed=of.fixed,
            specificity=specificity, cost_fp=cost_fp, cost_fn=cost_fn, prevalence=prevalence, **shared,
        )  # fmt: skip

    clock.begin("judging", 1)
    findings = find(case)
    versus, other = None, None
    if compare is not None:
        name = _name(compare)
        second = _aligned(case, read(compare, first=False), source, name)
        other = find(second)
        versus = _versus(name, case, second, findings, other, level)
    own_name = source.name if target is None else _name(classifier)
    title = source.name if target is None else f"{source.name}, {own_name}"
    single = case.scores if two and case.scores.ndim == 1 else None
    doubt, told = ruling.suspicions(findings, single)
    warnings = [*case.warnings, *told]
    answer = ruling.rule(findings, unit=case.unit, split=case.split, versus=versus, doubt=doubt)
    clock.begin("writing the report", 1)
    both: list[tuple[str, Curve, Band | None]] = []
    if two and versus is not None and other is not None:
        both = [(name, f.curves[0][1], None) for name, f in ((own_name, findings), (versus.name, other))]
    made = judge_page.made(source, case, seed=seed, level=level, cutoff=findings.cutoff)
    drawn = judge_page.draw(case, findings)
    tiles = behind.tiles(case, findings, processes=processes, stop=stop)
    page = judge_page.write(
        title,
        answer,
        case,
        findings,
        name=own_name,
        warnings=warnings,
        versus=versus,
        both=both,
        tiles=tiles,
        made=made,
    )
    report = place / "report.html"
    result = Judged(
        headline=answer.headline,
        sentences=[*answer.sentences, *answer.settle],
        warnings=warnings,
        n=len(case.labels),
        counts={c: int((case.labels == i).sum()) for i, c in enumerate(case.classes)},
        positive=None if case.positive is None else case.classes[case.positive],
        figures={_key(name): estimate for name, estimate, _ in findings.figures},
        areas=_areas(findings),
        cutoff=findings.cutoff,
        threshold=findings.threshold,
        matrix=findings.matrix,
        compared=versus,
        learning=case.learning,
        forecast=case.forecast,
        notes=case.notes,
        report=str(report),
        plots=[str(place / name) for name in drawn],
    )
    # The mark comes last: a folder without it is unfinished.
    delivery.deliver(place, {**drawn, report.name: page, delivery.MARK: record.as_json(result)})
    clock.finish()
    return result


def _check(source: Path, folder: str | os.PathLike[str] | None, target: str | None, folds: int, repeats: int) -> None:
    model = source.suffix.lower() == ".assay"
    if not source.is_file():
        raise InputError(
            f"FILE must be a CSV file or a model, got {'a folder' if source.is_dir() else 'nothing'} at {source}"
        )
    if model and folder is None:
        raise InputError(f"a model needs pictures to be judged on, got {source} alone: assay judge {source} FOLDER")
    if folder is not None and target is not None:
        raise InputError(f"FOLDER goes with a .assay file or with scores of pictures, got --target {target}")
    if model and target is not None:
        raise InputError("--target goes with a table, got a model")
    if folds < 2 or repeats < 1:
        raise InputError(f"--folds must be >= 2 and --repeats >= 1, got {folds!r} and {repeats!r}")


def _aligned(first: Case, second: Case, source: Path, name: str) -> Case:
    """Bring the rows of another case into the order of the first; both must be about the same things."""
    if first.classes != second.classes or first.positive != second.positive:
        raise InputError(
            f"--compare must be about the same classes, got {', '.join(second.classes[:5])} in {name} and "
            f"{', '.join(first.classes[:5])} in {source.name}"
        )
    if len(first.labels) != len(second.labels):
        raise InputError(
            f"--compare must be about the same rows, got {len(second.labels):,} in {name} and {len(first.labels):,} in "
            f"{source.name}"
        )
    order = np.arange(len(first.labels))
    if first.names is not None and second.names is not None:
        place = {key: i for i, key in enumerate(second.names)}
        missing = next((key for key in first.names if key not in place), None)
        if missing is not None or len(place) < len(second.names):
            what = f"no {missing!r}" if missing is not None else "a name twice"
            raise InputError(f"--compare must name the same rows, each once, got {what} in {name}")
        order = np.array([place[key] for key in first.names])
    if (second.labels[order] != first.labels).any():
        row = int((second.labels[order] != first.labels).argmax()) + 1
        raise InputError(
            f"--compare must have the same label in each row, got another in row {row:,} of {name}: sort both alike, "
            f"or "
            "give both a column id"
        )
    axis = 0 if second.scores.ndim == 1 or second.positive is None else 1
    scores = second.scores.take(order, axis=axis) if second.scores.ndim < 3 else second.scores[:, order]
    return replace(second, scores=scores, labels=first.labels, groups=first.groups, folds=first.folds)


def _versus(name: str, case: Case, second: Case, a: Findings, b: Findings, level: float) -> Versus | None:
    try:
        if case.positive is not None:
            found = comparisons.aucs(
                case.labels == case.positive,
                *(_once(c.scores) for c in (case, second)),
                level=level,
                groups=case.groups,
            )
            figure = "AUC"
        else:
            found, figure = comparisons.accuracies(case.labels, a.predictions, b.predictions, level=level), "accuracy"
    except UndefinedError:
        return None
    return Versus(name, figure, found.first, found.second, found.difference, found.p_value)


def _once(scores: np.ndarray) -> np.ndarray:
    return scores if scores.ndim == 1 else np.asarray(scores.mean(axis=0))


def _name(of: Any) -> str:
    """Name a file or a classifier."""
    return Path(of).name if isinstance(of, str | os.PathLike) else type(of).__name__


def _areas(findings: Findings) -> dict[str, Estimate | None]:
    """Areas of more than two classes: each against all others, and each against each."""
    if findings.positive is not None:
        return {}
    alone = dict(zip(findings.classes, findings.measures.auc, strict=True))
    return alone | {f"{first} v {second}": e for first, second, _, e in findings.pairs}


def _key(name: str) -> str:
    """Name a figure for a program: average_precision, ppv, log_loss."""
    return name.partition(" at ")[0].partition(" (")[0].lower().replace(" ", "_")
