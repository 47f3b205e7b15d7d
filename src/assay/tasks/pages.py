"""Pages: the report of a run and its list of pictures, put together from what the steps found."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from ..data.collection import Collection
from ..data.folder import Labels
from ..data.workspace import Workspace
from ..pixels.facts import Facts
from ..report import gallery, page, record, sections, trust
from ..stats.intervals import Estimate
from .contest import Contest
from .copies import Copies
from .copies import Group as Same
from .judgement import Measures
from .kinds import Groups
from .learning import Learned
from .scan import Scan, flags
from .sealed import Judgement
from .trial import Trial
from .verdict import Verdict, said

_TILES = 8  # thumbnails that an issue or a group shows
_SETS = 12  # sets of copies that are shown
_CELLS = 8  # confused pairs of classes that are shown
_SUSPECTS = 48
_ON_MAP = 400  # thumbnails that the map is offered
_OUTLIERS = 12


class _Wall:
    """Thumbnails that the report will need, fetched in one go, then turned into tiles."""

    def __init__(self, pictures: Collection) -> None:
        self._pictures = pictures
        self._jpegs: dict[int, bytes] = {}

    def fetch(self, indices: set[int]) -> None:
        self._jpegs = self._pictures.thumbnails(sorted(indices))

    def tile(self, index: int) -> str:
        return gallery.tile(self._jpegs.get(int(index)), self._pictures.name(int(index)))

    def jpeg(self, index: int) -> bytes:
        return self._jpegs.get(index, b"")


def report(
    workspace: Workspace,
    root: Path,
    verdict: Verdict,
    scan: Scan,
    pictures: Collection,
    labels: Labels,
    copies: Copies,
    groups: Groups,
    learned: Learned | None,
    judgement: Judgement | None,
    trial: Trial | None,
    contests: Sequence[Contest],
    *,
    made: list[tuple[str, str]],
    seed: int,
) -> str:
    """Write the report of a run.

    Args:
        workspace: open.
        root: the folder of pictures.
        verdict: comes first.
        scan: of the folder.
        pictures: of the folder.
        labels: of the pictures.
        copies: among them.
        groups: of them.
        learned: the classifier, or None.
        judgement: of it, or None.
        trial: of tiles, or None.
        contests: with other ways of learning.
        made: how the report came about, as (what, value).
        seed: of what the map shows.

    Returns:
        One HTML page that needs nothing else.
    """
    rng = np.random.default_rng(seed)
    flagged = _flagged(workspace, pictures)
    examples = {name: [int(i) for i in found[:_TILES]] for name, found in flagged.items()}
    shown = _spread(groups, rng)
    wall = _Wall(pictures)
    confused = _confused(learned, judgement) if learned and judgement else []
    wanted = {i for found in examples.values() for i in found} | set(shown)
    wanted |= {i for g in _first(copies) for i in [g.keep, *g.others[:_TILES]]}
    wanted |= {i for k in range(len(groups.names)) for i in groups.examples(k, _TILES)}
    wanted |= {int(i) for i in groups.outliers[:_OUTLIERS]} | {i for *_, found in confused for i in found}
    wanted |= {s.index for s in learned.suspects[:_SUSPECTS]} if learned else set()
    wall.fetch(wanted)

    parts: list[str] = [page.verdict(verdict.headline, verdict.sentences, dim=verdict.settle)]
    if learned is not None and judgement is not None:
        parts += _judged(learned, judgement, confused, wall, trial)
        parts += [_contests(learned, contests)] if contests else []
    problems = [(p.path, p.status, p.reason) for p in scan.problems]
    tiles = {name: (len(found), [wall.tile(i) for i in examples[name]]) for name, found in flagged.items()}
    parts += [
        sections.folder(scan.statuses, tiles, problems, scan.skipped),
        sections.copies(*([_set(g, wall) for g in copies.groups if g.exact is exact] for exact in (True, False))),
        _groups(pictures, labels, groups, wall, rng),
    ]
    if learned is not None and judgement is not None:
        parts.append(_split(learned))
        suspects = [(wall.tile(s.index), s.given, s.suggested, s.probability) for s in learned.suspects[:_SUSPECTS]]
        parts += [sections.suspects(suspects), sections.warnings(_shortcuts(learned))]
    parts.append(sections.made(made))
    name = page.visible(root.resolve().name)
    when = f"{datetime.now(UTC).astimezone():%-d %B %Y, %H:%M}"
    footer = f"assay · seed {seed} · {page.visible(str(root))} · pictures read, none changed"
    return page.document(f"assay · {name}", when, page.join(*parts), footer=footer)


def listing(
    workspace: Workspace,
    pictures: Collection,
    labels: Labels,
    copies: Copies,
    groups: Groups,
    learned: Learned | None,
    judgement: Judgement | None,
) -> str:
    """Write the list of files: one row each, with everything that was found out about it.

    Args:
        workspace: open.
        pictures: of the folder.
        labels: of the pictures.
        copies: among them.
        groups: of them.
        learned: the classifier, or None.
        judgement: of it, or None.

    Returns:
        CSV, in the order of the paths.
    """
    place: dict[bytes, int] = {path: i for i, path in enumerate(pictures.paths)}
    marks: dict[str, dict[int, object]] = {"copy_set": {}, "keep": {}, "part": {}, "predicted": {}, "suggested": {}}
    for number, g in enumerate(copies.groups, 1):
        for i in [g.keep, *g.others]:
            marks["copy_set"][i] = number
            marks["keep"][i] = "yes" if i == g.keep else "no" if i in g.spare else "look"
    if learned is not None and judgement is not None:
        marks["part"] = dict(zip(learned.used.tolist(), learned.part.tolist(), strict=True))
        chances = learned.probabilities.mean(axis=0)
        at = learned.used[learned.development].tolist()
        marks["predicted"] = {i: learned.classes[c] for i, c in zip(at, chances.argmax(axis=1), strict=True)}
        sealed = learned.used[learned.sealed].tolist()
        marks["predicted"] |= {i: learned.classes[c] for i, c in zip(sealed, judgement.predictions, strict=True)}
        marks["suggested"] = {s.index: s.suggested for s in learned.suspects}
    flagged = {name: set(found) for name, found in _flagged(workspace, pictures).items()}
    facts = list(Facts.__dataclass_fields__)
    columns = ["path", "status", "reason", "bytes", "format", "width", "height", "taken", "sha256"]
    header = ["file", *columns[1:], *facts, "issues", "group", "map_x", "map_y", "label", *marks]
    rows = []
    for row in workspace.table.read([*columns, "facts"]).to_pylist():
        known = [os.fsdecode(row["path"]), *(row[c] for c in columns[1:]), *(row["facts"] or [None] * len(facts))]
        if row["path"] not in place:
            rows.append([*known, *[""] * (len(header) - len(known))])
            continue
        i = place[row["path"]]
        x, y = (round(float(v), 4) for v in groups.map[i])
        issues = " ".join(name for name, found in flagged.items() if i in found)
        own = [issues, groups.names[groups.label[i]], x, y, labels.label[i]]
        rows.append([*known, *own, *(marks[m].get(i, "") for m in marks)])
    return record.as_csv(header, rows)


def _flagged(workspace: Workspace, pictures: Collection) -> dict[str, list[int]]:
    """Return the pictures that have each issue, the worst first."""
    place = {path: i for i, path in enumerate(pictures.paths)}
    good = workspace.table.read(["path", "facts", "width", "height", "mode"], where="status = 'ok'")
    index = np.array([place.get(path, -1) for path in good["path"].to_pylist()], int)
    found = {}
    for name, (scores, flagged) in flags(good).items():
        order = np.argsort(scores, kind="stable")
        found[name] = [int(index[i]) for i in order if flagged[i] and index[i] >= 0]
    return found


def _judged(
    learned: Learned,
    judgement: Judgement,
    confused: list[tuple[str, str, int, list[int]]],
    wall: _Wall,
    trial: Trial | None,
) -> list[str]:
    """Put together what follows the verdict: how good, what a flag means."""
    cutoff = judgement.cutoff
    per_class = [
        (name, recall, precision, auc, int((learned.label[learned.sealed] == c).sum()))
        for c, (name, recall, precision, auc) in enumerate(
            zip(learned.classes, judgement.sealed.recall, judgement.sealed.precision, judgement.sealed.auc, strict=True)
        )
    ]
    test = _figures(judgement.sealed, learned)
    if cutoff is not None:
        test += [
            (f"Sensitivity ({cutoff.positive})", cutoff.sensitivity, None),
            ("Specificity", cutoff.specificity, None),
        ]
    if judgement.refused is not None and learned.novelty is not None:
        test.append((f"Refused as “none of these” (aim: {learned.novelty.rate:g})", judgement.refused, None))
    parts: list[str] = [
        sections.results(
            test,
            _figures(judgement.repeated, learned),
            per_class=per_class,
            matrix=judgement.matrix,
            classes=learned.classes,
            curves=judgement.curves,
            cutoff=cutoff.threshold if cutoff else None,
            bins=judgement.reliability,
            confused=[(a, b, n, [wall.tile(i) for i in found]) for a, b, n, found in confused],
        )
    ]
    if trial is not None:
        parts.append(_trial(trial))
    if cutoff is not None:
        parts.append(trust.meaning(cutoff.positive, cutoff.prevalence, cutoff.frequencies, cutoff.ppv, cutoff.npv))
    return parts


def _figures(measures: Measures, learned: Learned) -> list[tuple[str, Estimate | None, float | None]]:
    k = len(learned.classes)
    rows: list[tuple[str, Estimate | None, float | None]] = [
        ("Accuracy", measures.accuracy, measures.baseline.value),
        ("Balanced accuracy", measures.balanced_accuracy, 1 / k),
    ]
    if k == 2:
        rows.append(("AUC", measures.auc[1], 0.5))
    return [*rows, ("Log loss (nats)", measures.log_loss, None)]


def _trial(trial: Trial) -> str:
    change = f"{trial.gain.value:+.3f} nats ({trial.gain.low:+.3f} to {trial.gain.high:+.3f})"
    where = (
        f"Tried on {trial.pictures} pictures that are not sealed: with 3 × 3 tiles the log loss changes by {change}."
    )
    if trial.pays:
        advice = "Small things matter here: run again with --tiles, it takes about ten times as long."
    else:
        advice = "That is no proof that tiles would help: the whole picture is enough."
    return page.section("Would a closer look pay?", page.text(where, advice), id="tiles")


def _contests(learned: Learned, contests: Sequence[Contest]) -> str:
    """Say which way of learning is better, and by how much."""
    rows = []
    for c in contests:
        rows.append((f"{c.first} less {c.second}, {c.pictures:,} sealed pictures", c.accuracy))
        rows.append((f"{c.first} less {c.second}, by cross-validation on the rest", c.out_of_fold))
    cells = [[name, f"{e.value:+.3f}", f"{e.low:+.3f} to {e.high:+.3f}"] for name, e in rows]
    table = page.folded(["difference of the accuracies", "value", "interval"], cells, rest="others", numeric=(1, 2))
    ways = [f"{t.method}: {t.words}." for t in (learned.taught, *learned.rivals)]
    said = [c.words for c in contests]
    return page.section(
        "Which way of learning is better?", page.text(*said), table, page.text(*ways, dim=True), id="ways"
    )


def _groups(
    pictures: Collection,
    labels: Labels,
    groups: Groups,
    wall: _Wall,
    rng: np.random.Generator,
) -> str:
    cards = [
        (
            name,
            int((groups.label == k).sum()),
            _shares(labels.label[groups.label == k]),
            [wall.tile(i) for i in groups.examples(k, _TILES)],
        )
        for k, name in enumerate(groups.names)
    ]
    drawn = ""
    if len(pictures) > 2:
        jpegs = [wall.jpeg(i) for i in range(len(pictures))]
        map_ = gallery.picture_map(groups.map, jpegs, groups.label, rng=rng)
        drawn = gallery.map_figure(map_, groups.map, groups.label, names=groups.names)
    outliers = [wall.tile(i) for i in groups.outliers[:_OUTLIERS]]
    return sections.groups(cards, groups.silhouettes, len(groups.names), drawn, outliers)


def _spread(groups: Groups, rng: np.random.Generator) -> list[int]:
    """Choose pictures for the map, spread over its area: one for each small square that has any."""
    n = len(groups.label)
    if n <= _ON_MAP:
        return list(range(n))
    side = int(np.sqrt(_ON_MAP))
    cells = (groups.map * (side - 1e-6)).astype(int) @ [1, side]
    order = rng.permutation(n)
    return sorted(int(order[i]) for i in np.unique(cells[order], return_index=True)[1])


def _shares(labels: np.ndarray) -> str:
    """Say which labels a group has, the two most frequent."""
    names, counts = np.unique([x for x in labels if x], return_counts=True)
    order = np.argsort(-counts)[:2]
    return ", ".join(f"{counts[i] / len(labels):.0%} {names[i]}" for i in order)


def _first(copies: Copies) -> list[Same]:
    exact = [g for g in copies.groups if g.exact][:_SETS]
    return exact + [g for g in copies.groups if not g.exact][:_SETS]


def _set(g: Same, wall: _Wall) -> tuple[str, str, list[str]]:
    return wall.tile(g.keep), g.why, [wall.tile(i) for i in g.others]


def _confused(learned: Learned, judgement: Judgement) -> list[tuple[str, str, int, list[int]]]:
    """Return the pairs of classes that are confused most, with pictures of the sealed part."""
    y = learned.label[learned.sealed]
    wrong = judgement.matrix * (1 - np.eye(len(learned.classes), dtype=int))
    found = []
    for cell in np.argsort(-wrong, axis=None, kind="stable")[:_CELLS]:
        a, b = divmod(int(cell), len(learned.classes))
        if wrong[a, b]:
            there = learned.used[learned.sealed[(y == a) & (judgement.predictions == b)]]
            found.append((learned.classes[a], learned.classes[b], int(wrong[a, b]), there[:_TILES].tolist()))
    return found


def _split(learned: Learned) -> str:
    parts = {
        part: {
            name: int(((learned.part == part) & (learned.label == c)).sum()) for c, name in enumerate(learned.classes)
        }
        for part in ("train", "val", "test")
        if (learned.part == part).any()
    }
    how = [
        f"Split {learned.split_by}.",
        "Everything was chosen by cross-validation outside the sealed part; the model was then fitted on all of that.",
        *learned.notes,
    ]
    return sections.split(parts, how)


def _shortcuts(learned: Learned) -> list[str]:
    found = []
    for s in learned.shortcuts:
        how = f"balanced accuracy {said(s.accuracy)}, where chance gives {s.chance:.2f}"
        found.append(
            f"The {s.name} alone predicts the label: {how}. The model may have learned it instead of what the "
            "pictures show; gather pictures where it does not differ."
        )
    return found
