"""What a rating looks at, from one read: moved views show the same picture, and depend on its content alone."""

import numpy as np
import pytest

from assay.data import appearance
from assay.data.folder import File

SIZE = 64


@pytest.fixture
def root(tmp_path, draw, save):
    data = save(draw("flower", 3), tmp_path / "photos" / "a.png")
    (tmp_path / "photos" / "b.png").write_bytes(data)
    return tmp_path / "photos"


def examine(root, name, **options):
    return appearance.examine(File(name, 0, 0), root=root, size=SIZE, **options)


def test_views_are_moved_by_whole_pixels_and_every_other_one_is_mirrored(root):
    views = examine(root, b"a.png", moved=4).views
    assert views.shape == (5, SIZE, SIZE, 3)
    plain, reach = views[0], SIZE // 16
    framed = np.pad(plain, ((reach, reach), (reach, reach), (0, 0)), "reflect")
    places = [(y, x) for y in range(2 * reach + 1) for x in range(2 * reach + 1)]
    for i, view in enumerate(views[1:]):
        upright = view[:, ::-1] if i % 2 == 0 else view
        assert any(np.array_equal(upright, framed[y : y + SIZE, x : x + SIZE]) for y, x in places)


def test_views_depend_on_content_and_seed_alone(root):
    views = examine(root, b"a.png", moved=3).views
    np.testing.assert_array_equal(examine(root, b"b.png", moved=3).views, views)
    np.testing.assert_array_equal(examine(root, b"a.png", moved=5).views[:4], views)
    assert not np.array_equal(examine(root, b"a.png", moved=3, seed=1).views, views)
    np.testing.assert_array_equal(examine(root, b"a.png").views, views[:1])


def test_what_is_not_wanted_is_not_measured(root):
    assert examine(root, b"a.png", damage=False).damage is None
    known = examine(root, b"a.png", known={examine(root, b"a.png").sha256}, moved=2)
    assert known.views is None
    assert known.damage is None
    assert known.status == "ok"
