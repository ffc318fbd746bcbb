import itertools

import numpy as np
import pytest
import torch
from scipy import linalg

from zoo.evaluation import Evaluation
from zoo_bench.score.metrics.fid import fid, fid_inf
from zoo_bench.score.metrics.frechet import expected_null, torch_fidelity_distance

D = 12


def features(seed: int, n: int = 300, d: int = D, scale: float = 1.0) -> torch.Tensor:
    """Correlated features of full rank with a mean."""
    generator = torch.Generator().manual_seed(seed)
    mixing = torch.randn(d, d, generator=generator, dtype=torch.float64)
    return scale * torch.randn(n, d, generator=generator, dtype=torch.float64) @ mixing + torch.arange(d) / d


def centred(x: torch.Tensor) -> torch.Tensor:
    return x - x.mean(dim=0)


def by_matrix_square_root(x: torch.Tensor, y: torch.Tensor) -> float:
    """The definition, with scipy's matrix square root."""
    s1, s2 = torch.cov(x.T).numpy(), torch.cov(y.T).numpy()
    shift = (x.mean(0) - y.mean(0)).square().sum().item()
    return shift + np.trace(s1) + np.trace(s2) - 2 * np.trace(linalg.sqrtm(s1 @ s2)).real


def by_singular_values(x: torch.Tensor, y: torch.Tensor) -> float:
    """The trace term as a nuclear norm of the data's QR factors: exact even where covariances are singular."""
    r1, r2 = (torch.linalg.qr(centred(z) / (len(z) - 1) ** 0.5).R for z in (x, y))
    shift = (x.mean(0) - y.mean(0)).square().sum()
    return float(shift + r1.square().sum() + r2.square().sum() - 2 * torch.linalg.matrix_norm(r1 @ r2.T, "nuc"))


def test_a_set_has_no_distance_to_itself():
    x = features(0)
    assert torch_fidelity_distance(x, x) == pytest.approx(0.0, abs=1e-8)


