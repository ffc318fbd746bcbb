import math

import numpy as np
import pytest
import torch
from scipy.stats import chi2

from zoo_bench.score.metrics.class_shares import class_shares, same_shares_p
from zoo_bench.score.metrics.ndb import jensen_shannon


def of_two_classes(evaluate, positive_real, positive_generated):
    """A hundred items of each kind, so many of which are of the second class."""
    real, generated = (
        torch.cat([-torch.ones(100 - k, 1), torch.ones(k, 1)]) for k in (positive_real, positive_generated)
    )
    return class_shares(evaluate(real, real, generated))


def test_equal_shares(evaluate):
    assert of_two_classes(evaluate, 30, 30) == {"mode_kl_reverse": 0.0, "mode_js": 0.0, "mode_chi2_p": 1.0}


def test_known_shares(evaluate):
    found = of_two_classes(evaluate, 50, 20)
    assert found["mode_kl_reverse"] == pytest.approx(0.5 * math.log(0.5 / 0.8) + 0.5 * math.log(0.5 / 0.2))
    statistic = 4 * 15**2 * (1 / 35 + 1 / 65) / 2
    assert found["mode_chi2_p"] == pytest.approx(chi2.sf(statistic, 1))


def test_a_missing_class_is_infinitely_far_in_reverse(evaluate):
    found = of_two_classes(evaluate, 50, 0)
    assert found["mode_kl_reverse"] == math.inf
    assert found["mode_js"] < math.log(2)


def test_disjoint_shares():
    assert jensen_shannon(torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])) == pytest.approx(math.log(2))


def test_p_values_of_one_distribution_are_uniform():
    generator = np.random.default_rng(0)
    draws = [[torch.from_numpy(generator.integers(0, 10, n)) for n in (500, 900)] for _ in range(400)]
    p = np.array([same_shares_p(a, b, 12) for a, b in draws])
    assert np.quantile(p, [0.1, 0.5, 0.9]) == pytest.approx([0.1, 0.5, 0.9], abs=0.08)
