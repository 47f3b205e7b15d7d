"""What a picture is as data: shape, pixels, channels, masks, a disk, and a terrain whose channels are measurements.

`python examples/12_image_data_analysis.py [FOLDER]` writes 12_image_data_analysis.md and its figures; docs/examples by
default.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
from skimage import data

import assay
from assay.data import pictures
from assay.pixels import colour, facts, filters, masks
from assay.report.sheets import histogram, sheet

PAGE = """# 12 A picture as data

Made by `make examples` from `examples/12_image_data_analysis.py`. The picture is *coffee*, which comes with
scikit-image.

## What it is

`assay describe coffee.png` says, and so does `assay.describe("coffee.png")`:

| | |
|---|---|
| type | `{type}`, 0 to 255 |
| shape | {shape} |
| height | {height} |
| width | {width} |
| dimensions | {dimensions} |
| size | {size:,} numbers = {height} × {width} × 3 |
| greatest | {greatest} |
| least | {least} |
| pixel [100, 50] | R {red}, G {green}, B {blue} |

## Its channels

Red, green and blue, each in its own colour (`colour.split`), and how many pixels have each level
(`facts.histogram`). Height runs down, width to the right, both in pixels.

![The picture, its red, green and blue layers, its grey version and its histogram](12_channels.png)

**Grey** weighs the channels as the eye does: Y = 0.299 R + 0.587 G + 0.114 B. For pixel [100, 50] that is 0.299
× {red} + 0.587 × {green} + 0.114 × {blue} = {weighed:.1f}, and `colour.grey` gives {grey}. Weighed as light
rather than as numbers (`colour.grey_linear`) it is {grey_linear}. A **binary** picture has two levels only,
here below and from 128.

## Setting pixels

```python
picture[50:150, :, 0] = 255    # rows 50 to 149 of red
picture[200:300, :, 1] = 255   # rows 200 to 299 of green
picture[350:400, :, 2] = 255   # rows 350 to 399 of blue: the picture ends at 400
```

A picture is an array, so plain NumPy does that; `masks.set_pixels` does it without touching the original, for
masks of any shape. The block in the second picture is 200 in all channels.

![Rows of each channel set to 255; a block set to 200; grey and binary](12_set.png)

## Masks

A condition is a mask: `picture < 20` is true for {dark:,} of the {size:,} numbers; they are set to random
levels from 25 to 225. Masks of whole pixels are joined by logical operators, in NumPy (`&`, `|`, `~`) or in
words: `masks.where(picture, "red >= 180 and not blue > 90")` finds {red_pixels:,} pixels. The disk keeps what
lies within half the height of the middle, {inside:.1f} % of the pixels, and everything else becomes 0.

![Dark numbers made random; pixels that are red and not blue; what lies in a disk](12_masks.png)

## Channels that are measurements

In some satellite pictures red is the altitude, blue the aspect (the way a slope faces) and green the slope (how
steep it is). This one is made so from the brightness of *moon*, taken for height; each channel holds ranks, so
that it has all levels. `masks.keep_above` keeps the pixels in which one channel is 180 or more: {high:,} are
high, {facing:,} face that way, {steep:,} are steep. Where all three are below 180, {low:,} pixels, it is set to
40.

