"""Augmentation keeps its laws: what the draw says is what happened to the pixels, and nothing else did."""

import math

import numpy as np
import pytest
from scipy import stats

from assay.errors import InputError
from assay.pixels import augment
from assay.pixels.augment import Draw
from assay.pixels.recipes import CHANGES, FILLS, RECIPES, Recipe

ALL = Recipe(
    horizontal_flip=0.5,
    vertical_flip=0.5,
    rotation_range=30,
    width_shift_range=0.2,
    height_shift_range=5,
    shear_range=10,
    zoom_range=0.2,
    crop_range=0.7,
    brightness_range=0.3,
    contrast_range=0.3,
    channel_shift_range=20,
    noise_range=12,
    blur_range=2,
)
EACH = {name: Recipe(**{name: getattr(ALL, name)}) for name in CHANGES}
every_recipe = pytest.mark.parametrize("recipe", [ALL, *EACH.values(), *RECIPES.values()], ids=["all", *EACH, *RECIPES])
every_dtype = pytest.mark.parametrize("dtype", [np.uint8, np.float32])
every_shape = pytest.mark.parametrize("shape", [(18, 23), (18, 23, 3), (1, 1), (1, 7, 3)], ids=str)


def picture(shape, dtype, seed=0):
    x = np.random.default_rng(seed).random(shape)
    return (x * 255).astype(dtype) if dtype == np.uint8 else x.astype(dtype)


def rng(index=0, seed=0):
    return augment.generator(seed=seed, index=index)


@every_recipe
@every_dtype
@every_shape
def test_shape_dtype_and_scale_are_kept_and_the_input_is_left_alone(recipe, dtype, shape):
    image = picture(shape, dtype)
    before = image.copy()
    image.flags.writeable = False
    for index in range(8):
        result = augment.vary(image, recipe=recipe, rng=rng(index))
        assert (result.shape, result.dtype) == (shape, dtype)
        assert result.flags.c_contiguous
        assert not np.shares_memory(result, image)
        assert result.min() >= 0
        assert result.max() <= (255 if dtype == np.uint8 else 1)
    np.testing.assert_array_equal(image, before)


@every_recipe
@every_dtype
def test_the_same_seed_and_index_give_the_same_bytes(recipe, dtype):
    image = picture((18, 23, 3), dtype)
    a, b = ([augment.vary(image, recipe=recipe, rng=rng(i, seed=7)).tobytes() for i in range(9)] for _ in range(2))
    assert a == b


def test_other_seeds_and_other_indices_give_other_bytes():
    image = picture((18, 23, 3), np.uint8)
    made = {augment.vary(image, recipe=ALL, rng=rng(i, seed=s)).tobytes() for i in range(5) for s in range(5)}
    assert len(made) == 25


@every_dtype
@pytest.mark.parametrize("view", [np.s_[::2, ::-1], np.s_[::-1, 3:], np.s_[:, :, ::-1]], ids=str)
def test_a_view_gives_what_its_copy_gives(dtype, view):
    image = picture((18, 23, 3), dtype)[view]
    for index in range(5):
        a, b = (augment.vary(x, recipe=ALL, rng=rng(index)) for x in (image, np.ascontiguousarray(image)))
        np.testing.assert_array_equal(a, b)


@every_dtype
def test_a_chance_of_nought_changes_nothing(dtype):
    image = picture((18, 23, 3), dtype)
    never = Recipe(**{name: 0 if "flip" in name else (*getattr(ALL, name)[:2], 0) for name in CHANGES})
    for index in range(20):
        np.testing.assert_array_equal(augment.vary(image, recipe=never, rng=rng(index)), image)


@every_dtype
@pytest.mark.parametrize("flip", ["horizontal_flip", "vertical_flip"])
def test_a_flip_moves_every_pixel_and_a_second_one_moves_it_back(dtype, flip):
    image, once = picture((18, 23, 3), dtype), Draw({flip: ()})
    flipped = augment.apply(image, once)
    np.testing.assert_array_equal(flipped, image[:, ::-1] if flip == "horizontal_flip" else image[::-1])
    np.testing.assert_array_equal(augment.apply(flipped, once), image)


@every_dtype
@pytest.mark.parametrize("side", [16, 17])
def test_four_quarter_turns_are_none(dtype, side):
    image, turn = picture((side, side, 3), dtype), Draw({"rotation_range": (90,)})
    turned = [image]
    for _ in range(4):
        turned.append(augment.apply(turned[-1], turn))
    np.testing.assert_array_equal(turned[1], np.rot90(image))  # anticlockwise
    np.testing.assert_array_equal(turned[4], image)


