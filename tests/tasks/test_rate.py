"""Rating from ratings to a page: what damage does is learned, what is wrong is named, and each model has its verb."""

import csv
import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from assay.errors import InputError, UndefinedError
from assay.models.damage import Damage
from assay.tasks import rate
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
    return top, rate.train(top / "photos", top / "ratings.csv", out=top / "out", processes=1)


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
    again = rate.train(top / "photos", top / "ratings.csv", out=tmp_path / "out", processes=1)
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
    fewer = rate.train(top / "photos", top / "ratings.csv", out=tmp_path / "out", most=5, processes=1)
    assert fewer.figures.pictures == learned.figures.pictures
    assert Path(fewer.model).read_bytes() != Path(learned.model).read_bytes()
    assert fewer.figures.srcc.value > 0.6
    with pytest.raises(InputError, match="--most must be >= 1, got 0"):
        rate.train(top / "photos", top / "ratings.csv", out=tmp_path / "out", most=0)


def test_its_card_says_what_it_rates_and_how_well(rated):
    said = card(rated[1].model)
    assert said.scale == (1, 2, 3, 4, 5)
    assert said.pictures == 59
    assert said.figures["srcc"] == rated[1].figures.srcc


def test_few_pictures_and_strange_names_are_refused(rated, tmp_path):
    photos = rated[0] / "photos"
    (tmp_path / "few.csv").write_text("file,rating\n00-0.png,5\n00-1.png,1\n")
    with pytest.raises(UndefinedError, match="needs 10 different pictures"):
        rate.train(photos, tmp_path / "few.csv", out=tmp_path / "a", processes=1)
    (tmp_path / "none.csv").write_text("file,rating\nx.png,5\n")
    with pytest.raises(InputError, match=r"must name pictures of .*, got none among its 1, such as 'x.png'"):
        rate.train(photos, tmp_path / "none.csv", out=tmp_path / "b", processes=1)


def test_the_command_line_wants_one_of_both(rated, assay, tmp_path):
    result = assay("rate", str(rated[0] / "photos"))
    assert result.exit_code == 2
    assert "--model MODEL must be given" in result.stderr
    model, out = rated[1].model, str(tmp_path / "cli")
    result = assay("rate", str(rated[0] / "photos"), "--model", model, "--out", out, "--processes", "1", "--json")
    assert result.exit_code == 1  # one file is broken
    assert len(json.loads(result.stdout)["rows"]) == 60
