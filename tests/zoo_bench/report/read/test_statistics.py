import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from zoo_bench.report.read.statistics import t_interval

VALUES = st.lists(st.floats(0.01, 1e4), min_size=2, max_size=20)


@given(VALUES, st.sampled_from([0.5, 0.9, 0.95, 0.99]))
@settings(deadline=None, derandomize=True)
def test_the_interval_is_students(values, level):
    found = t_interval(values, level=level)
    mean, error = np.mean(values), stats.sem(values)
    half = stats.t.ppf(0.5 + level / 2, len(values) - 1) * error
    assert found.n == len(values)
    assert found.mean == pytest.approx(mean)
    assert (found.low, found.high) == pytest.approx((mean - half, mean + half), rel=1e-6, abs=1e-6)


def test_the_interval_agrees_with_scipys():
    values = [3.1, 2.7, 4.4, 3.9, 2.2]
    found = t_interval(values)
    expected = stats.t.interval(0.95, len(values) - 1, loc=np.mean(values), scale=stats.sem(values))
    assert (found.low, found.high) == pytest.approx(expected, rel=1e-12)


@given(VALUES)
@settings(deadline=None, derandomize=True)
def test_on_the_log_scale_the_mean_is_geometric_and_the_interval_positive(values):
    found, logs = t_interval(values, log=True), t_interval([math.log(v) for v in values])
    assert found.mean == pytest.approx(stats.gmean(values))
    assert (math.log(found.low), math.log(found.high)) == pytest.approx((logs.low, logs.high), rel=1e-6, abs=1e-6)
    assert found.low > 0


@pytest.mark.parametrize("values", [[0.0, 1.0, 2.0], [-0.5, 1.0, 3.0]])
def test_without_a_logarithm_the_plain_scale_is_used(values):
    assert t_interval(values, log=True) == t_interval(values)


@pytest.mark.parametrize("log", [False, True])
def test_no_value_has_no_mean(log):
    found = t_interval([], log=log)
    assert found.n == 0
    assert all(map(math.isnan, (found.mean, found.low, found.high)))


@pytest.mark.parametrize("log", [False, True])
def test_one_value_has_a_mean_and_no_interval(log):
    found = t_interval([7.5], log=log)
    assert found.n == 1
    assert found.mean == pytest.approx(7.5)
    assert math.isnan(found.low)
    assert math.isnan(found.high)


def test_equal_values_have_an_interval_of_no_width():
    found = t_interval([2.0, 2.0, 2.0])
    assert (found.mean, found.low, found.high) == (2.0, 2.0, 2.0)


@pytest.mark.parametrize("n", [3, 5, 10])
@pytest.mark.parametrize("log", [False, True])
def test_95_percent_intervals_cover_95_percent(n, log):
    benches = np.random.default_rng(n).normal(2.0, 0.7, size=(5000, n))
    truth = math.exp(2.0) if log else 2.0
    found = [t_interval(bench.tolist(), log=log) for bench in (np.exp(benches) if log else benches)]
    covered = np.mean([estimate.low <= truth <= estimate.high for estimate in found])
    assert 0.93 < covered < 0.97
