"""Low and high passes are their definitions in the spectrum, whichever way is taken to get there."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import fft

from assay.errors import InputError
from assay.pixels import frequency

PASSED = {
    "ideal": lambda v, u, r, _: (v <= r) & (u <= r),
    "disc": lambda v, u, r, _: np.hypot(v, u) <= r,
    "gaussian": lambda v, u, r, _: np.exp(-(v**2 + u**2) / (2 * r**2)),
    "butterworth": lambda v, u, r, n: 1 / (1 + (np.hypot(v, u) / r) ** (2 * n)),
}
every_kind = pytest.mark.parametrize("kind", PASSED)
every_border = pytest.mark.parametrize("border", ["mirror", "wrap"])


def by_definition(image, radius, kind, border, order=2):
    """The recipe of every textbook: transform, multiply, transform back; mirrored if asked."""
    height, width = image.shape
    x = image.astype(float)
    if border == "mirror":
        x = np.block([[x, x[:, ::-1]], [x[::-1], x[::-1, ::-1]]])
    # Cycles per picture, not per mirrored picture.
    v, u = np.abs(np.fft.fftfreq(x.shape[0], 1 / height))[:, None], np.abs(np.fft.fftfreq(x.shape[1], 1 / width))
    found = np.fft.ifft2(np.fft.fft2(x) * PASSED[kind](v, u, radius, order)).real
    return found[:height, :width]


def picture(shape=(40, 51), seed=0):
    return np.random.default_rng(seed).random(shape, np.float32)


@every_kind
@every_border
@pytest.mark.parametrize("shape", [(40, 51), (51, 40), (7, 8), (2, 3)])
@pytest.mark.parametrize("radius", [0.5, 3, 5.5, 12, 100])
def test_low_pass_is_its_definition(kind, border, shape, radius):
    image = picture(shape)
    found = frequency.lowpass(image, radius=radius, kind=kind, border=border)
    np.testing.assert_allclose(found, by_definition(image, radius, kind, border), atol=1e-4)


@every_border
@pytest.mark.parametrize("kind", ["ideal", "gaussian"])
@pytest.mark.parametrize("radius", [1, 4, 40])
def test_both_ways_to_a_low_pass_agree(kind, border, radius, monkeypatch):
    image = picture((300, 400))
    quick = frequency.lowpass(image, radius=radius, kind=kind, border=border)
    monkeypatch.setattr(frequency, "_WAVES", 0)
    np.testing.assert_allclose(frequency.lowpass(image, radius=radius, kind=kind, border=border), quick, atol=2e-5)


@every_kind
@every_border
@settings(max_examples=40, deadline=None)
@given(radius=st.floats(0, 30), seed=st.integers(0, 99))
def test_low_and_high_add_up_to_the_picture(kind, border, radius, seed):
    image = picture(seed=seed) * np.float32(0.2) + np.float32(0.4)
    low = frequency.lowpass(image, radius=radius, kind=kind, border=border)
    high = frequency.highpass(image, radius=radius, kind=kind, border=border)
    np.testing.assert_allclose(low + high - 0.5, image, atol=1e-5)
    sharp = frequency.highpass(image, radius=radius, kind=kind, border=border, edges_only=False)
    np.testing.assert_allclose(sharp, image + high - 0.5, atol=1e-5)


@every_kind
@every_border
def test_at_radius_nothing_only_the_mean_is_left_and_far_out_everything(kind, border):
    image = picture()
    nothing = frequency.lowpass(image, radius=0, kind=kind, border=border)
    np.testing.assert_allclose(nothing, image.mean(), atol=1e-5)
    np.testing.assert_allclose(frequency.lowpass(image, radius=1e7, kind=kind, border=border), image, atol=1e-5)


@every_border
def test_a_wave_passes_whole_or_not_at_all(border):
    x = np.arange(60) + 0.5
    wave = np.repeat(0.5 + 0.4 * np.cos(2 * np.pi * 5 * x / 60)[None], 40, axis=0).astype(np.float32)
    np.testing.assert_allclose(frequency.lowpass(wave, radius=5, border=border), wave, atol=1e-5)
    np.testing.assert_allclose(frequency.lowpass(wave, radius=4.4, border=border), 0.5, atol=1e-5)


def test_the_order_of_butterworth_makes_it_steep():
    image = picture()
    found = [frequency.lowpass(image, radius=6, kind="butterworth", order=n) for n in (1, 4, 60)]
    expected = by_definition(image, 6, "butterworth", "mirror", order=4)
    np.testing.assert_allclose(found[1], expected, atol=1e-5)
    # Coefficients that lie on the circle itself pass by a half.
    np.testing.assert_allclose(found[2], by_definition(image, 6.01, "disc", "mirror"), atol=0.05)


def test_eight_bits_are_rounded_and_cut_off():
    image = np.where(np.add.outer(np.arange(40), np.arange(51)) < 40, 0, 255).astype(np.uint8)
    found = frequency.lowpass(image, radius=6)
    expected = by_definition(image, 6, "ideal", "mirror")
    assert expected.min() < 0
    np.testing.assert_allclose(found, np.clip(expected, 0, 255), atol=0.51)
    high = frequency.highpass(image, radius=6)
    np.testing.assert_allclose(high, np.clip(128.0 + image - expected, 0, 255), atol=0.51)


def test_the_spectrum_is_in_decibels_with_the_mean_in_the_middle():
    image = (picture((20, 31)) * 255).astype(np.uint8)
    expected = 20 * np.log10(1 + np.abs(fft.fftshift(fft.fft2(image.astype(float)))))
    found = frequency.spectrum(image)
    np.testing.assert_allclose(found, expected, atol=1e-3)
    assert found[10, 15] == pytest.approx(20 * np.log10(1 + image.sum(dtype=float)), abs=1e-3)
    np.testing.assert_allclose(frequency.spectrum((image / 255).astype(np.float32)), found, atol=1e-2)
    assert frequency.spectrum(np.repeat(image[..., None], 3, axis=2)).shape == (20, 31)


@pytest.mark.parametrize("function", [frequency.lowpass, frequency.highpass])
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"radius": -1}, "radius must be a finite number of cycles per picture >= 0, got -1"),
        ({"radius": np.inf}, "radius must be a finite number"),
        ({"radius": 3, "kind": "cubic"}, "kind must be one of ideal, disc, gaussian, butterworth, got 'cubic'"),
        ({"radius": 3, "border": "zero"}, "border must be one of mirror, wrap, got 'zero'"),
        ({"radius": 3, "order": 0}, "order must be >= 1, got 0"),
    ],
)
def test_an_error_says_what_must_hold(function, options, message):
    with pytest.raises(InputError, match=message):
        function(picture(), **options)


@pytest.mark.parametrize("bad", [np.zeros((1, 9), np.uint8), np.zeros((4, 5)), np.full((4, 5), np.nan, np.float32)])
def test_what_is_no_picture_is_refused(bad):
    for call in (frequency.spectrum, lambda x: frequency.highpass(x, radius=2)):
        with pytest.raises(InputError, match="a picture must"):
            call(bad)
