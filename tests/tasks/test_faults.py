"""What a stranger gets wrong and what a disk does: a sentence that says what to do, and never a traceback."""

import fcntl
import json
import os
import resource
import shutil
import subprocess
import sys

import pytest

from assay.data.workspace import FORMAT
from assay.errors import WorkspaceError
from assay.tasks.run import run

AS_NOBODY = """
import json, os, sys
from pathlib import Path
from assay.data import folder, rows
root = Path(sys.argv[1])
os.setgroups([]); os.setgid(65534); os.setuid(65534)
listing = folder.walk(root)
examined = [rows.examine(file, root=root).columns for file in listing.files]
print(json.dumps([listing.skipped, [[os.fsdecode(c["path"]), c["status"], c["reason"]] for c in examined]]))
"""


@pytest.fixture
def few(finished, tmp_path):
    """Four pictures in each of two classes."""
    for kind in ("shapes", "temple"):
        (tmp_path / "few" / kind).mkdir(parents=True)
        for path in sorted((finished.folder / kind).glob("00[2-5]*")):
            shutil.copy(path, tmp_path / "few" / kind)
    return tmp_path / "few"


def refused(result, *words):
    """Check that a command ended with status 2, one line on standard error, and nothing on standard output."""
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert result.stderr.startswith("assay: ")
    for word in words:
        assert str(word) in result.stderr
    return True


def test_a_folder_that_is_not_there(assay):
    assert refused(assay("run", "nowhere"), "PATH must be a folder of pictures, got nothing at nowhere")
    assert refused(assay("scan", "nowhere"), "got nothing at nowhere")


def test_a_file_in_place_of_a_folder(assay, tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"")
    assert refused(assay("run", "a.jpg"), "PATH must be a folder of pictures, got a file at a.jpg")


def test_an_empty_folder(assay, tmp_path):
    (tmp_path / "empty").mkdir()
    assert refused(assay("run", "empty"), "PATH must hold pictures, got no file in empty")
    assert not (tmp_path / "empty.assay").exists()


def test_a_folder_without_any_picture_has_a_verdict(assay, tmp_path):
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").write_text("nothing to see")
    result = assay("run", "notes")
    assert result.exit_code == 0
    assert "There is no picture here: none of the 1 file could be read as one." in result.stdout
    assert (tmp_path / "notes.assay" / "report.html").exists()
    assert not (tmp_path / "notes.assay" / "model.assay").exists()


def test_broken_pictures_alone_have_a_verdict_and_status_1(assay, tmp_path):
    (tmp_path / "bad" / "a").mkdir(parents=True)
    (tmp_path / "bad" / "a" / "1.jpg").write_bytes(b"\xff\xd8\xff\xe0" + bytes(50))
    result = assay("run", "bad")
    assert result.exit_code == 1
    assert "There is no picture here" in result.stdout


def test_one_class_alone_is_described(assay, few):
    shutil.rmtree(few / "temple")
    result = assay("run", few)
    assert result.exit_code == 0
    assert "There is no classifier: learning needs 2 classes with 3 different pictures each, got 'shapes' with 4" in (
        result.stdout
    )


def test_a_class_with_one_picture_is_left_out_and_named(assay, few, tmp_path):
    (few / "alone").mkdir()
    shutil.move(next((few / "temple").iterdir()), few / "alone")
    result = assay("run", few, "--out", "w")
    assert result.exit_code == 0
    report = (tmp_path / "w" / "report.html").read_text()
    assert "class &#x27;alone&#x27; is left out: 3 different pictures are needed, got 1" in report


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_handful_of_pictures_is_described(assay, few, count):
    for path in sorted(few.rglob("*.*"))[count:]:
        path.unlink()
    result = assay("run", few)
    assert result.exit_code == 0
    assert f"{count} picture" in result.stdout
    assert "There is no classifier" in result.stdout


