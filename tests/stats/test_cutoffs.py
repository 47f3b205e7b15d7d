"""Cut-offs equal a walk over thresholds, and what they give is judged on pictures that did not choose them."""

import math

import numpy as np
import pytest
from scipy import stats

from assay.errors import InputError, UndefinedError
from assay.stats import agreement, confusion, summaries
from assay.stats.cutoffs import at, choose, counts, cutoff, rates, redrawn, swayed, swaying
from assay.stats.intervals import clustered, proportion


def sample(m, n, shift, rng, *, ties=False):
    labels = rng.permutation(np.r_[np.ones(m, bool), np.zeros(n, bool)])
    scores = rng.normal(size=m + n) + shift * labels
    return labels, scores.round() if ties else scores


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("specificity", [0, 0.5, 0.9, 1])
def test_cutoff_finds_the_most_positives_at_that_specificity(seed, specificity):
    labels, scores = sample(11, 20, 1, np.random.default_rng(seed), ties=seed % 2 == 0)
    threshold = cutoff(labels, scores, specificity=specificity)
    rates = {t: (np.mean(scores[labels] >= t), np.mean(scores[~labels] < t)) for t in (*scores, math.inf)}
    best = max((se, sp) for se, sp in rates.values() if sp >= specificity - 1e-12)
    assert (np.mean(scores[labels] >= threshold), np.mean(scores[~labels] < threshold)) == best


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("options", [{}, {"cost_fn": 5.0}, {"cost_fp": 3.0, "prevalence": 0.1}])
def test_cutoff_has_the_least_expected_cost(seed, options):
    labels, scores = sample(11, 20, 1, np.random.default_rng(seed))
    share = options.get("prevalence", 11 / 31)
    fp, fn = options.get("cost_fp", 1), options.get("cost_fn", 1)

    def cost(t):
        return share * fn * np.mean(scores[labels] < t) + (1 - share) * fp * np.mean(scores[~labels] >= t)

    assert cost(cutoff(labels, scores, **options)) == pytest.approx(min(cost(t) for t in (*scores, math.inf)))


def test_cutoff_lies_halfway_between_neighbours():
    labels, scores = np.array([0, 0, 1, 1], bool), np.array([1.0, 2, 4, 7])
    assert cutoff(labels, scores) == cutoff(labels, scores, specificity=1) == 3
    assert cutoff(labels, scores, cost_fp=0, cost_fn=1) == 3
    assert cutoff(~labels, scores, cost_fn=9) == 1  # all positive: the lowest score itself
    assert cutoff(~labels, scores, specificity=1) == np.nextafter(7, 8)  # none positive
    beside = 1 + np.array([0, 1]) * np.finfo(float).eps
    assert cutoff(np.array([False, True]), beside) == beside[1]


def test_rates_at_a_threshold_are_shares_of_each_class():
    labels, scores = sample(11, 20, 1, np.random.default_rng(2), ties=True)
    sensitivity, specificity = at(labels, scores, 1.0, level=0.9)
    assert sensitivity == proportion(sum(scores[labels] >= 1), 11, level=0.9)
    assert specificity == proportion(sum(scores[~labels] < 1), 20, level=0.9)
    groups = np.arange(31) // 3
    sensitivity, specificity = at(labels, scores, 1.0, groups=groups)
    assert sensitivity == clustered(scores[labels] >= 1, groups[labels])
    assert specificity == clustered(scores[~labels] < 1, groups[~labels])


def test_large_scores_do_not_overflow_on_the_way_to_their_middle():
    assert cutoff(np.array([False, True]), np.array([1.5e308, 1.7e308])) == pytest.approx(1.6e308)


def test_extreme_scores_are_cut_as_their_easy_twin():
    extreme = np.array([-1.797e308, -5e-324, 0, 5e-324, 1, 1.797e308])
    labels = np.array([0, 1, 0, 1, 0, 1], bool)
    for specificity in (0, 0.5, 1):
        threshold = cutoff(labels, extreme, specificity=specificity)
        assert math.isfinite(threshold)
        twin = cutoff(labels, np.arange(6.0), specificity=specificity)
        assert ((extreme >= threshold) == (np.arange(6) >= twin)).all()


