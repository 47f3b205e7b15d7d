"""A sheet: a CSV file as columns, whoever wrote it. Paths go in, numbers and names come out; nothing is guessed twice.

Comma, semicolon, tab or bar; a decimal point, or a decimal comma where a comma sets nothing apart. Columns that nobody
asked for are not converted, so that ten million rows cost what their two columns weigh.
"""

import csv
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import csv as arrow

from ..errors import InputError

_SAMPLE = 1 << 18  # bytes that are looked at to find out how a file is written
_SEPARATORS = ",;\t|"
_WORDS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
# First bytes of what people send in place of a CSV file, and what to do about it.
_KINDS = {
    b"PK\x03\x04": "a zip or Excel file: save it as CSV",
    b"\xd0\xcf\x11\xe0": "an Excel file: save it as CSV",
    b"\x1f\x8b": "a gzip file: unpack it",
    b"\xff\xfe": "UTF-16: save it as UTF-8",
    b"\xfe\xff": "UTF-16: save it as UTF-8",
    b"PAR1": "a Parquet file: save it as CSV",
}
MISSING = frozenset({"", "NA", "N/A", "#N/A", "NaN", "nan", "NULL", "null", "None"})


@dataclass(frozen=True, slots=True)
class Sheet:
    """How a CSV file is written: its columns in order, what sets them apart, and the mark of a decimal."""

    path: Path
    columns: tuple[str, ...]
    separator: str
    decimal: str


@dataclass(frozen=True, slots=True)
class Names:
    """A column of text: the distinct texts in order, and for each row its place among them.

    names: sorted, as numbers where all are; codes: int32 (n,), -1 where the cell is empty.
    """

    names: tuple[str, ...]
    codes: np.ndarray

    def __len__(self) -> int:
        return len(self.codes)


def look(path: Path) -> Sheet:
    """Find out how a CSV file is written, from its first lines.

    Args:
        path: of the file.

    Returns:
        The sheet; no value has been read yet.

    Raises:
        InputError: the file cannot be read, is empty, is of another kind, is not UTF-8, or has no header.
    """
    try:
        with path.open("rb") as file:
            start = file.read(_SAMPLE)
            cut = bool(file.read(1))
    except OSError as e:
        raise InputError(f"FILE must be a readable CSV file, got {e}") from e
    if not start.strip():
        raise InputError(f"FILE must have a header and rows, got an empty file at {path}")
    for mark, kind in _KINDS.items():
        if start.startswith(mark):
            raise InputError(f"FILE must be CSV, got {kind} ({path})")
    if b"\0" in start:
        raise InputError(f"FILE must be CSV, got bytes that are no text in {path}")
    text = _decoded(start, path, cut=cut)
    lines = text.splitlines()[:-1] if cut and len(text.splitlines()) > 1 else text.splitlines()
    head = next(line for line in lines if line.strip())
    separator = max(_SEPARATORS, key=head.count)
    names = tuple(name.strip() for name in next(csv.reader([head], delimiter=separator)))
    if len(names) > 1 and all(_is_number(name) for name in names if name):
        raise InputError(f"FILE must have a header that names its columns, got the numbers {head[:60]!r} in {path}")
    body = "\n".join(lines[lines.index(head) + 1 :][:100])
    comma = separator != "," and any(
        _is_number(c.replace(",", ".", 1)) and "," in c for c in body.replace("\n", separator).split(separator)
    )
    return Sheet(path, names, separator, "," if comma else ".")


def require(sheet: Sheet, wanted: Collection[str]) -> None:
    """Refuse a sheet that lacks columns.

    Args:
        sheet: from `look`.
        wanted: names that must be there, each once.

    Raises:
        InputError: a column is missing, or there twice.
    """
    missing = [name for name in wanted if name not in sheet.columns]
    if missing and len(sheet.columns) == 1:
        raise InputError(
            f"FILE must have columns set apart by commas, semicolons, tabs or bars, got the one column "
            f"{sheet.columns[0][:60]!r} in {sheet.path}"
        )
    if missing:
        have = ", ".join(map(repr, sheet.columns[:12])) + (" ..." if len(sheet.columns) > 12 else "")
        raise InputError(f"FILE must have the column {missing[0]!r}, got {have} in {sheet.path}")
    twice = [name for name in wanted if sheet.columns.count(name) > 1]
    if twice:
        raise InputError(f"each column must have its own name, got {twice[0]!r} twice in {sheet.path}: rename one")


def read(
    sheet: Sheet, *, texts: Sequence[str] = (), numbers: Sequence[str] = ()
) -> tuple[dict[str, Names], dict[str, np.ndarray]]:
    """Read columns of a sheet.

    Args:
        sheet: from `look`.
        texts: columns to be read as names.
        numbers: columns to be read as numbers.

    Returns:
        The names and the numbers (float64 (n,), NaN where a cell is empty or says so) by column, in the order of the
        rows.

    Raises:
        InputError: a column is missing, a row is of another length, a cell is no number, or there is no row.
    """
    require(sheet, [*texts, *numbers])
    types = {name: pa.dictionary(pa.int32(), pa.string()) for name in texts} | {name: pa.float64() for name in numbers}
    try:
        table = _table(sheet, types)
    except pa.ArrowInvalid as e:
        raise _explained(sheet, numbers, e) from e
    if not table.num_rows:
        raise InputError(f"FILE must have rows, got the header alone in {sheet.path}")
    return (
        {name: _names(table[name]) for name in texts},
        {name: table[name].to_numpy() for name in numbers},
    )


