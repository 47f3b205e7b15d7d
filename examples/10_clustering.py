"""Clustering pictures: features, k-means and four others, how many groups, a map, and colours as another likeness.

`python examples/10_clustering.py [FOLDER]` writes 10_clustering.md and its figures; docs/examples by default.
The pictures are 64 parts of four photographs and textures of scikit-image, sixteen of each, and 200 of scikit-learn's
digits. `assay group` does the same on a folder.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
from skimage import data
from sklearn.datasets import load_digits

import assay
from assay.data import pictures
from assay.report import gallery, grouping

SOURCES = {"brick": data.brick, "grass": data.grass, "gravel": data.gravel, "coffee": data.coffee}
EACH, SIDE = 16, 128
METHODS = ("kmeans", "hierarchical", "hdbscan", "dbscan", "meanshift")
TINTS = ((1.0, 0.45, 0.4), (0.45, 1.0, 0.5), (0.5, 0.6, 1.0))
PAGE = """# 10 Clustering pictures

Made by `make examples` from `examples/10_clustering.py`.

## 1 Pictures without labels

{n} parts of {side} x {side} pixels of four pictures that come with scikit-image: {each} each of {names}. Some
overlap, as photographs of one place do. Their folders say which is which; **the grouping does not look at that**, it
is only judged by it.

![Two parts of each of the four](10_pictures.png)

## 2 Features

A picture is not compared by its pixels, but by what a network that was trained on ImageNet says of it: its last layer
is taken off, what comes out below is averaged over the picture. The tutorial takes ResNet50 and gets 2,048 numbers
from 224 x 224 pixels; here it is EfficientNet-Lite0 and 1,280 numbers. They are brought to length 1 and to the 50
directions in which they vary most.

## 3 k-means

```
assay group photos/ --k 2
```

k-means puts k middles among the points, gives each picture to the nearest middle, moves each middle to the mean of its
pictures, and repeats. With k = 4, **{right} of {n} pictures** are right once each group is called after one label:

| | value | 95 % interval |
|---|---|---|
{agreement}

The first is about 0 for groups that have nothing to do with the labels, whatever their number; the second is not, and
flatters many small groups; the last calls no two groups after the same label. Pictures that are copies of each other
are drawn together for the intervals.

## 4 How many groups?

Where k is not known, two curves point to it.

![Mean squared distance to the middle of the group against k](10_elbow.png)

More groups are always tighter: where the curve bends, more stop paying. It bends most at **{bend}**.

![Silhouette against k](10_silhouettes.png)

The silhouette of a picture is (b - a) / max(a, b): a is its mean distance to its own group, b that to the nearest other
one. It is highest at **{best}**. When it is not told a number, `assay group` takes the fewest groups that come as high
but for chance (two standard errors), of 2 to one for each 8 pictures, 40 at most.

## 5 Other algorithms

| | groups | in none | adjusted Rand index | accuracy of the best match | worth |
|---|---|---|---|---|---|
{methods}

Hierarchical joins, two by two, what makes the groups grow least (Ward). DBSCAN and HDBSCAN look for dense places, find
their number themselves, and leave out what lies alone; mean shift climbs to where pictures are densest. Those three
look at 10 directions, because in many more all pictures are about as far from each other, and ask which way a picture
lies from the mean rather than how far: pictures that show little of anything lie in the middle, and would join all.

## 6 The map

t-SNE lays the pictures on a plane so that near ones stay near; groups are the colours of the borders.

![Map of the pictures, like ones together](10_map.jpg)

## 7 Colour as likeness

Where colour is what matters, pictures are compared by their histogram over hue, saturation and value (8 x 4 x 4 bins,
square roots). Here the same pictures are tinted red, green or blue at random, and the colours are the labels:

| features | adjusted Rand index with the tint |
|---|---|
{colours}

```
assay group photos/ --features hsv
```

## 8 Are there groups at all?

Any algorithm cuts anything into k groups. So each answer is compared with one normal cloud of the same spread, which
has none, and found again in two halves of the pictures. "clear" is far apart and stable; "weak" is cut differently in
other pictures; **"none" is an answer too**:

| pictures | asked for | silhouette | of two halves (adjusted Rand index) | worth |
|---|---|---|---|---|
| the four kinds | 4 | {own} | {stable} | {worth} |
| {one_n} parts of gravel alone | 3 | {one} | {one_stable} | {one_worth} |
| {digits_n} digits of 8 x 8 pixels | 10 | {digits} | {digits_stable} | {digits_worth} |

The digits come out with an accuracy of {digits_accuracy}, where a guess has about 0.1: more than
chance, but the network has learned from photographs, and sees no heaps here. That groups are not worth the name does
not say that labels could not be learned.

## From the command line

```
assay group photos/ --method hierarchical --k 2 --into sorted/
```

