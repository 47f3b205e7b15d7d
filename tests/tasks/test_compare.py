"""Pictures are compared by their definitions, at the size that is said, and figures show what the numbers say."""

import itertools
import json

import cv2
import numpy as np
import pytest

from assay.data import pictures
from assay.errors import InputError, PictureError
from assay.pixels import colour, fidelity
from assay.tasks import compare as module
from assay.tasks.compare import compare


@pytest.fixture(scope="module")
def photos(tmp_path_factory, draw, save):
    """Five pictures in two folders, one saved again and once smaller, and a file that is no picture."""
    root = tmp_path_factory.mktemp("compare") / "photos"
    for i, kind in enumerate(("flower", "temple", "temple")):
        save(draw(kind, i), root / kind / f"{i}.png")
    image = pictures.read(root / "flower" / "0.png")
    save(cv2.resize(image, (120, 90), interpolation=cv2.INTER_AREA), root / "flower" / "small.png")
    save(image, root / "flower" / "again.jpg")
    (root / "notes.txt").write_text("no picture")
    return root


@pytest.fixture(scope="module")
def every(photos):
    """All pairs of the folder, and where its files are."""
    before = {p: p.read_bytes() for p in photos.rglob("*.*")}
    result = compare([photos], out=photos.parent / "out", processes=2)
    assert {p: p.read_bytes() for p in photos.rglob("*.*")} == before
    return result


def grey(path):
    return colour.grey(pictures.read(path))


def test_two_pictures_are_compared_whole_and_in_grey(photos, tmp_path):
    a, b = photos / "flower" / "0.png", photos / "flower" / "again.jpg"
    result = compare([a, b], out=tmp_path / "figures")
    (pair,) = result.pairs
    assert pair.ssim == fidelity.ssim(grey(a), grey(b))
    assert pair.mse == fidelity.mse(grey(a), grey(b))
    assert pair.psnr == fidelity.psnr(grey(a), grey(b))
    assert (pair.height, pair.width, pair.resized) == (*grey(a).shape, "")
    assert "gaussian window of 11x11" in result.notes[0]
    assert result.written == [str(tmp_path / "figures" / "comparison.png")]
    assert cv2.imread(result.written[0]).shape[1] > 1500
    assert compare([a, b]).written == []


def test_a_picture_compared_with_itself_is_the_same(photos):
    a = photos / "temple" / "1.png"
    result = compare([a, a])
    (pair,) = result.pairs
    assert (pair.mse, pair.ssim, pair.psnr) == (0, 1, np.inf)
    assert "the same pixels" in result.headline


def test_colour_and_window_are_options_and_said(photos):
    a, b = photos / "flower" / "0.png", photos / "flower" / "again.jpg"
    result = compare([a, b], colour=True, window="uniform")
    assert result.pairs[0].ssim == fidelity.ssim(pictures.read(a), pictures.read(b), window="uniform")
    assert "uniform window of 7x7 pixels, in colour" in result.notes[0]


def test_ms_ssim_is_given_where_the_pictures_are_large_enough(tmp_path, save):
    rng = np.random.default_rng(0)
    for name, side in (("large", 200), ("small", 100)):
        for i in range(2):
            save(rng.integers(0, 255, (side, side + 20, 3), np.uint8), tmp_path / f"{name}{i}.png")
    large = compare([tmp_path / "large0.png", tmp_path / "large1.png"]).pairs[0]
    assert large.ms_ssim == fidelity.ms_ssim(grey(tmp_path / "large0.png"), grey(tmp_path / "large1.png"))
    assert compare([tmp_path / "small0.png", tmp_path / "small1.png"]).pairs[0].ms_ssim is None


def test_the_larger_is_made_smaller_and_that_is_said(tmp_path, save):
    rng = np.random.default_rng(0)
    a, b = (tmp_path / name for name in ("a.png", "b.png"))
    save(rng.integers(0, 255, (60, 100, 3), np.uint8), a)
    save(rng.integers(0, 255, (80, 50, 3), np.uint8), b)
    pair = compare([a, b]).pairs[0]
    assert (pair.height, pair.width) == (60, 50)
    assert pair.resized == f"Compared at 50x60: {a} from 100x60 and {b} from 50x80"
    p = cv2.resize(grey(a), (50, 60), interpolation=cv2.INTER_AREA)
    q = cv2.resize(grey(b), (50, 60), interpolation=cv2.INTER_AREA)
    assert (pair.ssim, pair.mse) == (fidelity.ssim(p, q), fidelity.mse(p, q))


def test_all_pairs_of_a_folder_most_alike_first(photos, every):
    result = every
    names = ["flower/0.png", "flower/again.jpg", "flower/small.png", "temple/1.png", "temple/2.png"]
    assert {(p.first, p.second) for p in result.pairs} == set(itertools.combinations(names, 2))
    scores = [p.ssim for p in result.pairs]
    assert scores == sorted(scores, reverse=True)
    assert {result.pairs[0].first, result.pairs[0].second} <= set(names[:3])
    assert [(p.path, p.status) for p in result.problems] == [("notes.txt", "refused")]
    named = {p.first: p for p in result.pairs if p.second == "flower/again.jpg"}
    assert named["flower/0.png"].ssim == pytest.approx(
        fidelity.ssim(grey(photos / "flower" / "0.png"), grey(photos / "flower" / "again.jpg")), abs=1e-12
    )


