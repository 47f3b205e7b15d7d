"""Data generators: pictures of folders in batches, split, changed and tied to their names.

`python examples/13_batches.py [FOLDER]` writes 13_batches.md and its figures; docs/examples by default.
"""

import sys
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
from skimage import data
from sklearn.linear_model import SGDClassifier
from sklearn.preprocessing import StandardScaler

from assay.data import pictures
from assay.data.batches import Batches
from assay.pixels.recipes import Recipe
from assay.report import gallery

TEXTURES = {"brick": "brick", "grass": "grass", "gravel": "gravel", "cat": "chelsea", "coffee": "coffee"}
EACH = 48  # pictures a class
RECIPE = Recipe(
    horizontal_flip=0.5,
    rotation_range=20,
    width_shift_range=0.1,
    height_shift_range=0.1,
    brightness_range=0.2,
    fill_mode="reflect",
)
PAGE = """# 13 Data generators: batches from folders

Made by `make examples` from `examples/13_batches.py`.

A data set seldom fits into memory as arrays. A generator reads pictures as they are needed, some of them ahead on other
threads, and hands them over in batches, so that the training loop has no line about files in it.

## From a folder

One folder per class, {each} pictures of each of {classes} textures, and one file that was cut short:

```python
from assay.data.batches import Batches
from assay.pixels.recipes import Recipe

recipe = Recipe(horizontal_flip=0.5, rotation_range=20, width_shift_range=0.1, height_shift_range=0.1,
                brightness_range=0.2, fill_mode="reflect")
batches = Batches.from_directory("textures/", image_size=(128, 128), batch_size=32, recipe=recipe)
```

```
{found}
```

The bad file is named, and nothing ends. A shift under 1 is a share of the side, from 1 on it is pixels.

| | |
|---|---|
| `batches.samples` | {samples} |
| `batches.class_indices` | {indices} |
| `len(batches)`, steps per epoch = ceil({samples} / 32) | {steps} |
| `x.shape`, `x.dtype`, range | {shape}, {dtype}, {low:.2f} to {high:.2f} |
| `y.shape`, `y[0]` (`class_mode="categorical"`) | {yshape}, {y0} |

`report.gallery.grid(batch, names=batches.class_names)` draws a batch:

![A batch of 32 changed textures under the names of their classes](13_batch.png)

Each time through, order and changes are others; `reset()` begins again with the first. They depend on the seed alone:
with 1 worker and with 3 the batches are the same, bit for bit: **{same}**.

## Split

`validation_split=0.2, test_split=0.2` and `subset="training"`, `"validation"` or `"test"`. The split is by label, keeps
copies and near copies together, and changes are made to training pictures alone:

| | {names} |
|---|{dashes}
{split}

With `splits="splits.json"` it is remembered, and pictures added later move none. Three folders `train`, `val` and
`test` do as well.

## Train, and tie predictions to file names

A linear classifier on six numbers a picture (mean and spread of brightness, of its rows and of its columns), learned
batch by batch for {epochs} epochs:

```python
for _ in range({epochs}):
    for x, y in training:
        classifier.partial_fit(features(x), y, classes=range({classes}))
```

With `shuffle=False` batches come in the order of `filenames`, so that predictions are tied to names. {right} of {total}
test pictures are right (an exercise, no figure of merit: squares cut from one photograph overlap). The first of each
class:

| file | predicted | |
|---|---|---|
{rows}

## For Keras and PyTorch

```
network.fit(training.stream(), steps_per_epoch=len(training), epochs=5, shuffle=False,
            validation_data=validation.stream(), validation_steps=len(validation))

for x, y in training:                      # class_mode="sparse"
    loss = cross_entropy(network(torch.from_numpy(x).permute(0, 3, 1, 2)), torch.from_numpy(y))
```

`class_mode` is `categorical`, `binary`, `sparse`, `input` (for autoencoders) or `none`; `Batches.from_csv` and
`Batches.from_table` take labels, groups and parts from a table.
"""


