"""The command that rates pictures, and learns to."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from .terminal import Folder, Json, Processes, Seed, app, do, finish, listed, show

Number = TypeVar("Number", int, float)
_ROWS = 20  # pictures that are printed


@app.command(epilog="Example: assay rate photos/ --train ratings.csv --out photos.rated")
def rate(
    path: Folder,
    *,
    model: Annotated[Path | None, typer.Option(help="A .assay file that --train has written.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the results; ./NAME.rated by default.")] = None,
    train: Annotated[
        Path | None,
        typer.Option(
            metavar="RATINGS",
            help="Learn instead, from ratings: CSV (a column for each step, or mean and sd, or rating), JSON, AVA.txt.",
        ),
    ] = None,
    scale: Annotated[str | None, typer.Option(help="Ends of the scale learned from, such as 1-10.")] = None,
    middle: Annotated[
        float | None, typer.Option(help="From where on a picture counts as good; halfway by default.")
    ] = None,
    most: Annotated[
        int | None, typer.Option(help="Learn from so many pictures of each tenth of the scale at most.")
    ] = None,
    method: Annotated[
        str, typer.Option(help="head: on frozen features, in seconds; finetune: a network, in two phases.")
    ] = "head",
    backbone: Annotated[
        str, typer.Option(help="Of finetune: lite0, lite1, lite2 or timm:NAME[=WEIGHTS], as in assay learn.")
    ] = "lite0",
    unfreeze: Annotated[
        str, typer.Option(help="What learns in the second phase: how many of the last layers, last-block, or all.")
    ] = "last-block",
    dropout: Annotated[float, typer.Option(help="Share that the last layer does not see while it learns.")] = 0.75,
    epochs: Annotated[
        str, typer.Option(help="Of the two phases, at most: the last layer, then what is not frozen.")
    ] = "20,9",
    learning_rate: Annotated[
        str, typer.Option(help="Of the two phases, at the beginning; it falls along half a wave.")
    ] = "1e-3,1e-4",
    views: Annotated[int, typer.Option(help="Mirrored and shifted views of each picture to learn from beside it.")] = 3,
    seed: Seed = 0,
    processes: Processes = None,
    json: Json = False,
) -> None:
    """Say how people would rate pictures, from worst to best, with a model; or learn it from ratings."""
    from ..tasks import rate as tasks
    from ..tasks import rating_training

    if (train is None) == (model is None):
        raise typer.BadParameter("either --model MODEL must be given, or --train RATINGS")
    if train is None:
        result = do(tasks.rate, path=path, model=model, out=out, processes=processes)
        good = [row for row in result.rows if row.status == "ok"]
        lines = [f"{row.mean:6.2f}  sd {row.sd:.2f}  {row.file}" for row in good[:_ROWS]]
        lines += [f"and {len(good) - _ROWS:,} better ones"] if len(good) > _ROWS else []
        lines += [f"{row.status}: {row.reason}  {row.file}" for row in result.rows if row.status != "ok"]
        show(result, [result.headline, *lines, f"report  {result.report}", f"list    {result.table}"], as_json=json)
        finish(row.status for row in result.rows)
    learned = do(
        rating_training.train,
        path=path,
        labels=train,
        out=out,
        scale=_ends(scale),
        middle=middle,
        most=most,
        method=method,
        backbone=backbone,
        unfreeze=unfreeze,
        dropout=dropout,
        epochs=_two("epochs", epochs, int),
        learning_rate=_two("learning-rate", learning_rate, float),
        views=views,
        seed=seed,
        processes=processes,
    )
    named = [*learned.wrong, *learned.missing, *learned.broken]
    lines = listed(named)
    places = [f"report  {learned.report}", f"list    {learned.table}", f"model   {learned.model}"]
    show(learned, [learned.headline, *learned.sentences, *lines, "", *places], as_json=json)
    finish(p.status for p in learned.broken)


def _ends(scale: str | None) -> tuple[int, int] | None:
    """Read the ends of a scale."""
    if scale is None:
        return None
    low, dash, high = scale.partition("-")
    if not dash or not low.strip().isdigit() or not high.strip().isdigit():
        raise typer.BadParameter(f"--scale must be two whole numbers such as 1-10, got {scale!r}")
    return int(low), int(high)


def _two(name: str, said: str, kind: Callable[[str], Number]) -> tuple[Number, Number]:
    """Read what an option says of two phases."""
    first, _, second = said.partition(",")
    try:
        return kind(first), kind(second)
    except ValueError as e:
        raise typer.BadParameter(f"--{name} must be two numbers with a comma between them, got {said!r}") from e
