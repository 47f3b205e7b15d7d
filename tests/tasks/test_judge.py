"""Scores, a table, or a model and pictures in; a verdict, a page, plots and a result out, or one clear sentence."""

import csv
import json
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.tree import DecisionTreeClassifier

from assay.errors import InputError, UndefinedError
from assay.stats import calibration, compare, confusion, cutoffs, intervals, roc, several
from assay.tasks.findings import find_two
from assay.tasks.judge import judge


def written(path, header, rows):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def drawn(n=160, *, share=0.25, gap=1.6, seed=0):
    """Labels and scores between 0 and 1 of a classifier that is good, not perfect."""
    rng = np.random.default_rng(seed)
    ill = np.arange(n) < n * share
    return ill, 1 / (1 + np.exp(-(rng.normal(size=n) + gap * (ill - 0.7))))


def scores(path, ill, values, **columns):
    rows = [
        ["ill" if a else "well", repr(float(s)), *(str(c[i]) for c in columns.values())]
        for i, (a, s) in enumerate(zip(ill, values, strict=True))
    ]
    return written(path, ["label", "score", *columns], rows)


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """A judgement of scores at a specificity and a base rate."""
    top = tmp_path_factory.mktemp("judged")
    ill, values = drawn()
    return judge(scores(top / "scores.csv", ill, values), specificity=0.9, prevalence=0.01, out=top / "out")


def test_the_figures_are_those_of_the_scores(judged):
    ill, values = drawn()
    assert judged.figures["auc"] == roc.auc(ill, values)
    assert judged.figures["brier_score"] == calibration.brier(ill, values).score
    assert judged.counts == {"ill": 40, "well": 120}
    assert (judged.positive, judged.n, judged.matrix.sum()) == ("ill", 160, 160)
    found, missed, alarms, passed = judged.matrix.ravel().tolist()
    assert judged.cutoff.sensitivity.value == found / (found + missed)
    assert judged.cutoff.specificity.value == passed / (alarms + passed)
    assert judged.figures["accuracy"].value == (found + passed) / 160
    assert f"{found} of 40" in judged.headline
    assert f"{alarms} of 120" in judged.headline
    assert (judged.cutoff.prevalence, judged.cutoff.prevalence_given) == (0.01, True)
    assert (values[~ill] < judged.cutoff.threshold).mean() >= 0.9
    assert judged.threshold.low <= judged.cutoff.threshold <= judged.threshold.high


def test_everything_is_written_and_the_result_is_its_json(judged):
    report = Path(judged.report)
    out = report.parent
    page = report.read_text()
    assert json.loads((out / "judgement.json").read_text())["headline"] == judged.headline
    names = {"roc", "precision-recall", "calibration", "confusion", "predictive-values", "natural-frequencies"}
    assert {Path(p).stem for p in judged.plots} == names
    for path in map(Path, judged.plots):
        if path.suffix == ".svg":
            assert ET.fromstring(path.read_text()).tag.endswith("svg")
        else:
            assert path.read_bytes().startswith(b"\x89PNG")
    assert "<script" not in page
    assert "1,000 rows" in page
    assert judged.headline in page


def test_a_cut_off_is_measured_on_rows_that_did_not_choose_it():
    # Scores that say nothing: chosen and measured on the same rows, the best cut-off looks better than a coin.
    honest, flattered = [], []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        ill, values = rng.permutation(np.arange(60) < 30), rng.random(60)
        found = find_two(("well", "ill"), ill.astype(int), values, positive=1, probable=False, rng=rng)
        honest.append(found.cutoff.sensitivity.value + found.cutoff.specificity.value - 1)
        same = cutoffs.at(ill, values, found.cutoff.threshold)
        flattered.append(same[0].value + same[1].value - 1)
    assert abs(np.mean(honest)) < 0.06
    assert np.mean(flattered) > 0.15


def test_costs_move_the_cut_off_and_the_rule_is_told(tmp_path):
    ill, values = drawn()
    path = scores(tmp_path / "s.csv", ill, values)
    misses, alarms = (judge(path, cost_fn=c, cost_fp=d, out=tmp_path / "o") for c, d in ((20, 1), (1, 20)))
    assert misses.cutoff.threshold < alarms.cutoff.threshold
    assert misses.cutoff.rule == "least cost out of fold, a miss costing 20 times a false alarm"


