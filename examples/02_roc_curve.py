"""A prediction model on a real table: curve, cut-off, what a flag means, and two ways in which figures flatter.

`python examples/02_roc_curve.py [FOLDER]` writes 02_roc_curve.md and its figures; docs/examples by default.
"""

import sys
from pathlib import Path

import numpy as np
from scipy.special import ndtri
from sklearn.datasets import load_breast_cancer, load_wine

from assay.data import splits
from assay.models import tabular
from assay.report import evidence, plots
from assay.report.trust import rate
from assay.stats import bayes, confusion, cutoffs, intervals, operating, resampling, roc

COLUMNS = (4, 8, 1)  # smoothness, symmetry and texture: weak signs, so that there is something to weigh
WINE = (2, 7)  # ash and nonflavanoid phenols: likewise
RUNS = 400  # simulations a cell
Z = intervals.quantile(0.95)

PAGE = """# 2 ROC curve for a prediction model

Made by `make examples` from `examples/02_roc_curve.py`. The table is *breast cancer Wisconsin*, which comes with
scikit-learn: {n} patients, {m} of them with a malignant tumour (drawn from 569 with seed 0, so that positives are as
rare as in a screening study), and three weak signs: smoothness, symmetry and texture. From the command line:
`assay judge table.csv --target diagnosis --specificity 0.9 --prevalence 0.01`.

## Every patient is judged by a model that has not seen her

10-fold cross-validation of gradient-boosted trees gives each patient a probability.

![ROC curve with its band and the cut-off at 90 % specificity](02_roc.png)

The area under the curve is **{auc}**: of 100 pairs of one positive and one negative, {pairs:.0f} are put in the right
order. The dotted line is a guess, 0.5.

## The cut-off

0.5 is rarely right. A false alarm (type I error) and a miss (type II error) are traded for one another:

| cut-off | chosen by | sensitivity | specificity | accuracy |
|---|---|---|---|---|
{cutoffs}
| | always “benign” | 0 | 1 | {baseline:.3f} |

Each is chosen on some folds and measured on the others; these intervals take the cut-off as given, those of
`assay judge` also hold the doubt about where it lies. Accuracy looks fine, and is beaten by a model that finds nobody.
Where exactly 90 % of the negatives pass, the sensitivity is {at90}; that interval holds the doubt about the cut-off
too.

![Confusion matrix at the cut-off with 90 % specificity](02_confusion.png)

| | value | 95 % interval |
|---|---|---|
{rates}

## What a positive means

PPV and NPV belong to a base rate, not to a model. The same cut-off:

| base rate | of 1,000 people | flags | right | a flag is right | a pass is right |
|---|---|---|---|---|---|
{meaning}

![PPV and NPV against the base rate](02_predictive_values.png)

![1,000 people at a base rate of 1 in 100](02_natural_frequencies.png)

## Several classes, several curves

Three wines, each against the others, from two weak signs.

![ROC curves of three classes on one plot](02_classes.png)

## The perfect-score trap

Add a column that was written down after the diagnosis, such as the ward that a patient was sent to, and the area
becomes **{trap}**. The interval knows nothing of it: it speaks of chance, not of cheating. `assay judge` warns
where one column alone tells the label, and where a score is perfect. With 12 patients right of 12 the rate is
{twelve}, not 1.

## DeLong's interval is too narrow where a model is good

How often 95 % intervals hold the true area, in {runs:,} simulations each (normal scores):

| true area | positives + negatives | DeLong, ±1.96 standard errors | `roc.auc` |
|---|---|---|---|
{coverage}
"""


def main(out: Path) -> None:
    """Make the page."""
    out.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    x, positive = patients(rng)
    labels = positive.astype(int)
    folds = splits.folds(labels, np.arange(len(labels)), count=10, rng=rng)
    judge = tabular.build("boosting", [None] * x.shape[1], seed=0)
    scores = tabular.out_of_fold(judge, x, labels, folds)[:, 1]

    curve, area = roc.curve(positive, scores), roc.auc(positive, scores)
    band = roc.band(positive, scores, rng=rng)
    threshold = cutoffs.cutoff(positive, scores, specificity=0.9)
    flagged = in_turns(positive, scores, folds, lambda p, s: cutoffs.cutoff(p, s, specificity=0.9))
    ways = {
        "specificity of at least 0.9": lambda p, s: cutoffs.cutoff(p, s, specificity=0.9),
        "nearest to the corner (0, 1)": nearest,
        "sensitivity + specificity (Youden)": lambda p, s: cutoffs.cutoff(p, s, prevalence=0.5),
        "the default": lambda _p, _s: 0.5,
    }
    rows = []
    for name, way in ways.items():
        said = in_turns(positive, scores, folds, way)
        sensitivity, specificity = cutoffs.at(positive, said.astype(float), 0.5)
        right = confusion.accuracy(labels, said.astype(int))
        value = way(positive, scores)
        rows.append(f"| {value:.3f} | {name} | {show(sensitivity)} | {show(specificity)} | {show(right)} |")
    sensitivity, specificity = cutoffs.at(positive, flagged.astype(float), 0.5)
    matrix = confusion.matrix(labels, flagged.astype(int), classes=2)
    grid = np.geomspace(0.001, 0.9, 60)
    predictive = [(float(p), bayes.predictive_values(sensitivity, specificity, float(p))) for p in grid]

    draw(out / "02_roc.png", lambda ax: evidence.roc([("malignant", curve, band)], cutoff=threshold, ax=ax))
    draw(out / "02_confusion.png", lambda ax: evidence.confusion(matrix, ["benign", "malignant"], ax=ax))
    wide = (430, 330)
    draw(out / "02_predictive_values.png", lambda ax: evidence.predictive(predictive, at=0.01, ax=ax), size=wide)
    frequencies = bayes.natural_frequencies(sensitivity, specificity, 0.01)
    draw(
        out / "02_natural_frequencies.png",
        lambda ax: evidence.natural_frequencies(frequencies, unit="people", ax=ax),
        size=(560, 300),
    )
    draw(out / "02_classes.png", lambda ax: evidence.roc(wines(), ax=ax))

    leaked = np.column_stack([x, labels + rng.normal(0, 0.1, len(labels))])
    judge = tabular.build("boosting", [None] * leaked.shape[1], seed=0)
    trap = roc.auc(positive, tabular.out_of_fold(judge, leaked, labels, folds)[:, 1])
    page = PAGE.format(
        n=len(labels), m=int(positive.sum()), auc=show(area), pairs=100 * area.value, cutoffs="\n".join(rows),
        baseline=1 - positive.mean(), at90=show(operating.sensitivity_at(positive, scores, 0.9)),
        rates="\n".join(table(matrix)), meaning="\n".join(meanings(sensitivity, specificity)), trap=show(trap),
        twelve=show(intervals.proportion(12, 12)), runs=RUNS, coverage="\n".join(simulated(rng)),
    )  # fmt: skip
    (out / "02_roc_curve.md").write_text(page)
    print(f"AUC {area}; {out / '02_roc_curve.md'}")


