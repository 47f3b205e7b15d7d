"""How much better pictures become: `python bench/restore.py --data FOLDER [--model FILE] [--keep FILE]`.

Clean pictures (Kodak's 24) are damaged by mixtures, some of which no restorer has learned from, and brought back by: a
filter for all mixtures, the best in hindsight; the best filter for each mixture, in hindsight; scikit-image's
`calibrate_denoiser` (non-local means, its strength found without the clean picture); a greedy chain that sees the clean
picture; and the restorer. Differences are paired by picture, with 95 % intervals.
"""

import argparse
import json
import multiprocessing
import re
import sys
import time
from collections import Counter
from pathlib import Path

import cv2
import numpy as np

from assay.models import chain
from assay.models.chain import ACTIONS, NAMED, STEPS
from assay.models.damage import Damage
from assay.models.restorer import SHIPPED, Restorer
from assay.pixels import fidelity
from assay.stats.intervals import mean

MIXTURES = [
    Damage(gaussian=15),
    Damage(impulses=0.05, gaussian=10),
    Damage(blur=1.2, gaussian=8),
    Damage(gaussian=25, jpeg=30),
    Damage(blur=1.0, impulses=0.1),
]
EARLY = Damage(impulses=0.05, gaussian=10, early=True)
UNLEARNED = [  # four kinds at once, and noise that is stronger than any learned from
    Damage(blur=0.8, gaussian=10, impulses=0.03, jpeg=50),
    Damage(speckle=0.2, gaussian=12, impulses=0.02, jpeg=40),
    Damage(gaussian=40),
]
ALL = [*MIXTURES, EARLY, *UNLEARNED]


