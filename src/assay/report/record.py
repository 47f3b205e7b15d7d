"""Results as plain values: JSON for programs, CSV for spreadsheets, tables for notebooks; no cell is a formula."""

import csv
import dataclasses
import html
import io
import json
import math
import platform
from collections.abc import Iterable, Sequence
from importlib import metadata
from typing import Any

import numpy as np

from ..stats.intervals import Estimate

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_SHOWN = 12  # values that a line of a notebook lists


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


def as_html(result: Any) -> str:
    """Write a result as a small table, for notebooks.

    Args:
        result: a dataclass; its fields become rows.

    Returns:
        HTML. Estimates show their interval, long lists their length.
    """
    rows = [(f.name.replace("_", " "), _told(getattr(result, f.name))) for f in dataclasses.fields(result)]
    cells = "".join(f"<tr><th>{html.escape(name)}</th><td>{html.escape(text)}</td></tr>" for name, text in rows)
    return f"<table><caption>{type(result).__name__}</caption>{cells}</table>"


def _told(value: object) -> str:
    """Say a value in a line."""
    text = "–"
    if isinstance(value, Estimate):
        text = f"{value.value:.3g} ({value.low:.3g} to {value.high:.3g}, {value.level:.0%})"
    elif dataclasses.is_dataclass(value):
        text = type(value).__name__
    elif isinstance(value, np.ndarray):
        text = f"array {value.shape}"
    elif isinstance(value, dict | list | tuple):
        pairs = list(value.items()) if isinstance(value, dict) else [("", v) for v in value]
        short = len(value) <= _SHOWN and not any(isinstance(v, dict | list | tuple) for _, v in pairs)
        listed = ", ".join(f"{name}: {_told(v)}" if name else _told(v) for name, v in pairs) if short else ""
        text = listed or (f"{len(value):,} of them" if value else "none")
    elif value is not None:
        text = f"{value:.4g}" if isinstance(value, float) else _spelled(str(value))
    return text


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
    return _spelled(f"'{value}" if value.startswith(_FORMULA) else value)


def _spelled(text: str) -> str:
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)
