"""What is kept of pictures is their principal components; the figures are those of what comes back from the file."""

import json
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from assay.data import packed, pictures
from assay.errors import InputError
from assay.pixels import fidelity
from assay.pixels.eigen import EigenPictures
from assay.tasks import compress as module
from assay.tasks.compress import compress
from assay.tasks.decompress import decompress

H, W, N = 40, 30, 60


@pytest.fixture(scope="module")
def faces(tmp_path_factory, save):
    """Sixty pictures that differ in a few ways, of one size, in two folders; and a file that is none."""
    root = tmp_path_factory.mktemp("compress") / "faces"
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:H, :W] / [[[H]], [[W]]]
    for i in range(N):
        a, b, c = rng.uniform(0.2, 1, 3)
        image = 120 + 60 * a * np.sin(6 * x) + 40 * b * np.cos(5 * y) + 20 * c * np.sin(9 * x * y)
        save(np.dstack([(image + rng.normal(0, 3, image.shape)).clip(0, 255).astype(np.uint8)] * 3),
             root / f"s{i % 2}" / f"{i:02d}.png")  # fmt: skip
    (root / "notes.txt").write_text("no picture")
    return root


@pytest.fixture(scope="module")
def done(faces, tmp_path_factory):
    out = tmp_path_factory.mktemp("out") / "faces.compressed"
    return compress(faces, components=[8, 2], out=out, held_out=0.3), out


def rows(root, names):
    return np.stack([pictures.read(root / name).mean(axis=2).ravel() for name in names]).round()


def test_the_file_holds_the_components_of_the_pictures_in_the_fit(faces, done):
    result, out = done
    kept = packed.unpack(out / "pictures.safetensors")
    assert (len(kept.names), kept.shape) == (N, (H, W))
    inside = [module._held(module.File(name.encode(), 0, 0), 0) >= 0.3 for name in kept.names]
    assert sum(inside) == result.fitted < N
    X = rows(faces, kept.names)
    fit = EigenPictures(8).fit(X[inside])
    np.testing.assert_allclose(kept.mean * 255, fit.mean_, atol=1e-3)
    np.testing.assert_allclose(kept.components[:3], fit.components_[:3], atol=1e-3)
    np.testing.assert_allclose(kept.scores[:, :3].astype(float) * 255, fit.transform(X)[:, :3], rtol=0.01, atol=0.5)
    assert [level.components for level in result.levels] == [2, 8]
    for level in result.levels:
        share = fit.explained_variance_ratio_[: level.components].sum()
        assert level.variance == pytest.approx(share, abs=1e-5)


def test_the_figures_are_those_of_the_pictures_that_come_back(faces, done, tmp_path):
    result, out = done
    decompress(out / "pictures.safetensors", tmp_path / "back", components=2)
    kept = packed.unpack(out / "pictures.safetensors")
    inside = np.array([module._held(module.File(name.encode(), 0, 0), 0) >= 0.3 for name in kept.names])
    originals, back = rows(faces, kept.names).astype(np.uint8), rows_grey(tmp_path / "back", kept.names)
    psnr = np.array([fidelity.psnr(a.reshape(H, W), b) for a, b in zip(originals, back, strict=True)])
    ssim = np.array([fidelity.ssim(a.reshape(H, W), b) for a, b in zip(originals, back, strict=True)])
    level = result.levels[0]
    assert level.psnr.value == pytest.approx(psnr[inside].mean())
    assert level.psnr_new.value == pytest.approx(psnr[~inside].mean())
    assert level.ssim.value == pytest.approx(ssim[inside].mean())
    assert level.ssim_new.value == pytest.approx(ssim[~inside].mean())
    assert level.psnr_new.low < level.psnr_new.value < level.psnr_new.high


def rows_grey(root, names):
    return [pictures.read(root / name) for name in names]


def test_more_components_come_closer_and_bytes_are_counted(done):
    result, out = done
    few, many = result.levels
    assert many.psnr.value > few.psnr.value
    assert many.variance > few.variance
    assert (few.bytes_raw, many.bytes_raw) == (N * H * W, N * H * W)
    arrays = load_file(out / "pictures.safetensors")
    assert many.bytes_kept == sum(array.nbytes for array in arrays.values())
    assert few.bytes_kept == 4 * H * W + 2 * 2 * (H * W + N)


def test_everything_that_is_named_was_written(done):
    result, out = done
    assert sorted(result.written) == sorted(map(str, out.iterdir()))
    assert pictures.read(out / "mean.png").shape == (H, W)
    page = (out / "report.html").read_text()
    assert "<script" not in page
    assert "not in the fit" in page
    for name in ("rebuilt.png", "variance.png", "fidelity.png", "components.png"):
        assert cv2.imread(str(out / name)) is not None
    assert "pictures not in the fit come back at" in result.headline


