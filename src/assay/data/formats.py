"""Formats: which parser the bytes of a file may meet. Bytes in, the opened header out; no pixel is decoded."""

import io
import logging
from collections.abc import Callable

from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    PpmImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from ..errors import RefusedError

logging.getLogger("PIL").addHandler(logging.NullHandler())  # else its complaints reach the user's terminal

# Only these parsers ever see a file's bytes, each only what begins as its format does: Pillow's own choice by content
# would hand an EPS named .jpg to Ghostscript.
_READERS: dict[str, Callable[..., ImageFile.ImageFile]] = {
    "JPEG": JpegImagePlugin.JpegImageFile,  # the first picture of an MPO too
    "PNG": PngImagePlugin.PngImageFile,
    "WEBP": WebPImagePlugin.WebPImageFile,
    "GIF": GifImagePlugin.GifImageFile,
    "BMP": BmpImagePlugin.BmpImageFile,
    "TIFF": TiffImagePlugin.TiffImageFile,
    "AVIF": AvifImagePlugin.AvifImageFile,
    "PPM": PpmImagePlugin.PpmImageFile,
}
_BEGINNINGS = [
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"BM", "BMP"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),
    (b"MM\0+", "TIFF"),
]
_AVIF = {b"avif", b"avis"}
_HEIF = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"mif2", b"msf1"}


def open_header(data: bytes) -> tuple[str, ImageFile.ImageFile]:
    """Parse the header with the one parser of the format that the bytes begin with.

    Args:
        data: bytes of the file.

    Returns:
        The name of the format, and the picture opened by Pillow, nothing decoded yet.

    Raises:
        RefusedError: the file is empty, or of a format that assay does not read.
        Exception: of nearly any kind, where the header is broken.
    """
    name = _sniff(data)
    if name != "HEIF":
        return name, _READERS[name](io.BytesIO(data))
    try:
        from pillow_heif import HeifImageFile  # noqa: PLC0415 - an extra
    except ImportError as e:
        raise RefusedError("HEIC not enabled (pip install 'assay[heic]')") from e
    return name, HeifImageFile(io.BytesIO(data))


def _sniff(data: bytes) -> str:
    if not data:
        raise RefusedError("empty file")
    for beginning, name in _BEGINNINGS:
        if data.startswith(beginning):
            return name
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    if data[:1] == b"P" and data[1:2] in b"123456" and data[2:3].isspace():
        return "PPM"
    if data[4:8] == b"ftyp":
        end = min(int.from_bytes(data[:4], "big"), 256)
        brands = {data[8:12], *(data[i : i + 4] for i in range(16, end, 4))}
        if brands & _AVIF:
            return "AVIF"
        if brands & _HEIF:
            return "HEIF"
    names = ", ".join(_READERS)
    raise RefusedError(f"a picture must be {names} or HEIF, got a file that begins with {data[:8]!r}")
