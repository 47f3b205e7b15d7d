"""Temporal differences and Monte Carlo: the drive home, the random walk, the cliff, and what they are used for here.

`python examples/01_temporal_differences.py [FOLDER]` writes 01_temporal_differences.md and its figures; docs/examples
by default.
"""

import io
import os
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np
from matplotlib.axes import Axes
from PIL import Image
from skimage import data

from assay.models import chain
from assay.models.damage import Damage
from assay.models.restorer import Restorer
from assay.pixels.fidelity import psnr, ssim
from assay.report import panels, plots, temporal
from assay.stats.intervals import Estimate, mean
from assay.td.codings import Table
from assay.td.control import Control, greedy_path
from assay.td.experience import Episodes, episodes, record
from assay.td.policies import EpsilonGreedy
from assay.td.prediction import Values
from assay.td.worlds import GUESSED, LEGS, MINUTES, CliffWalking, DriveHome, RandomWalk
from assay.workers.clock import Clock

RUNS = 200
SHOWN = np.s_[20:104, 20:120]  # part of the cat that is drawn
PAGE = """# 1 Temporal differences v Monte Carlo

Made by `make examples` from `examples/01_temporal_differences.py`.

You drive home, and at each point you say how long it will take. Afterwards you know better. **When** do you learn,
and from **what**? Monte Carlo waits until you are home and learns from the time it took. Temporal differences (TD)
learn at each point from the next one: V(S) += alpha (R + gamma V(S') - V(S)).

## The drive home

| | elapsed | predicted to go | predicted total |
|---|---|---|---|
{trip}

![Predicted totals, with arrows: Monte Carlo moves each to 43, TD each to the next prediction](01_drive.png)

With alpha = 1 and no discount:

| leaving ... | Monte Carlo: to go becomes | known at minute | TD: to go becomes | known at minute |
|---|---|---|---|---|
{updates}

Monte Carlo changes nothing before minute 43. TD has learned from the rain at minute 5: leaving the office is now worth
5 + 35 = 40 minutes. If the trip never ended, because you turned back, TD would still have learned; Monte Carlo would
not. In any system that is alive, an update that waits for the end comes too late.

```python
trip = record(DriveHome(), 1, rng=rng)
Values(Table(6), method="td", alpha=1.0, online=False).update(trip)  # each point from the next
Values(Table(6), method="every-visit", alpha=1.0, online=False).update(trip)  # each point from the end
```

## Five states in a row

A walk begins in the middle of A B C D E and goes left or right with equal chance; off the right end pays 1, off the
left end 0. The true values are 1/6 to 5/6, all begin at 1/2. Error: root mean square over the five states, mean of
{runs} runs with 95 % intervals.

![Error against walks: TD falls faster and lower than Monte Carlo](01_walk.png)

| | after 1 | 10 | 25 | 50 | 100 walks |
|---|---|---|---|---|---|
{walk}

Eight episodes show why. A, 0, B, 0 once; B, 1 six times; B, 0 once. What is A worth? Monte Carlo, repeated for ever,
says **{mc:.2f}**: the one trip through A ended with nothing. TD says **{td:.2f}**: A leads to B, and from B three of
four paid.

## The cliff

Each step costs 1, a step off the cliff 100. Both learners explore: one step in ten is any step (epsilon = 0.1,
alpha = 0.5, {cliff_runs} runs).

![The grid: Q-learning goes along the edge, SARSA a row or two away from it](01_ways.png)

![Return of each episode: SARSA loses less while it learns](01_cliff.png)

Q-learning learns of the best way, 13 steps along the edge, while it falls off it now and then: {q} an episode over
the last 100 of 500. SARSA learns of the way that it goes, slips included, and keeps away from the edge: {sarsa}.

## What it is used for here

**Time left.** A job is a drive home: its stages are the legs. Each run of `assay run` on a computer teaches the next
(TD(lambda); state: stage and share done; value: seconds to go). A bar that takes the rate so far for the rate to come
knows nothing of a slow start, nor of stages to come. A made-up job of {n} pictures: {warm:g} s until the first,
{each:g} s each, {rest:g} s of copies, groups, learning and report; {before} jobs of other sizes came before it.

![Predicted total while a job runs: the bar begins too high, then falls too low; the clock stays near](01_clock.png)

When a tenth of the time has passed the bar is wrong by {bar_error:.0f} s (it says nothing before the first picture),
the clock by {clock_error:.0f} s. On 30 real runs of 1 to 19 s, each left
out once, its error is 0.17 (0.12 to 0.22) of the bar's at a tenth of the time, 0.30 (0.20 to 0.39) at half of it, 0.68
(0.20 to 1.25) at nine tenths: `python bench/clock.py`.

**Restoring.** Which filter comes next? A chain of filters is a game: what is seen of the picture is the state, the
filters and *stop* are the moves, the gain in PSNR is the reward. Q-learning has learned it on photographs that it
damaged itself. How strong a filter is follows from the noise that is seen; the Wiener filter goes back to the noisy
picture, led by what the filters before it have made of it, and is no use alone: what comes later decides what a move
is worth. A picture that it never saw, beside the one filter of all that brings most, chosen with the clean picture in
sight:

![Damaged, the best one filter, the chain, and the clean picture, with PSNR and SSIM of each](01_restore.png)

{chains}

A clean picture: {alone}. On Kodak's 24 pictures, against the best single filter, scikit-image's
`calibrate_denoiser` and a greedy chain that sees the clean picture: `python bench/restore.py`.

```
assay restore noisy.png better.png
assay restore --train clean/ --model mine.safetensors
```
"""


