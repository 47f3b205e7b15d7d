"""Commands on how far to trust: judge a classifier by its scores, on a table, or on pictures it has not seen."""

from pathlib import Path
from typing import Annotated

import typer

from .terminal import CostFn, CostFp, Json, Processes, Seed, Specificity, app, do, show


@app.command(epilog="Example: assay judge scores.csv --specificity 0.9 --prevalence 0.01")
def judge(
    path: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="A CSV file of labels and scores, a CSV table (with --target), or a .assay file."
        ),
    ],
    folder: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FOLDER]",
            help="Labelled pictures, for a .assay file; or those that the column file of scores names.",
        ),
    ] = None,
    *,
    target: Annotated[
        str | None, typer.Option(help="Column of a table that the others are to tell; cross-validates a classifier.")
    ] = None,
    classifier: Annotated[str, typer.Option(help="Of a table: boosting, logistic or bayes.")] = "boosting",
    compare: Annotated[
        str | None,
        typer.Option(help="Scores of another program on the same rows; of a table a classifier, of a model a model."),
    ] = None,
    labels: Annotated[
        str, typer.Option(help="Of pictures: 'folders', or a CSV file with the columns file and label.")
    ] = "folders",
    positive: Annotated[
        str | None, typer.Option(help="Of two classes, the one that a flag means; 1, yes or the rarer by default.")
    ] = None,
    specificity: Specificity = None,
    cost_fp: CostFp = 1.0,
    cost_fn: CostFn = 1.0,
    prevalence: Annotated[float | None, typer.Option(help="Share of positives where it will be used.")] = None,
    group: Annotated[
        str | None, typer.Option(help="Column of rows that belong together, such as patient; 'group' by default.")
    ] = None,
    level: Annotated[float, typer.Option(help="Coverage of every interval.")] = 0.95,
    folds: Annotated[int, typer.Option(help="Parts of a table that take turns to be judged.")] = 10,
    repeats: Annotated[int, typer.Option(help="Times that this is done, with other folds.")] = 1,
    out: Annotated[
        Path | None, typer.Option(help="Folder for report, plots and result; ./NAME.judged by default.")
    ] = None,
    seed: Seed = 0,
    processes: Processes = None,
    json: Json = False,
) -> None:
    """How far can it be trusted? Scores of any program, a classifier on a table, or a model on new pictures."""
    from ..tasks.judge import judge as work

    result = do(
        work,
        path=path,
        folder=folder,
        target=target,
        classifier=classifier,
        compare=compare,
        labels=labels,
        positive=positive,
        specificity=specificity,
        cost_fp=cost_fp,
        cost_fn=cost_fn,
        prevalence=prevalence,
        group=group,
        level=level,
        folds=folds,
        repeats=repeats,
        out=out,
        seed=seed,
        processes=processes,
    )
    alone = [(f"auc of {name}", result.areas[name]) for name in result.counts if name in result.areas]
    shown = [*((name.replace("_", " "), e) for name, e in result.figures.items()), *alone]
    width = max((len(name) for name, _ in shown), default=0)
    figures = [
        f"{name:{width}}  {e.value:6.3f}  {e.low:.3f} to {e.high:.3f}" + ("  optimistic here" if e.optimistic else "")
        if e is not None
        else f"{name:{width}}  cannot be said"
        for name, e in shown
    ]
    warnings = [f"warning: {text}" for text in result.warnings]
    notes = [f"note: {text}" for text in result.notes]
    lines = [result.headline, *result.sentences, *warnings, "", *figures, "", *notes]
    show(result, [*lines, f"report  {result.report}"], as_json=json)
