"""Comparisons equal DeLong written out, tests equal their tables, and p-values of equal models are uniform."""

import math

import numpy as np
import pytest
from scipy import stats

from assay.errors import InputError, UndefinedError
from assay.stats import ranks
from assay.stats.compare import MCNEMAR, accuracies, aucs, benjamini_hochberg, holm, mcnemar, permutation, unpaired_aucs
from assay.stats.roc import auc


def pair(m, n, first, second, rng, *, alike=0.5):
    labels, shared = rng.permutation(np.arange(m + n) < m), rng.normal(size=m + n)
    noise = (math.sqrt(1 - alike) * rng.normal(size=m + n) for _ in range(2))
    one, other = (math.sqrt(alike) * shared + x + d * labels for x, d in zip(noise, (first, second), strict=True))
    return labels, one, other


def written_out_covariance(labels, one, other):
    """Oracle: DeLong's covariance matrix, one pair of pictures at a time."""
    wins = [np.array([[(p > q) + (p == q) / 2 for q in s[~labels]] for p in s[labels]]) for s in (one, other)]
    m, n = wins[0].shape
    return np.cov([w.mean(1) for w in wins]) / m + np.cov([w.mean(0) for w in wins]) / n


@pytest.mark.parametrize("seed", range(4))
def test_covariance_equals_delong_written_out(seed):
    labels, one, other = pair(7, 12, 1, 0.3, np.random.default_rng(seed))
    other = other.round()
    found = ranks.delong(ranks.placements(labels, np.array([one, other]))).covariance
    assert found == pytest.approx(written_out_covariance(labels, one, other), rel=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_difference_joins_the_two_intervals_by_squares(seed):
    labels, one, other = pair(15, 22, 1.5, 0.5, np.random.default_rng(seed))
    a, b = auc(labels, one), auc(labels, other)
    v = written_out_covariance(labels, one, other)
    r = v[0, 1] / math.sqrt(v[0, 0] * v[1, 1])
    la, ua, lb, ub = a.value - a.low, a.high - a.value, b.value - b.low, b.high - b.value
    e = aucs(labels, one, other).difference
    assert e.value == pytest.approx(a.value - b.value)
    assert e.value - e.low == pytest.approx(math.sqrt(la**2 + ub**2 - 2 * r * la * ub), abs=1e-6)
    assert e.high - e.value == pytest.approx(math.sqrt(ua**2 + lb**2 - 2 * r * ua * lb), abs=1e-6)


def test_many_pictures_give_delongs_z():
    labels, one, other = pair(900, 1400, 1.0, 0.9, np.random.default_rng(3))
    v = written_out_covariance(labels[:300], one[:300], other[:300])
    assert v.shape == (2, 2)
    c = aucs(labels, one, other)
    spread = ranks.delong(ranks.placements(labels, np.array([one, other]))).covariance
    z = c.difference.value / math.sqrt(spread[0, 0] + spread[1, 1] - 2 * spread[0, 1])
    assert c.p_value == pytest.approx(2 * stats.norm.sf(abs(z)), abs=0.01)
    assert (c.difference.high - c.difference.low) / 2 == pytest.approx(1.96 * c.difference.value / z, rel=0.02)


@pytest.mark.parametrize("seed", range(6))
def test_p_value_and_interval_never_disagree(seed):
    labels, one, other = pair(12, 20, 1.5, 0.2, np.random.default_rng(seed))
    c = aucs(labels, one, other)
    at_p = aucs(labels, one, other, level=min(max(1 - c.p_value, 1e-9), 1 - 1e-9)).difference
    assert min(abs(at_p.low), abs(at_p.high)) < 1e-6
    assert (c.p_value < 0.05) == (not c.difference.low <= 0 <= c.difference.high)


def test_two_perfect_models_still_admit_doubt_and_equal_ones_do_not_differ():
    labels = np.arange(30) < 12
    one, other = labels + 0.0, labels * 2 - np.arange(30) / 100
    c = aucs(labels, one, other)
    assert (c.difference.value, c.p_value) == (0, 1)
    assert c.difference.low < -0.05 < 0.05 < c.difference.high
    labels, one, _ = pair(12, 20, 1, 1, np.random.default_rng(0))
    c = aucs(labels, one, np.exp(one))
    assert (c.difference.low, c.difference.high) == pytest.approx((0, 0), abs=1e-7)


def test_swapping_models_mirrors_the_difference():
    labels, one, other = pair(12, 20, 1.5, 0.2, np.random.default_rng(1))
    a, b = aucs(labels, one, other), aucs(labels, other, one)
    assert (a.difference.low, a.difference.high) == pytest.approx((-b.difference.high, -b.difference.low))
    assert a.p_value == pytest.approx(b.p_value)


def test_copies_within_a_group_change_nothing():
    labels, one, other = pair(12, 20, 1.5, 0.2, np.random.default_rng(2))
    plain = aucs(labels, one, other)
    copied = aucs(*(np.repeat(x, 3) for x in (labels, one, other)), groups=np.repeat(np.arange(32), 3))
    assert (copied.difference.low, copied.difference.high, copied.p_value) == pytest.approx(
        (plain.difference.low, plain.difference.high, plain.p_value), abs=1e-6
    )


def test_differences_cover_as_often_as_they_say():
    rng, covered = np.random.default_rng(4), 0
    truth = stats.norm.cdf(2 / math.sqrt(2)) - stats.norm.cdf(1.5 / math.sqrt(2))
    for _ in range(200):
        labels, one, other = pair(20, 40, 2, 1.5, rng)
        e = aucs(labels, one, other).difference
        covered += e.low <= truth <= e.high
    assert covered / 200 > 0.9


def test_unpaired_areas_are_joined_without_correlation():
    rng = np.random.default_rng(5)
    first, second = pair(9, 20, 1, 1, rng)[:2], pair(14, 11, 0.5, 1, rng)[:2]
    a, b = auc(*first), auc(*second)
    e = unpaired_aucs(first, second).difference
    assert e.low == pytest.approx(a.value - b.value - math.hypot(a.value - a.low, b.high - b.value))
    assert e.high == pytest.approx(a.value - b.value + math.hypot(a.high - a.value, b.value - b.low))


def test_mcnemar_of_the_textbook_table():
    # [[794, 86], [150, 570]]: Agresti 1990, p. 350; R's mcnemar.test and binom.test.
    expected = {"chi2": 3.0993e-5, "chi2-corrected": 4.1146e-5, "exact": 3.7159e-5}
    for method, p in expected.items():
        assert mcnemar(86, 150, method=method) == pytest.approx(p, rel=2e-5)
    assert stats.chi2.isf(mcnemar(86, 150, method="chi2"), 1) == pytest.approx(17.35593, abs=1e-5)
    assert stats.chi2.isf(mcnemar(86, 150, method="chi2-corrected"), 1) == pytest.approx(16.81780, abs=1e-5)


@pytest.mark.parametrize("b", range(7))
@pytest.mark.parametrize("c", range(7))
def test_mcnemar_counts_splits(b, c):
    n = b + c
    chances = [math.comb(n, k) / 2**n for k in range(n + 1)]
    exact = sum(x for k, x in enumerate(chances) if abs(2 * k - n) >= abs(b - c))
    assert mcnemar(b, c, method="exact") == pytest.approx(exact)
    half = sum(x for k, x in enumerate(chances) if abs(2 * k - n) == abs(b - c)) / 2
    assert mcnemar(b, c) == pytest.approx(1 if b == c else exact - half)
    assert all(0 < mcnemar(b, c, method=m) <= 1 for m in MCNEMAR)


def test_accuracies_are_compared_by_what_only_one_gets_right():
    labels = np.array([0, 1, 2, 0, 1, 2, 2, 0, 1, 0, 2])
    first, second = labels.copy(), labels.copy()
    first[:2], second[1:6] = 7, 8
    c = accuracies(labels, first, second, method="exact")
    assert c.p_value == mcnemar(4, 1, method="exact")
    assert c.difference.value == pytest.approx(3 / 11)
    assert (c.first.value, c.second.value) == (9 / 11, 6 / 11)


def test_p_values_of_equal_models_are_uniform():
    rng, found = np.random.default_rng(6), []
    for _ in range(150):
        labels, one, other = pair(15, 20, 1, 1, rng)
        found.append(permutation(labels, one, other, runs=100, rng=rng))
    assert stats.kstest(found, "uniform").pvalue > 0.001


@pytest.mark.slow
def test_p_values_of_equal_models_are_uniform_over_many_runs():
    rng, found = np.random.default_rng(7), []
    for _ in range(2000):
        labels, one, other = pair(15, 20, 1, 1, rng)
        found.append(permutation(labels, one, other, runs=199, rng=rng))
    assert stats.kstest(found, "uniform").pvalue > 0.001


def test_permutation_finds_a_real_difference_and_swaps_groups_whole():
    labels, one, other = pair(40, 40, 2, 0, np.random.default_rng(8))
    assert permutation(labels, one, other, runs=200, rng=np.random.default_rng(0)) < 0.02
    assert permutation(labels, one, one, runs=100, rng=np.random.default_rng(0)) == 1
    # One group can only be swapped whole, which changes nothing.
    assert permutation(labels, one, other, groups=np.zeros(80), runs=100, rng=np.random.default_rng(0)) == 1


def test_holm_and_benjamini_hochberg_of_the_textbook():
    p = np.array([0.01, 0.04, 0.03, 0.005])
    assert holm(p) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert benjamini_hochberg(p) == pytest.approx([0.02, 0.04, 0.04, 0.02])


@pytest.mark.parametrize("seed", range(5))
def test_raised_p_values_equal_a_walk(seed):
    p = np.random.default_rng(seed).random(9).round(1)
    assert benjamini_hochberg(p) == pytest.approx(stats.false_discovery_control(p))
    walk = [max(min((p >= q).sum() * q, 1) for q in p if q <= x) for x in p]
    assert holm(p) == pytest.approx(walk)


def test_comparisons_without_an_answer_are_refused():
    labels, scores = np.array([0, 1, 0, 1], bool), np.arange(4.0)
    with pytest.raises(UndefinedError, match="auc needs 2 of each class"):
        aucs(np.ones(4, bool), scores, scores)
    with pytest.raises(InputError, match="must be"):
        aucs(labels, scores, scores[:3])
    with pytest.raises(InputError, match="method must be one of mid-p"):
        mcnemar(1, 2, method="wald")
    with pytest.raises(InputError, match="counts must be whole"):
        mcnemar(-1, 2)
    with pytest.raises(InputError, match=r"must be \(n,\)"):
        accuracies(np.zeros(3), np.zeros(3), np.zeros(2))
    with pytest.raises(InputError, match="runs must be >= 100"):
        permutation(labels, scores, scores, runs=9, rng=np.random.default_rng(0))
    with pytest.raises(InputError, match=r"p_values must be \(k,\) in \[0, 1\]"):
        holm(np.array([0.5, 1.5]))
