"""Commands on networks: what goes on inside."""

from pathlib import Path
from typing import Annotated

import typer

from .terminal import Json, app, do, show


@app.command(epilog="Example: assay look imagenet photo.jpg")
def look(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="A .assay file, or 'imagenet': the network that comes with assay.")
    ],
    picture: Annotated[Path, typer.Argument(metavar="PICTURE", help="A picture.")],
    *,
    label: Annotated[str | None, typer.Option(help="The class to explain; the likeliest by default.")] = None,
    cover: Annotated[
        int | None, typer.Option(help="Pixels a side, of 256, of the square moved over the picture; 64 by default.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the figures; ./NAME.looked by default.")] = None,
    json: Json = False,
) -> None:
    """Look inside a model while it looks at a picture: maps, weights, and what spoke for the answer (needs torch)."""
    from ..tasks.look import look as work

    result = do(work, model=model, picture=picture, label=label, cover=cover, out=out)
    lines = [*(f"{p:7.2f}  {name}" for name, p in result.probabilities.items()), "", *result.notes, ""]
    lines += [f"  {layer.name}: {layer.maps:,} maps of {layer.width} x {layer.height}" for layer in result.layers]
    show(result, [*lines, "", *(f"wrote  {path}" for path in result.written)], as_json=json)
