"""Filters keep the laws of a filter; each is checked against a slow oracle that is its definition."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image, ImageFilter
from scipy import ndimage
from skimage import restoration

from assay.errors import InputError
from assay.pixels import colour, filters, frequency, hulling

FILTERS = {
    "mean": lambda x, **o: filters.mean(x, size=5, **o),
    "gaussian": lambda x, **o: filters.gaussian(x, sigma=1.3, **o),
    "median 3": lambda x, **o: filters.median(x, size=3, **o),
    "median 5": lambda x, **o: filters.median(x, size=5, **o),
    "median 9": lambda x, **o: filters.median(x, size=9, **o),
    "median 15": lambda x, **o: filters.median(x, size=15, **o),
    "conservative": lambda x, **o: filters.conservative(x, size=5, **o),
    "crimmins": lambda x, **o: filters.crimmins(x, iterations=2, **o),
    "laplacian 4": lambda x, **o: filters.laplacian(x, neighbours=4, **o),
    "laplacian 8": lambda x, **o: filters.laplacian(x, neighbours=8, **o),
    "laplacian of gaussian": lambda x, **o: filters.laplacian_of_gaussian(x, sigma=1.1, **o),
    "unsharp": lambda x, **o: filters.unsharp(x, radius=2, percent=150, threshold=3, **o),
    "bilateral": lambda x, **o: filters.bilateral(x, sigma=1.5, sigma_levels=30, **o),
    "nonlocal means": lambda x, **o: filters.nonlocal_means(x, strength=20, patch=3, search=7, **o),
    "tv": lambda x, **o: filters.tv(x, weight=0.1, steps=30, **o),
    "low pass": lambda x, **o: frequency.lowpass(x, radius=4, **o),
    "low pass, gaussian": lambda x, **o: frequency.lowpass(x, radius=4, kind="gaussian", **o),
    "low pass, butterworth": lambda x, **o: frequency.lowpass(x, radius=4, kind="butterworth", **o),
    "high pass, added": lambda x, **_: frequency.highpass(x, radius=4, edges_only=False),
}
LINEAR = [name for name in FILTERS if name.split()[0] in {"mean", "gaussian", "low"}]
RANKS = [name for name in FILTERS if name.split()[0] in {"median", "conservative"}]
every = pytest.mark.parametrize("name", FILTERS)
every_dtype = pytest.mark.parametrize("dtype", [np.uint8, np.float32])
every_shape = pytest.mark.parametrize("shape", [(17, 23), (17, 23, 3)])
pictures = hnp.arrays(
    np.uint8, st.one_of(st.tuples(st.integers(15, 22), st.integers(15, 22)), st.just((15, 18, 3)))
).map(lambda x: x.copy())
few = settings(max_examples=200, deadline=None)


def picture(shape, dtype=np.uint8, seed=0):
    x = np.random.default_rng(seed).random(shape)
    return (x * 256).astype(dtype) if dtype == np.uint8 else x.astype(dtype)


def smooth(shape, dtype=np.uint8, seed=0):
    """A picture without noise, so that filters have something to keep."""
    x = ndimage.gaussian_filter(np.random.default_rng(seed).random(shape), (2, 2, 0)[: len(shape)])
    x = (x - x.min()) / (x.max() - x.min()) * 0.8 + 0.1
    return (x * 255).round().astype(dtype) if dtype == np.uint8 else x.astype(dtype)


@every
@every_dtype
@every_shape
def test_shape_and_dtype_are_kept_and_the_input_is_left_alone(name, dtype, shape):
    image = picture(shape, dtype)
    image.setflags(write=False)
    before = image.copy()
    result = FILTERS[name](image)
    assert (result.shape, result.dtype) == (shape, dtype)
    assert result.flags.c_contiguous
    assert not np.shares_memory(result, image)
    assert np.isfinite(result).all()
    np.testing.assert_array_equal(image, before)
    if dtype == np.float32:
        assert result.min() > -0.3
        assert result.max() < 1.3


@every
@every_dtype
@every_shape
def test_a_flat_picture_stays_flat(name, dtype, shape):
    flat = np.full(shape, 77 if dtype == np.uint8 else 0.3, dtype)
    np.testing.assert_allclose(FILTERS[name](flat), flat, atol=0 if dtype == np.uint8 else 1e-6)


@every
@every_dtype
@every_shape
@pytest.mark.parametrize("view", ["reversed", "every second", "transposed", "a window"])
def test_a_view_is_filtered_as_its_copy_is(name, dtype, shape, view):
    big = picture((40, 52, *shape[2:]), dtype)
    image = {
        "reversed": big[:17, :23][::-1, ::-1],
        "every second": big[::2, ::2],
        "transposed": big[:23, :17].swapaxes(0, 1),
        "a window": big[3:20, 5:28],
    }[view]
    assert not image.flags.c_contiguous
    # Sums of floats are rounded by how an array lies in memory.
    tolerance = 0 if dtype == np.uint8 or name in RANKS else 1e-6
    np.testing.assert_allclose(FILTERS[name](image), FILTERS[name](image.copy()), rtol=0, atol=tolerance)


@every
@every_dtype
def test_colour_is_filtered_channel_by_channel(name, dtype):
    if name in {"bilateral", "nonlocal means"}:
        pytest.skip("weighs the channels together")
    image = picture((17, 23, 3), dtype)
    planes = [FILTERS[name](np.ascontiguousarray(image[..., c])) for c in range(3)]
    np.testing.assert_allclose(FILTERS[name](image), np.stack(planes, -1), atol=0 if dtype == np.uint8 else 1e-6)


@every
@few
@given(image=pictures)
def test_a_mirrored_picture_gives_the_mirrored_result(name, image):
    if name in {"crimmins", "tv"}:
        pytest.skip("takes directions one after the other, or differences to the right and down")
    result = FILTERS[name](image).astype(int)
    slack = 0 if name in RANKS else 1
    for turn in (lambda x: x[::-1], lambda x: x[:, ::-1], lambda x: x[::-1, ::-1]):
        assert np.abs(FILTERS[name](turn(image)).astype(int) - turn(result)).max() <= slack


@pytest.mark.parametrize("name", [n for n in FILTERS if n not in {"crimmins", "tv", "unsharp"}])
@few
@given(image=pictures)
def test_a_picture_on_its_side_gives_the_result_on_its_side(name, image):
    if "pass" in name and image.shape[0] != image.shape[1]:
        return  # the radius is in cycles per picture
    turned = FILTERS[name](np.rot90(image)).astype(int)
    assert np.abs(turned - np.rot90(FILTERS[name](image).astype(int))).max() <= (0 if name in RANKS else 1)


@pytest.mark.parametrize("name", LINEAR)
@few
@given(seed=st.integers(0, 999), a=st.floats(0, 0.5), b=st.floats(0, 0.5))
def test_a_mixture_of_pictures_gives_the_mixture_of_results(name, seed, a, b):
    f, g = picture((17, 23), np.float32, seed), picture((17, 23), np.float32, seed + 1)
    mixed = FILTERS[name]((a * f + b * g).astype(np.float32))
    np.testing.assert_allclose(mixed, a * FILTERS[name](f) + b * FILTERS[name](g), atol=1e-5)


@pytest.mark.parametrize("name", RANKS)
@few
@given(image=pictures, seed=st.integers(0, 999))
def test_ranks_do_not_care_how_grey_levels_are_stretched(name, image, seed):
    steps = np.random.default_rng(seed).integers(0, 2, 256)
    table = np.cumsum(steps).astype(np.uint8)  # never falls
    np.testing.assert_array_equal(FILTERS[name](table[image]), table[FILTERS[name](image)])


@pytest.mark.parametrize("name", [n for n in FILTERS if "pass" not in n])
@every_dtype
def test_away_from_the_borders_a_shifted_picture_gives_the_shifted_result(name, dtype):
    big = picture((90, 110), dtype)
    one, two = FILTERS[name](big[:80, :100]), FILTERS[name](big[7:87, 5:105])
    margin = 34  # two iterations of Crimmins reach furthest but for the total variation
    if name == "tv":
        pytest.skip("reaches over the whole picture")
    inner = np.s_[margin : 80 - margin - 7, margin : 100 - margin - 5]
    shifted = one[7:, 5:]
    tolerance = 0 if dtype == np.uint8 else 1e-5
    np.testing.assert_allclose(two[inner].astype(float), shifted[inner].astype(float), atol=tolerance)


@every
def test_eight_bits_and_floats_say_the_same(name):
    image = smooth((33, 41, 3))
    floats = FILTERS[name]((image / 255).astype(np.float32))
    # Eight bits are rounded once; unsharp masking rounds its blur six times, and has a threshold.
    slack = {"unsharp": 7, "nonlocal means": 1, "tv": 1.1, "gaussian": 0.6}.get(name, 0.51)
    assert np.abs(FILTERS[name](image) - floats * 255).max() <= slack


@every
@pytest.mark.parametrize("space", ["hsv", "lab"])
@every_dtype
def test_other_spaces_give_a_picture_back(name, space, dtype):
    image = smooth((17, 23, 3), dtype)
    result = FILTERS[name](image, space=space)
    assert (result.shape, result.dtype) == (image.shape, dtype)
    grey = np.repeat(smooth((17, 23, 1), dtype), 3, axis=2)
    of_grey = FILTERS[name](grey, space=space).astype(float)
    assert np.ptp(of_grey, axis=2).max() <= (1 if dtype == np.uint8 else 1e-3), "grey has no hue"
    np.testing.assert_allclose(FILTERS[name](image[..., 0], space=space), FILTERS[name](image[..., 0]), atol=1e-6)


@every
def test_a_hue_is_a_circle(name):
    """Reds on both sides of 0 degrees stay red: as numbers they would average to cyan."""
    hue = np.where(np.random.default_rng(0).random((17, 23)) < 0.5, 4.0, 356.0)
    image = colour.from_hsv(np.stack([hue, np.full_like(hue, 0.8), np.full_like(hue, 0.7)], -1).astype(np.float32))
    found = colour.hsv(np.clip(FILTERS[name](image, space="hsv"), 0, 1))
    assert (np.abs((found[..., 0] + 180) % 360 - 180) < 60).all()


# --- each against its definition


@pytest.mark.parametrize("size", [1, 3, 7, 17])
@every_dtype
def test_mean_is_the_mean_of_the_window(size, dtype):
    image = picture((17, 23), dtype)
    padded = np.pad(image.astype(float), size // 2, mode="symmetric")
    expected = [[padded[y : y + size, x : x + size].mean() for x in range(23)] for y in range(17)]
    np.testing.assert_allclose(filters.mean(image, size=size), expected, atol=0.51 if dtype == np.uint8 else 1e-6)


def test_gaussian_equals_the_written_out_sum():
    image = picture((20, 25), np.float32)
    r = np.arange(-6, 7)
    kernel = np.exp(-(r**2) / (2 * 1.3**2))
    kernel /= kernel.sum()
    padded = np.pad(image.astype(float), 6, mode="symmetric")
    expected = [[kernel @ padded[y : y + 13, x : x + 13] @ kernel for x in range(25)] for y in range(20)]
    np.testing.assert_allclose(filters.gaussian(image, sigma=1.3), expected, atol=2e-4)


def test_sigma_follows_from_the_size_as_in_opencv():
    image = picture((20, 25), np.float32)
    expected = cv2.GaussianBlur(image, (9, 9), 0, borderType=cv2.BORDER_REFLECT)
    np.testing.assert_allclose(filters.gaussian(image, size=9), expected, atol=1e-6)
    np.testing.assert_array_equal(filters.gaussian(image, size=1), image)
    np.testing.assert_array_equal(filters.gaussian(image, sigma=0), image)


@pytest.mark.parametrize("name", ["mean", "gaussian"])
def test_a_dot_becomes_the_kernel_and_keeps_its_weight(name):
    dot = np.zeros((21, 25), np.float32)
    dot[10, 12] = 1
    kernel = FILTERS[name](dot)
    assert kernel.sum() == pytest.approx(1, abs=1e-5)
    np.testing.assert_allclose(kernel, np.outer(kernel.sum(1), kernel.sum(0)), atol=1e-6)  # it is separable


@pytest.mark.parametrize("size", [1, 3, 5, 7, 9, 11, 13, 15, 17])
@every_dtype
@every_shape
def test_median_is_the_middle_of_the_window(size, dtype, shape):
    image = picture((17, *shape[1:]), dtype)
    r = size // 2
    padded = np.pad(image, [(r, r), (r, r), (0, 0)][: len(shape)], mode="symmetric")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (size, size), axis=(0, 1))
    expected = np.sort(windows.reshape(*image.shape, -1), axis=-1)[..., size * size // 2]
    np.testing.assert_array_equal(filters.median(image, size=size), expected)


@pytest.mark.parametrize(
    ("size", "dtype"), [(5, np.uint8), (5, np.float32), (9, np.uint8), (9, np.float32), (15, np.uint8)]
)
def test_a_large_picture_is_cut_into_bands_without_a_seam(size, dtype):
    image = picture((300, 500), dtype)
    strip = np.s_[100:200]  # bands meet in the middle
    padded = np.pad(image, size // 2, mode="symmetric")[100 : 200 + size - 1]
    windows = np.lib.stride_tricks.sliding_window_view(padded, (size, size))[:, ::20].reshape(100, 25, -1)
    np.testing.assert_array_equal(filters.median(image, size=size)[strip, ::20], np.median(windows, axis=-1))


def test_conservative_smoothing_in_bands_is_that_of_the_parts():
    image = picture((300, 500))
    whole = filters.conservative(image, size=5, border="cut")
    np.testing.assert_array_equal(whole[:290], filters.conservative(image[:292], size=5, border="cut")[:290])
    np.testing.assert_array_equal(whole[120:], filters.conservative(image[118:], size=5, border="cut")[2:])


borders = pytest.mark.parametrize("border", ["mirror", "cut"])


def conservative_by_definition(image, size, border):
    r, result = size // 2, image.copy()
    height, width = image.shape
    mirrored = np.pad(image, r, mode="symmetric")
    for y in range(height):
        for x in range(width):
            around = [(i, j) for i in range(-r, r + 1) for j in range(-r, r + 1) if (i, j) != (0, 0)]
            if border == "cut":
                around = [(i, j) for i, j in around if 0 <= y + i < height and 0 <= x + j < width]
            others = [mirrored[y + i + r, x + j + r] for i, j in around]
            result[y, x] = min(max(image[y, x], min(others)), max(others))
    return result


@pytest.mark.parametrize("size", [3, 5, 9, 13])
@pytest.mark.parametrize("shape", [(13, 16), (16, 13), (13, 13)])
@borders
@every_dtype
def test_conservative_smoothing_is_its_definition(size, shape, border, dtype):
    image = picture(shape, dtype)
    found = filters.conservative(image, size=size, border=border)
    np.testing.assert_array_equal(found, conservative_by_definition(image, size, border))


@few
@given(
    st.sampled_from([np.uint8, np.float32]).flatmap(
        lambda dtype: hnp.arrays(
            dtype,
            st.tuples(st.integers(3, 8), st.integers(3, 8)),
            elements=st.integers(0, 255) if dtype == np.uint8 else st.floats(0, 1, width=32),
        )
    ),
    st.sampled_from(["mirror", "cut"]),
)
def test_conservative_smoothing_is_its_definition_on_any_picture(image, border):
    found = filters.conservative(image, size=3, border=border)
    np.testing.assert_array_equal(found, conservative_by_definition(image, 3, border))


def crimmins_by_definition(image, border):
    """HIPR's rules as loops over whole pictures; a rule that lacks a pixel changes nothing, or finds its mirror."""
    picture = [[int(v) for v in row] for row in image]
    height, width = image.shape
    for sign in (1, -1):  # dark pixels first
        for down, right in ((1, 0), (0, 1), (1, 1), (1, -1)):
            for rule in range(4):
                old = [row[:] for row in picture]
                for y in range(height):
                    for x in range(width):
                        b = old[y][x]
                        has_a = (y - down >= 0 and 0 <= x - right < width) or border == "mirror"
                        has_c = (y + down < height and 0 <= x + right < width) or border == "mirror"
                        a = old[max(y - down, 0)][min(max(x - right, 0), width - 1)]
                        c = old[min(y + down, height - 1)][min(max(x + right, 0), width - 1)]
                        if (
                            (rule == 0 and has_a and sign * (a - b) >= 2)
                            or (rule == 1 and has_a and has_c and sign * (a - b) > 0 and sign * (b - c) <= 0)
                            or (rule == 2 and has_a and has_c and sign * (c - b) > 0 and sign * (b - a) <= 0)
                            or (rule == 3 and has_c and sign * (c - b) >= 2)
                        ):
                            picture[y][x] = b + sign
    return np.array(picture)


