"""Damage is what its numbers say, in the order in which a camera makes it."""

import numpy as np
import pytest

from assay.errors import InputError
from assay.models.damage import Damage, draw
from assay.pixels import filters, noise


def picture(shape=(40, 56), seed=0):
    rng = np.random.default_rng(seed)
    return filters.gaussian(rng.integers(0, 255, shape, dtype=np.uint8), sigma=2)


@pytest.mark.parametrize("shape", [(40, 56), (40, 56, 3)])
def test_no_damage_changes_nothing(shape):
    image = picture(shape)
    np.testing.assert_array_equal(Damage().apply(image, rng=np.random.default_rng(0)), image)
    assert str(Damage()) == "none"


@pytest.mark.parametrize("shape", [(40, 56), (40, 56, 3)])
def test_shape_and_kind_are_kept_and_the_input_is_left_alone(shape):
    image = picture(shape)
    before = image.copy()
    found = Damage(0.8, 0.1, 9, 0.05, 40).apply(image, rng=np.random.default_rng(0))
    assert (found.shape, found.dtype) == (shape, np.uint8)
    np.testing.assert_array_equal(image, before)


def test_blur_comes_before_noise_and_jpeg_last():
    image = picture()
    found = Damage(blur=1.5, gaussian=12).apply(image, rng=np.random.default_rng(3))
    np.testing.assert_array_equal(
        found, noise.gaussian(filters.gaussian(image, sigma=1.5), sigma=12, rng=np.random.default_rng(3))
    )
    spotted = Damage(impulses=0.3, jpeg=20).apply(np.full((64, 64), 128, np.uint8), rng=np.random.default_rng(0))
    assert len(np.unique(spotted)) > 3  # JPEG has smeared what was black and white on grey


def test_early_impulses_come_before_other_noise():
    image = picture()
    rng = np.random.default_rng(3)
    expected = noise.gaussian(noise.salt_and_pepper(image, fraction=0.1, rng=rng), sigma=9, rng=rng)
    found = Damage(gaussian=9, impulses=0.1, early=True)
    np.testing.assert_array_equal(found.apply(image, rng=np.random.default_rng(3)), expected)
    assert str(found) == "gaussian 9 + early salt-and-pepper 10%"


def test_jpeg_keeps_colours_in_their_place():
    red = np.zeros((32, 48, 3), np.uint8)
    red[..., 0] = 200
    found = Damage(jpeg=90).apply(red, rng=np.random.default_rng(0))
    assert np.abs(found.astype(int) - red).max() < 8


def test_it_says_what_it_is():
    assert str(Damage(blur=1, impulses=0.1)) == "blur 1 + salt-and-pepper 10%"
    assert str(Damage(gaussian=25, jpeg=30)) == "gaussian 25 + JPEG 30"


def test_drawn_mixtures_have_up_to_three_kinds_and_some_have_none():
    rng = np.random.default_rng(0)
    kinds = [
        sum(v > 0 for v in (d.blur, d.speckle, d.gaussian, d.impulses, d.jpeg))
        for d in (draw(rng=rng) for _ in range(2000))
    ]
    share = np.bincount(kinds) / 2000
    assert share == pytest.approx([0.15, 0.85 * 0.35, 0.85 * 0.45, 0.85 * 0.2], abs=0.04)
    assert all(draw(clean=1.0, rng=rng) == Damage() for _ in range(5))


def test_what_is_not_allowed():
    with pytest.raises(InputError, match=r"a quality in 1\.\.100, or 0 for none, got 101"):
        Damage(jpeg=101)
    with pytest.raises(InputError, match="needs a picture of uint8, got float32"):
        Damage().apply(np.zeros((9, 9), np.float32), rng=np.random.default_rng(0))
    with pytest.raises(InputError, match="sigma must be"):
        Damage(gaussian=-1).apply(picture(), rng=np.random.default_rng(0))
