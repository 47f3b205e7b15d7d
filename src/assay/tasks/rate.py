"""Rate: pictures in, how people would rate them out."""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..data import delivery, folder, looks
from ..errors import InputError
from ..models import backbone, saved_ratings
from ..models.saved_ratings import RatingModel
from ..report import ratings as drawn
from ..report import record
from ..stats import votes
from ..workers.clock import Clock
from . import appearances, looking, rating_page
from .appearances import Appearances

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
    found = appearances.look(
        listing.files, root=root, kept=None, processes=processes, clock=clock, stop=stop, tail=loaded.tail
    )
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
    images, captions = contact_sheet(root, found, order, mean)
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
    wanted = identity()
    if loaded.card.get("features") != wanted:
        raise InputError(f"MODEL must be made for {wanted}, got {loaded.card.get('features')!r}")
    if loaded.tail is not None:
        backbone.fits(loaded.tail)
    return loaded


def identity() -> str:
    """Name what raters look at: features of another name mean something else."""
    return f"{appearances.VERSION}:{backbone.identity()}"


def contact_sheet(
    root: Path, found: Appearances, order: np.ndarray, mean: np.ndarray, *, said: np.ndarray | None = None
) -> tuple[list[np.ndarray | None], list[str]]:
    """Read the pictures of a contact sheet: evenly from worst to best.

    Args:
        root: the folder.
        found: what its pictures look like.
        order: int (n,), from worst to best.
        mean: float (n,), predicted.
        said: float (n,), people's means, or None.

    Returns:
        Pictures and their captions.
    """
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
