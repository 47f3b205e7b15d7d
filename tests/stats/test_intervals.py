"""Intervals equal their formulas and published tables, and cover as often as they say."""

import math

import numpy as np
import pytest
from scipy import stats

from assay.errors import InputError, UndefinedError
from assay.stats.intervals import METHODS, OPTIMISTIC, Estimate, clustered, effective, mean, proportion, quantile, worth

# 95 % limits of Newcombe 1998 (81/263, 0/20) and of statsmodels 0.15.
TABLE = {
    (81, 263): [(0.255289, 0.366210), (0.252737, 0.367622), (0.254522, 0.365647)],
    (0, 20): [(0, 0.161125), (0, 0.168433), (0, 0.116639)],
    (5, 10): [(0.236593, 0.763407), (0.187086, 0.812914), (0.223529, 0.776471)],
    (95, 100): [(0.888250, 0.978456), (0.887165, 0.983568), (0.893900, 0.980668)],
    (0, 10): [(0, 0.277533), (0, 0.308497), None],
    (10, 10): [(0.722467, 1), (0.691503, 1), None],
    (1, 1): [(0.206549, 1), (0.025, 1), None],
}


def limits(e):
    return e.low, e.high


@pytest.mark.parametrize(("k", "n"), TABLE)
def test_proportions_equal_the_published_table(k, n):
    for method, expected in zip(("wilson", "clopper-pearson", "jeffreys"), TABLE[k, n], strict=True):
        if expected is not None:
            assert limits(proportion(k, n, method=method)) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("k", "n", "expected"),
    [(81, 263, (0.2544, 0.3658)), (15, 148, (0.0601, 0.1581)), (0, 20, (0, 0.1391)), (1, 29, (0.0017, 0.1585))],
)
def test_mid_p_limits_equal_newcombes_table(k, n, expected):  # Newcombe 1998, method 6
    assert limits(proportion(k, n, method="mid-p")) == pytest.approx(expected, abs=5e-5)


@pytest.mark.parametrize(("k", "n"), [(0, 9), (3, 9), (9, 9), (1, 40)])
def test_mid_p_limits_are_where_half_of_what_was_seen_counts(k, n):
    low, high = limits(proportion(k, n, level=0.9, method="mid-p"))
    if k > 0:
        assert stats.binom.sf(k, n, low) + stats.binom.pmf(k, n, low) / 2 == pytest.approx(0.05)
    if k < n:
        assert stats.binom.cdf(k - 1, n, high) + stats.binom.pmf(k, n, high) / 2 == pytest.approx(0.05)


@pytest.mark.parametrize("n", [1, 7, 30])
def test_wilson_limits_are_where_the_score_test_just_rejects(n):
    for k in range(n + 1):
        for limit in limits(proportion(k, n, level=0.9)):
            if 0 < limit < 1:
                z = (k / n - limit) / math.sqrt(limit * (1 - limit) / n)
                assert abs(z) == pytest.approx(1.6448536)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("n", [1, 2, 19])
def test_every_interval_holds_its_value_has_width_and_mirrors(method, n):
    for k in range(n + 1):
        e, other = proportion(k, n, method=method), proportion(n - k, n, method=method)
        assert 0 <= e.low <= e.value <= e.high <= 1
        assert e.low < e.high
        assert limits(e) == pytest.approx((1 - other.high, 1 - other.low))


@pytest.mark.parametrize(
    ("method", "worst"), [("wilson", 0.86), ("clopper-pearson", 0.95), ("jeffreys", 0.87), ("mid-p", 0.91)]
)
@pytest.mark.parametrize("n", [10, 50])
def test_exact_coverage_of_proportions(method, worst, n):
    truths = np.arange(0.005, 0.9951, 0.005)
    found = np.array([limits(proportion(k, n, method=method)) for k in range(n + 1)])
    covered = [stats.binom.pmf(np.flatnonzero((found[:, 0] <= p) & (p <= found[:, 1])), n, p).sum() for p in truths]
    assert min(covered) >= worst - 0.002
    assert np.mean(covered) >= 0.948


