"""How well do faces come back that the components have not seen? `python bench/faces.py FOLDER [COMPONENTS]`.

FOLDER has a folder for each person, as the faces of the Olivetti Research Laboratory do. Ten folds, held out two ways:
pictures at random, so that other pictures of the same person are in the fit; and whole persons. Every picture is judged
once. Also says how far components from batches are from the singular vectors of all faces at once.
"""

import argparse
from pathlib import Path

import numpy as np

from assay.data import pictures
from assay.pixels import colour, fidelity, geometry
from assay.pixels.eigen import EigenPictures
from assay.stats import intervals

FOLDS = 10


def judge(faces, folds, components):
    """Return PSNR of every face, built from components of the other folds."""
    n, height, width = faces.shape
    rows, psnr = faces.reshape(n, -1), np.empty(n)
    for fold in np.unique(folds):
        new = folds == fold
        fit = EigenPictures(components).fit(rows[~new])
        built = fit.inverse_transform(fit.transform(rows[new])).clip(0, 255).round().astype(np.uint8)
        pairs = zip(faces[new], built.reshape(-1, height, width), strict=True)
        psnr[new] = [fidelity.psnr(a, b) for a, b in pairs]
    return psnr


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("components", type=int, nargs="?", default=50)
    options = parser.parse_args()
    files = sorted(p for p in options.folder.rglob("*.*") if p.parent != options.folder)
    faces = np.stack([colour.grey(pictures.read(p)) for p in files])
    persons = np.unique([p.parent.name for p in files], return_inverse=True)[1]
    rng = np.random.default_rng(0)
    ways = {
        "pictures at random": rng.permutation(len(files)) % FOLDS,
        "whole persons": (rng.permutation(persons.max() + 1) % FOLDS)[persons],
    }
    print(f"{len(files)} faces of {persons.max() + 1} persons, {options.components} components, PSNR in dB")
    for name, folds in ways.items():
        psnr = judge(faces, folds, options.components)
        print(f"not in the fit, {name}: {intervals.mean(psnr, groups=persons)}")
    rows = faces.reshape(len(faces), -1)
    whole = EigenPictures(options.components).fit(rows)
    built = whole.inverse_transform(whole.transform(rows)).clip(0, 255).round().astype(np.uint8).reshape(faces.shape)
    inside = np.array([fidelity.psnr(a, b) for a, b in zip(faces, built, strict=True)])
    print(f"in the fit: {intervals.mean(inside, groups=persons)}")
    small = np.stack([geometry.reshape(face, shape=(16, 14)) for face in faces]).reshape(len(faces), -1)
    for name, given in (("fewer faces than pixels", rows), ("more faces than pixels", small)):
        streamed = EigenPictures(options.components).fit_batches(np.array_split(given.astype(float), 7))
        centred = given - given.mean(axis=0)
        exact = np.linalg.svd(centred, full_matrices=False)[2][: options.components]
        exact *= np.sign((exact * streamed.components_).sum(axis=1, keepdims=True))
        print(f"streamed against the SVD of all, {name}: {np.abs(streamed.components_ - exact).max():.1e}")


if __name__ == "__main__":
    main()
