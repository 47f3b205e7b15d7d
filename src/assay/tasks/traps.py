"""Traps: what makes a table look as if it could foretell what it already knew."""

import numpy as np

from ..data.features import Features
from ..stats import roc

_TELLING = 0.995  # area from which on one column alone is suspicious
_ALONE = 0.02  # how far the area of all columns may lie above that of one


def telling(table: Features, target: str, which: int | None, found: np.ndarray) -> list[str]:
    """Name single columns that tell the label as well as all of them do: they may have been written down after it.

    Args:
        table: what was learned from.
        target: name of the column that was to be told.
        which: place of the positive of two classes; None where there are more.
        found: float (n, k), or with repeats in front, probabilities out of fold.

    Returns:
        A warning, or none.
    """
    if which is None:
        return []
    positive = table.labels == which
    mean = found[..., which] if found.ndim == 2 else found[..., which].mean(axis=0)
    whole = roc.auc(positive, mean).value
    telling = []
    for j, column in enumerate(table.columns):
        there = np.isfinite(table.x[:, j])
        if table.categories[j] is not None or min(positive[there].sum(), (~positive[there]).sum()) < 2:
            continue
        one = roc.auc(positive[there], table.x[there, j]).value
        if max(one, 1 - one) >= max(_TELLING, whole - _ALONE):
            telling.append(column)
    if not telling:
        return []
    named = ", ".join(f"“{c}”" for c in telling[:3])
    verb = "tells" if len(telling) == 1 else "tell"
    trap = (
        f"{named} alone {verb} “{target}” almost without a mistake. Was it known at the time when “{target}” is to be "
        "foretold, or written down after it? If after, leave the column out and judge again."
    )
    return [trap]