@pytest.mark.parametrize("values", [(3.0, 1.0), (3 / 23,)])
def test_a_shift_is_a_number_of_pixels_or_a_share_of_the_side(values):
    image = picture((18, 23, 3), np.uint8)
    shifted = augment.apply(image, Draw({"width_shift_range": values}, "wrap"))
    np.testing.assert_array_equal(shifted, np.roll(image, 3, axis=1))
    drawn = augment.draw(Recipe(height_shift_range=(2, 2)), rng=rng())
    np.testing.assert_array_equal(
        augment.apply(image, Draw(drawn.changes, "constant"))[2:], image[:-2]
    )  # down, not across


def sample(image, y, x, fill):
    """Oracle: the pixel at whole coordinates, where the outside is filled as its name says."""
    height, width = image.shape[:2]
    if fill == "constant" and not (0 <= y < height and 0 <= x < width):
        return np.full(image.shape[2:], 77.0)
    return image[inside(y, height, fill), inside(x, width, fill)].astype(float)


def inside(at, length, fill):
    mirrored = at % (2 * length)
    return {
        "constant": at,
        "nearest": min(max(at, 0), length - 1),
        "wrap": at % length,
        "reflect": mirrored if mirrored < length else 2 * length - 1 - mirrored,
    }[fill]


@every_dtype
@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.parametrize("size", [None, (13, 31)])
def test_one_warp_equals_the_definition_written_out(dtype, fill, size):
    """Every pixel of the result is the linear mean of the four around the place that the matrix takes to it."""
    image = picture((12, 19, 3), dtype, seed=3)
    level = 1 if dtype == np.uint8 else 255
    changes = {"crop_range": (0.8, 0.2, 0.9), "horizontal_flip": (), "shear_range": (7.0,), "zoom_range": (0.8,)}
    changes |= {"rotation_range": (25.0,), "width_shift_range": (0.2,), "height_shift_range": (3.0, 1.0)}
    drawn = Draw(changes, fill, 77.0)
    result = augment.apply(image, drawn, size=size)
    back = np.linalg.inv(np.vstack([augment.matrix(drawn, shape=image.shape, size=size), [0, 0, 1]]))
    expected = np.zeros(result.shape)
    for row, column in np.ndindex(result.shape[:2]):
        x, y, _ = back @ [column, row, 1]
        left, top = math.floor(x), math.floor(y)
        for dy, dx in np.ndindex(2, 2):
            weight = abs(1 - dx - (x - left)) * abs(1 - dy - (y - top))
            expected[row, column] += weight * sample(image * np.float64(level), top + dy, left + dx, fill)
    found = result * np.float64(level)
    np.testing.assert_allclose(found, expected, atol=0.501 if dtype == np.uint8 else 1e-3)


def test_changes_of_geometry_are_made_in_the_order_that_is_promised():
    shape = (18, 23)
    changes = {"height_shift_range": (0.1,), "rotation_range": (40.0,), "zoom_range": (1.3,), "shear_range": (9.0,)}
    changes |= {"vertical_flip": (), "crop_range": (0.6, 0.1, 0.7)}
    step = {n: np.vstack([augment.matrix(Draw({n: v}), shape=shape), [0, 0, 1]]) for n, v in changes.items()}
    order = ["crop_range", "vertical_flip", "shear_range", "zoom_range", "rotation_range", "height_shift_range"]
    whole = np.eye(3)
    for name in order:
        whole = step[name] @ whole
    np.testing.assert_allclose(augment.matrix(Draw(changes), shape=shape), whole[:2], atol=1e-9)


@pytest.mark.parametrize("index", range(40))
def test_a_marked_pixel_is_found_where_the_matrix_says(index):
    recipe = Recipe(**{name: getattr(ALL, name) for name in CHANGES[:8]}, fill_mode="constant")
    image = np.zeros((60, 81, 3), np.uint8)
    image[24:27, 47:50] = 255  # centre at x 48, y 25
    size = (None, (90, 70))[index % 2]
    drawn = augment.draw(recipe, rng=rng(index))
    result = augment.apply(image, drawn, size=size).astype(float)[..., 0]
    x, y = augment.matrix(drawn, shape=image.shape, size=size) @ [48, 25, 1]
    if not (5 < x < result.shape[1] - 6 and 5 < y < result.shape[0] - 6):
        assert result[5:-5, 5:-5].sum() < 255 * 25  # it went out, or stands at the edge
        return
    rows, columns = np.indices(result.shape)
    centre = (rows * result).sum() / result.sum(), (columns * result).sum() / result.sum()
    assert centre == pytest.approx((y, x), abs=0.15)


