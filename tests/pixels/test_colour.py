"""Grey is the weighted sum, 8 bits are rounded, and white shows through what is transparent."""

import numpy as np
import pytest

from assay.errors import InputError
from assay.pixels import colour


def picture(shape, dtype, seed=0):
    x = np.random.default_rng(seed).random(shape)
    return (x * 256).astype(dtype) if dtype != np.float32 else x.astype(dtype)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_grey_is_the_weighted_sum(dtype):
    image = picture((9, 12, 3), dtype)
    before = image.copy()
    found = colour.grey(image)
    expected = image.astype(float) @ [0.299, 0.587, 0.114]
    np.testing.assert_allclose(found, expected, atol=0.51 if dtype == np.uint8 else 1e-6)
    assert found.dtype == dtype
    np.testing.assert_array_equal(image, before)


def test_grey_stays_grey():
    image = picture((9, 12), np.uint8)
    np.testing.assert_array_equal(colour.grey(image), image)
    np.testing.assert_array_equal(colour.grey(np.stack([image] * 3, -1)), image)


def test_eight_bits_are_rounded_and_clipped():
    image = picture((9, 12, 3), np.uint8)
    np.testing.assert_array_equal(colour.to_uint8((image / 255).astype(np.float32)), image)
    assert colour.to_uint8(np.array([[-0.1, 1.1, 0.5]], np.float32)).tolist() == [[0, 255, 128]]
    with pytest.raises(InputError, match="must be uint8 or float32, got float64"):
        colour.to_uint8(np.zeros((2, 3)))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", [(300, 7), (300, 7, 1), (300, 7, 3)])
def test_on_white_is_the_mixture(dtype, shape):
    white = np.iinfo(dtype).max
    colours = np.random.default_rng(1).integers(0, white + 1, shape, dtype=dtype)
    alpha = np.random.default_rng(2).integers(0, white + 1, shape[:2], dtype=dtype)
    alpha[0], alpha[1] = 0, white
    found = colour.on_white(colours, alpha)
    flat = colours[..., 0] if shape[-1] == 1 else colours
    share = (alpha / white).reshape(*alpha.shape, *[1] * (flat.ndim - 2))
    np.testing.assert_allclose(found, flat * share + white * (1 - share), atol=0.51)
    assert (found[0] == white).all()
    np.testing.assert_array_equal(found[1], flat[1])
