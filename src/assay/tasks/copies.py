"""Copies: which pictures are the same, byte for byte or to the eye, and which one of them to keep."""

from dataclasses import dataclass

import numpy as np

from ..data.collection import Collection
from ..data.pictures import decode, header
from ..data.workspace import Workspace
from ..models import neighbours
from ..pixels import hashes, likeness
from ..pixels.facts import Facts

_SHARPNESS = list(Facts.__dataclass_fields__).index("sharpness")


@dataclass(frozen=True, slots=True)
class Group:
    """Pictures that look the same: the index of the one to keep, why, the others, and whose bytes stand there twice."""

    keep: int
    why: str
    others: list[int]
    spare: list[int]  # of the others: each has the bytes of the kept one, or of another that is not spare

    @property
    def exact(self) -> bool:
        """Whether all are the same, byte for byte."""
        return len(self.spare) == len(self.others)


@dataclass(frozen=True, slots=True)
class Copies:
    """All groups of copies; group: (n,) int, the same for pictures that must stay on one side of a split."""

    groups: list[Group]
    group: np.ndarray


def find(workspace: Workspace, pictures: Collection) -> Copies:
    """Find copies: the same bytes, like hashes with like features, or all but equal features.

    Args:
        workspace: where the pairs are kept between runs.
        pictures: of the folder.

    Returns:
        The groups, exact ones first, larger ones first.
    """
    if not len(pictures):
        return Copies([], np.zeros(0, np.int64))
    inputs = [pictures.keys, pictures.network, hashes.RADIUS, hashes.PARTNERS, likeness.SAME]
    pairs = workspace.keep("copies", inputs, lambda: {"pairs": _pairs(pictures)})["pairs"]
    group = neighbours.connected(len(pictures), pairs)
    members: dict[int, list[int]] = {}
    for i in np.flatnonzero(np.bincount(group, minlength=len(pictures))[group] > 1):
        members.setdefault(int(group[i]), []).append(int(i))
    groups = [_propose(pictures, indices) for indices in members.values()]
    groups.sort(key=lambda g: (not g.exact, -len(g.others), g.keep))
    return Copies(groups, group)


def _pairs(pictures: Collection) -> np.ndarray:
    exact = neighbours.sharing(pictures.sha256)
    hashed = hashes.near_pairs(pictures.hash, radius=hashes.RADIUS)
    partners = np.bincount(hashed.ravel(), minlength=len(pictures))
    hashed = hashed[(partners[hashed] <= hashes.PARTNERS).all(axis=1)]
    return np.concatenate([exact, _confirmed(pictures, hashed), neighbours.alike(pictures.features)])


def _confirmed(pictures: Collection, pairs: np.ndarray) -> np.ndarray:
    """Keep the pairs whose thumbnails agree in fine detail."""
    details: dict[int, np.ndarray] = {}
    for start in range(0, len(pairs), 500):
        fresh = sorted({int(i) for i in pairs[start : start + 500].ravel()} - set(details))
        details |= {i: likeness.detail(decode(jpeg, header(jpeg))) for i, jpeg in pictures.thumbnails(fresh).items()}
    kept = [likeness.correlation(details[a], details[b]) >= likeness.SAME for a, b in pairs.tolist()]
    return np.asarray(pairs[np.array(kept, bool)])


def _propose(pictures: Collection, indices: list[int]) -> Group:
    """Keep the largest; among those the sharpest; among those the least compressed; then the first by path."""
    pixels = pictures.width * pictures.height
    sharpness = pictures.facts[:, _SHARPNESS]
    order = sorted(
        indices, key=lambda i: (-pixels[i], -round(float(sharpness[i]), 3), -pictures.size[i], pictures.paths[i])
    )
    best, second = order[:2]
    first: dict[str, int] = {}
    spare = sorted(i for i in order if first.setdefault(pictures.sha256[i], i) != i)
    if len(spare) == len(order) - 1:
        why = "all are the same, byte for byte; first by name"
    elif pixels[best] > pixels[second]:
        why = f"largest: {pictures.width[best]} × {pictures.height[best]} pixels"
    elif round(float(sharpness[best]), 3) > round(float(sharpness[second]), 3):
        why = "same size, sharpest"
    elif pictures.size[best] > pictures.size[second]:
        why = f"same size and sharpness, least compressed: {pictures.size[best]:,} bytes"
    else:
        why = "no difference found; first by name"
    return Group(best, why, sorted(i for i in indices if i != best), spare)
