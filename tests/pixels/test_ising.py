"""Chains and cuts give what the posterior, summed over every picture there is, says."""

import itertools
import os
import subprocess
import sys

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_array
from scipy.sparse.csgraph import maximum_flow
from scipy.stats import chi2

from assay.errors import InputError, UndefinedError
from assay.pixels import chains, ising

# Lattice with free borders, coupling: E[-sum ss], E|m|, E s0 s1 (corner and its neighbour); by summing all states.
LATTICES = {
    (2, 2, 0.4): (-1.7036902452, 0.6233148109),
    (3, 3, 0.2): (-2.4934843598, 0.3716830398),
    (3, 3, 0.4): (-5.4408977333, 0.5415071154),
    (3, 3, 0.7): (-9.6899015143, 0.8378726807),
    (4, 4, 0.4): (-11.3078707541, 0.4778506011),
}
SAMPLERS = {  # the same model through each of the compiled samplers
    "bits": lambda y, coupling: (y, (coupling,)),
    "floats": lambda y, coupling: (y * (1 + 1e-12 * np.arange(y.size).reshape(y.shape)), (coupling,)),
    "far": lambda y, coupling: (y, (coupling, 0.0)),
}
every_sampler = pytest.mark.parametrize("sampler", SAMPLERS)


def states(height, width):
    """Return every picture, (2 ** n, height, width) of -1 and +1."""
    n = height * width
    bits = np.arange(2**n)[:, None] >> np.arange(n) & 1
    return (2 * bits - 1).reshape(-1, height, width)


def log_weights(s, y, coupling, sigma):
    """Oracle: the definition, of many pictures at once."""
    pairs = (s[:, 1:] * s[:, :-1]).sum((1, 2)) + (s[:, :, 1:] * s[:, :, :-1]).sum((1, 2))
    return coupling * pairs + (y * s).sum((1, 2)) / sigma**2


def posterior(y, coupling, sigma):
    s = states(*y.shape)
    logs = log_weights(s, y, coupling, sigma)
    weights = np.exp(logs - logs.max())
    return s, weights / weights.sum(), logs


def noisy(shape, *, two, seed=0, sigma=1.0):
    rng = np.random.default_rng(seed)
    y = np.where(rng.random(shape) < 0.5, -1.0, 1.0)
    return y if two else y + rng.normal(0, sigma, shape)


def scene(shape, seed=0):
    """Draw blobs of white on black."""
    return cv2.GaussianBlur(np.random.default_rng(seed).random(shape), (0, 0), 5) > 0.5


def free_run(shape, coupling, sampler, *, sweeps, seed=0, burn_in=200):
    """Sample with hardly any field: the lattice alone."""
    y, couplings = SAMPLERS[sampler](np.ones(shape), coupling)
    rng = np.random.default_rng(seed)
    return chains.run(y * 1e-12, np.array(couplings), chains.starts(y, 2, rng=rng), burn_in, burn_in + sweeps, rng=rng)


def batch_z(values, expected, batches=40):
    """How many standard errors the mean of batches is off."""
    means = np.array([part.mean() for part in np.array_split(values, batches)])
    return (means.mean() - expected) / (means.std(ddof=1) / np.sqrt(batches))


def lattice_z(height, width, coupling, sampler, sweeps):
    energy, magnetisation = LATTICES[height, width, coupling]
    run = free_run((height, width), coupling, sampler, sweeps=sweeps)
    found = run.energy[:, 200:] / coupling
    m = np.abs(2 * run.white[:, 200:] - 1)
    return [batch_z(values.ravel(), expected) for values, expected in ((found, energy), (m, magnetisation))]


@pytest.mark.parametrize("lattice", LATTICES, ids=str)
def test_the_exact_values_are_sums_over_all_states(lattice):
    height, width, coupling = lattice
    s, weights, logs = posterior(np.zeros((height, width)), coupling, 1.0)
    assert weights @ -logs / coupling == pytest.approx(LATTICES[lattice][0], abs=1e-9)
    assert weights @ np.abs(s.mean((1, 2))) == pytest.approx(LATTICES[lattice][1], abs=1e-9)


@every_sampler
@pytest.mark.parametrize("lattice", LATTICES, ids=str)
def test_energy_and_magnetisation_of_lattices(lattice, sampler):
    assert np.abs(lattice_z(*lattice, sampler, 4_000)).max() <= 4


