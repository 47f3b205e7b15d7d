"""How often intervals hold the truth, by simulation: `python bench/interval_coverage.py` writes docs/coverage.md.

Every figure comes from the functions that users call. Each cell has its own seed, so one cell can be run again alone.
"""

import argparse
import functools
import math
import sys
import time
import zlib
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import scipy
from scipy import stats

import assay
import assay.errors
from assay.stats import areas, bayes, compare, cutoffs, intervals, operating, ranks, resampling, roc, summaries
from assay.stats import precision_recall as pr
from assay.tasks import findings

ASKED, OPTIMISTIC = 0.9435, 0.93  # 95 % less 3 standard errors of 10,000 runs; below the second a result must say so
HEAD = """# Coverage

How often a 95 % interval holds the truth. Made by `make coverage`: {runs:,} simulated data sets a cell unless a table
says otherwise; the standard error of a cell is then about {error:.1f} points. A cell in **bold** is below 93 %.
NumPy {numpy}, SciPy {scipy}, assay {assay}; one seed a cell. Normal scores unless said: negatives N(0, 1), positives
N(d, 1), where d gives the area. "10 + 90" is 10 positives and 90 negatives.

"""


def seeded(*name):
    """Return a generator of its own for each cell."""
    return np.random.default_rng(zlib.crc32(repr(name).encode()))


def percent(covered):
    return f"**{covered:.1%}**" if covered < OPTIMISTIC else f"{covered:.1%}"


def grid(title, text, corner, rows):
    """Write a table: rows of a name and a dict from column to text."""
    columns = list(dict.fromkeys(c for _, cells in rows for c in cells))
    lines = [
        f"## {title}",
        "",
        text,
        "",
        f"| {corner} | " + " | ".join(columns) + " |",
        "|---" * (len(columns) + 1) + "|",
    ]
    lines += [f"| {name} | " + " | ".join(cells.get(c, "") for c in columns) + " |" for name, cells in rows]
    return "\n".join(lines) + "\n\n"


def shift_of(area, spread=1.0):
    return stats.norm.ppf(area) * math.sqrt(1 + spread**2)


def normal(m, n, area, rng, spread=1.0):
    scores = rng.normal(size=m + n)
    scores[:m] = scores[:m] * spread + shift_of(area, spread)
    return scores


def grades(m, n, area, rng):
    return np.digitize(normal(m, n, area, rng), [-0.5, 0.2, 0.8, 1.5]).astype(float)


def grades_area(area):
    cuts = np.array([-0.5, 0.2, 0.8, 1.5])
    of, rest = (np.diff(np.r_[0, stats.norm.cdf(cuts - d), 1]) for d in (shift_of(area), 0))
    return float(of @ (np.r_[0, rest.cumsum()[:-1]] + rest / 2))


def mislabelled(m, n, area, rng):
    """Positives are far above all negatives, but for some that lie far below."""
    scores = rng.normal(size=m + n)
    scores[:m] += np.where(rng.random(m) < 1 - area, -20, 20)
    return scores


SHAPES = {
    "equal spread": (normal, lambda a: a),
    "positives 3 times as spread": (functools.partial(normal, spread=3.0), lambda a: a),
    "positives half as spread": (functools.partial(normal, spread=0.5), lambda a: a),
    "five grades, many ties": (grades, grades_area),
    "some positives at the very bottom": (mislabelled, lambda a: a),
}


def covering(m, n, area, runs, shape="equal spread"):
    """Return how often the default, the logit and the plain interval of an area cover."""
    make, truth_of = SHAPES[shape]
    rng, truth, covered = seeded("auc", m, n, area, shape), truth_of(area), np.zeros(3)
    labels = np.arange(m + n) < m
    for _ in range(runs):
        found = areas.area(ranks.placements(labels, make(m, n, area, rng)))
        half = 1.959964 * math.sqrt(found.variance)
        kinds = (
            areas.limits(found),
            areas.limits(found, method="delong-logit"),
            (found.value - half, found.value + half),
        )
        covered += [low <= truth <= high for low, high in kinds]
    return covered / runs


