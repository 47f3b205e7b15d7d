"""Alike pairs equal both rules written out; groups equal a flood fill."""

import numpy as np
import pytest

from assay.errors import InputError
from assay.models import neighbours
from assay.models.neighbours import alike, connected


def flood(n, pairs):
    """Oracle: paint from each picture in turn."""
    friends = [{int(b) for a, b in pairs if a == i} | {int(a) for a, b in pairs if b == i} for i in range(n)]
    colour, found = 0, np.full(n, -1)
    for start in range(n):
        if found[start] < 0:
            edge = [start]
            while edge:
                i = edge.pop()
                if found[i] < 0:
                    found[i] = colour
                    edge.extend(friends[i])
            colour += 1
    return found


@pytest.mark.parametrize("seed", range(10))
def test_groups_equal_a_flood_fill(seed):
    rng = np.random.default_rng(seed)
    pairs = rng.integers(0, 30, (seed * 3, 2))
    np.testing.assert_array_equal(connected(30, pairs), flood(30, pairs))


def test_without_pairs_everyone_is_alone():
    np.testing.assert_array_equal(connected(4, np.zeros((0, 2), int)), np.arange(4))
    assert connected(0, np.zeros((0, 2), int)).shape == (0,)


def directions(n=41, d=12, seed=0):
    """Draw directions of which some are near copies of others, of other lengths."""
    rng = np.random.default_rng(seed)
    x = np.abs(rng.normal(size=(n, d)))
    x[n // 2 :] = (x[: n - n // 2] + 0.1 * rng.random((n - n // 2, d))) * rng.uniform(0.5, 2, (n - n // 2, 1))
    return x.astype(np.float32)


def cosine(a, b):
    return float(a @ b) / float(np.sqrt((a @ a) * (b @ b)))


def written_out(x, *, similarity, ratio, places):
    """Oracle: both rules, one pair at a time."""
    n, found = len(x), []
    far = [sorted(1 - cosine(x[i], x[j]) for j in range(n) if j != i)[places - 1] for i in range(n)]
    for i in range(n):
        for j in range(i + 1, n):
            near = 1 - cosine(x[i], x[j])
            by_ratio = near <= ratio * min(far[i], far[j]) and near <= 0.2
            if near <= 1 - similarity or by_ratio:
                found.append((i, j))
    return found


@pytest.mark.parametrize("cells", [1, 400, 2**24])
@pytest.mark.parametrize(
    ("similarity", "ratio"), [(0.8, 0.0), (0.95, 0.0), (0.995, 0.0), (0.999, 0.1), (0.999, 0.6), (0.999, 0.95)]
)
def test_pairs_equal_both_rules_written_out(cells, similarity, ratio, monkeypatch):
    monkeypatch.setattr(neighbours, "_CELLS", cells)
    x = directions()
    expected = written_out(x, similarity=similarity, ratio=ratio, places=4)  # a tenth of 41
    assert expected
    np.testing.assert_array_equal(alike(x, similarity=similarity, ratio=ratio), expected)


@pytest.mark.parametrize(
    ("n", "places"), [(5, 3), (39, 3), (60, 6), (100, 10), (500, 10), (1000, 20), (4999, 99), (90_000, 100)]
)
def test_the_neighbour_that_tells_how_far_is_a_share_of_the_folder_away(n, places):
    assert neighbours._places(n) == places


def test_what_is_a_copy_depends_on_how_alike_the_others_are():
    rng = np.random.default_rng(0)
    varied = np.abs(rng.normal(size=(60, 300)))
    same = 5 + 0.5 * np.abs(rng.normal(size=(60, 300)))  # as pictures of one surface: every cosine is over 0.99
    for x, expected in ((varied, [(7, 60)]), (same, [])):
        copy = x[7] + 0.055 * np.sqrt((x[7] ** 2).mean()) * rng.normal(size=300)  # 1 - cosine is 0.0015
        found = alike(np.vstack([x, copy]), similarity=0.9999)
        assert [tuple(p) for p in found] == expected


def test_pictures_far_apart_are_not_alike_however_far_the_others():
    far = np.vstack([np.eye(31)[:30], np.eye(31)[0] + np.eye(31)[30]])  # one cosine is 0.71, all others are 0
    assert len(alike(far, ratio=0.5)) == 0


def test_equal_rows_are_found_at_similarity_one_and_join_into_one_group():
    x = directions()
    x[[3, 17, 30]] = x[5]
    pairs = alike(x, similarity=1, ratio=0)
    np.testing.assert_array_equal(pairs, [[3, 5], [3, 17], [3, 30]])


def test_a_thousand_equal_pictures_make_a_thousand_pairs_not_half_a_million():
    assert len(alike(np.ones((1000, 3)))) == 999


def test_rows_of_zeros_are_like_nothing():
    assert len(alike(np.zeros((5, 3)))) == 0


def test_what_is_not_features_is_refused():
    with pytest.raises(InputError, match=r"features must be \(n, d\) and finite, got \(5,\)"):
        alike(np.zeros(5))
    with pytest.raises(InputError, match="finite"):
        alike(np.full((2, 2), np.nan))
    with pytest.raises(InputError, match=r"similarity must be in \(0, 1\], got 0"):
        alike(np.ones((2, 2)), similarity=0)
    with pytest.raises(InputError, match=r"ratio must be in \[0, 1\), got 1"):
        alike(np.ones((2, 2)), ratio=1)
    with pytest.raises(InputError, match=r"pairs must be indices in 0\.\.2, got 0\.\.3"):
        connected(3, np.array([[0, 3]]))
    with pytest.raises(InputError, match="n must be >= 0, got -1"):
        connected(-1, np.zeros((0, 2), int))
