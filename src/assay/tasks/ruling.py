"""Ruling: what scores say about a classifier in plain sentences, and what they are suspected of."""

import numpy as np

from ..stats import planning
from ..stats.intervals import Estimate
from .findings import Findings, Versus
from .judgement import Cutoff
from .verdict import Verdict, advice, counted, said

_WANTED = 0.1  # half width within which a rate is known well enough to decide on
_MANY = 20  # rows of both classes from which on perfection is suspicious


def rule(findings: Findings, *, unit: str, versus: Versus | None = None, split: str = "", doubt: str = "") -> Verdict:
    """Say how good a classifier is.

    Args:
        findings: about its scores.
        unit: what was judged, in the singular.
        versus: how it compares with another, or None.
        split: how rows were kept from judging themselves, in words; "" where nobody knows.
        doubt: a headline that takes the place of the usual one, or "".

    Returns:
        The verdict.
    """
    two = findings.positive is not None
    headline = _headline_two(findings) if two else _headline_many(findings, unit)
    sentences = _two(findings) if two else _many(findings, unit)
    if versus is not None:
        sentences.append(_versus(versus))
    if split:
        sentences.append(split)
    return Verdict(doubt or headline, [s for s in sentences if s], _settle(findings, unit))


def suspicions(findings: Findings, scores: np.ndarray | None) -> tuple[str, list[str]]:
    """Say what makes scores look too good, or upside down.

    Args:
        findings: about them.
        scores: float (n,) of the positive of two classes; None where there are more.

    Returns:
        A headline that takes the place of the usual one, or "", and warnings of a few sentences each.
    """
    auc, positive = findings.auc, findings.positive
    if positive is None or auc is None:
        return "", []
    name, other = findings.classes[positive], findings.classes[1 - positive]
    n, headline, found = len(findings.labels), "", []
    distinct = np.unique(scores[:100_000]) if scores is not None else np.empty(0)
    if scores is not None and len(distinct) == 2 and np.isin(scores, distinct).all():
        if auc.value == 1:
            headline = "The scores are the labels over again: that proves nothing."
            found.append(
                "The score is one number for every row of one label and another for the rest. A file looks like this "
                "when "
                "the truth was copied into the score; only if it was not do the figures below mean anything."
            )
        else:
            found.append(
                "The scores take two values only, so they are decisions already. How good these are is judged; no "
                "other "
                "cut-off can be. Give what the program computed before it decided."
            )
    elif auc.value == 1 and findings.fewest[1] >= _MANY:
        headline = f"Perfect on {n:,} rows, which needs an explanation before it is believed."
        found.append(
            "Mistakes are more frequent than that. Were these rows among those that were learned from? Was the score, "
            "or "
            f"something it was made of, written down after “{name}” was known? Are there copies among the rows? The "
            "intervals know nothing of such things."
        )
    if auc.high < 0.5:
        found.append(
            f"The scores are upside down: a high one means “{other}”. Give --positive {other!r}, or turn the scores "
            f"round."
        )
    return headline, found


def _headline_two(f: Findings) -> str:
    positive, auc = f.positive or 0, f.auc
    name, other = f.classes[positive], f.classes[1 - positive]
    if f.too_few:
        least, n = f.fewest
        return f"Too few to say: {n:,} “{least}” cannot show how good it is."
    if auc is not None and auc.high < 0.5:
        return f"The scores point the wrong way: a high one means “{other}”."
    if auc is None or auc.low <= 0.5:
        return f"Not shown to tell “{name}” from “{other}” any better than a coin."
    found, total = int(f.matrix[positive, positive]), int(f.matrix[positive].sum())
    alarms, others = int(f.matrix[1 - positive, positive]), int(f.matrix[1 - positive].sum())
    return f"Finds {found:,} of {total:,} “{name}” and raises a false alarm on {alarms:,} of {others:,} “{other}”."


def _headline_many(f: Findings, unit: str) -> str:
    m = f.measures
    if m.accuracy.low <= m.baseline.value:
        common = f.classes[int(np.bincount(f.labels, minlength=len(f.classes)).argmax())]
        return f"Not shown to be better than always answering “{common}”."
    right = int(np.trace(f.matrix))
    return f"Names the right one of {len(f.classes)} classes for {right:,} of {counted(len(f.labels), unit)}."


