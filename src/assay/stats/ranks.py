"""How scores order two classes: labels and scores in, counts by threshold and places of each picture out.

What the modules on ROC curves, cut-offs, precision and comparison share; nothing here makes an interval.
"""

from dataclasses import dataclass

import numpy as np

from ..errors import InputError, UndefinedError
from .intervals import effective


@dataclass(frozen=True, slots=True)
class Stairs:
    """How many of each class score at or above each distinct score.

    levels: float (k,), distinct scores, falling; true, false: int (k + 1,), positives and negatives at or
    above each, after a 0.
    """

    levels: np.ndarray
    true: np.ndarray
    false: np.ndarray


@dataclass(frozen=True, slots=True)
class Placements:
    """How each picture stands to those of the other class, for each of k sets of scores.

    wins: float (k, m), the share of negatives that each positive beats; losses: float (k, n), the share of
    positives that each negative loses to; positives, negatives: int, the group of each, None where every picture
    is its own; areas: float (k,), exact to the last bit. Without groups pictures stand in the order of their scores
    where k is 1, else as they came.
    """

    wins: np.ndarray
    losses: np.ndarray
    positives: np.ndarray | None
    negatives: np.ndarray | None
    areas: np.ndarray


@dataclass(frozen=True, slots=True)
class Spread:
    """DeLong's covariance (k, k) of areas, and Welch's degrees of freedom of the first."""

    covariance: np.ndarray
    df: float


def checked(
    labels: np.ndarray, scores: np.ndarray, *, repeats: bool = False, least: int = 1, what: str = "an roc curve"
) -> tuple[np.ndarray, np.ndarray]:
    """Labels and scores in the form that everything here takes.

    Args:
        labels: bool (n,), True for positive; or 0 and 1.
        scores: float (n,), higher means more positive; or (repeats, n) where repeats are allowed.
        repeats: whether they are.
        least: pictures of each class that are needed.
        what: needs them, for the message.

    Returns:
        Labels as bool (n,), scores as float.

    Raises:
        InputError: shapes differ, labels are not of two kinds, or scores are not finite.
        UndefinedError: a class has too few pictures.
    """
    labels = np.asarray(labels)
    try:
        scores = np.asarray(scores, float)
    except (TypeError, ValueError) as error:
        raise InputError(f"scores must be numbers, got {np.asarray(scores).dtype}: give scores, not labels") from error
    if labels.ndim != 1 or scores.shape[-1:] != labels.shape or scores.ndim not in ((1, 2) if repeats else (1,)):
        wanted = "(n,) and (n,) or (repeats, n)" if repeats else "(n,)"
        raise InputError(f"labels and scores must be {wanted}, got {labels.shape} and {scores.shape}")
    labels = binary(labels)
    if not np.isfinite(scores).all():
        raise InputError(f"scores must be finite, got {np.count_nonzero(~np.isfinite(scores))} that are not")
    m = int(np.count_nonzero(labels))
    if min(m, len(labels) - m) < least or not scores.size:
        raise UndefinedError(f"{what} needs {least} of each class, got {m} positives and {len(labels) - m} negatives")
    return labels, scores


def binary(labels: np.ndarray) -> np.ndarray:
    """Labels as bool.

    Args:
        labels: bool (n,), or 0 and 1.

    Returns:
        bool (n,).

    Raises:
        InputError: there are other values.
    """
    if labels.dtype == bool:
        return labels
    if not np.isin(labels, (0, 1)).all():
        raise InputError("labels must be bool, True for positive, got values other than 0 and 1")
    return labels.astype(bool)


