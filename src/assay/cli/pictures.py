"""Commands on single pictures: describe one, filter one or a folder of them."""

from pathlib import Path
from typing import Annotated

import typer

from .terminal import Json, Processes, app, do, show

Figure = Annotated[Path | None, typer.Option(help="Draw into this PNG file.")]
Replace = Annotated[bool, typer.Option("--replace", help="Write over files that are there.")]


@app.command(epilog="Example: assay describe photo.jpg --figure photo-channels.png")
def describe(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="A picture, or a .assay file; it is never written to.")],
    *,
    pixel: Annotated[tuple[int, int] | None, typer.Option(help="Row and column to tell the channels of.")] = None,
    figure: Figure = None,
    replace: Replace = False,
    json: Json = False,
) -> None:
    """Say what a picture is: type, shape, size, one pixel, noise, figure of its channels; or print a model's card."""
    from ..tasks.describe import describe as work

    if path.suffix == ".assay":
        card(path, json=json)
        return
    result = do(work, path=path, pixel=pixel, figure=figure, replace=replace)
    digits = 0 if result.type == "uint8" else 4
    row, column = result.pixel
    rows = [
        ("file", f"{result.file}: {result.format}, {result.mode}"),
        ("type", f"{result.type}, {'0 to 255' if result.type == 'uint8' else '0 to 1'}"),
        ("shape", f"{result.shape}"),
        ("height", f"{result.height:,} pixels"),
        ("width", f"{result.width:,} pixels"),
        ("dimensions", f"{result.dimensions}"),
        ("size", f"{result.size:,} numbers"),
        ("least", f"{result.least:.{digits}f}"),
        ("greatest", f"{result.greatest:.{digits}f}"),
        *(
            (name, f"mean {mean:.{digits + 1}f}, standard deviation {deviation:.{digits + 1}f}")
            for name, mean, deviation in zip(result.channels, result.means, result.deviations, strict=True)
        ),
        (
            f"pixel [{row}, {column}]",
            ", ".join(f"{c} {v:.{digits}f}" for c, v in zip(result.channels, result.values, strict=True)),
        ),
    ]
    if result.noise_sigma is not None:
        rows.append(("noise", f"white noise of about {result.noise_sigma:.1f} grey levels (of 255)"))
        rows.append(("impulses", f"{result.impulses:.2%} of the pixels look like salt and pepper"))
    rows += [("note", note) for note in result.notes]
    rows += [("figure", result.figure)] if result.figure else []
    show(result, [f"{name:16}{value}" for name, value in rows], as_json=json)


def card(path: Path, *, json: bool) -> None:
    """Print the card of a model.

    Args:
        path: a .assay file.
        json: as one JSON object.
    """
    from ..tasks.card import RatingCard
    from ..tasks.card import card as work

    result = do(lambda tell, stop: work(path))  # noqa: ARG005 - there is nothing to wait for
    if isinstance(result, RatingCard):
        steps = result.scale
        rows = [
            ("model", f"{result.file}: {result.bytes / 1e6:,.1f} MB"),
            ("rates", f"{len(steps)} steps, {steps[0]:g} to {steps[-1]:g}; good from {result.middle:g} on"),
            ("looks at", result.looks_at),
            *((name, f"{e.value:.3f}  {e.low:.3f} to {e.high:.3f}") for name, e in result.figures.items()),
            ("on", f"{result.pictures or 0:,} pictures, each while it was not learned from"),
            *([("compared", result.contest)] if result.contest else []),
            *((name.replace("_", " "), value) for name, value in result.made.items()),
        ]
        show(result, [f"{name:24}{value}" for name, value in rows], as_json=json)
        return
    rows = [
        ("model", f"{result.file}: {result.bytes / 1e6:,.1f} MB"),
        ("classes", ", ".join(result.classes)),
        ("learned", f"{result.method}: {result.learned}"),
        *((name, f"{e.value:.3f}  {e.low:.3f} to {e.high:.3f}") for name, e in result.figures.items()),
        ("on", f"{result.sealed_pictures:,} sealed pictures" if result.sealed_pictures else "no sealed pictures"),
        ("sealed part", f"has judged {result.reads or 1} model{'s' if (result.reads or 1) > 1 else ''}"),
        *((f"{name} (cv)", f"{e.value:.3f}  {e.low:.3f} to {e.high:.3f}") for name, e in result.repeated.items()),
        *((part, f"{count:,} pictures") for part, count in result.parts.items()),
    ]
    if result.cutoff is not None:
        positive, threshold, rule = result.cutoff
        rows.append(("a flag", f"means {positive}, from a probability of {threshold:.3f} on: {rule}"))
    known = f"is to be said of {result.refuses:.0%} of pictures of known kinds" if result.refuses else "is never said"
    if result.refused is not None:
        e = result.refused
        known += f"; of the sealed ones it was of {e.value:.3f}  {e.low:.3f} to {e.high:.3f}"
    rows.append(("none of these", known))
    rows += [("compared", words) for words in result.contests]
    rows += [(name.replace("_", " "), value) for name, value in result.made.items()]
    show(result, [f"{name:24}{value}" for name, value in rows], as_json=json)


@app.command(epilog="Example: assay filter photos/ filtered/ --filter median:size=5 --filter unsharp:percent=80")
def filter(  # noqa: A001 - the verb
    path: Annotated[Path, typer.Argument(metavar="IN", help="A picture, or a folder; it is never written to.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="A file for a picture, a folder for a folder.")],
    *,
    filters: Annotated[
        list[str],
        typer.Option(
            "--filter",
            metavar="NAME[:OPTION=VALUE,...]",
            help="What to do; several, one after the other: mean:size=9  gaussian:sigma=2  median:size=9"
            "  conservative:size=5,border=cut  crimmins:iterations=1  laplacian:neighbours=8"
            "  laplacian_of_gaussian:sigma=1.4"
            "  unsharp:radius=2,percent=150,threshold=3  lowpass:radius=30,kind=gaussian  highpass:radius=30"
            "  bilateral:sigma=3,sigma_levels=25  nonlocal_means:strength=10  tv:weight=0.1"
            "  dct:sigma=12  despike:tolerance=0."
            "  Colour is filtered in RGB; space=hsv or space=lab at need.",
        ),
    ],
    figure: Figure = None,
    replace: Replace = False,
    quality: Annotated[int, typer.Option(help="Of JPEG and WebP, 1 to 100.")] = 95,
    processes: Processes = None,
    json: Json = False,
) -> None:
    """Filter a picture or every picture of a folder, and write the results elsewhere."""
    from ..tasks.filter import filter as work

    result = do(
        work,
        path=path,
        out=out,
        filters=filters,
        figure=figure,
        replace=replace,
        quality=quality,
        processes=processes,
    )
    lines = [f"{result.written:,} written to {result.out} in {result.seconds:.1f} s"]
    lines += [f"  {step}" for step in result.steps]
    lines += [f"  not filtered  {p.path}: {p.reason}" for p in result.problems[:20]]
    lines += [f"  and {len(result.problems) - 20:,} more; --json lists them all"] if len(result.problems) > 20 else []
    lines += [f"figure {result.figure}"] if result.figure else []
    show(result, lines, as_json=json)
    raise typer.Exit(1 if result.problems else 0)
