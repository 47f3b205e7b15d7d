"""Likeness and compression: SSIM of pairs of pictures, and principal components, by assay and by those who do the same.

`likeness.py WORK NAME FOLDER` is one contestant's turn; `tables` lets them take turns. Pairs are scored on two threads
by whoever lets two threads work: through two calls at a time where a call lets go of Python's lock.
"""

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import harness
import numpy as np

SIDE, PAIRS = 512, 64  # of the pictures for SSIM, and how many different pairs there are
SECONDS = 3.0  # that a contestant of SSIM works
N, D, K = 1000, 10_000, 50  # pictures, pixels and components


def pairs(folder):
    """Return pictures of a folder, grey and square, each with a noisy twin."""
    import cv2

    rng = np.random.default_rng(0)
    files = [p for p in sorted(Path(folder).rglob("*")) if p.is_file()][:PAIRS]
    found = [x for x in (cv2.imread(str(p), cv2.IMREAD_GRAYSCALE) for p in files) if x is not None]
    images = [cv2.resize(found[i % len(found)], (SIDE, SIDE), interpolation=cv2.INTER_AREA) for i in range(PAIRS)]
    return [(x, (x + rng.normal(0, 12, x.shape)).clip(0, 255).astype(np.uint8)) for x in images]


def assay(window):
    from assay.pixels import fidelity

    return lambda a, b: fidelity.ssim(a, b, window=window)


def skimage(window):
    from skimage.metrics import structural_similarity

    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False} if window == "gaussian" else {}
    return lambda a, b: structural_similarity(a, b, **options)


def fastssim(window):
    """Its one window is 7x7 and uniform."""
    import fast_ssim

    if window != "uniform":
        raise SystemExit("has no gaussian window")
    return fast_ssim.ssim


def ssim(window, name, folder):
    """Score pairs for some seconds, two at a time, once everything is compiled."""
    both, one, counts = pairs(folder), globals()[name](window), [0, 0]
    one(*both[0])
    end = time.perf_counter() + SECONDS

    def work(thread):
        while time.perf_counter() < end:
            one(*both[(2 * counts[thread] + thread) % PAIRS])
            counts[thread] += 1

    began = time.perf_counter()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, range(2)))
    return sum(counts), time.perf_counter() - began


def pca(dtype, name):
    """Fit components once without the clock, then with it; the variances fall as those of faces do."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N, N)) / np.arange(1, N + 1) @ rng.normal(size=(N, D)) + 0.001 * rng.normal(size=(N, D))
    X = X.astype(dtype)
    if name == "assay":
        from assay.pixels.eigen import EigenPictures

        model = EigenPictures(K)
    else:
        from sklearn.decomposition import PCA

        model = PCA(K, svd_solver=name, random_state=0)
    model.fit(X)
    began = time.perf_counter()
    model.fit(X)
    return 1, time.perf_counter() - began


def tables(data, rounds):
    """Race on the pictures of a folder.

    Args:
        data: folder of pictures.
        rounds: turns of each contestant.
    """
    text = ""
    for window, names in (("gaussian", ["assay", "skimage"]), ("uniform", ["assay", "skimage", "fastssim"])):
        print(f"SSIM, {window}")
        runs = harness.race(window, names, data, rounds=rounds, script=__file__)
        title = f"SSIM, {window} window, {SIDE} x {SIDE} grey, two threads"
        text += harness.table(title, runs).replace("pictures/s", "pairs/s") + "\n"
    for dtype in ("float64", "float32"):
        print(f"principal components, {dtype}")
        runs = harness.race(dtype, ["assay", "full", "randomized", "arpack"], data, rounds=rounds, script=__file__)
        title = f"Principal components: {N:,} pictures of {D:,} pixels, {K} components, {dtype}; scikit-learn by solver"
        text += harness.table(title, runs).replace("pictures/s", "fits/s") + "\n"
    return text


if __name__ == "__main__":
    work, name, where = sys.argv[1:]
    done, seconds = pca(work, name) if work.startswith("float") else ssim(work, name, where)
    print(json.dumps({"pictures": done, "seconds": seconds}))
