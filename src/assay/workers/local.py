"""Run a pure function over many items in processes that may die, hang or eat memory without harm to the rest.

Items go in, each comes out exactly once: with its result, or with a Failure. Nothing is written here.
"""

import json
import mmap
import os
import resource
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from ..errors import WorkerError

_TICK = 0.2  # seconds between looks at the clocks
_AHEAD = 4  # chunks a worker holds, so that it never waits for the next
_READY = "ready"
# multiprocessing's own start would run the caller's main module again: no script without a guard, no pipe, no notebook
# could use us. This starts from nothing but our own module.
_START = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from assay.workers.local import serve; serve(int(sys.argv[2]), int(sys.argv[3]))"
)
# One thread each; and memory that a picture gave back is kept for the next: asking the system for it again costs more
# than the arithmetic on it.
_SETTINGS = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
_SETTINGS |= dict.fromkeys(("MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_"), str(16 << 20))


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an item has no result: status "crashed" or "timeout", and the reason in words."""

    status: str
    reason: str


class _Worker:
    """One process, what it was given, and the shared memory that tells which item it is at since when."""

    def __init__(self, steps: list[Callable[[Any], Any]], memory: int) -> None:
        self.chunks: deque[list[Any]] = deque()
        self.ready = False
        self.pipe, theirs = Pipe()
        shared = os.memfd_create("assay")
        os.ftruncate(shared, 16)
        self.at = memoryview(mmap.mmap(shared, 16)).cast("d")  # the item it is at; since when, 0 when idle
        command = [sys.executable, "-c", _START, json.dumps(sys.path), str(theirs.fileno()), str(shared)]
        self.process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            command,
            pass_fds=(theirs.fileno(), shared),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            env=os.environ | _SETTINGS,
        )
        theirs.close()
        os.close(shared)
        _send(self.pipe, (steps, memory))

    def give(self, chunk: list[Any]) -> None:
        """Send a chunk; a process that has died is found out when its answer is waited for."""
        self.chunks.append(chunk)
        _send(self.pipe, chunk)

    def receive(self) -> Any:
        """Return what it sent, or None where it died."""
        try:
            return self.pipe.recv()
        except (EOFError, OSError):
            return None

    def died(self) -> str:
        """Say how it ended."""
        code = self.process.wait()
        return signal.Signals(-code).name if code < 0 else f"exit code {code}"

    def end(self) -> None:
        self.pipe.close()
        self.process.kill()
        self.process.wait()


def run(
    function: Callable[[Any], Any],
    items: Iterable[Any],
    *,
    then: Callable[[Any], Any] | None = None,
    processes: int = 2,
    chunk: int = 16,
    seconds: float = 10.0,
    memory: int = 1536 << 20,
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[list[tuple[Any, Any]]]:
    """Apply a function to every item, in parallel, and yield the results chunk by chunk.

    Args:
        function: a function of an importable module, or a `partial` of one; gets an item, returns what can be sent.
        items: what can be sent to another process.
        then: a second function, for what the first returned. It begins when the first has done the whole chunk: the
            code of each then stays in the processor's caches, which is a tenth of the time of small pictures.
        processes: how many at once, >= 1.
        chunk: items sent at a time, >= 1.
        seconds: that one item may take in either function; then its process is killed and the item is a timeout.
        memory: bytes that a process may map beyond what it has when it starts.
        stop: asked between chunks; once it says True, no new chunk is begun and those under way are finished.

    Returns:
        Lists of (item, result), in no fixed order. Where the function raised, or its process died or hung,
        the result is a Failure and the process is replaced.

    Raises:
        WorkerError: processes cannot be started at all.
    """
    waiting = iter(items)
    again: deque[list[Any]] = deque()
    steps = [function, then] if then else [function]
    workers = [_Worker(steps, memory) for _ in range(processes)]
    try:
        while True:
            for worker in workers:
                while len(worker.chunks) < _AHEAD and not stop() and (piece := _next(again, waiting, chunk)):
                    worker.give(piece)
            busy = [w for w in workers if w.chunks]
            if not busy:
                return
            ready = wait([w.pipe for w in busy], _TICK)
            for worker in busy:
                results = worker.receive() if worker.pipe in ready else ()
                if results == _READY:
                    worker.ready = True
                elif results:
                    yield list(zip(worker.chunks.popleft(), results, strict=True))
                elif (failure := _failure(worker, results is None, seconds)) is not None:
                    item, rest = _lost(worker)
                    again.extend(rest)
                    workers[workers.index(worker)] = _Worker(steps, memory)
                    yield [(item, failure)]
    finally:
        for worker in workers:
            worker.end()


def _next(again: deque[list[Any]], waiting: Iterator[Any], chunk: int) -> list[Any]:
    return again.popleft() if again else list(islice(waiting, chunk))


def _failure(worker: _Worker, dead: bool, seconds: float) -> Failure | None:  # noqa: FBT001 - private
    """Say what is wrong with a worker, if anything is."""
    if dead and not worker.ready:
        raise WorkerError(f"processes that read pictures must start, got {worker.died()}: see what it printed above")
    if dead:
        return Failure("crashed", f"its reader died ({worker.died()})")
    if 0 < worker.at[1] < time.monotonic() - seconds:
        return Failure("timeout", f"took longer than {seconds:g} s")
    return None


def _lost(worker: _Worker) -> tuple[Any, list[list[Any]]]:
    """End a worker; return the item it failed at, and the chunks that are to be done again."""
    done = int(worker.at[0])
    worker.end()
    first, *rest = worker.chunks
    return first[done], [piece for piece in [first[:done] + first[done + 1 :], *rest] if piece]


def serve(pipe: int, shared: int) -> None:
    """Work through chunks until the parent closes the pipe or is gone; the main function of a worker process.

    Args:
        pipe: file descriptor of the connection.
        shared: file descriptor of 16 bytes that the parent sees too.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what Ctrl-C means
    connection = Connection(pipe)
    at = memoryview(mmap.mmap(shared, 16)).cast("d")
    steps, memory = connection.recv()
    own = Path("/proc/self/statm")
    mapped = int(own.read_text().split()[0]) * resource.getpagesize() if own.exists() else 0
    resource.setrlimit(resource.RLIMIT_AS, (mapped + memory, resource.RLIM_INFINITY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # decoders written in C print what they think of a broken file
    connection.send(_READY)
    while True:
        try:
            chunk = connection.recv()
        except (EOFError, OSError):
            return
        for step in steps:
            for i, item in enumerate(chunk):
                at[0], at[1] = i, time.monotonic()
                chunk[i] = _apply(step, item)
        at[1] = 0
        if not _send(connection, chunk):
            return


def _send(pipe: Connection, what: Any) -> bool:
    """Say whether there was still somebody to send it to."""
    try:
        pipe.send(what)
    except (BrokenPipeError, ConnectionResetError):
        return False
    return True


def _apply(function: Callable[[Any], Any], item: Any) -> Any:
    if isinstance(item, Failure):
        return item
    try:
        return function(item)
    except Exception as e:  # noqa: BLE001 - one bad file is a row, never the end of a run
        return Failure("crashed", f"{type(e).__name__}: {e}"[:300])
