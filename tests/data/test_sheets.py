"""A CSV file is read whoever wrote it, or refused in a sentence that says what to do."""

import csv
import io

import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.data import sheets
from assay.errors import InputError


@pytest.fixture
def written(tmp_path):
    def write(data):
        path = tmp_path / "table.csv"
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return path

    return write


def columns(path, texts=("label",), numbers=("score",)):
    names, values = sheets.read(sheets.look(path), texts=list(texts), numbers=list(numbers))
    return [names[c].names for c in texts], [names[c].codes.tolist() for c in texts], [values[c] for c in numbers]


@pytest.mark.parametrize(
    "text",
    [
        "label,score\nb,0.5\na,2\n",
        "label;score\nb;0,5\na;2\n",
        "label;score\nb;0.5\na;2\n",
        "label\tscore\r\nb\t0.5\r\na\t2",
        "label|score\n\nb|0.5\n\na|2\n\n",
        "\ufefflabel,score\nb,.5\na,2.0\n",
        'id,score,label\n"x, y",0.5,b\n"new\nline",2,"a"\n',
        "label, score\nb, 0.5\na, 2\n",
    ],
)
def test_the_same_table_in_other_hands_is_the_same(written, text):
    (names,), (codes,), (scores,) = columns(written(text))
    assert (names, codes, scores.tolist()) == (("a", "b"), [1, 0], [0.5, 2.0])


def test_labels_that_are_numbers_are_in_the_order_of_numbers(written):
    assert columns(written("label,score\n10,1\n9,2\n,3\n"))[:2] == ([("9", "10")], [[1, 0, -1]])


def test_cells_that_say_nothing_are_not_a_number(written):
    scores = columns(written("label,score\na,\nb,NA\nb,nan\nb,inf\n"))[2][0]
    np.testing.assert_array_equal(scores, [np.nan, np.nan, np.nan, np.inf])


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "must have a header and rows, got an empty file"),
        (b" \n\n", "got an empty file"),
        (b"label,score\n", "must have rows, got the header alone"),
        (b"label score\na 1\n", "set apart by commas, semicolons, tabs or bars, got the one column 'label score'"),
        (b"a,0.5\nb,0.7\n", "must have the column 'label', got 'a', '0.5'"),
        (b"1,0.5\n0,0.7\n", "must have a header that names its columns, got the numbers '1,0.5'"),
        (b"label,score\na,1\nb,2,3\n", "must have 2 cells set apart by commas, got 3 in line 3"),
        (b"label,score\na,1\nb,high\n", "score must be a number, got 'high' in line 3"),
        ("label,score\nschön,1\n".encode("latin1"), "must be UTF-8, got byte 0xf6 in line 2 .* save it as UTF-8"),
        ("label,score\na,1\n".encode("utf-16"), "got UTF-16: save it as UTF-8"),
        (b"PK\x03\x04rest", "got a zip or Excel file: save it as CSV"),
        (b"label,score\na,1\0\n", "got bytes that are no text"),
        (b"score,label,score\n1,a,2\n", "each column must have its own name, got 'score' twice"),
    ],
)
def test_what_is_no_table_is_refused_with_what_to_do(written, data, words):
    with pytest.raises(InputError, match=words):
        columns(written(data))


def test_a_byte_that_is_no_utf8_far_down_is_found(written):
    with pytest.raises(InputError, match=r"got byte 0xff in line 40,002"):
        columns(written(b"label,score\n" + b"label,1\n" * 40_000 + b"la\xffel,1\n"))


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputError, match="must be a readable CSV file"):
        sheets.look(tmp_path / "gone.csv")


def test_columns_of_numbers_are_told_from_others(written):
    path = written("a,b,c,d\n1,x,2.5,\n2,y,NA,3\n" + "3,z,1e3,x\n")
    assert sheets.numeric(sheets.look(path), ["a", "b", "c", "d"]) == ["a", "c"]


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=8)


@given(
    st.lists(st.tuples(TEXT, st.floats(-1e9, 1e9)), min_size=1, max_size=12),
    st.sampled_from(",;\t|"),
)  # fmt: skip
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_a_csv_writer_wrote_comes_back(written, rows, separator):
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=separator, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerows([("label", "score"), *rows])
    (names,), (codes,), (scores,) = columns(written(buffer.getvalue()))
    assert scores.tolist() == [score for _, score in rows]
    assert [names[c] if c >= 0 else "" for c in codes] == [label.strip() for label, _ in rows]


@pytest.mark.slow
def test_ten_million_rows_cost_what_their_columns_weigh(tmp_path):
    n = 10_000_000
    table = pa.table({"label": np.arange(n) % 7 == 0, "score": np.arange(n) / n, "spare": np.arange(n)})
    arrow.write_csv(table, tmp_path / "big.csv")
    before = pa.total_allocated_bytes()
    names, numbers = sheets.read(sheets.look(tmp_path / "big.csv"), texts=["label"], numbers=["score"])
    assert len(names["label"]) == len(numbers["score"]) == n
    assert pa.total_allocated_bytes() - before < 20 * n
