"""A table becomes features: numbers stay numbers, words become categories, and row numbers tell nothing."""

import numpy as np
import pytest

from assay.data import features
from assay.errors import InputError


@pytest.fixture
def read(tmp_path):
    def call(text, **options):
        (tmp_path / "table.csv").write_text(text)
        return features.read(tmp_path / "table.csv", **options)

    return call


TEXT = """id,row,age,town,same,ill,patient
17,1,30,rome,x,yes,a
4,2,NA,oslo,x,no,a
9,3,51,rome,x,,b
8,4,44,,x,no,b
"""


def test_columns_are_what_they_hold(read):
    found = read(TEXT, target="ill", group="patient")
    assert found.columns == ("age", "town")
    assert found.categories == (None, ("oslo", "rome"))
    np.testing.assert_array_equal(found.x, [[30, 1], [np.nan, 0], [44, np.nan]])
    assert (found.classes, found.labels.tolist(), found.groups.tolist()) == (("no", "yes"), [1, 0, 0], [0, 0, 1])
    notes = " ".join(found.notes)
    assert "only number the rows: 'id', 'row'" in notes
    assert "do not vary: same" in notes
    assert "1 rows without a ill were left out" in notes


def test_a_name_for_each_row_is_left_out(read):
    found = read("name,x,y\nann,1,a\nbob,4,b\ncid,2,a\n", target="y")
    assert found.columns == ("x",)


@pytest.mark.parametrize(
    ("text", "target", "words"),
    [
        ("x,y\n1,a\n2,b\n", "z", "must have the column 'z', got 'x', 'y'"),
        ("x,y\n1,a\n2,a\n", "y", "--target must have two classes or more, got 'a' alone"),
        (
            "x,y\n" + "".join(f"{i % 3},{i * 1.5}\n" for i in range(40)),
            "y",
            "got 40 different values .* cut measurements",
        ),
        ("id,y\n1,a\n2,b\n", "y", "must have a column to tell 'y' by"),
    ],
)
def test_what_cannot_be_learned_is_refused(read, text, target, words):
    with pytest.raises(InputError, match=words):
        read(text, target=target)
