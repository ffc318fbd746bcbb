import numpy as np
import pytest
import torch
import torch_fidelity
from sklearn.metrics.pairwise import polynomial_kernel

from zoo_bench.score.metrics.frechet import EXTRACTOR, _register_extractor, _Rows
from zoo_bench.score.metrics.kid import kernel_distance


def by_scikit_learn(x, y):
    xx, yy, xy = (polynomial_kernel(a.numpy(), b.numpy(), degree=3, coef0=1) for a, b in ((x, x), (y, y), (x, y)))
    n, m = len(x), len(y)
    within = (xx.sum() - np.trace(xx)) / (n * (n - 1)) + (yy.sum() - np.trace(yy)) / (m * (m - 1))
    return within - 2 * xy.mean()


@pytest.mark.parametrize(("n", "m", "d"), [(200, 200, 12), (150, 330, 32), (40, 30, 64)])
def test_it_is_the_u_statistic_of_scikit_learns_kernel(draw, n, m, d):
    x, y = draw(0, n, d, shift=0.1), draw(1, m, d)
    assert kernel_distance(x, y)[0] == pytest.approx(by_scikit_learn(x, y), abs=1e-10)


def test_it_is_torch_fidelitys_with_one_full_subset(draw):
    x, y = draw(0, 500, 32, shift=0.1), draw(1, 500, 32)
    _register_extractor()
    expected = torch_fidelity.calculate_metrics(
        input1=_Rows(x), input2=_Rows(y), kid=True, kid_subsets=1, kid_subset_size=500, feature_extractor=EXTRACTOR,
        cuda=False, save_cpu_ram=True, cache=False, verbose=False,
    )  # fmt: skip
    assert kernel_distance(x, y)[0] == pytest.approx(expected["kernel_inception_distance_mean"], rel=1e-6)


@pytest.mark.parametrize(("n", "m", "d"), [(300, 300, 32), (150, 500, 16)])
@pytest.mark.parametrize("shift", [0.0, 0.1, 0.5])
def test_the_standard_error_is_the_true_spread(draw, n, m, d, shift):
    runs = [kernel_distance(draw(2 * s, n, d, shift), draw(2 * s + 1, m, d)) for s in range(250)]
    values, errors = np.array(runs).T
    assert np.sqrt((errors**2).mean()) == pytest.approx(values.std(), rel=0.18)


def test_it_is_unbiased_at_any_size(draw):
    values = [kernel_distance(draw(2 * s, 8, 4), draw(2 * s + 1, 5, 4))[0] for s in range(2000)]
    assert abs(np.mean(values)) < 4 * np.std(values) / len(values) ** 0.5


def test_its_value_does_not_depend_on_blocks(draw, monkeypatch):
    x, y = draw(0), draw(1, 300)
    whole = kernel_distance(x, y)
    monkeypatch.setattr("zoo.distances.BLOCK_ENTRIES", 1)
    assert kernel_distance(x, y) == pytest.approx(whole, rel=1e-9)


def test_a_collapsed_set_has_a_value(draw):
    value, error = kernel_distance(torch.zeros(100, 12, dtype=torch.float64), draw(0))
    assert value > 0
    assert error > 0
