import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from zoo_bench.report.read.statistics import (
    holm,
    iqm,
    paired,
    performance_profile,
    probability_of_improvement,
    stratified_iqm,
    t_interval,
    welch,
)

A, B = [3.1, 2.7, 4.4, 3.9, 2.2], [5.0, 4.1, 6.3]

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


def test_welch_agrees_with_scipy():
    found, expected = welch(A, B), stats.ttest_ind(B, A, equal_var=False)
    interval = expected.confidence_interval(0.95)
    assert found.p == pytest.approx(expected.pvalue)
    assert (found.estimate.low, found.estimate.high) == pytest.approx((interval.low, interval.high))
    assert found.estimate.mean == pytest.approx(np.mean(B) - np.mean(A))
    assert not found.ratio


def test_on_the_log_scale_the_difference_is_a_ratio():
    found, logs = welch(A, B, log=True), welch(np.log(A).tolist(), np.log(B).tolist())
    assert found.ratio
    assert found.p == pytest.approx(logs.p)
    assert math.log(found.estimate.mean) == pytest.approx(logs.estimate.mean)
    assert found.estimate.mean == pytest.approx(stats.gmean(B) / stats.gmean(A))


@pytest.mark.parametrize("values", [[0.0, 1.0], [-1.0, 2.0]])
def test_without_a_logarithm_differences_are_plain(values):
    assert not welch(values, B, log=True).ratio


@pytest.mark.parametrize("n", [3, 5, 10])
def test_values_that_do_not_vary_claim_no_more_than_the_exact_rank_test(n):
    found = welch([9.0] * n, [10.0] * n)
    expected = stats.mannwhitneyu(range(n), range(n, 2 * n), method="exact").pvalue
    assert found.p == pytest.approx(expected)
    assert welch([9.0] * n, [9.0] * n).p == 1.0


@pytest.mark.parametrize("scale", [1e-140, 1e-90, 1e120])
def test_the_scale_of_figures_does_not_matter(scale):
    found = welch([scale * v for v in A], [scale * v for v in B])
    assert found.p == pytest.approx(welch(A, B).p)


def test_one_or_no_run_has_no_p_value():
    assert math.isnan(welch([1.0], B).p)
    assert welch([1.0], B).estimate.n == 1
    assert welch([], B).estimate.n == 0


@pytest.mark.parametrize("n", [3, 5, 10])
def test_95_percent_intervals_of_differences_cover_95_percent(n):
    benches = np.random.default_rng(n).normal([0.0, 1.0], [0.5, 0.8], size=(5000, n, 2))
    found = [welch(bench[:, 0].tolist(), bench[:, 1].tolist()).estimate for bench in benches]
    assert 0.93 < np.mean([e.low <= 1.0 <= e.high for e in found]) < 0.97


@pytest.mark.parametrize("n", [3, 5, 10])
def test_corrected_tests_find_a_difference_among_equals_in_at_most_5_percent_of_benches(n):
    generator = np.random.default_rng(n)
    wrong = 0
    for _ in range(400):
        models = generator.normal(size=(6, n)).tolist()
        wrong += min(holm([welch(a, b).p for i, a in enumerate(models) for b in models[:i]])) < 0.05
    assert wrong / 400 < 0.08


def holm_by_its_definition(p_values):
    """A p-value becomes the largest product, of those up to it, with the number of tests that are not yet rejected."""
    products = [(p, (len(p_values) - i) * p) for i, p in enumerate(sorted(p_values))]
    return [min(1.0, max(product for q, product in products if q <= p)) for p in p_values]


@pytest.mark.parametrize("p_values", [[0.01, 0.04, 0.03, 0.005], [0.5], [0.9, 0.9], []])
def test_holm_agrees_with_its_definition(p_values):
    assert holm(p_values) == pytest.approx(holm_by_its_definition(p_values))


def test_holm_does_not_count_tests_that_could_not_be_made():
    assert holm([0.02, math.nan, 0.01])[::2] == pytest.approx([0.02, 0.02])
    assert math.isnan(holm([0.02, math.nan])[1])


@pytest.mark.parametrize("n", [1, 2, 3, 4, 7, 8, 50])
def test_the_iqm_is_scipys_trimmed_mean(n):
    values = np.random.default_rng(n).exponential(size=n).tolist()
    assert iqm(values) == pytest.approx(stats.trim_mean(values, 0.25))


