"""The model file of a rater: the same zip of JSON and safetensors as a classifier's, its card's kind is "rating"."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputError
from . import saved
from .graph import Graph
from .ratings import NETWORK, Kind, Rater

KIND = "rating"
FORMAT, TAILED = 3, 4  # of a rater of features; of one behind a network. Neither is one that an older assay knows


@dataclass(frozen=True, slots=True)
class RatingModel:
    """A rater and its card: plain JSON values such as backbone, features, metrics as estimates, versions, seed.

    tail: the part of a network that was taught, whose result the rater looks at, or None.
    """

    rater: Rater
    card: dict[str, Any]
    tail: Graph | None = None


def pack(model: RatingModel) -> bytes:
    """Write a model.

    Args:
        model: to write.

    Returns:
        The bytes of a `.assay` file, the same for the same model.
    """
    rater = model.rater
    card = {
        "format": FORMAT if model.tail is None else TAILED,
        "kind": KIND,
        "scale": rater.scale.tolist(),
        "blocks": list(rater.kind.blocks),
        "width": rater.kind.width,
        "penalty": rater.penalty,
        "stretch": rater.stretch,
        "middle": rater.middle,
        **model.card,
    }
    arrays = {
        "rater.centre": rater.centre,
        "rater.spread": np.where(
            np.isfinite(rater.spread), rater.spread, 0
        ),  # 0 stands for a feature that never varies
        "rater.landmarks": rater.landmarks,
        "rater.weight": rater.weight,
        "rater.bias": rater.bias,
    }
    return saved.archive(card, arrays, tail=model.tail)


def unpack(path: Path) -> RatingModel:
    """Read a model.

    Args:
        path: a `.assay` file.

    Returns:
        The model, its arrays finite and of shapes that fit each other.

    Raises:
        InputError: the file is no model, is broken, was written by a newer version, or holds a classifier.
    """
    card, arrays = saved.opened(path)
    if card.get("kind") != KIND:
        raise InputError(
            f"MODEL must be one that assay rate --train wrote, got a classifier in {path}: label pictures with "
            "`assay predict MODEL PATH`"
        )
    if card.get("format") not in (FORMAT, TAILED):
        raise InputError(f"MODEL must be of format {FORMAT} or {TAILED}, got {card.get('format')!r} in {path}")
    try:
        rater = _rater(card, arrays)
        tailed = card["format"] == TAILED
        if tailed == bool(set(rater.kind.blocks) - {NETWORK}) or (tailed and rater.kind.width):
            raise InputError(f"a network must be looked at by a line of its own, got {rater.kind}")
        return RatingModel(rater, card, saved.unpacked_tail(card, arrays, rater.weight) if tailed else None)
    except (KeyError, TypeError, ValueError) as e:
        raise InputError(f"MODEL must hold a rater that fits its scale, got {path}: {e}") from e


def _rater(card: dict[str, Any], arrays: dict[str, np.ndarray]) -> Rater:
    names = ("centre", "spread", "landmarks", "weight", "bias")
    centre, spread, landmarks, weight, bias = (arrays[f"rater.{name}"].astype(np.float32) for name in names)
    scale = np.array(card["scale"], float)
    numbers = [float(card[name]) for name in ("width", "penalty", "stretch", "middle")]
    width, penalty, stretch, middle = numbers
    blocks = tuple(card["blocks"])
    if scale.ndim != 1 or len(scale) < 2 or not np.isfinite(scale).all() or (np.diff(scale) <= 0).any():
        raise InputError(f"the scale must rise, got {card['scale']!r:.80}")
    if not blocks or not all(isinstance(name, str) for name in blocks):
        raise InputError(f"blocks must be names, got {blocks!r:.80}")
    if not all(math.isfinite(x) for x in numbers) or width < 0 or stretch < 1:
        raise InputError(f"width must be >= 0 and stretch >= 1, got {width!r} and {stretch!r}")
    d, k = len(centre), len(scale)
    inside = len(landmarks) if width else d
    if centre.ndim != 1 or spread.shape != (d,) or landmarks.ndim != 2 or landmarks.shape[1] != d:
        raise InputError(
            f"centre, spread and landmarks must fit, got {centre.shape}, {spread.shape}, {landmarks.shape}"
        )
    if weight.shape != (k, inside) or bias.shape != (k,) or (spread < 0).any():
        raise InputError(f"weight and bias must fit {k} steps and {inside} numbers, got {weight.shape}, {bias.shape}")
    spread = np.where(spread > 0, spread, np.inf).astype(np.float32)
    return Rater(scale, Kind(blocks, width), centre, spread, landmarks, weight, bias, penalty, stretch, middle)
