"""Whether a probability means what it says: labels and probabilities in, a temperature, bins and errors out."""

import math
from dataclasses import dataclass

import numpy as np
from scipy import optimize, special

from ..errors import InputError, UndefinedError
from .intervals import Estimate, proportion, quantile

# Beyond these a temperature says that scores separate the classes, or tell nothing: not how far to trust them.
COLDEST, HOTTEST = 0.05, 20.0


@dataclass(frozen=True, slots=True)
class Bin:
    """Pictures of like probability, and the share of them that was positive."""

    mean_probability: float
    observed: Estimate
    count: int


@dataclass(frozen=True, slots=True)
class CalibrationError:
    """A calibration error, beside what a perfectly calibrated model would show on as many pictures."""

    value: float
    null_low: float
    null_high: float
    p_value: float
    level: float


def temperature(labels: np.ndarray, logits: np.ndarray, *, groups: np.ndarray | None = None) -> float:
    """Temperature that makes softmax(logits / temperature) as probable as it says.

    Args:
        labels: int (n,), 0..classes - 1.
        logits: float (n, classes), finite.
        groups: (n,), one name per picture; each group then weighs as one picture.

    Returns:
        Temperature in 0.05..20 with the least mean log loss; above 1 the model was too sure.
        Where classes separate perfectly, or logits tell nothing, it ends near one of these.

    Raises:
        InputError: shapes differ, a label is no class, or a logit is not finite.
        UndefinedError: there is no picture.

    Assumes the pictures were not used to fit the model.

    Source: Guo et al. 2017, arXiv:1706.04599, section 4.2. The loss has one minimum in log temperature.

    >>> labels = np.array([0, 0, 0, 1])  # at odds of 3 to 1 the right temperature is 2 / log(3)
    >>> round(temperature(labels, np.array([[2.0, 0.0]] * 4)), 3)
    1.82
    """
    labels, logits = np.asarray(labels), np.asarray(logits, float)
    if logits.ndim != 2 or logits.shape[1] < 2 or labels.shape != logits.shape[:1]:
        raise InputError(f"labels and logits must be (n,) and (n, classes >= 2), got {labels.shape} and {logits.shape}")
    if not labels.size:
        raise UndefinedError("a temperature needs 1 picture, got 0")
    if labels.dtype.kind not in "biu" or labels.min() < 0 or labels.max() >= logits.shape[1]:
        raise InputError(
            f"labels must be whole numbers in 0..{logits.shape[1] - 1}, got {labels.min()}..{labels.max()}"
        )
    if not np.isfinite(logits).all():
        raise InputError(f"logits must be finite, got {np.count_nonzero(~np.isfinite(logits))} that are not")
    weights = np.ones(len(labels))
    if groups is not None:
        if np.shape(groups) != labels.shape:
            raise InputError(f"groups must be {labels.shape}, got {np.shape(groups)}")
        codes = np.unique(groups, return_inverse=True)[1]
        weights = 1 / np.bincount(codes)[codes]
    gaps = logits - logits[np.arange(len(labels)), labels.astype(int)][:, None]

    def loss(log_temperature: float) -> float:
        surprise = special.logsumexp(gaps / math.exp(log_temperature), axis=1)
        return float((weights * surprise).sum() / weights.sum())

    bounds = (math.log(COLDEST), math.log(HOTTEST))
    return math.exp(optimize.minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-6}).x)


def reliability(labels: np.ndarray, probabilities: np.ndarray, *, bins: int = 10, level: float = 0.95) -> list[Bin]:
    """Reliability diagram: what was said and what came, in bins of equally many pictures.

    Args:
        labels: bool (n,), True for positive; or True where the prediction was right.
        probabilities: float (n,), in [0, 1], of that.
        bins: at most this many, >= 1; equal probabilities are never parted, so there may be fewer.
        level: coverage of each interval, in (0, 1).

    Returns:
        Bins by rising probability; counts sum to n. Each share has Wilson's interval.

    Raises:
        InputError: shapes differ, or a probability is outside [0, 1].
        UndefinedError: there is no picture.

    Assumes pictures are independent.

    >>> for b in reliability(np.array([0, 1, 1, 1], bool), np.array([.2, .4, .6, .8]), bins=2):
    ...     print(round(b.mean_probability, 3), b.observed)
    0.3 0.500 [0.095, 0.905] (95%, wilson)
    0.7 1.000 [0.342, 1.000] (95%, wilson)
    """
    labels, probabilities, starts = _binned(labels, probabilities, bins)
    counts = np.diff([*starts, len(labels)])
    said, came = (np.add.reduceat(x.astype(float), starts) for x in (probabilities, labels))
    return [
        Bin(float(s / n), proportion(int(c), int(n), level=level), int(n))
        for s, c, n in zip(said, came, counts, strict=True)
    ]


