"""A network that learns ratings in two phases: its last layer first, then all of it at a lower rate. Needs torch.

Views of pictures and shares of votes go in, the network with the weights of its best epoch comes out. On frozen
features `models.ratings` takes seconds; this takes minutes for hundreds of pictures, and pays with thousands.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import softmax

from ..errors import InputError
from ..stats import votes
from . import fitting, network
from .examples import Arrays
from .fitting import Epoch, History

_ALL = 0.03  # of the rate of the first phase, for the whole network


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
    views: np.ndarray,
    shares: np.ndarray,
    *,
    validate: tuple[np.ndarray, np.ndarray] | None = None,
    epochs: tuple[int, int] = (5, 9),
    learning_rate: float = 1e-3,
    dropout: float = 0.75,
    batch_size: int = 32,
    patience: int | None = 3,
    seed: int = 0,
    threads: int = 2,
    listen: Callable[[Epoch], None] = lambda _: None,
    stop: Callable[[], bool] = lambda: False,
) -> tuple[Any, tuple[History, History]]:
    """Teach EfficientNet-Lite0 to predict votes.

    Args:
        views: uint8 (n, size, size, 3), pictures; `ratings.balanced` tells which to take where most are alike.
        shares: float (n, k), votes per step; each row adds up to 1.
        validate: the same of other pictures, by which the best epoch is told; None takes the last.
        epochs: of the first phase, the last layer alone, and of the second, everything.
        learning_rate: of the first phase; the second has a thirtieth of it.
        dropout: share of the features that the last layer does not see while it learns.
        batch_size: pictures learned from together.
        patience: stop a phase after so many epochs without a lower validation loss; None, or no validation, never does.
        seed: of everything random.
        threads: of the processor.
        listen: hears of each epoch.
        stop: asked between batches.

    Returns:
        The network, in evaluation mode, and how the two phases went.

    Raises:
        InputError: torch is not installed, shapes differ, or rows are not shares.

    Source: Talebi & Milanfar 2018, doi:10.1109/TIP.2018.2831899 (dropout 0.75); the two phases as Lennan, Nguyen &
    Tran 2018 have them, 5 epochs of the last layer at a high rate and 9 of all at a low one.
    """
    shares = votes.check(shares)
    if views.ndim != 4 or views.dtype != np.uint8 or len(views) != len(shares) or views.shape[1] != views.shape[2]:
        raise InputError(f"views must be uint8 ({len(shares)}, size, size, 3), got {views.dtype} {views.shape}")
    made = network.lite(size=views.shape[1], classes=shares.shape[1], dropout=dropout, seed=seed)
    train = Arrays(views, shares.astype(np.float32))
    val = None if validate is None else Arrays(validate[0], votes.check(validate[1]).astype(np.float32))
    histories = []
    for phase, rate in enumerate((learning_rate, learning_rate * _ALL)):
        made.requires_grad_(requires_grad=phase == 1)
        made.classes.requires_grad_(requires_grad=True)
        histories.append(
            fitting.fit(
                made, train, val, loss=squared_emd, learning_rate=rate, schedule="cosine", epochs=epochs[phase],
                batch_size=batch_size, patience=patience if val is not None else None,
                seed=seed + phase,
                threads=threads, listen=listen, stop=stop,
            )
        )  # fmt: skip
    return made, (histories[0], histories[1])


def predict(made: Any, views: np.ndarray, *, threads: int = 2) -> np.ndarray:
    """Predict how votes fall.

    Args:
        made: from `teach`.
        views: uint8 (n, size, size, 3).
        threads: of the processor.

    Returns:
        float64 (n, k); each row adds up to 1.
    """
    logits = fitting.predict(made, Arrays(views, np.zeros(len(views), np.int64)), threads=threads).astype(float)
    return np.asarray(softmax(logits, axis=1))
