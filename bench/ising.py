"""Ising denoising side by side: flips a nanosecond, the exact most probable picture, and pixels wrong after denoising.

`tables(data, rounds)` returns Markdown; data is a folder with `ising/mokashi/samples`, or None.
"""

import math
import random
import statistics
import time

import cv2
import numpy as np
from numba import njit, prange

COUPLING, SIGMA = 0.7, 0.9


def scene(side):
    """Draw blobs, and turn over 8 % of the pixels; or add noise of sigma 1."""
    rng = np.random.default_rng(side)
    clean = cv2.GaussianBlur(rng.random((side, side)), (0, 0), 12) > 0.5
    return clean ^ (rng.random(clean.shape) < 0.08), 2.0 * clean - 1 + rng.normal(size=clean.shape)


def tutorial(y):
    """The tutorial's loop: lists, one pixel after the other; one sweep of a part of the picture."""
    y = y[:200, :200]
    x, draw = np.pad(np.where(y > 0, 1, -1), 1).tolist(), random.Random(0)
    began = time.perf_counter()
    for i in range(y.shape[0]):
        for j in range(y.shape[1]):
            around = x[i][j + 1] + x[i + 2][j + 1] + x[i + 1][j] + x[i + 1][j + 2]
            up = math.exp(COUPLING * around - (y[i, j] - 1) ** 2 / (2 * SIGMA**2))
            down = math.exp(-COUPLING * around - (y[i, j] + 1) ** 2 / (2 * SIGMA**2))
            x[i + 1][j + 1] = 1 if draw.random() < up / (up + down) else -1
    return y.size / (time.perf_counter() - began)


def tutorial_arrays(y):
    """The loop on a NumPy array with SciPy's normal density, as the tutorial has it."""
    from scipy.stats import norm

    y = y[:12, :12]
    x, rng = np.pad(np.where(y > 0, 1, -1), 1), np.random.default_rng(0)
    began = time.perf_counter()
    for i in range(1, y.shape[0] + 1):
        for j in range(1, y.shape[1] + 1):
            chance = []
            for value in (-1, 1):
                around = [x[i - 1, j], x[i + 1, j], x[i, j - 1], x[i, j + 1]]
                potential = np.prod([np.exp(COUPLING * value * n) for n in around])
                chance.append(norm.pdf(y[i - 1, j - 1], loc=value, scale=SIGMA) * potential)
            x[i, j] = rng.choice([-1, 1], p=np.array(chance) / sum(chance))
    return y.size / (time.perf_counter() - began)


def numpy_checkerboard(y, sweeps=10):
    """Both colours by masks, all neighbours by shifts."""
    rng, x = np.random.default_rng(0), np.pad(np.where(y > 0, 1.0, -1.0), 1)
    colour = np.indices(y.shape).sum(0) % 2
    began = time.perf_counter()
    for _ in range(sweeps):
        for c in (0, 1):
            around = x[:-2, 1:-1] + x[2:, 1:-1] + x[1:-1, :-2] + x[1:-1, 2:]
            chance = 1 / (1 + np.exp(-2 * (COUPLING * around + y / SIGMA**2)))
            drawn = np.where(rng.random(y.shape) < chance, 1.0, -1.0)
            x[1:-1, 1:-1] = np.where(colour == c, drawn, x[1:-1, 1:-1])
    return sweeps * y.size / (time.perf_counter() - began)


@njit(parallel=True)
def _look_up(x, seen, table, sweeps):
    height, width = seen.shape
    for _ in range(sweeps):
        for c in range(2):
            for i in prange(height):
                for j in range((i + c) % 2, width, 2):
                    around = x[i, j + 1] + x[i + 2, j + 1] + x[i + 1, j] + x[i + 1, j + 2]
                    x[i + 1, j + 1] = 1 if np.random.random() < table[seen[i, j], around + 4] else -1  # noqa: NPY002 - each thread's own


def numba_look_up(y, sweeps=60):
    """A table of the chances, both colours in parallel over rows."""
    seen = (y > 0).astype(np.int64)
    field = np.array([-1, 1]) / SIGMA**2
    table = 1 / (1 + np.exp(-2 * (COUPLING * np.arange(-4, 5) + field[:, None])))
    x = np.pad(2 * seen - 1, 1)
    _look_up(x, seen, table, 1)
    began = time.perf_counter()
    _look_up(x, seen, table, sweeps)
    return sweeps * y.size / (time.perf_counter() - began)


def assay(image, sweeps=300):
    from assay.pixels import ising

    rng = np.random.default_rng(0)
    options = {"coupling": COUPLING, "sigma": SIGMA, "burn_in": 50, "annealing": 0, "rng": rng}
    ising.gibbs(image[:50, :50], sweeps=4, **options)
    began = time.perf_counter()
    ising.gibbs(image, sweeps=sweeps, **options)
    return 4 * (sweeps + 50) * image.size / (time.perf_counter() - began)


