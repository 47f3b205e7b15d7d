"""Batches: pictures of a folder, a table or a CSV file, as arrays to learn from, in Keras's words.

Files go in, `(x, y)` comes out. What a batch holds is a function of the files, the options and the seed: not of the
number of workers, and not of when it is asked for.
"""

import math
import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Self, TypedDict, Unpack

import cv2
import numpy as np

from ..errors import InputError, PictureError
from ..pixels import augment, colour
from ..pixels.recipes import Recipe
from . import catalogue, pictures
from .catalogue import Catalogue

MODES = ("categorical", "binary", "sparse", "input", "none")
_AHEAD = 2  # batches that are made while one is learned from
_STREAM = 1 << 40  # indices of randomness between two epochs: more than there will be pictures


class Options(TypedDict, total=False):
    """What `Batches` takes by keyword, whatever its pictures come from."""

    image_size: tuple[int, int]
    batch_size: int
    class_mode: str | None
    color_mode: str
    interpolation: str
    rescale: float
    shuffle: bool
    seed: int
    validation_split: float
    test_split: float
    subset: str | None
    splits: str | os.PathLike[str] | None
    classes: Sequence[str] | None
    workers: int
    recipe: Recipe | None
    crop_to_aspect_ratio: bool
    tell: Callable[[str], object] | None


