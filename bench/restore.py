"""How much better pictures become: `python bench/restore.py --data FOLDER [--model FILE] [--keep FILE]`.

Clean pictures (Kodak's 24) are damaged by mixtures, some of which no restorer has learned from, and brought back by: a
filter for all mixtures, the best in hindsight; the best filter for each mixture, in hindsight; scikit-image's
`calibrate_denoiser` (non-local means, its strength found without the clean picture); a greedy chain that sees the clean
picture; and the restorer. Differences are paired by picture, with 95 % intervals.
"""

import argparse
import json
import sys
import time
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
UNLEARNED = [  # four kinds at once, and noise that is stronger than any learned from
    Damage(blur=0.8, gaussian=10, impulses=0.03, jpeg=50),
    Damage(speckle=0.2, gaussian=12, impulses=0.02, jpeg=40),
    Damage(gaussian=40),
]
CLEAN = Damage()


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


def peers(data, *, colour, side, keep):
    """Return (name, mixture) to the scores of all that the restorer is compared with; they are kept between runs."""
    known = json.loads(keep.read_text()) if keep and keep.exists() else {}
    for i, (name, clean) in enumerate(originals(data, colour, side)):
        for j, mixture in enumerate(MIXTURES + UNLEARNED):
            key = f"{name} {mixture} {side} {'colour' if colour else 'grey'}"
            if key in known:
                continue
            damaged = mixture.apply(clean, rng=np.random.default_rng([i, j]))
            view = chain.begin(damaged)
            known[key] = {
                "single": [scores(image, clean) for image in everything(view)],
                "greedy": scores(greedy(view, clean), clean),
                "calibrated": scores(calibrated(damaged), clean),
            }
        if keep:
            keep.write_text(json.dumps(known))
        print(f"  {name}", file=sys.stderr)
    return known


def evaluate(data, model, *, colour=False, side=0, keep=None):
    """Return the table as Markdown."""
    known, restorer = peers(data, colour=colour, side=side, keep=keep), Restorer.load(model)
    pictures = originals(data, colour, side)
    found, chains, alone, seconds = {}, {}, 0, []
    for i, (name, clean) in enumerate(pictures):
        for j, mixture in enumerate(MIXTURES + UNLEARNED):
            damaged = mixture.apply(clean, rng=np.random.default_rng([i, j]))
            began = time.perf_counter()
            result = restorer.restore(damaged)
            seconds.append(time.perf_counter() - began)
            found[name, str(mixture)] = scores(result.image, clean)
            # Strengths differ from picture to picture; what was done is told without them.
            steps = ", ".join(step.split("=")[0].rsplit(" ", 1)[0] if "=" in step else step for step in result.chain)
            chains.setdefault(str(mixture), {}).setdefault(steps or "none", 0)
            chains[str(mixture)][steps or "none"] += 1
        alone += not restorer.restore(clean).chain
    names = [name for name, _ in pictures]

    def column(mixture, who, measure):
        rows = [known[f"{n} {mixture} {side} {'colour' if colour else 'grey'}"][who] for n in names]
        return np.array(rows)[..., measure]

    def ours(mixture, measure):
        return np.array([found[n, str(mixture)][measure] for n in names])

    single = {m: column(m, "single", 0) for m in MIXTURES + UNLEARNED}
    overall = int(np.mean([single[m].mean(axis=0) for m in MIXTURES], axis=0).argmax())
    part = f", the middle {side} pixels" if side else ""
    heads = ["", "damaged", f"{NAMED[overall]} for all", "best one filter", "calibrate_denoiser", "restorer"]
    heads += ["greedy, sees the clean one", "restorer - best one filter", "restorer - calibrate_denoiser"]
    heads += ["part of greedy's gain"]
    kind = "colour" if colour else "grey"
    lines = [
        f"**Restoring, {len(names)} pictures, {kind}{part}**: mean PSNR in dB (mean SSIM)",
        "",
        f"| {' | '.join(heads)} |",
        "|" + "---|" * len(heads),
    ]
    margins, gates = [], {"single": [], "greedy": [], "untouched": [], "calibrated": [], "overall": []}
    for m in MIXTURES + UNLEARNED:
        best = int(single[m].mean(axis=0).argmax())
        columns = [(single[m][:, k], column(m, "single", 1)[:, k]) for k in (0, overall, best)]
        columns.append((column(m, "calibrated", 0), column(m, "calibrated", 1)))
        columns.append((ours(m, 0), ours(m, 1)))
        columns.append((column(m, "greedy", 0), column(m, "greedy", 1)))
        cells = [f"{p.mean():.2f} ({s.mean():.3f})" for p, s in columns]
        cells[2] += f" {NAMED[best]}"
        over, against = mean(ours(m, 0) - single[m][:, best]), mean(ours(m, 0) - column(m, "calibrated", 0))
        part = (ours(m, 0) - single[m][:, 0]).mean() / (column(m, "greedy", 0) - single[m][:, 0]).mean()
        known_mark = "" if m in MIXTURES else " *"
        interval = lambda e: f"{e.value:+.2f} [{e.low:+.2f}, {e.high:+.2f}]"  # noqa: E731
        lines.append(f"| {m}{known_mark} | {' | '.join(cells)} | {interval(over)} | {interval(against)} | {part:.0%} |")
        gates["single"].append(over.value)
        gates["greedy"].append(part)
        gates["untouched"].append(float((ours(m, 0) - single[m][:, 0]).mean()))
        gates["calibrated"].append(against.value)
        gates["overall"].append(ours(m, 0) - single[m][:, overall])
        margins.append(
            f"- {m}: " + "; ".join(f"{n} x {c}" for c, n in sorted(chains[str(m)].items(), key=lambda x: -x[1])[:3])
        )
    five = len(MIXTURES)
    total = mean(np.mean(gates["overall"][:five], axis=0))
    lines += [
        "",
        "\\* a mixture of kinds or a strength that no restorer has learned from",
        "",
        f"Over one filter for all ({NAMED[overall]}), mean of the five: {interval(total)} dB (gate 1.5).",
        f"Over the best one filter of each mixture: {min(gates['single'][:five]):+.2f} dB at least (gate 0.2).",
        f"Part of the greedy chain's gain: {min(gates['greedy'][:five]):.0%} at least (gate 60 %).",
        f"Over calibrate_denoiser: {min(gates['calibrated'][:five]):+.2f} dB at least (gate 0.5).",
        f"Over the untouched picture, all eight: {min(gates['untouched']):+.2f} dB at least (gate 0).",
        f"Clean pictures left alone: {alone} of {len(names)} (gate 95 %).",
        f"Seconds a picture: median {np.median(seconds):.2f}, most {max(seconds):.2f} (gate 1, at 768 x 512).",
        "",
        "Chains most often chosen:",
        *margins,
    ]
    return "\n".join(lines) + "\n"


def tables(data, rounds=1):  # noqa: ARG001 - as the other families are called
    return evaluate(data, SHIPPED, side=384)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="a folder of clean pictures")
    parser.add_argument("--model", type=Path, default=SHIPPED, help="a restorer")
    parser.add_argument("--keep", type=Path, help="a file to keep the scores of the others in")
    parser.add_argument("--colour", action="store_true", help="keep the colours")
    parser.add_argument("--side", type=int, default=0, help="only the middle of each picture, so many pixels wide")
    options = parser.parse_args()
    print(evaluate(options.data, options.model, colour=options.colour, side=options.side, keep=options.keep))


if __name__ == "__main__":
    main()
