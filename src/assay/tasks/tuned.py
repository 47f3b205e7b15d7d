"""Tuned: a network is taught on what its frozen trunk gave, out of fold and then on everything that is not sealed.

The trunk sees every view of every picture once, whatever the epochs and the folds; what it gave is kept by content, and
so is each fold that is done and the epoch under way: a run that was killed goes on from there.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import log_softmax

from ..data import activations, folder, rows, splits
from ..data.activations import Activations
from ..data.collection import Collection
from ..data.delivery import Kept
from ..data.workspace import Workspace, fingerprint
from ..errors import InputError
from ..models import backbone, graph, heads, inference, network, tuning
from ..models.fitting import History
from ..models.graph import Graph
from ..workers import local
from ..workers.clock import Clock

_APART = (0.8, 0.2, 0.0)  # of what may be learned from: taught, and asked when to stop
TRUNKS = "trunks"  # folder of what frozen layers gave
ROOM = 2 << 30  # bytes that all trunks may take in a workspace; those of the run under way stay whatever they take
_LINE = {"weight": "line.weight", "bias": "line.bias"}  # of the last layer, as it began
# How far from the line that a network began with it may go, of the way that it was taught, and what that is called.
_SHARES = {
    0.0: "; out of fold what its layers had learned was of no use, so that the last one alone is new",
    0.5: "; its weights halfway between the line that it began with and what was learned",
    1.0: "",
}
_UNDER_WAY = "training-{}.safetensors"  # of the epochs of one training, by what it depends on


@dataclass(frozen=True, slots=True)
class Taught:
    """What one way of learning made of the pictures that are not sealed.

    method: "head", "finetune" or "cnn"; words: the same for a person; logits: float32 (repeats, d, k), of pictures that
    were not learned from; sees: positions in used to logits (n, k).
    """

    method: str
    words: str
    head: heads.Head
    tail: Graph | None
    logits: np.ndarray
    sees: Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Cached:
    """Examples for training: what a trunk gave for one view of each picture, in another epoch for another view.

    sha256: (n,) of their files; labels: int (n,); identity: tells these from others.
    """

    kept: Activations
    sha256: Sequence[str]
    labels: np.ndarray
    identity: str

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.sha256)

    def batch(self, indices: np.ndarray, *, epoch: int) -> tuple[np.ndarray, np.ndarray]:
        """Return some of them.

        Args:
            indices: int (n,).
            epoch: the views go round with it, each picture beginning at another; 0 is the picture as it is.
        """
        chosen = [self.sha256[i] for i in indices]
        views = np.zeros(len(indices), int)
        if epoch:
            views = (np.array([int(key[:8], 16) for key in chosen]) + epoch) % self.kept.shape[0]
        return self.kept.read(chosen, views), self.labels[indices]


@dataclass(frozen=True, slots=True)
class Trunk:
    """What the frozen part of a network gave for pictures: changed views too of those that are learned from."""

    made: tuning.Network
    plain: Activations
    varied: Activations
    identity: str

    def holds(self, sha256: str, *, varied: bool) -> bool:
        """Whether a picture is there.

        Args:
            sha256: of its file.
            varied: with changed views.
        """
        return sha256 in self.varied or (not varied and sha256 in self.plain)


def look(
    workspace: Workspace,
    root: Path,
    pictures: Collection,
    used: np.ndarray,
    sealed: np.ndarray,
    plan: tuning.Plan,
    *,
    classes: int,
    seed: int,
    processes: int | None,
    clock: Clock,
    stop: Callable[[], bool],
) -> Trunk:
    """Run the frozen part of a network over pictures; those that it has seen in an earlier run are not read again.

    Args:
        workspace: where it is kept.
        root: the folder of pictures.
        pictures: of the folder.
        used: (m,) indices of pictures.
        sealed: bool (m,), those that are not learned from: one view of each is enough.
        plan: of the network.
        classes: how many.
        seed: of the changed views.
        processes: that read pictures.
        clock: is told of the progress.
        stop: asked between pictures.

    Returns:
        The trunk. A file that has changed since it was scanned, or is gone, is not in it.

    Raises:
        InputError: torch is not installed, or the plan asks for a part that is not there.
        WorkspaceError: the disk is full or cannot be written.
        KeyboardInterrupt: stop said True; what was seen is kept.
    """
    made = tuning.make(plan, classes=classes, seed=seed)
    variants = rows.Variants(plan.views, plan.recipe, seed)
    before = made.trunk
    known = [graph.as_plain(before), digests(before)] if before else ["views", []]
    frozen = [*known, list(made.shape)]
    identity = fingerprint([frozen, str(variants)])
    top = workspace.folder / TRUNKS
    trunk = Trunk(
        made=made,
        plain=Activations(top / fingerprint(frozen)[:16], shape=(1, *made.shape), dtype=made.dtype),
        varied=Activations(top / identity[:16], shape=(1 + plan.views, *made.shape), dtype=made.dtype),
        identity=identity,
    )
    wanted = {str(pictures.sha256[i]): bool(s) for i, s in zip(used, sealed, strict=True)}
    todo = {key: s for key, s in wanted.items() if not trunk.holds(key, varied=not s)}
    clock.begin(f"frozen layers ({plan.method})", len(todo))
    if not todo:
        return trunk
    see = made.frozen(threads=processes or 2)
    where = {pictures.paths[i]: str(pictures.sha256[i]) for i in used if str(pictures.sha256[i]) in todo}
    for kind, into in ((True, trunk.plain), (False, trunk.varied)):
        files = [folder.File(path, 0, 0) for path, key in where.items() if todo[key] is kind]
        read = partial(rows.read, root=root, size=backbone.SIZE, variants=None if kind else variants)
        found = local.run(read, files, processes=min(processes or 2, len(files) or 1), chunk=2, seconds=60, stop=stop)
        for results in found:
            for file, row in results:
                same = isinstance(row, rows.Row) and row.columns.get("sha256") == where[file.path]
                if same and row.views is not None and where[file.path] not in into:
                    into.put(where[file.path], see(row.views))
            clock.advance(len(results))
        into.flush()
    if stop():
        raise KeyboardInterrupt
    return trunk


def digests(part: Graph) -> list[str]:
    """Return the SHA-256 of each array of a network, in the order of their names.

    Args:
        part: of a network.
    """
    return [hashlib.sha256(array.tobytes()).hexdigest() for _, array in sorted(part.weights.items())]


def prune(top: Path, used: Iterable[Activations]) -> int:
    """Throw away what frozen layers gave for plans that were not used for long, where all that is kept takes much room.

    Args:
        top: folder in which the folder of it is.
        used: in the run under way, which stays.

    Returns:
        The bytes that are left.

    Raises:
        WorkspaceError: the disk cannot be written.
    """
    return activations.prune(top / TRUNKS, keep={kept.folder for kept in used}, limit=ROOM)


def check(history: History) -> None:
    """Refuse a training that did not come to its end.

    Args:
        history: of it.

    Raises:
        InputError: its loss was not finite.
        KeyboardInterrupt: it was asked to stop.
    """
    if history.stopped == "asked":
        raise KeyboardInterrupt
    if history.stopped == "not finite":
        raise InputError(f"teaching must come to its end, got {history.words}: try a lower --learning-rate")


def teach(
    workspace: Workspace,
    pictures: Collection,
    used: np.ndarray,
    label: np.ndarray,
    development: np.ndarray,
    folds: np.ndarray,
    groups: np.ndarray,
    plan: tuning.Plan,
    trunk: Trunk,
    *,
    classes: tuple[str, ...],
    seed: int,
    processes: int | None,
    clock: Clock,
    stop: Callable[[], bool],
) -> Taught:
    """Teach a network: once without each fold, to know how good it is, and once on all of them.

    Args:
        workspace: where what is done is kept between runs.
        pictures: of the folder.
        used: (m,) indices of pictures that the trunk has seen.
        label: int (m,).
        development: (d,) positions in used of those that are not sealed.
        folds: int (d,), of those.
        groups: int (d,), pictures that belong together.
        plan: of the network.
        trunk: what its frozen part gave.
        classes: k names.
        seed: of everything random.
        processes: threads.
        clock: is told of the progress.
        stop: asked between batches.

    Returns:
        What was taught.

    Raises:
        InputError: the loss was not finite before an epoch was done.
        KeyboardInterrupt: stop said True; folds and epochs that are done are kept.
    """
    threads = processes or 2
    keys = [str(x) for x in pictures.sha256[used]]
    inputs: list[Any] = [
        trunk.identity,
        list(_LINE),
        str(astuple(plan)),
        keys,
        label,
        development,
        list(classes),
        seed,
        threads,
    ]
    count = int(folds.max()) + 1
    clock.begin(f"teaching ({plan.method})", (count + 1) * plan.epochs)

    def examples(where: np.ndarray) -> Cached:
        chosen = [keys[i] for i in where]
        return Cached(trunk.varied, chosen, label[where], fingerprint([trunk.identity, chosen, label[where]]))

    steps = workspace.folder / "steps"

    belongs = np.zeros(len(used), int)
    belongs[development] = groups

    def apart(where: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Set pictures aside that say when to stop; those of the fold that judges are not among them."""
        part = splits.split([keys[i] for i in where], label[where], belongs[where], seed=seed, fractions=_APART)
        return where[part == "train"], where[part == "val"]

    def fresh(where: np.ndarray) -> dict[str, np.ndarray]:
        under_way = steps / _UNDER_WAY.format(fingerprint([*inputs, where])[:16])
        made = tuning.make(plan, classes=len(classes), seed=seed)
        lessons, asked = (where, None) if plan.patience is None else apart(where)
        train = examples(lessons)
        line = _begun(made, train, threads=threads) if plan.lined else {}
        history = tuning.teach(
            made,
            train,
            plan,
            val=examples(asked) if asked is not None else None,
            seed=seed,
            threads=threads,
            checkpoint=Kept(under_way),
            listen=lambda _: clock.advance(1),
            stop=stop,
        )
        check(history)
        clock.advance(plan.epochs - len(history.epochs))  # of those that patience has spared
        return network.arrays(made.rest) | line

    def taught(name: str, where: np.ndarray, shares: Sequence[float]) -> Iterator[tuning.Network]:
        """Yield one and the same network, so far from the line that it began with as each share says."""
        kept = workspace.keep(f"{plan.method}-{name}", [*inputs, where], lambda: fresh(where))
        made = tuning.make(plan, classes=len(classes), seed=seed)
        start = _start(made, kept)
        for share in shares:
            network.load(made.rest, tuning.between(start, kept, share))
            yield made

    shares = tuple(_SHARES) if plan.lined else (1.0,)
    said = np.zeros((len(shares), len(development), len(classes)), np.float32)
    for fold in range(count):
        out = folds == fold
        shown = [keys[i] for i in development[out]]
        for which, made in enumerate(taught(f"fold-{fold}", development[~out], shares)):
            said[which, out] = _logits(made.body(), made.last(), trunk, shown, threads=threads)
    share, logits = _far(said, label[development], folds, groups)
    (made,) = taught("all", development, [shares[share]])
    body, last = made.body(), made.last()
    for path in steps.glob(_UNDER_WAY.format("*")):
        path.unlink()  # what came of it is kept
    temperature = heads.calibrate(label[development], logits[None], groups=groups)
    return Taught(
        method=plan.method,
        words=plan.in_words() + _SHARES[shares[share]],
        head=heads.Head(classes, *last, temperature, tuning.LINE),
        tail=made.tail(),
        logits=logits[None],
        sees=lambda positions: _logits(body, last, trunk, [keys[i] for i in positions], threads=threads),
    )


