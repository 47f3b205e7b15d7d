"""Every item comes back exactly once, whatever its function does to the process."""

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from assay.errors import WorkerError
from assay.workers import local


def behave(item):
    """Do what the item says: double a number, or be a bad file of some kind."""
    if item == "die":
        os.kill(os.getpid(), signal.SIGSEGV)
    if item == "exit":
        os._exit(3)
    if item == "hang":
        time.sleep(60)
    if item == "raise":
        raise RuntimeError("no such luck")
    if item == "eat":
        return len(bytearray(8 << 30))
    return item * 2


def lead(item):
    """Give the second function something to die of."""
    return "die" if item == 2 else item


def collect(items, **options):
    return [pair for chunk in local.run(behave, items, **options) for pair in chunk]


@pytest.mark.parametrize(("count", "processes", "chunk"), [(0, 1, 4), (1, 3, 4), (50, 2, 7)])
def test_every_item_comes_back_once_with_its_result(count, processes, chunk):
    found = collect(range(count), processes=processes, chunk=chunk)
    assert sorted(found) == [(i, 2 * i) for i in range(count)]


def test_bad_items_fail_alone():
    items = [1, "die", 2, "raise", 3, "exit", 4, "hang", 5, "eat", 6, "die"]
    found = collect(items, processes=2, chunk=5, seconds=1.0)
    assert sorted((str(i) for i, _ in found)) == sorted(map(str, items))
    failures = {item: result for item, result in found if isinstance(result, local.Failure)}
    assert failures["die"] == local.Failure("crashed", "its reader died (SIGSEGV)")
    assert failures["exit"] == local.Failure("crashed", "its reader died (exit code 3)")
    assert failures["hang"] == local.Failure("timeout", "took longer than 1 s")
    assert failures["raise"].reason == "RuntimeError: no such luck"
    assert failures["eat"].reason.startswith("MemoryError")
    assert [r for i, r in sorted(p for p in found if isinstance(p[0], int))] == [2, 4, 6, 8, 10, 12]


def test_stopping_finishes_what_was_begun_and_begins_nothing():
    seen = []
    chunks = local.run(behave, range(1000), processes=2, chunk=5, stop=lambda: len(seen) >= 10)
    while pairs := next(chunks, None):
        seen.extend(pairs)
    assert 10 <= len(seen) <= 10 + 2 * local._AHEAD * 5
    assert len({i for i, _ in seen}) == len(seen)


def test_leaving_early_leaves_no_process_behind():
    run = local.run(partial(behave), ["hang"] * 4 + [1], processes=2, chunk=1, seconds=0.5)
    next(run)
    run.close()
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text()
    assert not children.split()


SLOW = """
import os, time
def slow(item):
    open(f"{item}.pid", "w").write(str(os.getpid()))
    time.sleep(0.3)
    return item
"""
PARENT = """
from assay.workers import local
from slow import slow
for chunk in local.run(slow, range(100), processes=2, chunk=1):
    print("chunk", flush=True)
"""


def test_workers_end_when_their_parent_is_killed(tmp_path):
    (tmp_path / "slow.py").write_text(SLOW)
    # From standard input and without a guard for the main module: a notebook or a pipe must do.
    command = [sys.executable, "-"]
    with subprocess.Popen(command, cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as parent:
        parent.stdin.write(PARENT)
        parent.stdin.close()
        assert parent.stdout.readline() == "chunk\n"
        parent.kill()
    pids = {int(p.read_text()) for p in tmp_path.glob("*.pid")}
    deadline = time.monotonic() + 5
    while any(Path(f"/proc/{pid}").exists() for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]


def test_processes_that_cannot_start_end_the_run_with_the_reason(monkeypatch):
    monkeypatch.setattr(local.sys, "executable", "/bin/false")
    with pytest.raises(WorkerError, match="must start, got exit code 1"):
        collect(range(3), processes=1)


def test_a_second_function_gets_what_the_first_returned_and_fails_as_alone():
    items = [1, "die", 2, "raise", 3]
    found = dict(collect(items, then=behave, processes=2, chunk=3))
    assert {k: v for k, v in found.items() if isinstance(k, int)} == {1: 4, 2: 8, 3: 12}
    assert found["raise"] == local.Failure("crashed", "RuntimeError: no such luck")
    late = dict(p for c in local.run(lead, [1, 2, 3], then=behave, processes=1, chunk=3) for p in c)
    assert late == {1: 2, 2: local.Failure("crashed", "its reader died (SIGSEGV)"), 3: 6}
