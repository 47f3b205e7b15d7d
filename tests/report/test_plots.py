"""Plots show the figures they were given, and stay harmless, themed and repeatable in a page."""

import re
from xml.etree import ElementTree as ET

import cv2
import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure

from assay.errors import InputError
from assay.report import evidence, plots, theme
from assay.stats import bayes, calibration, precision_recall, roc
from assay.stats.bayes import NaturalFrequencies
from assay.stats.intervals import Estimate

RNG = np.random.default_rng(0)
LABELS = np.arange(90) % 3 == 0
SCORES = RNG.normal(size=90).round(1) + LABELS
CURVE, BAND = roc.curve(LABELS, SCORES), roc.band(LABELS, SCORES, runs=100, rng=RNG)
BINS = calibration.reliability(LABELS, 1 / (1 + np.exp(-SCORES)))
POINTS = [(n, Estimate(0.7, 0.5, 0.8, 0.95, "t")) for n in (9, 20)]
RECALL = precision_recall.curve(LABELS, SCORES)
RATES = (Estimate(0.7, 0.5, 0.8, 0.95, "t"), Estimate(0.9, 0.8, 0.95, 0.95, "t"))
PREDICTIVE = [(p, bayes.predictive_values(*RATES, p)) for p in (0.001, 0.01, 0.1, 0.5)]
NAME = '<b>$x_1$</b> "日本" \u202e\x1b\udce9'
PLOTS = {
    "roc": lambda ax: evidence.roc([(NAME, CURVE, BAND), ("b", CURVE, None)], cutoff=0.4, ax=ax),
    "calibration": lambda ax: evidence.calibration(BINS, ax=ax),
    "confusion": lambda ax: evidence.confusion(np.array([[5, 2, 0], [0, 3, 1], [0, 0, 0]]), [NAME, "b", "c"], ax=ax),
    "silhouettes": lambda ax: plots.silhouettes({2: 0.3, 3: 0.4, 4: 0.1}, 3, ax=ax),
    "histogram": lambda ax: plots.histogram(SCORES, name=NAME, mark=(0.4, NAME), ax=ax),
    "learning": lambda ax: evidence.learning(POINTS, forecast=[(90, POINTS[1][1])], unit="rows", name=NAME, ax=ax),
    "recall": lambda ax: evidence.recall([(NAME, RECALL, POINTS[0][1])], prevalence=0.3, ax=ax),
    "predictive": lambda ax: evidence.predictive(PREDICTIVE, at=0.01, ax=ax),
    "natural frequencies": lambda ax: evidence.natural_frequencies(NaturalFrequencies(9, 1, 99, 891), unit=NAME, ax=ax),
}  # fmt: skip
every_plot = pytest.mark.parametrize("draw", PLOTS.values(), ids=PLOTS)


def axes():
    return Figure().subplots()


def parsed(markup):
    return ET.fromstring(markup.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))


@every_plot
def test_an_svg_is_well_formed_and_says_what_it_shows(draw):
    root = parsed(plots.svg(draw, label='a "b" <c>'))
    assert (root.get("role"), root.get("aria-label")) == ("img", 'a "b" <c>')
    assert {e.tag.split("}")[1] for e in root.iter()} <= {"svg", "g", "path", "use", "defs", "clipPath", "rect", "text"}


@every_plot
def test_an_svg_takes_its_colours_and_its_font_from_the_page(draw):
    markup = plots.svg(draw, label="x")
    assert "var(--dim)" in markup
    assert not re.findall(r"#[0-9a-f]{6}(?=[;\"])", re.sub(r"(href=|url\()[^;\" ]*", "", markup))
    assert "font-family" not in markup
    assert "<style" not in markup
    assert re.search(r"<text", markup)


def test_only_colours_of_tags_follow_the_page():
    ink = theme.TOKENS["ink"]
    markup = plots.svg(lambda ax: ax.set_title(f'fill: {ink};"', color=ink), label="x")
    assert f'fill: {ink};"' in markup


@every_plot
def test_names_in_an_svg_are_its_own_and_all_are_there(draw):
    one, two = plots.svg(draw, label="one"), plots.svg(draw, label="two")
    names = [set(re.findall(r'\bid="([^"]*)"', markup)) for markup in (one, two)]
    assert not names[0] & names[1]
    for markup, own in zip((one, two), names, strict=True):
        assert set(re.findall(r'href="#([^"]*)"', markup)) | set(re.findall(r"url\(#([^)]*)\)", markup)) <= own


@every_plot
def test_drawing_twice_gives_the_same_and_leaves_settings_alone(draw):
    before = dict(mpl.rcParams)
    assert plots.svg(draw, label="x") == plots.svg(draw, label="x")
    assert dict(mpl.rcParams) == before


@every_plot
def test_files_for_sharing_are_what_a_page_shows(draw):
    picture, vectors = plots.files(draw, label=NAME, size=(560, 300))
    assert cv2.imdecode(np.frombuffer(picture, np.uint8), 1).shape == (600, 1120, 3)
    assert (cv2.imdecode(np.frombuffer(picture, np.uint8), 1) == 255).all(axis=2).mean() > 0.2
    assert (cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_UNCHANGED)[..., 3:] == 255).all()
    root = ET.fromstring(vectors)
    assert root.get("viewBox") == "0 0 560 300"
    assert picture == plots.png(draw, size=(560, 300))


