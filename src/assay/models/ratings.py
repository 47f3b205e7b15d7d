"""Ratings learned from features: how votes will fall on a scale, fitted by the squared distance of their sums.

Features (n, d) and shares of votes (n, k) go in; a rater of plain arrays comes out, without torch and in seconds.
Nothing here is random, and nothing reads a file: which picture is in which fold is given.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import minimize
from scipy.special import softmax

from ..errors import InputError, UndefinedError
from ..stats import votes

PENALTIES = tuple(float(p) for p in np.geomspace(1e-6, 1e-2, 5).round(9))
NETWORK = "network"  # the block that is what a taught network gives
WIDTHS = (0.0, 1.0, 2.0, 4.0)  # 0 is a line; else how fast likeness falls with squared distance
_FAR = 6.0  # standard deviations beyond which a feature counts no further: one strange number must not decide
_LANDMARKS = 2000  # pictures that others are compared with, at most
_KEPT = 1e-7  # of the largest variance, below which a direction is noise of the arithmetic
_NEIGHBOURS, _OWN = 1.5, 0.02  # steps over which weights go together, and how much each may do alone
_FLAT = 1e-6  # standard deviation under which a feature is taken for constant


@dataclass(frozen=True, slots=True)
class Kind:
    """What a rater looks at and how: the names of blocks of features, and the width of its kernel (0: a line)."""

    blocks: tuple[str, ...]
    width: float

    def __str__(self) -> str:
        return f"{' and '.join(self.blocks)}, {'a line' if self.width == 0 else f'likeness of width {self.width:g}'}"


@dataclass(frozen=True, slots=True)
class Rater:
    """Shares of votes as a softmax of a line of features, or of likenesses to pictures that were rated.

    scale: float (k,), what the steps are called; kind: what it looks at; centre, spread: float32 (d,), mean and
    standard deviation of the features, the spread infinite where a feature does not vary; landmarks: float32 (m, d),
    scaled features of pictures, or (0, d) for a line; weight: float32 (k, m or d); bias: float32 (k,); penalty: it was
    fitted with; stretch: by how much means are moved away from `middle` for the full scale, >= 1; middle: the mean
    rating that was learned from.
    """

    scale: np.ndarray
    kind: Kind
    centre: np.ndarray
    spread: np.ndarray
    landmarks: np.ndarray
    weight: np.ndarray
    bias: np.ndarray
    penalty: float
    stretch: float = 1.0
    middle: float = 0.0

    def shares(self, features: Mapping[str, np.ndarray]) -> np.ndarray:
        """Predict how votes fall.

        Args:
            features: (n, d) by name of the block, finite; blocks that it does not look at may be there.

        Returns:
            float64 (n, k); each row adds up to 1.

        Raises:
            InputError: a block is missing or has another width.
        """
        x = _together(features, self.kind.blocks)
        if x.shape[1] != len(self.centre):
            raise InputError(f"features must be (n, {len(self.centre)}), got {x.shape}")
        points = _scaled(x, self.centre, self.spread)
        seen = _likeness(points, self.landmarks, self.kind.width) if self.kind.width else points
        return np.asarray(softmax((seen @ self.weight.T + self.bias).astype(float), axis=1))

    def full(self, mean: np.ndarray) -> np.ndarray:
        """Spread predicted means as far as people's means are: the order stays, the error grows.

        A best guess lies nearer to the middle than the truth, the more so the less is known. That is no fault, but a
        list from worst to best then uses a part of the scale alone.

        Args:
            mean: float (n,), predicted.

        Returns:
            float (n,), within the scale.
        """
        return np.clip(self.middle + self.stretch * (mean - self.middle), self.scale[0], self.scale[-1])

    def stretched(self, predicted: np.ndarray, rated: np.ndarray, *, noise: float = 0.0) -> "Rater":
        """Return the same rater with a full scale, told by pictures that it was not fitted on.

        Args:
            predicted: float (n,), means out of fold.
            rated: float (n,), means of their votes.
            noise: variance that the few votes of a picture add to its mean, which is no difference between pictures.
        """
        wide, narrow = max(float(np.var(rated)) - noise, 0.0), float(np.var(predicted))
        ratio = max(float(np.sqrt(wide / narrow)), 1.0) if narrow > 0 else 1.0
        return replace(self, stretch=ratio, middle=float(np.mean(rated)))


@dataclass(frozen=True, slots=True)
class OutOfFold:
    """What raters said of pictures that they were not fitted on.

    shares: float (n, k); kind, penalty: those with the least loss over all pictures; losses: by kind, mean squared EMD
    (r = 2) of its best penalty; folds: int (n,).
    """

    shares: np.ndarray
    kind: Kind
    penalty: float
    losses: dict[str, float]
    folds: np.ndarray


def loss(logits: np.ndarray, shares: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Squared earth mover's distance (r = 2) of a softmax from shares of votes, and its slope.

    Args:
        logits: float (n, k).
        shares: float (n, k), each row adds up to 1.

    Returns:
        float (n,), (1 / k) sum (CDF_p - CDF_q) ** 2; and its gradient by the logits, (n, k).

    Source: Talebi & Milanfar 2018, doi:10.1109/TIP.2018.2831899, equation 1 with r = 2, before the root: the root has
    the same order and no slope where the loss is 0.
    """
    k = logits.shape[1]
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    p = raised / raised.sum(axis=1, keepdims=True)
    apart = np.cumsum(p - shares, axis=1)
    # Raising one share raises every later sum.
    slope = np.cumsum(apart[:, ::-1], axis=1)[:, ::-1] * (2 / k)
    return (apart**2).mean(axis=1), p * (slope - (p * slope).sum(axis=1, keepdims=True))


