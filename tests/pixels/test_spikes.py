"""Spikes go, and what is dark or bright by itself stays."""

import numpy as np
import pytest
from scipy import ndimage

from assay.errors import InputError
from assay.pixels import fidelity, noise
from assay.pixels.spikes import despike

every_dtype = pytest.mark.parametrize("dtype", [np.uint8, np.float32])
every_shape = pytest.mark.parametrize("shape", [(17, 23), (17, 23, 3)])


def picture(shape, dtype=np.uint8, seed=0, ends=(20, 235)):
    rough = ndimage.gaussian_filter(np.random.default_rng(seed).random(shape), (3, 3, 0)[: len(shape)])
    x = (rough - rough.min()) / np.ptp(rough) * (ends[1] - ends[0]) + ends[0]
    return x.round().astype(dtype) if dtype == np.uint8 else (x / 255).astype(dtype)


def one_by_one(image, tolerance):
    """Oracle: the definition, pixel by pixel, of a grey picture of 8 bits."""
    near = (image <= tolerance) | (image >= 255 - tolerance)
    median = ndimage.median_filter(image, 5, mode="reflect").astype(int)
    near &= np.abs(image.astype(int) - median) > 25
    wide, calm = np.pad(image, 2, mode="symmetric"), np.pad(~near, 2, mode="symmetric")
    out = image.copy()
    for y, x in zip(*np.nonzero(near), strict=True):
        for reach in (1, 2):
            place = np.s_[y + 2 - reach : y + 3 + reach, x + 2 - reach : x + 3 + reach]
            others = np.sort(wide[place][calm[place]])
            if len(others) >= (3 if reach == 1 else 1):
                found = int(others[(len(others) - 1) // 2])
                out[y, x] = found if abs(found - int(image[y, x])) > 25 else image[y, x]
                break
    return out


@pytest.mark.parametrize("tolerance", [0, 30])
@pytest.mark.parametrize("fraction", [0.05, 0.3, 0.8])
def test_it_equals_the_definition(tolerance, fraction):
    image = picture((21, 34), ends=(0, 255))
    spotted = noise.salt_and_pepper(image, fraction=fraction, rng=np.random.default_rng(1))
    np.testing.assert_array_equal(despike(spotted, tolerance=tolerance), one_by_one(spotted, tolerance))


@every_dtype
@every_shape
def test_shape_and_dtype_are_kept_and_the_input_is_left_alone(dtype, shape):
    image = noise.salt_and_pepper(picture(shape, dtype), fraction=0.1, rng=np.random.default_rng(0))
    image.setflags(write=False)
    before = image.copy()
    result = despike(image, tolerance=10)
    assert (result.shape, result.dtype) == (shape, dtype)
    assert not np.shares_memory(result, image)
    np.testing.assert_array_equal(image, before)


@every_dtype
@every_shape
def test_a_picture_that_is_neither_black_nor_white_stays(dtype, shape):
    image = picture(shape, dtype)
    np.testing.assert_array_equal(despike(image), image)


@every_shape
def test_eight_bits_and_floats_say_the_same(shape):
    image = noise.salt_and_pepper(picture(shape), fraction=0.1, rng=np.random.default_rng(0))
    floats = despike((image / 255).astype(np.float32))
    np.testing.assert_allclose(floats * 255, despike(image), atol=1e-3)


@pytest.mark.parametrize("level", [0, 255])
def test_what_is_black_or_white_by_itself_stays(level):
    image = picture((30, 40))
    image[5:20, 8:30] = level
    np.testing.assert_array_equal(despike(image)[5:20, 11:27], image[5:20, 11:27])
    flat = np.full((9, 12), level, np.uint8)
    np.testing.assert_array_equal(despike(flat), flat)


def test_a_colour_is_no_spike():
    image = picture((17, 23, 3))
    image[4:9, 5:8] = (255, 0, 0)
    np.testing.assert_array_equal(despike(image), image)


@every_shape
def test_nearly_all_comes_back_from_dense_spikes(shape):
    image = picture(shape)
    spotted = noise.salt_and_pepper(image, fraction=0.5, rng=np.random.default_rng(0))
    assert fidelity.psnr(despike(spotted), image) > fidelity.psnr(spotted, image) + 18


def test_noise_after_the_spikes_needs_tolerance():
    image = picture((60, 70), ends=(60, 200))
    rng = np.random.default_rng(0)
    spotted = noise.gaussian(noise.salt_and_pepper(image, fraction=0.05, rng=rng), sigma=10, rng=rng)
    strict, kind = (fidelity.psnr(despike(spotted, tolerance=t), image) for t in (0, 40))
    assert kind > strict + 3
    dark = noise.gaussian(np.full((50, 60), 25, np.uint8), sigma=8, rng=rng)
    assert (despike(dark, tolerance=40) != dark).mean() < 0.01


def test_what_is_not_allowed():
    with pytest.raises(InputError, match=r"tolerance must be in 0\.\.100, got -1"):
        despike(picture((17, 23)), tolerance=-1)
