"""Naive Bayes on the columns of a table: numbers and words in, probabilities out."""

from typing import Self

import numpy as np
from scipy import special
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.naive_bayes import CategoricalNB, GaussianNB

from ..errors import InputError, UndefinedError


class NaiveBayes(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """Bayes' rule with every column taken as independent of the others, given the class.

    Columns of numbers are normal within a class, columns of words have a frequency for each word, drawn towards equal
    ones by one picture more of each. A word that was never seen tells nothing.

    Args:
        prior: float (classes,), base rates in the order of classes_, > 0, sum 1; those of the labels by default.

    After fit: classes_ (k,), numeric_ bool (columns,), which columns are numbers.

    Assumes columns are independent given the class: where they are not, it is too sure, but often ranks well.

    >>> table = np.array([["sun", 30], ["sun", 27], ["rain", 12], ["rain", 9]], object)
    >>> model = NaiveBayes().fit(table, np.array(["out", "out", "in", "in"]))
    >>> [str(answer) for answer in model.predict(np.array([["sun", 25], ["hail", 10]], object))]
    ['out', 'in']
    """

    def __init__(self, *, prior: np.ndarray | None = None) -> None:
        """Only keep the options, as scikit-learn wants it."""
        self.prior = prior

    def fit(self, X: np.ndarray, y: np.ndarray) -> Self:
        """Learn from a table (n, columns) of numbers or words, and labels (n,) of 2 classes or more."""
        X, y = _table(X), np.asarray(y)
        if y.shape != X.shape[:1]:
            raise InputError(f"table and labels must have as many rows, got {X.shape[0]} and {y.shape}")
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise UndefinedError(f"naive bayes needs 2 classes, got {len(self.classes_)}")
        shares = np.bincount(codes) / len(codes)
        if self.prior is not None:
            shares = np.asarray(self.prior, float)
            if shares.shape != self.classes_.shape or not (shares > 0).all() or abs(shares.sum() - 1) > 1e-9:
                raise InputError(f"prior must be {self.classes_.shape}, > 0 and sum to 1, got {self.prior!r}")
        self._log_prior = np.log(shares)
        self.numeric_ = np.array([_numbers(column) is not None for column in X.T])
        self._words = [np.unique(column.astype(str)) for column in X.T[~self.numeric_]]
        self._parts = []
        if self.numeric_.any():
            self._parts.append((self._floats, GaussianNB(priors=shares).fit(self._floats(X), codes)))
        if self._words:
            sizes = [len(words) for words in self._words]
            coded = self._codes(X)
            self._parts.append((self._codes, CategoricalNB(class_prior=shares, min_categories=sizes).fit(coded, codes)))
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Probabilities (n, classes), rows summing to 1."""
        X = _table(X)
        if X.shape[1] != len(self.numeric_):
            raise InputError(f"table must have {len(self.numeric_)} columns, got {X.shape[1]}")
        total = np.tile(self._log_prior, (len(X), 1))
        for read, model in self._parts:
            values = read(X)
            unseen = np.asarray(values < 0) if read == self._codes else None
            joint = model.predict_joint_log_proba(np.where(unseen, 0, values) if unseen is not None else values)
            total += joint - self._log_prior
            if unseen is not None:
                for column, rows in enumerate(unseen.T):
                    total[rows] -= model.feature_log_prob_[column][:, 0]
        found: np.ndarray = special.softmax(total, axis=1)
        return found

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Likeliest classes (n,)."""
        found: np.ndarray = self.classes_[self.predict_proba(X).argmax(axis=1)]
        return found

    def _floats(self, X: np.ndarray) -> np.ndarray:
        columns = [_numbers(column) for column in X.T[self.numeric_]]
        bad = [c for c in columns if c is None]
        if bad:
            raise InputError("columns that were numbers must stay numbers, got words")
        return np.array(columns, float).T

    def _codes(self, X: np.ndarray) -> np.ndarray:
        """The number of each word, -1 for one that was never seen."""
        coded = []
        for words, column in zip(self._words, X.T[~self.numeric_], strict=True):
            texts = column.astype(str)
            at = np.searchsorted(words, texts).clip(0, len(words) - 1)
            coded.append(np.where(words[at] == texts, at, -1))
        return np.array(coded).T


def _table(X: np.ndarray) -> np.ndarray:
    X = np.asarray(X)
    if X.ndim != 2 or not X.size:
        raise InputError(f"table must be (rows, columns), got shape {X.shape}")
    return X


def _numbers(column: np.ndarray) -> np.ndarray | None:
    """A column as finite numbers, or None where it holds words."""
    if column.dtype == bool or any(isinstance(x, bool | np.bool_) for x in column[:1]):
        return None
    try:
        values = column.astype(float)
    except (TypeError, ValueError):
        return None
    if not np.isfinite(values).all():
        raise InputError("a column of numbers must be finite, got some that are not: fill or leave out those rows")
    return values
