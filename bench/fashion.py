"""How good is a small network? `python bench/fashion.py [--data FOLDER] [--layers TEXT] [--epochs N] [--threads N]`.

Fashion-MNIST (Debian's dataset-fashion-mnist): 60,000 pictures to learn from, of which 5,000 choose the epoch, and
10,000 that are looked at once, at the end.
"""

import argparse
import gzip
import os
import resource
import time
from pathlib import Path

import harness
import numpy as np

from assay.models import fitting, network
from assay.models.examples import Arrays
from assay.stats.intervals import proportion

LAYERS = "conv 32, pool, norm, conv 64, pool, norm, dropout .3, dense 128, norm, dropout .5"
VALIDATION = 5000


def read(path):
    """Read an IDX file of bytes: two zeros, a type, the number of sides, the sides, the values."""
    data = gzip.decompress(path.read_bytes())
    shape = np.frombuffer(data, ">u4", data[3], 4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * len(shape)).reshape(shape)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("/usr/share/datasets/fashion-mnist"))
    parser.add_argument("--layers", default=LAYERS)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", type=int, help="learn from so many pictures alone")
    options = parser.parse_args()
    x, y, unseen, truth = (
        read(options.data / f"{part}-{kind}-ubyte.gz")
        for part in ("train", "t10k")
        for kind in ("images-idx3", "labels-idx1")
    )
    order = np.random.default_rng(options.seed).permutation(len(x))
    held, used = order[:VALIDATION], order[VALIDATION:][: options.only]
    net = network.small_cnn(options.layers, size=x.shape[1:], channels=1, classes=10, seed=options.seed)
    print(f"{options.layers}: {sum(p.numel() for p in net.parameters()):,} weights; {harness.machine()}")
    print(f"load of the machine before: {os.getloadavg()[0]:.1f}", flush=True)
    began = time.perf_counter()
    history = fitting.fit(
        net,
        Arrays(x[used], y[used].astype(int)),
        Arrays(x[held], y[held].astype(int)),
        epochs=options.epochs,
        batch_size=options.batch_size,
        learning_rate=options.learning_rate,
        schedule="cosine",
        weight_decay=0.01,
        seed=options.seed,
        threads=options.threads,
        listen=lambda e: print(
            f"  epoch {e.number}: loss {e.train_loss:.3f}, validation {e.val_loss:.3f}, accuracy {e.val_accuracy:.4f},"
            f" {e.seconds:.1f} s",
            flush=True,
        ),
    )
    seconds, used_up = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF)
    right = int((fitting.predict(net, Arrays(unseen, truth)).argmax(axis=1) == truth).sum())
    found = proportion(right, len(truth))
    cpu = used_up.ru_utime + used_up.ru_stime
    print(f"accuracy {found.value:.4f} ({found.low:.4f} to {found.high:.4f}) on {len(truth):,} pictures never seen")
    print(f"epoch {history.best} of {len(history.epochs)}; {seconds:.0f} s, {cpu:.0f} s of processor time; "
          f"load after: {os.getloadavg()[0]:.1f}")  # fmt: skip


if __name__ == "__main__":
    main()
