"""R-hat and the effective size equal their definitions, and know chains that hang together."""

import numpy as np
import pytest

from assay.errors import InputError
from assay.pixels.mixing import effective_size, split_r_hat


def walk(chains, n, memory, seed=0):
    """An autoregressive chain: memory of 0 is independent samples."""
    rng = np.random.default_rng(seed)
    x = np.empty((chains, n))
    x[:, 0] = rng.normal(size=chains) / np.sqrt(1 - memory**2)
    for t in range(1, n):
        x[:, t] = memory * x[:, t - 1] + rng.normal(size=chains)
    return x


@pytest.mark.parametrize(("chains", "n"), [(1, 9), (4, 10), (3, 51)])
def test_r_hat_equals_its_definition_written_out(chains, n):
    x = walk(chains, n, 0.5)
    half = n // 2
    halves = [part for chain in x for part in (chain[:half], chain[n - half :])]
    within = np.mean([np.var(h, ddof=1) for h in halves])
    between = half * np.var([np.mean(h) for h in halves], ddof=1)
    assert split_r_hat(x) == pytest.approx(np.sqrt(((half - 1) / half * within + between / half) / within))


@pytest.mark.parametrize("memory", [0.0, 0.5, 0.9])
def test_the_effective_size_of_an_autoregressive_chain(memory):
    found = [effective_size(walk(4, 4000, memory, seed)) for seed in range(8)]
    assert np.mean(found) == pytest.approx(16_000 * (1 - memory) / (1 + memory), rel=0.1)


def test_chains_apart_and_chains_that_drift_are_found_out():
    x = walk(4, 400, 0.3)
    assert split_r_hat(x) < 1.03
    assert split_r_hat(x + np.array([[0], [0], [0], [3]])) > 1.3
    assert split_r_hat(x + np.linspace(0, 4, 400)) > 1.3
    assert effective_size(x + np.array([[0], [0], [0], [3]])) < effective_size(x) / 10


def test_chains_that_stand_still():
    assert split_r_hat(np.ones((3, 8))) == 1
    assert effective_size(np.ones((3, 8))) == 24
    assert split_r_hat(np.ones((3, 8)) * [[1], [2], [2]]) == np.inf


def test_traces_of_another_shape_are_refused():
    for call in (split_r_hat, effective_size):
        with pytest.raises(InputError, match=r"traces must be \(chains, n\) with n >= 4, got \(2, 3\)"):
            call(np.zeros((2, 3)))
