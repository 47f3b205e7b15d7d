"""A network as one line of text that a person can write; it is read, checked against a picture size, never executed.

"conv 32, pool, conv 64, pool, dense 128, dropout .5" goes in; layers and the sizes between them come out. No torch.
"""

import re
from dataclasses import dataclass

from ..errors import InputError

KINDS = "conv WIDTH [kernel N] [stride N] [valid], pool [N >= 2], norm, mean, dense WIDTH, dropout RATE (0 to below 1)"
_WIDEST, _DEEPEST = 4096, 100  # of one layer; of a network
_LONGEST = 64  # pixels of a kernel or a stride
_WEIGHTS = 100_000_000  # of one layer: 400 MB, and three times that while it learns


@dataclass(frozen=True, slots=True)
class Convolution:
    """`width` kernels of `kernel` x `kernel`, moved by `stride` pixels; negative sums become 0 (ReLU).

    same: zeros around the picture, so that only the stride makes it smaller; else kernels stay inside it ("valid").
    """

    width: int
    kernel: int = 3
    stride: int = 1
    same: bool = True


@dataclass(frozen=True, slots=True)
class Pool:
    """The largest of each `size` x `size` square; what is left over at the right and below is dropped."""

    size: int = 2


@dataclass(frozen=True, slots=True)
class Norm:
    """Batch normalisation of each channel: mean 0 and standard deviation 1, then a learned scale and shift."""


@dataclass(frozen=True, slots=True)
class Mean:
    """The mean of each channel over all places: what is there counts, where it is does not."""


@dataclass(frozen=True, slots=True)
class Dense:
    """`width` weighted sums of everything before; negative ones become 0 (ReLU)."""

    width: int


@dataclass(frozen=True, slots=True)
class Dropout:
    """While learning, each value is put to 0 with chance `rate`, so that no value is relied on alone."""

    rate: float


Layer = Convolution | Pool | Norm | Mean | Dense | Dropout


@dataclass(frozen=True, slots=True)
class Step:
    """A layer in its place.

    name: such as "conv 2", counted by kind; text: as it was written; shape: (H, W, channels) of what comes out, or (n,)
    where there are no places any more; weights: numbers that are learned.
    """

    name: str
    text: str
    layer: Layer
    shape: tuple[int, ...]
    weights: int


def parse(text: str) -> tuple[Layer, ...]:
    """Read a network.

    Args:
        text: layers, separated by commas: `conv 32`, `conv 32 kernel 5 stride 2 valid`, `pool`, `pool 3`, `norm`,
            `mean`, `dense 128`, `dropout .5`. Case and spaces do not matter. The layer that gives one number to each
            class is not written: every network ends with it.

    Returns:
        The layers, in their order.

    Raises:
        InputError: a layer is not known, its numbers are missing or outside their range, or convolution, pooling or
            `mean` come after the places are gone.

    >>> parse("conv 32, pool, dense 128, dropout .5")
    (Convolution(width=32, kernel=3, stride=1, same=True), Pool(size=2), Dense(width=128), Dropout(rate=0.5))
    """
    parts = [" ".join(part.lower().split()) for part in text.split(",")]
    if not any(parts):
        raise InputError(f"layers must name at least one of: {KINDS}; got {text!r}")
    if len(parts) > _DEEPEST:
        raise InputError(f"layers must be at most {_DEEPEST}, got {len(parts)}")
    layers = tuple(_layer(part, i) for i, part in enumerate(parts, 1))
    flat = False
    for i, (part, layer) in enumerate(zip(parts, layers, strict=True), 1):
        if flat and isinstance(layer, Convolution | Pool | Mean):
            raise InputError(f"layer {i}, {part!r}, must come before the first dense or mean, which end the picture")
        flat = flat or isinstance(layer, Dense | Mean)
    return layers


