"""A workspace has one writer, replaces files whole, and never takes over a folder that is not its own."""

import json
import os
import resource
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.data.workspace import FORMAT, Workspace, fingerprint
from assay.errors import InputError, WorkspaceError

HOLD = """
import sys, pathlib
from assay.data.workspace import Workspace
with Workspace(pathlib.Path(sys.argv[1]), width=3):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "w.assay"


def test_a_second_process_is_told_who_holds_it_and_gets_it_after_a_kill(folder):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with holder:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(WorkspaceError, match=f"got process {holder.pid} in"):
            Workspace(folder, width=3)
        holder.kill()
    with Workspace(folder, width=3):
        pass


def test_a_newer_format_is_refused_and_left_alone(folder):
    with Workspace(folder, width=3):
        pass
    note = folder / "workspace.json"
    note.write_text(json.dumps({"format": FORMAT + 1}))
    with pytest.raises(WorkspaceError, match=f"must be of format {FORMAT}, got {FORMAT + 1}"):
        Workspace(folder, width=3)
    assert json.loads(note.read_text()) == {"format": FORMAT + 1}


@pytest.mark.parametrize("note", ["", "{", "[]", '{"no": 1}'])
def test_a_note_that_cannot_be_read_is_refused(folder, note):
    folder.mkdir()
    (folder / "workspace.json").write_text(note)
    with pytest.raises(WorkspaceError, match=r"must hold a readable workspace\.json"):
        Workspace(folder, width=3)


def test_a_folder_of_the_user_is_never_taken_over(tmp_path):
    (tmp_path / "diary.txt").write_text("mine")
    with pytest.raises(InputError, match="must be new, empty or a workspace of assay"):
        Workspace(tmp_path, width=3)
    assert [p.name for p in tmp_path.iterdir()] == ["diary.txt"]


def test_a_file_in_the_way_is_named(tmp_path):
    (tmp_path / "w.assay").write_text("mine")
    with pytest.raises(InputError, match="must be a folder, got the file"):
        Workspace(tmp_path / "w.assay", width=3)


def test_a_full_disk_leaves_the_old_content(folder):
    with Workspace(folder, width=3) as workspace:
        workspace.write("report.html", "old")
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))  # SIGXFSZ is ignored by Python: writes fail with EFBIG
        try:
            with pytest.raises(WorkspaceError, match="with room on its disk, got"):
                workspace.write("report.html", "new" * 1000)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert (folder / "report.html").read_text() == "old"
        assert not [p for p in folder.iterdir() if p.name.startswith(".")]


def test_a_slow_step_runs_once_for_the_same_inputs(folder):
    calls = []

    def make():
        calls.append(1)
        return {"x": np.arange(3), "y": np.ones((2, 2), np.float32)}

    with Workspace(folder, width=3) as workspace:
        for inputs in ({"a": 1}, {"a": 1}, {"a": 2}):
            made = workspace.keep("step", inputs, make)
            np.testing.assert_array_equal(made["x"], [0, 1, 2])
        assert len(calls) == 2
        (folder / "steps" / "step.safetensors").write_bytes(b"torn")
        assert workspace.keep("step", {"a": 2}, make)["y"].shape == (2, 2)
        assert len(calls) == 3


@given(st.lists(st.integers()), st.text())
def test_fingerprints_depend_on_values_not_on_order_of_keys(numbers, text):
    a = {"n": numbers, "t": text, "x": np.arange(4)}
    b = {"x": np.arange(4), "t": text, "n": numbers}
    assert fingerprint(a) == fingerprint(b)
    assert fingerprint(a) != fingerprint(a | {"x": np.arange(4) + 1})
    assert fingerprint(a) != fingerprint(a | {"x": np.arange(4).reshape(2, 2)})


def test_the_lock_is_held_by_this_process(folder):
    with Workspace(folder, width=3):
        assert (folder / "lock").read_text() == str(os.getpid())