def _two(f: Findings) -> list[str]:
    positive = f.positive or 0
    name, other, auc, m = f.classes[positive], f.classes[1 - positive], f.auc, f.measures
    found = []
    if auc is not None:
        often = f"{100 * auc.value:.3g}" if auc.value == 1 or auc.value < 0.999 else "more than 99.9"
        pairs = f"Of 100 pairs, one “{name}” and one “{other}” each, {often} are put in the right order"
        found.append(f"{pairs}: the area under the ROC curve is {said(auc)}, where a guess gives 0.50.{_doubt(auc)}")
    common = f.classes[int(np.bincount(f.labels, minlength=2).argmax())]
    base = f"always answering “{common}” would give {m.baseline.value:.2f}"
    if m.accuracy.value <= m.baseline.value:
        base += ", so accuracy is the wrong thing to look at here"
    if f.cutoff is not None:
        c = f.cutoff
        found.append(
            f"At the cut-off {c.threshold:.3g} ({c.rule}) the sensitivity is {said(c.sensitivity)} and the specificity "
            f"{said(c.specificity)}. The accuracy is {said(m.accuracy)}; {base}."
        )
        found.append(_flags(c))
    return found


def _flags(c: Cutoff) -> str:
    if c.ppv is None:
        return "At this cut-off nothing is flagged, or everything: a flag means nothing."
    frequencies = c.frequencies
    flagged = frequencies.found + frequencies.false_alarms
    rate = "your base rate" if c.prevalence_given else "the base rate of these data"
    return (
        f"At {rate}, {c.prevalence:.3g}, of 1,000 it flags {flagged:,}, {frequencies.found:,} of them rightly: the "
        f"chance "
        f"that a flag is right is {said(c.ppv)}; {advice(c.ppv)}."
    )


def _many(f: Findings, unit: str) -> list[str]:
    m = f.measures
    common = f.classes[int(np.bincount(f.labels, minlength=len(f.classes)).argmax())]
    base = f"always answering “{common}” would give {m.baseline.value:.2f}"
    found = [f"On {counted(m.n, unit)} the accuracy is {said(m.accuracy)}; {base}.{_doubt(m.accuracy)}"]
    scored = [(r.value, name) for r, name in zip(m.recall, f.classes, strict=True) if r is not None]
    worst, name = min(scored)
    if worst < 1:
        found.append(f"Hardest is “{name}”: {worst:.0%} of it is found.")
    if f.too_few:
        least, n = f.fewest
        found.append(f"Of “{least}” there {'is' if n == 1 else 'are'} only {n:,}: that says next to nothing about it.")
    return found


def _doubt(estimate: Estimate) -> str:
    return " With so few, this interval is too narrow more often than it should be." if estimate.optimistic else ""


def _versus(v: Versus) -> str:
    d = v.difference
    gap = f"{d.value:+.3f} ({d.low:+.3f} to {d.high:+.3f})".replace("-", "−")
    if d.low > 0:
        return f"It is better than {v.name}: its {v.figure} is higher by {gap} on the same rows."
    if d.high < 0:
        return f"It is worse than {v.name}: the {v.figure} differs by {gap} on the same rows."
    return f"It is not shown to be better or worse than {v.name}: the {v.figure} differs by {gap} on the same rows."


def _settle(f: Findings, unit: str) -> list[str]:
    """Say what would answer what these rows leave open."""
    n = len(f.labels)
    if f.positive is not None and f.cutoff is not None:
        counts = np.bincount(f.labels, minlength=2)
        rates = [
            ("sensitivity", f.cutoff.sensitivity, f.positive),
            ("specificity", f.cutoff.specificity, 1 - f.positive),
        ]
        short = []
        for figure, estimate, which in rates:
            wanted = planning.how_many(estimate.value, _WANTED, level=estimate.level)
            if wanted > counts[which]:
                lacking = f"{wanted - counts[which]:,} more “{f.classes[which]}”"
                short.append(f"with {lacking} the {figure} would be known to within {_WANTED:g}")
        if short:
            return [f"What would settle it: {', and '.join(short)}."]
    figure, estimate = ("accuracy", f.measures.accuracy) if f.positive is None or f.auc is None else ("AUC", f.auc)
    more = planning.halve(estimate, n) if estimate.high > estimate.low else 0
    return [
        f"What would settle it: about {counted(more, f'more {unit}')} like these halve the interval of the {figure}."
    ]
