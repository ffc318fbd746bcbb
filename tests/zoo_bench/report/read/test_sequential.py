"""P-values that are valid whenever one stops."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ttest_ind

from zoo_bench.plan.seeds import looks
from zoo_bench.report.read.sequential import sequential_p
from zoo_bench.report.read.statistics import welch

VALUES = st.lists(st.floats(0.5, 2.0), min_size=2, max_size=16)


def by_seed(values):
    return dict(enumerate(map(float, values)))


def test_it_is_the_smallest_of_the_looks_over_their_shares():
    """Against SciPy's Welch test of the same seeds."""
    generator = np.random.default_rng(0)
    a, b = generator.normal(0, 1, 11), generator.normal(1, 1, 11)
    expected = min(ttest_ind(a[:n], b[:n], equal_var=False).pvalue / 0.15 for n in (4, 6, 8, 11))
    assert sequential_p(by_seed(a), by_seed(b)) == pytest.approx(expected)
    assert sequential_p(by_seed(b), by_seed(a)) == pytest.approx(expected)


def test_on_the_log_scale_it_is_that_of_the_logarithms():
    a, b = [1.0, 1.5, 1.2, 1.1], [2.0, 2.5, 2.1, 1.9]
    logs = (by_seed(map(math.log, values)) for values in (a, b))
    assert sequential_p(by_seed(a), by_seed(b), log=True) == pytest.approx(sequential_p(*logs))


@given(VALUES, VALUES)
def test_it_claims_less_than_the_test_at_any_single_look(a, b):
    found = sequential_p(by_seed(a), by_seed(b))
    made = [n for n, _ in looks(20) if n <= min(len(a), len(b))]
    assert min([1.0, *(welch(a[:n], b[:n]).p / 0.15 for n in made)]) <= found <= 1
    assert made or found == 1.0


def test_a_look_needs_all_seeds_up_to_its_number_of_both():
    a, b = [1.0, 1.1, 1.2, 1.3], [9.0, 9.1, 9.2, 9.3]
    assert sequential_p(by_seed(a), by_seed(b)) < 0.001
    assert sequential_p(by_seed(a), by_seed(b[:3])) == 1.0
    elsewhere = {seed + 1: value for seed, value in by_seed(b).items()}
    assert sequential_p(by_seed(a), elsewhere) == 1.0


def test_seeds_beyond_those_of_a_look_are_not_in_it():
    a, b = [1.0, 1.1, 1.2, 1.3], [1.9, 2.1, 2.2, 2.3]
    assert sequential_p({**by_seed(a), 7: 1.0}, {**by_seed(b), 9: 3.0}) == sequential_p(by_seed(a), by_seed(b))


def test_a_look_whose_difference_has_the_other_sign_says_nothing():
    a, b = [1.0, 1.1, 1.2, 1.3, 9.0, 9.0], [2.0, 2.1, 2.2, 2.3, 0.0, 0.0]
    assert sequential_p(by_seed(a[:4]), by_seed(b[:4])) < 0.01
    assert np.mean(a) > np.mean(b)
    assert sequential_p(by_seed(a), by_seed(b)) > 0.3


@pytest.mark.parametrize(("a", "b"), [([], [1.0, 2.0]), ([1.0], [1.0, 2.0]), ([1.0], [2.0])])
def test_a_single_value_supports_nothing(a, b):
    assert math.isnan(sequential_p(by_seed(a), by_seed(b)))


def test_models_that_are_equal_in_every_run_are_not_separable():
    assert sequential_p(by_seed([1.0] * 6), by_seed([1.0] * 6)) == 1.0