def test_colour_stays(tmp_path, draw, save):
    for i in range(6):
        save(cv2.resize(draw("flower", i), (50, 40)), tmp_path / "photos" / f"{i}.png")
    compress(tmp_path / "photos", components=[5], out=tmp_path / "out", colour=True, held_out=0, processes=1)
    decompress(tmp_path / "out" / "pictures.safetensors", tmp_path / "back")
    a, b = (pictures.read(tmp_path / place / "3.png") for place in ("photos", "back"))
    assert a.shape == b.shape == (40, 50, 3)
    assert fidelity.psnr(a, b) > 45  # five components are all there are of six pictures


def test_pictures_of_many_sizes_are_brought_to_the_median_and_that_is_said(tmp_path, save):
    rng = np.random.default_rng(0)
    for i, (h, w) in enumerate([(120, 90), (240, 180), (100, 300), (240, 180)]):
        save(rng.integers(0, 255, (h, w, 3), np.uint8), tmp_path / "photos" / f"{i}.png")
    result = compress(tmp_path / "photos", components=[1], out=tmp_path / "out", held_out=0, side=60, processes=1)
    assert (result.height, result.width) == (60, 60)
    assert "brought to 60x60 pixels" in result.notes[0]
    assert "4 of them have another shape and are squashed." in result.notes


def test_reading_again_and_batches_change_nothing(faces, done, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_KEPT", 0)
    monkeypatch.setattr(module, "_BATCH", 4 * H * W)
    result = compress(faces, components=[8, 2], out=tmp_path / "out", held_out=0.3, processes=1)
    for one, two in zip(result.levels, done[0].levels, strict=True):
        assert one.psnr_new.value == pytest.approx(two.psnr_new.value, abs=0.01)
    a, b = (packed.unpack(out / "pictures.safetensors") for out in (done[1], tmp_path / "out"))
    assert a.names == b.names
    np.testing.assert_allclose(a.rebuild(slice(None), components=8), b.rebuild(slice(None), components=8), atol=1)


def test_the_same_command_writes_the_same_bytes(faces, done, tmp_path):
    compress(faces, components=[8, 2], out=tmp_path / "out", held_out=0.3, processes=1)
    for name in ("pictures.safetensors", "mean.png"):
        assert (tmp_path / "out" / name).read_bytes() == (done[1] / name).read_bytes()


def test_another_picture_moves_none_into_or_out_of_the_fit(faces):
    chosen = [module._held(module.File(f"s0/{i:02d}.png".encode(), 0, 0), 0) for i in range(200)]
    assert 0.35 < np.mean(np.array(chosen) < 0.5) < 0.65
    assert chosen != [module._held(module.File(f"s0/{i:02d}.png".encode(), 0, 0), 1) for i in range(200)]


def test_without_pictures_held_out_nothing_is_said_of_new_ones(faces, tmp_path):
    result = compress(faces, components=[3], out=tmp_path / "out", held_out=0, processes=1)
    assert result.fitted == N
    assert result.levels[0].psnr_new is None
    assert "Too few pictures were held out" in result.notes[-1]
    assert "pictures of the fit come back at" in result.headline


def test_the_components_that_there_are_pictures_for_are_kept_by_default(faces, tmp_path):
    result = compress(faces, out=tmp_path / "out", held_out=0, processes=1)
    assert [level.components for level in result.levels] == [10, 50]


def test_pictures_that_come_back_exactly_count_as_rounded(tmp_path, save):
    for i in range(4):
        save(np.full((20, 24, 3), 90, np.uint8), tmp_path / "photos" / f"{i}.png")
    result = compress(tmp_path / "photos", components=[1], out=tmp_path / "out", held_out=0, processes=1)
    assert result.levels[0].psnr.value == pytest.approx(10 * np.log10(255**2 * 12), abs=0.01)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"components": [61]}, "--components must be at most 60 for 60 pictures of 1,200 pixels in the fit, got 61"),
        ({"components": []}, r"components must be whole numbers >= 1, got \[\]"),
        ({"components": [3, 0]}, r"components must be whole numbers >= 1, got \[3, 0\]"),
        ({"side": 10}, "side must be >= 11, got 10"),
        ({"held_out": 1}, r"held_out must be in \[0, 1\), got 1"),
        ({"held_out": 0.9999}, "fit at least, got 0: lower --held-out"),
        ({"processes": 0}, "processes must be >= 1, got 0"),
    ],
)
def test_options_that_cannot_be_are_refused(faces, tmp_path, options, message):
    with pytest.raises(InputError, match=message):
        compress(faces, out=tmp_path / "out", **{"held_out": 0, "processes": 1} | options)


