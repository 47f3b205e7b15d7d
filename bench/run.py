"""Run the benchmarks into docs/benchmarks.md: `python bench/run.py [--data FOLDER] [--only NAME ...] [--rounds N]`.

Pictures are those of FOLDER, or noise that has the spectrum of photographs. A family that is not measured this time
keeps the section that it has.
"""

import argparse
import re
import tempfile
from pathlib import Path

import augment
import batches
import cv2
import filters
import groups
import harness
import ising
import likeness
import numpy as np
import scan
import stats
import transfer

FAMILIES = {
    "Scan and features": scan,
    "Groups": groups,
    "Filters": filters,
    "Likeness and compression": likeness,
    "Ising denoising": ising,
    "Augmentation": augment,
    "Batches": batches,
    "Statistics": stats,
    "Fine-tuning": transfer,
}
HEAD = """# Benchmarks

Made by `make bench`. Contestants take turns, in processes of their own where they need one; medians over
{rounds} turns. "assay is" tells how many times the other's rate ours is, measured in the same run. Memory is the
largest sum over all processes, shared pages counted once. Pictures: {source}.

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


def sections(page):
    """Return the sections that a page has, by their titles."""
    pieces = re.split(r"^## (.+)\n", page.read_text(), flags=re.MULTILINE) if page.exists() else [""]
    return dict(zip(pieces[1::2], (text.strip() + "\n" for text in pieces[2::2]), strict=True))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="a folder of pictures to work on")
    parser.add_argument("--binary", type=Path, help="a folder with ising/mokashi/samples")
    parser.add_argument(
        "--only", nargs="*", choices=[m.__name__ for m in FAMILIES.values()], help="these families alone"
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("docs/benchmarks.md"))
    options = parser.parse_args()
    originals = sources(options.data)
    source = f"{len(originals)} photographs" if options.data else "noise with the spectrum of photographs"
    found = sections(options.out)
    with tempfile.TemporaryDirectory() as temporary:
        for i, image in enumerate(originals):
            cv2.imwrite(f"{temporary}/{i:03d}.png", image)
        for title, family in FAMILIES.items():
            if options.only is None or family.__name__ in options.only:
                data = options.binary if family is ising else Path(temporary)
                found[title] = re.sub(r"^## .*\n+", "", family.tables(data, options.rounds)).strip() + "\n"
                text = HEAD.format(rounds=options.rounds, source=source, machine=harness.machine())
                text += "\n".join(f"## {name}\n\n{found[name]}" for name in FAMILIES if name in found)
                options.out.write_text(text)
                print(f"## {title}\n\n{found[title]}", flush=True)


if __name__ == "__main__":
    main()
