"""Alike pairs equal the cosine of every two; groups equal a flood fill."""

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


@pytest.mark.parametrize("block", [7, 2048])
@pytest.mark.parametrize("similarity", [0.8, 0.95, 0.995])
def test_pairs_equal_the_cosine_of_every_two(block, similarity, monkeypatch):
    monkeypatch.setattr(neighbours, "_BLOCK", block)
    x = directions()
    cosine = lambda a, b: (a @ b) / np.sqrt((a @ a) * (b @ b))  # noqa: E731 - the definition, in one line
    expected = [(i, j) for i in range(41) for j in range(i + 1, 41) if cosine(x[i], x[j]) >= similarity]
    assert expected
    np.testing.assert_array_equal(alike(x, similarity=similarity), expected)


def test_equal_rows_are_found_at_similarity_one_and_join_into_one_group():
    x = directions()
    x[[3, 17, 30]] = x[5]
    pairs = alike(x, similarity=1)
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
    with pytest.raises(InputError, match=r"pairs must be indices in 0\.\.2, got 0\.\.3"):
        connected(3, np.array([[0, 3]]))
    with pytest.raises(InputError, match="n must be >= 0, got -1"):
        connected(-1, np.zeros((0, 2), int))
