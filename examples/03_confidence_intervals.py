"""What a confidence interval promises: the gamma(2, 2) story, with 95 % and 90 %, and with more data.

`python examples/03_confidence_intervals.py [FOLDER]` writes 03_confidence_intervals.md and its figures; docs/examples
by default.
"""

import sys
from functools import partial
from pathlib import Path

import numpy as np

from assay.report import plots
from assay.stats import intervals, planning, resampling

SHAPE, SCALE = 2.0, 2.0
MEAN, SIGMA = SHAPE * SCALE, np.sqrt(SHAPE) * SCALE
N, MEANS, MANY = 500, 50_000, 100
RUNS = 1000

PAGE = """# 3 Confidence intervals

Made by `make examples` from `examples/03_confidence_intervals.py`, seed 0. The population is gamma with shape 2 and
scale 2: its mean is {mean:g}, its standard deviation {sigma:.4f} (2√2). The parameter is fixed; the interval is random.

## Means of samples

{means:,} samples of {n} each have a mean. These spread round {mean:g} with a standard deviation of {spread:.4f}; the
theory says σ/√n = {theory:.4f}. They look normal although the population does not.

![The population](03_population.png)
![The means of 50,000 samples of 500](03_means.png)

## One sample, one interval

With σ known, `intervals.mean(values, sigma=...)` is the mean ± {z95:.3f} σ/√n at 95 %, and ± {z90:.3f} σ/√n at 90 %:
narrower, and wrong more often.

| mean of a sample | 95 % | holds {mean:g} | 90 % | holds {mean:g} |
|---|---|---|---|---|
{samples}

## A hundred intervals

Of {many} intervals from samples of 5,000, **{cover}** hold the mean at 95 % and {cover90} at 90 %. From samples of
20,000 they are half as wide ({wide:.4f} and {narrow:.4f}), and {cover_large} of {many} hold it: more data make an
interval narrower, not truer.

![100 intervals of samples of 5,000; those that miss are red and dashed](03_intervals_5000.png)
![100 intervals of samples of 20,000, on the same scale](03_intervals_20000.png)

## Does it keep its promise?

`resampling.coverage` draws {runs:,} samples of 50 and counts how often the interval holds the truth:

| interval | promised | kept |
|---|---|---|
{kept}

And for shares: of 12 right of 12 the interval is {twelve}, and to know a share near 0.9 to within 0.05 takes
{needed:,} cases (`planning.how_many`).
"""


def main(out: Path) -> None:
    """Make the page."""
    out.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    means = np.concatenate([rng.gamma(SHAPE, SCALE, (5000, N)).mean(axis=1) for _ in range(MEANS // 5000)])
    population = partial(plots.histogram, rng.gamma(SHAPE, SCALE, 20_000), name="value", bins=60, mark=(MEAN, "mean"))
    (out / "03_population.png").write_bytes(plots.png(lambda ax: named(population, "values", ax), size=(430, 260)))
    spread = partial(plots.histogram, means, name=f"mean of {N}", bins=60, mark=(MEAN, "mean"))
    (out / "03_means.png").write_bytes(plots.png(lambda ax: named(spread, "samples", ax), size=(430, 260)))

    rows = []
    for value in (3.85, 3.72):
        sample = rng.gamma(SHAPE, SCALE, N)
        sample += value - sample.mean()  # a sample whose mean is that of the tutorial
        wide, narrow = (intervals.mean(sample, sigma=SIGMA, level=level) for level in (0.95, 0.90))
        rows.append(f"| {value} | {ends(wide)} | {holds(wide)} | {ends(narrow)} | {holds(narrow)} |")

    small, large = (intervals_of(size, rng) for size in (5000, 20_000))
    for size, found in ((5000, small[0.95]), (20_000, large[0.95])):
        (out / f"03_intervals_{size}.png").write_bytes(plots.png(partial(ladder, found, size), size=(430, 430)))
    kept = []
    for name, level, sigma in (
        ("z, σ known", 0.95, SIGMA),
        ("z, σ known", 0.90, SIGMA),
        ("t, σ from the sample", 0.95, None),
    ):
        interval = partial(intervals.mean, level=level, sigma=sigma)
        e = resampling.coverage(lambda r: r.gamma(SHAPE, SCALE, 50), interval, MEAN, runs=RUNS, rng=rng)
        kept.append(f"| {name} | {level:.0%} | {e.value:.1%} ({e.low:.1%} to {e.high:.1%}) |")
    page = PAGE.format(
        mean=MEAN, sigma=SIGMA, means=MEANS, n=N, spread=means.std(), theory=SIGMA / np.sqrt(N), many=MANY, runs=RUNS,
        z95=intervals.quantile(0.95), z90=intervals.quantile(0.90), samples="\n".join(rows),
        cover=sum(map(covers, small[0.95])), cover90=sum(map(covers, small[0.90])),
        cover_large=sum(map(covers, large[0.95])), wide=width(small[0.95][0]), narrow=width(large[0.95][0]),
        kept="\n".join(kept), twelve=ends(intervals.proportion(12, 12)), needed=planning.how_many(0.9, 0.05),
    )  # fmt: skip
    (out / "03_confidence_intervals.md").write_text(page)
    print(f"{sum(map(covers, small[0.95]))} of {MANY} hold the mean; {out / '03_confidence_intervals.md'}")


def intervals_of(size, rng):
    """100 intervals from as many samples, by level."""
    samples = [rng.gamma(SHAPE, SCALE, size) for _ in range(MANY)]
    return {level: [intervals.mean(s, sigma=SIGMA, level=level) for s in samples] for level in (0.95, 0.90)}


def ladder(found, size, ax):
    """Draw intervals one above the other."""
    plots.frame(ax, f"mean of {size:,}", "sample")
    for row, e in enumerate(found):
        miss = not covers(e)
        ax.plot([e.low, e.high], [row, row], color=plots.BAD if miss else plots.ACCENT, linewidth=2.2 if miss else 1.2,
                linestyle=plots.DASHES[1] if miss else "-")  # fmt: skip
        ax.plot(
            [e.value],
            [row],
            "x" if miss else "o",
            color=plots.BAD if miss else plots.ACCENT,
            markersize=6 if miss else 2,
        )
    ax.axvline(MEAN, color=plots.INK, linewidth=1, linestyle=(0, (2, 3)))
    half = 4.2 * SIGMA / np.sqrt(5000)
    ax.set(xlim=(MEAN - half, MEAN + half), ylim=(-2, MANY + 1), yticks=[0, 50, 100])


def named(histogram, unit, ax):
    """Draw a histogram and say what its bars count."""
    histogram(ax=ax)
    ax.set_ylabel(unit)


def covers(e):
    """Whether an interval holds the mean of the population."""
    return e.low <= MEAN <= e.high


def holds(e):
    """Say so."""
    return "yes" if covers(e) else "**no**"


def width(e):
    """From end to end."""
    return e.high - e.low


def ends(e):
    """Write an interval."""
    return f"{e.low:.3f} to {e.high:.3f}"


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/examples"))
