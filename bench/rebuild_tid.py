"""Rebuild part of TID2013 from Kodak's pictures: `python bench/rebuild_tid.py KODAK OUT`.

TID2013 (Ponomarenko et al. 2015, doi:10.1016/j.image.2014.10.009) is 25 reference pictures, 24 of them crops of
Kodak's, damaged in 24 ways at 5 levels, "corresponding to PSNR of about 33, 30, 27, 24 and 21 dB". Here are the 13 ways
that their description defines well enough to be done again, each brought to those PSNRs (over all channels) by
bisection; for contrast the odd levels take it away and the even ones add to it, as the published scores show.

What cannot be known, and so differs: the place of the 512 x 384 crop (here the middle), the draw of the noise, the
encoders, how much of colour noise is in the luminance (here a third in amplitude). Left out are ways that need a
program or a setting that is not published: masked and comfort noise, denoising, transmission errors, patterns, blocks,
mean shift, saturation, compression of noisy pictures, sparse sampling.
"""

import argparse
import io
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

PSNR = (33, 30, 27, 24, 21)  # dB, levels 1 to 5
HEIGHT, WIDTH = 384, 512
_STEPS = 14  # of the bisection


def crop(path):
    """Return the middle of a picture, float32 RGB in grey levels of 255."""
    image = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
    top, left = (image.shape[0] - HEIGHT) // 2, (image.shape[1] - WIDTH) // 2
    return image[top : top + HEIGHT, left : left + WIDTH].astype(np.float32)


def through(image, encoding, **options):
    """Return a picture as a codec gives it back."""
    file = io.BytesIO()
    Image.fromarray(finish(image)).save(file, encoding, **options)
    return np.asarray(Image.open(file).convert("RGB"), np.float32)


def finish(image):
    return np.rint(np.clip(image, 0, 255)).astype(np.uint8)


def white(image, rng):
    return rng.standard_normal(image.shape).astype(np.float32)


def noise(image, strength, rng):
    return image + strength * white(image, rng)


def colour_noise(image, strength, rng):
    return image + strength * (cv2.cvtColor(white(image, rng) * np.float32([1, 3, 3]), cv2.COLOR_YCrCb2RGB) - _OFFSET)


def correlated_noise(image, strength, rng):
    return image + strength * cv2.blur(white(image, rng), (3, 3))


def high_frequency_noise(image, strength, rng):
    rough = white(image, rng)
    spectrum = np.fft.fft2(rough, axes=(0, 1))
    y, x = np.meshgrid(np.fft.fftfreq(image.shape[0]), np.fft.fftfreq(image.shape[1]), indexing="ij")
    spectrum[np.hypot(y, x) < 0.25] = 0
    return image + strength * np.fft.ifft2(spectrum, axes=(0, 1)).real.astype(np.float32)


def impulses(image, strength, rng):
    draw, ends = rng.random(image.shape), rng.choice(np.float32([0, 255]), image.shape)
    return np.where(draw < strength, ends, image)


def quantised(image, strength, _rng):
    return (np.floor(image / strength) + 0.5) * strength


def blurred(image, strength, _rng):
    return cv2.GaussianBlur(image, (0, 0), strength, borderType=cv2.BORDER_REFLECT)


def jpeg(image, strength, _rng):
    return through(image, "JPEG", quality=round(100 - strength))


def jpeg2000(image, strength, _rng):
    return through(image, "JPEG2000", quality_mode="rates", quality_layers=[float(strength)], irreversible=True)


def duller(image, strength, _rng):
    return image.mean() + (image - image.mean()) * (1 - strength)


def starker(image, strength, _rng):
    return image.mean() + (image - image.mean()) * (1 + strength)


def multiplied(image, strength, rng):
    return image * (1 + strength * white(image, rng))


def few_colours(image, strength, _rng):
    count = max(2, round(256 / 2**strength))
    return np.asarray(Image.fromarray(finish(image)).quantize(count).convert("RGB"), np.float32)


def aberrated(image, strength, _rng):
    moved = image.copy()
    for channel, way in ((0, 1), (2, -1)):
        by = np.float32([[1, 0, way * strength], [0, 1, way * strength / 2]])
        moved[..., channel] = cv2.warpAffine(
            image[..., channel], by, (WIDTH, HEIGHT), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT
        )
    return moved


_OFFSET = cv2.cvtColor(np.zeros((1, 1, 3), np.float32), cv2.COLOR_YCrCb2RGB)
# Number in TID2013, name, the change at each level, and the least and the greatest strength.
WAYS = {
    1: ("Gaussian noise", noise, (0.5, 60)),
    2: ("colour noise", colour_noise, (0.2, 40)),
    3: ("correlated noise", correlated_noise, (1, 200)),
    5: ("high-frequency noise", high_frequency_noise, (0.5, 80)),
    6: ("impulses", impulses, (0.0005, 0.2)),
    7: ("quantisation", quantised, (2, 160)),
    8: ("blur", blurred, (0.2, 20)),
    10: ("JPEG", jpeg, (1, 99)),
    11: ("JPEG 2000", jpeg2000, (2, 800)),
    17: ("contrast", None, (0.01, 0.9)),
    19: ("multiplicative noise", multiplied, (0.005, 0.8)),
    22: ("few colours", few_colours, (0, 7)),
    23: ("chromatic aberration", aberrated, (0.1, 30)),
}


def psnr(image, reference):
    return 10 * np.log10(255**2 / max(((image.astype(np.float32) - reference) ** 2).mean(), 1e-9))


def damaged(reference, way, level, seed):
    """Return the picture at a level, uint8, and its PSNR."""
    _, change, (weak, strong) = WAYS[way]
    if way == 17:
        change = duller if level % 2 else starker
    for _ in range(_STEPS):
        middle = (weak * strong) ** 0.5 if weak > 0 else (weak + strong) / 2
        image = finish(change(reference, middle, np.random.default_rng(seed)))
        found = psnr(image, reference)
        if abs(found - PSNR[level - 1]) < 0.02:
            break
        weak, strong = (middle, strong) if found > PSNR[level - 1] else (weak, middle)
    return image, found


def rebuild(path, out):
    """Write the 65 pictures of one reference; return the PSNRs that were reached."""
    cv2.setNumThreads(1)
    reference, number, reached = crop(path), int(path.stem), {}
    for way in WAYS:
        for level in range(1, 6):
            image, reached[way, level] = damaged(reference, way, level, seed=[number, way, level])
            name = f"i{number:02d}_{way:02d}_{level}.png"
            Image.fromarray(image).save(out / name, compress_level=1)
    return reached


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kodak", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(2) as pool:
        found = list(pool.map(partial(rebuild, out=options.out), sorted(options.kodak.glob("*.png"))))
    for way, (name, _, _) in WAYS.items():
        levels = [np.median([reached[way, level] for reached in found]) for level in range(1, 6)]
        print(f"{way:02d} {name}: {', '.join(f'{x:.1f}' for x in levels)} dB")


if __name__ == "__main__":
    main()
