"""Each section says what it was given, escapes it, and has something to say when it was given nothing."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest

from assay.report import gallery, page, sections, trust
from assay.report.page import Html
from assay.stats import calibration, roc
from assay.stats.bayes import NaturalFrequencies
from assay.stats.intervals import Estimate

RNG = np.random.default_rng(0)
LABELS = np.arange(80) % 4 == 0
SCORES = RNG.random(80) + LABELS / 2
CURVE, BAND = roc.curve(LABELS, SCORES), roc.band(LABELS, SCORES, runs=100, rng=RNG)
BINS = calibration.reliability(LABELS, SCORES / 2)
E = Estimate(0.8, 0.7, 0.9, 0.95, "wilson")
HOSTILE = "</h2><img src=x onerror=alert(1)>\n\u202e\udce9"


def tile(name="a.jpg"):
    return gallery.tile(b"\xff\xd8", name)


def results(name, k=2):
    names = [name, *(f"class {i}" for i in range(1, k))]
    return sections.results(
        [(name, E, 0.5), ("AUC", None, None)],
        [(name, E, None)],
        per_class=[(n, E, None, E, 1200) for n in names],
        matrix=np.eye(k, dtype=int) * 7 + np.eye(k, k=1, dtype=int),
        classes=names,
        curves=[(n, CURVE, BAND) for n in (names if k > 2 else names[:1])],
        cutoff=0.4,
        bins=BINS,
        confused=[(name, name, 13, [tile(name)] * 8)],
    )


FULL = {
    "folder": lambda name: sections.folder(
        {"ok": 2618, "corrupt": 4, "refused": 2}, {"dark": (31, [tile(name)]), name: (1, [])},
        [(name, "corrupt", name)], {"symlink": 1}
    ),
    "copies": lambda name: sections.copies([(tile(name), name, [tile(name)])], [(tile(), name, [tile()] * 12)]),
    "groups": lambda name: sections.groups(
        [(name, 911, name, [tile(name)]), ("b", 1, "", [])], {2: 0.4, 3: 0.2}, 2,
        gallery.map_figure(b"\xff\xd8", np.zeros((3, 2)), np.array([0, 0, 1]), names=[name, "b"]), [tile(name)]),
    "split": lambda name: sections.split({"train": {name: 1200, "b": 30}, "test": {name: 7}}, [name]),
    "results": results,
    "results, 12 classes": lambda name: results(name, 12),
    "results, 47 classes": lambda name: results(name, 47),
    "meaning": lambda name: trust.meaning(name, 0.01, NaturalFrequencies(9, 1, 99, 891), E, None),
    "suspects": lambda name: sections.suspects([(tile(name), name, name, 0.97)] * 30),
    "warnings": lambda name: sections.warnings([name]),
    "made": lambda name: sections.made([(name, name)]),
}  # fmt: skip
EMPTY = {
    "folder": lambda: sections.folder({}, {}, [], {}),
    "all broken": lambda: sections.folder({"ok": 0, "corrupt": 1}, {}, [("a", "corrupt", "empty file")], {}),
    "copies": lambda: sections.copies([], []),
    "groups": lambda: sections.groups([], {}, 0, "", []),
    "one group": lambda: sections.groups([("a", 3, "", [])], {}, 1, "", []),
    "split": lambda: sections.split({}, []),
    "results": lambda: sections.results([], []),
    "results without a test part": lambda: sections.results([], [("Accuracy", E, None)]),
    "meaning": lambda: trust.meaning("", 0.5, None, None, None),
    "suspects": lambda: sections.suspects([]),
    "warnings": lambda: sections.warnings([]),
    "made": lambda: sections.made([]),
}  # fmt: skip


class Outline(HTMLParser):
    def __init__(self, markup):
        super().__init__()
        self.tags, self.data, self.open = [], "", []
        self.feed(markup)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, [name for name, _ in attrs]))
        if tag not in {"img", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.data += data + " "


def shown(markup):
    return re.sub(r"\s+", " ", Outline(markup).data)


@pytest.mark.parametrize("make", FULL.values(), ids=FULL)
def test_hostile_names_stay_text(make):
    markup = make(HOSTILE)
    outline = Outline(markup)
    assert [t for t in outline.tags if t[0] == "img"] == [t for t in Outline(make("x")).tags if t[0] == "img"]
    assert not [names for _, names in outline.tags if any(n.startswith("on") for n in names)]
    assert "onerror" in outline.data
    markup.encode("utf-8")
    assert "\u202e" not in markup


@pytest.mark.parametrize("make", EMPTY.values(), ids=EMPTY)
def test_with_nothing_to_show_a_section_still_says_so(make):
    markup = make()
    assert markup.startswith('<section id="')
    assert len(shown(markup).split(".")[0].split()) > 4
    assert "nan" not in markup
    assert "None<" not in markup


def test_every_section_has_a_name_of_its_own():
    names = [re.match(r'<section id="(\w+)"', make("x"))[1] for key, make in FULL.items() if "," not in key]
    assert len(set(names)) == len(names) == 9


def test_the_folder_counts_what_it_holds():
    said = shown(FULL["folder"]("x"))
    assert "2,624 files: 2,618 pictures, 4 broken, 2 refused." in said
    assert "Left out: 1 link." in said
    assert "Dark: 31 · hardly any light in them" in said
    assert "and 30 more" in said


def test_an_issue_that_no_picture_has_is_not_shown():
    assert "odd size" not in shown(sections.folder({"ok": 3}, {"odd_size": (0, [])}, [], {})).lower().replace(
        "of an odd", ""
    )


def test_20_broken_files_are_listed_and_the_rest_is_folded():
    markup = sections.folder({"corrupt": 33}, {}, [(f"f{i}.jpg", "corrupt", "empty file") for i in range(33)], {})
    head, tail = markup.split("<details")
    assert (head.count(".jpg"), tail.count(".jpg")) == (20, 13)
    assert "all the others: 13" in tail


def test_12_sets_of_copies_are_shown_and_the_rest_is_counted():
    markup = sections.copies([(tile(), "the largest", [tile(), tile()])] * 14, [])
    assert markup.count('class="card"') == 12
    assert "Exact copies: 14 sets, 28 files to spare" in markup
    assert "and 2 more sets" in markup
    assert "Near copies (resized, saved again, cropped or turned; or two things that look" in markup


def test_the_split_adds_up():
    rows = re.findall(r"<tr>(.*?)</tr>", FULL["split"]("ant"))
    assert [re.findall(r">([^<]+)<", row) for row in rows] == [
        ["class", "train", "test", "all"],
        ["all", "1,230", "7", "1,237"],
        ["ant", "1,200", "7", "1,207"],
        ["b", "30", "0", "30"],
    ]


def test_of_many_classes_the_four_worst_are_drawn():
    curves = []
    for i in range(10):
        order = np.r_[np.zeros(10 - i), np.ones(20), np.zeros(i)] == 1  # more negatives above: worse
        curves.append((f"class {i}", roc.curve(order, np.arange(30.0)), None))
    markup = sections.results([("Accuracy", E, None)], [], curves=curves)
    assert re.findall(r"(class \d), area", markup) == ["class 9", "class 8", "class 7", "class 6"]
    assert "The 4 worst of 10 classes" in markup


def test_classes_are_listed_worst_first_and_unknown_ones_before_them():
    rows = [
        (n, v and Estimate(v, 0, 1, 0.95, "wilson"), None, None, 5) for n, v in [("a", 0.9), ("b", None), ("c", 0.2)]
    ]
    markup = sections.results([("Accuracy", E, None)], [], per_class=rows)
    assert re.findall(r'<th scope="row">([abc])<', markup) == ["b", "c", "a"]


def test_a_flag_is_told_in_people():
    said = shown(trust.meaning("bee", 0.01, NaturalFrequencies(9, 1, 99, 891), E, E))
    assert "What does a flag mean at 1 in 100?" in said
    assert "Of 1,000 pictures, 10 are “bee”. The model flags 108 : 9 rightly, 99 not. It misses 1 ." in said


@pytest.mark.parametrize(
    ("prevalence", "said"),
    [(0.01, "1 in 100"), (0.3, "3 in 10"), (0.5, "1 in 2"), (0.02, "1 in 50"), (0.03, "3 in 100"), (0.005, "1 in 200"),
     (0.0001, "1 in 10,000"), (1 / 7, "1 in 7"), (1 / 1000, "1 in 1,000"), (0.999, "999 in 1,000"), (1 / 33, "1 in 33"),
     (0.0123, "123 in 10,000")],
)  # fmt: skip
def test_a_base_rate_is_said_in_counts(prevalence, said):
    assert f"at {said}?" in shown(trust.meaning("x", prevalence, NaturalFrequencies(1, 0, 0, 9), None, None))


def test_suspects_past_24_are_folded_away():
    head, tail = sections.suspects([(tile(), "ant", "bee", 0.9)] * 30).split('<details class="more"')
    assert (head.count('class="suspect"'), tail.count('class="suspect"')) == (24, 6)
    assert "<s>ant</s> <b>bee</b>" in head


def test_a_report_of_600_thumbnails_stays_under_5_mb():
    tiles = [gallery.tile(RNG.bytes(4096), f"folder/picture_{i:05}.jpg") for i in range(600)]
    body = page.join(
        page.verdict("x", []), sections.folder({"ok": 600}, {"dark": (600, tiles)}, [], {}), results("x", 47)
    )
    assert isinstance(body, Html)
    assert len(page.document("a", "b", body, footer="c").encode()) < 5_000_000
