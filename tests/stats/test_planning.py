"""Numbers of pictures are the first that do what they promise."""

import numpy as np
import pytest

from assay.errors import InputError
from assay.stats.intervals import METHODS, OPTIMISTIC, Estimate, clustered, limits, mean, proportion
from assay.stats.planning import halve, how_many, how_many_values


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("k", "n"), [(10, 20), (3, 40), (12, 12), (0, 5)])
def test_halve_is_the_first_number_that_halves(method, k, n):
    e = proportion(k, n, method=method)
    more = halve(e, n)

    def width(total):
        return np.ptp(limits(k / n, total, method=method))

    assert width(n + more) <= (e.high - e.low) / 2 < width(n + more - 1)


def test_halve_of_groups_counts_independent_pictures():
    plain = proportion(9, 13)
    copied = clustered(np.repeat(np.arange(13) < 9, 4), np.repeat(np.arange(13), 4))
    assert halve(copied, 52) == halve(plain, 13)


def test_halve_of_other_widths_goes_with_the_root():
    assert halve(Estimate(0.9, 0.8, 0.95, 0.95, "delong-score"), 70) == 210
    with pytest.raises(InputError, match="must have a width"):
        halve(Estimate(1, 1, 1, 0.95, "t"), 5)
    with pytest.raises(InputError, match="n must be >= 1"):
        halve(proportion(1, 2), 0)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("value", "half"), [(0.5, 0.1), (0.9, 0.03), (1.0, 0.02), (0.0, 0.2)])
def test_how_many_is_the_first_number_that_is_narrow_enough(method, value, half):
    n = how_many(value, half, method=method)
    assert np.ptp(limits(value, n, method=method)) <= 2 * half + 1e-9
    assert n == 1 or np.ptp(limits(value, n - 1, method=method)) > 2 * half


def test_how_many_values_of_the_tutorial():
    n = how_many_values(2 * 2**0.5, 0.05, level=0.9)
    assert np.ptp([getattr(mean(np.zeros(n), sigma=2 * 2**0.5, level=0.9), side) for side in ("low", "high")]) <= 0.1
    assert np.ptp([getattr(mean(np.zeros(n - 1), sigma=2 * 2**0.5, level=0.9), s) for s in ("low", "high")]) > 0.1
    assert how_many_values(1, 0.5) == 16  # (1.96 / 0.5) squared is 15.4


def test_an_optimistic_interval_is_halved_like_any():
    plain = proportion(10, 20)
    assert halve(Estimate(*limits_of(plain), 0.95, "wilson" + OPTIMISTIC), 20) == halve(plain, 20)


def limits_of(e):
    return e.value, e.low, e.high


def test_plans_without_an_answer_are_refused():
    for arguments, options, says in (
        ((1.1, 0.1), {}, "value must be in"),
        ((0.5, 0.5), {}, "half_width must be in"),
        ((0.5, 0.1), {"method": "wald"}, "method must be one of"),
        ((0.5, 0.1), {"level": 1}, "level must be in"),
    ):
        with pytest.raises(InputError, match=says):
            how_many(*arguments, **options)
    with pytest.raises(InputError, match="must be finite and > 0"):
        how_many_values(0, 1)
