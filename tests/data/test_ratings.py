"""Ratings are read in every form that they come in, and what is wrong with them is named."""

import json

import numpy as np
import pytest

from assay.data import ratings
from assay.errors import InputError
from assay.stats import votes


def put(tmp_path, text, name="ratings.csv"):
    (tmp_path / name).write_text(text)
    return tmp_path / name


HALVES = [[0, 2, 2], [4, 0, 0]]
FORMS = {
    "json": ("r.json", json.dumps([{"image_id": n, "label": v} for n, v in zip("ab", HALVES, strict=True)])),
    "csv": ("r.csv", "file,1,2,3\na,0,2,2\nb,4,0,0\n"),
    "prefixed": ("r.csv", "image_file;n1;n2;n3;N\na;0;2;2;4\nb;4;0;0;4\n"),
    "single": ("r.csv", "file,rating\na,2\na,3\na,2\na,3\nb,1\nb,1\nb,1\nb,1\n"),
}


@pytest.mark.parametrize("form", FORMS)
def test_each_form_says_the_same(form, tmp_path):
    name, text = FORMS[form]
    found = ratings.read(put(tmp_path, text, name), scale=(1, 3))
    assert found.files == ("a", "b")
    np.testing.assert_allclose(found.shares, [[0, 0.5, 0.5], [1, 0, 0]])
    np.testing.assert_array_equal(found.counts, HALVES)
    np.testing.assert_array_equal(found.scale, [1, 2, 3])


def test_ava_is_read_by_its_fifteen_columns(tmp_path):
    line = "1 953619 0 1 5 17 38 36 15 6 5 1 1 22 1396"
    found = ratings.read(put(tmp_path, f"{line}\n", "AVA.txt"))
    assert found.files == ("953619",)
    np.testing.assert_array_equal(found.counts, [[0, 1, 5, 17, 38, 36, 15, 6, 5, 1]])


def test_mean_and_deviation_become_the_distribution_of_greatest_entropy(tmp_path):
    found = ratings.read(put(tmp_path, "file,mean,sd\na,6.5,1.5\n"), scale=(1, 10))
    mean, sd = votes.moments(found.shares, found.scale)
    assert (mean[0], sd[0]) == pytest.approx((6.5, 1.5))
    assert found.counts is None


def test_a_mean_alone_has_no_spread_and_says_so(tmp_path):
    found = ratings.read(put(tmp_path, "file,mean\na,3.25\nb,4\n"))
    np.testing.assert_allclose(found.shares, [[0, 0, 0.75, 0.25, 0], [0, 0, 0, 1, 0]])
    assert any("spreads mean nothing" in note for note in found.notes)
    assert any("taken to be 1 to 5" in note for note in found.notes)


def test_what_is_wrong_is_named_and_left_out(tmp_path):
    rows = [
        "file,1,2,3,n",
        "good,1,2,1,4",
        "short,1,1,1,4",
        "none,0,0,0,0",
        "less,-1,2,1,2",
        "text,x,1,1,2",
        "good,1,1,1,3",
    ]
    found = ratings.read(put(tmp_path, "\n".join(rows)))
    assert found.files == ("good",)
    assert {w.file: w.reason for w in found.wrong} == {
        "short": "votes must add up to their number 4, got 3",
        "none": "nobody voted",
        "less": "votes must be >= 0, got -1",
        "text": "votes must be numbers",
        "good": "is there twice",
    }


def test_shares_must_add_up(tmp_path):
    found = ratings.read(put(tmp_path, "file,1,2\na,0.5,0.5\nb,0.5,0.4\n"))
    assert [(w.file, w.reason) for w in found.wrong] == [("b", "shares of votes must add up to 1, got 0.9")]


def test_impossible_moments_are_named(tmp_path):
    found = ratings.read(put(tmp_path, "file,mean,sd\na,3,1\nb,1.5,9\n"), scale=(1, 5))
    assert [w.file for w in found.wrong] == ["b"]
    assert "goes with an sd of" in found.wrong[0].reason


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("", "empty file"),
        ("x,y\n1,2\n", "header with a column file"),
        ("file,colour\na,red\n", "a column for each step"),
        ('[{"id": 3}]', "image_id"),
        ("{", "must be JSON"),
        ("file,1,2\na,0,0\n", "got none in .*nobody voted"),
    ],
)
def test_what_is_no_ratings_is_refused(text, match, tmp_path):
    with pytest.raises(InputError, match=match):
        ratings.read(put(tmp_path, text))


def test_pictures_are_found_by_path_name_and_stem_in_any_case(tmp_path):
    found = ratings.read(put(tmp_path, "file,rating\nx/one.jpg,1\nTWO,2\nthree.png,3\nfour,4\nboth,5\n"))
    paths = ["x/one.jpg", "x/two.JPG", "y/three.png", "x/both.png", "y/both.png"]
    rows, places, missing = ratings.match(found, paths)
    assert {found.files[r]: paths[p] for r, p in zip(rows, places, strict=True)} == {
        "x/one.jpg": "x/one.jpg",
        "TWO": "x/two.JPG",
        "three.png": "y/three.png",
    }
    reasons = {w.file: w.reason for w in missing}
    assert reasons["four"] == "no such picture"
    assert "could be several" in reasons["both"]
