"""Colours are counted by hue, saturation and value, wherever they are in the picture."""

import colorsys

import numpy as np
import pytest

from assay.errors import InputError
from assay.pixels.palette import BINS, palette


def image(height=11, width=7, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)


def test_the_histogram_is_that_of_the_definition_pixel_by_pixel():
    counts = np.zeros(BINS)
    for pixel in image().reshape(-1, 3) / 255:
        h, s, v = colorsys.rgb_to_hsv(*pixel)
        counts[int(h * BINS[0] + 0.5) % BINS[0], min(int(s * BINS[1]), 3), min(int(v * BINS[2]), 3)] += 1
    np.testing.assert_allclose(palette(image()), np.sqrt(counts.ravel() / counts.sum()), atol=1e-6)


def test_its_length_is_one_and_places_do_not_matter():
    picture = image()
    before = picture.copy()
    found = palette(picture)
    assert (found.dtype, found.shape) == (np.float32, (128,))
    assert np.linalg.norm(found) == pytest.approx(1)
    np.testing.assert_array_equal(palette(picture[::-1, ::-1]), found)
    np.testing.assert_array_equal(palette(np.tile(picture, (2, 3, 1))), found)
    np.testing.assert_array_equal(picture, before)


def test_grey_is_colour_without_saturation_and_types_agree():
    grey = image()[..., 0]
    np.testing.assert_array_equal(palette(grey), palette(np.dstack([grey] * 3)))
    dark = np.full((3, 5, 3), [0.9, 0.1, 0.1], np.float32)
    np.testing.assert_array_equal(palette(dark), palette((dark * 255).round().astype(np.uint8)))


def test_what_is_no_picture_is_refused():
    with pytest.raises(InputError):
        palette(np.zeros((4, 4, 2), np.uint8))
