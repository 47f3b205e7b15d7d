"""A network that learns ratings in two phases: its last layer first, then what is not frozen at a lower rate.

What the frozen part gave and shares of votes go in; the network with the weights of its best epoch comes out. Needs
torch; on frozen features alone `ratings` takes seconds and needs none.
"""

import math
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ..errors import InputError
from . import fitting, network
from .examples import Examples
from .fitting import Epoch, History
from .ratings import NETWORK, Kind, Rater
from .resuming import Kept
from .tuning import Network, Plan

PHASES: tuple[Literal[1], Literal[2]] = (1, 2)
EPOCHS, RATES = (20, 9), (1e-3, 1e-4)
_PATIENCE = 3  # epochs of a phase without a lower validation loss


@dataclass(frozen=True, slots=True)
class Course:
    """What is taught to rate pictures, and in which steps.

    backbone: "lite0" or "timm:NAME"; unfreeze: what learns in the second phase: how many of the last layers,
    "last-block" or "all"; dropout: share of the features that the last layer does not see while it learns; epochs: at
    most, of the first phase, the last layer alone, and of the second; learning_rate: of the two phases; views: mirrored
    and shifted ones of each picture that are learned from beside it.

    Source: Talebi & Milanfar 2018, doi:10.1109/TIP.2018.2831899 (loss, dropout 0.75). Lennan, Nguyen & Tran 2018 have
    5 epochs of the last layer at 1e-3, then 9 of all at 3e-5, for the many pictures of AVA; with few, epochs are short.
    """

    backbone: str = "lite0"
    unfreeze: int | str = "last-block"
    dropout: float = 0.75
    epochs: tuple[int, int] = EPOCHS
    learning_rate: tuple[float, float] = RATES
    views: int = 3
    batch_size: int = 32

    def __post_init__(self) -> None:
        """Refuse what no network can follow."""
        if len(self.epochs) != 2 or min(self.epochs) < 0 or not max(self.epochs):
            raise InputError(f"--epochs must be those of two phases, such as 20,9, got {self.epochs!r}")
        if self.unfreeze == 0:
            raise InputError("--unfreeze must be last-block, all or 1 or more, got 0: that is what --epochs 20,0 does")
        if len(self.learning_rate) != 2 or not all(0 < rate < math.inf for rate in self.learning_rate):
            raise InputError(f"--learning-rate must be two finite numbers > 0, got {self.learning_rate!r}")
        self.plan()

    def plan(self) -> Plan:
        """Return the network that is taught, as other ways of learning have it."""
        return Plan(
            "finetune",
            backbone=self.backbone,
            unfreeze=self.unfreeze,
            dropout=self.dropout,
            views=self.views,
            batch_size=self.batch_size,
        )

    def in_words(self) -> str:
        """Say what is taught."""
        first, second = self.epochs
        return f"{self.plan().in_words()}; {first} epochs of the last layer, then {second} of all that is not frozen"


@dataclass(frozen=True, slots=True)
class Lesson:
    """An epoch, and in which phase."""

    phase: Literal[1, 2]
    epoch: Epoch


def squared_emd(outputs: Any, targets: Any) -> Any:
    """Squared earth mover's distance (r = 2) of a softmax, for `fitting.fit`.

    Args:
        outputs: logits (n, k), of torch.
        targets: shares of votes (n, k).

    Returns:
        The loss of each picture, (n,): (1 / k) sum (CDF_p - CDF_q) ** 2, as `ratings.loss` has it.
    """
    apart = network.torch().cumsum(outputs.softmax(dim=1) - targets, dim=1)
    return (apart**2).mean(dim=1)


def teach(
    made: Network,
    course: Course,
    train: Sequence[Examples],
    val: Sequence[Examples],
    *,
    seed: int,
    threads: int,
    checkpoints: Sequence[Kept | None] = (None, None),
    listen: Callable[[Lesson], None] = lambda _: None,
    stop: Callable[[], bool] = lambda: False,
) -> tuple[History, ...]:
    """Teach a network to predict votes.

    Args:
        made: from `tuning.make`, for the plan of the course; its rest is changed.
        course: how.
        train: for each phase: features of the untaught network, and what the frozen part gave, with shares of votes.
        val: the same of pictures that are neither learned from nor judged on; the best epoch is told by them.
        seed: of everything random.
        threads: of the processor.
        checkpoints: of each phase; they keep its epochs, so that a training which was killed goes on.
        listen: hears of each epoch, also of those before a kill.
        stop: asked between batches.

    Returns:
        How the phases went that were gone through; a loss that is not finite ends them. The network has the weights of
        the best epoch of both.

    Raises:
        InputError: the loss is not finite before an epoch is done; or torch is not installed.
    """
    parts = OrderedDict(list(made.rest.named_children())[-2:])  # dropout and the last layer
    modules = (network.torch().nn.Sequential(parts), made.rest)
    histories: list[History] = []
    least, before = np.inf, network.arrays(made.rest)
    for phase, epochs, rate in zip(PHASES, course.epochs, course.learning_rate, strict=True):
        if not epochs:
            continue
        history = fitting.fit(
            modules[phase - 1],
            train[phase - 1],
            val[phase - 1],
            loss=squared_emd,
            learning_rate=rate,
            schedule="cosine",
            epochs=epochs,
            batch_size=course.batch_size,
            patience=_PATIENCE,
            seed=seed + phase,
            threads=threads,
            checkpoint=checkpoints[phase - 1],
            listen=lambda epoch, phase=phase: listen(Lesson(phase, epoch)),  # type: ignore[misc]
            stop=stop,
        )
        histories.append(history)
        if history.stopped in {"asked", "not finite"}:
            break
        found = min(epoch.val_loss or 0.0 for epoch in history.epochs)
        if found < least:
            least, before = found, network.arrays(made.rest)
        else:
            network.load(made.rest, before)
    return tuple(histories)


def rater(made: Network, *, scale: np.ndarray) -> Rater:
    """Return the last layer of a network as a rater of what comes before it.

    Args:
        made: taught.
        scale: float (k,), rising.

    Returns:
        Rater of the block "network", a line, without a stretch.
    """
    weight, bias = made.last()
    d = weight.shape[1]
    # A rater counts in parts of a spread, and lets none count beyond a few: so wide a one alters nothing.
    spread = np.full(d, 1024, np.float32)
    weight = weight * np.float32(1024 * np.sqrt(d))
    blank = np.zeros(d, np.float32)
    return Rater(np.asarray(scale, float), Kind((NETWORK,), 0.0), blank, spread, blank[None][:0], weight, bias, 0.0)
