"""Rate: pictures in, how people would rate them out; and learning that from ratings."""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from ..data import delivery, folder, issues, looks, ratings
from ..data.folder import Problem
from ..errors import InputError
from ..models import backbone, saved_ratings
from ..models.saved_ratings import RatingModel
from ..pixels.facts import Facts
from ..report import ratings as drawn
from ..report import record
from ..stats import votes
from ..workers.clock import Clock
from . import appearances, looking, rating_learning, rating_page
from .appearances import Appearances
from .rating_figures import Figures

MODEL, REPORT, LIST, SHEET = "model.assay", "report.html", "ratings.csv", "sheet.png"
_SHOWN = 24  # pictures on a contact sheet: from worst to best, evenly
_SIDE = 320  # pixels of their longer side


@dataclass(frozen=True, slots=True)
class Rating:
    """How one picture would be rated.

    mean, sd: of the predicted votes, in units of the scale; full: the mean, on the full scale (same order, wider);
    shares: of votes, by step; status, reason: as in a scan.
    """

    file: str
    mean: float | None
    sd: float | None
    full: float | None
    shares: tuple[float, ...]
    status: str
    reason: str


@dataclass(frozen=True, slots=True)
class Rated:
    """How the pictures of a folder would be rated, worst first.

    scale: names of the steps; rows: one a file, files that are no pictures last; report, table, sheet: where they are.
    """

    headline: str
    scale: tuple[float, ...]
    rows: list[Rating]
    report: str
    table: str
    sheet: str
    seconds: float

    def _repr_html_(self) -> str:
        return record.as_html(self)


@dataclass(frozen=True, slots=True)
class Learned:
    """A model that rates, and how far to trust it.

    figures: measured on pictures that were not learned from; kind: what it looks at; losses: of every kind that was
    tried; wrong: ratings that could not be used; missing: ratings without a picture; broken: files that are no
    pictures;
    odd: pictures of an odd size, aspect or file size; unrated: pictures without a rating.
    """

    headline: str
    sentences: list[str]
    figures: Figures
    kind: str
    losses: dict[str, float]
    pictures: int
    wrong: list[Problem]
    missing: list[Problem]
    broken: list[Problem]
    odd: dict[str, list[str]]
    unrated: int
    model: str
    report: str
    table: str
    sheet: str
    seconds: float

    def _repr_html_(self) -> str:
        return record.as_html(self)


def rate(
    path: str | os.PathLike[str],
    *,
    model: str | os.PathLike[str],
    out: str | os.PathLike[str] | None = None,
    processes: int | None = None,
    tell: Callable[[str], None] = lambda _: None,
    stop: Callable[[], bool] = lambda: False,
) -> Rated:
    """Say how people would rate pictures.

    Args:
        path: the folder of pictures; it is never written to.
        model: a `.assay` file that `train` has written.
        out: folder for the table, the contact sheet and the page; `./<name>.rated` by default.
        processes: that read pictures; as many as processors by default.
        tell: shows a line about progress.
        stop: asked between batches.

    Returns:
        The ratings, from worst to best.

    Raises:
        InputError: the model cannot be read, is a classifier or wants another backbone; path is no folder of pictures,
            or out holds something else.
        KeyboardInterrupt: stop said True.
    """
    began, root = time.monotonic(), Path(path)
    loaded = load(model)
    listing = folder.walk(root)
    place = looking.out_folder(root, out, ending="rated")
    delivery.claim(place, mark=REPORT)
    clock = Clock({"rating": len(listing.files) / 10}, tell=tell, job="rate", units=len(listing.files))
    clock.begin("rating", len(listing.files))
    found = appearances.look(listing.files, root=root, kept=None, processes=processes, clock=clock, stop=stop)
    clock.finish()
    if not len(found):
        raise InputError(f"PATH must hold pictures, got none in {root}")
    rater = loaded.rater
    shares = rater.shares(found.features)
    mean, sd = votes.moments(shares, rater.scale)
    full = rater.full(mean)
    order = np.argsort(mean, kind="stable")
    names = [os.fsdecode(file.path) for file in found.files]
    rows = [
        Rating(names[i], float(mean[i]), float(sd[i]), float(full[i]), tuple(shares[i].tolist()), "ok", "")
        for i in order
    ]
    rows += [Rating(p.path, None, None, None, (), p.status, p.reason) for p in found.broken]
    steps = tuple(rater.scale.tolist())
    headline = _range(rows, steps)
    images, captions = _sheet(root, found, order, mean)
    sheet = drawn.contact(images, captions)
    page = rating_page.rated(
        root.resolve().name, headline, loaded, mean, full, shares[order], [names[i] for i in order], found.broken,
        sheet=sheet,
    )  # fmt: skip
    files = delivery.deliver(place, {LIST: _table(rows, steps), SHEET: sheet, REPORT: page}, mark=REPORT)
    return Rated(
        headline, steps, rows, str(files[REPORT]), str(files[LIST]), str(files[SHEET]), time.monotonic() - began
    )


