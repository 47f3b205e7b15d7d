"""Eigenpictures: principal components of pictures as rows, exact, in memory or streamed. Arrays in, arrays out.

Whichever is smaller is decomposed: the products of the pictures with one another (n by n) where there are fewer
pictures than pixels, the scatter of the pixels (d by d) otherwise. Pictures are centred and not scaled.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Self

import numpy as np
from scipy.sparse.linalg import LinearOperator, eigsh
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted, validate_data

from ..errors import InputError

_PANEL = 1024  # rows of a panel: long enough for the matrix product to be quick, short enough to spare half the square
_DENSE = 1500  # sides up to which a matrix is decomposed whole; beyond, by Lanczos' way, for a few components
_FLOATS = 1 << 22  # numbers that are centred at a time: 16 MB of float32
_FEW = 1 << 24  # numbers that are few enough to be centred once, and kept so

_Found = tuple[np.ndarray, np.ndarray, np.ndarray, float]


class EigenPictures(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]  # untyped
    """Describe pictures by their principal components, as scikit-learn's PCA does; exact, of fixed sign.

    Args:
        n_components: how many to keep, 1 to min(n, d); None keeps all.

    After `fit`: `mean_` (d,), the mean picture; `components_` (k, d), orthonormal, the largest loading of each
    positive; `explained_variance_` and `explained_variance_ratio_` (k,), falling; `singular_values_` (k,);
    `n_components_`, `n_samples_`, `n_features_in_`. Pictures of uint8 and float32 are worked on, and come out, as
    float32; everything else as float64.

    Source: Turk & Pentland 1991, doi:10.1162/jocn.1991.3.1.71, for the decomposition of the smaller product.

    >>> X = np.array([[-1, -1], [-2, -1], [-3, -2], [1, 1], [2, 1], [3, 2]])
    >>> EigenPictures(2).fit(X).explained_variance_ratio_.round(4)
    array([0.9924, 0.0076])
    """

    def __init__(self, n_components: int | None = None) -> None:
        self.n_components = n_components

    def fit(self, X: np.ndarray, y: None = None) -> Self:
        """Find the components of pictures.

        Args:
            X: (n, d), one picture a row, finite; n >= 2. It is not written to.
            y: not used.

        Returns:
            This object.

        Raises:
            InputError: X is not such an array, or there are fewer pictures or pixels than components.
        """
        del y
        return self._fit(iter([self._valid(X, reset=True)]))

    def fit_batches(self, batches: Iterable[np.ndarray]) -> Self:
        """Find the components of more pictures than memory holds, in one pass.

        Until there are more pictures than pixels they are kept as they are given; from then on only their mean and
        their scatter is, which takes 4 d^2 bytes: 0.4 GB for 10,000 pixels, however many pictures there are.

        Args:
            batches: arrays (n_i, d), of one d, as `fit` takes them.

        Returns:
            This object, as if `fit` had seen all rows at once.

        Raises:
            InputError: as in `fit`, or there is no batch.
        """
        first = True

        def checked() -> Iterator[np.ndarray]:
            nonlocal first
            for batch in batches:
                yield self._valid(batch, reset=first)
                first = False

        return self._fit(checked())

    def transform(self, X: np.ndarray) -> np.ndarray:
        """Describe pictures by how much of each component they hold.

        Args:
            X: (n, d), one picture a row.

        Returns:
            (n, k) scores, of mean 0 and uncorrelated over the pictures of the fit.

        Raises:
            InputError: X is not such an array.
        """
        check_is_fitted(self)
        return np.asarray((self._valid(X) - self.mean_) @ self.components_.T)

    def inverse_transform(self, X: np.ndarray) -> np.ndarray:
        """Build pictures from their scores.

        Args:
            X: (n, k) scores; of the first components only, if there are fewer columns.

        Returns:
            (n, d): the mean picture and so much of each component.

        Raises:
            InputError: there are more scores than components.
        """
        check_is_fitted(self)
        scores = np.asarray(X, self.components_.dtype)
        if scores.ndim != 2 or not 1 <= scores.shape[1] <= len(self.components_):
            raise InputError(f"scores must be (n, 1 to {len(self.components_)}), got {scores.shape}")
        return np.asarray(scores @ self.components_[: scores.shape[1]] + self.mean_)

    @property
    def _n_features_out(self) -> int:
        return len(self.components_)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    def _valid(self, X: Any, *, reset: bool = False) -> np.ndarray:
        try:
            return np.asarray(validate_data(self, X, reset=reset, dtype=[np.float64, np.float32, np.uint8]))
        except ValueError as e:
            raise InputError(f"pictures must be rows of finite numbers: {e}") from e

    def _fit(self, batches: Iterator[np.ndarray]) -> Self:
        k = self.n_components
        if k is not None and (not isinstance(k, int | np.integer) or isinstance(k, bool) or k < 1):
            raise InputError(f"n_components must be a whole number >= 1 or None, got {k!r}")
        gathered = _gather(batches)
        n, dtype = gathered.n, gathered.dtype
        if n < 2:
            raise InputError(f"components need 2 pictures at least, got n_samples = {n}")
        d = self.n_features_in_
        if k is not None and k > min(n, d):
            raise InputError(f"n_components must be at most {min(n, d)} for {n} pictures of {d} pixels, got {k}")
        k = min(n, d) if k is None else int(k)
        mean, values, components, total = gathered.decompose(k)
        largest = np.abs(components).argmax(axis=1)
        components *= np.where(components[np.arange(k), largest] < 0, -1, 1)[:, None]
        values = np.maximum(values, 0)
        self.mean_ = mean.astype(dtype)
        self.components_ = components.astype(dtype)
        self.singular_values_ = np.sqrt(values).astype(dtype)
        self.explained_variance_ = (values / (n - 1)).astype(dtype)
        self.explained_variance_ratio_ = (values / total if total > 0 else values).astype(dtype)
        self.n_components_, self.n_samples_ = k, n
        return self


class _Symmetric:
    """A symmetric matrix as panels of its lower half, in double precision; sums of X^T X go in."""

    def __init__(self, side: int) -> None:
        self.side = side
        self.spans = [(start, min(start + _PANEL, side)) for start in range(0, side, _PANEL)]
        self.panels = [np.zeros((end - start, end)) for start, end in self.spans]

    def add(self, X: np.ndarray) -> None:
        """Add X^T X, multiplied in the precision of X and summed in double."""
        for i, (start, end) in enumerate(self.spans):
            self.panels[i] += X[:, start:end].T @ X[:, :end]

    def subtract_square(self, vector: np.ndarray) -> None:
        """Subtract the products of a vector's numbers with one another."""
        for i, (start, end) in enumerate(self.spans):
            self.panels[i] -= np.outer(vector[start:end], vector[:end])

    def trace(self) -> float:
        return sum(float(np.trace(panel[:, start:])) for (start, _), panel in zip(self.spans, self.panels, strict=True))

    def times(self, Q: np.ndarray) -> np.ndarray:
        """Multiply with the columns of Q."""
        result = np.zeros_like(Q)
        for (start, end), panel in zip(self.spans, self.panels, strict=True):
            result[start:end] += panel @ Q[:end]
            result[:start] += panel[:, :start].T @ Q[start:end]
        return result

    def top(self, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the k largest eigenvalues, falling, and their eigenvectors as columns."""
        side = self.side
        if side <= _DENSE or k > side // 16:
            whole = np.zeros((side, side))
            for (start, end), panel in zip(self.spans, self.panels, strict=True):
                whole[start:end, :end] = panel
            # SciPy has an eigh for a few values, but NumPy's and SciPy's BLAS keep threads of their own, which spin in
            # one another's way: one library for all steps is quicker than the best of both for each.
            values, vectors = np.linalg.eigh(whole)
        else:
            # A fixed start, so that equal pictures give equal bits; no vector of ones, which centred rows lack.
            start_vector = np.cos(np.arange(side, dtype=float))
            operator = LinearOperator((side, side), matvec=lambda q: self.times(q.reshape(side)), dtype=np.float64)
            values, vectors = eigsh(operator, k=k, v0=start_vector)
        order = np.argsort(values)[::-1][:k]
        return values[order], vectors[:, order]


class _Rows:
    """Pictures that are fewer than their pixels: they are kept, and decomposed by their products with one another."""

    def __init__(self, batches: list[np.ndarray]) -> None:
        self.batches = batches
        self.n = sum(map(len, batches))
        self.dtype = np.result_type(*batches, np.float32)

    def decompose(self, k: int) -> _Found:
        """Return the mean, k eigenvalues of the scatter, their eigenvectors as rows, and the sum of all eigenvalues."""
        mean = sum(batch.sum(axis=0, dtype=np.float64) for batch in self.batches) / self.n
        shift = mean.astype(self.dtype)
        if self.n * len(mean) <= _FEW:
            self.batches, shift = [np.concatenate([batch - shift for batch in self.batches])], np.zeros(1, self.dtype)
        products = _Symmetric(self.n)
        for columns in self._columns(shift):
            products.add(columns.T)
        vectors = products.top(k)[1].astype(self.dtype)
        # Components made from products are as orthogonal as the root of the rounding allows, and those without
        # variance are nothing: so the pictures are decomposed once more, within an orthonormal basis of what they span.
        spanned = sum(vectors[at].T @ rows for at, rows in self._rows(shift))
        basis = np.linalg.qr(np.asarray(spanned, np.float64).T)[0]
        small = basis.astype(self.dtype)
        scores = np.concatenate([rows @ small for _, rows in self._rows(shift)]).astype(np.float64)
        values, turn = np.linalg.eigh(scores.T @ scores)
        return mean, values[::-1], np.ascontiguousarray((basis @ turn[:, ::-1]).T), products.trace()

    def _columns(self, shift: np.ndarray) -> Iterator[np.ndarray]:
        """Yield some pixels of all pictures, less their mean."""
        width = self.batches[0].shape[1]
        shift = np.broadcast_to(shift, width)
        step = max(_FLOATS // self.n, 1)
        for at in (slice(left, left + step) for left in range(0, width, step)):
            yield _less([batch[:, at] for batch in self.batches], shift[at])

    def _rows(self, shift: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
        """Yield the pixels of some pictures, less their mean, and which pictures they are."""
        first = 0
        for batch in self.batches:
            for part in _parts(batch):
                yield slice(first, first + len(part)), _less([part], shift)
                first += len(part)


class _Scatter:
    """Mean and scatter of pictures that come in batches; differences from a pivot are summed, so that none cancel."""

    def __init__(self, pivot: np.ndarray) -> None:
        self.pivot, self.dtype = pivot, pivot.dtype
        self.sum = np.zeros(len(pivot))
        self.n = 0
        self.matrix = _Symmetric(len(pivot))

    def add(self, batch: np.ndarray) -> None:
        for part in _parts(batch):
            centred = _less([part], self.pivot)
            self.matrix.add(centred)
            self.sum += centred.sum(axis=0, dtype=np.float64)
        self.n += len(batch)

    def decompose(self, k: int) -> _Found:
        """Return the mean, k eigenvalues of the scatter, their eigenvectors as rows, and the sum of all eigenvalues."""
        self.matrix.subtract_square(self.sum / np.sqrt(self.n))
        values, vectors = self.matrix.top(k)
        return self.pivot + self.sum / self.n, values, np.ascontiguousarray(vectors.T), self.matrix.trace()


def _gather(batches: Iterator[np.ndarray]) -> _Rows | _Scatter:
    """Keep pictures while they are fewer than their pixels, and then their scatter."""
    kept: list[np.ndarray] = []
    for batch in batches:
        kept.append(batch)
        if sum(map(len, kept)) > batch.shape[1]:
            break
    else:
        if not kept:
            raise InputError("components need 2 pictures at least, got no batch of them")
        return _Rows(kept)
    dtype = np.result_type(*kept, np.float32)
    scatter = _Scatter(kept[0].mean(axis=0, dtype=np.float64).astype(dtype))
    while kept:
        scatter.add(kept.pop())
    for batch in batches:
        scatter.add(batch)
    return scatter


def _parts(batch: np.ndarray) -> Iterator[np.ndarray]:
    step = max(_FLOATS // batch.shape[1], 1)
    return (batch[i : i + step] for i in range(0, len(batch), step))


def _less(pieces: list[np.ndarray], shift: np.ndarray) -> np.ndarray:
    """Put pieces under one another, less a row."""
    whole = pieces[0] if len(pieces) == 1 else np.concatenate(pieces)
    return whole - shift if shift.any() or whole.dtype != shift.dtype else whole
