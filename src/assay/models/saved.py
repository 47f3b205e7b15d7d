"""The model file: one zip of JSON and safetensors that holds a classifier and everything needed to trust it.

No pickle is written or read, and nothing in a file is believed before it was checked. A network that was taught is
kept as a list of steps and plain arrays rather than in the format of an engine: each step and shape is checked, and no
reader of XML or protocol buffers ever sees what came from a stranger.
"""

import io
import json
import math
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from ..errors import InputError
from . import graph
from .abstain import Novelty
from .graph import Graph
from .heads import Head

FORMAT, TAILED = 1, 2  # of a head on the backbone's features; of a network, which an older assay would not understand
_CARD, _WEIGHTS = "model.json", "weights.safetensors"
_LARGEST = 256 << 20  # bytes of one entry, unpacked: a head of 1,000 classes on 2,560 features has 10 MB
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the same model gives the same bytes, whenever it is written


@dataclass(frozen=True, slots=True)
class Model:
    """A classifier, its "none of these" rule, and its card.

    head: on the features of the backbone, or on what the tail gives; card: plain JSON values: backbone, views, cut-off,
    metrics as estimates, prevalence, splits, versions, seed; tail: the part of a network that was taught, or None. The
    rule looks at the features of the backbone in either case.
    """

    head: Head
    novelty: Novelty | None
    card: dict[str, Any]
    tail: Graph | None = None


def pack(model: Model) -> bytes:
    """Write a model.

    Args:
        model: to write.

    Returns:
        The bytes of a `.assay` file, the same for the same model.
    """
    head = model.head
    arrays = {"head.weight": head.weight, "head.bias": head.bias}
    if model.novelty is not None:
        arrays |= {f"novelty.{name}": array for name, array in model.novelty.arrays().items()}
    card = {"format": FORMAT, "classes": list(head.classes), "temperature": head.temperature, "c": head.c, **model.card}
    if model.tail is not None:
        card |= {"format": TAILED}
    return archive(card, arrays, tail=model.tail)


