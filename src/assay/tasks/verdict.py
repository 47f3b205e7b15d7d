"""The verdict: what a run found, in sentences that a stranger understands."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..stats.intervals import Estimate
from .contest import Contest
from .copies import Copies
from .kinds import Groups
from .learning import FRACTIONS, Learned
from .scan import Scan
from .sealed import Judgement


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer in one sentence, how far it can be trusted, and what would settle it."""

    headline: str
    sentences: list[str]
    settle: list[str]


def learned_nothing(scan: Scan, groups: Groups, copies: Copies, why: str) -> Verdict:
    """Say what is in a folder from which nothing could be learned.

    Args:
        scan: of the folder.
        groups: of its pictures.
        copies: among them.
        why: there is no classifier; "" where none was asked for.

    Returns:
        The verdict.
    """
    pictures = scan.statuses.get("ok", 0)
    broken = sum(scan.statuses.values()) - pictures
    if not pictures:
        total = sum(scan.statuses.values())
        have = "the folder is empty" if not total else f"none of the {_files(total)} could be read as one"
        return Verdict(f"There is no picture here: {have}.", [], [])
    kinds = len(groups.names)
    headline = f"{counted(pictures, 'picture')}{f' of {kinds} kinds' if kinds > 1 else ''}{_problems(broken, copies)}."
    trouble = {name: n for name, n in scan.issues.items() if n}
    worst = sorted(trouble, key=lambda name: -trouble[name])[:3]
    sentences = []
    if worst:
        sentences.append("Look at " + _listed([f"{trouble[n]:,} {n.replace('_', ' ')}" for n in worst]) + " pictures.")
    if why:
        sentences.append(f"There is no classifier: {why}.")
    settle = [] if why else ["With a folder for each class, or --labels FILE.csv, a classifier is trained and judged."]
    return Verdict(headline, sentences, settle)


def judged(learned: Learned, judgement: Judgement, copies: Copies, contests: Sequence[Contest]) -> Verdict:
    """Say how good a classifier is.

    Args:
        learned: the classifier.
        judgement: of its sealed part.
        copies: in the folder.
        contests: with other ways of learning.

    Returns:
        The verdict.
    """
    m, k = judgement.sealed, len(learned.classes)
    common = learned.classes[int(np.bincount(learned.label[learned.sealed], minlength=k).argmax())]
    right = int(np.trace(judgement.matrix))
    cutoff = judgement.cutoff
    no_better = m.accuracy.low <= m.baseline.value
    if no_better and cutoff is None:
        headline = f"Not shown to be better than always answering “{common}”."
    elif cutoff is not None:
        which = learned.classes.index(cutoff.positive)
        found, flagged = judgement.matrix[which, which], judgement.matrix[1 - which, which]
        total, others = judgement.matrix[which].sum(), judgement.matrix[1 - which].sum()
        headline = (
            f"Finds {found:,} of {total:,} “{cutoff.positive}” and raises a false alarm on "
            f"{flagged:,} of {others:,} “{learned.classes[1 - which]}”."
        )
    else:
        headline = f"Names the right one of {k} classes for {right:,} of {m.n:,} pictures."
    sentences = [
        f"On {counted(m.n, 'sealed picture')} the accuracy is {said(m.accuracy)}; always answering “{common}” would "
        f"give {m.baseline.value:.2f}." + (" That is no proof that it has learned anything yet." if no_better else "")
    ]
    if cutoff is not None and cutoff.ppv is not None:
        flags = cutoff.frequencies.found + cutoff.frequencies.false_alarms
        rate = "your base rate" if cutoff.prevalence_given else "the base rate of these pictures"
        sentences.append(
            f"At {rate}, {cutoff.prevalence:.3g}, {cutoff.frequencies.found:,} of {flags:,} flags are right "
            f"({said(cutoff.ppv)}): {advice(cutoff.ppv)}."
        )
    elif k > 2:
        scored = [(r.value, name) for r, name in zip(m.recall, learned.classes, strict=True) if r is not None]
        worst, name = min(scored)
        if worst < 1:
            sentences.append(f"Hardest is “{name}”: {worst:.0%} of its pictures are found.")
    sentences += [c.words for c in contests]
    return Verdict(headline, sentences, _settle(learned, judgement, copies))


def said(estimate: Estimate) -> str:
    """Write an estimate for a sentence.

    Args:
        estimate: a rate.

    Returns:
        Text such as "0.87 (0.83 to 0.90)"; an end of 0 or 1 is written as it is, never by rounding.
    """
    return f"{_two(estimate.value)} ({_two(estimate.low)} to {_two(estimate.high)})"


def _two(x: float) -> str:
    """Round to two digits, but to 0 or 1 only what is 0 or 1."""
    for digits in (2, 3, 4):
        text = f"{x:.{digits}f}"
        if 0 < float(text) < 1 or x in (0, 1):
            return text
    return f"{x:.4g}"


def _settle(learned: Learned, judgement: Judgement, copies: Copies) -> list[str]:
    given = learned.split_by.startswith("as given")
    share = 1 if given else FRACTIONS[2]
    labels = int(np.ceil(judgement.more / share))
    where = "in the sealed part" if given else f"of which {judgement.more:,} fall into the sealed part"
    kept = sum(len(g.others) for g in copies.groups)
    alike = counted(kept, "copy or look-alike", many="copies and look-alikes")
    together = f" {alike} stayed on one side of the split." if kept else ""
    reads = (
        "once" if judgement.reads == 1 else f"for {judgement.reads} models: the last figures are no longer quite blind"
    )
    settle = f"about {labels:,} more labelled pictures, {where}, halve the interval of the accuracy."
    return [f"What would settle it: {settle}{together} The sealed part was read {reads}."]


def advice(ppv: Estimate) -> str:
    """Say what a flag is good for.

    Args:
        ppv: the chance that it is right.

    Returns:
        A few words.
    """
    if ppv.low >= 0.95:
        return "a flag can be acted on"
    if ppv.value >= 0.5:
        return "a flag is worth acting on after a look"
    return "use it to sort for a second look, not to decide"


def _problems(broken: int, copies: Copies) -> str:
    spare = sum(len(g.spare) for g in copies.groups)
    like = sum(len(g.others) for g in copies.groups) - spare
    parts = []
    if broken:
        parts.append(f"{counted(broken, 'file')} {'is' if broken == 1 else 'are'} no picture")
    if spare:
        parts.append(f"{counted(spare, 'copy', many='copies')} could go")
    if like:
        parts.append(f"{like:,} {'looks' if like == 1 else 'look'} like another")
    return f"; {_listed(parts)}" if parts else ""


def _listed(items: list[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def _files(n: int) -> str:
    return counted(n, "file")


def counted(n: int, one: str, *, many: str = "") -> str:
    """Write a count with its noun.

    Args:
        n: >= 0.
        one: the noun.
        many: its plural, where that is not the noun and an s.

    Returns:
        The text, thousands with a comma.
    """
    return f"{n:,} {one if n == 1 else many or one + 's'}"