def load(model: str | os.PathLike[str]) -> RatingModel:
    """Read a model that this version can use.

    Args:
        model: a `.assay` file.

    Raises:
        InputError: the model cannot be read, is a classifier, or wants other features.
    """
    loaded = saved_ratings.unpack(Path(model))
    wanted = _identity()
    if loaded.card.get("features") != wanted:
        raise InputError(f"MODEL must be made for {wanted}, got {loaded.card.get('features')!r}")
    return loaded


def train(
    path: str | os.PathLike[str],
    labels: str | os.PathLike[str],
    *,
    out: str | os.PathLike[str] | None = None,
    scale: tuple[int, int] | None = None,
    middle: float | None = None,
    most: int | None = None,
    seed: int = 0,
    processes: int | None = None,
    tell: Callable[[str], None] = lambda _: None,
    stop: Callable[[], bool] = lambda: False,
) -> Learned:
    """Learn from ratings how people rate pictures.

    Args:
        path: the folder of pictures; it is never written to.
        labels: ratings, as `data.ratings.read` takes them.
        out: folder for the model, the table, the contact sheet and the page; `./<name>.rated` by default. What was seen
            in the pictures is kept there too: learning again takes seconds.
        scale: its ends; told by the ratings by default.
        middle: from where on a picture counts as good, for the accuracy of two classes; halfway by default.
        most: learn from so many pictures of each tenth of the scale at most (under-sampling): where nearly all are
            rated near the middle, the ends count for more. All are judged.
        seed: of folds and intervals.
        processes: that read pictures; as many as processors by default.
        tell: shows a line about progress.
        stop: asked between batches.

    Returns:
        The model and how good it is on pictures that it has not learned from.

    Raises:
        InputError: the ratings cannot be read, or none has a picture; or out holds something else.
        UndefinedError: there are fewer than 10 different pictures, or all were rated alike.
        KeyboardInterrupt: stop said True; what was seen so far is kept.
    """
    began, root = time.monotonic(), Path(path)
    if most is not None and most < 1:
        raise InputError(f"--most must be >= 1, got {most!r}")
    given = ratings.read(Path(labels), scale=scale)
    listing = folder.walk(root)
    place = looking.out_folder(root, out, ending="rated")
    delivery.claim(place, mark="seen")
    rows, where, missing = ratings.match(given, [os.fsdecode(f.path) for f in listing.files])
    if not len(rows):
        example = f", such as {given.files[0]!r}" if given.files else ""
        raise InputError(f"--train must name pictures of {root}, got none among its {len(given):,}{example}")
    files = [listing.files[i] for i in where]
    clock = Clock({"looking": len(files) / 10, "learning": 10.0}, tell=tell, job="train rating", units=len(files))
    clock.begin("looking", len(files))
    kept = place / "seen" / _identity().replace(":", "-")
    kept.mkdir(parents=True, exist_ok=True)
    found = appearances.look(files, root=root, kept=kept, processes=processes, clock=clock, stop=stop)
    row_of = {file.path: row for file, row in zip(files, rows, strict=True)}
    used = np.array([row_of[file.path] for file in found.files], int)
    shares = given.shares[used]
    clock.begin("learning", 1)
    rater, out_of_fold, figures = rating_learning.learn(given, used, shares, found, middle=middle, most=most, seed=seed)
    clock.finish()
    broken, odd = found.broken, _odd(found)
    wrong, lost = ([Problem(w.file, "left out", w.reason) for w in some] for some in (given.wrong, missing))
    card = {
        "features": _identity(),
        "backbone": backbone.identity(),
        "form": given.form,
        "pictures": len(found),
        "figures": record.plain(figures),
        "losses": out_of_fold.losses,
        "made": datetime.now(UTC).strftime("%Y-%m-%d"),
        "seed": seed,
        "versions": record.versions(),
    }
    packed = saved_ratings.pack(RatingModel(rater, card))
    sentences = rating_page.sentences(figures, rater, given.form)
    headline = rating_page.headline(figures)
    mean = votes.moments(out_of_fold.shares, rater.scale)[0]
    said = votes.moments(shares, rater.scale)[0]
    names = [os.fsdecode(file.path) for file in found.files]
    order = np.argsort(mean, kind="stable")
    images, captions = _sheet(root, found, order, mean, said)
    sheet = drawn.contact(images, captions)
    unrated = len(listing.files) - len(where)
    page = rating_page.learned(
        root.resolve().name, headline, sentences, figures, rater, out_of_fold, shares, names,
        sheet=sheet, wrong=wrong, missing=lost, broken=broken, odd=odd, unrated=unrated, form=given.form,
        notes=given.notes, seed=seed,
    )  # fmt: skip
    full = rater.full(mean)
    table = record.as_csv(
        ["file", "people_mean", "predicted_mean", "predicted_full", "fold", *(f"predicted_{s:g}" for s in rater.scale)],
        [
            [names[i], said[i], mean[i], full[i], int(out_of_fold.folds[i]), *out_of_fold.shares[i].tolist()]
            for i in order
        ],
    )
    content: dict[str, bytes | str] = {MODEL: packed, LIST: table, SHEET: sheet, REPORT: page}
    put = {name: str(delivery.replace(place / name, data)) for name, data in content.items()}
    return Learned(
        headline, sentences, figures, str(out_of_fold.kind), out_of_fold.losses, len(found), wrong, lost, broken, odd,
        unrated, put[MODEL], put[REPORT], put[LIST], put[SHEET], time.monotonic() - began,
    )  # fmt: skip


