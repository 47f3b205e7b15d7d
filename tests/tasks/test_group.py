"""Group: what a person asks of a folder is answered, kept beside it, and never done to it."""

import csv
import dataclasses
import hashlib
import json

import numpy as np
import pytest

from assay.errors import InputError
from assay.models import backbone
from assay.report import record
from assay.tasks.group import group


def contents(folder):
    return {
        p.relative_to(folder): (hashlib.sha256(p.read_bytes()).hexdigest(), p.stat().st_mtime_ns)
        for p in folder.rglob("*")
        if p.is_file()
    }


@pytest.fixture(scope="module")
def photos(tmp_path_factory, album):
    return album(tmp_path_factory.mktemp("group") / "photos", kinds=("shapes", "temple"), count=9)


@pytest.fixture(scope="module")
def space(photos):
    return photos.parent / "photos.assay"


@pytest.fixture(scope="module")
def found(photos, space):
    return group(photos, out=space, processes=1)


def rows(space):
    with (space / "groups.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_kinds_that_differ_are_found_and_agree_with_the_folders(found):
    assert [g.count for g in found.groups] == [9, 9]
    assert {g.label for g in found.groups} == {"shapes", "temple"}
    assert all(g.example.startswith(f"{g.label}/") for g in found.groups)
    assert set(found.agreement) == {
        "adjusted Rand index",
        "normalized mutual information",
        "accuracy of the best match",
    }
    for e in found.agreement.values():
        assert e.low < e.value == e.high == 1
    assert found.headline == "18 pictures in 2 groups."
    assert found.best == 2


def test_table_page_and_figures_say_the_same(photos, space, found):
    group(photos, out=space, processes=1)
    listed = rows(space)
    assert len(listed) == 18
    assert [sum(r["group"] == str(g + 1) for r in listed) for g in range(2)] == [9, 9]
    assert all(r["label"] == r["label_of_group"] for r in listed)
    assert all(float(r["distance"]) >= 0 for r in listed)
    text = (space / "groups.html").read_text()
    assert found.headline in text
    assert text.count("Farthest from its middle") == 0  # nine fit into the first row
    assert "src=http" not in text
    for name in ("silhouettes.png", "elbow.png", "map.jpg"):
        assert (space / name).stat().st_size > 1000


def test_the_same_seed_gives_the_same_answer(photos, space, found):
    again = group(photos, out=space, processes=1)
    same = [dataclasses.replace(x, seconds=0.0) for x in (found, again)]
    assert record.as_json(same[0]) == record.as_json(same[1])


@pytest.mark.parametrize("method", ["hierarchical", "dbscan", "hdbscan", "meanshift"])
def test_every_method_answers(photos, space, method):
    told = group(photos, out=space, method=method, processes=1)
    assert sum(g.count for g in told.groups) + told.ungrouped == told.pictures == len(rows(space)) == 18
    assert json.loads(record.as_json(told))["method"] == method


def test_nothing_dense_is_an_answer(tmp_path, album):
    photos = album(tmp_path / "few", kinds=("temple",), count=4)
    told = group(photos, method="dbscan", out=tmp_path / "out", processes=1)
    assert told.headline == "No groups among 4 pictures: nowhere do enough of them lie close together."
    assert (told.groups, told.ungrouped, told.silhouette) == ([], 4, None)


def test_colours_group_what_the_network_would_not(tmp_path, save, monkeypatch):
    rng = np.random.default_rng(0)
    for i in range(16):
        grey = rng.integers(60, 200, (40 + i, 52, 1))
        tint = np.array([1, 0.3, 0.2] if i % 2 else [0.2, 0.4, 1])
        save((grey * tint).astype(np.uint8), tmp_path / "photos" / ("red" if i % 2 else "blue") / f"{i}.png")
    with monkeypatch.context() as without:
        without.setattr(backbone, "Backbone", None)  # colours need no network
        told = group(tmp_path / "photos", features="hsv", k=2, out=tmp_path / "out", processes=1)
    assert told.agreement["accuracy of the best match"].value == 1
    assert [g.name for g in told.groups] == ["group 1", "group 2"]
    assert group(tmp_path / "photos", k=2, out=tmp_path / "out", processes=1).pictures == 16  # and it sees them later


def test_twenty_kinds_are_found_without_being_told_how_many(tmp_path, save):
    rng = np.random.default_rng(0)
    for kind in range(20):
        colours = np.array([(kind % 5, kind // 5, (kind * 7) % 4)]) * np.array([50, 60, 70]) + 20
        for i in range(8):
            noise = rng.integers(-6, 7, (48 + i, 40, 1))
            save(np.clip(colours + noise, 0, 255).astype(np.uint8), tmp_path / "photos" / f"{kind:02d}" / f"{i}.png")
    told = group(tmp_path / "photos", features="hsv", out=tmp_path / "out", processes=1)
    assert len(told.groups) == 20
    assert told.agreement["adjusted Rand index"].value == 1


def test_one_kind_is_said_to_be_one(photos, space):
    told = group(photos, out=space, k=1, processes=1)
    assert (told.headline, told.silhouette, told.worth) == ("18 pictures make one group.", None, "none")
    assert told.notes[0] == "The algorithm sees one kind of picture, and nothing to part it by."
    assert set(told.agreement.values()) == {None}


@pytest.mark.parametrize("link", [False, True])
def test_pictures_go_into_a_folder_per_group_and_the_originals_stay(photos, space, tmp_path, link):
    before = contents(photos)
    told = group(photos, out=space, into=tmp_path / "sorted", link=link, processes=1)
    made = [p for p in (tmp_path / "sorted").rglob("*.*") if p.is_file()]
    assert len(made) == 18
    assert all(p.is_symlink() is link for p in made)
    for p in made:
        original = photos / p.relative_to(tmp_path / "sorted" / p.relative_to(tmp_path / "sorted").parts[0])
        assert p.read_bytes() == original.read_bytes()
    assert len(list((tmp_path / "sorted").iterdir())) == len(told.groups)
    assert contents(photos) == before
    with pytest.raises(InputError, match="--into must be a new or empty folder"):
        group(photos, out=space, into=tmp_path / "sorted", processes=1)


def test_three_pictures_are_one_group(tmp_path, album):
    photos = album(tmp_path / "photos", kinds=("temple",), count=3)
    told = group(photos, out=tmp_path / "out", processes=1)
    assert told.headline == "3 pictures make one group."
    assert told.worth == "unknown"
    assert told.agreement == {}


def test_labels_from_a_table_and_from_nowhere(photos, space, tmp_path):
    files = sorted(p.relative_to(photos) for p in photos.rglob("*.*"))
    table = tmp_path / "labels.csv"
    table.write_text("\n".join(["file,label", *(f"{p},{'odd' if i % 2 else 'even'}" for i, p in enumerate(files))]))
    told = group(photos, out=space, labels=str(table), processes=1)
    assert told.agreement["adjusted Rand index"].value < 0.3
    assert group(photos, out=space, labels="none", processes=1).agreement == {}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "magic"}, "method must be one of kmeans, hierarchical, dbscan, hdbscan, meanshift, got 'magic'"),
        ({"features": "smell"}, "features must be one of network, hsv, got 'smell'"),
        ({"k": 19}, "k must be <= 18, the number of files"),
        ({"k": 0}, "k must be >= 1, got 0"),
        ({"k": 3, "method": "hdbscan"}, "k must be left out, because hdbscan finds the number of groups itself"),
        ({"link": True}, "--link needs --into"),
        ({"seed": -1}, "seed must be >= 0, got -1"),
        ({"labels": "nowhere.csv"}, "--labels must be folders, none or a CSV file, got 'nowhere.csv'"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is_read(photos, tmp_path, options, message):
    with pytest.raises(InputError, match=message):
        group(photos, out=tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


def test_into_the_folder_itself_and_one_picture_are_refused(photos, tmp_path, album):
    with pytest.raises(InputError, match="must lie outside the folder of pictures"):
        group(photos, out=tmp_path / "out", into=photos / "sorted")
    one = album(tmp_path / "one", kinds=("temple",), count=1)
    with pytest.raises(InputError, match="grouping needs 2 pictures, got 1"):
        group(one, out=tmp_path / "other", processes=1)


def test_the_command_says_what_the_task_found(assay, photos, space):
    told = assay("group", photos, "--out", space, "--processes", "1")
    assert told.exit_code == 0, told.stderr
    assert told.stdout.startswith("18 pictures in 2 groups.\n")
    assert assay("group", photos, "--method", "magic").exit_code == 2