@pytest.mark.slow
@every_sampler
@pytest.mark.parametrize("lattice", LATTICES, ids=str)
def test_energy_and_magnetisation_of_lattices_over_200_000_sweeps(lattice, sampler):
    assert np.abs(lattice_z(*lattice, sampler, 100_000)).max() <= 4


def chi_square(sampler, samples):
    """Compare how often each of the 512 states of 3 x 3 is the last of short chains with its weight."""
    y = noisy((3, 3), two=True, seed=4)
    _, weights, _ = posterior(y, 0.3, 1.5)
    seen, couplings = SAMPLERS[sampler](y, 0.3)
    rng = np.random.default_rng(8)
    run = chains.run(seen / 1.5**2, np.array(couplings), chains.starts(y, samples, rng=rng), 0, 25, rng=rng)
    numbers = (run.last.reshape(samples, 9) > 0) @ (1 << np.arange(9))
    counts, expected = np.bincount(numbers, minlength=512), samples * weights
    order = np.argsort(expected)
    rare = np.searchsorted(np.cumsum(expected[order]), 10) + 1  # together, so that none is expected less than 5 times
    parts = [order[:rare], *([i] for i in order[rare:])]
    counts, expected = (np.array([x[p].sum() for p in parts]) for x in (counts, expected))
    return chi2.sf(((counts - expected) ** 2 / expected).sum(), len(parts) - 1)


@every_sampler
def test_each_state_comes_as_often_as_it_should(sampler):
    assert chi_square(sampler, 20_000) > 1e-4


@pytest.mark.slow
@every_sampler
def test_each_state_comes_as_often_as_it_should_in_many_samples(sampler):
    assert chi_square(sampler, 300_000) > 1e-4


@pytest.mark.parametrize("shape", [(2, 2), (3, 3)])
def test_the_update_keeps_the_posterior(shape):
    """One site's heat bath has detailed balance; a colour after the other, which does not, is stationary."""
    y = noisy(shape, two=False, seed=1)
    s, weights, logs = posterior(y, 0.6, 1.1)
    n = y.size
    single = []
    for site in range(n):
        turned = np.arange(len(s)) ^ (1 << site)
        stay = 1 / (1 + np.exp(logs[turned] - logs))
        p = np.diag(stay)
        p[np.arange(len(s)), turned] = 1 - stay
        single.append(p)
    flow = weights[:, None] * np.mean(single, axis=0)
    assert np.abs(flow - flow.T).max() <= 1e-12
    colours = np.indices(shape).sum(0).ravel() % 2
    sweep = np.linalg.multi_dot([single[site] for site in np.argsort(colours, kind="stable")])
    assert np.abs(weights @ sweep - weights).max() <= 1e-12
    backward = weights[:, None] * sweep
    assert np.abs(backward - backward.T).max() > 1e-6  # so that the test above asks for what is so


@every_sampler
@pytest.mark.parametrize("shape", [(2, 2), (1, 5)])
def test_a_sweep_moves_as_its_transition_matrix_says(sampler, shape):
    y, starts = noisy(shape, two=True, seed=2), 40_000
    s, _, logs = posterior(y, 0.5, 1.2)
    single = {}
    for site in range(y.size):
        turned = np.arange(len(s)) ^ (1 << site)
        stay = 1 / (1 + np.exp(logs[turned] - logs))
        single[site] = np.diag(stay)
        single[site][np.arange(len(s)), turned] = 1 - stay
    seen, couplings = SAMPLERS[sampler](y, 0.5)
    colours = np.indices(shape).sum(0).ravel() % (3 if sampler == "far" else 2)
    order = np.argsort(colours, kind="stable")
    expected = np.linalg.multi_dot([single[site] for site in order])[5]
    first = np.repeat(s[5][None], starts, axis=0).astype(np.int8)
    run = chains.run(seen / 1.2**2, np.array(couplings), first, 0, 1, rng=np.random.default_rng(3))
    found = np.bincount((run.last.reshape(starts, -1) > 0) @ (1 << np.arange(y.size)), minlength=len(s)) / starts
    assert np.abs(found - expected).max() < 4.5 * np.sqrt(0.25 / starts)


@every_sampler
@pytest.mark.parametrize("shape", [(3, 3), (2, 5), (1, 7), (7, 1), (4, 3)])
def test_chances_are_those_of_all_pictures_weighed(sampler, shape):
    y = noisy(shape, two=sampler != "floats", seed=5)
    s, weights, _ = posterior(y, 0.4, 1.1)
    couplings = (0.4, 0.0) if sampler == "far" else 0.4
    found = ising.gibbs(y, coupling=couplings, sigma=1.1, sweeps=25_000, burn_in=50, rng=np.random.default_rng(1))
    expected = np.tensordot(weights, s > 0, 1)
    assert np.abs(found.mean - expected).max() <= 0.01
    assert found.warning == ""


