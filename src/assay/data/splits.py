"""Which pictures train, which validate, which are sealed for the test; and folds for cross-validation.

Ids, labels and groups go in; a part or a fold for each picture comes out. A group (copies, one object, one day) is
never torn. Nothing is read but these columns.
"""

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np

from ..errors import InputError, UndefinedError

PARTS = ("train", "val", "test")

# Where a label has fewer groups than parts, it is first trained on, then tested.
_FIRST = ("train", "test", "val")
_ATTEMPTS = 20  # at folds that leave no label in one of them, where groups tangle labels


def split(
    ids: Sequence[str],
    labels: np.ndarray,
    groups: np.ndarray,
    *,
    seed: int,
    fractions: tuple[float, float, float] = (0.6, 0.2, 0.2),
    before: Mapping[str, str] | None = None,
) -> np.ndarray:
    """Give each picture a part: train, val or test.

    Within a label, groups are taken in an order drawn from the seed and their smallest id, and each goes to the part
    that lacks most of its share. A label of one group trains, of two trains and tests, of three or more is in every
    part. A group of several labels counts as the one most frequent in it.

    Args:
        ids: n content hashes; the same id twice is the same picture.
        labels: (n,), one label per picture.
        groups: (n,), pictures of one group stay together.
        seed: any whole number.
        fractions: shares of the pictures of each label that train, validate and test; each >= 0, adding up to 1.
        before: part of each id that has one from an earlier run, or None.

    Returns:
        str (n,), "train", "val" or "test": the same for any order of the rows, and on any machine. A group met before
        keeps its part; one that has come to join several goes whole to the most sealed of them: test before val before
        train. Nothing ever moves towards train.

    Raises:
        InputError: lengths differ, fractions do not add up to 1, or a part of `before` is not one of the three.

    >>> split(["0a", "1b", "2c", "3d"], np.array(["ant"] * 4), np.array([0, 1, 1, 2]), seed=0).tolist()
    ['test', 'train', 'train', 'val']
    """
    labels, groups = np.asarray(labels), np.asarray(groups)
    n = len(ids)
    if labels.shape != (n,) or groups.shape != (n,):
        raise InputError(f"labels and groups must be ({n},) as ids are, got {labels.shape} and {groups.shape}")
    if len(fractions) != len(PARTS) or min(fractions) < 0 or abs(sum(fractions) - 1) > 1e-9:
        raise InputError(f"fractions must be three numbers >= 0 that add up to 1, got {fractions!r}")
    before = before or {}
    unknown = sorted(set(before.values()) - set(PARTS))
    if unknown:
        raise InputError(f"parts given before must be train, val or test, got {unknown[0]!r}")

    members = _members(ids, groups)
    names, codes = np.unique(labels, return_inverse=True)
    kinds = [int(np.bincount(codes[rows]).argmax()) for rows in members]
    parts: list[str | None] = []
    for rows in members:
        met = [before[ids[i]] for i in rows if ids[i] in before]
        parts.append(max(met, key=PARTS.index) if met else None)
    order = sorted(range(len(members)), key=lambda g: _drawn(seed, members[g], ids))
    for kind in range(len(names)):
        own = [g for g in order if kinds[g] == kind]
        filled = _fill([len(members[g]) for g in own], [parts[g] for g in own], fractions)
        for g, part in zip(own, filled, strict=True):
            parts[g] = part
    result = np.empty(n, f"<U{max(map(len, PARTS))}")
    for rows, final in zip(members, parts, strict=True):
        result[rows] = final
    return result