def test_the_bootstrap_is_stratified_and_reproducible():
    strata = [[0.1, 0.2, 0.15, 0.12], [0.8, 0.9, 0.85, 0.95]]
    found = stratified_iqm(strata)
    assert found == stratified_iqm(strata)
    assert found != stratified_iqm(strata, seed=1)
    assert found.low <= found.mean <= found.high
    assert found.n == 8
    # Resampling within tasks keeps four runs of each: every resample's middle half has runs of both.
    assert 0.15 < found.low < found.high < 0.85


def test_the_bootstrap_agrees_with_scipys_within_one_stratum():
    values = np.random.default_rng(1).normal(size=40)
    expected = stats.bootstrap(
        (values,), lambda v, axis: stats.trim_mean(v, 0.25, axis=axis), method="percentile", n_resamples=9999, rng=0
    ).confidence_interval
    found = stratified_iqm([values.tolist()], repeats=9999)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=0.03)


def test_one_run_per_task_has_an_iqm_and_no_interval():
    assert math.isnan(stratified_iqm([[1.0], [2.0]]).low)
    assert math.isnan(stratified_iqm([]).mean)


def test_the_probability_of_improvement_is_mann_whitneys_u_over_mn():
    expected = stats.mannwhitneyu(A, B).statistic / (len(A) * len(B))
    assert probability_of_improvement(A, B) == pytest.approx(expected)
    assert probability_of_improvement([1.0, 1.0], [1.0]) == 0.5
    assert math.isnan(probability_of_improvement([], B))


def test_a_profile_is_the_share_of_runs_that_reach_a_threshold():
    assert performance_profile([0.0, 0.5, 1.0, 0.5], [0.0, 0.5, 0.6, 1.0]) == [1.0, 0.75, 0.25, 0.25]


@pytest.mark.parametrize(("alpha", "power"), [(0.05, 0.8), (0.05 / 15, 0.8), (0.05, 0.95)])
def test_the_detectable_rise_is_where_the_noncentral_t_distribution_has_the_power(alpha, power):
    found = welch(A, B)
    freedom = stats.ttest_ind(A, B, equal_var=False).df
    error = math.sqrt(np.var(A, ddof=1) / len(A) + np.var(B, ddof=1) / len(B))
    critical = stats.t.ppf(1 - alpha / 2, freedom)
    expected = optimize.brentq(lambda shift: stats.nct.sf(critical, freedom, shift / error) - power, 0, 100)
    assert found.detectable(alpha, power) == pytest.approx(expected, rel=1e-6)
    logs = welch(np.log(A), np.log(B)).detectable(alpha, power)
    assert welch(A, B, log=True).detectable(alpha, power) == pytest.approx(math.exp(logs), rel=1e-9)


@pytest.mark.parametrize(("a", "b"), [([1.0], B), (A, [1.0, 2.0]), ([1.0] * 3, [2.0] * 3), ([], B)])
def test_without_spread_or_with_few_runs_no_detectable_rise_is_known(a, b):
    assert math.isnan(welch(a, b).detectable(0.05))


def test_a_detectable_ratio_that_overflows_is_infinite():
    assert welch([1e-100, 1.0, 1e100], [1e-100, 1.0, 1e100], log=True).detectable(1e-6) == math.inf


def test_intervals_and_ratios_that_overflow_are_infinite():
    assert t_interval([1.0, 1e100], log=True).high == math.inf
    assert welch([1e-300] * 2, [1e149, 1.1e149], log=True).estimate.mean == math.inf


def test_paired_differences_are_those_of_scipy():
    generator = np.random.default_rng(0)
    for n in (2, 3, 5, 10):
        a = generator.normal(0.8, 0.1, n)
        b = a + generator.normal(0.02, 0.01, n)
        found, expected = paired(a, b), stats.ttest_rel(b, a)
        assert found.p == pytest.approx(expected.pvalue, rel=1e-6)
        interval = expected.confidence_interval(0.95)
        assert (found.estimate.low, found.estimate.high) == pytest.approx(tuple(interval), abs=1e-9)
        assert found.estimate.mean == pytest.approx((b - a).mean())


def test_equal_differences_claim_no_more_than_a_sign_test():
    assert paired([0.1, 0.2, 0.3, 0.4, 0.5], [0.2, 0.3, 0.4, 0.5, 0.6]).p == 2 / 2**5
    assert paired([0.1, 0.2], [0.1, 0.2]).p == 1
    assert math.isnan(paired([0.1], [0.2]).p)
