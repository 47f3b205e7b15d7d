"""Figures of networks are pictures of the size they should have, and show what they are given."""

import io

import numpy as np
import pytest
from PIL import Image

from assay.errors import InputError
from assay.report import networks, plots

IMAGE = np.random.default_rng(0).integers(0, 256, (20, 30, 3)).astype(np.uint8)


def opened(png):
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def test_tint_is_warm_where_it_is_above_nothing_and_cold_below():
    signs = np.zeros((20, 30))
    signs[:, :10], signs[:, 20:] = 1, -1
    found = networks.tinted(IMAGE, signs).astype(int)
    assert (found[:, :10, 0] >= found[:, :10, 2]).all()
    assert (found[:, 20:, 0] <= found[:, 20:, 2]).all()
    np.testing.assert_array_equal(found[:, 10:20, 0], found[:, 10:20, 2])
    np.testing.assert_array_equal(
        networks.tinted(IMAGE[..., 0], signs * 0)[..., 0], networks.tinted(IMAGE[..., 0], signs * 0)[..., 1]
    )


def test_an_answer_is_drawn_for_any_name_and_for_no_difference():
    chances = [("<b>a</b>\n" * 9, 0.7), ("b", 0.3)]
    for occlusion in (np.zeros((20, 30)), np.linspace(-1, 1, 600).reshape(20, 30)):
        drawn = opened(networks.answer(IMAGE, np.zeros((20, 30)), occlusion, chances, target=chances[0][0], cover=5))
        assert drawn.std() > 10


def test_maps_are_a_row_for_each_layer_and_twelve_at_most():
    layers = [(f"conv {i}", np.random.default_rng(i).normal(size=(9, 6, 8)).astype(np.float32)) for i in range(30)]
    heights = [opened(networks.maps(layers[:n])).shape[0] for n in (1, 2, 12, 30)]
    assert heights[1] > heights[0]
    assert heights[3] == heights[2]
    with pytest.raises(InputError, match="a shelf must have a picture"):
        networks.maps([])


def test_a_map_that_is_flat_is_black():
    drawn = opened(networks.maps([("conv 1", np.full((1, 6, 8), 3, np.float32))]))
    assert (drawn == 0).all(axis=2).mean() > 0.3


def test_the_kernels_of_a_network_that_learned_nothing_are_grey():
    drawn = opened(networks.kernels(np.zeros((20, 3, 3, 3), np.float32)))
    assert (np.abs(drawn.astype(int) - 127) <= 1).all(axis=2).mean() > 0.3
    assert opened(networks.kernels(np.ones((2, 1, 5, 5), np.float32))).shape[0] > 40


@pytest.mark.parametrize("shape", [(3, 7), (1000, 1280), (2, 1)])
def test_weights_are_drawn_whatever_their_number(shape):
    weight = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    names = [f"class {i}" for i in range(shape[0])]
    assert opened(networks.dense("classes", weight, outputs=names)).shape == (640, 1280, 3)
    assert opened(networks.dense("classes", np.zeros(shape, np.float32))).std() > 1


@pytest.mark.parametrize("epochs", [[(1, 1.0, None)], [(1, 2.0, 2.1), (2, 1.0, 1.4), (3, 0.5, 1.6)]])
def test_a_curve_of_learning_is_drawn_with_and_without_validation(epochs):
    drawn = opened(plots.png(lambda ax: networks.learning(epochs, best=len(epochs), ax=ax)))
    assert drawn.std() > 5
