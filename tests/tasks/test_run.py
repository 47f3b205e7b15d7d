"""A folder goes in; a verdict, a report that is safe to open, a list and a model come out."""

import csv
import html.parser
import io
import os
import shutil

import cv2
import numpy as np
import pytest

from assay.data import folder as folders
from assay.models import saved
from assay.tasks.predict import NONE, predict
from assay.tasks.run import run


class Page(html.parser.HTMLParser):
    """Collects the tags of a page with their attributes, and its text."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.text = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.text.append(data)


@pytest.fixture(scope="module")
def page(finished):
    return (finished.out / "report.html").read_text()


@pytest.fixture(scope="module")
def listed(finished):
    return list(csv.DictReader(io.StringIO((finished.out / "pictures.csv").read_text())))


def test_three_plain_classes_are_learned_and_the_interval_says_how_sure_that_is(finished):
    found = finished.result
    assert found.accuracy.low <= found.accuracy.value <= found.accuracy.high
    assert found.accuracy.value >= 0.9
    assert 0.3 < found.accuracy.low < 0.9  # a dozen pictures prove no more than that
    assert set(found.auc) == {"flower", "shapes", "temple"}
    assert found.judgement.matrix.sum() == found.judgement.sealed.n == len(found.judgement.predictions)
    np.testing.assert_allclose(found.judgement.probabilities.sum(axis=1), 1)
    assert str(int(np.trace(found.judgement.matrix))) in found.headline


def test_every_file_is_counted_once(finished):
    files = [p for p in finished.folder.rglob("*") if p.is_file()]
    assert sum(finished.result.scan.statuses.values()) == finished.result.scan.read == len(files)
    broken = {p.path: p.status for p in finished.result.scan.problems}
    assert broken == {
        "broken/empty.jpg": "refused",
        "broken/half.jpg": "corrupt",
        "broken/huge.png": "refused",
        "broken/start.png": "corrupt",
        "broken/text.jpg": "refused",
    }


def test_the_folder_is_left_as_it_was(finished, again):
    before = {p: (p.stat().st_mtime_ns, p.read_bytes()) for p in again.folder.rglob("*") if p.is_file()}
    run(again.folder, out=again.out, seed=1)
    assert {p: (p.stat().st_mtime_ns, p.read_bytes()) for p in again.folder.rglob("*") if p.is_file()} == before


def test_the_report_runs_nothing_and_fetches_nothing(page):
    tags = Page(page).tags
    assert not {"script", "iframe", "object", "embed", "base", "form"} & {tag for tag, _ in tags}
    for tag, attributes in tags:
        assert not [name for name in attributes if name.startswith("on")], tag
        for name in ("src", "href", "xlink:href", "srcset", "poster", "action", "data"):
            assert (attributes.get(name) or "#").startswith(("#", "data:image/")), (tag, attributes[name])
        assert "url(http" not in (attributes.get("style") or "")
    assert "@import" not in page
    assert "url(http" not in page


def test_names_that_mean_harm_are_text_in_the_report(finished, page):
    assert not [attributes for tag, attributes in Page(page).tags if attributes.get("src") == "x"]
    assert "<img src=x" not in page
    assert not set("\x1b\x00\u202e") & set(page)
    page.encode()  # no lone surrogate is left


def test_the_list_has_one_row_for_every_file(finished, listed):
    paths = sorted(p.path for p in folders.walk(finished.folder).files)
    assert len(listed) == len(paths)
    plain = [os.fsdecode(p) for p in paths if p.isascii() and os.fsdecode(p).isprintable()]
    assert set(plain) <= {row["file"] for row in listed}
    assert {row["status"] for row in listed} == {"ok", "refused", "corrupt"}
    good = [row for row in listed if row["status"] == "ok"]
    assert all(row["predicted"] and row["part"] and row["group"] and row["width"] for row in good)
    assert not [row for row in listed if row["status"] != "ok" and (row["predicted"] or not row["reason"])]


def test_no_cell_of_the_list_is_a_formula_or_holds_a_control_character(finished):
    text = (finished.out / "pictures.csv").read_text()
    for row in csv.reader(io.StringIO(text)):
        for cell in row:
            assert cell.isprintable()
            assert not cell.startswith(("=", "@", "\t")), cell
            assert not cell.startswith(("+", "-")) or float(cell) is not None, cell


def test_copies_are_named_and_stay_on_one_side_of_the_split(finished, listed):
    rows = {row["file"]: row for row in listed}
    same = [rows[f"flower/{name}"] for name in ("001.jpg", "copy.jpg", "again.png")]
    assert len({row["copy_set"] for row in same}) == 1
    assert same[0]["copy_set"]
    assert sorted(row["keep"] for row in same) == ["look", "no", "yes"]
    sets = {}
    for row in listed:
        if row["copy_set"]:
            sets.setdefault(row["copy_set"], set()).add(row["part"])
    assert all(len(parts & {"test"}) == 0 or parts == {"test"} for parts in sets.values())


def test_the_model_says_of_sealed_pictures_what_the_run_said(finished, listed):
    sealed = [row for row in listed if row["part"] == "test" and row["file"].isascii()]
    paths = [finished.folder / row["file"] for row in sealed]
    there = [(row, path) for row, path in zip(sealed, paths, strict=True) if path.exists()]
    found = predict(finished.out / "model.assay", [path for _, path in there], processes=1)
    said = {os.path.relpath(p.file, finished.folder): p for p in found.rows}
    assert len(said) == len(there) > 5
    for row, _ in there:
        one = said[row["file"]]
        assert found.classes[int(np.argmax(one.probabilities))] == row["predicted"]
        assert one.label in (row["predicted"], NONE)


def test_the_model_carries_what_is_needed_to_trust_it(finished):
    card = saved.unpack(finished.out / "model.assay").card
    assert card["sealed"]["accuracy"]["value"] == finished.result.accuracy.value
    assert card["sealed_reads"] == 1
    assert card["seed"] == 0
    assert set(card["splits"].values()) == {"train", "val", "test"}
    assert card["refuses"] == 0.05


def test_a_picture_of_another_kind_is_none_of_these(finished, tmp_path, save):
    # Printed text: no photograph and no coloured shape looks like it.
    for i, words in enumerate(["an area under", "the curve of", "fourteen cats", "is not known", "to anybody yet"]):
        image = np.full((120, 150, 3), 250, np.uint8)
        for line in range(5):
            cv2.putText(image, words[line:], (4, 22 + 22 * line), cv2.FONT_HERSHEY_COMPLEX, 0.5, (20, 20, 20), 1)
        save(image, tmp_path / f"{i}.png")
    labels = [p.label for p in predict(finished.out / "model.assay", [tmp_path], processes=1).rows]
    assert labels.count(NONE) >= 4


def test_a_flat_folder_is_described_and_nothing_is_learned(finished, tmp_path):
    flat = tmp_path / "flat"
    flat.mkdir()
    for path in (finished.folder / "shapes").iterdir():
        shutil.copy(path, flat)
    found = run(flat, out=tmp_path / "w")
    assert (found.model, found.accuracy, found.judgement) == (None, None, None)
    assert not (tmp_path / "w" / "model.assay").exists()
    assert found.headline.startswith("14 pictures")
    assert "With a folder for each class, or --labels FILE.csv" in found.sentences[-1]
    assert (tmp_path / "w" / "report.html").exists()


def test_labels_from_a_table_mean_what_folders_mean(again, tmp_path):
    # The same classes under other names: the same split, and the same sealed figures.
    table = tmp_path / "labels.csv"
    names = {"flower": "1", "shapes": "2", "temple": "3"}
    paths = [os.fsdecode(f.path) for f in folders.walk(again.folder).files]
    lines = [f'"{p}";{names[p.split("/")[0]]}' for p in paths if not p.startswith("broken")]
    table.write_bytes(os.fsencode("\n".join(["file;label", *lines, "gone.jpg;1"])))
    found = run(again.folder, labels=str(table), out=again.out)
    assert found.accuracy == again.result.accuracy
    np.testing.assert_array_equal(found.judgement.matrix, again.result.judgement.matrix)
    assert "1 rows of labels.csv name no picture" in (again.out / "report.html").read_text()
    assert found.scan.read == 0


def test_given_parts_are_kept_and_copies_across_them_leave_training(again, tmp_path):
    root = tmp_path / "parted"
    for kind in ("flower", "shapes"):
        for i, path in enumerate(sorted((again.folder / kind).glob("0*"))):
            to = root / ("val" if i < 4 else "train") / kind
            to.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, to)
    shutil.copy(root / "val" / "flower" / "000.png", root / "train" / "flower" / "leak.png")
    found = run(root, out=tmp_path / "w")
    parts = {r["file"]: r["part"] for r in csv.DictReader(io.StringIO((tmp_path / "w/pictures.csv").read_text()))}
    assert {p for f, p in parts.items() if f.startswith("val/")} == {"test"}
    assert parts["train/flower/leak.png"] == ""
    assert found.judgement.sealed.n == 8
    assert "the sealed part holds copies of them" in (tmp_path / "w" / "report.html").read_text()


def test_classes_that_are_told_by_their_file_format_are_warned_of(tmp_path, draw, save):
    # Both classes show the same; one was saved by another program.
    for i in range(10):
        save(draw("shapes", i), tmp_path / "photos" / "a" / f"{i}.png")
        save(draw("shapes", 50 + i), tmp_path / "photos" / "b" / f"{i}.jpg")
    run(tmp_path / "photos", out=tmp_path / "w")
    assert "file format alone predicts the label" in (tmp_path / "w" / "report.html").read_text()


def test_classes_with_mixed_formats_are_not_warned_of(page):
    assert "alone predicts the label" not in page


def _at_random(again, tmp_path, seeds):
    files = sorted(p for p in again.folder.rglob("[0-9]*") if p.parent.name in ("shapes", "temple"))
    for seed in seeds:
        drawn = np.random.default_rng(seed).permutation(np.arange(len(files)) % 2)
        lines = [f"{p.relative_to(again.folder)},{'ab'[d]}" for p, d in zip(files, drawn, strict=True)]
        (tmp_path / "random.csv").write_text("\n".join(["file,label", *lines]))
        yield run(again.folder, labels=str(tmp_path / "random.csv"), out=again.out)


def test_labels_drawn_at_random_are_not_learned(again, tmp_path):
    found = list(_at_random(again, tmp_path, range(4)))
    assert sum(r.auc["b"] is not None and r.auc["b"].low > 0.5 for r in found) <= 1
    assert any(r.headline.startswith(("Finds", "Not shown")) for r in found)
    assert all("no proof that it has learned anything" in " ".join(r.sentences) for r in found)


@pytest.mark.slow
def test_intervals_of_labels_drawn_at_random_hold_one_half_as_often_as_they_say(again, tmp_path):
    held = [r.auc["b"].low <= 0.5 <= r.auc["b"].high for r in _at_random(again, tmp_path, range(60)) if r.auc["b"]]
    assert len(held) > 40
    assert np.mean(held) >= 0.95 - 3 * np.sqrt(0.05 * 0.95 / len(held))
