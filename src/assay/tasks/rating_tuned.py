"""Rating, tuned: a network is taught in two phases on what its frozen part gave, out of fold and then on everything.

The frozen part sees every view of every picture once, whatever the epochs and the folds; what it gave is kept by
content, and so is each training that is done and the epoch under way: a run that was killed goes on from there.
"""

from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ..data.activations import Activations
from ..data.delivery import Kept
from ..data.workspace import fingerprint, keep
from ..models import graph, inference, network, rating_network, tuning
from ..models.fitting import Epoch
from ..models.graph import Graph
from ..models.rating_network import Course, Lesson
from ..models.ratings import NETWORK, Rater
from ..workers.clock import Clock
from .tuned import TRUNKS, Cached, check, digests, prune

_TAUGHT = "taught"  # folder of trainings that are done, and of the one under way
_BATCH = 64  # pictures whose maps are in memory together
_CURVE = "curve"  # among the kept weights: how they were learned


@dataclass(frozen=True)
class Trunk:
    """What a network that is to be taught made of pictures, each as it is and moved, before it was taught.

    made: the network; early: what its frozen part gave, for the second phase; features: what comes before its last
    layer, for the first; moved: views beside the plain one; seed: of these; identity: tells all this from others.
    """

    made: tuning.Network
    early: Activations
    features: Activations
    moved: int
    seed: int
    identity: str

    def keys(self) -> set[str]:
        """Return the pictures that it has seen, by the SHA-256 of their files."""
        return self.early.keys() & self.features.keys()

    def see(self, sha256: str, views: np.ndarray, *, threads: int) -> None:
        """Take in a picture that it has not seen.

        Args:
            sha256: of its file.
            views: uint8 (1 + moved, 256, 256, 3).
            threads: of the processor, from the first picture on.

        Raises:
            WorkspaceError: the disk is full or cannot be written.
        """
        if sha256 in self._taken:
            return
        if not self._runners:
            self._runners.append(self.made.frozen(threads=threads))
            self._runners.append(inference.Runner(self.made.body(), threads=threads).run)
        frozen, body = self._runners
        early = frozen(views)
        self.early.put(sha256, early)
        self.features.put(sha256, body(early))
        self._taken.add(sha256)

    def flush(self) -> None:
        """Put on disk what was seen.

        Raises:
            WorkspaceError: the disk is full or cannot be written.
        """
        self.early.flush()
        self.features.flush()

    @cached_property
    def _taken(self) -> set[str]:
        return self.keys()

    @cached_property
    def _runners(self) -> list[Callable[[np.ndarray], np.ndarray]]:
        return []


@dataclass(frozen=True, slots=True)
class Taught:
    """What a network learned.

    rater: its last layer; tail: what comes before that; shares: float (n, k), of every picture without its fold;
    lessons: of the training on all; learned, held: pictures that this one learned from, and that told its best epoch.
    """

    rater: Rater
    tail: Graph
    shares: np.ndarray
    lessons: tuple[Lesson, ...]
    learned: int
    held: int


def begin(top: Path, course: Course, *, steps: int, seed: int) -> Trunk:
    """Make the network that is to be taught, with what it has seen in earlier runs.

    Args:
        top: folder in which that is kept.
        course: what is to be taught.
        steps: of the scale.
        seed: of views and first weights.

    Returns:
        A trunk that may be shown pictures.

    Raises:
        InputError: torch is not installed, or the course asks for a part that is not there.
    """
    made = tuning.make(course.plan(), classes=steps, seed=seed)
    body = made.body()
    parts = [body] if made.trunk is None else [made.trunk, body]
    weights = [digest for part in parts for digest in digests(part)]
    identity = fingerprint([[graph.as_plain(part) for part in parts], weights, course.views, seed])
    place, count = top / TRUNKS, 1 + course.views
    (width,) = graph.shapes(body)[body.output]
    early = Activations(place / f"{identity[:16]}-early", shape=(count, *made.shape), dtype=made.dtype)
    features = Activations(place / f"{identity[:16]}-features", shape=(count, width))
    return Trunk(made, early, features, course.views, seed, identity)


