"""F1 and correlation equal scikit-learn's, stay in their range, and cover as often as they say."""

import math

import numpy as np
import pytest
from sklearn import metrics

from assay.errors import InputError, UndefinedError
from assay.stats.confusion import accuracy
from assay.stats.intervals import clustered, proportion
from assay.stats.summaries import _mcc, f1, macro_f1, macro_precision, mcc, micro_f1

MEASURES = {
    "macro_f1": (macro_f1, lambda y, p: metrics.f1_score(y, p, average="macro"), 0),
    "macro_precision": (
        macro_precision,
        lambda y, p: metrics.precision_score(y, p, average="macro", zero_division=0),
        0,
    ),
    "mcc": (mcc, metrics.matthews_corrcoef, -1),
}


def drawn(seed, n=40, k=3, right=0.6):
    rng = np.random.default_rng(seed)
    labels = np.r_[np.arange(k), rng.integers(0, k, n - k)]
    predictions = np.where(rng.random(n) < right, labels, rng.integers(0, k, n))
    predictions[:k] = np.arange(k)
    return labels, predictions


@pytest.mark.parametrize("name", MEASURES)
@pytest.mark.parametrize("seed", range(8))
def test_values_equal_scikit_learns(name, seed):
    ours, theirs, _ = MEASURES[name]
    labels, predictions = drawn(seed, k=2 + seed % 3)
    assert ours(labels, predictions, classes=2 + seed % 3).value == pytest.approx(
        theirs(labels, predictions), abs=1e-12
    )


def test_f1_of_each_class_equals_scikit_learns_and_is_wilsons_interval_carried_over():
    labels, predictions = drawn(1)
    found = f1(labels, predictions, classes=3, level=0.9)
    assert [e.value for e in found] == pytest.approx(metrics.f1_score(labels, predictions, average=None))
    for c, e in enumerate(found):
        either = [(y, p) for y, p in zip(labels, predictions, strict=True) if c in (y, p)]
        j = proportion(sum(y == p for y, p in either), len(either), level=0.9)
        assert (e.low, e.high) == pytest.approx((2 * j.low / (1 + j.low), 2 * j.high / (1 + j.high)))


def test_examples_of_scikit_learn():  # its docs
    labels, predictions = np.array([0, 1, 2, 0, 1, 2]), np.array([0, 2, 1, 0, 0, 1])
    assert macro_f1(labels, predictions, classes=3).value == pytest.approx(0.26667, abs=5e-6)
    assert micro_f1(labels, predictions).value == pytest.approx(0.33333, abs=5e-6)
    assert mcc(np.array([1, 1, 1, 0]), np.array([1, 0, 1, 1]), classes=2).value == pytest.approx(-1 / 3)


def test_micro_f1_is_accuracy():
    labels, predictions = drawn(2)
    assert micro_f1(labels, predictions) == accuracy(labels, predictions)


@pytest.mark.parametrize("name", MEASURES)
@pytest.mark.parametrize("right", [0, 0.3, 0.95, 1])
@pytest.mark.parametrize("n", [6, 60])
def test_intervals_hold_their_value_stay_in_range_and_have_width(name, right, n):
    measure, _, least = MEASURES[name]
    labels, predictions = drawn(3, n, right=right)
    e = measure(labels, predictions, classes=3)
    assert least <= e.low <= e.value <= e.high <= 1
    assert e.high - e.low > 0.02


@pytest.mark.parametrize("name", MEASURES)
def test_perfection_still_admits_doubt(name):
    labels = np.array([0] * 12 + [1] * 5)
    e = MEASURES[name][0](labels, labels, classes=2)
    assert (e.value, e.high) == (1, 1)
    assert e.low < 0.85


def test_nothing_right_still_admits_doubt():
    labels = np.array([0] * 12 + [1] * 5)
    assert macro_f1(labels, 1 - labels, classes=2).high > 0.1
    e = mcc(labels, 1 - labels, classes=2)
    assert (e.value, e.low) == (-1, -1)
    assert e.high > -0.9


def test_where_the_path_ends_early_the_limit_is_that_of_the_range():
    # Of three classes with nothing right the path stops at -.5; so few pictures do not rule out less.
    e = mcc(np.array([0, 1, 2, 0, 1, 2]), np.array([1, 2, 0, 2, 0, 1]), classes=3)
    assert (e.value, e.low) == pytest.approx((-0.5, -1))


@pytest.mark.parametrize("k", [2, 4])
def test_slope_of_mcc_is_how_it_moves(k):
    rng = np.random.default_rng(k)
    shares = rng.dirichlet(np.ones(k * k)).reshape(k, k)
    _, slope = _mcc(shares)
    for _ in range(5):
        move = rng.normal(size=(k, k))
        move -= move.mean()  # shares keep their sum
        up, down = (_mcc(shares + s * 1e-6 * move)[0] for s in (1, -1))
        assert (slope * move).sum() == pytest.approx((up - down) / 2e-6, rel=1e-4, abs=1e-7)


