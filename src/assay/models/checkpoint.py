"""A torch checkpoint in, named arrays out, without torch; nothing else that a pickle may hold is ever made."""

import io
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from ..errors import InputError

_DTYPES = {
    "FloatStorage": "<f4",
    "DoubleStorage": "<f8",
    "HalfStorage": "<f2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "?",
}
# What the unpickler and the readers of its numbers raise on noise; a frame of 2**56 bytes is a MemoryError.
_BROKEN = (
    pickle.UnpicklingError,
    EOFError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    MemoryError,
)
_LEGACY_MAGIC, _LEGACY_PROTOCOL = 0x1950A86A20F9469CFC6C, 1001


class _Storage:
    """A run of numbers that views look into; its bytes come after the pickle."""

    def __init__(self, dtype: np.dtype, count: int) -> None:
        self.dtype, self.count = dtype, count
        self.values: np.ndarray | None = None


class _View:
    """What torch calls a tensor: a storage, an offset, a size and strides, all in items."""

    def __init__(
        self, storage: _Storage, offset: int, size: tuple[int, ...], strides: tuple[int, ...], *_: object
    ) -> None:
        self.storage, self.offset, self.size, self.strides = storage, offset, tuple(size), tuple(strides)

    def array(self) -> np.ndarray:
        values = self.storage.values
        last = self.offset + sum((n - 1) * s for n, s in zip(self.size, self.strides, strict=True))
        if (
            values is None
            or self.offset < 0
            or min(self.strides, default=0) < 0
            or (all(self.size) and last >= len(values))
        ):
            raise InputError(f"a tensor must lie inside its storage, got offset {self.offset} and size {self.size}")
        steps = [s * values.itemsize for s in self.strides]
        return np.lib.stride_tricks.as_strided(values[self.offset :], self.size, steps).copy()


class _TensorsOnly(pickle.Unpickler):
    """Makes dictionaries, numbers and tensors; every other name in the file is refused before it runs."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file)
        self.storages: dict[str, _Storage] = {}

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _View
        if module == "torch" and name in _DTYPES:
            return np.dtype(_DTYPES[name])
        raise InputError(f"a checkpoint may hold tensors only, got {module}.{name}")

    def persistent_load(self, pid: Any) -> _Storage:
        kind, dtype, key, _device, count = pid[:5]
        if kind != "storage" or not isinstance(dtype, np.dtype):
            raise InputError(f"a checkpoint may hold tensors only, got {kind!r}")
        return self.storages.setdefault(str(key), _Storage(dtype, int(count)))


def _unpickle(file: BinaryIO) -> tuple[Any, dict[str, _Storage]]:
    reader = _TensorsOnly(file)
    return reader.load(), reader.storages


def _read_zip(file: BinaryIO) -> Any:
    with zipfile.ZipFile(file) as archive:
        pickled = next((n for n in archive.namelist() if n.endswith("/data.pkl")), None)
        if pickled is None:
            raise InputError("a zipped checkpoint must hold data.pkl, got none")
        tensors, storages = _unpickle(io.BytesIO(archive.read(pickled)))
        for key, storage in storages.items():
            data = archive.read(f"{pickled.removesuffix('data.pkl')}data/{key}")
            storage.values = np.frombuffer(data, storage.dtype, storage.count)
    return tensors


def _read_legacy(file: BinaryIO) -> Any:
    if (_unpickle(file)[0], _unpickle(file)[0]) != (_LEGACY_MAGIC, _LEGACY_PROTOCOL):
        raise InputError("file must be a torch checkpoint, got another header")
    _unpickle(file)  # byte order and sizes of the machine that wrote it: always little-endian in practice
    tensors, storages = _unpickle(file)
    for key in _unpickle(file)[0]:
        storage = storages[str(key)]
        if int.from_bytes(file.read(8), "little") != storage.count:
            raise InputError(f"storage {key!r} must hold {storage.count} numbers, got another count")
        storage.values = np.frombuffer(file.read(storage.count * storage.dtype.itemsize), storage.dtype, storage.count)
    return tensors


def read(path: Path) -> dict[str, np.ndarray]:
    """Read the tensors of a torch checkpoint.

    Args:
        path: a `.pth` file, legacy pickle (before torch 1.6) or zip.

    Returns:
        Name to array, each a copy in its own memory.

    Raises:
        InputError: the file is no checkpoint, or it names anything but tensors.

    Source: layout as written by `torch.save`; pickle restricted as in the Python manual, "Restricting Globals".
    """
    with path.open("rb") as file:
        try:
            tensors = _read_zip(file) if zipfile.is_zipfile(file) else _read_legacy(_rewound(file))
            if not isinstance(tensors, dict):
                raise InputError(f"a checkpoint must be a dictionary of tensors, got {type(tensors).__name__}")
            return {str(name): view.array() for name, view in tensors.items() if isinstance(view, _View)}
        except _BROKEN as e:
            raise InputError(f"file must be a torch checkpoint, got {path}: {e}") from e


def _rewound(file: BinaryIO) -> BinaryIO:
    file.seek(0)
    return file
