"""The files of a grouping: the page with contact sheets and a map, the table, and the curves."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from ..data.collection import Collection
from ..data.folder import Labels, Problem
from ..data.workspace import Workspace
from ..models.partitions import Partition
from ..report import gallery, grouping, page, record
from ..stats.intervals import Estimate
from ..stats.partitions import contingency

REPORT, TABLE, SILHOUETTES, ELBOW, MAP = "groups.html", "groups.csv", "silhouettes.png", "elbow.png", "map.jpg"
_SHEETS = 24  # groups that the page shows
_NEAREST, _FARTHEST, _REST = 12, 4, 24  # thumbnails of a group, and of what is in none
_ON_MAP = 400
_COLUMNS = 12  # groups, and labels, up to which they are set against each other


def write(
    workspace: Workspace,
    root: Path,
    seen: Collection,
    known: Labels,
    found: Partition,
    places: np.ndarray,
    *,
    headline: str,
    sentences: Sequence[str],
    names: Sequence[str],
    match: Mapping[int, str],
    bend: int | None,
    agreement: Sequence[tuple[str, Estimate | None, float | None]],
    made: Sequence[tuple[str, str]],
    problems: Sequence[Problem],
    seed: int,
) -> list[str]:
    """Write page, table, map and curves into the workspace.

    Args:
        workspace: open.
        root: the folder of pictures.
        seen: its pictures.
        known: their labels.
        found: their groups.
        places: (n, 2), of the map.
        headline: the answer in a sentence.
        sentences: how far to believe it.
        names: of the groups.
        match: group to label.
        bend: number of groups at which the curve of distances bends, or None.
        agreement: what it is, the figure, what a guess would reach.
        made: how it was done, as (what, value).
        problems: files that are no pictures.
        seed: of what the map shows.

    Returns:
        The paths of the files.
    """
    rng = np.random.default_rng(seed)
    labels, n = found.labels, len(found.labels)
    nearest, farthest = _ends(found)
    rest = np.flatnonzero(labels < 0)
    shown = np.sort(rng.permutation(n)[:_ON_MAP])
    wanted = {int(i) for rows in (*nearest, *farthest, rest[:_REST], shown) for i in rows}
    jpegs = seen.thumbnails(sorted(wanted))
    placed = set(shown.tolist())

    def tiles(rows: np.ndarray) -> list[str]:
        return [gallery.tile(jpegs.get(int(i)), seen.name(int(i))) for i in rows]

    sheets = [
        grouping.Sheet(names[g], int((labels == g).sum()), _shares(known.label[labels == g]), tiles(near), tiles(far))
        for g, (near, far) in enumerate(zip(nearest, farthest, strict=True))
    ]
    called = [*names, "in no group"] if len(rest) else list(names)
    on_map = np.where(labels < 0, len(names), labels)
    drawn = gallery.picture_map(places, [jpegs.get(i, b"") if i in placed else b"" for i in range(n)],
                                on_map, rng=rng)  # fmt: skip
    text = grouping.document(
        page.visible(root.resolve().name),
        headline,
        sentences,
        sheets=sheets,
        more=len(names) - len(sheets),
        rest=(len(rest), tiles(rest[:_REST])),
        map_html=gallery.map_figure(drawn, places, on_map, names=called),
        silhouettes=found.silhouettes,
        spreads=found.spreads,
        chosen=found.k,
        bend=bend,
        agreement=agreement,
        table=_against(known.label, labels, names),
        made=made,
        left_out=[(p.path, p.status, p.reason) for p in problems],
    )
    files: dict[str, bytes | str] = {REPORT: text, TABLE: _table(seen, known, found, places, names, match), MAP: drawn}
    if len(found.silhouettes) > 1:
        files[SILHOUETTES], files[ELBOW] = grouping.curves(found.silhouettes, found.spreads, chosen=found.k, bend=bend)
    return [str(workspace.write(name, data)) for name, data in files.items()]


def _ends(found: Partition) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Return, of each group that is shown, the pictures nearest to its middle, and others that are farthest."""
    nearest, farthest = [], []
    for g in range(min(found.k, _SHEETS)):
        rows = np.flatnonzero(found.labels == g)
        rows = rows[np.argsort(found.distances[rows], kind="stable")]
        nearest.append(rows[:_NEAREST])
        farthest.append(rows[_NEAREST:][::-1][:_FARTHEST])
    return nearest, farthest


def _shares(labels: np.ndarray) -> str:
    """Say which labels a group has, the two most frequent."""
    given, counts = np.unique([x for x in labels if x], return_counts=True)
    order = np.argsort(-counts, kind="stable")[:2]
    return ", ".join(f"{counts[i] / len(labels):.0%} {given[i]}" for i in order)


def _against(labels: np.ndarray, found: np.ndarray, names: Sequence[str]) -> tuple[list[str], list[list[str]]] | None:
    """Set labels against groups, where they are few enough to be read."""
    known = np.array([bool(x) for x in labels])
    table, rows, columns = contingency(labels[known].astype(str), found[known])
    if not 2 <= len(rows) <= _COLUMNS or len(columns) > _COLUMNS:
        return None
    header = ["label", *("in no group" if g < 0 else names[g] for g in columns)]
    return header, [[str(row), *(f"{count:,}" for count in counts)] for row, counts in zip(rows, table, strict=True)]


def _table(
    seen: Collection,
    known: Labels,
    found: Partition,
    places: np.ndarray,
    names: Sequence[str],
    match: Mapping[int, str],
) -> str:
    """Write one row a picture, in the order of the paths."""
    rows = []
    for i, g in enumerate(found.labels.tolist()):
        inside = g >= 0
        own = (g + 1, names[g], round(float(found.distances[i]), 6)) if inside else ("", "", "")
        x, y = (round(float(v), 4) for v in places[i])
        rows.append([seen.name(i), *own, known.label[i], match.get(g, ""), x, y])
    header = ["file", "group", "name", "distance", "label", "label_of_group", "map_x", "map_y"]
    return record.as_csv(header, rows)
