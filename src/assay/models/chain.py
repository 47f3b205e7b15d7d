"""Chains: the plain filters that a restorer chooses from, by name, and what it sees of a picture under way."""

from collections.abc import Callable, Sequence

import numpy as np

from ..pixels import filters, frequency
from .symptoms import NAMES, symptoms

Filter = Callable[[np.ndarray], np.ndarray]


def _nlm(strength: float) -> Filter:
    return lambda image: filters.nonlocal_means(image, strength=strength, patch=3, search=11)


def _bilateral(levels: float) -> Filter:
    return lambda image: filters.bilateral(image, sigma=1.5, sigma_levels=levels)


def _tv(weight: float) -> Filter:
    return lambda image: filters.tv(image, weight=weight, steps=40)


def _unsharp(radius: float, percent: float) -> Filter:
    return lambda image: filters.unsharp(image, radius=radius, percent=percent, threshold=0)


STOP = "stop"
# What can be done next; 0 is to stop.
ACTIONS: dict[str, Filter] = {
    STOP: lambda image: image,
    "median 3": lambda image: filters.median(image, size=3),
    "median 5": lambda image: filters.median(image, size=5),
    "conservative 3": lambda image: filters.conservative(image, size=3),
    "mean 3": lambda image: filters.mean(image, size=3),
    "gaussian 0.5": lambda image: filters.gaussian(image, sigma=0.5),
    "gaussian 0.8": lambda image: filters.gaussian(image, sigma=0.8),
    "crimmins": filters.crimmins,
    "bilateral 25": _bilateral(25),
    "bilateral 50": _bilateral(50),
    "bilateral 90": _bilateral(90),
    "non-local means 5": _nlm(5),
    "non-local means 8": _nlm(8),
    "non-local means 12": _nlm(12),
    "non-local means 17": _nlm(17),
    "non-local means 25": _nlm(25),
    "total variation 0.07": _tv(0.07),
    "total variation 0.11": _tv(0.11),
    "low pass 0.25": lambda image: frequency.lowpass(image, radius=0.25 * min(image.shape[:2]), kind="gaussian"),
    "unsharp 1, 40 %": _unsharp(1, 40),
    "unsharp 1, 90 %": _unsharp(1, 90),
    "unsharp 1.5, 150 %": _unsharp(1.5, 150),
    "unsharp 1.5, 250 %": _unsharp(1.5, 250),
}
WORDS = tuple(ACTIONS)
STEPS = 5  # filters in a chain at most
COST = 0.03  # dB that a filter must bring to be worth its time
KINDS = ("rank", "smooth", "sharp")  # of filters, as far as a restorer remembers what it has done
WIDTH = len(NAMES) + 1 + len(KINDS)


def kind(action: int) -> str:
    """Return whether a filter ranks, smooths or sharpens.

    Args:
        action: number of a filter, 1 or more.
    """
    first = WORDS[action].split()[0]
    return "rank" if first in ("median", "conservative", "crimmins") else "sharp" if first == "unsharp" else "smooth"


def state(image: np.ndarray, done: Sequence[int]) -> np.ndarray:
    """Return what a restorer sees: the symptoms, how many filters were applied, and of which kinds.

    Args:
        image: picture, uint8.
        done: actions so far.

    Returns:
        float64 (14,).
    """
    kinds = [kind(a) for a in done]
    return np.concatenate([symptoms(image), [len(done) / 2], [float(k in kinds) for k in KINDS]])