It writes a page with the nearest and the farthest pictures of each group, a table, both curves and the map, and copies
each picture into the folder of its group; your own stay where they are.
"""


def parts(image: np.ndarray, count: int, *, rng: np.random.Generator) -> list[np.ndarray]:
    """Cut parts at random places."""
    rows, columns = (rng.integers(0, size - SIDE, count) for size in image.shape[:2])
    return [image[r : r + SIDE, c : c + SIDE] for r, c in zip(rows, columns, strict=True)]


def main(out: Path) -> None:
    """Write the page and its figures."""
    out.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as temporary:
        top = Path(temporary)
        cut = {name: parts(read(), EACH, rng=rng) for name, read in SOURCES.items()}
        for name, images in cut.items():
            (top / "photos" / name).mkdir(parents=True)
            for i, image in enumerate(images):
                pictures.write(top / "photos" / name / f"{i:02d}.png", image)
        shown = [image for images in cut.values() for image in images[:2]]
        captions = [name for name in cut for _ in range(2)]
        (out / "10_pictures.png").write_bytes(gallery.grid(shown, captions=captions, columns=8, side=64))

        space = top / "photos.assay"
        told = {
            method: assay.group(top / "photos", method=method, k=4 if method in METHODS[:2] else None, out=space)
            for method in METHODS[1:]
        }
        found = told["kmeans"] = assay.group(top / "photos", k=4, out=space)
        (out / "10_map.jpg").write_bytes((space / "map.jpg").read_bytes())
        first, second = grouping.curves(found.silhouettes, found.spreads, chosen=len(found.groups), bend=found.bend)
        (out / "10_silhouettes.png").write_bytes(first)
        (out / "10_elbow.png").write_bytes(second)

        for i, image in enumerate(image for images in cut.values() for image in images):
            colour = int(rng.integers(3))
            (top / "tinted" / "rgb"[colour]).mkdir(parents=True, exist_ok=True)
            solid = image if image.ndim == 3 else np.dstack([image] * 3)
            pictures.write(top / "tinted" / "rgb"[colour] / f"{i:02d}.png", (solid * TINTS[colour]).astype(np.uint8))
        tinted = [
            (name, assay.group(top / "tinted", features=name, k=3, out=top / "tinted.assay"))
            for name in ("network", "hsv")
        ]

        (top / "gravel").mkdir()
        for i, image in enumerate(parts(data.gravel(), 60, rng=rng)):
            pictures.write(top / "gravel" / f"{i:02d}.png", image)
        one = assay.group(top / "gravel", k=3, out=top / "gravel.assay")

        digits = load_digits()
        for i in range(200):
            place = top / "digits" / str(digits.target[i])
            place.mkdir(parents=True, exist_ok=True)
            large = np.kron(digits.images[i] * 255 / 16, np.ones((12, 12))).astype(np.uint8)
            pictures.write(place / f"{i:03d}.png", large)
        drawn = assay.group(top / "digits", k=10, out=top / "digits.assay")

    accuracy = found.agreement["accuracy of the best match"]
    page = PAGE.format(
        n=found.pictures,
        side=SIDE,
        each=EACH,
        names=", ".join(cut),
        right=round(accuracy.value * found.pictures) if accuracy else 0,
        agreement="\n".join(f"| {name} | {value(e)} | {interval(e)} |" for name, e in found.agreement.items()),
        bend=found.bend,
        best=found.best,
        methods="\n".join(
            f"| {method} | {len(told[method].groups)} | {told[method].ungrouped} "
            f"| {said(told[method].agreement['adjusted Rand index'])} "
            f"| {said(told[method].agreement['accuracy of the best match'])} | {told[method].worth} |"
            for method in METHODS
        ),
        colours="\n".join(f"| {name} | {said(x.agreement['adjusted Rand index'])} |" for name, x in tinted),
        own=short(found.silhouette),
        stable=short(found.stability),
        worth=found.worth,
        one_n=one.pictures,
        one=short(one.silhouette),
        one_stable=short(one.stability),
        one_worth=one.worth,
        digits_n=drawn.pictures,
        digits=short(drawn.silhouette),
        digits_stable=short(drawn.stability),
        digits_worth=drawn.worth,
        digits_accuracy=said(drawn.agreement["accuracy of the best match"]),
    )
    (out / "10_clustering.md").write_text(page)


def short(x: float | None) -> str:
    """Write a number that may not be known."""
    return "–" if x is None else f"{x:.2f}"


def value(e: assay.Estimate | None) -> str:
    """Write what an estimate is."""
    return "cannot be said" if e is None else f"{e.value:.2f}"


def interval(e: assay.Estimate | None) -> str:
    """Write its interval."""
    return "" if e is None else f"{e.low:.2f} to {e.high:.2f}"


def said(e: assay.Estimate | None) -> str:
    """Write both."""
    return f"{value(e)} [{interval(e)}]" if e else value(e)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/examples"))