def kinds(blocks: tuple[str, ...]) -> tuple[Kind, ...]:
    """List what a rater could be: each block alone and all together, as a line and by likeness.

    Args:
        blocks: names of the features.
    """
    sets = [(name,) for name in blocks] + ([blocks] if len(blocks) > 1 else [])
    return tuple(Kind(chosen, width) for chosen in sets for width in WIDTHS)


def fit(
    features: Mapping[str, np.ndarray], shares: np.ndarray, *, scale: np.ndarray, kind: Kind, penalty: float
) -> Rater:
    """Fit a rater.

    Args:
        features: (n, d) by name of the block, finite.
        shares: float (n, k), votes per step; each row adds up to 1.
        scale: float (k,), rising.
        kind: what it looks at and how.
        penalty: of the squared length of the rater, for features whose squared length is 1 on average, > 0.

    Returns:
        Rater, without a stretch.

    Raises:
        InputError: shapes differ, a value is not finite, or rows are not shares.
        UndefinedError: there are fewer than 2 pictures, or no feature varies.

    >>> features, shares = {"x": np.array([[0.0], [1], [2], [3]])}, np.array([[1, 0], [1, 0], [0, 1], [0, 1.0]])
    >>> rater = fit(features, shares, scale=np.array([1, 2]), kind=Kind(("x",), 0.0), penalty=1e-4)
    >>> rater.shares({"x": np.array([[0.0], [1.5]])}).round(1).tolist()
    [[1.0, 0.0], [0.5, 0.5]]
    """
    x, shares = _checked(_together(features, kind.blocks), shares)
    if not (np.isfinite(penalty) and penalty > 0):
        raise InputError(f"penalty must be a finite number > 0, got {penalty!r}")
    space = _Space(x, kind.width)
    weight, bias = _solve(space.points, shares, penalty=penalty, start=None)
    back = np.ascontiguousarray(weight.astype(np.float32) @ space.basis.T)
    steps = np.asarray(scale, float)
    return Rater(
        steps, kind, space.centre, space.spread, space.landmarks, back, bias.astype(np.float32), float(penalty),
        middle=float((shares @ steps).mean()),
    )  # fmt: skip