def patients(rng):
    """196 patients, 26 of them with a malignant tumour."""
    data = load_breast_cancer()
    malignant = data.target == 0
    kept = np.concatenate([rng.permutation(np.flatnonzero(c))[:k] for c, k in ((malignant, 26), (~malignant, 170))])
    return data.data[np.ix_(kept, COLUMNS)], malignant[kept]


def in_turns(positive, scores, folds, way):
    """Flag the patients of each fold by a cut-off that was chosen on the others."""
    flagged = np.zeros(len(scores), bool)
    for fold in np.unique(folds):
        here = folds == fold
        flagged[here] = scores[here] >= way(positive[~here], scores[~here])
    return flagged


def nearest(positive, scores):
    """The threshold whose point on the curve lies nearest to no false alarm and no miss."""
    curve = roc.curve(positive, scores)
    return float(curve.thresholds[np.argmin(np.hypot(curve.false_positive_rate, 1 - curve.sensitivity))])


def table(matrix):
    """What follows from the four counts."""
    (passed, alarms), (missed, found) = matrix.tolist()
    counts = {
        "sensitivity": (found, found + missed),
        "specificity": (passed, passed + alarms),
        "PPV, at the base rate of this table": (found, found + alarms),
        "NPV, at the base rate of this table": (passed, passed + missed),
        "accuracy": (found + passed, int(matrix.sum())),
    }
    for name, (k, n) in counts.items():
        e = intervals.proportion(k, n)
        yield f"| {name}, {k} of {n} | {e.value:.3f} | {e.low:.3f} to {e.high:.3f} |"


def meanings(sensitivity, specificity):
    """What a flag means at two base rates."""
    for share in (0.01, 0.13):
        values = bayes.predictive_values(sensitivity, specificity, share)
        f = bayes.natural_frequencies(sensitivity, specificity, share)
        ill = f.found + f.missed
        yield (
            f"| {rate(share)} | {ill} are ill | {f.found + f.false_alarms} | {f.found} | {show(values.ppv)} | "
            f"{show(values.npv)} |"
        )


def wines():
    """One curve for each wine against the others."""
    data = load_wine()
    rng = np.random.default_rng(0)
    folds = splits.folds(data.target, np.arange(len(data.target)), count=10, rng=rng)
    judge = tabular.build("logistic", [None] * len(WINE), seed=0)
    chances = tabular.out_of_fold(judge, data.data[:, WINE], data.target, folds)
    return [(f"wine {c + 1}", roc.curve(data.target == c, chances[:, c]), None) for c in range(3)]


def simulated(rng):
    """How often two intervals hold the true area."""
    for true, m, n in ((0.8, 30, 100), (0.95, 30, 100), (0.99, 20, 50)):
        gap = np.sqrt(2) * ndtri(true)
        labels = np.arange(m + n) < m
        shares = [covered(way, labels, gap, true, rng) for way in (wald, roc.auc)]
        yield f"| {true} | {m} + {n} | " + " | ".join(f"{100 * s.value:.1f} %" for s in shares) + " |"


def covered(way, labels, gap, true, rng):
    """How often one interval holds the true area, where scores are normal and the classes lie a gap apart."""
    return resampling.coverage(
        lambda r: r.normal(size=len(labels)) + gap * labels, lambda s: way(labels, s), true, runs=RUNS, rng=rng
    )


def wald(labels, scores):
    """DeLong's interval as most programs print it."""
    e = roc.auc(labels, scores)
    half = Z * np.sqrt(roc.delong_variance(labels, scores))
    return intervals.Estimate(e.value, e.value - half, e.value + half, 0.95, "delong-wald")


def show(e):
    """Write an estimate for a sentence."""
    return f"{e.value:.2f} ({e.low:.2f} to {e.high:.2f})"


def draw(path, plot, *, size=(400, 380)):
    """Write a figure at twice its size."""
    path.write_bytes(plots.png(plot, size=size))


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/examples"))
