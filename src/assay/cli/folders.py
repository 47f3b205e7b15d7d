"""Commands on a folder of pictures: read it, do the main job on it, label it."""

from pathlib import Path
from typing import Annotated

import typer

from .terminal import (
    CostFn,
    CostFp,
    Folder,
    Json,
    Out,
    Positive,
    Prevalence,
    Processes,
    Seed,
    Specificity,
    app,
    do,
    finish,
    listed,
    show,
    visible,
)


@app.command(epilog="Example: assay run photos/ --positive defect --prevalence 0.01")
def run(
    path: Folder,
    *,
    labels: Annotated[
        str,
        typer.Option(help="'folders', 'none', or a CSV file with the columns file and label (group, part at need)."),
    ] = "folders",
    out: Out = None,
    positive: Positive = None,
    specificity: Specificity = None,
    cost_fp: CostFp = 1.0,
    cost_fn: CostFn = 1.0,
    prevalence: Prevalence = None,
    tiles: Annotated[
        bool, typer.Option("--tiles", help="Look at 3 x 3 tiles too: slower by 10, better for small things.")
    ] = False,
    seed: Seed = 0,
    processes: Processes = None,
    json: Json = False,
) -> None:
    """The main job: read, name what is broken, find copies, group, and where there are labels learn and judge."""
    from ..tasks.run import run as work

    result = do(
        work,
        path=path,
        labels=labels,
        out=out,
        positive=positive,
        specificity=specificity,
        cost_fp=cost_fp,
        cost_fn=cost_fn,
        prevalence=prevalence,
        tiles=tiles,
        seed=seed,
        processes=processes,
    )
    places = [
        f"report  {result.report}",
        f"list    {result.table}",
        *([f"model   {result.model}"] if result.model else []),
    ]
    show(result, [result.headline, *result.sentences, "", *places], as_json=json)
    finish(status for status, n in result.scan.statuses.items() if n)


@app.command(epilog="Example: assay scan photos/ --json")
def scan(path: Folder, *, out: Out = None, processes: Processes = None, json: Json = False) -> None:
    """Read every file, say which are broken or odd, and keep what was found."""
    from ..tasks.scan import scan as work

    result = do(work, path=path, out=out, processes=processes)
    counts = ", ".join(f"{n:,} {status}" for status, n in result.statuses.items()) or "no files"
    lines = [f"{counts}; {result.read:,} read in {result.seconds:.1f} s"]
    lines += (
        [f"passed over: {', '.join(f'{n:,} {what}' for what, n in result.skipped.items())}"] if result.skipped else []
    )
    found = {name: n for name, n in result.issues.items() if n}
    lines += [f"issues: {', '.join(f'{name} {n:,}' for name, n in found.items())}"] if found else []
    lines += listed(result.problems)
    show(result, lines, as_json=json)
    finish(status for status, n in result.statuses.items() if n)


@app.command(epilog="Example: assay predict photos.assay/model.assay new/ --csv > labels.csv")
def predict(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A .assay file.")],
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Pictures, and folders of pictures.")],
    *,
    csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    processes: Processes = None,
    json: Json = False,
) -> None:
    """Label pictures with a model; "none of these" where a picture is like nothing it learned from."""
    from ..report import record
    from ..tasks.predict import predict as work

    result = do(work, model=model, paths=paths, processes=processes)
    if csv:
        header = ["file", "label", "probability", *result.classes, "status", "reason"]
        blank = [None] * len(result.classes)
        rows = [[r.file, r.label, r.probability, *(r.probabilities or blank), r.status, r.reason] for r in result.rows]
        print(record.as_csv(header, rows), end="")
    else:
        width = max((len(visible(r.label)) for r in result.rows), default=0)
        lines = [
            f"{visible(r.label):{width}}  {r.probability:.2f}  {r.file}"
            if r.status == "ok"
            else f"{r.status}: {r.reason}  {r.file}"
            for r in result.rows
        ]
        show(result, lines or ["no files"], as_json=json)
