"""Every way of learning goes through the same splits and judging, and what it makes is predicted without torch."""

import dataclasses
import json
import re
import shlex
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import typer
from safetensors.numpy import load, save

from assay.cli import app
from assay.data import rows
from assay.errors import InputError
from assay.models import fitting, tuning
from assay.models.tuning import Plan
from assay.stats.intervals import proportion
from assay.tasks import tuned
from assay.tasks.card import card
from assay.tasks.learn import SETTINGS, learn, plans
from assay.tasks.predict import predict

QUICK = {"epochs": 2, "views": 1, "processes": 2}
SMALL = {"size": 32, "layers": "conv 4, pool, conv 4, pool, dense 8"}  # of a cnn
RIVAL = "cnn:epochs=2,views=1,size=32,layers=conv 4, pool, conv 4, pool, dense 8"


@dataclasses.dataclass
class Taught:
    """A folder, what learning from it returned, and where its workspace is."""

    folder: Path
    out: Path
    result: object


@pytest.fixture(scope="module")
def taught(tmp_path_factory, album, save):
    pytest.importorskip("torch", reason="networks need the extra train")
    top = tmp_path_factory.mktemp("taught")
    folder = album(top / "photos", kinds=("shapes", "temple"), count=14)
    save(np.zeros((64, 64, 3), np.uint8), folder / "lonely" / "one.png")  # a class of one picture
    result = learn(folder, method="finetune", compare=(RIVAL,), out=top / "w", **QUICK)
    return Taught(folder, top / "w", result)


def arrays(model):
    with zipfile.ZipFile(model) as archive:
        return load(archive.read("weights.safetensors"))


def card_of(model):
    with zipfile.ZipFile(model) as archive:
        return json.loads(archive.read("model.json"))


def test_each_method_is_compared_on_the_pictures_that_none_has_seen(taught):
    found = taught.result
    pairs = [(c.first, c.second) for c in found.contests]
    assert (found.method, pairs) == ("finetune", [("finetune", "cnn"), ("finetune", "head")])
    for c in found.contests:
        assert c.pictures == found.judgement.sealed.n
        assert c.accuracy.value == pytest.approx(c.first_accuracy.value - c.second_accuracy.value)
        assert c.accuracy.low <= c.accuracy.value <= c.accuracy.high
        assert c.accuracy.high - c.accuracy.low > 0.1  # a handful of pictures leaves doubt, whatever they say
        assert c.words in found.sentences
        assert c.better in {None, c.first, c.second}
    assert found.judgement.reads == 3  # three models were judged on the sealed part
    assert "Which way of learning is better?" in Path(found.report).read_text()


def test_a_class_of_one_picture_is_named_and_left_out(taught):
    assert card(taught.result.model).classes == ("shapes", "temple")
    said = "class &#x27;lonely&#x27; is left out: 3 different pictures are needed, got 1"
    assert said in Path(taught.result.report).read_text()


def test_the_file_says_of_the_sealed_pictures_what_was_judged(taught):
    model, said = taught.result.model, card(taught.result.model)
    with zipfile.ZipFile(model) as archive:
        assert archive.namelist() == ["model.json", "weights.safetensors"]  # steps and plain arrays, nothing that runs
    assert set(card_of(model)["splits"].values()) == {"train", "val", "test"}
    rows = {r.file: r for r in predict(model, [taught.folder]).rows}
    head, *lines = (line.split(",") for line in Path(taught.result.table).read_text().splitlines())
    sealed = {r[0]: r[head.index("predicted")] for r in lines if r[head.index("part")] == "test"}
    assert len(sealed) == said.sealed_pictures
    told = [said.classes[int(np.argmax(rows[str(taught.folder / name)].probabilities))] for name in sealed]
    assert told == list(sealed.values())