def named(groups: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Groups as an array, one name per picture.

    Args:
        groups: (n,).
        labels: (n,).

    Returns:
        (n,).

    Raises:
        InputError: there are not as many.
    """
    groups = np.asarray(groups)
    if groups.shape != labels.shape:
        raise InputError(f"groups must be {labels.shape}, got {groups.shape}")
    return groups


def stairs(labels: np.ndarray, scores: np.ndarray) -> Stairs:
    """Count each class at or above every distinct score.

    Args:
        labels: bool (n,), True for positive.
        scores: float (n,), finite. They are only compared: neighbours one rounding step apart stay apart.

    Returns:
        Stairs.

    >>> stairs(np.array([0, 1, 1], bool), np.array([0.2, 0.2, 0.7])).true
    array([0, 1, 2])
    """
    # Both classes are sorted apart and put together by one search: no index of all pictures is made.
    up, down = np.sort(scores[labels]), np.sort(scores[~labels])
    positive = np.zeros(len(up) + len(down), bool)
    positive[np.searchsorted(down, up, "right") + np.arange(len(up))] = True
    both = np.empty(len(positive), scores.dtype)
    both[positive], both[~positive] = up, down
    starts = np.concatenate([[0], np.flatnonzero(both[1:] != both[:-1]) + 1])
    below = (np.cumsum(positive) - positive)[starts]
    true = len(up) - below[::-1]
    false = len(down) - (starts - below)[::-1]
    return Stairs(both[starts][::-1], np.concatenate([[0], true]), np.concatenate([[0], false]))


def placements(labels: np.ndarray, scores: np.ndarray, *, groups: np.ndarray | None = None) -> Placements:
    """Compare every positive with every negative, by sorting.

    Args:
        labels: bool (n,), True for positive.
        scores: float (n,) or (k, n), finite.
        groups: (n,), one name per picture; pictures of one group are not independent.

    Returns:
        Placements; the mean of wins, which is that of losses, is the area under the ROC curve.

    Raises:
        InputError: groups are not as many.
        UndefinedError: fewer than two groups hold a class.

    Source: DeLong et al. 1988, doi:10.2307/2531595, by a search of sorted scores.

    >>> placements(np.array([0, 0, 1, 1], bool), np.array([.1, .4, .35, .8])).wins
    array([[0.5, 1. ]])
    """
    rows = np.atleast_2d(scores)
    if groups is None and len(rows) == 1:
        up, down = np.sort(rows[0][labels]), np.sort(rows[0][~labels])
        halves = _halves(up, down)
        areas = np.array([int(halves.sum()) / (2 * len(up) * len(down))])
        return Placements((halves / (2 * len(down)))[None], _losses(up, down)[None], None, None, areas)
    wins, losses = np.empty((len(rows), np.count_nonzero(labels))), np.empty((len(rows), np.count_nonzero(~labels)))
    areas = np.empty(len(rows))
    for i, row in enumerate(rows):
        positives, negatives = row[labels], row[~labels]
        by_score, by_loss = np.argsort(positives), np.argsort(negatives)
        # Both sides sorted: a search in order stays in the cache.
        up, down = positives[by_score], negatives[by_loss]
        halves = _halves(up, down)
        areas[i] = int(halves.sum()) / (2 * len(up) * len(down))
        wins[i, by_score] = halves / (2 * len(down))
        losses[i, by_loss] = _losses(up, down)
    if groups is None:
        return Placements(wins, losses, None, None, areas)
    codes = np.unique(named(groups, labels), return_inverse=True)[1]
    held = [len(np.unique(codes[chosen])) for chosen in (labels, ~labels)]
    if min(held) < 2:
        raise UndefinedError(f"auc needs 2 groups that hold each class, got {held[0]} and {held[1]}")
    return Placements(wins, losses, codes[labels], codes[~labels], areas)


def delong(placed: Placements) -> Spread:
    """Covariance of the areas of k sets of scores of the same pictures.

    Args:
        placed: of two pictures, or groups, of each class at least.

    Returns:
        Spread: covariance (k, k), its diagonal >= 0, and 0 where a set separates the classes perfectly.

    Source: DeLong et al. 1988, doi:10.2307/2531595; groups: Obuchowski 1997, doi:10.2307/2533958.
    """
    area = placed.areas
    if placed.positives is None or placed.negatives is None:
        m, n = placed.wins.shape[1], placed.losses.shape[1]
        parts = []
        for components, size in ((placed.wins, m), (placed.losses, n)):
            centred = components - area[:, None]
            parts.append(centred @ centred.T / (size * (size - 1)))
        return _spread(parts[0], parts[1], np.zeros_like(parts[0]), m, n)
    size = int(max(placed.positives.max(), placed.negatives.max())) + 1
    sums, held = [], []
    for components, codes in ((placed.wins, placed.positives), (placed.losses, placed.negatives)):
        rows = [np.bincount(codes, row - a, minlength=size) for row, a in zip(components, area, strict=True)]
        sums.append(np.array(rows) / components.shape[1])
        held.append(np.bincount(codes, minlength=size) > 0)
    i10, i01, either = (int(h.sum()) for h in (*held, held[0] | held[1]))
    cross = sums[0] @ sums[1].T
    together = either / (either - 1) * (cross + cross.T)
    parts = [i / (i - 1) * s @ s.T for i, s in zip((i10, i01), sums, strict=True)]
    return _spread(parts[0], parts[1], together, i10, i01)


def true_at(steps: Stairs, false: np.ndarray, *, top: bool = True) -> np.ndarray:
    """Positives above the threshold that so many negatives lie above.

    Args:
        steps: of the pictures.
        false: float, any shape, 0..n; parts of a negative stand on the straight line across a tie.
        top: of several thresholds the lowest, which finds most positives; else the highest.

    Returns:
        float, of that shape, 0..m.

    >>> steps = stairs(np.array([1, 0, 1, 1], bool), np.array([4.0, 3, 2, 1]))
    >>> true_at(steps, np.array([0.0, 1.0])), true_at(steps, np.array([0.0, 1.0]), top=False)
    (array([1., 3.]), array([0., 1.]))
    """
    # Rates times counts come out a rounding error off whole numbers: that near is equal.
    if top:
        here = np.searchsorted(steps.false, false + 1e-9, "right") - 1
        there = np.minimum(here + 1, len(steps.false) - 1)
    else:
        there = np.searchsorted(steps.false, false - 1e-9, "left").clip(0, len(steps.false) - 1)
        here = np.maximum(there - 1, 0)
    width = np.maximum(steps.false[there] - steps.false[here], 1)
    across = np.clip((false - steps.false[here]) / width, 0, 1)
    if not top:
        across = np.where(there == 0, 0, across)
    found: np.ndarray = steps.true[here] + across * (steps.true[there] - steps.true[here])
    return found


def along(steps: Stairs, rates: np.ndarray, *, top: bool = True) -> np.ndarray:
    """Sensitivity at false positive rates.

    Args:
        steps: of the pictures.
        rates: float (g,), in [0, 1].
        top: of a vertical step the top, else the foot.

    Returns:
        float (g,), in [0, 1].
    """
    found: np.ndarray = true_at(steps, rates * steps.false[-1], top=top) / steps.true[-1]
    return found


def drawn(
    steps: Stairs, rates: np.ndarray, *, sizes: tuple[float, float], runs: int, rng: np.random.Generator
) -> np.ndarray:
    """Draw ROC curves that agree with the pictures.

    The number of negatives above the threshold of a given rate is binomial whatever the scores are like, and
    between neighbouring rates multinomial; where the threshold lies between two negatives is anyone's guess. The
    positives above it then say what the sensitivity may be.

    Args:
        steps: of the pictures.
        rates: float (g,), false positive rates, rising within [0, 1].
        sizes: how many positives and negatives count as independent.
        runs: curves, >= 1.
        rng: source of randomness.

    Returns:
        float (runs, g), sensitivity in [0, 1], rising along each row.
    """
    m, n = sizes[0], max(round(sizes[1]), 1)
    above = np.cumsum(rng.multinomial(n, np.diff(rates, prepend=0, append=1), size=runs), axis=1)[:, :-1]
    found = between(steps, above, n, rng.random((runs, 1))) * (m / steps.true[-1])
    shapes = np.diff(found, axis=1, prepend=-0.5, append=m + 0.5)
    parts = np.cumsum(rng.standard_gamma(np.maximum(shapes, 0)), axis=1)
    draws: np.ndarray = parts[:, :-1] / parts[:, -1:]
    return draws


def between(steps: Stairs, above: np.ndarray, n: int, part: np.ndarray) -> np.ndarray:
    """Positives above a threshold that lies between two negatives.

    Args:
        steps: of the pictures.
        above: int, any shape, how many of n independent negatives lie above the threshold.
        n: as how many the negatives count.
        part: of the way from one negative to the next that the positives there are counted, in [0, 1].

    Returns:
        float, of the shape of above and part together, 0..m.
    """
    each = steps.false[-1] / n
    least = true_at(steps, above * each, top=False)
    most = true_at(steps, np.minimum((above + 1) * each - 1, steps.false[-1]), top=True)
    found: np.ndarray = least + part * np.maximum(most - least, 0)
    return found


def independent(labels: np.ndarray, scores: np.ndarray, *, groups: np.ndarray | None = None) -> tuple[float, float]:
    """How many positives and negatives count as independent.

    Args:
        labels: bool (n,), True for positive.
        scores: float (n,), finite.
        groups: (n,), one name per picture; pictures of one group are not independent.

    Returns:
        As many as there are without groups; with groups as many as would give the spread that the places of
        positives, and of negatives, show between groups.

    Raises:
        InputError: groups are not as many.
        UndefinedError: fewer than two groups hold a class.
    """
    if groups is None:
        m = int(np.count_nonzero(labels))
        return float(m), float(len(labels) - m)
    placed = placements(labels, scores, groups=groups)
    codes = np.unique(named(groups, labels), return_inverse=True)[1]
    return effective(placed.wins[0], codes[labels]), effective(placed.losses[0], codes[~labels])


def _spread(up: np.ndarray, down: np.ndarray, together: np.ndarray, m: int, n: int) -> Spread:
    covariance = up + down + together
    diagonal = np.einsum("ii->i", covariance)
    np.maximum(diagonal, 0, out=diagonal)
    first, second = float(up[0, 0]), float(down[0, 0])
    pooled = first**2 / (m - 1) + second**2 / (n - 1)
    return Spread(covariance, (first + second) ** 2 / pooled if pooled > 0 else float(min(m, n) - 1))


def _halves(queries: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Twice how many of the others lie below each query, a tie counting one; both sorted."""
    found: np.ndarray = np.searchsorted(others, queries, "left") + np.searchsorted(others, queries, "right")
    return found


def _losses(up: np.ndarray, down: np.ndarray) -> np.ndarray:
    found: np.ndarray = 1 - _halves(down, up) / (2 * len(up))
    return found
