"""A trial: would looking at tiles pay? Found out on a sample of the pictures that are not sealed."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from scipy.special import log_softmax

from ..data import folder, rows, splits
from ..data.collection import Collection
from ..data.workspace import Workspace
from ..errors import UndefinedError
from ..models import backbone, heads
from ..stats import intervals
from ..stats.intervals import Estimate
from ..workers import local
from .learning import Learned

_SAMPLE = 160  # pictures: 1,600 views, a dozen seconds
_GOOD = 0.99  # out-of-fold accuracy from which on nothing needs to be tried
_REPEATS = 2


@dataclass(frozen=True, slots=True)
class Trial:
    """By how much tiles change the log loss out of fold (nats; below 0 is better), on how many pictures."""

    gain: Estimate
    pictures: int
    pays: bool


def try_tiles(
    workspace: Workspace, root: Path, pictures: Collection, learned: Learned, *, seed: int, processes: int | None
) -> Trial | None:
    """Compare a head on the whole picture with one that also looks at tiles, on the same sample and folds.

    Args:
        workspace: where the features of the sample are kept between runs.
        root: the folder of pictures.
        pictures: of the folder.
        learned: the classifier so far.
        seed: of the sample and the folds.
        processes: that read pictures.

    Returns:
        The trial, or None where the classifier leaves nothing to gain, or a class has too few pictures.
    """
    y = learned.label[learned.development]
    right = (learned.probabilities.mean(axis=0).argmax(axis=1) == y).mean()
    if right >= _GOOD:
        return None
    rng = np.random.default_rng(seed)
    chosen = _sample(y, rng)
    at = learned.used[learned.development[chosen]]
    inputs = [pictures.keys[at], pictures.network]
    kept = workspace.keep("trial", inputs, lambda: _tiles(root, pictures, at, processes))
    there = kept["there"]
    y, groups = y[chosen][there], learned.group[learned.development[chosen]][there]
    whole = pictures.features[at][there]
    try:
        folds = np.stack([splits.folds(y, groups, rng=rng) for _ in range(_REPEATS)])
        losses = [
            _losses(heads.cross_validate(heads.root(x), y, folds, classes=learned.classes, groups=groups), y)
            for x in (whole, np.hstack([whole, kept["features"][there].astype(np.float32)]))
        ]
    except UndefinedError:
        return None
    gain = intervals.mean(losses[1] - losses[0], groups=groups)
    return Trial(gain, len(y), gain.high < 0)


def _sample(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw pictures, equally many of each class as far as there are."""
    order = rng.permutation(len(labels))
    turn = np.zeros(len(labels), int)
    for c in np.unique(labels):
        mine = order[labels[order] == c]
        turn[mine] = np.arange(len(mine))
    return np.sort(order[np.argsort(turn[order], kind="stable")][:_SAMPLE])


def _tiles(root: Path, pictures: Collection, at: np.ndarray, processes: int | None) -> dict[str, np.ndarray]:
    """Read the sample again, and let the network see the tiles of each."""
    files = [folder.File(pictures.paths[i], int(pictures.size[i]), 0) for i in at]
    place = {file.path: j for j, file in enumerate(files)}
    network = backbone.Backbone(threads=processes or 2)
    features = np.zeros((len(at), backbone.WIDTH), np.float16)
    there = np.zeros(len(at), bool)
    examine = partial(rows.examine, root=root, size=backbone.SIZE, tiles=True)
    for results in local.run(examine, files, processes=processes or 2, chunk=4):
        for file, row in results:
            if isinstance(row, rows.Row) and row.views is not None:
                seen = network.see(row.views[None])
                features[place[file.path]], there[place[file.path]] = seen.tile_features[0], True  # type: ignore[index]
    return {"features": features, "there": there}


def _losses(found: heads.OutOfFold, labels: np.ndarray) -> np.ndarray:
    """Return the calibrated log loss of each picture, over the repeats."""
    logs = log_softmax(found.logits.astype(float) / found.temperature, axis=2)
    return np.asarray(-logs[:, np.arange(len(labels)), labels].mean(axis=0))