def _begun(made: tuning.Network, train: Cached, *, threads: int) -> dict[str, np.ndarray]:
    """Let the last layer begin with a line, and return that."""
    tuning.begin(made, train, threads=threads)
    return {_LINE[kind]: array for kind, array in network.arrays(made.rest.classes).items()}


def _start(made: tuning.Network, kept: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the weights that a network began with: where there was one, the line is in its last layer."""
    line = {kind: kept[name] for kind, name in _LINE.items() if name in kept}
    if line:
        network.load(made.rest.classes, line)
    return network.arrays(made.rest)


def _far(said: np.ndarray, label: np.ndarray, folds: np.ndarray, groups: np.ndarray) -> tuple[int, np.ndarray]:
    """Choose how far to go from the line, by pictures that were not learned from.

    Args:
        said: logits (shares, d, k), out of fold.
        label: int (d,).
        folds: int (d,).
        groups: int (d,).

    Returns:
        The place of the share, and logits (d, k): those of each fold at the share that the other folds choose.
    """
    losses = np.empty(said.shape[:2])
    for which, logits in enumerate(said):
        calm = logits.astype(float) / heads.calibrate(label, logits[None], groups=groups)
        losses[which] = -log_softmax(calm, axis=1)[np.arange(len(label)), label]
    chosen = np.empty(said.shape[1:], np.float32)
    for fold in np.unique(folds):
        out = folds == fold
        chosen[out] = said[losses[:, ~out].mean(axis=1).argmin(), out]
    return int(losses.mean(axis=1).argmin()), chosen


def _logits(
    body: Graph, last: tuple[np.ndarray, np.ndarray], trunk: Trunk, keys: list[str], *, threads: int
) -> np.ndarray:
    """Let a taught network, as OpenVINO runs it, see pictures as they are."""
    given = np.concatenate(
        [(trunk.varied if key in trunk.varied else trunk.plain).read([key], np.zeros(1, int)) for key in keys]
    )
    weight, bias = last
    return np.asarray(inference.Runner(body, threads=threads).run(given) @ weight.T + bias)
