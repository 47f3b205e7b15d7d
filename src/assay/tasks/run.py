"""Run: the main job, from a folder of pictures to a verdict, a report, a list and a model."""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..data import folder
from ..data.collection import Collection, collect
from ..data.workspace import Workspace
from ..errors import InputError, UndefinedError
from ..models import backbone, network, saved
from ..models.tuning import Plan
from ..report import record
from ..stats.intervals import Estimate
from ..workers.clock import Clock
from . import contest, copies, kinds, learning, pages, scan, sealed, verdict
from .contest import Contest
from .judgement import check
from .trial import Trial, try_tiles

_SPLITS = "splits.json"


@dataclass(frozen=True, slots=True)
class Run:
    """What a run found, and where it wrote it.

    trunk_bytes: that what frozen layers gave takes in the workspace, for later runs.
    """

    headline: str
    sentences: list[str]
    scan: scan.Scan
    copies: int
    groups: dict[str, int]
    accuracy: Estimate | None
    auc: dict[str, Estimate | None]
    judgement: sealed.Judgement | None
    method: str
    contests: list[Contest]
    report: str
    table: str
    model: str | None
    trunk_bytes: int
    seconds: dict[str, float]

    def _repr_html_(self) -> str:
        return record.as_html(self)


def run(
    path: str | os.PathLike[str],
    *,
    labels: str = "folders",
    out: str | os.PathLike[str] | None = None,
    positive: str | None = None,
    specificity: float | None = None,
    cost_fp: float = 1.0,
    cost_fn: float = 1.0,
    prevalence: float | None = None,
    tiles: bool = False,
    seed: int = 0,
    processes: int | None = None,
    tell: Callable[[str], None] = lambda _: None,
    stop: Callable[[], bool] = lambda: False,
) -> Run:
    """Do the main job on a folder of pictures.

    Args:
        path: the folder; it is never written to.
        labels: "folders", "none", or a CSV file with the columns file and label.
        out: the workspace; `./<name>.assay` by default.
        positive: of two classes, the one that a flag means; the rarer by default.
        specificity: share of negatives that the cut-off must pass; by default the cut-off has least cost.
        cost_fp: cost of a false alarm.
        cost_fn: cost of a miss, in the same unit.
        prevalence: share of positives where the model will be used; as in the labels by default.
        tiles: look at 3 x 3 tiles of each picture too.
        seed: of the split and of everything random.
        processes: that read pictures; as many as processors by default.
        tell: shows a line about progress.
        stop: asked between batches; True ends the run after the one under way.

    Returns:
        What was found; where no classifier could be made, the verdict says why.

    Raises:
        InputError: an argument is not allowed, or there is no file in the folder.
        WorkspaceError: the workspace is held, newer, full or cannot be written.
        KeyboardInterrupt: stop said True; everything read so far is kept.
    """
    return work(
        Path(path),
        labels=labels,
        out=out,
        positive=positive,
        specificity=specificity,
        cost_fp=cost_fp,
        cost_fn=cost_fn,
        prevalence=prevalence,
        tiles=tiles,
        seed=seed,
        processes=processes,
        tell=tell,
        stop=stop,
    )