@pytest.mark.parametrize("shape", [(70, 259), (131, 64), (33, 128), (9, 1), (1, 300), (64, 127)])
def test_samplers_agree_on_odd_sizes(shape):
    """Rows that end inside a word, at its end, and just after it."""
    image = scene(shape) ^ (np.random.default_rng(1).random(shape) < 0.1)
    y = np.where(image, 1.0, -1.0)
    means, energies = [], []
    for sampler in SAMPLERS.values():
        seen, couplings = sampler(y, 0.45)
        rng = np.random.default_rng(2)
        run = chains.run(seen / 1.2**2, np.array(couplings), chains.starts(y, 2, rng=rng), 100, 1600, rng=rng)
        means.append(run.mean)
        energies.append(run.energy[:, 100:].mean() / y.size)
    for mean in means[1:]:
        # The counts of 3,000 samples that hang together a little; the border is looked at by itself.
        assert np.abs(mean - means[0]).max() < 0.09
        for edge in (np.s_[0], np.s_[-1], np.s_[:, 0], np.s_[:, -1]):
            assert abs((mean - means[0])[edge].mean()) < 0.02 + 0.05 / np.sqrt(mean[edge].size)
    assert np.ptp(energies) < 0.02


@every_sampler
def test_the_trace_holds_the_energy_of_the_last_sample(sampler):
    y = noisy((19, 141), two=True, seed=3)
    seen, couplings = SAMPLERS[sampler](y, 0.5)
    rng = np.random.default_rng(2)
    run = chains.run(seen / 1.3**2, np.array(couplings), chains.starts(y, 3, rng=rng), 2, 7, rng=rng)
    for chain in range(3):
        expected = -log_weights(run.last[chain][None].astype(float), y, 0.5, 1.3)[0]
        assert run.energy[chain, -1] == pytest.approx(expected, abs=1e-6)
        assert run.white[chain, -1] == (run.last[chain] > 0).mean()


def rank_deviations(runs, two):
    """Simulation-based calibration: the rank of the true mean spin among posterior draws, over many pictures."""
    rng, ranks = np.random.default_rng(6), []
    s, weights, _ = posterior(np.zeros((3, 3)), 0.4, 1.0)
    for _ in range(runs):
        clean = s[rng.choice(len(s), p=weights)]
        if two:
            y = np.where(rng.random((3, 3)) < 1 / (1 + np.exp(2 / 1.2**2)), -clean, clean).astype(float)
        else:
            y = clean + rng.normal(0, 1.2, (3, 3))
        run = chains.run(y / 1.2**2, np.array([0.4]), chains.starts(y, 19, rng=rng), 0, 25, rng=rng)
        draws = run.last.mean((1, 2)) + 1e-6 * rng.random(19)  # ties are broken at random
        ranks.append(int((draws < clean.mean() + 1e-6 * rng.random()).sum()))
    counts = np.bincount(ranks, minlength=20)
    return chi2.sf(((counts - runs / 20) ** 2 / (runs / 20)).sum(), 19)


@pytest.mark.parametrize("two", [True, False])
def test_the_truth_is_one_draw_among_others(two):
    assert rank_deviations(1000, two) > 1e-3


@given(
    st.integers(1, 4), st.integers(2, 3), st.integers(0, 2**32 - 1), st.floats(0, 2), st.floats(0.3, 3), st.booleans()
)
@settings(max_examples=200, deadline=None)
def test_the_cut_is_the_most_probable_picture(height, width, seed, coupling, sigma, two):
    y = noisy((height, width), two=two, seed=seed)
    _, _, logs = posterior(y, coupling, sigma)
    options = {"coupling": coupling, "sigma": sigma, "levels": (-1, 1)}  # for two numbers may lie within 0..1
    found = ising.exact(y, **options)
    assert -ising.energy(y, found, **options) == pytest.approx(logs.max(), abs=1e-5)