def test_groups_widen_intervals(tmp_path):
    ill, values = drawn(80)
    order = np.repeat(np.arange(80), 3)
    path = scores(tmp_path / "s.csv", ill[order], values[order], patient=order)
    plain, grouped = (judge(path, group=g, out=tmp_path / "o").figures["auc"] for g in (None, "patient"))
    once = roc.auc(ill, values)
    assert grouped.high - grouped.low == pytest.approx(once.high - once.low, rel=0.1)
    assert plain.high - plain.low < 0.7 * (grouped.high - grouped.low)


def test_three_positives_cannot_show_how_good_it_is(tmp_path):
    ill, values = drawn(60, share=0.05)
    found = judge(scores(tmp_path / "s.csv", ill, values), out=tmp_path / "o")
    assert found.headline == "Too few to say: 3 “ill” cannot show how good it is."
    assert any("more “ill” the sensitivity would be known to within 0.1" in s for s in found.sentences)


def test_perfect_scores_are_asked_to_explain_themselves(tmp_path):
    ill = np.arange(90) < 30
    perfect = judge(scores(tmp_path / "s.csv", ill, np.arange(90)[::-1]), out=tmp_path / "o")
    assert perfect.headline.startswith("Perfect on 90 rows, which needs an explanation")
    assert perfect.figures["auc"].low < 1
    copied = judge(scores(tmp_path / "s.csv", ill, ill.astype(int)), out=tmp_path / "o")
    assert copied.headline == "The scores are the labels over again: that proves nothing."
    flipped = ill ^ (np.arange(90) % 9 == 0)
    decided = judge(scores(tmp_path / "s.csv", ill, flipped.astype(int)), out=tmp_path / "o")
    assert "decisions already" in decided.warnings[0]
    assert not judge(scores(tmp_path / "s.csv", *drawn()), out=tmp_path / "o").warnings


def test_scores_that_point_the_wrong_way_are_told_so(tmp_path):
    ill, values = drawn()
    found = judge(scores(tmp_path / "s.csv", ill, 1 - values), out=tmp_path / "o")
    assert "wrong way" in found.headline
    assert "--positive 'well'" in found.warnings[0]


def test_two_programs_are_compared_row_by_row(tmp_path):
    ill, values = drawn()
    other = values * 0.5 + np.random.default_rng(1).random(160) * 0.5
    ids = [f"p{i}" for i in range(160)]
    first = scores(tmp_path / "a.csv", ill, values, id=ids)
    turned = np.arange(160)[::-1]
    second = scores(tmp_path / "b.csv", ill[turned], other[turned], id=[ids[i] for i in turned])
    found = judge(first, compare=str(second), out=tmp_path / "o")
    expected = compare.aucs(ill, values, other)
    assert found.compared.difference == expected.difference
    assert (found.compared.name, found.compared.figure, found.compared.p_value) == ("b.csv", "AUC", expected.p_value)
    assert any("b.csv" in s for s in found.sentences)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda ill, s: (ill[:-1], s[:-1]), "must be about the same rows, got 159 in b.csv and 160 in a.csv"),
        (lambda ill, s: (np.roll(ill, 1), s), "must have the same label in each row, got another in row 1 of b.csv"),
    ],
)
def test_what_cannot_be_compared_is_refused(tmp_path, change, words):
    ill, values = drawn()
    first = scores(tmp_path / "a.csv", ill, values)
    second = scores(tmp_path / "b.csv", *change(ill, values))
    with pytest.raises(InputError, match=words):
        judge(first, compare=str(second), out=tmp_path / "o")


