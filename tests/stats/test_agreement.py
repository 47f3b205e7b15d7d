"""Agreement equals scikit-learn, scipy and Shrout & Fleiss, and covers as often as it says."""

import math

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics

from assay.errors import InputError, UndefinedError
from assay.stats.agreement import WEIGHTS, icc, kappa, kendall, pearson, spearman

SHROUT = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7.0]])
CORRELATIONS = {"pearson": pearson, "spearman": spearman, "kendall": kendall}


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("seed", range(5))
def test_kappa_equals_scikit_learns(weights, seed):
    rng = np.random.default_rng(seed)
    a, b = rng.integers(0, 4, 30), rng.integers(0, 4, 30)
    b = np.where(rng.random(30) < 0.5, a, b)
    expected = metrics.cohen_kappa_score(a, b, labels=range(4), weights=None if weights == "equal" else weights)
    e = kappa(a, b, classes=4, weights=weights)
    assert e.value == pytest.approx(expected, abs=1e-12)
    assert -1 <= e.low < e.value < e.high <= 1
    assert kappa(b, a, classes=4, weights=weights).value == pytest.approx(e.value)


def test_kappa_of_scikit_learns_example():
    order = {"negative": 0, "neutral": 1, "positive": 2}
    a = [order[x] for x in ("negative", "positive", "negative", "neutral", "positive")]
    b = [order[x] for x in ("negative", "positive", "negative", "neutral", "negative")]
    assert kappa(np.array(a), np.array(b), classes=3).value == pytest.approx(0.6875)


def test_full_agreement_still_admits_doubt():
    a = np.arange(12) % 3
    e = kappa(a, a, classes=3)
    assert (e.value, e.high) == (1, 1)
    assert e.low < 0.9


def test_kappa_covers_as_often_as_it_says():
    rng, covered = np.random.default_rng(1), 0
    joint = np.array([[0.4, 0.1], [0.08, 0.42]])
    rows, columns = joint.sum(axis=1), joint.sum(axis=0)
    truth = (joint.trace() - rows @ columns) / (1 - rows @ columns)
    for _ in range(500):
        a, b = np.divmod(rng.choice(4, 60, p=joint.ravel()), 2)
        e = kappa(a, b, classes=2)
        covered += e.low <= truth <= e.high
    assert covered / 500 > 0.92


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("1,1", 0.17), ("2,1", 0.29), ("3,1", 0.71), ("1,k", 0.44), ("2,k", 0.62), ("3,k", 0.91)],
)
def test_icc_of_shrout_and_fleiss(kind, expected):  # Shrout & Fleiss 1979, table 4
    assert icc(SHROUT, kind=kind).value == pytest.approx(expected, abs=0.005)


@pytest.mark.parametrize(
    ("kind", "low", "high"),
    # R's psych::ICC on the same table.
    [("1,1", -0.133, 0.723), ("2,1", 0.019, 0.761), ("3,1", 0.342, 0.946), ("3,k", 0.676, 0.986)],
)
def test_limits_of_icc_equal_those_of_psych(kind, low, high):
    e = icc(SHROUT, kind=kind)
    assert (e.low, e.high) == pytest.approx((low, high), abs=0.0006)


@pytest.mark.parametrize("kind", ["1,1", "2,1", "3,1"])
def test_icc_covers_as_often_as_it_says(kind):
    rng, covered = np.random.default_rng(2), 0
    for _ in range(300):
        shifts = rng.normal(0, 0.6, 4) if kind == "2,1" else 0
        things = rng.normal(0, 1, (20, 1)) + rng.normal(0, 0.8, (20, 4)) + shifts
        truth = 1 / (1 + 0.64 + (0.36 if kind == "2,1" else 0))
        e = icc(things, kind=kind)
        covered += e.low <= truth <= e.high
    assert covered / 300 > 0.9


def test_correlations_equal_scipys():
    rng = np.random.default_rng(3)
    x = rng.integers(0, 9, 25) * 1.0
    y = x + rng.normal(0, 3, 25).round()
    assert pearson(x, y).value == pytest.approx(stats.pearsonr(x, y).statistic)
    expected = stats.pearsonr(x, y).confidence_interval(0.9)
    e = pearson(x, y, level=0.9)
    assert (e.low, e.high) == pytest.approx(tuple(expected))
    assert spearman(x, y).value == pytest.approx(stats.spearmanr(x, y).statistic)
    assert kendall(x, y).value == pytest.approx(stats.kendalltau(x, y).statistic)


def test_limits_of_rank_correlations_are_their_formulas():
    rng = np.random.default_rng(4)
    x = rng.normal(size=17)
    y = x + rng.normal(size=17)
    for e, error in (
        (spearman(x, y), lambda r: math.sqrt((1 + r**2 / 2) / 14)),
        (kendall(x, y), lambda _: math.sqrt(0.437 / 13)),
    ):
        half = 1.959964 * error(e.value)
        limits = (math.tanh(math.atanh(e.value) + s * half) for s in (-1, 1))
        assert (e.low, e.high) == pytest.approx(tuple(limits), abs=1e-6)


@pytest.mark.parametrize("name", ["spearman", "kendall"])
def test_perfect_order_still_admits_doubt(name):
    x = np.arange(8.0)
    up, down = CORRELATIONS[name](x, x), CORRELATIONS[name](x, -x)
    assert (up.value, up.high) == pytest.approx((1, 1))
    assert 0 < up.low < 0.99
    assert (up.low, up.high) == pytest.approx((-down.high, -down.low))


@pytest.mark.parametrize("name", CORRELATIONS)
def test_correlations_cover_as_often_as_they_say(name):
    rng, covered = np.random.default_rng(5), 0
    truth = {"pearson": 0.7, "spearman": 6 / math.pi * math.asin(0.35), "kendall": 2 / math.pi * math.asin(0.7)}[name]
    for _ in range(500):
        x, y = rng.multivariate_normal([0, 0], [[1, 0.7], [0.7, 1]], 40).T
        e = CORRELATIONS[name](x, y)
        covered += e.low <= truth <= e.high
    assert covered / 500 > 0.92


def test_agreements_without_an_answer_are_refused():
    with pytest.raises(UndefinedError, match="kappa needs answers of 2 classes"):
        kappa(np.zeros(3, int), np.zeros(3, int), classes=2)
    with pytest.raises(InputError, match="weights must be one of equal, linear, quadratic"):
        kappa(np.array([0, 1]), np.array([0, 1]), classes=2, weights="cubic")
    with pytest.raises(InputError, match="kind must be"):
        icc(SHROUT, kind="4,1")
    with pytest.raises(UndefinedError, match="2 things and 2 raters, got 1 and 4"):
        icc(SHROUT[:1])
    with pytest.raises(UndefinedError, match="things that differ"):
        icc(np.ones((3, 2)))
    with pytest.raises(InputError, match=r"\(things, raters\) and finite"):
        icc(np.array([[np.nan, 1], [1, 2]]))
    for correlation in CORRELATIONS.values():
        with pytest.raises(UndefinedError, match="pairs that vary"):
            correlation(np.ones(9), np.arange(9.0))
        with pytest.raises(UndefinedError, match="pairs that vary on both sides, got 3"):
            correlation(np.arange(3.0), np.arange(3.0))
        with pytest.raises(InputError, match="finite"):
            correlation(np.array([1, 2, 3, 4, np.inf]), np.arange(5.0))
        with pytest.raises(InputError, match=r"x and y must be \(n,\)"):
            correlation(np.arange(3.0), np.arange(4.0))
