import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestIndPower

from zoo_bench.report.read.statistics import (
    holm,
    iqm,
    performance_profile,
    probability_of_improvement,
    seeds_needed,
    stratified_iqm,
    welch,
)

A, B = [3.1, 2.7, 4.4, 3.9, 2.2], [5.0, 4.1, 6.3]


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


@pytest.mark.parametrize("p_values", [[0.01, 0.04, 0.03, 0.005], [0.5], [0.9, 0.9], []])
def test_holm_agrees_with_statsmodels(p_values):
    expected = multipletests(p_values, method="holm")[1] if p_values else []
    assert holm(p_values) == pytest.approx(list(expected))


def test_holm_does_not_count_tests_that_could_not_be_made():
    assert holm([0.02, math.nan, 0.01])[::2] == pytest.approx([0.02, 0.02])
    assert math.isnan(holm([0.02, math.nan])[1])


@pytest.mark.parametrize("effect", [0.4, 0.8, 2.0])
def test_seeds_needed_agree_with_statsmodels(effect):
    a = [-1.0, 0.0, 1.0]
    expected = TTestIndPower().solve_power(effect_size=effect, alpha=0.05, power=0.8)
    assert seeds_needed(a, [v + effect for v in a]) == math.ceil(expected)


@pytest.mark.parametrize("spreads", [(1.0, 1.0), (0.1, 1.0), (1.0, 0.3)])
def test_seeds_needed_give_the_power_asked_for(spreads):
    n = seeds_needed([-spreads[0], 0.0, spreads[0]], [1 - spreads[1], 1.0, 1 + spreads[1]])
    generator = np.random.default_rng(0)
    benches = generator.normal([0.0, 1.0], spreads, size=(2000, n, 2))
    assert np.mean([welch(b[:, 0].tolist(), b[:, 1].tolist()).p < 0.05 for b in benches]) == pytest.approx(
        0.8, abs=0.04
    )


NOT_SEPARABLE = [([3.0, 3.1], [3.2, 8.0]), ([1.0, 2.0, 1.5], [1.8, 2.4, 2.2]), ([1.0, 1.001], [1.3, 2.0])]


@pytest.mark.parametrize("tests", [1, 15])
@pytest.mark.parametrize(("a", "b"), NOT_SEPARABLE)
def test_more_seeds_are_needed_than_did_not_separate(a, b, tests):
    assert welch(a, b).p > 0.05 / tests
    assert seeds_needed(a, b, alpha=0.05 / tests) > len(a)


@pytest.mark.parametrize(
    ("a", "b"), [([1.0], [2.0, 3.0]), ([1.0, 1.0], [2.0, 2.0]), ([1.0, 2.0], [1.0, 2.0]), ([0, 100], [0.1, 100])]
)
def test_no_number_of_seeds_is_named_where_none_follows(a, b):
    assert seeds_needed(a, b) is None


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
