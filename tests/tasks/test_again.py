"""A second run does only what is new, moves no picture from test to train, and ends as an undisturbed one would."""

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from assay.tasks.run import run
from assay.tasks.scan import scan

KILLS = Path(__file__).parent.parent.parent / "bench" / "kills.py"


def listed(out):
    return {row["file"]: row for row in csv.DictReader(io.StringIO((out / "pictures.csv").read_text()))}


def parts(out):
    return json.loads((out / "splits.json").read_text())["0"]


def test_nothing_new_is_read_and_the_same_comes_out(again):
    before = {name: (again.out / name).read_bytes() for name in ("model.assay", "pictures.csv", "splits.json")}
    found = run(again.folder, out=again.out)
    assert found.scan.read == 0
    assert {name: (again.out / name).read_bytes() for name in before} == before
    assert found.judgement.reads == 1  # the same model once more is no new look at the sealed part


def test_a_run_from_nothing_gives_the_same_bytes(finished, tmp_path):
    run(finished.folder, out=tmp_path / "w", processes=1)
    for name in ("model.assay", "pictures.csv"):
        assert (tmp_path / "w" / name).read_bytes() == (finished.out / name).read_bytes(), name


def test_new_pictures_alone_are_read_and_none_of_the_old_changes_its_part(again, album):
    before = parts(again.out)
    album(again.folder, count=5, first=40)
    found = run(again.folder, out=again.out)
    after = parts(again.out)
    assert found.scan.read == 15
    assert found.scan.statuses["ok"] == again.result.scan.statuses["ok"] + 15
    assert {sha: after[sha] for sha in before} == before
    assert len(after) == len(before) + 15
    assert found.judgement.reads == 2  # another model has now been judged on it


def test_a_copy_of_a_sealed_picture_that_comes_later_is_never_learned_from(again):
    rows = listed(again.out)
    sealed = next(name for name, row in rows.items() if row["part"] == "test" and name.endswith(".png"))
    kind = sealed.split("/")[0]
    (again.folder / kind / "later.png").write_bytes((again.folder / sealed).read_bytes())
    run(again.folder, out=again.out)
    assert listed(again.out)[f"{kind}/later.png"]["part"] == "test"


def test_a_file_that_changed_is_read_again(again, draw, save):
    path = again.folder / "shapes" / "001.jpg"
    save(draw("shapes", 77), path)
    found = scan(again.folder, out=again.out)
    assert found.read == 1
    run(again.folder, out=again.out)
    rows = listed(again.out)
    assert int(rows["shapes/001.jpg"]["bytes"]) == path.stat().st_size
    assert len(rows) == sum(found.statuses.values())


def test_a_picture_that_was_mended_takes_the_place_of_its_broken_row(again, draw, save):
    save(draw("flower", 78), again.folder / "broken" / "half.jpg")
    found = run(again.folder, out=again.out)
    assert found.scan.read == 1
    assert found.scan.statuses["corrupt"] == again.result.scan.statuses["corrupt"] - 1
    assert listed(again.out)["broken/half.jpg"]["status"] == "ok"


def test_the_row_of_a_removed_file_goes(again):
    (again.folder / "shapes" / "001.jpg").unlink()
    found = run(again.folder, out=again.out)
    assert found.scan.read == 0
    assert "shapes/001.jpg" not in listed(again.out)
    assert sum(found.scan.statuses.values()) == sum(again.result.scan.statuses.values()) - 1


def test_a_scan_first_leaves_only_the_network_to_the_run(again, tmp_path):
    count = sum(scan(again.folder, out=tmp_path / "w", processes=1).statuses.values())
    found = run(again.folder, out=tmp_path / "w", processes=1)
    assert found.scan.read == found.scan.statuses["ok"] < count  # what is broken was known already
    assert (tmp_path / "w" / "model.assay").read_bytes() == (again.out / "model.assay").read_bytes()


def test_a_run_that_is_stopped_keeps_what_it_read(finished, tmp_path):
    asked = []

    def stop():
        asked.append(1)
        return len(asked) > 2

    with pytest.raises(KeyboardInterrupt):
        run(finished.folder, out=tmp_path / "w", processes=1, stop=stop)
    found = run(finished.folder, out=tmp_path / "w", processes=1)
    files = sum(found.scan.statuses.values())
    assert 0 < found.scan.read < files
    assert (tmp_path / "w" / "pictures.csv").read_bytes() == (finished.out / "pictures.csv").read_bytes()


@pytest.mark.slow
def test_kills_lose_and_double_nothing_and_the_end_is_the_same(album, tmp_path):
    folder = album(tmp_path / "photos", count=60)
    command = [sys.executable, str(KILLS), str(folder), "--kills", "3"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr
    assert "0 rows lost, 0 doubled" in found.stdout
