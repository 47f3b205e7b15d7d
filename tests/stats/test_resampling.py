"""Resampling agrees with scipy and with Efron written out, draws groups whole, and counts how often intervals cover."""

import numpy as np
import pytest
from scipy import stats

from assay.errors import InputError, UndefinedError
from assay.stats.resampling import bootstrap


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
        (np.mean, {"runs": 10}, InputError, "runs >= 100"),
        (np.mean, {"groups": np.zeros(3)}, InputError, "groups must be"),
        (np.mean, {"groups": np.zeros(6)}, UndefinedError, "2 groups, got 1"),
        (np.mean, {"groups": np.arange(6) // 3, "strata": np.arange(6) // 2}, InputError, "in one stratum"),
    ],
)
def test_bootstraps_without_an_answer_are_refused(statistic, options, error, says):
    with pytest.raises(error, match=says):
        bootstrap(statistic, 6, rng=np.random.default_rng(0), **options)
