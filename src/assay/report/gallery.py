"""Galleries: thumbnails as tiles, walls of them, a grid, and a map of pictures.

Thumbnails or pixels that were decoded go in, HTML or one picture comes out. No file is read here.
"""

import base64
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import matplotlib as mpl
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ..errors import InputError
from .page import Html, join, safe, text, visible
from .theme import CLASSES, TOKENS

MARGIN = 0.06  # of the map's side, so that no picture at the edge is cut
_LARGEST = 160  # pixels: a thumbnail drawn larger looks blurred
_LONGEST = 20  # characters of a label on the map


def uri(picture: bytes) -> Html:
    """Write a picture into an address, so that the page needs no other file.

    Args:
        picture: a JPEG or PNG file.

    Returns:
        A data: URI.
    """
    kind = "png" if picture.startswith(b"\x89PNG") else "jpeg"
    return Html(f"data:image/{kind};base64,{base64.b64encode(picture).decode()}")


def figure(picture: bytes, label: str) -> Html:
    """Show a picture at the width of the page.

    Args:
        picture: a JPEG or PNG file.
        label: what it shows, for those who do not see it.

    Returns:
        A figure.
    """
    return Html(f'<figure><img src="{uri(picture)}" alt="{safe(label)}" style="max-width:100%;height:auto"></figure>')


def tile(jpeg: bytes | None, caption: str, *, reason: str | None = None) -> Html:
    """Show one picture over its name; it opens larger when chosen.

    Args:
        jpeg: thumbnail, or None for a file that could not be read.
        caption: such as its name.
        reason: why there is no picture; stands in a grey tile.

    Returns:
        A figure.
    """
    name = safe(caption)
    if not jpeg:
        return Html(
            f'<figure class="tile" title="{name}"><div class="gone">{safe(reason or "no picture")}</div>'
            f"<figcaption>{name}</figcaption></figure>"
        )
    return Html(
        f'<figure class="tile" title="{name}"><details><summary><img src="{uri(jpeg)}" alt="{name}"></summary>'
        f"</details><figcaption>{name}</figcaption></figure>"
    )


def wall(tiles: Sequence[str], *, more: int = 0) -> Html:
    """Set tiles side by side.

    Args:
        tiles: from `tile`.
        more: how many there are besides.

    Returns:
        The wall, and the count of what is not shown; nothing for nothing.
    """
    rest = text(f"and {more:,} more", dim=True) if more > 0 else ""
    return join(Html(f'<div class="wall">{join(*tiles)}</div>') if tiles else "", rest)


