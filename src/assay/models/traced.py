"""A network of torch in, the same network as a list of steps out: what a model file holds, and OpenVINO runs.

Only layers that have a step are taken, those of torch and some of timm by their names; what such a file can do is known
in advance. Dropout, which does nothing when a network is used, is left out.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import InputError
from . import network
from .graph import Graph, Shape, Step, shapes

_PLAIN = {
    "ReLU": "relu",
    "ReLU6": "relu6",
    "SiLU": "silu",
    "Sigmoid": "sigmoid",
    "Tanh": "tanh",
    "Hardswish": "hardswish",
    "Hardsigmoid": "hardsigmoid",
}
_NOTHING = {"Dropout", "Dropout2d", "DropPath", "Identity"}
_JOINED = {"add": "add", "iadd": "add", "mul": "multiply", "imul": "multiply"}
_CALLED = {name: name for name in ("relu", "relu6", "silu", "sigmoid", "tanh", "hardswish", "hardsigmoid")}


def trace(module: Any, shape: Shape, *, name: str, prefix: str = "") -> Graph:
    """Write a network down.

    Args:
        module: of torch, in any mode; what it does when it is used, not when it learns, is written.
        shape: of what goes in, without the batch.
        name: of what goes in.
        prefix: of the names of the steps, so that two graphs can be joined.

    Returns:
        The graph, checked.

    Raises:
        InputError: it has a layer for which there is no step.
    """
    fx = network.torch().fx

    class Tracer(fx.Tracer):  # type: ignore[name-defined, misc]
        """Takes the layers of torch, and what is made like one, as they are."""

        def is_leaf_module(self, m: Any, qualname: str) -> bool:
            return type(m).__name__ in {*_LAYERS, *_NOTHING} or bool(super().is_leaf_module(m, qualname))

    modules = dict(module.named_modules())
    writer = _Writer(prefix)
    try:
        nodes = Tracer().trace(module).nodes
    except (RuntimeError, TypeError, ValueError) as e:  # it asks what goes through it, and goes by the answer
        raise InputError(
            f"a network must do the same with every picture, whatever is in it, got one that asks: {e}"
        ) from e
    for node in nodes:
        inputs = [writer.known[a] for a in node.all_input_nodes if a in writer.known]
        if node.op == "placeholder":
            writer.known[node] = name
        elif node.op == "call_module":
            writer.layer(node, inputs, modules[node.target])
        elif node.op in {"call_function", "call_method"}:
            writer.call(node, inputs)
        elif node.op != "output":
            raise InputError(
                f"a network must be made of layers that a model file has a step for, got {node.op} {node.target!r}"
            )
    graph = Graph({name: shape}, tuple(writer.steps), writer.weights)
    shapes(graph)
    return graph


class _Writer:
    """Steps and arrays so far, and what each node of torch is called."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.steps: list[Step] = []
        self.weights: dict[str, np.ndarray] = {}
        self.known: dict[Any, str] = {}
        self.zeros: dict[str, tuple[str, Shape]] = {}  # zeros that the next window adds itself

    def add(self, node: Any, op: str, inputs: list[str], **options: Shape) -> str:
        name = f"{self.known[node]} {op}" if node in self.known else f"{self.prefix}{node.name}"
        self.steps.append(Step(name, op, tuple(inputs), options))
        self.known[node] = name
        return name

    def array(self, name: str, weight: Any, bias: Any) -> None:
        for kind, value in (("weight", weight), ("bias", bias)):
            array = value.detach().cpu().numpy() if hasattr(value, "detach") else value
            self.weights[f"{name}.{kind}"] = np.ascontiguousarray(array, np.float32)

    def window(self, node: Any, op: str, inputs: list[str], layer: Any, **options: Shape) -> str:
        """Add a convolution or a pooling, with the zeros that stand before it."""
        same = layer.padding == "same" or type(layer).__name__ == "Conv2dSame"
        above, left = _pair(layer.padding) if not isinstance(layer.padding, str) else (0, 0)
        pads = (above, left, above, left)
        source = inputs[0]
        if source in self.zeros and op == "convolution" and not same:
            source, more = self.zeros[source]
            pads = (pads[0] + more[0], pads[1] + more[1], pads[2] + more[2], pads[3] + more[3])
        if getattr(layer, "ceil_mode", False) or getattr(layer, "padding_mode", "zeros") != "zeros":
            raise InputError(f"windows must stop at the border and be padded with zeros, got {layer}")
        more_options = {"same": (1,)} if same else {"padding": pads}
        return self.add(node, op, [source], stride=_pair(layer.stride), **more_options, **options)

    def layer(self, node: Any, inputs: list[str], layer: Any) -> None:
        kind = type(layer).__name__
        if kind in _NOTHING:
            self.known[node] = inputs[0]
        elif kind in _PLAIN:
            self.add(node, _PLAIN[kind], inputs)
        elif kind in _LAYERS:
            _LAYERS[kind](self, node, inputs, layer)
        else:
            raise InputError(
                f"a network must be made of layers that a model file has a step for, got {layer} at {node.target!r}"
            )

    def call(self, node: Any, inputs: list[str]) -> None:
        name = node.target if isinstance(node.target, str) else getattr(node.target, "__name__", "")
        name, plain = name.strip("_"), set(node.kwargs) <= {"inplace"}
        along = (*node.args[1:], *node.kwargs.values())
        if name == "flatten" or (name in {"cat", "concat"} and along == (1,)):
            self.add(node, "flatten" if name == "flatten" else "concat", inputs)
        elif name == "mean" and along and tuple(along[0]) in {(2, 3), (-2, -1)}:
            self.add(node, "mean", inputs, keep=(int(bool(along[1:] and along[1])),))
        elif name in _JOINED and len(inputs) == 2 and plain:
            self.add(node, _JOINED[name], inputs)
        elif name in _CALLED and len(inputs) == 1 and plain:
            self.add(node, _CALLED[name], inputs)
        else:
            raise InputError(f"a network must be made of layers that a model file has a step for, got {name!r}")