def steps(text: str, *, size: tuple[int, int], channels: int) -> tuple[Step, ...]:
    """Follow a picture through a network.

    Args:
        text: layers, as in `parse`.
        size: height and width of the pictures, pixels, >= 1.
        channels: 1 for grey, 3 for colour.

    Returns:
        A step for each layer, with the shape of what comes out of it and its number of weights.

    Raises:
        InputError: the text is not a network, or a layer does not fit what reaches it: the message says which.

    >>> [step.shape for step in steps("conv 8 kernel 4 stride 8, dense 10", size=(32, 32), channels=3)]
    [(4, 4, 8), (10,)]
    """
    if min(size) < 1 or channels not in {1, 3}:
        raise InputError(f"size must be two sides >= 1 and channels 1 or 3, got {size} and {channels}")
    shape: tuple[int, ...] = (*size, channels)
    found, counts = [], dict[str, int]()
    for i, (part, layer) in enumerate(zip(text.split(","), parse(text), strict=True), 1):
        written = " ".join(part.lower().split())
        kind = written.split()[0]
        counts[kind] = counts.get(kind, 0) + 1
        try:
            after, weights = _through(layer, shape)
        except InputError as e:
            came = " x ".join(map(str, shape))
            raise InputError(f"layer {i}, {written!r}, must fit what reaches it, {came}: {e}") from e
        found.append(Step(f"{kind} {counts[kind]}", written, layer, after, weights))
        shape = after
    return tuple(found)


def _through(layer: Layer, shape: tuple[int, ...]) -> tuple[tuple[int, ...], int]:
    """Return what shape comes out of a layer, and how many weights it has."""
    weights = 0
    match layer:
        case Convolution(width, kernel, stride, same):
            if not same and kernel > min(shape[:2]):
                raise InputError(
                    f"a valid kernel of {kernel} x {kernel} is larger: use fewer strides or pools, or same"
                )
            out = tuple(-(-n // stride) if same else (n - kernel) // stride + 1 for n in shape[:2])
            weights = kernel * kernel * shape[2] * width + width
            shape = (*out, width)
        case Pool(size):
            if size > min(shape[:2]):
                raise InputError(f"a square of {size} x {size} is larger: leave out a pool before it, or use mean")
            shape = (shape[0] // size, shape[1] // size, shape[2])
        case Norm():
            weights = 2 * shape[-1]
        case Mean():
            shape = shape[-1:]
        case Dense(width):
            inputs = 1
            for n in shape:
                inputs *= n
            weights = inputs * width + width
            shape = (width,)
    if weights > _WEIGHTS:
        raise InputError(f"it would have {weights:,} weights, {_WEIGHTS:,} at most: put a pool or mean before it")
    return shape, weights


def _layer(part: str, i: int) -> Layer:
    """Read one layer, the i-th."""
    found = re.fullmatch(
        r"([a-z]+)(?: ([0-9.]{1,20}))?((?: (?:kernel [0-9]{1,9}|stride [0-9]{1,9}|same|valid))*)", part
    )
    kind, number, options = (found[1], found[2], found[3].split()) if found else ("", None, [])
    alone: dict[str, Layer] = {"pool": Pool(), "norm": Norm(), "mean": Mean()}
    if kind == "conv" and number:
        return _convolution(number, options, part, i)
    if not options:
        if kind == "pool" and number and _whole(number, part, i) >= 2:
            return Pool(_whole(number, part, i))
        if kind == "dense" and number:
            return Dense(_whole(number, part, i))
        if kind == "dropout" and number and re.fullmatch(r"0?\.\d+|0", number):
            return Dropout(float(number))
        if kind in alone and not number:
            return alone[kind]
    raise InputError(f"layer {i} must be one of: {KINDS}; got {part[:60]!r}")


def _convolution(number: str, options: list[str], part: str, i: int) -> Convolution:
    """Read a convolution: how many kernels, and what they are like."""
    named = {options[k]: int(options[k + 1]) for k, word in enumerate(options) if word in {"kernel", "stride"}}
    for name, value in named.items():
        if not 1 <= value <= _LONGEST:
            raise InputError(f"{name} of layer {i} must be 1 to {_LONGEST} pixels, got {part!r}")
    return Convolution(_whole(number, part, i), **named, same="valid" not in options)


def _whole(number: str, part: str, i: int) -> int:
    """Read how wide a layer is."""
    if not number.isdecimal() or not 1 <= int(number) <= _WIDEST:
        raise InputError(f"layer {i} must have a whole number from 1 to {_WIDEST}, got {part!r}")
    return int(number)
