"""Every filter of the tutorial, what it takes away and what it spoils, in grey and in colour.

`python examples/15_image_filters.py [FOLDER]` writes 15_image_filters.md and its figures; docs/examples by default.
"""

import sys
from pathlib import Path

import numpy as np
from skimage import data

from assay.pixels import colour, filters, frequency, noise
from assay.report.sheets import decibels, sheet

PAGE = """# 15 Image filters

Made by `make examples` from `examples/15_image_filters.py`. The pictures are *camera* and *astronaut*, which come
with scikit-image; noise has seed 0. Errors are root mean squares in grey levels (of 255) against the picture
without noise. Any of this from the command line: `assay filter IN OUT --filter median:size=9`.

## Mean, gaussian, median, 9 × 9

Salt and pepper on 5 % of the pixels, an error of {salted:.1f}. Mean and gaussian smear each wrong pixel over
its neighbours; the median drops it. Every filter trades noise for edges: on the picture without noise the
median alone causes an error of {median_clean:.1f}.

| filter | error | |
|---|---|---|
| none | {salted:.1f} | |
| mean, 9 × 9 | {mean:.1f} | `filters.mean(image, size=9)` |
| gaussian, 9 × 9 (sigma {sigma:.2f} from the size) | {gaussian:.1f} | `filters.gaussian(image, size=9)` |
| median, 9 × 9 | {median:.1f} | `filters.median(image, size=9)` |
| median, 3 × 3 | {median_3:.1f} | `filters.median(image, size=3)` |
| conservative, 5 × 5 | {conservative:.1f} | `filters.conservative(image, size=5, border="cut")` |

![A photograph with salt and pepper, and after each filter](15_smoothing.png)

**Conservative smoothing** brings a pixel above the greatest of its neighbours down to that one, and one below
the least up to that one; a pixel is not its own neighbour, and at the border the window is cut (without
`border="cut"` it is mirrored there, as for all filters, and the outermost pixels vouch for themselves). What
does not stick out alone is left as it is: {untouched:.1f} % of the pixels keep their value. Where two wrong
pixels of a kind lie in one window, they vouch for each other, and both stay.

## In colour

The tutorial filters hue, saturation and value as three numbers, because R, G and B depend on each other. But
hue is a circle: 2° and 358° are both red, and their mean as numbers, 180°, is cyan. That is where the specks
come from that mean and gaussian leave there; the median picks one of the hues that are there, so it leaves
none. Here the same is done with hue and saturation as a disc (`space="hsv"`), and channel by channel in RGB.

| mean, 9 × 9, of a photograph without noise | largest change of hue, in degrees, where the colour is clear |
|---|---|
| hue as a number, as in the tutorial | {naive_turn:.0f} |
| hue as the circle it is | {circle_turn:.0f} |

![Mean, gaussian and median with hue as a number, as a circle, and in RGB](15_colour.png)

## Edges: the Laplacian, and the Laplacian of a gaussian

The Laplacian is what a pixel is more than its neighbours: of its 4, or of all 8.

```
 0 -1  0      -1 -1 -1
-1  4 -1      -1  8 -1
 0 -1  0      -1 -1 -1
```

Added to the picture it sharpens (`filters.laplacian(image, neighbours=4)`), noise too: of noise of 10 levels
the kernels make {noise_4:.0f} and {noise_8:.0f}, a gaussian before it (`laplacian_of_gaussian(image,
sigma=1.4)`) only {noise_log:.0f}.

![Edges alone on mid grey, and added to the picture](15_edges.png)

## In the frequencies

The spectrum is 20 log10 of the magnitude, in dB, with frequency 0 in the middle. A **low pass** keeps a square
in the middle, here 30 cycles to each side, and a **high pass** the rest. The sharp end of the square rings
along edges; a gaussian does not. A plain Fourier transform takes the picture to repeat itself, so that its left
border bleeds into its right (`border="wrap"`, the tutorial's way); `border="mirror"` does not: at the outermost
columns the two differ by up to {wrap:.0f} levels.

![The spectrum, low passes and high passes](15_frequencies.png)

## Crimmins: speckle

Speckle multiplies each pixel by chance. Crimmins's filter goes through four directions (N-S, E-W, NW-SE,
NE-SW); with a, b, c three pixels in a row it first raises dark pixels, by four rules one after the other over
the whole picture: if a ≥ b + 2 then b + 1; if a > b and b ≤ c then b + 1; if c > b and b ≤ a then b + 1; if c ≥
b + 2 then b + 1. Then it lowers light ones likewise. Each iteration changes a pixel by 16 levels at most. As in the
tutorial, a rule that lacks a pixel beyond the border changes nothing: `filters.crimmins(image, border="cut")`.

| iterations | error |
|---|---|
{crimmins}

![Speckle, and after 1, 4 and 10 iterations](15_crimmins.png)

## Unsharp masking

`filters.unsharp(image, radius=2, percent=150, threshold=3)`: the picture plus 150 % of what a blur of 2 pixels
takes away, where that is more than 3 levels. The numbers mean what they mean in Pillow, and of 8 bits the
result is the same.

![Before and after](15_unsharp.png)
"""

