"""The training loop, the only one: a network and examples in, the network with the weights of its best epoch out.

All randomness of an epoch is a function of the seed and the epoch's number, and what an epoch leaves behind is kept:
a training that was killed goes on, to the bit where the threads are the same. Needs torch; opens no file.
"""

import contextlib
import hashlib
import json
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ..errors import InputError
from . import network
from .descent import OPTIMIZERS, SCHEDULES
from .examples import Examples, batches
from .resuming import Kept, Left, pack, unpack


@dataclass(frozen=True, slots=True)
class Epoch:
    """One time through all examples.

    number: from 1; train_loss: mean over the examples, as they were learned from; val_loss, val_accuracy: after it,
    None where there is nothing to validate on; seconds: it took.
    """

    number: int
    train_loss: float
    val_loss: float | None
    val_accuracy: float | None
    seconds: float


@dataclass(frozen=True, slots=True)
class History:
    """How a training went.

    epochs: in order; best: number of the one whose weights the network has, 0 where none came to its end; stopped:
    "done", "patience", "asked" or "not finite"; words: the same in a sentence.
    """

    epochs: tuple[Epoch, ...]
    best: int
    stopped: str
    words: str


def _cross_entropy(outputs: Any, targets: Any) -> Any:
    return network.torch().nn.functional.cross_entropy(outputs, targets, reduction="none")


LOSSES = {"cross-entropy": _cross_entropy}


def fit(
    module: Any,
    train: Examples,
    val: Examples | None,
    *,
    loss: str | Callable[[Any, Any], Any] = "cross-entropy",
    optimizer: str = "adam",
    learning_rate: float = 1e-3,
    schedule: str = "constant",
    weight_decay: float = 0.0,
    epochs: int = 10,
    batch_size: int = 32,
    patience: int | None = None,
    class_weights: np.ndarray | None = None,
    mixup: float = 0.0,
    seed: int = 0,
    threads: int = 2,
    checkpoint: Kept | None = None,
    listen: Callable[[Epoch], None] = lambda _: None,
    tell: Callable[[int], None] = lambda _: None,
    stop: Callable[[], bool] = lambda: False,
) -> History:
    """Let a network learn.

    Args:
        module: a network, or the rest of one (`network.cut`); its weights are changed. Parts whose weights take no
            gradients are left as they are, their running means too.
        train: 2 examples or more.
        val: examples to tell the best epoch by; None takes the last.
        loss: "cross-entropy", or a function of outputs (n, k) and targets that returns the loss of each example (n,).
        optimizer: "adam" (with weight decay apart from the gradient), "rmsprop" (Keras's constants) or "sgd" (Nesterov
            momentum 0.9).
        learning_rate: > 0.
        schedule: "constant", or "cosine": down to 0 along half a wave.
        weight_decay: >= 0.
        epochs: at most, >= 1.
        batch_size: >= 2; a last batch of one example goes with the batch before it.
        patience: stop after so many epochs without a lower validation loss; None never does.
        class_weights: float (k,), by which losses are multiplied; see `examples.balanced`.
        mixup: > 0 mixes each example with another, by a share drawn from Beta(mixup, mixup); 0 does not.
        seed: of order, dropout and mixing.
        threads: of the processor.
        checkpoint: keeps each epoch, so that a training which was killed goes on; remove it when it is done.
        listen: hears of each epoch, also of those before a kill.
        tell: hears how many examples were learned from in this epoch.
        stop: asked between batches; True ends the training after the best epoch so far.

    Returns:
        How it went. The module has the weights of the epoch with the lowest validation loss, and is in evaluation mode.
        A loss that is not finite ends the training; the weights then are those of the best epoch before it.

    Raises:
        InputError: an option is outside its range, targets do not fit the outputs, the loss is not finite before an
            epoch is done (the weights are then those from the beginning), the checkpoint is of another training, or
            torch is not installed.

    Source: mixup by Zhang et al. 2018, arXiv:1710.09412; cosine by Loshchilov & Hutter 2017, arXiv:1608.03983.
    """
    settings = {
        "loss": loss if isinstance(loss, str) else loss.__qualname__,
        "optimizer": optimizer,
        "learning_rate": learning_rate,
        "schedule": schedule,
        "weight_decay": weight_decay,
        "epochs": epochs,
        "batch_size": batch_size,
        "patience": patience,
        "class_weights": None if class_weights is None else np.asarray(class_weights, float).tolist(),
        "mixup": mixup,
        "seed": seed,
    }
    if isinstance(loss, str) and loss not in LOSSES:
        raise InputError(f"loss must be one of {', '.join(LOSSES)}, got {loss!r}")
    _check(settings, train, val)
    t = network.torch()
    with using(threads), t.random.fork_rng(devices=[]):
        run = _Run(module, train, val, settings, LOSSES[loss] if isinstance(loss, str) else loss, checkpoint)
        for epoch in run.epochs:
            listen(epoch)
        try:
            stopped = run.learn(listen, tell, stop)
        finally:
            run.put_back()
    return History(tuple(run.epochs), run.best, *stopped)


