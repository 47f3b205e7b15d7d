"""Rating from ratings to a page: what damage does is learned, what is wrong is named, and each model has its verb."""

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from assay.errors import InputError, UndefinedError
from assay.models.damage import Damage
from assay.tasks import rate, rating_training
from assay.tasks.card import card
from assay.tasks.predict import load

DAMAGES = (Damage(), Damage(blur=3), Damage(gaussian=40))


@pytest.fixture(scope="module")
def rated(tmp_path_factory, draw, save):
    """Twenty scenes in three states, votes of ten people each, and a model that has learned from them."""
    top, rng = tmp_path_factory.mktemp("rate"), np.random.default_rng(0)
    rows = [["file", *range(1, 6), "group"]]
    for scene in range(20):
        image = cv2.resize(draw(("flower", "temple")[scene % 2], scene), (150, 130), interpolation=cv2.INTER_CUBIC)
        for i, damage in enumerate(DAMAGES):
            name = f"{scene:02d}-{i}.png"
            save(damage.apply(image, rng=rng), top / "photos" / name)
            given = np.clip(np.rint((4.5, 2.5, 1.5)[i] + rng.normal(0, 0.7, 10)), 1, 5).astype(int)
            rows.append([name, *np.bincount(given - 1, minlength=5), scene])
    (top / "photos" / "07-1.png").write_bytes((top / "photos" / "07-1.png").read_bytes()[:300])
    rows += [["lost.png", 1, 1, 1, 1, 1, 99], ["empty.png", 0, 0, 0, 0, 0, 99]]
    with (top / "ratings.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    return top, rating_training.train(top / "photos", top / "ratings.csv", out=top / "out", processes=1)


def test_what_damage_does_is_learned_on_scenes_never_seen(rated):
    figures = rated[1].figures
    assert figures.pictures == 59
    assert figures.groups <= 20
    assert figures.srcc.value > 0.7
    assert figures.srcc.low < figures.srcc.value < figures.srcc.high
    assert figures.emd.value < figures.emd_guess
    assert figures.ceiling.best.value > figures.ceiling.halves.value


def test_what_is_wrong_is_named(rated):
    learned = rated[1]
    assert [(p.path, p.reason) for p in learned.missing] == [("lost.png", "no such picture")]
    assert [(p.path, p.reason) for p in learned.wrong] == [("empty.png", "nobody voted")]
    assert [p.path for p in learned.broken] == ["07-1.png"]


def test_learning_again_gives_the_same_model_without_looking_again(rated, tmp_path):
    top, learned = rated
    shutil.copytree(top / "out", tmp_path / "out")
    again = rating_training.train(top / "photos", top / "ratings.csv", out=tmp_path / "out", processes=1)
    assert again.figures == learned.figures
    shards = list((tmp_path / "out" / "seen").rglob("*.safetensors"))
    assert len(shards) == len(list((top / "out" / "seen").rglob("*.safetensors")))


def test_a_folder_is_rated_from_worst_to_best(rated, tmp_path):
    top, learned = rated
    found = rate.rate(top / "photos", model=learned.model, out=tmp_path / "rated", processes=1)
    good = [row for row in found.rows if row.status == "ok"]
    means = [row.mean for row in good]
    assert means == sorted(means)
    assert np.mean([r.mean for r in good if r.file.endswith("-0.png")]) > 3.5
    assert np.mean([r.mean for r in good if r.file.endswith("-2.png")]) < 2.5
    for row in good:
        assert sum(row.shares) == pytest.approx(1)
        assert row.mean == pytest.approx(np.dot(row.shares, found.scale))
    assert [row.file for row in found.rows if row.status != "ok"] == ["07-1.png"]
    assert "<h2>From worst to best</h2>" in (tmp_path / "rated" / "report.html").read_text()
    assert cv2.imread(str(tmp_path / "rated" / "sheet.png")) is not None


def test_predict_names_the_verb_that_rates(rated, finished, tmp_path):
    with pytest.raises(InputError, match="rate pictures with `assay rate FOLDER"):
        load(rated[1].model)
    with pytest.raises(InputError, match="label pictures with `assay predict"):
        rate.rate(rated[0] / "photos", model=finished.out / "model.assay", out=tmp_path / "x")


def test_of_each_part_of_the_scale_so_many_are_learned_from_and_all_are_judged(rated, tmp_path):
    top, learned = rated
    shutil.copytree(top / "out", tmp_path / "out")
    fewer = rating_training.train(top / "photos", top / "ratings.csv", out=tmp_path / "out", most=5, processes=1)
    assert fewer.figures.pictures == learned.figures.pictures
    assert Path(fewer.model).read_bytes() != Path(learned.model).read_bytes()
    assert fewer.figures.srcc.value > 0.6
    with pytest.raises(InputError, match="--most must be >= 1, got 0"):
        rating_training.train(top / "photos", top / "ratings.csv", out=tmp_path / "out", most=0)


@pytest.fixture(scope="module")
def tuned(rated, tmp_path_factory):
    """Return the same folder, and a network that has learned from it in two phases."""
    pytest.importorskip("torch", reason="the extra train is not installed")
    out, heard = tmp_path_factory.mktemp("tuned") / "out", []
    shutil.copytree(rated[0] / "out" / "seen", out / "seen")
    learned = rating_training.train(
        rated[0] / "photos", rated[0] / "ratings.csv", out=out, method="finetune", epochs=(12, 1),
        learning_rate=(1e-2, 1e-4), views=1, processes=1, listen=lambda *lesson: heard.append(lesson),
    )  # fmt: skip
    return learned, heard


def test_a_network_is_judged_on_the_same_folds_as_the_head(rated, tuned):
    learned, heard = tuned
    assert learned.head == rated[1].figures
    assert learned.figures.srcc.value > 0.5
    contest = learned.contest
    assert contest.srcc.value == pytest.approx(learned.figures.srcc.value - learned.head.srcc.value)
    assert contest.words in learned.sentences
    assert list(dict.fromkeys(name for name, _ in heard)) == [
        *(f"without fold {i} of 5" for i in range(1, 6)), "on all"
    ]  # fmt: skip
    losses = [(x.phase, x.epoch.number, x.epoch.train_loss, x.epoch.val_loss) for n, x in heard if n == "on all"]
    assert [(x.phase, x.epoch.number, x.epoch.train_loss, x.epoch.val_loss) for x in learned.lessons] == losses
    assert "<h2>Two phases</h2>" in Path(learned.report).read_text()


def test_a_network_rates_without_torch_as_it_did_with_it(rated, tuned, tmp_path):
    code = (
        "import json, sys\n"
        "from assay.tasks.rate import rate\n"
        "assert 'torch' not in sys.modules\n"
        "sys.modules['torch'] = None\n"
        "found = rate(sys.argv[1], model=sys.argv[2], out=sys.argv[3], processes=1)\n"
        "print(json.dumps([[r.file, r.mean] for r in found.rows if r.status == 'ok']))"
    )
    photos, model = rated[0] / "photos", tuned[0].model
    command = [sys.executable, "-c", code, photos, model, tmp_path / "a"]
    alone = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    found = [(r.file, r.mean) for r in rate.rate(photos, model=model, out=tmp_path / "b", processes=1).rows]
    assert [tuple(row) for row in alone] == found[: len(alone)]
    means = dict(found)
    ends = [np.mean([means[f"{i:02d}-{state}.png"] for i in range(20)]) for state in (0, 2)]
    assert ends[0] > ends[1] + 0.3
    said = card(model)
    assert said.looks_at.startswith("finetune: lite0, all but the last block frozen; 12 epochs of the last layer")
    assert said.contest == tuned[0].contest.words
    assert "weights, from block 14 on" in said.made["network"]


@pytest.mark.slow
def test_a_killed_network_goes_on_where_it_stopped(rated, tuned, tmp_path):
    out, heard = tmp_path / "out", []
    shutil.copytree(Path(tuned[0].model).parent, out, ignore=shutil.ignore_patterns("taught"))
    options = {
        "out": out,
        "method": "finetune",
        "epochs": (12, 1),
        "learning_rate": (1e-2, 1e-4),
        "views": 1,
        "processes": 1,
    }

    def stop():
        return len({name for name, _ in heard}) > 2

    photos, labels = rated[0] / "photos", rated[0] / "ratings.csv"
    with pytest.raises(KeyboardInterrupt):
        rating_training.train(photos, labels, **options, listen=lambda *lesson: heard.append(lesson), stop=stop)
    heard.clear()
    again = rating_training.train(photos, labels, **options, listen=lambda *lesson: heard.append(lesson))
    assert next(iter(heard))[0] == "without fold 3 of 5"
    assert again.figures == tuned[0].figures
    assert Path(again.model).read_bytes() == Path(tuned[0].model).read_bytes()


@pytest.mark.slow
def test_all_layers_may_learn_and_the_ends_count_for_more(rated, tmp_path):
    pytest.importorskip("torch", reason="the extra train is not installed")
    lines = [f"{i:02d}-{i % 3}.png,{5 - i % 3},{i}" for i in range(15) if i != 7]
    (tmp_path / "few.csv").write_text("\n".join(["file,rating,group", *lines]))
    learned = rating_training.train(
        rated[0] / "photos", tmp_path / "few.csv", out=tmp_path / "out", scale=(1, 5), method="finetune",
        unfreeze="all", epochs=(1, 1), views=0, most=3, processes=1,
    )  # fmt: skip
    assert learned.learned.startswith("lite0, nothing frozen")
    assert "from image on" in card(learned.model).made["network"]
    found = rate.rate(rated[0] / "photos", model=learned.model, out=tmp_path / "rated", processes=1)
    assert sum(row.status == "ok" for row in found.rows) == 59


def test_what_cannot_be_taught_is_said_before_a_picture_is_read(rated, tmp_path, monkeypatch):
    photos, labels, out = rated[0] / "photos", rated[0] / "ratings.csv", tmp_path / "out"
    with pytest.raises(InputError, match="--method must be one of head, finetune, got 'cnn'"):
        rating_training.train(photos, labels, out=out, method="cnn")
    with pytest.raises(InputError, match="--epochs must be those of two phases"):
        rating_training.train(photos, labels, out=out, method="finetune", epochs=(0, 0))
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(InputError, match=r"networks need torch, which is not installed: pip install 'assay\[train\]'"):
        rating_training.train(photos, labels, out=out, method="finetune")
    assert not list(out.iterdir())


def test_its_card_says_what_it_rates_and_how_well(rated):
    said = card(rated[1].model)
    assert said.scale == (1, 2, 3, 4, 5)
    assert said.pictures == 59
    assert said.figures["srcc"] == rated[1].figures.srcc


def test_few_pictures_and_strange_names_are_refused(rated, tmp_path):
    photos = rated[0] / "photos"
    (tmp_path / "few.csv").write_text("file,rating\n00-0.png,5\n00-1.png,1\n")
    with pytest.raises(UndefinedError, match="needs 10 different pictures"):
        rating_training.train(photos, tmp_path / "few.csv", out=tmp_path / "a", processes=1)
    (tmp_path / "none.csv").write_text("file,rating\nx.png,5\n")
    with pytest.raises(InputError, match=r"must name pictures of .*, got none among its 1, such as 'x.png'"):
        rating_training.train(photos, tmp_path / "none.csv", out=tmp_path / "b", processes=1)


def test_the_command_line_wants_one_of_both(rated, assay, tmp_path):
    result = assay("rate", str(rated[0] / "photos"))
    assert result.exit_code == 2
    assert "--model MODEL must be given" in result.stderr
    model, out = rated[1].model, str(tmp_path / "cli")
    result = assay("rate", str(rated[0] / "photos"), "--model", model, "--out", out, "--processes", "1", "--json")
    assert result.exit_code == 1  # one file is broken
    assert len(json.loads(result.stdout)["rows"]) == 60
    result = assay("rate", str(rated[0] / "photos"), "--train", str(rated[0] / "ratings.csv"), "--epochs", "5")
    assert result.exit_code == 2
    assert "--epochs must be two numbers with a comma between them, got '5'" in " ".join(result.stderr.split())