def test_rates_that_binary_fractions_miss_are_still_met():
    labels = np.arange(110) >= 100  # 0.29 * 100 is below 29, 0.07 * 100 is above 7
    scores = np.r_[np.arange(100.0), np.full(10, 70.5)]  # 29 of 100 negatives above, 71 below
    assert cutoff(labels, -scores, specificity=0.29) == -70.75
    beside = np.r_[np.arange(100.0), np.full(10, 6.5)]
    assert cutoff(labels, beside, specificity=0.07) == 6.25


def test_rates_are_those_of_the_confusion_matrix():
    labels, scores = sample(11, 20, 1, np.random.default_rng(3), ties=True)
    r, calls, y = rates(labels, scores, 1.0, level=0.9), (scores >= 1).astype(int), labels.astype(int)
    assert list(vars_of(counts(labels, scores, 1.0))) == confusion.matrix(1 - y, 1 - calls, classes=2).ravel().tolist()
    assert (r.sensitivity, r.specificity) == at(labels, scores, 1.0, level=0.9)
    assert r.ppv == proportion(int((y & calls).sum()), int(calls.sum()), level=0.9)
    assert r.npv == proportion(int(((1 - y) & (1 - calls)).sum()), int((1 - calls).sum()), level=0.9)
    assert r.accuracy == confusion.accuracy(y, calls, level=0.9)
    assert r.balanced_accuracy.value == pytest.approx((r.sensitivity.value + r.specificity.value) / 2)
    assert r.f1 == summaries.f1(y, calls, classes=2, level=0.9)[1]
    assert r.mcc == summaries.mcc(y, calls, classes=2, level=0.9)
    assert r.kappa == agreement.kappa(y, calls, classes=2, level=0.9)


def vars_of(tallies):
    return tallies.true_positives, tallies.false_negatives, tallies.false_positives, tallies.true_negatives


def test_rates_where_nothing_is_called_positive():
    r = rates(np.array([0, 1, 0, 1], bool), np.arange(4.0), 9)
    assert (r.ppv, r.mcc, r.npv.value, r.f1.value) == (None, None, 0.5, 0)


RULES = ("specificity", "youden", "cost")


def test_youden_is_the_most_sensitivity_and_specificity_together():
    labels, scores = sample(15, 30, 1, np.random.default_rng(4))
    c = choose(labels, scores, rule="youden", runs=100, rng=np.random.default_rng(0))
    sums = [np.mean(scores[labels] >= t) + np.mean(scores[~labels] < t) for t in scores]
    t = c.threshold.value
    assert np.mean(scores[labels] >= t) + np.mean(scores[~labels] < t) == pytest.approx(max(sums))


@pytest.mark.parametrize("rule", RULES)
def test_rates_out_of_bag_do_not_flatter(rule):
    rng, gaps, inside = np.random.default_rng(5), [], []
    for _ in range(25):
        labels, scores = sample(12, 25, 0, rng)  # nothing to find
        c = choose(labels, scores, rule=rule, cost_fn=2.0, runs=100, rng=rng)
        seen = at(labels, scores, c.threshold.value)
        gaps.append(c.sensitivity.value + c.specificity.value - 1)
        inside.append(seen[0].value + seen[1].value - 1)
    assert np.mean(inside) > 0.08
    assert abs(np.mean(gaps)) < 0.06


@pytest.mark.parametrize("rule", RULES)
def test_rates_out_of_bag_hold_what_the_threshold_gives(rule):
    rng, held = np.random.default_rng(6), np.zeros(2)
    for _ in range(40):
        labels, scores = sample(40, 60, 1.5, rng)
        c = choose(labels, scores, rule=rule, cost_fn=3.0, runs=100, rng=rng)
        t = c.threshold.value
        truths = stats.norm.sf(t - 1.5), stats.norm.cdf(t)
        held += [e.low <= x <= e.high for e, x in zip((c.sensitivity, c.specificity), truths, strict=True)]
        assert c.threshold.low <= t <= c.threshold.high
    assert (held / 40 > 0.85).all()


