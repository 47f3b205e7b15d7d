"""How alike are two pictures? Mean squared error and SSIM, pair by pair, and where two pictures differ.

`python examples/08_mse_and_ssim.py [FOLDER]` writes 08_mse_and_ssim.md and its figures; docs/examples by default.
"""

import sys
from itertools import combinations
from pathlib import Path

import cv2
import numpy as np
from skimage import data
from sklearn.datasets import load_sample_image

from assay.pixels import colour, fidelity, geometry
from assay.report import panels

SIZE = (200, 300)  # height and width that all pictures are brought to
KINDS = {
    "cat": data.chelsea,
    "gate": lambda: load_sample_image("china.jpg"),
    "rocket": data.rocket,
    "brick": data.brick,
    "grass": data.grass,
    "gravel": data.gravel,
}
PAGE = """# 8 Mean squared error and SSIM

Made by `make examples` from `examples/08_mse_and_ssim.py`.

**Mean squared error** is the mean over all pixels of the squared difference: 0 for the same picture, without an upper
end, in squared grey levels. **SSIM** compares brightness, contrast and structure under a window that moves over the
picture: 1 for the same picture, about 0 for two that have nothing in common, below 0 where one is the negative of the
other. Here the window is the gaussian of the paper, 11x11 of sigma 1.5; under the other usual window, 7x7 and uniform,
the same pictures score otherwise, so a score without its window says little.

## 1 Load, bring to one size, make grey

The pictures come with scikit-image and scikit-learn. Each is brought to {width} x {height} pixels and made grey
(0.299 red + 0.587 green + 0.114 blue).

```python
from assay.pixels import colour, fidelity, geometry

image = colour.grey(geometry.reshape(picture, shape=({height}, {width})))
```

## 2 A picture with itself

`fidelity.mse(cat, cat)` is **{self_mse:g}** and `fidelity.ssim(cat, cat)` is **{self_ssim:g}**, both exactly.

## 3 Three that are unlike, and three textures

![Six pairs of pictures with their mean squared error and SSIM](08_pairs.png)

| pair | MSE, grey levels² | SSIM, gaussian 11x11 | SSIM, uniform 7x7 | PSNR, dB |
|---|---|---|---|---|
{pairs}

The two orders differ: of these pairs {mse_most} has the smallest error and {ssim_most} the highest SSIM.

## 4 Five changes of one picture that have the same error

Each change below has a mean squared error of about {target:.0f}. Error cannot tell them apart; SSIM can.

![One picture brightened, stretched, with noise, blurred and with blocks: errors are alike, SSIM is not](08_changes.png)

| change | MSE, grey levels² | PSNR, dB | SSIM | MS-SSIM, five scales |
|---|---|---|---|---|
{changes}

## 5 Where they differ

`fidelity.ssim_map` keeps the score of every pixel.

![The picture, the one with blocks, their difference, and the SSIM map](08_map.png)

## From the command line

```
assay compare first.jpg second.jpg --out compared/
assay compare photos/
```

The first prints the figures and draws the difference. The second compares every two pictures of a folder, and draws the
matrix, the most and the least alike pairs. Pictures of different size are compared at the smaller height and width of
the two, and the result says so.
"""


def grey(name: str) -> np.ndarray:
    """Load a picture, bring it to the common size, and make it grey."""
    return colour.grey(geometry.reshape(np.ascontiguousarray(KINDS[name]()), shape=SIZE))


def changed(image: np.ndarray, target: float) -> dict[str, np.ndarray]:
    """Change a picture in five ways, each until its mean squared error is as large as wanted."""
    noise = np.random.default_rng(0).normal(size=image.shape)
    middle = image.mean()

    def blocks(strength: float) -> np.ndarray:
        coded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, max(round(100 - 99 * strength), 1)])[1]
        return cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE)

    ways = {
        "brightened": lambda s: image + 100.0 * s,
        "stretched": lambda s: middle + (image - middle) * (1 + 2 * s),
        "noise": lambda s: image + noise * 100 * s,
        "blurred": lambda s: cv2.GaussianBlur(image, (0, 0), 0.3 + 12 * s),
        "blocks": blocks,
    }
    found = {}
    for name, way in ways.items():
        steps = [np.clip(way(s), 0, 255).round().astype(np.uint8) for s in np.linspace(0.005, 1, 200)]
        found[name] = min(steps, key=lambda x: abs(fidelity.mse(image, x) - target))
    return found


def main(out: Path) -> None:
    """Write the page and its figures."""
    out.mkdir(parents=True, exist_ok=True)
    images = {name: grey(name) for name in KINDS}
    gap = np.full((SIZE[0], 6), 255, np.uint8)
    pairs, scores = [], {}
    for trio in (("cat", "gate", "rocket"), ("brick", "grass", "gravel")):
        row = []
        for a, b in combinations(trio, 2):
            x, y = images[a], images[b]
            scores[a, b] = (
                fidelity.mse(x, y), fidelity.ssim(x, y), fidelity.ssim(x, y, window="uniform"), fidelity.psnr(x, y)
            )  # fmt: skip
            row.append(
                (np.hstack([x, gap, y]), f"{a} and {b}\nMSE {scores[a, b][0]:,.0f}   SSIM {scores[a, b][1]:.3f}")
            )
        pairs.append(("", row))
    (out / "08_pairs.png").write_bytes(panels.sheet(pairs, cell=160))

    cat, target = images["cat"], 163.5
    changes = changed(cat, target)
    drawn = [(cat, "original")]
    lines = []
    for name, image in changes.items():
        mse, ssim, psnr = fidelity.mse(cat, image), fidelity.ssim(cat, image), fidelity.psnr(cat, image)
        drawn.append((image, f"{name}\nMSE {mse:.0f}\nSSIM {ssim:.3f}"))
        lines.append(f"| {name} | {mse:.1f} | {psnr:.2f} | {ssim:.3f} | {fidelity.ms_ssim(cat, image):.3f} |")
    (out / "08_changes.png").write_bytes(panels.sheet([("", drawn[:3]), ("", drawn[3:])], cell=100))

    worse = changes["blocks"]
    alike = np.clip(fidelity.ssim_map(cat, worse), 0, 1)
    difference = cv2.convertScaleAbs(cv2.absdiff(cat, worse), alpha=4)
    parts = [(cat, "original"), (worse, "with blocks"), (difference, "difference x 4\nblack: none"),
             (alike, "SSIM map\nwhite: alike")]  # fmt: skip
    (out / "08_map.png").write_bytes(panels.sheet([("", parts)], cell=140))

    page = PAGE.format(
        height=SIZE[0],
        width=SIZE[1],
        self_mse=fidelity.mse(cat, cat),
        self_ssim=fidelity.ssim(cat, cat),
        pairs="\n".join(
            f"| {a} and {b} | {mse:,.1f} | {ssim:.3f} | {uniform:.3f} | {psnr:.2f} |"
            for (a, b), (mse, ssim, uniform, psnr) in scores.items()
        ),
        mse_most=" and ".join(min(scores, key=lambda pair: scores[pair][0])),
        ssim_most=" and ".join(max(scores, key=lambda pair: scores[pair][1])),
        target=target,
        changes="\n".join(lines),
    )
    (out / "08_mse_and_ssim.md").write_text(page)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/examples"))
