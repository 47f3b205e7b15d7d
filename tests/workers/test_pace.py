"""What a computer taught about its stages is kept, used, and never in the way."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from assay.workers import pace
from assay.workers.clock import Clock
from assay.workers.pace import STATES, Pace


class Time:
    """A clock's own time, so that a job of an hour is tested in no time."""

    def __init__(self):
        self.seconds = 100.0

    def __call__(self):
        return self.seconds


def job(now, *, n, warm, each, report, name="job", ask=()):
    """Live through a job whose reading takes warm + each * n seconds; return totals foretold at shares of reading."""
    clock = Clock({"reading": n / 100, "report": 4.0}, tell=lambda _: None, job=name, units=n, now=now)
    began, told = now(), {}
    clock.begin("reading", n)
    now.seconds += warm
    for i in range(n):
        if i in {int(share * n) for share in ask}:
            told[i / n] = now() - began + clock.left()
        now.seconds += each
        clock.advance(1)
    clock.begin("report", 1)
    now.seconds += report
    clock.finish()
    return told


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "assay" / "pace.json"


def test_a_job_is_foretold_from_those_before_it(file):
    now, rng = Time(), np.random.default_rng(0)
    for _ in range(25):
        job(now, n=int(np.exp(rng.uniform(3, 7.6))), warm=3.0, each=0.05, report=1.5)
    for n in (50, 1000):
        total = 3.0 + 0.05 * n + 1.5
        told = job(now, n=n, warm=3.0, each=0.05, report=1.5, ask=(0.0, 0.3))
        assert told[0.0] == pytest.approx(total, rel=0.15)
        assert told[0.3] == pytest.approx(total, rel=0.1)


def test_a_job_that_goes_slower_than_ever_is_believed(file):
    now = Time()
    for _ in range(10):
        job(now, n=400, warm=1.0, each=0.02, report=1.0)
    told = job(now, n=400, warm=2.0, each=0.06, report=1.0, ask=(0.5,))
    assert told[0.5] == pytest.approx(27.0, rel=0.2)


def test_what_is_learned_is_the_update_of_td_lambda_written_out():
    # One stage without marks is one step to its end: values move by alpha = 1/2 of the error, along (1, guess) / unit.
    found = Pace(None)
    found.learn("s", guess=3.0, marks=[], seconds=8.0)
    assert found.left("s", share=0.0, guess=3.0) == pytest.approx(3.0 + (8.0 - 3.0) / 2)
    found.learn("s", guess=3.0, marks=[], seconds=5.5)
    assert found.left("s", share=0.0, guess=3.0) == pytest.approx(5.5)


def test_one_run_on_a_busy_computer_is_soon_forgotten():
    found = Pace(None)
    for _ in range(6):
        found.learn("s", guess=3.0, marks=[], seconds=4.0)
    found.learn("s", guess=3.0, marks=[], seconds=400.0)
    assert found.left("s", share=0.0, guess=3.0) < 6
    for _ in range(60):  # but a computer that has become slow is believed in the end
        found.learn("s", guess=3.0, marks=[], seconds=400.0)
    assert found.left("s", share=0.0, guess=3.0) == pytest.approx(400, rel=0.01)


def test_the_middle_of_a_stage_learns_from_its_end():
    found = Pace(None)
    for _ in range(60):
        found.learn("s", guess=10.0, marks=[(0.5, 2.0), (1.0, 4.0)], seconds=20.0)
    shares = [found.left("s", share=s, guess=10.0) for s in (0.0, 0.5, 1.0)]
    assert shares == pytest.approx([20, 18, 16], abs=0.3)


def test_a_run_where_nothing_had_changed_teaches_nothing_of_one_that_reads(file):
    now = Time()
    for _ in range(8):
        job(now, n=300, warm=1.0, each=0.02, report=2.0)
    before = job(now, n=300, warm=1.0, each=0.02, report=2.0, ask=(0.0,))[0.0]
    for _ in range(8):
        clock = Clock({"reading": 3.0, "report": 4.0}, tell=lambda _: None, job="job", units=300, now=now)
        clock.begin("reading", 0)
        clock.begin("report", 1)
        now.seconds += 0.1
        clock.finish()
    clock = Clock({"reading": 3.0, "report": 4.0}, tell=lambda _: None, job="job", units=300, now=now)
    clock.begin("reading", 0)
    assert clock.left() < 1
    assert job(now, n=300, warm=1.0, each=0.02, report=2.0, ask=(0.0,))[0.0] == pytest.approx(before, rel=0.05)


