"""Areas of several classes equal those of each pair of classes, and scikit-learn's means of them."""

import numpy as np
import pytest
from sklearn import metrics

from assay.errors import InputError
from assay.stats.roc import auc
from assay.stats.several import one_vs_rest, pairwise


def drawn(seed, n=40, k=4):
    rng = np.random.default_rng(seed)
    labels = np.r_[np.tile(np.arange(k), 2), rng.integers(0, k, n - 2 * k)]
    scores = rng.dirichlet(np.ones(k), n) + 0.3 * np.eye(k)[labels]
    return labels, scores / scores.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("seed", range(4))
def test_means_equal_scikit_learns(seed):
    labels, scores = drawn(seed)
    for found, kind in ((one_vs_rest(labels, scores), "ovr"), (pairwise(labels, scores).values(), "ovo")):
        expected = metrics.roc_auc_score(labels, scores, multi_class=kind, average="macro")
        assert np.mean([e.value for e in found]) == pytest.approx(expected, abs=1e-12)


def test_each_is_an_area_of_two_classes():
    labels, scores = drawn(5)
    groups = np.arange(40) // 2
    assert one_vs_rest(labels, scores, level=0.9, groups=groups)[2] == auc(
        labels == 2, scores[:, 2], level=0.9, groups=groups
    )
    two = (labels == 1) | (labels == 3)
    assert pairwise(labels, scores)[3, 1] == auc(labels[two] == 3, scores[two, 3])
    assert set(pairwise(labels, scores)) == {(a, b) for a in range(4) for b in range(4) if a != b}


def test_a_class_with_one_picture_has_no_area():
    labels, scores = np.array([0, 0, 1, 1, 2]), np.eye(3)[[0, 0, 1, 1, 2]]
    assert one_vs_rest(labels, scores)[2] is None
    assert pairwise(labels, scores)[2, 0] is None
    assert pairwise(labels, scores)[1, 0].value == 1


def test_what_has_no_answer_is_refused():
    for function in (one_vs_rest, pairwise):
        with pytest.raises(InputError, match=r"labels must be whole numbers in 0\.\.1: give a column of scores"):
            function(np.array([0, 2]), np.eye(2))
        with pytest.raises(InputError, match="classes >= 2"):
            function(np.array([0, 1]), np.zeros(2))
        with pytest.raises(InputError, match="finite, got 1 that"):
            function(np.array([0, 1]), np.array([[0, np.nan], [1, 2]]))
