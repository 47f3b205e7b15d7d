"""Have chains mixed? Traces of several chains in, how far they differ and how many samples they are worth out."""

import numpy as np

from ..errors import InputError


def split_r_hat(traces: np.ndarray) -> float:
    """How much wider all halves of all chains lie together than each lies alone.

    Args:
        traces: float (chains, n), one number a sweep; n >= 4.

    Returns:
        About 1 where the chains have mixed, more where they have not; infinite where each stands still at a place of
        its own, 1 where all stand still at the same.

    Raises:
        InputError: traces have another shape.

    Source: Gelman et al., Bayesian Data Analysis, 3rd edition, section 11.4.

    >>> split_r_hat(np.array([[1., 2, 1, 2], [2, 1, 2, 1]])).__round__(3)
    0.707
    """
    halves = _halves(traces)
    n = halves.shape[1]
    within = halves.var(axis=1, ddof=1).mean()
    between = n * halves.mean(axis=1).var(ddof=1)
    if within == 0:
        return 1.0 if between == 0 else float("inf")
    return float(np.sqrt((n - 1) / n + between / (n * within)))


def effective_size(traces: np.ndarray) -> float:
    """How many independent samples would tell the mean as well.

    Args:
        traces: float (chains, n), one number a sweep; n >= 4.

    Returns:
        Samples, at most chains * n * log10(chains * n); chains * n where all stand still at the same place.

    Raises:
        InputError: traces have another shape.

    Source: Vehtari et al. 2021, doi:10.1214/20-BA1221: split chains, Geyer's initial monotone sequence.
    """
    halves = _halves(traces)
    m, n = halves.shape
    centred = halves - halves.mean(axis=1, keepdims=True)
    size = 2 ** int(np.ceil(np.log2(2 * n)))
    power = np.abs(np.fft.rfft(centred, size, axis=1)) ** 2
    covariance = np.fft.irfft(power, size, axis=1)[:, :n].mean(axis=0) / n
    within = covariance[0] * n / (n - 1)
    total = within * (n - 1) / n + halves.mean(axis=1).var(ddof=1)
    if total == 0:
        return float(m * n)
    correlation = 1 - (within - covariance * n / (n - 1)) / total
    correlation[0] = 1.0
    pairs = correlation[: n // 2 * 2].reshape(-1, 2).sum(axis=1)
    positive = int(np.argmax(pairs <= 0)) if (pairs <= 0).any() else len(pairs)
    time = 2 * np.minimum.accumulate(pairs[:positive]).sum() - 1
    return float(m * n / max(time, 1 / np.log10(m * n)))


def _halves(traces: np.ndarray) -> np.ndarray:
    traces = np.asarray(traces, float)
    if traces.ndim != 2 or traces.shape[0] < 1 or traces.shape[1] < 4:
        raise InputError(f"traces must be (chains, n) with n >= 4, got {traces.shape}")
    half = traces.shape[1] // 2
    return np.concatenate([traces[:, :half], traces[:, -half:]])
