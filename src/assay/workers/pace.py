"""Pace: how long the stages of a job take on this computer, learned by TD(lambda) from one run to the next.

Each stage is a trip of its own, as the drive home is: the state is the stage and the share of it that is done, the
value the seconds to go, and each run that reaches the end of a stage moves the values. A value is a fixed number of
seconds, and seconds per second guessed, so that few and many pictures teach the same weights. What was learned lies in
the user's cache folder; without it, with a damaged one, or where nothing can be written, the priors below go on.
"""

import contextlib
import json
import os
from pathlib import Path

import numpy as np

from ..td.codings import Linear
from ..td.experience import episodes
from ..td.prediction import Values

FORMAT = 1
TENTHS = 10
STATES = TENTHS + 2  # nothing done; the first units, a tenth, ..., all units done but the stage not yet at its end
_LAMBDA = 0.9
_SLOWEST = 0.25  # least share of an error that a run takes away; the first few runs count as their mean
_FEW, _STRANGE = 3, 2.0  # after 3 runs, one that takes more than twice what is known, and a second, counts as that
_LARGEST = 1 << 20  # bytes of the file
_MOST = 1e7  # seconds that a weight may stand for

# Seconds before the first unit is done, and all seconds for each one guessed: from `bench/clock.py --record`.
PRIORS: dict[str, tuple[float, float]] = {
    "run: reading and seeing": (0.41, 0.736),
    "run: copies": (0.02, 0.327),
    "run: groups": (0.11, 0.626),
    "run: learning": (0.77, 6.755),
    "run: judging": (0.0, 0.038),
    "run: writing the report": (0.0, 0.053),
}


def place() -> Path | None:
    """Return the file that holds what was learned, or None where the user has no home."""
    named = os.environ.get("XDG_CACHE_HOME", "")
    try:
        folder = Path(named) if Path(named).is_absolute() else Path.home() / ".cache"
    except RuntimeError:
        return None
    return folder / "assay" / "pace.json"


class Pace:
    """What is known of the stages of a job.

    Args:
        file: where it is kept; None keeps nothing.
    """

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._stages = _read(file)

    def left(self, stage: str, *, share: float, guess: float) -> float:
        """Return the seconds that a stage still needs.

        Args:
            stage: its name, with the job's.
            share: of its units that are done, 0 to 1.
            guess: seconds that the whole stage was guessed to need, >= 0.
        """
        _, weights = self._stages.get(stage, (0, prior(stage)))
        return max(float(_seen(share, guess) @ weights), 0.0)

    def learn(self, stage: str, *, guess: float, marks: list[tuple[float, float]], seconds: float) -> None:
        """Learn from a stage that has ended, and keep it. Whatever goes wrong in keeping it is passed over.

        Args:
            stage: its name, with the job's.
            guess: seconds that it was guessed to need, >= 0.
            marks: (share done, seconds since it began), rising.
            seconds: that it took.
        """
        runs, weights = self._stages.get(stage, (0, prior(stage)))
        known = self.left(stage, share=0.0, guess=guess)
        if runs >= _FEW and seconds > _STRANGE * known + 1:  # the computer was busy with something else
            marks = [(share, at * (_STRANGE * known + 1) / seconds) for share, at in marks]
            seconds = _STRANGE * known + 1
        shares, times = zip((0.0, 0.0), *marks, strict=True)
        unit = float(np.hypot(1, guess))  # a step takes away the same share of an error, however large the job
        seen = np.array([_seen(share, guess) for share in (*shares, 1.0)]) / unit
        rewards = np.diff([*times, max(seconds, times[-1])]) / unit
        alpha = max(_SLOWEST, 1 / (runs + 2))
        learner = Values(Linear(2 * STATES), method="td-lambda", decay=_LAMBDA, traces="dutch", alpha=alpha)
        learner.weights_[:] = weights
        learner.update(episodes([(seen, rewards)]))
        if np.isfinite(learner.weights_).all():
            self._stages[stage] = (runs + 1, learner.weights_.clip(-_MOST, _MOST))
            self._write(stage)

    def _write(self, stage: str) -> None:
        """Replace the file whole; what another process has learned of other stages meanwhile is kept."""
        if self._file is None:
            return
        stages = {**_read(self._file), stage: self._stages[stage]}
        plain = {name: {"runs": runs, "weights": w.round(6).tolist()} for name, (runs, w) in stages.items()}
        draft = self._file.with_name(f".{self._file.name}.{os.getpid()}")
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            draft.write_text(json.dumps({"format": FORMAT, "stages": plain}))
            draft.replace(self._file)
        except OSError:
            with contextlib.suppress(OSError):
                draft.unlink(missing_ok=True)


def prior(stage: str) -> np.ndarray:
    """Return the values of a stage before anything was learned of it.

    Args:
        stage: its name, with the job's.
    """
    fixed, factor = PRIORS.get(stage, (0.0, 1.0))
    left = np.append(1, 1 - np.arange(TENTHS + 1) / TENTHS)
    return np.concatenate([np.where(np.arange(STATES) == 0, fixed, 0.0), factor * left])


def _seen(share: float, guess: float) -> np.ndarray:
    """Return the features of a state: 1 and the guess, each at the two kept states around this one."""
    at = 1 + min(share, 1.0) * TENTHS if share > 0 else 0.0
    near = np.maximum(1 - np.abs(np.arange(STATES) - at), 0)
    return np.concatenate([near, guess * near])


def _read(file: Path | None) -> dict[str, tuple[int, np.ndarray]]:
    """Return what was learned, or nothing where the file is missing, damaged or of another version."""
    try:
        if file is None or file.stat().st_size > _LARGEST:
            return {}
        content = json.loads(file.read_text())
        if content["format"] != FORMAT:
            return {}
        found = {
            name: (int(kept["runs"]), np.array(kept["weights"], float)) for name, kept in content["stages"].items()
        }
    except (OSError, ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        return {}
    return {k: (n, w) for k, (n, w) in found.items() if n >= 0 and w.shape == (2 * STATES,) and np.isfinite(w).all()}
