"""Pictures: bytes of a file in, its facts from the header or its pixels out.

The only reader and writer of pictures. A picture comes out sRGB, upright and on white, C-contiguous, (H, W) grey or
(H, W, 3) RGB: uint8 in 0..255, or float32 in 0..1 where the file is deeper. Bytes that are no such picture end as
RefusedError or CorruptError and as nothing else. No file is ever changed, and nothing is decoded before its header is
within the limits.
"""

import os
import stat
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import simplejpeg
from PIL import Image, ImageChops, ImageFile, TiffImagePlugin

from ..errors import CorruptError, InputError, PictureError, RefusedError
from ..pixels import colour, geometry
from . import delivery, exif, formats, profiles

FAULTS = (OSError, RefusedError, CorruptError)  # what reading a file may end in
_TURNED = {"TIFF", "HEIF"}  # whose readers give sizes and pixels upright by themselves
# What Pillow says of files that are whole, but of a kind it does not read: 12-bit JPEGs, or texts that inflate.
_UNREAD = ("cannot handle", "Unsupported", "unknown pixel mode", "Decompressed data too large", "Too much memory")
_ALPHA = {"LA", "La", "PA", "RGBA", "RGBa"}
_DEEP = {"I;16", "I;16L", "I;16B", "I;16N"}
_GREY = {"1", "L", "LA", "La"}
_SIXTEEN = (".png", ".tif", ".tiff")  # which hold 16 bits
_LOSSY = {".jpg": cv2.IMWRITE_JPEG_QUALITY, ".jpeg": cv2.IMWRITE_JPEG_QUALITY, ".webp": cv2.IMWRITE_WEBP_QUALITY}
_MODES = {"1", "L", "P", "RGB", "RGBX", "CMYK", "YCbCr"} | _ALPHA | _DEEP


@dataclass(frozen=True, slots=True)
class Header:
    """What the header of a picture says, without its pixels.

    format: JPEG, PNG, WEBP, GIF, BMP, TIFF, AVIF, PPM or HEIF; width, height: in pixels, of the upright picture;
    mode: Pillow's name of the file's pixel kind; orientation: EXIF, 1 to 8; taken: date and time in ISO form, or None;
    profile: ICC, or None; notes: what a reader should know about the file.
    """

    format: str
    width: int
    height: int
    mode: str
    orientation: int
    taken: str | None
    profile: bytes | None
    notes: tuple[str, ...]


