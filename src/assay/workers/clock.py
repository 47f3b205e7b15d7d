"""How far a job is: one line for the whole of it, with the rate of the stage and the time that is left."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TextIO

from .pace import TENTHS, Pace, place

_EVERY = 0.1  # seconds between two drawings of the line
_TRUST = 0.3  # share of a stage after which its own pace counts as much as what earlier runs have taught
_LATE = 0.1  # part of the time since the last unit that is still to come, at least


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is: its stage, the units of it that are done, all of them, and the seconds left for all stages."""

    stage: str
    done: int
    total: int
    left: float


class Clock:
    """Follows a job of several stages, each a number of units, and tells the time left for all of them.

    Args:
        seconds: a guess for each stage of the job, in their order; a stage that is begun ends those before it.
        tell: shows a line of text to whoever waits.
        job: its name. A job with a name is timed by what earlier ones of that name took on this computer, and teaches
            the next; one without goes by the guess, and by its rate in the stage under way.
        units: that the guess is made for, such as pictures; fewer in a stage make it shorter. None to have it unsaid.
        now: tells the time in seconds.
    """

    def __init__(
        self,
        seconds: dict[str, float],
        *,
        tell: Callable[[str], None],
        job: str | None = None,
        units: int | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.times: dict[str, float] = {}  # seconds that each finished stage took
        self._guess = dict(seconds)
        self._tell, self._job, self._units, self._now = tell, job, units, now
        self._pace = Pace(place() if job is not None else None)
        self._again = ""  # said of stages where nothing had changed since the last run
        self._marks: list[tuple[float, float]] = []
        self._stage, self._began, self._moved, self._done, self._total, self._drawn = "", 0.0, 0.0, 0, 0, 0.0

    def begin(self, stage: str, total: int) -> None:
        """Start a stage.

        Args:
            stage: its name, as in the line that a person reads.
            total: units it has, such as pictures.
        """
        self.finish()
        if stage in self._guess:
            passed = list(self._guess)[: list(self._guess).index(stage)]
            self.skip(*passed)
            if self._units and total != 1:
                self._guess[stage] *= min(total / self._units, 1.0)
                self._again = "" if total else " again"
        self._began = self._moved = self._now()
        self._stage, self._done, self._total, self._drawn, self._marks = stage, 0, total, 0.0, []
        self._draw()

    def skip(self, *stages: str) -> None:
        """Say that stages will not be gone through.

        Args:
            stages: their names.
        """
        for stage in stages:
            self._guess.pop(stage, None)

    def advance(self, count: int) -> None:
        """Count units of the current stage as done.

        Args:
            count: how many more.
        """
        self._done += count
        self._moved = self._now()
        share = self._share()
        if not self._marks or share - self._marks[-1][0] >= 0.5 / TENTHS:
            self._marks.append((share, self._moved - self._began))
        if self._now() - self._drawn > _EVERY:
            self._draw()

    def finish(self) -> None:
        """End the current stage, remember how long it took, and learn from it."""
        if self._stage:
            seconds = self._now() - self._began
            guess = self._guess.pop(self._stage, None)
            if self._job is not None and guess is not None:
                self._pace.learn(self._name(self._stage), guess=guess, marks=self._marks, seconds=seconds)
            self.times[self._stage] = seconds
            self._stage = ""

    def left(self) -> float:
        """Return the seconds left for the whole job."""
        later = sum(self._ahead(name) for name in self._guess if name != self._stage)
        return later + (self._here() if self._stage else 0.0)

    def progress(self) -> Progress:
        """Return how far the job is."""
        return Progress(self._stage, self._done, self._total, self.left())

    def _ahead(self, stage: str, *, share: float = 0.0) -> float:
        """Return the seconds that a stage needs from a share on, by what is known from before."""
        guess = self._guess.get(stage, 0.0)
        if self._job is None:
            return guess * (1 - share)
        return self._pace.left(self._name(stage), share=share, guess=guess)

    def _here(self) -> float:
        """Return the seconds left for the stage under way."""
        share, spent = self._share(), self._moved - self._began
        waited = self._now() - self._moved
        left = self._ahead(self._stage, share=share)
        if self._done and self._job is None:
            left = spent * (1 - share) / share
        elif self._done:
            first, at = self._marks[0]
            whole, rest = (self._ahead(self._stage, share=x) for x in (first, 1.0))
            # How much slower than known has it gone since the first units? What comes after the last has its own pace.
            known = _TRUST * whole + 1e-3
            slower = (spent - at + known) / (max(whole - left, 0.0) + known)
            left += (slower - 1) * max(left - rest, 0.0)
        return max(left - waited, _LATE * waited if self._total else 0.0)

    def _share(self) -> float:
        return min(self._done / self._total, 1.0) if self._total else 1.0

    def _name(self, stage: str) -> str:
        return f"{self._job}: {stage}{self._again}"

    def _draw(self) -> None:
        self._drawn = self._now()
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