def auc_tables(runs):
    found = {}
    for balance in (0.5, 0.1):
        for total in (10, 20, 50, 100, 500):
            m = round(total * balance)
            if m >= 2:
                for area in (0.6, 0.7, 0.8, 0.9, 0.95, 0.99):
                    found[m, total - m, area] = covering(m, total - m, area, runs)
    pairs = list(dict.fromkeys((m, n) for m, n, _ in found))
    titles = (
        (
            "AUC, the default (`roc.auc`)",
            "DeLong's variance, held up where few are out of order; limits by their own variance.",
        ),
        (
            'AUC, DeLong on the logit scale (`method="delong-logit"`)',
            "What is usual where care is taken. With 1 to 4 pictures out of order it says “optimistic here”.",
        ),
        (
            "AUC, plain DeLong",
            "1.96 standard errors, as most programs print it; leaves [0, 1], has no width at 1, is not in assay.",
        ),
    )
    text = ""
    for i, (title, words) in enumerate(titles):
        rows = []
        for m, n in pairs:
            cells = {f"AUC {a}": percent(v[i]) for (p, q, a), v in found.items() if (p, q) == (m, n)}
            rows.append((f"{m} + {n}", cells))
        text += grid(title, words, "pictures", rows)
    return text


def shape_table(runs):
    rows = []
    for shape in list(SHAPES)[1:]:
        for m, n in ((10, 90), (50, 50), (50, 450)):
            cells = {f"AUC {a}": percent(covering(m, n, a, runs, shape)[0]) for a in (0.8, 0.9, 0.95, 0.99)}
            rows.append((f"{shape}, {m} + {n}", cells))
    words = (
        "The default where scores are not alike in shape. Hardest is where a few positives lie far out and most "
        "samples hold none of them: nothing in such a sample tells, so the docstring of `roc.auc` does."
    )
    return grid("AUC, other shapes", words, "scores", rows)


def group_table(runs):
    rows = [(f"{groups} groups of 10", grouped(groups, runs)) for groups in (20, 40, 80)]
    words = "10 pictures of each thing, correlation .5 within a group, 40 % of groups positive, AUC .86."
    return grid("AUC, pictures in groups", words, "pictures", rows)


def grouped(count, runs):
    rng, covered = seeded("grouped", count), np.zeros(2)
    names, labels = np.repeat(np.arange(count), 10), np.repeat(np.arange(count) < 0.4 * count, 10)
    truth = float(stats.norm.cdf(1.5 / math.sqrt(2)))
    for _ in range(runs):
        noise = np.repeat(rng.normal(0, math.sqrt(0.5), count), 10) + rng.normal(0, math.sqrt(0.5), 10 * count)
        scores = 1.5 * labels + noise
        pair = roc.auc(labels, scores, groups=names), roc.auc(labels, scores)
        covered += [e.low <= truth <= e.high for e in pair]
    return dict(zip(("grouped", "as if independent"), map(percent, covered / runs), strict=True))


def proportion_table(_runs):
    truths = np.arange(0.005, 0.9951, 0.005)
    rows = []
    for n in (10, 20, 30, 50, 100):
        cells = {}
        for method in intervals.METHODS:
            held = np.array([intervals.limits(k / n, n, method=method) for k in range(n + 1)])
            chance = stats.binom.pmf(np.arange(n + 1)[:, None], n, truths)
            covered = (chance * ((held[:, :1] <= truths) & (truths <= held[:, 1:]))).sum(axis=0)
            cells[method] = f"{covered.mean():.1%} ({covered.min():.1%})"
        rows.append((f"n = {n}", cells))
    words = "Exact, without simulation: mean over true shares .005, .010 .. .995, and the worst of them in brackets."
    return grid("Proportions", words, "pictures", rows)


