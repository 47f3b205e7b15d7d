"""Parts on trust say what was found, in numbers and in words, and lead from a count to the pictures behind it."""

import re

import numpy as np

from assay.report import trust
from assay.stats import calibration
from assay.stats.intervals import Estimate

E = Estimate(0.8, 0.7, 0.9, 0.95, "t")
TILE = '<figure class="tile">x</figure>'


def test_each_count_leads_to_its_pictures():
    counts = np.array([[5, 1], [0, 3]])
    markup = trust.cells(counts, ["<a>", "b"], {(0, 0): [TILE] * 2, (0, 1): [TILE], (1, 1): [TILE] * 3})
    links = re.findall(r'href="#(cell-\d-\d)">(\d)', markup)
    assert links == [("cell-0-0", "5"), ("cell-0-1", "1"), ("cell-1-1", "3")]
    assert {name for name, _ in links} == set(re.findall(r'id="(cell-\d-\d)"', markup))
    assert "and 3 more" in markup
    assert "8 of 9 are right" in markup
    assert "<a>" not in markup.replace("<a class", "")


def test_growth_says_what_more_would_bring():
    markup = trust.growth([(10, E), (50, E)], [(100, E)], figure="AUC", unit="rows")
    assert "With 50 rows it reaches 0.80 (0.70 – 0.90)." in markup
    assert "With 100 it would reach about 0.80" in markup
    assert trust.growth([], [], figure="AUC", unit="rows") == ""


def test_a_difference_is_told_with_its_interval():
    gap = Estimate(-0.02, -0.05, 0.01, 0.95, "delong")
    markup = trust.versus(("mine", "yours"), "AUC", (E, E), gap, 0.0002, [])
    assert "<b>−0.020</b> (−0.050 to +0.010; p &lt; 0.001)" in markup or "(−0.050 to +0.010; p < 0.001)" in markup
    assert "Is it better than yours?" in markup


def test_a_calibration_error_is_told_beside_what_chance_gives():
    rng = np.random.default_rng(0)
    p = rng.random(200)
    honest, boasting = (calibration.ece(rng.random(200) < q, p, rng=rng) for q in (p, p**4))
    bins = calibration.reliability(rng.random(200) < p, p)
    assert "no more than chance" in trust.calibration(bins, error=honest)
    assert "cannot be taken at their word" in trust.calibration(bins, error=boasting)