def test_a_choice_is_a_function_of_the_seed_and_of_its_rule():
    labels, scores = sample(15, 30, 1, np.random.default_rng(7))
    first, again = (choose(labels, scores, runs=100, rng=np.random.default_rng(1)) for _ in range(2))
    assert first == again
    assert first.threshold.value == cutoff(labels, scores, specificity=0.9)
    cost = choose(labels, scores, rule="cost", cost_fn=4.0, prevalence=0.2, runs=100, rng=np.random.default_rng(1))
    assert cost.threshold.value == cutoff(labels, scores, cost_fn=4.0, prevalence=0.2)


def test_pictures_of_a_group_never_judge_each_other():
    labels, scores = np.repeat(np.arange(12) < 5, 4), np.repeat(np.random.default_rng(8).random(12), 4)
    c = choose(labels, scores, groups=np.repeat(np.arange(12), 4), runs=100, rng=np.random.default_rng(0))
    alone = choose(labels[::4], scores[::4], runs=100, rng=np.random.default_rng(0))
    assert c.sensitivity.value == pytest.approx(alone.sensitivity.value)
    assert c.sensitivity.low == pytest.approx(alone.sensitivity.low, abs=0.05)


def test_choices_without_an_answer_are_refused():
    labels, scores = sample(6, 9, 1, np.random.default_rng(9))
    rng = np.random.default_rng(0)
    with pytest.raises(InputError, match="rule must be one of specificity, youden, cost, got 'best'"):
        choose(labels, scores, rule="best", rng=rng)
    with pytest.raises(InputError, match="runs must be >= 100"):
        choose(labels, scores, runs=9, rng=rng)
    with pytest.raises(UndefinedError, match="a choice of a cut-off needs 2 groups of each class, got 2 groups"):
        choose(labels, scores, groups=labels, rng=rng)


EVERY = {
    "cutoff": cutoff,
    "at": lambda y, s: at(y, s, 1.0),
    "counts": lambda y, s: counts(y, s, 1.0),
    "rates": lambda y, s: rates(y, s, 1.0),
    "choose": lambda y, s: choose(y, s, rng=np.random.default_rng(0)),
}


@pytest.mark.parametrize("name", EVERY)
def test_what_cannot_be_cut_is_refused(name):
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
    for options, says in (
        ({"specificity": 1.1}, "specificity must be in"),
        ({"cost_fp": -1.0}, "costs must be"),
        ({"cost_fp": 0.0, "cost_fn": 0.0}, "costs must be"),
        ({"prevalence": 1.0}, "prevalence must be in"),
    ):
        with pytest.raises(InputError, match=says):
            cutoff(labels, scores, **options)
    with pytest.raises(InputError, match="threshold must be a number"):
        at(labels, scores, math.nan)


def test_sway_is_the_variance_of_the_rates_over_thresholds():
    labels, scores = sample(12, 31, 1, np.random.default_rng(3))
    thresholds = redrawn(
        labels, scores, lambda y, s: cutoff(y, s, prevalence=0.5), rng=np.random.default_rng(4), runs=40
    )
    assert len(np.unique(thresholds)) > 3
    up = [np.mean(scores[labels] >= t) for t in thresholds]
    down = [np.mean(scores[~labels] < t) for t in thresholds]
    assert swaying(labels, scores, thresholds) == pytest.approx((np.var(up), np.var(down)))


def test_a_threshold_in_doubt_is_worth_fewer_pictures():
    assert swayed(0.8, 50, 0.0) == 50
    # Binomial variance .16 / 50 and as much again by the threshold: half as many pictures.
    assert swayed(0.8, 50, 0.16 / 50) == pytest.approx(25)
    assert swayed(1.0, 50, 0.1) == 50
