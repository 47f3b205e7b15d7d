"""Augment writes what it says, of training pictures alone, and every file can be made again from its row."""

import csv
import json
import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from assay.data import folder, pictures, variants
from assay.errors import InputError
from assay.pixels import augment as changes
from assay.pixels.recipes import RECIPES, Recipe
from assay.tasks import augment as task
from assay.tasks.augment import augment
from assay.workers import local

QUICK = {"processes": 1}


def drawn(seed, *, grey=False):
    rng = np.random.default_rng(seed)
    height, width = rng.integers(12, 30, 2)
    return rng.integers(0, 256, (height, width) if grey else (height, width, 3), np.uint8)


def fill(place, names):
    for i, name in enumerate(names):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        pictures.write(place / name, drawn(i, grey=i % 5 == 0))
    return place


def rows(made):
    with Path(made.table).open(newline="") as file:
        return list(csv.DictReader(file))


def content(place):
    return {str(p.relative_to(place)): p.read_bytes() for p in place.rglob("*") if p.is_file()}


@pytest.fixture
def in_process(monkeypatch):
    """Work without processes, and keep what was asked of them."""
    orders = []

    def run(function, items, **_):
        for item in items:
            orders.append(item)
            yield [(item, function(item))]

    monkeypatch.setattr(task.local, "run", run)
    return orders


def test_289_pictures_of_both_kinds_become_2000(tmp_path):
    names = [f"{'ab'[i % 2]}/{i}{('.png', '.jpg')[i % 3 == 0]}" for i in range(289)]
    fill(tmp_path / "in", names)
    made = augment(tmp_path / "in", tmp_path / "out", count=2000, recipe="seven", processes=2)
    table = rows(made)
    assert len(table) == 2000
    assert (made.sources, sum(made.written.values()), made.problems) == (289, 2000, [])
    assert set(Counter(r["source"] for r in table).values()) == {6, 7}
    assert sorted(int(r["index"]) for r in table) == list(range(2000))
    files = [os.fsdecode(f.path) for f in folder.walk(tmp_path / "out").files]
    assert sorted(files) == sorted(r["file"] for r in table)  # and what lies beside them is passed over
    for row in table[::50]:
        source, result = (pictures.read(tmp_path / d / row[k]) for d, k in (("in", "source"), ("out", "file")))
        assert result.shape == source.shape
        assert row["file"].startswith(row["label"] + "/")
        assert row["transforms"]


def test_the_number_of_processes_does_not_change_a_byte(tmp_path):
    fill(tmp_path / "in", [f"{i}.png" for i in range(20)])
    for n in (1, 3):
        augment(tmp_path / "in", tmp_path / f"out{n}", count=90, processes=n)
    assert content(tmp_path / "out1") == content(tmp_path / "out3")
    augment(tmp_path / "in", tmp_path / "other", count=90, seed=1, processes=3)
    same = content(tmp_path / "out1").keys() & content(tmp_path / "other").keys()
    assert not any((tmp_path / "out1" / n).read_bytes() == (tmp_path / "other" / n).read_bytes() for n in same)


def test_every_file_can_be_made_again_from_its_row(tmp_path, in_process):
    fill(tmp_path / "in", [f"{i}.png" for i in range(7)])
    made = augment(tmp_path / "in", tmp_path / "out", count=30, recipe="seven", seed=5)
    for row in rows(made):
        rng = changes.generator(seed=int(row["seed"]), index=int(row["index"]))
        again = changes.vary(pictures.read(tmp_path / "in" / row["source"]), recipe=RECIPES["seven"], rng=rng)
        np.testing.assert_array_equal(pictures.read(tmp_path / "out" / row["file"]), again)


def test_val_and_test_are_never_touched_nor_their_copies_in_train(tmp_path, in_process):
    names = [f"{part}/{kind}/{i}.png" for part in ("train", "val", "test") for kind in "ab" for i in range(3)]
    fill(tmp_path / "in", names)
    (tmp_path / "in/train/a/copy.png").write_bytes((tmp_path / "in/test/a/1.png").read_bytes())
    made = augment(tmp_path / "in", tmp_path / "out", count=40)
    touched = {o.source for o in in_process if isinstance(o, variants.Order)}
    assert touched == {n.encode() for n in names if n.startswith("train")}
    assert made.left_out == {"val": 6, "test": 6, "copy of one in val or test": 1}
    assert made.notes == []
    assert {r["file"].split("/")[0] for r in rows(made)} == {"train"}
    assert made.written.keys() == {"a", "b"}