def work(
    root: Path,
    *,
    labels: str,
    out: str | os.PathLike[str] | None,
    positive: str | None,
    specificity: float | None,
    cost_fp: float,
    cost_fn: float,
    prevalence: float | None,
    tiles: bool,
    plans: Sequence[Plan | None] = (None,),
    seed: int,
    processes: int | None,
    tell: Callable[[str], None],
    stop: Callable[[], bool],
) -> Run:
    """Do the main job with any way of learning; `run` and `learn` are this.

    Args:
        root: as `run`, and so are the others.
        labels: of the pictures.
        out: the workspace.
        positive: of two classes.
        specificity: of the cut-off.
        cost_fp: of a false alarm.
        cost_fn: of a miss.
        prevalence: where it will be used.
        tiles: look at tiles too.
        plans: of networks to teach; None is the head on features. The first is the model, the others its rivals.
        seed: of everything random.
        processes: that read pictures, and threads that teach.
        tell: shows a line about progress.
        stop: ends the work.

    Returns:
        As `run`.
    """
    listing = folder.walk(root)
    if not listing.files:
        raise InputError(f"PATH must hold pictures, got no file in {root}")
    if labels not in ("folders", "none") and not Path(labels).is_file():
        raise InputError(f"--labels must be folders, none or a CSV file, got {labels!r}")
    check(specificity=specificity, cost_fp=cost_fp, cost_fn=cost_fn, prevalence=prevalence, seed=seed)
    if any(plans):
        network.torch()  # is it there? Better to know now than after an hour
    began = time.monotonic()
    with Workspace(scan.place(root, out), width=backbone.WIDTH) as workspace:
        clock = _clock(labels, listing, plans, tiles=tiles, tell=tell)
        read = scan.refresh(
            workspace, root, listing, features=True, tiles=tiles, processes=processes, clock=clock, stop=stop
        )
        pictures = collect(workspace.table, tiles=tiles)
        known = folder.labels(labels, list(pictures.paths))

        clock.begin("copies", 1)
        same = copies.find(workspace, pictures)
        clock.begin("groups", 1)
        groups = kinds.find(workspace, pictures, seed=seed)
        learned: learning.Learned | None = None
        judgement: sealed.Judgement | None = None
        trial: Trial | None = None
        contests: list[Contest] = []
        why = ""
        try:
            if any(known.label):
                clock.begin("learning", 1)
                learned = _learn(
                    workspace,
                    root,
                    pictures,
                    known,
                    same,
                    plans,
                    seed=seed,
                    processes=processes,
                    clock=clock,
                    stop=stop,
                )
                if not tiles and plans == (None,):
                    trial = try_tiles(workspace, root, pictures, learned, seed=seed, processes=processes)
                clock.begin("judging", 1)
                judgement = sealed.judge(
                    workspace,
                    pictures,
                    learned,
                    positive=positive,
                    specificity=specificity,
                    cost_fp=cost_fp,
                    cost_fn=cost_fn,
                    prevalence=prevalence,
                    seed=seed,
                )
                contests = contest.hold(learned)
        except UndefinedError as e:
            why = str(e)
        clock.begin("writing the report", 1)
        found = scan.summary(workspace, root, listing, read=read, seconds=time.monotonic() - began)
        if learned is not None and judgement is not None:
            answer = verdict.judged(learned, judgement, same, contests)
        else:
            answer = verdict.learned_nothing(found, groups, same, why)
        model = _keep(workspace, pictures, learned, judgement, contests, seed=seed)
        table = workspace.write(
            "pictures.csv", pages.listing(workspace, pictures, known, same, groups, learned, judgement)
        )
        trunk_bytes = learned.trunk_bytes if learned is not None else 0
        made = _made(pictures, seed=seed, labels=known.source, tiles=tiles, trunk_bytes=trunk_bytes, times=clock.times)
        report = workspace.write(
            "report.html",
            pages.report(
                workspace,
                root,
                answer,
                found,
                pictures,
                known,
                same,
                groups,
                learned,
                judgement,
                trial,
                contests,
                made=made,
                seed=seed,
            ),
        )
        clock.finish()
    classes = learned.classes if learned is not None else ()
    return Run(
        headline=answer.headline,
        sentences=[*answer.sentences, *answer.settle],
        scan=found,
        copies=sum(len(g.others) for g in same.groups),
        groups={name: int((groups.label == i).sum()) for i, name in enumerate(groups.names)},
        accuracy=judgement.sealed.accuracy if judgement else None,
        auc=dict(zip(classes, judgement.sealed.auc, strict=True)) if judgement else {},
        judgement=judgement,
        method=learned.taught.method if learned is not None else "",
        contests=contests,
        report=str(report),
        table=str(table),
        model=model,
        trunk_bytes=trunk_bytes,
        seconds=clock.times,
    )


def _clock(
    labels: str,
    listing: folder.Listing,
    plans: Sequence[Plan | None],
    *,
    tiles: bool,
    tell: Callable[[str], None],
) -> Clock:
    """Return the clock of a run, which knows the stages that it will go through."""
    n = len(listing.files)
    guess = {
        "reading and seeing": n / (12 if tiles else 100),
        "copies": n / 3000,
        "groups": n / 400,
        "learning": n / 200,
    } | _guesses(plans, n)
    clock = Clock(
        {**guess, "judging": 2.0, "writing the report": 4.0},
        tell=tell,
        job=" ".join(["run", *(["with tiles"] if tiles else []), *(plan.method for plan in plans if plan)]),
        units=n,
    )
    # Names of files alone tell whether there are two classes to learn.
    if len({name for name in folder.labels(labels, [file.path for file in listing.files]).label if name}) < 2:
        clock.skip("learning", *_guesses(plans, n), "judging")
    return clock


