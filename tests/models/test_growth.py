"""A forecast follows the power law that the points follow, and its interval is honest about how little they say."""

import numpy as np
import pytest

from assay.errors import InputError, UndefinedError
from assay.models import growth
from assay.stats.intervals import Estimate, proportion

SIZES = (50, 100, 200, 350, 500)


def error(n, floor=0.05, height=0.2, exponent=0.5):
    return floor + height * (n / 500) ** -exponent


def points(spread=0.001):
    return [(n, Estimate(1 - error(n), 1 - error(n) - spread, 1 - error(n) + spread, 0.95, "t")) for n in SIZES]


def test_points_on_a_power_law_are_followed():
    found = growth.forecast(points(), [1000, 2000], rng=np.random.default_rng(0))
    assert [n for n, _ in found] == [1000, 2000]
    for n, e in found:
        assert e.value == pytest.approx(1 - error(n), abs=0.003)
        assert e.low <= e.value <= e.high <= 1


def test_the_interval_widens_with_the_doubt_about_the_points():
    narrow, wide = (growth.forecast(points(s), [2000], rng=np.random.default_rng(0))[0][1] for s in (0.01, 0.05))
    assert wide.high - wide.low > 2 * (narrow.high - narrow.low)


def test_too_few_points_and_sizes_that_are_no_forecast_are_refused():
    with pytest.raises(UndefinedError, match="a forecast needs 3 points of a learning curve, got 2"):
        growth.forecast(points()[:2], [1000], rng=np.random.default_rng(0))
    with pytest.raises(InputError, match="sizes must be more than the 500 rows of the last point"):
        growth.forecast(points(), [400], rng=np.random.default_rng(0))


@pytest.mark.parametrize("law", [(0.05, 0.2, 0.5), (0.0, 0.3, 0.3), (0.1, 0.05, 1.0), (0.02, 0.1, 0.7)])
def test_the_interval_holds_what_comes_as_often_as_it_says(law):
    # All points are judged on the same 500 rows, as a learning curve is: what one finds hard, the next mostly does too.
    rng, held, runs = np.random.default_rng(0), 0, 150
    for _ in range(runs):
        shared = rng.random(500)
        seen = []
        for n in SIZES:
            drawn = np.where(rng.random(500) < 0.8, shared, rng.random(500))
            seen.append((n, proportion(int((drawn > error(n, *law)).sum()), 500)))
        e = growth.forecast(seen, [2000], rng=rng)[0][1]
        held += e.low <= 1 - error(2000, *law) <= e.high
    assert held / runs >= 0.95 - 3 * np.sqrt(0.05 * 0.95 / runs)
