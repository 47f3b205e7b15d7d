"""A restorer: a picture in, a better one out, by a chain of plain filters that it has learned to choose.

What it sees of a picture (`chain.state`) is told by how near it is to some thousand states it knows, each a peak; the
value of a filter is a weighted sum of peaks, and Q-learning (`td.control`) has found the weights.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from ..errors import InputError
from ..td import saved
from ..td.codings import Linear
from ..td.control import Control
from . import chain
from .chain import ACTIONS, STEPS, WIDTH
from .symptoms import LEAST

FORMAT = 2
SHIPPED = Path(__file__).parent / "restorer.safetensors"
_WIDTH = 4.0  # of a peak, in standard deviations of what is seen: its value there is exp(-1)
# dB that a first filter must be thought to bring, and a later one: clean pictures are to be left alone.
_WORTH = (1.5, 0.1)
_GAMMA = 0.9  # what comes later counts a little less: values are surer where pictures were seen more


@dataclass(frozen=True, slots=True)
class Restored:
    """A picture, and how it came about.

    image: of the same shape and dtype as what went in; chain: names of the filters, in order, empty where it was left
    alone; gain: dB of PSNR that the chain was thought to bring; before, after: SSIM that the picture was thought to
    have, 0 to 1.
    """

    image: np.ndarray
    chain: tuple[str, ...]
    gain: float
    before: float
    after: float

    @property
    def words(self) -> str:
        """The chain in words."""
        if not self.chain:
            return f"left alone: predicted SSIM {self.before:.2f}"
        return f"{', then '.join(self.chain)}, stop: predicted SSIM {self.before:.2f} -> {self.after:.2f}"


class Restorer:
    """Chooses filters for a picture, one after the other, until none is worth it.

    Args:
        known: float (m, WIDTH), states that peaks stand at, each column divided by its scale.
        scale: float (WIDTH,), > 0.
        learner: action values over the m peaks and a constant.
        quality: float (m + 1,), weights of the SSIM of a picture, over the same.
        notes: how it came about: plain JSON values.
    """

    def __init__(
        self, known: np.ndarray, scale: np.ndarray, learner: Control, quality: np.ndarray, *, notes: dict[str, Any]
    ) -> None:
        self.known, self.scale, self.learner, self.quality, self.notes = known, scale, learner, quality, notes

    def restore(self, image: np.ndarray) -> Restored:
        """Restore a picture.

        Args:
            image: picture, uint8 or float32, (H, W) or (H, W, 3), 24 x 24 pixels at least.

        Returns:
            The picture and the chain. One that is thought clean is returned as it is, a copy.

        Raises:
            InputError: it is no picture, or too small.
        """
        if min(image.shape[:2]) < LEAST:
            raise InputError(f"a picture to restore must be {LEAST} x {LEAST} or larger, got {image.shape}")
        view, gain = chain.begin(image.copy()), 0.0
        words: list[str] = []
        scores: list[float] = []
        while True:
            near = peaks(chain.state(view)[None] / self.scale, self.known)
            scores.append(float((near @ self.quality)[0].clip(0, 1)))
            values = self.learner.values(near)[0]
            values[list(view.done)] = -np.inf  # the same filter again does little, but for harm where values are wrong
            action = int(values.argmax())
            if len(words) == STEPS or action == 0 or values[action] - values[0] < _WORTH[bool(words)]:
                break
            gain = gain or float(values[action])
            said, found = chain.outcome(view, action)
            words.append(said)
            view = chain.follow(view, action, np.ascontiguousarray(found))
        return Restored(view.image, tuple(words), gain, scores[0], max(scores[0], scores[-1]))

    def pack(self) -> bytes:
        """Return it as the bytes of a safetensors file."""
        arrays = {
            "known": self.known.astype(np.float32),
            "scale": self.scale.astype(np.float32),
            "values": self.learner.weights_[0].astype(np.float32),
            "quality": self.quality.astype(np.float32),
        }
        card = {"version": FORMAT, "actions": list(ACTIONS), "notes": self.notes}
        return saved.pack("restorer", card, arrays)

    @classmethod
    def load(cls, path: str | os.PathLike[str] = SHIPPED) -> Self:
        """Read one; the shipped one by default.

        Args:
            path: of the file.

        Raises:
            InputError: it holds no restorer, or one of another version, or one for other filters.
        """
        card, arrays = saved.read(path, "restorer")
        if card.get("version") != FORMAT or card.get("actions") != list(ACTIONS):
            raise InputError(
                f"a restorer must be for the filters that assay has now, got another in {path}: train it again"
            )
        try:
            known, scale, values, quality = (arrays[k].astype(float) for k in ("known", "scale", "values", "quality"))
        except KeyError as e:
            raise InputError(f"a restorer must hold known states and their values, got no {e} in {path}") from e
        m = len(known)
        shapes = (known.shape, scale.shape, values.shape, quality.shape)
        wanted = ((m, WIDTH), (WIDTH,), (len(ACTIONS), m + 1), (m + 1,))
        if shapes != wanted or not m or not (scale > 0).all():
            raise InputError(f"a restorer's arrays must fit each other, got shapes {shapes} in {path}")
        learner = learner_for(m)
        learner.weights_[0] = values
        return cls(known, scale, learner, quality, notes=dict(card.get("notes") or {}))


def learner_for(m: int, *, actions: int = len(ACTIONS)) -> Control:
    """Return a learner of action values over peaks.

    Args:
        m: peaks.
        actions: that it tells apart.
    """
    return Control(Linear(m + 1), actions, method="q-learning", gamma=_GAMMA)


def peaks(states: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Tell how near states are to known ones.

    Args:
        states: float (n, d), scaled as the known ones are.
        known: float (m, d).

    Returns:
        float64 (n, m + 1), in [0, 1]; the last column is 1.
    """
    squared = (states**2).sum(axis=1)[:, None] + (known**2).sum(axis=1) - 2 * states @ known.T
    return np.hstack([np.exp(-np.sqrt(np.maximum(squared, 0)) / _WIDTH), np.ones((len(states), 1))])
