"""Groups are found where there are groups, by every algorithm, whatever the order of the pictures."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

from assay.errors import InputError
from assay.models import partitions, structure
from assay.models.partitions import COUNTED, METHODS, knee, partition

each = pytest.mark.parametrize("method", METHODS)


def clouds(sizes, c=6, *, seed=0, apart=8.0):
    """Draw one cloud of points for each size, around corners of equal distance."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(sizes)), sizes)
    return (apart * np.eye(c)[labels] + rng.normal(size=(len(labels), c))).astype(np.float32), labels


def rng():
    return np.random.default_rng(0)


@pytest.mark.parametrize("sizes", [(40, 25), (30, 20, 10), (50, 12, 31, 22, 17)])
@pytest.mark.parametrize("method", COUNTED)
def test_clouds_are_found_largest_first(sizes, method):
    points, labels = clouds(sizes)
    found = partition(points, method=method, rng=rng())
    assert found.k == len(sizes)
    assert np.bincount(found.labels).tolist() == sorted(sizes, reverse=True)
    for y in range(len(sizes)):
        assert len(set(found.labels[labels == y])) == 1


@pytest.mark.parametrize("method", COUNTED)
def test_more_kinds_than_a_dozen_are_found_where_there_are_pictures_enough(method):
    points, _ = clouds([12] * 20, c=20, apart=12.0)
    assert partition(points, method=method, rng=rng()).k == 20
    assert max(partitions.counts(20)) == 12
    assert max(partitions.counts(240)) == 30
    assert max(partitions.counts(10_000)) == 40


def test_the_fewest_groups_are_taken_of_those_that_chance_does_not_tell_apart():
    own = np.random.default_rng(0).normal(0.3, 0.1, 400)
    noise = np.random.default_rng(1).normal(size=400)
    noise = (noise - noise.mean()) / noise.std()
    off = {2: 0.02, 3: 0.0099, 4: 0.0, 5: 0.001}  # of 400, with a deviation of 0.1: two standard errors are 0.01
    parted = {j: own - less + 0.1 * noise * (j != 4) for j, less in off.items()}
    assert partitions._fewest(parted) == 3
    assert partitions._fewest({}) == 1


@each
def test_every_algorithm_finds_clouds_far_apart(method):
    points, labels = clouds((70, 50, 40), c=10, apart=12.0)
    found = partition(points, method=method, rng=rng())
    inside = found.labels >= 0
    assert found.k == 3 or method == "meanshift"  # which leaves what is far out as groups of its own
    assert inside.mean() > 0.8
    assert adjusted_rand_score(labels[inside], found.labels[inside]) > 0.9


@each
@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_another_order_of_the_rows_gives_the_same_groups(method, seed):
    points, _ = clouds([21, 17, 12], apart=2.0)  # they overlap: the answer is not forced
    order = np.random.default_rng(seed).permutation(50)
    a, b = (partition(p, method=method, rng=rng()) for p in (points, points[order]))
    np.testing.assert_array_equal(b.labels, a.labels[order])
    np.testing.assert_allclose(b.distances, a.distances[order], rtol=1e-5)
    assert b.silhouette == pytest.approx(a.silhouette, nan_ok=True)


@each
def test_the_same_seed_gives_the_same_groups_and_the_points_are_kept(method):
    points, _ = clouds([21, 17, 12], apart=2.0)
    before = points.copy()
    a, b = (partition(points, method=method, rng=np.random.default_rng(7)) for _ in range(2))
    np.testing.assert_array_equal(a.labels, b.labels)
    np.testing.assert_array_equal(points, before)


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


@pytest.mark.parametrize("method", COUNTED)
def test_silhouettes_and_spreads_are_those_of_the_definition(method):
    points, _ = clouds([14, 9, 7], apart=3.0)
    exact = points.astype(float)
    for k in (2, 3):
        found = partition(points, method=method, k=k, rng=rng())
        assert found.k == k
        assert found.silhouettes[k] == pytest.approx(silhouette(exact, found.labels), abs=1e-4)
        assert found.silhouette == pytest.approx(found.silhouettes[k], abs=1e-4)
        middles = np.array([exact[found.labels == g].mean(axis=0) for g in range(k)])
        away = np.linalg.norm(exact - middles[found.labels], axis=1)
        np.testing.assert_allclose(found.distances, away, rtol=1e-4)
        assert found.spreads[k] == pytest.approx((away**2).mean(), rel=1e-4)
    assert found.spreads[1] == pytest.approx(exact.var(axis=0).sum(), rel=1e-4)


@each
def test_large_folders_are_grouped_from_a_sample(method, monkeypatch):
    for name in ("_MOST", "_SHIFTED", "_SCORED"):
        monkeypatch.setattr(partitions, name, 150)
    points, labels = clouds([150, 100, 80], c=3, apart=30.0)
    found = partition(points, method=method, rng=rng())
    inside = found.labels >= 0
    assert found.k == 3 or method == "meanshift"
    assert inside.mean() > 0.8
    largest = inside & (found.labels < 3)
    assert all(len(set(found.labels[largest & (labels == y)])) == 1 for y in range(3))


