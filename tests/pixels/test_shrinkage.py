"""Shrinkage equals its definition, square by square, and takes noise away but little else."""

import cv2
import numpy as np
import pytest
from scipy import fft, ndimage

from assay.errors import InputError
from assay.pixels import fidelity, noise
from assay.pixels.shrinkage import dct, wiener

SHRINK = {
    "dct": lambda x, **o: dct(x, sigma=12, **o),
    "wiener": lambda x, **o: wiener(x, sigma=12, pilot=np.ascontiguousarray(x), **o),
}
every = pytest.mark.parametrize("name", SHRINK)
every_dtype = pytest.mark.parametrize("dtype", [np.uint8, np.float32])
every_shape = pytest.mark.parametrize("shape", [(17, 23), (17, 23, 3)])


def picture(shape, dtype=np.uint8, seed=0):
    rough = ndimage.gaussian_filter(np.random.default_rng(seed).random(shape), (3, 3, 0)[: len(shape)])
    x = (rough - rough.min()) / np.ptp(rough) * 0.8 + 0.1
    return (x * 255).round().astype(dtype) if dtype == np.uint8 else x.astype(dtype)


def noisy(shape, seed=0, sigma=12):
    return noise.gaussian(picture(shape, seed=seed), sigma=sigma, rng=np.random.default_rng(seed))


def by_squares(plane, shrink, pilot=None, step=1):
    """Oracle: the definition, one square after the other."""
    wide = [np.pad(x.astype(float), 7, mode="symmetric") for x in (plane, plane if pilot is None else pilot)]
    total, count = np.zeros_like(wide[0]), np.zeros_like(wide[0])
    for y in range(0, wide[0].shape[0] - 7, step):
        for x in range(wide[0].shape[1] - 7):
            place = np.s_[y : y + 8, x : x + 8]
            own, led = (fft.dctn(w[place], norm="ortho") for w in wide)
            kept = shrink(own, led)
            kept[0, 0] = own[0, 0]
            total[place] += fft.idctn(kept, norm="ortho")
            count[place] += 1
    return (total / count)[7:-7, 7:-7]


def thresholded(own, _):
    return np.where(np.abs(own) > 2.7 * 12, own, 0)


@pytest.mark.parametrize("step", [1, 2, 4])
def test_dct_keeps_or_drops_each_coefficient(step):
    image = noisy((18, 27))
    expected = by_squares(image, thresholded, step=step).clip(0, 255)
    assert np.abs(dct(image, sigma=12, step=step) - expected).max() < 0.51


def test_wiener_weighs_each_coefficient_by_the_pilots():
    image, pilot = noisy((18, 27)), picture((18, 27))
    expected = by_squares(image, lambda own, led: own * led**2 / (led**2 + 12**2), pilot).clip(0, 255)
    assert np.abs(wiener(image, sigma=12, pilot=pilot) - expected).max() < 0.51


def test_colour_is_shrunk_as_grey_and_two_differences():
    image = noisy((18, 27, 3))
    apart = fft.dct(image.astype(float), axis=2, norm="ortho")
    found = np.stack([by_squares(apart[..., c], thresholded) for c in range(3)], axis=-1)
    expected = fft.idct(found, axis=2, norm="ortho").clip(0, 255)
    assert np.abs(dct(image, sigma=12) - expected).max() < 0.51


@every
@every_dtype
@every_shape
def test_shape_and_dtype_are_kept_and_the_input_is_left_alone(name, dtype, shape):
    image = picture(shape, dtype)
    image.setflags(write=False)
    before = image.copy()
    result = SHRINK[name](image)
    assert (result.shape, result.dtype) == (shape, dtype)
    assert result.flags.c_contiguous
    assert not np.shares_memory(result, image)
    np.testing.assert_array_equal(image, before)


@every
@every_dtype
@every_shape
def test_a_flat_picture_stays_flat(name, dtype, shape):
    flat = np.full(shape, 77 if dtype == np.uint8 else 0.3, dtype)
    np.testing.assert_allclose(SHRINK[name](flat), flat, atol=0 if dtype == np.uint8 else 1e-5)


@every
@every_dtype
@every_shape
def test_without_noise_nothing_changes(name, dtype, shape):
    image = picture(shape, dtype)
    found = {"dct": dct(image, sigma=0), "wiener": wiener(image, sigma=0, pilot=image)}[name]
    np.testing.assert_array_equal(found, image)
    least = {"dct": dct(image, sigma=1e-4), "wiener": wiener(image, sigma=1e-4, pilot=image)}[name]
    np.testing.assert_allclose(least, image, atol=0 if dtype == np.uint8 else 1e-5)  # all squares together are 1


@every
def test_a_mirrored_or_turned_picture_gives_the_same_result(name):
    image = noisy((19, 26))
    result = SHRINK[name](image).astype(int)
    for turn in (lambda x: x[::-1], lambda x: x[:, ::-1], np.rot90):
        assert np.abs(SHRINK[name](turn(image)).astype(int) - turn(result)).max() <= 1


@every
@pytest.mark.parametrize("shape", [(300, 280), (300, 280, 3)])
def test_any_number_of_threads_gives_the_same(name, shape):
    image, threads = noisy(shape), cv2.getNumThreads()
    results = []
    for count in (1, 3):
        cv2.setNumThreads(count)
        results.append(SHRINK[name](image, step=2))
    cv2.setNumThreads(threads)
    np.testing.assert_array_equal(*results)


@every
def test_eight_bits_and_floats_say_the_same(name):
    image = noisy((33, 41, 3))
    floats = SHRINK[name]((image / np.float32(255)).astype(np.float32))
    assert np.abs(SHRINK[name](image) - floats * 255).max() <= 0.75


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (5, 3, 3)])
def test_the_smallest_pictures(shape):
    image = picture(shape) if min(shape[:2]) > 1 else np.full(shape, 9, np.uint8)
    assert dct(image, sigma=5).shape == shape


def test_noise_goes_and_a_better_pilot_leads_better():
    clean = np.kron(picture((20, 25)), np.ones((8, 8), np.uint8))
    image = noise.gaussian(clean, sigma=20, rng=np.random.default_rng(0))
    first = dct(image, sigma=20)
    gains = [fidelity.psnr(x, clean) for x in (image, first, wiener(image, sigma=20, pilot=first))]
    best = fidelity.psnr(wiener(image, sigma=20, pilot=clean), clean)
    assert gains[0] + 4 < gains[1] < gains[2] < best


def test_what_is_not_allowed():
    image = picture((17, 23))
    for sigma in (-1, np.nan):
        with pytest.raises(InputError, match="sigma must be finite and >= 0"):
            dct(image, sigma=sigma)
    with pytest.raises(InputError, match="threshold must be finite and >= 0, got -1"):
        dct(image, sigma=1, threshold=-1)
    with pytest.raises(InputError, match="step must be 1, 2 or 4, got 3"):
        dct(image, sigma=1, step=3)
    with pytest.raises(InputError, match=r"pilot must be as the image, \(17, 23\) uint8, got \(17, 23\) float32"):
        wiener(image, sigma=1, pilot=image.astype(np.float32))
