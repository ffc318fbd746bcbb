import numpy as np
import pytest
import torch

from zoo_bench.core.frechet import frechet_distance
from zoo_bench.score.metrics import fid
from zoo_bench.score.metrics.frechet import frechet_infinity


def oracle(x, y):
    """The trace term as the nuclear norm of the product of the centred data's QR factors."""
    r1, r2 = (np.linalg.qr((z - z.mean(0)).numpy() / (len(z) - 1) ** 0.5, mode="r") for z in (x, y))
    shift = (x.mean(0) - y.mean(0)).square().sum().item()
    return shift + (r1**2).sum() + (r2**2).sum() - 2 * np.linalg.norm(r1 @ r2.T, "nuc")


def whitened(x):
    centred = x - x.mean(dim=0)
    return centred @ torch.linalg.inv(torch.linalg.cholesky(torch.cov(x.T))).T


@pytest.mark.parametrize(("n", "m", "d"), [(300, 300, 12), (200, 900, 64), (900, 150, 128)])
def test_it_is_torch_fidelitys_at_full_rank(draw, n, m, d):
    x, y = draw(0, n, d, shift=0.1), draw(1, m, d)
    assert frechet_distance(x, y) == pytest.approx(fid.frechet_distance(x, y), rel=1e-8)


@pytest.mark.parametrize(("n", "m"), [(300, 300), (40, 300), (300, 40), (40, 30)])
def test_it_is_the_data_matrix_oracle_at_any_rank(draw, n, m):
    x, y = draw(0, n, 64, shift=0.1), draw(1, m, 64)
    assert frechet_distance(x, y) == pytest.approx(oracle(x, y), rel=1e-10)


@pytest.mark.parametrize(("n", "tolerance"), [(300, 1e-10), (40, 1e-12)])
def test_a_set_has_no_distance_to_itself(draw, n, tolerance):
    assert abs(frechet_distance(draw(0, n, 64), draw(0, n, 64))) < tolerance


def test_closed_forms(draw):
    x = draw(0)
    shift = torch.linspace(-1, 2, x.shape[1], dtype=torch.float64)
    assert frechet_distance(x + shift, x) == pytest.approx(shift.square().sum().item(), rel=1e-9)
    centred = x - x.mean(dim=0)
    assert frechet_distance(3 * centred, centred) == pytest.approx(4 * x.var(dim=0).sum().item(), rel=1e-9)


def test_commuting_covariances(draw):
    a, b = torch.arange(1.0, 13.0, dtype=torch.float64), torch.linspace(4.0, 0.5, 12, dtype=torch.float64)
    x, y = whitened(draw(0)) * a.sqrt(), whitened(draw(1)) * b.sqrt()
    assert frechet_distance(x, y) == pytest.approx((a.sqrt() - b.sqrt()).square().sum().item(), rel=1e-9)


def test_a_collapsed_set_has_the_spread_of_the_other(draw):
    x = draw(0)
    point = x.mean(dim=0).expand(100, -1)
    assert frechet_distance(point, x) == pytest.approx(x.var(dim=0).sum().item(), rel=1e-9)


def test_extrapolation_removes_the_bias(draw):
    plain, extrapolated = [], []
    for seed in range(30):
        x, y = draw(2 * seed, 300, 16), draw(2 * seed + 1, 600, 16)
        plain.append(frechet_distance(x, y))
        extrapolated.append(frechet_infinity(x, y))
    error = np.std(extrapolated) / len(extrapolated) ** 0.5
    assert abs(np.mean(extrapolated)) < 3 * error < np.mean(plain) / 4
    assert np.std(extrapolated) < 2.5 * np.std(plain)


def test_extrapolation_keeps_what_is_no_bias(draw):
    true = frechet_distance(draw(0, 40_000, 8, shift=0.3), draw(1, 40_000, 8))
    found = [frechet_infinity(draw(2 * s, 1000, 8, shift=0.3), draw(2 * s + 1, 1000, 8)) for s in range(2, 22)]
    assert np.mean(found) == pytest.approx(true, rel=0.05)
