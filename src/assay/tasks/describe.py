"""Describe: one picture in numbers, and its channels and histogram as a figure."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..data import pictures
from ..errors import InputError, PictureError
from ..pixels import colour, facts, geometry, noise
from ..report import record, sheets

_PIXEL = (100, 50)  # the one whose channels are told, where the picture has it
_NOISE = 24  # pixels of a side from which noise can be told


@dataclass(frozen=True, slots=True)
class Description:
    """One picture in numbers.

    file: its path; format: of the file, such as JPEG; mode: Pillow's name of the file's pixels; type: of an array that
    holds it, uint8 in 0..255 or float32 in 0..1; shape: (H, W) or (H, W, 3); dimensions: 2 or 3; size: numbers in the
    array; least, greatest: of them; channels: names; means, deviations: by channel, in the unit of the type; pixel: row
    and column, and what each channel has there; noise_sigma: of white noise, in grey levels of 255, None where the
    picture is too small; impulses: share of pixels hit by salt-and-pepper noise, None likewise; notes: on the file;
    figure: where it was written, or None.
    """

    file: str
    format: str
    mode: str
    type: str
    shape: tuple[int, ...]
    height: int
    width: int
    dimensions: int
    size: int
    least: float
    greatest: float
    channels: tuple[str, ...]
    means: tuple[float, ...]
    deviations: tuple[float, ...]
    pixel: tuple[int, int]
    values: tuple[float, ...]
    noise_sigma: float | None
    impulses: float | None
    notes: tuple[str, ...]
    figure: str | None

    def _repr_html_(self) -> str:
        return record.as_html(self)


def describe(
    path: str | os.PathLike[str],
    *,
    pixel: tuple[int, int] | None = None,
    figure: str | os.PathLike[str] | None = None,
    replace: bool = False,
    tell: Callable[[str], None] = lambda _: None,
    stop: Callable[[], bool] = lambda: False,
) -> Description:
    """Say what a picture is: type, shape, size, extremes, means, one pixel, noise.

    Args:
        path: of the picture.
        pixel: row and column of a pixel to tell the channels of, from 0; (100, 50), or the middle of a smaller picture.
        figure: PNG file to draw the channels and the histogram into; its folder must be there.
        replace: write the figure over a file that is there.
        tell: shows a line about progress.
        stop: asked before the figure is drawn; True leaves it out by raising.

    Returns:
        Its description.

    Raises:
        InputError: the file is no picture that assay reads, pixel lies outside, or figure cannot be written.
        KeyboardInterrupt: stop said True.
    """
    target = _target(figure, replace=replace)
    tell("reading")
    try:
        data, _ = pictures.read_bytes(Path(path).resolve())
        head = pictures.header(data)
        image = pictures.decode(data, head)
    except OSError as e:
        raise InputError(f"PICTURE must be a file that can be read, got {e}") from e
    except PictureError as e:
        raise InputError(f"PICTURE must be one that assay reads, got {e}, in {os.fspath(path)}") from e
    height, width = image.shape[:2]
    if pixel is None:
        pixel = _PIXEL if _PIXEL[0] < height and _PIXEL[1] < width else (height // 2, width // 2)
    row, column = pixel
    if not (0 <= row < height and 0 <= column < width):
        raise InputError(f"pixel must be in rows 0..{height - 1} and columns 0..{width - 1}, got {row}, {column}")
    planes = image.reshape(height * width, -1)
    large = min(height, width) >= _NOISE
    if stop():
        raise KeyboardInterrupt
    if target is not None:
        tell("drawing")
        try:
            target.write_bytes(channels_and_histogram(image))
        except OSError as e:
            raise InputError(f"figure must be a file that can be written, got {e}") from e
    return Description(
        file=os.fspath(path),
        format=head.format,
        mode=head.mode,
        type=str(image.dtype),
        shape=image.shape,
        height=height,
        width=width,
        dimensions=image.ndim,
        size=image.size,
        least=image.min().item(),
        greatest=image.max().item(),
        channels=("grey",) if image.ndim == 2 else tuple(colour.CHANNELS),
        means=tuple(planes.mean(axis=0, dtype=np.float64).tolist()),
        deviations=tuple(planes.std(axis=0, dtype=np.float64).tolist()),
        pixel=(row, column),
        values=tuple(np.atleast_1d(image[row, column]).tolist()),
        noise_sigma=noise.sigma(image) if large else None,
        impulses=noise.impulse_fraction(image) if large else None,
        notes=head.notes,
        figure=None if target is None else str(target),
    )


def channels_and_histogram(image: np.ndarray) -> bytes:
    """Draw a picture, each of its channels, and how many pixels have each level.

    Args:
        image: picture.

    Returns:
        A PNG file.
    """
    small = geometry.fit(image, side=400)
    layers: Sequence[tuple[str, np.ndarray]] = [] if small.ndim == 2 else list(colour.split(small).items())
    counts = facts.histogram(image)
    height, width = image.shape[:2]
    panels: list[tuple[str, sheets.Panel]] = [(f"{width} × {height}", small), *layers]
    panels += [] if small.ndim == 2 else [("grey: 0.299 R + 0.587 G + 0.114 B", colour.grey(small))]
    panels.append(("histogram", lambda ax: sheets.histogram(counts, ax=ax)))
    return sheets.sheet(panels, columns=3, side=260, colours=256)


def _target(figure: str | os.PathLike[str] | None, *, replace: bool) -> Path | None:
    """Return where a figure goes, before anything is read."""
    if figure is None:
        return None
    target = Path(figure)
    if target.suffix.lower() != ".png":
        raise InputError(f"figure must end in .png, got {target}")
    if target.exists() and not replace:
        raise InputError(f"figure must be a new file, got {target}, which is there: --replace writes over it")
    return target
