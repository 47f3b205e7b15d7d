"""Grey is the weighted sum, 8 bits are rounded, and white shows through what is transparent."""

import numpy as np
import pytest
import skimage

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


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_linear_grey_is_as_bright_as_the_colours_were(dtype):
    image = picture((9, 12, 3), dtype)
    before = image.copy()
    shares = image.astype(float) / (255 if dtype == np.uint8 else 1)
    light = np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)
    total = light @ [0.2126, 0.7152, 0.0722]
    encoded = np.where(total <= 0.0031308, total * 12.92, 1.055 * total ** (1 / 2.4) - 0.055)
    found = colour.grey_linear(image)
    assert (found.shape, found.dtype) == ((9, 12), dtype)
    np.testing.assert_allclose(found / (255 if dtype == np.uint8 else 1), encoded, atol=0.003)
    np.testing.assert_array_equal(image, before)
    greys = np.repeat(image[..., :1], 3, axis=2)
    np.testing.assert_allclose(colour.grey_linear(greys), greys[..., 0], atol=1e-6)
    np.testing.assert_array_equal(colour.grey_linear(image[..., 0]), image[..., 0])


@pytest.mark.parametrize(
    ("into", "back", "theirs", "unit"),
    [
        (colour.hsv, colour.from_hsv, skimage.color.rgb2hsv, [360, 1, 1]),
        (colour.lab, colour.from_lab, skimage.color.rgb2lab, [1, 1, 1]),
    ],
    ids=["hsv", "lab"],
)
def test_other_spaces_are_those_of_scikit_image_and_lead_back(into, back, theirs, unit):
    image = picture((90, 120, 3), np.uint8)
    image[0], image[1] = 0, 255
    found = into(image)
    np.testing.assert_allclose(found, theirs(image) * unit, atol=0.02)
    np.testing.assert_array_equal(colour.to_uint8(back(found)), image)
    floats = picture((9, 12, 3), np.float32)
    np.testing.assert_allclose(back(into(floats)), floats, atol=1e-5)
    assert into(image[..., 0]).shape == (90, 120, 3)


def test_a_hue_beyond_the_circle_comes_round():
    found = colour.from_hsv(np.array([[[-120, 1, 1], [240, 1, 1], [600, 1, 1]]], np.float32))
    np.testing.assert_allclose(found, [[[0, 0, 1]] * 3], atol=1e-6)


def test_channels_are_taken_and_shown_in_their_own_colour():
    image = picture((9, 12, 3), np.uint8)
    np.testing.assert_array_equal(colour.channel(image, name="green"), image[..., 1])
    layers = colour.split(image)
    assert list(layers) == ["red", "green", "blue"]
    np.testing.assert_array_equal(sum(layers.values()), image)
    assert not layers["blue"][..., :2].any()
    with pytest.raises(InputError, match="channel must be one of red, green, blue, got 'alpha'"):
        colour.channel(image, name="alpha")
    with pytest.raises(InputError, match=r"must be \(H, W, 3\) to have a red channel"):
        colour.split(image[..., 0])
