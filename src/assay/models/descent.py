"""Ways down: optimizers, and how fast they go from the first batch to the last. Needs torch when one is made."""

import math
from collections.abc import Callable
from typing import Any

from . import network


def _adam(parameters: list[Any], rate: float, decay: float) -> Any:
    return network.torch().optim.AdamW(parameters, lr=rate, weight_decay=decay)


def _rmsprop(parameters: list[Any], rate: float, decay: float) -> Any:
    # Keras's constants, for the recipes that people know are written for them.
    return network.torch().optim.RMSprop(parameters, lr=rate, alpha=0.9, eps=1e-7, weight_decay=decay)


def _sgd(parameters: list[Any], rate: float, decay: float) -> Any:
    return network.torch().optim.SGD(parameters, lr=rate, momentum=0.9, nesterov=True, weight_decay=decay)


OPTIMIZERS = {"adam": _adam, "rmsprop": _rmsprop, "sgd": _sgd}
SCHEDULES: dict[str, Callable[[float], float]] = {
    "constant": lambda _: 1.0,
    "cosine": lambda done: 0.5 * (1 + math.cos(math.pi * done)),
}
