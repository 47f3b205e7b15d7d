"""The command line as a stranger and a script meet it: help, status, streams, Ctrl-C, and no connection."""

import json
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from assay.cli import app

COMMAND = [sys.executable, "-c", "from assay.cli import main; main()"]
VERBS = sorted(c.name or c.callback.__name__ for c in app.registered_commands)
each_verb = pytest.mark.parametrize("verb", VERBS)


@each_verb
def test_help_shows_an_example_that_begins_with_the_command(assay, verb):
    result = assay(verb, "--help")
    assert result.exit_code == 0
    assert f"Example: assay {verb} " in result.stdout
    assert "--json" in result.stdout


def test_the_command_alone_shows_every_verb(assay):
    result = assay("--help")
    assert result.exit_code == 0
    assert [verb for verb in VERBS if not re.search(rf"^  {verb} ", result.stdout, re.MULTILINE)] == []


@pytest.mark.parametrize("arguments", [["fly"], ["run"], ["run", "photos", "--wings"], ["run", "p", "--seed", "x"]])
def test_what_is_not_understood_ends_with_status_2(assay, arguments):
    result = assay(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "Traceback" not in result.stderr


def test_help_comes_quickly():
    # 0.3 s is the aim on a quiet machine; a shared one gets slack.
    seconds = []
    for _ in range(3):
        began = time.perf_counter()
        subprocess.run([*COMMAND, "--help"], check=True, capture_output=True)
        seconds.append(time.perf_counter() - began)
    assert min(seconds) < 1


def test_help_imports_nothing_heavy():
    code = "import sys, assay.cli; print(*sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert not {"numpy", "cv2", "lance", "openvino", "sklearn", "scipy", "matplotlib", "rich"} & set(loaded)


def test_a_run_says_what_it_found_and_where_it_is(assay, again):
    result = assay("run", again.folder, "--out", again.out)
    assert result.exit_code == 1  # some of its files are broken
    first, *_, report, table, model = result.stdout.splitlines()
    assert first == again.result.headline
    assert [line.split(maxsplit=1)[0] for line in (report, table, model)] == ["report", "list", "model"]
    assert all(Path(line.split(maxsplit=1)[1]).is_file() for line in (report, table, model))
    assert result.stderr == ""


def test_a_folder_without_broken_files_ends_with_status_0(assay, album, tmp_path):
    album(tmp_path / "photos", kinds=("shapes",), count=2)
    result = assay("scan", "photos")
    assert result.exit_code == 0
    assert result.stdout.startswith("2 ok; 2 read in ")


def test_a_scan_names_the_broken_files_without_moving_the_cursor(assay, again):
    (again.folder / "broken" / "half.jpg").rename(again.folder / "broken" / "\x1b[2J\nhalf.jpg")
    result = assay("scan", again.folder, "--out", again.out)
    assert result.exit_code == 1
    assert r"  corrupt  broken/\x1b[2J\nhalf.jpg: Premature end of JPEG file" in result.stdout.splitlines()


@pytest.mark.parametrize("verb", ["run", "scan"])
def test_json_is_one_object_on_standard_output_and_nothing_else(assay, again, verb):
    result = assay(verb, again.folder, "--out", again.out, "--json")
    found = json.loads(result.stdout)
    assert isinstance(found, dict)
    scan = found.get("scan", found)
    assert scan["statuses"] == again.result.scan.statuses
    assert len(scan["problems"]) == 5
    if verb == "run":
        assert found["accuracy"].keys() == {"value", "low", "high", "level", "method"}
    assert result.stdout.isascii()


def test_predictions_in_three_forms_say_the_same(assay, finished):
    arguments = ("predict", finished.out / "model.assay", finished.folder / "broken", finished.folder / "temple")
    plain, table, data = (assay(*arguments, *form) for form in ((), ("--csv",), ("--json",)))
    rows = json.loads(data.stdout)["rows"]
    assert len(rows) == len(plain.stdout.splitlines()) == len(table.stdout.splitlines()) - 1
    head, *lines = table.stdout.splitlines()
    assert head == "file,label,probability,flower,shapes,temple,status,reason"
    for row, line, text in zip(rows, lines, plain.stdout.splitlines(), strict=True):
        if row["status"] == "ok":
            assert f",{row['label']},{row['probability']}," in line
            assert text.startswith(row["label"])
        else:
            assert row["status"] in line
            assert text.startswith(f"{row['status']}: ")
    assert not [c for c in plain.stdout + table.stdout if not (c.isprintable() or c == "\n")]


def test_no_command_opens_a_connection(assay, again, monkeypatch):
    def refuse(*_):
        raise AssertionError("a connection was opened")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    (again.folder / "shapes" / "001.jpg").touch()  # so that there is something to read
    assert assay("run", again.folder, "--out", again.out).exit_code == 1
    assert assay("predict", again.out / "model.assay", again.folder / "shapes").exit_code == 0
    assert sys.modules["openvino_telemetry"] is None  # what OpenVINO would speak through


def test_a_reader_that_goes_away_is_no_traceback(finished):
    command = [*COMMAND, "predict", str(finished.out / "model.assay"), str(finished.folder / "shapes"), "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        process.stdout.close()
        error = process.stderr.read()
    assert "Traceback" not in error
    assert "Exception ignored" not in error


def _start(folder, out):
    command = [*COMMAND, "scan", str(folder), "--out", str(out), "--processes", "1"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.fixture
def many(tmp_path, draw, save):
    """Enough files that a scan is still under way a second after it began; links cost no time to make."""
    save(draw("temple", 3), tmp_path / "one.png")
    folder = tmp_path / "many"
    folder.mkdir()
    for i in range(20_000):
        (folder / f"{i:05d}.png").hardlink_to(tmp_path / "one.png")
    return folder


def _begun(out):
    """Wait until the workspace is there and the scan of its files is under way."""
    deadline = time.monotonic() + 60
    while not (out / "workspace.json").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(1)


def test_ctrl_c_keeps_what_was_read_and_the_next_run_goes_on(many, tmp_path, assay):
    out = tmp_path / "w"
    with _start(many, out) as process:
        _begun(out)
        process.send_signal(signal.SIGINT)
        printed, error = process.communicate(timeout=60)
    assert process.returncode == 130
    assert printed == ""
    first, last = error.strip().splitlines()
    assert first == "stopping after this batch; once more to stop at once"
    assert last == "assay: stopped; everything read so far is kept, the same command goes on from there"
    for path in sorted(many.iterdir())[:19_500]:  # the rest would take its time
        path.unlink()
    found = json.loads(assay("scan", many, "--out", out, "--json").stdout)
    assert found["statuses"] == {"ok": 500}
