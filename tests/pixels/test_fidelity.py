"""Fidelity equals the definitions and scikit-image, and keeps the laws of a likeness."""

import subprocess
import sys

import cv2
import numpy as np
import pytest
import skimage
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage.metrics import mean_squared_error, peak_signal_noise_ratio, structural_similarity

from assay.errors import InputError
from assay.pixels import fidelity

FIGURES = {
    "mse": fidelity.mse,
    "psnr": fidelity.psnr,
    "gaussian": fidelity.ssim,
    "uniform": lambda a, b: fidelity.ssim(a, b, window="uniform"),
    "ms_ssim": fidelity.ms_ssim,
}
every_figure = pytest.mark.parametrize("figure", FIGURES.values(), ids=FIGURES)
every_window = pytest.mark.parametrize("window", fidelity.WINDOWS)
every_dtype = pytest.mark.parametrize("dtype", [np.uint8, np.float32])
every_shape = pytest.mark.parametrize("shape", [(166, 181), (163, 170, 3)])
PEER = {"gaussian": {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}, "uniform": {}}


def pair(shape=(166, 181), dtype=np.uint8, *, seed=0, sigma=20):
    """Draw a smooth random picture, and itself under noise."""
    rng = np.random.default_rng(seed)
    a = cv2.GaussianBlur(rng.uniform(0, 255, shape), (0, 0), 2)
    a = (a - a.min()) / (a.max() - a.min()) * 255
    both = (np.clip(x, 0, 255) for x in (a, a + rng.normal(0, sigma, shape)))
    return [x.astype(np.uint8) if dtype == np.uint8 else (x / 255).astype(dtype) for x in both]


def written_out(a, b, window):
    """Oracle: SSIM by its definition, one window at a time; scores where the window lies inside."""
    limit = 255 if a.dtype == np.uint8 else 1
    c1, c2 = (0.01 * limit) ** 2, (0.03 * limit) ** 2
    radius = 5 if window == "gaussian" else 3
    fall = np.exp(-(np.arange(-radius, radius + 1) ** 2) / (2 * 1.5**2)) if window == "gaussian" else np.ones(7)
    weights = np.outer(fall, fall) / fall.sum() ** 2
    norm = 1 if window == "gaussian" else 49 / 48
    scores = np.empty(np.subtract(a.shape, 2 * radius))
    for y, x in np.ndindex(scores.shape):
        p, q = (z[y : y + len(fall), x : x + len(fall)].astype(float) for z in (a, b))
        m, n = (weights * p).sum(), (weights * q).sum()
        v, w = norm * (weights * (p - m) ** 2).sum(), norm * (weights * (q - n) ** 2).sum()
        both = norm * (weights * (p - m) * (q - n)).sum()
        scores[y, x] = (2 * m * n + c1) * (2 * both + c2) / ((m * m + n * n + c1) * (v + w + c2))
    return scores


@every_window
@every_dtype
@pytest.mark.parametrize("shape", [(11, 11), (11, 83), (75, 12), (70, 140)])
def test_ssim_is_its_definition(window, dtype, shape):
    a, b = pair(shape, dtype)
    assert fidelity.ssim(a, b, window=window) == pytest.approx(written_out(a, b, window).mean(), abs=1e-10)


@every_window
@every_dtype
@every_shape
def test_ssim_and_its_map_equal_those_of_scikit_image(window, dtype, shape):
    a, b = pair(shape, dtype)
    options = PEER[window] | {"data_range": 255 if dtype == np.uint8 else 1, "full": True}
    options |= {"channel_axis": -1} if len(shape) == 3 else {}
    score, full = structural_similarity(a.astype(float), b.astype(float), **options)
    assert fidelity.ssim(a, b, window=window) == pytest.approx(score, abs=1e-9)
    found = fidelity.ssim_map(a, b, window=window)
    assert (found.shape, found.dtype) == (shape, np.float32)
    np.testing.assert_allclose(found, full, atol=1e-6)


@every_window
def test_the_map_without_its_margin_has_the_score_as_its_mean(window):
    a, b = pair((40, 90))
    margin = fidelity.WINDOWS[window].size // 2
    inside = fidelity.ssim_map(a, b, window=window)[margin:-margin, margin:-margin]
    assert inside.mean(dtype=float) == pytest.approx(fidelity.ssim(a, b, window=window), abs=1e-7)


