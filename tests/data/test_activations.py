"""What was put comes back by content, whatever was killed or broken in between."""

import os

import numpy as np
import pytest

from assay.data import activations
from assay.data.activations import Activations, prune
from assay.errors import InputError

SHAPE = (3, 2, 5)


def values(key):
    return np.random.default_rng(int(key, 16)).normal(size=SHAPE).astype(np.float16)


def test_what_was_put_comes_back_by_content(tmp_path):
    kept = Activations(tmp_path / "a", shape=SHAPE)
    keys = [f"{i:064x}" for i in range(7)]
    for key in keys:
        kept.put(key, values(key))
    assert keys[0] not in kept  # not before it is on disk
    kept.flush()
    again = Activations(tmp_path / "a", shape=SHAPE)
    for some in (kept, again):
        views = np.array([2, 0, 1, 1])
        found = some.read([keys[i] for i in (5, 1, 1, 6)], views)
        expected = [values(keys[i])[v] for i, v in zip((5, 1, 1, 6), views, strict=True)]
        np.testing.assert_array_equal(found, expected)
        assert found.dtype == np.float16


def test_views_are_kept_as_they_are(tmp_path):
    views = np.random.default_rng(0).integers(0, 256, (2, 4, 3, 3)).astype(np.uint8)
    kept = Activations(tmp_path / "a", shape=(2, 4, 3, 3), dtype=np.uint8)
    kept.put("0" * 64, views)
    kept.flush()
    again = Activations(tmp_path / "a", shape=(2, 4, 3, 3), dtype=np.uint8).read(["0" * 64], np.array([1]))
    np.testing.assert_array_equal(again, views[1:])
    assert again.dtype == np.uint8
    assert "0" * 64 not in Activations(tmp_path / "a", shape=(2, 4, 3, 3))  # of other numbers: made again


def test_a_kill_loses_no_more_than_the_shard_under_way(tmp_path, monkeypatch):
    monkeypatch.setattr(activations, "_SHARD", 3 * 2 * 3 * 2 * 5)  # three pictures
    kept = Activations(tmp_path / "a", shape=SHAPE)
    for i in range(8):
        kept.put(f"{i:064x}", values(f"{i:x}"))
    again = Activations(tmp_path / "a", shape=SHAPE)  # without a flush, as after a kill
    assert [f"{i:064x}" in again for i in range(8)] == [True] * 6 + [False] * 2
    again.put(f"{6:064x}", values("6"))
    again.flush()
    np.testing.assert_array_equal(again.read([f"{6:064x}"], np.array([1]))[0], values("6")[1])


@pytest.mark.parametrize("damage", [b"", b"\xff" * 9, b"\x10" + b"\0" * 7 + b"[" * 16, None])
def test_a_broken_shard_is_thrown_away_and_no_good_one_is_written_over(tmp_path, damage):
    kept = Activations(tmp_path / "a", shape=SHAPE)
    for i in range(3):
        kept.put(f"{i:064x}", values(f"{i:x}"))
        kept.flush()
    broken = tmp_path / "a" / "000001.safetensors"
    broken.write_bytes(broken.read_bytes()[:-9] if damage is None else damage)
    again = Activations(tmp_path / "a", shape=SHAPE)
    assert [f"{i:064x}" in again for i in range(3)] == [True, False, True]
    again.put(f"{1:064x}", values("1"))
    again.flush()
    for some in (again, Activations(tmp_path / "a", shape=SHAPE)):
        for i in range(3):
            np.testing.assert_array_equal(some.read([f"{i:064x}"], np.array([0]))[0], values(f"{i:x}")[0])


def test_shards_of_another_shape_are_not_believed(tmp_path):
    kept = Activations(tmp_path / "a", shape=SHAPE)
    kept.put("0" * 64, values("0"))
    kept.flush()
    assert "0" * 64 not in Activations(tmp_path / "a", shape=(3, 5, 2))


@pytest.mark.parametrize("bad", [np.zeros((3, 2, 4)), np.full(SHAPE, np.nan)])
def test_what_a_trunk_cannot_have_given_is_refused(tmp_path, bad):
    with pytest.raises(InputError, match=r"must be \(3, 2, 5\) and finite"):
        Activations(tmp_path, shape=SHAPE).put("0" * 64, bad)


def test_what_was_asked_for_longest_ago_goes_until_the_rest_has_room(tmp_path):
    folders = [tmp_path / name for name in "abcd"]
    for folder in folders:
        kept = Activations(folder, shape=SHAPE)
        kept.put("0" * 64, values("0"))
        kept.flush()
    for folder, used in zip(folders, (40, 10, 20, 30), strict=True):
        os.utime(folder, (used, used))
    Activations(folders[1], shape=SHAPE)  # asked for now
    size = sum(path.stat().st_size for path in folders[0].iterdir())
    assert prune(tmp_path, keep=(), limit=4 * size) == 4 * size
    assert prune(tmp_path, keep={folders[2]}, limit=3 * size) == 3 * size
    assert {path.name for path in tmp_path.iterdir()} == {"a", "b", "c"}  # c, the oldest, is in use
    assert prune(tmp_path, keep={folders[2]}, limit=0) == size
    assert "0" * 64 in Activations(folders[2], shape=SHAPE)
    assert prune(tmp_path / "nowhere", keep=(), limit=0) == 0
