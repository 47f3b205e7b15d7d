"""Codings: what a learner sees of an observation, as a few places in its row of weights and a value for each.

A value is the sum over the active places of weight times value, so that a table, tiles and plain numbers are learned
by the same loops.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import InputError

Codes = tuple[np.ndarray, np.ndarray]  # places int64 (n, k) and values float64 (n, k)


@dataclass(frozen=True, slots=True)
class Table:
    """One weight for each of n states; an observation is the number of its state, 0..n-1."""

    n: int

    def __post_init__(self) -> None:
        if self.n < 1:
            raise InputError(f"a table must have 1 state or more, got {self.n!r}")

    @property
    def size(self) -> int:
        """Weights."""
        return self.n

    @property
    def active(self) -> int:
        """Places of one observation whose weights share a step."""
        return 1

    def encode(self, observations: np.ndarray) -> Codes:
        """Return the places and values of observations, int (n,)."""
        states = np.asarray(observations).reshape(-1)
        if states.dtype.kind not in "iu" or not ((states >= 0) & (states < self.n)).all():
            raise InputError(f"states must be whole numbers in 0..{self.n - 1}, got {observations!r:.80}")
        return states.astype(np.int64)[:, None], np.ones((len(states), 1))


@dataclass(frozen=True, slots=True)
class Linear:
    """One weight for each of d numbers; an observation is those numbers."""

    d: int

    def __post_init__(self) -> None:
        if self.d < 1:
            raise InputError(f"linear features must be 1 or more, got {self.d!r}")

    @property
    def size(self) -> int:
        """Weights."""
        return self.d

    @property
    def active(self) -> int:
        """Places of one observation whose weights share a step."""
        return 1

    def encode(self, observations: np.ndarray) -> Codes:
        """Return the places and values of observations, float (n, d)."""
        values = _finite(observations, self.d)
        return np.tile(np.arange(self.d, dtype=np.int64), (len(values), 1)), values


@dataclass(frozen=True, slots=True)
class Tiles:
    """Several grids laid over a box of numbers, each shifted by a part of a tile: one tile of each is active.

    low, high: (d,) ends of the box, beyond which numbers are taken for the end; bins: (d,) tiles along each side;
    tilings: grids. Grid t is shifted by t / tilings of a tile along the first side, 3 t / tilings along the second,
    5 t / tilings along the third, and so on, modulo a tile.

    Source: Sutton & Barto 2018, 9.5.4, with Miller & Glanz's displacements.
    """

    low: tuple[float, ...]
    high: tuple[float, ...]
    bins: tuple[int, ...]
    tilings: int = 8

    def __post_init__(self) -> None:
        d = len(self.low)
        if not d or not d == len(self.high) == len(self.bins):
            raise InputError(f"low, high and bins must be of one length, got {d}, {len(self.high)}, {len(self.bins)}")
        if not all(math.isfinite(a) and math.isfinite(b) and a < b for a, b in zip(self.low, self.high, strict=True)):
            raise InputError(f"low must be below high, both finite, got {self.low!r} and {self.high!r}")
        if min(self.bins) < 1 or self.tilings < 1:
            raise InputError(f"bins and tilings must be >= 1, got {self.bins!r} and {self.tilings!r}")

    @property
    def size(self) -> int:
        """Weights: each grid has a tile more along each side, for its shift."""
        return self.tilings * math.prod(b + 1 for b in self.bins)

    @property
    def active(self) -> int:
        """Places of one observation whose weights share a step."""
        return self.tilings

    def encode(self, observations: np.ndarray) -> Codes:
        """Return the places and values of observations, float (n, d)."""
        values = _finite(observations, len(self.low))
        low, high, bins = np.array(self.low), np.array(self.high), np.array(self.bins)
        place = (np.clip(values, low, high) - low) / (high - low) * bins
        place = np.minimum(place, np.nextafter(bins.astype(float), 0))  # the upper end belongs to the last tile
        grids = np.arange(self.tilings)
        shifts = grids[:, None] * (2 * np.arange(len(low)) + 1) / self.tilings % 1
        tile = np.floor(place[:, None] + shifts).astype(np.int64)  # (n, tilings, d)
        places = grids.astype(np.int64)
        flat = np.zeros(tile.shape[:2], np.int64) + places
        for i, b in enumerate(self.bins):
            flat = flat * (b + 1) + tile[..., i]
        return flat, np.ones(flat.shape)


@dataclass(frozen=True, slots=True)
class Sparse:
    """n weights, of which an observation names k itself: k places, then the value of each."""

    n: int
    k: int

    def __post_init__(self) -> None:
        if not 1 <= self.k <= self.n:
            raise InputError(f"k must be in 1..{self.n}, got {self.k!r}")

    @property
    def size(self) -> int:
        """Weights."""
        return self.n

    @property
    def active(self) -> int:
        """Places of one observation whose weights share a step; values are taken to share it already."""
        return 1

    def encode(self, observations: np.ndarray) -> Codes:
        """Return the places and values of observations, float (n, 2 k)."""
        both = _finite(observations, 2 * self.k)
        places = both[:, : self.k].astype(np.int64)
        if not ((places >= 0) & (places < self.n) & (places == both[:, : self.k])).all():
            raise InputError(f"places must be whole numbers in 0..{self.n - 1}, got {observations!r:.80}")
        return places, np.ascontiguousarray(both[:, self.k :])


Coding = Table | Linear | Tiles | Sparse
CODINGS: dict[str, Any] = {"table": Table, "linear": Linear, "tiles": Tiles, "sparse": Sparse}


def card(coding: Coding) -> dict[str, Any]:
    """Return a coding as plain JSON values, for `from_card`.

    Args:
        coding: any.
    """
    (name,) = [name for name, kind in CODINGS.items() if isinstance(coding, kind)]
    return {"coding": name} | {field: getattr(coding, field) for field in coding.__slots__}


def from_card(values: dict[str, Any]) -> Coding:
    """Return the coding that `card` described.

    Args:
        values: from `card`, through JSON or not.

    Raises:
        InputError: they describe none.

    >>> from_card(card(Tiles((0.0,), (1.0,), (4,), 2)))
    Tiles(low=(0.0,), high=(1.0,), bins=(4,), tilings=2)
    """
    try:
        rest = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items() if k != "coding"}
        coding: Coding = CODINGS[values["coding"]](**rest)
    except (AttributeError, KeyError, TypeError) as e:
        raise InputError(f"coding must be one of {', '.join(CODINGS)} with its fields, got {values!r}") from e
    return coding


def _finite(observations: np.ndarray, d: int) -> np.ndarray:
    values = np.asarray(observations, float).reshape(-1, d) if np.size(observations) % d == 0 else np.zeros((0, 0))
    if not values.size or not np.isfinite(values).all():
        raise InputError(f"observations must be finite, {d} numbers each, got {observations!r:.80}")
    return values
