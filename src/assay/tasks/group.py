"""Group: pictures into groups that look alike, by one of five algorithms, and how far to believe in them."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..data import delivery, folder, pictures
from ..data.collection import Collection, collect
from ..data.folder import Problem
from ..data.workspace import Workspace
from ..errors import InputError, UndefinedError
from ..models import backbone, cluster, layout, partitions, structure
from ..pixels.palette import palette
from ..report import record
from ..stats import partitions as agreement
from ..stats.intervals import Estimate, proportion
from ..workers.clock import Clock
from . import copies, group_page, looking, scan
from .verdict import said

FEATURES = ("network", "hsv")
_CHUNK = 1000  # thumbnails in memory at a time
_COMPONENTS = 50
_AGREEMENT: dict[str, Callable[..., Estimate]] = {
    "adjusted Rand index": agreement.adjusted_rand,
    "normalized mutual information": agreement.mutual_information,
    "accuracy of the best match": agreement.matched_accuracy,
}
_ONE = "The algorithm sees one kind of picture, and nothing to part it by."
_WORTH = {
    "clear": "The groups lie farther apart than what one cloud without groups gives, and are found again when the "
    "pictures are drawn again.",
    "weak": "There is more than one even cloud, but drawn again it is cut differently: take the groups as a way to "
    "look through the folder, not as kinds.",
    "none": "There is no group structure worth the name: one cloud without groups gives groups as good as these.",
    "unknown": "There are too few pictures to tell whether these are groups or chance.",
}


@dataclass(frozen=True, slots=True)
class Group:
    """Pictures that look alike.

    name: after what the network sees, or a number; count: of pictures; example: the file nearest to the middle;
    farthest: the file farthest from it; label: the one that it is matched to, or "".
    """

    name: str
    count: int
    example: str
    farthest: str
    label: str


@dataclass(frozen=True, slots=True)
class Grouping:
    """Groups of a folder's pictures, the largest first.

    pictures: how many were grouped; ungrouped: of them in no group; setting: what the algorithm was set to; worth:
    "clear", "weak", "none" or "unknown", as in `models.structure.Structure`; silhouette: -1 to 1, None where there are
    not two groups; stability: mean adjusted Rand index between redraws, None where it was not measured; silhouettes,
    spreads: by number of groups tried; best, bend: the number at which the first is highest, and at which the second
    bends most; agreement: with the labels, None where it cannot be said; written: the files that were made.
    """

    headline: str
    pictures: int
    groups: list[Group]
    ungrouped: int
    method: str
    features: str
    setting: str
    worth: str
    silhouette: float | None
    stability: float | None
    silhouettes: dict[int, float]
    spreads: dict[int, float]
    best: int | None
    bend: int | None
    agreement: dict[str, Estimate | None]
    notes: list[str]
    problems: list[Problem]
    written: list[str]
    seconds: float

    def _repr_html_(self) -> str:
        return record.as_html(self)


def group(
    path: str | os.PathLike[str],
    *,
    method: str = "kmeans",
    features: str = "network",
    k: int | None = None,
    labels: str = "folders",
    out: str | os.PathLike[str] | None = None,
    into: str | os.PathLike[str] | None = None,
    link: bool = False,
    seed: int = 0,
    processes: int | None = None,
    tell: Callable[[str], None] = lambda _: None,
    stop: Callable[[], bool] = lambda: False,
) -> Grouping:
    """Put the pictures of a folder into groups that look alike, and ask whether there are groups at all.

    Args:
        path: the folder; it is never written to.
        method: "kmeans", "hierarchical", "dbscan", "hdbscan" or "meanshift".
        features: "network", what pictures show, or "hsv", their colours.
        k: number of groups, for k-means and hierarchical; by default the fewest whose silhouette is as large as any but
            for chance, of 2 to 12, or to one for each 8 pictures, 40 at most.
        labels: to compare with, never to group by: "folders", "none", or a CSV file with the columns file and label.
        out: the workspace, shared with `run`; `./<name>.assay` by default.
        into: a new folder for the pictures, one folder a group; by default none is made.
        link: put links there, rather than copies.
        seed: of everything random.
        processes: that read pictures; as many as processors by default.
        tell: shows a line about progress.
        stop: asked between batches; True ends the work.

    Returns:
        The groups.

    Raises:
        InputError: an option is not allowed, there are not two pictures, or fewer than k that differ, or `into` is not
            new or lies within the folder.
        WorkspaceError: the workspace is held, newer, full or cannot be written.
        KeyboardInterrupt: stop said True; everything read so far is kept.
    """
    root, began = Path(path), time.monotonic()
    partitions.check(method, k)
    if features not in FEATURES:
        raise InputError(f"features must be one of {', '.join(FEATURES)}, got {features!r}")
    if labels not in ("folders", "none") and not Path(labels).is_file():
        raise InputError(f"--labels must be folders, none or a CSV file, got {labels!r}")
    if seed < 0:
        raise InputError(f"seed must be >= 0, got {seed!r}")
    if link and into is None:
        raise InputError("--link needs --into, the folder that the links go to")
    listing = folder.walk(root)
    if k is not None and k > len(listing.files):
        raise InputError(f"k must be <= {len(listing.files)}, the number of files in {root}, got {k}")
    place = None if into is None else _new(root, into)
    with Workspace(scan.place(root, out), width=backbone.WIDTH) as workspace:
        n = len(listing.files)
        network = features == "network"  # colours need none, and copies are then known by bytes and hashes alone
        clock = Clock(
            {
                "reading and seeing" if network else "reading": n / (100 if network else 500),
                "copies": n / 3000,
                "groups": 5 + n / 400,
                "writing": 3.0,
            },
            tell=tell,
            job="group",
            units=n,
        )
        read = scan.refresh(workspace, root, listing, features=network, processes=processes, clock=clock, stop=stop)
        seen = collect(workspace.table, features=network)
        if len(seen) < 2:
            raise InputError(f"grouping needs 2 pictures, got {len(seen)} in {root}")
        known = folder.labels(labels, list(seen.paths))
        clock.begin("copies", 1)
        same = copies.find(workspace, seen).group
        clock.begin("groups", 1)
        rng = np.random.default_rng(seed)
        rows = seen.features if network else palettes(seen)
        points = cluster.reduce(rows, components=_COMPONENTS, rng=rng)
        found = partitions.partition(points, method=method, k=k, rng=rng)
        worthy = structure.ask(points, found, method=method, k=k, rng=rng)
        places = layout.layout(points, rng=rng)
        names = _names(seen, found.labels, features)
        told, match = _agreement(known.label, found.labels, same, rng=rng)
        clock.begin("writing", 1)
        summary = scan.summary(workspace, root, listing, read=read, seconds=0.0)
        bend = partitions.knee(found.spreads)
        best = max(found.silhouettes, key=lambda j: (found.silhouettes[j], -j), default=None)
        files = np.array([seen.name(i) for i in range(len(seen))], object)
        groups = [_group(names[g], files, found, g, match.get(g, "")) for g in range(found.k)]
        headline = _headline(found, worthy.verdict, len(seen))
        worth = _ONE if found.k == 1 and worthy.verdict == "none" else _WORTH[worthy.verdict]
        notes = [worth, *_notes(found, best, bend, chosen=k)] if found.k else []
        notes += [f"{name[:1].upper()}{name[1:]}: {said(e)}." for name, e in told.items() if e is not None]
        written = group_page.write(
            workspace,
            root,
            seen,
            known,
            found,
            places,
            headline=headline,
            sentences=notes,
            names=names,
            match=match,
            bend=bend,
            agreement=[(name, e, _guess(name, known.label)) for name, e in told.items()],
            made=_made(method, features, found, worthy, seed=seed, labels=known.source),
            problems=summary.problems,
            seed=seed,
        )
        clock.finish()
    if place is not None:
        _deliver(root, place, files, found.labels, names, link=link, stop=stop)
        written.append(str(place))
    return Grouping(
        headline=headline,
        pictures=len(files),
        groups=groups,
        ungrouped=int((found.labels < 0).sum()),
        method=method,
        features=features,
        setting=found.setting,
        worth=worthy.verdict,
        silhouette=_finite(found.silhouette),
        stability=_finite(worthy.stability),
        silhouettes=found.silhouettes,
        spreads=found.spreads,
        best=best,
        bend=bend,
        agreement=told,
        notes=notes,
        problems=summary.problems,
        written=written,
        seconds=time.monotonic() - began,
    )


def palettes(seen: Collection) -> np.ndarray:
    """Count the colours of pictures on their thumbnails: nothing is read from the folder again.

    Args:
        seen: n pictures.

    Returns:
        float32 (n, 128), as in `pixels.palette`.
    """
    rows = []
    for start in range(0, len(seen), _CHUNK):
        indices = list(range(start, min(start + _CHUNK, len(seen))))
        jpegs = seen.thumbnails(indices)
        rows += [palette(pictures.decode(jpegs[i], pictures.header(jpegs[i]))) for i in indices]
    return np.stack(rows)


def _names(seen: Collection, labels: np.ndarray, features: str) -> list[str]:
    k = int(labels.max(initial=-1)) + 1
    if features == "hsv":
        return [f"group {g + 1}" for g in range(k)]
    inside = labels >= 0
    return cluster.names(
        labels[inside], seen.classes[inside], seen.class_scores[inside], class_names=backbone.class_names()
    )


def _agreement(
    labels: np.ndarray, found: np.ndarray, same: np.ndarray, *, rng: np.random.Generator
) -> tuple[dict[str, Estimate | None], dict[int, str]]:
    """Compare with the labels, where there are two of them; copies are drawn together."""
    known = np.array([bool(x) for x in labels])
    own = labels[known].astype(str)
    if len(np.unique(own)) < 2:
        return {}, {}
    told: dict[str, Estimate | None] = {}
    for name, figure in _AGREEMENT.items():
        try:
            told[name] = figure(own, found[known], groups=same[known], rng=rng)
        except UndefinedError:
            told[name] = None
    return told, agreement.match(own, found[known])


def _guess(name: str, labels: np.ndarray) -> float | None:
    """Say what a guess would reach: one group for all is right as often as the largest label."""
    if name != "accuracy of the best match":
        return 0.0 if name == "adjusted Rand index" else None
    counts = np.unique([x for x in labels if x], return_counts=True)[1]
    return proportion(int(counts.max()), int(counts.sum())).value


def _group(name: str, files: np.ndarray, found: partitions.Partition, g: int, label: str) -> Group:
    rows = np.flatnonzero(found.labels == g)
    away = found.distances[rows]
    return Group(name, len(rows), files[rows[away.argmin()]], files[rows[away.argmax()]], label)


def _headline(found: partitions.Partition, worth: str, n: int) -> str:
    none = int((found.labels < 0).sum())
    if found.k == 0:
        return f"No groups among {n:,} pictures: nowhere do enough of them lie close together."
    if found.k == 1:
        rest = f", and {none:,} in none" if none else ""
        return f"{n:,} pictures make one group{rest}."
    rest = f"; {none:,} are in none" if none else ""
    opening = "No real groups: " if worth == "none" else ""
    return f"{opening}{n:,} pictures in {found.k:,} groups{rest}."


def _notes(found: partitions.Partition, best: int | None, bend: int | None, *, chosen: int | None) -> list[str]:
    """Say which number of groups each curve points to."""
    if best is None:
        return []
    elbow = f"the curve of distances bends most at {bend}" if bend else "the curve of distances bends nowhere"
    taken = f"{found.k} were asked for" if chosen is not None else f"{found.k} were made"
    if chosen is None and found.k < best:
        taken += ", the fewest that are as far apart but for chance"
    return [f"The silhouette is highest at {best} groups, {elbow}; {taken}."]


def _made(
    method: str, features: str, found: partitions.Partition, worthy: structure.Structure, *, seed: int, labels: str
) -> list[tuple[str, str]]:
    what = f"{backbone.identity()}" if features == "network" else "colours: histogram of hue, saturation and value"
    tested = "not measured"
    if worthy.null:
        reached = f"{sum(s >= worthy.silhouette for s in worthy.null)} of {len(worthy.null)}"
        tested = f"{worthy.silhouette:.3f}; {reached} groups in clouds reach it, the best {max(worthy.null):.3f}"
    stable = "not measured" if np.isnan(worthy.stability) else f"{worthy.stability:.2f}"
    return [
        ("algorithm", f"{method}: {found.setting}"),
        ("features", f"{what}; {_COMPONENTS} principal directions at most"),
        ("silhouette, on at most 300 pictures", tested),
        ("the same groups when drawn again (adjusted Rand index)", stable),
        ("labels, for comparison", labels),
        ("seed", str(seed)),
    ]


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _new(root: Path, into: str | os.PathLike[str]) -> Path:
    place = looking.out_folder(root, into, ending="groups")
    if any(place.iterdir()):
        raise InputError(f"--into must be a new or empty folder, got {place} with files in it")
    return place


def _deliver(
    root: Path, place: Path, files: np.ndarray, labels: np.ndarray, names: list[str], *, link: bool,
    stop: Callable[[], bool],
) -> None:  # fmt: skip
    """Put each picture into the folder of its group, below the folders that it lay in."""
    digits = len(str(len(names)))
    for file, g in zip(files, labels.tolist(), strict=True):
        if stop():
            raise KeyboardInterrupt
        name = "in no group" if g < 0 else f"{g + 1:0{digits}} {names[g].replace('/', ' ')}"
        target, source = place / name / file, (root / file).resolve()
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            if link:
                target.symlink_to(source)
            else:
                delivery.swap(target, source.read_bytes())
        except OSError as e:
            raise InputError(f"--into must be a folder that pictures can be copied to, got {e}") from e
