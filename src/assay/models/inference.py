"""A graph of steps in, an OpenVINO network out that runs it; no torch, and no file that another program wrote.

The network is built step by step from checked arrays through OpenVINO's own constructors: its readers of XML and ONNX
never see what came from a file.
"""

import sys
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..errors import InputError
from .graph import Graph, Shape, Step, padding, shapes

IMAGE = "image"  # the input that is a picture, 0..255; everything else is what another graph gave


def openvino() -> Any:
    """Import OpenVINO with its telemetry shut out: it falls back to its own stub, and nothing is ever sent."""
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino as ov

    return ov


def pictures(*, size: int) -> tuple[Any, Any]:
    """Return a parameter for uint8 RGB pictures [1, size, size, 3], and the map [1, 3, size, size] of its numbers.

    Args:
        size: pixels a side.
    """
    openvino()
    from openvino import opset13 as op

    image = op.parameter([1, size, size, 3], np.uint8, name=IMAGE)
    return image, op.transpose(op.convert(image, "f32"), op.constant(np.array([0, 3, 1, 2])))


def lay(graph: Graph, nodes: Mapping[str, Any]) -> dict[str, Any]:
    """Build a graph behind nodes of OpenVINO.

    Args:
        graph: checked.
        nodes: what goes in, by name, each with a batch of 1.

    Returns:
        Those nodes and one for each step, by name.
    """
    openvino()
    from openvino import opset13 as op

    known, laid = shapes(graph), dict(nodes)
    for step in graph.steps:
        x = [laid[name] for name in step.inputs]
        arrays = [graph.weights.get(f"{step.name}.{kind}") for kind in ("weight", "bias")]
        laid[step.name] = _LAYERS[step.op](op, step, x, known[step.inputs[0]], arrays)
    return laid


class Runner:
    """A network, compiled for this processor, that gives one row or map for each thing that goes in.

    Args:
        graph: whose one input is the picture, or what another graph gave.
        threads: processor threads, each working on an item of its own.
    """

    def __init__(self, graph: Graph, *, threads: int = 2) -> None:
        ov = openvino()
        from openvino import opset13 as op

        ((name, shape),) = graph.inputs.items()
        self.shape: Shape = shapes(graph)[graph.output]
        if name == IMAGE:
            entry, node = pictures(size=shape[1])
            self._item: Shape = (*shape[1:], shape[0])
        else:
            entry = node = op.parameter([1, *shape], np.float32, name=name)
            self._item = shape
        laid = lay(graph, {name: node})
        model = ov.Model([op.result(laid[graph.output])], [entry], "graph")
        self._queue, self._type = queue(model, threads=threads), np.uint8 if name == IMAGE else np.float32

    def run(self, items: np.ndarray) -> np.ndarray:
        """Run items through the network.

        Args:
            items: uint8 (n, H, W, 3) pictures, or numbers (n, ...) as another graph gave them.

        Returns:
            float32 (n, ...), in their order; the same for an item alone and among others.

        Raises:
            InputError: the items have another shape.
        """
        if items.shape[1:] != self._item or (items.dtype == np.uint8) != (self._type == np.uint8):
            raise InputError(f"items must be {self._type.__name__} (n, {self._item}), got {items.dtype} {items.shape}")
        found = np.empty((len(items), *self.shape), np.float32)

        def take(request: Any, place: int) -> None:
            found[place] = request.get_output_tensor(0).data[0]

        self._queue.set_callback(take)
        for i in range(len(items)):
            self._queue.start_async({0: np.ascontiguousarray(items[i : i + 1], self._type)}, i)
        self._queue.wait_all()
        return found


def queue(model: Any, *, threads: int) -> Any:
    """Compile a model for this processor.

    Args:
        model: of OpenVINO.
        threads: each works on a request of its own.

    Returns:
        A queue of requests.
    """
    ov = openvino()
    # float32 also where the processor offers bfloat16: features must not depend on the machine.
    options = {"NUM_STREAMS": str(threads), "INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32"}
    return ov.AsyncInferQueue(ov.Core().compile_model(model, "CPU", options), threads)


