"""Scores of any program are read as they were meant, and what cannot be judged is refused with what to do."""

import numpy as np
import pytest

from assay.data import scores
from assay.errors import InputError


@pytest.fixture
def read(tmp_path):
    def call(text, **options):
        (tmp_path / "scores.csv").write_text(text)
        return scores.read(tmp_path / "scores.csv", **options)

    return call


def test_one_score_is_that_of_the_positive(read):
    found = read("label,score,group,fold,id\nno,0.1,p,1,x\nyes,0.8,q,2,y\nno,0.3,p,1,z\n")
    assert (found.classes, found.positive, found.probabilities) == (("no", "yes"), 1, True)
    assert found.scores.tolist() == [0.1, 0.8, 0.3]
    assert found.groups.tolist() == [0, 1, 0]
    assert found.folds.tolist() == [0, 1, 0]
    assert found.ids.names == ("x", "y", "z")


@pytest.mark.parametrize(
    ("labels", "positive"), [("1 0 0 1 1", "1"), ("ant bee bee bee bee", "ant"), ("T F F F F", "T")]
)
def test_the_positive_is_the_one_called_so_else_the_rarer(read, labels, positive):
    found = read("label,score\n" + "".join(f"{x},{i}\n" for i, x in enumerate(labels.split())))
    assert found.classes[found.positive] == positive
    other = next(c for c in found.classes if c != positive)
    assert (
        read("label,score\n" + "".join(f"{x},1\n" for x in labels.split()), positive=other).positive != found.positive
    )


def test_two_columns_of_classes_are_one_score(read):
    found = read("label,ant,bee\nant,0.9,0.1\nbee,0.2,0.8\nbee,0.4,0.6\n")
    assert found.scores.tolist() == [0.9, 0.2, 0.4]
    logits = read("label,ant,bee\nant,3,-1\nbee,-2,2\nbee,0,5\n")
    assert not logits.probabilities
    assert logits.scores.tolist() == [4, -4, -5]


def test_several_classes_keep_one_that_no_row_has(read):
    found = read("label,p_a,p_b,p_c,p_d\na,.4,.2,.2,.2\nb,.1,.6,.2,.1\nc,.1,.1,.5,.3\n")
    assert found.classes == ("a", "b", "c", "d")
    np.testing.assert_allclose(found.scores.sum(axis=1), 1)
    assert "no row is labelled 'd'" in found.notes


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("label,score\na,1\na,2\n", "labels must be of two classes or more, got 'a' alone"),
        (
            "label,score\na,1\nb,nan\nb,\n",
            "score must be a finite number in each row, got 2 that are not, the first in row 2",
        ),
        ("label,score\na,1\nb,-inf\n", "score must be a finite number .* got 1 that are not"),
        ("label,score\na,1\n,2\nb,3\n", "each row must have a label, got 1 without, the first in row 2"),
        ("label,score\na,1\nNA,2\nb,3\n", "each row must have a label"),
        ("label,score\nyes,yes\nno,no\n", "score must be a number that is higher the surer .* got labels such as 'no'"),
        ("label,score\na,1\nb,2\nc,3\n", "scores of 3 classes must have a column for each"),
        ("label,a,b\na,1,0\nb,0,1\nc,1,0\n", "got none for 'c' of 3 classes"),
        ("label,value\na,1\nb,2\n", "must have a column 'score', or one for each class"),
        ("score\n1\n", "FILE must have columns set apart"),
        ("label,score,group,fold\na,1,p,1\nb,2,p,2\n", "a group must lie in one fold, got 'p' in 1 and 2"),
        ("label,score,fold\na,1,1\nb,2,\n", "each row must have a fold, got 1 without"),
        ("file,label,probability,a,b,status,reason\nx,a,1,1,0,ok,\n", "label must be the truth, got predictions of"),
    ],
)
def test_what_cannot_be_judged_is_refused_with_what_to_do(read, text, words):
    with pytest.raises(InputError, match=words):
        read(text)


def test_a_positive_that_is_no_class_is_refused(read):
    with pytest.raises(InputError, match="--positive must be one of 'a', 'b', got 'c'"):
        read("label,score\na,1\nb,2\n", positive="c")


def test_rows_without_a_group_are_groups_of_their_own(read):
    assert len(set(read("label,score,g\na,1,\nb,2,\nb,3,x\nb,4,x\n", group="g").groups)) == 3
