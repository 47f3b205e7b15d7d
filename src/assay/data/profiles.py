"""Colour profiles: pixels and an ICC profile in, sRGB pixels out. A broken profile is a note, never a failure."""

import functools
import io

import numpy as np
from PIL import Image, ImageCms

_BYTES = 4 << 20  # that a profile has at most; those of printers have 3 MB
_SRGB = ImageCms.createProfile("sRGB")
_CLOSE = 3  # grey levels by which a profile may differ from sRGB and still pass for it


@functools.lru_cache(maxsize=64)
def correction(profile: bytes, mode: str) -> tuple[str | None, ImageCms.ImageCmsTransform | None]:
    """Build the way from a profile to sRGB; cameras and programs use few profiles, so each is built once.

    Args:
        profile: ICC.
        mode: "L", "RGB" or "CMYK", what the pixels are.

    Returns:
        A note on why the profile cannot be used, or None; and the way, or None where none is needed.
    """
    if len(profile) > _BYTES:
        return f"ICC profile of {len(profile):,} bytes ignored", None
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        space = source.profile.xcolor_space.strip()
        if space != {"L": "GRAY"}.get(mode, mode):
            # Programs leave the RGB profile on what they turn grey; its greys are not worth a word.
            return (None if mode == "L" else f"ICC profile for {space} ignored"), None
        transform = ImageCms.buildTransform(source, _SRGB, mode, "RGB")
        steps = np.linspace(0, 255, 6).astype(np.uint8)
        if mode == "CMYK":
            return None, transform
        colours = np.stack(np.meshgrid(steps, steps, steps), -1).reshape(6, 36, 3) if mode == "RGB" else steps[None]
        seen = _apply(Image.fromarray(colours), transform).astype(int)
    except Exception:  # noqa: BLE001 - a broken profile may raise anything, and the picture is still a picture
        return "bad ICC profile ignored", None
    expected = colours if mode == "RGB" else colours[..., None]
    return None, (None if np.abs(seen - expected).max() <= _CLOSE else transform)


def to_srgb(image: np.ndarray, profile: bytes) -> np.ndarray:
    """Bring a picture to sRGB.

    Args:
        image: picture, uint8.
        profile: ICC, of its colours.

    Returns:
        uint8 of the same shape; the picture as it is where the profile says sRGB, or cannot be used.
    """
    transform = correction(profile, "L" if image.ndim == 2 else "RGB")[1]
    if transform is None:
        return image
    result = _apply(Image.fromarray(np.ascontiguousarray(image)), transform)
    return result[..., 1] if image.ndim == 2 else result


def inks_to_srgb(image: Image.Image, profile: bytes | None) -> np.ndarray:
    """Bring a picture in inks to sRGB.

    Args:
        image: CMYK, 255 being full ink.
        profile: ICC, of its inks, or None.

    Returns:
        uint8 (H, W, 3). Without a usable profile each ink takes its share of its own complement.
    """
    transform = correction(profile, "CMYK")[1] if profile else None
    return np.asarray(image.convert("RGB")) if transform is None else _apply(image, transform)


def _apply(image: Image.Image, transform: ImageCms.ImageCmsTransform) -> np.ndarray:
    result = ImageCms.applyTransform(image, transform)
    return np.asarray(result)