def f1_table(runs):
    rows = []
    for sizes in ((5, 5), (10, 10), (10, 90), (50, 50), (10, 20, 30), (30, 30, 30), (100, 100, 100)):
        cells = {}
        for right in (0.6, 0.8, 0.95, 0.99):
            rng, k, covered = seeded("f1", sizes, right), len(sizes), 0
            chances = np.full((k, k), (1 - right) / (k - 1))
            np.fill_diagonal(chances, right)
            expected = chances * np.array(sizes)[:, None]
            truth = float(np.mean(2 * expected.diagonal() / (expected.sum(axis=0) + expected.sum(axis=1))))
            labels, seen = np.repeat(np.arange(k), sizes), {}
            for _ in range(runs):
                counts = np.array([rng.multinomial(s, p) for s, p in zip(sizes, chances, strict=True)])
                key = counts.tobytes()
                if key not in seen:
                    answers = np.concatenate([np.repeat(np.arange(k), row) for row in counts])
                    seen[key] = summaries.macro_f1(labels, answers, classes=k)
                covered += seen[key].low <= truth <= seen[key].high
            cells[f"{right:.0%} right"] = percent(covered / runs)
        rows.append((" + ".join(map(str, sizes)), cells))
    words = "`summaries.macro_f1`; every class is recognised equally often. Truth: F1 of the expected counts."
    return grid("Macro-F1", words, "pictures of each class", rows)


SIZES = ((10, 10), (10, 90), (25, 25), (50, 50), (50, 450))


def operating_table(runs):
    rows = []
    for m, n in SIZES:
        cells = {}
        for area in (0.7, 0.9, 0.97):
            rng, covered, labels = seeded("at", m, n, area), 0, np.arange(m + n) < m
            truth = float(stats.norm.sf(stats.norm.ppf(0.9) - shift_of(area)))
            for _ in range(runs):
                e = operating.sensitivity_at(labels, normal(m, n, area, rng), 0.9)
                covered += e.low <= truth <= e.high
            cells[f"AUC {area}"] = percent(covered / runs)
        rows.append((f"{m} + {n}", cells))
    words = "`operating.sensitivity_at` a specificity of 90 %: the threshold's own doubt included."
    return grid("Sensitivity at a specificity", words, "pictures", rows)


def average_table(runs):
    rows, at = [], np.linspace(-9, 12, 20001)
    for m, n in SIZES:
        cells = {}
        for area in (0.7, 0.9, 0.97):
            rng, covered, labels, d = seeded("ap", m, n, area), 0, np.arange(m + n) < m, shift_of(area)
            found, alarms = m * stats.norm.sf(at - d), n * stats.norm.sf(at)
            truth = float(np.trapezoid(found / np.maximum(found + alarms, 1e-300) * stats.norm.pdf(at - d), at))
            for _ in range(runs):
                e = pr.average_precision(labels, normal(m, n, area, rng))
                covered += e.low <= truth <= e.high
            cells[f"AUC {area}"] = percent(covered / runs)
        rows.append((f"{m} + {n}", cells))
    return grid("Average precision", "`precision_recall.average_precision`.", "pictures", rows)


def value_table(runs):
    rows = []
    share = functools.cache(intervals.proportion)
    for m, n in ((10, 90), (30, 100), (50, 50), (50, 450), (200, 200)):
        cells = {}
        for se, sp in ((0.7, 0.8), (0.9, 0.95), (0.95, 0.99)):
            for prevalence in (0.01, 0.13):
                rng, covered, truth = (
                    seeded("ppv", m, n, se, prevalence),
                    0,
                    bayes.predictive_values(se, sp, prevalence).ppv.value,
                )
                known = {}
                for k, j in zip(rng.binomial(m, se, runs).tolist(), rng.binomial(n, sp, runs).tolist(), strict=True):
                    if (k, j) not in known:
                        try:
                            known[k, j] = bayes.predictive_values(share(k, m), share(j, n), prevalence).ppv
                        except assay.errors.UndefinedError:  # nothing was called positive: no answer, not a wrong one
                            known[k, j] = None
                    e = known[k, j]
                    covered += e is None or e.low <= truth <= e.high
                cells[f"{se}, {sp}, {prevalence:.0%}"] = percent(covered / runs)
        rows.append((f"{m} + {n}", cells))
    words = (
        "`bayes.predictive_values` from `intervals.proportion`: PPV at sensitivity, specificity and prevalence. The "
        "limits of Clopper and Pearson are carried through; with Wilson's, cells at 0.95, 0.99 fell to 91 %."
    )
    return grid("Positive predictive value", words, "pictures", rows)