def test_several_classes_are_judged_by_their_columns(tmp_path):
    rng = np.random.default_rng(0)
    labels = np.arange(120) % 3
    chances = rng.dirichlet([1, 1, 1], 120) + 1.2 * np.eye(3)[labels]
    chances /= chances.sum(axis=1, keepdims=True)
    path = written(
        tmp_path / "s.csv",
        ["label", "a", "b", "c"],
        [["abc"[y], *map(float, p)] for y, p in zip(labels, chances, strict=True)],
    )
    found = judge(path, out=tmp_path / "o")
    expected = confusion.matrix(labels, chances.argmax(axis=1), classes=3)
    np.testing.assert_array_equal(found.matrix, expected)
    assert found.headline == f"Names the right one of 3 classes for {np.trace(expected)} of 120 rows."
    assert found.positive is None
    assert found.figures["accuracy"] == confusion.accuracy(labels, chances.argmax(axis=1))
    pairs = several.pairwise(labels, chances)
    assert len(found.areas) == 3 + len(pairs)
    assert all(found.areas[f"{'abc'[i]} v {'abc'[j]}"] == e for (i, j), e in pairs.items())
    worst = min((e.value, f"{'abc'[i]} against {'abc'[j]}") for (i, j), e in pairs.items())[1]
    page = Path(found.report).read_text()
    assert page.index(worst) == min(page.find(f"{a} against {b}") for a in "abc" for b in "abc" if a != b)
    assert f"{worst.replace(' against ', ' v ')}  " in page  # named in the plot
    with pytest.raises(InputError, match="need 2 classes, got 3"):
        judge(path, specificity=0.9, out=tmp_path / "o2")


def test_scores_that_name_pictures_show_them_behind_each_count(album, tmp_path):
    top = album(tmp_path / "photos", kinds=("flower", "shapes"), count=6, first=0)
    files = sorted(p.relative_to(top).as_posix() for p in top.rglob("*.jpg"))
    (top / files[0]).write_bytes(b"no picture")
    rng = np.random.default_rng(0)
    rows = [[i, f, f.partition("/")[0], float(rng.normal() + f.startswith("f"))] for i, f in enumerate(files)]
    path = written(tmp_path / "s.csv", ["id", "file", "label", "score"], rows)
    found = judge(path, folder=top, positive="flower", out=tmp_path / "o", processes=1)
    page = Path(found.report).read_text()
    assert page.count('class="cell"') == np.count_nonzero(found.matrix)
    assert page.count("data:image/jpeg") == len(files) - 1
    assert page.count('class="gone">') == 1
    assert "more pictures like these" in " ".join(found.sentences) or "more “" in " ".join(found.sentences)
    beside = judge(shutil.copy(path, top / "s.csv"), out=tmp_path / "p", processes=1)
    assert Path(beside.report).read_text().count("data:image/jpeg") == len(files) - 1
    away = judge(path, out=tmp_path / "q")
    assert any("name their folder" in note for note in away.notes)
    assert "data:image/jpeg" not in Path(away.report).read_text()
    with pytest.raises(
        InputError, match="FOLDER must hold the pictures that the column 'file' names, got none such as"
    ):
        judge(path, folder=tmp_path / "o", out=tmp_path / "r")
    with pytest.raises(InputError, match="FOLDER goes with a column 'file'"):
        judge(scores(tmp_path / "t.csv", *drawn()), folder=top, out=tmp_path / "r")


def test_rates_of_a_cut_off_hold_the_doubt_about_where_it_lies():
    rng, held, alone, runs = np.random.default_rng(11), np.zeros(2), np.zeros(2), 60
    labels, gap = np.arange(120) < 60, 1.812  # an area of .9
    for _ in range(runs):
        values = rng.normal(size=120) + gap * labels
        found = find_two(("no", "yes"), labels.astype(int), values, positive=1, probable=False, rng=rng)
        c, k = found.cutoff, found.matrix
        truths = norm.sf(c.threshold - gap), norm.cdf(c.threshold)
        plain = intervals.proportion(int(k[1, 1]), 60), intervals.proportion(int(k[0, 0]), 60)
        held += [e.low <= t <= e.high for e, t in zip((c.sensitivity, c.specificity), truths, strict=True)]
        alone += [e.low <= t <= e.high for e, t in zip(plain, truths, strict=True)]
    assert (held / runs > 0.93).all()
    assert alone.mean() < held.mean()


def test_of_very_many_rows_too_the_cut_off_is_in_doubt():
    rng = np.random.default_rng(12)
    labels = rng.random(120_000) < 0.3
    values = rng.normal(size=120_000) + labels
    found = find_two(("no", "yes"), labels.astype(int), values, positive=1, probable=False, rng=rng)
    e = found.cutoff.sensitivity
    assert found.threshold is None
    assert e.high - e.low > 2 * (intervals.proportion(int(found.matrix[1, 1]), int(labels.sum())).high - e.value)