def _pads(step: Step, shape: Shape, kernel: Shape) -> tuple[list[int], list[int]]:
    gap = step.numbers("dilation", (1, 1))
    top, left, bottom, right = padding(step, shape, tuple((k - 1) * g + 1 for k, g in zip(kernel, gap, strict=True)))
    return [top, left], [bottom, right]


def _convolution(op: Any, step: Step, x: list[Any], shape: Shape, arrays: list[Any]) -> Any:
    weight, bias = arrays
    (groups,) = step.numbers("groups", (1,))
    apply = op.convolution
    if groups > 1:
        apply = op.group_convolution
        weight = weight.reshape(groups, -1, *weight.shape[1:])
    begin, end = _pads(step, shape, weight.shape[-2:])
    stride, gap = (list(step.numbers(name, (1, 1))) for name in ("stride", "dilation"))
    y = apply(x[0], op.constant(weight), stride, begin, end, gap, "explicit")
    return op.add(y, op.constant(bias.reshape(1, -1, 1, 1)))


def _max_pool(op: Any, step: Step, x: list[Any], shape: Shape, _: list[Any]) -> Any:
    size = step.numbers("size", ())
    begin, end = _pads(step, shape, size)
    stride, gap = (list(step.numbers(name, (1, 1))) for name in ("stride", "dilation"))
    return op.max_pool(x[0], stride, gap, begin, end, list(size)).output(0)


def _average_pool(op: Any, step: Step, x: list[Any], shape: Shape, _: list[Any]) -> Any:
    size = step.numbers("size", ())
    begin, end = _pads(step, shape, size)
    return op.avg_pool(x[0], list(step.numbers("stride", (1, 1))), begin, end, list(size), exclude_pad=False)


def _dense(op: Any, _: Step, x: list[Any], __: Shape, arrays: list[Any]) -> Any:
    return op.add(op.matmul(x[0], op.constant(arrays[0]), False, True), op.constant(arrays[1]))


def _scale(op: Any, _: Step, x: list[Any], shape: Shape, arrays: list[Any]) -> Any:
    weight, bias = (a.reshape(1, -1, *[1] * (len(shape) - 1)) for a in arrays)
    return op.add(op.multiply(x[0], op.constant(weight)), op.constant(bias))


def _flatten(op: Any, _: Step, x: list[Any], __: Shape, ___: list[Any]) -> Any:
    return op.reshape(x[0], op.constant(np.array([1, -1])), False)


def _mean(op: Any, step: Step, x: list[Any], _: Shape, __: list[Any]) -> Any:
    return op.reduce_mean(x[0], op.constant(np.array([2, 3])), keep_dims=bool(step.numbers("keep", (0,))[0]))


def _plain(name: str) -> Callable[..., Any]:
    return lambda op, _step, x, _shape, _arrays: getattr(op, name)(*x)


_LAYERS: dict[str, Callable[..., Any]] = {
    "convolution": _convolution,
    "max pool": _max_pool,
    "average pool": _average_pool,
    "dense": _dense,
    "scale": _scale,
    "relu": _plain("relu"),
    "relu6": lambda op, _step, x, _shape, _arrays: op.clamp(x[0], 0.0, 6.0),
    "silu": _plain("swish"),
    "sigmoid": _plain("sigmoid"),
    "tanh": _plain("tanh"),
    "hardswish": _plain("hswish"),
    "hardsigmoid": _plain("hsigmoid"),
    "gelu": lambda op, _step, x, _shape, _arrays: op.gelu(x[0], "erf"),
    "add": _plain("add"),
    "multiply": _plain("multiply"),
    "concat": lambda op, _step, x, _shape, _arrays: op.concat(x, 1),
    "mean": _mean,
    "flatten": _flatten,
}
