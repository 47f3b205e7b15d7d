"""Every file of a folder ends as exactly one row, whatever it is."""

import os
import shutil
from collections import Counter

import numpy as np
import pytest

from assay.data.workspace import Workspace
from assay.errors import InputError
from assay.models import backbone
from assay.tasks.scan import place, scan


def test_what_a_folder_holds_is_said_and_links_are_not_followed(finished, tmp_path):
    folder = shutil.copytree(finished.folder, tmp_path / "photos")
    (folder / "loop").symlink_to(folder)
    (folder / "away.jpg").symlink_to(finished.folder / "flower" / "001.jpg")
    (folder / ".hidden.jpg").write_bytes(b"")
    os.mkfifo(folder / "pipe.jpg")
    shutil.copytree(finished.out, folder / "old.assay")
    found = scan(folder, out=tmp_path / "w", processes=1)
    assert found.statuses == finished.result.scan.statuses
    assert found.skipped == {"link": 2, "hidden": 1, "special": 1, "workspace": 1}


@pytest.mark.parametrize("processes", [1, 3])
def test_the_number_of_processes_changes_nothing(finished, tmp_path, processes):
    scan(finished.folder, out=tmp_path / "w", processes=processes)
    columns = ["path", "key", "status", "reason", "sha256", "facts", "hash", "thumbnail", "mtime_ns"]
    with Workspace(tmp_path / "w", width=backbone.WIDTH) as one, Workspace(finished.out, width=backbone.WIDTH) as other:
        assert one.table.read(columns) == other.table.read(columns)


def test_dark_and_odd_pictures_are_counted_as_issues(tmp_path, draw, save):
    for i in range(6):
        save(draw("temple", i), tmp_path / "photos" / f"{i}.jpg")
    save((draw("temple", 7) // 12), tmp_path / "photos" / "night.png")
    save(np.ascontiguousarray(draw("temple", 8)[:20]), tmp_path / "photos" / "strip.png")
    save(np.repeat(draw("temple", 9)[..., :1], 3, axis=2), tmp_path / "photos" / "grey.png")
    issues = scan(tmp_path / "photos", out=tmp_path / "w", processes=1).issues
    assert issues["dark"] == issues["odd_aspect_ratio"] == 1
    assert issues["light"] == 0


def test_files_that_go_or_change_while_they_are_read_are_rows(tmp_path, draw, save):
    folder = tmp_path / "photos"
    for i in range(40):
        save(draw("shapes", i), folder / f"{i:02d}.png")
    asked = []

    def stop():
        # Workers hold two chunks of 16 at most: these files are still to come.
        if not asked:
            (folder / "38.png").unlink()
            (folder / "39.png").write_bytes((folder / "39.png").read_bytes()[:200])
        asked.append(1)
        return False

    found = scan(folder, out=tmp_path / "w", processes=1, stop=stop)
    assert found.statuses == {"ok": 38, "unreadable": 1, "corrupt": 1}
    assert Counter(p.path for p in found.problems) == Counter(["38.png", "39.png"])
    again = scan(folder, out=tmp_path / "w", processes=1)
    assert again.statuses == {"ok": 38, "corrupt": 1}


def test_zero_processes_are_refused(finished, tmp_path):
    with pytest.raises(InputError, match="processes must be >= 1, got 0"):
        scan(finished.folder, out=tmp_path / "w", processes=0)


def test_the_workspace_is_named_after_the_folder_also_where_that_is_a_dot(tmp_path, monkeypatch):
    (tmp_path / "photos").mkdir()
    monkeypatch.chdir(tmp_path / "photos")
    assert str(place(tmp_path / "photos", None)) == "photos.assay"
    assert str(place(type(tmp_path)(), None)) == "photos.assay"
    assert str(place(type(tmp_path)("/"), None)) == "pictures.assay"
