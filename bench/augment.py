"""Augmentation: flip, rotation and shift, noise and blur on arrays, by assay and by those who do the same.

`augment.py WORK NAME FOLDER` is one contestant's turn; `tables` lets them take turns. Each works on one processor, but
for the pair that shows what a second process brings.
"""

import functools
import json
import sys
import time
from pathlib import Path

import cv2
import harness
import numpy as np

TURN, SHIFT, SIGMA, BLUR = 25, 0.1, 10, 1.0
DISTINCT = 32  # pictures, so that none stays in the cache of the processor
COUNT = {256: 320, 512: 96}


def arrays(folder, size):
    """Return squares cut from the pictures of a folder."""
    files = [p for p in sorted(Path(folder).rglob("*")) if p.is_file()][:DISTINCT]
    found = [cv2.imread(str(p)) for p in files]
    squares = [cv2.resize(x, (size, size))[..., ::-1].copy() for x in found if x is not None]
    return [squares[i % len(squares)].copy() for i in range(DISTINCT)]


def recipe():
    from assay.pixels.recipes import Recipe

    return Recipe(
        horizontal_flip=0.5,
        rotation_range=TURN,
        width_shift_range=SHIFT,
        height_shift_range=SHIFT,
        noise_range=(SIGMA, SIGMA),
        blur_range=(BLUR, BLUR),
    )


def assay():
    from assay.pixels import augment

    chosen = recipe()
    index = iter(range(1 << 30))
    return lambda image: augment.vary(image, recipe=chosen, rng=augment.generator(seed=0, index=next(index)))


def albumentations_changes():
    import albumentations as a

    return [
        a.HorizontalFlip(p=0.5),
        a.Affine(
            rotate=(-TURN, TURN),
            translate_percent={"x": (-SHIFT, SHIFT), "y": (-SHIFT, SHIFT)},
            border_mode=cv2.BORDER_REFLECT,
            p=1,
        ),
        a.GaussNoise(std_range=(SIGMA / 255, SIGMA / 255), p=1),
        a.GaussianBlur(blur_limit=0, sigma_limit=(BLUR, BLUR), p=1),
    ]


def albumentations():
    import albumentations as a

    chain = a.Compose(albumentations_changes())
    return lambda image: chain(image=image)["image"]


def keras():
    """Keras's generator turns and shifts; noise and blur are what its users give it as a function."""
    from keras.src.legacy.preprocessing.image import ImageDataGenerator

    rng = np.random.default_rng(0)
    generator = ImageDataGenerator(
        horizontal_flip=True,
        rotation_range=TURN,
        width_shift_range=SHIFT,
        height_shift_range=SHIFT,
        fill_mode="reflect",
    )

    def one(image):
        moved = generator.random_transform(image.astype(np.float32))
        noisy = moved + rng.normal(0, SIGMA, image.shape)
        return cv2.GaussianBlur(noisy.clip(0, 255).astype(np.uint8), (0, 0), BLUR)

    return one


def imgaug():
    import imgaug.augmenters as iaa

    chain = iaa.Sequential(
        [
            iaa.Fliplr(0.5),
            iaa.Affine(
                rotate=(-TURN, TURN),
                translate_percent={"x": (-SHIFT, SHIFT), "y": (-SHIFT, SHIFT)},
                mode="reflect",
                backend="cv2",
            ),
            iaa.AdditiveGaussianNoise(scale=SIGMA, per_channel=True),
            iaa.GaussianBlur(BLUR),
        ]
    )
    return lambda image: chain(image=image)


def torchvision():
    import torch
    from torchvision.transforms import v2

    torch.set_num_threads(1)
    # Its affine has no mirrored border; its noise wants floats.
    chain = v2.Compose(
        [
            v2.RandomHorizontalFlip(),
            v2.RandomAffine(TURN, (SHIFT, SHIFT), interpolation=v2.InterpolationMode.BILINEAR),
            v2.ToDtype(torch.float32, scale=True),
            v2.GaussianNoise(sigma=SIGMA / 255),
            v2.GaussianBlur(7, BLUR),
            v2.ToDtype(torch.uint8, scale=True),
        ]
    )
    return lambda image: chain(torch.from_numpy(image.transpose(2, 0, 1)))


def turn(work, name, folder):
    """Work through the pictures once without the clock, then with it."""
    cv2.setNumThreads(1)
    size = int(work.removeprefix("size"))
    images = arrays(folder, size)
    one = globals()[name]()
    for image in images[:8]:
        one(image)
    began = time.perf_counter()
    for i in range(COUNT[size]):
        one(images[i % DISTINCT])
    return COUNT[size], time.perf_counter() - began


@functools.cache
def kept(folder, size):
    return arrays(folder, size)


def share(_index, folder, size):
    """Make some variants; what one process of several does."""
    from assay.pixels import augment

    cv2.setNumThreads(1)
    images = kept(folder, size)
    for i in range(COUNT[size]):
        augment.vary(images[i % DISTINCT], recipe=recipe(), rng=augment.generator(seed=0, index=i))
    return COUNT[size]


def processes(name, folder):
    """Time `assay` on one process or two, once they are warm."""
    import augment as this  # by the name that a worker finds it under

    from assay.workers import local

    count = {"one": 1, "two": 2}[name]
    job = functools.partial(this.share, folder=folder, size=256)
    done, began = 0, None
    for results in local.run(job, range(12), processes=count, chunk=1):
        if began is None and done >= count:
            began, done = time.perf_counter(), 0
        done += len(results)
    return COUNT[256] * (done - 1), time.perf_counter() - began


def tables(data, rounds):
    """Race on the pictures of a folder.

    Args:
        data: folder of pictures.
        rounds: turns of each contestant.
    """
    names = ["assay", "albumentations", "keras", "imgaug", "torchvision"]
    text = ""
    for size in COUNT:
        print(f"augmentation, {size}")
        runs = harness.race(f"size{size}", names, data, rounds=rounds, script=__file__)
        title = f"Augmentation: flip, rotation with shift, noise, blur; {size} x {size} colour, one processor"
        text += harness.table(title, runs) + "\n"
    print("augmentation, processes")
    runs = harness.race("processes", ["one", "two"], data, rounds=rounds, script=__file__)
    return text + harness.table("Augmentation at 256 on one and two processes", runs, ours="two") + "\n"


if __name__ == "__main__":
    work, name, where = sys.argv[1:]
    pictures, seconds = processes(name, where) if work == "processes" else turn(work, name, where)
    print(json.dumps({"pictures": pictures, "seconds": seconds}))
