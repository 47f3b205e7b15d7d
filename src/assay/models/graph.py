"""A network as a list of steps and plain arrays: what can be kept in a file, checked, and laid in any engine.

Shapes are those of one picture, without the batch: (C, H, W), or (D,) after the mean or the flattening. A graph that
comes from a file is data to be checked, never code: a step can only do what stands in `OPS`, each array must have the
shape that its step needs, and the whole must fit into stated limits before anything is computed.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import InputError

STEPS = 2000  # of a graph, at most
NUMBERS = 1 << 26  # of what one step gives, at most: 256 MB
WORK = 2 * 10**11  # multiplications for a picture, at most: ten times VGG16's at 256 pixels

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its name, what is done, to what (names of inputs or of earlier steps), and with which whole numbers."""

    name: str
    op: str
    inputs: tuple[str, ...]
    options: Mapping[str, tuple[int, ...]]

    def numbers(self, option: str, default: Shape) -> Shape:
        """Return an option.

        Args:
            option: its name.
            default: where the step does not have it.
        """
        return tuple(self.options.get(option, default))


@dataclass(frozen=True, slots=True)
class Graph:
    """A network, or a part of one.

    inputs: shape of each thing that goes in, by name; steps: in the order in which they are done, the last one gives
    the result; weights: float32, named after their steps: "NAME.weight" and "NAME.bias".
    """

    inputs: Mapping[str, Shape]
    steps: tuple[Step, ...]
    weights: Mapping[str, np.ndarray]

    @property
    def output(self) -> str:
        """The name of what comes out."""
        return self.steps[-1].name

    def upto(self, name: str) -> "Graph":
        """Return the part that ends with a step.

        Args:
            name: of the step.

        Raises:
            InputError: there is no such step.
        """
        names = [step.name for step in self.steps]
        if name not in names:
            raise InputError(f"a graph can be cut after one of its steps, got {name!r}")
        return self._part(self.steps[: names.index(name) + 1], self.inputs)

    def after(self, name: str) -> "Graph":
        """Return the part that begins behind a step, with what that step gives as its input.

        Args:
            name: of the step.

        Raises:
            InputError: there is no such step, none follows, or later ones also need what stands before it.
        """
        shape = shapes(self.upto(name))[name]
        steps = self.steps[len(self.upto(name).steps) :]
        inside = {name, *(step.name for step in steps)}
        outside = [x for step in steps for x in step.inputs if x not in inside]
        if not steps or outside:
            raise InputError(
                f"a graph can be cut where one thing goes on, got {name!r}, behind which {outside} is used"
            )
        return self._part(steps, {name: shape})

    def then(self, other: "Graph") -> "Graph":
        """Return this graph followed by another, whose one input is what this one gives.

        Args:
            other: with an input named like this graph's output.
        """
        return Graph(self.inputs, self.steps + other.steps, {**self.weights, **other.weights})

    def _part(self, steps: tuple[Step, ...], inputs: Mapping[str, Shape]) -> "Graph":
        needed = {f"{step.name}.{kind}" for step in steps for kind in ("weight", "bias")}
        return Graph(inputs, steps, {name: w for name, w in self.weights.items() if name in needed})


def shapes(graph: Graph) -> dict[str, Shape]:
    """Check a graph from end to end, and say what shape everything in it has.

    Args:
        graph: of any origin.

    Returns:
        The shape of each input and of what each step gives, without the batch.

    Raises:
        InputError: a step is unknown, lacks what it needs, does not fit, or the whole is larger than the limits.

    >>> steps = (Step("a", "convolution", ("image",), {"stride": (2, 2)}), Step("b", "mean", ("a",), {}))
    >>> weights = {"a.weight": np.zeros((5, 3, 3, 3), np.float32), "a.bias": np.zeros(5, np.float32)}
    >>> shapes(Graph({"image": (3, 9, 8)}, steps, weights))["a"]
    (5, 4, 3)
    """
    if not 1 <= len(graph.steps) <= STEPS or not graph.inputs:
        raise InputError(f"a network must have 1 to {STEPS:,} steps and an input, got {len(graph.steps):,} steps")
    found: dict[str, Shape] = {}
    for name, shape in graph.inputs.items():
        if len(shape) not in {1, 3} or not all(_whole(n) and n >= 1 for n in shape) or math.prod(shape) > NUMBERS:
            raise InputError(f"an input must have 1 or 3 sides, {NUMBERS:,} numbers at most, got {name} of {shape}")
        found[name] = tuple(shape)
    work = 0
    for step in graph.steps:
        if step.name in found:
            raise InputError(f"every step must have a name of its own, got {step.name!r} twice")
        if step.op not in OPS:
            raise InputError(f"a step must be one of {', '.join(OPS)}, got {step.op!r} in {step.name!r}")
        missing = [x for x in step.inputs if x not in found]
        if missing or not step.inputs:
            raise InputError(f"a step must work on earlier ones, got {step.name!r} on {missing or 'nothing'}")
        shape, cost = OPS[step.op](step, [found[x] for x in step.inputs], graph.weights)
        work += cost
        if math.prod(shape) > NUMBERS or work > WORK:
            raise InputError(
                f"a network must give {NUMBERS:,} numbers at most and {WORK:.0e} multiplications in all, "
                f"got {shape} and {work:.1e} at {step.name!r}"
            )
        found[step.name] = shape
    unused = set(graph.weights) - {f"{step.name}.{kind}" for step in graph.steps for kind in ("weight", "bias")}
    if unused:
        raise InputError(f"every array must belong to a step, got {min(unused)!r}")
    return found


