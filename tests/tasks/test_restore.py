"""Restore, from files to files: what is written, what is said, and what is refused."""

import numpy as np
import pytest
from skimage import data

from assay.data import pictures
from assay.errors import InputError
from assay.models.damage import Damage
from assay.models.restorer import Restorer
from assay.pixels import fidelity
from assay.tasks.restore import restore, train


@pytest.fixture(scope="module")
def clean():
    return np.ascontiguousarray(data.coffee()[60:220, 100:340])


@pytest.fixture
def noisy(clean, tmp_path):
    damaged = Damage(impulses=0.05, gaussian=12).apply(clean, rng=np.random.default_rng(0))
    pictures.write(tmp_path / "noisy.png", damaged)
    return tmp_path / "noisy.png"


@pytest.fixture
def folder(clean, tmp_path):
    top = tmp_path / "photos"
    (top / "more").mkdir(parents=True)
    for i, damage in enumerate((Damage(gaussian=20), Damage(impulses=0.08))):
        pictures.write(top / "more" / f"{i}.png", damage.apply(clean, rng=np.random.default_rng(i)))
    pictures.write(top / "clean.png", clean)
    pictures.write(top / "tiny.png", clean[:1, :1].copy())
    (top / "broken.png").write_bytes((top / "clean.png").read_bytes()[:300])
    return top


def test_one_picture(noisy, clean, tmp_path):
    before = noisy.read_bytes()
    result = restore(noisy, tmp_path / "better.png", figure=tmp_path / "both.png", processes=1)
    image = pictures.read(tmp_path / "better.png")
    assert fidelity.psnr(image, clean) > fidelity.psnr(pictures.read(noisy), clean) + 3
    (row,) = result.rows
    assert row.words.endswith(f"stop: predicted SSIM {row.before:.2f} -> {row.after:.2f}")
    assert result.headline[1:] == row.words[1:]
    assert pictures.read(tmp_path / "both.png").shape[1] > 600
    assert noisy.read_bytes() == before


def test_a_folder(folder, tmp_path):
    said = []
    result = restore(folder, tmp_path / "better", processes=2, tell=said.append)
    assert [r.file for r in result.rows] == ["broken.png", "clean.png", "more/0.png", "more/1.png", "tiny.png"]
    assert [r.status for r in result.rows] == ["corrupt", "ok", "ok", "ok", "refused"]
    assert result.headline == "2 of 5 restored, 1 left alone; 2 are no pictures"
    assert sorted(str(p.relative_to(tmp_path / "better")) for p in (tmp_path / "better").rglob("*.png")) == [
        "clean.png",
        "more/0.png",
        "more/1.png",
    ]
    np.testing.assert_array_equal(pictures.read(tmp_path / "better" / "clean.png"), pictures.read(folder / "clean.png"))
    assert "24 x 24" in result.rows[-1].reason
    assert sum(result.chains.values()) == 3
    assert any("restoring" in text for text in said)


def test_16_bits_stay_16_bits(clean, tmp_path):
    deep = clean.astype(np.float32) / 255
    deep = (deep + np.random.default_rng(0).normal(0, 0.08, deep.shape)).clip(0, 1).astype(np.float32)
    pictures.write(tmp_path / "deep.png", deep)
    restore(tmp_path / "deep.png", tmp_path / "better.png", processes=1)
    assert pictures.read(tmp_path / "better.png").dtype == np.float32


def test_what_was_trained_is_used(clean, folder, tmp_path):
    top = tmp_path / "clean"
    top.mkdir()
    pictures.write(top / "a.png", clean)
    pictures.write(top / "small.png", clean[:64].copy())
    said = []
    made = train(top, tmp_path / "mine.safetensors", episodes=3, seed=3, tell=said.append)
    assert (made.pictures, made.episodes, made.left_out) == (1, 3, 1)
    assert Restorer.load(made.model).notes == {"episodes": 3, "pictures": 1, "seed": 3}
    assert any("trying filters" in text for text in said)
    assert restore(folder, tmp_path / "better", model=made.model, processes=1).rows[1].status == "ok"


@pytest.mark.parametrize("out", ["noisy.png", "noisy.gif", "."])
def test_one_picture_goes_to_another_file(noisy, tmp_path, out):
    with pytest.raises(InputError, match="OUT must"):
        restore(noisy, tmp_path / out)


@pytest.mark.parametrize("out", ["photos", "photos/better", "noisy.png"])
def test_a_folder_goes_to_a_folder_outside(folder, noisy, tmp_path, out):
    with pytest.raises(InputError, match="OUT must be a folder outside IN"):
        restore(folder, tmp_path / out)


def test_a_place_that_cannot_be_written_is_named(folder, tmp_path):
    (tmp_path / "better").mkdir()
    (tmp_path / "better" / "more").write_text("a file where a folder should be")
    with pytest.raises(InputError, match="OUT must be a place that can be written to"):
        restore(folder, tmp_path / "better", processes=1)


def test_what_is_no_picture_is_named(tmp_path):
    (tmp_path / "x.png").write_text("no picture")
    with pytest.raises(InputError, match="IN must be a picture, got"):
        restore(tmp_path / "x.png", tmp_path / "y.png")
    with pytest.raises(InputError, match="got nothing at"):
        restore(tmp_path / "none.png", tmp_path / "y.png")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="IN must hold pictures, got no file"):
        restore(tmp_path / "empty", tmp_path / "y")


def test_a_restorer_that_is_none_is_named_before_anything_is_done(noisy, tmp_path):
    (tmp_path / "bad.safetensors").write_bytes(b"no")
    with pytest.raises(InputError, match="must be a file that assay wrote"):
        restore(noisy, tmp_path / "better.png", model=tmp_path / "bad.safetensors")
    assert not (tmp_path / "better.png").exists()


def test_it_stops_when_asked(folder, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        restore(folder, tmp_path / "better", processes=1, stop=lambda: True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"episodes": 0}, "--episodes must be >= 1"),
        ({"seed": -1}, "--seed >= 0"),
        ({"out": "mine.bin"}, "must end in .safetensors"),
    ],
)
def test_bad_options_of_training(folder, tmp_path, options, message):
    out = tmp_path / options.pop("out", "mine.safetensors")
    with pytest.raises(InputError, match=message):
        train(folder, out, **options)


def test_training_needs_pictures_that_are_large_enough(clean, tmp_path):
    (tmp_path / "small").mkdir()
    pictures.write(tmp_path / "small" / "a.png", clean[:100, :100].copy())
    with pytest.raises(InputError, match="128 x 128 pixels or more, got none"):
        train(tmp_path / "small", tmp_path / "mine.safetensors")


def test_processes_must_be_positive(noisy, tmp_path):
    with pytest.raises(InputError, match="processes must be >= 1, got 0"):
        restore(noisy, tmp_path / "better.png", processes=0)


def test_the_command(assay, noisy, folder, tmp_path):
    result = assay("restore", noisy, tmp_path / "better.png")
    assert result.exit_code == 0
    assert "stop: predicted SSIM" in result.stdout
    result = assay("restore", folder, tmp_path / "all", "--json")
    assert result.exit_code == 1  # one of them is broken
    assert '"chains"' in result.stdout
    result = assay("restore", noisy)
    assert result.exit_code == 2
    result = assay("restore", "--train", folder, "--episodes", "3")
    assert result.exit_code == 0, result.stderr
    assert (tmp_path / "photos.safetensors").exists()
    assert "Learned from 3 damaged parts of" in result.stdout