def main(out: Path) -> None:
    """Drive home, walk, fall off the cliff, and write page and figures."""
    out.mkdir(parents=True, exist_ok=True)
    guessed, elapsed = np.array(GUESSED), np.cumsum([0, *MINUTES])
    monte_carlo, td = drive(guessed, elapsed, out)
    trip = [f"| {p} | {e:.0f} | {g:.0f} | {e + g:.0f} |" for p, e, g in zip(LEGS, elapsed, guessed, strict=True)]
    updates = [
        f"| {LEGS[i]} | {g:.0f} -> {monte_carlo[i]:.0f} | 43 | {g:.0f} -> {td[i]:.0f} | {elapsed[i + 1]:.0f} |"
        for i, g in enumerate(guessed[:-1])
    ]
    walk = []
    for name, points in walks(out).items():
        shown = [points[n - 1][1] for n in (1, 10, 25, 50, 100)]
        walk.append(f"| {name} | {' | '.join(f'{e.value:.3f} ± {(e.high - e.low) / 2:.3f}' for e in shown)} |")
    eight = episodes([([0, 1, 2], [0, 0]), *[([1, 2], [1])] * 6, ([1, 2], [0])])
    batch = {m: float(Values(Table(3), method=m).update(eight).predict([0])[0]) for m in ("batch-td", "batch-mc")}
    q, sarsa = cliff(out)
    clock = time_left(out)
    chains, alone = restoring(out)
    text = PAGE.format(
        trip="\n".join(trip), updates="\n".join(updates), walk="\n".join(walk), runs=RUNS, cliff_runs=RUNS // 2,
        td=batch["batch-td"], mc=abs(batch["batch-mc"]), q=told(q), sarsa=told(sarsa), chains=chains, alone=alone,
        **clock,
    )  # fmt: skip
    (out / "01_temporal_differences.md").write_text(text)
    print(out / "01_temporal_differences.md")


def drive(guessed: np.ndarray, elapsed: np.ndarray, out: Path) -> tuple[np.ndarray, np.ndarray]:
    """Draw what Monte Carlo and TD change; return minutes to go after each."""
    trip = record(DriveHome(), 1, rng=np.random.default_rng(0))
    learned = []
    for method in ("every-visit", "td"):
        values = Values(Table(6), method=method, alpha=1.0, online=False)
        values.weights_[:] = guessed
        learned.append(values.update(trip).weights_)

    def draw(number: int, title: str, actual: float | None) -> bytes:
        after = learned[number] + elapsed

        def on(ax: Axes) -> None:
            temporal.trip(LEGS, guessed + elapsed, after, title=title, actual=actual, ax=ax)
            ax.set_ylim(28, 46)

        return plots.png(on, size=(460, 420))

    both = [draw(0, "Monte Carlo: at the end, to the end", 43), draw(1, "TD: at once, to the next", None)]
    (out / "01_drive.png").write_bytes(beside(both))
    return learned[0], learned[1]