@pytest.mark.parametrize("method", ["finetune", "cnn"])
def test_a_network_is_predicted_without_torch(taught, tmp_path, method):
    model = taught.result.model
    if method == "cnn":
        model = learn(
            taught.folder, method="cnn", out=shutil.copytree(taught.out, tmp_path / "w"), **QUICK, **SMALL
        ).model
    code = (
        "import json, sys; sys.modules['torch'] = None; sys.modules['onnx'] = None\n"
        "from assay.tasks.predict import predict\n"
        f"rows = predict({model!r}, [{str(taught.folder / 'temple')!r}], processes=1).rows\n"
        "print(json.dumps([r.probabilities for r in rows]))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    with_torch = [list(r.probabilities) for r in predict(model, [taught.folder / "temple"], processes=1).rows]
    assert json.loads(run.stdout) == with_torch


def test_the_same_again_reads_and_teaches_nothing(taught, monkeypatch):
    before = Path(taught.result.model).read_bytes()
    monkeypatch.setattr(fitting, "fit", lambda *_, **__: pytest.fail("taught again"))
    monkeypatch.setattr(rows, "read", lambda *_, **__: pytest.fail("read again"))
    learn(taught.folder, method="finetune", compare=(RIVAL,), out=taught.out, **QUICK)
    assert Path(taught.result.model).read_bytes() == before


# Two epochs of one batch, without each of five folds and on all: it is asked twelve times.
@pytest.mark.parametrize("asked", [7, *(pytest.param(n, marks=pytest.mark.slow) for n in (0, 4, 10))])
def test_a_stopped_training_goes_on_to_the_same_model(taught, tmp_path, asked):
    questions = iter(range(1_000_000))
    out = shutil.copytree(taught.out, tmp_path / "w")
    for path in (out / "steps").glob("finetune-*"):
        path.unlink()  # what was read and seen is there, nothing is taught
    with pytest.raises(KeyboardInterrupt):
        learn(taught.folder, out=out, stop=lambda: next(questions) >= asked, **QUICK)
    one, other = (arrays(x) for x in (learn(taught.folder, out=out, **QUICK).model, taught.result.model))
    assert one.keys() == other.keys()
    assert [name for name in one if (one[name] != other[name]).any()] == []
    assert not list((out / "steps").glob("training-*"))


def test_pictures_that_change_while_a_network_learns_are_left_out_by_name(taught, tmp_path, draw, save):
    folder = shutil.copytree(taught.folder, tmp_path / "photos")
    done = []

    def tell(text):
        if text.startswith("frozen layers") and not done:
            done.append(text)
            save(draw("temple", 77), folder / "temple" / "001.jpg")
            (folder / "shapes" / "002.jpg").unlink()

    found = learn(folder, method="cnn", out=tmp_path / "w", tell=tell, **QUICK, **SMALL)
    assert "shapes/002.jpg, temple/001.jpg were left out: they changed, or went" in Path(found.report).read_text()
    assert len(card_of(found.model)["splits"]) == 26


def test_none_of_these_is_the_same_rule_whatever_learned(taught, tmp_path):
    head = learn(taught.folder, method="head", out=shutil.copytree(taught.out, tmp_path / "w"), processes=2)
    one, other = (arrays(x.model) for x in (head, taught.result))
    names = [name for name in one if name.startswith("novelty.")]
    assert names
    assert all((one[name] == other[name]).all() for name in names)
    assert card(taught.result.model).refuses == 0.05


@pytest.mark.parametrize("method", ["head", "finetune", "cnn"])
def test_the_card_and_the_report_say_how_many_known_pictures_are_refused(taught, tmp_path, assay, method):
    options = {"head": {}, "finetune": {**QUICK, "epochs": 1}, "cnn": {**QUICK, **SMALL, "epochs": 1}}[method]
    found = learn(taught.folder, method=method, out=shutil.copytree(taught.out, tmp_path / "w"), **options)
    head, *lines = (line.split(",") for line in Path(found.table).read_text().splitlines())
    sealed = [taught.folder / r[0] for r in lines if r[head.index("part")] == "test"]
    refused = [row.label == "none of these" for row in predict(found.model, sealed).rows]
    told = card(found.model).refused
    assert told == found.judgement.refused == proportion(sum(refused), len(refused))
    line = (
        f"is to be said of 5% of pictures of known kinds; of the sealed ones it was of {told.value:.3f}  {told.low:.3f}"
    )
    assert line in assay("describe", found.model).stdout
    assert "Refused as “none of these” (aim: 0.05)" in Path(found.report).read_text()


def test_without_torch_nothing_is_begun(tmp_path, album, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    folder = album(tmp_path / "photos", kinds=("shapes", "temple"), count=2)
    with pytest.raises(InputError, match=r"networks need torch, which is not installed: pip install 'assay\[train\]'"):
        learn(folder, out=tmp_path / "w")
    assert not (tmp_path / "w").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"method": "magic"}, "--method and --compare must be one of head, finetune, cnn, got 'magic'"),
        ({"compare": ("magic",)}, "--method and --compare must be one of"),
        ({"compare": ("cnn:epoch=3",)}, "options of cnn must be layers=…, size=…, epochs=….*, got 'epoch=3'"),
        ({"compare": ("cnn:unfreeze=4",)}, "options of cnn must be .*, got 'unfreeze=4'"),
        ({"compare": ("cnn:epochs",)}, "options of cnn must be .*, got 'epochs'"),
        ({"compare": ("cnn:epochs=many",)}, "epochs of cnn must be a whole number, got 'many'"),
        ({"compare": ("cnn:epochs=3,epochs=4",)}, "epochs of cnn must be given once"),
        ({"compare": ("cnn:epochs=0",)}, "--epochs must be >= 1, got 0"),
        ({"compare": ("cnn", "cnn:size=32")}, "must name each method once, got cnn twice"),
        ({"compare": ("head:epochs=3",)}, "options of head must be none, got 'epochs=3'"),
        ({"size": 32}, "options of --method finetune must be --backbone, .*, got --size.*as in --compare cnn:size=32"),
        ({"method": "head", "mixup": 0.0}, "options of --method head must be none, got --mixup"),
        ({"schedule": "steps"}, "--schedule must be one of constant, cosine, got 'steps'"),
        ({"optimizer": "lion"}, "--optimizer must be one of adam, rmsprop, sgd, got 'lion'"),
        ({"batch_size": 1}, "--batch-size must be >= 2, got 1"),
        ({"weight_decay": -1.0}, "--weight-decay must be a finite number >= 0, got -1.0"),
        ({"learning_rate": float("nan")}, "--learning-rate must be a finite number > 0, got nan"),
        ({"patience": 0}, "--patience must be >= 1, got 0"),
        ({"class_weights": "equal"}, "--class-weights must be one of none, balanced, got 'equal'"),
        ({"labels": "none"}, "--labels must be folders or a CSV file"),
        ({"unfreeze": "0"}, "--unfreeze 0 needs --head"),
        ({"method": "cnn", "size": 50}, "--size must be one of"),
    ],
)
def test_what_cannot_be_learned_is_said_before_anything_is_read(tmp_path, album, options, words):
    folder = album(tmp_path / "photos", kinds=("shapes",), count=1)
    with pytest.raises(InputError, match=words):
        learn(folder, out=tmp_path / "w", **options)
    assert not (tmp_path / "w").exists()


