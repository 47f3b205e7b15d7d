"""Batches: from JPEG files of 500x375 to changed arrays of 256x256, by assay and by those who do the same.

`batches.py WORK NAME FOLDER` is one contestant's turn; `tables` lets them take turns. WORK is the number of workers.
"""

import json
import sys
import tempfile
import time
from pathlib import Path

import augment
import cv2
import harness
import numpy as np
from augment import BLUR, SHIFT, SIGMA, TURN

SIDE, BATCH, COUNT = 256, 32, 384


def make(folder, data):
    """Fill a folder with two classes of JPEGs of 500x375, parts of the pictures of another."""
    rng = np.random.default_rng(0)
    found = [cv2.imread(str(p)) for p in sorted(Path(data).rglob("*")) if p.is_file()][:48]
    originals = [x for x in found if x is not None]
    for i in range(COUNT):
        image = originals[i % len(originals)]
        top, left = (int(rng.integers(0, 1 + n // 8)) for n in image.shape[:2])
        part = image[top : top + image.shape[0] * 7 // 8, left : left + image.shape[1] * 7 // 8]
        place = folder / "ab"[i % 2] / f"{i:04d}.jpg"
        place.parent.mkdir(parents=True, exist_ok=True)
        part = cv2.resize(part, (500, 375), interpolation=cv2.INTER_CUBIC)
        cv2.imwrite(str(place), part, [cv2.IMWRITE_JPEG_QUALITY, 88])


def assay(folder, workers):
    from assay.data.batches import Batches

    return Batches.from_directory(
        folder,
        image_size=(SIDE, SIDE),
        batch_size=BATCH,
        recipe=augment.recipe(),
        workers=max(workers, 1),
        tell=lambda _: None,
    )


def keras(folder, workers):
    """Keras's generator, with noise and blur as the function that its users give it."""
    from keras.src.legacy.preprocessing.image import ImageDataGenerator

    if workers > 1:
        raise SystemExit("one processor only")
    rng = np.random.default_rng(0)

    def noise_and_blur(image):
        noisy = image + rng.normal(0, SIGMA, image.shape)
        return cv2.GaussianBlur(noisy.clip(0, 255).astype(np.uint8), (0, 0), BLUR).astype(np.float32)

    generator = ImageDataGenerator(
        horizontal_flip=True,
        rotation_range=TURN,
        width_shift_range=SHIFT,
        height_shift_range=SHIFT,
        fill_mode="reflect",
        rescale=1 / 255,
        preprocessing_function=noise_and_blur,
    )
    flow = generator.flow_from_directory(folder, (SIDE, SIDE), batch_size=BATCH, interpolation="bilinear")
    return (flow[i] for i in range(len(flow)))


def albumentations(folder, workers):
    """albumentations behind PyTorch's DataLoader, decoding with OpenCV."""
    import albumentations as a
    import torch

    torch.set_num_threads(1)
    chain = a.Compose([a.Resize(SIDE, SIDE), *augment.albumentations_changes()])
    files = sorted(Path(folder).rglob("*.jpg"))

    class Folder(torch.utils.data.Dataset):
        def __len__(self):
            return len(files)

        def __getitem__(self, i):
            image = chain(image=cv2.cvtColor(cv2.imread(str(files[i])), cv2.COLOR_BGR2RGB))["image"]
            return image.astype(np.float32) / 255, int(files[i].parent.name == "b")

    return torch.utils.data.DataLoader(
        Folder(), BATCH, shuffle=True, num_workers=0 if workers == 1 else workers, worker_init_fn=_one_thread
    )


def _one_thread(_worker):
    cv2.setNumThreads(1)


def turn(name, folder, workers):
    """Go through the pictures once without the clock, then with it."""
    cv2.setNumThreads(1)
    for _ in globals()[name](folder, workers):
        pass
    batches = globals()[name](folder, workers)
    began = time.perf_counter()
    count = sum(len(batch[0]) for batch in batches)
    return count, time.perf_counter() - began


def tables(data, rounds):
    """Race on pictures made from those of a folder.

    Args:
        data: folder of pictures.
        rounds: turns of each contestant.
    """
    text = ""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "photos"
        make(folder, data)
        for workers, names in ((1, ["assay", "albumentations", "keras"]), (2, ["assay", "albumentations"])):
            print(f"batches, {workers} workers")
            runs = harness.race(str(workers), names, folder, rounds=rounds, script=__file__)
            how = "one worker" if workers == 1 else f"{workers} workers"
            title = (
                f"Batches of {BATCH}: 500x375 JPEG to {SIDE} x {SIDE} with flip, rotation, shift, noise and blur; {how}"
            )
            text += harness.table(title, runs) + "\n"
    return text


if __name__ == "__main__":
    work, name, where = sys.argv[1:]
    pictures, seconds = turn(name, Path(where), int(work))
    print(json.dumps({"pictures": pictures, "seconds": seconds}))