def beside(drawings: list[bytes]) -> bytes:
    """Put drawings side by side."""
    arrays = [cv2.imdecode(np.frombuffer(d, np.uint8), cv2.IMREAD_UNCHANGED) for d in drawings]
    return bytes(cv2.imencode(".png", np.hstack(arrays), [cv2.IMWRITE_PNG_COMPRESSION, 9])[1])


def walks(out: Path) -> dict[str, list[tuple[float, Estimate]]]:
    """Draw the error after each of 100 walks."""
    true = np.arange(1, 6) / 6
    trips = record(RandomWalk(), 100 * RUNS, rng=np.random.default_rng(1))
    lines = {}
    for method, name, alphas in (("td", "TD", (0.05, 0.1)), ("every-visit", "Monte Carlo", (0.01, 0.02, 0.04))):
        for alpha in alphas:
            errors = []
            for r in range(RUNS):
                begin, end = trips.starts[100 * r], trips.starts[100 * (r + 1)]
                starts = trips.starts[100 * r : 100 * (r + 1) + 1] - begin
                own = Episodes(trips.observations[begin:end], trips.rewards[begin:end], starts, trips.ended[:100])
                trail = Values(Table(7), method=method, alpha=alpha, initial=0.5).trail(own)
                errors.append(np.sqrt(((trail[:, 1:6] - true) ** 2).mean(axis=1)))
            lines[f"{name} {alpha}"] = [(n + 1, mean(np.array(errors)[:, n])) for n in range(100)]
    figure = plots.png(
        lambda ax: temporal.curves(lines, x="walks", y="error of the values (RMS)", low=0, ax=ax), size=(760, 400)
    )
    (out / "01_walk.png").write_bytes(smaller(figure))
    return lines


