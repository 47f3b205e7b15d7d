"""A graph of steps in, a module of torch out, through which slopes flow: how a model from a file is looked into."""

from collections import OrderedDict
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from ..errors import InputError
from . import inference, network
from .graph import ACTIVATIONS, Graph, Shape, Step, padding, shapes
from .saved import Model

_PARTS = {step: part for part, step in network.STEPS.items()}
_WINDOWS = ("convolution", "max pool", "average pool")


def rebuild(model: Model) -> Any:
    """Make a chain of torch that says what a classifier says.

    Args:
        model: that looks at whole pictures.

    Returns:
        A `torch.nn.Sequential` in evaluation mode: uint8 (n, 256, 256, 3) or shares in, calibrated logits out. Its part
        "tail", where there is one, is a module that runs a graph and keeps what convolutions and pools gave.

    Raises:
        InputError: the model looks at tiles, its tail begins where torch has no part, or torch is not installed.
    """
    if model.card.get("views") == "tiles":
        raise InputError("MODEL must look at whole pictures to be looked into, got one that looks at tiles as well")
    head = model.head
    weight, bias = head.weight / head.temperature, head.bias / head.temperature
    if model.tail is None:
        return network.headed(weight, bias)
    ((entry, shape),) = model.tail.inputs.items()
    chain: OrderedDict[str, Any] = OrderedDict()
    if entry == inference.IMAGE:
        chain["look"] = network.look(0.0, 1.0, shape=(shape[1], shape[2], shape[0]))
    else:
        before = OrderedDict(network.lite().named_children())
        last = _PARTS.get(entry, entry)
        if last not in before:
            raise InputError(f"MODEL must begin behind a whole part of the network to be looked into, got {entry!r}")
        for name, part in before.items():
            chain[name] = part
            if name == last:
                break
    chain["tail"] = _runner()(model.tail)
    chain["classes"] = network.torch().nn.Linear(weight.shape[1], weight.shape[0])
    network.load(chain["classes"], {"weight": weight, "bias": bias})
    return network.torch().nn.Sequential(chain).eval()


@cache
def _runner() -> Any:
    """Make the class of modules that run graphs; it cannot be made without torch."""
    t = network.torch()

    class Runner(t.nn.Module):  # type: ignore[name-defined, misc]
        """Runs a graph; `caught` is what its convolutions and pools gave the last time, behind their activation."""

        def __init__(self, graph: Graph) -> None:
            super().__init__()
            self.graph, self.known = graph, shapes(graph)
            self.weights = {name: t.from_numpy(np.array(a)) for name, a in graph.weights.items()}
            self.caught: dict[str, Any] = {}

        def forward(self, x: Any) -> Any:
            (entry,) = self.graph.inputs
            laid, behind = {entry: x}, dict[str, str]()
            self.caught = {}
            for step in self.graph.steps:
                arrays = [self.weights.get(f"{step.name}.{kind}") for kind in ("weight", "bias")]
                y = _LAYERS[step.op](t, step, [laid[n] for n in step.inputs], self.known[step.inputs[0]], arrays)
                laid[step.name] = y
                if step.op in _WINDOWS:
                    behind[step.name] = step.name
                    self.caught[step.name] = y
                elif step.op in ACTIVATIONS and step.inputs[0] in behind:
                    self.caught[behind[step.inputs[0]]] = y
            return laid[self.graph.output]

    return Runner


def _padded(t: Any, step: Step, x: Any, shape: Shape, kernel: Shape, *, value: float = 0.0) -> Any:
    gap = step.numbers("dilation", (1, 1))
    top, left, bottom, right = padding(step, shape, tuple((k - 1) * g + 1 for k, g in zip(kernel, gap, strict=True)))
    return t.nn.functional.pad(x, (left, right, top, bottom), value=value) if any((top, left, bottom, right)) else x


def _convolution(t: Any, step: Step, x: list[Any], shape: Shape, arrays: list[Any]) -> Any:
    weight, bias = arrays
    padded = _padded(t, step, x[0], shape, tuple(weight.shape[-2:]))
    (groups,) = step.numbers("groups", (1,))
    stride, gap = step.numbers("stride", (1, 1)), step.numbers("dilation", (1, 1))
    return t.nn.functional.conv2d(padded, weight, bias, stride, 0, gap, groups)


def _max_pool(t: Any, step: Step, x: list[Any], shape: Shape, _: list[Any]) -> Any:
    size = step.numbers("size", ())
    padded = _padded(t, step, x[0], shape, size, value=-np.inf)
    stride, gap = step.numbers("stride", (1, 1)), step.numbers("dilation", (1, 1))
    return t.nn.functional.max_pool2d(padded, size, stride, 0, gap)


def _average_pool(t: Any, step: Step, x: list[Any], shape: Shape, _: list[Any]) -> Any:
    size = step.numbers("size", ())
    return t.nn.functional.avg_pool2d(_padded(t, step, x[0], shape, size), size, step.numbers("stride", (1, 1)))


def _scale(_: Any, __: Step, x: list[Any], shape: Shape, arrays: list[Any]) -> Any:
    weight, bias = (a.reshape(1, -1, *[1] * (len(shape) - 1)) for a in arrays)
    return x[0] * weight + bias


def _mean(_: Any, step: Step, x: list[Any], __: Shape, ___: list[Any]) -> Any:
    return x[0].mean(dim=(2, 3), keepdim=bool(step.numbers("keep", (0,))[0]))


def _plain(name: str) -> Callable[..., Any]:
    return lambda t, _step, x, _shape, _arrays: getattr(t.nn.functional, name)(x[0])


_LAYERS: dict[str, Callable[..., Any]] = {
    "convolution": _convolution,
    "max pool": _max_pool,
    "average pool": _average_pool,
    "dense": lambda t, _step, x, _shape, arrays: t.nn.functional.linear(x[0], *arrays),
    "scale": _scale,
    **{name: _plain(name) for name in ("relu", "relu6", "silu", "sigmoid", "tanh", "hardswish", "hardsigmoid", "gelu")},
    "add": lambda _t, _step, x, _shape, _arrays: x[0] + x[1],
    "multiply": lambda _t, _step, x, _shape, _arrays: x[0] * x[1],
    "concat": lambda t, _step, x, _shape, _arrays: t.cat(x, 1),
    "mean": _mean,
    "flatten": lambda _t, _step, x, _shape, _arrays: x[0].flatten(1),
}