def test_counts_and_hits_say_the_same():
    hits = np.array([1, 0, 1, 1, 0, 1, 1], bool)
    assert proportion(hits, 7) == proportion(5, 7)


@pytest.mark.parametrize(
    ("arguments", "options", "error", "says"),
    [
        ((4, 3), {}, InputError, r"whole number in 0\.\.3"),
        ((-1, 3), {}, InputError, "whole number"),
        ((1.5, 3), {}, InputError, "whole number"),
        ((np.array([2, 0, 1]), 3), {}, InputError, "whole number"),
        ((np.array([1, 0]), 3), {}, InputError, r"got shape \(2,\)"),
        ((0, 0), {}, UndefinedError, "needs 1 row"),
        ((1, 3), {"level": 1.0}, InputError, r"level must be in \(0, 1\)"),
        ((1, 3), {"method": "wald"}, InputError, "method must be one of wilson"),
        ((1, 3), {"groups": np.arange(3)}, InputError, "row by row"),
    ],
)
def test_impossible_proportions_are_refused(arguments, options, error, says):
    with pytest.raises(error, match=says):
        proportion(*arguments, **options)


def written_out_clustered(hits, groups):
    """Oracle: the docstring of clustered, one group at a time."""
    n, p = len(hits), sum(hits) / len(hits)
    names = sorted(set(groups))
    inside = [[h for h, g in zip(hits, groups, strict=True) if g == name] for name in names]
    fewest = n**2 / sum(len(i) ** 2 for i in inside)
    variance = len(names) / (len(names) - 1) * sum(sum(h - p for h in i) ** 2 for i in inside) / n**2
    size = fewest if variance == 0 else min(n, 1 + p * (1 - p) / variance)
    if size > fewest:
        k = min(sum(any(h > 0 for h in i) for i in inside), sum(any(h < 1 for h in i) for i in inside))
        size = fewest + (size - fewest) * k / (k + 3) * (1.959964 / stats.t.isf(0.025, len(names) - 1)) ** 2
    z = 1.959964
    centre, half = p + z**2 / 2 / size, z * math.sqrt(p * (1 - p) / size + z**2 / 4 / size**2)
    return (centre - half) / (1 + z**2 / size), (centre + half) / (1 + z**2 / size)


@pytest.mark.parametrize("seed", range(10))
def test_clustered_equals_its_formula_written_out(seed):
    rng = np.random.default_rng(seed)
    groups = rng.integers(0, 9, 40)
    hits = (rng.random(40) < 0.2 + 0.08 * groups).astype(float)
    hits[:5] = 0.5
    e = clustered(hits, groups)
    assert (e.value, e.low, e.high) == pytest.approx((hits.mean(), *written_out_clustered(hits, groups)), abs=1e-6)


@pytest.mark.parametrize("k", [0, 1, 6, 13])
def test_groups_of_one_picture_give_wilson(k):
    hits = np.arange(13) < k
    assert clustered(hits, np.arange(13)) == proportion(k, 13)


@pytest.mark.parametrize("k", [0, 1, 6, 13])
def test_copies_within_a_group_change_nothing(k):
    hits, groups = np.arange(13) < k, np.arange(13)
    e = clustered(np.repeat(hits, 4), np.repeat(groups, 4))
    assert limits(e) == pytest.approx(limits(proportion(k, 13)))


def test_shares_over_repeats_never_pretend_to_be_more_pictures():
    e = clustered(np.full(20, 0.5), np.arange(20))
    assert limits(e) == limits(proportion(10, 20))


def test_one_group_counts_as_one_picture():
    assert limits(clustered(np.ones(50), np.zeros(50))) == pytest.approx(limits(proportion(1, 1)))


def test_perfection_in_groups_admits_as_much_doubt_as_one_picture_each():
    e = clustered(np.ones(50), np.repeat(np.arange(5), 10))
    assert limits(e) == pytest.approx(limits(proportion(5, 5)))