@every_plot
def test_a_png_is_twice_as_large(draw):
    picture = cv2.imdecode(np.frombuffer(plots.png(draw, size=(320, 240)), np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape == (480, 640, 3)
    assert picture.std() > 5


@pytest.mark.parametrize("kind", ["roc", "confusion", "histogram", "learning"])
def test_a_hostile_name_is_text(kind):
    shown = "".join(parsed(plots.svg(PLOTS[kind], label="x")).itertext())
    assert "<b>$x_1$</b>" in shown
    assert "\u202e" not in shown


def test_the_area_is_what_auc_says():
    assert evidence.area(CURVE) == pytest.approx(roc.auc(LABELS, SCORES).value, abs=1e-12)


@pytest.mark.parametrize("cutoff", [-9.0, -0.05, 0.4, 1.3, 99.0])
def test_the_cutoff_is_marked_where_counting_puts_it(cutoff):
    ax = axes()
    evidence.roc([("a", CURVE, None)], cutoff=cutoff, ax=ax)
    mark = next(line for line in ax.lines if line.get_marker() == "o")
    flagged = cutoff <= SCORES
    assert mark.get_xydata()[0] == pytest.approx((flagged[~LABELS].mean(), flagged[LABELS].mean()))


@pytest.mark.parametrize("count", [0, 9])
def test_too_many_curves_are_refused(count):
    with pytest.raises(InputError, match=f"curves must be 1 to 8, got {count}"):
        evidence.roc([("a", CURVE, None)] * count, ax=axes())


@pytest.mark.parametrize("k", [2, 10, 16])
def test_each_cell_of_a_confusion_matrix_holds_its_count(k):
    matrix, ax = np.random.default_rng(k).integers(0, 3000, (k, k)), axes()
    evidence.confusion(matrix, [f"class {i}" for i in range(k)], ax=ax)
    found = {(round(t.get_position()[1]), round(t.get_position()[0])): t.get_text() for t in ax.texts}
    assert found == {(i, j): f"{matrix[i, j]:,}" for i in range(k) for j in range(k)}


def test_shades_are_shares_of_the_true_class():
    ax = axes()
    evidence.confusion(np.array([[30, 10], [0, 7]]), ["a", "b"], ax=ax)
    shares = sorted((p.get_alpha() - 0.07) / 0.43 for p in ax.patches)
    assert shares == pytest.approx([0.25, 0.75, 1])


def test_50_classes_are_shades_with_every_name():
    ax = axes()
    evidence.confusion(np.eye(50, dtype=int) * 3, [f"class {i}" for i in range(50)], ax=ax)
    assert not ax.texts
    assert [t.get_text() for t in ax.get_yticklabels()] == [f"class {i}" for i in range(50)]


def test_a_matrix_of_another_size_is_refused():
    with pytest.raises(InputError, match=r"matrix must be \(3, 3\) for 3 classes, got \(2, 3\)"):
        evidence.confusion(np.ones((2, 3)), ["a", "b", "c"], ax=axes())


def test_the_chosen_number_of_groups_is_marked():
    ax = axes()
    plots.silhouettes({2: 0.3, 5: 0.4, 9: 0.1}, 5, ax=ax)
    assert ax.lines[-1].get_xydata().tolist() == [[5, 0.4]]
    assert [t.get_text() for t in ax.texts] == ["5 chosen"]


def test_calibration_shows_each_bin_with_its_interval():
    ax = axes()
    evidence.calibration(BINS, ax=ax)
    points = next(line for line in ax.lines if line.get_marker() == "o").get_xydata()
    assert points.tolist() == [[b.mean_probability, b.observed.value] for b in BINS]
    bars = [s[:, 1].tolist() for s in ax.collections[0].get_segments()]
    assert bars == [[b.observed.low, b.observed.high] for b in BINS]


def test_icons_are_as_many_as_pictures():
    markup = evidence.icons(NaturalFrequencies(9, 1, 99, 891))
    drawing, key = markup.split("</svg>", 1)
    assert [d.count("M") for d in re.findall(r' d="([^"]*)"', drawing)] == [9, 1, 99, 891]
    places = re.findall(r"M(\d+) (\d+)", drawing)
    assert len(set(places)) == len(places) == 1000
    assert max(int(x) for x, _ in places) == 11 * 49
    assert re.findall(r"</svg>([a-z ]+) (\d+)", key) == [
        ("found", "9"),
        ("missed", "1"),
        ("false alarm", "99"),
        ("rightly passed", "891"),
    ]
    assert 'aria-label="1,000 pictures: 9 found, 1 missed, 99 false alarm, 891 rightly passed"' in drawing


def test_icons_without_a_kind_draw_none_of_it():
    drawing = evidence.icons(NaturalFrequencies(3, 0, 0, 47)).split("</svg>", 1)[0]
    assert drawing.count("<path") == 2
