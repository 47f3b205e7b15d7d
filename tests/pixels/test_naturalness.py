"""Naturalness tells damage: each kind moves its own numbers, and every picture has as many, all finite."""

import numpy as np
import pytest

from assay.errors import InputError
from assay.models.damage import jpeg
from assay.pixels import filters, naturalness, noise


@pytest.fixture(scope="module")
def photo(draw):
    return draw("temple", 3)


@pytest.mark.parametrize("shape", [(33, 47), (64, 40, 3), (32, 32, 3)])
@pytest.mark.parametrize("value", [0, 128, 255])
def test_flat_pictures_have_finite_numbers(shape, value):
    found = naturalness.measure(np.full(shape, value, np.uint8))
    assert np.isfinite(found).all()
    assert found.dtype == np.float32


def test_every_picture_has_as_many(photo):
    rough = np.random.default_rng(0).integers(0, 255, (50, 70, 3)).astype(np.uint8)
    sizes = {len(naturalness.measure(image)) for image in (photo, photo[..., 0].copy(), rough)}
    assert len(sizes) == 1


def test_the_picture_is_left_alone_and_bytes_and_floats_say_the_same(photo):
    before = photo.copy()
    found = naturalness.measure(photo)
    np.testing.assert_array_equal(photo, before)
    np.testing.assert_allclose(naturalness.measure(photo.astype(np.float32) / 255), found, atol=1e-5)


def test_grey_is_three_equal_channels(photo):
    grey = photo[..., 1].copy()
    np.testing.assert_allclose(naturalness.measure(grey), naturalness.measure(np.dstack([grey] * 3)), atol=1e-6)


@pytest.mark.parametrize(
    "damage",
    [
        lambda x, s: noise.gaussian(x, sigma=10 * s, rng=np.random.default_rng(0)),
        lambda x, s: filters.gaussian(x, sigma=1.0 * s),
        lambda x, s: jpeg(x, quality=60 // s),
        lambda x, s: (x // (16 * s)) * (16 * s),
    ],
    ids=["noise", "blur", "jpeg", "levels"],
)
def test_more_damage_lies_further_from_the_picture(photo, damage):
    clean = naturalness.measure(photo)
    far = [np.abs(naturalness.measure(damage(photo, s)) - clean).sum() for s in (1, 4)]
    assert 0 < far[0] < far[1]


def test_small_pictures_are_refused():
    with pytest.raises(InputError, match="32 x 32 pixels at least"):
        naturalness.measure(np.zeros((31, 60), np.uint8))
