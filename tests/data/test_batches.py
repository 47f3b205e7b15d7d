"""Batches hold what their files hold, in an order and with changes that only the seed decides."""

import json
import os

import cv2
import numpy as np
import pyarrow as pa
import pytest

from assay.data import folder, pictures
from assay.data.batches import Batches
from assay.errors import InputError
from assay.pixels import augment
from assay.pixels.recipes import Recipe
from assay.report import gallery

TURN = Recipe(horizontal_flip=0.5, rotation_range=25, width_shift_range=0.1, noise_range=8, blur_range=1)
QUIET = {"tell": None}


@pytest.fixture(scope="session")
def photos(tmp_path_factory, album):
    """Three classes of 8, one of 4 more, with a copy, and two files that are no pictures."""
    top = album(tmp_path_factory.mktemp("batches") / "photos", kinds=("shapes", "temple"), count=8)
    album(top, kinds=("flower",), count=12)
    (top / "shapes" / "half.jpg").write_bytes((top / "shapes" / "001.jpg").read_bytes()[:900])
    (top / "temple" / "text.txt").write_text("no picture")
    return top


def made(source, **options):
    return Batches.from_directory(source, **{"image_size": (24, 30), "batch_size": 5, **QUIET, **options})


def collected(batches):
    pairs = list(batches)
    return np.concatenate([x for x, _ in pairs]), np.concatenate([y for _, y in pairs])


def same(a, b):
    for (xa, ya), (xb, yb) in zip(a, b, strict=True):
        np.testing.assert_array_equal(xa, xb)
        np.testing.assert_array_equal(ya, yb)


def test_it_says_what_it_found_as_keras_does_and_what_it_skipped(photos, capsys):
    batches = Batches.from_directory(photos, image_size=(24, 30))
    first, *skipped = capsys.readouterr().out.splitlines()
    assert first == "Found 28 files belonging to 3 classes."
    assert [line.split(": ")[:2] for line in skipped] == [
        ["Skipped shapes/half.jpg", "corrupt"],
        ["Skipped temple/text.txt", "refused"],
    ]
    assert [name for name, _ in batches.problems] == ["shapes/half.jpg", "temple/text.txt"]
    assert repr(batches) == "Batches(28 pictures of 3 classes in 1 batches of 32 x 24 x 30 x 3)"


def test_attributes_tie_files_to_labels(photos):
    batches = made(photos, shuffle=False)
    assert batches.samples == len(batches.filenames) == len(batches.labels) == 28
    assert batches.class_indices == {"flower": 0, "shapes": 1, "temple": 2}
    assert batches.class_names == ["flower", "shapes", "temple"]
    assert [batches.class_names[i] for i in batches.labels] == [name.split("/")[0] for name in batches.filenames]
    assert batches.filenames == sorted(batches.filenames)
    assert len(batches) == 6
    sizes = [len(x) for x, _ in batches]
    assert sizes == [5, 5, 5, 5, 5, 3]


@pytest.mark.parametrize(
    ("mode", "dtype", "shape"),
    [("categorical", np.float32, (28, 3)), ("sparse", np.int64, (28,)), ("input", np.float32, (28, 24, 30, 3))],
)
def test_labels_come_as_the_class_mode_says(photos, mode, dtype, shape):
    batches = made(photos, class_mode=mode, shuffle=False)
    x, y = collected(batches)
    assert (x.shape, x.dtype) == ((28, 24, 30, 3), np.float32)
    assert (y.shape, y.dtype) == (shape, dtype)
    found = {"categorical": lambda: y.argmax(1), "sparse": lambda: y, "input": lambda: batches.labels}[mode]()
    np.testing.assert_array_equal(found, batches.labels)
    if mode == "categorical":
        np.testing.assert_array_equal(y.sum(axis=1), 1)
    if mode == "input":
        np.testing.assert_array_equal(x, y)


def test_binary_is_0_and_1_of_two_classes(photos):
    batches = made(photos, class_mode="binary", classes=["temple", "flower"], shuffle=False)
    _, y = collected(batches)
    assert y.dtype == np.float32
    assert [("temple", "flower")[int(v)] for v in y] == [n.split("/")[0] for n in batches.filenames]
    with pytest.raises(InputError, match="binary needs 2 classes, got 3"):
        made(photos, class_mode="binary")