def cliff(out: Path) -> tuple[Estimate, Estimate]:
    """Draw ways and returns; return the mean return of the last 100 of 500 episodes."""
    ways, lines, last = {}, {}, []
    for method, name in (("q-learning", "Q-learning"), ("sarsa", "SARSA")):
        learners = []
        for seed in range(RUNS // 2):
            learner = Control(Table(48), 4, method=method, alpha=0.5, policy=EpsilonGreedy(0.1))
            learners.append(learner.learn(CliffWalking(), 500, rng=np.random.default_rng(seed)))
        returns = np.array([learner.returns_ for learner in learners])
        blocks = returns.reshape(len(learners), 50, 10).mean(axis=2)
        lines[name] = [(10 * b + 5, mean(blocks[:, b])) for b in range(1, 50)]
        last.append(mean(returns[:, -100:].mean(axis=1)))
        values = np.mean([learner.weights_ for learner in learners], axis=0)
        learners[0].weights_[:] = values  # the way that the runs agree on
        ways[name] = greedy_path(learners[0], CliffWalking(), steps=40)
    (out / "01_ways.png").write_bytes(
        plots.png(lambda ax: temporal.cliff(ways, rows=4, columns=12, ax=ax), size=(760, 310))
    )
    (out / "01_cliff.png").write_bytes(
        plots.png(
            lambda ax: temporal.curves(
                lines, x="episode", y="return (mean of 10 episodes)", low=-100, high=-10, mark=(-13, "best: −13"), ax=ax
            ),
            size=(760, 360),
        )
    )
    return last[0], last[1]


def time_left(out: Path) -> dict[str, float]:
    """Draw what a bar and the learned clock foretell of one job."""
    about = {"n": 400, "warm": 4.0, "each": 0.05, "rest": 12.0, "before": 12}
    rng = np.random.default_rng(3)
    time = [0.0]

    def live(n: int, *, ask: bool) -> list[tuple[float, float, float]]:
        clock = Clock(
            {"reading": n / 100, "the rest": n / 40}, tell=lambda _: None, job="example", units=n, now=lambda: time[0]
        )
        began, told = time[0], []

        def look(done: int) -> None:
            spent = time[0] - began
            bar = spent * n / done if done else float("nan")
            told.append((spent, bar, spent + clock.left()))

        clock.begin("reading", n)
        for moment in np.arange(0.5, about["warm"] + 0.01, 0.5):
            time[0] = began + moment
            look(0)
        for done in range(1, n + 1):
            time[0] += about["each"] * rng.uniform(0.7, 1.3)
            clock.advance(1)
            look(done)
        clock.begin("the rest", 1)
        for _ in range(24):
            time[0] += about["rest"] * n / 400 / 24
            look(n)
        clock.finish()
        return told if ask else []

    with tempfile.TemporaryDirectory() as cache:
        os.environ["XDG_CACHE_HOME"] = cache  # a memory of its own: what is made up must not teach the reader's
        for n in np.exp(rng.uniform(np.log(40), np.log(900), about["before"])).astype(int).tolist():
            live(n, ask=False)
        told = np.array(live(about["n"], ask=True))
    total = told[-1, 0]
    tenth = told[np.searchsorted(told[:, 0], total / 10)]
    second = told[np.argmax(np.isfinite(told[:, 1]))]
    flat = {
        "bar of constant rate": [(s, Estimate(b, b, b, 0.95, "")) for s, b, _ in told if np.isfinite(b)],
        "learned": [(s, Estimate(c, c, c, 0.95, "")) for s, _, c in told],
    }
    (out / "01_clock.png").write_bytes(
        plots.png(
            lambda ax: temporal.curves(
                flat, x="seconds since the job began", y="predicted total, seconds", low=0, high=2.2 * total,
                mark=(total, f"true total, {total:.0f} s"), ax=ax,
            ),
            size=(760, 360),
        )
    )  # fmt: skip
    bar = tenth[1] if np.isfinite(tenth[1]) else second[1]
    return about | {"bar_error": abs(bar - total), "clock_error": abs(tenth[2] - total)}


def restoring(out: Path) -> tuple[str, str]:
    """Draw pictures before and after; return the chains in words, and what becomes of a clean picture."""
    clean = np.ascontiguousarray(data.chelsea()[40:240, 100:340])
    restorer, shelves, words = Restorer.load(), [], []
    for damage in (Damage(impulses=0.05, gaussian=12), Damage(blur=1.2, gaussian=8), Damage(gaussian=25, jpeg=30)):
        damaged = damage.apply(clean, rng=np.random.default_rng(1))
        found, view = restorer.restore(damaged), chain.begin(damaged)
        single, name = max(
            ((chain.outcome(view, a)[1], name) for a, name in enumerate(chain.NAMED)), key=lambda x: psnr(x[0], clean)
        )
        row = [(damaged, "damaged"), (single, name), (found.image, "the chain"), (clean, "clean")]
        pairs = []
        for image, caption in row:
            score = "" if image is clean else f"\n{psnr(image, clean):.1f} dB, SSIM {ssim(image, clean):.2f}"
            pairs.append((np.ascontiguousarray(image[SHOWN]), caption + score))
        shelves.append((str(damage), pairs))
        words.append(f"- {damage}: {found.words}")
    size = panels.shelf_size(shelves, cell=200)
    figure = plots.png(lambda ax: panels.shelf(shelves, cell=200, ax=ax), size=size)
    (out / "01_restore.png").write_bytes(smaller(figure))
    return "\n".join(words), restorer.restore(clean).words


def smaller(figure: bytes) -> bytes:
    """Return a PNG of 64 colours."""
    out = io.BytesIO()
    Image.open(io.BytesIO(figure)).convert("RGB").quantize(64, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    return out.getvalue()


def told(estimate: Estimate) -> str:
    """Say an estimate."""
    return f"**{estimate.value:.1f}** [{estimate.low:.1f}, {estimate.high:.1f}]".replace("-", "−")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/examples"))
