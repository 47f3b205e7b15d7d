"""Panels show the pictures and the figures they were given, at the size that they say."""

import io

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from assay.errors import InputError
from assay.report import compression, likeness, panels, plots
from assay.stats.intervals import Estimate

RNG = np.random.default_rng(0)
TALL = RNG.integers(0, 255, (60, 30), np.uint8)
WIDE = RNG.integers(0, 255, (30, 60, 3), np.uint8)
NAME = '<b>$x_1$</b> "日本" \u202e\x1b\udce9'
LONG = "a/very/long/folder/name/that/goes/on/and/on/before/the/last.jpg"


def axes():
    return Figure().subplots()


def texts(ax):
    return [t.get_text() for t in ax.texts]


def opened(png):
    return Image.open(io.BytesIO(png))


def test_a_shelf_keeps_the_aspect_of_pictures_and_says_what_was_said():
    ax = axes()
    rows = [("title", [(TALL, "one\ntwo"), (WIDE, NAME)]), ("", [(TALL, "")])]
    panels.shelf(rows, cell=100, ax=ax)
    shapes = [(i.get_extent()[1] - i.get_extent()[0], i.get_extent()[2] - i.get_extent()[3]) for i in ax.images]
    assert shapes == [(50, 100), (100, 50), (50, 100)]
    assert {"title", "one", "two"} <= set(texts(ax))
    assert not any(c in "".join(texts(ax)) for c in "\u202e\x1b\udce9")


def test_nothing_on_a_shelf_overlaps_or_is_cut_off():
    ax = axes()
    rows = [("title", [(TALL, "a\nb\nc"), (WIDE, "a")]), ("title", [(WIDE, "a")] * 3)]
    panels.shelf(rows, cell=100, ax=ax)
    width, height = panels.shelf_size(rows, cell=100)
    boxes = [i.get_extent() for i in ax.images]
    assert all(0 <= left < right <= width and 0 <= top < bottom <= height for left, right, bottom, top in boxes)
    for i, (left, right, bottom, top) in enumerate(boxes):
        for other in boxes[i + 1 :]:
            assert right <= other[0] or other[1] <= left or bottom <= other[3] or other[2] <= top


def test_a_name_that_is_too_long_keeps_its_end():
    ax = axes()
    panels.shelf([("", [(TALL, LONG)])], cell=100, ax=ax)
    (said,) = [t for t in texts(ax) if t]
    assert said.startswith("…")
    assert said.endswith("last.jpg")
    assert len(said) <= 15


@pytest.mark.parametrize(("image", "mode"), [(TALL, "L"), (WIDE, "RGB")])
def test_a_sheet_is_twice_the_size_and_grey_where_its_pictures_are(image, mode):
    rows = [("title", [(image, "said")] * 2)]
    picture = opened(panels.sheet(rows, cell=80))
    assert picture.mode == mode
    assert picture.size == tuple(2 * n for n in panels.shelf_size(rows, cell=80))
    assert np.asarray(picture.convert("L"))[-2:].min() == 255  # paper, not transparent


@pytest.mark.parametrize("rows", [[], [("title", [])]])
def test_an_empty_shelf_is_refused(rows):
    with pytest.raises(InputError, match="must have a picture in each row"):
        panels.sheet(rows)


def test_a_matrix_names_its_pictures_and_numbers_its_pairs_while_they_are_few():
    values = np.array([[1, -0.25], [-0.25, 1]])
    ax = axes()
    panels.matrix(values, [NAME, LONG], name="SSIM", ax=ax)
    assert texts(ax) == ["1.00", "-0.25", "-0.25", "1.00"]
    assert ax.images[0].get_clim() == (-0.25, 1)
    labels = [t.get_text() for t in ax.get_yticklabels()]
    assert labels[1].endswith("last.jpg")
    assert "\u202e" not in labels[0]
    many = axes()
    panels.matrix(np.eye(60), [str(i) for i in range(60)], name="SSIM", ax=many)
    assert texts(many) == []
    with pytest.raises(InputError, match=r"values must be \(3, 3\) for 3 names, got \(2, 2\)"):
        panels.matrix(values, ["a", "b", "c"], name="SSIM", ax=axes())


def test_variance_adds_up_and_marks_what_was_asked():
    ax = axes()
    panels.variance(np.array([0.5, 0.3, 0.1]), [1, 3], ax=ax)
    np.testing.assert_allclose(ax.lines[0].get_ydata(), [0, 50, 80, 90])
    assert texts(ax) == ["1: 50.0 %", "3: 90.0 %"]


def test_quality_draws_each_curve_with_its_interval():
    ax = axes()
    curve = [(2, Estimate(20, 19, 21, 0.95, "t")), (5, Estimate(25, 24, 26, 0.95, "t"))]
    panels.quality({"in the fit": curve, "not in the fit": curve[:1]}, name="PSNR, dB", ax=ax)
    assert [list(line.get_ydata()) for line in ax.lines] == [[20, 25], [20]]
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["in the fit", "not in the fit"]
    assert ax.get_ylabel() == "PSNR, dB"
    low, high = ax.collections[0].get_datalim(ax.transData).get_points()[:, 1]
    assert (low, high) == (19, 26)


def test_plots_become_pictures():
    assert opened(plots.png(lambda ax: panels.variance(np.array([0.9]), [1], ax=ax))).size == (800, 760)
    assert opened(likeness.squares(np.eye(3), ["a", "b", "c"])).size[0] > 800
    assert opened(likeness.difference(TALL, TALL, TALL / np.float32(255), names=("a", "b"), mse=0, ssim=1)).mode == "L"
    assert opened(compression.components(TALL, [np.zeros((60, 30))], np.array([1.0]))).mode == "L"


def test_pages_escape_names_and_say_what_was_left_out():
    ends = likeness.ends([(TALL, TALL, "a")], [])
    pair, broken = ("<a>", "b", 1.0, 0.0, np.inf, ""), ("<c>", "corrupt", "why")
    page = likeness.document("<i>", "head", ["note"], ends=ends, squares=None, pairs=[pair], left_out=[broken])
    assert "<a>" not in page
    assert "&lt;a&gt;" in page
    assert "same pixels" in page
    assert "&lt;c&gt;" in page
    level = (3, 0.5, 100, 200, None, None, Estimate(20, 19, 21, 0.95, "t"), None)
    page = compression.document("x", "head", [], figures={}, levels=[level], left_out=[])
    assert "20.0 [19.0, 21.0]" in page
    assert "too few" in page
    assert "50 %" in page
