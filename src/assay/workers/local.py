"""Run one pure function over many items in processes that may die, hang or eat memory without harm to the rest.

Items go in, each comes out exactly once: with its result, or with a Failure. Nothing is written here.
"""

import multiprocessing as mp
import resource
import signal
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

_SPAWN = mp.get_context("spawn")  # a fork would copy the threads' locks of the numeric libraries
_TICK = 0.2  # seconds between looks at the clocks
_AHEAD = 2  # chunks a worker holds, so that it never waits for the next


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an item has no result: status "crashed" or "timeout", and the reason in words."""

    status: str
    reason: str


class _Worker:
    """One process, what it was given, and the shared cell that tells which item it is at since when."""

    def __init__(self, function: Callable[[Any], Any], memory: int) -> None:
        self.at = _SPAWN.RawArray("d", 2)  # number of items finished in this chunk; when the next began, 0 when idle
        self.chunks: deque[list[Any]] = deque()
        self.pipe, theirs = _SPAWN.Pipe()
        self.process = _SPAWN.Process(target=_serve, args=(theirs, self.at, function, memory), daemon=True)
        self.process.start()
        theirs.close()

    def give(self, chunk: list[Any]) -> None:
        self.chunks.append(chunk)
        self.pipe.send(chunk)

    def end(self) -> None:
        self.pipe.close()
        self.process.kill()
        self.process.join()


def run(
    function: Callable[[Any], Any],
    items: Iterable[Any],
    *,
    processes: int = 2,
    chunk: int = 16,
    seconds: float = 10.0,
    memory: int = 1536 << 20,
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[list[tuple[Any, Any]]]:
    """Apply a function to every item, in parallel, and yield the results chunk by chunk.

    Args:
        function: a module's function, or a `partial` of one; gets an item, returns what can be sent.
        items: what can be sent to another process.
        processes: how many at once, >= 1.
        chunk: items sent at a time, >= 1.
        seconds: that one item may take; then its process is killed and the item is a timeout.
        memory: bytes that a process may map beyond what it has when it starts.
        stop: asked between chunks; once it says True, no new chunk is begun and those under way are finished.

    Returns:
        Lists of (item, result), in no fixed order. Where the function raised, or its process died or hung,
        the result is a Failure and the process is replaced.
    """
    waiting = iter(items)
    again: deque[list[Any]] = deque()
    workers = [_Worker(function, memory) for _ in range(processes)]
    try:
        while True:
            for worker in workers:
                while len(worker.chunks) < _AHEAD and not stop():
                    piece = again.popleft() if again else list(islice(waiting, chunk))
                    if not piece:
                        break
                    worker.give(piece)
            busy = [w for w in workers if w.chunks]
            if not busy:
                return
            ready = wait([w.pipe for w in busy], _TICK)
            for worker in busy:
                if worker.pipe in ready:
                    results = _receive(worker.pipe)
                    if results is not None:
                        yield list(zip(worker.chunks.popleft(), results, strict=True))
                        continue
                    failure = Failure("crashed", f"its reader died ({_exit(worker)})")
                elif 0 < worker.at[1] < time.monotonic() - seconds:
                    failure = Failure("timeout", f"took longer than {seconds:g} s")
                else:
                    continue
                done = int(worker.at[0])
                worker.end()
                first, *rest = worker.chunks
                again.extend(piece for piece in ([first[:done] + first[done + 1 :], *rest]) if piece)
                workers[workers.index(worker)] = _Worker(function, memory)
                yield [(first[done], failure)]
    finally:
        for worker in workers:
            worker.end()


def _receive(pipe: Connection) -> list[Any] | None:
    try:
        return list(pipe.recv())
    except (EOFError, OSError):
        return None


def _exit(worker: _Worker) -> str:
    worker.process.join(1)
    code = worker.process.exitcode
    return signal.Signals(-code).name if code is not None and code < 0 else f"exit code {code}"


def _serve(pipe: Connection, at: Any, function: Callable[[Any], Any], memory: int) -> None:
    """Work through chunks until the parent closes the pipe or is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what Ctrl-C means
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    own = Path("/proc/self/statm")
    mapped = int(own.read_text().split()[0]) * resource.getpagesize() if own.exists() else 0
    resource.setrlimit(resource.RLIMIT_AS, (mapped + memory, resource.RLIM_INFINITY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    while True:
        try:
            chunk = pipe.recv()
        except (EOFError, OSError):
            return
        results = []
        for i, item in enumerate(chunk):
            at[0], at[1] = i, time.monotonic()
            results.append(_apply(function, item))
        at[1] = 0
        try:
            pipe.send(results)
        except (BrokenPipeError, ConnectionResetError):
            return


def _apply(function: Callable[[Any], Any], item: Any) -> Any:
    try:
        return function(item)
    except Exception as e:  # noqa: BLE001 - one bad file is a row, never the end of a run
        return Failure("crashed", f"{type(e).__name__}: {e}"[:300])
