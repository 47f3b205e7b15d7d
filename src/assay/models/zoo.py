"""Networks that timm has, such as VGG16, ResNet50 and MobileNet, as chains like those of `network`.

Weights are read from this computer: a file, or what timm has fetched before. Nothing is fetched here. Needs torch and
timm.
"""

import copy
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file

from ..errors import InputError
from . import checkpoint, network

PREFIX = "timm:"
_POOLS = ("MaxPool2d", "AvgPool2d")


def package() -> Any:
    """Import timm, or say how to install it.

    Raises:
        InputError: it is not installed.
    """
    try:
        import timm as module
    except ImportError as e:
        raise InputError("timm:NAME needs timm, which is not installed: pip install timm") from e
    return module


def chain(text: str, *, size: int, classes: int, dropout: float = 0.5, seed: int = 0) -> Any:
    """Make a network of timm without its top: the mean of its last maps goes to a layer that begins at random.

    Args:
        text: "timm:NAME", with the weights that timm has fetched, or "timm:NAME=FILE", a `.safetensors` or `.pth` file
            of weights.
        size: side of the pictures, pixels.
        classes: how many, >= 2.
        dropout: share of the features that the last layer does not see while it learns.
        seed: of the last layer.

    Returns:
        A `torch.nn.Sequential` of "look", parts, "mean", "dropout" and "classes", as `network.lite` gives it; what
        leaves the last part is what timm's `forward_features` gives. A part with which a block begins is called "block
        N", others "layer N": a block is a part of several layers with weights, or what stands between two pools.

    Raises:
        InputError: timm does not have the network, it is no chain of parts, its weights are not on this computer or are
            those of another, or torch or timm is not installed.
    """
    network.check_classes(classes)
    t, (name, _, file) = network.torch(), text.removeprefix(PREFIX).partition("=")
    stamp = Path(file).stat().st_mtime_ns if file and Path(file).is_file() else 0
    parts, mean, deviation = copy.deepcopy(_chained(name, file, size, stamp))
    made = OrderedDict({"look": network.look(mean, deviation, shape=(size, size, 3))})
    begins = [network.weighty(part) > 1 or (i > 0 and _pools(parts[i - 1])) for i, part in enumerate(parts)]
    made |= {f"{'block' if b else 'layer'} {i}": part for i, (b, part) in enumerate(zip(begins, parts, strict=True))}
    made["mean"] = t.nn.Sequential(t.nn.AdaptiveAvgPool2d(1), t.nn.Flatten())
    with t.inference_mode():
        width = t.nn.Sequential(made)(t.zeros((1, size, size, 3), dtype=t.uint8)).shape[1]
    made["dropout"], made["classes"] = t.nn.Dropout(dropout), network.last(width, classes, seed=seed)
    return t.nn.Sequential(made).to(memory_format=t.channels_last)


@lru_cache(maxsize=1)
def _chained(name: str, file: str, size: int, _stamp: int) -> tuple[list[Any], np.ndarray, np.ndarray]:
    """Return the parts of a network, and mean and deviation of what it is used to see, in levels of 0..255.

    A training makes the same network for each fold, and one such as VGG16 takes seconds: the last one is kept.
    """
    t, timm = network.torch(), package()
    if not timm.is_model(name):
        near = ", ".join(timm.list_models(f"*{name}*")[:5]) or "see timm.list_models()"
        raise InputError(f"timm must have the network, got {name!r}: {near}")
    with t.random.fork_rng(devices=[]):  # weights that are drawn, and then replaced
        whole = timm.create_model(name, pretrained=False).eval()
    _put(whole, _read(Path(file)) if file else _fetched(whole, name))
    mean, deviation = (255 * np.array(whole.pretrained_cfg[key], np.float32) for key in ("mean", "std"))
    return _parts(whole, name, size=size), mean, deviation


def _parts(whole: Any, name: str, *, size: int) -> list[Any]:
    """Return the parts of a network that, one after the other, give its last maps; layers without weights go along."""
    t = network.torch()
    noise = t.from_numpy(np.random.default_rng(0).normal(size=(1, 3, size, size)).astype(np.float32))
    found: list[Any] = []
    refusal = f"a network of timm must be a chain of parts that ends in maps, got {name!r}, which is none"
    with t.inference_mode():
        try:
            wanted, y = whole.forward_features(noise), noise
        except (AssertionError, RuntimeError) as e:
            raise InputError(f"{refusal}, or not at {size} x {size} pixels: {e}") from e
        for m in whole.modules():  # no matter where sides are even: what comes out is compared
            if getattr(m, "ceil_mode", False):
                m.ceil_mode = False
        for part in _flat(whole):
            try:
                y = part(y)
            except (RuntimeError, TypeError, ValueError, IndexError):
                break  # what it has beside a chain, such as a token, does not fit here
            if network.weighty(part) or not found:
                found.append(t.nn.Sequential(part))
            else:
                found[-1].append(part)
            if wanted.ndim == 4 and y.shape == wanted.shape and t.allclose(y, wanted, rtol=1e-3, atol=1e-4):
                return found
    raise InputError(refusal)


def _pools(part: Any) -> bool:
    return any(type(m).__name__ in _POOLS for m in part.modules())


def _flat(whole: Any) -> Iterator[Any]:
    """Yield the parts of a network in order; sequences of parts are opened."""
    for part in whole.children():
        if type(part).__name__ == "Sequential":
            yield from _flat(part)
        else:
            yield part


def _fetched(whole: Any, name: str) -> Mapping[str, np.ndarray]:
    """Read the weights that timm has fetched before."""
    from huggingface_hub import try_to_load_from_cache

    home = whole.pretrained_cfg.get("hf_hub_id") or ""
    found = try_to_load_from_cache(home, "model.safetensors") if home else None
    if not isinstance(found, str):
        raise InputError(
            f"weights of {name} must be on this computer, got none: name a file as timm:{name}=FILE, or let timm fetch"
            f" them once: python -c \"import timm; timm.create_model('{name}', pretrained=True)\""
        )
    return _read(Path(found))


def _read(path: Path) -> Mapping[str, np.ndarray]:
    try:
        return load_file(path) if path.suffix == ".safetensors" else checkpoint.read(path)
    except (OSError, SafetensorError) as e:
        raise InputError(f"weights must be a .safetensors or .pth file, got {path}: {e}") from e


def _put(whole: Any, values: Mapping[str, np.ndarray]) -> None:
    """Put weights into a network of timm; counters that files leave out are 0."""
    counters = {name: np.array(0) for name in whole.state_dict() if name.endswith("num_batches_tracked")}
    network.load(whole, counters | dict(values))
