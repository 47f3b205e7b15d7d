"""Faces from few numbers: the mean face, components, cumulative variance, and what comes back from 10, 20, 50, 80.

`python examples/11_compression.py [FOLDER]` writes 11_compression.md and its figures; docs/examples by default.
The hundred faces of 25 x 25 pixels are those of scikit-image's `lfw_subset`, so 80 components are about the most there
is to keep; `assay compress` does the same on a folder of larger ones.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from skimage import data

import assay
from assay.data import pictures
from assay.pixels import fidelity
from assay.pixels.eigen import EigenPictures
from assay.report import panels, plots

LEVELS = (10, 20, 50, 80)
SHOWN = (4, 32, 61)  # faces that are built again
PAGE = """# 11 Compression of faces by principal components

Made by `make examples` from `examples/11_compression.py`.

## 1 Pictures as rows

{n} faces of {height} x {width} grey pixels (scikit-image's `lfw_subset`, taken from Labeled Faces in the Wild), each a
row of {d} numbers: `X` is {n} x {d}.

## 2 The mean face, and the components

The mean is subtracted, nothing is scaled. With the singular value decomposition of what is left, x = U D V', the rows
of V' are the **components**, and z = U D are the **scores**: how much of each component a face holds.

```python
from assay.pixels.eigen import EigenPictures

fit = EigenPictures({most}).fit(X)
scores = fit.transform(X)
```

![The mean face and the first five components](11_components.png)

A component is drawn from its lowest to its highest loading; mid-grey adds nothing. Components are orthonormal (here to
{orthonormal:.0e}), and their sign is fixed: the largest loading is positive.

## 3 Variance

![Cumulative variance against the number of components](11_variance.png)

| component | variance, grey levels² | share | cumulative |
|---|---|---|---|
{variances}

## 4 Faces from their first components

A face is the mean face plus its scores times the components: `fit.inverse_transform(scores[:, :k])`.

![Three faces beside what comes back from 10, 20, 50 and 80 components](11_rebuilt.png)

## 5 What it costs, and what it does to new faces

Of {total} faces {held} were **held out of the fit**. The others come back better, because the components were made from
them: to judge a compression by the pictures it was fitted to is to flatter it.

![PSNR against the number of components, for faces of the fit and for others](11_fidelity.png)

| components | variance | bytes kept | of the pixels | PSNR in dB, in the fit | not in the fit | SSIM, not in the fit |
|---|---|---|---|---|---|---|
{levels}

In brackets is the 95 % interval of the mean over faces (Student's t). The bytes are those of the mean, the components
and the scores; with {total} small faces the components weigh more than the faces do, and they are saved only once
however many faces follow.

## From the command line

```
assay compress photos/ --components 5,10
assay decompress photos.compressed/pictures.safetensors back/
```

The first writes the file, these figures and a report; the second turns the file back into pictures.
"""


def main(out: Path) -> None:
    """Write the page and its figures."""
    out.mkdir(parents=True, exist_ok=True)
    faces = (data.lfw_subset()[:100] * 255).round().astype(np.uint8)  # the other hundred are no faces
    n, height, width = faces.shape
    X = faces.reshape(n, -1)
    fit = EigenPictures(LEVELS[-1]).fit(X)
    scores = fit.transform(X)

    mean = fit.mean_.reshape(height, width).round().astype(np.uint8)
    first = []
    for i, row in enumerate(fit.components_[:5]):
        shades = (row / np.abs(row).max() * 127.5 + 127.5).astype(np.uint8).reshape(height, width)
        first.append((shades, f"component {i + 1}\n{100 * fit.explained_variance_ratio_[i]:.1f} % of variance"))
    (out / "11_components.png").write_bytes(panels.sheet([("", [(mean, "mean face"), *first])], cell=120))

    def variance(ax: Axes) -> None:
        panels.variance(fit.explained_variance_ratio_, LEVELS, ax=ax)

    (out / "11_variance.png").write_bytes(plots.png(variance, size=(560, 360)))

    rows = []
    for i in SHOWN:
        built = []
        for k in LEVELS:
            image = fit.inverse_transform(scores[i : i + 1, :k]).clip(0, 255).round().astype(np.uint8)
            image = image.reshape(height, width)
            built.append((image, f"{k} components\n{fidelity.psnr(faces[i], image):.1f} dB"))
        rows.append((f"Face {i}", [(faces[i], "original"), *built]))
    (out / "11_rebuilt.png").write_bytes(panels.sheet(rows, cell=120))

    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "faces"
        folder.mkdir()
        for i, face in enumerate(faces):
            pictures.write(folder / f"{i:03d}.png", face)
        levels = [k for k in LEVELS if k < LEVELS[-1]]
        made = assay.compress(folder, components=levels, out=Path(temporary) / "out", side=height, held_out=0.25)

    def quality(ax: Axes) -> None:
        known = [(level.components, level.psnr) for level in made.levels]
        new = [(level.components, level.psnr_new) for level in made.levels]
        panels.quality({"in the fit": known, "not in the fit": new}, name="PSNR, dB (higher is closer)", ax=ax)

    (out / "11_fidelity.png").write_bytes(plots.png(quality, size=(560, 360)))

    variances = fit.explained_variance_
    reached = np.cumsum(fit.explained_variance_ratio_)
    page = PAGE.format(
        n=n,
        height=height,
        width=width,
        d=X.shape[1],
        most=LEVELS[-1],
        orthonormal=np.abs(fit.components_ @ fit.components_.T - np.eye(LEVELS[-1])).max(),
        variances="\n".join(
            f"| {i + 1} | {variances[i]:,.0f} | {fit.explained_variance_ratio_[i]:.1%} | {reached[i]:.1%} |"
            for i in (0, 1, 2, 3, 4, *(k - 1 for k in LEVELS))
        ),
        total=made.pictures,
        held=made.pictures - made.fitted,
        levels="\n".join(
            f"| {x.components} | {x.variance:.1%} | {x.bytes_kept:,} | {x.bytes_kept / x.bytes_raw:.0%} "
            f"| {x.psnr.value:.1f} [{x.psnr.low:.1f}, {x.psnr.high:.1f}] "
            f"| {x.psnr_new.value:.1f} [{x.psnr_new.low:.1f}, {x.psnr_new.high:.1f}] "
            f"| {x.ssim_new.value:.3f} [{x.ssim_new.low:.3f}, {x.ssim_new.high:.3f}] |"
            for x in made.levels
        ),
    )
    (out / "11_compression.md").write_text(page)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/examples"))
