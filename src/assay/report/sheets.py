"""Sheets: pictures and plots in rows, each under its title, as one light PNG."""

import io
from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, StrMethodFormatter
from PIL import Image

from ..errors import InputError
from .page import visible
from .plots import DIM, INK, LINE, frame, png

Panel = np.ndarray | Callable[[Axes], None]

_GAP = 12  # CSS pixels between panels
_TITLE, _AXES = 30, 56  # that a title, and named axes, take beside a picture
_SHARP = 320  # pixels of a side up to which a picture is shown as the squares it is made of
_CHANNELS = {"grey": ("#5d6672", "-"), "red": ("#b3261e", "-"), "green": ("#0a7d4f", (0, (6, 2))),
             "blue": ("#0b62b8", (0, (2, 2)))}  # fmt: skip


def sheet(
    panels: Sequence[tuple[str, Panel]], *, columns: int = 4, side: int = 200, axes: int = 0, colours: int = 128
) -> bytes:
    """Set pictures and plots side by side.

    Args:
        panels: a title, and a picture or a function that draws on the axes it is given.
        columns: panels in a row, >= 1.
        side: CSS pixels of a panel's width; its height is that of the first picture at this width.
        axes: name height and width beside every picture, and number the pixels; each that is shown counts for so many.
            0 for none.
        colours: of the PNG, 2 to 256: few make it light.

    Returns:
        A PNG file, twice as wide and high for sharp screens.

    Raises:
        InputError: there are no panels, or columns is less than 1.
    """
    if not panels or columns < 1:
        raise InputError(f"a sheet needs panels and columns >= 1, got {len(panels)} and {columns!r}")
    columns = min(columns, len(panels))
    rows = -(-len(panels) // columns)
    first = next((panel for _, panel in panels if isinstance(panel, np.ndarray)), np.empty((3, 4)))
    beside = _AXES if axes else 0
    height = round(min(side * first.shape[0] / first.shape[1], 2 * side)) + _TITLE + beside

    def draw(ax: Axes) -> None:
        place = ax.get_subplotspec()
        ax.set_axis_off()
        if place is None:
            return
        grid, figure = place.subgridspec(rows, columns), ax.figure
        for n, (title, panel) in enumerate(panels):
            part = figure.add_subplot(grid[divmod(n, columns)])
            part.set_title(visible(title), color=INK, fontsize=12, loc="left", pad=6)
            if isinstance(panel, np.ndarray):
                _show(part, panel, axes=axes)
            else:
                panel(part)

    drawn = png(draw, size=(columns * (side + beside + _GAP), rows * (height + _GAP)))
    out = io.BytesIO()
    Image.open(io.BytesIO(drawn)).convert("RGB").quantize(colours, dither=Image.Dither.NONE).save(
        out, "PNG", optimize=True
    )
    return out.getvalue()


def histogram(counts: np.ndarray, *, ax: Axes) -> None:
    """Draw how many pixels have each level, a line for each channel.

    Args:
        counts: (channels, 256), of grey, or red, green and blue, as `pixels.facts.histogram` gives them.
        ax: axes to draw on.
    """
    frame(ax, "level", "pixels")
    ax.grid(visible=False, axis="x")
    for name, row in zip(list(_CHANNELS)[:1] if len(counts) == 1 else list(_CHANNELS)[1:], counts, strict=True):
        colour, dashes = _CHANNELS[name]
        ax.plot(row, color=colour, linestyle=dashes, linewidth=1.6, label=name)
    # The highest bar may be all of the sky: what lies below the second highest is to be seen as well.
    top = float(np.sort(counts, axis=None)[-max(len(counts), 2)])
    ax.set(xlim=(0, 255), ylim=(0, max(top * 1.1, 1)), xticks=[0, 64, 128, 192, 255])
    ax.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    ax.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    ax.legend(frameon=False, labelcolor=INK, fontsize=11, handlelength=2.4)


def decibels(values: np.ndarray, *, ax: Axes) -> None:
    """Draw a spectrum with its scale.

    Args:
        values: (H, W), as `pixels.frequency.spectrum` gives them.
        ax: axes to draw on.
    """
    height, width = values.shape
    frame(ax, "cycles per width", "cycles per height")
    ax.grid(visible=False)
    place = (-(width // 2) - 0.5, width - width // 2 - 0.5, height - height // 2 - 0.5, -(height // 2) - 0.5)
    drawn = ax.imshow(values, cmap="gray", extent=place, vmin=float(np.percentile(values, 1)), interpolation="auto")
    bar = ax.figure.colorbar(drawn, ax=ax, shrink=0.8, aspect=24)
    bar.outline.set_visible(False)
    bar.ax.tick_params(length=0, labelcolor=DIM)
    bar.set_label("dB", color=DIM)


def _show(ax: Axes, image: np.ndarray, *, axes: int) -> None:
    white = 255 if image.dtype == np.uint8 else 1
    way = "nearest" if max(image.shape[:2]) <= _SHARP else "auto"
    if axes:
        frame(ax, "width, pixels", "height, pixels")
        ax.xaxis.set_major_locator(MaxNLocator(4, integer=True))
        ax.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    else:
        ax.set_xticks([])
        ax.set_yticks([])
    ax.grid(visible=False)
    height, width = (length * max(axes, 1) for length in image.shape[:2])
    place = (-0.5, width - 0.5, height - 0.5, -0.5)
    ax.imshow(image, cmap="gray", vmin=0, vmax=white, interpolation=way, extent=place)
    ax.spines[:].set(visible=True, color=LINE)