class Batches:
    """Pictures in batches: `for x, y in batches` goes through them once.

    x is float32 (batch, height, width, channels); the last batch of an epoch may be smaller. y is float32 (batch,
    classes) of 0 and 1 for "categorical", float32 (batch,) of 0 and 1 for "binary", int64 (batch,) for "sparse", x
    itself for "input"; with "none" there is no y, and x comes alone.

    Each time through is an epoch, with an order and with changes of its own; `reset()` begins again with the first, and
    the same batches come again. `batches[i]` is batch i of the coming epoch, `next(batches)` and `stream()` never end.
    A file that cannot be read is skipped and named in `problems`, when the pictures are listed or later.

    Args:
        rows: pictures with their labels; `from_directory`, `from_table` and `from_csv` make them.
        image_size: height and width that pictures are squashed to, in pixels.
        batch_size: pictures a batch, >= 1.
        class_mode: "categorical", "binary", "sparse", "input", or "none" (or None).
        color_mode: "rgb" or "grayscale".
        interpolation: "nearest", "bilinear", "bicubic" or "lanczos", after the picture has been reduced by halves, so
            that no pixel is left out.
        rescale: factor on levels 0 to 255; 1 / 255 gives 0 to 1.
        shuffle: take the pictures in another order each epoch; False keeps the order of `filenames`.
        seed: of split, order and changes, >= 0.
        validation_split: share of pictures for validation, in [0, 1).
        test_split: share of pictures for the test, in [0, 1).
        subset: "training", "validation" or "test"; None for all pictures. Drawn by label, with copies on one side;
            where the pictures come in train, val and test already, that is what counts.
        splits: JSON file that remembers which content is in which part, such as the splits.json of a workspace, so that
            pictures added later move none. Without it a split depends on the pictures there are and on the seed.
        classes: names to use, in their order; by default all there are, sorted.
        workers: threads that read and change pictures, >= 1.
        recipe: changes to make; never made in validation and test.
        crop_to_aspect_ratio: cut the middle out rather than squash.
        tell: is told in a line what was found; None for silence.

    Raises:
        InputError: an option is not allowed, or there is nothing to make batches of.
    """

    def __init__(
        self,
        rows: Catalogue,
        *,
        image_size: tuple[int, int] = (256, 256),
        batch_size: int = 32,
        class_mode: str | None = "categorical",
        color_mode: str = "rgb",
        interpolation: str = "bilinear",
        rescale: float = 1 / 255,
        shuffle: bool = True,
        seed: int = 0,
        validation_split: float = 0.0,
        test_split: float = 0.0,
        subset: str | None = None,
        splits: str | os.PathLike[str] | None = None,
        classes: Sequence[str] | None = None,
        workers: int = 2,
        recipe: Recipe | None = None,
        crop_to_aspect_ratio: bool = False,
        tell: Callable[[str], object] | None = print,
    ) -> None:
        mode = class_mode or "none"
        _one_of("class_mode", mode, MODES)
        _one_of("color_mode", color_mode, ("rgb", "grayscale"))
        _one_of("interpolation", interpolation, tuple(augment.INTERPOLATIONS))
        if subset is not None:
            _one_of("subset", subset, tuple(catalogue.SUBSETS))
        if len(image_size) != 2 or min(*image_size, batch_size, workers) < 1 or seed < 0:
            raise InputError(
                "image_size, batch_size and workers must be >= 1 and seed >= 0, "
                f"got {image_size!r}, {batch_size!r}, {workers!r} and {seed!r}"
            )
        self.class_names = catalogue.classes(rows, chosen=classes)
        if mode == "binary" and len(self.class_names) != 2:
            raise InputError(
                f"binary needs 2 classes, got {len(self.class_names)}: categorical or sparse take any number"
            )
        if mode in {"categorical", "binary", "sparse"} or classes is not None:
            rows = rows.keep(np.isin(rows.label.astype(str), self.class_names))
        found = len(rows.files)
        if subset is None and recipe is not None and any(rows.part):
            raise InputError("a recipe needs a subset where pictures come in train, val and test, got None")
        shares, memory = (validation_split, test_split), None if splits is None else Path(splits)
        rows, copies = catalogue.subset(rows, name=subset, seed=seed, shares=shares, memory=memory)
        if not rows.files:
            why = "; ".join(f"{name}: {reason}" for name, reason in rows.problems[:3]) or "no file has a label"
            raise InputError(f"there must be pictures{f' for {subset}' if subset else ''}, got none: {why}")

        self.image_size, self.batch_size, self.class_mode = image_size, batch_size, mode
        self.class_indices = {name: i for i, name in enumerate(self.class_names)}
        self.filenames = rows.names
        self.samples = len(rows.files)
        self.labels = np.array([self.class_indices.get(name, -1) for name in rows.label], np.int64)
        self.problems = list(rows.problems)
        self.index_array = np.zeros(0, np.int64)  # of the pictures in the batch that came last
        self.epoch = 0
        self.seed, self.shuffle, self.workers = seed, shuffle, workers
        self.recipe = recipe if subset in {None, "training"} else None
        self._files = rows.files
        self._channels = 1 if color_mode == "grayscale" else 3
        self._load = partial(
            _load,
            size=image_size,
            grey=color_mode == "grayscale",
            interpolation=interpolation,
            rescale=rescale,
            crop=crop_to_aspect_ratio,
            zoom=1.0 if self.recipe is None else self.recipe.enlarges(),
        )
        self._stream: Iterator[Any] | None = None
        if tell is not None:
            self._say(tell, found, subset, copies)

    @classmethod
    def from_directory(cls, directory: str | os.PathLike[str], **options: Unpack[Options]) -> Self:
        """Take the pictures below a folder, labelled by the folders in it.

        Args:
            directory: `class/*`, or `train/class/*` beside `val/class/*` or `test/class/*`; pictures in no folder have
                no label, and are left out where labels are asked for.
            options: of the class.
        """
        return cls(catalogue.from_folder(Path(directory), workers=_threads(options)), **options)

    @classmethod
    def from_table(
        cls, table: Mapping[str, Any], directory: str | os.PathLike[str] = ".", **options: Unpack[Options]
    ) -> Self:
        """Take the pictures that a table names: a dictionary of columns, a data frame or an Arrow table.

        Args:
            table: columns file (or path) and label; group, part, status and sha256 are heeded where they are there.
            directory: the folder that its paths are below.
            options: of the class.
        """
        return cls(catalogue.from_columns(Path(directory), table, workers=_threads(options)), **options)

    @classmethod
    def from_csv(
        cls, csv: str | os.PathLike[str], directory: str | os.PathLike[str] | None = None, **options: Unpack[Options]
    ) -> Self:
        """Take the pictures that a CSV file names in its columns file and label; group and part are heeded.

        Args:
            csv: the file.
            directory: the folder that its paths are below; the one that it lies in by default.
            options: of the class.
        """
        root = Path(directory) if directory is not None else Path(csv).parent
        return cls(catalogue.from_folder(root, csv=Path(csv), workers=_threads(options)), **options)

    def __len__(self) -> int:
        """Return the number of batches in an epoch."""
        return (self.samples + self.batch_size - 1) // self.batch_size

    def __repr__(self) -> str:
        shape = " x ".join(map(str, (self.batch_size, *self.image_size, self._channels)))
        return (
            f"Batches({self.samples:,} pictures of {len(self.class_names)} classes in {len(self):,} batches of {shape})"
        )

    def __getitem__(self, index: int) -> Any:
        """Return one batch of the coming epoch.

        Args:
            index: of the batch; from the end where it is negative.

        Raises:
            IndexError: there is no such batch.
        """
        place = range(len(self))[index]
        order = self._order(self.epoch)[place * self.batch_size : (place + 1) * self.batch_size]
        x = self._empty(len(order))
        return self._batch(x, order, self._fill(x, order, self.epoch))

    def __iter__(self) -> Iterator[Any]:
        """Go through the pictures once."""
        epoch = self.epoch
        self.epoch += 1
        return self._once(epoch)

    def __next__(self) -> Any:
        """Return the next batch; after the last of an epoch comes the first of the next."""
        if self._stream is None:
            self._stream = self.stream()
        return next(self._stream)

    def stream(self) -> Iterator[Any]:
        """Give batches without end, as Keras's `fit` takes them with `steps_per_epoch=len(batches)`.

        Raises:
            InputError: not one of the pictures can be read any more.
        """
        while True:
            last = None
            for last in self:
                yield last
            if last is None:
                raise InputError(f"there must be pictures that can be read, got none of {self.samples} any more")

    def reset(self) -> None:
        """Begin again with the first batch of the first epoch."""
        self.epoch, self._stream = 0, None

    def _say(self, tell: Callable[[str], object], found: int, subset: str | None, copies: int) -> None:
        tell(f"Found {found} files belonging to {len(self.class_names)} classes.")
        if subset is not None:
            tell(f"Using {self.samples} files for {subset}.")
        if copies:
            tell(f"Left out {copies} copies of pictures that validate or test.")
        for name, reason in self.problems:
            tell(f"Skipped {name if name.isprintable() else ascii(name)}: {reason}")

    def _once(self, epoch: int) -> Iterator[Any]:
        order = self._order(epoch)
        pieces = [order[i : i + self.batch_size] for i in range(0, len(order), self.batch_size)]
        waiting: deque[tuple[np.ndarray, np.ndarray, list[Future[np.ndarray]]]] = deque()
        pool = ThreadPoolExecutor(self.workers, "batches")
        try:
            for piece in pieces:
                x = self._empty(len(piece))
                # Each thread has its share of a batch, so that the first batch comes as soon as it can.
                cuts = np.array_split(np.arange(len(piece)), min(self.workers, len(piece)))
                parts = [(x[c[0] : c[-1] + 1], piece[c[0] : c[-1] + 1]) for c in cuts]
                waiting.append((x, piece, [pool.submit(self._fill, *part, epoch) for part in parts]))
                if len(waiting) > _AHEAD:
                    yield from self._done(*waiting.popleft())
            while waiting:
                yield from self._done(*waiting.popleft())
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _done(self, x: np.ndarray, order: np.ndarray, futures: list["Future[np.ndarray]"]) -> Iterator[Any]:
        """Wait for a batch; one of which nothing could be read is none."""
        good = np.concatenate([f.result() for f in futures])
        if good.any():
            yield self._batch(x, order, good)

    def _batch(self, x: np.ndarray, order: np.ndarray, good: np.ndarray) -> Any:
        """Put a batch together of what could be read."""
        if not good.all():
            x, order = x[good], order[good]
        self.index_array = order
        if self.class_mode == "none":
            return x
        return x, self._targets(x, order)

    def _targets(self, x: np.ndarray, order: np.ndarray) -> np.ndarray:
        if self.class_mode == "input":
            return x.copy()
        labels = np.asarray(self.labels[order])
        if self.class_mode == "categorical":
            return np.asarray(labels[:, None] == np.arange(len(self.class_names)), np.float32)
        return labels if self.class_mode == "sparse" else labels.astype(np.float32)

    def _order(self, epoch: int) -> np.ndarray:
        if not self.shuffle:
            return np.arange(self.samples)
        return np.random.default_rng([self.seed, epoch, self.samples]).permutation(self.samples)

    def _empty(self, count: int) -> np.ndarray:
        return np.empty((count, *self.image_size, self._channels), np.float32)

    def _fill(self, x: np.ndarray, order: np.ndarray, epoch: int) -> np.ndarray:
        """Read pictures into a part of a batch; say which could be read."""
        good = np.ones(len(order), bool)
        for row, index in enumerate(order.tolist()):
            drawn = augment.Draw({})
            if self.recipe is not None:
                rng = augment.generator(seed=self.seed, index=epoch * _STREAM + index)
                drawn = augment.draw(self.recipe, rng=rng)
            try:
                self._load(self._files[index], x[row], drawn)
            except (PictureError, OSError) as e:
                good[row] = False
                if (problem := (self.filenames[index], str(e))) not in self.problems:
                    self.problems.append(problem)
        return good