def test_as_many_groups_as_are_asked_for_are_made_of_a_large_folder(monkeypatch):
    monkeypatch.setattr(partitions, "_SCORED", 30)
    points, _ = clouds([70, 60, 50])
    found = partition(points, k=45, rng=rng())
    assert found.k == 45
    assert np.bincount(found.labels).min() >= 1


def test_a_picture_like_none_of_the_sample_is_in_no_group():
    points = np.array([[0, 0], [0, 1], [9, 9], [0, 2], [0, 40]], np.float32)
    found = partitions._spread(points, np.array([0, 1, 2]), np.array([0, 0, -1]))
    assert found.tolist() == [0, 0, -1, 0, -1]


def test_the_knee_is_farthest_below_the_line_between_the_ends():
    values = {1: 9.0, 2: 5.0, 3: 2.0, 4: 1.6, 6: 1.0}
    below = {k: 9 + (k - 1) / 5 * (1 - 9) - v for k, v in values.items()}
    assert knee(values) == max(below, key=below.get) == 3
    assert knee({k: 10.0 - k for k in range(1, 6)}) is None
    assert knee({1: 2.0, 2: 1.0}) is None


@each
def test_tiny_and_equal_folders_are_no_trouble(method):
    for points in (np.zeros((0, 4)), np.eye(4)[:1], np.eye(4)[:2], np.eye(4)[:3], np.ones((30, 4))):
        found = partition(points, method=method, rng=rng())
        assert len(found.labels) == len(points)
        assert found.k <= 1 or method == "meanshift"
    found = structure.ask(
        np.eye(4)[:3], partition(np.eye(4)[:3], method=method, rng=rng()), method=method, k=None, rng=rng()
    )
    assert found.verdict == "unknown"


@pytest.mark.parametrize("method", COUNTED)
def test_as_many_groups_as_pictures_is_one_each(method):
    found = partition(clouds([4, 3])[0], method=method, k=7, rng=rng())
    assert sorted(found.labels) == list(range(7))
    assert np.isnan(found.silhouette)


def test_clouds_far_apart_are_clear():
    points, _ = clouds([60, 50, 40])
    found = partition(points, rng=rng())
    told = structure.ask(points, found, method="kmeans", k=None, rng=rng())
    assert told.verdict == "clear"
    assert told.stability > 0.95
    assert told.chance == pytest.approx(1 / 20)
    assert max(told.null) < told.silhouette


def test_one_cloud_is_seldom_taken_for_groups():
    called = []
    for seed in range(20):
        points = np.random.default_rng(seed).normal(size=(80, 5)).astype(np.float32) * [3, 2, 1, 1, 1]
        found = partition(points, k=3, rng=rng())
        told = structure.ask(points, found, method="kmeans", k=3, redraws=1, rng=np.random.default_rng(seed))
        called.append(told.verdict != "none")
    assert sum(called) <= 4  # binomial, 20 at 0.05: more in 3 of 1,000


def test_one_group_is_no_structure():
    points = np.random.default_rng(1).normal(size=(200, 4)).astype(np.float32)
    found = partition(points, k=1, rng=rng())
    assert structure.ask(points, found, method="kmeans", k=1, rng=rng()).verdict == "none"


def test_what_does_not_fit_is_refused(monkeypatch):
    with pytest.raises(InputError, match=r"points must be \(n, c\) and finite"):
        partition(np.full((5, 2), np.nan), rng=rng())
    with pytest.raises(
        InputError, match="method must be one of kmeans, hierarchical, dbscan, hdbscan, meanshift, got 'x'"
    ):
        partition(np.eye(5), method="x", rng=rng())
    with pytest.raises(InputError, match="k must be >= 1, got 0"):
        partition(np.eye(5), k=0, rng=rng())
    with pytest.raises(InputError, match="k must be <= 5, the number of different pictures, got 6"):
        partition(np.repeat(np.eye(5), 2, axis=0), k=6, rng=rng())
    with pytest.raises(InputError, match="k must be left out, because dbscan finds the number of groups itself, got 2"):
        partition(np.eye(5), method="dbscan", k=2, rng=rng())
    monkeypatch.setattr(partitions, "_MOST", 30)
    many = clouds([40, 30])[0]
    assert partition(many, k=60, rng=rng()).k == 60
    with pytest.raises(InputError, match="k must be <= 30 different pictures for hierarchical on so many, got 60"):
        partition(many, method="hierarchical", k=60, rng=rng())
    with pytest.raises(InputError, match="clouds must be >= 19 and redraws >= 1, got 5 and 6"):
        structure.ask(np.eye(5), partition(np.eye(5), rng=rng()), method="kmeans", k=None, clouds=5, rng=rng())
