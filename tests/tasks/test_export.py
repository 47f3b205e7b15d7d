"""What is exported says what the model says, and nothing is written over or half-way."""

import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest

from assay.data import rows
from assay.data.folder import File
from assay.errors import InputError
from assay.models import abstain, backbone, heads, interchange, saved, tuning
from assay.tasks.export import export
from assay.tasks.predict import NONE, load, look
from assay.workers.clock import Clock

onnx = pytest.importorskip("onnx", reason="writing ONNX needs the extra train")


def test_a_model_comes_out_the_same(finished, tmp_path):
    told = export(finished.result.model, tmp_path / "m.onnx")
    assert told.difference < 1e-3
    data = (tmp_path / "m.onnx").read_bytes()
    assert len(data) == told.bytes
    pictures = np.random.default_rng(5).integers(0, 256, (3, 256, 256, 3), dtype=np.uint8)
    features = backbone.Backbone().see(pictures[:, None]).features
    own, among = load(finished.result.model).head, interchange.run(data, pictures)[0]
    np.testing.assert_allclose(among, own.probabilities(heads.root(features)), atol=1e-3)
    alone = [interchange.run(data, pictures[i : i + 1])[0][0] for i in range(3)]
    np.testing.assert_allclose(alone, among, atol=1e-5)


def test_it_refuses_what_the_model_refuses(finished, tmp_path, save):
    model = finished.result.model
    told = export(model, tmp_path / "m.onnx")
    assert told.refuses == 0.05
    noise = np.random.default_rng(6).integers(0, 256, (6, 90, 70, 3), dtype=np.uint8)
    strangers = [tmp_path / f"{i}.png" for i in range(6)]
    for path, picture in zip(strangers, noise, strict=True):
        save(picture, path)
    files = [File(os.fsencode(p), 0, 0) for p in [*sorted((finished.folder / "shapes").iterdir()), *strangers]]
    clock = Clock({}, tell=lambda _: None)
    looked = look(load(model), files, root=Path(), processes=1, clock=clock, stop=lambda: False)
    labels = {seen.prediction.file: seen.prediction.label for seen in looked}
    views = [rows.examine(file, root=Path(), size=backbone.SIZE, tiles=False).views[0] for file in files]
    strange = interchange.run((tmp_path / "m.onnx").read_bytes(), np.stack(views))[1]
    refused = [labels[os.fsdecode(file.path)] == NONE for file in files]
    assert any(refused)
    assert not all(refused)
    assert (strange > 1).tolist() == refused


@pytest.mark.parametrize("method", ["finetune", "cnn"])
def test_the_rule_looks_at_the_backbone_whatever_network_has_learned(finished, method):
    pytest.importorskip("torch", reason="networks need the extra train")
    rule = load(finished.result.model).novelty
    plan = tuning.Plan(method, **({"layers": "conv 4, pool, dense 6", "size": 32} if method == "cnn" else {}))
    made = tuning.make(plan, classes=2, seed=0)
    model = saved.Model(heads.Head(("a", "b"), *made.last(), 1.0, 1.0), rule, {}, made.tail())
    rough = np.random.default_rng(7).integers(0, 256, (3, 8, 8, 3), dtype=np.uint8)
    pictures = rough.repeat(32, axis=1).repeat(32, axis=2)
    told, strange = interchange.run(interchange.write(model), pictures)
    seen = backbone.Backbone(tail=made.tail()).see(pictures[:, None])
    np.testing.assert_allclose(told, model.head.probabilities(seen.tail), atol=1e-3)
    np.testing.assert_allclose(strange, rule.score(seen.features) / rule.threshold, rtol=0.01)


@pytest.mark.parametrize("d", [1, 24])  # in one dimension there is no direction of spread
def test_strangeness_by_the_reference_of_onnx_is_the_score(d):
    from onnx.reference import ReferenceEvaluator

    rng = np.random.default_rng(1)
    features = rng.normal(1, 0.3, (60, d)).astype(np.float32)
    rule = abstain.fit(features, np.arange(60) % 3, np.arange(60), rng=rng)
    to = interchange._Writer(onnx)
    to.strangeness(rule, "features")
    kinds = onnx.TensorProto.FLOAT
    made = onnx.helper.make_graph(
        to.nodes,
        "rule",
        [onnx.helper.make_tensor_value_info("features", kinds, ["n", d])],
        [onnx.helper.make_tensor_value_info("strangeness", kinds, ["n"])],
        to.arrays,
    )
    file = onnx.helper.make_model(made, opset_imports=[onnx.helper.make_opsetid("", interchange.OPSET)], ir_version=8)
    fresh = np.concatenate([rng.normal(0, 1, (7, d)), np.zeros((1, d))]).astype(np.float32)
    (told,) = ReferenceEvaluator(file).run(None, {"features": fresh})
    np.testing.assert_allclose(told, rule.score(fresh) / rule.threshold, rtol=1e-4)


def test_a_model_without_a_rule_tells_no_strangeness(finished):
    loaded = load(finished.result.model)
    data = interchange.write(saved.Model(loaded.head, None, loaded.card))
    assert [x.name for x in onnx.load_model_from_string(data).graph.output] == ["probabilities"]


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
    assert "strangeness: [n]; above 1 a picture is “none of these”, as 5% of known ones are" in told.stdout


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
