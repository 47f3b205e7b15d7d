"""A catalogue knows which pictures are good, which belong together, and where each was before."""

import hashlib
import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from assay.data import catalogue, folder, variants
from assay.data.catalogue import Catalogue
from assay.errors import InputError


def rows(n, *, sha256=None, group=None, hash_=None, label="a"):
    names = [f"{i:02d}.png" for i in range(n)]
    text = np.array([""] * n, object)
    content = sha256 or [hashlib.sha256(name.encode()).hexdigest() for name in names]
    given = text if group is None else np.array(group, object)
    return Catalogue(names, names, np.array([label] * n, object), given, text, content, hash_, [])


def test_bytes_and_given_groups_join_pictures_across_each_other():
    found = catalogue.groups(rows(6, sha256=list("abacde"), group=["", "x", "", "x", "y", "y"]))
    assert [a == b for a, b in pairwise(found)] == [False, False, False, False, True]
    assert found[0] == found[2]
    assert found[1] == found[3]
    assert len(set(found)) == 3
    assert catalogue.groups(rows(0)).shape == (0,)


def test_a_hash_that_many_share_joins_nobody(tmp_path):
    # The files are not there: to look at one of them would raise.
    common = np.full(12, 0x0F0F0F0F0F0F0F0F, np.uint64)
    assert len(set(catalogue.groups(rows(12, hash_=common)))) == 12


def test_good_files_are_listed_and_bad_ones_named(tmp_path, album):
    top = album(tmp_path / "p", kinds=("temple", "shapes"), count=3)
    (top / "temple" / "000.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    found = catalogue.from_folder(top, workers=2)
    assert found.names == sorted(
        str(p.relative_to(top)) for p in top.rglob("*.*") if p.name != "000.png" or p.parent.name == "shapes"
    )
    assert [name for name, _ in found.problems] == ["temple/000.png"]
    assert found.problems[0][1].startswith("corrupt: ")
    for file, sha in zip(found.files, found.sha256, strict=True):
        assert hashlib.sha256(Path(file).read_bytes()).hexdigest() == sha
    kept = found.keep(found.label == "shapes")
    assert set(kept.label) == {"shapes"}
    assert len(kept.hash) == len(kept.files) == 3


def test_a_file_that_changes_is_looked_at_again(tmp_path, album):
    top = album(tmp_path / "p", kinds=("temple",), count=2)
    before = catalogue.from_folder(top, workers=1)
    (top / "temple" / "001.jpg").write_bytes((top / "temple" / "000.png").read_bytes())
    after = catalogue.from_folder(top, workers=1)
    assert before.sha256[0] == after.sha256[0] == after.sha256[1] != before.sha256[1]


def test_a_digest_is_that_of_the_content_and_empty_where_there_is_none(tmp_path, album):
    top = album(tmp_path / "p", kinds=("temple",), count=1)
    (file,) = folder.walk(top).files
    assert variants.digest(file, root=top) == catalogue.from_folder(top, workers=1).sha256[0]
    (top / "temple" / "000.png").unlink()
    assert variants.digest(file, root=top) == ""


def test_a_memory_keeps_parts_by_seed(tmp_path):
    memory = tmp_path / "splits.json"
    shares = {"fractions": (0.6, 0.2, 0.2), "memory": memory}
    first = catalogue.parted(rows(20), seed=3, **shares)
    catalogue.parted(rows(20), seed=4, **shares)
    later = catalogue.parted(rows(50), seed=3, **shares)
    np.testing.assert_array_equal(later[:20], first)
    assert json.loads(memory.read_text()).keys() == {"3", "4"}
    with pytest.raises(InputError, match="splits must be a file that can be written"):
        catalogue.parted(rows(9), seed=0, fractions=(0.6, 0.2, 0.2), memory=tmp_path / "no" / "splits.json")
