"""The card of a model: what a model file says about itself, for whoever wants to know how far to trust it."""

import math
import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..models import saved, saved_ratings
from ..models.graph import Graph
from ..report import record
from ..stats.intervals import Estimate

_ESTIMATE = frozenset({"value", "low", "high", "level", "method"})


@dataclass(frozen=True, slots=True)
class Card:
    """What is known of a model.

    classes: that it tells apart; method, learned: how it learned, in a word and in words; figures: on sealed pictures,
    by name; repeated: the same by cross-validation; sealed_pictures: that judged it; reads: models that these have
    judged; cutoff: for two classes, the class that a flag means, its threshold and rule; refuses: the share of known
    pictures that "none of these" is to turn away, or None; refused: that it did turn away of the sealed ones, None
    where it was not counted; parts: pictures by part; contests: with other ways of learning, in words; made: backbone,
    preprocessing, seed and versions; bytes: of the file.
    """

    file: str
    classes: tuple[str, ...]
    method: str
    learned: str
    figures: dict[str, Estimate]
    repeated: dict[str, Estimate]
    sealed_pictures: int | None
    reads: int | None
    cutoff: tuple[str, float, str] | None
    refuses: float | None
    refused: Estimate | None
    parts: dict[str, int]
    contests: tuple[str, ...]
    made: dict[str, str]
    bytes: int

    def _repr_html_(self) -> str:
        return record.as_html(self)


@dataclass(frozen=True, slots=True)
class RatingCard:
    """What is known of a model that rates.

    scale: the steps of the votes that it predicts; middle: from where on a picture counts as good; looks_at: features,
    and how it compares them, or the network that it is; figures: by name, on pictures that were not learned from in
    their turn; pictures: that it learned from; contest: whether a network is better than a head, in words; made: form
    of the ratings, backbone, seed, day and versions; bytes: of the file.
    """

    file: str
    scale: tuple[float, ...]
    middle: float
    looks_at: str
    figures: dict[str, Estimate]
    pictures: int | None
    contest: str | None
    made: dict[str, str]
    bytes: int

    def _repr_html_(self) -> str:
        return record.as_html(self)


def card(path: str | os.PathLike[str]) -> Card | RatingCard:
    """Read the card of a model.

    Args:
        path: a `.assay` file.

    Returns:
        What it says about itself; nothing is computed, and no picture is read.

    Raises:
        InputError: the file is no model.
    """
    if saved.opened(Path(path))[0].get("kind") == saved_ratings.KIND:
        return _rating_card(Path(path))
    model = saved.unpack(Path(path))
    said = model.card
    sealed, repeated = (_dictionary(said.get(name)) for name in ("sealed", "cross_validation"))
    cutoff = _dictionary(said.get("cutoff"))
    parts = Counter(str(part) for part in _dictionary(said.get("splits")).values())
    contests = [_dictionary(c).get("words") for c in _list(said.get("contests"))]
    made: dict[str, Any] = {name: said.get(name) for name in ("backbone", "views", "preprocessing", "split_by", "seed")}
    made["network"] = _network(model.tail)
    return Card(
        file=os.fspath(path),
        classes=model.head.classes,
        method=str(said.get("method", "head")),
        learned=str(said.get("learned", "a linear head on the features of EfficientNet-Lite0")),
        figures=_figures(sealed),
        repeated=_figures(repeated),
        sealed_pictures=_count(sealed.get("n")),
        reads=_count(said.get("sealed_reads")),
        cutoff=(str(cutoff["positive"]), float(cutoff["threshold"]), str(cutoff.get("rule", ""))) if cutoff else None,
        refuses=model.novelty.rate if model.novelty is not None else None,
        refused=_figures({"refused": said.get("refused")}).get("refused"),
        parts=dict(parts),
        contests=tuple(str(words) for words in contests if words),
        made=_made(made, said),
        bytes=Path(path).stat().st_size,
    )


def is_model(path: str | os.PathLike[str]) -> bool:
    """Whether a file is a model rather than a picture, by its first bytes.

    Args:
        path: of a file.

    Raises:
        InputError: it cannot be read.
    """
    try:
        with Path(path).open("rb") as file:
            return file.read(4) == b"PK\x03\x04"
    except OSError as e:
        raise InputError(f"PATH must be a file that can be read, got {e}") from e


def _rating_card(path: Path) -> RatingCard:
    model = saved_ratings.unpack(path)
    said, rater = model.card, model.rater
    made = {
        "ratings": said.get("form"),
        **{name: said.get(name) for name in ("features", "backbone", "seed")},
        "day": said.get("made"),
        "network": _network(model.tail),
    }
    words = _dictionary(said.get("contest")).get("words")
    return RatingCard(
        file=os.fspath(path),
        scale=tuple(rater.scale.tolist()),
        middle=rater.middle,
        looks_at=str(rater.kind) if model.tail is None else f"{said.get('method')}: {said.get('learned')}",
        figures=_figures(_dictionary(said.get("figures"))),
        pictures=_count(said.get("pictures")),
        contest=str(words) if words else None,
        made=_made(made, said),
        bytes=path.stat().st_size,
    )


def _network(tail: Graph | None) -> str | None:
    """Say how large a network is, and where it begins."""
    if tail is None:
        return None
    numbers = sum(array.size for array in tail.weights.values())
    return f"{len(tail.steps):,} steps with {numbers:,} weights, from {', '.join(tail.inputs)} on"


def _made(made: dict[str, Any], said: dict[str, Any]) -> dict[str, str]:
    """Write down what is known of the making, and the versions."""
    versions = ", ".join(f"{name} {version}" for name, version in _dictionary(said.get("versions")).items())
    return {name: str(value) for name, value in {**made, "versions": versions}.items() if value is not None}


def _figures(measures: dict[str, Any]) -> dict[str, Estimate]:
    """Pick the figures that are estimates, of the whole and, for two classes, of the second one."""
    found = {}
    for name, said in measures.items():
        one = said[-1] if isinstance(said, list) and len(said) == 2 and name == "auc" else said
        if not isinstance(one, dict) or not one.keys() >= _ESTIMATE:
            continue
        value, low, high, level = (one[k] for k in ("value", "low", "high", "level"))
        if all(isinstance(x, int | float) and math.isfinite(x) for x in (value, low, high, level)):
            found[name.replace("_", " ")] = Estimate(value, low, high, level, str(one["method"]))
    return found


def _dictionary(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) else None