def scipy_flow(y, couplings, sigma):
    """Oracle: the energy of the best picture from SciPy's maximum flow, on couplings that are whole numbers."""
    n, rows, columns = y.size, *np.indices(y.shape)
    at = rows * y.shape[1] + columns
    i, j, c = [], [], []
    for r, strength in enumerate(couplings, 1):
        for a, b in ((at[r:], at[:-r]), (at[:, r:], at[:, :-r])):
            i += [a.ravel(), b.ravel()]
            j += [b.ravel(), a.ravel()]
            c += [np.full(a.size, 2 * strength)] * 2
    field = np.rint(2 * y / sigma**2).astype(int).ravel()
    i += [np.full((field > 0).sum(), n), np.flatnonzero(field < 0)]
    j += [np.flatnonzero(field > 0), np.full((field < 0).sum(), n + 1)]
    c += [field[field > 0], -field[field < 0]]
    graph = coo_array((np.concatenate(c).astype(np.int32), (np.concatenate(i), np.concatenate(j))), (n + 2, n + 2))
    flow = maximum_flow(graph.tocsr(), n, n + 1).flow_value
    pairs = sum(strength * (y[r:].size + y[:, r:].size) for r, strength in enumerate(couplings, 1) if r < max(y.shape))
    return flow - np.abs(field).sum() / 2 - pairs


@pytest.mark.parametrize("couplings", [(3,), (2, 1), (2, 1, 1)])
@pytest.mark.parametrize("seed", range(4))
def test_the_cut_is_as_good_as_scipys(couplings, seed):
    rng = np.random.default_rng(seed)
    y = (2.0 * scene((37, 52), seed) - 1) * np.where(rng.random((37, 52)) < 0.15, -1, 1) * rng.integers(1, 9, (37, 52))
    found = ising.exact(y, coupling=couplings, sigma=1.0)
    assert ising.energy(y, found, coupling=couplings, sigma=1.0) == pytest.approx(scipy_flow(y, couplings, 1.0))


def test_no_annealing_and_no_chain_finds_a_better_picture_than_the_cut():
    image = scene((60, 85)) ^ (np.random.default_rng(1).random((60, 85)) < 0.1)
    best = ising.energy(image, ising.exact(image, coupling=0.8, sigma=0.9), coupling=0.8, sigma=0.9)
    found = ising.gibbs(image, coupling=0.8, sigma=0.9, annealing=400, rng=np.random.default_rng(0))
    assert found.best_energy == pytest.approx(ising.energy(image, found.best, coupling=0.8, sigma=0.9))
    assert best <= found.best_energy + 1e-3
    assert found.best_energy - best < 0.01 * abs(best)
    assert found.best_energy <= found.energy.min()


@pytest.mark.parametrize("method", ["gibbs", "exact"])
def test_swapping_black_and_white_swaps_the_answer(method):
    y = np.random.default_rng(2).normal(size=(14, 23))
    if method == "exact":
        a, b = (ising.exact(sign * y, coupling=0.6, sigma=1.0) for sign in (1, -1))
        np.testing.assert_array_equal(a, 255 - b)
    else:
        a, b = (
            ising.gibbs(sign * y, coupling=0.4, sigma=1.0, sweeps=4000, rng=np.random.default_rng(0))
            for sign in (1, -1)
        )
        assert np.abs(a.mean - (1 - b.mean)).max() < 0.05