def test_eight_pictures_give_a_model_and_an_interval_that_admits_it(assay, album, tmp_path):
    album(tmp_path / "few", kinds=("shapes", "temple"), count=4, first=220)
    result = assay("run", "few")
    assert result.exit_code == 0
    assert (tmp_path / "few.assay" / "model.assay").exists()
    assert "no proof that it has learned anything" in result.stdout


def test_identical_pictures_in_two_classes_are_not_learned_from(assay, few):
    shutil.rmtree(few / "temple")
    shutil.copytree(few / "shapes", few / "temple")
    result = assay("run", few)
    assert result.exit_code == 0
    assert "no proof that it has learned anything" in result.stdout or "There is no classifier" in result.stdout


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("", "must have a header with file and label"),
        ("name,class\n1.jpg,a\n", "must have a header with file and label, got 'name,class'"),
        ("file,label\nnowhere.jpg,a\n", "must name files of the folder, got none of its 1, such as 'nowhere.jpg'"),
        ("file,label\n002.jpg,a\nshapes/002.jpg,b\n", "a file must have one label, got 'a' and 'b'"),
        ("file,label,part\nshapes/002.jpg,a,dev\n", "part must be train, val or test, got 'dev'"),
        ("file,label\n" + "x" * 200_000 + ",a\n", "must be a readable CSV file, got field larger than"),
        ("\x00\x01\x02", "must have a header with file and label"),
    ],
)
def test_a_table_of_labels_that_does_not_fit(assay, few, tmp_path, table, words):
    if "002.jpg,a\ns" in table:
        shutil.rmtree(few / "temple")  # so that the bare name is unique
    (tmp_path / "labels.csv").write_text(table)
    assert refused(assay("run", few, "--labels", "labels.csv"), words, "labels.csv")


def test_labels_that_are_nowhere(assay, few):
    assert refused(
        assay("run", few, "--labels", "gone.csv"), "--labels must be folders, none or a CSV file, got 'gone.csv'"
    )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--prevalence", "1.5"], "--prevalence must be between 0 and 1, got 1.5"),
        (["--specificity", "nan"], "--specificity must be between 0 and 1, got nan"),
        (["--cost-fn", "0"], "--cost-fn must be a number above 0, got 0.0"),
        (["--cost-fp", "inf"], "--cost-fp must be a number above 0, got inf"),
        (["--positive", "wasp"], "--positive must be one of 'shapes', 'temple', got 'wasp'"),
        (["--processes", "0"], "processes must be >= 1, got 0"),
        (["--seed", "-1"], "--seed must be >= 0, got -1"),
    ],
)
def test_options_out_of_range(assay, few, options, words):
    assert refused(assay("run", few, *options), words)


def test_a_positive_class_among_three_is_refused(assay, again):
    result = assay("run", again.folder, "--out", again.out, "--positive", "flower")
    assert refused(result, "--positive needs 2 classes, got 3")


def test_a_workspace_that_is_the_folder_of_pictures(assay, few):
    assert refused(assay("run", few, "--out", few), "--out must be new, empty or a workspace of assay")
    assert sorted(p.name for p in few.iterdir()) == ["shapes", "temple"]


def test_a_workspace_that_another_process_holds(assay, again):
    with (again.out / "lock").open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.truncate(0)
        lock.write("4711")
        lock.flush()
        assert refused(
            assay("run", again.folder, "--out", again.out), "workspace must be free, got process 4711", again.out
        )


def test_a_workspace_of_a_newer_version(assay, again):
    (again.out / "workspace.json").write_text(json.dumps({"format": FORMAT + 1}))
    result = assay("scan", again.folder, "--out", again.out)
    assert refused(result, f"workspace must be of format {FORMAT}, got {FORMAT + 1}", again.out)


@pytest.mark.parametrize("name", ["splits.json", "sealed.json"])
def test_a_note_that_was_damaged_is_named_and_not_guessed(assay, again, name):
    (again.out / name).write_text("{")
    assert refused(assay("run", again.folder, "--out", again.out), name)


