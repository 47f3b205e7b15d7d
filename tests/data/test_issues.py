"""Issues follow cleanvision's formulas and limits, written out picture by picture."""

from dataclasses import astuple

import cv2
import numpy as np
import pytest

from assay.data import issues
from assay.errors import InputError
from assay.pixels.facts import Facts, facts


def columns(n=200, seed=0):
    rng = np.random.default_rng(seed)
    high = dict.fromkeys(Facts.__dataclass_fields__, 1.0) | {"entropy": 8, "edges": 60, "spread": 60}
    table = rng.random((n, len(high))) * list(high.values())
    sizes = rng.integers(100, 140, (2, n))
    sizes[:, :4] = [[10, 900, 120, 1], [12, 800, 30, 300]]
    return table, sizes[0], sizes[1], rng.choice(["RGB", "L", "P", "RGBA", "LA", "I;16"], n)


def written_out(row, width, height, mode):
    """Oracle: one picture, formulas of cleanvision 0.3.7."""
    fact = Facts(*row)
    grey = mode in {"L", "LA", "I;16"}
    spread = 1 - np.exp(-0.01 * fact.spread)
    blurry = min(1 - np.exp(-0.01 * fact.edges) + (spread if spread > 0.18 else 0), 1)
    entropy = min(0.1 * (fact.entropy if grey else fact.entropy + np.log2(3)), 1)
    aspect = min(width / height, height / width)
    return {
        "dark": (fact.brightness_99, fact.brightness_99 < 0.32),
        "light": (1 - fact.brightness_5, 1 - fact.brightness_5 < 0.05),
        "blurry": (blurry, blurry < 0.29),
        "low_information": (entropy, entropy < 0.3),
        "odd_aspect_ratio": (aspect, aspect < 0.35),
        "grayscale": (0 if grey else 1, grey),
    }


def test_each_picture_is_judged_by_the_formulas():
    table, width, height, mode = columns()
    found = issues.find(table, width=width, height=height, mode=mode)
    assert tuple(found) == issues.NAMES
    for i in range(len(table)):
        for name, (score, flag) in written_out(table[i], width[i], height[i], mode[i]).items():
            assert found[name][0][i] == pytest.approx(score), (name, i)
            assert found[name][1][i] == flag, (name, i)
    for name, (scores, flags) in found.items():
        assert scores.min() >= 0, name
        assert scores.max() <= 1, name
        assert flags.any(), name
        assert not flags.all(), name


def test_sizes_are_odd_beyond_three_quartile_ranges():
    table, width, height, mode = columns()
    size = np.sqrt(width * height)
    first, third = np.percentile(size, [25, 75])
    odd = (size < first - 3 * (third - first)) | (size > third + 3 * (third - first))
    assert 0 < odd.sum() < len(odd)
    np.testing.assert_array_equal(issues.find(table, width=width, height=height, mode=mode)["odd_size"][1], odd)


def test_where_nearly_all_sizes_are_equal_the_others_are_odd():
    table, _, _, mode = columns(50)
    width = np.full(50, 64)
    width[7] = 65
    flags = issues.find(table, width=width, height=np.full(50, 48), mode=mode)["odd_size"][1]
    assert np.flatnonzero(flags).tolist() == [7]


def test_no_pictures_have_no_issues():
    found = issues.find(np.zeros((0, len(Facts.__dataclass_fields__))), width=[], height=[], mode=[])
    assert all(len(scores) == len(flags) == 0 for scores, flags in found.values())


def test_bad_pictures_are_named_by_their_issue():
    rough = np.random.default_rng(3).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    good = cv2.resize(rough, (240, 180), interpolation=cv2.INTER_LINEAR)
    pictures = {
        "": good,
        "dark": good // 5,
        "light": 250 + good // 60,
        "blurry": np.dstack([200 - 1.3 * np.hypot(*np.mgrid[-90:90, -120:120])] * 3).astype(np.uint8),
        "low_information": np.where(good[..., :1] > 128, 90, 180).repeat(3, -1).astype(np.uint8),
    }
    table = np.array([astuple(facts(image)) for image in pictures.values()])
    found = issues.find(table, width=[240] * 5, height=[180] * 5, mode=["RGB"] * 5)
    for i, name in enumerate(pictures):
        named = {issue for issue, (_, flags) in found.items() if flags[i]}
        assert (name in named) if name else not named, (name, named)


def test_columns_must_fit_each_other():
    table, width, height, mode = columns(20)
    with pytest.raises(InputError, match=r"facts must be \(n, 10\), .*, got \(20, 10\), \(20,\), \(19,\) and \(20,\)"):
        issues.find(table, width=width, height=height[:-1], mode=mode)
    with pytest.raises(InputError, match=r"facts must be \(n, 10\), .*, got \(20, 9\)"):
        issues.find(table[:, 1:], width=width, height=height, mode=mode)
