"""The base-rate fallacy: lawyers and engineers, a plan and its outcome, a rare disease, and naive Bayes at work.

`python examples/04_base_rates.py [FOLDER]` writes 04_base_rates.md and its figures; docs/examples by default.
"""

import sys
from functools import partial
from pathlib import Path

import numpy as np
from sklearn.datasets import load_breast_cancer

from assay.data import splits
from assay.models import tabular
from assay.report import evidence, plots
from assay.report.trust import rate
from assay.stats import bayes, calibration, confusion, cutoffs, intervals, roc

ENGINEERS, LAWYERS = 30, 70
PEOPLE = {  # how often such a description fits an engineer, and a lawyer
    "Jack: careful, likes sailing, home carpentry and number puzzles": (0.60, 0.20),
    "Dick: of high ability, well liked by his colleagues": (0.30, 0.30),
    "Tom: argues for a living, reads contracts at breakfast": (0.05, 0.45),
    "Ann: builds model railways, dislikes meetings": (0.50, 0.15),
    "Paul: wears a suit, plays chess": (0.25, 0.35),
}
WEEKS = np.arange(2, 41)
OTHERS = np.array([11, 14, 9, 22, 17, 13, 30, 16, 12, 19, 15, 24])  # weeks that twelve teams took
HOPE = 8  # weeks that we think we need
COLUMNS = (0, 1, 4, 8)  # radius, texture, smoothness, symmetry
TEST = {
    "mammography": (0.90, 0.91, 0.01),
    "a better test": (0.99, 0.99, 0.001),
    "the first test in a clinic": (0.90, 0.91, 0.3),
}

PAGE = """# 4 Base rates and Bayes

Made by `make examples` from `examples/04_base_rates.py`, seed 0.

## Lawyers and engineers

A person is drawn from {lawyers} lawyers and {engineers} engineers (Kahneman and Tversky). People judge by how well the
description fits, and answer as if both were equally many. Bayes' rule multiplies what was known before by how well the
description fits: `bayes.posterior([0.3, 0.7], [fits an engineer, fits a lawyer])`.

| | fits an engineer, a lawyer | engineer, by likeness alone | with 70 lawyers | with 70 engineers |
|---|---|---|---|---|
{people}

Dick fits both alike: the description says nothing, and what is left is the base rate, 0.30. People say one half.

Of 100 people, 30 are engineers. Found: engineers whom the description of Jack fits; false alarms: lawyers whom it
fits.

![100 people as figures, by profession and by whether the description of Jack fits](04_lawyers.png)

## Planning a project

Our own hope is {hope} weeks. Twelve other teams took {low} to {high}, {mean}. Their times are the base rate; the hope
is a sign, and hopes have been a half of what it took, give or take a factor of 1.5. Together: **{plan:.0f} weeks**,
and in 9 of 10 cases between {early} and {late}.

![What the other teams took, and what to believe with our own hope](04_plan.png)

## A rare disease

| test | sensitivity | specificity | base rate | of 1,000: positive | of these ill | a positive is right |
|---|---|---|---|---|---|---|
{tests}

Of 1,000 women 10 have breast cancer; 98 are told that they might, and 9 of these have it.

![1,000 people: found, missed, false alarms, rightly passed](04_mammography.png)
![What a positive and a negative are worth, by base rate](04_predictive_values.png)

## Naive Bayes on real data

Four columns of *breast cancer Wisconsin* ({n} tumours, from scikit-learn), each taken as independent of the others
given the class, in 10-fold cross-validation: AUC **{auc}**, accuracy **{accuracy}** against {baseline:.2f} for always
“benign”.

![ROC curve of naive Bayes](04_roc.png)
![Calibration of naive Bayes](04_calibration.png)

Columns that say the same are counted twice, so it can be too sure; it ranks well all the same.

## Another base rate

It learned where {share:.0%} are malignant. Where 1 in 100 is, its probabilities have to be shifted
(`bayes.prior_shift`): 0.90 becomes {shifted:.2f}. And where nobody knows the base rate, unlabelled cases tell it
(`bayes.base_rate`, by expectation and maximisation): from 300 cases of which 10 % are malignant it finds {found}.
"""