def test_of_a_workspace_only_what_trained_is_used(tmp_path, finished, in_process):
    made = augment(finished.folder, tmp_path / "out", count=60, split=finished.out)
    part = json.loads((finished.out / "splits.json").read_text())["0"]
    used = {o.source for o in in_process if isinstance(o, variants.Order)}
    files = [f for f in folder.walk(finished.folder).files if f.path in used]
    found = {variants.digest(f, root=finished.folder) for f in files}
    assert found == {content for content, p in part.items() if p == "train"}
    assert {"val", "test", "not in the split"} == made.left_out.keys()
    with pytest.raises(InputError, match=r"split must be a workspace in which a run has split pictures, got .*new"):
        augment(finished.folder, tmp_path / "o", count=60, split=tmp_path / "new")


def test_a_split_of_several_seeds_must_be_named(tmp_path, in_process):
    fill(tmp_path / "in", ["a/1.png", "a/2.png"])
    files = folder.walk(tmp_path / "in").files
    one, two = (variants.digest(f, root=tmp_path / "in") for f in files)
    (tmp_path / "w").mkdir()
    (tmp_path / "w/splits.json").write_text(json.dumps({"1": {one: "train", two: "test"}, "2": {two: "train"}}))
    made = augment(tmp_path / "in", tmp_path / "out", count=3, split=tmp_path / "w", seed=2)
    assert {r["source"] for r in rows(made)} == {"a/2.png"}
    with pytest.raises(InputError, match=r"seed must be that of a split, got 0 where there are 1, 2 in "):
        augment(tmp_path / "in", tmp_path / "o", count=3, split=tmp_path / "w")


def test_where_no_split_is_known_a_note_says_what_that_means(tmp_path, in_process):
    made = augment(fill(tmp_path / "in", ["1.png", "2.png"]), tmp_path / "out", count=3)
    assert made.notes == [
        "no split is known, so every picture is used: split first, or what is made here leaks into the test"
    ]
    assert made.written == {"": 3}