def test_what_would_not_fit_into_memory_is_refused(faces, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_ROOM", 20_000)
    with pytest.raises(InputError, match=r"use a smaller --side"):
        compress(faces, components=[3], out=tmp_path / "out")


def test_a_folder_without_pictures_or_an_output_within_it_is_refused(faces, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="components need 2 pictures at least, got 0"):
        compress(tmp_path / "empty", out=tmp_path / "out")
    with pytest.raises(InputError, match="--out must lie outside the folder of pictures"):
        compress(faces, out=faces / "out")


def test_pictures_come_back_under_their_names(tmp_path, save, done, faces):
    result = decompress(done[1] / "pictures.safetensors", tmp_path / "back")
    assert (result.pictures, result.components, result.height, result.width) == (N, 8, H, W)
    found = {str(p.relative_to(tmp_path / "back")) for p in (tmp_path / "back").rglob("*.png")}
    assert found == {str(p.relative_to(faces)) for p in faces.rglob("*.png")}


def test_two_names_that_differ_in_their_ending_stay_apart(tmp_path, draw, save):
    for name in ("a.png", "a.jpg", "b.jpg"):
        save(draw("temple", len(name)), tmp_path / "photos" / name)
    compress(tmp_path / "photos", components=[1], out=tmp_path / "out", held_out=0, processes=1)
    decompress(tmp_path / "out" / "pictures.safetensors", tmp_path / "back")
    assert {p.name for p in (tmp_path / "back").iterdir()} == {"a.png.png", "a.jpg.png", "b.png"}
    save(draw("temple", 9), tmp_path / "photos" / "a.png.bmp")  # whose new name would be that of a.png
    compress(tmp_path / "photos", components=[1], out=tmp_path / "out", held_out=0, processes=1)
    decompress(tmp_path / "out" / "pictures.safetensors", tmp_path / "again")
    assert len(list((tmp_path / "again").iterdir())) == 4


def test_decompressing_overwrites_nothing(tmp_path, done):
    place = tmp_path / "back"
    place.mkdir()
    (place / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="OUT must be a new or empty folder"):
        decompress(done[1] / "pictures.safetensors", place)
    assert [p.name for p in place.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("components", [0, 9])
def test_components_that_the_file_lacks_are_refused(tmp_path, done, components):
    with pytest.raises(InputError, match=f"--components must be 1 to 8, which the file has, got {components}"):
        decompress(done[1] / "pictures.safetensors", tmp_path / "back", components=components)


DAMAGE = {
    "another format": lambda file: file.note.update(format=2),
    "no format": lambda file: file.note.pop("format"),
    "another shape": lambda file: file.note.update(shape=[H, W + 1]),
    "a shape below 0": lambda file: file.note.update(shape=[-H, -W]),
    "a shape of text": lambda file: file.note.update(shape="40"),
    "a name too few": lambda file: file.note["names"].pop(),
    "a name of a number": lambda file: file.note["names"].__setitem__(0, 7),
    "twins": lambda file: file.note["names"].__setitem__(0, file.note["names"][1]),
    "no number": lambda file: file.arrays["mean"].__setitem__(3, np.nan),
    "another dtype": lambda file: file.arrays.update(scores=file.arrays["scores"].astype(np.float32)),
    "no mean": lambda file: file.arrays.pop("mean"),
    "no components": lambda file: file.arrays.update(
        components=file.arrays["components"][:0], scores=file.arrays["scores"][:, :0]
    ),
} | {
    repr(name): lambda file, name=name: file.note["names"].__setitem__(0, name)
    for name in ("../a.png", "/etc/a.png", "a/../../b.png", "", "a\0.png", "./a.png", "a//b.png")
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_file_that_does_not_fit_or_means_harm_is_refused(tmp_path, done, damage):
    kept = packed.unpack(done[1] / "pictures.safetensors")
    file = SimpleNamespace(
        arrays={name: getattr(kept, name).copy() for name in ("mean", "components", "scores")},
        note={"format": packed.FORMAT, "shape": kept.shape, "names": kept.names},
    )
    damage(file)
    arrays = {name: np.ascontiguousarray(array) for name, array in file.arrays.items()}
    save_file(arrays, tmp_path / "bad.safetensors", {"assay": json.dumps(file.note)})
    with pytest.raises(InputError, match="FILE must be packed by assay compress"):
        decompress(tmp_path / "bad.safetensors", tmp_path / "back")
    assert not (tmp_path / "back").exists()


@pytest.mark.parametrize("data", [b"", b"no tensors", bytes(200)])
def test_a_file_of_something_else_is_refused(tmp_path, data):
    (tmp_path / "bad.safetensors").write_bytes(data)
    with pytest.raises(InputError, match="FILE must be packed by assay compress"):
        decompress(tmp_path / "bad.safetensors", tmp_path / "back")
    with pytest.raises(InputError, match="FILE must be packed by assay compress"):
        decompress(tmp_path / "gone.safetensors", tmp_path / "back")


def test_the_command_line_compresses_and_brings_back(assay, faces, tmp_path):
    result = assay("compress", faces, "--components", "2,8", "--out", tmp_path / "c", "--processes", "1")
    assert result.exit_code == 0
    assert "60 pictures of 30x40: 8 components keep" in result.stdout
    found = json.loads(assay("compress", faces, "--components", "2", "--out", tmp_path / "c", "--json").stdout)
    assert found["levels"][0]["psnr"].keys() == {"value", "low", "high", "level", "method"}
    back = assay("decompress", tmp_path / "c" / "pictures.safetensors", tmp_path / "back")
    assert back.stdout.splitlines()[0] == "60 pictures of 30x40 from 2 components"
    assert assay("compress", faces, "--components", "2,x", "--out", tmp_path / "c").exit_code == 2
    assert assay("decompress", tmp_path / "gone", tmp_path / "other").exit_code == 2
