"""Tiles keep names harmless, and the map shows pictures whole, each group among them."""

import base64
import re

import cv2
import numpy as np
import pytest

from assay.errors import InputError
from assay.report import gallery
from assay.report.page import Html


def jpeg(colour=(90, 160, 40), shape=(24, 32)):
    return cv2.imencode(".jpg", np.full((*shape, 3), colour, np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()


def decoded(picture):
    return cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)


def test_a_picture_comes_back_from_its_address():
    picture = jpeg()
    kind, data = gallery.uri(picture).split(",")
    assert (kind, base64.b64decode(data)) == ("data:image/jpeg;base64", picture)


def test_a_png_is_called_a_png():
    png = cv2.imencode(".png", np.zeros((2, 3), np.uint8))[1].tobytes()
    assert gallery.uri(png).startswith("data:image/png;")


def test_a_broken_file_is_a_grey_tile_with_its_reason():
    made = gallery.tile(None, "<b>.jpg", reason="truncated & gone")
    assert "<img" not in made
    assert "truncated &amp; gone" in made
    assert "&lt;b&gt;.jpg</figcaption>" in made


def test_a_tile_has_its_name_for_those_who_do_not_see_it():
    assert 'alt="a &quot;b&quot;"' in gallery.tile(jpeg(), 'a "b"')


def test_the_wall_says_how_many_it_leaves_out():
    tiles = [gallery.tile(jpeg(), "a")] * 3
    assert gallery.wall(tiles, more=812).count("<figure") == 3
    assert "and 812 more" in gallery.wall(tiles, more=812)
    assert "more" not in gallery.wall(tiles)
    assert gallery.wall([]) == ""


def test_the_map_shows_each_picture_whole_or_not_at_all():
    rng = np.random.default_rng(0)
    n = 150
    # One flat colour each, so that what is left of a picture can be counted.
    hues = cv2.cvtColor(np.stack([np.arange(n) * 180 // n, np.full(n, 90), np.full(n, 200)], 1)[None].astype(np.uint8),
                        cv2.COLOR_HSV2BGR)[0]  # fmt: skip
    hues = hues[rng.permutation(n)[:30]]
    thumbnails = [jpeg(hues[i % 30].tolist(), (40, 40)) if i < 30 else b"" for i in range(n)]
    points = rng.random((n, 2)) * 0.25
    points[:2] = [[0, 0], [1, 1]]
    drawn = decoded(gallery.picture_map(points, thumbnails, np.zeros(n, int), rng=rng)).astype(int)
    shown = [(np.abs(drawn - colour).max(axis=2) <= 4).sum() for colour in hues.astype(int)]
    whole = max(shown)
    assert 3 <= sum(s > 0.9 * whole for s in shown) < 30
    assert all(s > 0.85 * whole or s < 0.15 * whole for s in shown)


def test_a_group_of_one_shows_its_picture_among_many():
    rng = np.random.default_rng(1)
    points = np.concatenate([rng.random((2000, 2)) * 0.05, [[0.025, 0.025], [1, 1]]])
    thumbnails = [jpeg((200, 200, 60))] * 2000 + [jpeg((40, 40, 250), (32, 32)), b""]
    groups = np.r_[np.zeros(2000, int), 1, 0]
    drawn = decoded(gallery.picture_map(points, thumbnails, groups, side=700, rng=rng)).astype(int)
    assert (np.abs(drawn - [40, 40, 250]).max(axis=2) < 20).sum() > 20**2


@pytest.mark.parametrize("n", [0, 1, 2, 3])
def test_few_pictures_make_a_map_too(n):
    points = np.zeros((n, 2)) + 0.3
    picture = gallery.picture_map(points, [jpeg()] * n, np.zeros(n, int), rng=np.random.default_rng(0))
    assert decoded(picture).shape[1] == 1400
    assert (decoded(picture) < 200).any() == (n > 0)


def test_a_flat_layout_makes_a_flat_map():
    points = np.array([[0, 0], [1, 0.1], [0.4, 0]])
    height, width = decoded(
        gallery.picture_map(points, [jpeg()] * 3, np.zeros(3, int), side=700, rng=np.random.default_rng(0))
    ).shape[:2]
    assert (width, height) == (700, round(700 * (0.1 * 0.88 + 0.12)))


def test_what_is_no_picture_stays_a_dot():
    points = np.array([[0.0, 0.0], [1.0, 0.5]])
    drawn = decoded(gallery.picture_map(points, [b"", b"junk"], np.array([0, 1]), rng=np.random.default_rng(0)))
    dark = (drawn.min(axis=2) < 200).sum()
    assert 20 < dark < 200  # two dots of 3 pixels' radius


def test_the_same_rng_draws_the_same_map():
    rng = np.random.default_rng(5)
    points, groups = rng.random((500, 2)), rng.integers(3, size=500)
    one, two = (gallery.picture_map(points, [jpeg()] * 500, groups, rng=np.random.default_rng(7)) for _ in range(2))
    assert one == two


@pytest.mark.parametrize(
    ("points", "count", "side", "says"),
    [
        (np.zeros((3, 2)), 2, 1400, r"as many, got \(3, 2\), 2 and \(3,\)"),
        (np.zeros((3, 3)), 3, 1400, r"as many, got \(3, 3\)"),
        (np.full((3, 2), np.nan), 3, 1400, "points must be finite"),
        (np.zeros((3, 2)), 3, 99, "side must be >= 100 pixels, got 99"),
    ],
)
def test_a_map_says_what_it_needs(points, count, side, says):
    with pytest.raises(InputError, match=says):
        gallery.picture_map(points, [b""] * count, np.zeros(3, int), side=side, rng=np.random.default_rng(0))


def test_up_to_8_groups_are_told_by_colour_and_name():
    groups = np.array([0, 0, 1])
    made = gallery.map_figure(jpeg(), np.zeros((3, 2)), groups, names=["<ant>", "bee"])
    assert isinstance(made, Html)
    assert re.findall(r"var\(--(c\d)\)\"></i>(.*?) <span class=\"dim\">(\d)", made) == [
        ("c0", "&lt;ant&gt;", "2"),
        ("c1", "bee", "1"),
    ]


def test_labels_of_many_groups_do_not_cover_each_other():
    rng = np.random.default_rng(2)
    groups = np.repeat(np.arange(15), 4)
    points = 0.5 + rng.normal(size=(60, 2)) * 0.01
    points[:2] = [[0, 0], [1, 1]]
    made = gallery.map_figure(jpeg(), points, groups, names=[f"group {i}" for i in range(15)])
    places = [(float(x), float(y)) for x, y in re.findall(r"left:([\d.]+)%;top:([\d.]+)%", made)]
    assert len(places) == 15
    apart = [max(abs(a[0] - b[0]) / 9, abs(a[1] - b[1]) / 2.6) for i, a in enumerate(places) for b in places[:i]]
    assert min(apart) >= 1


def shapes(png):
    return cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR).shape


def test_a_grid_shows_every_picture_in_its_cell():
    reds = [np.full((30, 40, 3), (250 - 40 * i, 0, 0), np.uint8) for i in range(5)]
    png = gallery.grid([*reds[:4], None, reds[4]], columns=3, side=50)
    sheet = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    assert sheet.shape == (2 * (75 + 16) + 16, 3 * (100 + 16) + 16, 3)
    for i, place in enumerate([0, 1, 2, 3, 5]):
        y, x = 16 + 91 * (place // 3) + 37, 16 + 116 * (place % 3) + 50
        assert sheet[y, x].tolist() == [250 - 40 * i, 0, 0]
    assert sheet[16 + 91 + 37, 16 + 116 + 50].tolist() == [255, 255, 255]  # the gap


@pytest.mark.parametrize("y", [np.array([1, 0]), np.array([[0, 1], [1, 0]]), np.array([1.0, 0.0], np.float32), None])
def test_a_batch_is_shown_under_the_names_of_its_labels(y):
    x = np.random.default_rng(0).random((2, 20, 30, 1), np.float32)
    labelled = gallery.grid((x, y), names=["ant", "bee"])
    spoken = gallery.grid(list(x), captions=["bee", "ant"]) if y is not None else gallery.grid(x)
    assert labelled == spoken


def test_bytes_and_floats_of_one_picture_look_the_same():
    image = np.random.default_rng(0).integers(0, 256, (20, 30), np.uint8)
    assert gallery.grid([image]) == gallery.grid([image[..., None] / np.float32(255)])


@pytest.mark.parametrize("caption", ["a" * 200, "many words " * 40, "", "one\ntwo", "\udcff"])
def test_captions_of_any_length_leave_the_grid_as_wide(caption):
    image = np.zeros((20, 30, 3), np.uint8)
    assert shapes(gallery.grid([image], captions=[caption]))[1] == shapes(gallery.grid([image]))[1]


@pytest.mark.parametrize(
    ("images", "options"),
    [([], {}), ([np.zeros((3, 4), np.uint8)], {"columns": 0}), ([None], {"captions": ["a", "b"]})],
)
def test_a_grid_of_nothing_is_refused(images, options):
    with pytest.raises(InputError, match="a grid must have pictures, a caption each or none"):
        gallery.grid(images, **options)
