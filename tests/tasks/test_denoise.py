"""A noisy picture of black and white becomes clean in a file, with a figure, and says what it took for noise."""

import json

import cv2
import numpy as np
import pytest

from assay.data import pictures
from assay.errors import InputError
from assay.tasks.denoise import denoise


@pytest.fixture
def scene():
    return np.kron(np.random.default_rng(1).random((6, 9)) < 0.5, np.ones((12, 11))) > 0


@pytest.fixture
def noisy(scene, tmp_path):
    flipped = scene ^ (np.random.default_rng(2).random(scene.shape) < 0.08)
    pictures.write(tmp_path / "noisy.png", np.where(flipped, 255, 0).astype(np.uint8))
    return tmp_path / "noisy.png"


@pytest.mark.parametrize("method", ["gibbs", "exact"])
def test_the_picture_comes_clean_with_what_it_tells_itself(noisy, scene, tmp_path, method):
    before = noisy.read_bytes()
    found = denoise(noisy, tmp_path / "clean.png", method=method, sweeps=200, burn_in=50)
    clean = pictures.read(tmp_path / "clean.png")
    assert set(np.unique(clean)) == {0, 255}
    assert ((clean > 0) != scene).mean() < (0.01 if method == "gibbs" else 0.03)
    assert found.flipped == pytest.approx(0.08, abs=0.02)
    assert found.changed == np.count_nonzero(clean != pictures.read(noisy))
    assert found.headline.startswith(f"{found.changed:,} of {found.pixels:,} pixels were changed")
    assert noisy.read_bytes() == before
    figure = pictures.read(tmp_path / "clean.figure.png")
    assert min(figure.shape[:2]) > 200
    if method == "gibbs":
        # What the chains expect to be wrong, and what is.
        assert found.wrong == pytest.approx(np.count_nonzero((clean > 0) != scene), abs=60)
    else:
        assert found.wrong is None


def test_given_parameters_are_used_as_they_are(noisy, tmp_path):
    found = denoise(noisy, tmp_path / "c.png", coupling=0.6, sigma=1.1, sweeps=20, burn_in=5, figure=tmp_path / "f.png")
    assert (found.couplings, found.sigma, found.estimated) == ((0.6,), 1.1, False)
    assert found.figure == str(tmp_path / "f.png")
    assert "rough" in found.warning or "mixed" in found.warning


def test_a_seed_gives_the_same_files(noisy, tmp_path):
    for name in ("a", "b"):
        denoise(noisy, tmp_path / f"{name}.png", coupling=0.6, sigma=1.0, sweeps=20, burn_in=5, seed=4)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert (tmp_path / "a.figure.png").read_bytes() == (tmp_path / "b.figure.png").read_bytes()


def test_a_picture_of_greys_is_refused_with_the_threshold_that_would_part_it(scene, tmp_path):
    grey = np.where(scene, 190, 60) + np.random.default_rng(3).normal(0, 30, scene.shape)
    pictures.write(tmp_path / "grey.png", grey.clip(0, 255).astype(np.uint8))
    with pytest.raises(InputError, match=r"two levels, got \d+: give --threshold (\d+), or --levels") as refused:
        denoise(tmp_path / "grey.png", tmp_path / "clean.png")
    offered = float(str(refused.value).split("--threshold ")[1].split(",")[0])
    assert 80 < offered < 170
    assert not (tmp_path / "clean.png").exists()
    cut = denoise(tmp_path / "grey.png", tmp_path / "cut.png", threshold=offered, sweeps=50, reach=1)
    real = denoise(tmp_path / "grey.png", tmp_path / "real.png", levels=(60, 190), sweeps=50, reach=1)
    assert cut.flipped is not None
    assert real.flipped is None
    assert real.sigma == pytest.approx(30 / 65, rel=0.05)
    for name in ("cut", "real"):
        assert ((pictures.read(tmp_path / f"{name}.png") > 0) != scene).mean() < 0.01


def test_colours_of_two_levels_are_taken_as_grey(scene, tmp_path):
    image = np.where(scene[..., None], [250, 240, 200], [20, 10, 90]).astype(np.uint8)
    pictures.write(tmp_path / "two.png", image)
    denoise(tmp_path / "two.png", tmp_path / "clean.png", coupling=0.5, sigma=1.0, method="exact")
    np.testing.assert_array_equal(pictures.read(tmp_path / "clean.png") > 0, scene)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"method": "magic"}, "method must be gibbs or exact, got 'magic'"),
        ({"seed": -1}, "seed must be >= 0, got -1"),
        ({"threshold": 3.0, "levels": (0.0, 255.0)}, "give threshold or levels, got both"),
        ({"sigma": -1.0, "coupling": 0.5}, "sigma must be a finite number > 0"),
        ({"reach": 9}, "reach must be 1, 2 or 3, got 9"),
    ],
)
def test_what_cannot_be_done_is_refused(noisy, tmp_path, options, match):
    with pytest.raises(InputError, match=match):
        denoise(noisy, tmp_path / "clean.png", **options)


def test_places_that_cannot_be_read_or_written_are_refused(noisy, tmp_path):
    quick = {"coupling": 0.5, "sigma": 1.0, "method": "exact"}
    with pytest.raises(InputError, match="IN must be a readable picture"):
        denoise(tmp_path / "none.png", tmp_path / "clean.png", **quick)
    with pytest.raises(InputError, match="OUT must be writable"):
        denoise(noisy, tmp_path / "nowhere" / "clean.png", **quick)
    with pytest.raises(InputError, match="OUT must be another file than IN"):
        denoise(noisy, noisy, **quick)
    with pytest.raises(InputError, match="a file must end in"):
        denoise(noisy, tmp_path / "clean.xyz", **quick)


def test_stopping_writes_nothing(noisy, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        denoise(noisy, tmp_path / "clean.png", coupling=0.5, sigma=1.0, stop=lambda: True)
    assert not (tmp_path / "clean.png").exists()


def test_the_command_says_what_it_did(assay, noisy, tmp_path):
    arguments = ("denoise", noisy, tmp_path / "clean.png", "--coupling", "0.7", "--sigma", "0.9", "--sweeps", "200")
    result = assay(*arguments)
    assert result.exit_code == 0
    assert "pixels were changed" in result.stdout
    assert "coupling 0.7; sigma 0.9 (7.8% of pixels flipped)" in result.stdout
    found = json.loads(assay(*arguments, "--json").stdout)
    assert found["couplings"] == [0.7]
    assert cv2.imread(found["figure"]) is not None
    bad = assay("denoise", noisy, tmp_path / "clean.png", "--levels", "dark,light")
    assert bad.exit_code == 2
    assert "BLACK,WHITE" in bad.stderr
