"""Fine-tuning with a frozen trunk: the second epoch, beside a plain loop of torch that runs the trunk every time.

`tables(data, rounds)` returns Markdown; data is not read: pictures are noise, which takes as long as any. Needs torch.
"""

import statistics
import time

import numpy as np

from assay.models import fitting, inference, network, tuning
from assay.models.examples import Arrays

PICTURES, SIZE, BATCH, THREADS = 128, 256, 32, 2
RECIPES = {
    "last block": {},
    "the tutorial's: last 4 layers, dense 1024": {"unfreeze": 4, "head": 1024, "optimizer": "rmsprop"},
}


def plain(views, labels, plan):
    """Train as most people do: everything runs, gradients only for the last layers; return the second epoch's time."""
    t = network.torch()
    made = tuning.make(plan, classes=2, seed=0)
    whole = network.lite(size=SIZE, classes=2, dropout=0.5, seed=0)
    learning = dict(made.rest.named_children())
    parts = list(whole.named_children())
    first = next(i for i, (name, _) in enumerate(parts) if name in learning)
    before = t.nn.Sequential(*[part for _, part in parts[:first]])
    before.requires_grad_(requires_grad=False)
    before.eval()
    module = t.nn.Sequential(before, made.rest)
    optimizer = t.optim.RMSprop([p for p in module.parameters() if p.requires_grad], lr=1e-4)
    with fitting.using(THREADS):
        for _ in range(2):
            began, order = time.perf_counter(), np.random.default_rng(0).permutation(len(views))
            for start in range(0, len(order), BATCH):
                indices = order[start : start + BATCH]
                optimizer.zero_grad()
                outputs = module(t.from_numpy(views[indices]))
                t.nn.functional.cross_entropy(outputs, t.from_numpy(labels[indices])).backward()
                optimizer.step()
    return time.perf_counter() - began


def cached(views, labels, plan):
    """Train on what the trunk gave once; return that time and the second epoch's."""
    made = tuning.make(plan, classes=2, seed=0)
    began = time.perf_counter()
    given = inference.Runner(made.trunk, threads=THREADS).run(views).astype(np.float16)
    once = time.perf_counter() - began
    history = fitting.fit(
        made.rest, Arrays(given, labels), None, optimizer="rmsprop", learning_rate=1e-4, epochs=2, batch_size=BATCH,
        threads=THREADS,
    )  # fmt: skip
    return once, history.epochs[1].seconds


def tables(data, rounds):
    del data
    rng = np.random.default_rng(0)
    views = rng.integers(0, 256, (PICTURES, SIZE, SIZE, 3), np.uint8)
    labels = rng.integers(0, 2, PICTURES)
    lines = [
        f"**Fine-tuning on {PICTURES} pictures of {SIZE} x {SIZE}, seconds of the second epoch**",
        "",
        "| what learns | assay | lowest – highest | plain torch | lowest – highest | assay is | frozen trunk, once |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, options in RECIPES.items():
        plan = tuning.Plan("finetune", **options)
        ours, once, theirs = [], [], []
        for _ in range(rounds):
            first, second = cached(views, labels, plan)
            once.append(first)
            ours.append(second)
            theirs.append(plain(views, labels, plan))
        a, b = statistics.median(ours), statistics.median(theirs)
        lines.append(
            f"| {name} | {a:.2f} | {min(ours):.2f} – {max(ours):.2f} | {b:.2f} | {min(theirs):.2f} – "
            f"{max(theirs):.2f} | {b / a:.1f} x | {statistics.median(once):.2f} |"
        )
    return "\n".join(lines) + "\n"
