"""Resampling agrees with scipy and with Efron written out, draws groups whole, and counts how often intervals cover."""

import numpy as np
import pytest
from scipy import stats

from assay.errors import InputError, UndefinedError
from assay.stats import roc
from assay.stats.intervals import mean, proportion
from assay.stats.resampling import METHODS, auc, bootstrap, coverage


def limits(e):
    return e.low, e.high


@pytest.mark.parametrize("statistic", [np.mean, np.var])  # the variance is biased in resamples
def test_bootstrap_agrees_with_scipys_bca(statistic):
    values = np.random.default_rng(4).exponential(size=60)
    ours = bootstrap(lambda i: statistic(values[i]), 60, runs=4000, rng=np.random.default_rng(0))
    theirs = stats.bootstrap((values,), statistic, n_resamples=4000, method="BCa", rng=np.random.default_rng(0))
    width = ours.high - ours.low
    assert limits(ours) == pytest.approx(tuple(theirs.confidence_interval), abs=0.06 * width)


def test_bootstrap_limits_are_the_quantiles_of_efrons_bca():
    values, seen = np.random.default_rng(7).exponential(size=30), []

    def statistic(indices):
        seen.append(values[indices].var())
        return seen[-1]

    e = bootstrap(statistic, 30, level=0.9, runs=200, rng=np.random.default_rng(0))
    draws, left_out = np.array(seen[1:201]), np.array(seen[201:])
    expected = [np.delete(values, i).var() for i in range(30)]
    assert sorted(left_out) == pytest.approx(sorted(expected))
    pull = np.mean(expected) - expected
    acceleration = sum(pull**3) / (6 * sum(pull**2) ** 1.5)
    bias = stats.norm.ppf(np.mean(draws < values.var()))
    for limit, z in ((e.low, -1.6448536), (e.high, 1.6448536)):
        tail = stats.norm.cdf(bias + (bias + z) / (1 - acceleration * (bias + z)))
        assert limit == pytest.approx(np.quantile(draws, tail), rel=1e-5)


def test_bootstrap_draws_groups_whole_and_keeps_strata():
    groups, strata = np.repeat(np.arange(8), 3), np.repeat([0, 0, 0, 1, 1, 1, 1, 1], 3)
    seen = []

    def statistic(indices):
        seen.append((np.bincount(groups[indices], minlength=8) % 3, np.bincount(strata[indices], minlength=2)))
        return indices.mean()

    bootstrap(statistic, 24, groups=groups, strata=strata, runs=100, rng=np.random.default_rng(0))
    drawn = seen[1:101]
    assert not any(left.any() for left, _ in drawn)
    assert all(list(kept) == [9, 15] for _, kept in drawn)


def test_grouped_bootstrap_is_wider_for_copies():
    values = np.repeat(np.random.default_rng(5).normal(size=20), 5)
    alone, whole = (
        bootstrap(lambda i: values[i].mean(), 100, groups=g, rng=np.random.default_rng(1))
        for g in (None, np.repeat(np.arange(20), 5))
    )
    assert whole.high - whole.low > 1.7 * (alone.high - alone.low)


def test_bootstrap_covers_a_skewed_mean():
    rng = np.random.default_rng(6)
    covered = 0
    for _ in range(300):
        values = rng.exponential(size=40)
        e = bootstrap(lambda i, v=values: v[i].mean(), 40, runs=300, rng=rng)
        covered += e.low <= 1 <= e.high
    assert covered / 300 > 0.89


