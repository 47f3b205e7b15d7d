"""Packed pictures: a mean, components and scores in one safetensors file, and back to pictures.

Nothing in a file is believed before it was checked; nothing is pickled.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from ..errors import InputError

FORMAT = 1
_NOTE = "assay"
_PIXELS = 64_000_000  # of one picture, at most


@dataclass(frozen=True, slots=True)
class Packed:
    """Pictures of one size as a mean and shares of components; pixels are 0 to 1.

    mean: float32 (d,); components: float16 (k, d); scores: float16 (n, k); names: n paths, as they were below their
    folder; shape: (H, W) or (H, W, 3), whose product is d.
    """

    mean: np.ndarray
    components: np.ndarray
    scores: np.ndarray
    names: list[str]
    shape: tuple[int, ...]

    def rebuild(self, rows: slice | np.ndarray, *, components: int) -> np.ndarray:
        """Build pictures from their scores.

        Args:
            rows: which of the pictures.
            components: how many of the components to use, 1 to k.

        Returns:
            uint8 (m, *shape).
        """
        scores = self.scores[rows, :components].astype(np.float32)
        pixels = scores @ self.components[:components].astype(np.float32) + self.mean
        return np.asarray(np.clip(pixels * 255 + 0.5, 0, 255)).astype(np.uint8).reshape(-1, *self.shape)

    def size(self, components: int) -> int:
        """Count the bytes that so many components need.

        Args:
            components: of the file, 1 to k.
        """
        return self.mean.nbytes + 2 * components * (len(self.mean) + len(self.scores))


def pack(packed: Packed) -> bytes:
    """Write packed pictures.

    Args:
        packed: to write.

    Returns:
        The bytes of a `.safetensors` file, the same for the same pictures.
    """
    arrays = {"mean": packed.mean, "components": packed.components, "scores": packed.scores}
    # In one entry, because several come out in any order, and equal pictures are to give equal bytes.
    note = {_NOTE: json.dumps({"format": FORMAT, "shape": packed.shape, "names": packed.names})}
    return bytes(save({name: np.ascontiguousarray(array) for name, array in arrays.items()}, note))


def unpack(path: Path) -> Packed:
    """Read packed pictures.

    Args:
        path: of a `.safetensors` file that `pack` wrote.

    Returns:
        The pictures: arrays finite and of shapes that fit, names that stay below a folder.

    Raises:
        InputError: the file is no such file, or broken.
    """
    try:
        with safe_open(path, "np") as file:
            note = json.loads((file.metadata() or {})[_NOTE])
            arrays = {name: file.get_tensor(name) for name in ("mean", "components", "scores")}
        shape, names = tuple(note["shape"]), note["names"]
        _check(note["format"], arrays, shape, names)
    except (OSError, SafetensorError, KeyError, ValueError, TypeError, RecursionError) as e:
        raise InputError(f"FILE must be packed by assay compress, got {path}: {e}") from e
    return Packed(arrays["mean"], arrays["components"], arrays["scores"], names, shape)


def _check(form: int, arrays: dict[str, np.ndarray], shape: tuple[int, ...], names: list[str]) -> None:
    """Say what does not fit; a name that leads out of its folder does not either."""
    if form != FORMAT:
        raise ValueError(f"its format is {form!r}, not {FORMAT}")
    mean, components, scores = (arrays[name] for name in ("mean", "components", "scores"))
    kinds = ", ".join(str(array.dtype) for array in (mean, components, scores))
    if kinds != "float32, float16, float16":
        raise ValueError(f"its arrays are of {kinds}")
    if not all(type(n) is int and n > 0 for n in shape) or len(shape) not in (2, 3) or shape[2:] not in ((), (3,)):
        raise ValueError(f"its shape is {shape}")
    if not isinstance(names, list):
        raise ValueError("its names are no list")  # noqa: TRY004 - all that is wrong with a file is one error
    d = int(np.prod(shape, dtype=np.int64))
    fits = mean.shape == (d,) and components.ndim == 2 and components.shape[1] == d <= 3 * _PIXELS
    if not fits or components.shape[0] < 1 or scores.shape != (len(names), len(components)):
        raise ValueError(f"its arrays are {mean.shape}, {components.shape} and {scores.shape} for {len(names)} names")
    if not all(np.isfinite(array).all() for array in arrays.values()):
        raise ValueError("its numbers are not all finite")
    for name in names:
        if not isinstance(name, str) or "\0" in name or any(piece in ("", ".", "..") for piece in name.split("/")):
            raise ValueError(f"a name must stay below its folder, got {str(name)[:80]!r}")
    if len(set(names)) < len(names):
        raise ValueError("its names are not all different")
