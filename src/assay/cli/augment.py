"""The command that makes more pictures of a folder."""

from pathlib import Path
from typing import Annotated

import typer

from .terminal import Folder, Json, Processes, Seed, app, do, finish, listed, show


@app.command(epilog="Example: assay augment photos/ more/ --count 500 --balance")
def augment(
    path: Folder,
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The folder to make.")],
    *,
    count: Annotated[int, typer.Option(help="Pictures to write.")],
    recipe: Annotated[
        str, typer.Option(help="'gentle', 'seven', or a JSON file: a recipe, or what --json printed.")
    ] = "gentle",
    per_class: Annotated[bool, typer.Option("--per-class", help="Write as many as --count of each class.")] = False,
    balance: Annotated[
        bool, typer.Option("--balance", help="Share --count so that the classes end as even as can be.")
    ] = False,
    split: Annotated[Path | None, typer.Option(help="A workspace of `assay run`: use only what trained there.")] = None,
    format: Annotated[  # noqa: A002 - the word for it
        str, typer.Option(help="'jpg', 'png', or 'same': JPEG for JPEG, PNG for all others.")
    ] = "same",
    quality: Annotated[int, typer.Option(help="Of JPEGs, 1 to 100.")] = 95,
    seed: Seed = 0,
    processes: Processes = None,
    json: Json = False,
) -> None:
    """Write changed copies of pictures, only of training pictures where a split is known, and say what was changed."""
    from ..tasks.augment import augment as work

    result = do(
        work,
        path=path,
        out=out,
        count=count,
        recipe=recipe,
        per_class=per_class,
        balance=balance,
        split=split,
        format=format,
        quality=quality,
        seed=seed,
        processes=processes,
    )
    total = sum(result.written.values())
    lines = [f"{total:,} pictures from {result.sources:,} in {result.seconds:.1f} s"]
    lines += [f"  {name or 'no label'} {n:,}" for name, n in result.written.items()] if len(result.written) > 1 else []
    lines += [f"left out: {', '.join(f'{n:,} {why}' for why, n in result.left_out.items())}"] if result.left_out else []
    lines += result.notes
    lines += listed(result.problems)
    lines += ["", f"pictures  {result.out}", f"table     {result.table}", f"preview   {result.preview}"]
    show(result, lines, as_json=json)
    finish(p.status for p in result.problems)
