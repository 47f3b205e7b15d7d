"""Options behind a name are read as values of their kinds, or refused by name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import InputError
from assay.tasks.options import read

KINDS = {"size": "int", "rate": "float | None", "layers": "str", "last": "int | str", "wrap": "bool"}
texts = st.text(st.characters(codec="ascii", exclude_characters="="), min_size=1).map(str.strip).filter(bool)


@given(st.integers(), st.floats(allow_nan=False), texts.filter(lambda text: not text.endswith(",")))
def test_what_is_written_is_read_again(size, rate, layers):
    written = f"layers={layers},size={size}, rate = {rate}"
    assert read("cnn", written, kinds=KINDS) == {"layers": layers, "size": size, "rate": rate}


def test_a_comma_inside_a_value_stays_and_hyphens_are_underscores():
    found = read("cnn", "layers=conv 8, pool,learning-rate=1e-3", kinds={"layers": "str", "learning_rate": "float"})
    assert found == {"layers": "conv 8, pool", "learning_rate": 1e-3}


@pytest.mark.parametrize(("text", "value"), [("4", 4), ("last-block", "last-block")])
def test_a_number_or_a_word(text, value):
    assert read("finetune", f"last={text}", kinds=KINDS) == {"last": value}


def test_nothing_is_no_options():
    assert read("median", " ", kinds=KINDS) == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("sizes=3", "options of cnn must be size=…, rate=…, layers=…, last=…, wrap=…, got 'sizes=3'"),
        ("size", "options of cnn must be .*, got 'size'"),
        ("size=3,size=4", "size of cnn must be given once, got 'size=3,size=4'"),
        ("size=3.5", "size of cnn must be a whole number, got '3.5'"),
        ("rate=much", "rate of cnn must be a number, got 'much'"),
        ("wrap=perhaps", "wrap of cnn must be yes or no, got 'perhaps'"),
    ],
)
def test_what_is_not_understood_is_named(text, words):
    with pytest.raises(InputError, match=words):
        read("cnn", text, kinds=KINDS)