def cross_validate(
    features: Mapping[str, np.ndarray],
    shares: np.ndarray,
    folds: np.ndarray,
    *,
    candidates: tuple[Kind, ...],
    penalties: tuple[float, ...] = PENALTIES,
    taught: np.ndarray | None = None,
) -> OutOfFold:
    """Say of every picture what a rater fitted without its fold says, chosen among kinds and penalties without it too.

    What is said of a fold comes from the kind and penalty with the least loss over the pictures outside that fold.

    Args:
        features: (n, d) by name of the block, finite.
        shares: float (n, k).
        folds: int (n,), the fold of each picture.
        candidates: kinds to try.
        penalties: to try, rising.
        taught: bool (n,), pictures that may be learned from, such as `balanced` leaves; all by default.

    Returns:
        OutOfFold, of all pictures.

    Raises:
        InputError: shapes differ, a value is not finite, or penalties do not rise from above 0.
        UndefinedError: there are fewer than 2 folds, or a fold leaves fewer than 2 pictures.

    Assumes no two pictures of different folds are copies, or of one group.
    """
    shares, folds = votes.check(shares), np.asarray(folds)
    if folds.shape != (len(shares),):
        raise InputError(f"folds must be ({len(shares)},), got {folds.shape}")
    if not candidates or not penalties or penalties[0] <= 0 or (np.diff(penalties) <= 0).any():
        raise InputError(
            f"there must be kinds, and penalties that rise from above 0, got {candidates!r}, {penalties!r}"
        )
    taught = np.ones(len(shares), bool) if taught is None else np.asarray(taught, bool)
    names = np.unique(folds)
    if len(names) < 2:
        raise UndefinedError(f"cross-validation needs 2 folds, got {len(names)}")
    said = np.empty((len(candidates), len(penalties), *shares.shape))
    for c, kind in enumerate(candidates):
        x = _checked(_together(features, kind.blocks), shares)[0]
        for name in names:
            out = folds == name
            own = ~out & taught
            space, start = _Space(_checked(x[own], shares[own])[0], kind.width), None
            seen = space.of(x[out])
            for i in reversed(range(len(penalties))):  # from stiff to free, each from the last
                start = _solve(space.points, shares[own], penalty=penalties[i], start=start)
                said[c, i, out] = softmax((seen @ start[0].T + start[1]).astype(float), axis=1)
    each = (np.cumsum(said - shares, axis=3) ** 2).mean(axis=3)
    chosen = np.empty_like(shares)
    for name in names:
        out = folds == name
        chosen[out] = said[(*_least(each[:, :, ~out].mean(axis=2)), out)]
    losses = each.mean(axis=2)
    best, penalty = _least(losses)
    return OutOfFold(
        shares=chosen,
        kind=candidates[best],
        penalty=float(penalties[penalty]),
        losses={str(kind): float(row.min()) for kind, row in zip(candidates, losses, strict=True)},
        folds=folds,
    )


def balanced(mean: np.ndarray, scale: np.ndarray, *, bins: int, most: int, rng: np.random.Generator) -> np.ndarray:
    """Take no more than so many pictures of each part of the scale: under-sampling.

    Most pictures are rated near the middle, so a network that has seen few at the ends learns little of them.

    Args:
        mean: float (n,), mean rating of each picture.
        scale: float (k,), rising.
        bins: parts of equal width, >= 2.
        most: pictures of one part, >= 1.
        rng: draws those that stay.

    Returns:
        int, places of the pictures that stay, rising.

    Raises:
        InputError: bins or most are too small.
    """
    if bins < 2 or most < 1:
        raise InputError(f"bins must be >= 2 and most >= 1, got {bins!r} and {most!r}")
    edges = np.linspace(scale[0], scale[-1], bins + 1)[1:-1]
    which = np.digitize(mean, edges)
    kept = [rng.permutation(np.flatnonzero(which == b))[:most] for b in range(bins)]
    return np.sort(np.concatenate(kept))


class _Space:
    """Points (n, r) in which a rater is a line with a plain penalty: features, or their likenesses, turned.

    Exact: a penalty does not see a rotation, and what is learned lies in the span of the pictures.
    """

    def __init__(self, x: np.ndarray, width: float) -> None:
        self.width = width
        self.centre = x.mean(axis=0, dtype=float).astype(np.float32)
        spread = x.std(axis=0, dtype=float).astype(np.float32)
        self.spread = np.where(spread > _FLAT, spread, np.inf).astype(np.float32)
        if not np.isfinite(self.spread).any():
            raise UndefinedError("a rater needs features that vary, got none")
        scaled = _scaled(x, self.centre, self.spread)
        n, d = scaled.shape
        if width:
            chosen = np.unique(np.linspace(0, n - 1, min(n, _LANDMARKS)).round().astype(int))
            self.landmarks = scaled[chosen]
            variance, left = np.linalg.eigh(_likeness(self.landmarks, self.landmarks, width).astype(float))
            kept = variance > _KEPT * variance[-1]
            self.basis = (left[:, kept] / np.sqrt(variance[kept])).astype(np.float32)
        elif d <= n:
            self.landmarks, self.basis = scaled[:0], np.eye(d, dtype=np.float32)
        else:
            variance, left = np.linalg.eigh((scaled @ scaled.T).astype(float))
            kept = variance > _KEPT * variance[-1]
            self.landmarks = scaled[:0]
            self.basis = scaled.T @ (left[:, kept] / np.sqrt(variance[kept])).astype(np.float32)
        self.points = self._turned(scaled)

    def of(self, x: np.ndarray) -> np.ndarray:
        """Return the points of other pictures."""
        return self._turned(_scaled(x, self.centre, self.spread))

    def _turned(self, scaled: np.ndarray) -> np.ndarray:
        seen = _likeness(scaled, self.landmarks, self.width) if self.width else scaled
        return np.asarray(seen @ self.basis)