def main(out: Path) -> None:
    """Make the page."""
    out.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    prior = np.array([ENGINEERS, LAWYERS]) / 100
    people = []
    for who, fits in PEOPLE.items():
        alike, told, other = (bayes.posterior(p, np.array(fits))[0] for p in (np.array([0.5, 0.5]), prior, prior[::-1]))
        people.append(f"| {who} | {fits[0]:.2f}, {fits[1]:.2f} | {alike:.2f} | **{told:.2f}** | {other:.2f} |")
    fits = next(iter(PEOPLE.values()))
    jack = bayes.natural_frequencies(fits[0], 1 - fits[1], prior[0], out_of=100)
    save(out / "04_lawyers.png", partial(evidence.natural_frequencies, jack, unit="people"))

    before = np.exp(-((np.log(WEEKS)[:, None] - np.log(OTHERS)) ** 2) / (2 * 0.15**2)).sum(axis=1)
    before /= before.sum()
    sign = np.exp(-((np.log(HOPE) - np.log(WEEKS / 2)) ** 2) / (2 * np.log(1.5) ** 2))
    after = bayes.posterior(before, sign)
    save(out / "04_plan.png", partial(plan, before, after), size=(430, 300))
    reached = np.cumsum(after)

    tests = []
    for name, (sensitivity, specificity, share) in TEST.items():
        f = bayes.natural_frequencies(sensitivity, specificity, share)
        ppv = bayes.predictive_values(sensitivity, specificity, share).ppv.value
        tests.append(
            f"| {name} | {sensitivity} | {specificity} | {rate(share)} | {f.found + f.false_alarms} | {f.found} "
            f"| **{ppv:.2f}** |"
        )
    sensitivity, specificity, share = TEST["mammography"]
    frequencies = bayes.natural_frequencies(sensitivity, specificity, share)
    save(out / "04_mammography.png", partial(evidence.natural_frequencies, frequencies, unit="women"))
    curve = [
        (float(p), bayes.predictive_values(sensitivity, specificity, float(p))) for p in np.geomspace(0.001, 0.9, 60)
    ]
    save(out / "04_predictive_values.png", partial(evidence.predictive, curve, at=share), size=(430, 330))

    data = load_breast_cancer()
    x, malignant = data.data[:, COLUMNS], data.target == 0
    labels = malignant.astype(int)
    folds = splits.folds(labels, np.arange(len(labels)), count=10, rng=rng)
    judge = tabular.build("bayes", [None] * len(COLUMNS), seed=0)
    chances = tabular.out_of_fold(judge, x, labels, folds)
    scores = chances[:, 1]
    band = roc.band(malignant, scores, rng=rng)
    save(
        out / "04_roc.png", partial(evidence.roc, [("malignant", roc.curve(malignant, scores), band)]), size=(400, 380)
    )
    bins, whole = calibration.reliability(malignant, scores), calibration.band(malignant, scores)
    save(out / "04_calibration.png", partial(evidence.calibration, bins, band=whole), size=(400, 380))

    old = np.array([1 - malignant.mean(), malignant.mean()])
    shifted = bayes.prior_shift(np.array([[0.1, 0.9]]), old, np.array([0.99, 0.01]))[0, 1]
    few = np.concatenate([np.flatnonzero(~malignant)[:270], np.flatnonzero(malignant)[:30]])
    found = bayes.base_rate(chances[few], old)[1]
    weeks = intervals.mean(OTHERS.astype(float))
    page = PAGE.format(
        lawyers=LAWYERS, engineers=ENGINEERS, people="\n".join(people), hope=HOPE, low=OTHERS.min(), high=OTHERS.max(),
        mean=f"on average {weeks.value:.0f} ({weeks.low:.0f} to {weeks.high:.0f})",
        plan=WEEKS[np.searchsorted(reached, 0.5)], early=WEEKS[np.searchsorted(reached, 0.05)],
        late=WEEKS[np.searchsorted(reached, 0.95)], tests="\n".join(tests),
        n=len(labels), auc=show(roc.auc(malignant, scores)), share=malignant.mean(), shifted=shifted, found=show(found),
        accuracy=show(confusion.accuracy(labels, (scores >= cutoffs.cutoff(malignant, scores)).astype(int))),
        baseline=1 - malignant.mean(),
    )  # fmt: skip
    (out / "04_base_rates.md").write_text(page)
    print(f"Jack is an engineer: {bayes.posterior(prior, np.array(fits))[0]:.2f}; {out / '04_base_rates.md'}")


def plan(before, after, ax):
    """Draw what was believed of a project's length before and after our own hope."""
    plots.frame(ax, "weeks that it takes", "chance of each week")
    ax.plot(WEEKS, before, color=plots.DIM, linewidth=2.2, linestyle=plots.DASHES[1], label="other teams")
    ax.plot(WEEKS, after, color=plots.ACCENT, linewidth=2.2, label="and our hope")
    ax.axvline(HOPE, color=plots.INK, linewidth=1, linestyle=(0, (2, 3)))
    ax.annotate("our hope", (HOPE, ax.get_ylim()[1]), xytext=(-6, -2), textcoords="offset points", ha="right", va="top")
    ax.legend(loc="upper right", frameon=False)


def show(e):
    """Write an estimate for a sentence."""
    return f"{e.value:.2f} ({e.low:.2f} to {e.high:.2f})"


def save(path, plot, *, size=(560, 300)):
    """Write a figure at twice its size."""
    path.write_bytes(plots.png(lambda ax: plot(ax=ax), size=size))


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/examples"))