def test_a_rival_learns_by_its_own_defaults_but_for_what_is_said_of_it():
    mine = {"epochs": 3, "learning_rate": 5e-5, "optimizer": "sgd", "schedule": "constant"}
    found = plans("finetune", mine, ["cnn:size=32,learning-rate=2e-3,layers=conv 8, pool, dense 8"])
    assert found["finetune"] == Plan("finetune", **mine)
    own = {"size": 32, "learning_rate": 2e-3, "layers": "conv 8, pool, dense 8"}
    assert found["cnn"] == Plan("cnn", epochs=40, **own)
    other = plans("cnn", {}, ["finetune:unfreeze=4", "head"])
    assert list(other) == ["cnn", "finetune", "head"]
    assert other["finetune"] == Plan("finetune", unfreeze=4)
    assert other["head"] is None


def test_the_recipe_of_the_tutorial_is_one_line():
    line = (
        "--unfreeze 4 --head 1024 --dropout .5 --optimizer rmsprop --learning-rate 1e-4 --schedule constant --epochs 5 "
        "--mixup 0 --weight-decay 0"
    )
    context = typer.main.get_command(app).commands["learn"].make_context("learn", ["photos", *shlex.split(line)])
    said = {name: context.params[name] for name in SETTINGS["finetune"] if context.params[name] is not None}
    plan = plans("finetune", said, [])["finetune"]
    assert (plan.unfreeze, plan.head, plan.dropout, plan.epochs, plan.batch_size) == (4, 1024, 0.5, 5, 32)
    assert (plan.optimizer, plan.learning_rate, plan.schedule) == ("rmsprop", 1e-4, "constant")
    assert (plan.mixup, plan.weight_decay, plan.class_weights, plan.patience) == (0.0, 0.0, "none", None)


