"""No text becomes markup, no number looks better than it is, and the page needs nothing but itself."""

import html
import re
import unicodedata
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.report import page, theme
from assay.stats.intervals import Estimate

HOSTILE = [
    "<img src=x onerror=alert(1)>.jpg",
    "\"'><script>alert(1)</script>",
    "a\nb\r\tc.jpg",
    "\x1b[2J\x00.jpg",
    "evil\u202egpj.exe",
    "caf\udce9.jpg",
    "\ud800",
    "</title></style></section>",
    '<section id="x"><h2>y</h2>',
    "&lt;b&gt;",
    "日本語 שלום",
]
# Each part with one text in every place that takes text.
PARTS = {
    "safe": page.safe,
    "join": lambda t: page.join(t, t),
    "text": lambda t: page.text(t, t),
    "dim": lambda t: page.text(t, dim=True),
    "heading": lambda t: page.heading(t, note=t),
    "chips": lambda t: page.chips([t]),
    "cards": lambda t: page.cards([(t, t, t)]),
    "two": lambda t: page.two(t, t),
    "details": lambda t: page.details(t, t),
    "warning": page.warning,
    "scroll": lambda t: page.scroll(t, label=t),
    "estimates": lambda t: page.estimates([(t, Estimate(0.5, 0.4, 0.6, 0.95, t), 0.3), (t, None, None)]),
    "table": lambda t: page.table((t, t), [(t, t)], numeric={1}),
    "folded": lambda t: page.folded((t, t), [(t, t)] * 21, rest=t),
    "verdict": lambda t: page.verdict(t, [t], dim=[t]),
    "section": lambda t: page.section(t, t, id="a"),
    "document": lambda t: page.document(t, t, t, footer=t),
}
every_part = pytest.mark.parametrize("part", PARTS.values(), ids=PARTS)
every_text = pytest.mark.parametrize("text", HOSTILE, ids=ascii)
VOID = {"meta", "img", "br"}


class Outline(HTMLParser):
    """The elements of a page with the names of their attributes, its text, and whether tags close as they open."""

    def __init__(self, markup):
        super().__init__()
        self.tags, self.attributes, self.data, self.open = [], [], "", []
        self.feed(markup)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, [name for name, _ in attrs]))
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.data += data


@every_part
@every_text
def test_hostile_text_makes_no_element_and_no_attribute(part, text):
    assert Outline(part(text)).tags == Outline(part("x")).tags


@every_part
@every_text
def test_all_of_the_text_can_be_read_and_written(part, text):
    markup = part(text)
    assert page.visible(text) in Outline(markup).data
    markup.encode("utf-8")
    assert not [c for c in markup if unicodedata.category(c) in {"Cc", "Cs"} and c != "\n"]
    assert "\u202e" not in markup


@every_part
def test_markup_from_a_part_is_left_alone(part):
    assert "<b>kept</b>" in part(page.Html("<b>kept</b>"))


@given(st.text(st.characters()))
def test_escaping_can_be_undone(text):
    assert html.unescape(page.safe(text)) == page.visible(text)


@given(st.text(st.characters(exclude_categories=["Cc", "Cs", "Cf", "Zl", "Zp", "Cn"])))
def test_plain_text_stays_as_it_is(text):
    assert page.visible(text) == text


@given(st.binary())
def test_any_file_name_becomes_text_that_can_be_written(name):
    shown = page.visible(name.decode("utf-8", "surrogateescape"))
    shown.encode("utf-8")
    assert shown.isprintable() or not {unicodedata.category(c) for c in shown} & {"Cc", "Cs"}


def test_letters_that_join_others_are_not_spelled_out():
    persian = "می‌خواهم"  # holds U+200C, without which it would be another word
    assert page.visible(persian) == persian


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0, "0.00"), (1, "1.00"), (0.995, "0.995"), (0.9951, "0.995"), (0.9949, "0.99"), (0.9996, ">0.999"),
     (0.0049, "0.005"), (0.0003, "<0.001"), (0.875, "0.88"), (1.234, "1.23"), (-0.4, "-0.40"), (float("inf"), "–")],
)  # fmt: skip
def test_two_decimals_never_make_a_rate_perfect(value, shown):
    assert page.number(value) == shown


def test_the_rail_shows_the_interval_where_it_is():
    drawn = page.rail(Estimate(0.87, 0.83, 0.90, 0.95, "wilson"), baseline=0.69)
    assert re.findall(r'class="(\w+)" style="left:([\d.]+)%(?:;width:([\d.]+)%)?"', drawn) == [
        ("base", "69.0", ""),
        ("span", "83.0", "7.0"),
        ("point", "87.0", ""),
    ]


@pytest.mark.parametrize("estimate", [None, Estimate(1.2, 0.9, 1.5, 0.95, "t"), Estimate(0.1, -0.1, 0.3, 0.95, "t")])
def test_what_is_no_rate_has_no_rail(estimate):
    assert page.rail(estimate) == ""


def test_too_few_pictures_are_said_to_be_too_few():
    found = Outline(
        page.estimates([("AUC", None, None), ("Accuracy", Estimate(0.8, 0.6, 0.9, 0.9, "wilson"), None)])
    ).data
    assert "cannot be said: too few" in found
    assert "90 % interval" in found
    assert "Dotted" not in found


def test_a_long_table_is_folded_and_loses_no_row():
    rows = [(f"row {i}", str(i)) for i in range(53)]
    found = page.folded(("a", "b"), rows, rest="other rows")
    assert "other rows: 33" in found
    assert re.findall(r'<th scope="row">row (\d+)', found) == [str(i) for i in range(53)]


def test_the_page_links_to_its_sections_under_the_verdict():
    sections = page.join(*(page.section(f"Part <{i}>", "x", id=f"p{i}") for i in range(3)))
    made = page.document("a", "b", page.join(page.verdict("yes", []), sections), footer="c")
    links = re.search(r'<nav aria-label="Contents">(.*?)</nav>', made)
    assert re.findall(r'href="#(\w+)">(.*?)</a>', links[1]) == [(f"p{i}", f"Part &lt;{i}&gt;") for i in range(3)]
    assert made.index("Verdict") < links.start() < made.index('id="p0"')


def test_the_page_fetches_nothing_and_runs_nothing():
    made = page.document("a", "b", page.verdict("<script>1</script>", ["x"]), footer="c")
    outline = Outline(made)
    assert not {tag for tag, _ in outline.tags} & {"script", "link", "iframe", "object", "base", "form"}
    assert not [name for name, _ in outline.attributes if name.startswith("on")]
    assert all(value.startswith(("#", "data:")) for name, value in outline.attributes if name in {"href", "src"})
    assert "url(" not in made
    assert "@import" not in made
    assert [v for n, v in outline.attributes if n == "content" and "default-src 'none'" in v]


def _luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("name", ["ink", "dim", "accent", "good", "warn", "bad"])
@pytest.mark.parametrize("ground", ["paper", "soft"])
@pytest.mark.parametrize("tokens", [theme.TOKENS, theme.TOKENS | theme._DARK], ids=["light", "dark"])
def test_text_stands_out_as_wcag_asks(name, ground, tokens):
    low, high = sorted(_luminance(tokens[t]) for t in (name, ground))
    assert (high + 0.05) / (low + 0.05) >= 4.5
