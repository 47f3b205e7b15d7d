"""The command that takes the noise out of a picture of black and white."""

from pathlib import Path
from typing import Annotated

import typer

from .terminal import Json, app, do, show


@app.command(epilog="Example: assay denoise noisy.png clean.png --method gibbs")
def denoise(
    path: Annotated[Path, typer.Argument(metavar="IN", help="A noisy picture of black and white.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The file to write; its suffix is the format.")],
    *,
    method: Annotated[
        str,
        typer.Option(
            help="'gibbs': white is what is white with chance over one half; 'exact': the most probable picture."
        ),
    ] = "gibbs",
    coupling: Annotated[
        float | None, typer.Option(help="Of neighbours, 0 to 40; found from the noisy picture by default.")
    ] = None,
    sigma: Annotated[
        float | None,
        typer.Option(help="Of the noise, black being -1 and white +1; found from the noisy picture by default."),
    ] = None,
    reach: Annotated[
        int, typer.Option(help="Distances along rows and columns that may be coupled where that is found, 1 to 3.")
    ] = 3,
    threshold: Annotated[
        float | None, typer.Option(help="Grey level above which a pixel is white, for a picture of more levels.")
    ] = None,
    levels: Annotated[
        str | None, typer.Option(help="BLACK,WHITE: use greys as they are, with these levels and Gaussian noise.")
    ] = None,
    sweeps: Annotated[int, typer.Option(help="Sweeps that count, of each of 4 chains.")] = 1000,
    burn_in: Annotated[int, typer.Option(help="Sweeps before those.")] = 250,
    figure: Annotated[Path | None, typer.Option(help="File for the figure; beside OUT by default.")] = None,
    seed: Annotated[int, typer.Option(help="Of the chains.")] = 0,
    json: Json = False,
) -> None:
    """Take the noise out of a picture of black and white, and say how sure that is."""
    from ..tasks.denoise import denoise as work

    result = do(
        work,
        path=path,
        out=out,
        method=method,
        coupling=coupling,
        sigma=sigma,
        reach=reach,
        threshold=threshold,
        levels=None if levels is None else _pair(levels),
        sweeps=sweeps,
        burn_in=burn_in,
        figure=figure,
        seed=seed,
    )
    noise = f"sigma {result.sigma:.3g}"
    noise += f" ({result.flipped:.1%} of pixels flipped)" if result.flipped is not None else ""
    couplings = ", ".join(f"{c:.3g}" for c in result.couplings)
    lines = [
        result.headline,
        f"coupling {couplings}; {noise}{'; found from the noisy picture' if result.estimated else ''}",
        *([f"warning: {result.warning}"] if result.warning else []),
        "",
        f"picture  {result.out}",
        f"figure   {result.figure}",
    ]
    show(result, lines, as_json=json)


def _pair(text: str) -> tuple[float, float]:
    try:
        black, white = (float(part) for part in text.split(","))
    except ValueError as e:
        raise typer.BadParameter(f"--levels must be BLACK,WHITE such as 40,210, got {text!r}") from e
    return black, white
