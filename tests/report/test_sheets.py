"""Sheets hold every panel, stay light, and name what runs along their axes."""

import io

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from assay.errors import InputError
from assay.pixels import facts, frequency
from assay.report import sheets


def axes():
    return Figure().subplots()


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_every_panel_is_on_the_sheet_in_its_colours(dtype):
    levels = ((255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 0, 255), (0, 255, 255))
    images = [np.full((30, 40, 3), level, np.uint8) for level in levels]
    panels = [(f"panel {i}", x if dtype == np.uint8 else (x / 255).astype(dtype)) for i, x in enumerate(images)]
    drawn = np.asarray(Image.open(io.BytesIO(sheets.sheet(panels, columns=3, side=100))).convert("RGB"))
    for level in levels:
        share = (np.abs(drawn.astype(int) - level).max(axis=2) < 16).mean()
        assert 0.03 < share < 0.3
    assert drawn.shape[1] > drawn.shape[0] / 2


def test_pixels_are_numbered_as_in_the_picture_they_stand_for():
    ax = axes()
    sheets._show(ax, np.zeros((20, 30), np.uint8), axes=4)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("width, pixels", "height, pixels")
    assert ax.get_xlim() == (-0.5, 119.5)
    assert ax.get_ylim() == (79.5, -0.5)
    bare = axes()
    sheets._show(bare, np.zeros((20, 30), np.uint8), axes=0)
    assert bare.get_xlabel() == ""
    assert len(bare.get_xticks()) == 0


@pytest.mark.parametrize(("shape", "names"), [((9, 12), ["grey"]), ((9, 12, 3), ["red", "green", "blue"])])
def test_a_histogram_has_a_line_for_each_channel(shape, names):
    counts = facts.histogram(np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8))
    ax = axes()
    sheets.histogram(counts, ax=ax)
    assert [line.get_label() for line in ax.lines] == names
    for line, row in zip(ax.lines, counts, strict=True):
        np.testing.assert_array_equal(line.get_ydata(), row)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("level", "pixels")


def test_a_spectrum_has_frequency_nothing_where_its_axes_say():
    ax = axes()
    sheets.decibels(frequency.spectrum(np.full((20, 31), 9, np.uint8)), ax=ax)
    (image,) = ax.images
    left, right, bottom, top = image.get_extent()
    row, column = np.unravel_index(image.get_array().argmax(), (20, 31))
    assert left + column + 0.5 == 0
    assert top + row + 0.5 == 0
    assert (right - left, bottom - top) == (31, 20)


@pytest.mark.parametrize(("panels", "columns"), [([], 3), ([("a", np.zeros((3, 4), np.uint8))], 0)])
def test_a_sheet_of_nothing_is_refused(panels, columns):
    with pytest.raises(InputError, match="a sheet needs panels and columns >= 1, got"):
        sheets.sheet(panels, columns=columns)
