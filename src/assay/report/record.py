"""Results as plain values: JSON for programs, CSV for spreadsheets; nothing in a cell is run as a formula."""

import csv
import dataclasses
import io
import json
import math
import platform
from collections.abc import Iterable, Sequence
from importlib import metadata
from typing import Any

import numpy as np

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def plain(value: Any) -> Any:
    """Turn a result into values that JSON knows.

    Args:
        value: dataclasses, arrays, dictionaries, sequences, numbers, text, bytes, None; any depth.

    Returns:
        The same in dictionaries, lists, numbers, text and None; what is not finite is None.

    >>> plain({"x": np.array([1.0, np.nan]), 2: (True, b"a")})
    {'x': [1.0, None], '2': [True, 'a']}
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(v) for v in value]
    return _scalar(value)


def _scalar(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    return value


def as_json(value: Any) -> str:
    """Write a result as one JSON object.

    Args:
        value: as `plain` takes it.

    Returns:
        ASCII text, so that names which are no UTF-8 come through any pipe.
    """
    return json.dumps(plain(value), ensure_ascii=True, allow_nan=False, indent=1)


def as_csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Write a table for a spreadsheet.

    Args:
        header: names of the columns.
        rows: as many values each.

    Returns:
        CSV. Text that a spreadsheet would run gets an apostrophe in front; control characters and
        what is no UTF-8 are spelled out.

    >>> print(as_csv(["file", "p"], [["=cmd()", 0.5], ["-1.jpg", None]]), end="")
    file,p
    '=cmd(),0.5
    '-1.jpg,
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([_cell(h) for h in header])
    writer.writerows([_cell(v) for v in row] for row in rows)
    return buffer.getvalue()


def versions() -> dict[str, str]:
    """Say what a result depends on.

    Returns:
        Versions by name.
    """
    packages = (
        "assay",
        "numpy",
        "scipy",
        "scikit-learn",
        "opencv-python-headless",
        "pillow",
        "simplejpeg",
        "openvino",
        "pylance",
    )
    return {"python": platform.python_version(), **{name: metadata.version(name) for name in packages}}


def _cell(value: object) -> object:
    if not isinstance(value, str):
        return value
    quoted = f"'{value}" if value.startswith(_FORMULA) else value
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in quoted)
