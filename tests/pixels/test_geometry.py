"""Sizes are what they should be, and means survive; tiles cover the picture and turns undo each other."""

import numpy as np
import pytest

from assay.errors import InputError
from assay.pixels import geometry


def picture(shape, dtype=np.uint8, seed=0):
    x = np.random.default_rng(seed).random(shape)
    return (x * 256).astype(dtype) if dtype != np.float32 else x.astype(dtype)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("channels", [(), (3,)])
@pytest.mark.parametrize(
    ("make", "shape"),
    [
        (lambda x: geometry.fit(x, side=40), (24, 40)),
        (lambda x: geometry.square(x, size=16), (16, 16)),
        (lambda x: geometry.square(x, size=70), (70, 70)),
        (lambda x: geometry.square(x, size=200), (200, 200)),
        (lambda x: geometry.halve(x, times=2), (15, 25)),
        (lambda x: geometry.centre(x, fraction=0.5), (30, 30)),
    ],
    ids=["fit", "square, smaller", "square, both", "square, larger", "halve", "centre"],
)
def test_shape_dtype_and_flatness(dtype, channels, make, shape):
    image = picture((60, 100, *channels), dtype)
    before = image.copy()
    found = make(image)
    assert (found.shape, found.dtype) == ((*shape, *channels), dtype)
    np.testing.assert_array_equal(image, before)
    flat = np.full_like(image, 77 if dtype == np.uint8 else 0.3)
    np.testing.assert_allclose(make(flat), np.full_like(found, flat.flat[0]), rtol=1e-6)


def test_fit_keeps_what_fits_and_a_pixel_at_least():
    image = picture((30, 40))
    assert geometry.fit(image, side=40) is image
    assert geometry.fit(picture((2, 900)), side=50).shape == (1, 50)
    with pytest.raises(InputError, match="side must be >= 1, got 0"):
        geometry.fit(image, side=0)


@pytest.mark.parametrize("side", [37, 64, 90])
def test_fit_keeps_the_mean_and_takes_fine_stripes_for_grey(side):
    image = picture((150, 200), np.float32)
    assert geometry.fit(image, side=side).mean() == pytest.approx(image.mean(), abs=0.01)
    stripes = np.tile(np.array([0, 255], np.uint8), (120, 100))
    assert np.ptp(geometry.fit(stripes, side=64).astype(int)) <= 2


@pytest.mark.parametrize("shape", [(12, 18), (13, 19), (12, 18, 3), (1, 5)])
@pytest.mark.parametrize("times", [0, 1, 2, 3])
def test_halve_is_the_mean_over_squares_with_the_edge_repeated(shape, times):
    image, factor = picture(shape, np.float32), 2**times
    edges = [(0, -shape[0] % factor), (0, -shape[1] % factor), (0, 0)][: len(shape)]
    padded = np.pad(image, edges, mode="edge")
    rows, columns = padded.shape[0] // factor, padded.shape[1] // factor
    expected = padded.reshape(rows, factor, columns, factor, -1).mean(axis=(1, 3)).reshape(rows, columns, *shape[2:])
    np.testing.assert_allclose(geometry.halve(image, times=times), expected, atol=1e-6)


def test_square_shows_the_whole_picture():
    image = np.zeros((40, 90), np.uint8)
    image[:, 45:] = 200
    found = geometry.square(image, size=20)
    assert (found[:, :9] <= 20).all()  # a cubic swings a tenth beyond an edge, at the pixel beside it
    assert (found[:, 11:] >= 180).all()
    assert found[:, [0, -1]].tolist() == [[0, 200]] * 20
    with pytest.raises(InputError, match="size must be >= 1, got 0"):
        geometry.square(image, size=0)


@pytest.mark.parametrize("width", [30, 64, 203])
def test_square_takes_stripes_finer_than_its_pixels_for_grey_and_stays_in_range(width):
    stripes = np.tile(np.arange(width) % 2, (64, 1)).astype(np.float32)
    found = geometry.square(stripes, size=15)
    assert found.min() >= 0
    assert found.max() <= 1
    if width >= 60:  # halved twice or more
        np.testing.assert_allclose(found[:, 1:-1], 0.5, atol=0.02)


@pytest.mark.parametrize("shape", [(60, 100), (61, 103, 3), (2, 5), (1, 1)])
@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_tiles_cover_every_pixel_and_half_of_each_neighbour(shape, count):
    seen = np.zeros(shape, np.uint8)
    found = geometry.tiles(seen, count=count)
    assert len(found) == count**2
    for tile in found:
        assert min(tile.shape[:2]) >= 1
        assert np.abs(np.array(tile.shape[:2]) - 2 * np.array(shape[:2]) / (count + 1)).max() <= 1
        tile += 1  # noqa: PLW2901 - tiles are views
    assert seen.min() >= 1
    if count == 3 and shape == (60, 100):
        assert seen.max() == 4
    with pytest.raises(InputError, match="count must be >= 1, got 0"):
        geometry.tiles(seen, count=0)


def test_centre_is_in_the_middle():
    image = np.arange(60 * 100).reshape(60, 100)
    np.testing.assert_array_equal(geometry.centre(image, fraction=0.5), image[15:45, 35:65])
    assert geometry.centre(image[:1, :1]).shape == (1, 1)
    with pytest.raises(InputError, match=r"fraction must be in \(0, 1\], got 1.5"):
        geometry.centre(image, fraction=1.5)


@pytest.mark.parametrize("shape", [(5, 8), (5, 8, 3)])
def test_turns_undo_each_other(shape):
    image = picture(shape)
    undone_by = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 8, 7: 7, 8: 6}
    for orientation, other in undone_by.items():
        turned = geometry.upright(image, orientation=orientation)
        assert turned.shape[:2] == (shape[:2] if orientation < 5 else shape[1::-1])
        np.testing.assert_array_equal(geometry.upright(turned, orientation=other), image)
    seen = {geometry.upright(image, orientation=o).tobytes() for o in undone_by}
    assert len(seen) == 8