def test_the_same_seed_gives_the_same_and_the_input_is_left_alone():
    image = np.asfortranarray(scene((41, 66)))[::-1, ::2]
    image.flags.writeable = False
    a, b = (ising.gibbs(image, coupling=0.5, sigma=1.0, sweeps=20, rng=np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(a.mean, b.mean)
    np.testing.assert_array_equal(a.energy, b.energy)
    c = ising.gibbs(image.copy(), coupling=0.5, sigma=1.0, sweeps=20, rng=np.random.default_rng(3))
    np.testing.assert_array_equal(a.sample, c.sample)


def test_threads_change_nothing():
    code = (
        "import numpy as np; from assay.pixels import ising; y = np.random.default_rng(0).random((50, 70)) < .5;"
        "p = ising.gibbs(y, coupling=.5, sigma=1., sweeps=20, rng=np.random.default_rng(1)); "
        "print(p.mean.sum(), p.r_hat)"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env=os.environ | {"NUMBA_NUM_THREADS": n},
        ).stdout
        for n in ("1", "2")
    }
    assert len(found) == 1


def test_without_coupling_a_pixel_is_what_it_was_seen_as_with_the_noise_chance():
    y = np.array([[0.3, -1.4, 2.0], [0.0, 0.1, -0.2]])
    found = ising.gibbs(y, coupling=0.0, sigma=1.3, sweeps=20_000, rng=np.random.default_rng(0))
    assert np.abs(found.mean - 1 / (1 + np.exp(-2 * y / 1.3**2))).max() < 0.01
    np.testing.assert_array_equal(ising.exact(y, coupling=0.0, sigma=1.3) > 0, y > 0)


@pytest.mark.parametrize("two", [True, False])
def test_the_strongest_coupling_and_field_stay_finite(two):
    y = noisy((6, 70), two=two, seed=1)
    found = ising.gibbs(y, coupling=40.0, sigma=0.05, sweeps=10, rng=np.random.default_rng(0))
    assert np.isfinite(found.mean).all()
    assert np.isfinite(found.energy).all()


def test_chains_that_have_not_mixed_are_told():
    image = np.random.default_rng(0).random((60, 60)) < 0.5
    found = ising.gibbs(image, coupling=4.0, sigma=1.0, sweeps=50, burn_in=0, rng=np.random.default_rng(0))
    assert found.r_hat > 1.1
    assert "have not mixed" in found.warning
    short = ising.gibbs(image, coupling=0.3, sigma=1.0, sweeps=24, rng=np.random.default_rng(0))
    assert "rough" in short.warning


@pytest.mark.parametrize("kind", [bool, np.uint8, np.int8, np.float32])
def test_kinds_of_two_levels_mean_the_same(kind):
    white = scene((12, 17))
    high = {np.uint8: 255, np.int8: 1}.get(kind, 1)
    image = np.where(white, high, -1 if kind is np.int8 else 0).astype(kind)
    np.testing.assert_array_equal(ising.observed(image), np.where(white, 1.0, -1.0))


def test_levels_scale_greys():
    image = np.array([[40, 125, 210]], np.uint8)
    np.testing.assert_allclose(ising.observed(image, levels=(40, 210)), [[-1, 0, 1]])
    np.testing.assert_allclose(ising.observed(np.array([[0.25, 0.75]], np.float32)), [[-0.5, 0.5]])


def test_a_flat_picture_is_black_or_white():
    assert ising.observed(np.zeros((2, 3), np.uint8)).max() == -1
    assert ising.observed(np.full((2, 3), 255, np.uint8)).min() == 1
    with pytest.raises(InputError, match="must be black or white where it is flat, got the level 7"):
        ising.observed(np.full((2, 3), 7, np.uint8))


def test_the_threshold_is_the_best_of_all():
    image = np.random.default_rng(0).choice(9, (20, 31), p=[0.2, 0.2, 0.1, 0.05, 0.02, 0.03, 0.1, 0.2, 0.1])
    spread = {t: sum(part.var() * part.size for part in (image[image <= t], image[image > t])) for t in range(8)}
    assert ising.threshold(image.astype(np.uint8)) == min(spread, key=spread.get)


GREY = np.arange(24, dtype=np.uint8).reshape(4, 6)


@pytest.mark.parametrize(
    ("image", "match"),
    [
        (GREY, r"two levels, got 24: make it image > 11, or give levels"),
        (np.zeros((0, 5), bool), r"image must be \(H, W\), grey, of 2 pixels or more, got \(0, 5\)"),
        (np.ones((1, 1), bool), r"2 pixels or more, got \(1, 1\)"),
        (np.ones((4, 5, 3), bool), r"got \(4, 5, 3\)"),
        (np.ones((4, 5, 4), np.uint8), r"got \(4, 5, 4\)"),
        (np.array([[0.0, np.nan]]), "image must be finite, got 1 values that are not"),
        (np.array([[0.0, np.inf]]), "image must be finite"),
        (np.array([["a", "b"]]), "bools, whole numbers or floats"),
    ],
)
@pytest.mark.parametrize("call", ["gibbs", "exact", "estimate"])
def test_what_is_no_binary_picture_is_refused(call, image, match):
    options = {} if call == "estimate" else {"coupling": 0.5, "sigma": 1.0}
    options |= {"rng": np.random.default_rng(0)} if call == "gibbs" else {}
    with pytest.raises(InputError, match=match):
        getattr(ising, call)(image, **options)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"coupling": -0.1}, "coupling must be 0 to 40, got -0.1"),
        ({"coupling": 41}, "coupling must be 0 to 40, got 41"),
        ({"coupling": np.nan}, "coupling must be 0 to 40"),
        ({"coupling": ()}, "coupling must be a number, or 1 to 8 of them"),
        ({"sigma": 0.0}, "sigma must be a finite number > 0, got 0.0"),
        ({"sigma": np.inf}, "sigma must be a finite number > 0"),
        ({"sweeps": 3}, "sweeps must be >= 4, got 3"),
        ({"burn_in": -1}, "burn_in must be >= 0, got -1"),
        ({"chains": 0}, "chains must be >= 1, got 0"),
        ({"annealing": -2}, "annealing must be >= 0, got -2"),
        ({"levels": (3, 3)}, "levels must be two different numbers"),
    ],
)
def test_options_out_of_range_are_refused(options, match):
    with pytest.raises(InputError, match=match):
        ising.gibbs(GREY > 9, **({"coupling": 0.5, "sigma": 1.0, "rng": np.random.default_rng(0)} | options))


