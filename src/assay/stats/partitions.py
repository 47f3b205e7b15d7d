"""How well groups that were found agree with labels: two namings of the same pictures in, estimates out."""

from collections.abc import Callable

import numpy as np
from scipy.optimize import linear_sum_assignment

from ..errors import InputError, UndefinedError
from .intervals import Estimate, proportion
from .resampling import bootstrap

_NONE = -1  # the group of pictures that are in no group
_PERFECT = 1e-12
_Figure = Callable[[np.ndarray, np.ndarray], float]


def contingency(labels: np.ndarray, found: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Count the pictures of each label in each group.

    Args:
        labels: (n,), one name per picture.
        found: (n,), the group of each.

    Returns:
        int (labels, groups), and the names of its rows and columns, in their order.

    Raises:
        InputError: shapes differ.

    >>> contingency(np.array(["a", "a", "b"]), np.array([1, 0, 0]))[0]
    array([[1, 1],
           [1, 0]])
    """
    labels, found = _checked(labels, found)
    rows, i = np.unique(labels, return_inverse=True)
    columns, j = np.unique(found, return_inverse=True)
    table = np.zeros((len(rows), len(columns)), int)
    np.add.at(table, (i, j), 1)
    return table, rows, columns


def adjusted_rand(
    labels: np.ndarray,
    found: np.ndarray,
    *,
    groups: np.ndarray | None = None,
    level: float = 0.95,
    runs: int = 1000,
    rng: np.random.Generator,
) -> Estimate:
    """Share of pairs on which labels and groups agree, beyond what chance would give.

    Args:
        labels: (n,), one name per picture.
        found: (n,), the group of each; pictures in no group (-1) count as one group.
        groups: (n,), one name per picture; pictures of one group, such as copies, are drawn together.
        level: coverage of the interval, in (0, 1).
        runs: resamples, >= 100.
        rng: source of randomness.

    Returns:
        Estimate, at most 1 (the same partition); about 0 for groups that have nothing to do with the labels. What
        labels and groups are called does not matter. At 1, where resamples do not vary, the lower end is what the
        figure would be if the share of pictures that Wilson's interval leaves open were grouped at random.

    Raises:
        InputError: a shape differs, or runs is too small.
        UndefinedError: there are not two labels and two groups.

    Assumes groups of copies, or pictures, are independent.

    Source: Hubert & Arabie 1985, doi:10.1007/BF01908075. A picture that is drawn twice makes no pair with itself: such
    pairs always agree, and would flatter every resample.

    >>> e = adjusted_rand(np.repeat([0, 1], 9), np.repeat(["b", "a"], 9), rng=np.random.default_rng(0))
    >>> e.value, e.low < 0.8
    (1.0, True)
    """
    return _estimate(_rand, labels, found, groups=groups, level=level, runs=runs, rng=rng)


def mutual_information(
    labels: np.ndarray,
    found: np.ndarray,
    *,
    groups: np.ndarray | None = None,
    level: float = 0.95,
    runs: int = 1000,
    rng: np.random.Generator,
) -> Estimate:
    """Normalized mutual information: how much of the labels the groups tell, and of the groups the labels.

    Args:
        labels: (n,), one name per picture.
        found: (n,), the group of each; pictures in no group (-1) count as one group.
        groups: (n,), one name per picture; pictures of one group, such as copies, are drawn together.
        level: coverage of the interval, in (0, 1).
        runs: resamples, >= 100.
        rng: source of randomness.

    Returns:
        Estimate, in [0, 1]. Not adjusted for chance: many small groups reach a high figure whatever the labels. At 1
        the lower end is as in `adjusted_rand`.

    Raises:
        InputError: a shape differs, or runs is too small.
        UndefinedError: there are not two labels and two groups.

    Assumes groups of copies, or pictures, are independent. Resamples repeat pictures, which makes small groups look a
    little more telling than they are.

    Source: Strehl & Ghosh 2002, normalized by the mean of the two entropies as in Vinh, Epps & Bailey 2010.
    """
    return _estimate(_information, labels, found, groups=groups, level=level, runs=runs, rng=rng)


def matched_accuracy(
    labels: np.ndarray,
    found: np.ndarray,
    *,
    groups: np.ndarray | None = None,
    level: float = 0.95,
    runs: int = 1000,
    rng: np.random.Generator,
) -> Estimate:
    """Share of pictures that are right when each group is called after one label, no two after the same.

    Args:
        labels: (n,), one name per picture.
        found: (n,), the group of each; pictures in no group (-1) are wrong.
        groups: (n,), one name per picture; pictures of one group, such as copies, are drawn together.
        level: coverage of the interval, in (0, 1).
        runs: resamples, >= 100.
        rng: source of randomness.

    Returns:
        Estimate, in [0, 1]. The names are given again in each resample. At 1 it is Wilson's interval.

    Raises:
        InputError: a shape differs, or runs is too small.
        UndefinedError: there are not two labels and two groups.

    Assumes groups of copies, or pictures, are independent.

    Source: the assignment of Kuhn 1955, doi:10.1002/nav.3800020109.
    """
    names = np.unique(found)
    kept = names != _NONE if names.dtype.kind in "iu" else np.ones(len(names), bool)

    def right(table: np.ndarray, squares: np.ndarray) -> float:
        return _matched(table[:, kept], squares[:, kept]) * float(table[:, kept].sum() / table.sum())

    return _estimate(right, labels, found, groups=groups, level=level, runs=runs, rng=rng)


def match(labels: np.ndarray, found: np.ndarray) -> dict[int, str]:
    """Call each group after the label with which most pictures come out right.

    Args:
        labels: (n,), one name per picture.
        found: int (n,), the group of each, -1 for none.

    Returns:
        Group to label; no two groups have the same one, and with more groups than labels some have none.

    Raises:
        InputError: shapes differ.

    >>> match(np.array(["ant", "ant", "bee"]), np.array([1, 1, 0]))
    {0: 'bee', 1: 'ant'}
    """
    table, rows, columns = contingency(labels, found)
    kept = columns != _NONE
    i, j = linear_sum_assignment(table[:, kept], maximize=True)
    pairs = zip(columns[kept][j].tolist(), rows[i].tolist(), strict=True)
    return {int(column): str(row) for column, row in sorted(pairs)}


def _estimate(
    figure: _Figure,
    labels: np.ndarray,
    found: np.ndarray,
    *,
    groups: np.ndarray | None,
    level: float,
    runs: int,
    rng: np.random.Generator,
) -> Estimate:
    """Draw groups of copies again, and weigh the cells of one table with how often each was drawn."""
    table, rows, columns = contingency(labels, found)
    n, shape = int(table.sum()), table.shape
    if groups is not None and np.shape(groups) != (n,):
        raise InputError(f"groups must be ({n},), got {np.shape(groups)}")
    if min(shape) < 2:
        raise UndefinedError(f"agreement needs 2 labels and 2 groups, got {shape[0]} and {shape[1]}")
    cell = np.searchsorted(rows, labels) * shape[1] + np.searchsorted(columns, found)
    codes = np.arange(n) if groups is None else np.unique(groups, return_inverse=True)[1]
    value = figure(table, table)
    if value > 1 - _PERFECT:
        share = proportion(np.ones(n), n, groups=codes, level=level)
        mixed = share.low * table + (1 - share.low) * table.sum(1, keepdims=True) * table.sum(0) / n
        low = share.low if figure not in (_rand, _information) else figure(mixed, mixed)
        return Estimate(1.0, low, 1.0, level, share.method if low == share.low else f"{share.method}-mixed")
    first = np.unique(codes, return_index=True)[1]
    own = cell // shape[1]
    pure = bool((own == own[first][codes]).all())

    def statistic(drawn: np.ndarray) -> float:
        weights = np.bincount(drawn, minlength=len(first))[codes].astype(float)
        held = (np.bincount(cell, w, minlength=table.size).reshape(shape) for w in (weights, weights**2))
        return figure(*held)

    # Where copies share a label, each label keeps its number, so that none is lost from a resample.
    strata = own[first] if pure else None
    return bootstrap(statistic, len(first), strata=strata, level=level, runs=runs, rng=rng)


def _rand(table: np.ndarray, squares: np.ndarray) -> float:
    """Return the adjusted Rand index of sums of weights, and of their squares, in each cell."""
    together, own, others = (
        float(((table.sum(axis) ** 2) - squares.sum(axis)).sum()) for axis in ((), 1, 0)
    )  # twice the pairs in one cell, one row, one column
    total = float(table.sum() ** 2 - squares.sum())
    chance, most = own * others / total, (own + others) / 2
    return (together - chance) / (most - chance) if most != chance else 0.0


def _information(table: np.ndarray, _squares: np.ndarray) -> float:
    share = table / table.sum()
    both, own, others = (_entropy(share.sum(axis).ravel()) for axis in ((), 1, 0))
    return float(np.clip(2 * (own + others - both) / (own + others), 0, 1)) if own + others > 0 else 0.0


def _entropy(shares: np.ndarray) -> float:
    shares = shares[shares > 0]
    return float(-(shares * np.log(shares)).sum())


def _matched(table: np.ndarray, _squares: np.ndarray) -> float:
    if not table.size or not table.sum():
        return 0.0
    i, j = linear_sum_assignment(table, maximize=True)
    return float(table[i, j].sum() / table.sum())


def _checked(labels: np.ndarray, found: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    labels, found = np.asarray(labels), np.asarray(found)
    if labels.ndim != 1 or labels.shape != found.shape:
        raise InputError(f"labels and found must be (n,), got {labels.shape} and {found.shape}")
    return labels, found