def archive(card: dict[str, Any], arrays: dict[str, np.ndarray], *, tail: Graph | None = None) -> bytes:
    """Write a card and arrays as a model file, whatever the kind of model.

    Args:
        card: plain JSON values.
        arrays: by name.
        tail: the part of a network that was taught, or None.

    Returns:
        The bytes of a `.assay` file, the same for the same content.
    """
    if tail is not None:
        card = card | {"tail": graph.as_plain(tail)}
        arrays = arrays | {f"tail.{name}": array for name, array in tail.weights.items()}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        text = json.dumps(card, indent=1, sort_keys=True, ensure_ascii=True, allow_nan=False)
        for name, data in (
            (_CARD, text.encode()),
            (_WEIGHTS, save({k: np.array(v, order="C") for k, v in arrays.items()})),
        ):
            file.writestr(zipfile.ZipInfo(name, _EPOCH), data, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def unpack(path: Path) -> Model:
    """Read a model.

    Args:
        path: a `.assay` file.

    Returns:
        The model, its arrays finite and of shapes that fit each other.

    Raises:
        InputError: the file is no model, is broken, or was written by a newer version.
    """
    card, arrays = opened(path)
    if card.get("kind") == "rating":
        raise InputError(
            f"MODEL must be a classifier, got one that rates, {path}: rate pictures with `assay rate FOLDER "
            f"--model MODEL`"
        )
    if card.get("format") not in (FORMAT, TAILED):
        raise InputError(
            f"MODEL must be of format {FORMAT} or {TAILED}, got {card.get('format')!r} in {path}: use the assay "
            f"that wrote it"
        )
    try:
        head = _head(card, arrays)
        parts = {k.removeprefix("novelty."): v for k, v in arrays.items() if k.startswith("novelty.")}
        novelty = Novelty.from_arrays(parts) if parts else None
        tail = unpacked_tail(card, arrays, head.weight) if card["format"] == TAILED else None
        if novelty is not None:
            width = head.weight.shape[1] if tail is None else novelty.centres.shape[-1]
            novelty.score(np.zeros((1, width), np.float32))  # fails where its arrays do not fit
        _check_cutoff(card.get("cutoff"), head.classes)
    except (KeyError, TypeError, ValueError, IndexError) as e:
        raise InputError(f"MODEL must hold a head that fits its classes, got {path}: {e}") from e
    return Model(head, novelty, card, tail)


def opened(path: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Read card and arrays of a model file, whatever the kind of model.

    Args:
        path: a `.assay` file.

    Returns:
        The card, and arrays of finite numbers by name.

    Raises:
        InputError: the file is no model, or is broken.
    """
    try:
        with zipfile.ZipFile(path) as file:
            card = json.loads(_entry(file, _CARD))
            arrays = load(_entry(file, _WEIGHTS))
    except (
        OSError,
        EOFError,
        zipfile.BadZipFile,
        zlib.error,
        KeyError,
        ValueError,
        TypeError,
        RuntimeError,  # too deep, encrypted, or packed in a way that zipfile does not know
        SafetensorError,
    ) as e:
        raise InputError(f"MODEL must be a file that assay wrote, got {path}: {e}") from e
    if not isinstance(card, dict):
        raise InputError(f"MODEL must be a file that assay wrote, got a card of {type(card).__name__} in {path}")
    for name, array in arrays.items():
        if array.dtype.kind not in "fiu" or not np.isfinite(array).all():
            raise InputError(f"a model's arrays must be finite numbers, got {name} of {array.dtype} in {path}")
    return card, arrays


def _entry(archive: zipfile.ZipFile, name: str) -> bytes:
    entry = archive.getinfo(name)
    if entry.file_size > _LARGEST:
        raise InputError(f"{name} must be {_LARGEST:,} bytes at most, got {entry.file_size:,}")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise InputError(f"{name} must be stored or deflated, got compression {entry.compress_type}")
    with archive.open(name) as file:
        return file.read(_LARGEST)


def _check_cutoff(cutoff: Any, classes: tuple[str, ...]) -> None:
    if cutoff is not None and not (
        isinstance(cutoff, dict)
        and cutoff.get("positive") in classes
        and isinstance(cutoff.get("threshold"), float)
        and math.isfinite(cutoff["threshold"])
    ):
        raise InputError(f"cutoff must name a class and a threshold, got {cutoff!r}")


def unpacked_tail(card: dict[str, Any], arrays: dict[str, np.ndarray], weight: np.ndarray) -> Graph:
    """Make the network that a file holds, checked step by step.

    Args:
        card: of the file.
        arrays: of the file.
        weight: (k, d), of what stands behind the network.

    Returns:
        A graph that gives d numbers.

    Raises:
        InputError: it is no network that may be computed, or gives something else.
    """
    own = {name.removeprefix("tail."): array for name, array in arrays.items() if name.startswith("tail.")}
    tail = graph.from_plain(card.get("tail"), own)
    last = graph.shapes(tail)[tail.output]
    if last != weight.shape[1:]:
        raise InputError(f"the head must fit what the network gives, got {weight.shape} behind {last}")
    return tail


def _head(card: dict[str, Any], arrays: dict[str, np.ndarray]) -> Head:
    classes = tuple(card["classes"])
    weight, bias = arrays["head.weight"].astype(np.float32), arrays["head.bias"].astype(np.float32)
    temperature, c = float(card["temperature"]), float(card["c"])
    if len(classes) < 2 or len(set(classes)) < len(classes) or not all(isinstance(name, str) for name in classes):
        raise InputError(f"classes must be 2 or more different names, got {classes!r}")
    if weight.ndim != 2 or weight.shape[0] != len(classes) or bias.shape != (len(classes),):
        raise InputError(f"weight and bias must fit {len(classes)} classes, got {weight.shape} and {bias.shape}")
    if not (math.isfinite(temperature) and temperature > 0):
        raise InputError(f"temperature must be above 0, got {temperature!r}")
    return Head(classes, weight, bias, temperature, c)
