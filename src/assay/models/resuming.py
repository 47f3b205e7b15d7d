"""What an epoch of training leaves behind, as bytes and back: a training that was killed goes on from there."""

import json
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from ..errors import InputError

FORMAT = 1


class Kept(Protocol):
    """A place that keeps bytes, whole or not at all, such as `data.delivery.Kept`."""

    def read(self) -> bytes | None:
        """Return what was written last, or None."""

    def write(self, data: bytes) -> None:
        """Put bytes in the place of those before.

        Args:
            data: to keep.
        """


@dataclass(frozen=True, slots=True)
class Left:
    """What an epoch leaves behind; its randomness is not among it, for that is a function of the seed.

    training: tells this training from others; epochs: plain JSON values of each; now, best: weights after the last
    epoch and after the best, by name; optimizer: what it remembers of each weight that learns, by place and name.
    """

    training: str
    epochs: list[dict[str, Any]]
    now: dict[str, np.ndarray]
    best: dict[str, np.ndarray]
    optimizer: dict[int, dict[str, np.ndarray]]


def pack(left: Left) -> bytes:
    """Write what an epoch leaves behind.

    Args:
        left: to write.

    Returns:
        A safetensors file.
    """
    found = {f"now.{name}": array for name, array in left.now.items()}
    if left.best is not left.now:
        found |= {f"best.{name}": array for name, array in left.best.items()}
    for i, state in left.optimizer.items():
        found |= {f"optimizer.{i}.{name}": array for name, array in state.items()}
    notes = {"format": FORMAT, "training": left.training, "epochs": left.epochs}
    # safetensors writes the memory as it lies: an array in another order would come back as another one.
    return save({name: np.array(array, order="C") for name, array in found.items()}, {"assay": json.dumps(notes)})


def unpack(data: bytes, *, training: str) -> Left:
    """Read what an epoch left behind.

    Args:
        data: from `pack`.
        training: which one goes on.

    Returns:
        What was written.

    Raises:
        InputError: the bytes are broken, of another format, or of another training.
    """
    try:
        arrays = load(data)
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
        notes = json.loads(header["__metadata__"]["assay"])
        written = notes["format"], notes["training"]
        epochs = list(notes["epochs"])
    except (SafetensorError, ValueError, KeyError, TypeError) as e:
        raise InputError(f"checkpoint must be one that a training kept, got {e!r}: remove it to begin anew") from e
    if written != (FORMAT, training):
        raise InputError(
            "checkpoint must be of this training, got one of other examples, settings or first weights:"
            " undo the change, or remove it to begin anew"
        )
    parts: dict[str, dict[str, np.ndarray]] = {"now": {}, "best": {}, "optimizer": {}}
    for name, array in arrays.items():
        part, _, inside = name.partition(".")
        parts[part][inside] = array
    optimizer: dict[int, dict[str, np.ndarray]] = {}
    for name, array in parts["optimizer"].items():
        i, _, inside = name.partition(".")
        optimizer.setdefault(int(i), {})[inside] = array
    return Left(training, epochs, parts["now"], parts["best"] or parts["now"], optimizer)
