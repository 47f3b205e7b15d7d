"""A model labels pictures, one by one or many, and says where it cannot."""

import json
import zipfile

import numpy as np
import pytest

from assay.errors import InputError
from assay.models import saved
from assay.tasks.predict import NONE, decide, predict


def test_every_file_has_one_row_in_the_order_of_names_and_broken_ones_a_reason(finished):
    found = predict(finished.out / "model.assay", [finished.folder], processes=2)
    assert len(found.rows) == sum(finished.result.scan.statuses.values())
    broken = [r for r in found.rows if r.status != "ok"]
    assert {r.file.rpartition("/")[2] for r in broken} == {"empty.jpg", "half.jpg", "huge.png", "start.png", "text.jpg"}
    assert all(r.label == "" and r.probability is None and r.probabilities == () and r.reason for r in broken)
    good = [r for r in found.rows if r.status == "ok"]
    assert all(sum(r.probabilities) == pytest.approx(1) and max(r.probabilities) == r.probability for r in good)
    assert {r.label for r in good} <= {*found.classes, NONE}


def test_one_picture_alone_has_the_answer_it_has_among_many(finished):
    many = {r.file: r for r in predict(finished.out / "model.assay", [finished.folder / "shapes"], processes=1).rows}
    name = str(finished.folder / "shapes" / "001.jpg")
    (alone,) = predict(finished.out / "model.assay", [name], processes=1).rows
    np.testing.assert_allclose(alone.probabilities, many[name].probabilities, atol=1e-6)
    assert alone.label == many[name].label


def test_a_file_named_twice_is_labelled_once(finished):
    path = finished.folder / "shapes" / "001.jpg"
    assert len(predict(finished.out / "model.assay", [path, path, path.parent], processes=1).rows) == 14


def test_known_kinds_are_known(finished, tmp_path, album):
    album(tmp_path / "new", count=6, first=70)
    rows = predict(finished.out / "model.assay", [tmp_path / "new"], processes=2).rows
    right = [r.label == r.file.split("/")[-2] for r in rows if r.label != NONE]
    assert len(right) >= 14
    assert np.mean(right) >= 0.9


def test_a_path_to_nothing_is_refused_before_anything_is_read(finished, tmp_path):
    with pytest.raises(InputError, match="PATH must be a picture or a folder, got nothing at"):
        predict(finished.out / "model.assay", [finished.folder, tmp_path / "gone"])


def test_an_empty_folder_has_no_rows(finished, tmp_path):
    assert predict(finished.out / "model.assay", [tmp_path], processes=1).rows == []


@pytest.mark.parametrize("content", [None, b"", b"no zip", b"PK\x05\x06" + bytes(18)])
def test_what_is_no_model_is_refused(finished, tmp_path, content):
    if content is not None:
        (tmp_path / "m.assay").write_bytes(content)
    with pytest.raises(InputError, match=r"MODEL must be a file that assay wrote, got .*m\.assay"):
        predict(tmp_path / "m.assay", [finished.folder])


def test_a_model_for_another_network_is_refused(finished, tmp_path):
    with zipfile.ZipFile(finished.out / "model.assay") as old, zipfile.ZipFile(tmp_path / "m.assay", "w") as new:
        new.writestr("model.json", json.dumps(json.loads(old.read("model.json")) | {"backbone": "another"}))
        new.writestr("weights.safetensors", old.read("weights.safetensors"))
    with pytest.raises(InputError, match=r"MODEL must be made for .*, got 'another'"):
        predict(tmp_path / "m.assay", [finished.folder])


def test_a_cut_off_decides_also_against_the_likelier_class():
    chances = np.array([[0.9, 0.1], [0.7, 0.3], [0.2, 0.8]])
    card = {"cutoff": {"positive": "bad", "threshold": 0.3}}
    assert decide(chances, card, ("good", "bad")).tolist() == [0, 1, 1]
    assert decide(chances, {}, ("good", "bad")).tolist() == [0, 0, 1]
    assert decide(chances[:, ::-1], card, ("bad", "good")).tolist() == [1, 0, 0]


def test_a_model_with_two_classes_keeps_its_cut_off(album, tmp_path):
    from assay.tasks.run import run

    album(tmp_path / "photos", kinds=("flower", "temple"), count=10)
    options = {"positive": "temple", "specificity": 0.9, "prevalence": 0.02}
    found = run(tmp_path / "photos", out=tmp_path / "w", processes=1, **options)
    cutoff = found.judgement.cutoff
    card = saved.unpack(tmp_path / "w" / "model.assay").card
    assert card["cutoff"]["threshold"] == cutoff.threshold
    assert (card["cutoff"]["positive"], card["prevalence"]) == ("temple", 0.02)
    assert cutoff.rule == "specificity of at least 0.9 out of fold"
    for r in predict(tmp_path / "w" / "model.assay", [tmp_path / "photos"], processes=1).rows:
        likely = "temple" if r.probabilities[1] >= cutoff.threshold else "flower"
        assert r.label in (likely, NONE)
