"""Looking into a model agrees with what the model predicts, and says what it cannot do."""

import shutil

import cv2
import numpy as np
import pytest
from PIL import Image

from assay.errors import InputError
from assay.models import saved
from assay.tasks.look import look
from assay.tasks.predict import predict

pytest.importorskip("torch", reason="the extra train is not installed")


@pytest.fixture(scope="module")
def looked(finished, tmp_path_factory):
    picture = finished.folder / "temple" / "003.png"
    return picture, look(finished.out / "model.assay", picture, cover=128, out=tmp_path_factory.mktemp("looked"))


def test_it_says_what_the_model_predicts(finished, looked):
    picture, found = looked
    (row,) = predict(finished.out / "model.assay", [picture], processes=1).rows
    classes = saved.unpack(finished.out / "model.assay").head.classes
    expected = dict(zip(classes, row.probabilities, strict=True))
    assert found.probabilities == pytest.approx(expected, abs=0.01)
    assert found.label == max(expected, key=expected.get)
    assert found.explained == found.label
    assert list(found.probabilities.values()) == sorted(found.probabilities.values(), reverse=True)


def test_every_figure_is_a_picture_and_every_layer_is_listed(looked):
    _, found = looked
    assert [path.rsplit("/", 1)[-1] for path in found.written] == ["answer.png", "maps.png", "kernels.png", "dense.png"]
    for path in found.written:
        assert np.asarray(Image.open(path).convert("L")).std() > 5
    assert (found.layers[0].name, found.layers[-1].maps) == ("stem", 1280)
    assert found.cover == 128
    assert -1 <= found.fall <= 1


def test_a_class_can_be_asked_for_and_only_one_that_there_is(finished, looked, tmp_path):
    picture, _ = looked
    found = look(finished.out / "model.assay", picture, label="flower", cover=256, out=tmp_path / "out")
    assert found.explained == "flower"
    with pytest.raises(InputError, match=r"--label must be one of .*flower.*, got 'dog'"):
        look(finished.out / "model.assay", picture, label="dog", out=tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_what_is_no_picture_or_no_model_is_refused(finished, looked, tmp_path):
    picture, _ = looked
    with pytest.raises(InputError, match="PICTURE must be a file that can be read"):
        look("imagenet", tmp_path / "none.jpg")
    with pytest.raises(InputError, match="PICTURE must be one that assay reads"):
        look("imagenet", finished.folder / "broken" / "text.jpg")
    with pytest.raises(InputError, match="MODEL must be a file that assay wrote"):
        look(picture, picture)


def test_the_command_writes_beside_nothing_of_the_users(assay, tmp_path, looked):
    picture, _ = looked
    shutil.copy(picture, tmp_path / "photo.png")
    result = assay("look", "imagenet", "photo.png", "--cover", "256")
    assert result.exit_code == 0, result.stderr
    assert "stem: 32 maps of 128 x 128" in result.stdout
    assert sorted(p.name for p in (tmp_path / "photo.looked").iterdir()) == [
        "answer.png",
        "dense.png",
        "kernels.png",
        "maps.png",
    ]
    assert cv2.imread("photo.looked/answer.png") is not None


def test_without_torch_it_says_how_to_get_it(monkeypatch, looked, assay):
    monkeypatch.setitem(__import__("sys").modules, "torch", None)
    result = assay("look", "imagenet", looked[0])
    assert result.exit_code == 2
    assert "pip install 'assay[train]'" in result.stderr
