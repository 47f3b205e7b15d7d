"""What a network learns from: examples in batches, which may come from memory, from files or from a frozen trunk."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from ..errors import InputError


class Examples(Protocol):
    """What is learned from: pictures, or what a frozen trunk makes of them."""

    @property
    def identity(self) -> str:
        """Tell these examples from others: a hash of what they are made of."""

    def __len__(self) -> int:
        """Return how many there are."""

    def batch(self, indices: np.ndarray, *, epoch: int) -> tuple[np.ndarray, np.ndarray]:
        """Return some of them.

        Args:
            indices: int (n,).
            epoch: 1, 2, ... while learning, so that augmentation may differ; 0 is each example as it is.

        Returns:
            x, uint8, float16 or float32 (n, ...), and y, int (n,) or float32 (n, k).
        """


@dataclass(frozen=True)
class Arrays:
    """Examples that are in memory.

    x: (n, ...), as a network takes them; y: int (n,) or float32 (n, k).
    """

    x: np.ndarray
    y: np.ndarray

    def __post_init__(self) -> None:
        """Refuse arrays that do not belong together."""
        if len(self.x) != len(self.y):
            raise InputError(f"x and y must be of one length, got {len(self.x)} and {len(self.y)}")

    @cached_property
    def identity(self) -> str:
        """SHA-256 of both arrays, their shapes and dtypes."""
        found = hashlib.sha256()
        for array in (self.x, self.y):
            found.update(f"{array.dtype} {array.shape}".encode())
            found.update(np.ascontiguousarray(array).data)
        return found.hexdigest()

    def __len__(self) -> int:
        """Return how many examples there are."""
        return len(self.x)

    def batch(self, indices: np.ndarray, *, epoch: int) -> tuple[np.ndarray, np.ndarray]:  # noqa: ARG002
        """Return some of them, the same in every epoch."""
        return self.x[indices], self.y[indices]


def balanced(labels: np.ndarray, *, classes: int) -> np.ndarray:
    """Return the weights that let every class count alike, whatever its size; their mean over the labels is 1.

    Args:
        labels: int (n,), 0..classes - 1.
        classes: how many.

    Returns:
        float (classes,).

    Raises:
        InputError: a class has no label.

    >>> balanced(np.array([0, 0, 0, 1]), classes=2).round(3)
    array([0.667, 2.   ])
    """
    counts = np.bincount(labels, minlength=classes)
    if len(counts) != classes or not counts.all():
        raise InputError(f"every one of {classes} classes must have a label, got {counts.tolist()}")
    return len(labels) / (classes * counts)


def batches(order: np.ndarray, *, size: int) -> list[np.ndarray]:
    """Part examples into batches.

    Args:
        order: int (n,), which examples, in order.
        size: of a batch, >= 2.

    Returns:
        The parts. One example alone goes with the batch before it, for it has no deviation to be normalised by.

    >>> [part.tolist() for part in batches(np.arange(5), size=2)]
    [[0, 1], [2, 3, 4]]
    """
    starts = list(range(0, len(order), size))
    if len(starts) > 1 and len(order) - starts[-1] == 1:
        starts.pop()
    return [order[a:b] for a, b in zip(starts, [*starts[1:], len(order)], strict=True)]