@pytest.mark.parametrize("shape", [(13, 19), (2, 9), (9, 2), (60, 7)])
@borders
def test_crimmins_is_its_definition(shape, border):
    image = picture(shape)
    once = crimmins_by_definition(image, border)
    np.testing.assert_array_equal(filters.crimmins(image, iterations=1, border=border), once)
    twice = crimmins_by_definition(once, border)
    np.testing.assert_array_equal(filters.crimmins(image, iterations=2, border=border), twice)
    np.testing.assert_array_equal(filters.crimmins(image, iterations=0, border=border), image)
    floats = filters.crimmins((image / 255).astype(np.float32), iterations=1, border=border)
    np.testing.assert_allclose(floats * 255, once, atol=1e-4)


@few
@given(hnp.arrays(np.uint8, st.tuples(st.integers(2, 7), st.integers(2, 7))), st.sampled_from(["mirror", "cut"]))
def test_crimmins_is_its_definition_on_any_picture(image, border):
    expected = crimmins_by_definition(image, border)
    np.testing.assert_array_equal(filters.crimmins(image, iterations=1, border=border), expected)


def test_crimmins_in_bands_is_crimmins_of_the_whole():
    image = picture((300, 500))
    whole, passes = np.empty_like(image), hulling.stages()
    hulling.hull(image, whole, passes, np.empty((32, 3, 500), np.uint8), 1, 0, 300)
    np.testing.assert_array_equal(filters.crimmins(image, iterations=1), whole)
    parts = np.empty_like(image)
    for top in range(0, 300, 37):
        hulling.hull(image, parts, passes, np.empty((32, 3, 500), np.uint8), 1, top, min(top + 37, 300))
    np.testing.assert_array_equal(parts, whole)