UNEVEN = [*(f"ant/{i}.png" for i in range(9)), *(f"bee/{i}.png" for i in range(4)), "cat/1.png"]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"count": 20, "per_class": True}, {"ant": 20, "bee": 20, "cat": 20}),
        ({"count": 13, "balance": True}, {"bee": 5, "cat": 8}),  # 9 of each
        ({"count": 21, "balance": True}, {"ant": 3, "bee": 8, "cat": 10}),  # 12, 12 and 11
    ],
)
def test_classes_get_what_is_asked_for(tmp_path, in_process, options, expected):
    made = augment(fill(tmp_path / "in", UNEVEN), tmp_path / "out", **options)
    assert made.written == expected
    for label in expected:
        uses = Counter(r["source"] for r in rows(made) if r["label"] == label)
        assert max(uses.values()) - min(uses.values()) <= 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"count": 13}, r"count must be >= 14, so that every picture is used, got 13"),
        ({"count": 8, "per_class": True}, r"count must be >= 9, as 'ant' has pictures to use, got 8"),
        ({"count": 12, "balance": True}, r"count must be >= 13, what it takes to even out .*, got 12"),
        ({"count": 99, "balance": True, "per_class": True}, "per_class and balance exclude each other"),
        ({"count": 0}, "count and processes must be >= 1 and seed >= 0, got 0"),
        ({"count": 99, "processes": 0}, "count and processes must be >= 1 and seed >= 0, got 99, 0 and 0"),
        ({"count": 99, "seed": -1}, "seed >= 0, got 99, 1 and -1"),
        ({"count": 99, "format": "gif"}, "format must be one of same, jpg, png, quality 1 to 100, got 'gif'"),
        ({"count": 99, "quality": 0}, "quality 1 to 100, got 'same', 0"),
        ({"count": 99, "recipe": "spicy"}, "recipe must be gentle, seven or a JSON file, got 'spicy'"),
        ({"count": 99, "recipe": {"rotate": 3}}, "a recipe must be made of .* got 'rotate'"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is_written(tmp_path, options, message):
    fill(tmp_path / "in", UNEVEN)
    with pytest.raises(InputError, match=message):
        augment(tmp_path / "in", tmp_path / "out", **{**QUICK, **options})
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("names", [["1.png", "ant/1.png"], ["ant/1.png", "ant/2.png"]])
def test_shares_of_classes_need_classes(tmp_path, names):
    fill(tmp_path / "in", names)
    with pytest.raises(InputError, match="need each picture in a folder of its class"):
        augment(tmp_path / "in", tmp_path / "out", count=9, balance=True)


def test_a_bad_file_is_named_and_the_count_is_reached_all_the_same(tmp_path):
    fill(tmp_path / "in", ["a/1.png", "a/2.png"])
    (tmp_path / "in/a/half.png").write_bytes((tmp_path / "in/a/1.png").read_bytes()[:60])
    (tmp_path / "in/a/text.jpg").write_text("no picture")
    made = augment(tmp_path / "in", tmp_path / "out", count=50, **QUICK)
    assert {p.path: p.status for p in made.problems} == {"a/half.png": "corrupt", "a/text.jpg": "refused"}
    assert len(rows(made)) == 50
    assert Counter(r["source"] for r in rows(made)).keys() == {"a/1.png", "a/2.png"}


def test_a_folder_without_one_good_picture_is_refused(tmp_path, in_process):
    (tmp_path / "in").mkdir()
    with pytest.raises(InputError, match="IN must hold pictures, got no file in it"):
        augment(tmp_path / "in", tmp_path / "out", count=5)
    (tmp_path / "in" / "a.jpg").write_text("no picture")
    with pytest.raises(InputError, match="there must be a picture that can be read, got none of 1: a picture must be"):
        augment(tmp_path / "in", tmp_path / "out", count=5)


def test_a_stopped_command_goes_on_and_another_is_refused(tmp_path):
    fill(tmp_path / "in", [f"{i}.png" for i in range(80)])
    augment(tmp_path / "in", tmp_path / "whole", count=400, **QUICK)

    def stop():
        return len(list((tmp_path / "out").glob("*.png"))) > 20 if (tmp_path / "out").exists() else False

    with pytest.raises(KeyboardInterrupt):
        augment(tmp_path / "in", tmp_path / "out", count=400, stop=stop, **QUICK)
    stopped = content(tmp_path / "out")
    assert 20 < len(stopped) < 300  # the note, and what was under way
    with pytest.raises(InputError, match="OUT must be new, empty or begun by the same command"):
        augment(tmp_path / "in", tmp_path / "out", count=401, **QUICK)
    augment(tmp_path / "in", tmp_path / "out", count=400, **QUICK)
    assert content(tmp_path / "out") == content(tmp_path / "whole")


def test_out_may_not_be_used_for_something_else_nor_lie_in_the_folder(tmp_path):
    fill(tmp_path / "in", ["1.png"])
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    with pytest.raises(InputError, match=r"OUT must be new, empty or begun by the same command, got .*mine"):
        augment(tmp_path / "in", tmp_path / "mine", count=5, **QUICK)
    for out in (tmp_path / "in", tmp_path / "in" / "more", tmp_path):
        with pytest.raises(InputError, match="OUT must lie outside of IN"):
            augment(tmp_path / "in", out, count=5, **QUICK)
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="OUT must be"):
        augment(tmp_path / "in", tmp_path / "file" / "out", count=5, **QUICK)


def test_a_disk_that_cannot_be_written_ends_in_a_sentence(tmp_path, in_process, monkeypatch):
    def full(path, image, **_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pictures, "write", full)
    with pytest.raises(InputError, match=r"OUT must be writable, with room on its disk, got .*No space left"):
        augment(fill_one(tmp_path), tmp_path / "out", count=5)


def fill_one(tmp_path):
    (tmp_path / "in").mkdir()
    Image.fromarray(drawn(3)).save(tmp_path / "in" / "1.png")
    return tmp_path / "in"


