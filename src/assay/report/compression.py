"""What components keep of pictures, as people see it: figures as PNG files, and the page.

Pictures and plain values go in, PNG files and HTML come out. What is kept is decided elsewhere.
"""

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
from matplotlib.axes import Axes

from ..stats.intervals import Estimate
from . import page, panels, plots
from .gallery import figure

Curves = Mapping[str, Sequence[tuple[int, Estimate]]]
Level = tuple[int, float, int, int, Estimate | None, Estimate | None, Estimate | None, Estimate | None]

_TITLES = {
    "rebuilt.png": ("What comes back", "Pictures beside what comes back from few and from many components"),
    "fidelity.png": ("How close it comes", "PSNR against the number of components, with its interval"),
    "variance.png": ("How much variance is kept", "Cumulative variance against the number of components"),
    "components.png": ("The mean picture and the first components", "The mean picture, and the first components"),
}


def components(mean: np.ndarray, first: Sequence[np.ndarray], ratios: np.ndarray) -> bytes:
    """Draw the mean picture and the first components.

    Args:
        mean: picture, uint8.
        first: components, of the shape of the mean; each is drawn from its lowest to its highest loading.
        ratios: share of the variance of each.

    Returns:
        A PNG file.
    """
    drawn = [(mean, "mean picture")]
    for i, row in enumerate(first):
        most = float(np.abs(row).max()) or 1.0
        shades = (row / most * 127.5 + 127.5).astype(np.uint8)  # mid-grey adds nothing
        drawn.append((shades, f"component {i + 1}\n{100 * ratios[i]:.1f} % of variance"))
    return panels.sheet([("", drawn)])


def rebuilt(rows: Sequence[panels.Row]) -> bytes:
    """Draw pictures beside what comes back of them.

    Args:
        rows: as in `panels.shelf`.

    Returns:
        A PNG file.
    """
    return panels.sheet(rows)


def variance(ratios: np.ndarray, marks: Sequence[int]) -> bytes:
    """Draw the cumulative variance.

    Args:
        ratios: share of each component.
        marks: numbers of components to point out.

    Returns:
        A PNG file.
    """
    return plots.png(partial(_variance, ratios, marks), size=(560, 380))


def quality(curves: Curves) -> bytes:
    """Draw PSNR against the number of components.

    Args:
        curves: as in `panels.quality`.

    Returns:
        A PNG file.
    """
    return plots.png(partial(_quality, curves), size=(560, 380))


def document(
    name: str,
    headline: str,
    notes: Sequence[str],
    *,
    figures: Mapping[str, bytes],
    levels: Sequence[Level],
    left_out: Sequence[tuple[str, str, str]],
) -> page.Html:
    """Write the page.

    Args:
        name: of the folder.
        headline: the answer in a sentence.
        notes: how it was done.
        figures: PNG files by their names.
        levels: components, share of variance, bytes kept, bytes of the pixels, then PSNR and SSIM of pictures of the
            fit, and of others.
        left_out: file, status and reason.

    Returns:
        The whole file.
    """
    kept = page.table(
        ["components", "variance kept", "bytes kept", "of the pixels' bytes"],
        [
            [f"{k:,}", f"{100 * share:.1f} %", f"{size:,}", f"{100 * size / raw:.0f} %"]
            for k, share, size, raw, *_ in levels
        ],
        numeric={1, 2, 3},
    )
    good = page.table(
        ["components", "PSNR in dB, in the fit", "not in the fit", "SSIM, in the fit", "not in the fit"],
        [
            [
                f"{k:,}",
                _said(psnr, digits=1),
                _said(psnr_new, digits=1),
                _said(ssim, digits=3),
                _said(ssim_new, digits=3),
            ]
            for k, _, _, _, psnr, ssim, psnr_new, ssim_new in levels
        ],
        numeric={1, 2, 3, 4},
    )
    note = page.text("In brackets: the 95 % interval of the mean over pictures (Student's t).", dim=True)
    parts = [
        page.section("What is kept", kept, id="kept"),
        page.section("How good it comes back", good, note, id="good"),
    ]
    for file, (title, label) in _TITLES.items():
        if file in figures:
            parts.append(page.section(title, figure(figures[file], label), id=file.removesuffix(".png")))
    if left_out:
        broken = page.folded(["file", "status", "reason"], left_out, rest="others")
        parts.append(page.section("Left out", broken, id="left-out"))
    body = page.join(page.verdict(headline, notes), *parts)
    return page.document(f"assay · {name}", "compressed by principal components", body,
                         footer="Principal components: Turk & Pentland 1991. SSIM: Wang et al. 2004.")  # fmt: skip


def _said(estimate: Estimate | None, *, digits: int) -> str:
    if estimate is None:
        return "too few"
    low, high = f"{estimate.low:.{digits}f}", f"{estimate.high:.{digits}f}"
    return f"{estimate.value:.{digits}f} [{low}, {high}]"


def _variance(ratios: np.ndarray, marks: Sequence[int], ax: Axes) -> None:
    panels.variance(ratios, marks, ax=ax)


def _quality(curves: Curves, ax: Axes) -> None:
    panels.quality(curves, name="PSNR, dB (higher is closer)", ax=ax)
