"""Export: a model file in, the same classifier as ONNX out, checked against the original before it is put in place."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..data import delivery
from ..errors import InputError
from ..models import backbone, heads, inference, interchange, saved
from ..report import record
from .predict import load

_CHECKED = 4  # pictures that both are given
_ALLOWED = 1e-3  # by which a probability may differ: both count in float32, in another order
_STRANGER = 0.01  # share by which strangeness may differ: here it looks at features that are kept as float16


@dataclass(frozen=True, slots=True)
class Exported:
    """A model in another form.

    out: the file; classes: in the order of its output; size: pixels a side of the picture that goes in; opset: of ONNX;
    refuses: the share of known pictures whose strangeness is above 1, or None where the file does not tell it; checked:
    pictures that the file and the model were both given; difference: of their probabilities, the largest.
    """

    out: str
    classes: tuple[str, ...]
    size: int
    opset: int
    refuses: float | None
    bytes: int
    checked: int
    difference: float
    notes: tuple[str, ...]

    def _repr_html_(self) -> str:
        return record.as_html(self)


def export(
    model: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    replace: bool = False,
    tell: Callable[[str], None] = lambda _: None,
    stop: Callable[[], bool] = lambda: False,
) -> Exported:
    """Write a model as ONNX.

    Args:
        model: a `.assay` file.
        out: the file to write, .onnx; the folder above it must be there.
        replace: write over a file that is there.
        tell: shows a line about progress.
        stop: asked before the file is put in place; True ends without it.

    Returns:
        What was written, and by how much its probabilities differ from the model's where OpenVINO reads it.

    Raises:
        InputError: the model cannot be read, looks at tiles, or comes out different; out is not allowed; onnx is not
            installed.
        WorkspaceError: the file cannot be written.
        KeyboardInterrupt: stop said True; nothing was written.
    """
    target = Path(out)
    if target.suffix.lower() != ".onnx" or not target.resolve().parent.is_dir():
        raise InputError(f"OUT must end in .onnx, in a folder that is there, got {target}")
    if target.exists() and not replace:
        raise InputError(f"OUT must be a new file, got {target}, which is there: --replace writes over it")
    loaded = load(model)
    tell("writing")
    data = interchange.write(loaded)
    tell("checking")
    rng = np.random.default_rng(0)
    rough = rng.integers(0, 256, (_CHECKED, 8, 8, 3), dtype=np.uint8)
    pictures = rough.repeat(backbone.SIZE // 8, axis=1).repeat(backbone.SIZE // 8, axis=2)
    seen = backbone.Backbone(tail=loaded.tail).see(pictures[:, None])
    own = loaded.head.probabilities(heads.root(seen.features) if seen.tail is None else seen.tail)
    told, strange = interchange.run(data, pictures)
    difference = float(np.abs(told - own).max())
    if not difference <= _ALLOWED:
        raise InputError(f"what is written must say what the model says, got probabilities {difference:.1e} apart")
    rule = loaded.novelty
    if rule is not None:
        ours = rule.score(seen.features) / rule.threshold
        apart = np.inf if strange is None else float((np.abs(strange - ours) / ours).max())
        if not apart <= _STRANGER:
            raise InputError(f"what is written must refuse what the model refuses, got strangeness {apart:.1%} apart")
    if stop():
        raise KeyboardInterrupt
    delivery.replace(target, data)
    return Exported(
        out=str(target),
        classes=loaded.head.classes,
        size=backbone.SIZE,
        opset=interchange.OPSET,
        refuses=rule.rate if rule is not None else None,
        bytes=len(data),
        checked=_CHECKED,
        difference=difference,
        notes=_notes(loaded),
    )


def _notes(model: saved.Model) -> tuple[str, ...]:
    found = ["the card stays in the .assay file; what it says of the sealed pictures is in the metadata too"]
    if model.novelty is None:
        found.append("there is no “none of these” in it: the model has no rule to refuse by")
    elif model.tail is not None and inference.IMAGE in model.tail.inputs:
        found.append(
            "strangeness looks at EfficientNet-Lite0's features, which the file therefore holds beside its own network"
        )
    return tuple(found)
