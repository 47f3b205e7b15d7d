"""Recipes of augmentation: which changes may be made to a picture, with what ranges and chances.

Plain values go in and come out, so that a recipe can be typed, printed as JSON and read again. No picture is seen here.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from ..errors import InputError

Range = float | tuple[float, ...] | None

FILLS = ("constant", "nearest", "reflect", "wrap")
FLIPS = ("horizontal_flip", "vertical_flip")
# Of each range: what a single number r stands for, and the least and the most that it may hold.
RANGES: dict[str, tuple[Callable[[float], tuple[float, float]], float, float]] = {
    "rotation_range": (lambda r: (-r, r), -360, 360),
    "width_shift_range": (lambda r: (-r, r), -16384, 16384),
    "height_shift_range": (lambda r: (-r, r), -16384, 16384),
    "shear_range": (lambda r: (-r, r), -80, 80),
    "zoom_range": (lambda r: (1 - r, 1 + r), 0.01, 100),
    "crop_range": (lambda r: (r, 1), 0.01, 1),
    "brightness_range": (lambda r: (1 - r, 1 + r), 0, 100),
    "contrast_range": (lambda r: (1 - r, 1 + r), 0, 100),
    "channel_shift_range": (lambda r: (-r, r), -255, 255),
    "noise_range": (lambda r: (0, r), 0, 255),
    "blur_range": (lambda r: (0, r), 0, 100),
}
CHANGES = (*FLIPS, *RANGES)


@dataclass(frozen=True, slots=True)
class Recipe:
    """Which changes, with what ranges and chances; in Keras's words, and equal to what its JSON gives back.

    A flip is its chance; True stands for 0.5. A range is `(low, high, chance)`; the chance is 1 where it is left out,
    and one number r stands for the range in brackets below. A change that is not named is never made.

    rotation_range: degrees, positive is anticlockwise [-r to r]; width_shift_range, height_shift_range: to the right
    and down, as shares of the side, or in pixels where one end is 1 or more [-r to r]; shear_range: degrees
    [-r to r]; zoom_range: factor, over 1 enlarges [1 - r to 1 + r]; crop_range: share of both sides that is kept, at
    a place drawn at random, and enlarged again [r to 1]; brightness_range: factor [1 - r to 1 + r]; contrast_range:
    factor on the distance from the mean [1 - r to 1 + r]; channel_shift_range: levels of 255, another for each channel
    [-r to r]; noise_range: sigma in levels of 255 [0 to r]; blur_range: sigma in pixels [0 to r].

    pick: `(fewest, most)`: instead of each by its chance, a random number of random changes is made; fill_mode:
    constant, nearest, reflect or wrap, for what comes in from outside; cval: level, 0 to 255, where that is constant.

    Raises:
        InputError: a value is outside what is said above.
    """

    horizontal_flip: float = 0.0
    vertical_flip: float = 0.0
    rotation_range: Range = None
    width_shift_range: Range = None
    height_shift_range: Range = None
    shear_range: Range = None
    zoom_range: Range = None
    crop_range: Range = None
    brightness_range: Range = None
    contrast_range: Range = None
    channel_shift_range: Range = None
    noise_range: Range = None
    blur_range: Range = None
    pick: tuple[int, int] | None = None
    fill_mode: str = "reflect"
    cval: float = 0.0

    def __post_init__(self) -> None:
        for name in FLIPS:
            value = getattr(self, name)
            chance = 0.5 if value is True else _number(name, value)
            if not 0 <= chance <= 1:
                raise InputError(f"{name} must be a chance in [0, 1], got {value!r}")
            object.__setattr__(self, name, chance)
        for name in RANGES:
            if getattr(self, name) is not None:
                object.__setattr__(self, name, _triple(name, getattr(self, name)))
        if self.fill_mode not in FILLS:
            raise InputError(f"fill_mode must be one of {', '.join(FILLS)}, got {self.fill_mode!r}")
        if not 0 <= _number("cval", self.cval) <= 255:
            raise InputError(f"cval must be a level in 0 to 255, got {self.cval!r}")
        if self.pick is not None:
            object.__setattr__(self, "pick", _pick(self.pick, len(self.changes())))

    def changes(self) -> dict[str, tuple[float, float, float]]:
        """Return the changes that can happen: name to low, high and chance; a flip has 1, 1 and its chance."""
        spans = {name: (1.0, 1.0, getattr(self, name)) for name in FLIPS}
        spans |= {name: getattr(self, name) for name in RANGES if getattr(self, name) is not None}
        return {name: span for name, span in spans.items() if span[2] > 0}

    def enlarges(self) -> float:
        """Return how much a part may be enlarged; beyond 4 times it is not worth reading more of a picture for."""
        spans = self.changes()
        zoom = spans["zoom_range"][1] if "zoom_range" in spans else 1.0
        crop = spans["crop_range"][0] if "crop_range" in spans else 1.0
        return min(max(zoom, 1.0) / crop, 4.0)


def read(values: Mapping[str, Any]) -> Recipe:
    """Read a recipe from what its JSON gives back.

    Args:
        values: by the names of the fields; lists do for tuples. Or something larger that holds them as "recipe".

    Returns:
        The recipe.

    Raises:
        InputError: a name is not a field, or a value is not allowed.

    >>> read({"rotation_range": [-10, 20], "horizontal_flip": True}).rotation_range
    (-10.0, 20.0, 1.0)
    """
    values = values["recipe"] if isinstance(values.get("recipe"), Mapping) else values
    known = [f.name for f in fields(Recipe)]
    strange = [str(name) for name in values if name not in known]
    if strange:
        raise InputError(f"a recipe must be made of {', '.join(known)}, got {strange[0]!r}")
    return Recipe(**{name: tuple(v) if isinstance(v, list) else v for name, v in values.items()})  # type: ignore[arg-type]


def _number(name: str, value: Any) -> float:
    if not isinstance(value, int | float | np.integer | np.floating) or not math.isfinite(value):
        raise InputError(f"{name} must be made of finite numbers, got {value!r}")
    return float(value)


def _triple(name: str, value: Any) -> tuple[float, float, float]:
    """Bring what a person may write for a range to low, high and chance."""
    spread, least, most = RANGES[name]
    given = tuple(_number(name, v) for v in value) if isinstance(value, tuple | list) else spread(_number(name, value))
    if len(given) not in {2, 3}:
        raise InputError(f"{name} must be a number, (low, high) or (low, high, chance), got {value!r}")
    low, high, chance = (*given, 1.0)[:3]
    if not least <= low <= high <= most:
        raise InputError(f"{name} must be from low to high within {least:g} to {most:g}, got {value!r}")
    if not 0 <= chance <= 1:
        raise InputError(f"the chance of {name} must be in [0, 1], got {value!r}")
    return float(low), float(high), chance


def _pick(value: Any, changes: int) -> tuple[int, int]:
    whole = isinstance(value, tuple | list) and len(value) == 2 and all(isinstance(n, int) for n in value)
    if not whole or not 0 <= value[0] <= value[1] <= changes:
        raise InputError(f"pick must be (fewest, most) within 0 to the recipe's {changes} changes, got {value!r}")
    return int(value[0]), int(value[1])


RECIPES = {
    "gentle": Recipe(
        horizontal_flip=0.5,
        rotation_range=12,
        width_shift_range=0.08,
        height_shift_range=0.08,
        zoom_range=0.1,
        brightness_range=0.15,
        contrast_range=0.15,
        noise_range=(0, 8, 0.5),
        blur_range=(0, 1, 0.3),
    ),
    # A random number of random ones of: turns both ways, flips both ways, shifts, noise and blur.
    "seven": Recipe(
        horizontal_flip=1,
        vertical_flip=1,
        rotation_range=180,
        width_shift_range=0.2,
        height_shift_range=0.2,
        noise_range=(5, 25),
        blur_range=(0.5, 2),
        pick=(1, 7),
    ),
}
