"""Shortcuts: does something that is not in the picture, such as the size of its file, give the label away?"""

from dataclasses import dataclass

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.tree import DecisionTreeClassifier

from ..stats import confusion
from ..stats.intervals import Estimate

_MARGIN = 0.15  # by which the interval must clear chance: smaller gains are common and harmless
_FOLDS = 5


@dataclass(frozen=True, slots=True)
class Shortcut:
    """A fact about files that predicts the label, how well (balanced accuracy), and what chance would reach."""

    name: str
    accuracy: Estimate
    chance: float


def find(
    metadata: dict[str, np.ndarray], labels: np.ndarray, groups: np.ndarray, *, rng: np.random.Generator
) -> list[Shortcut]:
    """Find single facts about files that predict the label of pictures never seen.

    Args:
        metadata: name of a fact to its values, float (n,).
        labels: int (n,), class numbers.
        groups: int (n,), pictures that belong together.
        rng: shuffles the folds.

    Returns:
        Those whose cross-validated balanced accuracy is above chance by more than a margin, interval and all,
        the best first. Empty where a class has too few groups to tell.

    >>> rng = np.random.default_rng(0)
    >>> labels = np.arange(60) % 2
    >>> [s.name for s in find({"size": labels * 9.0, "width": rng.random(60)}, labels, np.arange(60), rng=rng)]
    ['size']
    """
    labels = np.unique(labels, return_inverse=True)[1]
    classes = int(labels.max()) + 1
    fewest = min(len(np.unique(groups[labels == c])) for c in range(classes))
    if classes < 2 or fewest < _FOLDS:
        return []
    seed = int(rng.integers(2**31))
    folds = StratifiedGroupKFold(_FOLDS, shuffle=True, random_state=seed)
    pairs = list(folds.split(labels, labels, groups))
    found = []
    for name, values in metadata.items():
        if (values == values[0]).all():
            continue
        predictions = np.zeros_like(labels)
        for train, test in pairs:
            tree = DecisionTreeClassifier(max_depth=4, min_samples_leaf=3, class_weight="balanced", random_state=seed)
            predictions[test] = tree.fit(values[train, None], labels[train]).predict(values[test, None])
        accuracy = confusion.balanced_accuracy(labels, predictions, classes=classes, groups=groups)
        if accuracy.low > 1 / classes + _MARGIN:
            found.append(Shortcut(name, accuracy, 1 / classes))
    return sorted(found, key=lambda s: -s.accuracy.value)