def originals(data, colour, side):
    """Return the middle of each picture, side pixels wide and two thirds as high; whole where side is 0."""
    found = []
    for path in sorted(p for p in data.rglob("*") if p.suffix.lower() in {".png", ".jpg"}):
        image = cv2.imread(str(path), cv2.IMREAD_COLOR if colour else cv2.IMREAD_GRAYSCALE)
        if side:
            height, width = (side * 2 // 3, side) if image.shape[1] >= image.shape[0] else (side, side * 2 // 3)
            top, left = (image.shape[0] - height) // 2, (image.shape[1] - width) // 2
            image = image[top : top + height, left : left + width]
        found.append((path.stem, np.ascontiguousarray(image[..., ::-1] if colour else image)))
    return found


def everything(view):
    """Return the picture after each action."""
    return [chain.outcome(view, action)[1] for action in range(len(ACTIONS))]


def greedy(view, clean):
    """Return the picture after the best filter at each step, told by the clean picture."""
    for _ in range(STEPS):
        images = everything(view)
        best = min(range(len(images)), key=lambda a: fidelity.mse(images[a], clean))
        if fidelity.mse(images[best], clean) >= fidelity.mse(view.image, clean) * 0.995:
            break
        view = chain.follow(view, best, images[best])
    return view.image


def calibrated(image):
    """Return scikit-image's non-local means, its strength chosen by its own J-invariance."""
    from skimage.restoration import calibrate_denoiser, denoise_nl_means, estimate_sigma

    noisy = image / np.float64(255)
    axis = -1 if image.ndim == 3 else None
    sigma = max(float(estimate_sigma(noisy, channel_axis=axis, average_sigmas=True)), 0.005)
    options = {"patch_size": [5], "patch_distance": [6], "fast_mode": [True], "channel_axis": [axis]}
    options["h"] = [sigma * k for k in (0.4, 0.7, 1.0, 1.4)]
    found = calibrate_denoiser(noisy, denoise_nl_means, denoise_parameters=options)(noisy)
    return np.rint(np.clip(found, 0, 1) * 255).astype(np.uint8)


def scores(image, clean):
    return [min(fidelity.psnr(image, clean), 60.0), fidelity.ssim(image, clean)]


def others(job):
    """Return the scores of all that the restorer is compared with on one picture, by mixture."""
    i, clean, known, slow = job
    cv2.setNumThreads(1)
    found = {}
    for j, mixture in enumerate(ALL):
        view, row = (
            chain.begin(mixture.apply(clean, rng=np.random.default_rng([i, j]))),
            dict(known.get(str(mixture), {})),
        )
        if "single" not in row:
            row["single"] = [scores(image, clean) for image in everything(view)]
        if slow and "greedy" not in row:
            row["calibrated"] = scores(calibrated(view.image), clean)
            row["greedy"] = scores(greedy(view, clean), clean)
        found[str(mixture)] = row
    return found


def peers(pictures, *, kind, keep, slow, processes):
    """Return, by picture and mixture, the scores of all others; they are kept between runs."""
    kept = json.loads(keep.read_text()) if keep and keep.exists() else {}
    known = kept.setdefault(kind, {})
    jobs = [(i, clean, known.get(name, {}), i in slow) for i, (name, clean) in enumerate(pictures)]
    with multiprocessing.Pool(processes) as pool:
        for (name, _), found in zip(pictures, pool.imap(others, jobs), strict=True):
            known[name] = found
            if keep:
                keep.write_text(json.dumps(kept))
            print(f"  {name}", file=sys.stderr)
    return known


def chosen(restorer, pictures):
    """Return the scores of the restorer by mixture and picture, its chains, the clean ones left alone, and seconds."""
    found, chains, alone, seconds = {m: [] for m in ALL}, {m: Counter() for m in ALL}, 0, []
    for i, (_, clean) in enumerate(pictures):
        for j, mixture in enumerate(ALL):
            damaged = mixture.apply(clean, rng=np.random.default_rng([i, j]))
            began = time.perf_counter()
            result = restorer.restore(damaged)
            seconds.append(time.perf_counter() - began)
            found[mixture].append(scores(result.image, clean))
            # Strengths differ from picture to picture; what was done is told without them.
            chains[mixture][", ".join(re.sub(r" \w+=\S+", "", step) for step in result.chain) or "none"] += 1
        alone += not restorer.restore(clean).chain
    return {m: np.array(rows) for m, rows in found.items()}, chains, alone, seconds


def evaluate(data, model, *, colour=False, side=0, keep=None, every=1, processes=2):
    """Return the table as Markdown."""
    pictures, kind = originals(data, colour, side), "colour" if colour else "grey"
    slow = range(0, len(pictures), every)
    known = peers(pictures, kind=f"{kind} {side}", keep=keep, slow=slow, processes=processes)
    ours, chains, alone, seconds = chosen(Restorer.load(model), pictures)

    def column(mixture, who, step=1):
        return np.array([known[name][str(mixture)][who] for name, _ in pictures[::step]])

    single = {m: column(m, "single") for m in ALL}
    overall = int(np.mean([single[m][..., 0].mean(axis=0) for m in MIXTURES], axis=0).argmax())
    heads = ["", "damaged", f"{NAMED[overall]} for all", "best one filter", "restorer"]
    heads += ["restorer - best one filter", "restorer - calibrate_denoiser", "part of greedy's gain"]
    part = f", the middle {side} pixels" if side else ""
    lines = [
        f"**Restoring, {len(pictures)} pictures, {kind}{part}**: mean PSNR in dB (mean SSIM)",
        "",
        f"| {' | '.join(heads)} |",
        "|" + "---|" * len(heads),
    ]
    gates = {"single": [], "greedy": [], "untouched": [], "calibrated": [], "overall": []}
    for m in ALL:
        best = int(single[m][..., 0].mean(axis=0).argmax())
        columns = [single[m][:, 0], single[m][:, overall], single[m][:, best], ours[m]]
        cells = [f"{p:.2f} ({s:.3f})" for p, s in (c.mean(axis=0) for c in columns)]
        cells[2] += f" {NAMED[best]}"
        gain = (ours[m] - single[m][:, 0])[:, 0]
        over = mean((ours[m] - single[m][:, best])[:, 0])
        against = mean((ours[m][::every] - column(m, "calibrated", every))[:, 0])
        share = gain[::every].mean() / (column(m, "greedy", every) - single[m][::every, 0])[:, 0].mean()
        mark = " *" if m in UNLEARNED else ""
        lines.append(f"| {m}{mark} | {' | '.join(cells)} | {told(over)} | {told(against)} | {share:.0%} |")
        gates["single"].append(over.value)
        gates["greedy"].append(share)
        gates["untouched"].append(float(gain.mean()))
        gates["calibrated"].append(against.value)
        gates["overall"].append((ours[m] - single[m][:, overall])[:, 0])
    five = len(MIXTURES)
    total = mean(np.mean(gates["overall"][:five], axis=0))
    lines += [
        "\n\\* a mixture of kinds or a strength that no restorer has learned from",
        f"\nDifferences are paired, with 95 % intervals; what is slow, on {len(slow)} pictures.",
        "\nOf the first five:\n",
        f"- over one filter for all ({NAMED[overall]}): {told(total)} dB on average (asked: 1.5)",
        f"- over the best one filter of each mixture: {min(gates['single'][:five]):+.2f} dB at least (asked: 0.2)",
        f"- part of the greedy chain's gain: {min(gates['greedy'][:five]):.0%} at least (asked: 60 %)",
        f"- over calibrate_denoiser: {min(gates['calibrated'][:five]):+.2f} dB at least (asked: 0.5)",
        f"\nOver the untouched picture, all {len(ALL)}: {min(gates['untouched']):+.2f} dB at least (asked: 0).",
        f"Clean pictures left alone: {alone} of {len(pictures)} (asked: 95 %).",
        f"Seconds a picture: median {np.median(seconds):.2f}, most {max(seconds):.2f}.",
        "\nChains most often chosen:\n",
    ]
    lines += [f"- {m}: " + "; ".join(f"{n} x {c}" for c, n in chains[m].most_common(3)) for m in ALL]
    return "\n".join(lines) + "\n"


def told(estimate):
    return f"{estimate.value:+.2f} [{estimate.low:+.2f}, {estimate.high:+.2f}]"


def tables(data, rounds=1):  # noqa: ARG001 - as the other families are called
    return evaluate(data, SHIPPED, side=384, every=3)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="a folder of clean pictures")
    parser.add_argument("--model", type=Path, default=SHIPPED, help="a restorer")
    parser.add_argument("--keep", type=Path, help="a file to keep the scores of the others in")
    parser.add_argument("--colour", action="store_true", help="keep the colours")
    parser.add_argument("--side", type=int, default=0, help="only the middle of each picture, so many pixels wide")
    parser.add_argument("--every", type=int, default=1, help="try what is slow on every n-th picture only")
    parser.add_argument("--processes", type=int, default=2)
    print(evaluate(**vars(parser.parse_args())))


if __name__ == "__main__":
    main()
