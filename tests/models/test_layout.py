"""A map keeps neighbours together, fills its square, and is the same each time."""

import numpy as np
import pytest
from sklearn.manifold import trustworthiness

from assay.errors import InputError
from assay.models import layout
from assay.models.layout import layout as place


def clouds(n, c=8, k=3, seed=0):
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % k
    return (5 * rng.normal(size=(k, c))[labels] + rng.normal(size=(n, c))).astype(np.float32), labels


@pytest.mark.parametrize("n", [4, 5, 9, 30, 101])
def test_the_map_fills_its_square(n):
    found = place(clouds(n)[0], rng=np.random.default_rng(0))
    assert (found.shape, found.dtype) == ((n, 2), np.float32)
    low, high = found.min(axis=0), found.max(axis=0)
    assert low.min() == 0
    assert high.max() == 1
    np.testing.assert_allclose((low + high) / 2, 0.5, atol=1e-6)


@pytest.mark.parametrize("n", [0, 1, 2, 3])
def test_three_pictures_or_fewer_have_places_of_their_own(n):
    found = place(clouds(n, c=5)[0] if n else np.zeros((0, 5)), rng=np.random.default_rng(0))
    assert found.shape == (n, 2)
    assert ((found >= 0) & (found <= 1)).all()
    gaps = [np.linalg.norm(found[i] - found[j]) for i in range(n) for j in range(i)]
    np.testing.assert_allclose(gaps, 1, atol=1e-3)


def test_neighbours_stay_neighbours():
    points, labels = clouds(150)
    found = place(points, rng=np.random.default_rng(0))
    assert trustworthiness(points, found, n_neighbors=5) > 0.9
    apart = np.linalg.norm(found[:, None] - found, axis=2) + 9 * np.eye(150)
    assert (labels[apart.argmin(axis=1)] == labels).mean() > 0.95


def test_pictures_beyond_the_sample_lie_between_their_nearest(monkeypatch):
    monkeypatch.setattr(layout, "_LAID_OUT", 80)
    points, labels = clouds(200)
    points[150:] = points[:50]  # copies
    found = place(points, rng=np.random.default_rng(0))
    apart = np.linalg.norm(found[:, None] - found, axis=2) + 9 * np.eye(200)
    labels[150:] = labels[:50]
    assert (labels[apart.argmin(axis=1)] == labels).mean() > 0.95
    seen = np.random.default_rng(int(np.random.default_rng(0).integers(2**31))).permutation(200)[:80]
    laid = sorted(set(seen) & set(range(50)))
    assert laid
    np.testing.assert_allclose(found[[150 + i for i in laid]], found[laid], atol=1e-3)


def test_the_same_seed_gives_the_same_map():
    points, _ = clouds(60)
    a, b = (place(points, rng=np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(a, b)


def test_equal_pictures_get_places_too():
    found = place(np.ones((40, 6)), rng=np.random.default_rng(0))
    assert len(np.unique(found, axis=0)) == 40
    assert place(np.arange(12.0)[:, None], rng=np.random.default_rng(0)).shape == (12, 2)


def test_what_is_not_points_is_refused():
    with pytest.raises(InputError, match=r"points must be \(n, c\) and finite, got \(4,\)"):
        place(np.zeros(4), rng=np.random.default_rng(0))
    with pytest.raises(InputError, match="finite"):
        place(np.full((5, 2), np.nan), rng=np.random.default_rng(0))
