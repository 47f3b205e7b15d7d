"""Filters against OpenCV, scikit-image, and the loops and recipes of the tutorial: `python bench/filters.py [FOLDER]`.

All contestants of a line work on the same picture in this process, in turns; loops get a small part of it. What a line
says is equal has been compared.
"""

import statistics
import sys
import time
from pathlib import Path

import cv2
import numpy as np

WIDTH, HEIGHT = 2048, 1536  # of the picture
SMALL = np.s_[200:264, 300:396]  # of it, for loops
SECONDS = 0.25  # that a turn takes at least, where one call is quicker
HEAD = "| | MPix/s | lowest – highest | assay is | result |\n|---|---|---|---|---|\n"


def conservative_loop(data, size):
    """As the tutorial has it: a list of the neighbours of each pixel."""
    result, indexer = data.copy(), size // 2
    rows, columns = data.shape
    for i in range(rows):
        for j in range(columns):
            near = [
                data[k, m]
                for k in range(i - indexer, i + indexer + 1)
                for m in range(j - indexer, j + indexer + 1)
                if 0 <= k < rows and 0 <= m < columns
            ]
            near.remove(data[i, j])
            least, greatest = min(near), max(near)
            if data[i, j] > greatest:
                result[i, j] = greatest
            elif data[i, j] < least:
                result[i, j] = least
    return result


def crimmins_loop(data):
    """As the tutorial has it: a pass over the picture for every rule, direction and shade."""
    data = data.astype(int)
    rows, columns = data.shape
    for sign in (1, -1):
        for down, right in ((1, 0), (0, 1), (1, 1), (1, -1)):
            for rule in range(4):
                new = data.copy()
                for i in range(rows):
                    for j in range(columns):
                        b = data[i, j]
                        before = i - down >= 0 and 0 <= j - right < columns
                        after = i + down < rows and 0 <= j + right < columns
                        a = sign * (data[i - down, j - right] - b) if before else None
                        c = sign * (data[i + down, j + right] - b) if after else None
                        if (
                            (rule == 0 and before and a >= 2)
                            or (rule == 1 and before and after and a > 0 and c >= 0)
                            or (rule == 2 and before and after and c > 0 and a >= 0)
                            or (rule == 3 and after and c >= 2)
                        ):
                            new[i, j] = b + sign
                data = new
    return data.astype(np.uint8)


