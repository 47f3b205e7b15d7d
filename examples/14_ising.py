"""Ising denoising: a picture of black and white out of noise, as the tutorial does it, and with better values.

`python examples/14_ising.py [FOLDER]` writes 14_ising.md and its figures; docs/examples by default.
"""

import io
import math
import random
import sys
import time
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from PIL import Image
from skimage import data

from assay.pixels import ising
from assay.report import denoising, plots

FLIPPED = 0.1
PAGE = """# 14 Ising denoising: black and white out of noise

Made by `make examples` from `examples/14_ising.py`.

A page of text (scikit-image's `page`, above its local threshold, {height} x {width}), and {flipped:.0%} of its pixels
turned over: {noisy:,} of {pixels:,} are wrong.

## The tutorial

White is +1, black is -1. Neighbours like to agree: a pair of them has the potential exp(J x_a x_n), and what was seen
has the likelihood of a normal distribution round the clean pixel. So a pixel is white with probability

```
P(x_a = +1) = N(y_a; +1, sigma) exp(J sum of x_n) / (the same for +1, plus the same for -1)
```

Beyond the border stands a zero, which agrees with nobody. A **Gibbs sampler** goes over the picture in reading order
and draws each pixel from that chance, with the new values of the pixels before it. The tutorial takes **J = 4,
sigma = 1 and three sweeps**. The loop, as there:

```python
{loop}
```

| sweep | pixels wrong | |
|---|---|---|
| as seen | {noisy:,} | {noisy_share:.2%} |
{sweeps}

![As seen; after the tutorial's three sweeps; white where its chance is over one half; clean](14_pictures.png)

At J = 4 three agreeing neighbours of four outweigh what was seen by {odds:,.0f} to 1: strokes of one pixel are
swallowed, and the chain freezes. It is no sample of the posterior, and which picture it ends at depends on where it
began: with four chains that begin apart, split R-hat is **{frozen:.1f}**, where 1.1 would be the limit. Then `assay`
says so:

> {warning}

## Better values

The posterior itself is not at fault, its J is. `ising.estimate` looks for the coupling and the noise at which each
pixel is best foretold by all the others, from the noisy picture alone:

```python
found = ising.estimate(noisy)                  # coupling {coupling:.2f}, sigma {sigma:.2f}: {found_flipped:.1%} flipped
options = {{"coupling": found.coupling, "sigma": found.sigma}}
posterior = ising.gibbs(noisy, **options, sweeps=1000, burn_in=250, rng=rng)
posterior.mean                                 # the chance of white, pixel by pixel
best = ising.exact(noisy, **options)
```

| | pixels wrong | |
|---|---|---|
| as seen | {noisy:,} | {noisy_share:.2%} |
| the tutorial, J = 4, 3 sweeps | {tutorial:,} | {tutorial_share:.2%} |
| white where its chance is over one half, J = {coupling:.2f} | {gibbs:,} | {gibbs_share:.2%} |
| the most probable picture, by a minimum cut, J = {coupling:.2f} | {exact:,} | {exact_share:.2%} |

The chains have split R-hat {r_hat:.3f} and are worth {samples:,.0f} independent samples. They expect {expected:,.0f}
pixels to be wrong still; {gibbs:,} are. An Ising picture is rougher than print, so they are too
modest. All couplings, side by side:

![Wrong pixels by coupling: many on both sides, fewest near the estimate](14_couplings.png)

## The trace

Each line is a chain; the first begins at the noisy picture, the last at random pixels, the others between. After a few
sweeps nobody could tell which is which: that is what mixing means.

![As seen, denoised, the chance of white, and the energy of four chains in their first 400 sweeps](14_trace.png)

## The same posterior, faster

The loop above draws {slow:,.0f} pixels a second on this computer. `ising.gibbs` draws 64 pixels of one colour of the
checkerboard at a time, as bits of a word, which gives samples of the same posterior (its chances on small pictures
equal the sums over all pictures). `make bench` says how much faster that is.
"""


def tutorial_loop(y: np.ndarray, x: list[list[int]], *, coupling: float, sigma: float, draw: random.Random) -> None:
    """Sweep once over x, in reading order, each pixel with the new values of those before it."""
    height, width = y.shape
    for i in range(height):
        for j in range(width):
            around = x[i][j + 1] + x[i + 2][j + 1] + x[i + 1][j] + x[i + 1][j + 2]
            up = math.exp(coupling * around - (y[i, j] - 1) ** 2 / (2 * sigma**2))
            down = math.exp(-coupling * around - (y[i, j] + 1) ** 2 / (2 * sigma**2))
            x[i + 1][j + 1] = 1 if draw.random() < up / (up + down) else -1