def numeric(sheet: Sheet, columns: Sequence[str]) -> list[str]:
    """Find the columns whose every cell is a number or empty.

    Args:
        sheet: from `look`.
        columns: to look at, each there once.

    Returns:
        Their names, in the order given.

    Raises:
        InputError: a column is missing, or a row is of another length.
    """
    require(sheet, columns)
    left = list(columns)
    while left:
        try:
            _table(sheet, {name: pa.float64() for name in left})
        except pa.ArrowInvalid as e:
            place = _place(e)
            if place is None or sheet.columns[place] not in left or "UTF8" in str(e):
                raise _explained(sheet, left, e) from e
            left.remove(sheet.columns[place])
        else:
            return left
    return left


def _table(sheet: Sheet, types: dict[str, Any]) -> Any:
    """Read columns of these types through pyarrow, which skips all others unconverted."""
    with sheet.path.open("rb") as file:
        quoted = b'"' in file.read(_SAMPLE)
    return arrow.read_csv(
        sheet.path,
        read_options=arrow.ReadOptions(column_names=_unique(sheet.columns), skip_rows_after_names=1),
        parse_options=arrow.ParseOptions(delimiter=sheet.separator, newlines_in_values=quoted),
        convert_options=arrow.ConvertOptions(
            column_types=types,
            include_columns=list(types),
            decimal_point=sheet.decimal,
            null_values=sorted(MISSING),
            strings_can_be_null=False,
        ),
    )


def _unique(columns: Sequence[str]) -> list[str]:
    """Names that pyarrow can tell apart; those that are there twice were refused where they matter."""
    return [name if columns.count(name) == 1 else f"{name}\0{i}" for i, name in enumerate(columns)]


def _names(column: Any) -> Names:
    column = column.unify_dictionaries().combine_chunks()
    column = column if isinstance(column, pa.Array) else column.chunk(0)
    found = [str(x).strip() for x in column.dictionary.to_pylist()]
    codes = np.asarray(column.indices.to_numpy(zero_copy_only=False))
    names = sorted(set(found) - {""}, key=_order(found))
    place = {name: i for i, name in enumerate(names)}
    return Names(tuple(names), np.array([place.get(x, -1) for x in found], np.int32)[codes])


def _order(names: Collection[str]) -> Any:
    """Sort numbers by value, and everything else as text."""
    return float if all(_is_number(x) for x in names if x) else str


def _is_number(text: str) -> bool:
    try:
        return float(text) == float(text)
    except ValueError:
        return False


def _decoded(data: bytes, path: Path, *, cut: bool) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as e:
        if cut and e.start > len(data) - 4:
            return data[: e.start].decode("utf-8-sig")  # a character was cut at the end of the sample
        raise _not_utf8(path, data[: e.start].count(b"\n") + 1, data[e.start]) from e


def _not_utf8(path: Path, line: int, byte: int) -> InputError:
    return InputError(
        f"FILE must be UTF-8, got byte 0x{byte:02x} in line {line:,} of {path}: "
        "save it as UTF-8, or convert it (iconv -f latin1 -t utf-8)"
    )


def _place(error: Exception) -> int | None:
    """The column that pyarrow's message speaks of."""
    _, _, rest = str(error).partition("In CSV column #")
    digits = rest.partition(":")[0]
    return int(digits) if digits.isdigit() else None


def _explained(sheet: Sheet, numbers: Collection[str], error: Exception) -> InputError:
    """Find the row that pyarrow stumbled over, and say what is wrong with it."""
    with sheet.path.open("rb") as file:
        for i, raw in enumerate(file, 1):
            try:
                raw.decode()
            except UnicodeDecodeError as e:
                return _not_utf8(sheet.path, i, raw[e.start])
    wanted = [(name, sheet.columns.index(name)) for name in numbers]
    with sheet.path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.reader(file, delimiter=sheet.separator)
        next(rows)
        for row in rows:
            if row and len(row) != len(sheet.columns):
                return InputError(
                    f"each row must have {len(sheet.columns)} cells set apart by {_WORDS[sheet.separator]}, got "
                    f"{len(row)} in line {rows.line_num:,} of {sheet.path}"
                )
            for name, place in wanted if row else ():
                cell = row[place].strip().replace(sheet.decimal, ".", 1)
                if cell not in MISSING and not _is_number(cell):
                    return InputError(
                        f"{name} must be a number, got {row[place][:60]!r} in line {rows.line_num:,} of {sheet.path}"
                    )
    return InputError(f"FILE must be a readable CSV file, got {error} in {sheet.path}")
