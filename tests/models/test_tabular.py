"""Classifiers of tables judge rows that they have not seen, whatever the columns hold."""

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import Perceptron
from sklearn.tree import DecisionTreeClassifier

from assay.errors import InputError
from assay.models import tabular


@pytest.fixture
def table():
    """Numbers that tell the class, categories that tell it a little, and empty cells in both."""
    rng = np.random.default_rng(0)
    labels = np.arange(90) % 3
    x = np.column_stack([labels + rng.normal(0, 0.4, 90), rng.integers(0, 4, 90), rng.normal(size=90)])
    x[::11, 0], x[::13, 1] = np.nan, np.nan
    return x, labels, (None, ("a", "b", "c", "d"), None), np.arange(90) % 5


@pytest.mark.parametrize("name", [*tabular.CLASSIFIERS, DecisionTreeClassifier(random_state=0)], ids=str)
def test_every_classifier_gives_distributions_and_learns(table, name):
    x, labels, categories, folds = table
    before = x.copy()
    found = tabular.out_of_fold(tabular.build(name, categories, seed=0), x, labels, folds)
    np.testing.assert_allclose(found.sum(axis=1), 1)
    assert (found.argmax(axis=1) == labels).mean() > 0.6
    np.testing.assert_array_equal(x, before)


def test_a_row_is_judged_without_having_been_learned_from(table):
    # A tree that learns by heart is right about rows that it has seen, and knows nothing of labels drawn at random.
    x, _, categories, folds = table
    labels = np.random.default_rng(1).permutation(np.arange(90) % 2)
    found = tabular.out_of_fold(
        tabular.build(DecisionTreeClassifier(random_state=0), categories, seed=0), x, labels, folds
    )
    assert 0.3 < (found.argmax(axis=1) == labels).mean() < 0.7


def test_repeats_are_folds_done_again(table):
    x, labels, categories, folds = table
    estimator = tabular.build("logistic", categories, seed=0)
    both = tabular.out_of_fold(estimator, x, labels, np.stack([folds, folds]))
    np.testing.assert_array_equal(both[0], both[1])
    np.testing.assert_array_equal(both[0], tabular.out_of_fold(estimator, x, labels, folds))


def test_learning_from_all_there_is_is_cross_validation(table):
    x, labels, categories, folds = table
    estimator = tabular.build(DummyClassifier(), categories, seed=0)
    sizes = [9, 72]
    few, all_ = tabular.growing(estimator, x, labels, folds, None, sizes=sizes, rng=np.random.default_rng(0))
    np.testing.assert_allclose(all_, tabular.out_of_fold(estimator, x, labels, folds))
    assert (few > 0).all()  # each class is there from the beginning


def test_what_gives_no_probabilities_is_refused(table):
    with pytest.raises(InputError, match="must be a scikit-learn estimator with fit and predict_proba, got Perceptron"):
        tabular.build(Perceptron(), table[2], seed=0)
    with pytest.raises(InputError, match="--classifier must be one of boosting, logistic, bayes, got 'magic'"):
        tabular.build("magic", table[2], seed=0)
