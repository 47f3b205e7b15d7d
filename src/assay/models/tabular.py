"""Classifiers of tables: rows of numbers and categories in, probabilities out of fold out."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from threadpoolctl import threadpool_limits

from ..errors import InputError
from ..stats.naive_bayes import NaiveBayes

_LARGE = 20_000  # rows from which on a second thread pays
_RARE = 0.01  # share of rows below which categories are taken together
Categories = Sequence[Sequence[str] | None]


class Bayes(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """Naive Bayes on rows: numbers as bell curves, categories as counts.

    Args:
        categorical: bool (d,), which columns hold categories.
    """

    def __init__(self, categorical: np.ndarray) -> None:
        self.categorical = categorical

    def fit(self, x: np.ndarray, y: np.ndarray) -> "Bayes":
        """Learn from rows.

        Args:
            x: float (n, d), NaN where a cell is empty.
            y: int (n,).

        Returns:
            Itself.
        """
        self.classes_ = np.unique(y)
        self.middles_ = np.nanmedian(x, axis=0)
        self.model_ = NaiveBayes().fit(self._table(x), y)
        return self

    def predict_proba(self, x: np.ndarray) -> np.ndarray:
        """Judge rows.

        Args:
            x: float (n, d).

        Returns:
            float (n, k), rows sum to 1.
        """
        return np.asarray(self.model_.predict_proba(self._table(x)))

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Name the likeliest class.

        Args:
            x: float (n, d).

        Returns:
            int (n,).
        """
        return np.asarray(self.classes_[self.predict_proba(x).argmax(axis=1)])

    def _table(self, x: np.ndarray) -> np.ndarray:
        # An empty cell is a category of its own, and for a number the middle one: it then speaks for no class.
        table = np.empty(x.shape, object)
        for j, categorical in enumerate(self.categorical):
            empty = np.isnan(x[:, j])
            filled = np.where(empty, -1 if categorical else self.middles_[j], x[:, j])
            table[:, j] = [f"category {code:.0f}" for code in filled] if categorical else filled
        return table


def _boosting(categorical: np.ndarray, seed: int) -> Any:
    # Tables of some hundred rows are the usual case: with trees of 4 leaves, each of 5 rows or more, the area under the
    # curve was as high as or higher than with scikit-learn's own settings on four medical tables.
    return HistGradientBoostingClassifier(
        max_iter=100, learning_rate=0.06, max_leaf_nodes=4, min_samples_leaf=5, l2_regularization=1.0,
        categorical_features=categorical, early_stopping=False, random_state=seed,
    )  # fmt: skip


def _logistic(categorical: np.ndarray, seed: int) -> Any:
    return make_pipeline(_plain(categorical), LogisticRegression(max_iter=2000, random_state=seed))


def _bayes(categorical: np.ndarray, _seed: int) -> Any:
    return Bayes(categorical)


CLASSIFIERS: dict[str, Callable[[np.ndarray, int], Any]] = {
    "boosting": _boosting,
    "logistic": _logistic,
    "bayes": _bayes,
}


def build(classifier: Any, categories: Categories, *, seed: int) -> Any:
    """Make a classifier for a table.

    Args:
        classifier: "boosting", "logistic" or "bayes"; or a scikit-learn estimator that has predict_proba, which gets
            empty cells filled, numbers scaled and categories spread over columns.
        categories: for each column its texts, or None for numbers.
        seed: of what is random in it.

    Returns:
        An estimator that has not been fitted.

    Raises:
        InputError: the name is unknown, or the estimator gives no probabilities.
    """
    categorical = np.array([c is not None for c in categories])
    if isinstance(classifier, str):
        if classifier not in CLASSIFIERS:
            raise InputError(f"--classifier must be one of {', '.join(CLASSIFIERS)}, got {classifier!r}")
        return CLASSIFIERS[classifier](categorical, seed)
    if not (hasattr(classifier, "fit") and hasattr(classifier, "predict_proba")):
        raise InputError(
            f"classifier must be a scikit-learn estimator with fit and predict_proba, got {type(classifier).__name__}"
        )
    return make_pipeline(_plain(categorical), clone(classifier))


