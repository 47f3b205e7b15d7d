"""Commands on how alike pictures are, and on what can be left out of them."""

from pathlib import Path
from typing import Annotated, Any

import typer

from .terminal import Folder, Json, Processes, app, do, finish, listed, show

_PAIRS = 10  # that are printed

Window = Annotated[str, typer.Option(help="Of SSIM: 'gaussian' (11x11, sigma 1.5) or 'uniform' (7x7).")]
Colour = Annotated[bool, typer.Option("--colour", help="Keep the colours; else pictures are made grey.")]


@app.command(epilog="Example: assay compare first.jpg second.jpg")
def compare(
    paths: Annotated[list[Path], typer.Argument(metavar="A [B]", help="Two pictures, or one folder of pictures.")],
    *,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for table and figures; ./NAME.compared for a folder, none for two pictures."),
    ] = None,
    pairs: Annotated[
        str, typer.Option(help="Of a folder: 'all', or 'nearest', each with the one most like it.")
    ] = "all",
    window: Window = "gaussian",
    colour: Colour = False,
    side: Annotated[int, typer.Option(help="Pixels that the longer side of a folder's pictures is shrunk to.")] = 256,
    processes: Processes = None,
    json: Json = False,
) -> None:
    """Say how alike two pictures are, or each two of a folder: mean squared error, PSNR and SSIM."""
    from ..tasks.compare import compare as work

    result = do(
        work,
        paths=paths,
        out=out,
        pairs=pairs,
        window=window,
        colour=colour,
        side=side,
        processes=processes,
    )
    lines = [result.headline, *result.notes]
    if len(paths) == 1:
        lines += [
            "",
            *(f"  SSIM {p.ssim:6.3f}  MSE {p.mse:9,.1f}  {p.first}  {p.second}" for p in result.pairs[:_PAIRS]),
        ]
        more = len(result.pairs) - _PAIRS
        lines += [f"  and {more:,} more, in the table"] if more > 0 else []
    elif result.pairs[0].ms_ssim is not None:
        lines.append(f"Over five scales, MS-SSIM {result.pairs[0].ms_ssim:.4f}.")
    show(result, [*lines, *_ends(result)], as_json=json)
    finish(p.status for p in result.problems)


def _ends(result: Any) -> list[str]:
    """List what was left out, and what was written."""
    return [*listed(result.problems), *(["", *(f"wrote  {path}" for path in result.written)] if result.written else [])]


@app.command(epilog="Example: assay compress photos/ --components 5,10")
def compress(
    path: Folder,
    *,
    components: Annotated[
        str | None,
        typer.Option(help="How many to keep, such as 10,50,100,300 (these, as far as there are pictures, by default)."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the file, figures and report; ./NAME.compressed by default.")
    ] = None,
    side: Annotated[int, typer.Option(help="Pixels of the longer side that all pictures are brought to.")] = 100,
    colour: Colour = False,
    held_out: Annotated[float, typer.Option(help="Share of pictures that the fit does not see.")] = 0.1,
    seed: Annotated[int, typer.Option(help="Of the choice of pictures that the fit does not see.")] = 0,
    processes: Processes = None,
    json: Json = False,
) -> None:
    """Keep a mean picture and a few principal components, and say how good the pictures come back."""
    from ..tasks.compress import compress as work

    result = do(
        work,
        path=path,
        components=None if components is None else _numbers(components),
        out=out,
        side=side,
        colour=colour,
        held_out=held_out,
        seed=seed,
        processes=processes,
    )
    lines = [
        result.headline,
        *result.notes,
        "",
        "  components  variance  bytes kept  of all  PSNR, dB (not in the fit)",
    ]
    for level in result.levels:
        psnr = level.psnr_new or level.psnr
        said = f"{psnr.value:.1f} [{psnr.low:.1f}, {psnr.high:.1f}]" if psnr else "too few pictures"
        share = level.bytes_kept / level.bytes_raw
        lines.append(f"  {level.components:10,}  {level.variance:8.1%}  {level.bytes_kept:10,}  {share:6.0%}  {said}")
    show(result, [*lines, *_ends(result)], as_json=json)
    finish(p.status for p in result.problems)


@app.command(epilog="Example: assay decompress photos.compressed/pictures.safetensors back/")
def decompress(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A .safetensors file that assay compress wrote.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="A new folder for the pictures.")],
    *,
    components: Annotated[int | None, typer.Option(help="How many to use; all by default.")] = None,
    json: Json = False,
) -> None:
    """Turn a file of assay compress back into pictures."""
    from ..tasks.decompress import decompress as work

    result = do(work, file=file, out=out, components=components)
    lines = [f"{result.pictures:,} pictures of {result.width}x{result.height} from {result.components} components"]
    show(result, [*lines, f"wrote  {result.folder}"], as_json=json)


def _numbers(text: str) -> list[int]:
    try:
        return [int(number) for number in text.split(",")]
    except ValueError as e:
        raise typer.BadParameter(f"must be whole numbers with commas between, got {text!r}") from e