@pytest.mark.parametrize("mode", ["none", None])
def test_without_labels_x_comes_alone_and_needs_no_classes(photos, mode):
    batches = made(photos / "flower", class_mode=mode)
    assert batches.samples == 12
    assert sum(len(x) for x in batches) == 12
    assert batches.class_names == []


def test_a_picture_is_squashed_to_its_size_and_scaled(photos):
    batches = made(photos, shuffle=False, image_size=(40, 50))
    x, _ = collected(batches)
    for row, name in zip(x, batches.filenames, strict=True):
        image = pictures.read(photos / name)
        expected = cv2.resize(image, (50, 40), interpolation=cv2.INTER_AREA) / 255
        assert np.abs(row - expected).mean() < 0.04
    raw, _ = collected(made(photos, shuffle=False, image_size=(40, 50), rescale=1))
    np.testing.assert_allclose(raw, x * 255, atol=1e-4)


def test_grey_is_one_channel_and_a_grey_file_has_three_of_them_in_colour(photos, tmp_path):
    grey, _ = collected(made(photos, color_mode="grayscale", shuffle=False))
    colour, _ = collected(made(photos, shuffle=False))
    assert grey.shape == (28, 24, 30, 1)
    np.testing.assert_allclose(grey[..., 0], colour @ np.array([0.299, 0.587, 0.114]), atol=2 / 255)
    (tmp_path / "a").mkdir()
    pictures.write(tmp_path / "a" / "1.png", np.arange(30 * 40, dtype=np.uint8).reshape(30, 40))
    x, _ = made(tmp_path)[0]
    np.testing.assert_array_equal(x[..., 0], x[..., 2])


def test_deep_pictures_have_the_scale_of_all_others(tmp_path):
    (tmp_path / "a").mkdir()
    pictures.write(tmp_path / "a" / "deep.png", np.full((30, 40, 3), 0.4, np.float32))
    pictures.write(tmp_path / "a" / "flat.png", np.full((30, 40, 3), 102, np.uint8))
    x, _ = made(tmp_path)[0]
    np.testing.assert_allclose(x, 0.4, atol=1e-3)


def test_the_middle_is_cut_out_where_the_aspect_is_to_be_kept(tmp_path):
    image = np.zeros((40, 120, 3), np.uint8)
    image[:, 40:80] = 255
    (tmp_path / "a").mkdir()
    pictures.write(tmp_path / "a" / "1.png", image)
    cut, _ = made(tmp_path, image_size=(20, 20), crop_to_aspect_ratio=True)[0]
    squashed, _ = made(tmp_path, image_size=(20, 20))[0]
    assert cut.min() == 1
    assert squashed.mean() == pytest.approx(1 / 3, abs=0.02)


@pytest.mark.parametrize("recipe", [None, TURN], ids=["plain", "changed"])
def test_the_number_of_workers_does_not_change_a_bit(photos, recipe):
    one, three = (made(photos, recipe=recipe, workers=n) for n in (1, 3))
    for _ in range(2):
        same(one, three)


def test_every_epoch_has_its_own_order_and_changes_and_reset_begins_again(photos):
    batches = made(photos, recipe=TURN, class_mode="sparse")
    first, second = list(batches), list(batches)
    assert not np.array_equal(first[0][0], second[0][0])
    batches.reset()
    same(first, batches)
    same(second, batches)
    other = made(photos, recipe=TURN, class_mode="sparse", seed=1)
    assert not np.array_equal(first[0][0], next(iter(other))[0])


def test_one_batch_is_what_the_epoch_holds_at_its_place(photos):
    batches = made(photos, recipe=TURN)
    picked = [batches[i] for i in range(len(batches))]
    np.testing.assert_array_equal(batches[-1][0], picked[-1][0])
    same(picked, batches)
    with pytest.raises(IndexError):
        batches[6]


def test_next_goes_on_through_epochs(photos):
    batches = made(photos)
    taken = [next(batches) for _ in range(13)]
    batches.reset()
    same(taken, [*batches, *batches, next(iter(batches))])
    batches.reset()
    same([next(batches)], taken[:1])


def test_shuffling_loses_and_doubles_nothing(photos):
    batches = made(photos)
    for _ in range(2):
        seen = np.concatenate([batches.index_array.copy() for _ in batches])
        np.testing.assert_array_equal(np.sort(seen), np.arange(28))
        assert not np.array_equal(seen, np.arange(28))


def test_leaving_early_leaves_no_thread_behind(photos):
    import gc
    import threading

    gc.collect()  # what other tests have not let go of
    for _ in made(photos, workers=2):
        break
    assert not [t for t in threading.enumerate() if t.name.startswith("batches")]


