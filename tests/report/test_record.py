"""Results leave as plain JSON and CSV, and nothing in a cell runs."""

import csv
import io
import json
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.report import record
from assay.stats.intervals import Estimate


@dataclass(frozen=True)
class Result:
    name: str
    value: object


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def oracle(value):
    """What JSON can say of a value, written out: the same, with what is not finite missing."""
    if isinstance(value, dict):
        return {k: oracle(v) for k, v in value.items()}
    if isinstance(value, list):
        return [oracle(v) for v in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value


@given(values)
def test_json_comes_back_as_it_was(value):
    text = record.as_json(value)
    assert text.isascii()
    assert json.loads(text) == oracle(value)


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (
            Result("a", Result("b", np.arange(3, dtype=np.int16))),
            {"name": "a", "value": {"name": "b", "value": [0, 1, 2]}},
        ),
        (np.float32(0.5), 0.5),
        (np.bool_(True), True),
        (np.array([[np.inf, 1.0]]), [[None, 1.0]]),
        (np.array(["x", None], object), ["x", None]),
        ({3: b"\xff", "t": (1, 2)}, {"3": "\\xff", "t": [1, 2]}),
        (Result, Result),
    ],
)
def test_results_and_arrays_become_plain(value, plain):
    assert record.plain(value) == plain


def test_a_name_that_is_no_utf8_comes_through_json():
    name = b"no\xffutf8".decode("utf-8", "surrogateescape")
    assert json.loads(record.as_json({"file": name})) == {"file": name}


@given(st.lists(st.lists(st.text(), min_size=2, max_size=2), max_size=5))
def test_csv_has_the_rows_it_was_given_and_no_cell_that_runs(rows):
    text = record.as_csv(["a", "b"], rows)
    back = list(csv.reader(io.StringIO(text)))
    assert len(back) == len(rows) + 1
    text.encode()  # lone surrogates are spelled out
    for given_row, found in zip(rows, back[1:], strict=True):
        for before, after in zip(given_row, found, strict=True):
            assert after.isprintable()
            assert not after.startswith(("=", "+", "-", "@", "\t", "\r"))
            if before.isprintable() and not before.startswith(("=", "+", "-", "@")):
                assert after == before


def test_numbers_stay_numbers():
    assert record.as_csv(["x", "y", "z"], [[-1.5, 3, None]]) == "x,y,z\n-1.5,3,\n"


def test_headers_are_cells_too():
    assert record.as_csv(["=cmd()", "\x1b[2J"], []) == "'=cmd(),\\x1b[2J\n"


@dataclass(frozen=True)
class Found:
    sure_of: Estimate
    by_class: dict
    files: list
    place: str
    model: str | None


def test_a_notebook_shows_a_row_a_field_and_runs_nothing():
    found = Found(
        Estimate(0.9, 0.8, 0.95, 0.95, "wilson"), {"ant": 2, "bee": None}, list(range(99)), "<b>\x1b[2J", None
    )
    text = record.as_html(found)
    assert "<tr><th>sure of</th><td>0.9 (0.8 to 0.95, 95%)</td></tr>" in text
    assert "<td>ant: 2, bee: –</td>" in text
    assert "<td>99 of them</td>" in text
    assert "&lt;b&gt;\\x1b[2J" in text
    assert "\x1b" not in text
