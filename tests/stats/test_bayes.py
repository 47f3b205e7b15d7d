"""Predictive values equal a count over a table, and their intervals cover as often as they say."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.errors import InputError, UndefinedError
from assay.stats.bayes import natural_frequencies, predictive_values
from assay.stats.intervals import Estimate, proportion

RATES = st.floats(0, 1)
INNER = st.floats(0.001, 0.999)


@settings(max_examples=200, deadline=None)
@given(INNER, INNER, INNER)
def test_values_are_bayes_rule(sensitivity, specificity, prevalence):
    found = predictive_values(sensitivity, specificity, prevalence)
    real, alarms = prevalence * sensitivity, (1 - prevalence) * (1 - specificity)
    passed, missed = (1 - prevalence) * specificity, prevalence * (1 - sensitivity)
    for e, expected in ((found.ppv, real / (real + alarms)), (found.npv, passed / (passed + missed))):
        assert (e.value, e.low, e.high) == pytest.approx((expected, expected, expected))


def test_lawyers_and_engineers():
    # Kahneman & Tversky 1973: a description that fits both alike leaves the base rate of 30 % as it was.
    assert predictive_values(0.4, 0.6, 0.3).ppv.value == pytest.approx(0.3)


def test_interval_is_carried_by_squares_on_the_log_scale():
    se, sp, p = proportion(43, 50), proportion(160, 200), 0.05
    found = predictive_values(se, sp, p)
    odds = p / (1 - p)
    for e, right, wrong, prior in (
        (found.ppv, (se.value, se.low, se.high), (1 - sp.value, 1 - sp.high, 1 - sp.low), odds),
        (found.npv, (sp.value, sp.low, sp.high), (1 - se.value, 1 - se.high, 1 - se.low), 1 / odds),
    ):
        (a, la, ua), (b, lb, ub) = ([math.log(x) for x in triple] for triple in (right, wrong))
        down = math.sqrt((a - la) ** 2 + (ub - b) ** 2)
        up = math.sqrt((ua - a) ** 2 + (b - lb) ** 2)
        limits = [1 / (1 + 1 / (prior * math.exp(x))) for x in (a - b - down, a - b + up)]
        assert (e.low, e.high) == pytest.approx(limits)


@pytest.mark.parametrize(("m", "n", "se", "sp"), [(30, 100, 0.9, 0.95), (50, 40, 0.7, 0.8), (40, 200, 0.95, 0.99)])
def test_intervals_cover_as_often_as_they_say(m, n, se, sp):
    rng, covered, trials = np.random.default_rng(1), np.zeros(2), 2000
    truth = predictive_values(se, sp, 0.03)
    for _ in range(trials):
        rates = proportion(int(rng.binomial(m, se)), m), proportion(int(rng.binomial(n, sp)), n)
        found = predictive_values(*rates, 0.03)
        pairs = (found.ppv, truth.ppv), (found.npv, truth.npv)
        covered += [e.low <= t.value <= e.high for e, t in pairs]
    assert (covered / trials > 0.925).all()


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 12), st.integers(0, 9), st.floats(1e-6, 0.999))
def test_intervals_hold_their_value_and_stay_in_range(k, j, prevalence):
    se, sp = proportion(k, 12), proportion(j, 9)
    if (k, j) in {(0, 9), (12, 0)}:
        with pytest.raises(UndefinedError, match="calls, got none"):
            predictive_values(se, sp, prevalence)
        return
    found = predictive_values(se, sp, prevalence)
    for e in (found.ppv, found.npv):
        assert 0 <= e.low <= e.value <= e.high <= 1
        assert e.high > e.low


def test_perfect_specificity_still_admits_doubt():
    se, sp = proportion(9, 12), proportion(30, 30)
    ppv = predictive_values(se, sp, 0.02).ppv
    assert ppv.value == ppv.high == 1
    assert ppv.low == pytest.approx(1 / (1 + 49 * (1 - sp.low) / se.value))


def test_swapping_what_is_sought_swaps_the_values():
    se, sp = proportion(20, 30), proportion(70, 80)
    one, other = predictive_values(se, sp, 0.2), predictive_values(sp, se, 0.8)
    for a, b in ((one.ppv, other.npv), (one.npv, other.ppv)):
        assert (a.value, a.low, a.high) == pytest.approx((b.value, b.low, b.high))


@settings(max_examples=200, deadline=None)
@given(RATES, RATES, INNER, st.integers(1, 100_000))
def test_frequencies_are_whole_and_sum_and_lie_within_1_of_what_is_expected(se, sp, prevalence, out_of):
    f = natural_frequencies(se, sp, prevalence, out_of=out_of)
    counts = [f.found, f.missed, f.false_alarms, f.passed]
    expected = [prevalence * se, prevalence * (1 - se), (1 - prevalence) * (1 - sp), (1 - prevalence) * sp]
    assert sum(counts) == out_of
    assert f.found + f.missed == round(prevalence * out_of)
    assert f.passed == round((f.false_alarms + f.passed) * sp)
    assert all(isinstance(c, int) and c >= 0 for c in counts)
    assert all(abs(c - out_of * e) <= 1 + 1e-6 for c, e in zip(counts, expected, strict=True))


def test_mammography_in_natural_frequencies():
    # Gigerenzer & Hoffrage 1995: 10 of 1,000 have it; 8 are found, and 95 of the other 990 are alarmed too.
    f = natural_frequencies(0.8, 1 - 0.096, 0.01)
    assert (f.found, f.missed, f.false_alarms, f.passed) == (8, 2, 95, 895)
    assert predictive_values(0.8, 1 - 0.096, 0.01).ppv.value == pytest.approx(0.078, abs=5e-4)


def test_frequencies_read_the_value_of_an_estimate():
    assert natural_frequencies(proportion(8, 10), 0.9, 0.5) == natural_frequencies(0.8, 0.9, 0.5)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((0.9, 0.9, 0.0), r"prevalence must be in \(0, 1\)"),
        ((0.9, 0.9, 1.0), "prevalence"),
        ((1.1, 0.9, 0.5), "sensitivity must be in"),
        ((0.9, math.nan, 0.5), "specificity must be in"),
    ],
)
def test_rates_outside_their_range_are_refused(arguments, says):
    with pytest.raises(InputError, match=says):
        predictive_values(*arguments)
    with pytest.raises(InputError, match=says):
        natural_frequencies(*arguments)


def test_levels_must_agree_and_counts_be_whole():
    with pytest.raises(InputError, match=r"at level 0\.95, got one at 0\.9"):
        predictive_values(proportion(8, 10, level=0.9), 0.9, 0.1)
    with pytest.raises(InputError, match="sensitivity must be in"):
        predictive_values(Estimate(0.9, 0.8, 1.2, 0.95, "wald"), 0.9, 0.1)
    with pytest.raises(InputError, match="out_of must be a whole number"):
        natural_frequencies(0.9, 0.9, 0.1, out_of=0)
    with pytest.raises(InputError, match="level must be in"):
        predictive_values(0.9, 0.9, 0.1, level=95)
