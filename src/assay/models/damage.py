"""Damage: a clean picture in, a worse one out, by a mixture of the ways in which pictures become worse."""

from dataclasses import dataclass

import cv2
import numpy as np

from ..errors import InputError
from ..pixels import filters, noise

_EARLY = 0.3  # chance that impulses come before other noise


@dataclass(frozen=True, slots=True)
class Damage:
    """A mixture: blur first, as a lens makes it, then noise, as a sensor and a line do, then JPEG.

    blur: sigma in pixels; speckle: sigma of a factor on each pixel; gaussian: sigma in grey levels of 255; impulses:
    share of pixels that become black or white; jpeg: quality 1 to 100, or 0 for none; early: impulses come before the
    other noise, as of a sensor's dead pixels, not after it.
    """

    blur: float = 0.0
    speckle: float = 0.0
    gaussian: float = 0.0
    impulses: float = 0.0
    jpeg: int = 0
    early: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.jpeg <= 100:
            raise InputError(f"jpeg must be a quality in 1..100, or 0 for none, got {self.jpeg!r}")

    def __str__(self) -> str:
        parts = (
            f"blur {self.blur:g}" if self.blur else "",
            f"speckle {self.speckle:g}" if self.speckle else "",
            f"gaussian {self.gaussian:g}" if self.gaussian else "",
            f"{'early ' * self.early}salt-and-pepper {self.impulses:.0%}" if self.impulses else "",
            f"JPEG {self.jpeg}" if self.jpeg else "",
        )
        return " + ".join(part for part in parts if part) or "none"

    def apply(self, image: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
        """Damage a picture.

        Args:
            image: picture, uint8.
            rng: source of randomness.

        Returns:
            uint8 of the same shape.

        Raises:
            InputError: the picture is not uint8, or a strength is out of its range.
        """
        if image.dtype != np.uint8:
            raise InputError(f"damage needs a picture of uint8, got {image.dtype}")
        image = filters.gaussian(image, sigma=self.blur)
        if self.impulses and self.early:
            image = noise.salt_and_pepper(image, fraction=self.impulses, rng=rng)
        if self.speckle:
            image = noise.speckle(image, sigma=self.speckle, rng=rng)
        if self.gaussian:
            image = noise.gaussian(image, sigma=self.gaussian, rng=rng)
        if self.impulses and not self.early:
            image = noise.salt_and_pepper(image, fraction=self.impulses, rng=rng)
        return jpeg(image, quality=self.jpeg) if self.jpeg else image


def jpeg(image: np.ndarray, *, quality: int) -> np.ndarray:
    """Take a picture through JPEG and back.

    Args:
        image: picture, uint8.
        quality: 1 to 100.

    Returns:
        uint8 of the same shape.
    """
    stored = image if image.ndim == 2 else image[..., ::-1]
    data = cv2.imencode(".jpg", np.ascontiguousarray(stored), [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    again = np.asarray(cv2.imdecode(data, cv2.IMREAD_UNCHANGED))
    return again if again.ndim == 2 else np.ascontiguousarray(again[..., ::-1])


def draw(*, clean: float = 0.15, rng: np.random.Generator) -> Damage:
    """Draw a mixture of one to three kinds of damage of random strength.

    Args:
        clean: chance of none at all, in [0, 1].
        rng: source of randomness.
    """
    if rng.random() < clean:
        return Damage()
    kinds = rng.permutation(5)[: rng.choice([1, 2, 3], p=[0.35, 0.45, 0.2])]
    there = np.isin(np.arange(5), kinds)
    blur, speckle, gaussian, impulses, quality = (
        rng.uniform((0.6, 0.05, 4, 0.01, 15), (1.6, 0.25, 32, 0.14, 80)) * there
    ).tolist()
    early = bool(rng.random() < _EARLY)
    return Damage(blur, speckle, gaussian, impulses, int(quality), early)
