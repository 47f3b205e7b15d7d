"""Groups are found where there are groups, whatever the order of the pictures; names and odd ones follow from them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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


@pytest.mark.parametrize("sizes", [(40, 25), (30, 20, 10), (50, 12, 31, 22, 17)])
def test_clouds_are_found_largest_first(sizes):
    points, labels = clouds(sizes)
    found = cluster.group(points, rng=rng())
    assert found.k == len(sizes)
    assert np.bincount(found.labels).tolist() == sorted(sizes, reverse=True)
    for y in range(len(sizes)):
        assert len(set(found.labels[labels == y])) == 1
    for g in range(found.k):
        np.testing.assert_allclose(found.centres[g], points[found.labels == g].mean(axis=0), atol=1e-4)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_another_order_of_the_rows_gives_the_same_groups(seed):
    points, _ = clouds([21, 17, 12], apart=2.0)  # they overlap: the answer is not forced
    order = np.random.default_rng(seed).permutation(50)
    a = cluster.group(points, ks=range(2, 6), rng=rng())
    b = cluster.group(points[order], ks=range(2, 6), rng=rng())
    np.testing.assert_array_equal(b.labels, a.labels[order])
    assert a.silhouettes == b.silhouettes


def silhouette(points, labels):
    """Oracle: the definition, one picture at a time."""
    values = []
    for i, y in enumerate(labels):
        away = np.linalg.norm(points - points[i], axis=1)
        own = labels == y
        if own.sum() == 1:
            values.append(0.0)
            continue
        a = away[own].sum() / (own.sum() - 1)
        b = min(away[labels == z].mean() for z in set(labels) - {y})
        values.append((b - a) / max(a, b))
    return np.mean(values)


def test_the_silhouettes_are_those_of_the_definition():
    points, _ = clouds([14, 9, 7], apart=3.0)
    for k in (2, 3):
        found = cluster.group(points, ks=[k], rng=rng())
        assert found.silhouettes[k] == pytest.approx(silhouette(points.astype(float), found.labels), abs=1e-4)


def test_large_folders_are_grouped_from_a_sample(monkeypatch):
    monkeypatch.setattr(cluster, "_SAMPLE", 60)
    points, labels = clouds([150, 100, 80])
    found = cluster.group(points, rng=rng())
    assert found.k == 3
    assert all(len(set(found.labels[labels == y])) == 1 for y in range(3))


def test_tiny_and_equal_folders_are_one_group():
    for points in (np.zeros((0, 4)), np.eye(4)[:1], np.eye(4)[:3], np.ones((30, 4))):
        found = cluster.group(points, rng=rng())
        assert found.labels.tolist() == [0] * len(points)
        assert found.k == min(len(points), 1)
        assert found.silhouettes == {}
    two = cluster.group(np.repeat(np.eye(4)[:2], [5, 9], axis=0), rng=rng())
    assert np.bincount(two.labels).tolist() == [9, 5]


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
    with pytest.raises(InputError, match=r"points must be \(n, c\) and finite"):
        cluster.group(np.full((5, 2), np.nan), rng=rng())
    with pytest.raises(InputError, match="ks must be >= 1, got 0"):
        cluster.group(np.eye(5), ks=[0, 2], rng=rng())
    with pytest.raises(InputError, match=r"groups, class_ids and class_scores must be \(n,\), \(n, m\) and \(n, m\)"):
        cluster.names(np.zeros(3, int), np.zeros((3, 5), int), np.zeros((3, 4)), class_names=NAMES)
    with pytest.raises(InputError, match=r"points and labels must be \(n, c\) and \(n,\)"):
        cluster.outliers(np.eye(3), np.zeros(2))
    with pytest.raises(InputError, match=r"share must be in \[0, 1\], got 2"):
        cluster.outliers(np.eye(3), np.zeros(3), share=2)
