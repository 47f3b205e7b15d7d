"""Predictive values equal a count over a table, and their intervals cover as often as they say."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from assay.errors import InputError, UndefinedError
from assay.stats.bayes import (
    base_rate,
    beta_binomial,
    beta_posterior,
    natural_frequencies,
    posterior,
    predictive_values,
    prior_shift,
)
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
    se, sp = proportion(43, 50, method="clopper-pearson"), proportion(160, 200, method="clopper-pearson")
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
    assert (covered / trials > 0.94).all()


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
    assert ppv.low == pytest.approx(
        1 / (1 + 49 * (1 - 0.025 ** (1 / 30)) / se.value)
    )  # Clopper and Pearson at 30 of 30


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 10**6), st.floats(0, 1), st.floats(0.5, 0.999), st.floats(1e-6, 0.999))
def test_wilson_limits_carry_as_much_as_those_of_clopper_and_pearson(n, share, level, prevalence):
    # As much as they should, whatever rounding leaves of the number of pictures that Wilson's limits tell.
    k = round(share * n)
    named = [
        predictive_values(proportion(k, n, level=level, method=m), 0.5, prevalence, level=level)
        for m in ("wilson", "clopper-pearson")
    ]
    for wilson, exact in zip(*((p.ppv, p.npv) for p in named), strict=True):
        assert (wilson.low, wilson.high) == pytest.approx((exact.low, exact.high), abs=1e-6)


def coverage_at(m, n, se, sp, prevalence):
    """Oracle: every outcome of two samples, weighed by its chance."""
    truth, held = predictive_values(se, sp, prevalence), np.zeros(2)
    for k, j in np.ndindex(m + 1, n + 1):
        chance = stats.binom.pmf(k, m, se) * stats.binom.pmf(j, n, sp)
        if chance < 1e-6:
            continue
        try:
            found = predictive_values(proportion(k, m), proportion(j, n), prevalence)
        except UndefinedError:  # nothing was called positive: no answer, not a wrong one
            held += chance
            continue
        pairs = (found.ppv, truth.ppv), (found.npv, truth.npv)
        held += [chance * (e.low <= t.value <= e.high) for e, t in pairs]
    return held


@pytest.mark.parametrize(("m", "n"), [(10, 90), (50, 45)])
@pytest.mark.parametrize(("se", "sp"), [(0.7, 0.8), (0.95, 0.99), (0.99, 0.999)])
def test_intervals_cover_where_hardly_a_mistake_is_expected(m, n, se, sp):
    assert (coverage_at(m, n, se, sp, 0.01) > 0.945).all()


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


def test_posterior_is_bayes_rule_and_knows_the_base_rate():
    prior, likelihood = np.array([0.3, 0.5, 0.2]), np.array([[0.1, 0.4, 0.9], [1, 0, 0]])
    joint = [[p * x for p, x in zip(prior, row, strict=True)] for row in likelihood]
    assert posterior(prior, likelihood) == pytest.approx(np.array([[x / sum(row) for x in row] for row in joint]))
    # A description that fits engineers and lawyers alike leaves the base rate as it was.
    assert posterior(np.array([30, 70]), np.array([0.6, 0.6])) == pytest.approx([0.3, 0.7])


def test_posterior_after_two_sights_is_that_after_both():
    rng = np.random.default_rng(0)
    prior, first, second = rng.dirichlet([1, 1, 1]), rng.random(3), rng.random(3)
    assert posterior(posterior(prior, first), second) == pytest.approx(posterior(prior, first * second))


def test_predictive_value_is_a_posterior():
    found = predictive_values(0.9, 0.91, 0.01).ppv.value
    assert posterior(np.array([0.01, 0.99]), np.array([0.9, 0.09]))[0] == pytest.approx(found)


def two_places(n, here, rng):
    """Pictures of two normal classes at a base rate, and what a perfect model that learned at 1/2 says of them."""
    labels = rng.random(n) < here
    x = rng.normal(size=n) + 2.0 * labels
    likelihood = stats.norm.pdf(x[:, None] - np.array([0, 2.0]))
    return labels, x, likelihood / likelihood.sum(axis=1, keepdims=True)


def test_shifted_probabilities_are_those_of_a_model_that_learned_there():
    _, x, said = two_places(200, 0.1, np.random.default_rng(1))
    joint = stats.norm.pdf(x[:, None] - np.array([0, 2.0])) * np.array([0.9, 0.1])
    expected = joint / joint.sum(axis=1, keepdims=True)
    assert prior_shift(said, np.array([0.5, 0.5]), np.array([0.9, 0.1])) == pytest.approx(expected)
    back = prior_shift(
        prior_shift(said, np.array([0.5, 0.5]), np.array([0.9, 0.1])), np.array([0.9, 0.1]), np.array([0.5, 0.5])
    )
    assert back == pytest.approx(said)


@pytest.mark.parametrize("seed", range(3))
def test_base_rate_is_the_likeliest_of_a_fine_grid_and_its_limits_just_not_ruled_out(seed):
    _, _, said = two_places(80, 0.3, np.random.default_rng(seed))
    fits, grid = said / 0.5, np.linspace(0, 1, 20001)
    heights = sum(np.log(f[0] * (1 - grid) + f[1] * grid) for f in fits)
    e = base_rate(said, np.array([0.5, 0.5]), level=0.9)[1]
    assert e.value == pytest.approx(grid[heights.argmax()], abs=1e-4)
    kept = grid[2 * (heights.max() - heights) <= 1.644854**2]
    assert (e.low, e.high) == pytest.approx((kept.min(), kept.max()), abs=1e-4)


def test_base_rates_of_several_classes_sum_to_1_and_mirror():
    rng = np.random.default_rng(2)
    labels = rng.choice(3, 300, p=[0.7, 0.2, 0.1])
    likelihood = stats.norm.pdf(rng.normal(size=300)[:, None] + 2.5 * labels[:, None] - 2.5 * np.arange(3))
    said = likelihood / likelihood.sum(axis=1, keepdims=True)
    found = base_rate(said, np.full(3, 1 / 3))
    assert sum(e.value for e in found) == pytest.approx(1)
    # Oracle: the likelihood on a grid of all base rates, of which each share keeps its best.
    a, b = np.meshgrid(np.linspace(0, 1, 401), np.linspace(0, 1, 401), indexing="ij")
    shares = np.stack([a, b, 1 - a - b], axis=-1)[a + b <= 1 + 1e-12].clip(1e-12)
    heights = np.log(said @ shares.T).sum(axis=0)
    kept = shares[2 * (heights.max() - heights) <= 1.959964**2]
    for c, e in enumerate(found):
        assert e.value == pytest.approx(shares[heights.argmax(), c], abs=0.003)
        assert (e.low, e.high) == pytest.approx((kept[:, c].min(), kept[:, c].max()), abs=0.006)
    turned = base_rate(said[:, ::-1], np.full(3, 1 / 3))[::-1]
    assert [e.low for e in turned] == pytest.approx([e.low for e in found], abs=1e-4)


def test_base_rate_covers_as_often_as_it_says():
    rng, held = np.random.default_rng(3), 0
    for _ in range(150):
        e = base_rate(two_places(60, 0.2, rng)[2], np.array([0.5, 0.5]))[1]
        held += e.low <= 0.2 <= e.high
    assert held / 150 > 0.9


def test_a_class_that_is_never_seen_may_still_be_there():
    said = np.tile([[0.99, 0.01]], (20, 1))
    e = base_rate(said, np.array([0.5, 0.5]))[1]
    assert e.value == pytest.approx(0, abs=1e-6)
    assert e.low == 0
    assert 0.05 < e.high < 0.3


def test_beta_posterior_is_the_beta_distribution():
    e = beta_posterior(7, 20, prior=(2, 3), level=0.9)
    known = stats.beta(9, 16)
    assert (e.value, e.low, e.high) == pytest.approx((known.mean(), *known.interval(0.9)))
    assert beta_posterior(0, 0).value == 0.5


@pytest.mark.parametrize(("k", "n", "future"), [(3, 10, 15), (0, 5, 8), (5, 5, 1)])
def test_beta_binomial_leaves_out_no_more_than_it_may(k, n, future):
    e, known = beta_binomial(k, n, future, level=0.9), stats.betabinom(future, k + 0.5, n - k + 0.5)
    assert e.value == pytest.approx(known.mean())
    assert known.cdf(e.low - 1) <= 0.05 < known.cdf(e.low)
    assert known.sf(e.high) <= 0.05 + 1e-12
    assert e.high == e.low or known.sf(e.high - 1) > 0.05


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: posterior(np.ones(2), np.ones(3)), InputError, r"\(k,\) and \(..., k\)"),
        (lambda: posterior(np.ones(2), np.array([-1, 1])), InputError, "finite and >= 0"),
        (lambda: posterior(np.array([0, 1]), np.array([1, 0])), UndefinedError, "must be possible"),
        (lambda: prior_shift(np.eye(2), np.array([0, 1]), np.ones(2)), InputError, "old base rates must be > 0"),
        (lambda: prior_shift(np.eye(2), np.ones(2), np.zeros(2)), InputError, "new base rates must be"),
        (lambda: prior_shift(np.ones((2, 2)), np.ones(2), np.ones(2)), InputError, "sum to 1"),
        (lambda: base_rate(np.eye(2), np.ones(3)), InputError, r"\(n, k >= 2\) and \(k,\)|\(n, k\) and \(k,\)"),
        (lambda: base_rate(np.zeros((0, 2)), np.ones(2)), UndefinedError, "needs 1 row"),
        (lambda: beta_posterior(3, 2), InputError, r"whole number in 0\.\.2"),
        (lambda: beta_posterior(1, 2, prior=(0, 1)), InputError, "prior must be two numbers > 0"),
        (lambda: beta_binomial(1, 2, 0), InputError, "future must be a whole number"),
    ],
)
def test_beliefs_without_an_answer_are_refused(call, error, says):
    with pytest.raises(error, match=says):
        call()
