"""Train a restorer: `python bench/train_restorer.py [--out FILE] [--pictures FOLDER]`.

The one that ships with assay has learned from `--pictures` the 400 grey crops of BSDS that denoisers are trained on
(180 x 180; they do not come with assay), seed 0. Without a folder it learns, not as well, from photographs that
may be used freely: those that come with scikit-image (public domain and CC0) and scikit-learn (CC BY), each at three
sizes.
"""

import argparse
import importlib.resources
import sys
import tempfile
from pathlib import Path

import cv2
from sklearn.datasets import load_sample_images

from assay.models.restorer import SHIPPED
from assay.tasks.restore import train
from assay.workers.clock import line

# Chelsea and the cup of coffee are left out: tests and pages try the restorer on them.
NAMES = ("astronaut.png", "brick.png", "camera.png", "coins.png", "grass.png", "gravel.png", "hubble_deep_field.jpg")
NAMES += ("ihc.png", "moon.png", "motorcycle_left.png", "rocket.jpg")
SHARES = (1.0, 0.7, 0.5)  # of the size


def fill(folder):
    """Write the photographs, grey, at each size, as PNG."""
    source = importlib.resources.files("skimage") / "data"
    greys = {name: cv2.imread(str(source / name), cv2.IMREAD_GRAYSCALE) for name in NAMES}
    for i, image in enumerate(load_sample_images().images):
        greys[f"sample {i}"] = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    for name, grey in greys.items():
        for share in SHARES:
            small = cv2.resize(grey, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
            cv2.imwrite(str(folder / f"{Path(name).stem} {share:g}.png"), small)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=SHIPPED)
    parser.add_argument("--pictures", type=Path, help="other clean pictures to learn from")
    parser.add_argument("--episodes", type=int)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if options.pictures is None:
            fill(Path(folder))
        found = train(options.pictures or folder, options.out, episodes=options.episodes, tell=line(sys.stderr))
    print(found.headline, found.model)


if __name__ == "__main__":
    main()
