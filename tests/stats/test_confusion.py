"""Counts by class equal a walk over the pictures, and their intervals keep their promises."""

import math

import numpy as np
import pytest
from scipy import stats

from assay.errors import InputError, UndefinedError
from assay.stats.confusion import accuracy, balanced_accuracy, log_loss, majority, matrix, precision, recall
from assay.stats.intervals import clustered, mean, proportion

LABELS = np.array([0, 1, 2, 0, 1, 2, 2, 0, 1, 0, 2])
PREDICTIONS = np.array([0, 2, 1, 0, 0, 1, 2, 0, 1, 1, 2])


def sides(e):
    return e.value, e.low, e.high


def test_matrix_counts_pictures_one_at_a_time():
    expected = np.zeros((4, 4), int)
    for label, prediction in zip(LABELS, PREDICTIONS, strict=True):
        expected[label, prediction] += 1
    found = matrix(LABELS, PREDICTIONS, classes=4)
    assert (found == expected).all()
    assert found.sum() == len(LABELS)


def test_rates_are_shares_of_rows_and_columns():
    counts = matrix(LABELS, PREDICTIONS, classes=4)
    for c in range(3):
        rows, columns = counts[c].sum(), counts[:, c].sum()
        assert recall(LABELS, PREDICTIONS, classes=4)[c] == proportion(counts[c, c], rows)
        assert precision(LABELS, PREDICTIONS, classes=4)[c] == proportion(counts[c, c], columns)
    assert recall(LABELS, PREDICTIONS, classes=4)[3] is None
    assert precision(LABELS, PREDICTIONS, classes=4)[3] is None
    assert accuracy(LABELS, PREDICTIONS) == proportion(counts.trace(), len(LABELS))


def test_swapping_labels_and_predictions_swaps_recall_and_precision():
    assert recall(LABELS, PREDICTIONS, classes=3) == precision(PREDICTIONS, LABELS, classes=3)


def test_groups_reach_every_rate():
    groups = np.arange(11) // 2
    right = LABELS == PREDICTIONS
    assert accuracy(LABELS, PREDICTIONS, groups=groups) == clustered(right, groups)
    assert majority(LABELS, groups=groups) == clustered(LABELS == 0, groups)
    for rates, chosen in ((recall, LABELS), (precision, PREDICTIONS)):
        for c, e in enumerate(rates(LABELS, PREDICTIONS, classes=3, groups=groups, level=0.9)):
            assert e == clustered(right[chosen == c], groups[chosen == c], level=0.9)


def test_majority_is_the_accuracy_of_one_answer():
    assert majority(LABELS) == accuracy(LABELS, np.zeros(11, int))


def test_balanced_accuracy_of_scikit_learns_example():
    labels, predictions = np.array([0, 1, 0, 0, 1, 0]), np.array([0, 1, 0, 0, 0, 1])
    assert balanced_accuracy(labels, predictions, classes=2).value == 0.625  # scikit-learn's docs


def test_balanced_accuracy_joins_wilson_distances_by_squares():
    parts = recall(LABELS, PREDICTIONS, classes=3)
    value = sum(e.value for e in parts) / 3
    down = math.sqrt(sum((e.value - e.low) ** 2 for e in parts)) / 3
    up = math.sqrt(sum((e.high - e.value) ** 2 for e in parts)) / 3
    e = balanced_accuracy(LABELS, PREDICTIONS, classes=4)
    assert sides(e) == pytest.approx((value, value - down, value + up))


def test_balanced_accuracy_at_perfection_still_admits_doubt():
    labels = np.array([0] * 12 + [1] * 5)
    e = balanced_accuracy(labels, labels, classes=2)
    parts = [proportion(12, 12), proportion(5, 5)]
    assert sides(e) == pytest.approx((1, 1 - math.hypot(*(1 - p.low for p in parts)) / 2, 1))
    shared = balanced_accuracy(labels, labels, classes=2, groups=np.arange(17) % 5)
    parts = recall(labels, labels, classes=2, groups=np.arange(17) % 5)
    assert shared.low == pytest.approx(np.mean([p.low for p in parts]))  # as if the classes failed together


def test_classes_that_share_groups_count_as_correlated_as_their_errors():
    rng = np.random.default_rng(5)
    labels, groups = rng.integers(0, 3, 60), rng.integers(0, 8, 60)
    predictions = np.where(rng.random(60) < 0.3 + 0.08 * groups * (labels < 2), labels, (labels + 1) % 3)
    parts, right = recall(labels, predictions, classes=3, groups=groups), labels == predictions
    residuals = [
        [
            sum(float(right[i]) - parts[c].value for i in range(60) if labels[i] == c and groups[i] == g)
            for g in range(8)
        ]
        for c in range(3)
    ]

    def correlation(a, b):
        together = sum(x * y for x, y in zip(a, b, strict=True))
        return max(together / math.sqrt(sum(x * x for x in a) * sum(y * y for y in b)), 0)

    found = np.array([[correlation(a, b) for b in residuals] for a in residuals])
    assert (found == 0).any()  # errors that go against each other are not counted as a help
    down = np.array([p.value - p.low for p in parts])
    e = balanced_accuracy(labels, predictions, classes=3, groups=groups)
    assert e.value - e.low == pytest.approx(math.sqrt(down @ found @ down) / 3)