def folds(labels: np.ndarray, groups: np.ndarray, *, count: int = 5, rng: np.random.Generator) -> np.ndarray:
    """Give each picture a fold for cross-validation, with groups whole and labels spread evenly.

    Args:
        labels: (n,), one label per picture.
        groups: (n,), pictures of one group stay together.
        count: number of folds, >= 2; fewer are made where a label has fewer groups.
        rng: source of randomness.

    Returns:
        int (n,), 0..folds - 1. Every label has pictures outside any one fold.

    Raises:
        InputError: lengths differ, or count is below 2.
        UndefinedError: a label has fewer than 2 groups, or groups of several labels leave one in a single fold.

    Source: the largest groups first, each to the fold it leaves most even, much as scikit-learn's
    `StratifiedGroupKFold` does.

    >>> folds(np.array(["ant", "ant", "bee", "bee"]), np.array([0, 1, 2, 3]), rng=np.random.default_rng(0)).max()
    np.int64(1)
    """
    labels, groups = np.asarray(labels), np.asarray(groups)
    if labels.ndim != 1 or labels.shape != groups.shape:
        raise InputError(f"labels and groups must be (n,), got {labels.shape} and {groups.shape}")
    if count < 2:
        raise InputError(f"count must be >= 2, got {count!r}")
    names, codes = np.unique(labels, return_inverse=True)
    _, places = np.unique(groups, return_inverse=True)
    table = np.zeros((int(places.max(initial=-1)) + 1, len(names)), int)  # pictures of each label in each group
    np.add.at(table, (places, codes), 1)
    holders = (table > 0).sum(axis=0)
    if not len(names) or holders.min() < 2:
        few = f"{names[int(holders.argmin())]} has {holders.min()}" if len(names) else "no picture"
        raise UndefinedError(f"folds need 2 groups of pictures of every label, got {few}: add pictures of it")
    count = min(count, int(holders.min()))
    spread = table.std(axis=1)
    for attempt in range(_ATTEMPTS):
        order = rng.permutation(len(table))
        if attempt == 0:
            order = order[np.argsort(-spread[order], kind="stable")]
        fold, holding = _dealt(table, order, count)
        alone = (holding == holders).any(axis=0)
        if not alone.any():
            return fold[places]
    name = names[int(alone.argmax())]
    raise UndefinedError(f"every label must be in two folds, got {name} in one: its groups hold other labels too")


def _dealt(table: np.ndarray, order: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Fold of each group, and how many groups of each label each fold then holds."""
    held = np.zeros((count, table.shape[1]), int)
    holding = np.zeros_like(held)
    fold = np.empty(len(table), int)
    totals = table.sum(axis=0)
    for g in order:
        # Unevenness after adding g to a fold: only that fold's squared shares change.
        cost = (((held + table[g]) / totals) ** 2 - (held / totals) ** 2).sum(axis=1)
        least = np.flatnonzero(cost <= cost.min() + 1e-12)
        fold[g] = least[held[least].sum(axis=1).argmin()]
        held[fold[g]] += table[g]
        holding[fold[g]] += table[g] > 0
    return fold, holding


def _members(ids: Sequence[str], groups: np.ndarray) -> list[np.ndarray]:
    """Rows of each group, where rows of one id belong together too."""
    parent = np.unique(groups, return_inverse=True)[1]
    first: dict[str, int] = {}
    root = list(range(int(parent.max(initial=-1)) + 1))

    def find(g: int) -> int:
        while root[g] != g:
            root[g] = root[root[g]]
            g = root[g]
        return g

    for name, g in zip(ids, parent, strict=True):
        other = first.setdefault(name, int(g))
        root[find(int(g))] = find(other)
    joined = np.array([find(int(g)) for g in parent], int)
    order = np.argsort(joined, kind="stable")
    cuts = np.flatnonzero(np.diff(joined[order])) + 1
    return np.split(order, cuts) if len(order) else []


def _fill(sizes: list[int], parts: list[str | None], fractions: tuple[float, float, float]) -> list[str]:
    """Parts of one label's groups, in turn; those given stay."""
    lacking = {part: fraction * sum(sizes) for part, fraction in zip(PARTS, fractions, strict=True)}
    empty = [part for part in _FIRST if lacking[part] > 0 and part not in parts]
    allowed = [part for part in _FIRST if lacking[part] > 0]
    for size, part in zip(sizes, parts, strict=True):
        if part:
            lacking[part] -= size
    left = parts.count(None)
    filled = []
    for size, given in zip(sizes, parts, strict=True):
        part = given
        if part is None:
            # The last groups go where nothing is yet; until then, where most is lacking.
            part = empty[0] if left <= len(empty) else max(allowed, key=lacking.__getitem__)
            lacking[part] -= size
            left -= 1
            if part in empty:
                empty.remove(part)
        filled.append(part)
    return filled


def _drawn(seed: int, rows: np.ndarray, ids: Sequence[str]) -> bytes:
    # Python's own hash changes from process to process.
    return hashlib.sha256(f"{seed}:{min(ids[i] for i in rows)}".encode()).digest()