@few
@given(hnp.arrays(np.uint8, (9, 12)))
def test_crimmins_changes_no_pixel_by_more_than_sixteen(image):
    assert np.abs(filters.crimmins(image, iterations=1).astype(int) - image).max() <= 16


@pytest.mark.parametrize(("neighbours", "places"), [(4, [(0, 1), (1, 0), (0, -1), (-1, 0)]), (8, None)])
@every_dtype
def test_laplacian_adds_what_a_pixel_is_more_than_its_neighbours(neighbours, places, dtype):
    image = smooth((17, 23), dtype)
    padded = np.pad(image.astype(float), 1, mode="symmetric")
    places = places or [(y, x) for y in (-1, 0, 1) for x in (-1, 0, 1) if (y, x) != (0, 0)]
    around = sum(padded[1 + y : 18 + y, 1 + x : 24 + x] for y, x in places)
    edges = neighbours * image.astype(float) - around
    white, middle = (255, 128) if dtype == np.uint8 else (1, 0.5)
    sharp = filters.laplacian(image, neighbours=neighbours)
    np.testing.assert_allclose(sharp, np.clip(image + edges, 0, white), atol=1e-5)
    alone = filters.laplacian(image, neighbours=neighbours, edges_only=True)
    np.testing.assert_allclose(alone, np.clip(middle + edges, 0, white), atol=1e-5)