@pytest.fixture
def table(tmp_path):
    """Two columns that tell a little, one of words, the number of the row."""
    rng = np.random.default_rng(0)
    ill = np.arange(120) % 3 == 0
    rows = [
        [
            i,
            round(float(rng.normal() + 1.2 * a), 3),
            round(float(rng.normal()), 3),
            "ab"[int(rng.random() < 0.3 + 0.3 * a)],
            "yes" if a else "no",
        ]
        for i, a in enumerate(ill)
    ]
    return written(tmp_path / "table.csv", ["id", "x", "y", "town", "ill"], rows)


def test_a_table_is_cross_validated(table, tmp_path):
    found = judge(table, target="ill", classifier="logistic", compare="bayes", folds=5, out=tmp_path / "o")
    assert 0.6 < found.figures["auc"].value < 0.95
    assert found.positive == "yes"
    assert "By 5-fold cross-validation: logistic judged each row without having learned from it." in found.sentences
    assert "told by 3 columns" in found.notes
    assert found.compared.name == "bayes"
    sizes = [n for n, _ in found.learning]
    assert sizes == sorted(sizes)
    assert sizes[-1] == 96
    assert [n for n, _ in found.forecast] == [240, 480]
    assert "Would more rows help?" in Path(found.report).read_text()
    again = judge(table, target="ill", classifier="logistic", folds=5, out=tmp_path / "o")
    assert again.figures == found.figures


def test_an_estimator_from_python_is_judged(table, tmp_path):
    found = judge(table, target="ill", classifier=DecisionTreeClassifier(random_state=0), repeats=2, out=tmp_path / "o")
    assert any("2 times with other folds: DecisionTreeClassifier" in s for s in found.sentences)


def test_labels_drawn_at_random_are_not_learned(table, tmp_path):
    rows = list(csv.reader(table.read_text().splitlines()))
    answers = np.random.default_rng(3).permutation([r[-1] for r in rows[1:]])
    path = written(tmp_path / "r.csv", rows[0], [[*r[:-1], a] for r, a in zip(rows[1:], answers, strict=True)])
    found = judge(path, target="ill", out=tmp_path / "o")
    assert found.figures["auc"].low <= 0.5


def test_a_column_written_after_the_answer_is_named(table, tmp_path):
    rows = list(csv.reader(table.read_text().splitlines()))
    leaky = [[*r[:-1], (100 if r[-1] == "yes" else 0) + i % 7, r[-1]] for i, r in enumerate(rows[1:])]
    path = written(tmp_path / "l.csv", [*rows[0][:-1], "ward", "ill"], leaky)
    found = judge(path, target="ill", classifier="logistic", out=tmp_path / "o")
    assert "“ward” alone tells “ill”" in found.warnings[0]
    clean = judge(table, target="ill", classifier="logistic", out=tmp_path / "o2")
    assert not clean.warnings


def test_copies_of_rows_stay_in_one_fold(table, tmp_path):
    rows = list(csv.reader(table.read_text().splitlines()))
    path = written(tmp_path / "c.csv", rows[0][1:], [r[1:] for r in rows[1:] for _ in range(3)])
    found = judge(path, target="ill", classifier=DecisionTreeClassifier(random_state=0), out=tmp_path / "o")
    assert any("240 rows are copies of others" in n for n in found.notes)
    assert found.figures["auc"].value < 0.95  # a tree that has seen the copies would know every answer


