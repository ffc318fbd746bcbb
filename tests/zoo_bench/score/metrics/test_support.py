"""The birthday estimate against supports of known size."""

import itertools

import numpy as np
import pytest
import torch
from scipy.stats import poisson

from zoo_bench.score.metrics.support import close_pairs, support, support_size


@pytest.mark.parametrize("size", [20, 200, 1000])
def test_a_known_support_is_recovered_within_its_interval(draw, evaluate, size):
    real, hits, estimates = draw(0, 400), 0, []
    for seed in range(20):
        chosen = torch.randint(size, (400,), generator=torch.Generator().manual_seed(seed))
        generated = draw(seed + 1, size)[chosen]
        found = support(evaluate(real, real, generated))
        repetitions = sum(a == b for a, b in itertools.combinations(chosen.tolist(), 2))
        estimate, low, high = support_size(repetitions, 400)
        assert found == pytest.approx({"support": estimate, "support_low": low}, rel=0.1)  # different items may be near
        hits += low <= size <= high
        estimates.append(1 / estimate)
    assert hits >= 16
    assert np.mean(estimates) == pytest.approx(1 / size, rel=0.15)


def test_without_a_repetition_only_the_lower_bound_is_known(draw, evaluate):
    found = support(evaluate(draw(0), draw(1), 1.5 * draw(2)))
    assert found == {"support_low": pytest.approx(400 * 399 / 2 / -np.log(0.025))}
    assert support_size(0, 400)[::2] == (float("inf"), float("inf"))


@pytest.mark.parametrize("count", [1, 7, 150])
def test_the_interval_is_where_a_poisson_count_is_unlikely(count):
    _, low, high = support_size(count, 1000)
    pairs = 1000 * 999 / 2
    assert poisson.cdf(count, pairs / low) == pytest.approx(0.025)
    assert poisson.sf(count - 1, pairs / high) == pytest.approx(0.025)


def test_a_single_item_is_a_support_of_one(draw, evaluate):
    found = support(evaluate(draw(0), draw(1), draw(2, 1).repeat(400, 1)))
    assert found["support"] == pytest.approx(1)


def test_jitter_below_the_closest_real_pair_is_a_repetition(draw, evaluate):
    chosen = draw(2, 50)[torch.randint(50, (400,), generator=torch.Generator().manual_seed(0))]
    exact = support(evaluate(draw(0), draw(1), chosen))
    assert support(evaluate(draw(0), draw(1), chosen + 1e-4 * draw(3))) == pytest.approx(exact)


def test_pairs_are_those_of_a_double_loop(draw):
    x = draw(0, 60, 3)
    expected = sum(float((a - b).norm()) <= 1.0 for a, b in itertools.combinations(x, 2))
    assert expected > 10
    assert close_pairs(x, 1.0) == expected