def grid(
    batch: Sequence[Any] | np.ndarray,
    *,
    captions: Sequence[str] = (),
    names: Sequence[str] = (),
    columns: int = 8,
    side: int = 120,
) -> bytes:
    """Set pictures into rows and columns, each over its caption.

    Args:
        batch: pictures, uint8 or float in 0..1, each (H, W), (H, W, 1) or (H, W, 3), of any sizes; None leaves a gap.
            Or `(x, y)` as Batches gives it.
        captions: one a picture, or none; at most two lines of it are shown.
        names: of the classes; with `(x, y)` and no captions, a picture is called as its label says.
        columns: pictures in a row, >= 1.
        side: CSS pixels of a picture's longer side at most; the PNG has twice as many for sharp screens.

    Returns:
        A PNG file. Aspects are kept; every picture is brought to the size of its cell.

    Raises:
        InputError: there are no pictures, columns or side is not positive, or captions are not as many.
    """
    labels = None
    if isinstance(batch, tuple) and len(batch) == 2 and np.ndim(batch[0]) == 4:
        batch, labels = batch
    images: list[np.ndarray | None] = list(batch)
    if labels is not None and names and not captions:
        codes = np.asarray(labels).argmax(axis=1) if np.ndim(labels) == 2 else np.asarray(labels).astype(int)
        captions = [names[code] for code in codes.tolist()]
    if not images or min(columns, side) < 1 or (captions and len(captions) != len(images)):
        raise InputError(
            f"a grid must have pictures, a caption each or none, columns and side >= 1, "
            f"got {len(images)}, {len(captions)}, {columns!r} and {side!r}"
        )
    cell, gap, size = 2 * side, 16, 22
    font = ImageFont.truetype(str(Path(mpl.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"), size)
    lines = [_two_lines(visible(c), font, cell) for c in captions]
    below = 8 + max((len(two) for two in lines), default=0) * round(size * 1.3) if lines else 0
    columns = min(columns, len(images))
    shown = [None if image is None else _shown(image, cell) for image in images]
    starts = range(0, len(images), columns)
    heights = [max((tile.height for tile in shown[k : k + columns] if tile), default=0) for k in starts]
    sheet = Image.new("RGB", (columns * (cell + gap) + gap, sum(heights) + len(heights) * (below + gap) + gap), "white")
    pen, top = ImageDraw.Draw(sheet), gap
    for start, height in zip(starts, heights, strict=True):
        for i, tile in enumerate(shown[start : start + columns]):
            left = gap + i * (cell + gap)
            if tile is not None:
                sheet.paste(tile, (left + (cell - tile.width) // 2, top + height - tile.height))
            for k, line in enumerate(lines[start + i] if lines else ()):
                pen.text((left, top + height + 6 + k * round(size * 1.3)), line, TOKENS["dim"], font)
        top += height + below + gap
    out = io.BytesIO()
    sheet.quantize(256, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)  # a third of the bytes
    return out.getvalue()


def _shown(image: np.ndarray, cell: int) -> Image.Image:
    """Bring a picture to bytes and to the size of its cell."""
    pixels = np.asarray(image)
    pixels = pixels[..., 0] if pixels.ndim == 3 and pixels.shape[2] == 1 else pixels
    pixels = pixels if pixels.dtype == np.uint8 else (np.clip(pixels, 0, 1) * 255 + 0.5).astype(np.uint8)
    scale = cell / max(pixels.shape[:2])
    wide = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
    # Small pictures are shown as the squares that they are made of.
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC if scale < 4 else cv2.INTER_NEAREST
    return Image.fromarray(cv2.resize(np.ascontiguousarray(pixels), wide, interpolation=way)).convert("RGB")


def _two_lines(caption: str, font: ImageFont.FreeTypeFont, width: int) -> list[str]:
    """Break a caption at a space, and cut what two lines do not hold."""
    words, lines = caption.split(" "), [""]
    for word in words:
        longer = f"{lines[-1]} {word}".strip()
        if font.getlength(longer) <= width or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    if len(lines) > 2:
        lines = [lines[0], " ".join(lines[1:])]
    for i, line in enumerate(lines):
        cut = line
        while cut and font.getlength(cut) > width:
            cut = cut.removesuffix("…")[:-1] + "…" if len(cut) > 1 else ""
        lines[i] = cut
    return lines


def picture_map(
    points: np.ndarray,
    thumbnails: Sequence[bytes],
    groups: np.ndarray,
    *,
    side: int = 1400,
    rng: np.random.Generator,
) -> bytes:
    """Draw pictures where a layout puts them; those that would overlap are dots.

    Args:
        points: float (n, 2), any range; nearby means alike.
        thumbnails: JPEG files, n of them; empty where there is none.
        groups: int (n,), 0 for the first group.
        side: width of the map, in pixels.
        rng: chooses which pictures are drawn.

    Returns:
        A JPEG file, side pixels wide and at most as high. No two pictures overlap; each group asks for room
        once before any asks twice. A border has the group's colour; with more than 8 groups it is grey.

    Raises:
        InputError: the lengths differ, a point is not finite, or side is under 100.
    """
    points, groups = np.asarray(points, float), np.asarray(groups, int)
    n = len(points)
    if points.shape != (n, 2) or len(thumbnails) != n or groups.shape != (n,):
        raise InputError(
            f"points, thumbnails and groups must be as many, got {points.shape}, {len(thumbnails)} and {groups.shape}"
        )
    if side < 100:
        raise InputError(f"side must be >= 100 pixels, got {side!r}")
    if not np.isfinite(points).all():
        raise InputError("points must be finite, got some that are not: lay them out again")
    places, height = _place(points)
    canvas = np.full((round(side * height), side, 3), 255, np.uint8)
    colours = [_bgr(c) for c in _colours(int(groups.max(initial=-1)) + 1)]
    # Small and pale dots, so that where many lie together it is no blot.
    radius, pale = 3 - (n > 1000) - (n > 5000), [tuple((c + 255) // 2 for c in colour) for colour in colours]
    centres = np.rint(places * side).astype(int)
    for (x, y), group in zip(centres.tolist(), groups.tolist(), strict=True):
        cv2.circle(canvas, (x, y), radius, pale[group], -1, cv2.LINE_AA)
    size = int(np.clip(2100 / np.sqrt(max(n, 1)), 56, _LARGEST) * min(side / 1400, 1))
    drawn = np.empty((0, 2), int)
    for i in _turns(groups, rng):
        room = (np.abs(drawn - centres[i]).max(axis=1) > size + 4).all()
        small = _fitted(thumbnails[i], size) if room and thumbnails[i] else None
        if small is not None:
            _paste(canvas, small, centres[i], colours[groups[i]])
            drawn = np.vstack([drawn, centres[i]])
    return bytes(cv2.imencode(".jpg", canvas, [cv2.IMWRITE_JPEG_QUALITY, 82])[1])


def map_figure(picture: bytes, points: np.ndarray, groups: np.ndarray, *, names: Sequence[str]) -> Html:
    """Show a map from `picture_map` with what its groups are called.

    Args:
        picture: the map.
        points: float (n, 2), as the map was given.
        groups: int (n,), as the map was given.
        names: of the groups, from 0 on.

    Returns:
        A figure. Up to 8 groups are told by colour and name under the map; more by a number and a name on it.
    """
    groups, (places, height) = np.asarray(groups, int), _place(points)
    counts = np.bincount(groups, minlength=len(names)).tolist()
    entries, labels = [], ""
    if len(names) <= len(CLASSES):
        marks = [f'<i style="background:var(--c{i})"></i>' for i in range(len(names))]
    else:
        marks = [f"<b>{i + 1}</b> " for i in range(len(names))]
        present = [i for i, n in enumerate(counts) if n]
        shorts = [names[i] if len(names[i]) < _LONGEST else names[i][: _LONGEST - 1] + "…" for i in present]
        middles = [tuple(np.median(places[groups == i], axis=0).tolist()) for i in present]
        labels = "".join(
            f'<i style="left:{100 * x:.1f}%;top:{100 * y / height:.1f}%"><b>{i + 1}</b><span> {safe(short)}</span></i>'
            for i, short, (x, y) in zip(present, shorts, _apart(middles, shorts), strict=True)
        )
    for mark, name, n in zip(marks, names, counts, strict=True):
        entries.append(f'<li>{mark}{safe(name)} <span class="dim">{n:,}</span></li>')
    alt = f"Map of {len(points):,} pictures in {len(names)} groups; pictures that look alike lie close together."
    return Html(
        f'<figure class="map"><div><img src="{uri(picture)}" alt="{alt}">{labels}</div>'
        f'<ul class="key">{"".join(entries)}</ul></figure>'
    )


def _colours(groups: int) -> list[str]:
    return list(CLASSES[:groups]) if groups <= len(CLASSES) else [TOKENS["dim"]] * groups


def _bgr(colour: str) -> tuple[int, int, int]:
    return int(colour[5:7], 16), int(colour[3:5], 16), int(colour[1:3], 16)


def _place(points: np.ndarray) -> tuple[np.ndarray, float]:
    """Put points into a map of width 1 with its margin, keeping their proportions; and the map's height."""
    points = np.asarray(points, float)
    if not len(points):
        return np.zeros((0, 2)), 2 * MARGIN
    low, high = points.min(axis=0), points.max(axis=0)
    span = (high - low).max()
    scale = (1 - 2 * MARGIN) / span if span > 0 else 0.0
    height = float((high - low)[1]) * scale + 2 * MARGIN
    return (points - (low + high) / 2) * scale + [0.5, height / 2], height


def _apart(places: Sequence[tuple[float, float]], names: Sequence[str]) -> list[tuple[float, float]]:
    """Move labels down until none covers another; in shares of the map's width."""
    free: list[tuple[float, float, float]] = []
    for (x, y), name in zip(places, names, strict=True):
        width, low = 0.008 * len(name) + 0.04, y
        while any(abs(x - u) < (width + w) / 2 and abs(low - v) < 0.027 for u, v, w in free):
            low += 0.009
        free.append((x, low, width))
    return [(x, y) for x, y, _ in free]


def _turns(groups: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Order in which pictures ask for room: one of each group, small groups first, then a second of each."""
    shuffled = rng.permutation(len(groups))
    seen = np.zeros(int(groups.max(initial=-1)) + 1, int)
    rank = np.empty(len(groups), int)
    for i in shuffled:
        rank[i] = seen[groups[i]]
        seen[groups[i]] += 1
    return shuffled[np.lexsort((seen[groups[shuffled]], rank[shuffled]))]


def _fitted(thumbnail: bytes, size: int) -> np.ndarray | None:
    image = cv2.imdecode(np.frombuffer(thumbnail, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        return None
    scale = size / max(image.shape[:2])
    height, width = (max(int(scale * s), 1) for s in image.shape[:2])
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, (width, height), interpolation=way))


def _paste(canvas: np.ndarray, image: np.ndarray, centre: np.ndarray, colour: tuple[int, int, int]) -> None:
    height, width = image.shape[:2]
    x, y = (int(c) for c in centre - np.array([width, height]) // 2)
    canvas[y : y + height, x : x + width] = image
    cv2.rectangle(canvas, (x - 1, y - 1), (x + width, y + height), colour, 2)