def test_the_figures_of_scikit_images_noisy_cameraman():
    # The picture of scikit-image's own tests; IPOL's reference code gives 0.357959091663361 for it.
    a = skimage.data.camera()
    noise = np.random.RandomState(5).normal(0, 20, a.shape)
    b = np.clip(a + noise, 0, 255).astype(np.uint8)
    assert fidelity.ssim(a, b, window="uniform") == pytest.approx(0.3674518327910367, abs=1e-12)
    assert fidelity.ssim(a, b) == pytest.approx(0.3579642362, abs=1e-10)
    assert fidelity.ssim(a, b) == pytest.approx(0.357959091663361, abs=1e-3)
    assert fidelity.psnr(a, b) == pytest.approx(22.40935285, abs=1e-8)


@pytest.mark.parametrize(("low", "high", "score"), [(0, 255, 9.999000099990003e-05), (100, 120, 0.9836109249983688)])
@every_window
def test_flat_pictures_score_the_luminance_term(low, high, score, window):
    a, b = (np.full((12, 80), level, np.uint8) for level in (low, high))
    assert fidelity.ssim(a, b, window=window) == pytest.approx(score, rel=1e-9)


@every_dtype
@every_shape
def test_errors_equal_those_of_scikit_image(dtype, shape):
    a, b = pair(shape, dtype)
    assert fidelity.mse(a, b) == pytest.approx(mean_squared_error(a, b), rel=1e-6)
    limit = 255 if dtype == np.uint8 else 1
    assert fidelity.psnr(a, b) == pytest.approx(peak_signal_noise_ratio(a, b, data_range=limit), abs=1e-6)


def test_ms_ssim_is_its_definition():
    a, b = pair((166, 181), sigma=40)
    p, q = (x / 255 for x in (a, b))
    score = 1.0
    for step, weight in enumerate((0.0448, 0.2856, 0.3001, 0.2363, 0.1333)):
        m, n, v, w, both = _moments(p, q)
        structure = (2 * both + 0.03**2) / (v + w + 0.03**2)
        light = (2 * m * n + 0.01**2) / (m * m + n * n + 0.01**2)
        score *= ((light * structure if step == 4 else structure).mean()) ** weight
        p, q = (_halved(x) for x in (p, q))
    assert fidelity.ms_ssim(a, b) == pytest.approx(score, abs=1e-6)


def _moments(p, q):
    """Oracle: local means, variances and covariance under the 11x11 gaussian, where it lies inside."""
    fall = np.exp(-(np.arange(-5, 6) ** 2) / 4.5)

    def mean(x):
        return cv2.sepFilter2D(x, -1, fall / fall.sum(), fall / fall.sum())[5:-5, 5:-5]

    m, n = mean(p), mean(q)
    return m, n, mean(p * p) - m * m, mean(q * q) - n * n, mean(p * q) - m * n


def _halved(x):
    x = np.pad(x, [(0, n % 2) for n in x.shape], mode="edge")
    return (x[::2, ::2] + x[1::2, ::2] + x[::2, 1::2] + x[1::2, 1::2]) / 4


@every_figure
@every_dtype
@every_shape
def test_a_picture_is_like_itself(figure, dtype, shape):
    a = pair(shape, dtype)[0]
    best = {fidelity.mse: 0, fidelity.psnr: np.inf}.get(figure, 1)
    assert figure(a, a.copy()) == best


@every_figure
@every_dtype
def test_the_order_of_the_two_does_not_matter_and_both_are_left_alone(figure, dtype):
    a, b = pair(dtype=dtype)
    before = a.copy(), b.copy()
    assert figure(a, b) == pytest.approx(figure(b, a), rel=1e-12)
    np.testing.assert_array_equal(a, before[0])
    np.testing.assert_array_equal(b, before[1])


@every_figure
@pytest.mark.parametrize("turn", [np.fliplr, np.flipud, lambda x: x.swapaxes(0, 1)])
def test_turning_both_changes_nothing(figure, turn):
    # Odd sides are filled up at one end before they are halved, so MS-SSIM gets sides that stay even.
    a, b = pair((176, 192))
    assert figure(turn(a), turn(b)) == pytest.approx(figure(a, b), rel=1e-6)


