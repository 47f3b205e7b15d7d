"""Whatever the file, a picture comes out upright, sRGB and on white, or it is refused or corrupt with a reason."""

import contextlib
import io
import os
import socket
import struct
import zlib
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from assay.data import pictures
from assay.errors import CorruptError, InputError, PictureError, RefusedError

EXACT = {"PNG": {}, "TIFF": {}, "BMP": {}, "WEBP": {"lossless": True}, "PPM": {}}
LOSSY = {"JPEG": {"quality": 97, "subsampling": 0}, "AVIF": {"quality": 95, "subsampling": "4:4:4"}}
FORMATS = {**EXACT, **LOSSY}
every_format = pytest.mark.parametrize("name", FORMATS)


def smooth(height=60, width=90, seed=0):
    rough = np.random.default_rng(seed).integers(0, 256, (height // 10, width // 10, 3), dtype=np.uint8)
    return cv2.resize(rough, (width, height), interpolation=cv2.INTER_CUBIC)


def save(image, name, **options):
    file = io.BytesIO()
    image = Image.fromarray(image) if isinstance(image, np.ndarray) else image
    image.save(file, name, **options)
    return file.getvalue()


def decode(data, **options):
    return pictures.decode(data, pictures.header(data), **options)


def chunk(name, content):
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png(width, height, *, before=b"", after=b"", rows=1):
    """Build a 1-bit black PNG whose header may promise more rows than there are."""
    start = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(bytes((1 + (width + 7) // 8) * rows)))
    return b"\x89PNG\r\n\x1a\n" + start + before + pixels + after + chunk(b"IEND", b"")


@every_format
def test_a_picture_comes_out_as_it_went_in(name):
    image = smooth()
    data = save(image, name, **FORMATS[name])
    head, found = pictures.header(data), decode(data)
    assert (head.format, head.width, head.height, head.mode, head.notes) == (name, 90, 60, "RGB", ())
    assert found.dtype == np.uint8
    assert found.flags.c_contiguous
    assert np.abs(found.astype(int) - image).mean() <= (0 if name in EXACT else 2)


@every_format
def test_a_grey_file_stays_grey(name):
    image = smooth()[..., 0].copy()
    options = {k: v for k, v in FORMATS[name].items() if k != "subsampling"}
    found = decode(save(image, name, **options))
    if name == "WEBP":  # which knows no grey
        assert found.shape == (60, 90, 3)
    else:
        assert found.shape == (60, 90)
    assert np.abs(found.reshape(60, 90, -1)[..., 0].astype(int) - image).mean() < 2


@pytest.mark.parametrize("name", ["JPEG", "PNG", "TIFF", "WEBP", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_ends_upright(name, orientation):
    image = smooth()
    # EXIF 2.32: where the stored row 0 and column 0 lie in what is seen.
    stored = {
        1: image,
        2: image[:, ::-1],
        3: image[::-1, ::-1],
        4: image[::-1],
        5: image.swapaxes(0, 1),
        6: image.swapaxes(0, 1)[::-1],
        7: image.swapaxes(0, 1)[::-1, ::-1],
        8: image.swapaxes(0, 1)[:, ::-1],
    }[orientation]
    tags = Image.Exif()
    tags[0x0112] = orientation
    data = save(np.ascontiguousarray(stored), name, exif=tags, **FORMATS[name])
    head, found = pictures.header(data), decode(data)
    assert (head.orientation, head.width, head.height) == (orientation, 90, 60)
    assert np.abs(found.astype(int) - image).mean() <= (0 if name in EXACT else 2)
    assert decode(data, shorter=30).shape == (30, 45, 3)


def test_exif_after_the_pixels_of_a_png_counts():
    tags = Image.Exif()
    tags[0x0112] = 6
    data = png(20, 10, rows=10, after=chunk(b"eXIf", tags.tobytes()[6:]))
    assert (pictures.header(data).width, decode(data).shape) == (10, (20, 10))


def test_the_date_is_when_it_was_taken_and_nonsense_is_none():
    tags = Image.Exif()
    tags[0x0132] = "2021:05:06 07:08:09"
    assert pictures.header(save(smooth(), "JPEG", exif=tags)).taken == "2021-05-06T07:08:09"
    tags.get_ifd(0x8769)[0x9003] = "2020:01:02 03:04:05"
    assert pictures.header(save(smooth(), "JPEG", exif=tags)).taken == "2020-01-02T03:04:05"
    tags = Image.Exif()
    tags[0x0132] = "0000:00:00 00:00:00"
    tags[0x0112] = 77
    head = pictures.header(save(smooth(), "JPEG", exif=tags))
    assert (head.taken, head.orientation) == (None, 1)


def test_broken_exif_is_a_note():
    data = save(smooth(), "JPEG")
    data = data[:2] + b"\xff\xe1" + struct.pack(">H", 40) + b"Exif\0\0" + b"junk" * 8 + data[2:]
    assert pictures.header(data).notes == ("bad EXIF ignored",)
    assert decode(data).shape == (60, 90, 3)


RAMP = np.arange(65536, dtype=np.uint16).reshape(256, 256)


@pytest.mark.parametrize("name", ["PNG", "TIFF", "PPM"])
def test_sixteen_bits_of_grey_are_scaled_not_cut(name):
    found = decode(b"P5\n256 256\n65535\n" + RAMP.astype(">u2").tobytes() if name == "PPM" else save(RAMP, name))
    np.testing.assert_allclose(found, RAMP / 65535, atol=1e-6)
    assert found.dtype == np.float32


@pytest.mark.parametrize("name", [".png", ".tiff"])
def test_sixteen_bits_of_colour_are_kept(name):
    image = np.stack([RAMP[:40, :60], RAMP[100:140, :60], RAMP[200:240, :60]], -1)
    data = cv2.imencode(name, image[..., ::-1])[1].tobytes()
    found = decode(data)
    np.testing.assert_allclose(found, image / 65535, atol=1e-6)
    assert found.dtype == np.float32
    with pytest.raises(CorruptError, match=r"truncated|Missing dimensions"):
        decode(data[: len(data) * 2 // 3])


RED = np.zeros((4, 6, 4), np.uint8) + np.array([255, 0, 0, 0], np.uint8)
PALETTE = Image.fromarray(RED[..., :3]).convert("P")


@pytest.mark.parametrize(
    ("data", "shape"),
    [
        (save(RED, "PNG"), (4, 6, 3)),
        (save(RED, "WEBP", lossless=True, exact=True), (4, 6, 3)),
        (save(Image.fromarray(np.zeros((4, 6, 2), np.uint8), "LA"), "PNG"), (4, 6)),
        (save(PALETTE, "PNG", transparency=PALETTE.getpixel((0, 0))), (4, 6, 3)),
        (save(PALETTE, "GIF", transparency=PALETTE.getpixel((0, 0))), (4, 6, 3)),
        (save(np.full((4, 6), 7, np.uint8), "PNG", transparency=7), (4, 6)),
        (save(RED[..., :3].copy(), "PNG", transparency=(255, 0, 0)), (4, 6, 3)),
    ],
    ids=["RGBA", "WebP", "LA", "P", "GIF", "L and a colour", "RGB and a colour"],
)
def test_hidden_colours_stay_hidden(data, shape):
    np.testing.assert_array_equal(decode(data), np.full(shape, 255))


def test_adobe_writes_inks_inverted_and_others_do_not():
    data = save(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "JPEG", quality=97)
    assert decode(data)[8, 8].tolist() == [255, 0, 0]
    at = data.find(b"Adobe") - 4
    plain = data[:at] + data[at + 2 + int.from_bytes(data[at + 2 : at + 4], "big") :]
    assert decode(plain)[8, 8].tolist() == [0, 0, 0]  # the same numbers, read as ink: all of cyan and all of black


def test_rgb_and_progressive_jpegs_have_the_right_colours():
    for options in ({"keep_rgb": True}, {"progressive": True, "subsampling": 0}, {"subsampling": 2}):
        found = decode(save(smooth(), "JPEG", quality=97, **options)).astype(int)
        assert np.abs(found - smooth()).mean() < 3


SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def swapped(profile):
    """Return a profile whose red is blue and whose blue is red."""
    places = {profile[i : i + 4]: i for i in range(132, 132 + 12 * int.from_bytes(profile[128:132], "big"), 12)}
    changed = bytearray(profile)
    for a, b in ((b"rXYZ", b"bXYZ"), (b"bXYZ", b"rXYZ")):
        changed[places[a] : places[a] + 4] = b
    return bytes(changed)


@pytest.mark.parametrize("name", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_colours_are_brought_to_srgb(name):
    plain = decode(save(smooth(), name, **FORMATS[name]))
    same = decode(save(smooth(), name, icc_profile=SRGB, **FORMATS[name]))
    np.testing.assert_array_equal(same, plain)
    other = decode(save(smooth(), name, icc_profile=swapped(SRGB), **FORMATS[name]))
    assert np.abs(other.astype(int) - plain[..., ::-1]).max() <= 2


def test_a_broken_profile_is_a_note():
    data = save(smooth(), "PNG", icc_profile=b"nonsense" * 40)
    assert pictures.header(data).notes == ("bad ICC profile ignored",)
    np.testing.assert_array_equal(decode(data), smooth())


@pytest.mark.parametrize("name", ["GIF", "WEBP", "PNG", "TIFF"])
def test_of_several_frames_the_first_is_taken_and_said_so(name):
    frames = [Image.fromarray(smooth(seed=i)[..., 0].copy()) for i in range(3)]
    options = {"lossless": True} if name == "WEBP" else {}
    data = save(frames[0], name, save_all=True, append_images=frames[1:], **options)
    assert pictures.header(data).notes == ("first of several frames",)
    found = decode(data).reshape(60, 90, -1)[..., 0].astype(int)
    assert np.abs(found - np.asarray(frames[0])).max() <= 1


def averaged(image, factor):
    """Oracle: repeat the last pixels until squares are full, then average each square."""
    height, width = image.shape[:2]
    padded = np.pad(image, [(0, -height % factor), (0, -width % factor), (0, 0)], mode="edge").astype(float)
    return padded.reshape(-(-height // factor), factor, -(-width // factor), factor, 3).mean(axis=(1, 3))


@every_format
@pytest.mark.parametrize(
    ("height", "width", "shorter", "factor"), [(70, 110, 35, 2), (71, 113, 17, 4), (161, 90, 9, 8)]
)
def test_a_reduced_picture_has_the_same_size_whatever_the_format(name, height, width, shorter, factor):
    image = smooth(height + 9, width + 9)[:height, :width].copy()
    found = decode(save(image, name, **FORMATS[name]), shorter=shorter)
    expected = averaged(image, factor)
    assert found.shape == expected.shape
    assert min(found.shape[:2]) >= shorter
    assert np.abs(found - expected).mean() < (0.6 if name in EXACT else 4)


def test_beyond_an_eighth_a_jpeg_is_reduced_further():
    image = smooth(640, 960)
    found = decode(save(image, "JPEG", quality=97), shorter=20)
    assert found.shape == (20, 30, 3)
    assert np.abs(found - averaged(image, 32)).mean() < 3


def test_a_small_picture_is_not_reduced():
    assert decode(save(smooth(), "JPEG"), shorter=61).shape == (60, 90, 3)
    with pytest.raises(InputError, match="shorter must be >= 1, got 0"):
        decode(save(smooth(), "JPEG"), shorter=0)


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (50, 1)])
@pytest.mark.parametrize("name", ["PNG", "JPEG"])
def test_the_thinnest_pictures_come_through(shape, name):
    found = decode(save(np.zeros(shape, np.uint8), name), shorter=160)
    assert found.shape == shape
    assert decode(pictures.thumbnail(found)).shape == shape


@pytest.mark.parametrize("name", [*FORMATS, "GIF"])
def test_a_file_that_ends_early_is_never_half_a_picture(name):
    data = save(smooth(), name, **FORMATS.get(name, {}))
    whole = decode(data)
    for end in [*range(1, 65), *np.linspace(65, len(data) - 1, 40).astype(int)]:
        try:
            found = decode(data[:end])
        except PictureError:
            continue
        assert len(data) - end <= 8, f"a picture from {end} of {len(data)} bytes"  # padding, or the closing mark
        np.testing.assert_array_equal(found, whole)


def test_a_jpeg_that_is_cut_and_closed_again_is_corrupt():
    data = save(smooth(), "JPEG")
    with pytest.raises(CorruptError, match="premature end"):
        decode(data[: len(data) // 2] + b"\xff\xd9")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty file"),
        (
            b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
            "a picture must be JPEG, .* got a file that begins with b'%!PS",
        ),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "got a file that begins with b'<svg"),
        (b"PK\x03\x04" + bytes(40), "got a file that begins with b'PK"),
        (png(13300, 13400), "64 Mpx is the limit, got 13300x13400"),
        (png(30000, 30000), "64 Mpx is the limit, got 30000x30000"),
        (png(20000, 3000), "16384 pixels a side is the limit, got 20000x3000"),
        (png(20, 10, before=chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(9 << 20)))), "Decompressed data too large"),
        (png(20, 10, before=chunk(b"iCCP", b"k\0\0" + zlib.compress(bytes(9 << 20)))), "Decompressed data too large"),
        (save(np.ones((4, 6), np.float32), "TIFF"), "must be of 1 to 16 bits with a fixed scale, got mode F"),
        (save(np.ones((4, 6), np.int32), "TIFF"), "must be of 1 to 16 bits with a fixed scale, got mode I"),
    ],
)
def test_what_is_refused_says_why(data, message):
    with pytest.raises(RefusedError, match=message):
        pictures.header(data)


def test_limits_can_be_set():
    with pytest.raises(RefusedError, match=r"0\.005 Mpx is the limit, got 90x60"):
        pictures.header(save(smooth(), "JPEG"), megapixels=0.005)
    with pytest.raises(RefusedError, match="89 pixels a side is the limit, got 90x60"):
        pictures.header(save(smooth(), "JPEG"), side=89)


@pytest.mark.skipif(find_spec("pillow_heif") is not None, reason="pillow-heif is installed")
def test_heic_without_its_reader_says_how_to_get_it():
    with pytest.raises(RefusedError, match=r"HEIC not enabled \(pip install 'assay\[heic\]'\)"):
        pictures.header(b"\0\0\0\x18ftypheic\0\0\0\0heicmif1")


def broken_tiff():
    data = bytearray(save(Image.fromarray(smooth()[..., 0] > 99), "TIFF", compression="group4"))
    data[8:40] = bytes(range(200, 232))
    return bytes(data)


def broken_deep_png():
    data = cv2.imencode(".png", np.stack([RAMP] * 3, -1))[1].tobytes()
    return data[: len(data) // 2]


@pytest.mark.parametrize("make", [broken_tiff, broken_deep_png])
def test_what_is_broken_prints_nothing(make, capfd):
    with contextlib.suppress(PictureError):
        decode(make())
    assert capfd.readouterr().err == ""


SEEDS = [save(smooth(), name, **options) for name, options in [*FORMATS.items(), ("GIF", {})]]


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(SEEDS), st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=30))
def test_no_change_of_bytes_raises_anything_else(data, changes):
    changed = bytearray(data)
    for place, value in changes:
        changed[int(place**3 * (len(data) - 1))] = value  # headers are at the front
    try:
        found = decode(bytes(changed), shorter=20)
    except PictureError:
        return
    assert found.ndim in {2, 3}


@given(st.binary(max_size=300), st.sampled_from([b"", *(seed[:12] for seed in SEEDS), b"\0\0\0\x20ftyp", b"P6 "]))
def test_no_bytes_raise_anything_else(data, beginning):
    with contextlib.suppress(PictureError):
        pictures.header(beginning + data)


def test_read_bytes_gives_the_bytes_and_the_status(tmp_path):
    file = tmp_path / "a.bin"
    file.write_bytes(b"abc" * 1000)
    data, status = pictures.read_bytes(file)
    assert (data, status.st_size, status.st_mtime_ns) == (b"abc" * 1000, 3000, file.stat().st_mtime_ns)
    with pytest.raises(RefusedError, match="2,999 bytes is the limit, got 3,000"):
        pictures.read_bytes(file, limit=2999)
    (tmp_path / "none").write_bytes(b"")
    assert pictures.read_bytes(tmp_path / "none")[0] == b""


def test_what_is_no_file_is_never_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "folder.jpg").mkdir()
    for path in (tmp_path / "pipe.jpg", tmp_path / "folder.jpg", Path("/dev/zero")):
        with pytest.raises(RefusedError, match="not a regular file"):
            pictures.read_bytes(path)
    (tmp_path / "link.jpg").symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket.jpg"))
        for name in ("link.jpg", "socket.jpg", "gone.jpg"):
            with pytest.raises(OSError, match=name):
                pictures.read_bytes(tmp_path / name)


def test_read_does_it_all_and_names_the_file(tmp_path):
    (tmp_path / "a.png").write_bytes(save(smooth(), "PNG"))
    np.testing.assert_array_equal(pictures.read(tmp_path / "a.png"), smooth())
    assert pictures.read(tmp_path / "a.png", shorter=15).shape == (15, 23, 3)
    (tmp_path / "b.png").write_bytes(b"")
    with pytest.raises(RefusedError, match=r"empty file, in .*b\.png"):
        pictures.read(tmp_path / "b.png")
    (tmp_path / "c.png").write_bytes(save(smooth(), "PNG")[:500])
    with pytest.raises(CorruptError, match=r"truncated.*, in .*c\.png"):
        pictures.read(tmp_path / "c.png")


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("grey", [True, False])
def test_a_thumbnail_is_a_small_jpeg_of_the_same_picture(dtype, grey):
    image = cv2.resize(smooth(), (450, 300), interpolation=cv2.INTER_CUBIC)
    image = image[..., 0].copy() if grey else image
    scaled = image if dtype == np.uint8 else (image / 255).astype(np.float32)
    found = decode(pictures.thumbnail(scaled, side=90))
    assert found.shape == ((60, 90) if grey else (60, 90, 3))
    expected = cv2.resize(image, (90, 60), interpolation=cv2.INTER_AREA)
    assert np.abs(found.astype(int) - expected).mean() < 4
    assert decode(pictures.thumbnail(scaled[:50, :40], side=90)).shape[:2] == (50, 40)


@pytest.mark.parametrize("grey", [False, True])
@pytest.mark.parametrize("suffix", [".png", ".tif", ".tiff", ".bmp"])
def test_what_is_written_without_loss_is_read_as_it_was(tmp_path, suffix, grey):
    image = smooth()[..., 0] if grey else smooth()
    pictures.write(tmp_path / f"a{suffix}", image)
    np.testing.assert_array_equal(pictures.read(tmp_path / f"a{suffix}"), image)
    assert [p.name for p in tmp_path.iterdir()] == [f"a{suffix}"]


@pytest.mark.parametrize("grey", [False, True])
@pytest.mark.parametrize("suffix", [".jpg", ".JPEG", ".webp"])
def test_quality_is_paid_for_in_bytes(tmp_path, suffix, grey):
    image = smooth()[..., 0] if grey else smooth()
    for quality in (95, 20):
        pictures.write(tmp_path / f"{quality}{suffix}", image, quality=quality)
    found = pictures.read(tmp_path / f"95{suffix}")
    found = found if found.ndim == image.ndim else found[..., 0]  # WebP knows no grey
    assert np.abs(found.astype(int) - image).mean() < 3
    assert (tmp_path / f"95{suffix}").stat().st_size > (tmp_path / f"20{suffix}").stat().st_size


@pytest.mark.parametrize(("suffix", "error"), [(".png", 1 / 65535), (".tif", 1 / 65535), (".bmp", 1 / 255)])
def test_floats_are_written_as_deep_as_the_format_goes(tmp_path, suffix, error):
    image = smooth().astype(np.float32) / 255 * np.float32(0.77)
    pictures.write(tmp_path / f"a{suffix}", image)
    found = pictures.read(tmp_path / f"a{suffix}")
    found = found if found.dtype == np.float32 else found / np.float32(255)
    np.testing.assert_allclose(found, image, atol=0.51 * error)


def test_what_cannot_be_written_leaves_what_was_there(tmp_path):
    image, path = smooth(), tmp_path / "a.png"
    pictures.write(path, image)
    (tmp_path / ".a.png.new").mkdir()  # the draft cannot be made
    with pytest.raises(OSError, match="a directory"):
        pictures.write(path, image[::-1])
    np.testing.assert_array_equal(pictures.read(path), image)
    for name, options in (("a.gif", {}), ("a", {}), ("a.jpg", {"quality": 0})):
        with pytest.raises(InputError, match=r"a file must end in .*, quality 1 to 100, got "):
            pictures.write(tmp_path / name, image, **options)
    for wrong in (np.zeros((0, 4), np.uint8), np.zeros((3, 4, 4), np.uint8)):
        with pytest.raises(InputError, match=r"a picture must be \(H, W\) or \(H, W, 3\)"):
            pictures.write(path, wrong)
