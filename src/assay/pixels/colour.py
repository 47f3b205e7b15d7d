"""Colour: to grey, to other spaces and back, to 8 bits, onto white. A picture in, an array out; the input is kept.

Values of other spaces are float32 (H, W, 3), whatever the picture was: hue in degrees, saturation and value in 0..1;
L* in 0..100, a* and b*.
"""

from collections.abc import Callable

import cv2
import numpy as np

from ..errors import InputError
from .picture import checked

CHANNELS = {"red": 0, "green": 1, "blue": 2}
# sRGB (IEC 61966-2-1) under D65: linear RGB to XYZ, in rows.
_XYZ = np.array(
    [[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]], np.float64
)
_WHITE = _XYZ.sum(axis=1)  # so that grey is exactly without colour
_LINEAR = 6 / 29  # cube root below which L* is linear, so that black has no infinite slope
_BAND = 256  # rows that are laid on white at a time, so that a large picture needs no second one in floats


def grey(image: np.ndarray) -> np.ndarray:
    """Weigh the channels as the eye does: 0.299 red + 0.587 green + 0.114 blue.

    Args:
        image: picture, uint8 or float32, (H, W) or (H, W, 3).

    Returns:
        (H, W) of the same dtype; a picture that is grey is returned as it is, not copied.

    Source: ITU-R BT.601 luma, OpenCV `COLOR_RGB2GRAY`.

    >>> grey(np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]]], np.uint8))
    array([[ 76, 150,  29]], dtype=uint8)
    """
    return image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)


def grey_linear(image: np.ndarray) -> np.ndarray:
    """Weigh the channels by the light they give off: sRGB is decoded, weighed and encoded again.

    Args:
        image: picture, uint8 or float32, (H, W) or (H, W, 3).

    Returns:
        (H, W) of the same dtype, as bright as the colours were; a grey picture is returned as it is, not copied.

    Raises:
        InputError: image is no picture.

    Source: ITU-R BT.709 luminance, IEC 61966-2-1.

    >>> grey_linear(np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]]], np.uint8))
    array([[127, 220,  76]], dtype=uint8)
    """
    picture = checked(image)
    if picture.ndim == 2:
        return picture
    found = _encode(cv2.transform(_decode(picture), _XYZ[1:2]))
    return to_uint8(found) if picture.dtype == np.uint8 else np.asarray(found)


def hsv(image: np.ndarray) -> np.ndarray:
    """Tell hue, saturation and value apart.

    Args:
        image: picture, uint8 or float32, (H, W) or (H, W, 3).

    Returns:
        float32 (H, W, 3): hue in degrees, 0 to 360, 0 where there is none; saturation and value, 0 to 1.

    Raises:
        InputError: image is no picture.

    >>> hsv(np.array([[[255, 0, 0], [0, 0, 255]]], np.uint8)).round(3).tolist()
    [[[0.0, 1.0, 1.0], [240.0, 1.0, 1.0]]]
    """
    found: np.ndarray = cv2.cvtColor(_floats(image), cv2.COLOR_RGB2HSV)
    return found


def from_hsv(values: np.ndarray) -> np.ndarray:
    """Turn hue, saturation and value back into a picture.

    Args:
        values: float32 (H, W, 3) as `hsv` gives them; any angle is a hue.

    Returns:
        Picture, float32 (H, W, 3).
    """
    turned = np.stack([values[..., 0] % 360, values[..., 1], values[..., 2]], axis=-1)
    turned = np.asarray(np.clip(turned, 0, [360, 1, 1]), np.float32)
    return np.asarray(cv2.cvtColor(turned, cv2.COLOR_HSV2RGB))