def crimmins_numpy(image):
    """The same passes as whole-array operations."""
    data = image.astype(np.int16)
    rows, columns = data.shape
    for sign in (1, -1):
        for down, right in ((1, 0), (0, 1), (1, 1), (1, -1)):
            padded = np.full((rows + 2, columns + 2), np.iinfo(np.int16).min // 2, np.int16)
            for rule in range(4):
                padded[1:-1, 1:-1] = sign * data
                b = padded[1:-1, 1:-1]
                a = padded[1 - down : 1 - down + rows, 1 - right : 1 - right + columns]
                c = padded[1 + down : 1 + down + rows, 1 + right : 1 + right + columns]
                outside = (a < -9999) | (c < -9999)
                found = (
                    a >= b + 2,
                    ~outside & (a > b) & (b <= c),
                    ~outside & (c > b) & (b <= a),
                    c >= b + 2,
                )[rule]
                data = data + sign * found
    return data.astype(np.uint8)


def lowpass_recipe(image, radius):
    """As the tutorial has it: transform, shift, cut out a square, shift back, transform back."""
    moved = np.fft.fftshift(np.fft.fft2(image))
    rows, columns = (n // 2 for n in image.shape)
    mask = np.zeros(image.shape, np.uint8)
    mask[rows - radius : rows + radius + 1, columns - radius : columns + radius + 1] = 1
    return np.abs(np.fft.ifft2(np.fft.ifftshift(moved * mask)))


def lowpass_opencv(image, radius):
    """The same by OpenCV's real transform of floats."""
    rows, columns = image.shape
    found = cv2.dft(image.astype(np.float32), flags=cv2.DFT_COMPLEX_OUTPUT)
    found[radius + 1 : rows - radius] = 0
    found[:, radius + 1 : columns - radius] = 0
    return cv2.idft(found, flags=cv2.DFT_SCALE | cv2.DFT_REAL_OUTPUT)


def highpass_opencv(image, radius):
    return 128.0 + image - lowpass_opencv(image, radius)


def unsharp_opencv(image):
    return cv2.addWeighted(image, 2.5, cv2.GaussianBlur(image, (0, 0), 2), -1.5, 0)


def unsharp_pillow(image):
    from PIL import Image, ImageFilter

    return np.asarray(Image.fromarray(image).filter(ImageFilter.UnsharpMask(2, 150, 3)))


def lines(image):
    """Return title to name to function; the first name is assay's, and is given the whole picture as all are."""
    from scipy import ndimage
    from skimage import filters as sk
    from skimage import restoration

    from assay.pixels import filters, frequency

    mirror = cv2.BORDER_REFLECT
    sharp = np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]], np.float32)
    part = np.ascontiguousarray(image[SMALL])
    return {
        "mean, 9 x 9": {
            "assay": lambda: filters.mean(image, size=9),
            "OpenCV": lambda: cv2.blur(image, (9, 9), borderType=mirror),
            "SciPy": lambda: ndimage.uniform_filter(image, 9),
        },
        "gaussian, 9 x 9": {
            "assay": lambda: filters.gaussian(image, size=9),
            "OpenCV": lambda: cv2.GaussianBlur(image, (9, 9), 0, borderType=mirror),
            "scikit-image": lambda: sk.gaussian(image, 1.7, truncate=2.3, preserve_range=True),
        },
        "median, 3 x 3": {
            "assay": lambda: filters.median(image, size=3),
            "OpenCV": lambda: cv2.medianBlur(image, 3),
        },
        "median, 5 x 5": {
            "assay": lambda: filters.median(image, size=5),
            "OpenCV": lambda: cv2.medianBlur(image, 5),
        },
        "median, 9 x 9": {
            "assay": lambda: filters.median(image, size=9),
            "OpenCV": lambda: cv2.medianBlur(image, 9),
            "scikit-image": lambda: sk.median(image[:512, :512], np.ones((9, 9))),
        },
        "median, 21 x 21": {
            "assay": lambda: filters.median(image, size=21),
            "OpenCV": lambda: cv2.medianBlur(image, 21),
        },
        "Laplacian, 4 neighbours, added": {
            "assay": lambda: filters.laplacian(image, neighbours=4),
            "OpenCV": lambda: cv2.filter2D(image, -1, sharp, borderType=mirror),
            "scikit-image": lambda: image - sk.laplace(image),
        },
        "unsharp, radius 2, 150 %, threshold 3": {
            "assay": lambda: filters.unsharp(image, radius=2, percent=150, threshold=3),
            "OpenCV, without threshold": lambda: unsharp_opencv(image),
            "Pillow": lambda: unsharp_pillow(image),
            "scikit-image": lambda: 255 * sk.unsharp_mask(image, 2, 1.5),
        },
        "low pass, square of 30": {
            "assay": lambda: frequency.lowpass(image, radius=30, border="wrap"),
            "assay, mirrored": lambda: frequency.lowpass(image, radius=30),
            "OpenCV": lambda: lowpass_opencv(image, 30),
            "recipe of the tutorial": lambda: lowpass_recipe(image, 30),
        },
        "high pass, square of 30": {
            "assay": lambda: frequency.highpass(image, radius=30, border="wrap"),
            "OpenCV": lambda: highpass_opencv(image, 30),
            "recipe of the tutorial": lambda: 128.0 + image - lowpass_recipe(image, 30),
        },
        "low pass, Butterworth of 30": {
            "assay": lambda: frequency.lowpass(image, radius=30, kind="butterworth", border="wrap"),
            "scikit-image": lambda: sk.butterworth(
                image, 30 / WIDTH, high_pass=False, squared_butterworth=True, npad=0
            ),
        },
        "conservative, 5 x 5": {
            "assay": lambda: filters.conservative(image, size=5, border="cut"),
            "assay, part": lambda: filters.conservative(part, size=5, border="cut"),
            "loop of the tutorial, part": lambda: conservative_loop(part, 5),
        },
        "Crimmins, one iteration": {
            "assay": lambda: filters.crimmins(image, iterations=1, border="cut"),
            "assay, part": lambda: filters.crimmins(part, iterations=1, border="cut"),
            "NumPy": lambda: crimmins_numpy(image),
            "loop of the tutorial, part": lambda: crimmins_loop(part),
        },
        "total variation, part of 512 x 512": {
            "assay": lambda: filters.tv(image[:512, :512], weight=0.1),
            "scikit-image": lambda: 255 * restoration.denoise_tv_chambolle(image[:512, :512], weight=0.1),
        },
    }


