"""The table: one row per file, in a Lance dataset; a batch that `put` has returned from survives a power cut.

Batches of rows go in, columns come out sorted by path. Only the holder of the workspace's lock writes.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

os.environ.setdefault("LANCE_LOG", "error")  # before the import: it warns of every new dataset otherwise

import lance
import numpy as np
import pyarrow as pa

from ..errors import WorkspaceError
from .delivery import fsync

KEY = "key"
# Lance refuses a second row of the same key only where the column says that it is one.
_KEY = pa.field(KEY, pa.string(), nullable=False, metadata={"lance-schema:unenforced-primary-key": "true"})
_FRAGMENTS = 64  # above so many small files, reading a column slows down and `compact` joins them

_KEPT = timedelta(minutes=10)  # a reader that opened an older version has this long to finish


def schema(width: int) -> pa.Schema:
    """Describe a row.

    Args:
        width: features a picture; a column of fixed-size float16 vectors.

    Returns:
        The schema: what the file is, what its picture shows, its features, and its thumbnail.
    """
    return pa.schema(
        [
            _KEY,  # SHA-256 of the bytes and of the path, half of each
            ("path", pa.binary()),  # below the folder, as the file system spells it
            ("status", pa.string()),  # ok, refused, corrupt, crashed, timeout, unreadable
            ("reason", pa.string()),
            ("bytes", pa.int64()),
            ("mtime_ns", pa.int64()),
            ("sha256", pa.string()),
            ("format", pa.string()),
            ("mode", pa.string()),
            ("width", pa.int32()),  # upright, in pixels
            ("height", pa.int32()),
            ("orientation", pa.int8()),  # as EXIF numbers it, 1 to 8
            ("taken", pa.string()),  # ISO 8601, camera's own clock
            ("notes", pa.list_(pa.string())),
            ("facts", pa.list_(pa.float32())),  # in the order of pixels.facts.Facts
            ("hash", pa.uint64()),
            ("thumbnail", pa.binary()),  # JPEG, 128 pixels at most
            ("network", pa.string()),  # which one made the features
            ("features", pa.list_(pa.float16(), width)),
            ("tile_features", pa.list_(pa.float16(), width)),
            ("classes", pa.list_(pa.int16(), 5)),  # best ImageNet classes
            ("class_scores", pa.list_(pa.float16(), 5)),
        ]
    )


class Table:
    """A Lance dataset of one row per file; a folder that no first write has finished counts as empty."""

    def __init__(self, folder: Path, schema: pa.Schema) -> None:
        self.folder, self.schema = folder, schema
        self._synced: set[str] = set()
        try:
            self._data = lance.dataset(str(folder)) if folder.is_dir() else None
        except ValueError:  # a kill in the very first write: no version was ever committed
            self._data = None
        if self._data is not None and self._data.schema.names != schema.names:
            raise WorkspaceError(
                f"table must have the columns of this version of assay, got others in {folder}: name another --out"
            )

    def __len__(self) -> int:
        return 0 if self._data is None else int(self._data.count_rows())

    def put(self, rows: dict[str, Sequence[Any] | pa.Array]) -> None:
        """Insert rows, or replace those whose key is there already; durable on return.

        Args:
            rows: column name to as many values; columns left out are null.

        Raises:
            WorkspaceError: the disk is full or cannot be written; nothing of the batch is then visible.
        """
        count = len(rows[KEY])
        columns = [pa.array(rows.get(f.name, [None] * count), f.type) for f in self.schema]
        batch = pa.table(columns, schema=self.schema)
        with self._writing():
            if self._data is None:
                self._data = lance.write_dataset(batch, str(self.folder), mode="overwrite")
            else:
                self._data.merge_insert(KEY).when_matched_update_all().when_not_matched_insert_all().execute(batch)

    def delete(self, keys: Sequence[str]) -> None:
        """Remove the rows of these keys.

        Args:
            keys: keys; those that are not there are ignored.

        Raises:
            WorkspaceError: the disk is full or cannot be written.
        """
        if self._data is None or not keys:
            return
        with self._writing():
            for start in range(0, len(keys), 1000):
                quoted = ",".join(f"'{k}'" for k in keys[start : start + 1000])
                self._data.delete(f"{KEY} in ({quoted})")

    def read(self, columns: Sequence[str], *, where: str | None = None) -> pa.Table:
        """Read columns, sorted by path.

        Args:
            columns: names of columns.
            where: a condition in Lance's SQL, such as `status = 'ok'`.

        Returns:
            The rows as an Arrow table, in the order of their paths as bytes.

        Raises:
            WorkspaceError: a file of the table is damaged.
        """
        wanted = list(dict.fromkeys([*columns, "path"]))
        if self._data is None:
            return self.schema.empty_table().select(list(columns))
        try:
            found = self._data.to_table(wanted, filter=where)
        except (OSError, pa.ArrowInvalid) as e:
            raise WorkspaceError(f"table must be readable, got {e} in {self.folder}: name another --out") from e
        paths = found["path"].to_pylist()
        order = sorted(range(len(paths)), key=paths.__getitem__)
        return found.take(pa.array(order, pa.int64())).select(list(columns))

    def compact(self) -> None:
        """Join many small files into few, and drop what no row needs any more."""
        if self._data is None or len(self._data.get_fragments()) <= _FRAGMENTS:
            return
        with self._writing():
            self._data.optimize.compact_files()
            self._data.cleanup_old_versions(older_than=_KEPT)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
            self._sync()
        except OSError as e:
            raise WorkspaceError(f"workspace must be writable, with room on its disk, got {e} in {self.folder}") from e

    def _sync(self) -> None:
        """Flush what the last commit wrote: Lance leaves that to the operating system."""
        folders = set()
        for root, _, files in os.walk(self.folder):
            for name in files:
                path = os.path.join(root, name)  # noqa: PTH118 - thousands of names, each batch
                if path not in self._synced:
                    fsync(path)
                    self._synced.add(path)
                    folders.add(root)
        for root in [*folders, str(self.folder), str(self.folder.parent)]:
            fsync(root)


def matrix(column: pa.ChunkedArray, *, dtype: np.dtype | type) -> np.ndarray:
    """View a column of fixed-size vectors as a matrix.

    Args:
        column: no value null.
        dtype: of the result.

    Returns:
        (rows, width) array.
    """
    flat = column.combine_chunks().flatten()
    return np.asarray(flat.to_numpy(zero_copy_only=False), dtype).reshape(len(column), column.type.list_size)
