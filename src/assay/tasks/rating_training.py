"""Training of a rater: pictures and what people said of them in, a model that rates and how good it is out."""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np

from ..data import delivery, folder, issues, ratings
from ..data.folder import Problem
from ..errors import InputError
from ..models import backbone as networks
from ..models import saved_ratings
from ..models.rating_network import EPOCHS, RATES, Course, Lesson
from ..models.saved_ratings import RatingModel
from ..pixels.facts import Facts
from ..report import ratings as drawn
from ..report import record
from ..stats import votes
from ..workers.clock import Clock
from . import appearances, looking, options, rate, rating_learning, rating_page, rating_tuned
from .appearances import Appearances
from .rating_contest import Contest
from .rating_figures import Figures
from .rating_learning import Learnt

METHODS = ("head", "finetune")


@dataclass(frozen=True, slots=True)
class Learned:
    """A model that rates, and how far to trust it.

    method: "head" or "finetune"; learned: the same in words; figures: measured on pictures that were not learned from;
    head: of a network, the figures of the head that it is compared with; contest: which of the two is better; lessons:
    of a network, its epochs when it learned from all; losses: of every kind of head that was tried; wrong: ratings that
    could not be used; missing: ratings without a picture; broken: files that are no pictures; odd: pictures of an odd
    size, aspect or file size; unrated: pictures without a rating.
    """

    headline: str
    sentences: list[str]
    method: str
    learned: str
    figures: Figures
    head: Figures | None
    contest: Contest | None
    lessons: tuple[Lesson, ...]
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


