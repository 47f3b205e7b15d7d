"""Learn: the main job with a choice of how to learn: a head, a fine-tuned network, or a network from nothing."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..models.tuning import METHODS, Plan
from . import options
from .run import Run, work

# What a person may say of each way of learning; all else is as Plan has it.
_LOOP = (
    "epochs", "optimizer", "learning_rate", "schedule", "weight_decay", "batch_size", "patience", "class_weights",
    "mixup", "views",
)  # fmt: skip
SETTINGS = {
    "head": (),
    "finetune": ("backbone", "unfreeze", "head", "dropout", *_LOOP),
    "cnn": ("layers", "size", *_LOOP),
}
# By trial on the first of five folds of ten textures (DTD): the log loss stops falling there.
DEFAULTS: dict[str, dict[str, Any]] = {"finetune": {}, "cnn": {"epochs": 40, "learning_rate": 1e-3}}


def learn(
    path: str | os.PathLike[str],
    *,
    method: str = "finetune",
    compare: Sequence[str] = (),
    backbone: str | None = None,
    unfreeze: int | str | None = None,
    head: int | None = None,
    dropout: float | None = None,
    layers: str | None = None,
    size: int | None = None,
    epochs: int | None = None,
    optimizer: str | None = None,
    learning_rate: float | None = None,
    schedule: str | None = None,
    weight_decay: float | None = None,
    batch_size: int | None = None,
    patience: int | None = None,
    class_weights: str | None = None,
    mixup: float | None = None,
    views: int | None = None,
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
        compare: other methods to compare with; a head, which costs nothing, always is. Each learns by its own defaults
            but for what is said of it, as in "cnn:epochs=30,learning-rate=1e-3".
        backbone: of finetune; "lite0", the default, comes with assay; "lite1" and "lite2" are larger and slower, with
            the extra backbones; where timm is installed, "timm:NAME" has the weights that it has fetched,
            "timm:NAME=FILE" those of a file.
        unfreeze: of finetune; how many of the last layers with weights learn, whole blocks of them, or "last-block",
            the default, with what follows it, or "all". VGG16's last block is 3 layers: the last 4 of Keras, which
            counts the pool.
        head: of finetune; width of a dense layer before the last one; none by default.
        dropout: of finetune; share of what the last layer does not see while it learns, in [0, 1); 0.5 by default.
        layers: of a cnn, as one line of text; `models.tuning.LAYERS` by default.
        size: of a cnn; pixels a side that it sees: 32, 64 (the default), 128 or 256.
        epochs: times through the pictures; 6 for finetune, 40 for cnn by default.
        optimizer: "adam" (the default), "rmsprop" or "sgd".
        learning_rate: at the beginning; 1e-4 for finetune, 1e-3 for cnn by default.
        schedule: "cosine", the default, lets the rate fall along half a wave; "constant" does not.
        weight_decay: how strongly weights are pulled to zero; 0.01 by default.
        batch_size: pictures that are learned from together; 32 by default.
        patience: stop after so many epochs in which the loss on a fifth of the pictures, which are then not learned
            from and judge nothing else, has not fallen; the best epoch is kept. By default all epochs are gone through.
        class_weights: "balanced" lets each class count alike, whatever its size, so that probabilities are as if
            classes were equally frequent; "none" by default.
        mixup: how strongly two pictures are mixed while the network learns, 0 for not at all; 0.4 by default.
        views: changed views of each picture that are learned from beside it; 8 by default.
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
    said = {
        "backbone": backbone,
        "unfreeze": unfreeze,
        "head": head,
        "dropout": dropout,
        "layers": layers,
        "size": size,
        "epochs": epochs,
        "optimizer": optimizer,
        "learning_rate": learning_rate,
        "schedule": schedule,
        "weight_decay": weight_decay,
        "batch_size": batch_size,
        "patience": patience,
        "class_weights": class_weights,
        "mixup": mixup,
        "views": views,
    }
    planned = plans(method, {name: value for name, value in said.items() if value is not None}, compare)
    if labels == "none":
        raise InputError("--labels must be folders or a CSV file to learn from, got 'none'")
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
        plans=list(planned.values()),
        seed=seed,
        processes=processes or len(os.sched_getaffinity(0)),
        tell=tell,
        stop=stop,
    )
    if found.model is None:
        raise InputError(f"PATH must hold pictures to learn from, got none of use: {' '.join(found.sentences)}")
    return found


def plans(method: str, given: Mapping[str, Any], compare: Sequence[str]) -> dict[str, Plan | None]:
    """Plan what is taught: a method with what is given, and others by their own defaults.

    Args:
        method: as `learn` takes it.
        given: settings of the method, by name.
        compare: as `learn` takes it.

    Returns:
        The plan of each method, of a head None; the method first.

    Raises:
        InputError: there is no such method or setting, a method is named twice, or a value is not allowed.

    >>> [(name, plan and plan.epochs) for name, plan in plans("finetune", {}, ["cnn:epochs=30"]).items()]
    [('finetune', 6), ('cnn', 30), ('head', None)]
    """
    _known(method)
    strange = [name for name in given if name not in SETTINGS[method]]
    if strange:
        raise InputError(
            f"options of --method {method} must be {_flags(SETTINGS[method])}, got {_flags(strange[:1])}: what another "
            f"method is to have goes with its name, as in --compare cnn:size=32"
        )
    found = {method: _plan(method, given)}
    for text in compare:
        name, settings = _rival(text)
        if name in found:
            raise InputError(f"--method and --compare must name each method once, got {name} twice")
        found[name] = _plan(name, settings)
    return {**found, "head": None}


def _known(method: str) -> None:
    if method not in METHODS:
        raise InputError(f"--method and --compare must be one of {', '.join(METHODS)}, got {method!r}")


def _flags(names: Sequence[str]) -> str:
    return ", ".join(f"--{name.replace('_', '-')}" for name in names) or "none"


def _rival(text: str) -> tuple[str, dict[str, Any]]:
    """Read a method with its settings."""
    name, _, rest = text.partition(":")
    name = name.strip()
    _known(name)
    kinds = {field.name: str(field.type) for field in fields(Plan)}
    return name, options.read(name, rest, kinds={setting: kinds[setting] for setting in SETTINGS[name]})


def _plan(method: str, settings: Mapping[str, Any]) -> Plan | None:
    """Make the plan of a method; a head on features needs none."""
    if method == "head":
        return None
    whole = {**DEFAULTS[method], **settings}
    if isinstance(whole.get("unfreeze"), str):
        whole["unfreeze"] = options.number_or_word(whole["unfreeze"])
    return Plan(method, **whole)
