"""None of these: how unlike the training pictures a picture is, and from where on it is refused.

Features and labels of the training pictures go in; a rule of small plain arrays comes out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np
from scipy.linalg import eigh

from ..errors import InputError, UndefinedError

_FOLDS = 10
_DIRECTIONS = 32  # kept of the spread within classes: 160 kB at 1280 features


@dataclass(frozen=True, slots=True)
class Novelty:
    """How far a picture is from what each class looked like in training.

    centres: float32 (k, d), of features of length 1; basis: float32 (d, r), where pictures of one class spread most;
    spread: float32 (r,), their variance there; rest: variance in each other direction; threshold: scores above it are
    refused; rate: the share of known pictures that this refuses.
    """

    centres: np.ndarray
    basis: np.ndarray
    spread: np.ndarray
    rest: float
    threshold: float
    rate: float

    def score(self, features: np.ndarray) -> np.ndarray:
        """Return the squared distance to the nearest class in units of its spread, float32 (n,), >= 0."""
        points = _unit(features)
        if points.shape[1] != self.centres.shape[1]:
            raise InputError(f"features must be (n, {self.centres.shape[1]}), got {points.shape}")
        best = np.full(len(points), np.inf, np.float32)
        for centre in self.centres:
            away = points - centre
            along = away @ self.basis
            off = np.maximum((away**2).sum(axis=1) - (along**2).sum(axis=1), 0)
            best = np.minimum(best, (along**2 / self.spread).sum(axis=1) + off / np.float32(self.rest))
        return best

    def refuses(self, features: np.ndarray) -> np.ndarray:
        """Return bool (n,), True for a picture like none seen in training."""
        return np.asarray(self.score(features) > self.threshold)

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the rule as plain arrays; under 1 MB up to 160 classes of 1280 features."""
        return {f.name: np.asarray(getattr(self, f.name)) for f in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "Novelty":
        """Make the rule from what `arrays` gave."""
        missing = [f.name for f in fields(cls) if f.name not in arrays]
        if missing:
            raise InputError(f"a novelty rule needs {', '.join(f.name for f in fields(cls))}, got no {missing[0]}")
        numbers = {name: float(arrays[name]) for name in ("rest", "threshold", "rate")}
        return cls(centres=arrays["centres"], basis=arrays["basis"], spread=arrays["spread"], **numbers)


def fit(
    features: np.ndarray, labels: np.ndarray, groups: np.ndarray, *, rate: float = 0.05, rng: np.random.Generator
) -> Novelty:
    """Learn what training pictures look like, and refuse what is further away than all but `rate` of them.

    Args:
        features: (n, d), finite.
        labels: (n,), one label per picture.
        groups: (n,), pictures of one group (copies) are never scored by a rule that saw another of them.
        rate: share of pictures like the training ones to be refused, in (0, 1).
        rng: source of randomness; it draws ten folds of groups.

    Returns:
        Novelty. Of new pictures drawn like the training ones it refuses about `rate`, rather fewer than more.

    Raises:
        InputError: shapes differ, a feature is not finite, or rate is outside (0, 1).
        UndefinedError: there are under 1 / rate - 1 groups (19 at 5 %): no threshold could promise the rate.

    Source: probabilistic PCA within classes, Tipping & Bishop 1999, doi:10.1111/1467-9868.00196, by Mahalanobis
    distance to the nearest class (Lee et al. 2018, arXiv:1807.03888); the threshold is the ceil((n + 1)(1 - rate))-th
    smallest out-of-fold score (Vovk 2015, doi:10.1007/s10472-013-9368-4, cross-conformal).
    """
    points, labels, groups = _unit(features), np.asarray(labels), np.asarray(groups)
    n = len(points)
    if labels.shape != (n,) or groups.shape != (n,):
        raise InputError(f"labels and groups must be ({n},) as features are, got {labels.shape} and {groups.shape}")
    if not 0 < rate < 1:
        raise InputError(f"rate must be in (0, 1), got {rate!r}")
    names, codes = np.unique(groups, return_inverse=True)
    fewest = int(np.ceil(1 / rate - 1 - 1e-9))
    if len(names) < max(fewest, 2):
        raise UndefinedError(
            f"refusing {rate:.0%} of known pictures needs {max(fewest, 2)} groups of them, got {len(names)}"
        )
    folds = (rng.permutation(len(names)) % _FOLDS)[codes]
    scores = np.empty(n, np.float32)
    for f in np.unique(folds):
        out = folds == f
        scores[out] = _described(points[~out], labels[~out], np.inf, rate).score(points[out])
    place = int(np.ceil((n + 1) * (1 - rate) - 1e-9))
    # Within one spread nothing is strange, even where all training pictures are equal.
    return _described(points, labels, max(float(np.sort(scores)[place - 1]), 1.0), rate)


def _unit(features: np.ndarray) -> np.ndarray:
    features = np.asarray(features, np.float32)
    if features.ndim != 2 or not np.isfinite(features).all():
        raise InputError(f"features must be (n, d) and finite, got {features.shape}")
    # How strong features are tells brightness and contrast more than content.
    length = np.linalg.norm(features, axis=1, keepdims=True)
    return np.asarray(features / np.where(length > 0, length, 1))


def _described(points: np.ndarray, labels: np.ndarray, threshold: float, rate: float) -> Novelty:
    names, codes = np.unique(labels, return_inverse=True)
    centres = np.stack([points[codes == i].mean(axis=0) for i in range(len(names))])
    away = points - centres[codes]
    n, d = away.shape
    r = max(0, min(_DIRECTIONS, n // 3, d - 1))
    total = float((away.astype(float) ** 2).sum()) / n
    if r == 0:
        spread, basis = np.zeros(0, np.float32), np.zeros((d, 0), np.float32)
    elif n < d:
        spread, left = eigh((away @ away.T).astype(float) / n, subset_by_index=[n - r, n - 1])
        basis = away.T @ (left / np.sqrt(np.maximum(spread * n, 1e-12)))
    else:
        spread, basis = eigh((away.T @ away).astype(float) / n, subset_by_index=[d - r, d - 1])
    # No direction may be so thin that the last bit of a feature decides.
    rest = max((total - float(spread.sum())) / (d - r), 1e-9)
    return Novelty(
        centres=centres.astype(np.float32),
        basis=np.ascontiguousarray(basis, np.float32),
        spread=np.maximum(spread, rest).astype(np.float32),
        rest=rest,
        threshold=threshold,
        rate=rate,
    )