def test_balanced_accuracy_covers_as_often_as_it_says():
    rng, labels = np.random.default_rng(1), np.repeat([0, 1, 2], [15, 40, 80])
    rates = np.array([0.7, 0.9, 0.97])
    covered = 0
    for _ in range(1000):
        predictions = np.where(rng.random(135) < rates[labels], labels, (labels + 1) % 3)
        e = balanced_accuracy(labels, predictions, classes=3)
        covered += e.low <= rates.mean() <= e.high
    assert covered / 1000 > 0.93


def test_balanced_accuracy_covers_where_classes_share_groups():
    rng, covered, alone = np.random.default_rng(2), 0, 0
    groups, labels = np.repeat(np.arange(25), 8), np.tile([0, 1, 0, 1, 1, 1, 1, 1], 25)
    for _ in range(500):
        right = rng.random(200) < np.repeat(rng.beta(0.8, 0.2, 25), 8)
        predictions = np.where(right, labels, 1 - labels)
        for e, g in (
            (balanced_accuracy(labels, predictions, classes=2, groups=groups), 1),
            (balanced_accuracy(labels, predictions, classes=2), 0),
        ):
            hit = e.low <= 0.8 <= e.high
            covered, alone = covered + g * hit, alone + (1 - g) * hit
    assert covered / 500 > 0.92
    assert alone / 500 < 0.75


def test_log_loss_of_scikit_learns_example():
    probabilities = np.array([[0.1, 0.9], [0.9, 0.1], [0.8, 0.2], [0.35, 0.65]])
    assert log_loss(np.array([1, 0, 0, 1]), probabilities).value == pytest.approx(0.21616187468)  # scikit-learn's docs


def test_log_loss_interval_is_students_on_the_log_scale():
    rng = np.random.default_rng(3)
    probabilities, labels = rng.dirichlet([1, 2, 3], 30), rng.integers(0, 3, 30)
    losses = np.array([-math.log(p[y]) for p, y in zip(probabilities, labels, strict=True)])
    half = stats.t.isf(0.05, 29) * losses.std(ddof=1) / math.sqrt(30) / losses.mean()
    e = log_loss(labels, probabilities, level=0.9)
    assert sides(e) == pytest.approx((losses.mean(), losses.mean() * math.exp(-half), losses.mean() * math.exp(half)))
    grouped, plain = (
        log_loss(labels, probabilities, groups=np.arange(30) // 3),
        mean(losses, groups=np.arange(30) // 3),
    )
    assert math.log(grouped.high / grouped.value) == pytest.approx((plain.high - plain.value) / plain.value)


def test_log_loss_covers_as_often_as_it_says():
    rng, size = np.random.default_rng(4), 60
    logits = rng.normal(size=(200000, 3)) * 2
    everyone = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    answers = (rng.random((200000, 1)) > everyone.cumsum(axis=1)[:, :2]).sum(axis=1)
    truth = -np.log(everyone[np.arange(200000), answers]).mean()
    drawn = rng.integers(0, 200000, (1000, size))
    found = [log_loss(answers[i], everyone[i]) for i in drawn]
    assert np.mean([e.low <= truth <= e.high for e in found]) > 0.92


def test_certain_and_wrong_is_finite_and_certain_and_right_is_above_0():
    e = log_loss(np.array([0, 1, 1]), np.array([[1.0, 0], [1, 0], [0, 1]]))
    assert 0 < e.low < e.value < e.high < math.inf
    assert log_loss(np.array([0, 1]), np.eye(2)).low > 0


@pytest.mark.parametrize(
    ("labels", "predictions", "classes", "error", "says"),
    [
        ([0, 1], [0], 2, InputError, r"must be \(n,\)"),
        ([0, 2], [0, 1], 2, InputError, r"labels must be in 0\.\.1, got 0\.\.2"),
        ([0, 1], [0, -1], 2, InputError, r"predictions must be in 0\.\.1"),
        ([0.5, 1], [0, 1], 2, InputError, "class numbers, got dtype float64"),
        ([0, 0], [0, 0], 1, InputError, "classes must be >= 2"),
    ],
)
@pytest.mark.parametrize("function", [matrix, recall, precision, balanced_accuracy])
def test_what_is_no_class_is_refused(function, labels, predictions, classes, error, says):
    with pytest.raises(error, match=says):
        function(np.array(labels), np.array(predictions), classes=classes)


def test_nothing_gives_no_share():
    none = np.array([], int)
    for share in (lambda: accuracy(none, none), lambda: majority(none)):
        with pytest.raises(UndefinedError, match="needs 1 row"):
            share()
    with pytest.raises(UndefinedError, match="needs 1 row"):
        balanced_accuracy(none, none, classes=2)
    with pytest.raises(InputError, match=r"groups must be \(2,\)"):
        accuracy(np.array([0, 1]), np.array([0, 1]), groups=np.zeros(3))
    with pytest.raises(InputError, match=r"labels must be >= 0, got -1\.\.1"):
        accuracy(np.array([-1, 1]), np.array([0, 1]))


@pytest.mark.parametrize(
    ("probabilities", "error", "says"),
    [
        ([[0.5, 0.6], [1, 0]], InputError, "sum to 1"),
        ([[1.5, -0.5], [1, 0]], InputError, "sum to 1"),
        ([[np.nan, 1], [1, 0]], InputError, "sum to 1"),
        ([0.5, 0.5], InputError, r"\(n, classes\)"),
        ([[1, 0]], InputError, "as many"),
    ],
)
def test_what_is_no_distribution_is_refused(probabilities, error, says):
    with pytest.raises(error, match=says):
        log_loss(np.array([0, 1]), np.array(probabilities))