def out_of_fold(
    estimator: Any,
    x: np.ndarray,
    labels: np.ndarray,
    folds: np.ndarray,
    *,
    tell: Callable[[int], None] = lambda _: None,
) -> np.ndarray:
    """Judge every row by a classifier that has not seen it.

    Args:
        estimator: from `build`; it is not changed.
        x: float (n, d).
        labels: int (n,), 0..k - 1, every class in the training part of every fold.
        folds: int (n,), or (repeats, n).
        tell: called with 1 after each fit.

    Returns:
        float (n, k), or (repeats, n, k); rows sum to 1.
    """
    k = int(labels.max()) + 1
    rows = np.atleast_2d(folds)
    found = np.zeros((*rows.shape, k))
    for repeat, numbers in enumerate(rows):
        for fold in np.unique(numbers):
            here = numbers == fold
            found[repeat][here] = _judged(estimator, x[~here], labels[~here], x[here], k)
            tell(1)
    return found[0] if folds.ndim == 1 else found


def growing(
    estimator: Any,
    x: np.ndarray,
    labels: np.ndarray,
    folds: np.ndarray,
    groups: np.ndarray | None,
    *,
    sizes: Sequence[int],
    rng: np.random.Generator,
    tell: Callable[[int], None] = lambda _: None,
) -> list[np.ndarray]:
    """Judge every row by classifiers that have learnt from few rows, then from more.

    Args:
        estimator: from `build`; it is not changed.
        x: float (n, d).
        labels: int (n,), 0..k - 1.
        folds: int (n,).
        groups: int (n,), of rows that belong together, or None; they are taken whole.
        sizes: rows to learn from, rising, each at most what a fold leaves.
        rng: source of randomness.
        tell: called with 1 after each fit.

    Returns:
        For each size float (n, k). Smaller sets lie within larger ones, and hold two rows of each class.
    """
    k = int(labels.max()) + 1
    found = [np.zeros((len(labels), k)) for _ in sizes]
    for fold in np.unique(folds):
        here = folds == fold
        order = _order(labels, groups, np.flatnonzero(~here), rng)
        for size, probabilities in zip(sizes, found, strict=True):
            some = order[:size]
            probabilities[here] = _judged(estimator, x[some], labels[some], x[here], k)
            tell(1)
    return found


def _judged(estimator: Any, x: np.ndarray, labels: np.ndarray, new: np.ndarray, k: int) -> np.ndarray:
    """Learn from rows, and judge others: float (n, k)."""
    # Threads that share a busy processor wait for each other: on a table of 332 rows two took 60 times as long as one.
    with threadpool_limits(1 if len(x) < _LARGE else None, user_api="openmp"):
        fitted = clone(estimator).fit(x, labels)
        found = np.zeros((len(new), k))
        found[:, fitted.classes_] = fitted.predict_proba(new)
    return found


def _order(labels: np.ndarray, groups: np.ndarray | None, rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """An order of rows whose every beginning is a fair sample: two of each class first, groups together."""
    if groups is not None:
        names, codes = np.unique(groups[rows], return_inverse=True)
        rows = rows[np.argsort(rng.permutation(len(names))[codes], kind="stable")]
    else:
        rows = rng.permutation(rows)
    first = np.concatenate([rows[labels[rows] == c][:2] for c in np.unique(labels)])
    return np.concatenate([first, rows[~np.isin(rows, first)]])


def _plain(categorical: np.ndarray) -> Pipeline | ColumnTransformer:
    """Fill empty cells, scale numbers, and give each category a column."""
    numbers = make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler())
    spread = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=_RARE, sparse_output=False)
    filled = make_pipeline(SimpleImputer(strategy="constant", fill_value=-1), spread)
    return ColumnTransformer(
        [("numbers", numbers, np.flatnonzero(~categorical)), ("categories", filled, np.flatnonzero(categorical))]
    )
