"""One picture in, variants of it on disk out, from one read of its bytes. Runs in a worker, so it imports no table."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import cv2

from ..errors import CorruptError, RefusedError
from ..pixels import augment
from ..pixels.recipes import Recipe
from . import pictures
from .folder import File


@dataclass(frozen=True, slots=True)
class Order:
    """Variants to make of one picture: its path below the folder, and the index of each with its path below `out`."""

    source: bytes
    wanted: tuple[tuple[int, bytes], ...]


@dataclass(frozen=True, slots=True)
class Made:
    """What was changed in each variant, by index; or the status of a source that is no picture, and the reason.

    status: "ok", "refused", "corrupt", "unreadable" as in a scan, or "unwritable".
    """

    status: str
    reason: str
    changes: dict[int, str]


def make(order: Order, *, root: Path, out: Path, recipe: Recipe, seed: int, quality: int) -> Made:
    """Read a picture once, and write the variants that are not there yet.

    A variant is a function of the bytes of its source, the recipe, the seed and its index alone.

    Args:
        order: what to make.
        root: folder that the source is below.
        out: folder that the variants are below; folders inside it are made.
        recipe: which changes.
        seed: of the whole.
        quality: of JPEGs, 1 to 100.

    Returns:
        What was changed.
    """
    cv2.setNumThreads(1)
    draws = {index: augment.draw(recipe, rng=augment.generator(seed=seed, index=index)) for index, _ in order.wanted}
    changes = {index: str(drawn) for index, drawn in draws.items()}
    missing = [(index, path) for index, name in order.wanted if not (path := _below(out, name)).exists()]
    if not missing:
        return Made("ok", "", changes)
    try:
        image = pictures.read(_below(root, order.source))
    except OSError as e:
        return Made("unreadable", e.strerror or str(e), {})
    except (RefusedError, CorruptError) as e:
        return Made("refused" if isinstance(e, RefusedError) else "corrupt", str(e.__cause__ or e), {})
    try:
        for index, path in missing:
            path.parent.mkdir(parents=True, exist_ok=True)
            pictures.write(path, augment.apply(image, draws[index]), quality=quality)
    except OSError as e:
        return Made("unwritable", str(e), {})
    return Made("ok", "", changes)


def digest(file: File, *, root: Path) -> str:
    """Hash the content of a file.

    Args:
        file: as listed.
        root: folder that its path is below.

    Returns:
        SHA-256 as the table holds it; "" where the file cannot be read.
    """
    try:
        data, _ = pictures.read_bytes(_below(root, file.path))
    except (OSError, RefusedError):
        return ""
    return hashlib.sha256(data).hexdigest()


def _below(folder: Path, path: bytes) -> Path:
    return Path(os.fsdecode(os.path.join(os.fsencode(folder), path)))  # noqa: PTH118 - bytes paths