def _odd(found: Appearances) -> dict[str, list[str]]:
    """Name pictures whose size, aspect or bytes are unlike those of the others."""
    size = np.array([file.bytes for file in found.files])
    blank = np.zeros((len(found), len(Facts.__dataclass_fields__)))
    shaped = issues.find(blank, width=found.width, height=found.height, mode=["RGB"] * len(found))
    weighed = issues.find(blank, width=size, height=size, mode=["RGB"] * len(found))
    flags = {
        "odd size": shaped["odd_size"][1],
        "odd aspect": shaped["odd_aspect_ratio"][1],
        "odd file size": weighed["odd_size"][1],
    }
    return {
        name: [os.fsdecode(found.files[i].path) for i in np.flatnonzero(flag)]
        for name, flag in flags.items()
        if flag.any()
    }


def _identity() -> str:
    return f"{appearances.VERSION}:{backbone.identity()}"


def _sheet(
    root: Path, found: Appearances, order: np.ndarray, mean: np.ndarray, said: np.ndarray | None = None
) -> tuple[list[np.ndarray | None], list[str]]:
    """Read the pictures of a contact sheet: evenly from worst to best."""
    chosen = order[np.unique(np.linspace(0, len(order) - 1, min(len(order), _SHOWN)).round().astype(int))]
    images = [looks.fitted(found.files[i], root=root, side=_SIDE, coloured=True).image for i in chosen]
    people = ["" if said is None else f", people {said[i]:.1f}" for i in chosen]
    captions = [
        f"{mean[i]:.1f}{more} {os.fsdecode(found.files[i].path).rpartition('/')[2]}"
        for i, more in zip(chosen, people, strict=True)
    ]
    return images, captions


def _range(rows: Sequence[Rating], scale: Sequence[float]) -> str:
    means = [row.mean for row in rows if row.mean is not None]
    rest = f"; {len(rows) - len(means):,} files are no pictures" if len(rows) > len(means) else ""
    return (
        f"{len(means):,} pictures, rated {min(means):.1f} to {max(means):.1f} on a scale of {scale[0]:g} to "
        f"{scale[-1]:g}{rest}"
    )


def _table(rows: Sequence[Rating], scale: Sequence[float]) -> str:
    blank = [None] * len(scale)
    return record.as_csv(
        ["file", "mean", "sd", "full_scale", *(f"share_{s:g}" for s in scale), "status", "reason"],
        [[r.file, r.mean, r.sd, r.full, *(r.shares or blank), r.status, r.reason] for r in rows],
    )