def main(out: Path) -> None:
    """Make folders of textures, take batches of them, learn, and write page and figures."""
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "textures"
        fill(folder)
        said: list[str] = []
        batches = Batches.from_directory(folder, image_size=(128, 128), recipe=RECIPE, tell=said.append)
        x, y = batches[0]
        (out / "13_batch.png").write_bytes(gallery.grid(small((x, y)), names=batches.class_names, side=38))
        one, three = (
            Batches.from_directory(folder, image_size=(128, 128), recipe=RECIPE, workers=n, tell=None) for n in (1, 3)
        )
        same = all(np.array_equal(a[0], b[0]) for a, b in zip(one, three, strict=True))

        names = batches.class_names
        parts = {
            subset: Batches.from_directory(
                folder,
                image_size=(64, 64),
                class_mode="sparse",
                validation_split=0.2,
                test_split=0.2,
                subset=subset,
                recipe=RECIPE,
                shuffle=subset == "training",
                tell=None,
            )
            for subset in ("training", "validation", "test")
        }
        predicted = learn(parts["training"], parts["test"], epochs=10)
    counts = {subset: Counter(names[i] for i in part.labels) for subset, part in parts.items()}
    test = parts["test"]
    firsts = [int(np.flatnonzero(test.labels == i)[0]) for i in range(len(names))]
    verdict = ["right" if good else "wrong" for good in predicted == test.labels]
    text = PAGE.format(
        each=EACH, classes=len(names), found="\n".join(said), samples=batches.samples, indices=batches.class_indices,
        steps=len(batches), shape=x.shape, dtype=x.dtype, low=x.min(), high=x.max(), yshape=y.shape,
        y0=y[0].astype(int).tolist(), same="yes" if same else "no", names=" | ".join(names), dashes="---|" * len(names),
        split="\n".join(f"| {s} | {' | '.join(str(c[n]) for n in names)} |" for s, c in counts.items()),
        epochs=10, right=int((predicted == test.labels).sum()), total=test.samples,
        rows="\n".join(
            f"| {test.filenames[i]} | {names[predicted[i]]} | {verdict[i]} |" for i in firsts
        ),
    )  # fmt: skip
    (out / "13_batches.md").write_text(text)
    print(out / "13_batches.md")


def fill(folder: Path) -> None:
    """Cut squares out of photographs, class by class; one file is cut short."""
    rng = np.random.default_rng(13)
    for label, name in TEXTURES.items():
        photo = getattr(data, name)()
        (folder / label).mkdir(parents=True)
        for i in range(EACH):
            side = int(rng.integers(80, 150))
            top, left = (int(rng.integers(0, n - side)) for n in photo.shape[:2])
            pictures.write(folder / label / f"{i:02d}.jpg", photo[top : top + side, left : left + side])
    broken = folder / "grass" / "broken.jpg"
    broken.write_bytes((folder / "grass" / "00.jpg").read_bytes()[:1000])


def small(batch: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Halve the pictures of a batch, for a figure of few bytes."""
    x, y = batch
    return x.reshape(len(x), 64, 2, 64, 2, 3).mean(axis=(2, 4)), y


def features(x: np.ndarray) -> np.ndarray:
    """Say six things of each picture: mean and spread of its brightness, of its rows and of its columns."""
    grey = x.mean(axis=3)
    across, down = np.abs(np.diff(grey, axis=2)), np.abs(np.diff(grey, axis=1))
    return np.stack([f(m, axis=(1, 2)) for m in (grey, across, down) for f in (np.mean, np.std)], axis=1)


def learn(training: Batches, test: Batches, *, epochs: int) -> np.ndarray:
    """Train on one and predict the other."""
    scaler, classifier = StandardScaler(), SGDClassifier(random_state=0)
    for x, _ in training:
        scaler.partial_fit(features(x))
    for _ in range(epochs):
        for x, y in training:
            classifier.partial_fit(scaler.transform(features(x)), y, classes=range(len(training.class_names)))
    return np.concatenate([classifier.predict(scaler.transform(features(x))) for x, _ in test])


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("docs/examples"))
