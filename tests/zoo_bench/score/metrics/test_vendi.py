import numpy as np
import pytest
import torch
from scipy.stats import entropy

from zoo_bench.score.metrics.vendi import vendi, vendi_score


def by_definition(x):
    unit = x.numpy() / np.linalg.norm(x.numpy(), axis=1, keepdims=True)
    eigenvalues = np.linalg.eigvalsh(unit @ unit.T / len(x)).clip(0)
    return np.exp(entropy(eigenvalues))


@pytest.mark.parametrize(("n", "d"), [(300, 12), (30, 64)])
def test_it_is_the_entropy_of_the_kernels_eigenvalues(draw, n, d):
    assert vendi_score(draw(0, n, d)) == pytest.approx(by_definition(draw(0, n, d)), rel=1e-9)


def test_extremes():
    basis = torch.eye(8, dtype=torch.float64)
    assert vendi_score(basis) == pytest.approx(8)
    assert vendi_score(basis.repeat(5, 1)) == pytest.approx(8)
    assert vendi_score(basis[:2].repeat(20, 1)) == pytest.approx(2)
    assert vendi_score(basis[:1].repeat(20, 1)) == pytest.approx(1)


def test_real_data_are_as_diverse_as_real_data(draw, evaluate):
    real = draw(0, 2000)
    assert vendi(evaluate(real, real, draw(1, 5000)))["vendi"] == pytest.approx(1, abs=0.03)
    assert vendi(evaluate(real, real, real[:1].repeat(2000, 1)))["vendi"] < 0.2
