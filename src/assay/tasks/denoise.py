"""Denoise: a noisy binary picture in, the clean one out, with a figure of how sure that is."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..data import pictures
from ..errors import InputError
from ..pixels import colour, ising
from ..report import denoising, record

METHODS = ("gibbs", "exact")


@dataclass(frozen=True, slots=True)
class Denoised:
    """What was done to a picture.

    out, figure: files written; couplings, sigma: used; estimated: found from the noisy picture; flipped: the chance
    that a pixel shows the wrong level, None for real-valued noise; changed: pixels that differ from what was seen;
    wrong: pixels expected to be wrong still, None without chains; r_hat, samples, warning: of the chains.
    """

    headline: str
    out: str
    figure: str
    method: str
    couplings: tuple[float, ...]
    sigma: float
    estimated: bool
    flipped: float | None
    pixels: int
    changed: int
    wrong: float | None
    r_hat: float | None
    samples: float | None
    warning: str
    seconds: float

    def _repr_html_(self) -> str:
        return record.as_html(self)


def denoise(
    path: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    method: str = "gibbs",
    coupling: float | None = None,
    sigma: float | None = None,
    reach: int = 3,
    threshold: float | None = None,
    levels: tuple[float, float] | None = None,
    sweeps: int = 1000,
    burn_in: int = 250,
    figure: str | os.PathLike[str] | None = None,
    seed: int = 0,
    tell: Callable[[str], None] = lambda _: None,
    stop: Callable[[], bool] = lambda: False,
) -> Denoised:
    """Take the noise out of a picture of black and white.

    Args:
        path: of the noisy picture; colours are made grey.
        out: file for the clean picture; its suffix is the format.
        method: "gibbs" makes white what is white with chance > 0.5, "exact" finds the most probable picture.
        coupling: of neighbours, 0 to 40; estimated from the noisy picture by default.
        sigma: of the noise, where black is -1 and white +1; estimated by default.
        reach: distances along rows and columns that are coupled at most where coupling is estimated, 1 to 3.
        threshold: grey level above which a pixel was seen white, in a picture of more than two levels.
        levels: grey levels of black and of white: takes greys as they are, with Gaussian noise.
        sweeps: that count, of each of 4 chains.
        burn_in: sweeps before those.
        figure: file for the figure; beside out by default.
        seed: of the chains.
        tell: shows a line about progress.
        stop: asked between steps.

    Returns:
        What was done.

    Raises:
        InputError: the picture cannot be read or has more than two levels and neither threshold nor levels is given, an
            option is outside its range, or a file cannot be written.
        KeyboardInterrupt: stop said True; nothing is written.
    """
    began, path, out = time.monotonic(), Path(path), Path(out)
    if method not in METHODS:
        raise InputError(f"method must be {' or '.join(METHODS)}, got {method!r}")
    if seed < 0:
        raise InputError(f"seed must be >= 0, got {seed!r}")
    figure = out.with_name(f"{out.stem}.figure.png") if figure is None else Path(figure)
    if path.resolve() in (out.resolve(), figure.resolve()):
        raise InputError(f"OUT must be another file than IN, got {path} for both")
    image = _read(path, threshold, levels)
    estimated = coupling is None or sigma is None
    couplings: tuple[float, ...] = () if coupling is None else (coupling,)
    if coupling is None or sigma is None:
        tell("estimating coupling and noise")
        found = ising.estimate(image, reach=reach, levels=levels)
        couplings = couplings or found.couplings
        sigma = found.sigma if sigma is None else sigma
    if stop():
        raise KeyboardInterrupt
    tell("sampling" if method == "gibbs" else "cutting")
    posterior = None
    if method == "gibbs":
        rng = np.random.default_rng(seed)
        posterior = ising.gibbs(
            image, coupling=couplings, sigma=sigma, sweeps=sweeps, burn_in=burn_in, annealing=0, levels=levels, rng=rng
        )
        clean = posterior.mode
    else:
        clean = ising.exact(image, coupling=couplings, sigma=sigma, levels=levels)
    drawn = denoising.figure(
        image,
        clean,
        mean=None if posterior is None else posterior.mean,
        energy=None if posterior is None else posterior.energy,
        burn_in=burn_in,
    )
    try:
        pictures.write(out, clean)
        figure.write_bytes(drawn)
    except OSError as e:
        raise InputError(f"OUT must be writable, got {e}") from e
    y = ising.observed(image, levels=levels)
    changed = int(np.count_nonzero((y > 0) != (clean > 0)))
    wrong = None if posterior is None else float(np.minimum(posterior.mean, 1 - posterior.mean).sum(dtype=float))
    two = bool((np.abs(y) == 1).all())
    return Denoised(
        headline=_headline(changed, clean.size, wrong),
        out=str(out),
        figure=str(figure),
        method=method,
        couplings=tuple(float(c) for c in couplings),
        sigma=float(sigma),
        estimated=estimated,
        flipped=float(1 / (1 + np.exp(2 / sigma**2))) if two else None,
        pixels=clean.size,
        changed=changed,
        wrong=wrong,
        r_hat=None if posterior is None else posterior.r_hat,
        samples=None if posterior is None else posterior.samples,
        warning="" if posterior is None else posterior.warning,
        seconds=time.monotonic() - began,
    )


def _read(path: Path, threshold: float | None, levels: tuple[float, float] | None) -> np.ndarray:
    """Read a picture as grey, of two levels unless its greys are asked for."""
    if threshold is not None and levels is not None:
        raise InputError("give threshold or levels, got both")
    try:
        image = pictures.read(path)
    except OSError as e:
        raise InputError(f"IN must be a readable picture, got {e}") from e
    image = colour.grey(image)
    if levels is not None:
        return image
    if threshold is not None:
        return image > threshold
    found = np.unique(image)
    if len(found) > 2:
        level = ising.threshold(image)
        raise InputError(
            f"IN must have two levels, got {len(found):,}: "
            f"give --threshold {level:g}, or --levels BLACK,WHITE to use its greys as they are"
        )
    return image if len(found) < 2 else image == found[1]


def _headline(changed: int, pixels: int, wrong: float | None) -> str:
    text = f"{changed:,} of {pixels:,} pixels were changed ({changed / pixels:.2%})"
    return f"{text}." if wrong is None else f"{text}; about {wrong:,.0f} are expected to be wrong still."
