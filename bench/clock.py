"""How well the clock foretells the end of a job: `python bench/clock.py [--data FOLDER] [--record FILE]`.

Runs of `assay run` on folders of various counts and sizes of pictures are recorded, event by event, and played back.
At 10, 50 and 90 % of the time that a job took in the end, four clocks say how long it will take in all: a bar of
constant rate, as rich and tqdm draw it over the pictures; the guess without any learning; the shipped priors, as on the
first run on a computer; and the clock that has learned from the 29 other runs.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np

SIDES = [(160, 120), (320, 240), (640, 480), (1024, 768), (1632, 1224), (2592, 1944)]
RUNS = 30
CHILD = """
import json, sys, time
from assay.tasks import run as task
from assay.workers.clock import Clock
events = []
class Recorded(Clock):
    def __init__(self, seconds, **options):
        events.append([time.monotonic(), "start", seconds, options.get("job"), options.get("units")])
        super().__init__(seconds, **options)
    def begin(self, stage, total):
        super().begin(stage, total)
        events.append([self._began, "begin", stage, total])
    def skip(self, *stages):
        super().skip(*stages)
        events.append([time.monotonic(), "skip", *stages])
    def advance(self, count):
        super().advance(count)
        events.append([self._moved, "advance", count])
    def finish(self):
        if self._stage: events.append([time.monotonic(), "finish"])
        super().finish()
