"""Files are filtered as arrays are, beside the user's own, over which nothing is ever written."""

import hashlib
import json

import numpy as np
import pytest

from assay.data import pictures
from assay.errors import InputError
from assay.pixels import filters, frequency
from assay.tasks.filter import FILTERS, filter, parse  # noqa: A004 - the verb

OPTIONS = {
    "mean": "size=5",
    "gaussian": "sigma=1.5,space=lab",
    "median": "size=9",
    "conservative": "size=5",
    "crimmins": "iterations=2",
    "laplacian": "neighbours=8,edges_only=yes",
    "laplacian_of_gaussian": "sigma=1.4",
    "unsharp": "radius=2,percent=150,threshold=3",
    "lowpass": "radius=30,kind=gaussian",
    "highpass": "radius=30",
    "bilateral": "sigma=2,sigma_levels=25",
    "nonlocal_means": "strength=10,search=9",
    "tv": "weight=0.1",
    "dct": "sigma=12",
    "despike": "tolerance=10",
}


def hashes(folder):
    return {p: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize("name", FILTERS)
def test_every_filter_is_there_by_its_name(name, tmp_path, save, draw):
    image = draw("shapes", 0)
    save(image, tmp_path / "in.png")
    text = f"{name.replace('_', '-')}:{OPTIONS[name]}"
    made = filter(tmp_path / "in.png", tmp_path / "out.png", filters=[text])
    assert (made.written, made.problems) == (1, [])
    found, options = parse(text)
    assert found == name
    np.testing.assert_array_equal(pictures.read(tmp_path / "out.png"), FILTERS[name](image, **options))
    again = filter(tmp_path / "in.png", tmp_path / "again.png", filters=made.steps)
    assert again.steps == made.steps
    assert (tmp_path / "again.png").read_bytes() == (tmp_path / "out.png").read_bytes()


def test_several_filters_follow_one_another(tmp_path, save, draw):
    image = draw("temple", 0)
    save(image, tmp_path / "in.png")
    filter(tmp_path / "in.png", tmp_path / "out.png", filters=["median:size=3", "lowpass:radius=20"])
    expected = frequency.lowpass(filters.median(image, size=3), radius=20)
    np.testing.assert_array_equal(pictures.read(tmp_path / "out.png"), expected)


def test_a_folder_is_filtered_into_another_and_stays_as_it_was(tmp_path, album, save, draw):
    photos = album(tmp_path / "photos", kinds=("shapes", "temple"), count=3)
    save(draw("shapes", 7), photos / "shapes" / "a.ppm")
    save(draw("shapes", 8), photos / "shapes" / "a.png")
    (photos / "broken.jpg").write_bytes(b"no picture")
    save(np.zeros((3, 4), np.uint8), photos / "tiny.png")
    before = hashes(photos)
    made = filter(photos, tmp_path / "out", filters=["median:size=5"], figure=tmp_path / "f.png", processes=2)
    assert hashes(photos) == before
    assert made.written == 8
    assert [p.path.rsplit("/", 1)[1] for p in made.problems] == ["broken.jpg", "tiny.png"]
    assert "got a file that begins with b'no pictu'" in made.problems[0].reason
    assert "size must be odd and in 1..3" in made.problems[1].reason
    written = {str(p.relative_to(tmp_path / "out")) for p in (tmp_path / "out").rglob("*.*")}
    assert {"shapes/a.png", "shapes/a.ppm.png", "temple/000.png", "temple/001.jpg"} < written
    ppm = pictures.read(tmp_path / "out" / "shapes" / "a.ppm.png")
    np.testing.assert_array_equal(ppm, filters.median(draw("shapes", 7), size=5))
    assert pictures.read(tmp_path / "f.png").ndim == 3


def test_nothing_is_written_over_unless_told(tmp_path, album):
    photos = album(tmp_path / "photos", kinds=("shapes",), count=2)
    before = hashes(photos)
    one = photos / "shapes" / "000.png"
    filter(photos, tmp_path / "out", filters=["mean:size=3"], processes=1)
    first = hashes(tmp_path / "out")
    for path, out, message in (
        (photos, tmp_path / "out", "OUT must be new, got .*, which is there: --replace writes over it"),
        (one, tmp_path / "out" / "shapes" / "000.png", "OUT must be new"),
        (photos, photos, "OUT must lie outside IN, which is never written to"),
        (photos, photos / "out", "OUT must lie outside IN"),
        (one, one, "OUT must be another file than IN, which is never written to"),
    ):
        for replace in (False, True) if "never" in message else (False,):
            with pytest.raises(InputError, match=message):
                filter(path, out, filters=["mean:size=5"], replace=replace)
    assert (hashes(photos), hashes(tmp_path / "out")) == (before, first)
    filter(photos, tmp_path / "out", filters=["mean:size=5"], replace=True, processes=1)
    assert hashes(tmp_path / "out").keys() == first.keys()
    assert hashes(tmp_path / "out") != first


def test_the_same_bytes_whatever_the_number_of_processes(tmp_path, album):
    photos = album(tmp_path / "photos", kinds=("temple",), count=5)
    for n in (1, 2):
        filter(photos, tmp_path / str(n), filters=["unsharp", "crimmins"], processes=n)
    one, two = (sorted(hashes(tmp_path / str(n)).values()) for n in (1, 2))
    assert one == two


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("blur", "filter must be one of mean, gaussian, .*, got 'blur'"),
        ("", "filter must be one of"),
        ("median", r"median needs size, such as median:size=5, got 'median'"),
        ("mean:size=3,shape=2", "options of mean must be size=…, space=…, got 'shape=2'"),
        ("mean:size", "options of mean must be size=…, space=…, got 'size'"),
        ("mean:size=3,", "options of mean must be size=…, space=…, got ''"),
        ("mean:size=big", "size of mean must be a whole number, got 'big'"),
        ("gaussian:sigma=big", "sigma of gaussian must be a number, got 'big'"),
        ("laplacian:edges_only=maybe", "edges_only of laplacian must be yes or no, got 'maybe'"),
        ("mean:image=3", "options of mean must be"),
        ("mean:size=4", "size must be odd and in"),
        ("mean:size=3,space=cmyk", "space must be one of rgb, hsv, lab"),
    ],
)
def test_an_error_says_what_must_hold(text, message, tmp_path, save, draw):
    save(draw("shapes", 0), tmp_path / "in.png")
    with pytest.raises(InputError, match=message):
        filter(tmp_path / "in.png", tmp_path / "out.png", filters=[text])
    assert not (tmp_path / "out.png").exists()


