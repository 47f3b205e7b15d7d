"""Bayes' rule at work: base rates and what was seen in, what to believe out."""

import math
from dataclasses import dataclass

import numpy as np
from scipy import special

from ..errors import InputError, UndefinedError
from .intervals import Estimate, limits, quantile, worth


@dataclass(frozen=True, slots=True)
class PredictiveValues:
    """The chance that a positive is real (ppv), and that a negative is (npv)."""

    ppv: Estimate
    npv: Estimate


@dataclass(frozen=True, slots=True)
class NaturalFrequencies:
    """Out of so many pictures: positives found and missed, false alarms, and negatives passed."""

    found: int
    missed: int
    false_alarms: int
    passed: int


def predictive_values(
    sensitivity: Estimate | float, specificity: Estimate | float, prevalence: float, *, level: float = 0.95
) -> PredictiveValues:
    """Positive and negative predictive value at a prevalence, by Bayes' rule.

    Args:
        sensitivity: share of positives found; a bare number is taken as known.
        specificity: share of negatives passed; likewise.
        prevalence: share of positives among the pictures that will be judged, in (0, 1).
        level: coverage of the intervals, in (0, 1), the same as that of the estimates given.

    Returns:
        PredictiveValues, in [0, 1], intervals carried through the log likelihood ratios.

    Raises:
        InputError: a rate or the prevalence is outside its range, or levels differ.
        UndefinedError: nothing is ever called positive, or nothing negative.

    Assumes sensitivity and specificity hold at this prevalence, and come from different pictures.

    Source: distances to the limits joined by squares on the log scale ("MOVER", Zou & Donner 2008,
    doi:10.1002/sim.3095), with the limit of that where a rate is 0 or 1. Of a rate that has Wilson's limits those of
    Clopper and Pearson are carried through, of as many pictures: what is divided by a rate of false alarms lives at
    its end near 0, where Wilson's 95 % is 91 % or less.

    >>> print(predictive_values(0.9, 0.91, 0.01).ppv)  # mammography: 9 of 98 positives are real
    0.092 [0.092, 0.092] (95%, bayes)
    """
    quantile(level)
    if not 0 < prevalence < 1:
        raise InputError(f"prevalence must be in (0, 1), got {prevalence!r}")
    rates = _rate("sensitivity", sensitivity, level), _rate("specificity", specificity, level)
    hit, passed = (_exact(rate) if rate.method.startswith("wilson") else rate for rate in rates)
    alarm, miss = _complement(passed), _complement(hit)
    prior = math.log(prevalence) - math.log1p(-prevalence)
    return PredictiveValues(
        _posterior("positive", prior, hit, alarm, level), _posterior("negative", -prior, passed, miss, level)
    )


def natural_frequencies(
    sensitivity: Estimate | float, specificity: Estimate | float, prevalence: float, *, out_of: int = 1000
) -> NaturalFrequencies:
    """What to expect of so many pictures, in whole numbers.

    Args:
        sensitivity: share of positives found.
        specificity: share of negatives passed.
        prevalence: share of positives, in (0, 1).
        out_of: how many pictures, >= 1.

    Returns:
        NaturalFrequencies that sum to out_of, each within 1 of what is expected: first the positives are
        rounded, then those found among them and the false alarms among the rest.

    Raises:
        InputError: a rate, the prevalence or out_of is outside its range.

    Source: Gigerenzer & Hoffrage 1995, doi:10.1037/0033-295X.102.4.684.

    >>> natural_frequencies(0.9, 0.91, 0.01)
    NaturalFrequencies(found=9, missed=1, false_alarms=89, passed=901)
    """
    if not 0 < prevalence < 1:
        raise InputError(f"prevalence must be in (0, 1), got {prevalence!r}")
    if out_of != int(out_of) or out_of < 1:
        raise InputError(f"out_of must be a whole number >= 1, got {out_of!r}")
    rates = (("sensitivity", sensitivity), ("specificity", specificity))
    hit, passed = (_rate(name, given, None).value for name, given in rates)
    positives = round(prevalence * out_of)
    found = round(positives * hit)
    true_negatives = round((out_of - positives) * passed)
    return NaturalFrequencies(found, positives - found, out_of - positives - true_negatives, true_negatives)


