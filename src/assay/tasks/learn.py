"""Learn: the main job with a choice of how to learn: a head, a fine-tuned network, or a network from nothing."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from ..errors import InputError
from ..models.tuning import LAYERS, METHODS, Plan
from .run import Run, work

# By trial on the first of five folds of ten textures (DTD): the log loss stops falling there.
_EPOCHS = {"finetune": 6, "cnn": 40}
_RATES = {"finetune": 1e-4, "cnn": 1e-3}


def learn(
    path: str | os.PathLike[str],
    *,
    method: str = "finetune",
    compare: Sequence[str] = (),
    backbone: str = "lite0",
    unfreeze: str = "last-block",
    head: int | None = None,
    dropout: float = 0.5,
    layers: str = LAYERS,
    size: int = 64,
    epochs: int | None = None,
    optimizer: str = "adam",
    learning_rate: float | None = None,
    mixup: float = 0.4,
    views: int = 8,
    labels: str = "folders",
    out: str | os.PathLike[str] | None = None,
    positive: str | None = None,
    specificity: float | None = None,
    cost_fp: float = 1.0,
    cost_fn: float = 1.0,
    prevalence: float | None = None,
    seed: int = 0,
    processes: int | None = None,
    tell: Callable[[str], None] = lambda _: None,
    stop: Callable[[], bool] = lambda: False,
) -> Run:
    """Do the main job with a given way of learning, and say whether it is better than the others.

    Splits, copies, the sealed part, report and model file are those of `run`; only the classifier is another. What is
    frozen runs once for each view of a picture; epochs, folds and later runs read what it gave.

    Args:
        path: the folder, with a folder for each class; it is never written to.
        method: "head" (linear, on frozen features), "finetune" (the last layers learn too) or "cnn" (from nothing).
        compare: other methods to compare with; a head, which costs nothing, always is.
        backbone: "lite0", which comes with assay; or, where timm is installed, "timm:NAME" with the weights that it has
            fetched, or "timm:NAME=FILE" with those of a file.
        unfreeze: how many of the last layers with weights learn, a block of several being one, or "last-block", with
            what follows it. VGG16's last block is 3 layers: the last 4 of Keras, which counts the pool.
        head: width of a dense layer before the last one; none by default.
        dropout: share of what the last layer does not see while it learns, in [0, 1).
        layers: of a cnn, as one line of text.
        size: pixels a side that a cnn sees: 32, 64, 128 or 256.
        epochs: times through the pictures; 6 for finetune, 40 for cnn by default.
        optimizer: "adam", "rmsprop" or "sgd".
        learning_rate: at the beginning; it falls along half a wave. 1e-4 for finetune, 1e-3 for cnn by default.
        mixup: how strongly two pictures are mixed while the network learns; 0 for not at all.
        views: changed views of each picture that are learned from beside it.
        labels: "folders", or a CSV file with the columns file and label.
        out: the workspace; `./<name>.assay` by default.
        positive: of two classes, the one that a flag means; the rarer by default.
        specificity: share of negatives that the cut-off must pass; by default the cut-off has least cost.
        cost_fp: cost of a false alarm.
        cost_fn: cost of a miss, in the same unit.
        prevalence: share of positives where the model will be used; as in the labels by default.
        seed: of the split and of everything random.
        processes: that read pictures, and threads that teach; as many as processors by default.
        tell: shows a line about progress.
        stop: asked now and then; True ends the run, and the next goes on from there.

    Returns:
        As `run`, with a contest for each other method.

    Raises:
        InputError: an argument is not allowed, torch is not installed, or there is nothing to learn from.
        WorkspaceError: the workspace is held, newer, full or cannot be written.
        KeyboardInterrupt: stop said True; everything done so far is kept.
    """
    for name in (method, *compare):
        if name not in METHODS:
            raise InputError(f"--method and --compare must be one of {', '.join(METHODS)}, got {name!r}")
    if labels == "none":
        raise InputError("--labels must be folders or a CSV file to learn from, got 'none'")

    def plan(name: str) -> Plan | None:
        if name == "head":
            return None
        return Plan(
            name,
            backbone=backbone,
            unfreeze=int(unfreeze) if unfreeze.isdecimal() else unfreeze,
            head=head,
            dropout=dropout,
            layers=layers,
            size=size,
            epochs=epochs if epochs is not None else _EPOCHS[name],
            optimizer=optimizer,
            learning_rate=learning_rate if learning_rate is not None else _RATES[name],
            mixup=mixup,
            views=views,
        )

    found = work(
        Path(path),
        labels=labels,
        out=out,
        positive=positive,
        specificity=specificity,
        cost_fp=cost_fp,
        cost_fn=cost_fn,
        prevalence=prevalence,
        tiles=False,
        plans=[plan(name) for name in dict.fromkeys((method, *compare, "head"))],
        seed=seed,
        processes=processes or len(os.sched_getaffinity(0)),
        tell=tell,
        stop=stop,
    )
    if found.model is None:
        raise InputError(f"PATH must hold pictures to learn from, got none of use: {' '.join(found.sentences)}")
    return found
