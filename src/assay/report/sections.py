"""Sections of the report, in the order in which they are read; each has something to say when there is nothing.

Counts, names, estimates and tiles go in, HTML comes out. What is measured is decided elsewhere.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from ..stats.calibration import Bin
from ..stats.intervals import Estimate
from ..stats.roc import Band, Curve
from . import page, plots, trust
from .gallery import wall
from .page import Html, join, text

Row = tuple[str, Estimate | None, float | None]
SETS, SUSPECTS = 12, 24  # shown before the rest is folded away or counted

_STATUS = {"corrupt": "broken", "crashed": "crashed the reader", "timeout": "took too long"}
_SKIPPED = {"hidden": "hidden file", "symlink": "link", "other": "file of another kind"}
_ISSUES = {
    "dark": "hardly any light in them",
    "light": "washed out, hardly any shade",
    "blurry": "no sharp edges",
    "low_information": "almost nothing to be seen",
    "odd_size": "much larger or smaller than the rest",
    "odd_aspect_ratio": "much longer one way than the other",
    "grayscale": "without colour",
    "exact_duplicates": "the same file again",
    "near_duplicates": "nearly the same picture again",
}


def folder(
    counts: Mapping[str, int],
    issues: Mapping[str, tuple[int, Sequence[str]]],
    broken: Sequence[tuple[str, str, str]],
    skipped: Mapping[str, int],
) -> Html:
    """What is in the folder: what could be read, what is wrong with it, and what could not.

    Args:
        counts: files by status; "ok" are the pictures.
        issues: pictures that have an issue, and tiles of some, by the issue's name.
        broken: name, status and reason of each file that is no good.
        skipped: files left out by kind, such as hidden.

    Returns:
        The section.
    """
    total, pictures = sum(counts.values()), counts.get("ok", 0)
    others = [f"{n:,} {_STATUS.get(s, s)}" for s, n in counts.items() if s != "ok" and n]
    opening = f"{page.count(total, 'file')}: {', '.join([page.count(pictures, 'picture'), *others])}." if total else (
        "There is no picture here. Give a folder that holds JPEG, PNG, WebP, GIF, BMP, TIFF or AVIF files."
    )  # fmt: skip
    if total and not pictures:
        opening += " None could be read, so there is nothing to group and nothing to learn from."
    left_out = [page.count(n, _SKIPPED.get(kind, kind)) for kind, n in skipped.items() if n]
    found = [(name, n, tiles) for name, (n, tiles) in issues.items() if n]
    none = "No picture is dark, blurred, empty or of an odd size." if pictures and not found else ""
    walls = [
        join(
            page.heading(f"{_plain(name).capitalize()}: {n:,}", note=_ISSUES.get(name, "")),
            wall(tiles, more=n - len(tiles)),
        )
        for name, n, tiles in found
    ]
    return page.section(
        "What is in the folder?",
        text(opening, f"Left out: {', '.join(left_out)}." if left_out else "", none),
        page.chips(f"{_plain(name)} {n:,}" for name, n, _ in found),
        *walls,
        _broken(broken),
        id="folder",
    )


def _broken(files: Sequence[tuple[str, str, str]]) -> Html:
    if not files:
        return Html("")
    rows = [(name, _STATUS.get(status, status), reason) for name, status, reason in files]
    return join(
        page.heading(f"Files that are no good: {len(files):,}"),
        text("They are left out of everything that follows. Nothing was changed.", dim=True),
        page.folded(("file", "state", "reason"), rows, rest="all the others"),
    )


def copies(exact: Sequence[tuple[str, str, Sequence[str]]], near: Sequence[tuple[str, str, Sequence[str]]]) -> Html:
    """Which pictures are there more than once, and which one to keep.

    Args:
        exact: sets of equal files: tile of the one to keep, why that one, tiles of the others.
        near: sets of nearly equal pictures, likewise.

    Returns:
        The section.
    """
    kinds = (
        ("Exact copies", "the same bytes", "to spare", "Keep the first", exact),
        (
            "Near copies",
            "resized, saved again, cropped or turned; or two things that look the same, such as parts of one make",
            "to look at before any is removed",
            "If all show the same thing, keep the first",
            near,
        ),
    )
    parts = []
    for title, meaning, advice, keep, sets in kinds:
        if not sets:
            parts.append(text(f"{title} ({meaning}): none."))
            continue
        spare = sum(len(others) for _, _, others in sets)
        held = page.cards(
            (keep, why, wall([kept, *others[:7]], more=len(others) - 7)) for kept, why, others in sets[:SETS]
        )
        rest = f"and {page.count(len(sets) - SETS, 'more set')}" if len(sets) > SETS else ""
        parts += [
            page.heading(
                f"{title}: {page.count(len(sets), 'set')}, {page.count(spare, 'file')} {advice}", note=meaning
            ),
            held,
            text(rest, dim=True),
        ]
    note = (
        "" if not (exact or near) else "Copies stay together when the pictures are split, so none is learnt and tested."
    )
    return page.section("What is there more than once?", *parts, text(note, dim=True), id="copies")


def groups(
    cards: Sequence[tuple[str, int, str, Sequence[str]]],
    silhouettes: Mapping[int, float],
    chosen_k: int,
    map_html: str,
    outliers: Sequence[str],
) -> Html:
    """Which kinds of pictures there are.

    Args:
        cards: name of a group, its pictures, a line on their labels or "", tiles.
        silhouettes: how far apart the groups lie, by number of groups; may be empty.
        chosen_k: number of groups.
        map_html: from `gallery.map_figure`, or "".
        outliers: tiles of pictures that are like no other.

    Returns:
        The section.
    """
    if not cards:
        return page.section("What kinds of pictures are there?", text("Too few pictures to group."), id="groups")
    opening = f"{len(cards)} groups, found by what the pictures show; the labels were not looked at."
    if len(cards) == 1:
        opening = "All pictures are of one kind, or too few to tell kinds apart."
    body = page.cards(
        (name, " · ".join(filter(None, (page.count(n, "picture"), share))), wall(tiles))
        for name, n, share, tiles in cards
    )
    how = Html("")
    if len(silhouettes) > 1:
        label = f"Silhouette by number of groups; {chosen_k} was chosen"
        drawn = plots.svg(lambda ax: plots.silhouettes(silhouettes, chosen_k, ax=ax), label=label, size=(400, 250))
        why = "A silhouette near 1 means that groups are tight and far apart, near 0 that they run into each other."
        how = page.details(f"Why {chosen_k} groups", join(text(why), drawn))
    odd = (
        join(page.heading("Like no other"), text("Look at these first.", dim=True), wall(outliers)) if outliers else ""
    )
    return page.section("What kinds of pictures are there?", text(opening), body, map_html, odd, how, id="groups")


def split(parts: Mapping[str, Mapping[str, int]], sentences: Sequence[str]) -> Html:
    """How the pictures were divided into those to learn from and those to test on.

    Args:
        parts: pictures by class, by part ("train", "val", "test").
        sentences: how it was done.

    Returns:
        The section.
    """
    title = "What was learnt from, what was kept sealed?"
    if not parts:
        return page.section(title, text("Nothing was split: without labels there is nothing to learn."), id="split")
    classes = list(dict.fromkeys(c for counts in parts.values() for c in counts))
    rows = [("all", [sum(counts.values()) for counts in parts.values()])]
    rows += [(c, [counts.get(c, 0) for counts in parts.values()]) for c in classes]
    cells = [[name, *(f"{n:,}" for n in row), f"{sum(row):,}"] for name, row in rows]
    header = ["class", *parts, "all"]
    table = page.folded(header, cells, rest="other classes", numeric=range(1, len(header)))
    return page.section(title, text(*sentences), table, id="split")


def results(
    test: Sequence[Row],
    cv: Sequence[Row],
    *,
    per_class: Sequence[tuple[str, Estimate | None, Estimate | None, Estimate | None, int]] = (),
    matrix: np.ndarray | None = None,
    classes: Sequence[str] = (),
    curves: Sequence[tuple[str, Curve, Band | None]] = (),
    cutoff: float | None = None,
    bins: Sequence[Bin] = (),
    confused: Sequence[tuple[str, str, int, Sequence[str]]] = (),
) -> Html:
    """How good the model is.

    Args:
        test: figures on the sealed part; empty where there is none.
        cv: figures by cross-validation on the rest.
        per_class: class, sensitivity, precision, AUC (None: too few to say) and pictures.
        matrix: int (k, k), rows true, columns predicted.
        classes: k names.
        curves: name, ROC curve and band, one a class, or one alone.
        cutoff: threshold, for one curve.
        bins: from `stats.calibration.reliability`.
        confused: true class, predicted class, how many, tiles; the most frequent first.

    Returns:
        The section. Of more than 8 curves the 4 worst are drawn.
    """
    title = "How good is it?"
    if not test and not cv:
        return page.section(title, text("No model was made, so there is nothing to judge."), id="results")
    sealed = (
        join(page.heading("On the sealed test part"), page.estimates(test))
        if test
        else text("There was no sealed test part: the figures below are from cross-validation only.")
    )
    crossed = join(page.heading("By cross-validation on the rest"), page.estimates(cv)) if cv else ""
    drawn, reliable = trust.curves(curves, cutoff), trust.calibration(bins)
    if matrix is None or len(classes) > trust.BESIDE:
        parts = [page.two(join(sealed, crossed), join(drawn, reliable)), trust.matrix(matrix, classes)]
    else:
        parts = [page.two(join(sealed, crossed), drawn), page.two(trust.matrix(matrix, classes), reliable)]
    if confused:
        taken = (
            (f"{true} taken for {predicted}", page.count(n, "picture"), wall(tiles))
            for true, predicted, n, tiles in confused
        )
        parts += [page.heading("Mistakes"), page.cards(taken)]
    parts.append(trust.classes(per_class))
    return page.section(title, *parts, id="results")


def suspects(items: Sequence[tuple[str, str, str, float]]) -> Html:
    """Which labels to look at again.

    Args:
        items: tile, the label given, the label suggested, and its probability; the most doubtful first.

    Returns:
        The section. The first 24 are shown, the rest folded away.
    """
    title = "Labels to look at again"
    if not items:
        return page.section(title, text("No label stands out as wrong."), id="suspects")
    many = f"Pictures that look more like another class than the one given: {len(items):,}."
    opening = f"{many} Either the label is wrong, or the model."
    shown = [
        join(Html('<div class="suspect">'), tile, Html("<p><s>"), given, Html("</s> <b>"), suggested,
             Html(f'</b> <span class="dim">{page.number(p)}</span></p></div>'))
        for tile, given, suggested, p in items
    ]  # fmt: skip
    rest = page.details(f"the others: {len(items) - SUSPECTS:,}", wall(shown[SUSPECTS:]))
    return page.section(
        title, text(opening, "Struck out: the label given. Bold: what it looks like, and how probable that is."),
        wall(shown[:SUSPECTS]), rest if len(items) > SUSPECTS else "", id="suspects",
    )  # fmt: skip


def warnings(found: Sequence[str]) -> Html:
    """What gives the label away without being in the picture.

    Args:
        found: one sentence each.

    Returns:
        The section.
    """
    none = "None found: the size, shape, format and date of the files do not tell the labels by themselves."
    return page.section("Shortcuts", *map(page.warning, found), text("" if found else none), id="shortcuts")


def made(rows: Sequence[tuple[str, str]]) -> Html:
    """How the report was made, so that it can be made again.

    Args:
        rows: what, and its value: versions, seed, times, options.

    Returns:
        The section.
    """
    body = page.table(("what", "value"), rows) if rows else text("Nothing was recorded.")
    return page.section("How this was made", body, id="made")


def _plain(issue: str) -> str:
    return issue.replace("_", " ")
