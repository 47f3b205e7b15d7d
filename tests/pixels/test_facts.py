"""Each fact equals its definition written out, and moves the way its name says."""

import cv2
import numpy as np
import pytest
from PIL import Image, ImageFilter, ImageStat

from assay.errors import InputError
from assay.pixels.facts import Facts, facts, histogram


def picture(shape=(70, 90, 3), seed=0):
    rough = np.random.default_rng(seed).integers(0, 256, (7, 9, 3), dtype=np.uint8)
    image = cv2.resize(rough, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)
    return image if len(shape) == 3 else image[..., 0].copy()


def written_out(image):
    """Oracle: definitions, one at a time, for pictures of less than 128 rows."""
    grey = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    x = grey.astype(float)
    r, g, b = np.moveaxis(np.dstack([image] * 3) if image.ndim == 2 else image, -1, 0).astype(float)
    perceived = x if image.ndim == 2 else np.sqrt(0.241 * r**2 + 0.691 * g**2 + 0.068 * b**2)
    p = np.pad(x, 1, mode="reflect")
    laplacian = p[:-2, 1:-1] + p[2:, 1:-1] + p[1:-1, :-2] + p[1:-1, 2:] - 4 * x
    share = np.bincount(grey.ravel(), minlength=256) / grey.size
    rg, yb = r - g, (r + g) / 2 - b
    n = [[1, -2, 1], [-2, 4, -2], [1, -2, 1]]
    rows, columns = x.shape[0] - 2, x.shape[1] - 2
    noise = sum(n[i][j] * x[i : i + rows, j : j + columns] for i in range(3) for j in range(3))
    small = Image.fromarray(grey)
    ratio = max(grey.shape) / 64
    if ratio > 1:
        small = small.resize((int(grey.shape[1] // ratio), int(grey.shape[0] // ratio)), Image.Resampling.BICUBIC)
    return Facts(
        brightness=x.mean() / 255,
        brightness_5=np.percentile(perceived, 5) / 255,
        brightness_99=np.percentile(perceived, 99) / 255,
        contrast=x.std() / 255,
        sharpness=laplacian.var(),
        entropy=-sum(s * np.log2(s) for s in share if s),
        colourfulness=np.hypot(rg.std(), yb.std()) + 0.3 * np.hypot(rg.mean(), yb.mean()),
        noise_sigma=np.sqrt(np.pi / 2) * np.abs(noise).sum() / (6 * rows * columns),
        edges=ImageStat.Stat(small.filter(ImageFilter.FIND_EDGES)).stddev[0],
        spread=np.std(small.histogram()),
    )


@pytest.mark.parametrize("shape", [(70, 90, 3), (70, 90), (120, 66, 3), (30, 41), (3, 5, 3)])
@pytest.mark.parametrize("seed", range(3))
def test_facts_equal_their_definitions(shape, seed):
    image = picture(shape, seed)
    before = image.copy()
    found, expected = facts(image), written_out(image)
    for name in Facts.__dataclass_fields__:
        tolerance = {"edges": 0.3, "spread": 0.5, "brightness_5": 0.003, "brightness_99": 0.003}.get(name, 1e-6)
        assert getattr(found, name) == pytest.approx(getattr(expected, name), abs=tolerance, rel=1e-6), name
    np.testing.assert_array_equal(image, before)


def test_a_larger_picture_differs_little_from_its_definitions():
    found, expected = facts(picture((300, 410, 3))), written_out(picture((300, 410, 3)))
    assert found.brightness_99 == pytest.approx(expected.brightness_99, abs=0.01)
    assert found.colourfulness == pytest.approx(expected.colourfulness, rel=0.02)
    assert found.edges == pytest.approx(expected.edges, rel=0.1)


def test_a_flat_picture_has_nothing_in_it():
    found = facts(np.full((40, 50, 3), 51, np.uint8))
    assert found.brightness == pytest.approx(0.2)
    assert (found.brightness_5, found.brightness_99) == pytest.approx((0.2, 0.2), abs=0.002)
    assert (found.contrast, found.sharpness, found.entropy, found.colourfulness, found.noise_sigma) == (0, 0, 0, 0, 0)


@pytest.mark.parametrize("sigma", [3, 8, 15])
def test_noise_is_measured_in_grey_levels(sigma):
    clean = np.full((200, 240), 128.0) + np.linspace(-40, 40, 240)
    noisy = clean + np.random.default_rng(0).normal(0, sigma, clean.shape)
    assert facts(noisy.clip(0, 255).round().astype(np.uint8)).noise_sigma == pytest.approx(sigma, rel=0.05)


def test_blur_lowers_sharpness_and_grey_lowers_colourfulness():
    image = np.random.default_rng(1).integers(0, 256, (80, 90, 3), dtype=np.uint8)
    assert facts(cv2.GaussianBlur(image, (0, 0), 2)).sharpness < facts(image).sharpness / 10
    grey = np.stack([image[..., 0]] * 3, -1)
    assert facts(grey).colourfulness == 0 < facts(image).colourfulness


def test_a_view_gives_what_its_copy_gives():
    image = picture((60, 80, 3))
    assert facts(image[5:40:2, 70:10:-1]) == facts(image[5:40:2, 70:10:-1].copy())


def test_the_thinnest_pictures_have_facts():
    for shape in ((1, 1), (1, 300, 3), (300, 1), (2, 2, 3)):
        assert facts(np.full(shape, 9, np.uint8)).noise_sigma == 0


def test_floats_are_not_taken():
    with pytest.raises(InputError, match="facts needs a picture of uint8, got float32"):
        facts(np.zeros((3, 4), np.float32))


@pytest.mark.parametrize("shape", [(9, 12), (9, 12, 3)])
def test_a_histogram_counts_every_level_of_every_channel(shape):
    image = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    found = histogram(image)
    expected = [[(plane == level).sum() for level in range(256)] for plane in np.moveaxis(np.atleast_3d(image), 2, 0)]
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(histogram((image / 255).astype(np.float32)), expected)
    with pytest.raises(InputError, match="a picture must be uint8"):
        histogram(image.astype(int))