def read_bytes(path: str | bytes | os.PathLike[str], *, limit: int = 512 << 20) -> tuple[bytes, os.stat_result]:
    """Read a whole file, if it is one: no pipe, device, socket or folder, and no link. Never blocks.

    Args:
        path: of the file.
        limit: bytes that it has at most.

    Returns:
        Its bytes, and its status as it was when opened.

    Raises:
        OSError: it cannot be opened or read; a link is not followed.
        RefusedError: it is no regular file, or over the limit.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise RefusedError("not a regular file")
        pieces: list[bytes] = []
        total = 0
        while total <= limit and status.st_size <= limit:
            piece = os.read(descriptor, min(max(status.st_size - total, 0) + 1, limit + 1))
            if not piece:
                return b"".join(pieces), status
            pieces.append(piece)
            total += len(piece)
    finally:
        os.close(descriptor)
    raise RefusedError(f"{limit:,} bytes is the limit, got {max(total, status.st_size):,}")


def header(data: bytes, *, megapixels: float = 64, side: int = 16384) -> Header:
    """Read the header of a picture, and refuse what is no picture or too large before any pixel is decoded.

    Args:
        data: bytes of the file.
        megapixels: millions of pixels that it has at most.
        side: pixels that its longer side has at most.

    Returns:
        The header. Frames are never counted; broken colour profiles and EXIF are noted and ignored.

    Raises:
        RefusedError: empty, of a format that assay does not read, over the limits, or of a kind without a fixed scale.
        CorruptError: the header is broken.
    """
    with _as_picture_error():
        format_, image = formats.open_header(data)
        stored, notes = image.mode, []
        try:
            tags = exif.read(data, image)
        except Exception:  # noqa: BLE001 - whatever a broken block of metadata raises, the picture may be fine
            tags, notes = exif.Tags(1, None), ["bad EXIF ignored"]
        width, height = image.size
        if min(width, height) < 1:
            raise CorruptError(f"a picture must have pixels, got {width}x{height}")
        if tags.orientation > 4 and format_ not in _TURNED:
            width, height = height, width
        if width * height > megapixels * 1e6:
            raise RefusedError(f"{megapixels:g} Mpx is the limit, got {width}x{height}")
        if max(width, height) > side:
            raise RefusedError(f"{side} pixels a side is the limit, got {width}x{height}")
        if stored not in _MODES and (format_, stored) != ("PPM", "I"):
            raise RefusedError(f"pixels must be of 1 to 16 bits with a fixed scale, got mode {stored}")
        profile = image.info.get("icc_profile")
        if profile:
            note = profiles.correction(profile, _kind(stored))[0]
            notes += [note] if note else []
        if getattr(image, "is_animated", False) or "mp" in image.info:
            notes.append("first of several frames")
        return Header(format_, width, height, stored, tags.orientation, tags.taken, profile, tuple(notes))


def decode(data: bytes, head: Header, *, shorter: int | None = None) -> np.ndarray:
    """Decode a picture, at need smaller.

    Args:
        data: bytes of the file.
        head: its header.
        shorter: pixels that the shorter side keeps at least, >= 1: both sides are divided by the largest power of two
            that allows it, rounded up. None, or a picture that is smaller already, leaves the size as it is.

    Returns:
        The picture. Reduced pixels are means over squares of the picture; in JPEGs, libjpeg's reduced decoding.

    Raises:
        InputError: shorter is less than 1.
        RefusedError: it needs more memory than there is, or a frame is over the limits.
        CorruptError: it is broken or ends too early; half a picture is never returned.
    """
    if shorter is not None and shorter < 1:
        raise InputError(f"shorter must be >= 1, got {shorter!r}")
    halvings = 0
    while shorter is not None and -(-min(head.width, head.height) // 2 ** (halvings + 1)) >= max(shorter, 2):
        halvings += 1
    with _as_picture_error(), _silence() if head.format == "TIFF" else nullcontext():
        if head.format == "JPEG" and head.mode in {"L", "RGB"}:
            pixels, done = _jpeg(data, head, halvings)
            pixels = geometry.upright(geometry.halve(pixels, times=halvings - done), orientation=head.orientation)
        else:
            pixels = geometry.halve(_pixels(data, head), times=halvings)
        if pixels.dtype == np.uint16:
            pixels = pixels * np.float32(1 / 65535)
        if head.profile and head.mode != "CMYK" and pixels.dtype == np.uint8:
            pixels = profiles.to_srgb(pixels, head.profile)
        return np.ascontiguousarray(pixels)


def read(path: str | os.PathLike[str], *, shorter: int | None = None) -> np.ndarray:
    """Read a picture from a file.

    Args:
        path: of the file.
        shorter: as in `decode`.

    Returns:
        The picture, (H, W) grey or (H, W, 3) RGB, upright; uint8, or float32 in 0..1 where the file is deeper.

    Raises:
        OSError: the file cannot be opened or read.
        RefusedError: it is not of a kind, or not within the limits, that assay reads.
        CorruptError: it is broken.
    """
    try:
        data, _ = read_bytes(Path(path).resolve())
        return decode(data, header(data), shorter=shorter)
    except PictureError as e:
        raise type(e)(f"{e}, in {os.fspath(path)}") from e


def fault(error: OSError | PictureError) -> tuple[str, str]:
    """Say why a file is no picture.

    Args:
        error: one of FAULTS.

    Returns:
        Its status, "unreadable", "refused" or "corrupt"; and the reason.
    """
    if isinstance(error, OSError):
        return "unreadable", error.strerror or str(error)
    return "refused" if isinstance(error, RefusedError) else "corrupt", str(error)


def write(path: str | os.PathLike[str], image: np.ndarray, *, quality: int = 90) -> None:
    """Write a picture to a file, whole or not at all.

    Args:
        path: of the file; its suffix is the format: .png, .jpg, .jpeg, .tif, .tiff, .webp or .bmp.
        image: picture; float32 is written with 16 bits in PNG and TIFF, with 8 elsewhere.
        quality: of a JPEG or WebP, 1 to 100.

    Raises:
        InputError: the suffix or the quality is another, or it is no picture.
        OSError: it cannot be written; what was there before then stands.
    """
    path, kind = Path(path), Path(path).suffix.lower()
    if kind not in (known := (*_SIXTEEN, *_LOSSY, ".bmp")) or not 1 <= quality <= 100:
        raise InputError(f"a file must end in {', '.join(known)}, quality 1 to 100, got {path} and {quality!r}")
    if image.size == 0 or image.ndim not in {2, 3} or (image.ndim == 3 and image.shape[2] != 3):
        raise InputError(f"a picture must be (H, W) or (H, W, 3) with pixels in it, got {image.shape}")
    deep = image.dtype == np.float32 and kind in _SIXTEEN
    pixels = (np.clip(image, 0, 1) * 65535 + 0.5).astype(np.uint16) if deep else colour.to_uint8(image)
    pixels = np.ascontiguousarray(pixels[..., ::-1] if image.ndim == 3 else pixels)
    data = cv2.imencode(kind, pixels, [_LOSSY[kind], quality] if kind in _LOSSY else [])[1].tobytes()
    delivery.swap(path, data)


def thumbnail(image: np.ndarray, *, side: int = 128) -> bytes:
    """Make a small JPEG.

    Args:
        image: picture.
        side: pixels that its longer side has at most.

    Returns:
        JPEG bytes; the aspect is kept, a smaller picture is not enlarged, grey stays grey.
    """
    small = np.ascontiguousarray(colour.to_uint8(geometry.fit(image, side=side)))
    if small.ndim == 2:
        return bytes(simplejpeg.encode_jpeg(small[..., None], 80, "GRAY", "Gray"))
    return bytes(simplejpeg.encode_jpeg(small, 80, "RGB", "420"))


@contextmanager
def _as_picture_error() -> Iterator[None]:
    """Turn whatever a decoder raises about bad bytes into what assay raises: the one place where this happens."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            yield
    except PictureError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as e:
        raise RefusedError("a frame is larger than the limit") from e
    except MemoryError as e:
        raise RefusedError("needs more memory than allowed") from e
    except Exception as e:  # decoders raise nearly every kind there is
        reason = " ".join(str(e).split())[:200] or type(e).__name__
        if reason.startswith(_UNREAD):
            raise RefusedError(reason) from e
        raise CorruptError(reason) from e


