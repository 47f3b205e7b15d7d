"""Predict: pictures in, a label, probabilities and "none of these" out, with a model file."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from ..data import folder, rows
from ..errors import InputError
from ..models import backbone, heads, saved
from ..report import record
from ..workers import local
from ..workers.clock import Clock

NONE = "none of these"
_ROWS = 64  # pictures that the network is given at a time


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a model says of one file.

    label: a class, "none of these", or "" where the file is no picture; probability: of the likeliest class;
    probabilities: by class, in the model's order; status, reason: as in a scan.
    """

    file: str
    label: str
    probability: float | None
    probabilities: tuple[float, ...]
    status: str
    reason: str


@dataclass(frozen=True, slots=True)
class Predictions:
    """What a model says of many files, in the order of their names."""

    classes: tuple[str, ...]
    rows: list[Prediction]

    def _repr_html_(self) -> str:
        return record.as_html(self)


@dataclass(frozen=True, slots=True)
class Looked:
    """What a model says of one file, the hash of its content, and its thumbnail; both empty where it is no picture."""

    prediction: Prediction
    sha256: str
    thumbnail: bytes


def predict(
    model: str | os.PathLike[str],
    paths: Sequence[str | os.PathLike[str]],
    *,
    processes: int | None = None,
    tell: Callable[[str], None] = lambda _: None,
    stop: Callable[[], bool] = lambda: False,
) -> Predictions:
    """Label pictures.

    Args:
        model: a `.assay` file.
        paths: pictures, and folders of pictures.
        processes: that read pictures; as many as processors by default.
        tell: shows a line about progress.
        stop: asked between batches; True ends after the one under way.

    Returns:
        One row per file; a file that is no picture has its status and reason.

    Raises:
        InputError: the model cannot be read or wants another backbone, or a path does not exist.
    """
    loaded = load(model)
    files = _files([Path(p) for p in paths])
    clock = Clock({"predicting": len(files) / 100}, tell=tell, job="predict", units=len(files))
    clock.begin("predicting", len(files))
    found = [seen.prediction for seen in look(loaded, files, root=Path(), processes=processes, clock=clock, stop=stop)]
    clock.finish()
    return Predictions(loaded.head.classes, sorted(found, key=lambda row: os.fsencode(row.file)))


def load(model: str | os.PathLike[str]) -> saved.Model:
    """Read a model that this version can use.

    Args:
        model: a `.assay` file.

    Returns:
        The model.

    Raises:
        InputError: the model cannot be read, wants another backbone, or does not fit it.
    """
    loaded = saved.unpack(Path(model))
    if loaded.card.get("backbone") != backbone.identity():
        raise InputError(f"MODEL must be made for {backbone.identity()}, got {loaded.card.get('backbone')!r}")
    if loaded.tail is not None:
        backbone.fits(loaded.tail)
        if loaded.novelty is not None and loaded.novelty.centres.shape[1] != backbone.WIDTH:
            raise InputError(f"MODEL must refuse by {backbone.WIDTH} features, got {loaded.novelty.centres.shape}")
    return loaded


def look(
    model: saved.Model,
    files: Sequence[folder.File],
    *,
    root: Path,
    processes: int | None,
    clock: Clock,
    stop: Callable[[], bool],
) -> Iterator[Looked]:
    """Let a model see files, a batch at a time.

    Args:
        model: from `load`.
        files: to look at.
        root: folder that their paths are below.
        processes: that read pictures; as many as processors by default.
        clock: is told of every file.
        stop: asked between batches; True ends after the one under way.

    Yields:
        One for each file, in the order in which they are done.
    """
    processes = processes or len(os.sched_getaffinity(0))
    network = backbone.Backbone(threads=processes, tail=model.tail)
    tiles = model.card.get("views") == "tiles"
    examine = partial(rows.examine, root=root, size=backbone.SIZE, tiles=tiles)
    batch: list[rows.Row] = []
    for results in local.run(examine, files, processes=max(1, min(processes, len(files))), stop=stop):
        for file, result in results:
            if isinstance(result, local.Failure):
                yield Looked(_none(file.path, result.status, result.reason), "", b"")
            elif result.views is None:
                yield Looked(_none(file.path, str(result.columns["status"]), str(result.columns["reason"])), "", b"")
            else:
                batch.append(result)
        clock.advance(len(results))
        if len(batch) >= _ROWS:
            yield from _answers(model, network, batch)
            batch = []
    if batch:
        yield from _answers(model, network, batch)


def _files(paths: list[Path]) -> list[folder.File]:
    files: dict[bytes, folder.File] = {}
    for path in paths:
        if path.is_dir():
            top = os.fsencode(path)
            listed = [folder.File(os.path.join(top, f.path), f.bytes, f.mtime_ns) for f in folder.walk(path).files]  # noqa: PTH118
            files |= {f.path: f for f in listed}
        elif path.exists():
            status = path.stat()
            files[os.fsencode(path)] = folder.File(os.fsencode(path), status.st_size, status.st_mtime_ns)
        else:
            raise InputError(f"PATH must be a picture or a folder, got nothing at {path}")
    return list(files.values())


def _none(path: bytes, status: str, reason: str) -> Prediction:
    return Prediction(os.fsdecode(path), "", None, (), status, reason)


def _answers(model: saved.Model, network: backbone.Backbone, batch: list[rows.Row]) -> Iterator[Looked]:
    seen = network.see(np.stack([row.views for row in batch if row.views is not None]))
    features = seen.features if seen.tile_features is None else np.hstack([seen.features, seen.tile_features])
    features = features.astype(np.float32)
    chances = model.head.probabilities(heads.root(features) if seen.tail is None else seen.tail)
    strange = model.novelty.refuses(features) if model.novelty is not None else np.zeros(len(batch), bool)
    best = decide(chances, model.card, model.head.classes)
    for row, p, s, b in zip(batch, chances, strange, best, strict=True):
        label = NONE if s else model.head.classes[b]
        name = os.fsdecode(row.columns["path"])  # type: ignore[arg-type]
        prediction = Prediction(name, label, float(p[b]), tuple(float(x) for x in p), "ok", "")
        yield Looked(prediction, str(row.columns["sha256"]), row.columns["thumbnail"])  # type: ignore[arg-type]


def decide(probabilities: np.ndarray, card: dict[str, object], classes: tuple[str, ...]) -> np.ndarray:
    """Turn probabilities into classes: by the model's cut-off where it has one, else the likeliest.

    Args:
        probabilities: float (n, k).
        card: of the model.
        classes: of the model.

    Returns:
        int (n,).
    """
    cutoff = card.get("cutoff")
    if not isinstance(cutoff, dict):
        return np.asarray(probabilities.argmax(axis=1))
    which = classes.index(cutoff["positive"])
    return np.where(probabilities[:, which] >= cutoff["threshold"], which, 1 - which)
