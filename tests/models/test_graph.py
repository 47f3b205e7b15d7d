"""A graph is checked from end to end, and OpenVINO and ONNX run it as it is written out here in NumPy."""

import copy
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import erf

from assay.errors import InputError
from assay.models import backbone, graph, heads, inference, saved
from assay.models.graph import Graph, Step

C, H, W = 4, 9, 11
RNG = np.random.default_rng(0)


def weights(name, *shape):
    return {
        f"{name}.weight": RNG.normal(size=shape).astype("f4"),
        f"{name}.bias": RNG.normal(size=shape[0]).astype("f4"),
    }


def one(op, arrays=(), inputs=("in",), shape=(C, H, W), **options):
    """A graph of one step."""
    step = Step("s", op, inputs, {k: (v,) if isinstance(v, int) else v for k, v in options.items()})
    return Graph({"in": shape}, (step,), dict(arrays))


GRAPHS = {
    "convolution": one("convolution", weights("s", 6, C, 3, 2)),
    "strided and padded": one("convolution", weights("s", 6, C, 3, 3), stride=(2, 3), padding=(1, 0, 2, 1)),
    "same": one("convolution", weights("s", 5, C, 5, 3), stride=(2, 2), same=1),
    "groups": one("convolution", weights("s", 6, C // 2, 3, 3), groups=2),
    "depthwise": one("convolution", weights("s", C, 1, 3, 3), groups=C, same=1),
    "dilated": one("convolution", weights("s", 3, C, 3, 3), dilation=(2, 3)),
    "max pool": one("max pool", size=(3, 2), stride=(2, 2), padding=(1, 0, 1, 1)),
    "average pool": one("average pool", size=(3, 3), stride=(3, 2), padding=(0, 1, 0, 1)),
    "dense": one("dense", weights("s", 7, 13), shape=(13,)),
    "scale": one("scale", weights("s", C)),
    "scale a row": one("scale", weights("s", 13), shape=(13,)),
    "add": one("add", inputs=("in", "in")),
    "multiply": one("multiply", inputs=("in", "in")),
    "concat": one("concat", inputs=("in", "in", "in")),
    "mean": one("mean"),
    "mean that keeps": one("mean", keep=1),
    "flatten": one("flatten"),
} | {name: one(name) for name in graph.ACTIVATIONS}
every = pytest.mark.parametrize("made", GRAPHS.values(), ids=GRAPHS)


def windows(x, step, kernel, fill):
    """Every window of a padded map: (C, H', W', kh, kw)."""
    gap = step.numbers("dilation", (1, 1))
    reach = [(k - 1) * g + 1 for k, g in zip(kernel, gap, strict=True)]
    top, left, bottom, right = step.numbers("padding", (0, 0, 0, 0))
    if "same" in step.options:
        out = [-(-n // s) for n, s in zip(x.shape[1:], step.numbers("stride", (1, 1)), strict=True)]
        total = [
            max((o - 1) * s + k - n, 0)
            for o, s, k, n in zip(out, step.numbers("stride", (1, 1)), reach, x.shape[1:], strict=True)
        ]
        top, left = total[0] // 2, total[1] // 2
        bottom, right = total[0] - top, total[1] - left
    x = np.pad(x, ((0, 0), (top, bottom), (left, right)), constant_values=fill)
    seen = np.lib.stride_tricks.sliding_window_view(x, reach, axis=(1, 2))
    down, across = step.numbers("stride", (1, 1))
    return seen[:, ::down, ::across, :: gap[0], :: gap[1]]


def written_out(made, x):  # noqa: C901, PLR0911 - the definitions stand together
    """Oracle: what one step does, in the words of its definition."""
    (step,), x = made.steps, x.astype(float)
    w, b = (made.weights.get(f"s.{kind}") for kind in ("weight", "bias"))
    match step.op:
        case "convolution":
            groups = step.numbers("groups", (1,))[0]
            seen = windows(x, step, w.shape[2:], 0.0)
            outs, ins = len(w) // groups, len(x) // groups
            parts = [
                np.einsum("chwij,ocij->ohw", seen[g * ins : (g + 1) * ins], w[g * outs : (g + 1) * outs])
                for g in range(groups)
            ]
            return np.concatenate(parts) + b[:, None, None]
        case "max pool":
            return windows(x, step, step.options["size"], -np.inf).max(axis=(3, 4))
        case "average pool":
            return windows(x, step, step.options["size"], 0.0).mean(axis=(3, 4))
        case "dense":
            return w @ x + b
        case "scale":
            return x * w.reshape(-1, *[1] * (x.ndim - 1)) + b.reshape(-1, *[1] * (x.ndim - 1))
        case "add":
            return x + x
        case "multiply":
            return x * x
        case "concat":
            return np.concatenate([x] * 3)
        case "mean":
            return x.mean(axis=(1, 2), keepdims="keep" in step.options)
        case "flatten":
            return x.ravel()
    sigmoid = 1 / (1 + np.exp(-x))
    hard = np.clip(x / 6 + 0.5, 0, 1)
    return {
        "relu": np.maximum(x, 0),
        "relu6": np.clip(x, 0, 6),
        "silu": x * sigmoid,
        "sigmoid": sigmoid,
        "tanh": np.tanh(x),
        "hardswish": x * hard,
        "hardsigmoid": hard,
        "gelu": x * (1 + erf(x / np.sqrt(2))) / 2,
    }[step.op]


@every
def test_a_step_does_what_its_definition_says(made):
    x = np.random.default_rng(1).normal(size=(2, *made.inputs["in"])).astype("f4") * 3
    runner = inference.Runner(made)
    assert runner.shape == graph.shapes(made)["s"]
    found = runner.run(x)
    for item, result in zip(x, found, strict=True):
        np.testing.assert_allclose(result, written_out(made, item), atol=2e-5, rtol=1e-4)


@every
def test_onnx_says_the_same(made):
    pytest.importorskip("onnx", reason="writing ONNX needs the extra train")
    from assay.models import interchange

    shrunk = {"size": (32, 32), "stride": (32, 32)}
    before = [Step("small", "average pool", ("image",), shrunk), Step("lit", "scale", ("small",), {})]
    arrays = {"lit.weight": np.full(3, 1 / 64, "f4"), "lit.bias": np.full(3, -2, "f4")}
    before.append(Step("in", "convolution", ("lit",), {}))
    arrays |= weights("in", C, 3, 1, 1)
    if len(made.inputs["in"]) == 1:
        before[-1:] = [Step("row", "flatten", ("lit",), {}), Step("in", "dense", ("row",), {})]
        arrays |= weights("in", 13, 192)
    steps = (*before, *made.steps, Step("flat", "flatten", ("s",), {}))
    names = {f"{step.name}.{kind}" for step in steps for kind in ("weight", "bias")}
    tail = Graph({"image": (3, 256, 256)}, steps, {k: v for k, v in {**arrays, **made.weights}.items() if k in names})
    (width,) = graph.shapes(tail)["flat"]
    head = heads.Head(("a", "b", "c"), RNG.normal(size=(3, width)).astype("f4") / width, np.zeros(3, "f4"), 0.7, 1.0)
    pictures = RNG.integers(0, 256, (3, 256, 256, 3), dtype=np.uint8)
    told, strange = interchange.run(interchange.write(saved.Model(head, None, {}, tail)), pictures)
    assert strange is None
    np.testing.assert_allclose(told, head.probabilities(inference.Runner(tail).run(pictures)), atol=1e-5)


def test_a_cut_graph_goes_on_where_it_was_cut():
    whole = backbone.graph().upto("features")
    first, rest = whole.upto("block 9"), whole.after("block 9")
    picture = RNG.integers(0, 256, (1, 256, 256, 3), dtype=np.uint8)
    middle = inference.Runner(first).run(picture)
    np.testing.assert_allclose(inference.Runner(rest).run(middle), inference.Runner(whole).run(picture), atol=1e-5)
    assert first.then(rest).steps == whole.steps
    assert first.weights.keys() | rest.weights.keys() == whole.weights.keys()


def test_a_graph_is_cut_only_where_one_thing_goes_on():
    with pytest.raises(InputError, match="cut where one thing goes on"):
        backbone.graph().after("block 2 expand")  # what goes in there is added again behind it
    with pytest.raises(InputError, match="cut after one of its steps, got 'block 99'"):
        backbone.graph().upto("block 99")


def test_what_is_plain_makes_the_same_graph():
    for made in GRAPHS.values():
        again = graph.from_plain(json.loads(json.dumps(graph.as_plain(made))), made.weights)
        assert (dict(again.inputs), again.steps) == (dict(made.inputs), made.steps)


GOOD = graph.as_plain(backbone.graph().after("block 14").upto("features"))
ARRAYS = backbone.graph().after("block 14").upto("features").weights


def changed(step=0, **values):
    plain = copy.deepcopy(GOOD)
    plain["steps"][step] |= values
    return plain


HOSTILE = {
    "no steps": ({**GOOD, "steps": []}, "1 to 2,000 steps"),
    "no list": ({**GOOD, "steps": "run"}, "must be a list of 2,000 steps"),
    "no network": (None, "must be a list of 2,000 steps"),
    "too many steps": ({**GOOD, "steps": GOOD["steps"] * 300}, "2,000 steps at most"),
    "no inputs": ({"steps": GOOD["steps"]}, "must say what goes in"),
    "an input of 2**40 numbers": ({**GOOD, "inputs": {"block 14": [192, 2**20, 2**20]}}, "numbers at most"),
    "an input that is no shape": ({**GOOD, "inputs": {"block 14": "x"}}, "must be a list"),
    "an input of parts": ({**GOOD, "inputs": {"block 14": [192, 8.5, 8]}}, "must have 1 or 3 sides"),
    "an unknown op": (changed(op="import_os"), "a step must be one of"),
    "a call": (changed(op="__class__"), "a step must be one of"),
    "no name": (changed(name=3), "must have a name and an op"),
    "the same name": (changed(1, name="block 15 expand"), "a name of its own"),
    "a loop": (changed(inputs=["features"]), "must work on earlier ones"),
    "no input": (changed(inputs=[]), "must work on earlier ones"),
    "an input of numbers": (changed(inputs=[1]), "must be names"),
    "options of text": (changed(stride=["1", "1"]), "whole numbers"),
    "options below 0": (changed(stride=[-1, 1]), "whole numbers"),
    "options of truth": (changed(stride=[True, True]), "whole numbers"),
    "huge options": (changed(padding=[1 << 20] * 4), "whole numbers"),
    "a stride of 0": (changed(stride=[0, 1]), "must be >= 1"),
    "a stride of 3 numbers": (changed(stride=[1, 1, 1]), "2 numbers of stride"),
    "groups that do not divide": (changed(groups=[7]), "must divide"),
    "padding without end": (changed(same=[0], padding=[60_000] * 4), "numbers at most"),
    "a pool of padding": (changed(op="max pool", size=[2, 2], same=[0], padding=[2] * 4), "padding .* under its size"),
    "a window that does not fit": (changed(2, same=[0], dilation=[50, 50]), "must fit into what goes in"),
    "weights of another step": (changed(name="other"), "needs a float32 weight"),
}


@pytest.mark.parametrize(("plain", "words"), HOSTILE.values(), ids=HOSTILE)
def test_a_graph_that_lies_is_refused_before_anything_is_computed(plain, words):
    with pytest.raises(InputError, match=words):
        graph.from_plain(plain, ARRAYS)


@pytest.mark.parametrize(
    ("name", "array", "words"),
    [
        ("block 15 expand.weight", np.zeros((1152, 191, 1, 1), "f4"), "must fit what goes in"),
        ("block 15 expand.weight", np.zeros((1152, 192), "f4"), "float32 weight of 4 sides"),
        ("block 15 expand.weight", np.zeros((1152, 192, 1, 1)), "needs a float32 weight"),
        ("block 15 expand.bias", np.zeros(3, "f4"), "must fit what goes in"),
        ("block 15 expand.weight", np.zeros((0, 192, 1, 1), "f4"), "float32 weight of 4 sides"),
        ("stowaway.weight", np.zeros(3, "f4"), "every array must belong to a step"),
    ],
)
def test_arrays_of_another_network_are_refused(name, array, words):
    with pytest.raises(InputError, match=words):
        graph.from_plain(GOOD, {**ARRAYS, name: array})


def test_a_network_that_would_never_end_is_refused():
    steps = [
        {"name": f"{i}", "op": "convolution", "inputs": ["in" if i == 0 else f"{i - 1}"], "same": [1]}
        for i in range(99)
    ]
    arrays = {}
    for i in range(99):
        arrays |= {f"{i}.weight": np.zeros((64, 64, 7, 7), "f4"), f"{i}.bias": np.zeros(64, "f4")}
    with pytest.raises(InputError, match="multiplications in all"):
        graph.from_plain({"inputs": {"in": [64, 256, 256]}, "steps": steps}, arrays)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 1 << 40) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_any_damage_is_refused_or_leaves_a_graph_that_fits(data):
    plain = copy.deepcopy(GOOD)
    step = data.draw(st.sampled_from(plain["steps"]))
    step[data.draw(st.sampled_from([*step, "stride", "groups", "size"]))] = data.draw(JSON)
    try:
        found = graph.from_plain(plain, ARRAYS)
    except InputError:
        return
    assert graph.shapes(found)