@every_dtype
def test_laplacian_of_gaussian_is_the_laplacian_of_the_gaussian(dtype):
    image = smooth((17, 23), dtype)
    floats = image.astype(np.float32)
    soft = cv2.GaussianBlur(floats, (0, 0), 1.1, borderType=cv2.BORDER_REFLECT)
    edges = -cv2.Laplacian(soft, -1, borderType=cv2.BORDER_REFLECT)
    white, middle, slack = (255, 128, 0.51) if dtype == np.uint8 else (1, 0.5, 1e-5)
    found = filters.laplacian_of_gaussian(image, sigma=1.1)
    np.testing.assert_allclose(found, np.clip(floats + edges, 0, white), atol=slack)
    alone = filters.laplacian_of_gaussian(image, sigma=1.1, edges_only=True)
    np.testing.assert_allclose(alone, np.clip(middle + edges, 0, white), atol=slack)
    np.testing.assert_allclose(filters.laplacian_of_gaussian(image, sigma=0), filters.laplacian(image), atol=1e-6)


@pytest.mark.parametrize("shape", [(61, 83), (61, 83, 3), (5, 40), (300, 500)])  # the last is cut into bands
@pytest.mark.parametrize("radius", [0.4, 1, 2, 4.9])
@pytest.mark.parametrize(("percent", "threshold"), [(150, 3), (150, 0), (80, 10), (500, 1)])
def test_unsharp_masking_is_pillows(shape, radius, percent, threshold):
    image = picture(shape)
    expected = Image.fromarray(image).filter(ImageFilter.UnsharpMask(radius, percent, threshold))
    found = filters.unsharp(image, radius=radius, percent=percent, threshold=threshold)
    np.testing.assert_array_equal(found, np.asarray(expected))