@pytest.mark.parametrize(
    ("text", "options", "error", "words"),
    [
        ("label,score\na,1\na,2\nb,3\n", {}, UndefinedError, "each class must have 2 rows or more, got 1 of 'b'"),
        ("label,score\na,1\nb,2\n", {"prevalence": 0.0}, InputError, "--prevalence must be between 0 and 1, got 0.0"),
        ("label,score\na,1\nb,2\n", {"prevalence": 1.0}, InputError, "--prevalence must be between 0 and 1, got 1.0"),
        ("label,score\na,1\nb,2\n", {"level": 95.0}, InputError, "--level must be between 0 and 1"),
        ("label,score\na,1\nb,2\n", {"cost_fn": 0.0}, InputError, "--cost-fn must be a number above 0"),
        ("label,score\na,1\na,2\nb,3\nb,4\n", {"folder": "x"}, InputError, "FOLDER goes with a column 'file'"),
        ("x,y\n1,a\n2,b\n", {"target": "y", "folder": "x"}, InputError, "FOLDER goes with a .assay file or"),
        ("x,y\n1,a\n2,b\n", {"target": "y", "folds": 1}, InputError, "--folds must be >= 2"),
        (
            "x,y\n5,a\n2,b\n3,b\n",
            {"target": "y"},
            UndefinedError,
            "got 1 of 'a': with 10 of each something can be said",
        ),
        (
            "x,y\n5,a\n2,b\n3,b\n4,a\n",
            {"target": "y", "positive": "c"},
            InputError,
            "--positive must be one of 'a', 'b'",
        ),
    ],
)
def test_what_cannot_be_judged_ends_in_a_sentence_and_leaves_nothing(tmp_path, text, options, error, words):
    (tmp_path / "f.csv").write_text(text)
    with pytest.raises(error, match=words):
        judge(tmp_path / "f.csv", out=tmp_path / "o", **options)
    assert not (tmp_path / "o").exists()


def test_a_folder_of_somebody_else_is_refused_before_any_work(tmp_path):
    (tmp_path / "o").mkdir()
    (tmp_path / "o" / "thesis.txt").write_text("x")
    with pytest.raises(InputError, match="--out must be new, empty"):
        judge(scores(tmp_path / "s.csv", *drawn()), out=tmp_path / "o")


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputError, match="FILE must be a CSV file or a model, got nothing at"):
        judge(tmp_path / "gone.csv")
    with pytest.raises(InputError, match="got a folder at"):
        judge(tmp_path)


def test_names_that_mean_harm_are_text_in_the_page(tmp_path):
    ill, values = drawn()
    evil = '<img src=x onerror="alert(1)">'
    rows = [[evil if a else "b\u202e\n", float(s)] for a, s in zip(ill, values, strict=True)]
    found = judge(written(tmp_path / "s.csv", ["label", "score"], rows), out=tmp_path / "o")
    page = Path(found.report).read_text()
    assert "<img src=x" not in page
    assert "\u202e" not in page


def test_a_model_is_judged_on_pictures_it_has_not_learned_from(finished, album, tmp_path):
    model = finished.out / "model.assay"
    new = album(tmp_path / "new", count=5, first=60)
    shutil.copy(finished.folder / "flower" / "002.jpg", new / "flower" / "seen.jpg")
    (new / "flower" / "broken.jpg").write_bytes(b"no picture")
    album(new / "deeper", kinds=("shapes",), count=1, first=80)
    found = judge(model, folder=new, out=tmp_path / "o", processes=1)
    learned = any("1 pictures that the model has learned from" in n for n in found.notes)
    sealed = any("of the sealed part" in n for n in found.notes)
    assert learned != sealed
    assert found.n == 15 + sealed
    assert any("1 files that could not be read" in n for n in found.notes)
    assert any("'deeper'" in n for n in found.notes)
    page = Path(found.report).read_text()
    assert page.count('class="cell"') == np.count_nonzero(found.matrix)
    assert page.count("data:image/jpeg") == found.n
    with pytest.raises(InputError, match="a model needs pictures to be judged on"):
        judge(model, out=tmp_path / "p")
    with pytest.raises(
        InputError, match="FOLDER must hold pictures labelled 'flower', 'shapes', 'temple', got no label"
    ):
        judge(model, folder=new / "flower", out=tmp_path / "p")


def test_the_command_prints_the_verdict_and_ends_badly_in_one_line(assay, tmp_path):
    ill, values = drawn()
    path = scores(tmp_path / "s.csv", ill, values)
    printed = assay("judge", path, "--specificity", "0.9", "--prevalence", "0.01")
    assert printed.exit_code == 0
    assert printed.stdout.startswith("Finds ")
    assert (tmp_path / "s.judged" / "report.html").exists()
    found = json.loads(assay("judge", path, "--json").stdout)
    assert found["figures"]["auc"].keys() == {"value", "low", "high", "level", "method"}
    path.write_text("label,score\na,1\na,2\n")
    refused = assay("judge", path)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert refused.stderr.startswith("assay: labels must be of two classes or more, got 'a' alone")