def measure(contestants, rounds):
    """Let contestants take turns; return name to megapixels a second, and name to what each gave."""
    rates, results = {name: [] for name in contestants}, {}
    for name, call in contestants.items():
        results[name] = np.asarray(call())  # compiles, and warms up
    for _ in range(rounds):
        for name, call in contestants.items():
            began, count = time.perf_counter(), 0
            while count == 0 or time.perf_counter() - began < SECONDS:
                call()
                count += 1
            rates[name].append(results[name].size * count / (time.perf_counter() - began) / 1e6)
    return rates, results


def tables(data, rounds):
    """Race on one picture of a folder.

    Args:
        data: folder of pictures, or None for noise with the spectrum of photographs.
        rounds: turns of each contestant.

    Returns:
        Markdown.
    """
    image = picture(data)
    text = f"**Filters**, one grey picture of {WIDTH} x {HEIGHT}, 8 bits; {cv2.getNumThreads()} threads\n\n"
    for title, contestants in lines(image).items():
        print(f"filters: {title}", file=sys.stderr)
        rates, results = measure(contestants, rounds)
        ours = statistics.median(rates["assay"])
        text += f"{title}\n\n{HEAD}"
        for name, speeds in rates.items():
            middle = statistics.median(speeds)
            digits = 0 if middle >= 100 else 1 if middle >= 1 else 4
            spread = f"{min(speeds):,.{digits}f} – {max(speeds):,.{digits}f}"
            ratio = "" if name.startswith("assay") else f"{ours / middle:,.2f} x"
            text += f"| {name} | {middle:,.{digits}f} | {spread} | {ratio} | {_alike(name, results)} |\n"
        text += "\n"
    return text


def _alike(name, results):
    """Say how a result compares with ours on the same pixels."""
    if name.startswith("assay"):
        return ""
    ours = results.get("assay, part") if name.endswith("part") else results["assay"]
    if ours is None or ours.shape != results[name].shape:
        return ""
    if np.array_equal(ours, results[name]):
        return "equal"
    inner = np.s_[32:-32, 32:-32]
    theirs = results[name].astype(float)
    off = np.abs(np.clip(theirs, 0, 255) - ours)[inner]
    return f"mean difference {off.mean():.2f} levels"


def picture(data):
    """Return one grey picture."""
    files = sorted(p for p in Path(data).rglob("*") if p.is_file()) if data else []
    for file in files:
        found = cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)
        if found is not None:
            return cv2.resize(found, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    rng = np.random.default_rng(0)
    y, x = np.meshgrid(np.fft.fftfreq(HEIGHT), np.fft.fftfreq(WIDTH), indexing="ij")
    noise = np.fft.ifft2(np.fft.fft2(rng.normal(size=(HEIGHT, WIDTH))) / np.maximum(np.hypot(y, x), 1 / WIDTH)).real
    return ((noise - noise.min()) / np.ptp(noise) * 255).astype(np.uint8)


if __name__ == "__main__":
    print(tables(sys.argv[1] if len(sys.argv) > 1 else None, int(sys.argv[2]) if len(sys.argv) > 2 else 5))
