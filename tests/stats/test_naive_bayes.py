"""Naive Bayes is Bayes' rule column by column, and scikit-learn's where it has one."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.naive_bayes import GaussianNB

from assay.errors import InputError, UndefinedError
from assay.stats.naive_bayes import NaiveBayes

WEATHER = np.array(
    [["sun", "30", 1], ["sun", "27", 0], ["rain", "12", 1], ["rain", "9", 0], ["rain", "14", 1], ["sun", "22", 1]],
    object,
)
ANSWERS = np.array(["out", "out", "in", "in", "in", "out"])


def by_hand(row, prior):
    """Oracle: prior times the chance of each column, with one more of each word."""
    joint = {}
    for answer in ("in", "out"):
        rows = [r for r, a in zip(WEATHER, ANSWERS, strict=True) if a == answer]
        total = prior[answer] * (sum(r[0] == row[0] for r in rows) + 1) / (len(rows) + 2)
        for column in (1, 2):
            values = np.array([float(r[column]) for r in rows])
            # scikit-learn adds a billionth of the largest variance of any column.
            variance = values.var() + 1e-9 * max(WEATHER[:, c].astype(float).var() for c in (1, 2))
            gap = float(row[column]) - values.mean()
            total *= np.exp(-(gap**2) / 2 / variance) / np.sqrt(2 * np.pi * variance)
        joint[answer] = total
    return joint["in"] / sum(joint.values())


@pytest.mark.parametrize("prior", [None, (0.1, 0.9)])
def test_probabilities_are_bayes_rule_by_hand(prior):
    model = NaiveBayes(prior=None if prior is None else np.array(prior)).fit(WEATHER, ANSWERS)
    chances = dict(zip(("in", "out"), prior or (0.5, 0.5), strict=True))
    rows = np.array([["sun", 20, 1], ["rain", "16", 0], ["rain", 21, 1]], object)
    found = model.predict_proba(rows)
    assert found[:, 0] == pytest.approx([by_hand(r, chances) for r in rows])
    assert found.sum(axis=1) == pytest.approx(np.ones(3))
    assert list(model.numeric_) == [False, True, True]


def test_numbers_alone_give_scikit_learns_gaussian():
    iris = load_iris()
    ours, theirs = NaiveBayes().fit(iris.data, iris.target), GaussianNB().fit(iris.data, iris.target)
    assert ours.predict_proba(iris.data) == pytest.approx(theirs.predict_proba(iris.data), abs=1e-9)
    assert (ours.predict(iris.data) == theirs.predict(iris.data)).all()
    assert ours.score(iris.data, iris.target) > 0.94


def test_a_word_that_was_never_seen_tells_nothing():
    model = NaiveBayes().fit(WEATHER[:, :1], ANSWERS)
    assert model.predict_proba(np.array([["hail"]], object)) == pytest.approx(np.array([[0.5, 0.5]]))


def test_it_is_an_estimator_like_any():
    model = NaiveBayes(prior=np.array([0.3, 0.7]))
    assert (clone(model).get_params()["prior"] == [0.3, 0.7]).all()


def test_tables_without_an_answer_are_refused():
    with pytest.raises(UndefinedError, match="needs 2 classes, got 1"):
        NaiveBayes().fit(WEATHER, np.zeros(6))
    with pytest.raises(InputError, match="as many rows"):
        NaiveBayes().fit(WEATHER, ANSWERS[:3])
    with pytest.raises(InputError, match="finite"):
        NaiveBayes().fit(np.array([[1.0], [np.nan]]), np.array([0, 1]))
    with pytest.raises(InputError, match="prior must be"):
        NaiveBayes(prior=np.array([0.5, 0.6])).fit(WEATHER, ANSWERS)
    with pytest.raises(InputError, match="table must have 3 columns, got 2"):
        NaiveBayes().fit(WEATHER, ANSWERS).predict(WEATHER[:, :2])
    with pytest.raises(InputError, match="must stay numbers"):
        NaiveBayes().fit(WEATHER, ANSWERS).predict(np.array([["sun", "warm", 1]], object))
    with pytest.raises(InputError, match=r"table must be \(rows, columns\)"):
        NaiveBayes().fit(WEATHER[0], ANSWERS)
