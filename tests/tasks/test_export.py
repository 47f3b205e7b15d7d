"""What is exported says what the model says, and nothing is written over or half-way."""

import json
import sys

import numpy as np
import pytest

from assay.errors import InputError
from assay.models import backbone, heads, interchange, saved
from assay.tasks.export import export
from assay.tasks.predict import load

onnx = pytest.importorskip("onnx", reason="writing ONNX needs the extra train")


def test_a_model_comes_out_the_same(finished, tmp_path):
    told = export(finished.result.model, tmp_path / "m.onnx")
    assert told.difference < 1e-3
    data = (tmp_path / "m.onnx").read_bytes()
    assert len(data) == told.bytes
    pictures = np.random.default_rng(5).integers(0, 256, (3, 256, 256, 3), dtype=np.uint8)
    features = backbone.Backbone().see(pictures[:, None]).features
    own, among = load(finished.result.model).head, interchange.run(data, pictures)
    np.testing.assert_allclose(among, own.probabilities(heads.root(features)), atol=1e-3)
    alone = [interchange.run(data, pictures[i : i + 1])[0] for i in range(3)]
    np.testing.assert_allclose(alone, among, atol=1e-5)


def test_the_file_is_valid_and_names_its_classes(finished, tmp_path):
    export(finished.result.model, tmp_path / "m.onnx")
    file = onnx.load(tmp_path / "m.onnx")
    onnx.checker.check_model(file, full_check=True)
    said = {p.key: json.loads(p.value) for p in file.metadata_props}
    assert said["classes"] == ["flower", "shapes", "temple"]
    assert said["backbone"] == backbone.identity()
    assert not [t for t in file.graph.initializer if t.external_data]  # one file, that needs no other


def test_nothing_is_written_over_unless_asked(finished, tmp_path, assay):
    (tmp_path / "m.onnx").write_text("mine")
    with pytest.raises(InputError, match="OUT must be a new file"):
        export(finished.result.model, tmp_path / "m.onnx")
    assert (tmp_path / "m.onnx").read_text() == "mine"
    told = assay("export", finished.result.model, tmp_path / "m.onnx", "--replace")
    assert told.exit_code == 0
    assert "probabilities: [n, 3], of flower, shapes, temple" in told.stdout


@pytest.mark.parametrize("name", ["m.txt", "m", "nowhere/m.onnx"])
def test_a_place_that_is_not_allowed_is_named(finished, tmp_path, name):
    with pytest.raises(InputError, match=r"OUT must end in \.onnx, in a folder that is there"):
        export(finished.result.model, tmp_path / name)


def test_stopped_it_writes_nothing(finished, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        export(finished.result.model, tmp_path / "m.onnx", stop=lambda: True)
    assert not (tmp_path / "m.onnx").exists()


def test_a_model_of_tiles_cannot_be_exported(finished):
    loaded = load(finished.result.model)
    with pytest.raises(InputError, match="MODEL must look at whole pictures"):
        interchange.write(saved.Model(loaded.head, None, {"views": "tiles"}))


def test_without_onnx_the_line_that_installs_it_is_given(finished, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(InputError, match=r"pip install 'assay\[train\]'"):
        export(finished.result.model, tmp_path / "m.onnx")
