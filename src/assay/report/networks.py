"""Networks as people see them: what each layer makes of a picture, what spoke for the answer, and how one learned.

Plain arrays and names go in, PNG files come out. What a network does is computed elsewhere.
"""

from collections.abc import Sequence
from functools import partial

import cv2
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_rgb
from matplotlib.ticker import MaxNLocator

from . import panels, sheets
from .page import number, visible
from .plots import ACCENT, DIM, INK, PAPER, frame, png, short
from .theme import CLASSES

FOR, AGAINST = CLASSES[5], CLASSES[4]  # vermilion and blue: two that are told apart by everybody
SIGNED = LinearSegmentedColormap.from_list("assay-signed", [AGAINST, PAPER, FOR])

_LAYERS = 12  # of a deep network that are drawn
_BARS = 5  # classes whose probability is drawn
_CELLS = 256  # of a matrix of weights, a side; more are averaged


def answer(
    image: np.ndarray,
    gradcam: np.ndarray,
    occlusion: np.ndarray,
    chances: Sequence[tuple[str, float]],
    *,
    target: str,
    cover: int,
    colours: int = 256,
) -> bytes:
    """Draw a picture, the likeliest classes, and what in the picture spoke for one of them.

    Args:
        image: picture, uint8, (H, W) or (H, W, 3).
        gradcam: float (H, W) in 0..1.
        occlusion: float (H, W), by how much the probability falls where the picture is covered.
        chances: class and probability, likeliest first.
        target: the class that is explained.
        cover: pixels a side of what the picture was covered with.
        colours: of the PNG, 2 to 256: few make it light.

    Returns:
        A PNG file.
    """
    most = float(np.abs(occlusion).max())
    name = short(target)
    parts: list[tuple[str, sheets.Panel]] = [
        (f"the picture, {image.shape[1]} × {image.shape[0]}", image),
        ("the answer", partial(_bars, chances[:_BARS])),
        (f"Grad-CAM: speaks for {name}", tinted(image, gradcam)),
        (f"{cover} × {cover} covered: falls (orange) or rises (blue)",
         tinted(image, occlusion / most if most > 0 else occlusion)),
    ]  # fmt: skip
    return sheets.sheet(parts, columns=2, side=320, colours=colours)


def tinted(image: np.ndarray, signs: np.ndarray) -> np.ndarray:
    """Tint a picture, made grey, where something is above 0 or below.

    Args:
        image: picture, uint8, (H, W) or (H, W, 3).
        signs: float (H, W) in -1..1.

    Returns:
        uint8 (H, W, 3): vermilion above 0, blue below.
    """
    grey = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    base = np.repeat(grey[..., None].astype(np.float32), 3, axis=2) * 0.6 + 255 * 0.4
    strength = np.clip(np.abs(signs), 0, 1)[..., None]
    colours = np.where((signs > 0)[..., None], to_rgb(FOR), to_rgb(AGAINST)) * 255
    # A tint multiplies, so that edges stay to be seen under it.
    return np.asarray((base * (1 - strength) + base * colours / 255 * strength).round(), np.uint8)


def maps(layers: Sequence[tuple[str, np.ndarray]], *, most: int = 8, cell: int = 88) -> bytes:
    """Draw what layers made of a picture: of each the maps that differ most from place to place.

    Args:
        layers: name, and float (maps, h, w), in order; of more than 12 some between are left out.
        most: maps of a layer that are drawn.
        cell: CSS pixels of the longer side of a map.

    Returns:
        A PNG file. Each map runs from black, its least number, to white, its largest.

    Raises:
        InputError: there is no layer.
    """
    count = min(len(layers), _LAYERS)
    shown: list[int] = np.unique(np.linspace(0, len(layers) - 1, count).round().astype(int)).tolist() if count else []
    rows = []
    for i in shown:
        name, values = layers[i]
        count, height, width = values.shape
        order = np.argsort(-values.std(axis=(1, 2)), kind="stable")[:most]
        row = [(_stretched(values[k]), f"{k + 1}") for k in sorted(order)]
        rows.append((f"{name}: {count:,} map{'s' * (count != 1)} of {width} × {height}", row))
    return panels.sheet(rows, cell=cell)