def test_the_files_of_a_folder_hold_what_the_result_says(photos, every):
    result, out = every, photos.parent / "out"
    table = (out / "pairs.csv").read_text().splitlines()
    assert table[0] == "first,second,ssim,mse,psnr,height,width,resized"
    assert len(table) == 1 + len(result.pairs)
    assert table[1].startswith(f"{result.pairs[0].first},{result.pairs[0].second},{result.pairs[0].ssim}")
    page = (out / "report.html").read_text()
    assert "<script" not in page
    assert result.headline in page
    assert "notes.txt" in page
    for name in ("matrix.png", "pairs.png"):
        assert cv2.imread(str(out / name)) is not None


def test_nearest_gives_each_picture_its_likest(photos, every, tmp_path):
    best = compare([photos], out=tmp_path / "nearest", pairs="nearest", processes=1)
    names = {n for p in every.pairs for n in (p.first, p.second)}
    wanted = {max((p for p in every.pairs if n in (p.first, p.second)), key=lambda p: p.ssim) for n in names}
    assert set(best.pairs) == wanted
    assert not (tmp_path / "nearest" / "matrix.png").exists()


def test_of_very_many_the_nearest_is_sought_among_candidates(photos, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_MOST", 4)
    monkeypatch.setattr(module, "_CANDIDATES", 2)
    found = compare([photos], out=tmp_path / "out", pairs="nearest")
    assert found.pairs[0].ssim > 0.9
    assert "of 2 candidates" in found.notes[-1]
    with pytest.raises(InputError, match="all pairs need 4 pictures at most, got 5: use --pairs nearest"):
        compare([photos], out=tmp_path / "out")


def test_the_number_of_processes_changes_nothing(photos, every, tmp_path):
    assert compare([photos], out=tmp_path / "out", processes=1).pairs == every.pairs


def test_pictures_that_no_window_fits_into_are_left_out(tmp_path, save):
    for name, shape in {"dot": (1, 1, 3), "strip": (10, 400, 3), "a": (11, 30, 3), "b": (30, 11, 3)}.items():
        save(np.zeros(shape, np.uint8), tmp_path / "photos" / f"{name}.png")
    result = compare([tmp_path / "photos"], out=tmp_path / "out", processes=1)
    assert {p.path: p.status for p in result.problems} == {"dot.png": "too small", "strip.png": "too small"}
    assert (result.pictures, result.pairs[0].height, result.pairs[0].width) == (2, 11, 11)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"window": "box"}, "window must be one of gaussian, uniform, got 'box'"),
        ({"pairs": "some"}, "pairs must be one of all, nearest, got 'some'"),
        ({"side": 10}, "side must be >= 11, got 10"),
        ({"processes": 0}, "processes must be >= 1, got 0"),
    ],
)
def test_options_that_cannot_be_are_refused(photos, tmp_path, options, message):
    with pytest.raises(InputError, match=message):
        compare([photos], out=tmp_path / "out", **options)


def test_what_is_no_pair_is_refused(photos, tmp_path):
    picture = photos / "flower" / "0.png"
    for paths in ([picture], [], [picture] * 3, [photos / "gone"]):
        with pytest.raises(InputError, match="compare needs two pictures or one folder, got "):
            compare(paths)
    for other in (photos, photos / "gone.png"):
        with pytest.raises(InputError, match=f"got no picture at {other}"):
            compare([picture, other])
    with pytest.raises(PictureError, match=r"refused: .* in .*notes\.txt"):
        compare([picture, photos / "notes.txt"])
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(InputError, match="a comparison needs 2 pictures, got 0"):
        compare([empty], out=tmp_path / "out")


def test_an_output_that_cannot_be_is_refused(photos, tmp_path):
    with pytest.raises(InputError, match="--out must lie outside the folder of pictures"):
        compare([photos], out=photos / "out")
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="--out must be a folder that can be made"):
        compare([photos], out=tmp_path / "file" / "out")


def test_ctrl_c_ends_the_work(photos, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        compare([photos], out=tmp_path / "out", stop=lambda: True)


def test_the_command_line_prints_what_was_found(assay, photos, tmp_path, save):
    a = photos / "flower" / "0.png"
    two = assay("compare", a, photos / "flower" / "again.jpg")
    assert two.exit_code == 0
    assert two.stdout.startswith("SSIM 0.9")
    one = json.loads(assay("compare", a, a, "--json").stdout)
    assert (one["pairs"][0]["ssim"], one["pairs"][0]["psnr"]) == (1, None)
    assert assay("compare", photos / "gone").exit_code == 2
    many = assay("compare", photos, "--out", tmp_path / "out", "--processes", "1")
    assert many.exit_code == 0  # what is refused is not broken
    assert "10 pairs of 5 pictures" in many.stdout
    assert "wrote  " in many.stdout


def test_a_broken_picture_is_named_and_ends_with_status_1(assay, photos, tmp_path, save):
    for i in range(2):
        (tmp_path / "some").mkdir(exist_ok=True)
        (tmp_path / "some" / f"{i}.png").write_bytes((photos / "temple" / "1.png").read_bytes())
    (tmp_path / "some" / "half.png").write_bytes((photos / "temple" / "1.png").read_bytes()[:900])
    result = assay("compare", tmp_path / "some", "--out", tmp_path / "out", "--processes", "1")
    assert result.exit_code == 1
    assert "  corrupt  half.png: " in result.stdout
