"""Votes: distances are Wasserstein's, moments come back, and halves of raters tell what can be predicted."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog
from scipy.stats import wasserstein_distance

from assay.errors import InputError, UndefinedError
from assay.stats import votes

SCALE = np.arange(1.0, 11)


def histograms(n, seed, k=10):
    return np.random.default_rng(seed).dirichlet(np.full(k, 0.4), n)


def test_emd_is_wassersteins_distance_on_200_histograms():
    p, q = histograms(200, 0), histograms(200, 1)
    found = 10 * votes.emd(p, q)
    expected = [wasserstein_distance(SCALE, SCALE, a, b) for a, b in zip(p, q, strict=True)]
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_emd_is_the_cost_of_pots_best_transport():
    ot = pytest.importorskip("ot", reason="POT is an oracle alone, and is not installed")
    cost = np.abs(SCALE[:, None] - SCALE)
    p, q = histograms(200, 2), histograms(200, 3)
    expected = [ot.emd2(a, b, cost) for a, b in zip(p, q, strict=True)]
    np.testing.assert_allclose(10 * votes.emd(p, q), expected, atol=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_emd_is_the_linear_programme_that_defines_it(seed):
    k = 5
    p, q = histograms(1, seed, k)[0], histograms(1, seed + 50, k)[0]
    cost = np.abs(np.subtract.outer(np.arange(k), np.arange(k))).ravel()
    leaves, arrives = np.kron(np.eye(k), np.ones(k)), np.kron(np.ones(k), np.eye(k))
    best = linprog(cost, A_eq=np.vstack([leaves, arrives]), b_eq=np.r_[p, q])
    assert k * float(votes.emd(p, q)) == pytest.approx(best.fun, abs=1e-9)


@pytest.mark.parametrize("r", [1.0, 2.0])
def test_emd_is_a_distance(r):
    p, q, s = histograms(30, 4), histograms(30, 5), histograms(30, 6)
    np.testing.assert_allclose(votes.emd(p, p, r=r), 0, atol=1e-12)
    np.testing.assert_allclose(votes.emd(p, q, r=r), votes.emd(q, p, r=r))
    assert (votes.emd(p, s, r=r) <= votes.emd(p, q, r=r) + votes.emd(q, s, r=r) + 1e-12).all()


def test_emd_of_all_votes_moved_one_step_is_one_step():
    p, q = np.eye(10)[3], np.eye(10)[4]
    assert float(votes.emd(p, q)) == pytest.approx(0.1)
    assert float(votes.emd(p, q, r=2)) == pytest.approx(np.sqrt(0.1))


def test_rows_that_do_not_add_up_are_refused():
    with pytest.raises(InputError, match=r"add up to 1, got 1 rows that do not, the first is row 1 with the sum 0.9"):
        votes.check(np.array([[0.5, 0.5], [0.4, 0.5]]))


def test_greatest_entropy_gives_the_moments_back():
    mean, sd = votes.moments(histograms(100, 7), SCALE)
    found = votes.maximum_entropy(mean, sd, scale=SCALE)
    again = votes.moments(found, SCALE)
    np.testing.assert_allclose(again[0], mean, atol=1e-8)
    np.testing.assert_allclose(again[1], sd, atol=1e-7)


def test_no_other_votes_with_these_moments_have_more_entropy():
    steps = np.arange(1.0, 6)
    best = votes.maximum_entropy(np.array([2.7]), np.array([1.1]), scale=steps)[0]
    directions = np.linalg.svd(np.vstack([np.ones(5), steps, steps**2]))[2][3:]  # keep sum, mean and square
    rng = np.random.default_rng(0)
    for _ in range(50):
        other = best + 0.02 * rng.normal(size=2) @ directions
        if (other > 0).all():
            assert -(other * np.log(other)).sum() <= -(best * np.log(best)).sum()


@pytest.mark.parametrize(("mean", "sd"), [(1.0, 0.0), (4.0, 0.0), (3.5, 0.5), (5.5, 4.5), (10.0, 0.0)])
def test_the_ends_of_what_is_possible_are_reached(mean, sd):
    found = votes.moments(votes.maximum_entropy(np.array([mean]), np.array([sd]), scale=SCALE), SCALE)
    assert (found[0][0], found[1][0]) == pytest.approx((mean, sd), abs=1e-6)


@pytest.mark.parametrize(("mean", "sd"), [(3.5, 0.2), (1.5, 3.0), (11.0, 1.0), (5.0, -1.0), (np.nan, 1.0)])
def test_impossible_moments_are_refused(mean, sd):
    with pytest.raises(InputError, match="goes with an sd of"):
        votes.maximum_entropy(np.array([mean]), np.array([sd]), scale=SCALE)


@given(st.floats(1, 10))
def test_votes_beside_a_mean_have_that_mean(mean):
    found = votes.beside(np.array([mean]), scale=SCALE)
    assert votes.moments(found, SCALE)[0][0] == pytest.approx(mean)
    assert np.count_nonzero(found) <= 2


def test_a_tilt_moves_the_mean_where_it_is_wanted():
    p = histograms(50, 8)
    wanted = np.clip(votes.moments(p, SCALE)[0] + 0.7, 1.5, 9.5)
    np.testing.assert_allclose(votes.moments(votes.tilt(p, wanted, scale=SCALE), SCALE)[0], wanted, atol=1e-6)


def test_halves_add_up_and_are_as_large_as_each_other():
    counts = np.random.default_rng(0).integers(1, 9, (6, 5))
    one, other = votes.halves(counts, rng=np.random.default_rng(1))
    np.testing.assert_array_equal(one + other, counts)
    assert (np.abs(one.sum(axis=1) - other.sum(axis=1)) <= 1).all()


def test_the_ceiling_is_the_reliability_that_was_put_in():
    # Means vary by 1, votes around them by 2: with 20 votes the reliability is 1 / (1 + 4 / 20), the ceiling its root.
    rng, scale = np.random.default_rng(0), np.arange(-20.0, 21)
    truth = rng.normal(0, 1, 1500)
    given = np.clip(np.rint(truth[:, None] + rng.normal(0, 2, (1500, 20))), -20, 20).astype(int) + 20
    counts = np.stack([np.bincount(row, minlength=41) for row in given])
    halves, reliability, best = votes.ceiling(counts, scale, rng=rng)
    expected = 1 / (1 + (4 + 1 / 12) / 20)  # rounding adds a twelfth
    assert reliability.low < expected < reliability.high
    assert best.value == pytest.approx(np.sqrt(reliability.value))
    means = counts @ scale / 20
    assert np.corrcoef(truth, means)[0, 1] == pytest.approx(best.value, abs=0.02)
    assert halves.value < reliability.value < best.value


def test_raters_who_do_not_agree_have_no_ceiling():
    counts = np.random.default_rng(4).multinomial(20, np.full(5, 0.2), 60)
    try:
        _, reliability, _ = votes.ceiling(counts, np.arange(5.0), rng=np.random.default_rng(0))
    except UndefinedError as e:
        assert "raters who agree" in str(e)  # noqa: PT017 - either is honest
    else:
        assert reliability.low <= 0.3
