"""Chains of the Ising model on whole pictures: a field and couplings in, chances and traces out.

Which compiled sampler runs is decided here, by what was seen and how far couplings reach. Importing this module loads
the compiler.
"""

from dataclasses import dataclass

import numpy as np

from . import bitplanes, lattice


@dataclass(frozen=True, slots=True)
class Run:
    """What chains gave: the chance of white (H, W), last spins (chains, H, W), and traces (chains, sweeps)."""

    mean: np.ndarray
    last: np.ndarray
    energy: np.ndarray
    white: np.ndarray


def starts(y: np.ndarray, count: int, *, rng: np.random.Generator) -> np.ndarray:
    """Spread chains out: the first at what was seen, the others with ever more pixels drawn at random, the last all.

    Args:
        y: float (H, W), what was seen.
        count: of chains.
        rng: source of randomness.

    Returns:
        int8 (count, H, W), -1 and +1.
    """
    spins = np.empty((count, *y.shape), np.int8)
    for i in range(count):
        drawn = rng.random(y.shape) < i / max(count - 1, 1)
        spins[i] = np.where(np.where(drawn, rng.random(y.shape) < 0.5, y > 0), 1, -1)
    return spins


def run(
    field: np.ndarray,
    couplings: np.ndarray,
    spins: np.ndarray,
    burn_in: int,
    sweeps: int,
    *,
    rng: np.random.Generator,
    scales: np.ndarray | None = None,
) -> Run:
    """Run chains.

    Args:
        field: float (H, W), what was seen over sigma squared.
        couplings: float (r,), at distances 1 to r.
        spins: int8 (chains, H, W), where they start.
        burn_in: sweeps that do not count for the mean.
        sweeps: in all.
        rng: source of randomness.
        scales: float (tables,), inverse temperatures: sweep t has number min(t, tables - 1); 1 by default.

    Returns:
        What they gave; energies at inverse temperature 1.
    """
    scales = np.ones(1) if scales is None else scales
    height, width = field.shape
    size = np.abs(field[0, 0])
    if len(couplings) > 1:
        sampler = _far
    elif (np.abs(field) == size).all():
        sampler = _two_level
    else:
        sampler = _real_valued
    mean, last, alike, along, white = sampler(field, couplings, spins, burn_in, sweeps, rng, scales)
    mean = mean.sum(axis=0) / max(len(spins) * (sweeps - burn_in), 1)
    return Run(mean, last, -(alike + along), white / (height * width))


def smooth(
    field: np.ndarray, couplings: np.ndarray, spins: np.ndarray, burn_in: int, sweeps: int, *, rng: np.random.Generator
) -> Run:
    """Run chains whose mean is one of chances and not of samples, which is smoother, and slower.

    Args:
        field: as in `run`.
        couplings: as in `run`.
        spins: as in `run`.
        burn_in: as in `run`.
        sweeps: as in `run`.
        rng: source of randomness.

    Returns:
        What they gave.
    """
    mean, last, alike, along, white = _far(field, couplings, spins, burn_in, sweeps, rng, np.ones(1))
    return Run(mean.sum(axis=0) / (len(spins) * (sweeps - burn_in)), last, -(alike + along), white / field.size)


def coolest(
    field: np.ndarray, couplings: np.ndarray, spins: list[np.ndarray], scales: np.ndarray, *, rng: np.random.Generator
) -> tuple[np.ndarray, float]:
    """Cool the first of some pictures, let each roll downhill, and keep the most probable.

    Args:
        field: float (H, W).
        couplings: float (r,).
        spins: each (H, W), -1 and +1.
        scales: float (sweeps,), inverse temperatures, one a sweep; may be empty.
        rng: source of randomness.

    Returns:
        int8 (H, W), -1 and +1, and its energy.
    """
    reach = len(couplings)
    if len(scales):
        start = spins[0][None].astype(np.int8)
        cooled = run(field, couplings, start, len(scales), len(scales), rng=rng, scales=scales)
        spins = [cooled.last[0], *spins]
    found = []
    for candidate in spins:
        wide = np.pad(candidate.astype(np.int8), reach)
        lattice.descend(wide, field, couplings)
        s = wide[reach:-reach, reach:-reach]
        total = float((field * s).sum())
        for r, strength in enumerate(couplings, 1):
            total += float(strength) * float((s[r:] * s[:-r]).sum() + (s[:, r:] * s[:, :-r]).sum())
        found.append((-total, s))
    best = min(found, key=lambda pair: pair[0])
    return best[1], best[0]