def teach(
    top: Path,
    course: Course,
    trunk: Trunk,
    keys: Sequence[str],
    shares: np.ndarray,
    folds: np.ndarray,
    *,
    scale: np.ndarray,
    taught: np.ndarray,
    hold: Callable[[np.ndarray], np.ndarray],
    seed: int,
    threads: int,
    clock: Clock,
    listen: Callable[[str, Lesson], None],
    stop: Callable[[], bool],
) -> Taught:
    """Teach a network: once without each fold, to know how good it is, and once on all.

    Args:
        top: folder in which what is done is kept.
        course: how.
        trunk: that has seen all pictures.
        keys: n SHA-256 of their files.
        shares: float (n, k), votes.
        folds: int (n,).
        scale: float (k,).
        taught: bool (n,), those that may be learned from.
        hold: returns which of some pictures, int (m,), are left to tell the best epoch by, bool (m,).
        seed: of everything random.
        threads: of the processor.
        clock: is told of each epoch.
        listen: hears of each epoch, and in words of which training.
        stop: asked between batches.

    Returns:
        What was taught.

    Raises:
        InputError: the loss was not finite.
        KeyboardInterrupt: stop said True; trainings and epochs that are done are kept.
    """
    targets = shares.astype(np.float32)
    inputs: list[Any] = [trunk.identity, str(astuple(course)), list(keys), targets, taught, seed, threads]
    count = int(folds.max()) + 1
    clock.begin("teaching", (count + 1) * sum(course.epochs))

    def examples(kept: Activations, where: np.ndarray) -> Cached:
        chosen = [keys[i] for i in where]
        identity = fingerprint([trunk.identity, kept.folder.name, chosen, targets[where]])
        return Cached(kept, chosen, targets[where], identity)

    def parts(where: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        held = hold(where)
        return where[~held & taught[where]], where[held]

    def fresh(name: str, where: np.ndarray, under_way: str) -> dict[str, np.ndarray]:
        own, held = ([examples(kept, part) for kept in (trunk.features, trunk.early)] for part in parts(where))
        lessons: list[Lesson] = []

        def heard(lesson: Lesson) -> None:
            clock.advance(1)
            lessons.append(lesson)
            listen(name, lesson)

        made = tuning.make(course.plan(), classes=len(scale), seed=seed)
        histories = rating_network.teach(
            made, course, own, held, seed=seed, threads=threads,
            checkpoints=[Kept(top / _TAUGHT / f"{under_way}-{phase}.safetensors") for phase in rating_network.PHASES],
            listen=heard, stop=stop,
        )  # fmt: skip
        check(histories[-1])
        return {**network.arrays(made.rest), _CURVE: np.array([_row(lesson) for lesson in lessons])}

    def learned(name: str, where: np.ndarray) -> tuple[tuning.Network, np.ndarray]:
        under_way = fingerprint([*inputs, where])[:16]
        path = top / _TAUGHT / f"{name.replace(' ', '-')}.safetensors"
        found = keep(path, [*inputs, where], lambda: fresh(name, where, under_way))
        for left in path.parent.glob(f"{under_way}-*"):
            left.unlink()  # what came of it is kept
        curve = found.pop(_CURVE)
        made = tuning.make(course.plan(), classes=len(scale), seed=seed)
        network.load(made.rest, found)
        return made, curve

    said = np.empty(shares.shape)
    for fold in range(count):
        out = folds == fold
        made, _ = learned(f"without fold {fold + 1} of {count}", np.flatnonzero(~out))
        said[out] = _shares(
            made, trunk, [key for key, o in zip(keys, out, strict=True) if o], scale=scale, threads=threads
        )
    prune(top, [trunk.early, trunk.features])
    everything = np.arange(len(keys))
    made, curve = learned("on all", everything)
    own, held = parts(everything)
    return Taught(
        rating_network.rater(made, scale=scale), made.tail(), said, tuple(map(_lesson, curve)), len(own), len(held)
    )


def _shares(made: tuning.Network, trunk: Trunk, keys: Sequence[str], *, scale: np.ndarray, threads: int) -> np.ndarray:
    """Let a taught network, as OpenVINO runs it, see pictures as they are."""
    body, rater = inference.Runner(made.body(), threads=threads), rating_network.rater(made, scale=scale)
    found = []
    for part in np.array_split(np.array(keys), -(-len(keys) // _BATCH)):
        early = trunk.early.read(part.tolist(), np.zeros(len(part), int))
        found.append(body.run(early))
    return rater.shares({NETWORK: np.concatenate(found)})


def _row(lesson: Lesson) -> list[float]:
    epoch = lesson.epoch
    return [lesson.phase, epoch.number, epoch.train_loss, epoch.val_loss or 0.0, epoch.seconds]


def _lesson(row: np.ndarray) -> Lesson:
    phase: Literal[1, 2] = 1 if row[0] == 1 else 2
    return Lesson(phase, Epoch(int(row[1]), float(row[2]), float(row[3]), None, float(row[4])))