def test_limits_of_mcc_are_values_just_a_quantile_away():
    labels, predictions = drawn(4, 50, k=2)
    shares = np.array([[np.mean((labels == i) & (predictions == j)) for j in (0, 1)] for i in (0, 1)])
    e, perfect = mcc(labels, predictions, classes=2), np.diag(shares.sum(axis=1))
    gaps = []
    for part in np.linspace(0, 1, 20001)[:-1]:
        value, slope = _mcc((1 - part) * shares + part * perfect)
        mixed = (1 - part) * shares + part * perfect
        variance = ((mixed * slope**2).sum() - (mixed * slope).sum() ** 2) / 50
        gaps.append((abs((value - e.value) / math.sqrt(max(variance, 1e-12)) - 1.959964), value))
    assert e.high == pytest.approx(min(gaps)[1], abs=1e-3)


def test_macro_f1_joins_distances_by_squares_as_correlated_as_they_are():
    labels, predictions = drawn(5, 30)
    parts, sides = [], []
    for c in range(3):
        union = ((labels == c) | (predictions == c)).sum()
        j = proportion(int(((labels == c) & (predictions == c)).sum()), int(union), method="clopper-pearson")
        value, low, high = (2 * x / (1 + x) for x in (j.value, j.low, j.high))
        parts.append(value)
        sides.append((value - low, high - value))
    pulls = np.array(
        [
            [
                2 * (y == p == c) - parts[c] * (int(y == c) + int(p == c))
                for y, p in zip(labels, predictions, strict=True)
            ]
            for c in range(3)
        ]
    ) / [[(labels == c).sum() + (predictions == c).sum()] for c in range(3)]
    v = pulls @ pulls.T
    together = v / np.sqrt(np.outer(v.diagonal(), v.diagonal()))
    down, up = (math.sqrt(s @ together @ s) / 3 for s in np.array(sides).T)
    e = macro_f1(labels, predictions, classes=3)
    assert (e.value - e.low, e.high - e.value) == pytest.approx((down, up))


@pytest.mark.parametrize("right", [0.7, 0.95])
@pytest.mark.parametrize("sizes", [(10, 10), (10, 20, 30)])
def test_macro_f1_covers_as_often_as_it_says(sizes, right):
    rng, k, covered = np.random.default_rng(6), len(sizes), 0
    labels = np.repeat(np.arange(k), sizes)
    chances = np.full((k, k), (1 - right) / (k - 1))
    np.fill_diagonal(chances, right)
    expected = chances * np.array(sizes)[:, None]
    truth = np.mean(2 * expected.diagonal() / (expected.sum(axis=0) + expected.sum(axis=1)))
    for _ in range(600):
        answers = np.concatenate([rng.choice(k, s, p=p) for s, p in zip(sizes, chances, strict=True)])
        e = macro_f1(labels, answers, classes=k)
        covered += e.low <= truth <= e.high
    assert covered / 600 > 0.93 - 0.01


@pytest.mark.parametrize("name", MEASURES)
def test_copies_within_a_group_are_no_more_pictures(name):
    labels, predictions = drawn(7, 30)
    measure = MEASURES[name][0]
    plain = measure(labels, predictions, classes=3)
    copied = measure(np.repeat(labels, 4), np.repeat(predictions, 4), classes=3, groups=np.repeat(np.arange(30), 4))
    alone = measure(np.repeat(labels, 4), np.repeat(predictions, 4), classes=3)
    assert copied.value == pytest.approx(plain.value)
    assert copied.high - copied.low > 0.8 * (plain.high - plain.low) > 1.2 * (alone.high - alone.low)


def test_f1_over_groups_is_the_clustered_share_carried_over():
    labels, predictions = drawn(8, 30)
    groups, either = np.arange(30) // 2, (labels == 0) | (predictions == 0)
    j = clustered((labels == predictions)[either], groups[either])
    e = f1(labels, predictions, classes=3, groups=groups)[0]
    assert (e.value, e.low, e.high) == pytest.approx(tuple(2 * x / (1 + x) for x in (j.value, j.low, j.high)))


def test_summaries_without_an_answer_are_refused():
    with pytest.raises(UndefinedError, match="mcc needs predictions of 2 classes, got 1"):
        mcc(np.array([0, 1]), np.array([0, 0]), classes=2)
    with pytest.raises(UndefinedError, match="macro F1 needs 1 row"):
        macro_f1(np.zeros(0, int), np.zeros(0, int), classes=2)
    with pytest.raises(InputError, match="groups must be"):
        f1(np.array([0, 1]), np.array([0, 0]), classes=2, groups=np.zeros(3))
    with pytest.raises(InputError, match="groups must be"):
        mcc(np.array([0, 1]), np.array([0, 1]), classes=2, groups=np.zeros(3))
    with pytest.raises(InputError, match="labels must be in"):
        macro_f1(np.array([0, 5]), np.array([0, 1]), classes=2)
