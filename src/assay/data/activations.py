"""What a frozen trunk made of pictures, kept on disk: computed once for each picture, read in every epoch.

A picture is known by the SHA-256 of its file; what its trunk, views and version are is the business of whoever names
the folder. Shards are put in place whole or not at all, so that a run that was killed goes on behind its last one.
"""

import json
import os
import shutil
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
from safetensors.numpy import save

from ..errors import InputError, WorkspaceError
from . import delivery

_SHARD = 48 << 20  # bytes: small enough that a kill loses little, large enough that there are few
_NAME = "values"
_TYPES = {"float16": "F16", "uint8": "U8"}  # what safetensors calls them


class Activations:
    """Arrays of one shape for each picture, read from the disk as they are asked for.

    Args:
        folder: of these alone; made when it is not there.
        shape: of what is kept for a picture, (views, ...).
        dtype: float16, or uint8 where nothing is frozen and the views themselves are kept.
    """

    def __init__(self, folder: Path, *, shape: tuple[int, ...], dtype: type[np.generic] = np.float16) -> None:
        self.folder, self.shape, self.dtype = folder, shape, np.dtype(dtype)
        self._shards: list[np.memmap] = []
        self._places: dict[str, tuple[int, int]] = {}
        self._waiting: list[tuple[str, np.ndarray]] = []
        paths = sorted(folder.glob("*.safetensors"))
        if folder.is_dir():
            os.utime(folder)  # its time says when these were last asked for
        self._next = max((int(p.stem) for p in paths if p.stem.isdecimal()), default=-1) + 1
        for path in paths:
            self._open(path)

    def __contains__(self, sha256: object) -> bool:
        return sha256 in self._places

    def keys(self) -> set[str]:
        """Return the pictures that are on disk."""
        return set(self._places)

    def put(self, sha256: str, values: np.ndarray) -> None:
        """Add what was made of one picture; it is on disk when its shard is full, or after `flush`.

        Args:
            sha256: of its file.
            values: as many as shape says; kept in 16 bits at most 65,504.

        Raises:
            InputError: the values have another shape, or are too large for float16.
            WorkspaceError: the disk is full or cannot be written.
        """
        kept = np.asarray(values)
        if self.dtype == np.float16:
            kept = kept.clip(-65504, 65504)
        kept = kept.astype(self.dtype)
        if kept.shape != self.shape or not np.isfinite(kept).all():
            raise InputError(f"what a trunk gives must be {self.shape} and finite, got {np.shape(values)}")
        self._waiting.append((sha256, kept))
        if len(self._waiting) * kept.nbytes >= _SHARD:
            self.flush()

    def flush(self) -> None:
        """Put what waits on disk.

        Raises:
            WorkspaceError: the disk is full or cannot be written.
        """
        if not self._waiting:
            return
        keys, arrays = zip(*self._waiting, strict=True)
        path = self.folder / f"{self._next:06d}.safetensors"
        self._next += 1
        delivery.replace(path, save({_NAME: np.stack(arrays)}, {"keys": json.dumps(keys)}))
        self._waiting = []
        self._open(path)

    def read(self, sha256: Sequence[str], views: np.ndarray) -> np.ndarray:
        """Read one view of each of some pictures.

        Args:
            sha256: of their files; all must be there.
            views: int (n,), which of each.

        Returns:
            (n, ...).
        """
        found = np.empty((len(sha256), *self.shape[1:]), self.dtype)
        for i, (key, view) in enumerate(zip(sha256, views, strict=True)):
            shard, row = self._places[key]
            found[i] = self._shards[shard][row, view]
        return found

    def _open(self, path: Path) -> None:
        """Take in a shard; one that is not as it was written is thrown away, for it can be made again."""
        try:
            with path.open("rb") as file:
                length = int.from_bytes(file.read(8), "little")
                head = json.loads(file.read(min(length, 1 << 24)))
            keys = json.loads(head["__metadata__"]["keys"])
            written, shape = (head[_NAME]["dtype"], head[_NAME]["shape"]), (len(keys), *self.shape)
            values = np.memmap(path, self.dtype, "r", 8 + length, shape)
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            written, shape = ("", []), ()
        if written != (_TYPES[self.dtype.name], list(shape)):
            path.unlink(missing_ok=True)
            return
        self._shards.append(values)
        self._places |= {str(key): (len(self._shards) - 1, row) for row, key in enumerate(keys)}


def prune(top: Path, *, keep: Collection[Path], limit: int) -> int:
    """Throw away what was asked for longest ago, one folder of activations after the other, until the rest has room.

    Args:
        top: a folder that holds folders of activations; it need not be there.
        keep: those that are in use, which stay however large they are.
        limit: bytes that all together may take.

    Returns:
        The bytes that are left.

    Raises:
        WorkspaceError: a folder cannot be thrown away.
    """
    try:
        folders = [path for path in top.iterdir() if path.is_dir()] if top.is_dir() else []
        sizes = {folder: sum(path.stat().st_size for path in folder.iterdir()) for folder in folders}
        used = {folder: folder.stat().st_mtime_ns for folder in folders if folder not in keep}
        left = sum(sizes.values())
        for folder in sorted(used, key=used.__getitem__):
            if left <= limit:
                break
            shutil.rmtree(folder)
            left -= sizes[folder]
    except OSError as e:
        raise WorkspaceError(f"workspace must be writable, got {e} for {top}") from e
    return left
