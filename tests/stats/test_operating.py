"""Rates at a fixed other rate equal a walk over the curve, their limits the mixture written out; both cover."""

import math

import numpy as np
import pytest
from scipy import optimize, stats

from assay.errors import InputError, UndefinedError
from assay.stats.operating import sensitivity_at, specificity_at


def sample(m, n, shift, rng, *, ties=False):
    labels = rng.permutation(np.arange(m + n) < m)
    scores = rng.normal(size=m + n) + shift * labels
    return labels, scores.round() if ties else scores


def sides(e):
    return e.value, e.low, e.high


@pytest.mark.parametrize("seed", range(6))
def test_value_is_the_most_that_a_threshold_of_that_specificity_finds(seed):
    labels, scores = sample(13, 20, 1, np.random.default_rng(seed))
    rates = [(np.mean(scores[labels] >= t), np.mean(scores[~labels] < t)) for t in (*scores, math.inf)]
    for specificity in (0.5, 0.75, 0.9):
        assert sensitivity_at(labels, scores, specificity).value == max(
            se for se, sp in rates if sp >= specificity - 1e-12
        )


def test_value_across_a_tie_lies_on_the_straight_line():
    labels, scores = np.array([1, 1, 0, 0, 0, 0], bool), np.array([2.0, 1, 1, 1, 0, 0])
    assert sensitivity_at(labels, scores, 0.75).value == pytest.approx(0.75)  # halfway from (0, 1/2) to (1/2, 1)


@pytest.mark.parametrize(("m", "n", "kept"), [(8, 12, 0.8), (15, 30, 0.9), (20, 9, 0.95)])
def test_limits_equal_the_mixture_written_out(m, n, kept):
    labels, scores = sample(m, n, 1.5, np.random.default_rng(m))
    up, down = np.sort(scores[labels])[::-1], [math.inf, *np.sort(scores[~labels])[::-1], -math.inf]

    def below(share):
        total = 0
        for k in range(n + 1):  # negatives above the threshold that passes just that share of all
            least, most = (up >= down[k]).sum(), (up > down[k + 1]).sum()
            for part in (0.1, 0.3, 0.5, 0.7, 0.9):
                s = least + part * (most - least)
                total += stats.binom.pmf(k, n, 1 - kept) * stats.beta.cdf(share, s + 0.5, m - s + 0.5) / 5
        return total

    e = sensitivity_at(labels, scores, kept, level=0.9)
    for limit, tail in ((e.low, 0.05), (e.high, 0.95)):
        assert limit == pytest.approx(optimize.brentq(lambda x, t=tail: below(x) - t, 0, 1), abs=1e-6)


def test_specificity_at_a_sensitivity_is_its_mirror():
    labels, scores = sample(13, 20, 1, np.random.default_rng(1), ties=True)
    assert specificity_at(labels, scores, 0.8) == sensitivity_at(~labels, -scores, 0.8)


def test_only_order_matters_and_copies_within_a_group_change_little():
    labels, scores = sample(30, 50, 1, np.random.default_rng(2))
    e = sensitivity_at(labels, scores, 0.8)
    assert sides(sensitivity_at(labels, np.exp(scores), 0.8)) == sides(e)
    copied = sensitivity_at(np.repeat(labels, 3), np.repeat(scores, 3), 0.8, groups=np.repeat(np.arange(80), 3))
    assert sides(copied) == pytest.approx(sides(e), abs=0.03)


def test_few_negatives_leave_the_low_end_open_and_perfection_admits_doubt():
    e = sensitivity_at(np.arange(24) >= 8, np.arange(24.0), 0.95)  # P(no negative above) = .66
    assert e.value == e.high or e.high > 0.99
    assert e.low < 0.2
    many = sensitivity_at(np.arange(424) >= 400, np.arange(424.0), 0.9)
    assert many.value == 1
    assert 0.8 < many.low < 0.95


@pytest.mark.parametrize(("m", "n"), [(10, 90), (25, 25), (50, 50)])
def test_interval_covers_as_often_as_it_says(m, n):
    rng, covered = np.random.default_rng(3), 0
    truth = stats.norm.sf(stats.norm.isf(0.1) - 1.8)
    for _ in range(300):
        e = sensitivity_at(*sample(m, n, 1.8, rng), 0.9)
        covered += e.low <= truth <= e.high
    assert covered / 300 > 0.93


def test_grouped_interval_covers_where_counting_pictures_fails():
    rng, covered = np.random.default_rng(4), np.zeros(2)
    groups, labels = np.repeat(np.arange(40), 8), np.repeat(np.arange(40) < 16, 8)
    truth = stats.norm.sf(stats.norm.isf(0.2) - 1.5)
    for _ in range(200):
        scores = 1.5 * labels + np.repeat(rng.normal(0, math.sqrt(0.7), 40), 8) + rng.normal(0, math.sqrt(0.3), 320)
        pair = sensitivity_at(labels, scores, 0.8, groups=groups), sensitivity_at(labels, scores, 0.8)
        covered += [e.low <= truth <= e.high for e in pair]
    assert covered[0] / 200 > 0.9
    assert covered[1] / 200 < 0.8


def test_what_has_no_answer_is_refused():
    labels, scores = np.array([0, 1, 0, 1], bool), np.arange(4.0)
    for function, name in ((sensitivity_at, "specificity"), (specificity_at, "sensitivity")):
        for rate in (0, 1, math.nan):
            with pytest.raises(InputError, match=rf"{name} must be in \(0, 1\)"):
                function(labels, scores, rate)
        with pytest.raises(UndefinedError, match="got 2 positives and 0 negatives"):
            function(np.ones(2, bool), np.arange(2.0), 0.5)
        with pytest.raises(InputError, match="level must be in"):
            function(labels, scores, 0.5, level=1)