def test_energy_wants_pictures_of_one_shape():
    with pytest.raises(InputError, match=r"clean must have the shape of image, \(4, 6\), got \(4, 5\)"):
        ising.energy(GREY > 9, GREY[:, :5] > 9, coupling=0.5, sigma=1.0)


def test_a_model_of_far_couplings_is_summed_rightly():
    y, couplings = noisy((3, 4), two=False, seed=9), (0.3, 0.2, 0.15)
    s = states(3, 4)
    logs = (y * s).sum((1, 2)) / 1.1**2
    for r, strength in enumerate(couplings, 1):
        for i, j in itertools.product(range(3), range(4)):
            logs = logs + strength * s[:, i, j] * (
                (s[:, i + r, j] if i + r < 3 else 0) + (s[:, i, j + r] if j + r < 4 else 0)
            )
    weights = np.exp(logs - logs.max())
    found = ising.gibbs(y, coupling=couplings, sigma=1.1, sweeps=20_000, rng=np.random.default_rng(1))
    assert np.abs(found.mean - np.tensordot(weights / weights.sum(), s > 0, 1)).max() < 0.01
    best = s[int(logs.argmax())] > 0
    np.testing.assert_array_equal(ising.exact(y, coupling=couplings, sigma=1.1) > 0, best)


@pytest.mark.parametrize("coupling", [0.3, 0.42])
def test_coupling_and_noise_of_a_sampled_lattice_are_found(coupling):
    rng = np.random.default_rng(3)
    start = rng.choice([-1, 1], (1, 150, 170)).astype(np.int8)
    clean = chains.run(np.full((150, 170), 1e-9), np.array([coupling]), start, 0, 400, rng=rng).last[0]
    flipped = 0.1
    y = np.where(rng.random(clean.shape) < flipped, -clean, clean).astype(float)
    found = ising.estimate(y)
    assert found.coupling == pytest.approx(coupling, abs=0.05)
    assert found.flipped == pytest.approx(flipped, abs=0.05)


def test_real_valued_noise_is_measured():
    clean = scene((120, 140))
    y = 2.0 * clean - 1 + np.random.default_rng(0).normal(0, 0.8, clean.shape)
    found = ising.estimate(y)
    assert found.sigma == pytest.approx(0.8, rel=0.03)
    denoised = ising.gibbs(y, coupling=found.couplings, sigma=found.sigma, rng=np.random.default_rng(0)).mode > 0
    assert (denoised != clean).mean() < 0.25 * ((y > 0) != clean).mean()


@pytest.mark.parametrize("reach", [1, 3])
def test_a_picture_is_denoised_with_what_it_tells_itself(reach):
    clean = np.kron(np.random.default_rng(1).random((6, 8)) < 0.5, np.ones((12, 13))) > 0
    noisy_picture = clean ^ (np.random.default_rng(2).random(clean.shape) < 0.08)
    found = ising.estimate(noisy_picture, reach=reach)
    assert found.flipped == pytest.approx(0.08, abs=0.02)
    denoised = ising.gibbs(
        noisy_picture, coupling=found.couplings, sigma=found.sigma, rng=np.random.default_rng(0)
    ).mode
    assert ((denoised > 0) != clean).mean() < 0.008
    assert found == ising.estimate(noisy_picture, reach=reach)


def test_nothing_is_estimated_from_a_flat_picture():
    with pytest.raises(UndefinedError, match="needs black and white pixels"):
        ising.estimate(np.ones((5, 6), bool))
    with pytest.raises(InputError, match="reach must be 1, 2 or 3, got 4"):
        ising.estimate(GREY > 9, reach=4)


def test_the_module_alone_loads_no_compiler():
    code = "import sys, assay.pixels.ising; print('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
