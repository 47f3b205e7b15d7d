"""EXIF: how a camera was held, and when. An opened picture in, two facts out. No pixel is decoded."""

import struct
from dataclasses import dataclass
from datetime import datetime

from PIL import Image, ImageFile

_ORIENTATION, _DETAILS = 0x0112, 0x8769
_CHANGED, _TAKEN, _DIGITISED = 0x0132, 0x9003, 0x9004


@dataclass(frozen=True, slots=True)
class Tags:
    """orientation: 1 to 8; taken: date and time in ISO form, or None."""

    orientation: int
    taken: str | None


def read(data: bytes, image: ImageFile.ImageFile) -> Tags:
    """Read orientation and date.

    Args:
        data: bytes of the file.
        image: the file opened by Pillow, nothing decoded yet.

    Returns:
        The tags; upright and without a date where the file says nothing, or nonsense.

    Raises:
        Exception: of nearly any kind, where the block is broken; the picture may still be fine.
    """
    if image.format in {"TIFF", "HEIF"}:
        tags = image.getexif()
    else:
        block = image.info.get("exif") or (_late(data) if image.format == "PNG" else None)
        if not block:
            return Tags(1, None)
        tags = Image.Exif()
        tags.load(block)
    orientation, details = tags.get(_ORIENTATION, 1), tags.get_ifd(_DETAILS)
    dates = (_iso(date) for date in (details.get(_TAKEN), details.get(_DIGITISED), tags.get(_CHANGED)))
    known = isinstance(orientation, int) and 1 <= orientation <= 8
    return Tags(orientation if known else 1, next(filter(None, dates), None))


def _iso(date: object) -> str | None:
    try:
        return datetime.strptime(str(date).strip(" \0"), "%Y:%m:%d %H:%M:%S").isoformat()  # noqa: DTZ007 - cameras know no zone
    except ValueError:
        return None


def _late(data: bytes) -> bytes | None:
    """Find the EXIF chunk of a PNG that stands after the pixels, where Pillow looks only when it decodes."""
    at = 8 if b"eXIf" in data else len(data)
    while at + 8 <= len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        if name == b"eXIf":
            return data[at + 8 : at + 8 + length]
        at += 12 + length
    return None