CROP = np.s_[80:208, 190:318]  # the head and the camera


def naive(image: np.ndarray, work) -> np.ndarray:  # work is a filter
    """Filter hue as the number it is not, as the tutorial does."""
    hue, saturation, value = np.moveaxis(colour.hsv(image), 2, 0)
    planes = [work(np.ascontiguousarray(plane)) for plane in (hue / 360, saturation, value)]
    found = np.stack(planes, -1).astype(np.float32) * np.array([360, 1, 1], np.float32)
    return colour.to_uint8(colour.from_hsv(found))


def error(image: np.ndarray, truth: np.ndarray) -> float:
    """Return the root mean square of the difference."""
    return float(np.sqrt(np.mean((image.astype(float) - truth) ** 2)))


def turn(image: np.ndarray, truth: np.ndarray) -> float:
    """Return the largest angle between the hues of two pictures where both have a clear colour."""
    a, b = colour.hsv(image), colour.hsv(truth)
    clear = (np.minimum(a[..., 1], b[..., 1]) > 0.5) & (np.minimum(a[..., 2], b[..., 2]) > 0.3)
    return float(np.abs((a[..., 0] - b[..., 0] + 180) % 360 - 180)[clear].max())


def main(out: Path) -> None:
    """Write the page and its figures."""
    out.mkdir(parents=True, exist_ok=True)
    camera, astronaut = data.camera(), data.astronaut()
    rng = np.random.default_rng(0)

    salted = noise.salt_and_pepper(camera, fraction=0.05, rng=rng)
    smooth = {
        "mean, 9 × 9": filters.mean(salted, size=9),
        "gaussian, 9 × 9": filters.gaussian(salted, size=9),
        "median, 9 × 9": filters.median(salted, size=9),
        "median, 3 × 3": filters.median(salted, size=3),
        "conservative, 5 × 5": filters.conservative(salted, size=5, border="cut"),
    }
    panels = [("5 % salt and pepper", salted), *smooth.items()]
    (out / "15_smoothing.png").write_bytes(sheet([(t, x[CROP]) for t, x in panels], columns=3, side=230, colours=48))
    errors = [error(x, camera) for x in smooth.values()]

    ways = {
        "mean": lambda x, **o: filters.mean(x, size=9, **o),
        "gaussian": lambda x, **o: filters.gaussian(x, size=9, **o),
        "median": lambda x, **o: filters.median(x, size=9, **o),
    }
    part = np.ascontiguousarray(astronaut[310:470, 70:270])
    panels = []
    for name, way in ways.items():
        panels += [(f"{name}, hue a number", naive(part, way)), (f"{name}, hue a circle", way(part, space="hsv")),
                   (f"{name}, in RGB", way(part))]  # fmt: skip
    (out / "15_colour.png").write_bytes(sheet(panels, columns=3, side=220, colours=200))

    head = np.ascontiguousarray(camera[CROP])
    panels = [
        ("4 neighbours, edges", filters.laplacian(head, neighbours=4, edges_only=True)),
        ("8 neighbours, edges", filters.laplacian(head, neighbours=8, edges_only=True)),
        ("of gaussian, sigma 1.4, edges", filters.laplacian_of_gaussian(head, sigma=1.4, edges_only=True)),
        ("4 neighbours, added", filters.laplacian(head, neighbours=4)),
        ("8 neighbours, added", filters.laplacian(head, neighbours=8)),
        ("of gaussian, added", filters.laplacian_of_gaussian(head, sigma=1.4)),
    ]
    (out / "15_edges.png").write_bytes(sheet(panels, columns=3, side=230, colours=48))
    grain = noise.gaussian(np.full((200, 300), 128, np.uint8), sigma=10, rng=rng)
    edges = [filters.laplacian(grain, neighbours=n, edges_only=True).std() for n in (4, 8)]
    edges.append(filters.laplacian_of_gaussian(grain, sigma=1.4, edges_only=True).std())

    kept = frequency.lowpass(camera, radius=30)
    wrapped = frequency.lowpass(camera, radius=30, border="wrap")
    view = np.s_[::3, ::3]
    levels = frequency.spectrum(camera)
    panels = [
        ("camera", camera[view]),
        ("low pass, a square", kept[view]),
        ("low pass, gaussian", frequency.lowpass(camera, radius=30, kind="gaussian")[view]),
        ("spectrum", lambda ax: decibels(levels, ax=ax)),
        ("high pass, a square", frequency.highpass(camera, radius=30)[view]),
        ("high pass, gaussian", frequency.highpass(camera, radius=30, kind="gaussian")[view]),
    ]
    (out / "15_frequencies.png").write_bytes(sheet(panels, columns=3, side=220, colours=24))

    speckled = noise.speckle(camera, sigma=0.15, rng=rng)
    rounds = {n: filters.crimmins(speckled, iterations=n, border="cut") for n in (1, 4, 10)}
    panels = [("speckle", speckled), *((f"after {n}", x) for n, x in rounds.items())]
    (out / "15_crimmins.png").write_bytes(sheet([(t, x[CROP]) for t, x in panels], columns=4, side=230, colours=48))
    lines = [
        f"| 0 | {error(speckled, camera):.1f} |",
        *(f"| {n} | {error(x, camera):.1f} |" for n, x in rounds.items()),
    ]

    panels = [
        ("before", head),
        ("after: radius 2, 150 %, threshold 3", filters.unsharp(head, radius=2, percent=150, threshold=3)),
    ]
    (out / "15_unsharp.png").write_bytes(sheet(panels, columns=2, side=300, colours=64))

    page = PAGE.format(
        salted=error(salted, camera), mean=errors[0], gaussian=errors[1], median=errors[2], median_3=errors[3],
        conservative=errors[4], median_clean=error(filters.median(camera, size=9), camera), sigma=1.7,
        untouched=100 * float((smooth["conservative, 5 × 5"] == salted).mean()),
        naive_turn=turn(naive(part, ways["mean"]), ways["mean"](part)),
        circle_turn=turn(ways["mean"](part, space="hsv"), ways["mean"](part)),
        noise_4=edges[0], noise_8=edges[1], noise_log=edges[2], crimmins="\n".join(lines),
        wrap=np.abs(kept.astype(int) - wrapped)[:, [0, -1]].max(),
    )  # fmt: skip
    (out / "15_image_filters.md").write_text(page)
    print(f"salt and pepper {error(salted, camera):.1f} -> median {errors[2]:.1f}; {out / '15_image_filters.md'}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/examples"))