def predict(module: Any, examples: Examples, *, batch_size: int = 64, threads: int = 2) -> np.ndarray:
    """Return what a network says of examples as they are.

    Args:
        module: a network; it is put into evaluation mode.
        examples: to look at.
        batch_size: examples looked at together.
        threads: of the processor.

    Returns:
        float32 (n, k), in the order of the examples: logits, unless the network ends otherwise.

    Raises:
        InputError: torch is not installed, or the examples do not fit the network.
    """
    t = network.torch()
    module.eval()
    parts = np.array_split(np.arange(len(examples)), max(-(-len(examples) // batch_size), 1))
    with using(threads), t.inference_mode():
        batches = (_tensor(examples.batch(indices, epoch=0)[0]) for indices in parts)
        return np.concatenate([module(x).float().numpy() for x in batches])


@contextlib.contextmanager
def using(threads: int) -> Iterator[None]:
    """Let torch use so many threads, and as many as before when the block is left.

    Args:
        threads: >= 1.

    Raises:
        InputError: threads is below 1, or torch is not installed.
    """
    if threads < 1:
        raise InputError(f"threads must be >= 1, got {threads!r}")
    t = network.torch()
    before = t.get_num_threads()
    t.set_num_threads(threads)
    try:
        yield
    finally:
        t.set_num_threads(before)


class _Run:
    """A training under way: what `fit` was given, and all that an epoch leaves behind."""

    def __init__(
        self,
        module: Any,
        train: Examples,
        val: Examples | None,
        settings: dict[str, Any],
        loss: Callable[[Any, Any], Any],
        checkpoint: Kept | None,
    ) -> None:
        self.module, self.train, self.val, self.settings, self.loss = module, train, val, settings, loss
        self.checkpoint = checkpoint
        self.learning = [p for p in module.parameters() if p.requires_grad]
        if not self.learning:
            raise InputError("a network must have weights that take gradients, got none: cut it, or free some")
        self.optimizer = OPTIMIZERS[settings["optimizer"]](
            self.learning, settings["learning_rate"], settings["weight_decay"]
        )
        weights = settings["class_weights"]
        self.weights = None if weights is None else network.torch().tensor(weights, dtype=network.torch().float32)
        self.epochs: list[Epoch] = []
        self.kept = network.arrays(module)  # weights of the best epoch
        if checkpoint is not None:
            self.identity = self._identify()
            data = checkpoint.read()
            if data is not None:
                self._restore(unpack(data, training=self.identity))

    @property
    def best(self) -> int:
        """Number of the best epoch so far: that with the lowest validation loss, the first of equals; else the last."""
        losses = [e.val_loss for e in self.epochs if e.val_loss is not None]
        return losses.index(min(losses)) + 1 if losses else len(self.epochs)

    def learn(
        self, listen: Callable[[Epoch], None], tell: Callable[[int], None], stop: Callable[[], bool]
    ) -> tuple[str, str]:
        """Go on with the next epoch until one of the reasons to stop holds; return it, and it in words."""
        patience = self.settings["patience"]
        while len(self.epochs) < self.settings["epochs"]:
            number = len(self.epochs) + 1
            if patience is not None and number - 1 - self.best >= patience:
                return "patience", f"no lower validation loss in the {patience} epochs after epoch {self.best}"
            began = time.perf_counter()
            train_loss = self._epoch(number, tell, stop)
            if train_loss is None:
                return "asked", f"asked to stop in epoch {number}"
            val_loss, accuracy = self._validate() if self.val is not None else (None, None)
            if not math.isfinite(train_loss) or not math.isfinite(val_loss or 0.0):
                return "not finite", self._blown_up(number)
            self.epochs.append(Epoch(number, train_loss, val_loss, accuracy, time.perf_counter() - began))
            self._keep()
            listen(self.epochs[-1])
        return "done", f"all {len(self.epochs)} epochs done"

    def put_back(self) -> None:
        """Give the module the weights of the best epoch."""
        network.load(self.module, self.kept)
        self.module.eval()

    def _blown_up(self, number: int) -> str:
        what = f"loss of epoch {number} is not finite at learning rate {self.settings['learning_rate']:g}"
        advice = "lower learning_rate, or look for numbers in the examples that are not finite"
        if not self.epochs:
            raise InputError(f"loss must be finite, got one that is not: {what}; {advice}")
        return f"{what}: the weights are those of epoch {self.best}; {advice}"

    def _epoch(self, number: int, tell: Callable[[int], None], stop: Callable[[], bool]) -> float | None:
        """Learn from every example once; return their mean loss, not finite as soon as one is, None where stopped."""
        t, size = network.torch(), self.settings["batch_size"]
        rng = np.random.default_rng([self.settings["seed"], number])
        t.manual_seed(int(rng.integers(2**63)))
        order = rng.permutation(len(self.train))
        _learning(self.module)
        total, done, scheduled = 0.0, 0, SCHEDULES[self.settings["schedule"]]
        for indices in batches(order, size=size):
            if stop():
                return None
            for group in self.optimizer.param_groups:
                passed = (number - 1 + done / len(order)) / self.settings["epochs"]
                group["lr"] = self.settings["learning_rate"] * scheduled(passed)
            losses = self._losses(*self.train.batch(indices, epoch=number), rng=rng)
            mean = losses.mean()
            if not math.isfinite(mean.item()):
                return math.nan
            self.optimizer.zero_grad(set_to_none=True)
            mean.backward()
            self.optimizer.step()
            total, done = total + mean.item() * len(indices), done + len(indices)
            tell(done)
        return total / done

    def _losses(self, x: np.ndarray, y: np.ndarray, *, rng: np.random.Generator) -> Any:
        """Return the loss of each example, by which the network learns."""
        t, mixup = network.torch(), self.settings["mixup"]
        inputs, targets = _tensor(x), _targets(y)
        if mixup == 0:
            return self._weighted(self.module(inputs), targets)
        share, other = float(rng.beta(mixup, mixup)), t.from_numpy(rng.permutation(len(x)))
        inputs = inputs.float() / 255.0 if inputs.dtype == t.uint8 else inputs
        outputs = self.module(share * inputs + (1 - share) * inputs[other])
        mixed = share * self._weighted(outputs, targets)
        return mixed + (1 - share) * self._weighted(outputs, targets[other])

    def _weighted(self, outputs: Any, targets: Any) -> Any:
        whole = not targets.is_floating_point()
        if whole and not 0 <= int(targets.min()) <= int(targets.max()) < outputs.shape[1]:
            raise InputError(
                f"labels must be 0 to {outputs.shape[1] - 1}, got {int(targets.min())} to {int(targets.max())}"
            )
        if not whole and targets.shape != outputs.shape:
            raise InputError(f"targets must be {tuple(outputs.shape)}, got {tuple(targets.shape)}")
        if self.weights is not None and (len(self.weights) != outputs.shape[1] or not (self.weights >= 0).all()):
            raise InputError(f"class_weights must be {outputs.shape[1]} numbers >= 0, got {self.weights.tolist()}")
        losses = self.loss(outputs, targets)
        if self.weights is None:
            return losses
        return losses * (self.weights[targets] if whole else targets @ self.weights)

    def _validate(self) -> tuple[float, float]:
        """Return the mean loss, weighted as in learning, and the share of examples whose largest output is right."""
        t, total, right, count = network.torch(), 0.0, 0, len(self.val or ())
        self.module.eval()
        with t.inference_mode():
            for indices in batches(np.arange(count), size=self.settings["batch_size"]):
                x, y = self.val.batch(indices, epoch=0)  # type: ignore[union-attr]
                outputs, targets = self.module(_tensor(x)), _targets(y)
                total += float(self._weighted(outputs, targets).double().sum())
                truth = targets.argmax(1) if targets.is_floating_point() else targets
                right += int((outputs.argmax(1) == truth).sum())
        return total / count, right / count

    def _identify(self) -> str:
        """Tell this training from every other: its settings, examples, and where its weights began."""
        found = hashlib.sha256(json.dumps(self.settings, sort_keys=True).encode())
        for examples in (self.train, self.val):
            found.update(f"{examples.identity if examples is not None else None}".encode())
        for name, array in self.kept.items():
            found.update(name.encode() + array.tobytes())
        return found.hexdigest()

    def _keep(self) -> None:
        """Remember the weights where this epoch is the best, and write down all that the next one depends on."""
        now = network.arrays(self.module)
        if self.best == len(self.epochs):
            self.kept = now
        if self.checkpoint is not None:
            states = self.optimizer.state_dict()["state"].items()
            optimizer = {i: {k: v.numpy() for k, v in state.items() if v is not None} for i, state in states}
            epochs = [asdict(epoch) for epoch in self.epochs]
            self.checkpoint.write(pack(Left(self.identity, epochs, now, self.kept, optimizer)))

    def _restore(self, left: Left) -> None:
        """Go back to the end of the epoch that was kept."""
        t, state = network.torch(), {}
        network.load(self.module, left.now)
        self.epochs, self.kept = [Epoch(**epoch) for epoch in left.epochs], left.best
        for i, remembered in left.optimizer.items():
            # In the order in memory that it had: in another, sums may be rounded differently.
            like = {k: t.empty_like(self.learning[i]) if v.ndim else t.empty(()) for k, v in remembered.items()}
            state[i] = {name: like[name].copy_(t.from_numpy(array)) for name, array in remembered.items()}
        self.optimizer.load_state_dict(self.optimizer.state_dict() | {"state": state})


def _check(settings: dict[str, Any], train: Examples, val: Examples | None) -> None:
    """Refuse what cannot be learned, or not so."""
    for name, table in (("optimizer", OPTIMIZERS), ("schedule", SCHEDULES)):
        if settings[name] not in table:
            raise InputError(f"{name} must be one of {', '.join(table)}, got {settings[name]!r}")
    for name, least in (("epochs", 1), ("batch_size", 2), ("weight_decay", 0), ("mixup", 0)):
        if not least <= settings[name] < math.inf:
            raise InputError(f"{name} must be >= {least}, got {settings[name]!r}")
    if not 0 < settings["learning_rate"] < math.inf:
        raise InputError(f"learning_rate must be a finite number > 0, got {settings['learning_rate']!r}")
    if settings["patience"] is not None and (settings["patience"] < 1 or val is None):
        raise InputError(f"patience must be >= 1 and needs examples to validate on, got {settings['patience']!r}")
    if len(train) < 2 or (val is not None and len(val) < 1):
        held = len(val) if val is not None else "none"
        raise InputError(f"learning needs 2 examples or more, and 1 to validate on, got {len(train)} and {held}")


def _learning(module: Any) -> None:
    """Put a module into training mode, but for the parts whose weights are all frozen: their running means stay."""
    module.train()
    for part in module.modules():
        own = list(part.parameters())
        if own and not any(p.requires_grad for p in own):
            part.eval()


def _tensor(x: np.ndarray) -> Any:
    """Take an array as torch does; halves become floats, for processors count in those."""
    tensor = network.torch().from_numpy(np.ascontiguousarray(x))
    return tensor.float() if tensor.is_floating_point() else tensor


def _targets(y: np.ndarray) -> Any:
    whole = np.issubdtype(y.dtype, np.integer)
    return network.torch().from_numpy(np.ascontiguousarray(y, np.int64 if whole else np.float32))
