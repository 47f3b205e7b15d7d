"""Agreement of groups with labels is what its definition says, whatever they are called, and copies count as one."""

from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.errors import InputError, UndefinedError
from assay.stats import partitions
from assay.stats.intervals import proportion
from assay.stats.partitions import adjusted_rand, contingency, match, matched_accuracy, mutual_information
from assay.stats.resampling import coverage

FIGURES = [adjusted_rand, mutual_information, matched_accuracy]
each = pytest.mark.parametrize("figure", FIGURES, ids=lambda f: f.__name__)
LABELS = np.array(list("aaaaaabbbbbcccc"))
FOUND = np.array([0, 0, 0, 0, 1, 2, 1, 1, 1, 0, 3, 2, 2, 2, -1])


def rng():
    return np.random.default_rng(0)


def rand(labels, found):
    """Oracle: pairs counted one by one, corrected by the mean over all ways to deal the same pairs."""
    pairs = list(combinations(range(len(labels)), 2))
    own = np.array([labels[i] == labels[j] for i, j in pairs])
    other = np.array([found[i] == found[j] for i, j in pairs])
    chance = own.sum() * other.sum() / len(pairs)
    return ((own & other).sum() - chance) / ((own.sum() + other.sum()) / 2 - chance)


def information(labels, found):
    """Oracle: the sum over labels and groups of p log (p / q r), over the mean of the entropies."""
    n, mutual = len(labels), 0.0
    shares = [{x: np.mean(names == x) for x in set(names)} for names in (labels, found)]
    for a, p in shares[0].items():
        for b, q in shares[1].items():
            both = np.sum((labels == a) & (found == b)) / n
            mutual += both * np.log(both / (p * q)) if both else 0
    entropies = [-sum(p * np.log(p) for p in share.values()) for share in shares]
    return mutual / np.mean(entropies)


def accuracy(labels, found):
    """Oracle: every way to call groups after labels is tried."""
    names, groups = sorted(set(labels)), sorted(set(found) - {-1})
    names += [None] * max(len(groups) - len(names), 0)
    return max(
        np.mean([dict(zip(groups, called, strict=False)).get(g) == y for y, g in zip(labels, found, strict=True)])
        for called in permutations(names, len(groups))
    )


@pytest.mark.parametrize(("figure", "oracle"), list(zip(FIGURES, [rand, information, accuracy], strict=True)))
@pytest.mark.parametrize("seed", range(6))
def test_the_figure_is_that_of_its_definition(figure, oracle, seed):
    r = np.random.default_rng(seed)
    labels, found = r.integers(0, 3, 17), r.integers(-1, 4, 17)
    for y, f in ((labels, found), (LABELS, FOUND)):
        assert figure(y, f, runs=100, rng=rng()).value == pytest.approx(oracle(y, f), abs=1e-12)


def test_a_picture_that_is_drawn_twice_makes_no_pair_with_itself():
    weights = np.random.default_rng(4).integers(0, 4, len(LABELS)).astype(float)
    pairs = list(combinations(range(len(LABELS)), 2))
    both = np.array([weights[i] * weights[j] for i, j in pairs])
    own = np.array([LABELS[i] == LABELS[j] for i, j in pairs])
    other = np.array([FOUND[i] == FOUND[j] for i, j in pairs])
    sums = [float((both * x).sum()) for x in (own & other, own, other)]
    chance = sums[1] * sums[2] / both.sum()
    expected = (sums[0] - chance) / ((sums[1] + sums[2]) / 2 - chance)
    held = np.zeros((2, 3, 5))
    for y, f, w in zip(LABELS, FOUND, weights, strict=True):
        held[:, "abc".index(y), f] += w, w * w
    assert partitions._rand(*held) == pytest.approx(expected)


@each
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1000))
def test_what_labels_and_groups_are_called_and_the_order_of_pictures_do_not_matter(figure, seed):
    r = np.random.default_rng(seed)
    names, numbers, order = r.permutation(list("xyz")), r.permutation(4), r.permutation(len(LABELS))
    renamed = names["abc".index("a") + np.searchsorted(list("abc"), LABELS)]
    renumbered = np.where(FOUND < 0, -1, numbers[FOUND])
    before = figure(LABELS, FOUND, runs=100, rng=rng()).value
    assert figure(renamed[order], renumbered[order], runs=100, rng=rng()).value == pytest.approx(before)


