"""One figure of a picture that was denoised: as seen, clean, the chance of white, and the trace of the chains."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.image import AxesImage

from ..pixels import geometry
from . import plots
from .theme import CLASSES, TOKENS

_INK, _DIM, _LINE = (TOKENS[t] for t in ("ink", "dim", "line"))
_MOST = 800  # pixels a side that are drawn


def figure(
    noisy: np.ndarray, clean: np.ndarray, *, mean: np.ndarray | None, energy: np.ndarray | None, burn_in: int
) -> bytes:
    """Draw what became of a picture.

    Args:
        noisy: (H, W), as it was seen, black at its lowest value.
        clean: uint8 (H, W), 0 and 255.
        mean: float (H, W), the chance of white; None where there is none.
        energy: float (chains, sweeps); None where there are no chains.
        burn_in: sweeps that did not count.

    Returns:
        A PNG file.
    """

    def draw(ax: Axes) -> None:
        whole = ax.get_figure(root=True)
        if whole is None:
            return
        ax.remove()
        if mean is None or energy is None:
            panels = whole.subplots(1, 2)
        else:
            panels = whole.subplots(2, 2, height_ratios=[each, lower]).ravel()
            drawn = _picture(panels[2], mean, "chance of white", colours="cividis", ends=(0.0, 1.0))
            bar = whole.colorbar(drawn, ax=panels[2], location="bottom", fraction=0.05, pad=0.03, aspect=40)
            bar.set_ticks([0, 0.5, 1])
            bar.ax.spines[:].set_visible(False)
            bar.ax.tick_params(length=0, labelcolor=_DIM)
            _trace(panels[3], energy / noisy.size, burn_in)
        _picture(panels[0], noisy, "as seen")
        _picture(panels[1], clean, "denoised")

    height, width = noisy.shape
    each = int(np.clip(400 * height / width, 100, 440)) + 30
    lower = max(each + 40, 240)
    return plots.png(draw, size=(840, each if mean is None else each + lower))


def _picture(
    ax: Axes, image: np.ndarray, name: str, *, colours: str = "gray", ends: tuple[float, float] | None = None
) -> AxesImage:
    low, high = ends or (float(image.min()), float(image.max()))
    high = high if high > low else low + 1
    small = geometry.fit(image.astype(np.float32), side=_MOST)
    drawn = ax.imshow(small, cmap=colours, vmin=low, vmax=high, interpolation="nearest")
    ax.set_title(name, color=_INK, fontsize=13, loc="left")
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_color(_LINE)
    return drawn


def _trace(ax: Axes, energy: np.ndarray, burn_in: int) -> None:
    sweeps = np.arange(1, energy.shape[1] + 1)
    for i, chain in enumerate(energy):
        ax.plot(sweeps, chain, color=CLASSES[i % len(CLASSES)], linewidth=0.7, alpha=0.8)
    settled = energy[:, -max(energy.shape[1] // 2, 1) :]
    low, high = float(energy.min()), float(settled.max())
    room = max(high - float(settled.min()), 1e-9)
    ax.set_ylim(low - 0.2 * room, high + 0.6 * room)
    if burn_in:
        ax.axvspan(0, burn_in, color=_LINE, alpha=0.5, linewidth=0)
        ax.annotate("burn-in", (burn_in, 1), xycoords=("data", "axes fraction"), xytext=(-6, -6), color=_DIM,
                    textcoords="offset points", ha="right", va="top", fontsize=11)  # fmt: skip
    ax.set_title(f"energy a pixel, {len(energy)} chains", color=_INK, fontsize=13, loc="left")
    ax.set_xlabel("sweep", color=_DIM)
    ax.set_xlim(0, energy.shape[1])
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0, labelcolor=_DIM)
    ax.grid(color=_LINE, linewidth=1)
    ax.set_axisbelow(True)
