"""A classifier in, an ONNX file out that other programs run: pictures in, probabilities and how strange they are out.

Written from the same steps that OpenVINO runs here; nothing is ever read in this format but to check what was written.
"""

import json
from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import InputError
from . import backbone, inference
from .abstain import Novelty
from .graph import Graph, Shape, Step, padding, shapes
from .saved import Model

OPSET = 18
_IMAGE, _RESULT, _STRANGE = "image", "probabilities", "strangeness"


def package() -> Any:
    """Import onnx, or say how to install it.

    Raises:
        InputError: it is not installed.
    """
    try:
        import onnx as module
    except ImportError as e:
        raise InputError("ONNX files need onnx, which is not installed: pip install 'assay[train]'") from e
    return module


def write(model: Model) -> bytes:
    """Write a classifier as ONNX.

    Args:
        model: that looks at whole pictures.

    Returns:
        The bytes of an ONNX file. In: "image", uint8 RGB [n, 256, 256, 3]; out: "probabilities", float32 [n, k], and,
        where the model has a rule for "none of these", "strangeness", float32 [n], which it refuses above 1. The names
        of the classes, the cut-off and the card's figures are in its metadata.

    Raises:
        InputError: onnx is not installed, or the model looks at tiles.
    """
    onnx = package()
    if model.card.get("views") == "tiles":
        raise InputError("MODEL must look at whole pictures, got one that looks at tiles too: run without --tiles")
    to = _Writer(onnx)
    size = [backbone.SIZE, backbone.SIZE]
    x = to.node("Cast", [_IMAGE], to=onnx.TensorProto.FLOAT)
    seen = {inference.IMAGE: to.node("Transpose", [x], perm=[0, 3, 1, 2])}
    (entry,) = model.tail.inputs if model.tail is not None else ("features",)
    last = "features" if model.novelty is not None else entry  # the rule looks at features, whatever learned
    if last != inference.IMAGE:
        seen |= to.graph(backbone.graph().upto(last), seen)
    taught = None if model.tail is None else to.graph(model.tail, seen)[model.tail.output]
    x = taught or to.node("Sqrt", [seen["features"]])  # as heads.root
    weight, bias = (a / np.float32(model.head.temperature) for a in (model.head.weight, model.head.bias))
    logits = to.node("Gemm", [x, to.array(weight), to.array(bias)], transB=1)
    to.node("Softmax", [logits], result=_RESULT, axis=1)
    helper, types = onnx.helper, onnx.TensorProto
    results = [helper.make_tensor_value_info(_RESULT, types.FLOAT, ["n", len(model.head.classes)])]
    if model.novelty is not None:
        to.strangeness(model.novelty, seen["features"])
        results.append(helper.make_tensor_value_info(_STRANGE, types.FLOAT, ["n"]))
    images = [helper.make_tensor_value_info(_IMAGE, types.UINT8, ["n", *size, 3])]
    made = helper.make_graph(to.nodes, "assay", images, results, to.arrays)
    file = helper.make_model(made, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8, producer_name="assay")
    kept = ("backbone", "method", "preprocessing", "cutoff", "prevalence", "sealed", "refuses", "refused", "seed")
    said = {"classes": list(model.head.classes)} | {name: model.card.get(name) for name in kept}
    helper.set_model_props(file, {name: json.dumps(value) for name, value in said.items()})
    onnx.checker.check_model(file)
    return bytes(file.SerializeToString())


