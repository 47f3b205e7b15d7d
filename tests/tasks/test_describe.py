"""A description says what NumPy says of the array, and the figure is a picture that can be looked at."""

import json

import numpy as np
import pytest

from assay.data import pictures
from assay.errors import InputError
from assay.pixels import noise
from assay.tasks.describe import describe


@pytest.fixture
def photo(tmp_path, save):
    image = np.random.default_rng(0).integers(0, 256, (120, 80, 3), dtype=np.uint8)
    save(image, tmp_path / "photo.png")
    return tmp_path / "photo.png", image


def test_what_is_said_is_so(photo):
    path, image = photo
    found = describe(path)
    assert (found.type, found.shape, found.height, found.width) == ("uint8", (120, 80, 3), 120, 80)
    assert (found.dimensions, found.size, found.format, found.mode) == (3, 28800, "PNG", "RGB")
    assert (found.least, found.greatest) == (image.min(), image.max())
    assert found.channels == ("red", "green", "blue")
    np.testing.assert_allclose(found.means, image.mean(axis=(0, 1)))
    np.testing.assert_allclose(found.deviations, image.std(axis=(0, 1)))
    assert found.pixel == (100, 50)
    assert found.values == tuple(image[100, 50])
    assert found.noise_sigma == noise.sigma(image)
    assert describe(path, pixel=(3, 79)).values == tuple(image[3, 79])
    assert found.figure is None


def test_a_small_grey_picture_is_told_of_its_middle(tmp_path, save):
    save(np.full((9, 12), 7, np.uint8), tmp_path / "small.png")
    found = describe(tmp_path / "small.png")
    assert (found.channels, found.pixel, found.values, found.noise_sigma) == (("grey",), (4, 6), (7,), None)
    assert found.dimensions == 2


def test_a_deep_picture_is_in_0_to_1(tmp_path):
    pictures.write(tmp_path / "deep.png", np.linspace(0, 1, 30 * 40, dtype=np.float32).reshape(30, 40))
    found = describe(tmp_path / "deep.png")
    assert (found.type, found.least, found.greatest) == ("float32", 0, 1)


@pytest.mark.parametrize("shape", [(120, 80, 3), (60, 300)])
def test_the_figure_is_written_once_and_never_over_another(tmp_path, save, shape):
    save(np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8), tmp_path / "photo.png")
    figure = tmp_path / "figure.png"
    assert describe(tmp_path / "photo.png", figure=figure).figure == str(figure)
    assert min(pictures.read(figure).shape[:2]) > 150
    with pytest.raises(InputError, match=r"figure must be a new file, got .*figure\.png, which is there: --replace"):
        describe(tmp_path / "photo.png", figure=figure)
    describe(tmp_path / "photo.png", figure=figure, replace=True)


def test_an_error_says_what_must_hold(photo, tmp_path):
    path, _ = photo
    (tmp_path / "text.png").write_text("no picture")
    for call, message in (
        (lambda: describe(tmp_path / "none.png"), "PICTURE must be a file that can be read, got .*none.png"),
        (lambda: describe(tmp_path / "text.png"), "PICTURE must be one that assay reads, got .* in .*text.png"),
        (lambda: describe(path, pixel=(120, 0)), r"pixel must be in rows 0\.\.119 and columns 0\.\.79, got 120, 0"),
        (lambda: describe(path, pixel=(-1, 0)), "pixel must be in rows"),
        (lambda: describe(path, figure=tmp_path / "f.jpg"), "figure must end in .png, got"),
        (lambda: describe(path, figure=tmp_path / "no" / "f.png"), "figure must be a file that can be written"),
    ):
        with pytest.raises(InputError, match=message):
            call()
    with pytest.raises(KeyboardInterrupt):
        describe(path, stop=lambda: True)


def test_the_command_prints_what_the_task_found(photo, assay):
    path, image = photo
    said = assay("describe", str(path), "--pixel", "3", "4").stdout
    red, green, blue = image[3, 4]
    assert f"pixel [3, 4]    red {red}, green {green}, blue {blue}" in said
    assert "size            28,800 numbers" in said
    assert json.loads(assay("describe", str(path), "--json").stdout)["shape"] == [120, 80, 3]
    failed = assay("describe", str(path) + ".gone")
    assert failed.exit_code == 2
    assert "assay: PICTURE must be a file that can be read" in failed.stderr
