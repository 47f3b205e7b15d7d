"""Temperatures are the best on a grid, bins are plain averages, and chance alone gives uniform p values."""

import math

import numpy as np
import pytest
from scipy import special, stats
from sklearn.isotonic import IsotonicRegression

from assay.errors import InputError, UndefinedError
from assay.stats.calibration import COLDEST, HOTTEST, band, brier, ece, reliability, temperature
from assay.stats.intervals import mean, proportion


def drawn(n, classes, true_temperature, rng):
    logits = rng.normal(0, 3, (n, classes))
    chances = special.softmax(logits / true_temperature, axis=1)
    labels = (rng.random((n, 1)) > chances.cumsum(axis=1)[:, :-1]).sum(axis=1)
    return labels, logits


def loss(labels, logits, t, weights=None):
    """Oracle: mean log loss, one picture at a time."""
    each = []
    for label, row in zip(labels, logits, strict=True):
        powers = [math.exp(x / t) for x in row]
        each.append(-math.log(powers[label] / sum(powers)))
    return np.average(each, weights=weights)


@pytest.mark.parametrize("true_temperature", [0.5, 1, 3])
def test_temperature_is_the_best_of_a_fine_grid(true_temperature):
    labels, logits = drawn(60, 3, true_temperature, np.random.default_rng(1))
    found = temperature(labels, logits)
    grid = np.geomspace(COLDEST, HOTTEST, 600)
    best = grid[np.argmin([loss(labels, logits, t) for t in grid])]
    assert found == pytest.approx(best, rel=0.02)
    assert loss(labels, logits, found) <= loss(labels, logits, best) + 1e-12


def test_temperature_is_recovered_from_many_pictures():
    assert temperature(*drawn(20000, 4, 2.5, np.random.default_rng(2))) == pytest.approx(2.5, rel=0.05)


def test_temperature_scales_with_logits_and_ignores_what_all_classes_share():
    labels, logits = drawn(80, 3, 1.5, np.random.default_rng(3))
    found = temperature(labels, logits)
    assert temperature(labels, logits * 2 + np.arange(80)[:, None]) == pytest.approx(2 * found, rel=1e-4)


def test_a_group_weighs_as_one_picture():
    labels, logits = drawn(50, 3, 1.5, np.random.default_rng(4))
    copies = np.repeat(np.arange(50), np.arange(50) % 4 + 1)
    found = temperature(labels[copies], logits[copies], groups=copies)
    assert found == pytest.approx(temperature(labels, logits), rel=1e-4)
    assert temperature(labels[copies], logits[copies]) != pytest.approx(found, rel=1e-3)


def test_temperature_stays_in_range_where_the_data_set_no_bound():
    labels = np.array([0, 1, 0, 1, 1])
    right = np.eye(2)[labels]
    assert COLDEST <= temperature(labels, right) < COLDEST * 1.01
    assert HOTTEST * 0.99 < temperature(1 - labels, 100 * right) <= HOTTEST
    assert COLDEST <= temperature(labels, np.zeros((5, 2))) <= HOTTEST


@pytest.mark.parametrize(
    ("labels", "logits", "groups", "error", "says"),
    [
        ([0, 1], [[1.0, 2]], None, InputError, r"\(n,\) and \(n, classes >= 2\)"),
        ([0], [[1.0]], None, InputError, "classes >= 2"),
        ([0, 2], [[1.0, 2], [1, 2]], None, InputError, r"labels must be whole numbers in 0\.\.1"),
        ([0, 1], [[1.0, np.inf], [1, 2]], None, InputError, "logits must be finite, got 1 that"),
        ([0, 1], [[1.0, 2], [1, 2]], [0], InputError, "groups must be"),
        (np.zeros(0, int), np.zeros((0, 2)), None, UndefinedError, "needs 1 row"),
    ],
)
def test_temperatures_without_an_answer_are_refused(labels, logits, groups, error, says):
    with pytest.raises(error, match=says):
        temperature(np.array(labels), np.array(logits), groups=groups)


def test_bins_are_averages_of_equally_many_pictures():
    rng = np.random.default_rng(5)
    probabilities, labels = rng.random(43), rng.random(43) < 0.4
    found = reliability(labels, probabilities, bins=5, level=0.9)
    order = sorted(range(43), key=lambda i: probabilities[i])
    edges = [0, 8, 17, 25, 34, 43]
    for b, start, stop in zip(found, edges, edges[1:], strict=False):
        inside = order[start:stop]
        assert b.count == len(inside)
        assert b.mean_probability == pytest.approx(probabilities[inside].mean())
        assert b.observed == proportion(int(labels[inside].sum()), len(inside), level=0.9)