def train(
    path: str | os.PathLike[str],
    labels: str | os.PathLike[str],
    *,
    out: str | os.PathLike[str] | None = None,
    scale: tuple[int, int] | None = None,
    middle: float | None = None,
    most: int | None = None,
    method: str = "head",
    backbone: str = "lite0",
    unfreeze: str = "last-block",
    dropout: float = 0.75,
    epochs: tuple[int, int] = EPOCHS,
    learning_rate: tuple[float, float] = RATES,
    views: int = 3,
    seed: int = 0,
    processes: int | None = None,
    tell: Callable[[str], None] = lambda _: None,
    listen: Callable[[str, Lesson], None] = lambda _, __: None,
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
        method: "head" (on frozen features, in seconds) or "finetune" (a network in two phases: its last layer, then
            what is not frozen at a lower rate; needs torch, and minutes). What follows is of a network alone.
        backbone: "lite0", or "timm:NAME" or "timm:NAME=FILE" as for `learn`.
        unfreeze: what learns in the second phase: how many of the last layers, "last-block" or "all".
        dropout: share of the features that the last layer does not see while it learns, in [0, 1).
        epochs: of the two phases, at most; a phase ends where three bring no better loss on pictures held back.
        learning_rate: of the two phases, at the beginning; it falls along half a wave.
        views: mirrored and slightly shifted ones of each picture that are learned from beside it.
        seed: of folds, of intervals, and of everything random in a network.
        processes: that read pictures, and threads that teach; as many as processors by default.
        tell: shows a line about progress.
        listen: hears of each epoch of a network, and of which training.
        stop: asked between batches.

    Returns:
        The model and how good it is on pictures that it has not learned from.

    Raises:
        InputError: the ratings cannot be read, or none has a picture; out holds something else; an option is not
            allowed, torch is not installed, or a loss was not finite.
        UndefinedError: there are fewer than 10 different pictures, or all were rated alike.
        KeyboardInterrupt: stop said True; what was seen and learned so far is kept.
    """
    began, root = time.monotonic(), Path(path)
    course = _course(method, backbone, unfreeze, dropout, epochs, learning_rate, views)
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
    trunk = rating_tuned.begin(place, course, steps=len(given.scale), seed=seed) if course is not None else None
    stages = {"looking": len(files) / 10, "learning": 10.0}
    stages |= {"teaching": len(files) * sum(course.epochs) / 40} if course is not None else {}
    clock = Clock(stages, tell=tell, job="train rating" if course is None else "teach rating", units=len(files))
    clock.begin("looking", len(files))
    kept = place / "seen" / rate.identity().replace(":", "-")
    kept.mkdir(parents=True, exist_ok=True)
    found = appearances.look(files, root=root, kept=kept, processes=processes, clock=clock, stop=stop, trunk=trunk)
    row_of = {file.path: row for file, row in zip(files, rows, strict=True)}
    used = np.array([row_of[file.path] for file in found.files], int)
    shares = given.shares[used]
    clock.begin("learning", 1)
    teach = None
    if course is not None and trunk is not None:
        teach = partial(
            rating_tuned.teach, place, course, trunk, [str(key) for key in found.sha256], scale=given.scale, seed=seed,
            threads=processes or len(os.sched_getaffinity(0)), clock=clock, listen=listen, stop=stop,
        )  # fmt: skip
    learnt = rating_learning.learn(given, used, shares, found, middle=middle, most=most, seed=seed, teach=teach)
    rater = learnt.rater
    words = f"on frozen features: {rater.kind}" if course is None else course.in_words()
    clock.finish()
    odd = _odd(found)
    wrong, lost = ([Problem(w.file, "left out", w.reason) for w in some] for some in (given.wrong, missing))
    card = {
        "features": rate.identity(),
        "backbone": networks.identity() if course is None else course.backbone,
        "method": method,
        "learned": words,
        "form": given.form,
        "pictures": len(found),
        "figures": record.plain(learnt.figures),
        "losses": learnt.head.losses,
        "contest": record.plain(learnt.contest),
        "made": datetime.now(UTC).strftime("%Y-%m-%d"),
        "seed": seed,
        "versions": record.versions(),
    }
    packed = saved_ratings.pack(RatingModel(rater, card, learnt.tail))
    sentences = rating_page.sentences(learnt, given.form)
    headline = rating_page.headline(learnt.figures)
    mean = votes.moments(learnt.shares, rater.scale)[0]
    said = votes.moments(shares, rater.scale)[0]
    names = [os.fsdecode(file.path) for file in found.files]
    order = np.argsort(mean, kind="stable")
    images, captions = rate.contact_sheet(root, found, order, mean, said=said)
    sheet = drawn.contact(images, captions)
    unrated = len(listing.files) - len(where)
    page = rating_page.learned(
        root.resolve().name, headline, sentences, learnt, shares, names, learned=words,
        sheet=sheet, wrong=wrong, missing=lost, broken=found.broken, odd=odd, unrated=unrated, form=given.form,
        notes=given.notes, seed=seed,
    )  # fmt: skip
    content: dict[str, bytes | str] = {
        rate.MODEL: packed,
        rate.LIST: _table(names, order, said, learnt),
        rate.SHEET: sheet,
        rate.REPORT: page,
    }
    put = {name: str(delivery.replace(place / name, data)) for name, data in content.items()}
    return Learned(
        headline=headline,
        sentences=sentences,
        method=method,
        learned=words,
        figures=learnt.figures,
        head=learnt.head_figures,
        contest=learnt.contest,
        lessons=learnt.lessons,
        losses=learnt.head.losses,
        pictures=len(found),
        wrong=wrong,
        missing=lost,
        broken=found.broken,
        odd=odd,
        unrated=unrated,
        model=put[rate.MODEL],
        report=put[rate.REPORT],
        table=put[rate.LIST],
        sheet=put[rate.SHEET],
        seconds=time.monotonic() - began,
    )


def _table(names: Sequence[str], order: np.ndarray, said: np.ndarray, learnt: Learnt) -> str:
    """List what people said and what was predicted, worst first."""
    scale = learnt.rater.scale
    mean = votes.moments(learnt.shares, scale)[0]
    full = learnt.rater.full(mean)
    return record.as_csv(
        ["file", "people_mean", "predicted_mean", "predicted_full", "fold", *(f"predicted_{s:g}" for s in scale)],
        [[names[i], said[i], mean[i], full[i], int(learnt.folds[i]), *learnt.shares[i].tolist()] for i in order],
    )


def _course(
    method: str,
    backbone: str,
    unfreeze: str,
    dropout: float,
    epochs: tuple[int, int],
    learning_rate: tuple[float, float],
    views: int,
) -> Course | None:
    """Return what a network is taught, or None where none is."""
    if method not in METHODS:
        raise InputError(f"--method must be one of {', '.join(METHODS)}, got {method!r}")
    if method == "head":
        return None
    return Course(
        backbone=backbone,
        unfreeze=options.number_or_word(unfreeze),
        dropout=dropout,
        epochs=epochs,
        learning_rate=learning_rate,
        views=views,
    )


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