def padding(step: Step, shape: Shape, kernel: Shape) -> tuple[int, int, int, int]:
    """Return how many zeros go above, left, below and right.

    Args:
        step: a convolution or a pooling; the option "same" asks for as many as make sides shrink by the stride alone.
        shape: of what goes in.
        kernel: its height and width.
    """
    if not step.numbers("same", (0,))[0]:
        top, left, bottom, right = step.numbers("padding", (0, 0, 0, 0))
        return top, left, bottom, right
    stride = step.numbers("stride", (1, 1))
    needed = [max((-(-side // s) - 1) * s + k - side, 0) for side, s, k in zip(shape[1:], stride, kernel, strict=True)]
    return needed[0] // 2, needed[1] // 2, needed[0] - needed[0] // 2, needed[1] - needed[1] // 2


def as_plain(graph: Graph) -> dict[str, Any]:
    """Return what is not an array in plain JSON values.

    Args:
        graph: to be written.
    """
    return {
        "inputs": {name: list(shape) for name, shape in graph.inputs.items()},
        "steps": [
            {"name": s.name, "op": s.op, "inputs": list(s.inputs), **{k: list(v) for k, v in s.options.items()}}
            for s in graph.steps
        ],
    }


def from_plain(plain: Any, weights: Mapping[str, np.ndarray]) -> Graph:
    """Make a graph from what a file says, and check it.

    Args:
        plain: from `as_plain`, or anything.
        weights: arrays of the file; float32.

    Returns:
        The graph; its shapes fit.

    Raises:
        InputError: it is no graph, or one that must not be computed.
    """
    if not isinstance(plain, dict) or not isinstance(plain.get("steps"), list) or len(plain["steps"]) > STEPS:
        raise InputError(f"a network must be a list of {STEPS:,} steps at most, got {type(plain).__name__}")
    if not isinstance(plain.get("inputs"), dict):
        raise InputError("a network must say what goes in, got no inputs")
    steps = []
    for said in plain["steps"]:
        if not isinstance(said, dict) or not all(isinstance(said.get(k), str) for k in ("name", "op")):
            raise InputError(f"a step must have a name and an op, got {said!r:.80}")
        lists = {k: v for k, v in said.items() if k not in {"name", "op"}}
        if not all(isinstance(v, list) and len(v) <= 64 for v in lists.values()):
            raise InputError(f"what a step says must be lists, got {said!r:.80}")
        inputs = lists.pop("inputs", [])
        if not all(isinstance(x, str) for x in inputs):
            raise InputError(f"inputs of a step must be names, got {inputs!r:.80}")
        if not all(_whole(n) and 0 <= n <= 1 << 16 for v in lists.values() for n in v):
            raise InputError(f"options must be whole numbers from 0 to 65,536, got {said!r:.80}")
        steps.append(Step(said["name"], said["op"], tuple(inputs), {k: tuple(v) for k, v in lists.items()}))
    inputs = {}
    for name, shape in plain["inputs"].items():
        if not isinstance(shape, list):
            raise InputError(f"the shape of an input must be a list, got {shape!r:.80}")
        inputs[str(name)] = tuple(shape)
    graph = Graph(inputs, tuple(steps), weights)
    shapes(graph)
    return graph


Checked = tuple[Shape, int]
Weights = Mapping[str, np.ndarray]


def _whole(n: object) -> bool:
    return isinstance(n, int) and not isinstance(n, bool)


def _array(step: Step, kind: str, weights: Weights, shape: tuple[int | None, ...]) -> Shape:
    """Return the shape of an array of a step, which must be as said; None stands for any."""
    array = weights.get(f"{step.name}.{kind}")
    if array is None or array.dtype != np.float32 or len(array.shape) != len(shape) or 0 in array.shape:
        have = "none" if array is None else f"{array.dtype} {array.shape}"
        raise InputError(f"{step.name!r} needs a float32 {kind} of {len(shape)} sides, got {have}")
    if any(want not in {None, got} for want, got in zip(shape, array.shape, strict=True)):
        raise InputError(f"the {kind} of {step.name!r} must fit what goes in, got {array.shape}")
    return tuple(array.shape)


def _map(step: Step, shapes: list[Shape]) -> Shape:
    if len(shapes) != 1 or len(shapes[0]) != 3:
        raise InputError(f"{step.name!r} ({step.op}) works on one map (C, H, W), got {shapes}")
    return shapes[0]


def _window(step: Step, shape: Shape, kernel: Shape) -> tuple[int, int]:
    """Return height and width of what a sliding window gives."""
    stride, gap = step.numbers("stride", (1, 1)), step.numbers("dilation", (1, 1))
    if (
        len(stride) != 2
        or len(gap) != 2
        or len(step.numbers("padding", (0,) * 4)) != 4
        or not step.numbers("same", (0,))
    ):
        raise InputError(f"{step.name!r} needs 2 numbers of stride and dilation and 4 of padding, got {step.options}")
    if min(*stride, *gap, *kernel) < 1:
        raise InputError(f"stride, dilation and size of {step.name!r} must be >= 1, got {step.options}")
    reach = tuple((k - 1) * g + 1 for k, g in zip(kernel, gap, strict=True))
    top, left, bottom, right = padding(step, shape, reach)
    if step.op != "convolution" and (max(top, bottom) >= reach[0] or max(left, right) >= reach[1]):
        raise InputError(f"the padding of {step.name!r} must be under its size, got {step.options}")
    height, width = shape[1] + top + bottom - reach[0], shape[2] + left + right - reach[1]
    if min(height, width) < 0:
        raise InputError(f"{step.name!r} must fit into what goes in, got {kernel} on {shape}")
    return height // stride[0] + 1, width // stride[1] + 1


def _convolution(step: Step, shapes: list[Shape], weights: Weights) -> Checked:
    shape = _map(step, shapes)
    groups = step.numbers("groups", (1,))
    if len(groups) != 1 or groups[0] < 1 or shape[0] % groups[0]:
        raise InputError(f"groups of {step.name!r} must divide {shape[0]} channels, got {groups}")
    out, inside, *kernel = _array(step, "weight", weights, (None, shape[0] // groups[0], None, None))
    _array(step, "bias", weights, (out,))
    if out % groups[0]:
        raise InputError(f"groups of {step.name!r} must divide its {out} kernels, got {groups}")
    found = (out, *_window(step, shape, tuple(kernel)))
    return found, math.prod(found) * inside * math.prod(kernel)


def _pooling(step: Step, shapes: list[Shape], _: Weights) -> Checked:
    shape = _map(step, shapes)
    size = step.numbers("size", ())
    if len(size) != 2:
        raise InputError(f"{step.name!r} needs a size of 2 numbers, got {size}")
    found = (shape[0], *_window(step, shape, size))
    return found, math.prod(found) * math.prod(size)


def _dense(step: Step, shapes: list[Shape], weights: Weights) -> Checked:
    if len(shapes) != 1 or len(shapes[0]) != 1:
        raise InputError(f"{step.name!r} (dense) works on one row of numbers, got {shapes}")
    out, inside = _array(step, "weight", weights, (None, *shapes[0]))
    _array(step, "bias", weights, (out,))
    return (out,), out * inside


def _scale(step: Step, shapes: list[Shape], weights: Weights) -> Checked:
    if len(shapes) != 1:
        raise InputError(f"{step.name!r} (scale) works on one thing, got {shapes}")
    for kind in ("weight", "bias"):
        _array(step, kind, weights, shapes[0][:1])
    return shapes[0], math.prod(shapes[0])


def _each(step: Step, shapes: list[Shape], _: Weights) -> Checked:
    if len(shapes) != 1:
        raise InputError(f"{step.name!r} ({step.op}) works on one thing, got {shapes}")
    return shapes[0], math.prod(shapes[0])


def _join(step: Step, shapes: list[Shape], _: Weights) -> Checked:
    alike = len(shapes) == 2 and len(shapes[0]) == len(shapes[1])
    # One number a channel goes with a map, as in squeeze and excitation.
    if not alike or any(b not in {a, 1} for a, b in zip(*shapes, strict=True)) or shapes[0][0] != shapes[1][0]:
        raise InputError(f"{step.name!r} ({step.op}) works on two things of one shape, got {shapes}")
    return shapes[0], math.prod(shapes[0])


def _concat(step: Step, shapes: list[Shape], _: Weights) -> Checked:
    if len({shape[1:] for shape in shapes}) != 1 or len({len(shape) for shape in shapes}) != 1:
        raise InputError(f"{step.name!r} (concat) works on things that differ in channels alone, got {shapes}")
    found = (sum(shape[0] for shape in shapes), *shapes[0][1:])
    return found, math.prod(found)


def _mean(step: Step, shapes: list[Shape], _: Weights) -> Checked:
    shape = _map(step, shapes)
    return (shape[:1] if not step.numbers("keep", (0,))[0] else (shape[0], 1, 1)), math.prod(shape)


def _flatten(step: Step, shapes: list[Shape], _: Weights) -> Checked:
    if len(shapes) != 1:
        raise InputError(f"{step.name!r} (flatten) works on one thing, got {shapes}")
    return (math.prod(shapes[0]),), 0


ACTIVATIONS = ("relu", "relu6", "silu", "sigmoid", "tanh", "hardswish", "hardsigmoid", "gelu")
OPS: dict[str, Callable[[Step, list[Shape], Weights], Checked]] = {
    "convolution": _convolution,
    "max pool": _pooling,
    "average pool": _pooling,
    "dense": _dense,
    "scale": _scale,
    **dict.fromkeys(ACTIVATIONS, _each),
    "add": _join,
    "multiply": _join,
    "concat": _concat,
    "mean": _mean,
    "flatten": _flatten,
}
