"""Results go into a folder whole or not at all, and never over what somebody else put there."""

import pytest

from assay.data import delivery
from assay.errors import InputError, WorkspaceError


def test_a_folder_is_filled_and_filled_again(tmp_path):
    for text in ("one", "two"):
        placed = delivery.deliver(tmp_path / "out", {"plots/a.png": b"1", delivery.MARK: text})
        assert placed[delivery.MARK].read_text() == text
    assert (tmp_path / "out" / "plots" / "a.png").read_bytes() == b"1"
    assert not list((tmp_path / "out").rglob("*.new"))


def test_a_folder_of_somebody_else_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError, match="--out must be new, empty or filled by this command"):
        delivery.deliver(tmp_path, {delivery.MARK: ""})
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_file_in_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "out").write_text("x")
    with pytest.raises(InputError, match="--out must be a folder, got the file"):
        delivery.claim(tmp_path / "out")


def test_a_place_that_cannot_be_written_ends_in_a_sentence(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(WorkspaceError, match="must be writable, with room on its disk"):
        delivery.replace(tmp_path / "file" / "below", "x")