def turns(contestants, rounds):
    """Let contestants take turns; return what each gave, by name."""
    found = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, work in contestants.items():
            found[name].append(work())
    return found


def flips(rounds):
    two, real = scene(1024)
    y = np.where(two, 1.0, -1.0)
    found = turns(
        {
            "the tutorial's loop, arrays": lambda: tutorial_arrays(y),
            "the tutorial's loop, lists": lambda: tutorial(y),
            "numpy checkerboard": lambda: numpy_checkerboard(y),
            "numba look-up": lambda: numba_look_up(y),
            "assay, two-level noise": lambda: assay(two),
            "assay, real-valued noise": lambda: assay(real),
        },
        rounds,
    )
    ours = statistics.median(found["assay, two-level noise"])
    lines = [
        "**Gibbs sampling of 1024x1024, coupling 0.7: pixels drawn**",
        "",
        "| | flips/ns | lowest – highest | assay, two-level, is |",
        "|---|---|---|---|",
    ]
    for name, rates in found.items():
        middle = statistics.median(rates)
        ratio = "" if name == "assay, two-level noise" else f"{ours / middle:,.1f} x"
        lines.append(f"| {name} | {middle / 1e9:.2g} | {min(rates) / 1e9:.2g} – {max(rates) / 1e9:.2g} | {ratio} |")
    note = "assay's figure is of the whole call: chains, counts, energies and R-hat. The loops ran on a part."
    return "\n".join([*lines, "", note]) + "\n"


def cuts(rounds):
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import maximum_flow

    from assay.pixels import ising

    def ours(image):
        began = time.perf_counter()
        ising.exact(image, coupling=COUPLING, sigma=SIGMA)
        return time.perf_counter() - began

    def scipys(image):
        n, at = image.size, np.arange(image.size).reshape(image.shape)
        began = time.perf_counter()
        a, b = (np.concatenate([x.ravel() for x in pair]) for pair in ((at[1:], at[:, 1:]), (at[:-1], at[:, :-1])))
        pull, bond = round(2000 / SIGMA**2), round(2000 * COUPLING)
        white, black = np.flatnonzero(image), np.flatnonzero(~image)
        i = np.concatenate([a, b, np.full(len(white), n), black])
        j = np.concatenate([b, a, white, np.full(len(black), n + 1)])
        c = np.concatenate([np.full(2 * len(a), bond), np.full(n, pull)]).astype(np.int32)
        maximum_flow(coo_array((c, (i, j)), (n + 2, n + 2)).tocsr(), n, n + 1)
        return time.perf_counter() - began

    large, small = scene(1024)[0], scene(256)[0]
    ours(small)
    found = turns(
        {
            "assay, 1024x1024": lambda: ours(large),
            "assay, 256x256": lambda: ours(small),
            "scipy maximum_flow, 256x256": lambda: scipys(small),
        },
        rounds,
    )
    lines = [
        "**The exact most probable picture, by a minimum cut**",
        "",
        "| | seconds | lowest – highest |",
        "|---|---|---|",
    ]
    lines += [f"| {name} | {statistics.median(s):.3g} | {min(s):.3g} – {max(s):.3g} |" for name, s in found.items()]
    return "\n".join(lines) + "\n"


def wrong(data):
    from assay.data import pictures
    from assay.pixels import colour, ising

    lines = [
        "**Pixels wrong after denoising, parameters from the noisy picture alone**",
        "",
        "| | as seen | published program | assay, its default | most probable picture | neighbours alone |",
        "|---|---|---|---|---|---|",
    ]
    for name in ("text", "qr"):
        clean, noisy, theirs = (
            colour.grey(pictures.read(data / "ising/mokashi/samples" / f"{name}{end}.png")) > 127
            for end in ("", "_noisy", "_denoised")
        )
        cells = [noisy, theirs]
        for reach in (3, 1):
            found = ising.estimate(noisy, reach=reach)
            options = {"coupling": found.couplings, "sigma": found.sigma}
            rng = np.random.default_rng(0)
            cells.append(ising.gibbs(noisy, sweeps=1000, burn_in=250, annealing=0, rng=rng, **options).mode > 0)
            if reach == 3:
                cells.append(ising.exact(noisy, **options) > 0)
        lines.append(f"| {name} | " + " | ".join(f"{(cell != clean).mean():.2%}" for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def tables(data, rounds):
    """Measure, and return tables in Markdown."""
    found = [flips(rounds), cuts(rounds)]
    if data is not None and (data / "ising/mokashi/samples").is_dir():
        found.append(wrong(data))
    return "\n".join(found)