def _pair(value: Any) -> tuple[int, int]:
    first, second = (value, value) if isinstance(value, int) else value
    return int(first), int(second)


def _look(to: _Writer, node: Any, inputs: list[str], layer: Any) -> None:
    mean, scale = (np.broadcast_to(x.detach().numpy().ravel(), 3) for x in (layer.mean, layer.scale))
    to.array(to.add(node, "scale", inputs), 1 / scale, -mean / scale)


def _convolution(to: _Writer, node: Any, inputs: list[str], layer: Any) -> None:
    gap, groups = _pair(layer.dilation), (int(layer.groups),)
    name = to.window(node, "convolution", inputs, layer, dilation=gap, groups=groups)
    to.array(name, layer.weight, layer.bias if layer.bias is not None else np.zeros(layer.out_channels))


def _norm(to: _Writer, node: Any, inputs: list[str], layer: Any) -> None:
    mean, variance = (x.detach().numpy() for x in (layer.running_mean, layer.running_var))
    gain = layer.weight.detach().numpy() / np.sqrt(variance + layer.eps)
    to.array(to.add(node, "scale", inputs), gain, layer.bias.detach().numpy() - mean * gain)


def _norm_and_more(to: _Writer, node: Any, inputs: list[str], layer: Any) -> None:
    _norm(to, node, inputs, layer)
    for part in (layer.drop, layer.act):
        to.layer(node, [to.known[node]], part)


def _max_pool(to: _Writer, node: Any, inputs: list[str], layer: Any) -> None:
    to.window(node, "max pool", inputs, layer, size=_pair(layer.kernel_size), dilation=_pair(layer.dilation))


def _average_pool(to: _Writer, node: Any, inputs: list[str], layer: Any) -> None:
    if not layer.count_include_pad and any(_pair(layer.padding)):
        raise InputError(f"an average must count the zeros around, got {layer}")
    to.window(node, "average pool", inputs, layer, size=_pair(layer.kernel_size))


def _mean(to: _Writer, node: Any, inputs: list[str], layer: Any) -> None:
    if layer.output_size not in (1, (1, 1)):
        raise InputError(f"an adaptive average must be over the whole map, got {layer}")
    to.add(node, "mean", inputs, keep=(1,))


def _flatten(to: _Writer, node: Any, inputs: list[str], _: Any) -> None:
    to.add(node, "flatten", inputs)


def _dense(to: _Writer, node: Any, inputs: list[str], layer: Any) -> None:
    bias = layer.bias if layer.bias is not None else np.zeros(layer.out_features)
    to.array(to.add(node, "dense", inputs), layer.weight, bias)


def _zeros(to: _Writer, node: Any, inputs: list[str], layer: Any) -> None:
    left, right, above, below = (int(n) for n in layer.padding)
    mark = f"{to.prefix}{node.name}"
    to.zeros[mark] = (inputs[0], (above, left, below, right))
    to.known[node] = mark


def _gelu(to: _Writer, node: Any, inputs: list[str], layer: Any) -> None:
    if getattr(layer, "approximate", "none") != "none":
        raise InputError(f"GELU must be the exact one, got {layer}")
    to.add(node, "gelu", inputs)


_LAYERS: dict[str, Callable[[_Writer, Any, list[str], Any], None]] = {
    "Look": _look,
    "Conv2d": _convolution,
    "Conv2dSame": _convolution,
    "BatchNorm2d": _norm,
    "BatchNormAct2d": _norm_and_more,
    "BatchNorm1d": _norm,
    "MaxPool2d": _max_pool,
    "AvgPool2d": _average_pool,
    "AdaptiveAvgPool2d": _mean,
    "Flatten": _flatten,
    "Linear": _dense,
    "ZeroPad2d": _zeros,
    "GELU": _gelu,
}
