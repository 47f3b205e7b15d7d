"""Look: a model and a picture in; what each layer makes of the picture, and what in it spoke for the answer, out."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import softmax

from ..data import folder, rows
from ..errors import InputError
from ..models import backbone, differentiable, network
from ..models.inside import Inside, look_inside
from ..report import networks, record
from ..workers.clock import Clock
from . import looking, predict

IMAGENET = "imagenet"
ANSWER, MAPS, KERNELS, DENSE = "answer.png", "maps.png", "kernels.png", "dense.png"
_NAMED = 5  # classes whose probability is told


@dataclass(frozen=True, slots=True)
class Layer:
    """What a layer made of the picture: so many maps of height x width."""

    name: str
    maps: int
    height: int
    width: int


@dataclass(frozen=True, slots=True)
class Look:
    """What went on in a model that looked at a picture.

    probabilities: of the likeliest classes; explained: the class that Grad-CAM and the covered pictures speak of;
    fall: the most by which its probability falls where a square of `cover` pixels a side covers the picture, and row
    and column of that place; layers: that made maps; notes: how it was done; written: the figures.
    """

    headline: str
    label: str
    probabilities: dict[str, float]
    explained: str
    cover: int
    fall: float
    place: tuple[int, int]
    layers: list[Layer]
    notes: list[str]
    written: list[str]
    seconds: float

    def _repr_html_(self) -> str:
        return record.as_html(self)


def look(
    model: str | os.PathLike[str],
    picture: str | os.PathLike[str],
    *,
    label: str | None = None,
    cover: int | None = None,
    out: str | os.PathLike[str] | None = None,
    tell: Callable[[str], None] = lambda _: None,
    stop: Callable[[], bool] = lambda: False,
) -> Look:
    """Look inside a model while it looks at a picture.

    Args:
        model: a `.assay` file, or "imagenet" for the network that comes with assay and its 1000 classes.
        picture: a file.
        label: the class to explain; the likeliest by default.
        cover: pixels a side, of 256, of the square that is moved over the picture; 64 by default.
        out: folder for the figures; `./<name of the picture>.looked` by default.
        tell: shows a line about progress.
        stop: asked between steps; True ends the work.

    Returns:
        What was seen, and where the figures are.

    Raises:
        InputError: the model or the picture cannot be read, the label is none of the model's, the model looks at tiles,
            or torch is not installed.
        KeyboardInterrupt: stop said True.
    """
    began, path = time.monotonic(), Path(picture)
    network.torch()
    module, classes = _load(model)
    if label is not None and label not in classes:
        raise InputError(f"--label must be one of {_some(classes)}, got {label!r}")
    image = _view(path)
    place = looking.out_folder(path.with_suffix(""), out, ending="looked")
    clock = Clock({"looking": 3.0, "drawing": 4.0}, tell=tell)
    clock.begin("looking", 1)
    seen = look_inside(module, image, target=None if label is None else classes.index(label), cover=cover)
    if stop():
        raise KeyboardInterrupt
    clock.begin("drawing", 1)
    chances = softmax(seen.logits.astype(float))
    best = [(classes[i], float(chances[i])) for i in np.argsort(-chances, kind="stable")[:_NAMED]]
    written = []
    for name, drawn in _figures(seen, best, classes).items():
        looking.write(place / name, drawn)
        written.append(str(place / name))
    clock.finish()
    explained = classes[seen.target]
    row, column = (int(i) for i in np.unravel_index(seen.occlusion.argmax(), seen.occlusion.shape))
    fall = float(seen.occlusion.max())
    return Look(
        f"{best[0][0]}, {best[0][1]:.2f}",
        best[0][0],
        dict(best),
        explained,
        seen.cover,
        fall,
        (row, column),
        [Layer(m.name, *m.values.shape) for m in seen.maps],
        [
            f"The network sees {image.shape[1]} x {image.shape[0]} pixels; rows and columns are counted in these.",
            f"Grad-CAM is read from the {seen.maps[-1].values.shape[0]:,} maps of layer {seen.layer!r}.",
            f"{explained} falls most where row {row}, column {column} is covered: by {fall:.2f}.",
            "Both tell what the network used, not what it should have used.",
        ],
        written,
        time.monotonic() - began,
    )


def _load(model: str | os.PathLike[str]) -> tuple[Any, tuple[str, ...]]:
    """Return a network that gives logits, and the names of its classes."""
    if os.fspath(model) == IMAGENET:
        return network.lite(), backbone.class_names()
    loaded = predict.load(model)
    return differentiable.rebuild(loaded), loaded.head.classes


def _view(path: Path) -> np.ndarray:
    """Return the picture as networks see it, uint8 (256, 256, 3)."""
    try:
        status = path.stat()
    except OSError as e:
        raise InputError(f"PICTURE must be a file that can be read, got {e}") from e
    file = folder.File(os.fsencode(path.name), status.st_size, status.st_mtime_ns)
    found = rows.read(file, root=path.parent, size=backbone.SIZE)
    if found.views is None:
        raise InputError(f"PICTURE must be one that assay reads, got {found.columns['reason']}, in {path}")
    return np.asarray(found.views[0])


def _figures(seen: Inside, best: list[tuple[str, float]], classes: tuple[str, ...]) -> dict[str, bytes]:
    """Draw what was seen."""
    last = seen.dense[-1]
    return {
        ANSWER: networks.answer(
            seen.image, seen.gradcam, seen.occlusion, best, target=classes[seen.target], cover=seen.cover
        ),
        MAPS: networks.maps([(m.name, m.values) for m in seen.maps]),
        KERNELS: networks.kernels(seen.kernels.weight),
        DENSE: networks.dense(f"weights of layer {last.name!r}", last.weight, outputs=classes),
    }


def _some(classes: tuple[str, ...]) -> str:
    """List classes, or the first of many."""
    return ", ".join(classes[:10]) + (f" and {len(classes) - 10:,} more" if len(classes) > 10 else "")