def test_a_place_that_cannot_be_written(assay, few):
    assert refused(assay("run", few, "--out", "/proc/w.assay"), "workspace must be writable", "/proc/w.assay", "--out")


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
def test_what_nobody_may_read_is_named_and_the_rest_is_done(few, tmp_path):
    for path in [tmp_path, *tmp_path.parents]:
        if path.stat().st_uid == 0 and not path.stat().st_mode & 1:
            path.chmod(0o755)
    locked = next((few / "shapes").iterdir())
    locked.chmod(0)
    (few / "closed").mkdir(mode=0o700)
    command = [sys.executable, "-c", AS_NOBODY, str(few)]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    skipped, rows = json.loads(found.stdout)
    assert skipped == {"unreadable folder": 1}
    assert len(rows) == 8
    assert [r for r in rows if r[1] != "ok"] == [[f"shapes/{locked.name}", "unreadable", "Permission denied"]]
    few.chmod(0o700)
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "InputError: PATH must be a readable folder, got [Errno 13] Permission denied" in found.stderr


MADE = {"model.assay": b"PK\x05\x06", "pictures.csv": b"\n", "report.html": b"</html>\n"}  # how each whole one ends


def _whole(out):
    """Check that what a person came for is there, each file old or new, none of them half."""
    for name, end in MADE.items():
        assert end in (out / name).read_bytes()[-22:], name
    assert not list(out.glob(".*.new"))


@pytest.mark.parametrize("room", [2_000, 20_000, 200_000])
def test_a_file_that_may_not_grow_leaves_what_was_there(again, album, room):
    # Stands in for a full disk where none can be made: every write beyond the limit fails.
    album(again.folder, count=6, first=50)
    (again.folder / "shapes" / "001.jpg").unlink()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    try:
        with pytest.raises(WorkspaceError, match="workspace must be writable, with room on its disk") as e:
            run(again.folder, out=again.out, processes=1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert str(again.out) in str(e.value)
    _whole(again.out)
    found = run(again.folder, out=again.out, processes=1)
    assert found.scan.statuses["ok"] == again.result.scan.statuses["ok"] + 17


@pytest.fixture
def disk(tmp_path):
    """Mount a disk of 1 MB in memory; called with a size in kB it grows or shrinks."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(place)]
    if os.getuid() != 0 or not shutil.which("mount") or subprocess.run(command, check=False).returncode:
        pytest.skip("needs the right to mount a disk")

    def resize(kilobytes):
        subprocess.run(["mount", "-o", f"remount,size={kilobytes}k", str(place)], check=True)
        return place

    yield resize
    subprocess.run(["umount", str(place)], check=True)


@pytest.mark.parametrize("room", [0, 40, 160])
def test_a_full_disk_leaves_what_was_there_and_the_job_goes_on_when_there_is_room(again, album, disk, room):
    out = shutil.copytree(again.out, disk(8000) / "photos.assay")
    album(again.folder, count=6, first=50)
    (again.folder / "shapes" / "001.jpg").unlink()
    used = (os.statvfs(out).f_blocks - os.statvfs(out).f_bfree) * os.statvfs(out).f_frsize // 1024
    disk(used + room)
    with pytest.raises(WorkspaceError, match="workspace must be writable, with room on its disk") as e:
        run(again.folder, out=out, processes=1)
    assert str(out) in str(e.value)
    _whole(out)
    disk(8000)
    found = run(again.folder, out=out, processes=1)
    assert found.scan.statuses["ok"] == again.result.scan.statuses["ok"] + 17
    _whole(out)


def test_a_table_that_was_damaged_is_named(assay, again):
    for path in (again.out / "pictures.lance" / "data").iterdir():
        path.write_bytes(path.read_bytes()[:100])
    assert refused(assay("run", again.folder, "--out", again.out), "pictures.lance", "--out")