def test_unsharp_masking_of_floats_adds_the_difference_from_the_blur():
    image = smooth((17, 23), np.float32)
    soft = image + (image - filters.unsharp(image, radius=1.5, percent=100, threshold=0))
    inner = np.s_[5:-5, 5:-5]  # three boxes repeat the border three times
    np.testing.assert_allclose(soft[inner], cv2.GaussianBlur(image, (0, 0), 1.5)[inner], atol=0.01)
    np.testing.assert_array_equal(filters.unsharp(image, radius=1.5, percent=100, threshold=255), image)
    np.testing.assert_array_equal(filters.unsharp(image, radius=0, percent=100, threshold=0), image)


@every_shape
def test_total_variation_is_scikit_images(shape):
    image = picture(shape, np.float32)
    axis = 2 if len(shape) == 3 else None
    for weight in (0.05, 0.2):
        expected = restoration.denoise_tv_chambolle(image, weight=weight, channel_axis=axis)
        np.testing.assert_allclose(filters.tv(image, weight=weight), expected, atol=2e-5)


def test_bilateral_is_the_weighted_mean_of_what_is_near_and_alike():
    image = smooth((15, 18), np.float32)
    sigma, levels = 1.2, 25
    radius = round(1.5 * sigma)
    padded = np.pad(image.astype(float), radius, mode="symmetric")
    total = weights = 0
    for y in range(-radius, radius + 1):
        for x in range(-radius, radius + 1):
            if y * y + x * x <= radius * radius:
                moved = padded[radius + y : radius + y + 15, radius + x : radius + x + 18]
                unlike = (moved - image) * 255 / levels
                weight = np.exp(-(y * y + x * x) / (2 * sigma**2) - unlike**2 / 2)
                total, weights = total + weight * moved, weights + weight
    found = filters.bilateral(image, sigma=sigma, sigma_levels=levels)
    np.testing.assert_allclose(found, total / weights, atol=1e-3)
    np.testing.assert_array_equal(filters.bilateral(image, sigma=0, sigma_levels=9), image)


