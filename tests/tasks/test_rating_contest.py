"""Which of two raters is better: differences are those of the two alone, and only what is shown is said."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from assay.stats import votes
from assay.tasks import rating_contest

SCALE = np.arange(1.0, 8)


def shares(mean):
    return votes.maximum_entropy(np.clip(mean, 1.3, 6.7), np.full(len(mean), 1.0), scale=SCALE)


@pytest.fixture
def three():
    """People's votes for 60 pictures in 30 groups, a good guess and a bad one."""
    rng = np.random.default_rng(4)
    mean = np.repeat(rng.uniform(2, 6, 30), 2) + rng.normal(0, 0.2, 60)
    return shares(mean), shares(mean + rng.normal(0, 0.3, 60)), shares(mean + rng.normal(0, 1.5, 60))


def hold(first, second, rated):
    groups = np.repeat(np.arange(30), 2)
    rng = np.random.default_rng(0)
    return rating_contest.hold(("one", "other"), first, second, rated, SCALE, groups=groups, rng=rng)


def test_the_better_one_is_found_and_the_difference_is_that_of_the_two(three):
    rated, good, bad = three
    said = [votes.moments(x, SCALE)[0] for x in (rated, good, bad)]
    found = hold(good, bad, rated)
    assert found.srcc.value == pytest.approx(spearmanr(said[1], said[0])[0] - spearmanr(said[2], said[0])[0])
    losses = [((np.cumsum(x - rated, axis=1) ** 2).mean(axis=1)).mean() for x in (good, bad)]
    assert found.loss.value == pytest.approx(losses[0] - losses[1])
    assert found.better == "one"
    assert found.words.endswith("one is better.")


def test_swapped_the_answer_is_the_same(three):
    rated, good, bad = three
    found, swapped = hold(good, bad, rated), hold(bad, good, rated)
    assert swapped.better == "other"
    assert swapped.srcc.value == pytest.approx(-found.srcc.value)
    assert swapped.loss.low == pytest.approx(-found.loss.high)


def test_of_two_that_are_alike_neither_is_better(three):
    rated, good, _ = three
    found = hold(good, good, rated)
    assert found.better is None
    assert found.words == "Whether one or other is better cannot be told from these pictures."


def test_the_right_order_with_the_wrong_votes_is_no_plain_victory(three):
    rated, good, _ = three
    said = votes.moments(rated, SCALE)[0]
    squeezed = votes.maximum_entropy(4 + 0.02 * (said - 4), np.full(60, 1.0), scale=SCALE)
    found = hold(squeezed, good, rated)
    assert found.srcc.low > 0
    assert found.loss.low > 0
    assert found.better is None
    assert found.words.endswith("neither is shown to be better.")
