"""The workspace: a folder of our own beside nothing of the user's, held by one writer at a time.

It holds the table, what the slow steps found, and what a run makes: report, model and list of pictures.
Every file here is replaced whole or not at all. The user's own files are never touched.
"""

import contextlib
import fcntl
import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from .. import __version__
from ..errors import InputError, WorkspaceError
from . import delivery, table

FORMAT = 1  # raised when an older assay could not read the folder any more
_NOTE = "workspace.json"


class Workspace:
    """A folder that this process alone writes to, from `with` to the end of it.

    Args:
        folder: made when it is not there.
        width: features a picture.

    Raises:
        WorkspaceError: another process holds it, a newer version wrote it, or it cannot be written.
        InputError: the folder is there and holds something else.
    """

    def __init__(self, folder: Path, *, width: int) -> None:
        self.folder = folder
        try:
            if folder.exists() and not folder.is_dir():
                raise InputError(f"--out must be a folder, got the file {folder}")
            strangers = (
                folder.is_dir() and not (folder / _NOTE).exists() and any(p.name != "lock" for p in folder.iterdir())
            )
            if strangers:
                raise InputError(
                    f"--out must be new, empty or a workspace of assay, got {folder} with other files in it"
                )
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = (folder / "lock").open("a+")
        except OSError as e:
            raise WorkspaceError(f"workspace must be writable, got {e}: name another place with --out") from e
        self._hold()
        try:
            self._check()
            self.table = table.Table(folder / "pictures.lance", table.schema(width))
        except BaseException:
            self._lock.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lock.close()  # the lock goes with the descriptor, also when the process dies

    def write(self, name: str, data: bytes | str) -> Path:
        """Replace a file of the workspace, whole or not at all.

        Args:
            name: file name inside the workspace.
            data: its new content; text is written as UTF-8.

        Returns:
            The path of the file.

        Raises:
            WorkspaceError: the disk is full or cannot be written; the old content then stands.
        """
        return delivery.replace(self.folder / name, data)

    def note(self, name: str, empty: Any) -> Any:
        """Return what an earlier run wrote down as JSON; it cannot be made again, so that damage is not passed over.

        Args:
            name: file name inside the workspace.
            empty: what to return where there is no such file; the content must be of its type.

        Returns:
            The content.

        Raises:
            WorkspaceError: the file cannot be read, or holds something else.
        """
        path = self.folder / name
        if not path.exists():
            return empty
        try:
            content = json.loads(path.read_text())
        except (OSError, ValueError) as e:
            raise WorkspaceError(f"{name} must be as assay wrote it, got {e} in {path}: name another --out") from e
        if type(content) is not type(empty):
            kind = type(content).__name__
            raise WorkspaceError(f"{name} must be as assay wrote it, got a {kind} in {path}: name another --out")
        return content

    def keep(self, name: str, inputs: Any, make: Callable[[], dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
        """Return what a slow step made, from the last run where nothing it depends on has changed since.

        Args:
            name: of the step.
            inputs: everything the result depends on but assay's version, as JSON and arrays; the hash of both is kept
                beside the result.
            make: the step itself; called when there is no result for these inputs.

        Returns:
            Named arrays.
        """
        return keep(self.folder / "steps" / f"{name}.safetensors", inputs, make)

    def _hold(self) -> None:
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as e:
            self._lock.seek(0)
            holder = self._lock.read().strip() or "unknown"
            self._lock.close()
            raise WorkspaceError(
                f"workspace must be free, got process {holder} in {self.folder}: wait for it, or name another --out"
            ) from e
        with contextlib.suppress(OSError):  # the number is a courtesy, which a full disk does not allow
            os.ftruncate(self._lock.fileno(), 0)
            os.write(self._lock.fileno(), str(os.getpid()).encode())

    def _check(self) -> None:
        note = self.folder / _NOTE
        if not note.exists():
            self.write(_NOTE, json.dumps({"format": FORMAT}))
            return
        try:
            written = json.loads(note.read_text())["format"]
        except (OSError, ValueError, KeyError, TypeError) as e:
            raise WorkspaceError(
                f"workspace must hold a readable {_NOTE}, got {e} in {self.folder}: name another --out"
            ) from e
        if written != FORMAT:
            raise WorkspaceError(
                f"workspace must be of format {FORMAT}, got {written} in {self.folder}: "
                "use the assay that wrote it, or name another --out"
            )


def keep(path: Path, inputs: Any, make: Callable[[], dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Return what a slow step made, from its file where nothing it depends on has changed since.

    Args:
        path: of the file.
        inputs: everything the result depends on but assay's version, as JSON and arrays.
        make: the step itself; called when there is no result for these inputs.

    Returns:
        Named arrays.

    Raises:
        WorkspaceError: the disk is full or cannot be written.
    """
    wanted = fingerprint([__version__, inputs])
    if path.exists():
        try:
            with safe_open(path, "np") as file:
                if (file.metadata() or {}).get("inputs") == wanted:
                    return {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - not a mapping
        except (SafetensorError, OSError):
            path.unlink(missing_ok=True)  # it can be made again
    made = {key: np.array(value, order="C") for key, value in make().items()}
    delivery.replace(path, save(made, {"inputs": wanted}))
    return made


def fingerprint(inputs: Any) -> str:
    """Hash JSON-like values and arrays, so that equal inputs have equal hashes in every process.

    Args:
        inputs: numbers, text, None, lists, tuples, dictionaries with text keys, arrays.

    Returns:
        64 hexadecimal digits.

    >>> fingerprint({"a": 1, "b": [2.0]}) == fingerprint({"b": [2.0], "a": 1})
    True
    """
    digest = hashlib.sha256()

    def plain(value: Any) -> Any:
        if isinstance(value, np.ndarray):
            digest.update(np.ascontiguousarray(value).data if value.dtype != object else repr(value.tolist()).encode())
            return [str(value.dtype), list(value.shape)]
        if isinstance(value, dict):
            return {k: plain(value[k]) for k in sorted(value)}
        if isinstance(value, list | tuple):
            return [plain(v) for v in value]
        return value

    digest.update(json.dumps(plain(inputs), sort_keys=True, default=repr).encode())
    return digest.hexdigest()
