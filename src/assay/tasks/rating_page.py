"""The pages of ratings: how far a model can be trusted, and how the pictures of a folder would be rated."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from ..data.folder import Problem
from ..models.rating_network import Lesson
from ..models.ratings import Rater
from ..models.saved_ratings import RatingModel
from ..report import gallery, page, plots, record
from ..report import ratings as drawn
from ..stats import votes
from ..stats.intervals import Estimate
from .rating_figures import Figures
from .rating_learning import Learnt

_LISTED = 200  # rows of a table
_EXAMPLES = 3  # pictures whose votes are drawn: the worst, the middle one, the best


def headline(figures: Figures) -> str:
    """Say in one sentence how good the ratings are.

    Args:
        figures: measured out of fold.
    """
    if figures.srcc is None:
        return "Too few pictures to say whether people's order can be predicted."
    if figures.srcc.low <= 0:
        return f"No proof that it puts pictures into people's order: rank correlation {_said(figures.srcc)}."
    return f"It puts pictures into people's order with a rank correlation of {_said(figures.srcc)}."


def sentences(learnt: Learnt, form: str) -> list[str]:
    """Say how far the ratings can be trusted.

    Args:
        learnt: the rater, measured out of fold.
        form: of the ratings.
    """
    figures, rater = learnt.figures, learnt.rater
    found = [
        (
            f"Measured by cross-validation on {figures.pictures:,} pictures in {figures.groups:,} groups (copies, "
            f"near copies "
            f"and groups that were given stay together), from ratings as {form}."
        ),
    ]
    if learnt.contest is not None:
        found.append(learnt.contest.words)
        if learnt.contest.better == learnt.contest.second:
            found.append("Here --method head, which takes seconds and no torch, rates better than this network.")
    if figures.accuracy is not None:
        found.append(
            f"Good or not, cut at {figures.middle:g}: {_said(figures.accuracy)} are right; always saying the more "
            f"frequent "
            f"side is right for {page.number(figures.guess)}."
        )
    if figures.emd is not None:
        found.append(
            f"The predicted votes lie {_said(figures.emd, digits=3)} of the scale from people's (earth mover's "
            f"distance); "
            f"the same mean votes for every picture {figures.emd_guess:.3f}."
        )
    if figures.ceiling is not None:
        found.append(
            f"People differ: one half of the raters correlates with the other by {_said(figures.ceiling.halves)}, "
            f"so even "
            f"a perfect predictor would reach {_said(figures.ceiling.best)}."
        )
    spread = figures.spread
    found.append(
        f"People's means have a standard deviation of {spread.labels[0]:.2f}, best guesses "
        f"{spread.predicted[0]:.2f}: a "
        f"guess lies nearer to the middle the less is known. The full scale, {rater.stretch:.2f} times as far from "
        f"{rater.middle:.2f}, keeps the order and has {spread.full[0]:.2f}; its error is {spread.error_full:.2f} "
        f"instead "
        f"of {spread.error:.2f} steps."
    )
    return found


def learned(
    name: str,
    first: str,
    told: Sequence[str],
    learnt: Learnt,
    shares: np.ndarray,
    names: Sequence[str],
    *,
    learned: str,
    sheet: bytes,
    wrong: Sequence[Problem],
    missing: Sequence[Problem],
    broken: Sequence[Problem],
    odd: Mapping[str, Sequence[str]],
    unrated: int,
    form: str,
    notes: Sequence[str],
    seed: int,
) -> str:
    """Write the page of a model.

    Args:
        name: of the folder.
        first: the answer in a sentence.
        told: how far it can be trusted.
        learnt: the rater, measured out of fold.
        shares: float (n, k), of people.
        names: of the pictures.
        learned: how, in words.
        sheet: the contact sheet, PNG.
        wrong: ratings that could not be used.
        missing: ratings without a picture.
        broken: files that are no pictures.
        odd: pictures by what is odd about them.
        unrated: pictures without a rating.
        form: of the ratings.
        notes: what was taken for granted.
        seed: of folds and intervals.

    Returns:
        One HTML page that needs nothing else.
    """
    rater, figures, scale = learnt.rater, learnt.figures, learnt.rater.scale
    said, guessed = votes.moments(shares, scale)[0], votes.moments(learnt.shares, scale)[0]
    dots = plots.svg(_on_axes(drawn.against, said, guessed, scale), label="Predicted against people's mean ratings")
    spread = figures.spread
    lists = [
        ("people", spread.labels, said),
        ("best guess", spread.predicted, guessed),
        ("full scale", spread.full, rater.full(guessed)),
    ]
    wide = plots.svg(_on_axes(drawn.spreads, lists, scale), label="How much of the scale is used", size=(430, 380))
    parts = [
        page.verdict(first, told),
        page.section("How good is it?", page.two(_figures(figures), dots), id="results"),
        *_phases(learnt),
        page.section("Is the scale used?", page.two(_uses(figures, rater), wide), id="scale"),
        page.section("From worst to best", gallery.figure(sheet, "Pictures from worst to best"), id="sheet"),
        page.section("Votes", *_examples(learnt.shares, shares, scale, names), id="votes"),
        page.section("What was left out", *_cleaned(wrong, missing, broken, odd, unrated), id="cleaned"),
        page.section(
            "How this was made", page.table(("what", "value"), _made(learnt, learned, form, notes, seed)), id="made"
        ),
    ]
    return _document(name, parts)


def rated(
    name: str,
    first: str,
    model: RatingModel,
    mean: np.ndarray,
    full: np.ndarray,
    shares: np.ndarray,
    names: Sequence[str],
    broken: Sequence[Problem],
    *,
    sheet: bytes,
) -> str:
    """Write the page of a folder that was rated.

    Args:
        name: of the folder.
        first: the answer in a sentence.
        model: that rated.
        mean: float (n,), in any order.
        full: float (n,), on the full scale.
        shares: float (n, k), worst first.
        names: of the pictures, worst first.
        broken: files that are no pictures.
        sheet: the contact sheet, PNG.

    Returns:
        One HTML page that needs nothing else.
    """
    scale = model.rater.scale
    means, deviations = votes.moments(shares, scale)
    rows = [
        [file, f"{m:.2f}", f"{f:.2f}", f"{d:.2f}"]
        for file, m, f, d in zip(names, means, model.rater.full(means), deviations, strict=True)
    ]
    lists = [("best guess", _told(mean), mean), ("full scale", _told(full), full)]
    wide = plots.svg(_on_axes(drawn.spreads, lists, scale), label="How much of the scale is used", size=(430, 320))
    trust = page.text(
        _card(model),
        "A mean is a best guess: it lies nearer to the middle than the truth, the more so the less is known. The full "
        "scale spreads the means as far as people's are; the order stays.",
    )
    table = page.folded(
        ("picture", "mean", "full scale", "sd of votes"), rows[:_LISTED], rest="other pictures", numeric={1, 2, 3}
    )
    more = page.text(f"and {len(rows) - _LISTED:,} more in ratings.csv", dim=True) if len(rows) > _LISTED else ""
    parts = [
        page.verdict(first, ()),
        page.section("From worst to best", gallery.figure(sheet, "Pictures from worst to best"), id="sheet"),
        page.section("How far can it be trusted?", page.two(trust, wide), id="trust"),
        page.section("Votes", *_examples(shares, None, scale, names), id="votes"),
        page.section("Every picture", table, more, id="list"),
    ]
    if broken:
        parts.append(page.section("Files that are no pictures", _problems(broken), id="broken"))
    return _document(name, parts)


def _on_axes(draw: Callable[..., None], *given: Any) -> Callable[[Axes], None]:
    return lambda ax: draw(*given, ax=ax)


def _document(name: str, parts: Sequence[str]) -> str:
    when = f"{datetime.now(UTC).astimezone():%-d %B %Y, %H:%M}"
    return page.document(
        f"assay · ratings of {page.visible(name)}", when, page.join(*parts), footer="assay · nothing left this computer"
    )


def _said(estimate: Estimate, *, digits: int = 2) -> str:
    low, high = estimate.low, estimate.high
    return f"{estimate.value:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def _told(x: np.ndarray) -> tuple[float, float, float]:
    low, high = np.quantile(x, [0.05, 0.95])
    return float(x.std()), float(low), float(high)


def _figures(figures: Figures) -> str:
    ceiling = figures.ceiling
    rows = [
        ("rank correlation (SRCC)", figures.srcc, 0.0),
        ("linear correlation (LCC)", figures.lcc, 0.0),
        (f"right side of {figures.middle:g}", figures.accuracy, figures.guess),
        ("earth mover's distance, of the scale", figures.emd, figures.emd_guess),
        ("the same with r = 2", figures.emd_2, None),
    ]
    if ceiling is not None:
        rows += [
            ("half of the raters v the other half", ceiling.halves, None),
            ("reliability of the mean (Spearman-Brown)", ceiling.reliability, None),
            ("most that LCC can reach", ceiling.best, None),
        ]
    why = "" if ceiling is not None else "How far people agree cannot be told: single votes are not known."
    return page.join(page.estimates(rows), page.text(why, dim=True))


def _uses(figures: Figures, rater: Rater) -> str:
    s = figures.spread
    rows = [
        ("people", f"{s.labels[0]:.2f}", f"{s.labels[1]:.1f} – {s.labels[2]:.1f}", "–"),
        ("best guess", f"{s.predicted[0]:.2f}", f"{s.predicted[1]:.1f} – {s.predicted[2]:.1f}", f"{s.error:.2f}"),
        ("full scale", f"{s.full[0]:.2f}", f"{s.full[1]:.1f} – {s.full[2]:.1f}", f"{s.error_full:.2f}"),
    ]
    table = page.table(("mean ratings", "sd", "90 % lie in", "error, steps"), rows, numeric={1, 2, 3})
    crowd = (
        "Best guesses crowd in the middle no more than their doubt asks for"
        if s.slope <= 1.15
        else "Best guesses crowd in the middle more than their doubt asks for"
    )
    return page.join(
        table,
        page.text(
            f"{crowd}: where a guess lies one step from the middle, people's mean lies {s.slope:.2f} steps from "
            f"it. The full "
            f"scale moves every mean {rater.stretch:.2f} times as far from {rater.middle:.2f} as it was, so that "
            f"as much of "
            "the scale is used as people use; it is for looking through a list, the best guess is for a single picture."
        ),
    )


def _examples(predicted: np.ndarray, rated: np.ndarray | None, scale: np.ndarray, names: Sequence[str]) -> list[str]:
    """Draw the votes of the worst picture, one in the middle, and the best."""
    order = np.argsort(predicted @ scale, kind="stable")
    places = np.unique(np.linspace(0, len(order) - 1, min(_EXAMPLES, len(order))).round().astype(int))
    cards = []
    for place in places:
        i = int(order[place])
        plot = plots.svg(
            _on_axes(drawn.votes, None if rated is None else rated[i], predicted[i], scale),
            label=f"Votes of {names[i]}",
            size=(300, 240),
        )
        cards.append((names[i].rpartition("/")[2], f"predicted mean {predicted[i] @ scale:.2f}", plot))
    return [page.cards(cards)]


def _cleaned(
    wrong: Sequence[Problem],
    missing: Sequence[Problem],
    broken: Sequence[Problem],
    odd: Mapping[str, Sequence[str]],
    unrated: int,
) -> list[str]:
    parts: list[str] = []
    for title, some in (
        ("Ratings that cannot be used", wrong),
        ("Ratings without a picture", missing),
        ("Files that are no pictures", broken),
    ):
        if some:
            parts += [page.heading(title, note=f"{len(some):,}"), _problems(some)]
    for name, files in odd.items():
        shown = [(file, name) for file in files[:_LISTED]]
        note = f"{len(files):,}, used all the same"
        parts += [
            page.heading(name.capitalize(), note=note),
            page.folded(("picture", "why"), shown, rest="other pictures"),
        ]
    if unrated:
        parts.append(page.text(f"{page.count(unrated, 'file')} of the folder have no rating.", dim=True))
    return parts or [page.text("Nothing: every rating has its picture, and every picture can be read.")]


def _problems(problems: Sequence[Problem]) -> str:
    rows = [(p.path, p.reason) for p in problems[:_LISTED]]
    return page.folded(("file", "why"), rows, rest="other files")


def _phases(learnt: Learnt) -> list[str]:
    """Draw how a network learned, and set it beside the head."""
    if learnt.contest is None or learnt.head_figures is None or learnt.parts is None:
        return []
    curve = plots.svg(_on_axes(_curve, learnt.lessons), label="How the network learned", size=(430, 320))
    own, head = learnt.figures, learnt.head_figures
    rows = [
        ("rank correlation (SRCC)", own.srcc, head.srcc, 2),
        ("linear correlation (LCC)", own.lcc, head.lcc, 2),
        (f"right side of {own.middle:g}", own.accuracy, head.accuracy, 2),
        ("earth mover's distance, of the scale", own.emd, head.emd, 3),
    ]
    table = page.table(
        ("out of fold, on the same folds", "this network", "the head"),
        [(name, *(_said(e, digits=n) if e is not None else "–" for e in pair)) for name, *pair, n in rows],
        numeric={1, 2},
    )
    count, held = learnt.parts
    told = page.text(
        f"The curves are those of the training on all: {count:,} pictures were learned from, {held:,} told the best "
        "epoch, and neither judged anything.",
    )
    return [page.section("Two phases", page.two(curve, told), table, id="phases")]


def _curve(lessons: Sequence[Lesson], *, ax: Axes) -> None:
    epochs = [(i, lesson.epoch.train_loss, lesson.epoch.val_loss) for i, lesson in enumerate(lessons, start=1)]
    drawn.phases(epochs, first=sum(lesson.phase == 1 for lesson in lessons), ax=ax)


def _made(learnt: Learnt, learned: str, form: str, notes: Sequence[str], seed: int) -> list[tuple[str, str]]:
    found, rater = learnt.head, learnt.rater
    tried = ", ".join(f"{kind} {loss:.4f}" for kind, loss in sorted(found.losses.items(), key=lambda item: item[1]))
    versions = ", ".join(f"{name} {version}" for name, version in record.versions().items())
    return [
        ("ratings", form),
        *(("taken for granted", note) for note in notes),
        ("learned", learned),
        ("loss", "squared earth mover's distance, r = 2"),
        (
            "tried" if learnt.tail is None else "head: tried",
            f"{tried} (mean loss; chosen for each fold by the other folds)",
        ),
        *([("penalty", f"{rater.penalty:g}")] if learnt.tail is None else []),
        ("seed", str(seed)),
        ("versions", versions),
    ]


def _card(model: RatingModel) -> str:
    srcc = (model.card.get("figures") or {}).get("srcc") if isinstance(model.card.get("figures"), dict) else None
    count = model.card.get("pictures")
    learned = f"It learned from {count:,} pictures. " if isinstance(count, int) else ""
    if not isinstance(srcc, dict) or not all(isinstance(srcc.get(k), float) for k in ("value", "low", "high")):
        return f"{learned}How far its order is people's order is not known."
    return (
        f"{learned}On pictures that it had not learned from, its order agreed with people's by a rank correlation of "
        f"{srcc['value']:.2f} ({srcc['low']:.2f} to {srcc['high']:.2f}). Pictures of another kind were not tried."
    )