def _likeness(first: np.ndarray, second: np.ndarray, width: float) -> np.ndarray:
    """Gaussian kernel, float32 (n, m): 1 for the same, falling with the squared distance."""
    squares = (first**2).sum(axis=1)[:, None] + (second**2).sum(axis=1) - 2 * first @ second.T
    return np.asarray(np.exp(-np.float32(width) * np.maximum(squares, 0)))


def _scaled(x: np.ndarray, centre: np.ndarray, spread: np.ndarray) -> np.ndarray:
    used = max(int(np.isfinite(spread).sum()), 1)
    return np.asarray(np.clip((x - centre) / spread, -_FAR, _FAR) / np.float32(np.sqrt(used)))


def _together(features: Mapping[str, np.ndarray], blocks: tuple[str, ...]) -> np.ndarray:
    missing = [name for name in blocks if name not in features]
    if missing or not blocks:
        raise InputError(f"features must have the blocks {', '.join(blocks)}, got {', '.join(features)}")
    parts = [np.asarray(features[name], np.float32) for name in blocks]
    if any(part.ndim != 2 or len(part) != len(parts[0]) for part in parts):
        raise InputError(f"features must be (n, d) of one n, got {[part.shape for part in parts]}")
    return parts[0] if len(parts) == 1 else np.hstack(parts)


def _checked(x: np.ndarray, shares: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    shares = votes.check(shares)
    if len(x) != len(shares):
        raise InputError(f"features must be ({len(shares)}, d), got {x.shape}")
    if not np.isfinite(x).all():
        raise InputError(f"features must be finite, got {np.count_nonzero(~np.isfinite(x))} that are not")
    if len(x) < 2:
        raise UndefinedError(f"a rater needs 2 pictures to learn from, got {len(x)}")
    return x, shares


def _least(losses: np.ndarray) -> tuple[int, int]:
    kind, penalty = np.unravel_index(int(losses.argmin()), losses.shape)
    return int(kind), int(penalty)


def _solve(
    points: np.ndarray, shares: np.ndarray, *, penalty: float, start: tuple[np.ndarray, np.ndarray] | None
) -> tuple[np.ndarray, np.ndarray]:
    """Weight (k, r) and bias (k,) with the least mean loss and penalty, by L-BFGS from the mean votes of all."""
    (n, r), k = points.shape, shares.shape[1]
    points, smooth = points.astype(np.float32), _smooth(k)

    def objective(flat: np.ndarray) -> tuple[float, np.ndarray]:
        v = flat.reshape(k, r + 1)
        losses, slopes = loss((points @ (smooth @ v[:, :r]).T.astype(np.float32)).astype(float) + v[:, r], shares)
        gradient = np.empty_like(v)
        gradient[:, :r] = smooth @ ((slopes.T.astype(np.float32) @ points) / n) + 2 * penalty * v[:, :r]
        gradient[:, r] = slopes.mean(axis=0)
        return float(losses.mean() + penalty * (v[:, :r] ** 2).sum()), gradient.ravel()

    v = np.zeros((k, r + 1))
    v[:, r] = np.log(np.maximum(shares.mean(axis=0), 1e-4))
    if start is not None:
        v[:, :r], v[:, r] = np.linalg.solve(smooth, start[0]), start[1]
    options = {"maxiter": 400, "ftol": 1e-9, "gtol": 1e-8}
    v = minimize(objective, v.ravel(), jac=True, method="L-BFGS-B", options=options).x.reshape(v.shape)
    return smooth @ v[:, :r], v[:, r]


def _smooth(k: int) -> np.ndarray:
    """Return (k, k) by which weights of neighbouring steps go together.

    The loss hardly minds a vote that is missing on one step and double on the next; people's votes are not like that.
    """
    steps = np.arange(k)
    together = np.exp(-((steps[:, None] - steps) ** 2) / (2 * _NEIGHBOURS**2)) + _OWN * np.eye(k)
    values, vectors = np.linalg.eigh(together)
    return np.asarray((vectors * np.sqrt(values)) @ vectors.T)
