"""Learn: split labelled pictures, train a classifier on the one side, and look for what would fool us."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
from scipy.special import softmax

from ..data import splits
from ..data.collection import Collection
from ..data.folder import Labels
from ..data.workspace import Workspace
from ..errors import UndefinedError
from ..models import abstain, heads, neighbours, shortcuts, suspects
from ..models.tuning import Plan
from ..workers.clock import Clock
from . import tuned
from .copies import Copies
from .tuned import Taught

FRACTIONS = (0.6, 0.2, 0.2)  # train, val, test
REFUSED = 0.05  # share of pictures of known kinds that "none of these" may turn away
_FEWEST = 3  # different pictures that a class needs: two to learn from in turns, one sealed
_FOLDS, _REPEATS = 5, 3


@dataclass(frozen=True, slots=True)
class Suspect:
    """A picture whose label the others contradict."""

    index: int
    given: str
    suggested: str
    probability: float


@dataclass(frozen=True, slots=True)
class Learned:
    """A classifier, and everything it took to choose it; no picture of the sealed part was looked at.

    taught: the classifier; rivals: others, taught on the same pictures and judged on the same folds; used: (m,)
    indices of the pictures that take part; label: (m,) int, class numbers; part: (m,) objects "train", "val", "test";
    group: (m,) int, pictures that stay together. development: (d,) positions in used of the pictures that are not
    "test"; novelty: the "none of these" rule, or None where there are too few pictures to have one; tiles: whether it
    looks at tiles too; trunk_bytes: that what frozen layers gave takes in the workspace.
    """

    taught: Taught
    rivals: list[Taught]
    used: np.ndarray
    label: np.ndarray
    part: np.ndarray
    group: np.ndarray
    development: np.ndarray
    novelty: abstain.Novelty | None
    suspects: list[Suspect]
    shortcuts: list[shortcuts.Shortcut]
    tiles: bool
    trunk_bytes: int
    split_by: str
    notes: list[str] = field(default_factory=list)

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes, in the order of the probabilities."""
        return self.taught.head.classes

    @property
    def probabilities(self) -> np.ndarray:
        """Of the pictures that are not sealed, out of fold: float (repeats, d, k)."""
        return chances(self.taught, self.taught.logits)

    @property
    def sealed(self) -> np.ndarray:
        """Positions in used of the sealed part."""
        return np.flatnonzero(self.part == "test")