@pytest.mark.parametrize(
    ("statistic", "options", "error", "says"),
    [
        (lambda _: 1.0, {}, UndefinedError, "must vary"),
        (lambda _: float("nan"), {}, UndefinedError, "finite on every resample"),
        (np.mean, {"runs": 10}, InputError, "runs must be >= 100"),
        (np.mean, {"groups": np.zeros(3)}, InputError, "groups must be"),
        (np.mean, {"groups": np.zeros(6)}, UndefinedError, "2 groups, got 1"),
        (np.mean, {"groups": np.arange(6) // 3, "strata": np.arange(6) // 2}, InputError, "in one stratum"),
    ],
)
def test_bootstraps_without_an_answer_are_refused(statistic, options, error, says):
    with pytest.raises(error, match=says):
        bootstrap(statistic, 6, rng=np.random.default_rng(0), **options)


def test_percentile_and_basic_limits_mirror_each_other():
    values = np.random.default_rng(8).exponential(size=30)
    percentile, basic = (
        bootstrap(lambda i: values[i].mean(), 30, method=m, rng=np.random.default_rng(0))
        for m in ("percentile", "basic")
    )
    mean_ = values.mean()
    assert limits(basic) == pytest.approx((2 * mean_ - percentile.high, 2 * mean_ - percentile.low))
    theirs = stats.bootstrap((values,), np.mean, method="percentile", rng=np.random.default_rng(0))
    width = percentile.high - percentile.low
    assert limits(percentile) == pytest.approx(tuple(theirs.confidence_interval), abs=0.1 * width)


def sample(m, n, shift, rng, *, ties=False):
    labels = rng.permutation(np.arange(m + n) < m)
    scores = rng.normal(size=m + n) + shift * labels
    return labels, scores.round() if ties else scores


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("method", METHODS)
def test_presorted_bootstrap_agrees_with_the_plain_one(method, ties):
    labels, scores = sample(25, 40, 1, np.random.default_rng(9), ties=ties)

    def area(i):
        return roc.auc(labels[i], scores[i]).value

    options = {"method": method, "runs": 1500}
    quick = auc(labels, scores, rng=np.random.default_rng(1), **options)
    plain = bootstrap(area, 65, strata=labels, rng=np.random.default_rng(2), **options)
    assert quick.value == plain.value
    assert limits(quick) == pytest.approx(limits(plain), abs=0.08 * (plain.high - plain.low))


def test_presorted_bootstrap_draws_groups_whole():
    labels, scores = sample(25, 40, 1, np.random.default_rng(10))
    apart, mixed = np.where(labels, 1000, 0) + np.arange(65) // 3, np.arange(65) // 3
    for groups, strata in ((apart, labels), (mixed, None)):
        quick = auc(labels, scores, groups=groups, method="percentile", rng=np.random.default_rng(1))
        plain = bootstrap(
            lambda i: roc.auc(labels[i], scores[i]).value,
            65,
            groups=groups,
            strata=strata,
            method="percentile",
            runs=1500,
            rng=np.random.default_rng(2),
        )
        assert limits(quick) == pytest.approx(limits(plain), abs=0.1 * (plain.high - plain.low))


def test_presorted_bootstrap_is_a_function_of_the_seed():
    labels, scores = sample(25, 40, 1, np.random.default_rng(11))
    first, again, other = (auc(labels, scores, rng=np.random.default_rng(s)) for s in (1, 1, 2))
    assert first == again
    assert first != other


def test_presorted_bootstrap_without_an_answer_is_refused():
    with pytest.raises(UndefinedError, match=r"auc must vary between resamples, got 1.0 each time: use roc\.auc"):
        auc(np.arange(9) > 4, np.arange(9.0), rng=np.random.default_rng(0))
    with pytest.raises(UndefinedError, match="each resample must hold both classes"):
        auc(np.arange(8) % 4 == 0, np.arange(8.0), groups=np.arange(8) // 2 % 3, rng=np.random.default_rng(0))
    labels, scores = sample(5, 5, 0, np.random.default_rng(0))
    for options, says in (({"runs": 9}, "runs must be >= 100"), ({"method": "t"}, "method must be one of bca")):
        with pytest.raises(InputError, match=says):
            auc(labels, scores, rng=np.random.default_rng(0), **options)
        with pytest.raises(InputError, match=says):
            bootstrap(np.mean, 10, rng=np.random.default_rng(0), **options)


def test_coverage_counts_the_intervals_that_hold_the_truth():
    drawn = []

    def make(rng):
        drawn.append(rng.normal(3, 1, 6))
        return drawn[-1]

    e = coverage(make, mean, 3, runs=300, rng=np.random.default_rng(0))
    held = sum(m.low <= 3 <= m.high for m in map(mean, drawn))
    assert e == proportion(held, 300)
    assert e.low < 0.95 < e.high


def test_coverage_finds_an_interval_that_is_too_narrow():
    e = coverage(
        lambda rng: int(rng.binomial(30, 0.5)),
        lambda k: proportion(k, 30, level=0.5),
        0.5,
        runs=400,
        rng=np.random.default_rng(1),
    )
    assert e.high < 0.7
    with pytest.raises(InputError, match="runs must be >= 1"):
        coverage(lambda _: 0, mean, 0, runs=0, rng=np.random.default_rng(0))