def difference_table(runs):
    runs = max(runs // 5, 1)
    rows = []
    for m, n in ((10, 90), (50, 50), (50, 450)):
        cells = {}
        for first, second in ((0.8, 0.8), (0.9, 0.8), (0.97, 0.95)):
            rng, covered, labels = seeded("pair", m, n, first, second), 0, np.arange(m + n) < m
            for _ in range(runs):
                shared = rng.normal(size=m + n)
                pair = [math.sqrt(0.6) * shared + math.sqrt(0.4) * rng.normal(size=m + n) for _ in range(2)]
                scores = [s + shift_of(a) * labels for s, a in zip(pair, (first, second), strict=True)]
                e = compare.aucs(labels, *scores).difference
                covered += e.low <= first - second <= e.high
            cells[f"AUC {first} - {second}"] = percent(covered / runs)
        rows.append((f"{m} + {n}", cells))
    words = f"`compare.aucs`, two models whose scores correlate .6 within a class; {runs:,} runs a cell."
    return grid("Difference of two AUC", words, "pictures", rows)


def choice_table(runs):
    runs = max(runs // 20, 1)
    rows = []
    for rule in ("specificity", "youden", "cost"):
        for m, n in ((10, 90), (50, 50), (50, 450)):
            rng, covered, labels, d = seeded("choice", rule, m, n), np.zeros(2), np.arange(m + n) < m, shift_of(0.9)
            for _ in range(runs):
                c = cutoffs.choose(labels, normal(m, n, 0.9, rng), rule=rule, cost_fn=5.0, runs=100, rng=rng)
                truths = float(stats.norm.sf(c.threshold.value - d)), float(stats.norm.cdf(c.threshold.value))
                covered += [e.low <= t <= e.high for e, t in zip((c.sensitivity, c.specificity), truths, strict=True)]
            cells = dict(zip(("sensitivity", "specificity"), map(percent, covered / runs), strict=True))
            rows.append((f"{rule}, {m} + {n}", cells))
    words = (
        f"`cutoffs.choose` at AUC .9: the interval and what the chosen threshold really gives; {runs:,} runs a cell."
    )
    return grid("Rates of a chosen cut-off", words, "rule and pictures", rows)


COSTS = {
    "specificity": {"specificity": 0.9, "cost_fp": 1, "cost_fn": 1, "prevalence": None},
    "youden": {"specificity": None, "cost_fp": 1, "cost_fn": 1, "prevalence": None},
    "cost": {"specificity": None, "cost_fp": 1, "cost_fn": 5, "prevalence": None},
}


def judged_table(runs):
    runs = max(runs // 100, 1)
    rows = []
    for name, options in COSTS.items():
        for m, n in ((10, 90), (50, 50), (50, 450)):
            rng, covered = seeded("turns", name, m, n), np.zeros(2)
            labels, d = np.arange(m + n) < m, shift_of(0.9)
            for _ in range(runs):
                scores = normal(m, n, 0.9, rng)
                found = findings.find_two(
                    ("no", "yes"), labels.astype(int), scores, positive=1, probable=False, rng=rng, **options
                ).cutoff
                truths = float(stats.norm.sf(found.threshold - d)), float(stats.norm.cdf(found.threshold))
                pair = found.sensitivity, found.specificity
                covered += [e.low <= t <= e.high for e, t in zip(pair, truths, strict=True)]
            cells = dict(zip(("sensitivity", "specificity"), map(percent, covered / runs), strict=True))
            rows.append((f"{name}, {m} + {n}", cells))
    words = (
        f"The same of `assay judge`, which chooses in turns, at AUC .9; {runs:,} runs a cell. Without the doubt about "
        "the threshold itself it would be 79 to 96 %."
    )
    return grid("Rates of the cut-off of a judgement", words, "rule and pictures", rows)


def mean_table(runs):
    rows = []
    for n in (5, 20, 100, 5000):
        cells = {}
        for name, options in (("t", {}), ("z, sigma known", {"sigma": math.sqrt(8)})):
            rng = seeded("mean", n, name)
            e = resampling.coverage(
                lambda rng, n=n: rng.gamma(2, 2, n),
                lambda values, options=options: intervals.mean(values, **options),
                4,
                runs=runs,
                rng=rng,
            )
            cells[name] = percent(e.value)
        rows.append((f"n = {n}", cells))
    return grid(
        "Means",
        "`intervals.mean` of gamma(2, 2), which is skewed. Of fewer than 20 values the result says “optimistic here”.",
        "values",
        rows,
    )


def summary_table(runs):
    runs = max(runs // 5, 1)
    rows = []
    for sizes in ((10, 10), (10, 90), (50, 50), (10, 20, 30), (100, 100, 100)):
        cells = {}
        for right in (0.6, 0.8, 0.95):
            rng, k, covered = seeded("mcc", sizes, right), len(sizes), 0
            chances = np.full((k, k), (1 - right) / (k - 1))
            np.fill_diagonal(chances, right)
            truth = expected_mcc(chances * np.array(sizes)[:, None])
            labels, seen = np.repeat(np.arange(k), sizes), {}
            for _ in range(runs):
                counts = np.array([rng.multinomial(s, p) for s, p in zip(sizes, chances, strict=True)])
                key = counts.tobytes()
                if key not in seen:
                    answers = np.concatenate([np.repeat(np.arange(k), row) for row in counts])
                    one = len(np.unique(answers)) < 2
                    seen[key] = None if one else summaries.mcc(labels, answers, classes=k)
                covered += seen[key] is None or seen[key].low <= truth <= seen[key].high
            cells[f"{right:.0%} right"] = percent(covered / runs)
        rows.append((" + ".join(map(str, sizes)), cells))
    words = f"`summaries.mcc`; the limits of `agreement.kappa` are made alike; {runs:,} runs a cell."
    return grid("Matthews' correlation", words, "pictures of each class", rows)


def expected_mcc(expected):
    shares = expected / expected.sum()
    rows, columns = shares.sum(axis=1), shares.sum(axis=0)
    return (shares.trace() - rows @ columns) / math.sqrt((1 - rows @ rows) * (1 - columns @ columns))


TABLES = {
    "auc": auc_tables,
    "shapes": shape_table,
    "groups": group_table,
    "proportions": proportion_table,
    "means": mean_table,
    "f1": f1_table,
    "mcc": summary_table,
    "operating": operating_table,
    "average": average_table,
    "values": value_table,
    "differences": difference_table,
    "choice": choice_table,
    "judged": judged_table,
}


def timed(name, runs):
    began = time.monotonic()
    text = TABLES[name](runs)
    print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    return text


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--only", choices=TABLES, help="one table, printed and not written")
    parser.add_argument("--out", type=Path, default=Path("docs/coverage.md"))
    options = parser.parse_args()
    versions = {"numpy": np.__version__, "scipy": scipy.__version__, "assay": assay.__version__}
    text = HEAD.format(runs=options.runs, error=100 * math.sqrt(0.05 * 0.95 / options.runs), **versions)
    # Each cell has its own seed: tables can be made side by side, the longest first.
    with ProcessPoolExecutor() as pool:
        names = [options.only] if options.only else list(TABLES)
        text += "".join(pool.map(timed, names, [options.runs] * len(names)))
    if not options.only:
        options.out.write_text(text.rstrip() + "\n")
    print(text)


if __name__ == "__main__":
    main()