@every_figure
@every_dtype
def test_views_and_read_only_pictures_are_as_good(figure, dtype):
    a, b = pair((340, 181, 3), dtype)
    p, q = a[::-2, :, ::-1], b[::-2, :, ::-1]
    p.flags.writeable = False
    assert figure(p, q) == figure(p.copy(), q.copy())
    grey = a[::2, :, 0], b[::2, :, 0]
    assert figure(*grey) == figure(*(x.copy() for x in grey))


@every_figure
def test_more_noise_is_less_like(figure):
    found = [np.mean([figure(*pair(seed=seed, sigma=s)) for seed in range(3)]) for s in (2, 5, 10, 20, 40)]
    assert np.all(np.diff(found) * (1 if figure is fidelity.mse else -1) > 0)


@pytest.mark.parametrize("figure", ["mse", "gaussian", "uniform", "ms_ssim"])
def test_in_colour_it_is_the_mean_over_channels(figure):
    a, b = pair((163, 170, 3))
    each = [FIGURES[figure](a[..., c], b[..., c]) for c in range(3)]
    assert FIGURES[figure](a, b) == pytest.approx(np.mean(each), rel=1e-9)


@settings(max_examples=200, deadline=None)
@given(arrays(np.uint8, (2, 11, 12)), st.sampled_from(sorted(fidelity.WINDOWS)))
def test_a_score_lies_between_minus_one_and_one(both, window):
    score = fidelity.ssim(*both, window=window)
    assert -1 <= score <= 1
    assert (score == 1) == np.array_equal(*both) or window == "uniform"


def test_a_negative_has_a_negative_score():
    a = pair()[0]
    assert fidelity.ssim(a, 255 - a) < -0.3
    assert fidelity.ms_ssim(a, 255 - a) == 0


@every_figure
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_pixels_that_are_no_numbers_are_refused(figure, bad):
    a, b = pair(dtype=np.float32)
    b[80, 90] = bad
    with pytest.raises(InputError, match="pixels must be finite numbers"):
        figure(a, b)
    with pytest.raises(InputError, match="pixels must be finite numbers"):
        fidelity.ssim_map(a, b)


@every_figure
@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        (np.zeros((0, 9), np.uint8), np.zeros((0, 9), np.uint8), "must have pixels, got 9x0"),
        (np.zeros((9, 9, 4), np.uint8), np.zeros((9, 9, 4), np.uint8), r"got uint8 \(9, 9, 4\)"),
        (np.zeros((9, 9)), np.zeros((9, 9)), "must be uint8 or float32"),
        (np.zeros(9, np.uint8), np.zeros(9, np.uint8), r"got uint8 \(9,\)"),
        (np.zeros((9, 8), np.uint8), np.zeros((8, 9), np.uint8), "must be of one shape and dtype"),
        (np.zeros((9, 8), np.uint8), np.zeros((9, 8), np.float32), "must be of one shape and dtype"),
    ],
)
def test_what_is_no_pair_of_pictures_is_refused(figure, a, b, message):
    with pytest.raises(InputError, match=message):
        figure(a, b)


@every_window
def test_a_picture_smaller_than_the_window_is_refused(window):
    size = fidelity.WINDOWS[window].size
    small = np.zeros((size - 1, 40), np.uint8)
    for work in (fidelity.ssim, fidelity.ssim_map):
        with pytest.raises(InputError, match=f"needs pictures of {size}x{size} pixels at least, got 40x{size - 1}"):
            work(small, small, window=window)


def test_ms_ssim_says_how_large_a_picture_must_be():
    enough, less = np.zeros((161, 170), np.uint8), np.zeros((160, 170), np.uint8)
    assert fidelity.ms_ssim(enough, enough) == 1
    with pytest.raises(InputError, match="needs pictures of 161x161 pixels at least, got 170x160"):
        fidelity.ms_ssim(less, less)


def test_an_unknown_window_is_refused():
    a = np.zeros((12, 13), np.uint8)
    with pytest.raises(InputError, match="window must be one of gaussian, uniform, got 'box'"):
        fidelity.ssim(a, a, window="box")


def test_only_a_score_loads_the_compiler():
    code = (
        "import sys, numpy as np; from assay.pixels import fidelity; a = np.zeros((9, 8), np.uint8);"
        "fidelity.psnr(a, a); print('numba' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "False\n"
