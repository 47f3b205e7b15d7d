"""The command that restores pictures, and learns to."""

from pathlib import Path
from typing import Annotated

import typer

from .terminal import Json, Processes, Seed, app, do, show

_ROWS = 20  # pictures that are printed


@app.command(epilog="Example: assay restore noisy.png better.png")
def restore(
    path: Annotated[
        Path | None, typer.Argument(metavar="IN", help="A picture, or a folder of pictures; it is never written to.")
    ] = None,
    out: Annotated[
        Path | None, typer.Argument(metavar="OUT", help="The restored picture, or a folder for the restored ones.")
    ] = None,
    *,
    model: Annotated[
        Path | None, typer.Option(help="A restorer that --train has written; the one that comes with assay by default.")
    ] = None,
    figure: Annotated[Path | None, typer.Option(help="A PNG to draw, with pictures before and after.")] = None,
    train: Annotated[
        Path | None,
        typer.Option(help="Learn from a folder of clean pictures instead, and write the restorer to --model."),
    ] = None,
    episodes: Annotated[int | None, typer.Option(help="Damaged parts to learn from; 6,000 by default.")] = None,
    seed: Seed = 0,
    processes: Processes = None,
    json: Json = False,
) -> None:
    """Make noisy, spotted, blurred or blocky pictures better by a chain of plain filters, chosen for each."""
    from ..tasks import restore as tasks

    if train is not None:
        place = model if model is not None else Path(f"{train.resolve().name or 'pictures'}.safetensors")
        learned = do(tasks.train, path=train, out=place, episodes=episodes, seed=seed, processes=processes)
        show(learned, [learned.headline, f"restorer  {learned.model}"], as_json=json)
        return
    if path is None or out is None:
        raise typer.BadParameter("IN and OUT must be given, or --train FOLDER")
    result = do(tasks.restore, path=path, out=out, model=model, figure=figure, processes=processes)
    lines = [result.headline]
    if len(result.rows) > 1:
        lines += [
            f"  {r.file}: {r.words if r.status == 'ok' else f'{r.status}: {r.reason}'}" for r in result.rows[:_ROWS]
        ]
        more = len(result.rows) - _ROWS
        lines += [f"  and {more:,} more; --json lists them all"] if more > 0 else []
    show(result, [*lines, *([f"figure  {result.figure}"] if result.figure else [])], as_json=json)
    raise typer.Exit(1 if any(row.status not in ("ok", "refused") for row in result.rows) else 0)