def posterior(prior: np.ndarray, likelihood: np.ndarray) -> np.ndarray:
    """What to believe after seeing something, from what was believed before: Bayes' rule.

    Args:
        prior: float (k,), >= 0, chances of k causes; they need not sum to 1.
        likelihood: float (..., k), >= 0, the chance of what was seen, under each cause.

    Returns:
        float (..., k), >= 0, summing to 1 over the causes.

    Raises:
        InputError: a shape or a number is impossible.
        UndefinedError: what was seen is impossible under every cause that has a chance.

    >>> posterior(np.array([30, 70]), np.array([0.8, 0.2])).round(3)  # engineers among lawyers, a description that fits
    array([0.632, 0.368])
    """
    prior, likelihood = np.asarray(prior, float), np.asarray(likelihood, float)
    if prior.ndim != 1 or likelihood.shape[-1:] != prior.shape:
        raise InputError(f"prior and likelihood must be (k,) and (..., k), got {prior.shape} and {likelihood.shape}")
    if not all((x >= 0).all() and np.isfinite(x).all() for x in (prior, likelihood)):
        raise InputError("prior and likelihood must be finite and >= 0")
    joint = prior * likelihood
    total = joint.sum(axis=-1, keepdims=True)
    if not (total > 0).all():
        raise UndefinedError("what was seen must be possible under a cause that has a chance")
    found: np.ndarray = joint / total
    return found


