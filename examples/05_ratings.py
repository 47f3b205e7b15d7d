"""How people will rate pictures: votes as a distribution, the earth mover's loss, learning, worst and best.

`python examples/05_ratings.py [FOLDER]` writes 05_ratings.md and its figures; docs/examples by default.
The pictures come with scikit-image and are damaged by known amounts; the raters are simulated, and the page says so.
AVA, on which the tutorial was made, is not here: nothing is claimed about it.
"""

import csv
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image
from skimage import data

from assay.data import pictures
from assay.errors import InputError
from assay.models import ratings
from assay.models.damage import Damage
from assay.pixels import geometry, naturalness
from assay.report import plots
from assay.report import ratings as drawn
from assay.stats import votes
from assay.tasks import rate, rating_training

NAMES = ("astronaut", "brick", "camera", "cat", "coffee", "coins", "grass", "gravel", "immunohistochemistry", "moon")
NAMES += ("page", "rocket")
SCALE = np.arange(1.0, 11)
RATERS = 30
DAMAGES = {  # and what it costs, in steps of the scale
    "none": (Damage(), 0.0),
    "blur 1": (Damage(blur=1), 1.2),
    "blur 2": (Damage(blur=2), 2.6),
    "blur 4": (Damage(blur=4), 4.4),
    "noise 12": (Damage(gaussian=12), 1.4),
    "noise 30": (Damage(gaussian=30), 3.4),
    "JPEG 20": (Damage(jpeg=20), 1.6),
    "JPEG 6": (Damage(jpeg=6), 4.0),
    "impulses 5 %": (Damage(impulses=0.05), 4.2),
}
PAGE = """# 5 Ratings: how people will judge a picture

Made by `make examples` from `examples/05_ratings.py`. **The raters here are simulated** and the pictures damaged by
known amounts, so that the page can be made anywhere; what was measured on real votes stands at the end. The tutorial's
data set (AVA, 255,508 photographs with 78 to 549 votes each) is not here, and nothing is claimed about it.

## 1 The data, and what must be cleaned

{pictures} pictures: {scenes} photographs of scikit-image, each damaged in {ways} ways. {raters} simulated raters give
each 1 to 10: a quality that falls with the damage, plus a taste for the scene, plus a severity of their own, plus
chance. On purpose, one file was cut short, one rating names a picture that is not there, and one row of votes does not
add up:

{cleaned}

Every file is opened, and its size, aspect and bytes are compared with the others': {odd}.

## 2 Votes are a distribution

Ten counts are divided by their sum. A mean hides whether people agree; a distribution does not. Where only mean and
standard deviation are known, as in TID2013, the distribution of **greatest entropy** with these two is taken:

```python
from assay.stats import votes

votes.maximum_entropy([6.0], [1.5], scale=range(1, 11))
```

gives {entropy}.

## 3 The loss: how far votes must be moved

Cross-entropy does not know that 9 is nearer to 10 than 1 is. The **earth mover's distance** does:
EMD = ((1/N) sum |CDF_p - CDF_q|^r)^(1/r), with r = 2 for learning.

![Votes, and two predictions that are wrong in different ways](05_loss.png)

| prediction | cross-entropy, nats | EMD, r = 1 | EMD, r = 2 |
|---|---|---|---|
| one step off | {near_cross:.2f} | {near_1:.3f} | {near_2:.3f} |
| six steps off | {far_cross:.2f} | {far_1:.3f} | {far_2:.3f} |

With r = 1 and times the number of steps it is Wasserstein's distance, to 1e-9 of SciPy's.

## 4 Learning

```
assay rate photos/ --train ratings.csv --out photos.rated
```

Frozen features of each picture are seen once and kept: 1,280 of a network that has learned ImageNet (at 256 x 256, as
the tutorial resizes), and {damage} numbers on noise, blur, blocks and levels measured on the pixels as they were
stored, because shrinking hides damage. On these a softmax of {steps} steps is fitted by the squared EMD, in seconds and
without torch: the tutorial's first phase. The tutorial takes no more than the top n of each of ten rating bins; here
that would leave {balanced} of {pictures} at n = {most} (`models.ratings.balanced`).

Which features, which kernel and how stiff a fit are chosen by cross-validation. The same scene in other damage is a
**near copy**, and the table names the scene as its `group`: it never lies on both sides ({groups} groups of {pictures}
pictures), or the model would know each scene's answer already.

| looks at | squared EMD out of fold |
|---|---|
{tried}

## 5 How good is it?

| figure | value | 95 % interval | a guess |
|---|---|---|---|
{figures}

The tutorial's accuracy is that of two classes, mean >= 5 on AVA; its goal was 68 %. Here good begins at {middle:g}.

**The ceiling.** Raters differ, so nobody can predict their mean perfectly: the means of one half of the raters
correlate with those of the other by {halves}. By Spearman and Brown the mean of all has a reliability of {reliability},
and a perfect predictor would reach a correlation of {best}.

![Predicted against people's mean ratings](05_against.png)

## 6 The second phase: a network

```
assay rate photos/ --train ratings.csv --method finetune --unfreeze {unfreeze} --epochs {epochs} --views {views}
```

The tutorial goes on: 5 epochs of the last layer at a high rate, then 9 of **all** layers at a low one. Here the last
layer learns first too, by torch and with a dropout of 0.75, and then what is not frozen: the last block by default, so
many of the last layers, or `all`. The tutorial's own recipe is `--unfreeze all --epochs 5,9 --learning-rate 1e-3,3e-5`;
it was made for many more pictures, whose epochs are long.

What is frozen runs once for each view of a picture and is kept; where all learn, the views themselves are. Views are
mirrored, or shifted by whole pixels: blur, noise or another colour would change the very thing that is rated. The best
epoch of both phases is told by scenes that judge nothing.

{phases}

## 7 Is the whole scale used?

The tutorial's network is weak below 3.5 and above 7.5, and many have asked why predictions crowd in the middle. A best
guess **must** lie nearer to the middle than the truth, the more so the less is known. What can be told honestly is how
much, and whether it is more than the doubt asks for:

![How much of the scale people, best guesses and the full scale use](05_spread.png)

People's means have a standard deviation of {sd_people:.2f}, best guesses {sd_guess:.2f}. Where a guess lies one step
from the middle, people's mean lies {slope:.2f} steps from it (1 is honest doubt). The **full scale** moves each guess
{stretch:.2f} times as far from the middle: the order is the same, the spread people's ({sd_full:.2f}), the error
{error_full:.2f} steps instead of {error:.2f}. Both are written for each picture; the guess is for one picture, the full
scale for looking through a list.

## 8 Worst and best

![Pictures from worst to best, predicted and people's mean](05_sheet.png)

![Votes for the worst and for the best picture](05_votes.png)

The model is one file, with its figures, its scale and its versions in it, and rates any folder:

```
assay rate new/ --model photos.rated/model.assay
```

writes mean, standard deviation, full scale and distribution of each picture, the contact sheet and a page.
A network's file is of the same kind, and rates without torch.

## What was measured on real votes

- **Technical quality.** Thirteen of TID2013's 24 kinds of damage, rebuilt from Kodak's 24 photographs at the published
  PSNRs (`python bench/rebuild_tid.py`), with the published scores: on references never learned from, rank correlation
  **0.863 (0.812 to 0.890)** on 1,560 pictures, everything chosen within the other references
  (`python bench/rating_quality.py`). It is a rebuilt part of the data set, not the data set: figures of others on all
  24 kinds (idealo's MobileNet 0.675; NIMA 0.75) are no side by side. **A network in two phases is no help here**: with
  the last block learning (`--quick --finetune last-block`; 1,560 pictures, six folds of whole references; 7 trainings
  took 7 minutes on two busy cores) it reached 0.493 (0.404 to 0.551), 0.370 less than the head (0.303 to 0.464 less)
  on the same folds. Likely reasons, not tested: it sees the picture squashed to 256 x 256, and 24 contents are few to
  learn from.
  What `--unfreeze all` reaches was not measured: it would take hours.
- **Beauty.** 47 photographs of OASIS with the votes of 104 to 368 people each: rank correlation 0.67 (0.45 to 0.81);
  too few for more than a first look.
"""


