"""Augmentation: 289 pictures become 2,000, and for each is known where it came from and what was changed.

`python examples/06_augmentation.py [FOLDER]` writes 06_augmentation.md and its figures; docs/examples by default.
"""

import csv
import sys
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
from skimage import data

import assay
from assay.data import pictures
from assay.pixels import augment
from assay.pixels.augment import Draw
from assay.pixels.recipes import RECIPES, Recipe
from assay.report import gallery, plots

PHOTOS = ("astronaut", "brick", "camera", "chelsea", "coffee", "coins", "grass", "rocket")  # of scikit-image
PAGE = """# 6 Augmentation: 289 pictures become 2,000

Made by `make examples` from `examples/06_augmentation.py`.

A network that has seen a cat only from one side, in one light, learns that side and that light. Changed copies of the
pictures there are show it the rest: turned, mirrored, moved, noisy, out of focus.

## The seven changes, one at a time

![One picture, and the same after each of seven changes](06_changes.png)

A **shift** moves each pixel: X = x + dx, Y = y + dy. A **rotation** goes clockwise or anticlockwise, a **flip** across
or down, **noise** adds a normal number to each value, and **blur** is a Gaussian. What comes in from outside is
mirrored here; `fill_mode` may also be `constant`, `nearest` or `wrap`:

![Four ways to fill what a shift leaves open](06_fills.png)

However many changes of geometry there are, they are **one matrix**, and each pixel is interpolated once. For flip,
rotation and shift together on a picture of {height} x {width}:

```
{matrix}
```

It says where things are after the change. The centre of the picture, ({x:.1f}, {y:.1f}), goes to ({u:.1f}, {v:.1f}).

## 289 -> 2,000

```python
import assay

made = assay.augment("photos/", "more/", count=2000, recipe="seven")
```

The folder holds {sources} pictures, {grey} of them grey. A random number of random changes is made to each:
{written:,} pictures. Every source is used {least} or {most} times.

![Pictures, and what became of them](06_wall.png)

How many changes a picture got, and how often each was among them; a number between 1 and 7 is drawn, so that each is as
likely, and on average 4 of 7 are made:

![Bars: pictures by number of changes, all about {share:.0f}; and by change, all about {of_each:.0f}](06_counts.png)

`more/provenance.csv` has a row for each file:

| file | source | label | transforms | seed | index |
|---|---|---|---|---|---|
{rows}

Seed and index are all that chance depends on. So the number of processes changes nothing, and any file can be made
again:

```python
rng = augment.generator(seed=0, index={index})
again = augment.vary(picture, recipe=RECIPES["seven"], rng=rng)
```

Made again here, it differs from the file in **{different}** pixels.

## What to keep in mind

- **Split first.** A changed copy of a test picture in training makes every figure a lie. From `train`, `val` and `test`
  folders only `train` is used; `--split photos.assay` uses only what a run has trained on.
- `--balance` gives rare classes more, `--per-class` the same number to each.
- A flip is no harmless change where left and right mean something: letters, road signs, hearts.
"""


def main(out: Path) -> None:
    """Make the pictures, count what was done, and write page and figures."""
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        photos, more = Path(temporary) / "photos", Path(temporary) / "more"
        fill(photos, 289)
        made = assay.augment(photos, more, count=2000, recipe="seven")
        print(f"{sum(made.written.values()):,} pictures from {made.sources} in {made.seconds:.1f} s")
        with Path(made.table).open(newline="") as file:
            table = list(csv.DictReader(file))
        uses = Counter(row["source"] for row in table)

        cat = data.chelsea()[40:280, 60:420]
        changes(cat, out)
        fills(cat, out)
        wall(photos, more, table, out)
        counts(table, out)

        drawn = Draw({"horizontal_flip": (), "rotation_range": (20.0,), "width_shift_range": (0.1,)})
        matrix = augment.matrix(drawn, shape=cat.shape)
        centre = np.array([(cat.shape[1] - 1) / 2, (cat.shape[0] - 1) / 2, 1])
        chosen = next(row for row in table if row["file"].endswith(".png") and len(row["transforms"]) > 60)
        rng = augment.generator(seed=int(chosen["seed"]), index=int(chosen["index"]))
        again = augment.vary(pictures.read(photos / chosen["source"]), recipe=RECIPES["seven"], rng=rng)
        different = int(np.count_nonzero(again != pictures.read(more / chosen["file"])))
        grey = sum(pictures.read(p).ndim == 2 for p in photos.rglob("*.png"))
    lines = [f"| {' | '.join(row.values())} |" for row in table[:3]]
    text = PAGE.format(
        height=cat.shape[0], width=cat.shape[1], matrix=np.array2string(matrix, precision=3, suppress_small=True),
        x=centre[0], y=centre[1], u=(matrix @ centre)[0], v=(matrix @ centre)[1],
        sources=made.sources, grey=grey, written=len(table),
        least=min(uses.values()), most=max(uses.values()), share=len(table) / 7, of_each=len(table) * 4 / 7,
        rows="\n".join(lines), index=chosen["index"], different=different,
    )  # fmt: skip
    (out / "06_augmentation.md").write_text(text)
    print(out / "06_augmentation.md")


