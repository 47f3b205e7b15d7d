"""What a positive means at a base rate: sensitivity, specificity and prevalence in, predictive values out."""

import math
from dataclasses import dataclass

from scipy import special

from ..errors import InputError, UndefinedError
from .intervals import Estimate, quantile


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
    doi:10.1002/sim.3095), with the limit of that where a rate is 0 or 1.

    >>> print(predictive_values(0.9, 0.91, 0.01).ppv)  # mammography: 9 of 98 positives are real
    0.092 [0.092, 0.092] (95%, bayes)
    """
    quantile(level)
    if not 0 < prevalence < 1:
        raise InputError(f"prevalence must be in (0, 1), got {prevalence!r}")
    hit, passed = _rate("sensitivity", sensitivity, level), _rate("specificity", specificity, level)
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


def _rate(name: str, given: Estimate | float, level: float | None) -> Estimate:
    """A rate as an Estimate; a bare number has no width."""
    rate = given if isinstance(given, Estimate) else Estimate(given, given, given, level or 0.95, "known")
    if not 0 <= rate.low <= rate.value <= rate.high <= 1:
        raise InputError(f"{name} must be in [0, 1], got {given!r}")
    if level is not None and rate.level != level:
        raise InputError(f"{name} must be an estimate at level {level}, got one at {rate.level}")
    return rate


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
