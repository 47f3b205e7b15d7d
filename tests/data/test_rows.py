"""A file is read once and ends as one row: its facts, or its status and the reason."""

import hashlib
import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from assay.data import rows
from assay.data.folder import File
from assay.data.pictures import read_bytes
from assay.pixels.facts import Facts


@pytest.fixture
def examine(tmp_path):
    """Examine a file of the temporary folder by its name."""

    def call(name, **options):
        path = Path(tmp_path / os.fsdecode(name))
        size, mtime = (path.stat().st_size, path.stat().st_mtime_ns) if path.exists() else (7, 8)
        return rows.examine(File(os.fsencode(name), size, mtime), root=tmp_path, **options)

    return call


def test_a_good_picture_has_every_column(examine, tmp_path, draw, save):
    data = save(draw("temple", 1), tmp_path / "a" / "1.png")
    found = examine("a/1.png").columns
    height, width = draw("temple", 1).shape[:2]
    digest = hashlib.sha256(data).hexdigest()
    assert (found["status"], found["reason"], found["format"], found["mode"]) == ("ok", "", "PNG", "RGB")
    assert (found["width"], found["height"], found["bytes"]) == (width, height, len(data))
    assert found["sha256"] == digest
    assert found["key"] == digest[:32] + hashlib.sha256(b"a/1.png").hexdigest()[:32]
    assert len(found["facts"]) == len(Facts.__dataclass_fields__)
    assert np.isfinite(found["facts"]).all()
    assert cv2.imdecode(np.frombuffer(found["thumbnail"], np.uint8), 1).shape[:2] <= (128, 128)
    assert found["notes"] == []


def test_facts_are_of_the_upright_picture(examine, tmp_path, draw):
    upright = Image.fromarray(draw("temple", 2))
    upright.save(tmp_path / "plain.png")
    exif = Image.Exif()
    exif[0x0112] = 6
    upright.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "turned.png", exif=exif)
    plain, turned = examine("plain.png").columns, examine("turned.png").columns
    assert turned["orientation"] == 6
    for name in ("width", "height", "facts", "hash", "thumbnail"):
        assert turned[name] == plain[name], name


def test_a_name_that_promises_another_format_is_noted_and_read_by_content(examine, tmp_path, draw, save):
    (tmp_path / "x.jpg").write_bytes(save(draw("shapes", 1), tmp_path / "x.png"))
    found = examine("x.jpg").columns
    assert (found["status"], found["format"]) == ("ok", "PNG")
    assert found["notes"] == ["name says JPEG, content is PNG"]


@pytest.mark.parametrize(("tiles", "views"), [(False, 1), (True, 10)])
@pytest.mark.parametrize("shape", [(30, 50, 3), (400, 300, 3), (1, 9, 3), (700, 2000), (500, 90)])
def test_the_network_sees_squares_whatever_the_shape(examine, tmp_path, shape, tiles, views):
    image = np.random.default_rng(0).integers(0, 255, shape, np.uint8)
    Image.fromarray(image).save(tmp_path / "x.png")
    found = examine("x.png", size=40, tiles=tiles)
    assert found.columns["status"] == "ok"
    assert (found.views.shape, found.views.dtype) == ((views, 40, 40, 3), np.uint8)


def test_the_first_view_is_the_whole_picture(examine, tmp_path):
    image = np.zeros((90, 60, 3), np.uint8)
    image[:45, :, 0] = image[45:, :, 2] = 200  # red above blue
    Image.fromarray(image).save(tmp_path / "x.png")
    (whole, *parts) = examine("x.png", size=20, tiles=True).views.astype(int)
    assert (whole[2:8, :, 0] > 150).all()
    assert (whole[12:18, :, 2] > 150).all()
    assert (parts[0][..., 0] > 150).all()  # the tile at the top left sees red alone
    assert (parts[-1][..., 2] > 150).all()


def test_without_a_size_no_view_is_made(examine, tmp_path, draw, save):
    save(draw("temple", 1), tmp_path / "x.png")
    assert examine("x.png").views is None


BAD = {
    "empty.jpg": (b"", "refused"),
    "text.png": (b"hello, this is text", "refused"),
    "start.jpg": (b"\xff\xd8\xff\xe0\x00\x10JFIF\x00", "corrupt"),
    "page.jpg": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "refused"),
    "drawing.svg": (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "refused"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_file_that_is_no_picture_has_a_status_and_a_reason_and_no_facts(examine, tmp_path, name):
    data, status = BAD[name]
    (tmp_path / name).write_bytes(data)
    found = examine(name, size=40)
    assert found.columns["status"] == status
    assert found.columns["reason"]
    assert found.views is None
    assert "facts" not in found.columns


@pytest.mark.parametrize("name", [b"gone.jpg", b"gone/far/away.jpg", b"no\xff\xfeutf8.jpg"])
def test_a_file_that_is_gone_is_unreadable(examine, name):
    found = examine(name).columns
    assert (found["status"], found["reason"]) == ("unreadable", "No such file or directory")
    assert found["path"] == name
    assert (found["bytes"], found["mtime_ns"]) == (7, 8)


def test_a_file_is_opened_once_and_what_was_hashed_is_what_was_decoded(examine, tmp_path, draw, save, monkeypatch):
    save(draw("temple", 1), tmp_path / "x.jpg")
    opened = []

    def read(path):
        opened.append(path)
        data = read_bytes(path)
        save(draw("shapes", 9), tmp_path / "x.jpg")  # somebody replaces the file at once
        return data

    monkeypatch.setattr(rows.pictures, "read_bytes", read)
    found = examine("x.jpg", size=40, tiles=True).columns
    save(draw("temple", 1), tmp_path / "x.jpg")
    monkeypatch.undo()
    assert len(opened) == 1
    assert {k: v for k, v in examine("x.jpg").columns.items() if k != "mtime_ns"} == {
        k: v for k, v in found.items() if k != "mtime_ns"
    }


def test_keys_differ_by_content_and_by_path():
    keys = {rows.key(path, sha) for path in (b"a", b"b", b"\xff") for sha in ("0" * 64, "1" * 64, "")}
    assert len(keys) == 9
    assert {len(k) for k in keys} == {64}
