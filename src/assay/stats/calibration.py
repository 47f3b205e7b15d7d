"""Whether a probability means what it says: labels and probabilities in, a temperature, bins and errors out."""

import math
from dataclasses import dataclass

import numpy as np
from scipy import optimize, special

from ..errors import InputError, UndefinedError
from .intervals import Estimate, limits, mean, on_log_scale, proportion, quantile

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


@dataclass(frozen=True, slots=True)
class CalibrationBand:
    """Where the share of positives may lie at each probability, for the whole curve at once."""

    probability: np.ndarray
    low: np.ndarray
    high: np.ndarray
    level: float


@dataclass(frozen=True, slots=True)
class Brier:
    """Brier score = miscalibration - discrimination + uncertainty.

    miscalibration: what the best rising map of the probabilities would gain, >= 0; discrimination: what the mapped
    ones gain over always saying the share of positives, >= 0; uncertainty: the score of saying that share.
    """

    score: Estimate
    miscalibration: float
    discrimination: float
    uncertainty: float


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
        raise UndefinedError("a temperature needs 1 row, got 0")
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


def band(labels: np.ndarray, probabilities: np.ndarray, *, bins: int = 20, level: float = 0.95) -> CalibrationBand:
    """Band for the whole reliability curve, which holds however few pictures there are.

    Only one thing is assumed of the curve: that it rises. The share of positives over any run of bins then bounds it on
    both sides; each run gets its exact interval, at a level that lets all of them hold together.

    Args:
        labels: bool (n,), True for positive; or True where the prediction was right.
        probabilities: float (n,), in [0, 1], of that.
        bins: at most this many of equally many pictures, >= 1; equal probabilities are never parted.
        level: coverage of the whole curve at once, in (0, 1).

    Returns:
        CalibrationBand at probabilities 0, 0.01 .. 1: low and high rise. A calibrated model's diagonal lies inside
        with at least that chance, and nearly always; where it leaves the band, the model is not calibrated.

    Raises:
        InputError: shapes differ, a probability is outside [0, 1], or bins is not positive.
        UndefinedError: there is no picture.

    Assumes pictures are independent, and a higher probability never means a smaller share.

    Source: Dimitriadis, Duembgen, Henzi, Puke & Ziegel 2023, doi:10.1093/biomet/asac068, over bins; Clopper-Pearson
    limits hold for unequal chances too (Hoeffding 1956).

    >>> b = band(np.arange(50) % 2 == 0, np.full(50, 0.9))
    >>> round(float(b.low[90]), 3), round(float(b.high[90]), 3), float(b.high[91])
    (0.355, 0.645, 1.0)
    """
    labels, probabilities, starts = _binned(labels, probabilities, bins)
    counts = np.diff([*starts, len(labels)])
    said = np.concatenate([[0], np.cumsum(np.add.reduceat(labels.astype(int), starts))])
    ends = np.concatenate([[0], np.cumsum(counts)])
    first, last = (i.ravel() for i in np.triu_indices(len(starts)))
    n, k = ends[last + 1] - ends[first], said[last + 1] - said[first]
    quantile(level)
    tail = (1 - level) / 2 / len(first)
    below = np.where(k > 0, special.betaincinv(np.maximum(k, 1), n - k + 1, tail), 0.0)
    above = np.where(k < n, special.betaincinv(k + 1, np.maximum(n - k, 1), 1 - tail), 1.0)
    grid = np.linspace(0, 1, 101)
    lowest, highest = probabilities[starts][first], probabilities[ends[1:] - 1][last]
    # To the right of a run the curve is at least its mean, to the left at most; 0.29 * 100 is not quite 29.
    low = np.where(grid[:, None] >= highest - 1e-12, below, 0.0).max(axis=1)
    high = np.where(grid[:, None] <= lowest + 1e-12, above, 1.0).min(axis=1)
    return CalibrationBand(grid, low, high, level)


def brier(
    labels: np.ndarray, probabilities: np.ndarray, *, level: float = 0.95, groups: np.ndarray | None = None
) -> Brier:
    """Brier score: mean squared distance from probability to what came, and its three parts.

    Args:
        labels: bool (n,), True for positive.
        probabilities: float (n,), in [0, 1], of that.
        level: coverage of the interval, in (0, 1).
        groups: (n,), one name per picture; pictures of one group are not independent.

    Returns:
        Brier: the score in [0, 1], 0 is certain and right, with Student's interval on the log scale; where every
        answer was certain and right, with Wilson's of no error. The parts add up without any bins.

    Raises:
        InputError: shapes differ, or a probability is outside [0, 1].
        UndefinedError: there are fewer than 2 pictures, or 2 groups.

    Source: Brier 1950; Murphy 1973; parts by isotonic regression: Dimitriadis, Gneiting & Jordan 2021,
    doi:10.1073/pnas.2016191118.

    >>> b = brier(np.array([0, 1, 1, 0], bool), np.array([.1, .9, .8, .3]))
    >>> round(b.score.value, 4), b.uncertainty, round(b.discrimination, 2)
    (0.0375, 0.25, 0.25)
    """
    labels, probabilities = _checked(labels, probabilities)
    losses = (probabilities - labels) ** 2
    plain = mean(losses, level=level, groups=groups)
    value = plain.value
    if value > 0:
        score = on_log_scale(plain, most=1.0)
    else:
        n = len(labels) if groups is None else len(np.unique(groups))
        score = Estimate(0.0, *limits(0.0, n, level=level), level, "wilson")
    place = np.unique(probabilities, return_inverse=True)[1]
    weights = np.bincount(place).astype(float)
    shares = np.bincount(place, labels) / weights
    rising = optimize.isotonic_regression(shares, weights=weights).x[place]
    share = labels.mean()
    uncertainty = float(share * (1 - share))
    best = float(((rising - labels) ** 2).mean())
    return Brier(score, max(value - best, 0.0), max(uncertainty - best, 0.0), uncertainty)


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
    labels, probabilities = _checked(labels, probabilities)
    if bins < 1:
        raise InputError(f"bins must be >= 1, got {bins!r}")
    order = np.argsort(probabilities, kind="stable")
    labels, probabilities = labels[order], probabilities[order]
    cuts = len(labels) * np.arange(bins) // bins
    return labels, probabilities, np.unique(np.searchsorted(probabilities, probabilities[cuts], "left"))


def _checked(labels: np.ndarray, probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Labels as bool (n,), probabilities as float (n,)."""
    labels, probabilities = np.asarray(labels), np.asarray(probabilities, float)
    if labels.ndim != 1 or labels.shape != probabilities.shape:
        raise InputError(f"labels and probabilities must be (n,), got {labels.shape} and {probabilities.shape}")
    if not labels.size:
        raise UndefinedError("calibration needs 1 row, got 0")
    if labels.dtype != bool and not np.isin(labels, (0, 1)).all():
        raise InputError("labels must be bool, True for positive, got values other than 0 and 1")
    if not ((probabilities >= 0) & (probabilities <= 1)).all():
        raise InputError(f"probabilities must be in [0, 1], got {probabilities.min()}..{probabilities.max()}")
    return labels.astype(bool), probabilities