def test_nonlocal_means_is_its_definition():
    image = smooth((11, 13), np.float32)
    h, patch, search = 12 / 255, 3, 5
    reach, half = search // 2, patch // 2
    padded = np.pad(image.astype(float), reach + half, mode="symmetric")
    total = weights = np.zeros((11, 13))
    for y in range(search):
        for x in range(search):
            moved = padded[y : y + 11 + 2 * half, x : x + 13 + 2 * half]
            unlike = (padded[reach : reach + 11 + 2 * half, reach : reach + 13 + 2 * half] - moved) ** 2
            mean = np.lib.stride_tricks.sliding_window_view(unlike, (patch, patch)).mean(axis=(2, 3))
            weight = np.exp(-mean / h**2)
            total, weights = total + weight * moved[half:-half, half:-half], weights + weight
    found = filters.nonlocal_means(image, strength=12, patch=patch, search=search)
    np.testing.assert_allclose(found, total / weights, atol=1e-5)


# --- what is refused

BAD = {
    "float64": (np.zeros((17, 23)), "must be uint8 in 0..255 or float32 in 0..1, got float64"),
    "int64": (np.zeros((17, 23), int), "must be uint8 in 0..255 or float32 in 0..1, got int64"),
    "bool": (np.zeros((17, 23), bool), "must be uint8 in 0..255 or float32 in 0..1, got bool"),
    "a list": ([[1, 2], [3, 4]], "must be a numpy array, got list"),
    "four channels": (np.zeros((17, 23, 4), np.uint8), r"must be \(H, W\) grey or \(H, W, 3\) RGB, got \(17, 23, 4\)"),
    "one dimension": (np.zeros(17, np.uint8), r"must be \(H, W\) grey or \(H, W, 3\) RGB, got \(17,\)"),
    "NaN": (np.full((17, 23), np.nan, np.float32), "must be finite, got NaN or infinity"),
    "one infinity": (np.where(np.eye(17, 23) > 0, np.inf, 0).astype(np.float32), "must be finite, got NaN or infinity"),
    "empty": (np.zeros((0, 23), np.uint8), "must have . x . pixels at least, got 0 x 23"),
    "one pixel": (np.zeros((1, 1), np.uint8), "must have 2 x 2 pixels|in 1..1, the shorter side|in 0..1 pixels|radius"),
}