NO_TORCH = "torch is not installed (`pip install 'assay[train]'`), so that this part was not made."
PHASES = """So that this page is soon made, {pictures} of the pictures take part: those without damage and with the
strongest blur, noise and impulses; the head, too, learned from these alone.

![Squared EMD in both phases, on scenes that are learned from and on scenes that are not](05_phases.png)

| out of fold, on the same folds | network | head |
|---|---|---|
{rows}

{words} {why}"""
WHY = {
    "head": "That is no surprise: the network sees a picture squashed to 256 x 256, which hides damage, and has few "
    "pictures to learn from; the head is told what was measured on the pixels as stored. Try both; the page of each "
    "network says which one to take.",
    "finetune": "The page of each network says which one to take.",
    None: "Where neither is shown to be better, the one that takes seconds is the one to take.",
}
SOME = {"0.png", "3.png", "5.png", "8.png"}
COURSE = {"method": "finetune", "unfreeze": "1", "epochs": (20, 3), "views": 1}  # little, so that the page is soon made


def scenes() -> dict[str, np.ndarray]:
    """Return the photographs, in colour, no larger than 320 pixels."""
    found = {}
    for name in NAMES:
        image = getattr(data, name)()
        image = image if image.ndim == 3 else np.dstack([image] * 3)
        found[name] = geometry.fit(np.ascontiguousarray(image), side=320)
    return found