def prior_shift(probabilities: np.ndarray, old: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Correct probabilities of a model to another base rate.

    Args:
        probabilities: float (n, k), rows sum to 1, of a model that learned at the old base rates.
        old: float (k,), > 0, base rates where the model learned.
        new: float (k,), >= 0, base rates where it is used.

    Returns:
        float (n, k), rows sum to 1.

    Raises:
        InputError: a shape or a number is impossible.

    Assumes pictures of a class look the same in both places; only how many there are differs.

    Source: Saerens, Latinne & Decaestecker 2002, doi:10.1162/089976602753284446, equation 2.4.

    >>> prior_shift(np.array([[0.5, 0.5]]), np.array([0.5, 0.5]), np.array([0.99, 0.01]))
    array([[0.99, 0.01]])
    """
    probabilities, old = _distribution(probabilities, old)
    new = np.asarray(new, float)
    if new.shape != old.shape or not (new >= 0).all() or not 0 < new.sum() < math.inf:
        raise InputError(f"new base rates must be {old.shape}, >= 0 and not all 0, got {new!r}")
    return posterior(new, probabilities / old)


def base_rate(probabilities: np.ndarray, old: np.ndarray, *, level: float = 0.95) -> list[Estimate]:
    """Base rates of pictures without labels, from what a model says of them.

    Args:
        probabilities: float (n, k), rows sum to 1, of a model that learned at the old base rates.
        old: float (k,), > 0, base rates where the model learned.
        level: coverage of each interval, in (0, 1).

    Returns:
        One Estimate per class, in [0, 1]: the base rates under which these probabilities are likeliest, and those
        that the likelihood ratio does not rule out. The values sum to 1.

    Raises:
        InputError: a shape or a number is impossible.
        UndefinedError: there is no picture.

    Assumes pictures of a class look the same in both places, and the probabilities mean what they say there: the
    interval knows of the number of pictures, not of a model that is too sure.

    Source: EM of Saerens, Latinne & Decaestecker 2002, doi:10.1162/089976602753284446; profile likelihood.

    >>> p = np.array([[0.9, 0.1]] * 30 + [[0.1, 0.9]] * 10)
    >>> [round(e.value, 4) for e in base_rate(p, np.array([0.5, 0.5]))]  # 0.1 + 0.8 x = 30 / 40
    [0.8125, 0.1875]
    """
    t = quantile(level)
    probabilities, old = _distribution(probabilities, old)
    if not len(probabilities):
        raise UndefinedError("a base rate needs 1 row, got 0")
    fits = probabilities / old
    best = _mixture(fits, old / old.sum())
    most = float(np.log(fits @ best).sum())
    found = []
    for c, value in enumerate(best):

        def ruled_out(share: float, c: int = c) -> bool:
            return 2 * (most - _profile(fits, best, c, share)) > t**2

        sides = []
        for end in (0.0, 1.0):
            inside, outside = float(value), end
            for _ in range(30):
                middle = (inside + outside) / 2
                inside, outside = (inside, middle) if ruled_out(middle) else (middle, outside)
            sides.append(end if not ruled_out(end) else inside)
        found.append(Estimate(float(value), min(sides[0], value), max(sides[1], value), level, "profile"))
    return found


def beta_posterior(successes: int, n: int, *, prior: tuple[float, float] = (0.5, 0.5), level: float = 0.95) -> Estimate:
    """A share, from successes and a beta prior.

    Args:
        successes: how many, 0..n.
        n: number of pictures, >= 0.
        prior: the two numbers of the beta distribution, > 0: successes and failures seen before; Jeffreys' by default.
        level: chance that the interval holds the share, in (0, 1).

    Returns:
        Estimate, in (0, 1): posterior mean and equal tails.

    Raises:
        InputError: a count or the prior is impossible.

    >>> print(beta_posterior(9, 10, prior=(1, 1)))
    0.833 [0.587, 0.977] (95%, beta)
    """
    a, b = _beta(successes, n, prior)
    quantile(level)
    low, high = (float(special.betaincinv(a, b, tail)) for tail in ((1 - level) / 2, (1 + level) / 2))
    value = a / (a + b)
    return Estimate(value, min(low, value), max(high, value), level, "beta")


def beta_binomial(
    successes: int, n: int, future: int, *, prior: tuple[float, float] = (0.5, 0.5), level: float = 0.95
) -> Estimate:
    """How many of the next pictures will be successes.

    Args:
        successes: how many there were, 0..n.
        n: number of pictures seen, >= 0.
        future: number of pictures to come, >= 1.
        prior: the two numbers of the beta distribution, > 0; Jeffreys' by default.
        level: chance that the interval holds the number, in (0, 1), at least.

    Returns:
        Estimate, in 0..future: the number expected, and whole numbers that leave out no more than they may.

    Raises:
        InputError: a count or the prior is impossible.

    >>> print(beta_binomial(1, 1, 2, prior=(1, 1)))  # chances of 0, 1 and 2: 1/6, 1/3 and 1/2
    1.333 [0.000, 2.000] (95%, beta-binomial)
    """
    a, b = _beta(successes, n, prior)
    quantile(level)
    if future < 1 or future != int(future):
        raise InputError(f"future must be a whole number >= 1, got {future!r}")
    k = np.arange(future + 1)
    log = special.gammaln(future + 1) - special.gammaln(k + 1) - special.gammaln(future - k + 1)
    chances = np.exp(log + special.betaln(k + a, future - k + b) - special.betaln(a, b))
    sums = np.cumsum(chances / chances.sum())
    low = int(np.searchsorted(sums, (1 - level) / 2, "right"))
    high = min(int(np.searchsorted(sums, (1 + level) / 2, "left")), future)
    return Estimate(future * a / (a + b), float(low), float(high), level, "beta-binomial")


def _beta(successes: int, n: int, prior: tuple[float, float]) -> tuple[float, float]:
    if not 0 <= successes <= n or successes != int(successes) or n != int(n):
        raise InputError(f"successes must be a whole number in 0..{n}, got {successes!r}")
    if not all(0 < p < math.inf for p in prior):
        raise InputError(f"prior must be two numbers > 0, got {prior!r}")
    return prior[0] + successes, prior[1] + n - successes


def _distribution(probabilities: np.ndarray, old: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    probabilities, old = np.asarray(probabilities, float), np.asarray(old, float)
    if probabilities.ndim != 2 or old.shape != probabilities.shape[1:] or len(old) < 2:
        raise InputError(
            f"probabilities and base rates must be (n, k) and (k,), got {probabilities.shape} and {old.shape}"
        )
    if not ((probabilities >= 0).all() and np.allclose(probabilities.sum(axis=1), 1, atol=1e-4, rtol=0)):
        raise InputError("each row of probabilities must be >= 0 and sum to 1: divide rows by their sums")
    if not ((old > 0).all() and np.isfinite(old).all()):
        raise InputError(f"old base rates must be > 0: leave out classes that were never seen, got {old!r}")
    return probabilities, old


def _mixture(fits: np.ndarray, start: np.ndarray, *, fixed: int | None = None) -> np.ndarray:
    """Shares under which these fits (n, k) are likeliest, by EM; one of them may be held."""
    shares = start
    for _ in range(10_000):
        weights = fits * shares
        moved = (weights / np.maximum(weights.sum(axis=1, keepdims=True), 1e-300)).mean(axis=0)
        if fixed is not None:
            moved[fixed] = 0
            moved *= (1 - shares[fixed]) / max(moved.sum(), 1e-300)
            moved[fixed] = shares[fixed]
        if np.abs(moved - shares).max() < 1e-10:
            break
        shares = moved
    return shares


def _profile(fits: np.ndarray, best: np.ndarray, c: int, share: float) -> float:
    """The highest log likelihood with the share of one class held."""
    rest = 1 - best[c]
    others = best * (1 - share) / rest if rest > 0 else np.full(len(best), (1 - share) / (len(best) - 1))
    # Away from the ends: EM cannot leave a share of 0.
    start = np.maximum(others, 1e-6 * (1 - share))
    start[c] = 0
    start *= (1 - share) / max(start.sum(), 1e-300)
    start[c] = share
    held = start if len(best) == 2 else _mixture(fits, start, fixed=c)
    with np.errstate(divide="ignore"):
        return float(np.log(fits @ held).sum())


def _rate(name: str, given: Estimate | float, level: float | None) -> Estimate:
    """A rate as an Estimate; a bare number has no width."""
    rate = given if isinstance(given, Estimate) else Estimate(given, given, given, level or 0.95, "known")
    if not 0 <= rate.low <= rate.value <= rate.high <= 1:
        raise InputError(f"{name} must be in [0, 1], got {given!r}")
    if level is not None and rate.level != level:
        raise InputError(f"{name} must be an estimate at level {level}, got one at {rate.level}")
    return rate


def _exact(rate: Estimate) -> Estimate:
    """A rate with the limits of Clopper and Pearson in place of Wilson's, of as many pictures as these rest on."""
    low, high = limits(rate.value, worth(rate), level=rate.level, method="clopper-pearson")
    return Estimate(rate.value, low, high, rate.level, "clopper-pearson")


def _complement(rate: Estimate) -> Estimate:
    return Estimate(1 - rate.value, 1 - rate.high, 1 - rate.low, rate.level, rate.method)


def _posterior(sign: str, prior: float, right: Estimate, wrong: Estimate, level: float) -> Estimate:
    """The chance that a call is right, from the prior log odds and the rates of right and wrong calls."""
    if right.value == 0 and wrong.value == 0:
        raise UndefinedError(f"a predictive value needs {sign} calls, got none: move the cut-off")
    (a, a_low, a_high), (b, b_low, b_high) = ([_log(x) for x in (e.value, e.low, e.high)] for e in (right, wrong))
    centre, low, high = a - b, _lower(a, a_low, b, b_high), -_lower(b, b_low, a, a_high)
    value, low, high = (float(special.expit(prior + x)) for x in (centre, low, high))
    return Estimate(value, min(low, value), max(high, value), level, "bayes")


def _log(x: float) -> float:
    return math.log(x) if x > 0 else -math.inf


def _lower(a: float, a_low: float, b: float, b_high: float) -> float:
    """Lower limit of a - b."""
    if math.isinf(a) or math.isinf(a_low):
        return -math.inf
    if math.isinf(b):
        # As b falls without end, its distance to b_high swallows the other: what is left is a - b_high.
        return a - b_high
    return a - b - math.hypot(a - a_low, b_high - b)