def run(data: bytes, pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """Let OpenVINO read an ONNX file that was written here, and run it.

    Args:
        data: from `write`.
        pictures: uint8 (n, 256, 256, 3).

    Returns:
        float32 (n, k), probabilities; and float32 (n,), strangeness, or None where the file does not tell it.
    """
    ov = inference.openvino()
    core = ov.Core()
    compiled = core.compile_model(core.read_model(data, b""), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    found = compiled([pictures])
    return np.asarray(found[0]), np.asarray(found[1]) if len(found) > 1 else None


class _Writer:
    """Nodes and arrays so far."""

    def __init__(self, onnx: Any) -> None:
        self.onnx = onnx
        self.nodes: list[Any] = []
        self.arrays: list[Any] = []

    def node(self, op: str, inputs: list[str], *, result: str | None = None, **attributes: Any) -> str:
        name = result or f"{op.lower()}_{len(self.nodes)}"
        self.nodes.append(self.onnx.helper.make_node(op, inputs, [name], name=name, **attributes))
        return name

    def array(self, values: np.ndarray) -> str:
        name = f"array_{len(self.arrays)}"
        self.arrays.append(self.onnx.numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def graph(self, graph: Graph, names: dict[str, str]) -> dict[str, str]:
        """Write the steps of a graph; return the names of what each of them gives."""
        known, names = shapes(graph), dict(names)
        for step in graph.steps:
            x = [names[i] for i in step.inputs]
            arrays = [graph.weights.get(f"{step.name}.{kind}") for kind in ("weight", "bias")]
            names[step.name] = _NODES[step.op](self, step, x, known[step.inputs[0]], arrays)
        return names

    def strangeness(self, rule: Novelty, features: str) -> None:
        """Write a rule for "none of these" as `Novelty.score` counts, in units of its threshold."""

        def added(x: str, axis: int) -> str:
            return self.node("ReduceSum", [x, self.array(np.array([axis]))], keepdims=0)

        none = self.array(np.array(0, np.float32))
        length = self.node("ReduceL2", [features, self.array(np.array([1]))], keepdims=1)
        unit = self.node("Div", [features, self.node("Max", [length, self.array(np.array(1e-12, np.float32))])])
        point = self.node("Unsqueeze", [unit, self.array(np.array([1]))])
        away = self.node("Sub", [point, self.array(rule.centres[None])])  # [n, k, d]
        off = added(self.node("Mul", [away, away]), 2)
        inside = none
        if rule.basis.shape[1]:
            along = self.node("MatMul", [away, self.array(rule.basis)])
            squares = self.node("Mul", [along, along])
            inside = added(self.node("Div", [squares, self.array(rule.spread)]), 2)
            off = self.node("Max", [self.node("Sub", [off, added(squares, 2)]), none])
        beyond = self.node("Div", [off, self.array(np.array(rule.rest, np.float32))])
        nearest = self.node("ReduceMin", [self.node("Add", [inside, beyond]), self.array(np.array([1]))], keepdims=0)
        self.node("Div", [nearest, self.array(np.array(rule.threshold, np.float32))], result=_STRANGE)


def _window(step: Step, shape: Shape, kernel: Shape) -> dict[str, Any]:
    gap = step.numbers("dilation", (1, 1))
    reach = tuple((k - 1) * g + 1 for k, g in zip(kernel, gap, strict=True))
    strides = list(step.numbers("stride", (1, 1)))
    found = {"kernel_shape": list(kernel), "strides": strides, "pads": list(padding(step, shape, reach))}
    return found | ({"dilations": list(gap)} if step.op != "average pool" else {})


def _convolution(to: _Writer, step: Step, x: list[str], shape: Shape, arrays: list[Any]) -> str:
    options = _window(step, shape, arrays[0].shape[2:])
    return to.node("Conv", [x[0], *map(to.array, arrays)], group=step.numbers("groups", (1,))[0], **options)


def _max_pool(to: _Writer, step: Step, x: list[str], shape: Shape, _: list[Any]) -> str:
    return to.node("MaxPool", x, **_window(step, shape, step.numbers("size", ())))


def _average_pool(to: _Writer, step: Step, x: list[str], shape: Shape, _: list[Any]) -> str:
    return to.node("AveragePool", x, count_include_pad=1, **_window(step, shape, step.numbers("size", ())))


def _dense(to: _Writer, _: Step, x: list[str], __: Shape, arrays: list[Any]) -> str:
    return to.node("Gemm", [x[0], *map(to.array, arrays)], transB=1)


def _scale(to: _Writer, _: Step, x: list[str], shape: Shape, arrays: list[Any]) -> str:
    weight, bias = (to.array(a.reshape(1, -1, *[1] * (len(shape) - 1))) for a in arrays)
    return to.node("Add", [to.node("Mul", [x[0], weight]), bias])


def _mean(to: _Writer, step: Step, x: list[str], _: Shape, __: list[Any]) -> str:
    keep = step.numbers("keep", (0,))[0]
    return to.node("ReduceMean", [x[0], to.array(np.array([2, 3]))], keepdims=keep)


def _relu6(to: _Writer, _: Step, x: list[str], __: Shape, ___: list[Any]) -> str:
    return to.node("Clip", [x[0], to.array(np.array(0, np.float32)), to.array(np.array(6, np.float32))])


def _silu(to: _Writer, _: Step, x: list[str], __: Shape, ___: list[Any]) -> str:
    return to.node("Mul", [x[0], to.node("Sigmoid", x)])


def _gelu(to: _Writer, _: Step, x: list[str], __: Shape, ___: list[Any]) -> str:
    share = to.node("Erf", [to.node("Mul", [x[0], to.array(np.array(2**-0.5, np.float32))])])
    half = to.node("Mul", [x[0], to.array(np.array(0.5, np.float32))])
    return to.node("Mul", [half, to.node("Add", [share, to.array(np.array(1, np.float32))])])


def _plain(op: str, **attributes: Any) -> Callable[..., str]:
    return lambda to, _step, x, _shape, _arrays: to.node(op, x, **attributes)


_NODES: dict[str, Callable[..., str]] = {
    "convolution": _convolution,
    "max pool": _max_pool,
    "average pool": _average_pool,
    "dense": _dense,
    "scale": _scale,
    "relu": _plain("Relu"),
    "relu6": _relu6,
    "silu": _silu,
    "sigmoid": _plain("Sigmoid"),
    "tanh": _plain("Tanh"),
    "hardswish": _plain("HardSwish"),
    "hardsigmoid": _plain("HardSigmoid", alpha=1 / 6, beta=0.5),
    "gelu": _gelu,
    "add": _plain("Add"),
    "multiply": _plain("Mul"),
    "concat": _plain("Concat", axis=1),
    "mean": _mean,
    "flatten": _plain("Flatten", axis=1),
}