def test_a_recipe_is_made_to_training_alone(photos, monkeypatch):
    changed = []
    draw = augment.draw
    monkeypatch.setattr(augment, "draw", lambda *a, **k: changed.append(1) or draw(*a, **k))
    split = {"validation_split": 0.25, "test_split": 0.25, "recipe": TURN}
    for subset in ("validation", "test"):
        collected(made(photos, subset=subset, **split))
    assert not changed
    training = made(photos, subset="training", **split)
    collected(training)
    assert len(changed) == training.samples


def by_subset(source, **options):
    return {s: set(made(source, subset=s, **options).filenames) for s in ("training", "validation", "test")}


def test_a_split_is_stratified_and_keeps_copies_together(photos, tmp_path, save):
    top = tmp_path / "photos"
    for path in photos.rglob("0*.*"):
        (top / path.parent.name).mkdir(parents=True, exist_ok=True)
        os.link(path, top / path.parent.name / path.name)
    image = pictures.read(photos / "flower" / "003.png")
    (top / "flower" / "same.png").write_bytes((photos / "flower" / "003.png").read_bytes())
    save(np.ascontiguousarray(image[:, ::-1]), top / "flower" / "mirrored.jpg")
    for seed in range(6):
        parts = by_subset(top, validation_split=0.25, test_split=0.25, seed=seed)
        (home,) = [s for s, names in parts.items() if "flower/003.png" in names]
        assert {"flower/same.png", "flower/mirrored.jpg"} <= parts[home]
    assert set.union(*parts.values()) == {str(p.relative_to(top)) for p in top.rglob("*.*")}
    assert sum(map(len, parts.values())) == 30
    for kind in ("shapes", "temple"):
        assert {s: sum(n.startswith(kind) for n in names) for s, names in parts.items()} == {
            "training": 4,
            "validation": 2,
            "test": 2,
        }


def test_pictures_added_later_move_none(photos, tmp_path, album):
    options = {"validation_split": 0.2, "test_split": 0.2, "splits": tmp_path / "splits.json"}
    top = album(tmp_path / "photos", kinds=("temple", "shapes"), count=9)
    before = by_subset(top, **options)
    album(top, kinds=("temple", "shapes"), count=6, first=20)
    after = by_subset(top, **options)
    for subset, names in before.items():
        assert names <= after[subset]
    assert sum(map(len, after.values())) == 30
    assert json.loads((tmp_path / "splits.json").read_text()).keys() == {"0"}
    (tmp_path / "splits.json").write_text("[1]")
    with pytest.raises(InputError, match="splits must be a JSON file of parts by seed and content"):
        by_subset(top, **options)


def test_three_directories_are_the_parts_they_are_called(photos, tmp_path, album):
    for first, part in ((0, "train"), (20, "val"), (40, "test")):
        album(tmp_path / part, kinds=("temple", "shapes"), count=4, first=first)
    copied = tmp_path / "train" / "temple" / "leak.png"
    copied.write_bytes((tmp_path / "test" / "temple" / "042.png").read_bytes())
    said = []
    batches = made(tmp_path, subset="training", recipe=TURN, tell=said.append)
    assert said == [
        "Found 25 files belonging to 2 classes.",
        "Using 8 files for training.",
        "Left out 1 copies of pictures that validate or test.",
    ]
    assert all(n.startswith("train/") for n in batches.filenames)
    assert {n.split("/")[0] for n in made(tmp_path, subset="test").filenames} == {"test"}
    assert made(tmp_path).samples == 25
    with pytest.raises(InputError, match="a recipe needs a subset where pictures come in train, val and test"):
        made(tmp_path, recipe=TURN)
    with pytest.raises(InputError, match="pictures come in train, val and test: leave validation_split"):
        made(tmp_path, subset="training", validation_split=0.2)


