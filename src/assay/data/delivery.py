"""Delivery: how results are put into a folder: whole or not at all, and never over what somebody else put there."""

import contextlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError, WorkspaceError

MARK = "judgement.json"  # a folder that has it was filled here, and may be filled again


def deliver(folder: Path, files: Mapping[str, bytes | str], *, mark: str = MARK) -> dict[str, Path]:
    """Put files into a folder of results.

    Args:
        folder: new, empty, or one that was filled before; it is made where it is not there.
        files: content by name below the folder; text is written as UTF-8.
        mark: the file by which such a folder is known; it is among the files.

    Returns:
        The path of each.

    Raises:
        InputError: the folder holds something else.
        WorkspaceError: the disk is full or cannot be written.
    """
    claim(folder, mark=mark)
    return {name: replace(folder / name, data) for name, data in files.items()}


def claim(folder: Path, *, mark: str = MARK) -> None:
    """Refuse a folder that holds the files of somebody else, before any work is done for it.

    Args:
        folder: where results are to go.
        mark: the file by which a folder that was filled before is known.

    Raises:
        InputError: the folder is a file, or holds something else.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError(f"--out must be a folder, got the file {folder}")
    if folder.is_dir() and not (folder / mark).exists() and any(folder.iterdir()):
        raise InputError(f"--out must be new, empty or filled by this command, got {folder} with other files in it")


def replace(path: Path, data: bytes | str) -> Path:
    """Replace a file, whole or not at all.

    Args:
        path: of the file; the folder above it is made where it is not there.
        data: its new content; text is written as UTF-8.

    Returns:
        The path.

    Raises:
        WorkspaceError: the disk is full or cannot be written; the old content then stands.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        swap(path, data.encode("utf-8", "surrogateescape") if isinstance(data, str) else data, durable=True)
        fsync(path.parent)
    except OSError as e:
        raise WorkspaceError(f"workspace must be writable, with room on its disk, got {e} for {path}") from e
    return path


def swap(path: Path, data: bytes, *, durable: bool = False) -> None:
    """Put data in the place of a file, whole or not at all; nothing half-written stays behind.

    Args:
        path: of the file.
        data: its new content.
        durable: wait until the disk has it, so that a power cut cannot take it back.

    Raises:
        OSError: it cannot be written; the old content then stands.
    """
    draft = path.with_name(f".{path.name}.new")
    try:
        draft.write_bytes(data)
        if durable:
            fsync(draft)
        draft.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
        raise


def fsync(path: str | Path) -> None:
    """Wait until the disk has what was written to a file, or which files a folder holds.

    Args:
        path: of the file or folder.

    Raises:
        OSError: the disk fails.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@dataclass(frozen=True, slots=True)
class Kept:
    """A file that work in progress is kept in, so that it goes on where it stopped: whole, or not there."""

    path: Path

    def read(self) -> bytes | None:
        """Return what was kept last, or None where nothing was."""
        return self.path.read_bytes() if self.path.exists() else None

    def write(self, data: bytes) -> None:
        """Keep data in the place of what was kept before.

        Args:
            data: to keep.

        Raises:
            WorkspaceError: the disk is full or cannot be written; what was kept before then stands.
        """
        replace(self.path, data)