def lab(image: np.ndarray) -> np.ndarray:
    """Give colours as the eye tells them apart: CIE L*a*b* under D65.

    Args:
        image: picture, uint8 or float32, (H, W) or (H, W, 3).

    Returns:
        float32 (H, W, 3): lightness L*, 0 to 100; a*, green to red; b*, blue to yellow.

    Raises:
        InputError: image is no picture.

    Source: CIE 15:2004; OpenCV's own is off by up to 0.4.

    >>> lab(np.array([[[255, 0, 0]]], np.uint8)).round(1)
    array([[[53.2, 80.1, 67.2]]], dtype=float32)
    """
    xyz = cv2.transform(_decode(rgb(image)), _XYZ / _WHITE[:, None])
    root = np.where(xyz > _LINEAR**3, np.cbrt(xyz), xyz / (3 * _LINEAR**2) + 4 / 29)
    x, y, z = cv2.split(root.astype(np.float32))
    return cv2.merge([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def from_lab(values: np.ndarray) -> np.ndarray:
    """Turn L*a*b* back into a picture.

    Args:
        values: float32 (H, W, 3) as `lab` gives them.

    Returns:
        Picture, float32 (H, W, 3); colours that no screen shows are brought to the nearest end of each channel.
    """
    lightness, a, b = cv2.split(np.ascontiguousarray(values, np.float32))
    y = (lightness + 16) / 116
    root = cv2.merge([y + a / 500, y, y - b / 200])
    xyz = np.where(root > _LINEAR, root**3, 3 * _LINEAR**2 * (root - 4 / 29)).astype(np.float32)
    return _encode(cv2.transform(xyz, np.linalg.inv(_XYZ / _WHITE[:, None])))


def channel(image: np.ndarray, *, name: str) -> np.ndarray:
    """Take one channel as a grey picture.

    Args:
        image: picture, (H, W, 3).
        name: "red", "green" or "blue".

    Returns:
        A copy, (H, W).

    Raises:
        InputError: the picture has no such channel.
    """
    return checked(image)[..., channel_index(image, name)].copy()


def split(image: np.ndarray) -> dict[str, np.ndarray]:
    """Show each channel in its own colour.

    Args:
        image: picture, (H, W, 3).

    Returns:
        Pictures (H, W, 3) by name, "red", "green" and "blue", whose other channels are 0; they add up to the picture.

    Raises:
        InputError: the picture is grey.
    """
    picture = checked(image)
    layers = {name: np.zeros_like(picture) for name in CHANNELS if channel_index(picture, name) is not None}
    for name, layer in layers.items():
        layer[..., CHANNELS[name]] = picture[..., CHANNELS[name]]
    return layers


def channel_index(image: np.ndarray, name: str) -> int:
    """Say where a channel lies in a picture.

    Args:
        image: picture.
        name: "red", "green" or "blue".

    Returns:
        0, 1 or 2.

    Raises:
        InputError: the picture is grey, or there is no channel of that name.
    """
    if name not in CHANNELS:
        raise InputError(f"channel must be one of {', '.join(CHANNELS)}, got {name!r}")
    if image.ndim != 3:
        raise InputError(f"a picture must be (H, W, 3) to have a {name} channel, got {image.shape}")
    return CHANNELS[name]


def rgb(image: np.ndarray) -> np.ndarray:
    """Give a picture three channels.

    Args:
        image: picture.

    Returns:
        (H, W, 3), of the same dtype; grey is three equal channels, colour is returned as it is, not copied.

    Raises:
        InputError: image is no picture.
    """
    picture = checked(image)
    return picture if picture.ndim == 3 else cv2.cvtColor(picture, cv2.COLOR_GRAY2RGB)


def to_uint8(image: np.ndarray) -> np.ndarray:
    """Bring a picture to 8 bits.

    Args:
        image: picture, uint8 or float32, (H, W) or (H, W, 3).

    Returns:
        uint8 of the same shape; floats are clipped to 0..1 and rounded; uint8 is returned as it is, not copied.

    Raises:
        InputError: the dtype is another.

    >>> to_uint8(np.array([[0, 0.5, 1.2]], np.float32))
    array([[  0, 128, 255]], dtype=uint8)
    """
    if image.dtype == np.uint8:
        return image
    if image.dtype != np.float32:
        raise InputError(f"a picture must be uint8 or float32, got {image.dtype}")
    return np.asarray(np.clip(image, 0, 1) * 255 + 0.5).astype(np.uint8)


def on_white(colours: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Lay transparent colours on white.

    Args:
        colours: uint8 or uint16, (H, W), (H, W, 1) or (H, W, 3), not multiplied by alpha.
        alpha: same dtype, (H, W); the largest value is opaque.

    Returns:
        What is seen, same dtype, (H, W) or (H, W, 3); an opaque pixel keeps its colour exactly.

    >>> on_white(np.array([[[255, 0, 0], [255, 0, 0]]], np.uint8), np.array([[0, 255]], np.uint8)).tolist()
    [[[255, 255, 255], [255, 0, 0]]]
    """
    colours = colours[..., 0] if colours.ndim == 3 and colours.shape[2] == 1 else colours
    white = np.iinfo(colours.dtype).max
    result = np.empty(colours.shape, colours.dtype)
    for top in range(0, len(alpha), _BAND):
        rows = slice(top, top + _BAND)
        opacity = alpha[rows].astype(np.float32) / white
        if colours.ndim == 3:
            opacity = opacity[..., None]
        result[rows] = white - (white - colours[rows].astype(np.float32)) * opacity + 0.5
    return result


def through(
    picture: np.ndarray, *, space: str, work: Callable[[np.ndarray], np.ndarray], overshoots: bool = False
) -> np.ndarray:
    """Filter a picture in a colour space, and bring the result back to what the picture was.

    Args:
        picture: one that `picture.checked` has let through.
        space: "rgb", "hsv" or "lab"; grey is filtered as it is.
        work: gets the checked picture, or float32 (H, W, 3) in which 1 is from black to white; gives the same kind.
        overshoots: work goes beyond black and white, where float32 is to be cut off.

    Returns:
        Picture, same shape and dtype.

    Raises:
        InputError: there is no such space.
    """
    if space not in ("rgb", *SPACES):
        raise InputError(f"space must be one of {', '.join(('rgb', *SPACES))}, got {space!r}")
    if space == "rgb" or picture.ndim == 2:
        result = work(picture)
        return np.clip(result, 0, 1, out=result) if overshoots and result.dtype == np.float32 else result
    into, back = SPACES[space]
    found = back(work(into(picture)))
    return to_uint8(found) if picture.dtype == np.uint8 else found


def _floats(image: np.ndarray) -> np.ndarray:
    picture = rgb(image)
    return picture if picture.dtype == np.float32 else np.asarray(picture / 255, np.float32)


def _decode(picture: np.ndarray) -> np.ndarray:
    """Return linear light in 0..1."""
    table = picture if picture.dtype == np.float32 else (np.arange(256) / 255).astype(np.float32)
    linear = np.where(table <= 0.04045, table / 12.92, (np.maximum(table + 0.055, 0) / 1.055) ** 2.4)
    linear = linear.astype(np.float32)
    return np.asarray(linear if picture.dtype == np.float32 else linear[picture])


def _encode(linear: np.ndarray) -> np.ndarray:
    """Return sRGB in 0..1, of light that may be out of range."""
    light = np.clip(linear, 0, 1)
    encoded = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.asarray(np.clip(encoded, 0, 1), np.float32)


def _to_disc(image: np.ndarray) -> np.ndarray:
    """Lay hue and saturation out as a disc, so that colours near each other are near, red on both sides of 0 too."""
    hue, saturation, value = cv2.split(hsv(image))
    across, up = cv2.polarToCart(saturation, hue, angleInDegrees=True)
    return cv2.merge([across, up, value])


def _from_disc(disc: np.ndarray) -> np.ndarray:
    across, up, value = cv2.split(disc)
    hue = np.rad2deg(np.arctan2(up, across))
    return from_hsv(cv2.merge([hue, np.hypot(across, up), value]))


def _to_unit_lab(image: np.ndarray) -> np.ndarray:
    # Rounded, so that grey has no colour at all: what compares pixels would make much of a millionth.
    return np.round(lab(image) / np.float32(100), 5)


def _from_unit_lab(values: np.ndarray) -> np.ndarray:
    return from_lab(values * np.float32(100))


# Into and out of spaces in which channels can be filtered: float32, 1 from black to white.
SPACES: dict[str, tuple[Callable[[np.ndarray], np.ndarray], Callable[[np.ndarray], np.ndarray]]] = {
    "hsv": (_to_disc, _from_disc),
    "lab": (_to_unit_lab, _from_unit_lab),
}