task.Clock = Recorded
task.run(sys.argv[1], out=sys.argv[2], labels=sys.argv[3])
print(json.dumps(events))
"""


def fill(folder, rng, originals):
    """Fill a folder with pictures: 20 to 400 of them, small ones where there are many, two to five classes or none."""
    count = int(np.exp(rng.uniform(np.log(20), np.log(400))))
    sides = SIDES[: 6 if count < 80 else 5 if count < 200 else 4]
    width, height = sides[rng.integers(len(sides))]
    classes = int(rng.integers(1, 6))
    for i in range(count):
        image = originals[rng.integers(len(originals))]
        rows, columns = image.shape[:2]
        share = rng.uniform(0.4, 0.9)
        top, left = (int(rng.uniform(0, (1 - share) * n)) for n in (rows, columns))
        part = image[top : top + int(rows * share), left : left + int(columns * share)]
        place = folder / f"kind {i % classes}"
        place.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(place / f"{i:04d}.jpg"), cv2.resize(part, (width, height)), [cv2.IMWRITE_JPEG_QUALITY, 88])
    return {"pictures": count, "side": f"{width}x{height}", "classes": classes}


def record(data, file, *, most=RUNS):
    """Do runs, each on a folder of its own and with an empty memory; what happened is kept, and gone on from."""
    import run as others

    found = json.loads(file.read_text()) if file.exists() else []
    originals = others.sources(data) if len(found) < RUNS else []
    for i in range(len(found), min(len(found) + most, RUNS)):
        rng = np.random.default_rng([0, i])
        with tempfile.TemporaryDirectory() as top:
            about = fill(Path(top) / "photos", rng, originals)
            labels = "folders" if about["classes"] > 1 else "none"
            command = [sys.executable, "-c", CHILD, f"{top}/photos", f"{top}/out.assay", labels]
            environment = os.environ | {"XDG_CACHE_HOME": f"{top}/cache"}
            out = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout
        events = json.loads(out.strip().splitlines()[-1])
        found.append(about | {"events": events})
        file.write_text(json.dumps(found))
        print(f"  {i + 1} of {RUNS}: {about}, {events[-1][0] - events[0][0]:.1f} s", file=sys.stderr)
    return found


class Player:
    """Plays a recorded run to a clock, and asks it in between."""

    def __init__(self, events):
        self.events, self.time = events, events[0][0]

    def play(self, ask=(), *, job="run"):
        """Return the seconds left that the clock tells at each of the moments asked for."""
        from assay.workers.clock import Clock

        _, _, seconds, _, units = self.events[0]
        clock = Clock(seconds, tell=lambda _: None, job=job, units=units, now=lambda: self.time)
        ask, told = list(ask), []
        for event in self.events[1:]:
            while ask and ask[0] < event[0]:
                self.time = ask.pop(0)
                told.append(clock.left())
            self.time, kind, *rest = event
            getattr(clock, kind)(*rest)
        return told


def constant_rate(events, moment):
    """Return the seconds left that a bar over the pictures tells; None where no picture is done yet."""
    start = events[0][0]
    done = sum(e[2] for e in events if e[1] == "advance" and e[0] <= moment)
    total = next(e[3] for e in events if e[1] == "begin")
    return (moment - start) * (total - done) / done if done else None


def priors(runs):
    """Return what pace.PRIORS should say: seconds before the first unit, and seconds for each one guessed, by stage."""
    from scipy.optimize import nnls

    seen = {}
    for run in runs:
        seconds, stage, began, first, total = run["events"][0][2], "", 0.0, 0.0, 1
        for moment, kind, *rest in run["events"][1:]:
            if kind == "begin":
                stage, began, first, total = rest[0], moment, moment, rest[1]
            elif kind == "advance" and first == began:
                first = moment
            elif kind == "finish" and total:
                seen.setdefault(f"run: {stage}", []).append((first - began, seconds[stage], moment - began))
    found = {}
    for stage, rows in seen.items():
        warm, guess, took = np.array(rows).T
        # Errors of a long stage and of a short one weigh the same, in parts of what it took.
        weight = 1 / (took + 0.5)
        design = np.stack([weight, guess * weight], axis=1)
        fixed, factor = nnls(design, took * weight)[0] if warm.max() == 0 else (np.median(warm), 0.0)
        if warm.max() > 0:
            factor = nnls((guess * weight)[:, None], np.maximum(took - fixed, 0) * weight)[0][0]
        found[stage] = (round(float(fixed), 2), round(float(factor), 3))
    return found


def judge(runs):
    """Return, for each share of the job, the errors of each clock in parts of the true total: (clocks, runs)."""
    from assay.workers import pace

    shipped = dict(pace.PRIORS)
    shares = (0.1, 0.5, 0.9)
    errors = {share: {name: [] for name in ("bar", "guess", "first run", "learned")} for share in shares}
    totals = []
    for i, run in enumerate(runs):
        events = run["events"]
        start, end = events[0][0], events[-1][0]
        totals.append(end - start)
        moments = [start + share * (end - start) for share in shares]
        told = {"guess": Player(events).play(moments, job=None)}
        # Priors and memory know all runs but this one.
        pace.PRIORS.clear()
        pace.PRIORS.update(priors([r for j, r in enumerate(runs) if j != i]))
        for name, others in (("first run", []), ("learned", [r for j, r in enumerate(runs) if j != i])):
            with tempfile.TemporaryDirectory() as cache:
                os.environ["XDG_CACHE_HOME"] = cache
                for other in others:
                    Player(other["events"]).play()
                told[name] = Player(events).play(moments)
        for j, (share, moment) in enumerate(zip(shares, moments, strict=True)):
            rate = constant_rate(events, moment)
            # A bar that has counted nothing yet says nothing: it is let off with the guess.
            errors[share]["bar"].append(told["guess"][j] if rate is None else rate)
            for name in told:
                errors[share][name].append(told[name][j])
            for values in errors[share].values():
                values[-1] = abs(moment - start + values[-1] - (end - start))
    pace.PRIORS.clear()
    pace.PRIORS.update(shipped)
    return totals, errors


def tables(data, rounds=1, *, file=None, most=RUNS):  # noqa: ARG001 - as the other families are called
    """Return the results as Markdown."""
    with tempfile.TemporaryDirectory() as top:
        runs = record(data, file or Path(top) / "runs.json", most=most)
    totals, errors = judge(runs)
    lines = [
        "**Time left for the whole job**: mean absolute error of the predicted total",
        "",
        f"{len(runs)} runs, {min(totals):.1f} to {max(totals):.1f}, mean {np.mean(totals):.1f} s, each left out once.",
        "",
        "| at | bar of constant rate | guess, not learned | first run, priors | learned | learned / bar, 95 % |",
        "|---|---|---|---|---|---|",
    ]
    rng = np.random.default_rng(0)
    for share, found in errors.items():
        bar, learned = np.array(found["bar"]), np.array(found["learned"])
        draws = rng.integers(len(bar), size=(2000, len(bar)))
        low, high = np.quantile(learned[draws].mean(axis=1) / bar[draws].mean(axis=1), [0.025, 0.975])
        cells = " | ".join(f"{np.mean(v):.2f} s" for v in found.values())
        lines.append(f"| {share:.0%} | {cells} | {learned.mean() / bar.mean():.2f} ({low:.2f} to {high:.2f}) |")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="a folder of pictures to make the others from")
    parser.add_argument(
        "--record", type=Path, help="a file to keep the recorded runs in; those in it are not done again"
    )
    parser.add_argument("--most", type=int, default=RUNS, help="runs to record this time")
    options = parser.parse_args()
    print(tables(options.data, file=options.record, most=options.most))
    if options.record:
        print("priors:", priors(json.loads(options.record.read_text())))


if __name__ == "__main__":
    main()
