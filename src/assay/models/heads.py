"""A linear classifier on features: fitted, cross-validated, and applied.

Features (n, d) and labels 0..k-1 go in; a head of plain arrays comes out. Nothing here is random, and nothing reads
a file: which picture is in which fold is given.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

from ..errors import InputError, UndefinedError
from ..stats import calibration

CS = tuple(float(c) for c in np.geomspace(0.003, 100, 10).round(4))

_LOGIT_BYTES = 2**28  # of one table of logits, for all the fits solved together


@dataclass(frozen=True, slots=True)
class Head:
    """Multinomial logistic regression, as plain arrays; two classes are k = 2 too.

    classes: k names; weight: float32 (k, d); bias: float32 (k,); temperature: what logits are divided by to be
    calibrated; c: inverse strength of the penalty it was fitted with.
    """

    classes: tuple[str, ...]
    weight: np.ndarray
    bias: np.ndarray
    temperature: float
    c: float

    def logits(self, features: np.ndarray) -> np.ndarray:
        """Return the logits, float32 (n, k), before the temperature."""
        features = np.asarray(features, np.float32)
        if features.ndim != 2 or features.shape[1] != self.weight.shape[1]:
            raise InputError(f"features must be (n, {self.weight.shape[1]}), got {features.shape}")
        return np.asarray(features @ self.weight.T + self.bias)

    def probabilities(self, features: np.ndarray) -> np.ndarray:
        """Return the calibrated probabilities, float64 (n, k); each row adds up to 1."""
        return np.asarray(softmax(self.logits(features).astype(float) / self.temperature, axis=1))


@dataclass(frozen=True, slots=True)
class OutOfFold:
    """What heads said of pictures that they were not fitted on.

    logits: float32 (repeats, n, k); c: the value with the least loss over all pictures; cs and losses: the values tried
    and the mean log loss of each; folds: int (repeats, n); temperature: fitted on `logits`, with one more picture
    called wrong, so that no head claims to be certain.
    """

    logits: np.ndarray
    c: float
    cs: tuple[float, ...]
    losses: tuple[float, ...]
    folds: np.ndarray
    temperature: float


def root(features: np.ndarray) -> np.ndarray:
    """Take the square roots of features that are averages of activations, which tames the few that are large.

    A straight line between roots is Hellinger's distance between what two pictures are made of. Out of fold, it lowers
    the log loss of defects on magnetic tiles from 0.31 to 0.24 nats and of ants and bees from 0.130 to 0.121, and
    leaves that of textures (DTD) where it is.

    Args:
        features: (n, d), >= 0.

    Returns:
        float32 (n, d).

    Raises:
        InputError: a feature is below 0.

    Source: Arandjelovic & Zisserman 2012, RootSIFT, doi:10.1109/CVPR.2012.6248018; Perronnin et al. 2010.

    >>> root(np.array([[4.0, 9.0]])).tolist()
    [[2.0, 3.0]]
    """
    features = np.asarray(features, np.float32)
    if features.size and features.min() < 0:
        raise InputError(f"features must be >= 0 to have square roots, got {features.min():g}")
    return np.asarray(np.sqrt(features))


def fit(
    features: np.ndarray, labels: np.ndarray, *, classes: tuple[str, ...], c: float, temperature: float = 1.0
) -> Head:
    """Fit multinomial logistic regression with an L2 penalty on the weights, none on the bias.

    Args:
        features: (n, d), finite.
        labels: int (n,), an index into classes; every class must occur.
        classes: the k >= 2 names.
        c: inverse strength of the penalty, > 0; means the same as scikit-learn's `C`.
        temperature: kept in the head; it does not change the fit.

    Returns:
        Head. The bias adds up to 0, and so does every column of the weight.

    Raises:
        InputError: shapes differ, a value is not finite, a label names no class, or c is not above 0.
        UndefinedError: a class has no picture.

    Source: the objective of scikit-learn's `LogisticRegression`, minimised by L-BFGS.

    >>> head = fit(np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([0, 0, 1, 1]), classes=("low", "high"), c=10.0)
    >>> head.probabilities(np.array([[0.0], [1.5]])).round(2)
    array([[0.98, 0.02],
           [0.5 , 0.5 ]])
    """
    features, labels = _checked(features, labels, classes)
    if not (np.isfinite(c) and c > 0):
        raise InputError(f"c must be a finite number > 0, got {c!r}")
    mean, basis, points, variance = _rotated(features)
    targets = _targets(labels, len(classes))
    weight, bias = _solve(
        points, variance, targets, np.ones((len(labels), 1), np.float32), c=c, start=None, tolerance=1e-8
    )
    weight, bias = _columns(weight[:, 0], bias[0])
    weight = basis @ weight
    bias = bias - mean @ weight
    return Head(
        classes=tuple(classes),
        weight=np.ascontiguousarray(weight.T, np.float32),
        bias=np.asarray(bias - bias.mean(), np.float32),
        temperature=float(temperature),
        c=float(c),
    )


def cross_validate(
    features: np.ndarray,
    labels: np.ndarray,
    folds: np.ndarray,
    *,
    classes: tuple[str, ...],
    groups: np.ndarray | None = None,
    cs: tuple[float, ...] = CS,
) -> OutOfFold:
    """Say of every picture what a head fitted without its fold says, with c chosen without its fold too.

    c walks up from its smallest value, each fit starting from the last, until the loss has risen twice. The logits of
    a fold come from the c with the least loss over the pictures outside that fold: no c is chosen by how well it does
    on the labels it is then judged by.

    Args:
        features: (n, d), finite.
        labels: int (n,), an index into classes.
        folds: int (n,) or (repeats, n), the fold of each picture, as `data.splits.folds` makes them.
        classes: the k >= 2 names.
        groups: int (n,), pictures that belong together, or None where each stands alone; for the temperature.
        cs: values of c to try, rising.

    Returns:
        OutOfFold.

    Raises:
        InputError: shapes differ, a value is not finite, or cs do not rise from above 0.
        UndefinedError: without one of the folds, a class has no picture left.

    Assumes no two pictures of different folds are copies, or of one group.
    """
    features, labels = _checked(features, labels, classes)
    folds = np.atleast_2d(np.asarray(folds))
    if folds.ndim != 2 or folds.shape[1] != len(labels):
        raise InputError(f"folds must be (repeats, {len(labels)}), got {folds.shape}")
    if not cs or cs[0] <= 0 or (np.diff(cs) <= 0).any():
        raise InputError(f"cs must rise from above 0, got {cs!r}")
    held = [(r, folds[r] == f) for r in range(len(folds)) for f in np.unique(folds[r])]
    for r, out in held:
        left = np.bincount(labels[~out], minlength=len(classes))
        if (left == 0).any():
            name = classes[int(left.argmin())]
            raise UndefinedError(f"every class must be there without any one fold, got no {name!r} left in repeat {r}")

    _, _, points, variance = _rotated(features)
    targets = _targets(labels, len(classes))
    rows = np.stack([~out for _, out in held], axis=1).astype(np.float32)
    said, losses = [], []
    starts: dict[int, tuple[np.ndarray, np.ndarray]] = {}
    together = max(1, _LOGIT_BYTES // (4 * len(labels) * targets.shape[1]))
    for c in cs:
        logits = np.empty((len(folds), len(labels), len(classes)), np.float32)
        for i in range(0, len(held), together):
            starts[i] = _solve(
                points, variance, targets, rows[:, i : i + together], c=c, start=starts.get(i), tolerance=1e-7
            )
            for j, (r, out) in enumerate(held[i : i + together]):
                weight, bias = _columns(starts[i][0][:, j], starts[i][1][j])
                logits[r, out] = points[out] @ weight.astype(np.float32) + bias
        said.append(logits)
        losses.append(-log_softmax(logits.astype(float), axis=2)[:, np.arange(len(labels)), labels])
        means = [float(x.mean()) for x in losses]
        if len(means) > 2 and means[-1] > means[-2] > means[-3]:
            break
    chosen = np.empty_like(said[0])
    each = np.array([x.mean(axis=0) for x in losses])  # (cs, n): of a picture, over the repeats
    for r, out in held:
        chosen[r, out] = said[int(each[:, ~out].mean(axis=1).argmin())][r, out]
    best = int(np.argmin(means))
    return OutOfFold(
        logits=chosen,
        c=float(cs[best]),
        cs=tuple(cs[: len(means)]),
        losses=tuple(means),
        folds=folds,
        temperature=calibrate(labels, chosen, groups=groups),
    )


def calibrate(labels: np.ndarray, logits: np.ndarray, *, groups: np.ndarray | None = None) -> float:
    """Find the temperature of logits, as if one more picture, as clear as the median one, had been called wrong.

    Without that picture a head with no error out of fold would claim to be certain (Laplace's rule of succession).

    Args:
        labels: int (n,).
        logits: float (repeats, n, k), of pictures that were not learned from.
        groups: int (n,), pictures that belong together, or None where each stands alone.

    Returns:
        What to divide logits by, > 0.
    """
    groups = np.arange(len(labels)) if groups is None else np.asarray(groups)
    repeats, n, k = logits.shape
    ranked = np.sort(logits, axis=2)
    clear = ranked[:, :, -1] - ranked[:, :, -2]
    middle = np.argsort(clear, axis=1)[:, n // 2]
    wrong = logits[np.arange(repeats), middle]
    codes = np.unique(groups, return_inverse=True)[1]
    return float(
        calibration.temperature(
            np.concatenate([np.tile(labels, repeats), np.argsort(wrong, axis=1)[:, -2]]),
            np.concatenate([logits.reshape(-1, k), wrong]),
            groups=np.concatenate([np.tile(codes, repeats), np.full(repeats, codes.max() + 1)]),
        )
    )


def _checked(features: np.ndarray, labels: np.ndarray, classes: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    features, labels = np.asarray(features, np.float32), np.asarray(labels)
    if features.ndim != 2 or labels.shape != features.shape[:1]:
        raise InputError(f"features and labels must be (n, d) and (n,), got {features.shape} and {labels.shape}")
    if not np.isfinite(features).all():
        raise InputError(f"features must be finite, got {np.count_nonzero(~np.isfinite(features))} that are not")
    if len(classes) < 2:
        raise UndefinedError(f"a classifier needs 2 classes, got {len(classes)}")
    if labels.dtype.kind not in "iu" or (len(labels) and not 0 <= labels.min() <= labels.max() < len(classes)):
        raise InputError(f"labels must be whole numbers in 0..{len(classes) - 1}, got {np.unique(labels)[:9]}")
    counts = np.bincount(labels, minlength=len(classes))
    if (counts == 0).any():
        raise UndefinedError(f"every class needs a picture, got none of {classes[int(counts.argmin())]!r}")
    return features, labels


def _targets(labels: np.ndarray, k: int) -> np.ndarray:
    # Two classes need one column: the other is its negative.
    targets: np.ndarray = np.eye(k, dtype=np.float32)[labels]
    return targets[:, 1:] if k == 2 else targets


def _columns(weight: np.ndarray, bias: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """One column for each class, from (r, 1) or (r, k)."""
    if weight.shape[1] == 1:
        return np.concatenate([-weight, weight], axis=1) / 2, np.concatenate([-bias, bias]) / 2
    return weight - weight.mean(axis=1, keepdims=True), bias - bias.mean()


def _rotated(features: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Mean (d,), basis (d, r), points (n, r) = (features - mean) @ basis, and their sum of squares (r,).

    Exact for this model: the bias takes up the mean, the penalty does not see a rotation, and the weights lie in the
    span of the pictures (representer theorem). In this basis the problem is small where n < d, and nearly diagonal.
    """
    mean = features.mean(axis=0, dtype=float).astype(np.float32)
    x = features - mean
    n, d = x.shape
    if d <= n:
        variance, basis = np.linalg.eigh(x.T @ x)
        return mean, basis, x @ basis, np.maximum(variance, 0).astype(float)
    variance, left = np.linalg.eigh((x @ x.T).astype(float))
    kept = variance > 1e-10 * variance[-1] if variance[-1] > 0 else np.zeros(n, bool)
    variance, left = variance[kept], left[:, kept]
    basis = x.T @ (left / np.sqrt(variance)).astype(np.float32)
    return mean, basis, (left * np.sqrt(variance)).astype(np.float32), variance


def _solve(
    points: np.ndarray,
    variance: np.ndarray,
    targets: np.ndarray,
    rows: np.ndarray,
    *,
    c: float,
    start: tuple[np.ndarray, np.ndarray] | None,
    tolerance: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Weights (r, fits, columns) and biases (fits, columns) of several fits; rows (n, fits) says which use which.

    Together they cost one pass over the points an iteration. Each weight is scaled by what its curvature would be if
    every probability were in the middle, so that L-BFGS sees a round valley.
    """
    (n, r), fits, columns = points.shape, rows.shape[1], targets.shape[1]
    used = rows.sum(axis=0, dtype=float)
    curvature = 0.25 if columns == 1 else (columns - 1) / columns**2
    scale = 1 / np.sqrt(curvature * variance / used.mean() + 1 / (c * used.mean()))
    scaled = points * scale.astype(np.float32)
    ridge = (scale**2)[:, None, None] / (c * used)[:, None]
    share = (rows / used).astype(np.float32)[:, :, None]

    def objective(flat: np.ndarray) -> tuple[float, np.ndarray]:
        """Add up, over the fits, the mean log loss and the penalty; with its slope."""
        v = flat.reshape(r + 1, fits, columns)
        logits = (scaled @ v[:r].reshape(r, -1).astype(np.float32)).reshape(n, fits, columns)
        logits += v[r].astype(np.float32) * 2
        if columns == 1:
            losses = np.logaddexp(0, logits) - logits * targets[:, None]
            slope = 1 / (1 + np.exp(-logits)) - targets[:, None]
        else:
            logits -= logits.max(axis=2, keepdims=True)
            chances = np.exp(logits)
            total = chances.sum(axis=2, keepdims=True)
            losses = np.log(total) - (logits * targets[:, None]).sum(axis=2, keepdims=True)
            slope = chances / total - targets[:, None]
        slope *= share
        gradient = np.empty_like(v)
        gradient[:r] = (scaled.T @ slope.reshape(n, -1)).reshape(r, fits, columns)
        gradient[:r] += ridge * v[:r]
        gradient[r] = 2 * slope.sum(axis=0, dtype=float)
        value = (losses * share).sum(dtype=float) + 0.5 * (ridge * v[:r] ** 2).sum()
        return float(value), gradient.ravel()

    v = np.zeros((r + 1, fits, columns))
    if start is not None:
        v[:r], v[r] = start[0] / scale[:, None, None], start[1] / 2
    options = {"maxiter": 1000, "ftol": tolerance, "gtol": 1e-9}
    v = minimize(objective, v.ravel(), jac=True, method="L-BFGS-B", options=options).x.reshape(v.shape)
    return v[:r] * scale[:, None, None], v[r] * 2