def learn(
    workspace: Workspace,
    root: Path,
    pictures: Collection,
    labels: Labels,
    copies: Copies,
    *,
    plans: Sequence[Plan | None] = (None,),
    seed: int,
    before: dict[str, str],
    processes: int | None = None,
    clock: Clock,
    stop: Callable[[], bool],
) -> Learned:
    """Train a classifier on labelled pictures.

    Args:
        workspace: where the slow steps are kept between runs.
        root: the folder of pictures, read again only for networks.
        pictures: of the folder.
        labels: in the order of pictures.
        copies: of the folder; copies stay on one side of the split.
        plans: of networks to teach; None is the head on features. The first is the classifier, the others its rivals.
        seed: of the split and of everything random.
        before: part by SHA-256 from earlier runs; nobody moves from test to train.
        processes: that read pictures, and threads that teach.
        clock: is told of the progress.
        stop: asked now and then; True ends the work.

    Returns:
        The classifier and what is known out of fold.

    Raises:
        UndefinedError: fewer than two classes have the two groups of pictures that learning needs.
        InputError: a plan cannot be followed, or torch is not installed.
        KeyboardInterrupt: stop said True; what is done is kept.
    """
    group, notes = _together(labels, copies), list(labels.notes)
    used, classes = _usable(labels, group, notes)
    label = np.array([classes.index(x) for x in labels.label[used]])
    part, split_by, used = _parts(pictures, labels, group, used, label, seed, before, notes)
    trunks = {
        plan: tuned.look(
            workspace, root, pictures, used, part == "test", plan,
            classes=len(classes), seed=seed, processes=processes, clock=clock, stop=stop,
        )
        for plan in plans if plan is not None
    }  # fmt: skip
    trunk_bytes = tuned.prune(
        workspace.folder, [kept for trunk in trunks.values() for kept in (trunk.plain, trunk.varied)]
    )
    there = _there(pictures, used, part, list(trunks.values()), notes)
    part, used = part[there], used[there]
    label = np.array([classes.index(x) for x in labels.label[used]], int)
    group = group[used]
    features = seen(pictures)[used]

    development = np.flatnonzero(part != "test")
    x, y, g = heads.root(features[development]), label[development], group[development]
    inputs = [pictures.keys[used], pictures.network, features.shape[1], classes, label, part, group]

    @cache
    def folds() -> np.ndarray:
        rng = np.random.default_rng(seed)
        return np.stack([splits.folds(y, g, count=_FOLDS, rng=rng) for _ in range(_REPEATS)])

    def make() -> dict[str, np.ndarray]:
        found = heads.cross_validate(x, y, folds(), classes=classes, groups=g)
        head = heads.fit(x, y, classes=classes, c=found.c)
        numbers = {"c": np.array(found.c), "temperature": np.array(found.temperature)}
        return {"logits": found.logits, "weight": head.weight, "bias": head.bias, **numbers}

    def teach(plan: Plan | None) -> Taught:
        if plan is not None:
            return tuned.teach(
                workspace, pictures, used, label, development, folds()[0], g, plan, trunks[plan],
                classes=classes, seed=seed, processes=processes, clock=clock, stop=stop,
            )  # fmt: skip
        kept = workspace.keep("learn", [*inputs, seed, _FOLDS, _REPEATS], make)
        head = heads.Head(classes, kept["weight"], kept["bias"], float(kept["temperature"]), float(kept["c"]))
        words = "a linear head on the features of EfficientNet-Lite0"
        return Taught("head", words, head, None, kept["logits"], lambda i: head.logits(heads.root(features[i])))

    taught, *rivals = [teach(plan) for plan in plans]
    novelty: abstain.Novelty | None = None
    try:
        rng = np.random.default_rng(seed)
        strange = workspace.keep(
            "novelty",
            [*inputs, seed, REFUSED],
            lambda: abstain.fit(features[development], y, g, rate=REFUSED, rng=rng).arrays(),
        )
        novelty = abstain.Novelty.from_arrays(strange)
    except UndefinedError as e:
        notes.append(f"No “none of these”: {e}.")
    likely = chances(taught, taught.logits).mean(axis=0)
    doubted = suspects.suspects(y, likely)
    return Learned(
        taught=taught,
        rivals=rivals,
        used=used,
        label=label,
        part=part,
        group=group,
        development=development,
        novelty=novelty,
        suspects=[
            Suspect(int(used[development[i]]), classes[y[i]], classes[s], float(likely[i, s]))
            for i, s in zip(doubted.indices, doubted.suggested, strict=True)
        ],
        shortcuts=shortcuts.find(_metadata(pictures, used[development]), y, g, rng=np.random.default_rng(seed)),
        tiles=pictures.tile_features is not None,
        trunk_bytes=trunk_bytes,
        split_by=split_by,
        notes=notes,
    )


def chances(taught: Taught, logits: np.ndarray) -> np.ndarray:
    """Turn logits into calibrated probabilities.

    Args:
        taught: whose logits they are.
        logits: (..., k).

    Returns:
        float64 (..., k); each row adds up to 1.
    """
    return np.asarray(softmax(logits.astype(float) / taught.head.temperature, axis=-1))


def _there(
    pictures: Collection, used: np.ndarray, part: np.ndarray, trunks: list[tuned.Trunk], notes: list[str]
) -> np.ndarray:
    """Return which pictures every trunk has seen; a file that has changed since it was scanned is left out by name."""
    there = np.array(
        [
            all(t.holds(str(pictures.sha256[i]), varied=p != "test") for t in trunks)
            for i, p in zip(used, part, strict=True)
        ],
        bool,
    )
    gone = [pictures.name(i) for i in used[~there]]
    if gone:
        named = ", ".join(gone[:3]) + (" and others" if len(gone) > 3 else "")
        verb = "was left out: it" if len(gone) == 1 else "were left out: they"
        notes.append(
            f"{named} {verb} changed, or went, while this was learned; run again to take in what is there now."
        )
    return there