def album(folder: Path, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Write the damaged pictures; return the votes for each, by name."""
    severity = rng.normal(0, 0.5, RATERS)
    counts = {}
    for name, image in scenes().items():
        taste = rng.normal(7.6, 0.5)
        for i, (damage, cost) in enumerate(DAMAGES.values()):
            file = f"{name}-{i}.png"
            pictures.write(folder / file, damage.apply(image, rng=rng))
            given = np.clip(np.rint(taste - cost + severity + rng.normal(0, 1, RATERS)), 1, 10).astype(int)
            counts[file] = np.bincount(given - 1, minlength=10)
    return counts


def write(path: Path, counts: dict[str, np.ndarray]) -> None:
    """Write the votes, with what is to be found in the cleaning."""
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["file", *range(1, 11), "votes", "group"])
        rows.writerows([name, *row, RATERS, name.partition("-")[0]] for name, row in counts.items())
        rows.writerow(["nobody-has-it.png", *[3] * 10, RATERS, "nobody"])
        rows.writerow(["moon-9.png", *[3] * 9, 0, RATERS, "moon"])


def loss(out: Path) -> dict[str, float]:
    """Draw two wrong predictions, and return what two losses say of them."""
    steps = SCALE[None]
    people, near, far = (np.exp(-((steps - at) ** 2) / 2)[0] for at in (8, 7, 2))
    people, near, far = (x / x.sum() for x in (people, near, far))

    def both(ax):
        drawn.votes(people, near, SCALE, ax=ax)
        ax.plot(SCALE, 100 * far, color=plots.BAD, linewidth=2.2, linestyle=(0, (6, 2)), marker="s", markersize=5,
                label="predicted, six steps off")  # fmt: skip
        ax.lines[0].set_label("predicted, one step off")
        ax.legend(loc="upper center", frameon=False, labelcolor=plots.INK, fontsize=12)
        ax.set_ylim(top=58)

    (out / "05_loss.png").write_bytes(plots.png(both, size=(560, 320)))
    found = {}
    for name, shares in (("near", near), ("far", far)):
        found[f"{name}_cross"] = float(-(people * np.log(shares)).sum())
        found[f"{name}_1"] = float(votes.emd(people, shares))
        found[f"{name}_2"] = float(votes.emd(people, shares, r=2))
    return found


def network(top: Path, counts: dict[str, np.ndarray], out: Path) -> str:
    """Teach a network in two phases, draw how, and say whether it is better than the head."""
    some = {name: row for name, row in counts.items() if name.partition("-")[2] in SOME}
    write(top / "some.csv", some)
    try:
        learned = rating_training.train(top / "photos", top / "some.csv", out=top / "out", middle=5, **COURSE)
    except InputError as e:
        if "torch" not in str(e):
            raise
        return NO_TORCH
    epochs = [(i, x.epoch.train_loss, x.epoch.val_loss) for i, x in enumerate(learned.lessons, start=1)]
    first = sum(lesson.phase == 1 for lesson in learned.lessons)
    curve = plots.png(lambda ax: drawn.phases(epochs, first=first, ax=ax), size=(640, 340))
    (out / "05_phases.png").write_bytes(curve)
    names = {"srcc": "rank correlation (SRCC)", "lcc": "linear correlation (LCC)", "accuracy": "right side of 5",
             "emd": "EMD, as a part of the scale"}  # fmt: skip
    rows = []
    for name, words in names.items():
        both = [getattr(figures, name) for figures in (learned.figures, learned.head)]
        rows.append(f"| {words} | {' | '.join(f'{e.value:.3f} ({e.low:.3f} to {e.high:.3f})' for e in both)} |")
    contest = learned.contest
    return PHASES.format(pictures=learned.pictures, rows="\n".join(rows), words=contest.words, why=WHY[contest.better])


def main(out: Path) -> None:
    """Write the page and its figures."""
    out.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(5)
    with tempfile.TemporaryDirectory() as temporary:
        folder, labels = Path(temporary) / "photos", Path(temporary) / "ratings.csv"
        folder.mkdir()
        counts = album(folder, rng)
        broken = folder / "moon-0.png"
        broken.write_bytes(broken.read_bytes()[:900])
        write(labels, counts)
        learned = rating_training.train(folder, labels, out=Path(temporary) / "out", middle=5)
        sheet = Image.open(learned.sheet).convert("RGB")
        small = sheet.resize((sheet.width // 2, sheet.height // 2), Image.Resampling.LANCZOS).quantize(64)
        small.save(out / "05_sheet.png", optimize=True)
        with Path(learned.table).open(newline="") as file:
            rows = list(csv.DictReader(file))
        stretch = rate.load(learned.model).rater.stretch
        phases = network(Path(temporary), counts, out)

    said, guess, full = (
        np.array([float(row[name]) for row in rows]) for name in ("people_mean", "predicted_mean", "predicted_full")
    )
    predicted = np.array([[float(row[f"predicted_{s:g}"]) for s in SCALE] for row in rows])
    people = np.array([counts[row["file"]] / RATERS for row in rows])
    f, spread = learned.figures, learned.figures.spread

    (out / "05_against.png").write_bytes(plots.png(lambda ax: drawn.against(said, guess, SCALE, ax=ax)))
    lists = [
        ("people", spread.labels, said),
        ("best guess", spread.predicted, guess),
        ("full scale", spread.full, full),
    ]
    (out / "05_spread.png").write_bytes(plots.png(lambda ax: drawn.spreads(lists, SCALE, ax=ax), size=(560, 380)))

    def ends(ax):
        ax.axis("off")
        for i, title in ((0, "the worst"), (len(rows) - 1, "the best")):
            inside = ax.inset_axes((0.0 if i == 0 else 0.55, 0.0, 0.45, 0.9))
            drawn.votes(people[i], predicted[i], SCALE, ax=inside)
            inside.set_title(f"{title}: {rows[i]['file']}", color=plots.INK, fontsize=13)

    (out / "05_votes.png").write_bytes(plots.png(ends, size=(760, 300)))

    named = [*learned.wrong, *learned.missing, *learned.broken]
    table = [
        ("rank correlation (SRCC)", f.srcc, 0.0),
        ("linear correlation (LCC)", f.lcc, 0.0),
        (f"right side of {f.middle:g}", f.accuracy, f.guess),
        ("EMD, as a part of the scale", f.emd, f.emd_guess),
    ]
    ceiling = f.ceiling
    numbers = {
        "entropy": ", ".join(
            f"{x:.3f}" for x in votes.maximum_entropy(np.array([6.0]), np.array([1.5]), scale=SCALE)[0]
        ),
        "damage": len(naturalness.measure(data.astronaut())),
        "balanced": len(ratings.balanced(said, SCALE, bins=10, most=12, rng=rng)),
        "tried": "\n".join(
            f"| {kind} | {x:.4f} |" for kind, x in sorted(learned.losses.items(), key=lambda item: item[1])
        ),
        "figures": "\n".join(
            f"| {name} | {e.value:.3f} | {e.low:.3f} to {e.high:.3f} | {base:.3f} |" for name, e, base in table
        ),
        "cleaned": "\n".join(f"- `{p.path}`: {p.reason}" for p in named),
        "odd": ", ".join(f"{len(files)} of {name}" for name, files in learned.odd.items()) or "none is odd",
        **{name: f"{e.value:.3f} ({e.low:.3f} to {e.high:.3f})" for name, e in
           (("halves", ceiling.halves), ("reliability", ceiling.reliability), ("best", ceiling.best))},
    }  # fmt: skip
    page = PAGE.format(
        pictures=learned.pictures, scenes=len(NAMES), ways=len(DAMAGES), raters=RATERS, steps=len(SCALE), most=12,
        groups=f.groups, middle=f.middle, sd_people=spread.labels[0], sd_guess=spread.predicted[0],
        sd_full=spread.full[0], slope=spread.slope, error=spread.error, error_full=spread.error_full, stretch=stretch,
        phases=phases, unfreeze=COURSE["unfreeze"], views=COURSE["views"],
        epochs=",".join(map(str, COURSE["epochs"])),
        **loss(out), **numbers,
    )  # fmt: skip
    (out / "05_ratings.md").write_text(page)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/examples"))