@contextmanager
def _silence() -> Iterator[None]:
    """Keep a C library that prints its complaints off the user's terminal; what matters comes back as an error."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _jpeg(data: bytes, head: Header, halvings: int) -> tuple[np.ndarray, int]:
    """Decode a grey or RGB JPEG, reduced as far as libjpeg does it; also return how often it has halved."""
    done = min(halvings, 3)
    width, height = (-(-length // 2**done) for length in (head.width, head.height))
    if head.orientation > 4:
        width, height = height, width
    space = "GRAY" if head.mode == "L" else "RGB"
    try:
        pixels = simplejpeg.decode_jpeg(data, space, min_height=height, min_width=width)
    except ValueError as e:
        if "premature end" in str(e).lower():
            raise CorruptError(str(e)) from e
        # Stray bytes, rare subsampling and the like: Pillow reads more kinds, and raises at an early end too.
        return _array(formats.open_header(data)[1]), 0
    if pixels.shape[:2] != (height, width):
        raise CorruptError(f"the header promises {width}x{height}, got {pixels.shape[1]}x{pixels.shape[0]}")
    return (pixels[..., 0] if head.mode == "L" else pixels), done


def _pixels(data: bytes, head: Header) -> np.ndarray:
    """Decode anything but a plain JPEG: whole, upright, on white, uint8 or uint16."""
    _, image = formats.open_header(data)
    deep = _deep_colour(data, image)
    if deep is not None:
        return geometry.upright(deep, orientation=head.orientation)
    if head.mode == "CMYK":
        # Adobe writes inks inverted, and says so; Pillow takes that for granted.
        inks = ImageChops.invert(image) if head.format == "JPEG" and "adobe" not in image.info else image
        pixels = profiles.inks_to_srgb(inks, head.profile)
    elif head.mode in _DEEP:
        pixels = _array(image).astype(np.uint16, copy=False)
    elif head.mode == "I":  # of a PGM, which Pillow has brought to 16 bits
        pixels = np.clip(_array(image), 0, 65535).astype(np.uint16)
    elif head.mode in _ALPHA or "transparency" in image.info:
        image.load()
        both = _array(image, "LA" if head.mode in _GREY else "RGBA")
        pixels = colour.on_white(both[..., :-1], both[..., -1])
    elif head.mode in _GREY:
        pixels = _array(image, "L")
    else:
        pixels = _array(image, "RGB")
    return pixels if head.format in _TURNED else geometry.upright(pixels, orientation=head.orientation)


def _array(image: Image.Image, mode: str = "") -> np.ndarray:
    return np.asarray(image.convert(mode) if mode and image.mode != mode else image)


def _deep_colour(data: bytes, image: ImageFile.ImageFile) -> np.ndarray | None:
    """Read PNG and TIFF of 16 bits and several channels, which Pillow cuts to 8; None for anything else."""
    if image.format == "PNG":
        deep = data[24] == 16 and data[25] in {2, 4, 6}
    else:
        deep = (
            isinstance(image, TiffImagePlugin.TiffImageFile)
            and set(image.tag_v2.get(258, ())) == {16}
            and image.mode in {"RGB", "RGBA"}
        )
    if not deep:
        return None
    size = image.size  # upright in a TIFF
    image.load()  # raises where the file is broken, where OpenCV would print
    found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if found is None or found.dtype != np.uint16 or sorted(found.shape[:2]) != sorted(size) or found.ndim != 3:
        return None
    colours = found[..., 0] if image.mode == "LA" else found[..., 2::-1]
    return colour.on_white(colours, found[..., 3]) if found.shape[2] == 4 else np.ascontiguousarray(colours)


def _kind(mode: str) -> str:
    return "CMYK" if mode == "CMYK" else "L" if mode in _GREY | _DEEP | {"I"} else "RGB"