@every
@pytest.mark.parametrize("bad", BAD)
def test_what_is_no_picture_is_refused(name, bad):
    image, message = BAD[bad]
    with pytest.raises(InputError, match=message):
        FILTERS[name](image)


@pytest.mark.parametrize("function", [filters.mean, filters.gaussian, filters.median, filters.conservative])
@pytest.mark.parametrize("size", [0, 2, 4, -3, 19, 2.5, 10**9 + 1])
def test_a_size_is_odd_and_within_the_picture(function, size):
    with pytest.raises(InputError, match=r"size must be odd and in 1\.\.17, the shorter side of the picture, got"):
        function(picture((17, 23)), size=size)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (filters.gaussian, "gaussian needs sigma or size, got neither"),
        (lambda x: filters.gaussian(x, sigma=-1), r"sigma must be in 0\.\.17 pixels"),
        (lambda x: filters.gaussian(x, sigma=np.nan), r"sigma must be in 0\.\.17 pixels"),
        (lambda x: filters.gaussian(x, sigma=1e9), r"sigma must be in 0\.\.17 pixels"),
        (lambda x: filters.laplacian_of_gaussian(x, sigma=np.inf), r"sigma must be in 0\.\.17 pixels"),
        (lambda x: filters.laplacian(x, neighbours=6), "neighbours must be 4 or 8, got 6"),
        (lambda x: filters.crimmins(x, iterations=-1), r"iterations must be a whole number in 0\.\.1000, got -1"),
        (lambda x: filters.crimmins(x, iterations=1.5), r"iterations must be a whole number in 0\.\.1000, got 1.5"),
        (lambda x: filters.crimmins(x, border="wrap"), "border must be 'mirror' or 'cut', got 'wrap'"),
        (lambda x: filters.conservative(x, border=None), "border must be 'mirror' or 'cut', got None"),
        (lambda x: filters.unsharp(x, radius=-1), r"radius must be in 0\.\.17 pixels"),
        (lambda x: filters.unsharp(x, percent=-1), r"percent must be in 0\.\.10000, got -1"),
        (lambda x: filters.unsharp(x, threshold=np.nan), r"threshold must be in 0\.\.255, got nan"),
        (lambda x: filters.bilateral(x, sigma=1, sigma_levels=0), "sigma_levels must be finite and > 0, got 0"),
        (lambda x: filters.bilateral(x, sigma=99, sigma_levels=9), r"sigma must be in 0\.\.17 pixels"),
        (lambda x: filters.nonlocal_means(x, strength=0), "strength must be finite and > 0, got 0"),
        (lambda x: filters.nonlocal_means(x, strength=9, patch=4), "patch must be odd and in 1..17"),
        (lambda x: filters.nonlocal_means(x, strength=9, search=19), "search must be odd and in 1..17"),
        (lambda x: filters.tv(x, weight=0), "weight must be finite and > 0, got 0"),
        (lambda x: filters.tv(x, weight=0.1, steps=0), "steps must be >= 1, got 0"),
        (lambda x: filters.mean(x, size=3, space="cmyk"), "space must be one of rgb, hsv, lab, got 'cmyk'"),
    ],
)
def test_an_error_says_what_must_hold(call, message):
    with pytest.raises(InputError, match=message):
        call(picture((17, 23)))
