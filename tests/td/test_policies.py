"""Policies are chances that add up to one; schedules go from one end to the other; codings find their places."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import InputError
from assay.td import kernels
from assay.td.codings import Linear, Sparse, Table, Tiles, card, from_card
from assay.td.policies import GREEDY, UNIFORM, EpsilonGreedy, Schedule, Softmax

VALUES = np.array([[1.0, 3.0, 3.0, -2.0], [0.0, 0.0, 0.0, 0.0]])


@pytest.mark.parametrize("policy", [EpsilonGreedy(0.2), Softmax(0.5), GREEDY, UNIFORM])
def test_actions_are_drawn_as_often_as_the_chances_say(policy):
    rng, kind = np.random.default_rng(0), 0 if isinstance(policy, EpsilonGreedy) else 1
    level = float(policy.levels(np.array(0)))
    for row, chances in zip(VALUES, policy.probabilities(VALUES), strict=True):
        drawn = np.bincount([kernels.choose(row, kind, level, rng) for _ in range(4000)], minlength=4) / 4000
        assert chances.sum() == pytest.approx(1)
        assert drawn == pytest.approx(chances, abs=4 * np.sqrt(0.25 / 4000))


def test_chances_written_out():
    assert EpsilonGreedy(0.2).probabilities(VALUES)[0] == pytest.approx([0.05, 0.45, 0.45, 0.05])
    weights = np.exp(VALUES[0] / 0.5)
    assert Softmax(0.5).probabilities(VALUES)[0] == pytest.approx(weights / weights.sum())
    assert GREEDY.probabilities(VALUES)[0].tolist() == [0, 0.5, 0.5, 0]


def test_softmax_does_not_overflow():
    assert Softmax(1e-3).probabilities(np.array([[1e6, 0.0]])).tolist() == [[1, 0]]


def test_schedules():
    linear, exponential = Schedule(1.0, 0.1, 10), Schedule(1.0, 0.01, 2, "exponential")
    assert linear.at(np.array([0, 5, 10, 99])) == pytest.approx([1, 0.55, 0.1, 0.1])
    assert exponential.at(np.array([0, 1, 2, 99])) == pytest.approx([1, 0.1, 0.01, 0.01])
    assert EpsilonGreedy(linear).probabilities(VALUES, episode=10)[0, 0] == pytest.approx(0.025)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: EpsilonGreedy(1.5), r"epsilon must be in \[0, 1\]"),
        (lambda: EpsilonGreedy(Schedule(1.0, -0.5, 3)), r"epsilon must be in \[0, 1\]"),
        (lambda: Softmax(0.0), "temperature must be a finite number above 0"),
        (lambda: Schedule(1.0, 0.0, 3, "exponential"), "exponential ends above 0"),
        (lambda: Schedule(1.0, 0.0, 0), "a schedule needs 1 episode"),
        (lambda: Schedule(1.0, 0.0, 3, "square"), "shape must be linear or exponential"),
        (lambda: GREEDY.probabilities(np.array([[np.nan]])), "action values must be finite"),
        (lambda: Table(0), "1 state or more"),
        (lambda: Linear(0), "1 or more"),
        (lambda: Tiles((0.0,), (0.0,), (4,)), "low must be below high"),
        (lambda: Tiles((0.0,), (1.0, 2.0), (4,)), "of one length"),
        (lambda: Tiles((0.0,), (1.0,), (0,)), "bins and tilings must be >= 1"),
        (lambda: Linear(2).encode(np.array([[1.0, np.inf]])), "observations must be finite, 2 numbers each"),
        (lambda: Tiles((0.0,), (1.0,), (4,)).encode(np.array([[np.nan]])), "observations must be finite"),
        (lambda: Sparse(4, 5), r"k must be in 1\.\.4"),
        (lambda: Sparse(4, 2).encode(np.array([[0, 4, 0.5, 0.5]])), r"places must be whole numbers in 0\.\.3"),
        (lambda: Sparse(4, 2).encode(np.array([[0.5, 1, 0.5, 0.5]])), r"places must be whole numbers in 0\.\.3"),
        (lambda: from_card({"coding": "wires"}), "coding must be one of table, linear, tiles, sparse"),
    ],
)
def test_what_is_not_allowed(make, message):
    with pytest.raises(InputError, match=message):
        make()


def test_tiles_written_out():
    # Two grids of two tiles over 0..1, the second shifted by half a tile: a tile more each.
    coding = Tiles((0.0,), (1.0,), (2,), 2)
    places, values = coding.encode(np.array([[0.0], [0.3], [0.6], [1.0]]))
    assert coding.size == 6
    assert places.tolist() == [[0, 3], [0, 4], [1, 4], [1, 5]]
    assert (values == 1).all()


def test_a_sparse_observation_names_its_own_weights():
    places, values = Sparse(9, 2).encode(np.array([[8, 3, 0.75, 0.25]]))
    assert places.tolist() == [[8, 3]]
    assert values.tolist() == [[0.75, 0.25]]


@given(st.lists(st.tuples(st.floats(-9, 9), st.floats(-9, 9)), min_size=1, max_size=20))
def test_every_place_is_one_of_the_weights_and_far_is_like_the_end(points):
    coding = Tiles((-1.0, 0.0), (1.0, 3.0), (5, 3), 4)
    places, _ = coding.encode(np.array(points))
    assert ((places >= 0) & (places < coding.size)).all()
    np.testing.assert_array_equal(places, coding.encode(np.clip(points, (-1, 0), (1, 3)))[0])


def test_near_points_share_tiles_and_far_ones_none():
    coding = Tiles((0.0, 0.0), (1.0, 1.0), (8, 8), 8)

    def shared(a, b):
        return len(set(coding.encode(np.array([a]))[0][0]) & set(coding.encode(np.array([b]))[0][0]))

    assert shared((0.5, 0.5), (0.5, 0.5)) == 8
    assert 4 <= shared((0.5, 0.5), (0.52, 0.51)) <= 8
    assert shared((0.1, 0.1), (0.9, 0.9)) == 0


@pytest.mark.parametrize("coding", [Table(4), Linear(3), Tiles((0.0,), (1.0,), (4,), 2), Sparse(9, 3)])
def test_a_coding_goes_through_json(coding):
    import json

    assert from_card(json.loads(json.dumps(card(coding)))) == coding
