"""The expected best of n trials, against closed forms, every subset, and every distribution that a band allows."""

import itertools
import math

import numpy as np
import pytest
from scipy.stats import kstwo

from zoo_bench.report.read.best_of_n import BestOf, best_of_n, crossing, expected_best

INF = math.inf
DRAWS = [3.1, 0.4, 2.2, 2.2, 9.0, 1.7]


@pytest.mark.parametrize("n", range(1, 7))
def test_the_estimate_is_the_mean_of_the_best_over_all_subsets(n):
    bests = [min(subset) for subset in itertools.combinations(DRAWS, n)]
    assert expected_best(DRAWS, n) == pytest.approx(sum(bests) / len(bests))


def test_it_is_unbiased_where_drawing_with_replacement_is_not():
    """The best of n uniform values is 1 / (n + 1) on average."""
    studies = np.random.default_rng(0).random((4000, 8))
    for n in (1, 4, 8):
        estimates = np.array([expected_best(study.tolist(), n) for study in studies])
        assert abs(estimates.mean() - 1 / (n + 1)) < 4 * estimates.std() / 4000**0.5
    left = 1 - np.arange(9) / 8
    with_replacement = np.sort(studies) @ (left[:-1] ** 8 - left[1:] ** 8)
    assert with_replacement.mean() > 1.2 / 9


def test_the_curve_is_that_of_the_defaults_and_draws_in_any_order():
    curve = best_of_n(2.5, DRAWS)
    assert [best.n for best in curve] == list(range(1, 8))
    assert curve[0] == BestOf(1, 2.5, 2.5, 2.5)
    for best in curve[1:]:
        bests = [min(2.5, *subset) for subset in itertools.combinations(DRAWS, best.n - 1)]
        assert best.expected == pytest.approx(sum(bests) / len(bests))
    assert curve == best_of_n(2.5, DRAWS[::-1])


def test_a_draw_that_diverged_is_worth_what_the_defaults_are():
    assert best_of_n(2.5, [*DRAWS, INF]) == best_of_n(2.5, [*DRAWS, 2.5])
    assert [best.expected for best in best_of_n(2.5, [INF] * 3)] == [2.5] * 4


def test_defaults_that_diverged_leave_the_draws_unless_one_diverged_too():
    first, *others = best_of_n(INF, DRAWS)
    assert first.expected == INF
    assert [best.expected for best in others] == pytest.approx([expected_best(DRAWS, n) for n in range(1, 7)])
    assert all(0 < best.low < best.expected < best.high == INF for best in others)
    assert all(best.expected == INF for best in best_of_n(INF, [*DRAWS, INF]))


def test_defaults_alone_are_a_curve_of_one_trial():
    assert best_of_n(2.5, []) == [BestOf(1, 2.5, 2.5, 2.5)]


@pytest.mark.parametrize("default", [2.5, 20.0])
def test_the_ends_of_the_band_are_the_extremes_over_all_distributions_within_kolmogorov_s(default):
    """Mass is moved from the worst to 0 for the lower end, and from the best to the worst for the upper one."""
    half = kstwo.ppf(0.95, len(DRAWS))
    shares = np.linspace(0, 1, 200_001)
    empirical = np.quantile(np.minimum(DRAWS, default), shares, method="inverted_cdf")
    moved = round(half * 200_000)
    optimist = np.concatenate([np.zeros(moved), empirical[: len(shares) - moved]])
    pessimist = np.concatenate([empirical[moved:], np.full(moved, default)])
    for best in best_of_n(default, DRAWS)[1:]:
        m = best.n - 1
        weights = np.diff(1 - (1 - np.linspace(0, 1, len(shares) + 1)) ** m)  # of the quantiles of the best of m
        assert best.low == pytest.approx(optimist @ weights, rel=1e-3)
        assert best.high == pytest.approx(pessimist @ weights, rel=1e-3)


def curve_of(*expected, spread=1.0):
    return [BestOf(n, value, value - spread, value + spread) for n, value in enumerate(expected, 1)]


@pytest.mark.parametrize(
    ("a", "b", "sentence"),
    [
        ([5, 4, 3], [6, 5, 4], ""),
        ([5, 4, 3], [5, 4, 3], ""),
        ([INF, 4, 3], [INF, 5, 4], ""),
        ([5, 5, 5], [9, 6, 4], "up to 2 trials a is expected to be better, from 3 on b; their bands overlap."),
        ([5, 5, 5, 1], [9, 5, 4], "with the defaults alone a is expected to be better, from 3 on b; "
                                  "their bands overlap."),
        ([INF, 5], [9, 9], "with the defaults alone b is expected to be better, from 2 on a; "
                           "their bands are apart at 2."),
        ([5, 5, 5, 5, 5], [6, 6, 4, 4, 6], "up to 2 trials a is expected to be better, from 3 to 4 b, from 5 on a; "
                                           "their bands overlap."),
        ([5, 5, 5], [6, 4, 6], "with the defaults alone a is expected to be better, at 2 b, from 3 on a; "
                               "their bands overlap."),
    ],
)  # fmt: skip
def test_a_sentence_says_where_curves_cross(a, b, sentence):
    assert crossing("a", curve_of(*a), "b", curve_of(*b)) == sentence
