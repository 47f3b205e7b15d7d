"""Precision and recall equal scikit-learn's and a walk over thresholds, and intervals cover as often as they say."""

import math

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics

from assay.errors import InputError, UndefinedError
from assay.stats.precision_recall import average_precision, curve


def sample(m, n, shift, rng, *, ties=False):
    labels = rng.permutation(np.arange(m + n) < m)
    scores = rng.normal(size=m + n) + shift * labels
    return labels, scores.round() if ties else scores


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("seed", range(10))
def test_average_precision_equals_scikit_learns(seed, ties):
    labels, scores = sample(9, 17, 1, np.random.default_rng(seed), ties=ties)
    expected = metrics.average_precision_score(labels, scores)
    assert average_precision(labels, scores).value == pytest.approx(expected, abs=1e-12)


def test_curve_equals_a_walk_over_thresholds():
    labels, scores = sample(9, 17, 1, np.random.default_rng(1), ties=True)
    c = curve(labels, scores)
    assert (c.recall[0], c.precision[0], c.thresholds[0]) == (0, 1, math.inf)
    for t, r, p in zip(c.thresholds[1:], c.recall[1:], c.precision[1:], strict=True):
        assert (r, p) == (np.mean(scores[labels] >= t), np.mean(labels[scores >= t]))
    assert np.diff(c.recall) @ c.precision[1:] == pytest.approx(average_precision(labels, scores).value)


def test_average_precision_of_scikit_learns_example():
    e = average_precision(np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8]))
    assert e.value == pytest.approx(0.8333333333, abs=1e-10)


def weighted(labels, scores, weights):
    """Oracle: average precision where each picture counts as often as its weight."""
    total = 0
    for i in np.flatnonzero(labels):
        above = scores >= scores[i]
        total += weights[i] * (weights[above & labels].sum() / weights[above].sum())
    return total / weights[labels].sum()


def test_interval_is_wilsons_at_the_number_of_pictures_the_jackknife_is_worth():
    labels, scores = sample(30, 60, 1, np.random.default_rng(2), ties=True)
    value, pulls = average_precision(labels, scores).value, np.zeros(90)
    for i in range(90):
        up, down = np.ones(90), np.ones(90)
        up[i], down[i] = 1 + 1e-6, 1 - 1e-6
        pulls[i] = (weighted(labels, scores, up) - weighted(labels, scores, down)) / 2e-6
    variance = sum(pulls[c].var(ddof=1) * c.sum() for c in (labels, ~labels))
    spread = value * (1 - value)
    k = sum(np.mean(labels[scores >= s]) < 1 for s in scores[labels])
    variance = (k * variance + 10 * max(variance, spread / 30)) / (k + 10)
    size = spread / variance * (1.959964 / stats.t.isf(0.025, 29)) ** 2
    z = 1.959964
    centre = (value + z * z / 2 / size) / (1 + z * z / size)
    half = z / (1 + z * z / size) * math.sqrt(spread / size + z * z / 4 / size**2)
    e = average_precision(labels, scores)
    assert (e.low, e.high) == pytest.approx((centre - half, centre + half), abs=1e-5)


def test_only_the_order_of_scores_matters_and_copies_add_nothing_within_a_group():
    labels, scores = sample(12, 25, 1, np.random.default_rng(3))
    e = average_precision(labels, scores)
    assert average_precision(labels, np.exp(scores)) == e
    copied = average_precision(np.repeat(labels, 3), np.repeat(scores, 3), groups=np.repeat(np.arange(37), 3))
    alone = average_precision(np.repeat(labels, 3), np.repeat(scores, 3))
    assert copied.value == pytest.approx(e.value)
    assert copied.high - copied.low > 0.8 * (e.high - e.low) > alone.high - alone.low


@pytest.mark.parametrize("m", [3, 12])
def test_perfection_still_admits_doubt(m):
    e = average_precision(np.arange(30) >= 30 - m, np.arange(30.0))
    assert (e.value, e.high) == (1, 1)
    assert e.low < {3: 0.5, 12: 0.8}[m]


@pytest.mark.parametrize(("m", "n"), [(10, 90), (50, 50)])
def test_interval_covers_as_often_as_it_says(m, n):
    rng, at, d, covered = np.random.default_rng(4), np.linspace(-8, 10, 4001), 1.8, 0
    found, alarms = m * stats.norm.sf(at - d), n * stats.norm.sf(at)
    truth = np.trapezoid(found / np.maximum(found + alarms, 1e-300) * stats.norm.pdf(at - d), at)
    for _ in range(800):
        e = average_precision(*sample(m, n, d, rng))
        covered += e.low <= truth <= e.high
    assert covered / 800 > 0.93


def test_what_cannot_be_ranked_is_refused():
    with pytest.raises(UndefinedError, match="average precision needs 2 of each class, got 1 positives"):
        average_precision(np.array([0, 1, 0]), np.arange(3.0))
    with pytest.raises(InputError, match="scores must be finite"):
        curve(np.array([0, 1]), np.array([0, np.inf]))
    with pytest.raises(InputError, match="groups must be"):
        average_precision(np.array([0, 1, 0, 1]), np.arange(4.0), groups=np.zeros(3))
