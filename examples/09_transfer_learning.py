"""Transfer learning from 30 photographs a class: a network that has seen a million pictures learns a new question.

`python examples/09_transfer_learning.py [FOLDER]` writes 09_transfer_learning.md and its figure. Needs torch.
"""

import csv
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
from skimage import data

import assay
from assay.data import pictures
from assay.errors import InputError
from assay.models import backbone, network
from assay.report import gallery

SIDE, EACH = 224, 30
PARTS = {"train": 18, "val": 6, "test": 6}  # of each class, as in the tutorial
SOURCES = {"grass": data.grass, "gravel": data.gravel}
RECIPE = {
    "unfreeze": "4", "head": 1024, "dropout": 0.5, "optimizer": "rmsprop", "learning_rate": 1e-4,
    "schedule": "constant", "epochs": 5, "mixup": 0.0, "weight_decay": 0.0, "views": 0,
}  # fmt: skip
RIVAL = "cnn:size=32,layers=conv 8, pool, conv 16, pool, dense 32,views=0"
PAGE = """# 9 Transfer learning from 30 photographs a class

Made by `make examples` from `examples/09_transfer_learning.py`.

## 1 Few pictures

Two classes, {each} photographs of {side} x {side} pixels each, here parts of two photographs that come with
scikit-image, made hard: each is darkened or brightened, blurred and covered with noise at random. As in the
tutorial they lie in folders:

```
photos/train/grass/   {train} pictures      photos/val/grass/   {val}      photos/test/grass/   {test}
photos/train/gravel/  {train} pictures      photos/val/gravel/  {val}      photos/test/gravel/  {test}
```

## 2 What is known already stays

A network that was trained on a million photographs ({weights}) knows edges, textures and parts of things. All
of it is *frozen* but the last 4 layers with weights, here the three convolutions of the last block and the one behind
it; then come a dense layer of 1024, dropout 0.5 and one output a class, which learn with RMSprop for 5 epochs in
batches of 32, at a rate of 1e-4. The tutorial's recipe is one command:

```
assay learn photos/ --unfreeze 4 --head 1024 --dropout .5 --optimizer rmsprop --learning-rate 1e-4 --epochs 5 \\
    --schedule constant --mixup 0 --weight-decay 0 --views 0
```

The last line turns off what assay does by itself: a rate that falls, pictures that are mixed, weights that are pulled
to zero, and changed views of each picture to learn from.

**The frozen part runs once.** What it makes of each picture, and of each changed view of it, is kept as 16-bit
numbers; epochs, folds and later runs read that: here {models} trainings, those of cross-validation and the last one.

## 3 Pictures it has not seen

{headline}

![The sealed pictures with the class that the network says](09_test.png)

| | {names} |
|---|{dashes}
{confusion}

## 4 Was it worth it?

0.98 v 0.97 on a dozen pictures says nothing, so the recipe above is compared with other ways of learning on the
same pictures, with an interval of the difference: with a **head** (a line on what the frozen network gives; no torch,
seconds), and with a small **cnn** that begins with random weights and sees the same pictures 40 times at 32 x 32
pixels. Each learns by its own defaults but for what is said of it:

```
assay learn photos/ ... --compare "{rival}"
```

| ways | on the {sealed} sealed pictures | difference | by cross-validation on the others | in words |
|---|---|---|---|---|
{contests}

Start with the head: it costs seconds. Whether more is worth it for your pictures, the interval says. (The pictures
here are parts of two photographs, some of which overlap: an easy question.)

## 5 More classes, other pictures

A folder for each class is all there is to it. `assay predict photos.assay/model.assay new/` labels new pictures
without torch, says "none of these" where it should, `assay describe photos.assay/model.assay` prints the
model's card, and `assay export photos.assay/model.assay model.onnx` writes it for other programs.
"""


def draw(top: Path) -> None:
    """Cut parts at random places, spoil them at random, and write them into the tutorial's folders."""
    rng = np.random.default_rng(0)
    parts = np.repeat(list(PARTS), list(PARTS.values()))
    for name, read in SOURCES.items():
        image = read()
        for i, part in enumerate(parts):
            row, column = (rng.integers(0, size - SIDE // 2) for size in image.shape[:2])
            cut = cv2.resize(image[row : row + SIDE // 2, column : column + SIDE // 2], (SIDE, SIDE))
            spoiled = cv2.GaussianBlur(cut.astype(np.float32), (0, 0), rng.uniform(1, 4)) * rng.uniform(0.4, 1.2)
            spoiled += rng.normal(0, rng.uniform(5, 25), cut.shape)
            (top / part / name).mkdir(parents=True, exist_ok=True)
            pictures.write(top / part / name / f"{i:02d}.png", np.clip(spoiled, 0, 255).astype(np.uint8))


def main(out: Path) -> None:
    """Write the page and its figure."""
    try:
        network.torch()
    except InputError as e:
        print(f"Nothing is made: {e}")
        return
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        top = Path(temporary)
        draw(top / "photos")
        began = time.perf_counter()
        found = assay.learn(top / "photos", compare=[RIVAL], out=top / "photos.assay", processes=1, **RECIPE)
        seconds = time.perf_counter() - began
        with Path(found.table).open() as file:
            rows = [row for row in csv.DictReader(file) if row["part"] == "test"]
        shown = [pictures.read(top / "photos" / row["file"]) for row in rows]
        captions = [
            f"{row['predicted']}{'' if row['predicted'] == row['label'] else ', is ' + row['label']}" for row in rows
        ]
        (out / "09_test.png").write_bytes(gallery.grid(shown, captions=captions, columns=6, side=56))
    names = list(SOURCES)
    counts = {(a, b): sum(r["label"] == a and r["predicted"] == b for r in rows) for a in names for b in names}
    page = PAGE.format(
        each=EACH,
        side=SIDE,
        weights=backbone.identity().split(":")[0],
        models=6,
        rival=RIVAL,
        headline=found.headline,
        names=" | ".join(f"said {name}" for name in names),
        dashes="---|" * len(names),
        confusion="\n".join(f"| is {a} | {' | '.join(str(counts[a, b]) for b in names)} |" for a in names),
        sealed=len(rows),
        contests="\n".join(
            f"| {c.first} v {c.second} | {c.first_accuracy.value:.2f} v {c.second_accuracy.value:.2f} | "
            f"{c.accuracy.value:+.2f} ({c.accuracy.low:+.2f} to {c.accuracy.high:+.2f}) | "
            f"{c.out_of_fold.value:+.2f} ({c.out_of_fold.low:+.2f} to {c.out_of_fold.high:+.2f}) | {c.words} |"
            for c in found.contests
        ),
        **PARTS,
    )
    (out / "09_transfer_learning.md").write_text(page)
    print(f"{found.headline} {seconds:.0f} s")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/examples"))