def coverage_in_groups(n_groups, truth, icc, trials, rng):
    a, b = (1 / icc - 1) * truth, (1 / icc - 1) * (1 - truth)
    groups, covered, naive = np.repeat(np.arange(n_groups), 10), 0, 0
    for _ in range(trials):
        hits = rng.random(10 * n_groups) < np.repeat(rng.beta(a, b, n_groups), 10)
        e, alone = clustered(hits, groups), proportion(int(hits.sum()), len(hits))
        covered += e.low <= truth <= e.high
        naive += alone.low <= truth <= alone.high
    return covered / trials, naive / trials


@pytest.mark.parametrize(("n_groups", "truth"), [(20, 0.7), (30, 0.9)])
def test_grouped_pictures_are_covered_where_counting_them_fails(n_groups, truth):
    covered, naive = coverage_in_groups(n_groups, truth, 0.5, 800, np.random.default_rng(5))
    assert covered >= 0.93 - 0.015  # less 2 s.e. of the simulation
    assert naive < 0.75


@pytest.mark.slow
@pytest.mark.parametrize("icc", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("truth", [0.5, 0.8, 0.95])
@pytest.mark.parametrize("n_groups", [10, 50])
def test_grouped_coverage_over_a_grid(n_groups, truth, icc):
    covered, _ = coverage_in_groups(n_groups, truth, icc, 4000, np.random.default_rng(6))
    assert covered >= 0.92


@pytest.mark.parametrize(
    ("hits", "groups", "error", "says"),
    [
        ([0, 1], [0], InputError, "must be"),
        ([0, 2], [0, 1], InputError, r"in \[0, 1\], got np.float64\(2.0\)"),
        ([0, np.nan], [0, 1], InputError, "nan"),
        ([], [], UndefinedError, "needs 1 row"),
    ],
)
def test_impossible_hits_are_refused(hits, groups, error, says):
    with pytest.raises(error, match=says):
        clustered(np.array(hits), np.array(groups))


@pytest.mark.parametrize(("k", "n"), [(0, 9), (9, 9), (4, 9), (450, 900), (999_999, 1_000_000)])
@pytest.mark.parametrize("level", [0.5, 0.95, 0.999])
def test_wilson_limits_tell_of_how_many_pictures_they_are(k, n, level):
    assert worth(proportion(k, n, level=level)) == pytest.approx(n, rel=1e-6)


def test_mean_is_students_interval():
    values = np.random.default_rng(1).gamma(2, 2, 23)
    expected = stats.t.interval(0.9, 22, values.mean(), values.std(ddof=1) / math.sqrt(23))
    assert limits(mean(values, level=0.9)) == pytest.approx(expected)


def test_mean_over_groups_of_equal_size_is_the_mean_of_group_means():
    values = np.random.default_rng(2).normal(size=28)
    e, plain = mean(values, groups=np.repeat(list("abcdefg"), 4)), mean(values.reshape(7, 4).mean(axis=1))
    assert (e.value, *limits(e)) == pytest.approx((plain.value, *limits(plain)))


def test_mean_of_gamma_samples_covers_as_often_as_it_says():
    rng = np.random.default_rng(3)
    found = [mean(rng.gamma(2, 2, 40), level=0.9) for _ in range(2000)]
    assert 0.87 < np.mean([e.low <= 4 <= e.high for e in found]) < 0.92  # gamma(2, 2) is skewed


def test_mean_of_few_values_says_that_skew_would_not_show():
    rng = np.random.default_rng(4)
    assert mean(rng.normal(size=19)).method == "t" + OPTIMISTIC
    assert mean(rng.normal(size=20)).method == "t"
    assert mean(rng.normal(size=40), groups=np.repeat(np.arange(10), 4)).optimistic
    assert not mean(rng.normal(size=3), sigma=1.0).optimistic
    found = [mean(rng.gamma(2, 2, 5)) for _ in range(2000)]
    held = [e.low <= 4 <= e.high for e in found]
    assert np.mean(held) < 0.93


def test_mean_keeps_the_digits_of_nist_numacc4():
    values = np.r_[10000000.2, np.tile([10000000.1, 10000000.3], 500)]
    e = mean(values)
    half = quantile(0.95, df=1000) * 0.1 / math.sqrt(1001)  # NIST StRD: mean 10000000.2, s 0.1
    assert (e.value, e.high - e.value) == pytest.approx((10000000.2, half), rel=1e-6)


@pytest.mark.parametrize(
    ("values", "value", "sigma"),
    [  # NIST StRD: the certified mean and standard deviation
        ([10000001.0, 10000003, 10000002], 10000002, 1),
        ([1.2, *[1.1, 1.3] * 500], 1.2, 0.1),
        ([1000000.2, *[1000000.1, 1000000.3] * 500], 1000000.2, 0.1),
        ([10000000.2, *[10000000.1, 10000000.3] * 500], 10000000.2, 0.1),
    ],
)
def test_mean_keeps_the_digits_of_nist(values, value, sigma):
    e = mean(np.array(values))
    found = (e.high - e.low) / 2 / quantile(0.95, df=len(values) - 1) * math.sqrt(len(values))
    assert -math.log10(abs(e.value - value) / value + 1e-16) >= 14
    assert -math.log10(abs(found - sigma) / sigma + 1e-16) >= 8


def test_mean_with_known_sigma_is_the_normal_interval():
    values = np.random.default_rng(3).gamma(2, 2, 500)
    for level, z in ((0.95, 1.959964), (0.9, 1.644854)):
        e, half = mean(values, level=level, sigma=2 * math.sqrt(2)), z * 2 * math.sqrt(2) / math.sqrt(500)
        assert limits(e) == pytest.approx((values.mean() - half, values.mean() + half), abs=1e-6)
    assert mean(np.array([7.0]), sigma=1).value == 7


def test_known_sigma_must_be_one():
    for options in ({"sigma": 0.0}, {"sigma": math.inf}, {"sigma": 1.0, "groups": np.zeros(2)}):
        with pytest.raises(InputError, match="sigma must be finite, > 0 and without groups"):
            mean(np.ones(2), **options)
    with pytest.raises(UndefinedError, match="needs 1 value, got 0"):
        mean(np.zeros(0), sigma=1.0)


def test_an_interval_says_where_it_is_optimistic():
    plain = proportion(1, 2)
    assert not plain.optimistic
    told = Estimate(0.5, 0.4, 0.6, 0.95, "wilson" + OPTIMISTIC)
    assert told.optimistic
    assert str(told) == "0.500 [0.400, 0.600] (95%, wilson, optimistic here)"


def test_effective_number_of_values():
    rng = np.random.default_rng(4)
    values, groups = rng.normal(size=200), np.repeat(np.arange(200), 3)
    assert effective(values, np.arange(200)) == 200
    assert effective(np.repeat(values, 3), groups) == pytest.approx(200, rel=0.01)  # copies
    assert effective(np.ones(12), np.arange(12) // 3) == 4  # no spread at all: as if copies
    alike = rng.normal(size=30) + np.repeat(rng.normal(size=10), 3)
    names, centred = np.repeat(np.arange(10), 3), alike - alike.mean()
    between = 10 / 9 * sum(centred[names == g].sum() ** 2 for g in range(10)) / 30**2
    size = alike.var(ddof=1) / between
    assert 10 < size < 30
    assert effective(alike, names) == pytest.approx(10 + (size - 10) * 9 / 12)


@pytest.mark.parametrize(
    ("values", "groups", "error", "says"),
    [
        ([1.0], None, UndefinedError, "needs 2 values"),
        ([1.0, 2.0], [0, 0], UndefinedError, "in 1"),
        ([1.0, np.inf], None, InputError, "finite"),
        ([[1.0, 2.0]], None, InputError, r"\(n,\)"),
        ([1.0, 2.0], [0], InputError, "groups must be"),
    ],
)
def test_means_without_an_answer_are_refused(values, groups, error, says):
    with pytest.raises(error, match=says):
        mean(np.array(values), groups=groups)
