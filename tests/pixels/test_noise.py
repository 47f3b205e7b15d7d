"""Noise has the amount that was asked for, and is found again by looking at the picture alone."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from skimage import data

from assay.errors import InputError
from assay.pixels import noise

NOISES = {
    "gaussian": lambda x, rng: noise.gaussian(x, sigma=12, rng=rng),
    "salt and pepper": lambda x, rng: noise.salt_and_pepper(x, fraction=0.1, rng=rng),
    "speckle": lambda x, rng: noise.speckle(x, sigma=0.2, rng=rng),
    "poisson": lambda x, rng: noise.poisson(x, photons=300, rng=rng),
}
every = pytest.mark.parametrize("name", NOISES)
every_dtype = pytest.mark.parametrize("dtype", [np.uint8, np.float32])


def flat(level, dtype, shape=(300, 400)):
    return np.full(shape, level if dtype == np.uint8 else level / 255, dtype)


def levels(image):
    return image.astype(float) * (1 if image.dtype == np.uint8 else 255)


@every
@every_dtype
@pytest.mark.parametrize("shape", [(17, 23), (17, 23, 3)])
def test_shape_dtype_and_range_are_kept_and_the_seed_decides(name, dtype, shape):
    image = flat(100, dtype, shape)
    image.setflags(write=False)
    result = NOISES[name](image, np.random.default_rng(0))
    assert (result.shape, result.dtype) == (shape, dtype)
    assert 0 <= levels(result).min() <= levels(result).max() <= 255
    assert (levels(image) == levels(image)[0, 0]).all()
    np.testing.assert_array_equal(result, NOISES[name](image, np.random.default_rng(0)))
    assert (result != NOISES[name](image, np.random.default_rng(1))).any()
    np.testing.assert_array_equal(
        NOISES[name](image[::-1, ::-2], np.random.default_rng(0)),
        NOISES[name](image[::-1, ::-2].copy(), np.random.default_rng(0)),
    )


@every_dtype
def test_the_variance_is_what_the_noise_is_defined_by(dtype):
    rng = np.random.default_rng(0)
    rounding = 1 / 12 if dtype == np.uint8 else 0
    image = flat(100, dtype)
    for result, variance in (
        (noise.gaussian(image, sigma=12, rng=rng), 12**2),
        (noise.speckle(image, sigma=0.1, rng=rng), 10**2),
        (noise.poisson(image, photons=510, rng=rng), 100 / 2),  # counts of mean and variance 200, halved
    ):
        assert levels(result).mean() == pytest.approx(100, abs=0.2)
        # The standard error of a variance of 120,000 values is 0.4 %.
        assert levels(result).var() == pytest.approx(variance + rounding, rel=0.02)
    np.testing.assert_array_equal(noise.gaussian(image, sigma=0, rng=rng), image)
    np.testing.assert_array_equal(noise.speckle(flat(0, dtype), sigma=3, rng=rng), 0)
    np.testing.assert_array_equal(noise.poisson(flat(0, dtype), photons=9, rng=rng), 0)


@every_dtype
def test_salt_and_pepper_hits_whole_pixels_in_the_shares_asked_for(dtype):
    image = flat(100, dtype, (300, 400, 3))
    found = levels(noise.salt_and_pepper(image, fraction=0.2, salt=0.25, rng=np.random.default_rng(0)))
    white, black = (found == 255).all(axis=2), (found == 0).all(axis=2)
    assert white.mean() == pytest.approx(0.05, abs=0.003)
    assert black.mean() == pytest.approx(0.15, abs=0.005)
    np.testing.assert_array_equal(found[~(white | black)], levels(image)[0, 0, 0])
    assert (levels(noise.salt_and_pepper(image, fraction=1, salt=1, rng=np.random.default_rng(0))) == 255).all()


@settings(max_examples=60, deadline=None)
@given(sigma=st.floats(2, 35), seed=st.integers(0, 99))
def test_sigma_is_found_again_on_a_smooth_picture(sigma, seed):
    rng = np.random.default_rng(seed)
    image = ndimage.gaussian_filter(rng.random((96, 120)), 6)
    image = (120 + 40 * (image - image.mean()) / np.ptp(image)) / 255
    noisy = noise.gaussian(image.astype(np.float32), sigma=sigma, rng=rng)
    assert noise.sigma(noisy) == pytest.approx(sigma, rel=0.05, abs=0.1)


@pytest.mark.parametrize("sigma", [5, 10, 30])
@pytest.mark.parametrize("name", ["camera", "astronaut", "coffee"])
def test_sigma_is_found_again_on_photographs(name, sigma):
    part = getattr(data, name)()[:288, :320]
    image = part.astype(np.float32) / 255 * 0.5 + 0.25  # nothing is cut off
    own = noise.sigma(image)
    found = noise.sigma(noise.gaussian(image, sigma=sigma, rng=np.random.default_rng(0)))
    assert found == pytest.approx(np.hypot(sigma, own), rel=0.06)


def test_a_flat_picture_has_no_noise():
    assert noise.sigma(flat(77, np.uint8, (40, 50))) == pytest.approx(0, abs=1e-3)
    assert noise.impulse_fraction(flat(77, np.uint8, (40, 50))) == 0
    assert noise.impulse_fraction(flat(0, np.uint8, (40, 50))) == 0
    assert noise.impulse_fraction(flat(255, np.float32, (40, 50))) == 0


@pytest.mark.parametrize("fraction", [0.01, 0.05, 0.2, 0.4])
@pytest.mark.parametrize("name", ["camera", "astronaut", "coffee"])
@every_dtype
def test_the_share_of_impulses_is_found_again_on_photographs(name, fraction, dtype):
    image = getattr(data, name)()[:288, :320]
    image = image if dtype == np.uint8 else (image / 255).astype(np.float32)
    noisy = noise.salt_and_pepper(image, fraction=fraction, rng=np.random.default_rng(0))
    assert noise.impulse_fraction(noisy) == pytest.approx(fraction, rel=0.06, abs=0.003)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x, rng: noise.gaussian(x, sigma=-1, rng=rng), "sigma must be finite and >= 0, got -1"),
        (lambda x, rng: noise.speckle(x, sigma=np.nan, rng=rng), "sigma must be finite and >= 0, got nan"),
        (lambda x, rng: noise.salt_and_pepper(x, fraction=1.1, rng=rng), r"fraction must be in 0\.\.1, got 1.1"),
        (lambda x, rng: noise.salt_and_pepper(x, fraction=0.1, salt=-1, rng=rng), r"salt must be in 0\.\.1, got -1"),
        (lambda x, rng: noise.poisson(x, photons=0, rng=rng), "photons must be finite and > 0, got 0"),
        (
            lambda x, rng: noise.poisson(x.astype(np.float32) - 99, photons=9, rng=rng),
            "must be >= 0 to count photons, got",
        ),
        (lambda x, _: noise.sigma(x[:20]), "must have 24 x 24 pixels at least, got 20 x 30"),
        (lambda x, _: noise.impulse_fraction(x[:1]), "must have 3 x 3 pixels at least, got 1 x 30"),
        (lambda x, rng: noise.gaussian(x.astype(float), sigma=1, rng=rng), "must be uint8"),
    ],
)
def test_an_error_says_what_must_hold(call, message):
    with pytest.raises(InputError, match=message):
        call(np.zeros((25, 30), np.uint8), np.random.default_rng(0))