@pytest.mark.parametrize("bins", [1, 3, 10, 99])
def test_equal_probabilities_share_a_bin_whatever_the_order(bins):
    rng = np.random.default_rng(6)
    probabilities, labels = rng.integers(0, 5, 60) / 4, rng.random(60) < 0.5
    found = reliability(labels, probabilities, bins=bins)
    assert sum(b.count for b in found) == 60
    assert 1 <= len(found) <= min(bins, 5)
    order = rng.permutation(60)
    assert reliability(labels[order], probabilities[order], bins=bins) == found
    if bins == 99:
        assert [b.mean_probability for b in found] == [0, 0.25, 0.5, 0.75, 1]


def test_ece_is_the_mean_gap_over_pictures():
    rng = np.random.default_rng(7)
    probabilities, labels = rng.random(57), rng.random(57) < 0.5
    found = ece(labels, probabilities, bins=6, runs=100, rng=rng).value
    bins = reliability(labels, probabilities, bins=6)
    assert found == pytest.approx(sum(b.count * abs(b.mean_probability - b.observed.value) for b in bins) / 57)


def test_null_band_holds_what_a_calibrated_model_shows():
    rng = np.random.default_rng(8)
    probabilities = rng.beta(1, 3, 80)
    found = ece(rng.random(80) < probabilities, probabilities, runs=2000, level=0.9, rng=rng)
    shown = []
    for _ in range(1500):
        labels = rng.random(80) < probabilities
        bins = reliability(labels, probabilities)
        shown.append(sum(b.count * abs(b.mean_probability - b.observed.value) for b in bins) / 80)
    assert (found.null_low, found.null_high) == pytest.approx(tuple(np.quantile(shown, [0.05, 0.95])), abs=0.006)
    assert found.null_low > 0.02  # chance alone shows an error


def test_p_values_of_a_calibrated_model_are_uniform():
    rng, found = np.random.default_rng(9), []
    for _ in range(400):
        probabilities = rng.random(50)
        found.append(ece(rng.random(50) < probabilities, probabilities, runs=100, rng=rng).p_value)
    assert stats.kstest(found, "uniform").pvalue > 0.001
    assert np.mean(np.array(found) <= 0.05) < 0.09


def test_too_sure_a_model_is_found_out():
    rng = np.random.default_rng(10)
    chances = rng.random(400)
    sure = special.expit(3 * special.logit(chances))
    e = ece(rng.random(400) < chances, sure, runs=200, rng=rng)
    assert e.value > e.null_high
    assert e.p_value == 1 / 201  # never 0: the pictures themselves are one of the draws


def test_the_least_error_there_can_be_is_no_evidence():
    labels, probabilities = np.arange(10) < 3, np.full(10, 0.3)
    assert ece(labels, probabilities, runs=100, rng=np.random.default_rng(0)).p_value == 1


@pytest.mark.parametrize(
    ("labels", "probabilities", "bins", "error", "says"),
    [
        ([0, 1], [0.5], 10, InputError, r"must be \(n,\)"),
        ([0, 3], [0.5, 0.5], 10, InputError, "labels must be bool"),
        ([0, 1], [0.5, 1.5], 10, InputError, r"in \[0, 1\], got 0\.5\.\.1\.5"),
        ([0, 1], [0.5, np.nan], 10, InputError, "in"),
        ([0, 1], [0.5, 0.5], 0, InputError, "bins must be >= 1"),
        ([], [], 10, UndefinedError, "needs 1 row"),
    ],
)
def test_what_is_no_probability_is_refused(labels, probabilities, bins, error, says):
    with pytest.raises(error, match=says):
        reliability(np.array(labels), np.array(probabilities), bins=bins)
    with pytest.raises(error, match=says):
        ece(np.array(labels), np.array(probabilities), bins=bins, rng=np.random.default_rng(0))


def test_too_few_simulations_are_refused():
    with pytest.raises(InputError, match="runs must be >= 100"):
        ece(np.array([True]), np.array([0.5]), runs=9, rng=np.random.default_rng(0))


@pytest.mark.parametrize("power", [1, 2])
def test_bins_of_50_pictures_hold_what_they_say(power):
    rng, held = np.random.default_rng(11), []
    for _ in range(300):
        said = rng.random(50)
        chances = said**power
        found = reliability(rng.random(50) < chances, said, bins=5)
        truths = chances[np.argsort(said)].reshape(5, 10).mean(axis=1)
        held += [b.observed.low <= t <= b.observed.high for b, t in zip(found, truths, strict=True)]
    assert np.mean(held) > 0.94