def test_angles_are_anticlockwise_zoom_enlarges_and_a_crop_keeps_its_share():
    shape = (41, 61)
    right = [45, 20, 1]  # 15 to the right of the centre (30, 20)
    assert augment.matrix(Draw({"rotation_range": (90,)}), shape=shape) @ right == pytest.approx([30, 5])
    assert augment.matrix(Draw({"zoom_range": (2,)}), shape=shape) @ right == pytest.approx([60, 20])
    assert augment.matrix(Draw({"shear_range": (45,)}), shape=shape) @ [30, 30, 1] == pytest.approx([40, 30])
    for place, corner in (((0, 0), (0, 0)), ((1, 1), (61 * 0.5, 41 * 0.5))):
        crop = augment.matrix(Draw({"crop_range": (0.5, *place)}), shape=shape)
        # The corner of the window comes to the corner of the picture, half a pixel before the first centre.
        assert crop @ [corner[0] - 0.5, corner[1] - 0.5, 1] == pytest.approx([-0.5, -0.5])


@every_dtype
def test_light_is_one_straight_line_a_channel(dtype):
    image = picture((18, 23, 3), dtype)
    changes = {"brightness_range": (1.1,), "contrast_range": (0.7,), "channel_shift_range": (10.0, -5.0, 0.0)}
    top = 255 if dtype == np.uint8 else 1
    x = image.astype(float)
    expected = 1.1 * (x.mean() + 0.7 * (x - x.mean())) + np.array([10, -5, 0]) * top / 255
    result = augment.apply(image, Draw(changes))
    np.testing.assert_allclose(result, expected.clip(0, top), atol=0.51 if dtype == np.uint8 else 1e-6)
    grey = augment.apply(image[..., 0], Draw({"channel_shift_range": (10.0, -5.0, 0.0)}))
    np.testing.assert_allclose(grey, (x[..., 0] + 10 * top / 255).clip(0, top), atol=1e-6)


@every_dtype
def test_blur_equals_the_written_out_sum(dtype):
    image = picture((20, 25), dtype)
    r = np.arange(-5, 6)
    k = np.exp(-(r**2) / 2)
    k /= k.sum()
    y = sum(k[i] * k[j] * float(image[10 + r[i], 12 + r[j]]) for i in range(11) for j in range(11))
    found = float(augment.apply(image, Draw({"blur_range": (1.0,)}))[10, 12])
    assert found == pytest.approx(y, abs=1.5 if dtype == np.uint8 else 1e-3)


@every_dtype
@pytest.mark.parametrize("sigma", [3.0, 20.0])
def test_noise_is_normal_of_its_sigma_without_bias_or_pattern(dtype, sigma):
    grey = np.full((200, 300, 3), 128 if dtype == np.uint8 else 128 / 255, dtype)
    level = 1 if dtype == np.uint8 else 255
    noise = (augment.apply(grey, Draw({"noise_range": (sigma, 0.3)})).astype(float) * level - 128).ravel()
    n, rounding = noise.size, 1 / 12 if dtype == np.uint8 else 0
    assert abs(noise.mean()) < 4 * sigma / math.sqrt(n)
    assert noise.var() == pytest.approx(sigma**2 + rounding, rel=4 * math.sqrt(2 / n))
    assert stats.kurtosis(noise) == pytest.approx(0, abs=4 * math.sqrt(24 / n))
    for lag in (1, 3, 900):
        assert abs(np.corrcoef(noise[:-lag], noise[lag:])[0, 1]) < 4 / math.sqrt(n - lag)


def test_noise_of_two_draws_is_unrelated_and_a_large_picture_does_not_repeat_it():
    grey = np.full((300, 300, 3), 128, np.uint8)
    a, b = (augment.vary(grey, recipe=Recipe(noise_range=(9, 9)), rng=rng(i)).ravel() - 128.0 for i in (0, 1))
    assert abs(np.corrcoef(a, b)[0, 1]) < 4 / math.sqrt(a.size)
    large = np.full((2200, 2200), 128, np.uint8)  # more pixels than half of the table
    noise = augment.apply(large, Draw({"noise_range": (9.0, 0.5)})).ravel() - 128.0
    first, rest = noise[: 1 << 21], noise[1 << 21 : 1 << 22]
    assert abs(np.corrcoef(first, rest)[0, 1]) < 4 / math.sqrt(1 << 21)
    assert noise.std() == pytest.approx(9, rel=0.01)