def test_a_csv_says_labels_groups_and_parts(photos, tmp_path):
    lines = [
        f"flower/{i:03d}.{'png' if i % 3 == 0 else 'jpg'};{'odd' if i % 2 else 'even'};{i // 4}" for i in range(12)
    ]
    (tmp_path / "labels.csv").write_text("\n".join(["file;label;group", *lines]))
    batches = Batches.from_csv(tmp_path / "labels.csv", photos, image_size=(24, 30), shuffle=False, **QUIET)
    assert batches.samples == 12
    assert batches.class_names == ["even", "odd"]
    np.testing.assert_array_equal(batches.labels, np.arange(12) % 2)
    parts = [
        Batches.from_csv(tmp_path / "labels.csv", photos, validation_split=0.4, subset=s, **QUIET).filenames
        for s in ("training", "validation")
    ]
    groups = [{int(name[7:10]) // 4 for name in names} for names in parts]
    assert groups[0].isdisjoint(groups[1])


class Frame(dict):
    """A table whose columns are arrays, as a data frame's are."""

    column_names = property(list)


@pytest.mark.parametrize("kind", [dict, Frame, "arrow"])
def test_a_table_of_any_kind_says_the_same(photos, kind):
    files = folder.walk(photos / "flower").files[::-1]
    columns = {
        "file": [os.fsdecode(f.path) for f in files],
        "label": np.array(["ab"[i % 2] for i in range(12)]),
        "part": ["train"] * 9 + ["val"] * 3,
    }
    table = pa.table(columns) if kind == "arrow" else kind(columns)
    batches = Batches.from_table(table, photos / "flower", subset="training", image_size=(24, 30), **QUIET)
    assert batches.samples == 9
    labels = dict(zip(columns["file"], columns["label"], strict=True))
    assert [batches.class_names[i] for i in batches.labels] == [labels[n] for n in batches.filenames]


def test_a_table_that_knows_the_content_is_taken_at_its_word(photos, monkeypatch):
    monkeypatch.setattr(pictures, "read_bytes", lambda *_: pytest.fail("a file was read"))
    table = {
        "path": [b"flower/001.jpg", b"b.jpg"],
        "label": ["a", "a"],
        "sha256": ["0", "1"],
        "status": ["ok", "corrupt"],
    }
    batches = Batches.from_table(table, photos, **QUIET)
    assert batches.filenames == ["flower/001.jpg"]
    assert batches.problems == [("b.jpg", "corrupt in the table")]
    for wrong, message in (
        ({"label": ["a"]}, "a table must have a column file or path, got label"),
        ({"file": ["a"], "label": ["a", "b"]}, "columns of a table must be as long"),
    ):
        with pytest.raises(InputError, match=message):
            Batches.from_table(wrong, photos, **QUIET)


def test_a_file_that_breaks_while_training_is_skipped_and_named(tmp_path, album):
    top = album(tmp_path / "p", kinds=("temple", "shapes"), count=4)
    batches = made(top, batch_size=4)
    (top / "temple" / "001.jpg").write_text("gone bad")
    (top / "shapes" / "002.jpg").unlink()
    for _ in range(2):
        sizes = [len(x) for x, _ in batches]
        assert sum(sizes) == 6
    assert sorted(name for name, _ in batches.problems) == ["shapes/002.jpg", "temple/001.jpg"]
    for path in top.rglob("*.*"):
        path.unlink()
    assert list(batches) == []
    with pytest.raises(InputError, match="there must be pictures that can be read, got none of 8 any more"):
        next(batches)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"class_mode": "multi"}, "class_mode must be one of categorical, binary, sparse, input, none, got 'multi'"),
        ({"color_mode": "rgba"}, "color_mode must be one of rgb, grayscale, got 'rgba'"),
        ({"interpolation": "box"}, "interpolation must be one of nearest, bilinear, bicubic, lanczos, got 'box'"),
        ({"subset": "train"}, "subset must be one of training, validation, test, got 'train'"),
        ({"subset": "training"}, "a subset needs folders train, val and test, or a validation_split"),
        (
            {"validation_split": 0.2},
            "subset must be one of training, validation, test where there is a split",
        ),
        ({"validation_split": 0.6, "test_split": 0.4, "subset": "test"}, "must be >= 0 and under 1 together"),
        ({"image_size": (0, 9)}, r"image_size, batch_size and workers must be >= 1 .*got \(0, 9\)"),
        ({"workers": 0}, "image_size, batch_size and workers must be >= 1"),
        ({"seed": -1}, "seed >= 0, got"),
        ({"classes": ["flower", "cat"]}, "classes must be different ones of flower, shapes, temple, got flower, cat"),
        ({"classes": ["flower", "flower"]}, "classes must be different ones"),
    ],
)
def test_options_that_cannot_be_are_refused(photos, options, message):
    with pytest.raises(InputError, match=message):
        made(photos, **options)


