"""A listing names every file once, follows nothing, and labels come from places or from a table."""

import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.data import folder
from assay.errors import InputError


def make(root, *paths):
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"x")


def test_hidden_files_links_and_pipes_are_counted_not_followed(tmp_path):
    root = tmp_path / "photos"
    make(root, "b.jpg", "a/c.jpg", ".hidden/d.jpg", ".e.jpg")
    (root / "loop").symlink_to(root)
    (root / "f.jpg").symlink_to("/etc/hostname")
    os.mkfifo(root / "pipe.jpg")
    found = folder.walk(root)
    assert [f.path for f in found.files] == [b"a/c.jpg", b"b.jpg"]
    assert found.skipped == {"hidden": 2, "link": 2, "special": 1}


def test_a_workspace_inside_the_folder_is_passed_over(tmp_path):
    make(tmp_path, "a.jpg", "x.assay/workspace.json", "x.assay/report.html")
    found = folder.walk(tmp_path)
    assert [f.path for f in found.files] == [b"a.jpg"]
    assert found.skipped == {"workspace": 1}


def test_names_that_are_no_utf8_come_through(tmp_path):
    name = b"\xff\xfe\n\x1b[2J.jpg"
    (tmp_path / os.fsdecode(name)).write_bytes(b"x")
    assert [f.path for f in folder.walk(tmp_path).files] == [name]


@pytest.mark.parametrize("what", ["nothing", "file"])
def test_a_path_that_is_no_folder_is_named(tmp_path, what):
    path = tmp_path / what
    if what == "file":
        path.write_text("x")
    with pytest.raises(
        InputError, match=f"must be a folder of pictures, got {'a ' if what == 'file' else ''}{what} at"
    ):
        folder.walk(path)


def test_a_deep_tree_is_walked_without_recursion(tmp_path):
    deep = tmp_path.joinpath(*["d"] * 900)
    deep.mkdir(parents=True)
    (deep / "a.jpg").write_bytes(b"x")
    assert len(folder.walk(tmp_path).files) == 1


def test_folders_are_labels():
    labels = folder.from_folders([b"ant/1.jpg", b"bee/deep/2.jpg", b"3.jpg"])
    assert labels.label.tolist() == ["ant", "bee", ""]
    assert set(labels.part) == {""}


def test_train_and_test_folders_are_parts_and_the_next_are_labels():
    labels = folder.from_folders([b"Train/ant/1.jpg", b"validation/bee/2.jpg", b"test/x/3.jpg"])
    assert labels.label.tolist() == ["ant", "bee", "x"]
    assert labels.part.tolist() == ["train", "val", "test"]


@pytest.mark.parametrize("paths", [[b"train/1.jpg", b"station/2.jpg"], [b"val/a/1.jpg", b"test/b/2.jpg"]])
def test_a_class_called_train_is_still_a_class(paths):
    assert set(folder.from_folders(paths).part) == {""}


def test_a_flat_folder_has_no_labels():
    assert set(folder.from_folders([b"1.jpg", b"2.jpg"]).label) == {""}


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_table_labels_by_path_or_by_unique_name(tmp_path, separator):
    table = tmp_path / "l.csv"
    lines = ["file,label,group", "a/1.jpg,ant,g1", "2.jpg,bee,", "no.jpg,bee,"]
    table.write_text("\n".join(lines).replace(",", separator), "utf-8-sig")
    labels = folder.from_csv(table, [b"a/1.jpg", b"b/2.jpg", b"b/1.jpg"])
    assert labels.label.tolist() == ["ant", "bee", ""]
    assert labels.group.tolist() == ["g1", "", ""]
    assert labels.notes == ["1 rows of l.csv name no picture, such as 'no.jpg'"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must have a header with file and label"),
        ("name,label\na.jpg,x", "must have a header with file and label"),
        ("file,label\nz.jpg,x", r"must name files of the folder, got none of its 1, such as 'z\.jpg'"),
        ("file,label\na.jpg,x\na.jpg,y", "must have one label, got 'x' and 'y'"),
        ("file,label,part\na.jpg,x,later", "must be train, val or test, got 'later'"),
    ],
)
def test_a_table_that_cannot_serve_says_why(tmp_path, text, message):
    table = tmp_path / "l.csv"
    table.write_text(text)
    with pytest.raises(InputError, match=message):
        folder.from_csv(table, [b"a.jpg"])


def test_a_missing_table_is_named(tmp_path):
    with pytest.raises(InputError, match="must be a readable CSV file"):
        folder.from_csv(tmp_path / "no.csv", [b"a.jpg"])


@given(
    st.lists(
        st.lists(
            st.binary(min_size=1, max_size=5).filter(lambda b: b"/" not in b and b"\0" not in b), min_size=1, max_size=4
        ).map(b"/".join),
        unique=True,
    )
)
def test_any_path_has_one_label_and_one_part(paths):
    labels = folder.from_folders(paths)
    assert len(labels.label) == len(labels.part) == len(labels.group) == len(paths)
    assert set(labels.part) <= {"", "train", "val", "test"}
    assert all(isinstance(x, str) for x in np.r_[labels.label, labels.part])
