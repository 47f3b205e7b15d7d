"""What the table knows of the good pictures of a folder, as arrays in the order of their paths."""

import os
from dataclasses import dataclass

import numpy as np

from .table import KEY, Table, matrix

_COLUMNS = [KEY, "path", "sha256", "bytes", "format", "mode", "width", "height", "orientation", "taken", "facts"]
_COLUMNS += ["hash"]
_SEEN = ["network", "features", "classes", "class_scores"]  # by the network


@dataclass(frozen=True, slots=True)
class Collection:
    """n pictures that could be read.

    keys, paths, sha256, format, mode, taken: (n,) objects; size in bytes, width, height, orientation: (n,) int;
    facts: float32 (n, facts); hash: uint64 (n,); features: float32 (n, 1280) of the whole picture, or (n, 0) where they
    were not asked for; tile_features: float32 (n, 1280), or None; classes: int16 (n, 5), best first; class_scores:
    float32 (n, 5), both (n, 0) without features.
    """

    table: Table
    network: str
    keys: np.ndarray
    paths: np.ndarray
    sha256: np.ndarray
    format: np.ndarray
    mode: np.ndarray
    taken: np.ndarray
    size: np.ndarray
    width: np.ndarray
    height: np.ndarray
    orientation: np.ndarray
    facts: np.ndarray
    hash: np.ndarray
    features: np.ndarray
    tile_features: np.ndarray | None
    classes: np.ndarray
    class_scores: np.ndarray

    def __len__(self) -> int:
        return len(self.keys)

    def name(self, index: int) -> str:
        """Return the path of a picture as text; bytes that are no UTF-8 come back as lone surrogates.

        Args:
            index: of the picture.
        """
        return os.fsdecode(self.paths[index])

    def thumbnails(self, indices: np.ndarray | list[int]) -> dict[int, bytes]:
        """Fetch thumbnails.

        Args:
            indices: of pictures.

        Returns:
            Index to JPEG bytes.
        """
        wanted = {str(self.keys[i]): int(i) for i in indices}
        found: dict[int, bytes] = {}
        keys = list(wanted)
        for start in range(0, len(keys), 1000):
            quoted = ",".join(f"'{k}'" for k in keys[start : start + 1000])
            rows = self.table.read([KEY, "thumbnail"], where=f"{KEY} in ({quoted})").to_pylist()
            found |= {wanted[row[KEY]]: row["thumbnail"] for row in rows}
        return found


def collect(table: Table, *, features: bool = True, tiles: bool = False) -> Collection:
    """Read what is known of the good pictures.

    Args:
        table: of a workspace; features that are asked for are complete.
        features: what the network saw in them; without it, they need not have been shown to it.
        tiles: also the features of the tiles.

    Returns:
        The pictures in the order of their paths.
    """
    good = "status = 'ok'" + (" and features is not null" if features else "")
    found = table.read(_COLUMNS + (_SEEN if features else []), where=good)
    texts = {c: np.array(found[c].to_pylist(), object) for c in (KEY, "path", "sha256", "format", "mode", "taken")}
    numbers = {c: np.array(found[c].to_pylist(), np.int64) for c in ("bytes", "width", "height", "orientation")}
    numbers["size"] = numbers.pop("bytes")
    tiled = None
    if tiles:
        column = table.read(["tile_features"], where=good)["tile_features"]
        tiled = matrix(column, dtype=np.float32)

    def seen(column: str, dtype: type) -> np.ndarray:
        return matrix(found[column], dtype=dtype) if features else np.zeros((len(found), 0), dtype)

    return Collection(
        table=table,
        network=found["network"][0].as_py() if features and len(found) else "",
        keys=texts[KEY],
        paths=texts["path"],
        sha256=texts["sha256"],
        format=texts["format"],
        mode=texts["mode"],
        taken=texts["taken"],
        **numbers,
        facts=np.array(found["facts"].to_pylist(), np.float32),
        hash=np.array(found["hash"].to_pylist(), np.uint64),
        features=seen("features", np.float32),
        tile_features=tiled,
        classes=seen("classes", np.int16),
        class_scores=seen("class_scores", np.float32),
    )