def test_turned_and_deep_pictures_come_out_upright_and_deep(tmp_path, in_process):
    (tmp_path / "in").mkdir()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.zeros((20, 31, 3), np.uint8)).save(tmp_path / "in" / "turned.jpg", exif=exif)
    pictures.write(tmp_path / "in" / "deep.png", np.linspace(0.2, 0.7, 15 * 22, dtype=np.float32).reshape(15, 22))
    made = augment(tmp_path / "in", tmp_path / "out", count=4, recipe=Recipe(horizontal_flip=1))
    found = {r["source"]: pictures.read(tmp_path / "out" / r["file"]) for r in rows(made)}
    assert found["turned.jpg"].shape == (31, 20, 3)
    assert found["deep.png"].dtype == np.float32
    assert len(np.unique(found["deep.png"])) == 15 * 22


def test_names_that_mean_harm_end_as_plain_ones(tmp_path, in_process):
    (tmp_path / "in").mkdir()
    image = fill(tmp_path / "x", ["1.png"]) / "1.png"
    for name in (b"new\nline.png", b"no\xffutf8.png", b"=cmd().png", b"...png", b"a" * 250 + b".png"):
        (tmp_path / "in" / os.fsdecode(name)).write_bytes(image.read_bytes())
    made = augment(tmp_path / "in", tmp_path / "out", count=5)
    assert len(rows(made)) == 5
    for row in rows(made):
        assert row["file"].isascii()
        assert row["file"].isprintable()
        assert pictures.read(tmp_path / "out" / row["file"]).ndim in {2, 3}


@pytest.mark.parametrize("kind", ["jpg", "png"])
def test_a_format_that_is_asked_for_is_given(tmp_path, in_process, kind):
    fill(tmp_path / "in", ["1.png", "2.jpg", "3.bmp"])
    made = augment(tmp_path / "in", tmp_path / "out", count=6, format=kind)
    assert {r["file"].rpartition(".")[2] for r in rows(made)} == {kind}


def test_a_worker_that_dies_costs_its_picture_alone(tmp_path, monkeypatch):
    fill(tmp_path / "in", ["1.png", "2.png"])

    def run(function, items, **_):
        for item in items:
            lost = item.source == b"1.png"
            yield [(item, local.Failure("timeout", "took longer than 60 s") if lost else function(item))]

    monkeypatch.setattr(task.local, "run", run)
    made = augment(tmp_path / "in", tmp_path / "out", count=6)
    assert [(p.path, p.status) for p in made.problems] == [("1.png", "timeout")]
    assert {r["source"] for r in rows(made)} == {"2.png"}


def test_the_preview_shows_sources_and_what_became_of_them(tmp_path, in_process):
    made = augment(fill(tmp_path / "in", ["1.png", "2.png"]), tmp_path / "out", count=9)
    wall = pictures.read(made.preview)
    assert wall.shape[1] > wall.shape[0]  # 2 rows of 1 and 5


def test_json_prints_a_recipe_that_can_be_used_again(assay, tmp_path):
    fill(tmp_path / "in", ["a/1.png", "b/2.png"])
    (tmp_path / "recipe.json").write_text('{"rotation_range": [5, 9], "horizontal_flip": true}')
    first = assay("augment", tmp_path / "in", "one", "--count", "6", "--recipe", "recipe.json", "--json")
    assert first.exit_code == 0
    assert json.loads(first.stdout)["recipe"]["rotation_range"] == [5, 9, 1]
    (tmp_path / "printed.json").write_text(first.stdout)
    for again in ("printed.json", "one/recipe.json"):
        out = f"as-{again.replace('/', '-')}"
        result = assay("augment", tmp_path / "in", out, "--count", "6", "--recipe", again)
        assert result.stdout.startswith("6 pictures from 2 in ")
        assert (tmp_path / "one/a").is_dir()
        assert content(tmp_path / "one") | {"recipe.json": b""} == content(tmp_path / out) | {"recipe.json": b""}


def test_broken_files_end_with_status_1_and_bad_input_with_2(assay, tmp_path):
    fill(tmp_path / "in", ["1.png"])
    (tmp_path / "in" / "half.png").write_bytes((tmp_path / "in" / "1.png").read_bytes()[:60])
    result = assay("augment", tmp_path / "in", "out", "--count", "6")
    assert result.exit_code == 1
    assert "  corrupt  half.png: " in result.stdout
    assert assay("augment", tmp_path / "in", "o", "--count", "1").exit_code == 2
