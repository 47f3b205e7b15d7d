"""Options: what stands behind a name in one text, as in "median:size=9" or "cnn:epochs=30,size=32"."""

import re
from collections.abc import Mapping
from typing import Any

from ..errors import InputError

_NEXT = re.compile(r",(?=\s*(?:[\w-]+\s*=|$))")  # a comma before another name: one inside a value stays in it


def read(name: str, rest: str, *, kinds: Mapping[str, str]) -> dict[str, Any]:
    """Read the options of a thing.

    Args:
        name: of the thing, for messages.
        rest: what stands behind its name and the colon; hyphens in names are as good as underscores.
        kinds: of each option that it has, as an annotation says it: "int", "float | None", "bool", "int | str".

    Returns:
        The options that are given, as values of their kinds.

    Raises:
        InputError: there is no such option, it is given twice, or its value is of another kind.

    >>> read("cnn", "layers=conv 8, pool,epochs=30", kinds={"layers": "str", "epochs": "int"})
    {'layers': 'conv 8, pool', 'epochs': 30}
    """
    options: dict[str, Any] = {}
    for piece in _NEXT.split(rest) if rest.strip() else ():
        key, equals, value = (part.strip() for part in piece.partition("="))
        key = key.replace("-", "_")
        if key not in kinds or not equals:
            have = ", ".join(f"{k}=…" for k in kinds) or "none"
            raise InputError(f"options of {name} must be {have}, got {piece!r}")
        if key in options:
            raise InputError(f"{key} of {name} must be given once, got {rest!r}")
        options[key] = _value(name, key, value, kinds[key])
    return options


def number_or_word(text: str) -> int | str:
    """Read what may be a whole number or a word.

    Args:
        text: as a person writes it.

    >>> number_or_word("4"), number_or_word("last-block")
    (4, 'last-block')
    """
    return int(text) if text.isdecimal() else text


def _value(name: str, key: str, value: str, kind: str) -> Any:
    try:
        if "bool" in kind:
            return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}[value.lower()]
        if "int" in kind:
            return number_or_word(value) if "str" in kind else int(value)
        return float(value) if "float" in kind else value
    except (KeyError, ValueError) as e:
        what = "yes or no" if "bool" in kind else "a whole number" if "int" in kind else "a number"
        raise InputError(f"{key} of {name} must be {what}, got {value!r}") from e