@pytest.mark.parametrize("method", ["finetune", "cnn"])
def test_the_help_says_by_which_defaults_a_method_learns(method):
    plan = plans(method, {}, [])[method]
    told = {p.name: p.help for p in typer.main.get_command(app).commands["learn"].params if hasattr(p, "help")}
    for name in SETTINGS[method]:
        default = str(getattr(plan, name)).lower()
        assert re.search(rf"{re.escape(default)}( for {method}\b.*)? by default", told[name]), (name, default)


def test_pictures_that_say_when_to_stop_are_not_learned_from_and_judge_nothing(taught, tmp_path, monkeypatch):
    folder, calls = shutil.copytree(taught.folder, tmp_path / "photos"), []
    for path in sorted((folder / "temple").iterdir())[:4]:  # copies, which belong together
        shutil.copy(path, path.with_stem(f"{path.stem} again"))
    teach = tuning.teach

    def watched(made, train, plan, *, val, **hooks):
        calls.append((list(train.sha256), list(val.sha256)))
        return teach(made, train, plan, val=val, **hooks)

    monkeypatch.setattr(tuning, "teach", watched)
    found = learn(folder, patience=1, out=tmp_path / "w", **QUICK)
    parts = card_of(found.model)["splits"]
    development = {key for key, part in parts.items() if part != "test"}
    assert len(calls) == 6  # without each of five folds, and on all
    for train, val in calls:
        assert not set(train) & set(val)  # a copy has the hash of its original
        assert set(train) | set(val) <= development
        assert 0.1 < len(val) / (len(train) + len(val)) < 0.35
    assert set(calls[-1][0]) | set(calls[-1][1]) == development
    judged = [development - set(train) - set(val) for train, val in calls[:-1]]
    assert sorted(key for fold in judged for key in fold) == sorted(development)


def test_trunks_of_plans_that_are_not_used_any_more_go_and_those_in_use_stay(taught, tmp_path, monkeypatch):
    out = shutil.copytree(taught.out, tmp_path / "w")
    before = set((out / "trunks").iterdir())
    again = learn(taught.folder, compare=(RIVAL,), out=out, **QUICK)
    assert set((out / "trunks").iterdir()) == before  # there is room
    assert again.trunk_bytes == sum(path.stat().st_size for path in (out / "trunks").rglob("*.safetensors"))
    assert f"{again.trunk_bytes / 1e6:,.1f} MB in trunks/" in Path(again.report).read_text()
    monkeypatch.setattr(tuned, "ROOM", 0)
    alone = learn(taught.folder, out=out, **QUICK)
    left = set((out / "trunks").iterdir())
    assert left < before  # of the network from nothing nothing is left
    assert arrays(alone.model).keys() == arrays(taught.result.model).keys()
    monkeypatch.setattr(rows, "read", lambda *_, **__: pytest.fail("read again"))
    learn(taught.folder, out=out, **QUICK)
    assert set((out / "trunks").iterdir()) == left


def test_a_folder_of_one_class_is_nothing_to_learn_from(tmp_path, album):
    folder = album(tmp_path / "photos", kinds=("shapes",), count=4)
    with pytest.raises(InputError, match=r"PATH must hold pictures to learn from.*needs 2 classes"):
        learn(folder, method="head", out=tmp_path / "w", processes=1)


def changed(model, path, of_card=lambda c: c, of_arrays=lambda a: a):
    """A model file that somebody has tampered with."""
    with zipfile.ZipFile(path, "w") as new:
        new.writestr("model.json", json.dumps(of_card(card_of(model))))
        new.writestr("weights.safetensors", save(of_arrays(arrays(model))))
    return path


def _elsewhere(said):
    """Let the tail begin at another step of the backbone, with the shape of its own."""
    steps = [{**s, "inputs": ["block 3" if x == "block 14" else x for x in s["inputs"]]} for s in said["tail"]["steps"]]
    return said | {"tail": {"inputs": {"block 3": [192, 8, 8]}, "steps": steps}}