def test_a_folder_without_pictures_says_why(tmp_path):
    with pytest.raises(InputError, match="there must be pictures, got none: no file has a label"):
        made(tmp_path)
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "1.jpg").write_text("text")
    with pytest.raises(InputError, match=r"there must be pictures, got none: a/1\.jpg: refused: a picture must be"):
        made(tmp_path)


def test_a_class_of_one_picture_trains(tmp_path, album):
    album(tmp_path, kinds=("temple",), count=6)
    album(tmp_path, kinds=("shapes",), count=1)
    batches = made(tmp_path, validation_split=0.3, subset="training")
    assert "shapes/000.png" in batches.filenames


def test_what_a_recipe_enlarges_is_read_larger(tmp_path):
    stripes = np.zeros((160, 160, 3), np.uint8)
    stripes[:, ::4], stripes[:, 1::4] = 255, 255  # gone where it is read at a quarter
    (tmp_path / "a").mkdir()
    pictures.write(tmp_path / "a" / "1.png", stripes)
    plain, _ = made(tmp_path, image_size=(40, 40))[0]
    zoomed, _ = made(tmp_path, image_size=(40, 40), recipe=Recipe(zoom_range=(4, 4)))[0]
    cut, _ = made(tmp_path, image_size=(40, 40), recipe=Recipe(crop_range=(0.25, 0.25)))[0]
    assert plain.std() < 0.01
    assert min(zoomed.std(), cut.std()) > 0.3


@pytest.mark.parametrize("shape", [(40, 300), (300, 40), (41, 163)])
@pytest.mark.parametrize("recipe", [None, Recipe(rotation_range=(0, 0))], ids=["plain", "warped"])
def test_no_pixel_is_left_out_along_either_side(tmp_path, shape, recipe):
    dotted = np.zeros((*shape, 3), np.uint8)
    dotted[::3, ::3] = 255
    (tmp_path / "a").mkdir()
    pictures.write(tmp_path / "a" / "1.png", dotted)
    x, _ = made(tmp_path, image_size=(20, 20), recipe=recipe)[0]
    assert x.mean() == pytest.approx(dotted.mean() / 255, rel=0.15)


def test_a_batch_can_be_looked_at(photos):
    batches = made(photos)
    png = gallery.grid(batches[0], names=batches.class_names)
    assert png.startswith(b"\x89PNG")


@pytest.fixture
def dark_and_light(tmp_path):
    rng = np.random.default_rng(0)
    for label, level in (("dark", 60), ("light", 170)):
        (tmp_path / label).mkdir()
        for i in range(12):
            image = rng.normal(level, 40, (60, 80, 3)).clip(0, 255).astype(np.uint8)
            pictures.write(tmp_path / label / f"{i}.png", image)
    return tmp_path


def test_pytorch_trains_from_it(dark_and_light):
    torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'assay[train]'")
    torch.manual_seed(0)
    batches = made(dark_and_light, class_mode="sparse", recipe=TURN)
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(24 * 30 * 3, 2))
    optimizer = torch.optim.Adam(network.parameters(), 1e-3)
    losses = []
    for _ in range(8):
        total = 0.0
        for x, y in batches:
            loss = torch.nn.functional.cross_entropy(network(torch.from_numpy(x) - 0.45), torch.from_numpy(y))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(x)
        losses.append(total)
    assert losses[-1] < 0.5 * losses[0]
    loader = torch.utils.data.DataLoader(batches, batch_size=None)
    assert sum(len(x) for x, _ in loader) == batches.samples


def test_keras_trains_from_it(dark_and_light):
    os.environ.setdefault("KERAS_BACKEND", "torch")
    keras = pytest.importorskip("keras", reason="keras is not installed: pip install keras")
    keras.utils.set_random_seed(0)
    batches = made(dark_and_light, recipe=TURN)
    layers = [keras.layers.Rescaling(1, -0.45), keras.layers.Flatten(), keras.layers.Dense(2, activation="softmax")]
    network = keras.Sequential(layers)
    network.compile(optimizer=keras.optimizers.Adam(1e-3), loss="categorical_crossentropy")
    options = {"steps_per_epoch": len(batches), "epochs": 8, "shuffle": False, "verbose": 0}
    history = network.fit(batches.stream(), **options).history["loss"]
    assert history[-1] < 0.5 * history[0]


def test_files_are_not_read_again_for_another_subset(photos, monkeypatch):
    made(photos)
    monkeypatch.setattr(pictures, "decode", lambda *_a, **_k: pytest.fail("a file was decoded again"))
    assert made(photos).samples == 28
