"""Directions are those in which features vary most; names and odd ones follow from the groups."""

import numpy as np
import pytest

from assay.errors import InputError
from assay.models import cluster


def clouds(sizes, c=6, *, seed=0, apart=8.0):
    """Draw one cloud of points for each size, around corners of equal distance."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(sizes)), sizes)
    return (apart * np.eye(c)[labels] + rng.normal(size=(len(labels), c))).astype(np.float32), labels


def rng():
    return np.random.default_rng(0)


@pytest.mark.parametrize(("n", "d"), [(70, 9), (20, 33)])  # more pictures than features, and fewer
def test_the_projection_equals_the_singular_value_decomposition(n, d):
    features = np.abs(np.random.default_rng(1).normal(size=(n, d)))
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    left, values, right = np.linalg.svd(unit - unit.mean(axis=0), full_matrices=False)
    signs = np.sign(right[np.arange(5), np.abs(right[:5]).argmax(axis=1)])
    found = cluster.reduce(features, components=5, rng=rng())
    np.testing.assert_allclose(found, (left * values)[:, :5] * signs, atol=1e-4)


@pytest.mark.parametrize(("n", "d", "expected"), [(3, 100, 3), (100, 4, 4), (100, 200, 50), (1, 5, 1), (0, 5, 5)])
def test_the_projection_has_no_more_columns_than_there_are_directions(n, d, expected):
    features = np.abs(np.random.default_rng(2).normal(size=(n, d)))
    found = cluster.reduce(features, rng=rng())
    assert (found.shape, found.dtype) == ((n, expected), np.float32)
    assert np.isfinite(found).all()


def test_directions_learned_from_a_part_are_close_to_those_of_all(monkeypatch):
    features = np.abs(clouds([300, 200, 100])[0])
    full = cluster.reduce(features, components=2, rng=rng())
    monkeypatch.setattr(cluster, "_LEARNED", 300)
    part = cluster.reduce(features, components=2, rng=rng())
    for column in range(2):
        assert abs(np.corrcoef(full[:, column], part[:, column])[0, 1]) > 0.98


NAMES = ["ant", "bee", "daisy", "web"]


def told(counts):
    """Pictures of each group with their best two classes: counts[g] is {(first, second): pictures}."""
    groups, ids = [], []
    for g, kinds in enumerate(counts):
        for pair, n in kinds.items():
            groups += [g] * n
            ids += [pair] * n
    scores = np.tile([0.6, 0.3], (len(groups), 1))
    return np.array(groups), np.array(ids), scores


def test_groups_are_named_after_what_stands_out_in_them():
    found = cluster.names(*told([{(0, 3): 20, (3, 0): 2}, {(1, 2): 8, (2, 1): 9}]), class_names=NAMES)
    assert found[0].split(", ")[0] == "ant"
    assert set(found[1].split(", ")) == {"bee", "daisy"}


def test_what_every_group_shows_names_none():
    found = cluster.names(*told([{(3, 0): 10}, {(3, 0): 10}, {(3, 0): 10, (1, 1): 9}]), class_names=NAMES)
    assert found[:2] == ["group 1", "group 2"]
    assert found[2] == "bee"


def test_names_differ_and_one_group_is_named_after_what_is_common():
    same = [{(0, 3): 30}, {(0, 3): 29}, {(1, 2): 400}]
    found = cluster.names(*told(same), class_names=NAMES)
    assert [name.split(" (")[0] for name in found[:2]] == ["ant, web"] * 2
    assert len(set(found)) == 3
    assert cluster.names(*told([{(2, 1): 12}]), class_names=NAMES)[0].startswith("daisy")
    assert cluster.names(np.zeros(0, int), np.zeros((0, 5), int), np.zeros((0, 5)), class_names=NAMES) == []


def test_strangers_are_odd_and_come_first():
    points, labels = clouds([150, 120], c=10)
    points[7] += 40
    points[200] -= 25
    assert cluster.outliers(points, labels)[:2].tolist() == [7, 200]
    assert cluster.outliers(points, labels, share=1 / 200).tolist() == [7]
    assert len(cluster.outliers(points, labels, share=0)) == 0


def test_ordinary_pictures_are_seldom_odd():
    called = [len(cluster.outliers(*clouds([200, 150], c=20, seed=seed), share=1.0)) for seed in range(20)]
    assert np.mean(called) / 350 < 0.01


def test_tiny_folders_and_equal_pictures_have_no_odd_ones():
    points, labels = clouds([20, 9])
    points[3] += 100
    assert len(cluster.outliers(points, labels, share=1)) == 0
    assert len(cluster.outliers(np.ones((50, 3)), np.zeros(50, int))) == 0


def test_what_does_not_fit_is_refused():
    with pytest.raises(InputError, match=r"features must be \(n, d\) and finite, got \(4,\)"):
        cluster.reduce(np.zeros(4), rng=rng())
    with pytest.raises(InputError, match="components must be >= 1, got 0"):
        cluster.reduce(np.eye(4), components=0, rng=rng())
    with pytest.raises(InputError, match=r"groups, class_ids and class_scores must be \(n,\), \(n, m\) and \(n, m\)"):
        cluster.names(np.zeros(3, int), np.zeros((3, 5), int), np.zeros((3, 4)), class_names=NAMES)
    with pytest.raises(InputError, match=r"points and labels must be \(n, c\) and \(n,\)"):
        cluster.outliers(np.eye(3), np.zeros(2))
    with pytest.raises(InputError, match=r"share must be in \[0, 1\], got 2"):
        cluster.outliers(np.eye(3), np.zeros(3), share=2)
