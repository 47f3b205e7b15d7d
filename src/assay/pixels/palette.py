"""Palette: which colours a picture has, as a histogram over hue, saturation and value. A picture in, a row out."""

import numpy as np

from . import colour

BINS = (8, 4, 4)  # of hue, saturation and value


def palette(image: np.ndarray, *, bins: tuple[int, int, int] = BINS) -> np.ndarray:
    """Count the colours of a picture.

    Args:
        image: picture.
        bins: of hue, saturation and value, each >= 1; hue goes round, so 0 and 359 degrees are neighbours in one bin.

    Returns:
        float32 (product of bins,), at least 0, of length 1: the square roots of the shares of pixels. The product of
        two such rows is 1 for the same colours and 0 where none is shared, wherever in the pictures they are.

    Raises:
        InputError: image is no picture.

    Source: Swain & Ballard 1991, doi:10.1007/BF00130487; the square roots make Euclidean distance that of Hellinger.

    >>> red, also = np.full((2, 3, 3), [255, 0, 0], np.uint8), np.full((9, 4, 3), [255, 0, 9], np.uint8)
    >>> float(palette(red) @ palette(also))
    1.0
    """
    values = colour.hsv(image)
    # Half a bin of turn puts pure red into the middle of its bin.
    hue = np.floor(values[..., 0] / 360 * bins[0] + 0.5).astype(int) % bins[0]
    saturation, value = (np.minimum((values[..., i] * bins[i]).astype(int), bins[i] - 1) for i in (1, 2))
    place = (hue * bins[1] + saturation) * bins[2] + value
    counts = np.bincount(place.ravel(), minlength=bins[0] * bins[1] * bins[2])
    return np.asarray(np.sqrt(counts / counts.sum()), np.float32)