def test_a_set_of_low_rank_has_next_to_no_distance_to_itself():
    x = features(0, n=D // 2)
    assert torch_fidelity_distance(x, x) == pytest.approx(0.0, abs=1e-4)


def test_a_shift_costs_its_squared_length():
    x, v = features(0), torch.linspace(-1, 2, D, dtype=torch.float64)
    assert torch_fidelity_distance(x, x + v) == pytest.approx(float(v.square().sum()), rel=1e-8)


@pytest.mark.parametrize("c", [0.5, 2.0, 7.0])
def test_a_scale_costs_its_squared_difference_from_one_times_the_variance(c):
    x = centred(features(0))
    assert torch_fidelity_distance(x, c * x) == pytest.approx((c - 1) ** 2 * float(torch.cov(x.T).trace()), rel=1e-8)


def test_the_distance_is_symmetric_also_between_sets_of_different_size():
    x, y = features(0, 300), features(1, 200)
    assert torch_fidelity_distance(x, y) == pytest.approx(torch_fidelity_distance(y, x), rel=1e-9)


def test_the_distance_is_that_of_rotated_features():
    x, y = features(0), features(1)
    rotation = torch.linalg.qr(features(2, n=D)).Q
    assert torch_fidelity_distance(x @ rotation, y @ rotation) == pytest.approx(torch_fidelity_distance(x, y), rel=1e-9)


def test_commuting_covariances_have_the_closed_form():
    basis = torch.linalg.qr(features(0, n=D)).Q
    white = torch.linalg.qr(centred(features(1))).Q * (300 - 1) ** 0.5
    a, b = torch.linspace(0.1, 3, D, dtype=torch.float64), torch.linspace(5, 0.5, D, dtype=torch.float64)
    x, y = (white * a.sqrt()) @ basis.T, (white * b.sqrt()) @ basis.T
    assert torch_fidelity_distance(x, y) == pytest.approx(float((a.sqrt() - b.sqrt()).square().sum()), rel=1e-8)


@pytest.mark.parametrize("oracle", [by_matrix_square_root, by_singular_values])
@pytest.mark.parametrize(("n", "d"), [(300, 12), (2000, 32), (200, 64)])
def test_the_distance_agrees_with_independent_formulas(oracle, n, d):
    x, y = features(0, n, d), features(1, n + 50, d, scale=1.3)
    assert torch_fidelity_distance(x, y) == pytest.approx(oracle(x, y), rel=1e-8)


def test_the_order_of_items_does_not_matter():
    x, y = features(0), features(1)
    assert torch_fidelity_distance(x.flip(0), y) == pytest.approx(torch_fidelity_distance(x, y), rel=1e-10)


def test_repeated_calls_are_not_answered_from_a_cache():
    x, y = features(0), features(1)
    first = torch_fidelity_distance(x, y)
    assert torch_fidelity_distance(x, x + 3) != pytest.approx(first)
    assert torch_fidelity_distance(x, y) == first


def test_the_floor_of_isotropic_features_has_the_closed_form():
    white = torch.linalg.qr(centred(features(1, n=5000))).Q * (5000 - 1) ** 0.5
    assert expected_null(white, 400, 400) == pytest.approx((D * (D + 1) / 2 + 2 * D) / 400, rel=1e-9)


@pytest.mark.parametrize(("n", "m"), [(400, 400), (300, 900)])
def test_the_floor_is_what_two_samples_of_one_gaussian_score(n, m):
    d = 8
    scale = torch.linspace(0.3, 2.0, d, dtype=torch.float64)
    generator = torch.Generator().manual_seed(0)

    def sample(size):
        return torch.randn(size, d, generator=generator, dtype=torch.float64) * scale

    mean = np.mean([by_singular_values(sample(n), sample(m)) for _ in range(400)])
    assert expected_null(sample(50_000), n, m) == pytest.approx(mean, rel=0.05)


def test_the_floor_is_finite_where_a_feature_is_constant():
    x = features(0)
    x[:, 3] = 1.0
    assert 0 < expected_null(x, 100, 100) < np.inf


def test_fid_inf_is_left_out_where_fid_is_not_linear_in_1_over_n(evaluate, draw):
    assert "fid_inf" in fid_inf(evaluate(draw(0), draw(1, 36), draw(2, 36)))
    assert fid_inf(evaluate(draw(0), draw(1, 35), draw(2, 400))) == {}
    assert fid_inf(evaluate(draw(0), draw(1, 400), draw(2, 35))) == {}


def test_the_spread_of_the_floor_is_left_out_where_it_is_unknown(evaluate, draw):
    assert fid(evaluate(draw(0), draw(1), draw(2))).keys() == {"fid", "fid_floor"}  # validation split: the test split


@pytest.fixture(scope="module")
def controls(digits_task):
    """FID on digits of things whose order is known."""
    train = digits_task.train
    noise = torch.randint(256, (600, 1, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    sets = {
        "real": train.data[:600],
        "half of the classes": train.data[train.modes < 5],
        "one class": train.data[train.modes == 3],
        "noise": noise,
    }
    return {name: fid(Evaluation(digits_task, data)) for name, data in sets.items()}


def test_controls_are_ranked_rightly(controls):
    scores = [controls[name]["fid"] for name in ("real", "half of the classes", "one class", "noise")]
    assert scores == sorted(scores)
    assert all(later > 1.5 * earlier for earlier, later in itertools.pairwise(scores))


def test_real_data_are_not_below_the_floor_but_near_it_compared_with_anything_else(controls):
    assert controls["real"]["fid"] > 0.5 * controls["real"]["fid_floor"]
    assert controls["real"]["fid"] < 0.2 * controls["half of the classes"]["fid"]


def test_the_score_is_not_changed_by_the_scale_of_the_judges_features(digits_task):
    class Louder:
        def features(self, data):
            return 50.0 * digits_task.judge.features(data) + 7.0

    data = digits_task.train.data[:200]
    plain = Evaluation(digits_task, data)
    louder = Evaluation(type(digits_task)(**{**vars(digits_task), "judge": Louder()}), data)
    assert fid(louder)["fid"] == pytest.approx(fid(plain)["fid"], rel=1e-3)


def test_the_judge_of_a_mixture_sees_missing_modes_where_mean_and_covariance_do_not(ring8_task):
    # Every other mode of the ring: same mean, same covariance.
    half = ring8_task.validation.data[ring8_task.validation.modes % 2 == 0]
    plain = torch_fidelity_distance(half.double(), ring8_task.test.data.double())
    assert plain < 0.01
    assert fid(Evaluation(ring8_task, half))["fid"] > 0.5
    assert fid(Evaluation(ring8_task, ring8_task.validation.data))["fid"] < 0.02