def _keep(
    workspace: Workspace,
    pictures: Collection,
    learned: learning.Learned | None,
    judgement: sealed.Judgement | None,
    contests: list[Contest],
    *,
    seed: int,
) -> str | None:
    """Write the model, or take away that of an earlier run where there is none now."""
    path = workspace.folder / "model.assay"
    if learned is None or judgement is None:
        path.unlink(missing_ok=True)
        return None
    return str(workspace.write(path.name, saved.pack(_model(pictures, learned, judgement, contests, seed=seed))))


def _guesses(plans: Sequence[Plan | None], n: int) -> dict[str, float]:
    """Guess how long networks take, by stage."""
    found = {}
    for plan in filter(None, plans):
        found[f"frozen layers ({plan.method})"] = n * (1 + plan.views) / 100
        found[f"teaching ({plan.method})"] = n * plan.epochs * 6 / 400
    return found


def _learn(
    workspace: Workspace,
    root: Path,
    pictures: Collection,
    known: folder.Labels,
    same: copies.Copies,
    plans: Sequence[Plan | None],
    *,
    seed: int,
    processes: int | None,
    clock: Clock,
    stop: Callable[[], bool],
) -> learning.Learned:
    """Learn, and remember which picture was in which part, so that none moves in a later run."""
    stored: dict[str, dict[str, str]] = workspace.note(_SPLITS, {})
    before = stored.get(str(seed), {})
    learned = learning.learn(
        workspace,
        root,
        pictures,
        known,
        same,
        plans=plans,
        seed=seed,
        before=before,
        processes=processes,
        clock=clock,
        stop=stop,
    )
    if not any(known.part):
        parts = dict(zip(pictures.sha256[learned.used], learned.part, strict=True))
        workspace.write(_SPLITS, record.as_json({**stored, str(seed): {**before, **parts}}))
    return learned


def _model(
    pictures: Collection, learned: learning.Learned, judgement: sealed.Judgement, contests: list[Contest], *, seed: int
) -> saved.Model:
    """Put everything that a later reader needs to trust the model beside its weights."""
    cutoff = judgement.cutoff
    card: dict[str, Any] = {
        "backbone": backbone.identity(),
        "method": learned.taught.method,
        "learned": learned.taught.words,
        "contests": contests,
        "views": "tiles" if learned.tiles else "whole",
        "preprocessing": f"sRGB, upright, squashed to {backbone.SIZE} x {backbone.SIZE}, (x - 127) / 128",
        "cutoff": cutoff,
        "prevalence": cutoff.prevalence if cutoff else None,
        "sealed": judgement.sealed,
        "cross_validation": judgement.repeated,
        "refuses": learning.REFUSED if learned.novelty is not None else None,
        "refused": judgement.refused,
        "splits": dict(zip(pictures.sha256[learned.used], learned.part, strict=True)),
        "split_by": learned.split_by,
        "sealed_reads": judgement.reads,
        "seed": seed,
        "versions": record.versions(),
    }
    return saved.Model(learned.taught.head, learned.novelty, record.plain(card), learned.taught.tail)


def _made(
    pictures: Collection, *, seed: int, labels: str, tiles: bool, trunk_bytes: int, times: dict[str, float]
) -> list[tuple[str, str]]:
    """Say how a report came about."""
    views = "whole picture and 3 × 3 tiles" if tiles else "whole picture"
    kept = f"{trunk_bytes / 1e6:,.1f} MB in trunks/ of what frozen layers gave, for later runs; may be deleted"
    return [
        ("folder labels", labels),
        ("network", f"{pictures.network or backbone.identity()}, {views}"),
        ("seed", str(seed)),
        ("seconds", ", ".join(f"{stage} {seconds:.1f}" for stage, seconds in times.items())),
        ("versions", ", ".join(f"{name} {version}" for name, version in record.versions().items())),
        *([("kept", kept)] if trunk_bytes else []),
        ("written to", "the workspace only; no picture was changed, nothing left this computer"),
    ]
