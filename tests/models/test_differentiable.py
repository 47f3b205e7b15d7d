"""A graph in torch gives what OpenVINO gives, step for step, and a rebuilt model says what the model says."""

import numpy as np
import pytest

from assay.errors import InputError
from assay.models import backbone, differentiable, heads, inference, inside, network, saved
from assay.models.graph import ACTIVATIONS, Graph, Step, shapes

torch = pytest.importorskip("torch", reason="the extra train is not installed")
C, H, W = 4, 9, 12
RNG = np.random.default_rng(0)


def weights(*shape):
    return {
        "step.weight": RNG.normal(size=shape).astype(np.float32),
        "step.bias": RNG.normal(size=shape[0]).astype(np.float32),
    }


ONE = {
    "convolution": ({"stride": (2, 1), "same": (1,)}, weights(6, C, 3, 3)),
    "convolution by channel": ({"groups": (C,), "padding": (1, 0, 2, 1), "dilation": (2, 1)}, weights(C, 1, 3, 2)),
    "max pool": ({"size": (3, 2), "stride": (2, 2), "padding": (1, 0, 1, 1)}, {}),
    "average pool": ({"size": (3, 2), "stride": (2, 2), "padding": (1, 0, 1, 1)}, {}),
    "scale": ({}, weights(C)),
    "mean": ({}, {}),
    "mean kept": ({"keep": (1,)}, {}),
    "flatten": ({}, {}),
    **{name: ({}, {}) for name in ACTIVATIONS},
}


def both(graph, x):
    module = differentiable._runner()(graph)
    with torch.inference_mode():
        found = module(torch.from_numpy(x)).numpy()
    return found, inference.Runner(graph, threads=1).run(x)


@pytest.mark.parametrize("name", ONE)
def test_a_step_gives_what_openvino_gives(name):
    options, arrays = ONE[name]
    op = name.removesuffix(" by channel").removesuffix(" kept")
    graph = Graph({"x": (C, H, W)}, (Step("step", op, ("x",), options),), arrays)
    found, expected = both(graph, RNG.normal(scale=3, size=(2, C, H, W)).astype(np.float32))
    assert found.shape == (2, *shapes(graph)["step"])
    np.testing.assert_allclose(found, expected, atol=2e-3 if name == "gelu" else 1e-4)


def test_steps_that_join_give_what_openvino_gives():
    steps = (
        Step("soft", "sigmoid", ("x",), {}),
        Step("sum", "add", ("x", "soft"), {}),
        Step("product", "multiply", ("sum", "soft"), {}),
        Step("all", "concat", ("product", "x"), {}),
        Step("row", "mean", ("all",), {}),
        Step("step", "dense", ("row",), {}),
    )
    graph = Graph({"x": (C, H, W)}, steps, weights(3, 2 * C))
    found, expected = both(graph, RNG.normal(size=(2, C, H, W)).astype(np.float32))
    np.testing.assert_allclose(found, expected, atol=1e-4)


def model(tail, width):
    head = heads.Head(
        ("a", "b", "c"), RNG.normal(size=(3, width)).astype(np.float32), np.zeros(3, np.float32), 1.7, 1.0
    )
    return saved.Model(head, None, {}, tail)


TAILS = {
    "head": None,
    "block 15": backbone.graph().upto("features").after("block 14"),
    "picture": Graph(
        {"image": (3, backbone.SIZE, backbone.SIZE)},
        (
            Step("small", "average pool", ("image",), {"size": (16, 16), "stride": (16, 16)}),
            Step("step", "convolution", ("small",), {}),
            Step("bent", "relu", ("step",), {}),
            Step("row", "mean", ("bent",), {}),
        ),
        weights(5, 3, 3, 3),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TAILS)
def test_a_rebuilt_model_says_what_the_model_says(name):
    tail = TAILS[name]
    loaded = model(tail, backbone.WIDTH if tail is None else shapes(tail)[tail.output][0])
    views = RNG.integers(0, 256, (1, 1, 8, 8, 3)).astype(np.uint8).repeat(32, axis=2).repeat(32, axis=3)
    seen = backbone.Backbone(threads=1, tail=tail).see(views)
    expected = loaded.head.probabilities(heads.root(seen.features) if tail is None else seen.tail)
    module = differentiable.rebuild(loaded)
    found = inside.look_inside(module, views[0, 0], cover=backbone.SIZE, threads=1)
    chances = np.exp(found.logits - found.logits.max())
    np.testing.assert_allclose(chances / chances.sum(), expected[0], atol=5e-3)  # features are kept in float16
    wanted = {"head": "head", "block 15": "last", "picture": "step"}[name]
    assert found.maps[-1].name == wanted
    assert found.layer == wanted
    assert found.maps[-1].values.min() >= 0  # behind its activation
    assert len(found.kernels.weight) == (5 if name == "picture" else 32)


def test_models_of_tiles_and_tails_that_begin_inside_a_block_are_refused():
    tiles = saved.Model(model(None, 3).head, None, {"views": "tiles"}, None)
    with pytest.raises(InputError, match="MODEL must look at whole pictures"):
        differentiable.rebuild(tiles)
    tail = backbone.graph().upto("features").after("block 0 depthwise relu6")
    with pytest.raises(
        InputError, match=r"must begin behind a whole part of the network.*got 'block 0 depthwise relu6'"
    ):
        differentiable.rebuild(model(tail, backbone.WIDTH))


def test_a_head_that_does_not_fit_is_refused():
    with pytest.raises(InputError, match="weights must be those of this network"):
        network.headed(np.zeros((3, 7), np.float32), np.zeros(3, np.float32))
