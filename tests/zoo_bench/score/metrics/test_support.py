"""The birthday estimate against supports of known size."""

import itertools

import numpy as np
import pytest
import torch
from scipy.stats import poisson

from zoo_bench.score.metrics.support import CLOSE_PAIRS, close, excess, support, support_size


@pytest.mark.parametrize("size", [20, 200, 1000])
def test_a_known_support_is_recovered_and_its_bound_holds(draw, evaluate, size):
    real, hits, estimates = draw(0, 400), 0, []
    for seed in range(20):
        chosen = torch.randint(size, (400,), generator=torch.Generator().manual_seed(seed))
        found = support(evaluate(real, real, draw(seed + 1, size)[chosen]))
        repetitions = sum(a == b for a, b in itertools.combinations(chosen.tolist(), 2))
        assert found["support"] == pytest.approx(400 * 399 / 2 / repetitions, rel=0.2)  # different items may be near
        hits += found["support_low"] <= size
        estimates.append(1 / found["support"])
    assert hits >= 18
    assert np.mean(estimates) == pytest.approx(1 / size, rel=0.15)


def test_real_data_have_no_value(draw, evaluate):
    found = [support(evaluate(draw(0), draw(2 * seed + 1), draw(2 * seed + 2))) for seed in range(40)]
    assert sum("support" in each for each in found) <= 4
    assert all(2000 < each["support_low"] < 400 * 399 / 2 / -np.log(0.025) for each in found)


@pytest.mark.parametrize("duplicates", [1, 30])
def test_duplicates_among_real_items_hide_no_repetition(draw, evaluate, duplicates):
    real, training = draw(1), draw(0)
    plain = support(evaluate(training, real, draw(2, 100)[torch.arange(400) % 100]))
    real[:duplicates] = real[-duplicates:]
    jitter = 1e-4 * draw(3)
    found = support(evaluate(training, real, draw(2, 100)[torch.arange(400) % 100] + jitter))
    assert found == pytest.approx(plain, rel=0.02)


def test_without_a_close_pair_only_the_lower_bound_is_known(draw, evaluate):
    found = support(evaluate(draw(0), draw(1), 3 * draw(2)))
    assert found == {"support_low": pytest.approx(400 * 399 / 2 / -np.log(0.025))}


@pytest.mark.parametrize("count", [0, 1, 7, 150])
def test_the_bound_is_where_a_poisson_count_is_unlikely(count):
    estimate, low = support_size(count, 1000)
    pairs = 1000 * 999 / 2
    assert poisson.cdf(count, pairs / low) == pytest.approx(0.025)
    assert low < estimate
    assert (estimate < np.inf) == (count > CLOSE_PAIRS)


def test_an_excess_has_the_variance_of_permutations():
    generator = np.random.default_rng(0)
    counts = generator.poisson(0.5, 60) * generator.integers(0, 4, 60)
    orders = generator.permuted(np.tile(counts, (20_000, 1)), axis=1)
    differences = orders[:, :30].sum(axis=1) - orders[:, 30:].sum(axis=1)
    found = excess(torch.from_numpy(counts[:30]), torch.from_numpy(counts[30:]))
    assert found == pytest.approx((counts[:30].sum() - counts[30:].sum()) / differences.std(), rel=0.02)
    assert excess(torch.ones(5), torch.ones(5)) == 0.0


def test_a_single_item_is_a_support_of_one(draw, evaluate):
    found = support(evaluate(draw(0), draw(1), draw(2, 1).repeat(400, 1)))
    assert found["support"] == pytest.approx(1)


def test_jitter_below_the_closest_real_pairs_is_a_repetition(draw, evaluate):
    chosen = draw(2, 50)[torch.randint(50, (400,), generator=torch.Generator().manual_seed(0))]
    exact = support(evaluate(draw(0), draw(1), chosen))
    assert support(evaluate(draw(0), draw(1), chosen + 1e-4 * draw(3))) == pytest.approx(exact)


def test_close_items_are_those_of_a_double_loop(draw):
    x, y = draw(0, 60, 3), draw(1, 50, 3)
    expected = torch.tensor([[float((a - b).norm()) <= 1.0 for b in y] for a in x])
    assert expected.sum() > 10
    forth, back = close(x, y, 1.0)
    assert torch.equal(forth, expected.sum(dim=1))
    assert torch.equal(back, expected.sum(dim=0))