def fill(folder: Path, count: int) -> None:
    """Cut parts out of photographs, colour and grey: a folder as a person might have it."""
    rng = np.random.default_rng(6)
    for i in range(count):
        name = PHOTOS[i % len(PHOTOS)]
        photo = getattr(data, name)()
        height, width = 100, 140
        top, left = (int(rng.integers(0, n - m)) for n, m in zip(photo.shape, (height, width), strict=False))
        path = folder / name / f"{i:03d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        pictures.write(path, photo[top : top + height, left : left + width])


def changes(cat: np.ndarray, out: Path) -> None:
    """Draw one picture after each change alone."""
    each: dict[str, Draw] = {
        "as it was": Draw({}),
        "rotation 25° (anticlockwise)": Draw({"rotation_range": (25.0,)}),
        "rotation -25° (clockwise)": Draw({"rotation_range": (-25.0,)}),
        "horizontal flip": Draw({"horizontal_flip": ()}),
        "vertical flip": Draw({"vertical_flip": ()}),
        "shift 60 right, 30 down": Draw({"width_shift_range": (60.0, 1.0), "height_shift_range": (30.0, 1.0)}),
        "noise, sigma 20 of 255": Draw({"noise_range": (20.0, 0.5)}),
        "blur, sigma 3 pixels": Draw({"blur_range": (3.0,)}),
    }
    tiles = [augment.apply(cat, drawn) for drawn in each.values()]
    (out / "06_changes.png").write_bytes(gallery.grid(tiles, captions=list(each), columns=4, side=90))


def fills(cat: np.ndarray, out: Path) -> None:
    """Draw the ways to fill what comes in from outside."""
    moved = {"width_shift_range": (0.3,), "rotation_range": (15.0,)}
    names = ["constant", "nearest", "reflect", "wrap"]
    tiles = [augment.apply(cat, Draw(moved, name)) for name in names]
    (out / "06_fills.png").write_bytes(gallery.grid(tiles, captions=names, columns=4, side=90))


def wall(photos: Path, more: Path, table: list[dict[str, str]], out: Path) -> None:
    """Draw a few pictures with what became of them."""
    tiles, captions = [], []
    for name in ("astronaut", "coffee", "rocket"):
        own = [row for row in table if row["label"] == name]
        some = [row for row in own if row["source"] == own[0]["source"]][:4]
        tiles += [pictures.read(photos / own[0]["source"]), *(pictures.read(more / row["file"]) for row in some)]
        names = ([c.split()[0].rpartition("_")[2] for c in row["transforms"].split("; ")] for row in some)
        captions += [own[0]["source"], *(", ".join(dict.fromkeys(n)) for n in names)]
    (out / "06_wall.png").write_bytes(gallery.grid(tiles, captions=captions, columns=5, side=72))


def counts(table: list[dict[str, str]], out: Path) -> None:
    """Draw how often how much was done, and how often each change."""
    made = [[c.split()[0] for c in row["transforms"].split("; ")] for row in table]
    number = Counter(map(len, made))
    each = Counter(name for names in made for name in names)
    recipe: Recipe = RECIPES["seven"]

    def draw(ax) -> None:
        names = [f"{n} change{'s' * (n > 1)}" for n in sorted(number)]
        names += [name.removesuffix("_range").replace("_", " ") for name in recipe.changes()]
        values = [number[n] for n in sorted(number)] + [each[n.removesuffix("_range")] for n in recipe.changes()]
        rows = [*range(7), *range(8, 15)]
        ax.barh(rows, values, color=[plots.ACCENT] * 7 + [plots.DIM] * 7, height=0.7)
        for y, value in zip(rows, values, strict=True):
            ax.text(value + 15, y, f"{value:,}", va="center", color=plots.INK)
        ax.set_yticks(rows, names)
        ax.invert_yaxis()
        ax.set_xlabel("pictures", color=plots.DIM)
        ax.spines[:].set_visible(False)
        ax.tick_params(length=0, labelcolor=plots.DIM)
        ax.set_xlim(0, max(values) * 1.12)

    (out / "06_counts.png").write_bytes(plots.png(draw, size=(640, 420)))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("docs/examples"))
