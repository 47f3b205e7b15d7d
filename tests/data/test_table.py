"""The table keeps one row per key, through retries, deletions, and a first write that was never finished."""

import numpy as np
import pyarrow as pa
import pytest

from assay.data.table import KEY, Table, matrix, schema
from assay.errors import WorkspaceError

WIDTH = 3


def rows(first, count, **more):
    return {
        KEY: [f"{i:064d}" for i in range(first, first + count)],
        "path": [f"{999 - i}.png".encode() for i in range(first, first + count)],
        "status": ["ok"] * count,
        **more,
    }


@pytest.fixture
def table(tmp_path):
    return Table(tmp_path / "t.lance", schema(WIDTH))


def test_a_batch_put_twice_is_there_once(table):
    table.put(rows(0, 5))
    table.put(rows(3, 4, bytes=[7, 7, 7, 7]))
    assert len(table) == 7
    assert table.read(["bytes"], where="bytes = 7").num_rows == 4


def test_rows_come_out_in_the_order_of_their_paths(table):
    table.put(rows(0, 3))
    table.put(rows(3, 2))
    paths = table.read(["path"])["path"].to_pylist()
    assert paths == sorted(paths)
    assert len(paths) == 5


def test_features_come_back_to_the_bit(table):
    values = np.random.default_rng(0).random((4, WIDTH)).astype(np.float16)
    table.put(rows(0, 4, features=[*values[:3], None]))
    found = table.read(["features"], where="features is not null")["features"]
    np.testing.assert_array_equal(matrix(found, dtype=np.float16), values[2::-1])  # paths run backwards


def test_what_was_put_is_there_for_the_next_process(table):
    table.put(rows(0, 5))
    assert len(Table(table.folder, table.schema)) == 5


def test_deleted_keys_are_gone_and_unknown_ones_ignored(table):
    table.delete(["x"])
    table.put(rows(0, 5))
    table.delete([f"{i:064d}" for i in (1, 3, 99)])
    assert len(table) == 3


def test_a_first_write_that_was_killed_counts_as_empty(tmp_path):
    (tmp_path / "t.lance" / "data").mkdir(parents=True)
    (tmp_path / "t.lance" / "data" / "half.lance").write_bytes(b"torn")
    table = Table(tmp_path / "t.lance", schema(WIDTH))
    assert len(table) == 0
    assert table.read(["path"]).num_rows == 0
    table.put(rows(0, 2))
    assert len(Table(table.folder, table.schema)) == 2


def test_another_schema_is_refused_not_overwritten(table):
    table.put(rows(0, 2))
    with pytest.raises(WorkspaceError, match="must have the columns of this version"):
        Table(table.folder, pa.schema([("other", pa.int8())]))
    assert len(Table(table.folder, table.schema)) == 2


def test_many_small_batches_survive_being_joined(table):
    for i in range(70):
        table.put(rows(i * 2, 2))
    table.compact()
    assert len(Table(table.folder, table.schema)) == 140