def test_half_of_the_pictures_is_half_of_the_stage():
    now = Time()
    clock = Clock({"reading": 100.0, "report": 4.0}, tell=lambda _: None, units=1000, now=now)
    clock.begin("reading", 500)
    assert clock.left() == pytest.approx(54)


def test_a_stage_that_is_passed_over_needs_no_time():
    now = Time()
    clock = Clock({"a": 10.0, "b": 20.0, "c": 5.0}, tell=lambda _: None, now=now)
    clock.begin("a", 1)
    clock.begin("c", 1)
    assert clock.left() == pytest.approx(5)
    assert set(clock.times) == {"a"}


def test_progress_is_offered_as_numbers():
    now = Time()
    clock = Clock({"a": 10.0}, tell=lambda _: None, now=now)
    clock.begin("a", 4)
    now.seconds += 2
    clock.advance(1)
    progress = clock.progress()
    assert (progress.stage, progress.done, progress.total, progress.left) == ("a", 1, 4, pytest.approx(6))


def test_a_job_without_a_name_is_not_remembered(file):
    job(Time(), n=30, warm=1.0, each=0.1, report=1.0, name=None)
    assert not file.exists()


def test_what_was_learned_is_there_in_the_next_process_and_gone_with_the_cache(file):
    job(Time(), n=30, warm=10.0, each=1.0, report=1.0)
    kept = Pace(pace.place()).left("job: reading", share=0.0, guess=0.3)
    assert kept > 5
    file.unlink()
    assert Pace(pace.place()).left("job: reading", share=0.0, guess=0.3) == pytest.approx(0.3)
    job(Time(), n=30, warm=10.0, each=1.0, report=1.0)
    assert file.exists()


def test_two_jobs_at_once_lose_nothing_of_other_stages(file):
    one, two = Pace(file), Pace(file)
    one.learn("a", guess=1.0, marks=[], seconds=9.0)
    two.learn("b", guess=1.0, marks=[], seconds=9.0)
    assert set(json.loads(file.read_text())["stages"]) == {"a", "b"}


WEIGHTS = [0.0] * (2 * STATES)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"{}",
        b'{"format": 1}',
        b'{"format": 2, "stages": {}}',
        b'{"format": 1, "stages": {"job: reading": 3}}',
        b'{"format": 1, "stages": {"job: reading": {"runs": 1, "weights": [1, 2]}}}',
        json.dumps({"format": 1, "stages": {"job: reading": {"runs": -1, "weights": WEIGHTS}}}).encode(),
        json.dumps({"format": 1, "stages": {"job: reading": {"runs": 1e400, "weights": WEIGHTS}}}).encode(),
        json.dumps(
            {"format": 1, "stages": {"job: reading": {"runs": 1, "weights": [float("nan")] * 2 * STATES}}}
        ).encode(),
        b'{"format": 1, "stages": ' + b"[" * 100_000,
        b" " * (2 << 20),
    ],
)
def test_a_damaged_memory_is_as_none(file, content):
    file.parent.mkdir()
    file.write_bytes(content)
    assert Pace(file).left("job: reading", share=0.0, guess=7.0) == pytest.approx(7)
    job(Time(), n=30, warm=10.0, each=1.0, report=1.0)
    assert Pace(file).left("job: reading", share=0.0, guess=0.3) > 5


def test_a_memory_that_cannot_be_written_is_no_fault(tmp_path, monkeypatch):
    (tmp_path / "assay").write_text("a file where the folder should be")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    job(Time(), n=30, warm=1.0, each=0.1, report=1.0)
    assert (tmp_path / "assay").is_file()


def test_a_memory_that_is_a_folder_is_no_fault(file):
    file.mkdir(parents=True)
    job(Time(), n=30, warm=1.0, each=0.1, report=1.0)
    assert [p.name for p in file.parent.iterdir()] == ["pace.json"]


def test_without_a_home_nothing_is_kept(monkeypatch):
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", lambda: (_ for _ in ()).throw(RuntimeError("no home")))
    assert pace.place() is None
    job(Time(), n=30, warm=1.0, each=0.1, report=1.0)


def test_a_relative_cache_folder_is_passed_over(monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", "here")
    assert pace.place() == Path.home() / ".cache" / "assay" / "pace.json"


def test_the_memory_is_small_and_the_users_own(file):
    job(Time(), n=30, warm=1.0, each=0.1, report=1.0)
    assert file.stat().st_size < 4000
    assert stat.S_ISREG(file.stat().st_mode)


def test_the_clock_costs_no_compiler():
    code = "import sys, assay.workers.clock; print([m for m in ('numba', 'gymnasium', 'sklearn') if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ)
    assert found.stdout == "[]\n"