def _load(
    file: str,
    row: np.ndarray,
    drawn: augment.Draw,
    *,
    size: tuple[int, int],
    grey: bool,
    interpolation: str,
    rescale: float,
    crop: bool,
    zoom: float,
) -> None:
    """Read a picture into a row of a batch: scaled decode, one warp, one conversion."""
    data, _ = pictures.read_bytes(file)
    needed = math.ceil(size[0] * zoom), math.ceil(size[1] * zoom)
    image = pictures.decode(data, pictures.header(data), shorter=max(needed))
    image = colour.grey(image) if grey else image
    image = _reduced(_middle(image, size) if crop else image, needed)
    image = augment.apply(image, drawn, size=size, interpolation=interpolation)
    factor = np.float32(rescale if image.dtype == np.uint8 else rescale * 255)
    np.multiply(image[..., None] if image.ndim == 2 else image, factor, out=row)


def _middle(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Cut out the largest part in the middle that has the aspect of `size`."""
    height, width = image.shape[:2]
    scale = min(height / size[0], width / size[1])
    rows, columns = max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
    top, left = (height - rows) // 2, (width - columns) // 2
    return image[top : top + rows, left : left + columns]


def _reduced(image: np.ndarray, needed: tuple[int, int]) -> np.ndarray:
    """Average along a side that is twice as long as needed, or more: a warp would leave some of its pixels out."""
    height, width = (
        -(-side // 2 ** int(math.log2(max(side / least, 1)))) for side, least in zip(image.shape, needed, strict=False)
    )
    if (height, width) == image.shape[:2]:
        return image
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)


def _one_of(name: str, value: str, allowed: Sequence[str]) -> None:
    if value not in allowed:
        raise InputError(f"{name} must be one of {', '.join(allowed)}, got {value!r}")


def _threads(options: Options) -> int:
    return max(1, options.get("workers", 2))
