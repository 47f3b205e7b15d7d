"""How far a job is: one line for the whole of it, with the rate of the stage and the time that is left."""

import time
from collections.abc import Callable
from typing import TextIO

_EVERY = 0.1  # seconds between two drawings of the line


class Clock:
    """Follows a job of several stages, each a number of units, and tells the time left for all of them.

    A stage that has not begun is taken to need the seconds given; one under way goes on at its rate so far.

    Args:
        seconds: a guess for each stage of the job.
        tell: shows a line of text to whoever waits.
    """

    def __init__(self, seconds: dict[str, float], *, tell: Callable[[str], None]) -> None:
        self.times: dict[str, float] = {}  # seconds that each finished stage took
        self._guess = dict(seconds)
        self._tell = tell
        self._stage, self._began, self._done, self._total, self._drawn = "", 0.0, 0, 0, 0.0

    def begin(self, stage: str, total: int) -> None:
        """Start a stage.

        Args:
            stage: its name, as in the line that a person reads.
            total: units it has, such as pictures.
        """
        self.finish()
        self._stage, self._began, self._done, self._total, self._drawn = stage, time.monotonic(), 0, total, 0.0
        self._draw()

    def advance(self, count: int) -> None:
        """Count units of the current stage as done.

        Args:
            count: how many more.
        """
        self._done += count
        if time.monotonic() - self._drawn > _EVERY:
            self._draw()

    def finish(self) -> None:
        """End the current stage, and remember how long it took."""
        if self._stage:
            self.times[self._stage] = time.monotonic() - self._began
            self._guess.pop(self._stage, None)
            self._stage = ""

    def left(self) -> float:
        """Return the seconds left for the whole job."""
        here = self._guess.get(self._stage, 0.0)
        spent = time.monotonic() - self._began
        if self._done and self._stage:
            here = spent * (self._total - self._done) / self._done
        return here + sum(s for name, s in self._guess.items() if name != self._stage)

    def _draw(self) -> None:
        self._drawn = time.monotonic()
        rate = self._done / max(self._drawn - self._began, 1e-3)
        speed = f"  {rate:,.0f}/s" if self._done else ""
        count = f"  {self._done:,} of {self._total:,}" if self._total > 1 else ""
        self._tell(f"{self._stage}{count}{speed}  {words(self.left())} left")


def words(seconds: float) -> str:
    """Say a duration as a person would.

    Args:
        seconds: >= 0.

    Returns:
        Text such as "8 s", "3 min" or "2 h 5 min".

    >>> words(8.2), words(185), words(7500)
    ('8 s', '3 min', '2 h 5 min')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def line(stream: TextIO) -> Callable[[str], None]:
    """Return a function that shows a text: on a terminal over the one before, elsewhere nothing until it is done.

    Args:
        stream: where to write.

    Returns:
        A function of one text; an empty text clears the line.
    """
    live = stream.isatty()

    def tell(text: str) -> None:
        if live:
            stream.write(f"\r\x1b[K{text[:120]}")
            stream.flush()

    return tell
