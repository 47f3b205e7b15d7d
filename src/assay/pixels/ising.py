"""Binary pictures out of noise: the Ising model's posterior by Gibbs sampling, its mode by a minimum cut.

A noisy picture goes in, (H, W); the clean one is s with -1 for black and +1 for white. Its posterior is proportional to
exp(coupling * sum of s_i s_j over neighbouring pairs + sum of y_i s_i / sigma^2): 4 neighbours, free borders. What was
seen, y, is -1 or +1 where the picture has two levels (each is wrong with chance 1 / (1 + exp(2 / sigma^2))), and any
number where it is real-valued (s plus Gaussian noise of that sigma). Nothing here opens a file or thresholds unasked.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import InputError, UndefinedError
from .mixing import effective_size, split_r_hat

MOST = 40.0  # coupling: no chain moves at it, and beyond it odds leave the range of floats
MIXED = 1.1  # split R-hat above which chains are said not to have mixed
ENOUGH = 100  # independent samples below which chances are said to be rough


@dataclass(frozen=True, slots=True)
class Posterior:
    """What chains say of the clean picture.

    mean: float32 (H, W), the chance of white; sample: uint8 (H, W) of 0 and 255, the last one of the first chain;
    best: uint8 (H, W), the most probable picture found by annealing, and best_energy its energy; energy: float
    (chains, burn_in + sweeps), minus the logarithm of the posterior but for a constant; white: float, the same shape,
    the share of white pixels; r_hat: split R-hat after burn-in, the larger of those of energy and white; samples: how
    many independent ones the chains are worth, the smaller of the two; warning: "" where the chains have mixed.
    """

    mean: np.ndarray
    sample: np.ndarray
    best: np.ndarray
    best_energy: float
    energy: np.ndarray
    white: np.ndarray
    r_hat: float
    samples: float
    warning: str

    @property
    def mode(self) -> np.ndarray:
        """The picture with the fewest wrong pixels expected: uint8, white where that is likelier than black."""
        return np.where(self.mean > 0.5, np.uint8(255), np.uint8(0))


@dataclass(frozen=True, slots=True)
class Parameters:
    """Coupling and noise.

    couplings: at distance 1, 2, ...; sigma: of the noise; score: mean log chance of a pixel as seen, given the others.
    """

    couplings: tuple[float, ...]
    sigma: float
    score: float

    @property
    def coupling(self) -> float:
        """Of neighbours."""
        return self.couplings[0]

    @property
    def flipped(self) -> float:
        """The chance, in [0, 0.5], that a pixel of two levels shows the wrong one."""
        return float(1 / (1 + np.exp(2 / self.sigma**2)))


def threshold(image: np.ndarray) -> float:
    """Find the level that parts a picture's greys in two with the least spread within both.

    Args:
        image: picture, (H, W), uint8 or float32.

    Returns:
        The level: what is above it is white.

    Raises:
        InputError: image is no grey picture, or is flat.

    Source: Otsu 1979, doi:10.1109/TSMC.1979.4310076.

    >>> threshold(np.array([[10, 12, 200, 202]], np.uint8))
    12.0
    """
    _check_shape(image)
    levels, counts = np.unique(image, return_counts=True)
    if len(levels) < 2:
        raise InputError(f"a threshold needs two levels or more, got {len(levels)}")
    below, sums = np.cumsum(counts), np.cumsum(counts * levels.astype(float))
    n, total = below[-1], sums[-1]
    between = (total * below[:-1] - n * sums[:-1]) ** 2 / (below[:-1] * (n - below[:-1]).astype(float))
    return float(levels[int(np.argmax(between))])


def observed(image: np.ndarray, *, levels: tuple[float, float] | None = None) -> np.ndarray:
    """Read a noisy picture as observations of spins.

    Args:
        image: (H, W), 2 pixels or more. Bools and whole numbers have two levels, the higher is white. Floats that are
            all 0 or 1, or all -1 or +1, have two levels too. Other floats are real-valued: within 0..1 a picture, else
            observations as they are, -1 for black and +1 for white.
        levels: of black and of white in the picture: takes any greys as real-valued.

    Returns:
        float64 (H, W), -1 for black and +1 for white.

    Raises:
        InputError: image is no grey picture, has values that are not finite, or has whole numbers of more than two
            levels; the message says which threshold would part them.

    >>> observed(np.array([[0, 255, 255]], np.uint8))
    array([[-1.,  1.,  1.]])
    """
    _check_shape(image)
    if image.dtype.kind == "f" and not np.isfinite(image).all():
        raise InputError(f"image must be finite, got {np.count_nonzero(~np.isfinite(image)):,} values that are not")
    if levels is not None:
        black, white = levels
        if not (np.isfinite([black, white]).all() and black != white):
            raise InputError(f"levels must be two different numbers, got {levels!r}")
        return np.asarray((image.astype(float) - black) / (white - black) * 2 - 1)
    if image.dtype.kind == "f":
        if image.min() >= 0 and image.max() <= 1:
            return image.astype(float) * 2 - 1
        return image.astype(float)
    found = np.unique(image)
    if len(found) > 2:
        raise InputError(
            f"image must have two levels, got {len(found)}: "
            f"make it image > {threshold(image):g}, or give levels=(black, white) to use its greys as they are"
        )
    if len(found) == 2:
        return np.where(image == found[1], 1.0, -1.0)
    limits = (0, 1) if image.dtype == bool else (np.iinfo(image.dtype).min, np.iinfo(image.dtype).max)
    if found[0] not in (*limits, -1, 1):
        raise InputError(f"image must be black or white where it is flat, got the level {found[0]} everywhere")
    return np.full(image.shape, 1.0 if found[0] in (limits[1], 1) else -1.0)


def gibbs(
    image: np.ndarray,
    *,
    coupling: float | Sequence[float],
    sigma: float,
    sweeps: int = 200,
    burn_in: int = 50,
    chains: int = 4,
    annealing: int = 100,
    levels: tuple[float, float] | None = None,
    rng: np.random.Generator,
) -> Posterior:
    """Sample the clean picture by heat-bath updates of all black, then all white squares of a checkerboard.

    Chains start apart, the first at the picture, the last at random, so that those which have not forgotten their start
    are found out. Two-level pictures are sampled 64 pixels at a time, exact to 53 bits.

    Args:
        image: as `observed` takes it.
        coupling: of neighbours, 0 to 40; or a sequence, at distances 1, 2, ... along rows and columns. More than one
            are sampled pixel by pixel, many times slower.
        sigma: of the noise, > 0, where black is -1 and white +1.
        sweeps: over the picture that are kept, of each chain, >= 4.
        burn_in: sweeps before those, >= 0.
        chains: >= 1; as many run at a time as there are processors, which changes no result.
        annealing: sweeps of the search for the most probable picture, >= 0; then single pixels are turned while that
            helps. 0 leaves only the latter.
        levels: as `observed` takes them.
        rng: source of randomness.

    Returns:
        The posterior.

    Raises:
        InputError: image is not what `observed` takes, or an option is outside its range.

    Assumes noise is independent from pixel to pixel.

    Source: Geman & Geman 1984, doi:10.1109/TPAMI.1984.4767596; words of many spins: Block, Virnau & Preis 2010,
    doi:10.1016/j.cpc.2010.05.005.

    >>> noisy = np.array([[1, 1, 1, 1], [1, 0, 1, 1], [1, 1, 1, 1]], bool)
    >>> p = gibbs(noisy, coupling=0.7, sigma=1.0, rng=np.random.default_rng(0))
    >>> bool(p.mean[1, 1] > 0.5), p.warning
    (True, '')
    """
    y = observed(image, levels=levels)
    couplings = _checked(coupling, sigma)
    for name, value, least in (
        ("sweeps", sweeps, 4),
        ("burn_in", burn_in, 0),
        ("chains", chains, 1),
        ("annealing", annealing, 0),
    ):
        if value < least:
            raise InputError(f"{name} must be >= {least}, got {value!r}")
    from . import chains as work

    field = y / sigma**2
    starts = work.starts(y, chains, rng=rng)
    run = work.run(field, couplings, starts, burn_in, burn_in + sweeps, rng=rng)
    cooled = np.geomspace(1, 10, annealing) if annealing else np.empty(0)
    best, best_energy = work.coolest(field, couplings, [run.last[0], np.where(run.mean > 0.5, 1, -1)], cooled, rng=rng)
    kept = [trace[:, burn_in:] for trace in (run.energy, run.white)]
    r_hat, samples = max(map(split_r_hat, kept)), min(map(effective_size, kept))
    return Posterior(
        run.mean.astype(np.float32),
        _picture(run.last[0]),
        _picture(best),
        best_energy,
        run.energy,
        run.white,
        r_hat,
        samples,
        _warning(r_hat, samples),
    )


def exact(
    image: np.ndarray,
    *,
    coupling: float | Sequence[float],
    sigma: float,
    levels: tuple[float, float] | None = None,
) -> np.ndarray:
    """Find the most probable clean picture, by a minimum cut.

    Args:
        image: as `observed` takes it.
        coupling: as `gibbs` takes it.
        sigma: of the noise, > 0.
        levels: as `observed` takes them.

    Returns:
        uint8 (H, W) of 0 and 255: no picture is more probable, to one part in 10**7 of the couplings, to which
        capacities are rounded. Of pictures that are equally so, the one with the fewest white pixels.

    Raises:
        InputError: image is not what `observed` takes, or an option is outside its range.

    Source: Greig, Porteous & Seheult 1989, doi:10.1111/j.2517-6161.1989.tb01764.x.

    >>> noisy = np.array([[1, 1, 1, 1], [1, 0, 1, 1], [1, 1, 1, 1]], bool)
    >>> exact(noisy, coupling=0.7, sigma=1.0).min()
    np.uint8(255)
    """
    y = observed(image, levels=levels)
    couplings = _checked(coupling, sigma)
    if couplings.sum() < 1e-100:
        return _picture(np.where(y > 0, 1, -1))
    from . import mincut

    height, width = y.shape
    reach = len(couplings)
    most = 4 * float(couplings.sum())
    unit = 2**26 / most
    # More than its neighbours can outvote changes nothing, and would use up the range.
    field = np.rint(np.clip(y / sigma**2, -1.5 * most, 1.5 * most) * unit).astype(np.int32)
    strength = np.rint(couplings * unit).astype(np.int32)
    rows, columns = height + 2 * reach, width + reach  # a row's margin on its right is the next one's on its left
    nodes = np.arange(rows * columns + reach).reshape(-1)
    at = nodes[: rows * columns].reshape(rows, columns)[reach : reach + height, :width]
    capacity = np.zeros((len(nodes), 4 * reach), np.int32)
    steps = np.empty(4 * reach, np.int64)
    for r in range(1, reach + 1):
        for d, step, here in (
            (0, r, at[:, : width - r]),
            (1, -r, at[:, r:]),
            (2, r * columns, at[: height - r]),
            (3, -r * columns, at[r:]),
        ):
            steps[4 * (r - 1) + d] = step
            capacity[here.ravel(), 4 * (r - 1) + d] = strength[r - 1]
    excess = np.zeros(len(nodes), np.int32)
    excess[at] = field
    white = mincut.cut(excess, capacity, steps, at.ravel())
    return np.where(white[at], np.uint8(255), np.uint8(0))


def energy(
    image: np.ndarray,
    clean: np.ndarray,
    *,
    coupling: float | Sequence[float],
    sigma: float,
    levels: tuple[float, float] | None = None,
) -> float:
    """Minus the logarithm of the posterior of a clean picture, but for a constant.

    Args:
        image: what was seen, as `observed` takes it.
        clean: (H, W) of two levels, the higher is white.
        coupling: as `gibbs` takes it.
        sigma: of the noise, > 0.
        levels: of the image, as `observed` takes them.

    Returns:
        -coupling * sum of s_i s_j - sum of y_i s_i / sigma^2.

    Raises:
        InputError: the pictures differ in shape, or are not what `observed` takes.

    >>> pair = np.array([[True, False]])
    >>> energy(pair, pair, coupling=0.5, sigma=1.0)
    -1.5
    """
    y, s = observed(image, levels=levels), observed(clean)
    if y.shape != s.shape:
        raise InputError(f"clean must have the shape of image, {y.shape}, got {s.shape}")
    total = float((y * s).sum()) / sigma**2
    for r, strength in enumerate(_checked(coupling, sigma), 1):
        pairs = (s[r:] * s[:-r]).sum() + (s[:, r:] * s[:, :-r]).sum()
        total += float(strength * pairs)
    return -total


def estimate(image: np.ndarray, *, reach: int = 1, levels: tuple[float, float] | None = None) -> Parameters:
    """Find coupling and noise from the noisy picture alone.

    They are those at which each pixel, as seen, is best foretold by all the others as seen: the mean logarithm of its
    chance given the rest is largest (pseudo-likelihood of what was seen, the clean picture summed out by sampling).
    Sigma follows from how often pixels differ from what was seen (expectation-maximisation). Of couplings that do as
    well within one standard error, the weakest are taken: their chains mix better.

    Args:
        image: as `observed` takes it. Of more than 2**18 pixels, a window of so many in the middle is used.
        reach: distances along rows and columns that are coupled at most, 1 to 3; fewer are taken where they do better.
        levels: as `observed` takes them.

    Returns:
        Couplings, 0.05 to 1.5 in sum, and sigma. The same picture always gives the same.

    Raises:
        InputError: image is not what `observed` takes, or reach is outside 1 to 3.
        UndefinedError: every pixel is the same.

    Source: Geisser & Eddy 1979, doi:10.1080/01621459.1979.10481632; chances given the rest from samples: Gelfand & Dey
    1994, doi:10.1111/j.2517-6161.1994.tb01996.x.
    """
    if not (isinstance(reach, int | np.integer) and 1 <= reach <= 3):
        raise InputError(f"reach must be 1, 2 or 3, got {reach!r}")
    y = observed(image, levels=levels)
    if y.min() == y.max():
        raise UndefinedError("estimate needs black and white pixels, got a picture of one level")
    from . import evidence

    return Parameters(*evidence.search(y, reach))


def _check_shape(image: np.ndarray) -> None:
    if image.ndim != 2 or image.size < 2:
        raise InputError(f"image must be (H, W), grey, of 2 pixels or more, got {image.shape}")
    if image.dtype.kind not in "buif":
        raise InputError(f"image must hold bools, whole numbers or floats, got {image.dtype}")


def _checked(coupling: float | Sequence[float], sigma: float) -> np.ndarray:
    couplings = np.atleast_1d(np.asarray(coupling, float))
    if couplings.ndim != 1 or not 1 <= len(couplings) <= 8:
        raise InputError(f"coupling must be a number, or 1 to 8 of them, got {coupling!r}")
    if not ((couplings >= 0) & (couplings <= MOST)).all():
        raise InputError(f"coupling must be 0 to {MOST:g}, got {coupling!r}")
    if not (np.isfinite(sigma) and sigma > 0):
        raise InputError(f"sigma must be a finite number > 0, got {sigma!r}")
    return couplings


def _picture(spins: np.ndarray) -> np.ndarray:
    return np.where(spins > 0, np.uint8(255), np.uint8(0))


def _warning(r_hat: float, samples: float) -> str:
    if r_hat > MIXED:
        return (
            f"the chains have not mixed: split R-hat must be <= {MIXED:g}, got {r_hat:.3g}; "
            "chances are not to be trusted: give more sweeps, or a smaller coupling"
        )
    if samples < ENOUGH:
        return f"chances are rough: the chains are worth {samples:.0f} independent samples; give more sweeps"
    return ""
