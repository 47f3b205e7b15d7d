"""How a network sees: convolution, pooling and dense layers on a real picture, learning and over-fitting, and inside.

`python examples/07_networks.py [FOLDER]` writes 07_networks.md and its figures; docs/examples by default. Needs torch.
"""

import sys
from pathlib import Path

import numpy as np
from scipy.special import softmax
from skimage import data
from sklearn.datasets import load_digits

from assay.errors import InputError
from assay.models import backbone, fitting, layers, network
from assay.models.examples import Arrays
from assay.models.inside import look_inside
from assay.pixels import colour, geometry
from assay.report import networks, panels, plots, sheets
from assay.stats.intervals import proportion

DIGITS = "conv 16, pool, conv 32, pool, dense 64, dropout .5"
KERNEL = np.repeat([[1, 1, -1, -1]], 4, axis=0).astype(np.float32)
PAGE = """# 7 A network for everybody

Made by `make examples` from `examples/07_networks.py`.

A network of this kind is four ideas in a row: small windows that slide (convolution), a picture made smaller
(pooling), sums of everything (dense), and weights that are moved until the sums are right (learning).

## 1 What goes in: N x size x size x 3

Pictures of one size, N at a time: `(N, 256, 256, 3)` in colour, `(N, 256, 256, 1)` in grey, numbers from 0 to
255. 256 is a fair compromise: a network on 512 x 512 pixels has four times as much to do, and on 64 x 64
whiskers are gone.

![A cat at 256 x 256 pixels, its red, green and blue, and the same at 64 x 64](07_input.png)

## 2 Convolution: a small window that slides

A kernel is a small square of weights. It is laid on the picture, each pixel is multiplied by the weight above
it, and the sum is one number of the result. Here the picture has 32 x 32 pixels, the kernel 4 x 4, and it moves
by 8 (its *stride*):

![The cat in 32 x 32 squares, the kernel, and the 4 x 4 numbers that come out](07_convolution.png)

`(32 - 4) // 8 + 1 = 4` places a side, so 32 x 32 become **{out} x {out}**. The number at the top left is
`(window * kernel).sum()`, where the window is

```
{window}
```

and the kernel is +1 in its two left columns and -1 in its two right ones: **{first:.0f}**. All of them:

```
{found}
```

A sum is large where the left is brighter than the right: this kernel looks for edges. The layer in the network,
given the same kernel, differs from these sums by {difference:.1g} at most.

**Zero padding** puts zeros around the picture, so that the window may stand half outside: a 3 x 3 kernel with
stride 1 then gives as many numbers as there are pixels. Without, each layer would take a rim away.

**Several small ones** see as much as a large one, with fewer weights, and bend in between:

| chained 3 x 3 kernels | they see | weights | one kernel that sees as much |
|---|---|---|---|
{chained}

## 3 Pooling: the largest of four

`pool` keeps the largest number of each 2 x 2 square: a quarter of the numbers, and what was found is still
found one pixel further on.

```
{before}      becomes      {after}
```

![An edge map of the cat, pooled once, twice and three times](07_pooling.png)

## 4 Dense: a weighted sum of everything

After the last pooling, all numbers are written in one row, and each output is a sum of all of them, each with
its own weight. For the network below, as `layers.steps` follows it:

```python
from assay.models import layers

layers.steps("{text}", size=(8, 8), channels=1)
```

| layer | what comes out | weights |
|---|---|---|
{steps}

## 5 Learning, and remembering

A child that has learned that 2 * 5 + 10 is 20 by heart knows one sum; one that can compute knows them all. Of
the {sums} sums a * b + 10 with a and b from 1 to 12, {seen} are shown to two learners:

| learner | sums it was shown | sums it was not |
|---|---|---|
| one that remembers: a table of what it was shown | {table_seen} of {seen} right | {table_new} of {unseen} right |
| one that computes: a rule, fitted to what it was shown | {rule_seen} of {seen} right | {rule_new} of {unseen} right |

What was shown cannot tell them apart. That is why pictures are parted in three: **train** is learned from,
**validation** says when to stop, **test** is looked at once, at the end.

A network remembers too, where it may: {few} digits, no dropout. The loss on what it learns from goes to
nothing; on what it does not, it turns round after epoch {turn}. The weights of that epoch are kept.

![Loss by epoch: on the digits learned from it falls to nothing, on others it rises again](07_overfitting.png)

With {train} digits and half of the dense numbers left out at random while it learns (dropout), `{text}`
({weights:,} weights) reads **{accuracy}** of {test} test digits in {epochs} epochs.

A larger one of the same kind, measured apart from this page: on Fashion-MNIST, 28 x 28 pictures of ten kinds of
clothes, `python bench/fashion.py` (422,090 weights, 8 epochs) named **0.925 (0.920 to 0.930)** of 10,000 test
pictures rightly, after 118 s on two processors (228 s of processor time); one run, one seed.

## 6 Inside

What each layer makes of one test digit, a {label}, which the network reads as {answer} with probability {chance:.2f}:

![Maps of each convolution and pooling for a handwritten digit](07_digit.png)

The weights of the last dense layer: ten sums, one for each digit, of 64 numbers.

![Weights of the last layer: ten rows, sixty-four columns](07_weights.png)

EfficientNet-Lite0 has {lite0:.1f} million weights, and has learned from 1.3 million photographs. Its first layers
see edges and spots, its last ones parts of things:

![Maps of EfficientNet-Lite0 from the first layer to the last for the cat](07_maps.png)

Two ways to ask what an answer rests on: **Grad-CAM** weighs the maps of the last convolution by how much the
answer rises with them; **covering** a part of the picture and looking again says how much the answer needs it.
Where the map of covering is blue, the network is surer of its answer without that part.

![The cat, the likeliest classes, Grad-CAM and the map of covering](07_answer.png)

## The tutorial's page in the browser, as commands

| there | here |
|---|---|
| upload pictures, by class | a folder for each class |
| put layers together | one line of text: `"{text}"` |
| train | `assay learn photos/ --method cnn --layers "{text}"` |
| test a picture | `assay predict photos.assay/model.assay photo.jpg` |
| see why | `assay look photos.assay/model.assay photo.jpg` |
| ask by REST, with a token | nothing listens and nothing is uploaded; a program reads `assay predict ... --json` |
"""


