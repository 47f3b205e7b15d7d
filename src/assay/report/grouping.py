"""Groups as people see them: curves over the number of groups, contact sheets, and the page of a folder's groups.

Plain values, tiles and pictures go in, PNG files and HTML come out. What belongs together is decided elsewhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes

from ..stats.intervals import Estimate
from . import page, plots
from .gallery import wall
from .page import Html

_SIZE = (440, 280)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A group to show: its name, pictures, a line on its labels or "", tiles nearest to its middle, and farthest."""

    name: str
    count: int
    labels: str
    nearest: Sequence[str]
    farthest: Sequence[str]


def elbow(spreads: Mapping[int, float], bend: int | None, *, ax: Axes) -> None:
    """Draw how far pictures are from the middle of their group, by the number of groups.

    Args:
        spreads: mean squared distance, by number of groups.
        bend: the number at which the curve bends most, or None.
        ax: axes to draw on.
    """
    plots.frame(ax, "number of groups", "mean squared distance\nto the middle of the group")
    ks = sorted(spreads)
    ax.plot(ks, [spreads[k] for k in ks], color=plots.ACCENT, linewidth=2.2, marker="o", markersize=4)
    ax.set_xticks(ks if len(ks) <= 16 else ks[:: len(ks) // 8])
    ax.set_ylim(bottom=0)
    ax.margins(x=0.08)
    if bend is not None:
        ax.plot([bend], [spreads[bend]], "o", color=plots.INK, markersize=9)
        ax.annotate(f"bends at {bend}", (bend, spreads[bend]), xytext=(8, 8), color=plots.INK,
                    textcoords="offset points")  # fmt: skip


def curves(
    silhouettes: Mapping[int, float], spreads: Mapping[int, float], *, chosen: int, bend: int | None
) -> tuple[bytes, bytes]:
    """Draw both curves for sharing.

    Args:
        silhouettes: by number of groups, at least two.
        spreads: mean squared distance, by number of groups.
        chosen: the number of groups that was taken.
        bend: the number at which the second bends most, or None.

    Returns:
        PNG files of silhouettes and of spreads.
    """
    first = plots.png(lambda ax: plots.silhouettes(silhouettes, chosen, ax=ax), size=_SIZE)
    return first, plots.png(lambda ax: elbow(spreads, bend, ax=ax), size=_SIZE)


def document(
    name: str,
    headline: str,
    sentences: Sequence[str],
    *,
    sheets: Sequence[Sheet],
    more: int,
    rest: tuple[int, Sequence[str]],
    map_html: str,
    silhouettes: Mapping[int, float],
    spreads: Mapping[int, float],
    chosen: int,
    bend: int | None,
    agreement: Sequence[tuple[str, Estimate | None, float | None]],
    table: tuple[Sequence[str], Sequence[Sequence[str]]] | None,
    made: Sequence[tuple[str, str]],
    left_out: Sequence[tuple[str, str, str]],
) -> Html:
    """Write the page.

    Args:
        name: of the folder.
        headline: the answer in a sentence.
        sentences: how far to believe it.
        sheets: of the groups, the largest first.
        more: groups besides.
        rest: pictures in no group, and tiles of some.
        map_html: from `gallery.map_figure`, or "".
        silhouettes: by number of groups tried, or none.
        spreads: mean squared distance, by number of groups tried, or none.
        chosen: number of groups.
        bend: the number at which spreads bend most, or None.
        agreement: with labels: what it is, the figure, what a guess would reach.
        table: header and rows of labels against groups, or None.
        made: how the page came about, as (what, value).
        left_out: file, status and reason.

    Returns:
        The whole file.
    """
    shown = [_shown(sheet, number) for number, sheet in enumerate(sheets, 1)]
    tail = page.text(f"and {page.count(more, 'more group')}, in the table" if more else "", dim=True)
    parts = [page.section("Which groups are there?", *(shown or [page.text("None.")]), tail, id="groups")]
    if rest[0]:
        note = "The algorithm leaves them out, because too few others are near."
        tiles = wall(rest[1], more=rest[0] - len(rest[1]))
        parts.append(page.section(f"In no group: {rest[0]:,}", page.text(note), tiles, id="rest"))
    if map_html:
        how = "Pictures that are alike lie close together. Distances across the map mean nothing."
        parts.append(page.section("Where do they lie?", page.text(how, dim=True), map_html, id="map"))
    if len(silhouettes) > 1:
        parts.append(_numbers(silhouettes, spreads, chosen, bend))
    if agreement or table:
        tabled = page.table(*table, numeric=set(range(1, len(table[0])))) if table else ""
        note = page.text("The labels were not looked at when the pictures were grouped.", dim=True)
        parts.append(page.section("Are they the labels?", note, page.estimates(agreement), tabled, id="labels"))
    if left_out:
        parts.append(
            page.section("Left out", page.folded(["file", "status", "reason"], left_out, rest="others"), id="left-out")
        )
    parts.append(page.section("How was it made?", page.table(["what", "value"], made), id="made"))
    body = page.join(page.verdict(headline, sentences), *parts)
    return page.document(f"assay · {name}", "groups of pictures", body, footer="pictures read, none changed")


def _shown(sheet: Sheet, number: int) -> Html:
    title = sheet.name if sheet.name == f"group {number}" else f"{number} {sheet.name}"
    note = " · ".join(filter(None, (page.count(sheet.count, "picture"), sheet.labels)))
    odd = page.join(page.text("Farthest from its middle:", dim=True), wall(sheet.farthest)) if sheet.farthest else ""
    return page.join(page.heading(title, note=note), wall(sheet.nearest), odd)


def _numbers(silhouettes: Mapping[int, float], spreads: Mapping[int, float], chosen: int, bend: int | None) -> Html:
    best = max(silhouettes, key=lambda k: (silhouettes[k], -k))
    label = f"Silhouette by number of groups, highest at {best}; {chosen} groups were made"
    first = plots.svg(lambda ax: plots.silhouettes(silhouettes, chosen, ax=ax), label=label, size=_SIZE)
    said = f"it bends at {bend}" if bend else "it bends nowhere"
    label = f"Mean squared distance to the middle of the group by number of groups; {said}"
    second = plots.svg(lambda ax: elbow(spreads, bend, ax=ax), label=label, size=_SIZE)
    points = f"The silhouette is highest at {best} groups; in the curve of distances, {said}."
    why = "A silhouette near 1 means that groups are tight and far apart, near 0 that they run into each other."
    return page.section("How many groups?", page.text(points, why), page.two(first, second), id="number")