def ece(
    labels: np.ndarray,
    probabilities: np.ndarray,
    *,
    bins: int = 10,
    level: float = 0.95,
    runs: int = 1000,
    rng: np.random.Generator,
) -> CalibrationError:
    """Expected calibration error, and how much of it is chance.

    The error is above 0 even for a perfectly calibrated model, more so with few pictures: it means
    something only beside what such a model would show, which is simulated here.

    Args:
        labels: bool (n,), True for positive; or True where the prediction was right.
        probabilities: float (n,), in [0, 1], of that.
        bins: at most this many of equally many pictures, >= 1.
        level: share of simulations that the null band holds, in (0, 1).
        runs: simulations, >= 100.
        rng: source of randomness.

    Returns:
        CalibrationError: value in [0, 1], the mean over pictures of |said - came| by bin; the band of the same
        from labels drawn with these very probabilities; and the share of these at least as large.

    Raises:
        InputError: shapes differ, a probability is outside [0, 1], or runs is too small.
        UndefinedError: there is no picture.

    Assumes pictures are independent.

    Source: Naeini et al. 2015, AAAI 29, with bins of equal count; consistency resampling as in
    Vaicenavicius et al. 2019, arXiv:1902.06977.

    >>> e = ece(np.arange(40) % 2 == 0, np.full(40, 0.9), rng=np.random.default_rng(0))
    >>> round(e.value, 3), e.null_high < 0.2, e.p_value < 0.01
    (0.4, True, True)
    """
    quantile(level)
    if runs < 100:
        raise InputError(f"runs must be >= 100, got {runs!r}")
    labels, probabilities, starts = _binned(labels, probabilities, bins)
    said = np.add.reduceat(probabilities, starts)

    def error(came: np.ndarray) -> float:
        return float(np.abs(np.add.reduceat(came.astype(float), starts) - said).sum() / len(labels))

    value = error(labels)
    null = np.array([error(rng.random(len(labels)) < probabilities) for _ in range(runs)])
    low, high = np.quantile(null, [(1 - level) / 2, (1 + level) / 2])
    # Counts over n come out of sums that differ in the last digit: equal within rounding is equal.
    as_large = int(np.count_nonzero(null >= value - 1e-12))
    return CalibrationError(value, float(low), float(high), (1 + as_large) / (1 + runs), level)


def _binned(labels: np.ndarray, probabilities: np.ndarray, bins: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels and probabilities by rising probability, and where each bin starts."""
    labels, probabilities = np.asarray(labels), np.asarray(probabilities, float)
    if labels.ndim != 1 or labels.shape != probabilities.shape:
        raise InputError(f"labels and probabilities must be (n,), got {labels.shape} and {probabilities.shape}")
    if not labels.size:
        raise UndefinedError("calibration needs 1 picture, got 0")
    if labels.dtype != bool and not np.isin(labels, (0, 1)).all():
        raise InputError("labels must be bool, True for positive, got values other than 0 and 1")
    if not ((probabilities >= 0) & (probabilities <= 1)).all():
        raise InputError(f"probabilities must be in [0, 1], got {probabilities.min()}..{probabilities.max()}")
    if bins < 1:
        raise InputError(f"bins must be >= 1, got {bins!r}")
    order = np.argsort(probabilities, kind="stable")
    labels, probabilities = labels[order].astype(bool), probabilities[order]
    cuts = len(labels) * np.arange(bins) // bins
    return labels, probabilities, np.unique(np.searchsorted(probabilities, probabilities[cuts], "left"))
