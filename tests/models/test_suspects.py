"""Suspects equal confident learning written out, and planted mistakes come first."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import softmax

from assay.errors import InputError
from assay.models.suspects import suspects


def written_out(labels, probabilities):
    """Oracle: the confident joint, one picture at a time."""
    k = probabilities.shape[1]
    bars = [
        np.mean([p[j] for p, y in zip(probabilities, labels, strict=True) if y == j]) if j in labels else np.inf
        for j in range(k)
    ]
    found = []
    for i, (p, y) in enumerate(zip(probabilities, labels, strict=True)):
        sure = [j for j in range(k) if p[j] >= bars[j] - 1e-6]
        if sure:
            best = max(sure, key=lambda j: p[j])
            margin = p[y] - max(p[j] for j in range(k) if j != y)
            if best != y and margin < 0:
                found.append((margin, i, best))
    return sorted(found)


def drawn(seed, n=60, k=4, sure=2.0):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, k, n)
    logits = rng.normal(size=(n, k))
    logits[np.arange(n), truth] += sure
    return truth, softmax(logits, axis=1), rng


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("k", [2, 4, 7])
def test_suspects_equal_the_confident_joint_written_out(seed, k):
    truth, probabilities, rng = drawn(seed, k=k)
    labels = np.where(rng.random(60) < 0.2, rng.integers(0, k, 60), truth)
    found = suspects(labels, probabilities)
    expected = written_out(labels, probabilities)
    assert [(i, s) for _, i, s in expected] == list(zip(found.indices, found.suggested, strict=True))
    np.testing.assert_allclose(found.score, [m for m, _, _ in expected])


def test_planted_mistakes_come_first():
    truth, probabilities, rng = drawn(3, n=400, sure=6.0)
    labels = truth.copy()
    planted = rng.permutation(400)[:20]
    labels[planted] = (labels[planted] + 1) % 4
    found = suspects(labels, probabilities)
    assert len(set(found.indices[:20]) & set(planted)) >= 18
    right = np.isin(found.indices, planted)
    assert (found.suggested[right] == truth[found.indices[right]]).mean() > 0.9


@given(st.integers(0, 1000), st.permutations(range(4)))
def test_renaming_the_classes_renames_the_suggestions(seed, order):
    truth, probabilities, rng = drawn(seed, n=30)
    labels = np.where(rng.random(30) < 0.3, (truth + 1) % 4, truth)
    order = np.array(order)
    a = suspects(labels, probabilities)
    b = suspects(np.argsort(order)[labels], probabilities[:, order])
    np.testing.assert_array_equal(a.indices, b.indices)
    np.testing.assert_array_equal(a.suggested, order[b.suggested])


def test_a_class_without_pictures_is_never_suggested():
    found = suspects(np.array([0, 0, 1, 1]), np.array([[0.1, 0.1, 0.8]] * 4))
    assert 2 not in found.suggested


def test_right_labels_raise_no_suspicion():
    assert len(suspects(np.array([0, 1, 2]), np.eye(3)).indices) == 0
    assert len(suspects(np.zeros(0, int), np.zeros((0, 3))).indices) == 0


def test_what_is_not_labels_and_probabilities_is_refused():
    with pytest.raises(
        InputError, match=r"labels and probabilities must be \(n,\) and \(n, k\), got \(2,\) and \(3, 2"
    ):
        suspects(np.array([0, 1]), np.full((3, 2), 0.5))
    with pytest.raises(InputError, match=r"labels must be whole numbers in 0\.\.1, got \[0 2\]"):
        suspects(np.array([0, 2]), np.full((2, 2), 0.5))
    with pytest.raises(InputError, match=r"each row of probabilities must add up to 1, got 1\.2 in row 1"):
        suspects(np.array([0, 1]), np.array([[0.5, 0.5], [0.6, 0.6]]))
