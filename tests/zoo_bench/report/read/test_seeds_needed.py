import math

import numpy as np
import pytest
from scipy import optimize, stats

from zoo_bench.report.read.seeds_needed import SeedsNeeded


def power(n, effect):
    """The power of the two-sided t test with n values on each side, by the noncentral t distribution."""
    critical, shift = stats.t.isf(0.025, 2 * n - 2), effect * (n / 2) ** 0.5
    return stats.nct.sf(critical, 2 * n - 2, shift) + stats.nct.cdf(-critical, 2 * n - 2, shift)


@pytest.mark.parametrize("difference", [2.0, 3.5, 5.0])
def test_the_ends_of_seeds_needed_are_those_of_the_interval_of_the_noncentral_t_distribution(difference):
    a = [-2.0, -1.0, 0.0, 1.0, 2.0]
    t = difference / (2 * 2.5 / 5) ** 0.5
    ends = [optimize.brentq(lambda shift, p=p: stats.nct.cdf(t, 8, shift) - p, -10, 20) for p in (0.05, 0.95)]
    needed = SeedsNeeded.of(a, [v + difference for v in a])
    for n, shift in zip((needed.low, needed.high), ends, strict=True):
        effect = shift * (2 / 5) ** 0.5
        if effect <= 0 or power(1000, effect) < 0.8:
            assert n is None
        else:
            assert power(n, effect) >= 0.8 > power(n - 1, effect)


@pytest.mark.parametrize("spreads", [(1.0, 1.0), (0.1, 1.0), (1.0, 0.3)])
def test_the_range_of_seeds_needed_covers_those_with_the_power_asked_for(spreads):
    generator = np.random.default_rng(0)
    effect = 2.0

    def shown(n):
        benches = generator.normal([0.0, effect], spreads, size=(1000, n, 2))
        return np.mean(stats.ttest_ind(benches[..., 0], benches[..., 1], axis=1, equal_var=False).pvalue < 0.05)

    truth = next(n for n in range(3, 50) if shown(n) > 0.8)
    seen = generator.normal([0.0, effect], spreads, size=(400, 6, 2))
    ranges = [SeedsNeeded.of(b[:, 0].tolist(), b[:, 1].tolist()) for b in seen]
    covered = [r.low <= truth <= (r.high or math.inf) for r in ranges]
    assert np.mean(covered) > 0.85


def test_where_there_may_be_no_difference_only_the_least_number_of_seeds_is_named():
    generator = np.random.default_rng(0)
    pairs = generator.normal(size=(400, 2, 5)).tolist()
    unlimited = [needed.high is None for a, b in pairs if (needed := SeedsNeeded.of(a, b))]
    assert np.mean(unlimited) > 0.87  # 90 %: where there is a high end, the 90 % interval leaves out the truth
    assert str(SeedsNeeded(12, None)) == "at least 12 seeds"
    assert str(SeedsNeeded(8, 60)) == "8 to 60 seeds"


@pytest.mark.parametrize(
    ("a", "b"), [([1.0, 1.1, 1.2, 1.3], [2.0] * 8), ([1.0] * 5, [2.0] * 5), ([0.0, 9.0, 3.0, 5.0, 8.0], [5.0] * 5)]
)
def test_no_number_of_seeds_is_named_where_none_follows(a, b):
    needed = SeedsNeeded.of(a, b)
    assert needed is None or needed.high is None