def main(out: Path) -> None:
    """Write the page."""
    out.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(14)
    page = data.page().astype(float)
    clean = page > 0.86 * np.median(page, axis=0, keepdims=True)
    noisy = clean ^ (rng.random(clean.shape) < FLIPPED)
    y = np.where(noisy, 1.0, -1.0)
    x = np.pad(y.astype(int), 1).tolist()  # the lattice, with zeros round it
    draw, sweeps, began = random.Random(14), [], time.perf_counter()  # noqa: S311 - noise, no secret
    for _ in range(3):
        tutorial_loop(y, x, coupling=4, sigma=1, draw=draw)
        sweeps.append(wrong(np.array(x)[1:-1, 1:-1] > 0, clean))
    slow = 3 * clean.size / (time.perf_counter() - began)
    after = np.array(x)[1:-1, 1:-1] > 0
    frozen = ising.gibbs(noisy, coupling=4, sigma=1, sweeps=200, rng=rng)
    found = ising.estimate(noisy)
    posterior = ising.gibbs(noisy, coupling=found.coupling, sigma=found.sigma, sweeps=1000, burn_in=250, rng=rng)
    best = ising.exact(noisy, coupling=found.coupling, sigma=found.sigma)
    scan(noisy, clean, found, out)
    panels = {
        "as seen": noisy,
        "the tutorial: J = 4, three sweeps": after,
        f"chance over one half, J = {found.coupling:.2f}": posterior.mode,
        "clean": clean,
    }
    (out / "14_pictures.png").write_bytes(plots.png(lambda ax: side_by_side(ax, panels), size=(840, 440)))
    energy = posterior.energy[:, :400]
    figure = denoising.figure(noisy, posterior.mode, mean=posterior.mean, energy=energy, burn_in=250)
    Image.open(io.BytesIO(figure)).convert("RGB").quantize(64).save(out / "14_trace.png", optimize=True)
    source = Path(__file__).read_text()
    loop = source[source.index("    height, width = y.shape\n    for i") : source.index("\n\n\ndef main")]
    numbers = {
        "noisy": wrong(noisy, clean),
        "tutorial": sweeps[-1],
        "gibbs": wrong(posterior.mode > 0, clean),
        "exact": wrong(best > 0, clean),
    }
    shares = {f"{name}_share": n / clean.size for name, n in numbers.items()}
    lines = [f"| {i} | {n:,} | {n / clean.size:.2%} |" for i, n in enumerate(sweeps, 1)]
    text = PAGE.format(
        **numbers,
        **shares,
        height=clean.shape[0],
        width=clean.shape[1],
        pixels=clean.size,
        flipped=FLIPPED,
        loop="\n".join(line[4:] for line in loop.splitlines()),
        sweeps="\n".join(lines),
        odds=math.exp(2 * (4 * 2 - 1)),
        frozen=frozen.r_hat,
        warning=frozen.warning,
        coupling=found.coupling,
        sigma=found.sigma,
        found_flipped=found.flipped,
        r_hat=posterior.r_hat,
        samples=posterior.samples,
        expected=float(np.minimum(posterior.mean, 1 - posterior.mean).sum()),
        slow=slow,
    )
    (out / "14_ising.md").write_text(text)


def wrong(picture: np.ndarray, clean: np.ndarray) -> int:
    """Count pixels that differ."""
    return int(np.count_nonzero(picture != clean))


def scan(noisy: np.ndarray, clean: np.ndarray, found: ising.Parameters, out: Path) -> None:
    """Draw how many pixels are wrong, by coupling."""
    couplings = np.array([0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.2, 1.5, 2, 3, 4])
    rng = np.random.default_rng(1)
    mean = [ising.gibbs(noisy, coupling=c, sigma=found.sigma, annealing=0, rng=rng).mode > 0 for c in couplings]
    best = [ising.exact(noisy, coupling=c, sigma=found.sigma) > 0 for c in couplings]

    def draw(ax: Axes) -> None:
        for name, pictures, dash in (("chance over one half", mean, "-"), ("most probable picture", best, "--")):
            shares = [100 * wrong(p, clean) / clean.size for p in pictures]
            ax.plot(couplings, shares, dash, color=plots.ACCENT, linewidth=2.2, label=name, marker="o", markersize=4)
        ax.axvline(found.coupling, color=plots.INK, linewidth=1, linestyle=(0, (2, 3)))
        ax.annotate(f"estimated, {found.coupling:.2f}", (found.coupling, 1), xycoords=("data", "axes fraction"),
                    xytext=(8, -6), textcoords="offset points", va="top")  # fmt: skip
        ax.set_xscale("log")
        ax.set_xticks([0.2, 0.5, 1, 2, 4], labels=["0.2", "0.5", "1", "2", "4"])
        ax.set_xticks([], minor=True)
        ax.set(xlabel="coupling J", ylabel="pixels wrong, %", ylim=(0, None))
        ax.spines[:].set_visible(False)
        ax.tick_params(length=0, labelcolor=plots.DIM)
        ax.grid(color=plots.LINE)
        ax.legend(frameon=False, loc="upper right", bbox_to_anchor=(1, 0.88))

    (out / "14_couplings.png").write_bytes(plots.png(draw, size=(640, 340)))


def side_by_side(ax: Axes, panels: dict[str, np.ndarray]) -> None:
    """Draw pictures in two rows, named."""
    whole = ax.get_figure(root=True)
    if whole is None:
        return
    ax.remove()
    for place, (name, picture) in zip(whole.subplots(2, 2).ravel(), panels.items(), strict=True):
        place.imshow(picture, cmap="gray", interpolation="nearest")
        place.set_title(name, loc="left", fontsize=13)
        place.set(xticks=[], yticks=[])


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/examples"))
