"""Areas equal counts over pairs, curves a walk over thresholds, and intervals cover as often as they say."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats
from sklearn import metrics

from assay.errors import InputError, UndefinedError
from assay.stats import ranks
from assay.stats.roc import auc, band, curve, delong_variance, partial_auc

# World Federation of Neurosurgeons' grade of 113 patients by outcome: Turck 2010, in the package pROC.
WFNS_LABELS = np.r_[np.zeros(72, bool), np.ones(41, bool)]
WFNS_SCORES = np.r_[np.repeat([1.0, 2, 3, 4, 5], [37, 20, 3, 8, 4]), np.repeat([1.0, 2, 3, 4, 5], [2, 12, 1, 8, 18])]


def pairs(labels, scores):
    """Oracle: the definition, one pair at a time."""
    return np.array([[(p > q) + (p == q) / 2 for q in scores[~labels]] for p in scores[labels]])


def sample(m, n, shift, rng, *, ties=False):
    labels = rng.permutation(np.r_[np.ones(m, bool), np.zeros(n, bool)])
    scores = rng.normal(size=m + n) + shift * labels
    return labels, scores.round() if ties else scores


def sides(e):
    return e.value, e.low, e.high


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("ties", [False, True])
def test_auc_equals_the_count_over_pairs(seed, ties):
    labels, scores = sample(9, 16, 1, np.random.default_rng(seed), ties=ties)
    assert auc(labels, scores).value == pytest.approx(pairs(labels, scores).mean(), abs=1e-12)


def test_auc_and_variance_of_wfns_equal_those_of_proc():
    value, variance = auc(WFNS_LABELS, WFNS_SCORES).value, delong_variance(WFNS_LABELS, WFNS_SCORES)
    assert value == pytest.approx(0.823678861788618, abs=1e-13)
    assert variance == pytest.approx(0.00146991470882363, abs=1e-13)
    half = 1.959963984540054 * math.sqrt(variance) / (value * (1 - value))
    centre = math.log(value / (1 - value))
    limits = [1 / (1 + math.exp(-x)) for x in (centre - half, centre + half)]
    assert limits == pytest.approx([0.7357640966, 0.8868418443], abs=1e-9)
    e = auc(WFNS_LABELS, WFNS_SCORES)  # enough pictures: near the logit interval
    assert (e.low, e.high) == pytest.approx(limits, abs=0.01)


def test_auc_of_scikit_learns_example():
    assert auc(np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8])).value == 0.75  # scikit-learn's docs


@pytest.mark.parametrize(("m", "n"), [(3, 9), (12, 5)])
def test_variance_equals_delong_written_out(m, n):
    labels, scores = sample(m, n, 0.5, np.random.default_rng(m))
    wins = pairs(labels, scores)
    expected = wins.mean(1).var(ddof=1) / m + wins.mean(0).var(ddof=1) / n
    assert delong_variance(labels, scores) == pytest.approx(expected, rel=1e-12)


def obuchowski(labels, scores, groups):
    """Oracle: Obuchowski 1997, one group at a time."""
    wins, pos, neg = pairs(labels, scores), groups[labels], groups[~labels]
    m, n, area = len(pos), len(neg), wins.mean()
    names, i10, i01 = set(groups), len(set(pos)), len(set(neg))
    s10 = s01 = s11 = 0.0
    for name in names:
        a = (wins.mean(1)[pos == name] - area).sum()
        b = (wins.mean(0)[neg == name] - area).sum()
        s10, s01, s11 = s10 + a * a, s01 + b * b, s11 + a * b
    s10, s01 = s10 * i10 / ((i10 - 1) * m), s01 * i01 / ((i01 - 1) * n)
    s11 *= len(names) / (len(names) - 1)
    return s10 / m + s01 / n + 2 * s11 / (m * n)


@pytest.mark.parametrize("seed", range(5))
def test_variance_over_groups_equals_obuchowski_written_out(seed):
    rng = np.random.default_rng(seed)
    labels, scores = sample(18, 31, 1, rng, ties=True)
    groups = rng.integers(0, 12, 49)
    assert delong_variance(labels, scores, groups=groups) == pytest.approx(obuchowski(labels, scores, groups))


def written_out_interval(labels, scores):
    """Oracle: the docstring of auc, limits by root finding."""
    wins, m, n = pairs(labels, scores), labels.sum(), (~labels).sum()
    area, up, down = wins.mean(), wins.mean(1), wins.mean(0)
    parts = up.var(ddof=1) / m, down.var(ddof=1) / n

    def hanley_mcneil(a):
        return a * (1 - a) * (1 + ((m + n) / 2 - 1) * ((1 - a) / (2 - a) + a / (1 + a))) / (m * n)

    k = min((up < 1).sum(), (up > 0).sum(), (down < 1).sum(), (down > 0).sum())
    ratio, df = 1.0, min(m, n) - 1
    if sum(parts) > 0:
        ratio = sum(parts) / hanley_mcneil(area)
        df = sum(parts) ** 2 / (parts[0] ** 2 / (m - 1) + parts[1] ** 2 / (n - 1))
    ratio = (k * ratio + 10 * max(ratio, 1)) / (k + 10)
    t = stats.t.isf(0.025, df)

    def gap(a):
        return (a - area) ** 2 - t**2 * ratio * hanley_mcneil(a)

    low = optimize.brentq(gap, 1e-12, min(area, 1 - 1e-9)) if area > 0 else 0
    high = optimize.brentq(gap, max(area, 1e-9), 1 - 1e-12) if area < 1 else 1
    if area in (0, 1):
        edge = 0.025 ** (1 / min(m, n))
        return area, min(low, edge), max(high, 1 - edge)
    shares = []
    for lost, size in ((1 - up, m), (1 - down, n)) if area >= 0.5 else ((up, m), (down, n)):
        weight = lost.sum() ** 2 / (lost**2).sum()
        shares.append(stats.beta.ppf(0.05, weight, size - weight + 1) * size / weight)
    if area >= 0.5:
        return area, low, max(high, 1 - (1 - area) * min(shares))
    return area, min(low, area * min(shares)), high


@pytest.mark.parametrize("shift", [-3, -1, 0, 1, 3])
@pytest.mark.parametrize(("m", "n"), [(4, 9), (30, 12)])
def test_interval_equals_its_formula_written_out(m, n, shift):
    labels, scores = sample(m, n, shift, np.random.default_rng(m))
    assert sides(auc(labels, scores)) == pytest.approx(written_out_interval(labels, scores), abs=1e-6)


def coverage(truth, m, n, sd, trials, rng):
    shift = stats.norm.ppf(truth) * math.sqrt(1 + sd**2)
    labels = np.r_[np.ones(m, bool), np.zeros(n, bool)]
    covered = 0
    for _ in range(trials):
        scores = np.r_[rng.normal(shift, sd, m), rng.normal(0, 1, n)]
        e = auc(labels, scores)
        covered += e.low <= truth <= e.high
    return covered / trials


@pytest.mark.parametrize("truth", [0.8, 0.95, 0.99])
@pytest.mark.parametrize(("m", "n"), [(10, 50), (30, 100), (100, 100)])
def test_interval_covers_as_often_as_it_says(truth, m, n):
    assert coverage(truth, m, n, 1, 1000, np.random.default_rng(7)) >= 0.93 - 0.01  # less 1.5 s.e.


@pytest.mark.slow
@pytest.mark.parametrize("truth", [0.6, 0.8, 0.95, 0.99])
@pytest.mark.parametrize(("m", "n"), [(10, 10), (10, 50), (50, 10), (30, 100), (100, 100)])
@pytest.mark.parametrize("sd", [0.5, 1, 2])
def test_interval_covers_over_a_grid(truth, m, n, sd):
    assert coverage(truth, m, n, sd, 5000, np.random.default_rng(8)) >= 0.93


def test_grouped_interval_covers_where_counting_pictures_fails():
    rng, covered, alone, trials = np.random.default_rng(9), 0, 0, 500
    groups, labels = np.repeat(np.arange(40), 5), np.repeat(np.arange(40) < 15, 5)
    truth = stats.norm.cdf(1.5 / math.sqrt(2))
    for _ in range(trials):
        scores = 1.5 * labels + np.repeat(rng.normal(0, math.sqrt(0.7), 40), 5) + rng.normal(0, math.sqrt(0.3), 200)
        e, plain = auc(labels, scores, groups=groups), auc(labels, scores)
        covered += e.low <= truth <= e.high
        alone += plain.low <= truth <= plain.high
    assert covered / trials > 0.92
    assert alone / trials < 0.8


def test_groups_of_one_picture_change_nothing():
    labels, scores = sample(12, 30, 1, np.random.default_rng(0))
    assert sides(auc(labels, scores, groups=np.arange(42))) == pytest.approx(sides(auc(labels, scores)))


def test_copies_within_a_group_change_nothing():
    labels, scores = sample(12, 30, 1, np.random.default_rng(0))
    copied = auc(np.repeat(labels, 3), np.repeat(scores, 3), groups=np.repeat(np.arange(42), 3))
    assert sides(copied) == pytest.approx(sides(auc(labels, scores)))


def test_repeats_average_areas_and_count_pictures_once():
    rng = np.random.default_rng(1)
    labels, scores = sample(15, 40, 1, rng)
    repeats = scores + rng.normal(0, 0.3, (6, 55))
    e, one = auc(labels, repeats), auc(labels, scores)
    assert e.value == pytest.approx(np.mean([auc(labels, row).value for row in repeats]))
    assert e.high - e.low == pytest.approx(one.high - one.low, rel=0.2)
    assert sides(auc(labels, np.tile(scores, (7, 1)))) == pytest.approx(sides(one))


@pytest.mark.parametrize("shift", [0.5, 4])
def test_swapping_classes_or_sign_mirrors_the_estimate(shift):
    labels, scores = sample(12, 19, shift, np.random.default_rng(3))
    a = auc(labels, scores)
    for b in (auc(~labels, scores), auc(labels, -scores)):
        assert sides(a) == pytest.approx((1 - b.value, 1 - b.high, 1 - b.low))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(-50, 50), min_size=6, max_size=30))
def test_only_the_order_of_scores_matters(whole):
    labels, scores = np.arange(len(whole)) % 3 == 0, np.array(whole, float)
    assert auc(labels, scores) == auc(labels, np.exp(scores / 10) - 7)
    order = np.random.default_rng(0).permutation(len(whole))
    assert sides(auc(labels[order], scores[order])) == pytest.approx(sides(auc(labels, scores)))


def test_perfect_separation_still_admits_doubt():
    small, large = (auc(np.arange(9 * k) >= 5 * k, np.arange(9.0 * k)) for k in (1, 20))
    assert small.value == small.high == large.high == 1
    assert small.low < 0.6
    assert 0.95 < large.low < 1


def test_equal_scores_still_admit_doubt():
    e = auc(np.arange(20) < 8, np.zeros(20))
    assert e.value == 0.5
    assert e.high - e.low > 0.4


def test_neighbouring_floats_are_not_ties():
    one_ulp = 1 + np.arange(18) * np.finfo(float).eps
    labels = np.arange(18) % 3 == 1
    twin = np.arange(18.0)
    assert auc(labels, one_ulp) == auc(labels, twin)
    assert (curve(labels, one_ulp).sensitivity == curve(labels, twin).sensitivity).all()
    assert len(curve(labels, one_ulp).thresholds) == 19


def test_extreme_scores_give_the_curve_of_their_easy_twin():
    extreme = np.array([-1.797e308, -5e-324, 0, 5e-324, 1, 1.797e308])
    labels = np.array([0, 1, 0, 1, 0, 1], bool)
    assert (curve(labels, extreme).false_positive_rate == curve(labels, np.arange(6.0)).false_positive_rate).all()


def test_curve_equals_a_walk_over_thresholds():
    labels, scores = sample(9, 17, 1, np.random.default_rng(4), ties=True)
    c = curve(labels, scores)
    assert (np.diff(c.thresholds) < 0).all()
    assert set(c.thresholds[1:]) == set(scores)
    for t, x, y in zip(c.thresholds, c.false_positive_rate, c.sensitivity, strict=True):
        assert (x, y) == (np.mean(scores[~labels] >= t), np.mean(scores[labels] >= t))
    assert (c.false_positive_rate[0], c.sensitivity[0], c.thresholds[0]) == (0, 0, math.inf)
    assert (c.false_positive_rate[-1], c.sensitivity[-1]) == (1, 1)
    assert np.trapezoid(c.sensitivity, c.false_positive_rate) == pytest.approx(auc(labels, scores).value)


def test_band_follows_the_curve_and_always_has_width():
    labels, scores = sample(12, 40, 1, np.random.default_rng(5), ties=True)
    b, c = band(labels, scores, rng=np.random.default_rng(0)), curve(labels, scores)
    assert (b.false_positive_rate == np.linspace(0, 1, 101)).all()
    for x, y in zip(b.false_positive_rate[1:], b.sensitivity[1:], strict=True):
        assert y == pytest.approx(np.interp(x, c.false_positive_rate, c.sensitivity))
    assert (b.low <= b.sensitivity).all()
    assert (b.sensitivity <= b.high).all()
    assert (b.high - b.low > 0.02)[:-1].all()
    assert b.low[-1] == b.sensitivity[-1] == b.high[-1] == 1
    assert b.low.min() >= 0
    assert b.high.max() <= 1


def test_rates_that_binary_fractions_miss_are_still_met():
    labels = np.arange(110) >= 100  # 0.29 * 100 is below 29, 0.07 * 100 is above 7
    scores = np.r_[np.arange(100.0), np.full(10, 70.5)]  # 29 of 100 negatives above, 71 below
    b = band(labels, scores, rng=np.random.default_rng(0))
    assert (b.sensitivity[28], b.sensitivity[29]) == (0, 1)


def test_band_covers_as_often_as_it_says():
    rng, grid = np.random.default_rng(6), [0, 2, 5, 10, 20, 50]
    truth = stats.norm.sf(stats.norm.isf(np.array(grid) / 100) - 1.5)
    covered = np.zeros(6)
    for _ in range(200):
        b = band(*sample(40, 80, 1.5, rng), runs=200, rng=rng)
        covered += (b.low[grid] <= truth) & (truth <= b.high[grid])
    assert (covered / 200 > 0.9).all()


def test_simultaneous_band_holds_the_whole_curve():
    rng, grid, held = np.random.default_rng(10), np.linspace(0, 1, 101)[1:-1], 0
    truth = stats.norm.sf(stats.norm.isf(grid) - 1.5)
    for _ in range(60):
        b = band(*sample(40, 80, 1.5, rng), simultaneous=True, runs=500, rng=rng)
        held += bool(((b.low[1:-1] <= truth) & (truth <= b.high[1:-1])).all())
    assert held / 60 > 0.9


def test_simultaneous_band_is_wider_and_holds_a_share_of_drawn_curves():
    labels, scores = sample(30, 60, 1, np.random.default_rng(13))
    each = band(labels, scores, rng=np.random.default_rng(0))
    whole = band(labels, scores, simultaneous=True, rng=np.random.default_rng(0))
    inner = slice(5, 95)
    assert (whole.high - whole.low)[inner].mean() > 1.2 * (each.high - each.low)[inner].mean()
    steps, grid = ranks.stairs(labels, scores), np.linspace(0, 1, 101)
    draws = ranks.drawn(steps, grid, sizes=(30, 60), runs=3000, rng=np.random.default_rng(9))
    held = ((whole.low <= draws) & (draws <= whole.high))[:, 1:-1].all(axis=1).mean()
    assert 0.935 < held < 0.98


def test_drawn_curves_have_binomial_counts_and_jeffreys_heights():
    steps = ranks.stairs(np.arange(50) >= 40, np.arange(50.0))  # perfect: every threshold below the 10 positives
    draws = ranks.drawn(steps, np.array([0.5]), sizes=(10, 40), runs=20000, rng=np.random.default_rng(1))[:, 0]
    assert stats.kstest(draws, stats.beta(10.5, 0.5).cdf).pvalue > 0.001
    with_ties = ranks.stairs(np.array([1, 0, 1, 0], bool), np.array([1.0, 1, 0, 0]))
    assert ranks.along(with_ties, np.array([0, 0.25, 0.5, 1])) == pytest.approx([0, 0.25, 0.5, 1])


def test_grouped_band_covers_where_counting_pictures_fails():
    rng, grid, covered = np.random.default_rng(14), [10, 20, 50], np.zeros((2, 3))
    groups, labels = np.repeat(np.arange(40), 8), np.repeat(np.arange(40) < 16, 8)
    truth = stats.norm.sf(stats.norm.isf(np.array(grid) / 100) - 1.5)
    for _ in range(100):
        scores = 1.5 * labels + np.repeat(rng.normal(0, math.sqrt(0.7), 40), 8) + rng.normal(0, math.sqrt(0.3), 320)
        for i, names in enumerate((groups, None)):
            b = band(labels, scores, groups=names, runs=400, rng=rng)
            covered[i] += (b.low[grid] <= truth) & (truth <= b.high[grid])
    assert (covered[0] / 100 > 0.88).all()
    assert (covered[1] / 100 < 0.8).all()


@pytest.mark.parametrize("highest", [0.1, 0.3, 0.77])
@pytest.mark.parametrize("seed", range(4))
def test_partial_area_equals_scikit_learns_before_mcclish(seed, highest):
    labels, scores = sample(15, 31, 1, np.random.default_rng(seed), ties=seed % 2 == 0)
    corrected = metrics.roc_auc_score(labels, scores, max_fpr=highest)
    least, most = highest**2 / 2, highest
    area = least + (2 * corrected - 1) * (most - least)
    e = partial_auc(labels, scores, specificity=(1 - highest, 1), runs=100, rng=np.random.default_rng(0))
    assert e.value == pytest.approx(area / highest, abs=1e-12)
    assert 0 <= e.low < e.value < e.high <= 1


def test_partial_areas_add_up_to_the_whole():
    labels, scores = sample(15, 31, 1, np.random.default_rng(5), ties=True)
    cuts = [0, 0.31, 0.5, 20 / 31, 1]
    parts = [
        (b - a) * partial_auc(labels, scores, specificity=(a, b), runs=100, rng=np.random.default_rng(0)).value
        for a, b in itertools.pairwise(cuts)
    ]
    assert sum(parts) == pytest.approx(auc(labels, scores).value)


def test_partial_area_covers_as_often_as_it_says_and_has_width_at_perfection():
    rng, grid, held = np.random.default_rng(15), np.linspace(0, 0.2, 2001), 0
    truth = np.trapezoid(stats.norm.sf(stats.norm.isf(grid) - 1.5), grid) / 0.2
    for _ in range(200):
        e = partial_auc(*sample(40, 80, 1.5, rng), specificity=(0.8, 1), runs=300, rng=rng)
        held += e.low <= truth <= e.high
    assert held / 200 > 0.9
    e = partial_auc(np.arange(60) >= 45, np.arange(60.0), rng=rng)
    assert e.value == e.high == 1 or e.high > 0.99
    assert e.low < 0.9


def test_logit_interval_of_wfns_equals_that_of_proc():
    e = auc(WFNS_LABELS, WFNS_SCORES, method="delong-logit")
    assert (e.low, e.high) == pytest.approx((0.7357640966, 0.8868418443), abs=1e-10)
    half = 1.959963984540054 * math.sqrt(delong_variance(WFNS_LABELS, WFNS_SCORES))
    assert (e.value - half, e.value + half) == pytest.approx((0.7485348878195, 0.8988228357578), abs=1e-12)
    assert e.value * 41 * 72 == pytest.approx(2431.5)  # Mann-Whitney's U


def test_logit_interval_at_perfection_is_that_of_pairs_that_all_agreed():
    e = auc(np.arange(8) >= 5, np.arange(8.0), method="delong-logit")
    assert (e.value, e.high) == (1, 1)
    assert e.low == pytest.approx(0.025 ** (1 / 3))


def test_logit_interval_says_where_it_is_optimistic():
    labels, scores = sample(400, 100, 2.3, np.random.default_rng(18))
    assert not auc(labels, scores, method="delong-logit").optimistic
    rng, truth, held = np.random.default_rng(19), stats.norm.cdf(2.3 / math.sqrt(2)), {True: [], False: []}
    for _ in range(600):
        labels, scores = sample(20, 50, 2.3, rng)
        e = auc(labels, scores, method="delong-logit")
        held[e.optimistic].append(e.low <= truth <= e.high)
        assert not auc(labels, scores).optimistic
    assert len(held[True]) > 60
    assert np.mean(held[True]) < 0.9
    assert np.mean(held[False]) > 0.93


def test_area_of_one_ulp_neighbours_is_exact():
    # 7 positives and 11 negatives one rounding step apart, 60 of 77 pairs in order: the area of pROC's
    # test-numeric-accuracy.R, to the last bit.
    one_ulp = 1 + np.arange(18) * np.finfo(float).eps
    labels = np.isin(np.arange(18), [4, 9, 10, 12, 14, 15, 17])
    wins = sum(int((~labels[:i]).sum()) for i in np.flatnonzero(labels))
    assert auc(labels, one_ulp).value == wins / 77
    assert wins == 60
    assert auc(labels, one_ulp).value == float.fromhex("0x1.8ef606a63bd82p-1")


def test_areas_equal_scikit_learns_on_1000_problems_with_ties():
    rng = np.random.default_rng(16)
    for _ in range(1000):
        m, n = rng.integers(2, 40, 2)
        labels, scores = sample(m, n, rng.uniform(-1, 3), rng)
        scores = scores.round(rng.integers(0, 3))
        assert auc(labels, scores).value == pytest.approx(metrics.roc_auc_score(labels, scores), abs=1e-12)
        theirs = metrics.roc_curve(labels, scores, drop_intermediate=False)
        ours = curve(labels, scores)
        for a, b in zip((ours.false_positive_rate, ours.sensitivity, ours.thresholds), theirs, strict=True):
            assert a == pytest.approx(b, abs=1e-12)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(-9, 9)), min_size=4, max_size=40))
def test_laws_of_areas(pictures):
    labels, scores = np.array([y for y, _ in pictures]), np.array([float(s) for _, s in pictures])
    if min(labels.sum(), (~labels).sum()) < 2:
        with pytest.raises(UndefinedError, match="auc needs 2 of each class"):
            auc(labels, scores)
        return
    e = auc(labels, scores)
    assert 0 <= e.low <= e.value <= e.high <= 1
    assert e.high > e.low
    assert auc(labels, -scores).value == pytest.approx(1 - e.value)
    assert auc(np.repeat(labels, 2), np.repeat(scores, 2)).value == pytest.approx(e.value)  # a weight of 2
    assert auc(labels, scores**3).value == e.value
    assert stats.mannwhitneyu(scores[labels], scores[~labels]).statistic == pytest.approx(
        e.value * labels.sum() * (~labels).sum()
    )


def test_inputs_are_left_as_they_were():
    labels, scores = sample(9, 16, 1, np.random.default_rng(17))
    kept = labels.copy(), scores.copy()
    for function in EVERY.values():
        function(labels, scores)
    assert (labels == kept[0]).all()
    assert (scores == kept[1]).all()


def test_scores_that_are_labels_are_named():
    with pytest.raises(InputError, match=r"scores must be numbers, got <U3: give scores, not labels"):
        auc(np.array([0, 1, 0, 1]), np.array(["ant", "bee", "ant", "bee"]))


EVERY = {
    "auc": auc,
    "delong_variance": delong_variance,
    "curve": curve,
    "band": lambda y, s: band(y, s, rng=np.random.default_rng(0)),
    "partial_auc": lambda y, s: partial_auc(y, s, rng=np.random.default_rng(0)),
}


@pytest.mark.parametrize("name", EVERY)
def test_what_cannot_be_ranked_is_refused(name):
    with pytest.raises(UndefinedError, match="got 3 positives and 0 negatives"):
        EVERY[name](np.ones(3, bool), np.arange(3.0))
    with pytest.raises(InputError, match=r"must be \(n,\).*got \(4,\) and \(3,\)"):
        EVERY[name](np.array([0, 1, 0, 1], bool), np.zeros(3))
    with pytest.raises(InputError, match="scores must be finite, got 1 that"):
        EVERY[name](np.array([0, 1, 0, 1], bool), np.array([0, 1, np.nan, 2]))
    with pytest.raises(InputError, match="labels must be bool"):
        EVERY[name](np.array([0, 2, 0, 1]), np.arange(4.0))


def test_options_outside_their_range_are_refused():
    labels, scores = np.array([0, 1, 0, 1], bool), np.arange(4.0)
    with pytest.raises(InputError, match="level must be in"):
        auc(labels, scores, level=0)
    with pytest.raises(InputError, match="groups must be"):
        auc(labels, scores, groups=np.zeros(3))
    with pytest.raises(UndefinedError, match="2 groups that hold each class, got 1 and 2"):
        auc(labels, scores, groups=np.array([0, 1, 2, 1]))
    with pytest.raises(InputError, match="runs must be >= 100"):
        band(labels, scores, runs=5, rng=np.random.default_rng(0))
    with pytest.raises(InputError, match="method must be one of delong-score, delong-logit"):
        auc(labels, scores, method="wald")
    with pytest.raises(InputError, match="specificity must rise within"):
        partial_auc(labels, scores, specificity=(0.9, 0.8), rng=np.random.default_rng(0))