def convolution(image: np.ndarray, kernel: np.ndarray, *, stride: int) -> np.ndarray:
    """Slide a kernel over a picture: the definition, one window at a time."""
    k = len(kernel)
    rows, columns = ((n - k) // stride + 1 for n in image.shape)
    windows = (
        (image[i * stride :][:k, j * stride :][:, :k] * kernel).sum() for i in range(rows) for j in range(columns)
    )
    return np.fromiter(windows, np.float32, rows * columns).reshape(rows, columns)


def pool(values: np.ndarray) -> np.ndarray:
    """Keep the largest of each 2 x 2 square."""
    rows, columns = (n // 2 for n in values.shape)
    return values[: 2 * rows, : 2 * columns].reshape(rows, 2, columns, 2).max(axis=(1, 3))


def by_the_network(image: np.ndarray) -> np.ndarray:
    """Let a layer of the network do it: kernel 4, stride 8."""
    made = network.small_cnn("conv 1 kernel 4 stride 8 valid", size=image.shape, channels=1, classes=2, seed=0)
    t = network.torch()
    layer = made.get_submodule("conv 1")[0]
    with t.inference_mode():
        layer.weight.copy_(t.from_numpy(KERNEL)[None, None])
        layer.bias.zero_()
        return layer(t.from_numpy(image)[None, None])[0, 0].numpy()


def stretched(values: np.ndarray) -> np.ndarray:
    """Bring numbers to 0..1, to be seen as grey."""
    return ((values - values.min()) / (values.max() - values.min())).astype(np.float32)


def sums() -> dict[str, int]:
    """Let one learner remember sums and another fit a rule to them."""
    rng = np.random.default_rng(0)
    a, b = (x.ravel() for x in np.mgrid[1:13, 1:13])
    truth, order = a * b + 10, rng.permutation(a.size)
    seen, unseen = order[:100], order[100:]
    table = {(a[i], b[i]): truth[i] for i in seen}
    terms = np.stack([np.ones(a.size), a, b, a * b], axis=1)
    rule = (terms @ np.linalg.lstsq(terms[seen], truth[seen], rcond=None)[0]).round()
    return {
        "sums": a.size,
        "seen": seen.size,
        "unseen": unseen.size,
        "table_seen": sum(table.get((a[i], b[i])) == truth[i] for i in seen),
        "table_new": sum(table.get((a[i], b[i])) == truth[i] for i in unseen),
        "rule_seen": int((rule[seen] == truth[seen]).sum()),
        "rule_new": int((rule[unseen] == truth[unseen]).sum()),
    }


def boxed(values: np.ndarray) -> str:
    """Write numbers in rows."""
    return "\n".join("  ".join(f"{v:4.0f}" for v in row) for row in values)


def beside(left: np.ndarray, right: np.ndarray) -> tuple[str, str]:
    """Write two squares of numbers in one line each, rows parted by a bar."""
    return tuple(" | ".join(" ".join(f"{v:.0f}" for v in row) for row in values) for values in (left, right))


def photographs(cat: np.ndarray, out: Path) -> float:
    """Look inside the network that has learned from photographs; give its weights, in millions."""
    lite0 = network.lite()
    inside = look_inside(lite0, cat, cover=96)
    chosen = [m for m in inside.maps if m.name in {"stem", "block 1", "block 4", "block 10", "head"}]
    (out / "07_maps.png").write_bytes(networks.maps([(m.name, m.values) for m in chosen], most=5, cell=64))
    chances = softmax(inside.logits.astype(float))
    best = [(backbone.class_names()[i], float(chances[i])) for i in np.argsort(-chances)[:4]]
    (out / "07_answer.png").write_bytes(
        networks.answer(cat, inside.gradcam, inside.occlusion, best, target=best[0][0], cover=inside.cover, colours=96)
    )
    return sum(p.numel() for p in lite0.parameters()) / 1e6


def main(out: Path) -> None:
    """Write the page and its figures."""
    try:
        network.torch()
    except InputError as e:
        print(f"Nothing is made: {e}")
        return
    out.mkdir(parents=True, exist_ok=True)
    cat = geometry.square(np.ascontiguousarray(data.chelsea()), size=256)
    channels = colour.split(cat)
    parts = [("256 × 256 × 3", cat), *channels.items(), ("64 × 64 × 3", geometry.square(cat, size=64))]
    (out / "07_input.png").write_bytes(sheets.sheet(parts, columns=5, side=112, colours=128))

    grey = colour.grey(cat)
    small = geometry.square(grey, size=32).astype(np.float32)
    found = convolution(small, KERNEL, stride=8)
    marked = panels.sheet(
        [("", [(small.astype(np.uint8), "32 × 32 pixels"),
               (0.8 * stretched(KERNEL), "kernel 4 × 4\nlight +1, black -1"),
               (stretched(found), "stride 8: 4 × 4 sums\nwhite: edge, bright on the left")])],
        cell=220,
    )  # fmt: skip
    (out / "07_convolution.png").write_bytes(marked)

    framed = np.pad(grey.astype(np.float32), 1, "edge")
    edges = np.abs(convolution(framed, np.array([[1, 0, -1]] * 3, np.float32), stride=1))
    steps, shrunk = [edges], edges
    for _ in range(3):
        shrunk = pool(shrunk)
        steps.append(shrunk)
    row = [(np.clip(s / np.percentile(edges, 99), 0, 1).astype(np.float32), f"{len(s)} × {len(s)}") for s in steps]
    (out / "07_pooling.png").write_bytes(panels.sheet([("", row)], cell=160))
    corner = small[:4, :4]

    x, y = load_digits(return_X_y=True)
    x = (x.reshape(-1, 8, 8) * 15).astype(np.uint8)
    order = np.random.default_rng(0).permutation(len(x))
    train, val, test = (Arrays(x[i], y[i]) for i in np.split(order, [1000, 1300]))
    few = Arrays(train.x[:60], train.y[:60])
    plain = network.small_cnn("conv 16, pool, conv 32, pool, dense 64", size=(8, 8), channels=1, classes=10, seed=0)
    over = fitting.fit(plain, few, val, epochs=60, learning_rate=3e-3, threads=2)
    curve = [(e.number, e.train_loss, e.val_loss) for e in over.epochs]
    drawn = plots.png(lambda ax: networks.learning(curve, best=over.best, ax=ax), size=(560, 320))
    (out / "07_overfitting.png").write_bytes(drawn)

    net = network.small_cnn(DIGITS, size=(8, 8), channels=1, classes=10, seed=0)
    history = fitting.fit(net, train, val, epochs=20, learning_rate=3e-3, schedule="cosine", threads=2)
    right = int((fitting.predict(net, test).argmax(axis=1) == test.y).sum())
    accuracy = proportion(right, len(test))
    seen = look_inside(net, test.x[0], cover=2)
    maps = [("the digit", seen.image[None].astype(np.float32)), *((m.name, m.values) for m in seen.maps)]
    (out / "07_digit.png").write_bytes(networks.maps(maps, cell=72))
    names = [str(i) for i in range(10)]
    (out / "07_weights.png").write_bytes(
        networks.dense("weights of layer 'classes'", seen.dense[-1].weight, outputs=names, size=(560, 260))
    )

    millions = photographs(cat, out)
    before, after = beside(corner, pool(corner))
    followed = layers.steps(DIGITS, size=(8, 8), channels=1)
    lines = [f"| {s.text} | {' x '.join(map(str, s.shape))} | {s.weights:,} |" for s in followed]
    last = 64 * 10 + 10
    page = PAGE.format(
        out=len(found),
        window=boxed(small[:4, :4]),
        first=found[0, 0],
        found=boxed(found),
        difference=float(np.abs(found - by_the_network(small)).max()),
        chained="\n".join(f"| {n} | {2 * n + 1} x {2 * n + 1} | {9 * n} | {(2 * n + 1) ** 2} |" for n in (1, 2, 3)),
        before=before,
        after=after,
        text=DIGITS,
        steps="\n".join([*lines, f"| (one sum for each digit) | 10 | {last:,} |"]),
        few=len(few),
        turn=over.best,
        train=f"{len(train):,}",
        weights=sum(s.weights for s in followed) + last,
        accuracy=f"{accuracy.value:.3f} ({accuracy.low:.3f} to {accuracy.high:.3f})",
        test=len(test),
        epochs=len(history.epochs),
        label=test.y[0],
        answer=seen.target,
        lite0=millions,
        chance=float(softmax(seen.logits.astype(float))[seen.target]),
        **sums(),
    )
    (out / "07_networks.md").write_text(page)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/examples"))