![Altitude, aspect and slope as one picture; high, facing and steep parts; everything else set to 40](12_terrain.png)
"""


def terrain() -> np.ndarray:
    """Return (256, 256, 3): altitude in red, slope in green, aspect in blue."""
    height = filters.gaussian(data.moon()[128:384, 128:384].astype(np.float32) / 255, sigma=6)
    down, right = np.gradient(height)
    steep, facing = np.hypot(down, right), np.arctan2(down, right)
    # Each by its rank, so that every channel has all levels.
    layers = [x.argsort(axis=None).argsort().reshape(x.shape) / x.size for x in (height, steep, facing)]
    return colour.to_uint8(np.stack(layers, axis=-1).astype(np.float32))


def main(out: Path) -> None:
    """Write the page and its figures."""
    out.mkdir(parents=True, exist_ok=True)
    picture = data.coffee()
    with tempfile.TemporaryDirectory() as folder:
        pictures.write(Path(folder) / "coffee.png", picture)
        said = assay.describe(Path(folder) / "coffee.png", pixel=(100, 50))
    small = picture[::3, ::3].copy()  # about as large as the page shows it
    counts = facts.histogram(picture)
    layers = list(colour.split(small).items())
    panels = [("coffee, every 3rd pixel", small), *layers, ("grey", colour.grey(small))]
    panels.append(("histogram", lambda ax: histogram(counts, ax=ax)))
    (out / "12_channels.png").write_bytes(sheet(panels, columns=3, side=200, axes=3, colours=64))

    rows = picture
    for name, first, end in (("red", 50, 150), ("green", 200, 300), ("blue", 350, 450)):
        rows = masks.set_pixels(rows, masks.where(rows, f"{first} <= row < {end}"), value=255, channel=name)
    block = masks.set_pixels(picture, masks.where(picture, "100 <= row < 200 and 150 <= column < 300"), value=200)
    grey = colour.grey(picture)
    binary = np.where(grey >= 128, np.uint8(255), np.uint8(0))
    panels = [("rows of R, G, B set to 255", rows), ("a block set to 200", block), ("grey", grey), ("binary", binary)]
    panels = [(title, image[::2, ::2].copy()) for title, image in panels]
    (out / "12_set.png").write_bytes(sheet(panels, columns=2, side=240, axes=2, colours=112))

    dark = picture < 20
    noise = np.random.default_rng(0).integers(25, 226, picture.shape, dtype=np.uint8)
    lit = masks.set_pixels(picture, dark, value=noise)
    red = masks.where(picture, "red >= 180 and not blue > 90")
    disk = masks.disk(*picture.shape[:2])
    panels = [
        ("below 20: random", lit),
        ("red and not blue", masks.set_pixels(picture, ~red, value=0)),
        ("a disk", masks.set_pixels(picture, ~disk, value=0)),
    ]
    panels = [(title, image[::2, ::2].copy()) for title, image in panels]
    (out / "12_masks.png").write_bytes(sheet(panels, columns=3, side=240, colours=128))

    land = terrain()
    low = masks.where(land, "red < 180 and green < 180 and blue < 180")
    kept = {name: masks.keep_above(land, channel=name, value=180) for name in colour.CHANNELS}
    panels = [
        ("altitude, slope, aspect", land),
        ("high: red ≥ 180", kept["red"]),
        ("steep: green ≥ 180", kept["green"]),
        ("facing: blue ≥ 180", kept["blue"]),
        ("all below 180: 40", masks.set_pixels(land, low, value=40)),
    ]
    (out / "12_terrain.png").write_bytes(sheet(panels, columns=3, side=200, colours=200))

    r, g, b = said.values
    above = {name: int((colour.channel(land, name=name) >= 180).sum()) for name in colour.CHANNELS}
    page = PAGE.format(
        type=said.type, shape=said.shape, height=said.height, width=said.width, dimensions=said.dimensions,
        size=said.size, greatest=said.greatest, least=said.least, red=r, green=g, blue=b,
        weighed=0.299 * r + 0.587 * g + 0.114 * b, grey=grey[100, 50], grey_linear=colour.grey_linear(picture)[100, 50],
        dark=int(dark.sum()), red_pixels=int(red.sum()), inside=100 * disk.mean(), high=above["red"],
        facing=above["blue"], steep=above["green"], low=int(low.sum()),
    )  # fmt: skip
    (out / "12_image_data_analysis.md").write_text(page)
    print(f"{said.shape}, {said.size:,} numbers; {out / '12_image_data_analysis.md'}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/examples"))
