"""Numbers of pictures are the first that do what they promise."""

import numpy as np
import pytest

from assay.errors import InputError
from assay.stats.intervals import METHODS, Estimate, clustered, proportion
from assay.stats.planning import halve


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("k", "n"), [(10, 20), (3, 40), (12, 12), (0, 5)])
def test_halve_is_the_first_number_that_halves(method, k, n):
    e = proportion(k, n, method=method)
    more = halve(e, n)

    def width(total):
        low, high = METHODS[method](k / n * total, total, 0.95)
        return min(max(high, k / n), 1) - max(min(low, k / n), 0)

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
