"""Networks to be taught on top of a frozen trunk: a plan in words, a trunk as a graph and a rest for torch out.

The trunk is a graph, so that OpenVINO runs it, once for each view of a picture; the rest learns from what it gave. What
was taught is split again: a linear head, and a tail that makes what the head looks at.
"""

import math
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputError
from ..pixels.recipes import RECIPES, Recipe
from . import backbone, fitting, heads, inference, network, traced, zoo
from .descent import OPTIMIZERS, SCHEDULES
from .examples import Examples, balanced
from .graph import Graph, Step, shapes

METHODS = ("head", "finetune", "cnn")
LAYERS = "conv 32, pool, conv 64, pool, conv 128, pool, mean, dense 128, dropout .5"
SIZES = (32, 64, 128, 256)  # pixels a side that a network from nothing may see: what 256 is shrunk to by whole squares
WEIGHTS = ("none", "balanced")
_CHOICES: dict[str, Iterable[Any]] = {
    "size": SIZES,
    "optimizer": OPTIMIZERS,
    "schedule": SCHEDULES,
    "class_weights": WEIGHTS,
}
_RANGES: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "head": ("2 to 8,192 numbers wide", lambda x: 2 <= x <= 8192),
    "dropout": ("from 0 to below 1", lambda x: 0 <= x < 1),
    "epochs": (">= 1", lambda x: x >= 1),
    "learning_rate": ("a finite number > 0", lambda x: 0 < x < math.inf),
    "weight_decay": ("a finite number >= 0", lambda x: 0 <= x < math.inf),
    "batch_size": (">= 2", lambda x: x >= 2),
    "patience": (">= 1", lambda x: x >= 1),
    "mixup": ("from 0 to 10", lambda x: 0 <= x <= 10),
    "views": ("from 0 to 100", lambda x: 0 <= x <= 100),
}
_VIEW = (3, backbone.SIZE, backbone.SIZE)
LINE = 0.1  # inverse strength of the penalty of the line that the last layer begins with


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be taught, and how; fewer than all fields matter to each method.

    method: "finetune" or "cnn"; backbone: "lite0", "lite1", "lite2" or "timm:NAME"; unfreeze: how many of the last
    layers with weights learn, whole blocks of them, "last-block" or "all"; head: width of a dense layer before the
    last, or None; dropout: before the last layer; layers and size: of a network from nothing; views: changed views of
    each picture that are learned from beside it; patience: stop after so many epochs without a lower loss on pictures
    that are set apart, or None; class_weights: "balanced" lets each class count alike, "none" each picture.
    """

    method: str
    backbone: str = "lite0"
    unfreeze: int | str = "last-block"
    head: int | None = None
    dropout: float = 0.5
    layers: str = LAYERS
    size: int = 64
    epochs: int = 6
    optimizer: str = "adam"
    learning_rate: float = 1e-4
    schedule: str = "cosine"
    weight_decay: float = 0.01
    mixup: float = 0.4
    batch_size: int = 32
    views: int = 8
    recipe: Recipe = RECIPES["gentle"]
    patience: int | None = None
    class_weights: str = "none"

    def __post_init__(self) -> None:
        """Refuse what no network can be."""
        if self.method not in METHODS[1:]:
            raise InputError(f"--method must be one of {', '.join(METHODS)}, got {self.method!r}")
        for name, allowed in _CHOICES.items():
            if getattr(self, name) not in allowed:
                self._refuse(name, f"one of {', '.join(map(str, allowed))}")
        for name, (words, holds) in _RANGES.items():
            if getattr(self, name) is not None and not holds(getattr(self, name)):
                self._refuse(name, words)
        if self.unfreeze == 0 and self.head is None:
            raise InputError("--unfreeze 0 needs --head: with neither, only a line would learn, as --method head does")

    def _refuse(self, name: str, words: str) -> None:
        raise InputError(f"--{name.replace('_', '-')} must be {words}, got {getattr(self, name)!r}")

    @property
    def lined(self) -> bool:
        """Whether the last layer begins as a line on what the untaught network sees."""
        return self.method == "finetune" and self.head is None

    def in_words(self) -> str:
        """Say what is taught."""
        if self.method == "cnn":
            return f"a network from nothing ({self.layers}) on {self.size} x {self.size} pixels"
        which = {"last-block": "all but the last block", 0: "all of it", "all": "nothing"}.get(
            self.unfreeze, f"all but the last {self.unfreeze} layers"
        )
        name, _, file = self.backbone.partition("=")  # whose folder is nobody's business who is given the model
        name += f" with {Path(file).name}" if file else ""
        return f"{name}, {which} frozen" + (f", dense {self.head}" if self.head else "")


@dataclass(frozen=True, slots=True)
class Network:
    """A network in two parts: trunk, a graph that stays as it is, or None; rest, a module of torch that learns."""

    trunk: Graph | None
    rest: Any

    @property
    def shape(self) -> tuple[int, ...]:
        """What the rest learns from: what the trunk gives for a view, or the view itself, height first."""
        return (*_VIEW[1:], _VIEW[0]) if self.trunk is None else shapes(self.trunk)[self.trunk.output]

    @property
    def dtype(self) -> type[np.generic]:
        """The numbers in which it is kept."""
        return np.uint8 if self.trunk is None else np.float16

    def frozen(self, *, threads: int) -> Callable[[np.ndarray], np.ndarray]:
        """Return what makes of views, uint8 (n, 256, 256, 3), what the rest learns from.

        Args:
            threads: of the processor.
        """
        return (lambda views: views) if self.trunk is None else inference.Runner(self.trunk, threads=threads).run

    def body(self) -> Graph:
        """Return what comes before the last layer, as a graph of what the trunk gives."""
        parts = [part for name, part in self.rest.named_children() if name != "classes"]
        module = network.torch().nn.Sequential(*parts)
        name, shape = (inference.IMAGE, _VIEW) if self.trunk is None else (self.trunk.output, self.shape)
        made = traced.trace(module, shape, name=name, prefix="tail ")
        if len(shapes(made)[made.output]) == 1:
            return made
        flat = Step("tail flat", "flatten", (made.output,), {})
        return Graph(made.inputs, (*made.steps, flat), made.weights)

    def tail(self) -> Graph:
        """Return what comes before the last layer, as a graph of the picture or of what the backbone gives."""
        if self.trunk is None:
            return self.body()
        known = self.trunk.output in {step.name for step in backbone.graph().steps}
        shared = known and self.trunk.steps == backbone.graph().upto(self.trunk.output).steps
        return self.body() if shared else self.trunk.then(self.body())

    def last(self) -> tuple[np.ndarray, np.ndarray]:
        """Return weight (k, d) and bias (k,) of the last layer, float32."""
        values = network.arrays(self.rest.classes)
        weight, bias = (next(v for name, v in values.items() if name.endswith(kind)) for kind in ("weight", "bias"))
        return weight, bias


def make(plan: Plan, *, classes: int, seed: int) -> Network:
    """Make a network that has not been taught yet.

    Args:
        plan: which.
        classes: how many.
        seed: of the weights that begin at random.

    Returns:
        It, in its two parts.

    Raises:
        InputError: torch is not installed, or the plan asks for a part that is not there.
    """
    if plan.method == "cnn":
        return _from_nothing(plan, classes=classes, seed=seed)
    if plan.backbone in backbone.NETWORKS:
        chain = network.lite(name=plan.backbone, classes=classes, dropout=plan.dropout, seed=seed)
    elif plan.backbone.startswith(zoo.PREFIX):
        chain = zoo.chain(plan.backbone, size=backbone.SIZE, classes=classes, dropout=plan.dropout, seed=seed)
    else:
        known = ", ".join(backbone.NETWORKS)
        raise InputError(f"--backbone must be one of {known} or {zoo.PREFIX}NAME, got {plan.backbone!r}")
    children = OrderedDict(chain.named_children())
    place = _place(plan, children)
    names = list(children)
    rest = OrderedDict((name, children[name]) for name in names[place:] if name not in {"dropout", "classes"})
    t = network.torch()
    if plan.head is not None:
        with t.random.fork_rng(devices=[]):
            t.manual_seed(seed)
            rest["flat"] = t.nn.Flatten()
            rest["dense"] = t.nn.Linear(children["classes"].in_features, plan.head)
            rest["relu"] = t.nn.ReLU()
            children["classes"] = t.nn.Linear(plan.head, classes)
    rest["dropout"], rest["classes"] = t.nn.Dropout(plan.dropout), children["classes"]
    module = _folded(t.nn.Sequential(rest))
    if place == 0:
        return Network(None, module)
    if plan.backbone == "lite0":
        return Network(backbone.graph().upto(_step(names[place - 1])), module)
    before = _folded(t.nn.Sequential(OrderedDict(list(children.items())[:place])))
    made = Network(traced.trace(before, _VIEW, name=inference.IMAGE, prefix="trunk "), module)
    made.body()  # what could not be kept is refused before it has been taught
    return made


def _folded(module: Any) -> Any:
    """Join each normalisation with the convolution before it, which is twice as quick, and freeze those that remain.

    What 32 pictures of few kinds have in common never becomes what the network takes for normal.
    """
    t = network.torch()
    module.eval()
    for part in [m for m in module.modules() if isinstance(m, t.nn.Sequential)]:
        children = list(part.named_children())
        for (name, first), (after, second) in pairwise(children):
            if type(first) is t.nn.Conv2d and type(second) is t.nn.BatchNorm2d:  # of timm's, some do more than that
                setattr(part, name, t.nn.utils.fuse_conv_bn_eval(first, second))
                setattr(part, after, t.nn.Identity())
    module.requires_grad_(requires_grad=True)
    for part in module.modules():
        if isinstance(part, t.nn.BatchNorm2d):
            part.requires_grad_(requires_grad=False)
    return module.to(memory_format=t.channels_last)


def _place(plan: Plan, children: Mapping[str, Any]) -> int:
    """Return the index of the first part that learns; a block of several layers learns whole."""
    names = list(children)
    parts = [i for i, name in enumerate(names) if name not in {"look", "mean", "dropout", "classes"}]
    if plan.unfreeze == "all":
        return 0
    if plan.unfreeze == "last-block":
        return max((i for i in parts if names[i].startswith("block")), default=parts[-1])
    layers = accumulate(network.weighty(children[names[i]]) for i in reversed(parts[1:]))
    places = {0: names.index("mean") + 1} | dict(zip(layers, reversed(parts[1:]), strict=True))
    if plan.unfreeze not in places:
        known = ", ".join(map(str, places))
        raise InputError(f"--unfreeze must be last-block, all or, where a part begins, {known}, got {plan.unfreeze!r}")
    return places[plan.unfreeze]


def _step(part: str) -> str:
    return network.STEPS.get(part, part)


def _from_nothing(plan: Plan, *, classes: int, seed: int) -> Network:
    side = (plan.size, plan.size)
    chain = OrderedDict(
        network.small_cnn(plan.layers, size=side, channels=3, classes=classes, seed=seed).named_children()
    )
    factor = backbone.SIZE // plan.size
    size = (factor, factor)
    shrunk = Step("shrunk", "average pool", (inference.IMAGE,), {"size": size, "stride": size})
    small = Graph({inference.IMAGE: _VIEW}, (shrunk,), {})
    t = network.torch()
    look = traced.trace(t.nn.Sequential(OrderedDict(look=chain.pop("look"))), (3, *side), name="shrunk")
    return Network(small.then(look), t.nn.Sequential(chain))


def begin(made: Network, train: Examples, *, threads: int) -> None:
    """Give the last layer the weights of a linear head on what the untaught network sees.

    A last layer that begins at random sends its errors through the layers before it and spoils what they know.

    Args:
        made: from `make`; its last layer is changed.
        train: what the trunk gave.
        threads: of the processor.

    Source: Kumar et al. 2022, arXiv:2202.10054, "LP-FT".
    """
    t = network.torch()
    before = t.nn.Sequential(*[part for name, part in made.rest.named_children() if name != "classes"])
    features = fitting.predict(before, train, threads=threads)
    head = heads.fit(features, _labels(train), classes=tuple(map(str, range(len(made.last()[1])))), c=LINE)
    network.load(made.rest.classes, {"weight": head.weight, "bias": head.bias})


def teach(
    made: Network,
    train: Examples,
    plan: Plan,
    *,
    seed: int,
    threads: int,
    val: Examples | None = None,
    **hooks: Any,
) -> fitting.History:
    """Teach the rest of a network.

    Args:
        made: from `make`; its rest is changed.
        train: what the trunk gave.
        plan: how.
        seed: of order and dropout.
        threads: of the processor.
        val: to look at after each epoch; by them the best epoch is told, so they judge nothing else.
        hooks: checkpoint, listen, tell and stop of `fitting.fit`.
    """
    weights = None
    if plan.class_weights == "balanced":
        weights = balanced(_labels(train), classes=len(made.last()[1]))
    return fitting.fit(
        made.rest,
        train,
        val,
        optimizer=plan.optimizer,
        learning_rate=plan.learning_rate,
        schedule=plan.schedule,
        weight_decay=plan.weight_decay,
        mixup=plan.mixup,
        epochs=plan.epochs,
        batch_size=plan.batch_size,
        patience=plan.patience,
        class_weights=weights,
        seed=seed,
        threads=threads,
        **hooks,
    )


def between(start: Mapping[str, np.ndarray], end: Mapping[str, np.ndarray], share: float) -> dict[str, np.ndarray]:
    """Go a part of the way from one set of weights to another.

    What few pictures teach is part chance; halfway there a network often sees better than at the end.

    Args:
        start: by name.
        end: by name, of the same shapes.
        share: of the way, 0 to 1.

    Source: Wortsman et al. 2022, arXiv:2109.01903, "WiSE-FT".

    >>> between({"weight": np.array([0.0, 2.0])}, {"weight": np.array([1.0, 4.0])}, 0.5)["weight"].tolist()
    [0.5, 3.0]
    """
    return {name: ((1 - share) * a + share * end[name]).astype(a.dtype) for name, a in start.items()}


def _labels(train: Examples) -> np.ndarray:
    """Return the labels of examples, a few at a time: what a trunk gave for all of them may not fit into memory."""
    places = np.arange(len(train))
    return np.concatenate([train.batch(places[i : i + 64], epoch=0)[1] for i in range(0, len(places), 64)])
