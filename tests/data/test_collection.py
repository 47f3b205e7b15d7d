"""The columns of the good pictures come out as arrays in the order of their paths."""

import numpy as np
import pytest

from assay.data import rows
from assay.data.collection import collect
from assay.data.table import KEY, Table, schema

WIDTH = 5


def put(table, paths, *, status="ok", features=True):
    """Put made-up rows whose values tell which path they belong to."""
    number = [int(p.rpartition(b"/")[2].split(b".")[0]) for p in paths]
    columns = {
        KEY: [rows.key(p, f"{n:064x}") for p, n in zip(paths, number, strict=True)],
        "path": paths,
        "status": [status] * len(paths),
        "sha256": [f"{n:064x}" for n in number],
        "bytes": number,
        "width": [n + 1 for n in number],
        "height": [n + 2 for n in number],
        "orientation": [1] * len(paths),
        "format": ["PNG"] * len(paths),
        "mode": ["RGB"] * len(paths),
        "taken": [None if n % 2 else "2020-01-01T00:00:00" for n in number],
        "facts": [[n, 0.5, -1] for n in number],
        "hash": [2**63 + n for n in number],
        "thumbnail": [b"jpeg %d" % n for n in number],
        "network": ["net"] * len(paths),
    }
    if features:
        columns["features"] = columns["tile_features"] = [np.full(WIDTH, n, np.float16) for n in number]
        columns["classes"] = [[n, 1, 2, 3, 4] for n in number]
        columns["class_scores"] = [[0.5, 0.25, 0.1, 0.1, 0.05]] * len(paths)
    table.put(columns)


@pytest.fixture
def table(tmp_path):
    return Table(tmp_path / "t.lance", schema(WIDTH))


def test_arrays_are_in_the_order_of_the_paths(table):
    put(table, [b"b/7.png", b"a/3.png"])
    put(table, [b"a/20.png", b"\xff/1.png"])
    found = collect(table)
    assert found.paths.tolist() == [b"a/20.png", b"a/3.png", b"b/7.png", b"\xff/1.png"]
    order = [20, 3, 7, 1]
    assert found.size.tolist() == order
    assert (found.width - 1).tolist() == (found.height - 2).tolist() == order
    assert found.features[:, 0].tolist() == found.facts[:, 0].tolist() == found.classes[:, 0].tolist() == order
    assert (found.hash - np.uint64(2**63)).tolist() == order
    assert [int(s, 16) for s in found.sha256] == order
    assert (found.features.dtype, found.features.shape, found.network) == (np.float32, (4, WIDTH), "net")
    assert found.taken.tolist() == ["2020-01-01T00:00:00", None, None, None]


def test_broken_files_and_pictures_that_the_network_has_not_seen_are_left_out(table):
    put(table, [b"1.png", b"2.png"])
    put(table, [b"3.png"], status="corrupt", features=False)
    put(table, [b"4.png"], features=False)
    assert collect(table).paths.tolist() == [b"1.png", b"2.png"]


def test_tiles_are_there_when_asked_for(table):
    put(table, [b"6.png", b"5.png"])
    assert collect(table).tile_features is None
    assert collect(table, tiles=True).tile_features.tolist() == [[5] * WIDTH, [6] * WIDTH]


def test_an_empty_table_gives_arrays_of_length_0(table):
    found = collect(table, tiles=True)
    assert len(found) == 0
    assert found.features.shape == found.tile_features.shape == (0, WIDTH)
    assert found.facts.shape[0] == 0
    assert found.thumbnails([]) == {}


def test_thumbnails_are_those_of_the_pictures_asked_for(table):
    paths = [b"%04d.png" % i for i in range(1200)]
    put(table, paths)
    found = collect(table)
    wanted = np.random.default_rng(0).permutation(1200)[:1100]
    assert found.thumbnails(wanted) == {int(i): b"jpeg %d" % i for i in wanted}


def test_names_that_are_no_utf8_are_text_that_leads_back_to_the_file(table):
    put(table, [b"\xff\xfe/1.png"])
    assert collect(table).name(0) == "\udcff\udcfe/1.png"
