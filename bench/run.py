"""Run the benchmarks and write docs/benchmarks.md: `python bench/run.py [--data FOLDER] [--rounds N]`.

Pictures are made from those of FOLDER, or from noise that has the spectrum of photographs, at three sizes.
"""

import argparse
import tempfile
from pathlib import Path

import cv2
import harness
import numpy as np

SIZES = {"500x375": (500, 375, 1200), "2 MP": (1632, 1224, 240), "12 MP": (4000, 3000, 60)}
HEAD = """# Benchmarks

Made by `make bench`. Contestants take turns; each turn is a process of its own; medians over {rounds} turns.
"assay is" tells how many times the other's rate ours is, measured in the same run. Memory is the largest sum over all
processes, shared pages counted once. Pictures: {source}, JPEG quality 88.

{machine}

"""


def sources(data):
    """Return pictures to make the others from."""
    if data:
        read = (cv2.imread(str(p)) for p in sorted(data.rglob("*")) if p.is_file())
        found = [p for _, p in zip(range(24), (p for p in read if p is not None), strict=False)]
        if not found:
            raise SystemExit(f"--data must hold pictures, got none in {data}")
        return found
    rng = np.random.default_rng(0)
    y, x = np.meshgrid(np.fft.fftfreq(512), np.fft.fftfreq(768), indexing="ij")
    fall = 1 / np.maximum(np.hypot(y, x), 1 / 768)
    noise = np.fft.ifft2(np.fft.fft2(rng.normal(size=(12, 3, 512, 768))) * fall).real
    low, high = noise.min(axis=(2, 3), keepdims=True), noise.max(axis=(2, 3), keepdims=True)
    return list(np.ascontiguousarray(((noise - low) / (high - low) * 255).astype(np.uint8).transpose(0, 2, 3, 1)))


def make(folder, width, height, count, originals):
    """Fill a folder with different JPEGs of one size."""
    folder.mkdir()
    rng = np.random.default_rng(width)
    for i in range(count):
        image = originals[i % len(originals)]
        top, left = (int(rng.integers(0, 1 + n // 8)) for n in image.shape[:2])
        part = image[top : top + image.shape[0] * 7 // 8, left : left + image.shape[1] * 7 // 8]
        part = cv2.resize(part, (width, height), interpolation=cv2.INTER_CUBIC)
        cv2.imwrite(str(folder / f"{i:05d}.jpg"), part, [cv2.IMWRITE_JPEG_QUALITY, 88])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="a folder of pictures to make the others from")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("docs/benchmarks.md"))
    options = parser.parse_args()
    originals = sources(options.data)
    source = (
        f"{len(originals)} photographs, cropped at random and resized"
        if options.data
        else "noise with the spectrum of photographs"
    )
    text = HEAD.format(rounds=options.rounds, source=source, machine=harness.machine())
    with tempfile.TemporaryDirectory() as temporary:
        for title, (width, height, count) in SIZES.items():
            folder = Path(temporary) / title.replace(" ", "")
            make(folder, width, height, count, originals)
            print(f"scan, {title}")
            runs = harness.race("scan", ["assay", "cleanvision", "imagededup"], folder, rounds=options.rounds)
            text += harness.table(f"Scan, {count:,} pictures of {title}", runs) + "\n"
        small = Path(temporary) / "500x375"
        print("features")
        runs = harness.race("arrays", ["assay"], small, rounds=options.rounds)
        text += harness.table("Features from arrays, 400 pictures", runs) + "\n"
        runs = harness.race("features", ["assay", "torch", "keras"], small, rounds=options.rounds)
        text += harness.table("Features from files of 500x375, with scan", runs) + "\n"
    options.out.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
