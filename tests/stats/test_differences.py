"""Differences equal Newcombe's tables and their formulas written out, and cover as often as they say."""

import math

import numpy as np
import pytest
from scipy import stats

from assay.errors import InputError, UndefinedError
from assay.stats.differences import means, mover, paired_means, paired_proportions, proportions
from assay.stats.intervals import Estimate, proportion


def limits(e):
    return e.low, e.high


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ((56, 70, 48, 80), (0.0524, 0.3339)),
        ((9, 10, 3, 10), (0.1705, 0.8090)),
        ((6, 7, 2, 7), (0.0582, 0.8062)),
        ((5, 56, 0, 29), (-0.0381, 0.1926)),
        ((0, 10, 0, 20), (-0.1611, 0.2775)),
        ((0, 10, 0, 10), (-0.2775, 0.2775)),
        ((10, 10, 0, 20), (0.6791, 1.0)),
        ((10, 10, 0, 10), (0.6075, 1.0)),
    ],
)
def test_unpaired_differences_equal_newcombes_table(counts, expected):  # Newcombe 1998, table II, method 10
    assert limits(proportions(*counts)) == pytest.approx(expected, abs=6e-5)


def newcombe_paired(a, b, c, d):
    """Oracle: method 10 of Newcombe 1998 for pairs, with Wilson's limits by their quadratic."""
    n, z = a + b + c + d, 1.959964

    def wilson(k):
        roots = np.roots([n + z * z, -(2 * k + z * z), k * k / n]).real
        return k / n, min(roots), max(roots)

    (p, l1, u1), (q, l2, u2) = wilson(a + b), wilson(a + c)
    product = (a + b) * (c + d) * (a + c) * (b + d)
    cross = a * d - b * c
    phi = 0 if product == 0 else (max(cross - n / 2, 0) if cross > 0 else cross) / math.sqrt(product)
    down = math.sqrt((p - l1) ** 2 - 2 * phi * (p - l1) * (u2 - q) + (u2 - q) ** 2)
    up = math.sqrt((q - l2) ** 2 - 2 * phi * (q - l2) * (u1 - p) + (u1 - p) ** 2)
    return p - q - down, p - q + up


@pytest.mark.parametrize(
    "cells", [(36, 12, 2, 0), (20, 12, 2, 16), (18, 14, 4, 14), (0, 54, 0, 0), (1, 1, 7, 1), (4, 0, 0, 9)]
)
def test_paired_differences_equal_newcombe_written_out(cells):
    assert limits(paired_proportions(*cells)) == pytest.approx(newcombe_paired(*cells), abs=1e-6)


def test_paired_differences_cover_as_often_as_they_say():
    rng, chances, covered = np.random.default_rng(0), [0.5, 0.2, 0.1, 0.2], 0
    for _ in range(1500):
        e = paired_proportions(*rng.multinomial(60, chances).tolist())
        covered += e.low <= 0.1 <= e.high
    assert 0.93 < covered / 1500 < 0.975


def test_swapping_sides_mirrors_the_difference():
    a, b = proportions(9, 12, 4, 17), proportions(4, 17, 9, 12)
    assert (a.value, *limits(a)) == pytest.approx((-b.value, -b.high, -b.low))
    a, b = paired_proportions(9, 5, 2, 7), paired_proportions(9, 2, 5, 7)
    assert (a.value, *limits(a)) == pytest.approx((-b.value, -b.high, -b.low))


def test_perfect_agreement_still_admits_doubt():
    for e in (paired_proportions(12, 0, 0, 0), proportions(12, 12, 9, 9)):
        assert e.value == 0
        assert e.low < -0.1 < 0.1 < e.high


def test_more_correlation_makes_a_narrower_difference():
    pair = proportion(40, 50), proportion(30, 50)
    widths = [e.high - e.low for e in (mover(*pair, correlation=r) for r in (-0.5, 0, 0.5, 1))]
    assert widths == sorted(widths, reverse=True)


def test_means_are_welchs_interval():
    rng = np.random.default_rng(1)
    a, b = rng.normal(3, 1, 12), rng.normal(2, 4, 7)
    expected = stats.ttest_ind(a, b, equal_var=False).confidence_interval(0.9)
    assert limits(means(a, b, level=0.9)) == pytest.approx(tuple(expected))
    assert paired_means(a[:7], b).value == pytest.approx((a[:7] - b).mean())
    assert limits(paired_means(a[:7], b)) == pytest.approx(tuple(stats.ttest_rel(a[:7], b).confidence_interval()))


def test_differences_without_an_answer_are_refused():
    with pytest.raises(InputError, match=r"one level, got 0\.95 and 0\.9"):
        mover(proportion(1, 2), proportion(1, 2, level=0.9))
    with pytest.raises(InputError, match="correlation must be in"):
        mover(Estimate(0, 0, 1, 0.95, "t"), Estimate(0, 0, 1, 0.95, "t"), correlation=1.5)
    with pytest.raises(InputError, match="counts must be whole"):
        paired_proportions(1, -1, 2, 3)
    with pytest.raises(UndefinedError, match="needs 1 row"):
        paired_proportions(0, 0, 0, 0)
    with pytest.raises(UndefinedError, match="needs 2 values"):
        means(np.array([1.0]), np.array([1.0, 2]))
    with pytest.raises(InputError, match="as many"):
        paired_means(np.array([1.0]), np.array([1.0, 2]))