_Given = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def _generators(chains: int, lanes: int, rng: np.random.Generator) -> np.ndarray:
    states: np.ndarray = rng.integers(1, 2**64 - 1, (chains, 2, lanes), np.uint64, endpoint=True)  # never all 0
    return states


def _two_level(
    field: np.ndarray,
    couplings: np.ndarray,
    spins: np.ndarray,
    burn_in: int,
    sweeps: int,
    rng: np.random.Generator,
    scales: np.ndarray,
) -> _Given:
    (height, width), chains, size = field.shape, len(spins), float(np.abs(field[0, 0]))
    words = ((width + 1) // 2 + 63) // 64
    planes = np.empty((chains, 2, height + 2, words), np.uint64)
    for chain in range(chains):
        bitplanes.pack(spins[chain] > 0, planes[chain])
    seen = np.empty(planes.shape[1:], np.uint64)
    bitplanes.pack(field > 0, seen)
    wide = np.empty((2, 4, words), np.uint64)
    bitplanes.pack(np.ones((2, width), bool), wide)
    valid = np.ascontiguousarray(np.stack([wide[0, 1], wide[1, 1]]))  # row 0 of colour 0, then of colour 1
    # Chances by how many more neighbours agree with what is seen than differ, -4 to 4.
    agree = np.arange(-4, 5)
    chance = 1 / (1 + np.exp(-np.clip(2 * scales[:, None] * (couplings[0] * agree + size), -700, 700)))
    whole = np.minimum(chance * 2.0**lattice.BITS, 2.0**lattice.BITS - 1).astype(np.uint64)
    places = np.arange(lattice.BITS - 1, -1, -1).astype(np.uint64)
    bits = (whole[:, None, ::2] >> places[:, None]) & np.uint64(1)
    masks = np.where(bits == 1, np.uint64(2**64 - 1), np.uint64(0))
    lanes = max(bitplanes.BLOCK, words)
    total = np.zeros((chains, height, width), np.int32)
    traces = np.empty((chains, sweeps, 3), np.int64)
    bitplanes.two_level(
        planes, seen, valid, whole, masks, burn_in, _generators(chains, lanes, rng), _generators(chains, 1, rng),
        total, traces,
    )  # fmt: skip
    last = np.empty((chains, height, width), np.int8)
    for chain in range(chains):
        bitplanes.unpack(planes[chain], last[chain])
    pairs = (height - 1) * width + height * (width - 1)
    alike = couplings[0] * (pairs - 2.0 * traces[..., 0])
    along = size * (height * width - 2.0 * traces[..., 1])
    return total, last * 2 - 1, alike, along, traces[..., 2]


def _real_valued(
    field: np.ndarray,
    couplings: np.ndarray,
    spins: np.ndarray,
    burn_in: int,
    sweeps: int,
    rng: np.random.Generator,
    scales: np.ndarray,
) -> _Given:
    (height, width), chains = field.shape, len(spins)
    half = (width + 1) // 2
    rows, columns = np.indices(field.shape)
    colour, at = (rows + columns) & 1, columns >> 1
    by_colour, start = np.zeros((2, height, half)), np.zeros((chains, 2, height + 2, half + 2), np.int8)
    by_colour[colour, rows, at] = field
    start[:, colour, rows + 1, at + 1] = spins
    total = np.zeros((chains, 2, height, half), np.int32)
    traces = np.empty((chains, sweeps, 3))
    lattice.real_valued(
        start, by_colour, width, couplings[0] * scales, scales, burn_in, _generators(chains, half, rng), total, traces
    )
    last = start[:, colour, rows + 1, at + 1]
    white = (traces[..., 2] + height * width) / 2
    return total[:, colour, rows, at], last, couplings[0] * traces[..., 0], traces[..., 1], white


def _far(
    field: np.ndarray,
    couplings: np.ndarray,
    spins: np.ndarray,
    burn_in: int,
    sweeps: int,
    rng: np.random.Generator,
    scales: np.ndarray,
) -> _Given:
    (height, width), chains, reach = field.shape, len(spins), len(couplings)
    start = np.pad(spins, ((0, 0), (reach, reach), (reach, reach)))
    total, traces = np.zeros((chains, height, width)), np.empty((chains, sweeps, 3))
    lattice.far(start, field, couplings, scales, burn_in, _generators(chains, 1, rng), total, traces)
    last = start[:, reach:-reach, reach:-reach]
    return total, last, traces[..., 0], traces[..., 1], (traces[..., 2] + height * width) / 2