def kernels(weight: np.ndarray, *, most: int = 32, cell: int = 44) -> bytes:
    """Draw the kernels of a first convolution, grey or in colour; middle grey is 0.

    Args:
        weight: float (kernels, channels, height, width), of 1 or 3 channels.
        most: kernels that are drawn.
        cell: CSS pixels of a side.

    Returns:
        A PNG file.
    """
    limit = float(np.abs(weight).max()) or 1.0
    pictures = [(0.5 + kernel.transpose(1, 2, 0) / (2 * limit)).astype(np.float32) for kernel in weight[:most]]
    pictures = [p[..., 0] if p.shape[2] == 1 else p for p in pictures]
    rows = [("", [(p, "") for p in pictures[i : i + 16]]) for i in range(0, len(pictures), 16)]
    return panels.sheet(rows, cell=cell)


def dense(name: str, weight: np.ndarray, *, outputs: Sequence[str] = (), size: tuple[int, int] = (640, 320)) -> bytes:
    """Draw the weights of a dense layer: a row for each output, a column for each input.

    Args:
        name: of the layer.
        weight: float (outputs, inputs); beyond 256 of either, neighbours are averaged.
        outputs: names of the outputs, drawn where there are 24 or fewer.
        size: width and height in CSS pixels.

    Returns:
        A PNG file.
    """
    return png(partial(_dense, name, weight, outputs), size=size)


def learning(
    epochs: Sequence[tuple[int, float, float | None]], *, best: int, name: str = "loss, nats", ax: Axes
) -> None:
    """Draw how a network learned.

    Args:
        epochs: number, loss on what it learned from, loss on what it did not, or None.
        best: number of the epoch whose weights were kept.
        name: of the loss, with its unit.
        ax: axes to draw on.
    """
    frame(ax, "epoch", name)
    numbers = [n for n, _, _ in epochs]
    learned, unseen = [a for _, a, _ in epochs], [b for _, _, b in epochs if b is not None]
    ax.plot(numbers, learned, color=ACCENT, linewidth=2.2, label="learned from")
    last = unseen if len(unseen) == len(epochs) else learned
    if last is unseen:
        ax.plot(numbers, unseen, color=FOR, linestyle=(0, (6, 2)), linewidth=2.2, label="not learned from")
    if best in numbers:
        at = numbers.index(best)
        right = at > 0.6 * len(numbers)
        ax.plot([best], [last[at]], "o", color=INK, markersize=8)
        ax.annotate(f"kept: epoch {best}", (best, last[at]), xytext=(-8 if right else 8, 16), color=INK,
                    textcoords="offset points", ha="right" if right else "left")  # fmt: skip
    ax.set_ylim(bottom=0)
    ax.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    ax.legend(frameon=False, labelcolor=INK, fontsize=12, handlelength=2.4)


def _bars(chances: Sequence[tuple[str, float]], ax: Axes) -> None:
    frame(ax, "probability", "")
    ax.grid(visible=False, axis="y")
    places = np.arange(len(chances))[::-1]
    ax.barh(places, [p for _, p in chances], height=0.5, color=ACCENT)
    for y, (name, p) in zip(places, chances, strict=True):
        ax.text(0, y + 0.32, f"{short(name, most=28)}  {number(p)}", color=INK, fontsize=12, va="bottom")
    ax.set(xlim=(0, 1), ylim=(-0.6, len(chances) - 0.1), yticks=[])
    ax.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])


def _dense(name: str, weight: np.ndarray, outputs: Sequence[str], ax: Axes) -> None:
    rows, columns = weight.shape
    small = cv2.resize(
        weight.astype(np.float32), (min(columns, _CELLS), min(rows, _CELLS)), interpolation=cv2.INTER_AREA
    )
    limit = float(np.percentile(np.abs(small), 99)) or 1.0
    frame(ax, f"{columns:,} inputs", f"{rows:,} outputs")
    ax.grid(visible=False)
    ax.set_title(visible(name), loc="left", color=INK, fontsize=13)
    place = (0.5, columns + 0.5, rows + 0.5, 0.5)
    drawn = ax.imshow(small, cmap=SIGNED, vmin=-limit, vmax=limit, aspect="auto", extent=place, interpolation="nearest")
    if 0 < len(outputs) <= 24:
        ax.set_yticks(range(1, rows + 1), [short(text) for text in outputs])
    bar = ax.figure.colorbar(drawn, ax=ax, shrink=0.8, aspect=24)
    bar.outline.set_visible(False)
    bar.ax.tick_params(length=0, labelcolor=DIM)
    bar.set_label("weight", color=DIM)


def _stretched(values: np.ndarray) -> np.ndarray:
    low, high = float(values.min()), float(values.max())
    return np.asarray((values - low) / (high - low) if high > low else np.zeros_like(values), np.float32)