def test_ten_thousand_draws_make_each_change_as_often_as_its_chance():
    half = Recipe(**{name: 0.5 if "flip" in name else (*getattr(ALL, name)[:2], 0.5) for name in CHANGES})
    made = np.array([[name in d.changes for name in CHANGES] for d in draws(half, 10_000)])
    assert np.abs(made.sum(axis=0) - 5000).max() < 4 * 50
    together = np.corrcoef(made.T)[np.triu_indices(len(CHANGES), 1)]
    assert np.abs(together).max() < 4.5 / 100  # independent of each other; 78 pairs


@pytest.mark.parametrize("name", [n for n in CHANGES if "flip" not in n])
def test_values_are_uniform_over_their_range(name):
    low, high, _ = getattr(ALL, name)
    values = [d.changes[name][0] for d in draws(EACH[name], 1000)]
    assert stats.kstest(values, stats.uniform(low, high - low).cdf).pvalue > 1e-4


def draws(recipe, count):
    return [augment.draw(recipe, rng=rng(i)) for i in range(count)]


def test_a_change_has_the_same_value_with_others_beside_it():
    alone, beside = augment.draw(EACH["zoom_range"], rng=rng(3)), augment.draw(ALL, rng=rng(3))
    assert alone.changes["zoom_range"] == beside.changes["zoom_range"]


def test_picking_makes_a_random_number_of_random_changes():
    made = [d.changes for d in draws(RECIPES["seven"], 7000)]
    counts = np.bincount([len(m) for m in made], minlength=8)
    assert counts[0] == 0
    assert stats.chisquare(counts[1:]).pvalue > 1e-4
    each = np.array([sum(name in m for m in made) for name in RECIPES["seven"].changes()])
    assert stats.chisquare(each).pvalue > 1e-4
    nothing = Recipe(rotation_range=(5, 9), pick=(0, 0))
    assert all(not d.changes for d in draws(nothing, 20))


def test_a_draw_says_what_it_did():
    text = str(Draw({"horizontal_flip": (), "rotation_range": (-7.5,), "noise_range": (3.25, 0.5)}))
    assert text == "horizontal_flip; rotation -7.5; noise 3.25 0.5"
    assert str(Draw({})) == ""


@every_dtype
@pytest.mark.parametrize("interpolation", augment.INTERPOLATIONS)
def test_a_size_is_reached_with_and_without_a_warp(dtype, interpolation):
    image = picture((18, 23, 3), dtype)
    for changes in ({}, {"rotation_range": (20.0,)}, {"horizontal_flip": ()}):
        result = augment.apply(image, Draw(changes), size=(31, 12), interpolation=interpolation)
        assert (result.shape, result.dtype) == ((31, 12, 3), dtype)
        assert result.max() <= (255 if dtype == np.uint8 else 1)


def test_a_warp_that_only_resizes_equals_a_resize():
    image = picture((18, 23, 3), np.float32)
    warped = augment.apply(image, Draw({"rotation_range": (0.0,)}, "nearest"), size=(36, 69))
    resized = augment.apply(image, Draw({}), size=(36, 69))
    np.testing.assert_allclose(warped, resized, atol=1e-5)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((0, 5), np.uint8), r"a picture must be \(H, W\) or \(H, W, 3\) with pixels in it, got \(0, 5\)"),
        (np.zeros((5, 6, 4), np.uint8), r"got \(5, 6, 4\)"),
        (np.zeros(5, np.uint8), r"got \(5,\)"),
        (np.zeros((5, 6)), "a picture must be uint8 or float32, got float64"),
        (np.full((5, 6), np.nan, np.float32), "a picture must be finite, got some pixels that are not"),
    ],
)
def test_what_is_no_picture_is_refused(image, message):
    with pytest.raises(InputError, match=message):
        augment.apply(image, Draw({}))


def test_sizes_interpolations_and_seeds_that_cannot_be_are_refused():
    image = picture((5, 6), np.uint8)
    with pytest.raises(InputError, match=r"size must be a height and a width >= 1, got \(0, 3\)"):
        augment.apply(image, Draw({}), size=(0, 3))
    with pytest.raises(InputError, match=r"interpolation must be one of nearest, .* got 'box'"):
        augment.apply(image, Draw({}), interpolation="box")
    with pytest.raises(InputError, match="seed and index must be whole numbers >= 0, got -1 and 3"):
        augment.generator(seed=-1, index=3)