def seen(pictures: Collection) -> np.ndarray:
    """Return the features of the whole picture, and where there are tiles, also the largest over them.

    Args:
        pictures: of a folder.
    """
    if pictures.tile_features is None:
        return pictures.features
    return np.hstack([pictures.features, pictures.tile_features])


def _together(labels: Labels, copies: Copies) -> np.ndarray:
    """Join groups of copies with the groups that the user gave."""
    pairs = np.concatenate([neighbours.sharing(labels.group), neighbours.sharing(copies.group.tolist())])
    return neighbours.connected(len(copies.group), pairs)


def _usable(labels: Labels, group: np.ndarray, notes: list[str]) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return the indices of labelled pictures of classes that can be learned, and those classes."""
    names = sorted({x for x in labels.label if x})
    sealed = labels.part == _sealed_name(labels.part)
    fewest = _FEWEST - 1 if sealed.any() else _FEWEST
    sizes = {name: len(np.unique(group[(labels.label == name) & ~sealed])) for name in names}
    classes = tuple(name for name in names if sizes[name] >= fewest)
    small = [name for name in names if sizes[name] < fewest]
    notes += [f"class {n!r} is left out: {fewest} different pictures are needed, got {sizes[n]}" for n in small[:5]]
    notes += [f"{len(small) - 5} more classes are left out likewise"] if len(small) > 5 else []
    if len(classes) < 2:
        have = ", ".join(f"{name!r} with {sizes[name]}" for name in names[:5]) or "no label"
        raise UndefinedError(f"learning needs 2 classes with {fewest} different pictures each, got {have}")
    return np.flatnonzero(np.isin(labels.label, classes)), classes


def _sealed_name(part: np.ndarray) -> str:
    """Return which given part a model is judged on: test, or val where there is no test."""
    return "test" if (part == "test").any() else "val"


def _parts(
    pictures: Collection,
    labels: Labels,
    group: np.ndarray,
    used: np.ndarray,
    label: np.ndarray,
    seed: int,
    before: dict[str, str],
    notes: list[str],
) -> tuple[np.ndarray, str, np.ndarray]:
    """Return each used picture's part, in words how it was made, and which pictures remain."""
    given = labels.part[used]
    if not any(given):
        ids = list(pictures.sha256[used])
        part = splits.split(ids, label, group[used], seed=seed, fractions=FRACTIONS, before=before)
        if not (part == "test").any():
            raise UndefinedError(
                f"judging needs at least 1 picture in the sealed part, got {len(used)} pictures in all"
            )
        return part, "by content and seed, stratified, copies together", used
    part = np.where(given == "", "train", given)
    part[part == _sealed_name(labels.part)] = "test"
    if not (part == "test").any():
        raise UndefinedError(f"judging needs pictures in test or val, got none in {labels.source}")
    sealed = set(group[used][part == "test"])
    leaked = (part != "test") & np.isin(group[used], list(sealed))
    if leaked.any():
        notes.append(f"{leaked.sum():,} pictures were left out of training: the sealed part holds copies of them")
    return part[~leaked], f"as given by {labels.source}", used[~leaked]


def _metadata(pictures: Collection, indices: np.ndarray) -> dict[str, np.ndarray]:
    """Return what a model must not need: facts about the file, not about what it shows."""
    width, height, size = (a[indices].astype(float) for a in (pictures.width, pictures.height, pictures.size))
    codes = {
        name: np.unique(getattr(pictures, name)[indices].astype(str), return_inverse=True)[1]
        for name in ("format", "mode")
    }
    year = np.array([float(t[:4]) if t else 0.0 for t in pictures.taken[indices]])
    return {
        "file size": size,
        "width": width,
        "height": height,
        "aspect ratio": width / height,
        "bytes per pixel": size / (width * height),
        "file format": codes["format"].astype(float),
        "colour mode": codes["mode"].astype(float),
        "EXIF orientation": pictures.orientation[indices].astype(float),
        "EXIF date": year,
    }
