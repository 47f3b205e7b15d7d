"""Maps equal scikit-learn's, are the best of their kind, and give back the truth from many pictures."""

import numpy as np
import pytest
from scipy import special
from sklearn.isotonic import IsotonicRegression

from assay.errors import InputError, UndefinedError
from assay.stats.recalibration import isotonic, platt


def drawn(n, rng, slope=1.5, shift=-0.5):
    scores = rng.normal(0, 2, n)
    return rng.random(n) < special.expit(slope * scores + shift), scores


def loss(labels, scores, slope, shift):
    """Oracle: Platt's loss with his targets, one picture at a time."""
    m, total = labels.sum(), 0
    for label, score in zip(labels, scores, strict=True):
        target = (m + 1) / (m + 2) if label else 1 / (len(labels) - m + 2)
        p = 1 / (1 + np.exp(-(slope * score + shift)))
        total -= target * np.log(p) + (1 - target) * np.log(1 - p)
    return total


def test_platt_is_the_best_in_its_neighbourhood():
    labels, scores = drawn(40, np.random.default_rng(1))
    p = platt(labels, scores)
    best = loss(labels, scores, p.slope, p.intercept)
    for a, b in ((0.01, 0), (-0.01, 0), (0, 0.01), (0, -0.01), (0.01, -0.01)):
        assert loss(labels, scores, p.slope + a, p.intercept + b) > best


def test_platt_gives_back_the_truth_from_many_pictures():
    p = platt(*drawn(40000, np.random.default_rng(2)))
    assert (p.slope, p.intercept) == pytest.approx((1.5, -0.5), rel=0.06)


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e12])
def test_platt_of_scores_on_any_scale_is_one_map(scale):
    labels, scores = drawn(60, np.random.default_rng(3))
    expected = platt(labels, scores).probabilities(scores)
    moved = scale * scores + 7 * scale
    assert platt(labels, moved).probabilities(moved) == pytest.approx(expected, abs=1e-4)


def test_platt_never_says_never():
    labels = np.arange(12) >= 5
    p = platt(labels, np.arange(12.0)).probabilities(np.arange(12.0))
    assert 0 < p.min() < p.max() < 1


@pytest.mark.parametrize("seed", range(5))
def test_isotonic_equals_scikit_learns(seed):
    rng = np.random.default_rng(seed)
    labels, scores = drawn(80, rng)
    scores = scores.round(1)
    ours = isotonic(labels, scores)
    theirs = IsotonicRegression(out_of_bounds="clip").fit(scores, labels)
    asked = np.linspace(-9, 9, 200)
    assert ours.probabilities(asked) == pytest.approx(theirs.predict(asked), abs=1e-9)
    assert (np.diff(ours.values) >= 0).all()


@pytest.mark.parametrize("fit", [platt, isotonic])
def test_what_cannot_be_mapped_is_refused(fit):
    with pytest.raises(UndefinedError, match="a map to probabilities needs 1 of each class, got 3 positives"):
        fit(np.ones(3, bool), np.arange(3.0))
    with pytest.raises(InputError, match="scores must be finite"):
        fit(np.array([0, 1]), np.array([0, np.nan]))
