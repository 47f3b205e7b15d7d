"""Learners on disk: one safetensors file with the weights and, as JSON in its header, everything else. No pickle."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from ..errors import InputError

FORMAT = 1
_LARGEST = 256 << 20  # bytes of a file


def pack(kind: str, card: dict[str, Any], arrays: dict[str, np.ndarray]) -> bytes:
    """Write a learner.

    Args:
        kind: of learner.
        card: plain JSON values.
        arrays: what it has learned.

    Returns:
        The bytes of a safetensors file, the same for the same learner.
    """
    text = json.dumps({"format": FORMAT, "kind": kind, **card}, sort_keys=True, allow_nan=False)
    return save({name: np.array(array, order="C") for name, array in arrays.items()}, {"assay": text})


def read(path: str | os.PathLike[str], kind: str) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Read a learner.

    Args:
        path: a file that was written with `pack`.
        kind: of learner that it must be.

    Returns:
        Its card, and its arrays, all finite.

    Raises:
        InputError: the file is none, is broken, is of another kind, or was written by another version.
    """
    try:
        if Path(path).stat().st_size > _LARGEST:
            raise InputError(f"a saved learner must be {_LARGEST:,} bytes at most, got more in {path}")
        with safe_open(path, "np") as file:
            card = json.loads((file.metadata() or {})["assay"])
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
        written, found = card["format"], card["kind"]
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, RecursionError) as e:
        raise InputError(f"a saved learner must be a file that assay wrote, got {path}: {e}") from e
    if written != FORMAT:
        raise InputError(
            f"a saved learner must be of format {FORMAT}, got {written!r} in {path}: use the assay that wrote it"
        )
    if found != kind:
        raise InputError(f"a saved learner must be of kind {kind}, got {found!r} in {path}")
    for name, array in arrays.items():
        if array.dtype.kind != "f" or not np.isfinite(array).all():
            raise InputError(f"a learner's arrays must be finite numbers, got {name} of {array.dtype} in {path}")
    return card, arrays