@pytest.mark.parametrize("power", [0.5, 1, 3])
@pytest.mark.parametrize("n", [50, 300])
def test_band_holds_any_rising_curve_at_once(power, n):
    rng, held = np.random.default_rng(12), 0
    for _ in range(150):
        said = rng.beta(1, 2, n)
        b = band(rng.random(n) < said**power, said)
        held += bool(((b.low <= b.probability**power) & (b.probability**power <= b.high)).all())
    assert held / 150 > 0.93


def test_band_is_the_tightest_of_exact_limits_over_runs_of_bins():
    rng = np.random.default_rng(13)
    said, came = rng.random(30), rng.random(30) < 0.5
    b, order = band(came, said, bins=3, level=0.9), np.argsort(said)
    parts = [order[:10], order[10:20], order[20:]]
    low, high = np.zeros(101), np.ones(101)
    for i in range(3):
        for j in range(i, 3):
            run = np.concatenate(parts[i : j + 1])
            e = proportion(int(came[run].sum()), len(run), level=1 - 0.1 / 6, method="clopper-pearson")
            right, left = b.probability >= said[run].max(), b.probability <= said[run].min()
            low[right] = np.maximum(low[right], e.low)
            high[left] = np.minimum(high[left], e.high)
    assert b.low == pytest.approx(low)
    assert b.high == pytest.approx(high)


def test_band_rises_and_finds_a_model_that_is_too_sure():
    rng = np.random.default_rng(14)
    chances = rng.random(800)
    said = special.expit(4 * special.logit(chances))
    b = band(rng.random(800) < chances, said)
    assert (np.diff(b.low) >= 0).all()
    assert (np.diff(b.high) >= 0).all()
    assert (b.low <= b.high).all()
    assert ((b.probability < b.low) | (b.probability > b.high)).any()


def test_brier_of_scikit_learns_example():
    b = brier(np.array([0, 1, 1, 0]), np.array([0.1, 0.9, 0.8, 0.3]))
    assert b.score.value == pytest.approx(0.0375)  # scikit-learn's docs


@pytest.mark.parametrize("seed", range(5))
def test_parts_of_brier_add_up_and_are_those_of_the_best_rising_map(seed):
    rng = np.random.default_rng(seed)
    said = rng.integers(0, 8, 60) / 7
    came = rng.random(60) < said**2
    b = brier(came, said)
    assert b.score.value == pytest.approx(b.miscalibration - b.discrimination + b.uncertainty, abs=1e-12)
    mapped = IsotonicRegression().fit(said, came).predict(said)
    assert b.miscalibration == pytest.approx(np.mean((said - came) ** 2) - np.mean((mapped - came) ** 2), abs=1e-9)
    assert b.uncertainty == pytest.approx(came.var())
    assert min(b.miscalibration, b.discrimination) >= 0


def test_brier_interval_is_students_on_the_log_scale_and_covers():
    rng, held = np.random.default_rng(15), 0
    for _ in range(400):
        said = rng.random(50)
        b = brier(rng.random(50) < said, said)
        held += b.score.low <= 1 / 6 <= b.score.high  # the mean of p (1 - p)
    assert held / 400 > 0.92
    said, came = rng.random(30), rng.random(30) < 0.5
    plain, e = mean((said - came) ** 2), brier(came, said).score
    assert math.log(e.high / e.value) == pytest.approx((plain.high - plain.value) / plain.value)
    assert math.log(e.value / e.low) == pytest.approx((plain.high - plain.value) / plain.value)


def test_certain_and_right_still_admits_doubt():
    came = np.arange(12) < 5
    b = brier(came, came * 1.0)
    assert (b.score.value, b.score.low) == (0, 0)
    assert b.score.high == proportion(0, 12).high
    assert b.miscalibration == 0


@pytest.mark.parametrize("function", [brier, band])
def test_no_probability_is_no_answer(function):
    with pytest.raises(InputError, match=r"probabilities must be in \[0, 1\]"):
        function(np.array([0, 1]), np.array([0.5, 1.5]))
    with pytest.raises(UndefinedError, match="calibration needs 1 row"):
        function(np.zeros(0, bool), np.zeros(0))
    with pytest.raises(InputError, match="level must be in"):
        function(np.array([0, 1]), np.array([0.5, 0.5]), level=0)