def test_what_cannot_be_done_is_refused_before_anything_is_read(tmp_path, save, draw):
    save(draw("shapes", 0), tmp_path / "in.png")
    (tmp_path / "empty").mkdir()
    for path, out, options, message in (
        ("none.png", "out.png", {}, "IN must be a picture or a folder of pictures, got nothing at"),
        ("empty", "out", {}, "IN must hold pictures, got an empty folder at"),
        ("in.png", "out.png", {"filters": []}, "--filter must name at least one of"),
        ("in.png", "out.png", {"quality": 0}, r"quality must be in 1\.\.100, got 0"),
        ("in.png", "out.png", {"processes": 0}, "processes must be >= 1, got 0"),
        ("in.png", "out.png", {"figure": tmp_path / "f.jpg"}, "figure must be a .png in a folder that is there"),
        ("in.png", "out.png", {"figure": tmp_path / "in.png"}, "figure must be new, got"),
        ("in.png", "out.gif", {}, "was not filtered: a file must end in"),
    ):
        with pytest.raises(InputError, match=message):
            filter(tmp_path / path, tmp_path / out, **{"filters": ["mean:size=3"], **options})
    assert sorted(p.name for p in tmp_path.iterdir()) == ["empty", "in.png"]


def test_the_command_says_what_it_did(tmp_path, album, assay):
    photos = album(tmp_path / "photos", kinds=("shapes",), count=2)
    done = assay("filter", str(photos), "out", "--filter", "median:size=3", "--filter", "unsharp:percent=80")
    assert done.exit_code == 0, done.stderr
    assert "2 written to out" in done.stdout
    assert "  unsharp:radius=2,percent=80.0,threshold=3,space=rgb" in done.stdout
    again = assay("filter", str(photos), "out", "--filter", "median:size=3")
    assert again.exit_code == 2
    assert "OUT must be new" in again.stderr
    (photos / "broken.jpg").write_bytes(b"no picture")
    some = assay("filter", str(photos), "more", "--filter", "median:size=3", "--json")
    assert some.exit_code == 1
    assert [p["path"] for p in json.loads(some.stdout)["problems"]] == [str(photos / "broken.jpg")]