def _narrowed(values, *names):
    return values | {name: np.ascontiguousarray(values[name].T[:7].T) for name in names}


HOSTILE = {
    "the tail of another backbone": (
        _elsewhere,
        lambda a: a,
        "must begin with the picture or a step of efficientnet-lite0",
    ),
    "weights of another network": (
        lambda c: c,
        lambda a: {k: np.ascontiguousarray(v[:, :5]) if v.ndim == 4 and v.shape[1] > 5 else v for k, v in a.items()},
        "must fit what goes in",
    ),
    "a head of another width": (
        lambda c: c,
        lambda a: _narrowed(a, "head.weight"),
        "the head must fit what the network gives",
    ),
    "another rule": (
        lambda c: c,
        lambda a: _narrowed(a, "novelty.centres") | {"novelty.basis": np.ascontiguousarray(a["novelty.basis"][:7])},
        "MODEL must refuse by 1280 features",
    ),
    "a step that is none": (
        lambda c: c | {"tail": c["tail"] | {"steps": [{"name": "x", "op": "eval", "inputs": ["block 14"]}]}},
        lambda a: a,
        "a step must be one of",
    ),
}


@pytest.mark.parametrize(("of_card", "of_arrays", "words"), HOSTILE.values(), ids=HOSTILE)
def test_a_network_that_lies_is_refused(taught, tmp_path, of_card, of_arrays, words):
    path = changed(taught.result.model, tmp_path / "bad.assay", of_card, of_arrays)
    with pytest.raises(InputError, match=words):
        predict(path, [taught.folder])


def test_the_card_tells_what_is_in_the_file(taught):
    said = card(taught.result.model)
    assert said.method == "finetune"
    assert said.learned.startswith("lite0, all but the last block frozen")
    assert said.figures["accuracy"] == taught.result.accuracy
    assert said.contests == tuple(c.words for c in taught.result.contests)
    assert sum(said.parts.values()) == 28
    assert said.made["network"].endswith("from block 14 on")


@pytest.mark.parametrize("bad", [None, 3, [], "x", {"value": "high"}, {"accuracy": {"value": 1e999}}])
def test_a_card_of_nonsense_is_told_as_far_as_it_goes(finished, tmp_path, bad):
    names = ("sealed", "cross_validation", "contests", "versions", "splits", "sealed_reads", "views", "learned")
    path = changed(finished.result.model, tmp_path / "odd.assay", lambda c: c | dict.fromkeys(names, bad))
    said = card(path)
    assert (said.figures, said.contests) == ({}, ())


def test_the_command_says_which_is_better_and_the_card_is_printed(taught, assay):
    options = [f"--{name}={value}" for name, value in QUICK.items()]
    told = assay("learn", taught.folder, "--out", taught.out, "--compare", RIVAL, *options)
    assert told.exit_code == 0
    assert all(c.words in told.stdout for c in taught.result.contests)
    printed = assay("describe", taught.result.model)
    assert printed.exit_code == 0
    assert "finetune: lite0, all but the last block frozen" in printed.stdout
    assert json.loads(assay("describe", taught.result.model, "--json").stdout)["classes"] == ["shapes", "temple"]


def test_how_far_a_network_goes_from_its_line_is_chosen_by_the_other_folds():
    rng = np.random.default_rng(0)
    label, folds = np.repeat([0, 1, 0], 20), np.arange(60) % 5
    good = np.where(np.eye(2)[label] > 0, 2.0, 0.0) + rng.normal(0, 0.5, (60, 2))
    bad = rng.normal(0, 1, (60, 2))
    said = np.stack([bad, good, bad]).astype(np.float32)
    share, logits = tuned._far(said, label, folds, np.arange(60))
    assert share == 1
    np.testing.assert_array_equal(logits, said[1])
    said[0, folds == 2], said[1, folds == 2] = good[folds == 2], bad[folds == 2]
    share, logits = tuned._far(said, label, folds, np.arange(60))
    assert share == 1
    np.testing.assert_array_equal(logits[folds == 2], said[1, folds == 2])  # though another would be right there
