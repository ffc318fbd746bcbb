import numpy as np
import pytest
import torch
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from zoo_bench.score.metrics.mind import directions, sliced_distance


def test_in_one_dimension_it_is_the_optimal_assignment(draw):
    x, y = draw(0, 80, 1), draw(1, 80, 1, shift=0.5)
    cost = cdist(x.numpy(), y.numpy()) ** 2
    assert sliced_distance(x, y) == pytest.approx(3 * cost[linear_sum_assignment(cost)].mean(), rel=1e-9)


def test_a_shift(draw):
    x = draw(0, 500, 32)
    shift = torch.linspace(-1, 1, 32, dtype=torch.float64)
    assert sliced_distance(x + shift, x) == pytest.approx(3 * shift.square().sum().item(), rel=1e-9)


@pytest.mark.parametrize("features", [1, 2, 7, 64, 1200])
def test_directions_are_whole_orthonormal_bases(features):
    drawn = directions(features)
    assert len(drawn) >= 1000
    assert torch.allclose(drawn.norm(dim=1), torch.ones(1, dtype=torch.float64))
    assert torch.allclose(features * drawn.T @ drawn / len(drawn), torch.eye(features, dtype=torch.float64), atol=1e-9)
    assert torch.equal(drawn, directions(features))


def test_a_scale():
    x = torch.randn(4000, 16, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert sliced_distance(2 * x, x) == pytest.approx(3 * 16, rel=0.05)


def test_shifted_gaussians(draw):
    shift = torch.full((8,), 0.5, dtype=torch.float64)
    floor = sliced_distance(draw(0, 5000, 8), draw(1, 5000, 8))
    found = sliced_distance(draw(0, 5000, 8) + shift, draw(1, 5000, 8))
    means = draw(0, 5000, 8).mean(dim=0) - draw(1, 5000, 8).mean(dim=0)
    assert found == pytest.approx(3 * 2 + floor + 6 * float(shift @ means), rel=1e-9)


def test_it_sees_beyond_two_moments(draw):
    """Coin flips have the moments of a Gaussian; in two dimensions projections still differ."""
    generator = torch.Generator().manual_seed(0)
    normal = torch.randn(4000, 2, generator=generator, dtype=torch.float64)
    other = torch.randn(4000, 2, generator=generator, dtype=torch.float64)
    flips = torch.randint(0, 2, (4000, 2), generator=generator).double() * 2 - 1
    assert sliced_distance(flips, normal) > 20 * sliced_distance(other, normal)


def test_the_floor_goes_with_one_over_n(draw):
    small, large = (
        np.mean([sliced_distance(draw(2 * s, n), draw(2 * s + 1, n)) for s in range(6)]) for n in (200, 1600)
    )
    assert small / large == pytest.approx(8, rel=0.4)
