"""Kinds: which kinds of pictures are there, what to call them, which stand apart, and where they lie on a map."""

from dataclasses import dataclass

import numpy as np

from ..data.collection import Collection
from ..data.workspace import Workspace
from ..models import backbone, cluster, layout, partitions


@dataclass(frozen=True, slots=True)
class Groups:
    """Kinds of pictures.

    names: of the groups, largest group first; label: (n,) int, the group of each picture;
    silhouettes: number of groups tried to mean silhouette (-1 to 1, higher is better separated);
    outliers: indices, farthest first; map: (n, 2) float32 in 0..1, near where pictures are alike.
    """

    names: list[str]
    label: np.ndarray
    silhouettes: dict[int, float]
    outliers: np.ndarray
    map: np.ndarray

    def examples(self, group: int, count: int) -> list[int]:
        """Return pictures spread over a group, by their order in the folder.

        Args:
            group: its number.
            count: how many at most.
        """
        members = np.flatnonzero(self.label == group)
        return [int(i) for i in members[np.linspace(0, len(members) - 1, min(count, len(members))).astype(int)]]


def find(workspace: Workspace, pictures: Collection, *, seed: int) -> Groups:
    """Group pictures by what the network sees in them.

    Args:
        workspace: where the groups are kept between runs.
        pictures: of the folder.
        seed: of everything random in it.

    Returns:
        The groups.
    """
    if not len(pictures):
        return Groups([], np.zeros(0, np.int64), {}, np.zeros(0, np.int64), np.zeros((0, 2), np.float32))

    def make() -> dict[str, np.ndarray]:
        rng = np.random.default_rng(seed)
        points = cluster.reduce(pictures.features, components=50, rng=rng)
        found = partitions.partition(points, rng=rng)
        return {
            "label": found.labels.astype(np.int64),
            "silhouettes": np.array(sorted(found.silhouettes.items()), np.float64).reshape(-1, 2),
            "outliers": cluster.outliers(points, found.labels).astype(np.int64),
            "map": layout.layout(points, rng=rng),
        }

    kept = workspace.keep(
        "groups", [pictures.keys, pictures.network, seed, list(partitions.counts(len(pictures)))], make
    )
    names = cluster.names(kept["label"], pictures.classes, pictures.class_scores, class_names=backbone.class_names())
    silhouettes = {int(k): float(s) for k, s in kept["silhouettes"]}
    return Groups(names, kept["label"], silhouettes, kept["outliers"], kept["map"])
