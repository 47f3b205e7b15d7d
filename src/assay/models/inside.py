"""What goes on in a network that looks at a picture: a picture in; maps, weights, and what mattered to the answer out.

Needs torch; nothing is learned here, and the network is left as it was.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import InputError
from ..pixels import colour, geometry
from . import fitting, network

_BATCH = 32  # covered pictures that the network sees at a time


@dataclass(frozen=True, slots=True)
class Maps:
    """What a layer made of a picture.

    name: of the layer; values: float32 (maps, H, W).
    """

    name: str
    values: np.ndarray


@dataclass(frozen=True, slots=True)
class Weights:
    """What a layer has learned.

    name: of the layer; weight: float32, (outputs, inputs) of a dense one, (kernels, channels, height, width) of a
    convolution; bias: float32 (outputs,).
    """

    name: str
    weight: np.ndarray
    bias: np.ndarray


@dataclass(frozen=True, slots=True)
class Inside:
    """What went on in a network that looked at a picture.

    image: the picture as it was seen, uint8; maps: of each convolution and pooling, in order; kernels: of the first
    convolution; dense: of each dense layer, in order; logits: float32 (k,); target: the class that is explained;
    gradcam: float32 (H, W) in 0..1, where what spoke for that class is; layer: whose maps that is read from; cover:
    pixels a side of the grey square that was moved over the picture; occlusion: float32 (H, W), by how much the
    probability of the class falls where the square covers it, below 0 where it rises.
    """

    image: np.ndarray
    maps: tuple[Maps, ...]
    kernels: Weights
    dense: tuple[Weights, ...]
    logits: np.ndarray
    target: int
    gradcam: np.ndarray
    layer: str
    cover: int
    occlusion: np.ndarray


def look_inside(
    module: Any, image: np.ndarray, *, target: int | None = None, cover: int | None = None, threads: int = 2
) -> Inside:
    """Look at what a network makes of a picture, layer by layer, and at what mattered to its answer.

    Args:
        module: a chain from `network`, which ends in one number to each class.
        image: picture of the network's size, uint8 or float32, (H, W) or (H, W, 3).
        target: class to explain; None takes the likeliest.
        cover: pixels a side of the square of `occlude`; a quarter of the shorter side by default.
        threads: of the processor.

    Returns:
        All that is to be seen. Grad-CAM is read from the last layer that still has more than one place.

    Raises:
        InputError: the picture does not fit, there is no such class, no layer has maps, or torch is not installed.

    Source: Grad-CAM by Selvaraju et al. 2017, doi:10.1109/ICCV.2017.74.
    """
    side = cover or max(min(image.shape[:2]) // 4, 1)
    with fitting.using(threads), _still(module):
        maps, logits, which, layer, slopes = _caught(module, image, target)
        cam = gradcam(next(m.values for m in maps if m.name == layer), slopes)
        occlusion = occlude(module, image, target=which, cover=side, threads=threads)
    convolutions, dense = _weights(module)
    return Inside(
        colour.to_uint8(image),
        maps,
        convolutions[0],
        tuple(dense),
        logits,
        which,
        geometry.reshape(cam, shape=(image.shape[0], image.shape[1])),
        layer,
        side,
        occlusion,
    )


@contextlib.contextmanager
def _still(module: Any) -> Iterator[None]:
    """Let a network neither learn nor change, and put it back as it was."""
    modes = [(m, m.training) for m in module.modules()]
    learning = [p for p in module.parameters() if p.requires_grad]
    module.eval().requires_grad_(requires_grad=False)
    try:
        yield
    finally:
        for m, training in modes:
            m.training = training
        for p in learning:
            p.requires_grad_(requires_grad=True)


def _caught(
    module: Any, image: np.ndarray, target: int | None
) -> tuple[tuple[Maps, ...], np.ndarray, int, str, np.ndarray]:
    """Return maps, logits, the class, the last layer that has places, and how the class rises with its maps."""
    t = network.torch()
    caught: dict[str, Any] = {}

    def catch(name: str) -> Any:
        def hook(part: Any, _inputs: Any, output: Any) -> None:
            if hasattr(part, "caught"):  # it runs a graph, and keeps what is in it itself
                caught.update(part.caught)
            elif output.ndim == 4:
                caught[name] = output

        return hook

    hooks = [child.register_forward_hook(catch(n)) for n, child in module.named_children() if _makes_maps(child)]
    try:
        with t.enable_grad():
            x = t.from_numpy(np.ascontiguousarray(image[None]))
            logits = module((x.float() / 255.0 if x.dtype == t.uint8 else x).requires_grad_())[0]
    finally:
        for hook in hooks:
            hook.remove()
    which = int(logits.argmax()) if target is None else target
    if not 0 <= which < len(logits):
        raise InputError(f"target must be a class from 0 to {len(logits) - 1}, got {target!r}")
    spread = [name for name, output in caught.items() if output.shape[2] * output.shape[3] > 1]
    if not spread:
        raise InputError("a network to look into must have a convolution with more than one place, got none")
    (slopes,) = t.autograd.grad(logits[which], caught[spread[-1]])
    maps = tuple(Maps(name, output[0].detach().contiguous().numpy()) for name, output in caught.items())
    return maps, logits.detach().numpy(), which, spread[-1], slopes[0].numpy()


def gradcam(maps: np.ndarray, slopes: np.ndarray) -> np.ndarray:
    """Add up maps, each weighted by how much the answer rises with it; what speaks against is left out.

    Args:
        maps: float (maps, h, w), what a layer made of a picture.
        slopes: of the same shape, the gradient of the answer.

    Returns:
        float32 (h, w) in 0..1, the largest 1 unless nothing speaks for the answer.

    Raises:
        InputError: the shapes differ.

    Source: Selvaraju et al. 2017, doi:10.1109/ICCV.2017.74, equations 1 and 2.

    >>> gradcam(np.eye(2)[None], np.ones((1, 2, 2)))
    array([[1., 0.],
           [0., 1.]], dtype=float32)
    """
    if maps.shape != slopes.shape or maps.ndim != 3:
        raise InputError(f"maps and slopes must be (maps, h, w), got {maps.shape} and {slopes.shape}")
    found = np.maximum(np.tensordot(slopes.mean(axis=(1, 2)), maps, axes=1), 0)
    most = float(found.max())
    return np.asarray(found / most if most > 0 else found, np.float32)


def occlude(module: Any, image: np.ndarray, *, target: int, cover: int, threads: int = 2) -> np.ndarray:
    """Cover a part of a picture, see how much the probability of a class falls, and do so everywhere.

    Args:
        module: a network.
        image: picture of the network's size.
        target: class.
        cover: pixels a side of the square, which has the picture's mean colour and moves by half its side, half out of
            the picture at its ends.
        threads: of the processor.

    Returns:
        float32 (H, W), for each pixel the mean fall over the squares that cover it, those in whose middle it is
        counting most; -1 to 1.

    Raises:
        InputError: the square is not 1 pixel to the whole picture, or the picture does not fit the network.

    Source: Zeiler & Fergus 2014, doi:10.1007/978-3-319-10590-1_53, section 4.2.
    """
    height, width = image.shape[:2]
    if not 1 <= cover <= min(height, width):
        raise InputError(f"cover must be 1 to {min(height, width)} pixels, got {cover!r}")
    bell = np.hanning(cover + 2)[1:-1]
    nearness = np.outer(bell, bell).astype(np.float32)
    grey = image.mean(axis=(0, 1)).astype(image.dtype)
    places = [(*y, *x) for y in _spans(height, cover) for x in _spans(width, cover)]
    falls, weights = np.zeros((height, width), np.float32), np.zeros((height, width), np.float32)
    before = _chance(module, image[None], target, threads)[0]
    for start in range(0, len(places), _BATCH):
        some = places[start : start + _BATCH]
        covered = np.repeat(image[None], len(some), axis=0)
        for one, (rows, _, columns, _) in zip(covered, some, strict=True):
            one[rows, columns] = grey
        for chance, (rows, high, columns, wide) in zip(_chance(module, covered, target, threads), some, strict=True):
            falls[rows, columns] += (before - chance) * nearness[high, wide]
            weights[rows, columns] += nearness[high, wide]
    return falls / weights


def _spans(length: int, cover: int) -> list[tuple[slice, slice]]:
    """Return where squares are along a side, half a square apart, out over both ends; and which part of each is in."""
    begins = range(-(cover // 2), length - cover // 2, max(cover // 2, 1))
    ends = [(b, max(b, 0), min(b + cover, length)) for b in begins]
    return [(slice(first, last), slice(first - b, last - b)) for b, first, last in ends if last > first]


def _chance(module: Any, images: np.ndarray, target: int, threads: int) -> np.ndarray:
    t = network.torch()
    with fitting.using(threads), _still(module), t.inference_mode():
        found = module(t.from_numpy(np.ascontiguousarray(images))).softmax(dim=1)[:, target]
        return np.asarray(found.numpy())


def _makes_maps(part: Any) -> bool:
    """Tell whether a part of a chain holds a convolution, or pools places that stay places."""
    nn = network.torch().nn
    return hasattr(part, "caught") or any(
        isinstance(m, nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d) for m in part.modules()
    )


def _weights(module: Any) -> tuple[list[Weights], list[Weights]]:
    """Return the weights of convolutions, and of dense layers, by the names of their parts."""
    nn = network.torch().nn
    convolutions: list[Weights] = []
    dense: list[Weights] = []
    for name, child in module.named_children():
        for step in child.graph.steps if hasattr(child, "graph") else ():
            if step.op in {"convolution", "dense"}:
                weight, bias = (child.graph.weights[f"{step.name}.{kind}"] for kind in ("weight", "bias"))
                (convolutions if weight.ndim == 4 else dense).append(Weights(step.name, weight, bias))
        for m in child.modules():
            if isinstance(m, nn.Conv2d | nn.Linear):
                weight = m.weight.detach().contiguous().numpy().copy()
                bias = np.zeros(len(weight), np.float32) if m.bias is None else m.bias.detach().numpy().copy()
                (convolutions if weight.ndim == 4 else dense).append(Weights(name, weight, bias))
    return convolutions, dense