@each
def test_the_interval_holds_the_figure_and_keeps_its_range(figure):
    e = figure(np.tile(LABELS, 3), np.tile(FOUND, 3), rng=rng())
    assert -1 <= e.low < e.value < e.high <= 1
    assert e.method == "bootstrap-bca"


@each
def test_a_perfect_match_still_admits_doubt(figure):
    few, many = (figure(np.repeat(list("ab"), n), np.repeat([1, 0], n), rng=rng()) for n in (6, 60))
    assert few.value == few.high == many.value == 1
    assert few.low < many.low < 1
    assert few.low < 0.76  # Wilson's end at 12 of 12 is 0.758


def test_perfect_accuracy_has_the_interval_of_a_share():
    e = matched_accuracy(np.repeat(list("ab"), 6), np.repeat([1, 0], 6), rng=rng())
    assert (e.low, e.high) == (proportion(12, 12).low, 1)


def test_at_perfection_the_lower_end_is_that_of_a_share_grouped_at_random():
    labels = np.repeat([0, 1, 2], [7, 5, 4])
    low = proportion(16, 16).low
    table = low * np.diag([7.0, 5, 4]) + (1 - low) * np.outer([7, 5, 4], [7, 5, 4]) / 16
    pairs = [float((x * (x - 1)).sum()) for x in (table, table.sum(0), table.sum(1), table.sum())]
    chance = pairs[1] * pairs[2] / pairs[3]
    expected = (pairs[0] - chance) / ((pairs[1] + pairs[2]) / 2 - chance)
    assert adjusted_rand(labels, labels, rng=rng()).low == pytest.approx(expected)


@each
def test_copies_make_the_interval_no_narrower(figure):
    r = np.random.default_rng(3)
    labels = r.integers(0, 3, 60)
    found = np.where(r.random(60) < 0.7, labels, r.integers(0, 3, 60))
    alone = figure(labels, found, rng=rng())
    copied = figure(np.repeat(labels, 4), np.repeat(found, 4), groups=np.repeat(np.arange(60), 4), rng=rng())
    blind = figure(np.repeat(labels, 4), np.repeat(found, 4), rng=rng())
    assert copied.high - copied.low == pytest.approx(alone.high - alone.low, rel=0.15)
    assert blind.high - blind.low < 0.65 * (alone.high - alone.low)


@pytest.mark.slow
@pytest.mark.parametrize("figure", [adjusted_rand, matched_accuracy], ids=lambda f: f.__name__)
def test_the_interval_holds_the_truth_as_often_as_it_says(figure):
    def sample(r, n=150):
        labels = r.integers(0, 3, n)
        return labels, np.where(r.random(n) < 0.7, labels, r.integers(0, 3, n))

    truth = figure(*sample(np.random.default_rng(1), 200_000), runs=100, rng=rng()).value
    held = coverage(sample, lambda s: figure(*s, runs=400, rng=rng()), truth, runs=300, rng=rng())
    assert held.high > 0.93


def test_a_match_gives_no_label_twice():
    assert match(LABELS, FOUND) == {0: "a", 1: "b", 2: "c"}
    table, rows, columns = contingency(LABELS, FOUND)
    assert (rows.tolist(), columns.tolist()) == (["a", "b", "c"], [-1, 0, 1, 2, 3])
    assert table.sum(axis=1).tolist() == [6, 5, 4]


@each
def test_what_does_not_fit_is_refused(figure):
    with pytest.raises(InputError, match=r"labels and found must be \(n,\), got \(15,\) and \(14,\)"):
        figure(LABELS, FOUND[:14], rng=rng())
    with pytest.raises(InputError, match=r"groups must be \(15,\), got \(2,\)"):
        figure(LABELS, FOUND, groups=np.zeros(2), rng=rng())
    with pytest.raises(UndefinedError, match="agreement needs 2 labels and 2 groups, got 3 and 1"):
        figure(LABELS, np.zeros(15, int), rng=rng())
