import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from zoo.evaluation import Evaluation
from zoo_bench.data.sets import mixtures
from zoo_bench.score.metrics.modes import classes, divergences, mixture, shares, spread, truncated_std

PERFECT = 1 - math.exp(-4.5)
SHARES = st.lists(st.integers(1, 1000), min_size=2, max_size=30)


@pytest.fixture(params=["ring8", "grid25"])
def task(request):
    return request.getfixturevalue(f"{request.param}_task")


def coverage(task, points):
    return mixture(Evaluation(task, points.float()))


def test_perfect_samples_have_98_889_percent_of_high_quality_in_every_mode(task):
    found = coverage(task, mixtures.draw(task.mixture, 2500, seed=123).data)
    error = math.sqrt(PERFECT * (1 - PERFECT) / 2500)
    assert found["high_quality"] == pytest.approx(PERFECT, abs=4 * error)
    assert found["modes_captured"] == found["modes_total"] == len(task.mixture.centres)
    assert found["mode_spread"] == pytest.approx(1.0, abs=0.05)
    assert 0 <= found["mode_kl"] < 3 * len(task.mixture.centres) / (2 * 2500)
    assert 0 <= found["mode_tv"] < 0.1


def test_many_perfect_samples_have_98_889_percent_of_high_quality(ring8_task):
    found = coverage(ring8_task, ring8_task.train.data)
    assert found["high_quality"] == pytest.approx(0.98889, abs=0.0014)
    assert found["mode_spread"] == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("factor", [0.2, 0.5])
def test_shrunken_modes_are_all_of_high_quality_and_too_narrow(task, factor):
    points = task.validation
    centres = task.mixture.centres[points.modes]
    found = coverage(task, centres + factor * (points.data - centres))
    assert found["high_quality"] > 0.999
    assert found["mode_spread"] == pytest.approx(factor, rel=0.1)
    assert found["modes_captured"] == found["modes_total"]


def test_widened_modes_lose_quality(task):
    points = task.validation
    centres = task.mixture.centres[points.modes]
    found = coverage(task, centres + 1.5 * (points.data - centres))
    # P(r < 3 sigma) of a standard deviation half again as large.
    assert found["high_quality"] == pytest.approx(1 - math.exp(-2), abs=0.03)
    assert found["mode_spread"] == pytest.approx(1.5, abs=0.05)


@pytest.mark.parametrize("factor", [2.0, 3.0, 5.0])
@pytest.mark.parametrize("far", [0.0, 0.3])
def test_the_spread_of_wide_modes_is_read_as_it_is(task, factor, far):
    points = task.validation
    centres = task.mixture.centres[points.modes]
    generated = centres + factor * (points.data - centres)
    low, high = generated.aminmax(dim=0)
    noise = torch.rand(len(generated), 2, generator=torch.Generator().manual_seed(0))
    generated = torch.where(noise[:, :1] < far, low + (high - low) * noise.flip(1), generated)
    assert coverage(task, generated)["mode_spread"] == pytest.approx(factor, rel=0.08)


def test_a_spread_is_that_of_half_of_the_points_at_least():
    radii = torch.logspace(-6, 1, 200, dtype=torch.float64)  # dense in the middle at every scale
    angles = 2.4 * torch.arange(200, dtype=torch.float64)
    found = spread(torch.stack([radii * angles.cos(), radii * angles.sin()], dim=1))
    assert 0 < found < float(radii.median())


def test_a_collapsed_model_captures_one_mode(task):
    one = task.mixture.centres[3] + task.mixture.std * torch.randn(500, 2, generator=torch.Generator().manual_seed(0))
    found = coverage(task, one)
    total = len(task.mixture.centres)
    assert found["modes_captured"] == 1
    assert found["mode_kl"] == pytest.approx(math.log(total))
    assert found["mode_tv"] == pytest.approx(1 - 1 / total)


def test_a_model_that_repeats_one_point_has_no_spread(task):
    found = coverage(task, task.mixture.centres[3].expand(500, 2))
    assert found["modes_captured"] == 1
    assert found["mode_spread"] == pytest.approx(0.0, abs=1e-6)


def test_without_a_point_of_high_quality_shares_are_missing_and_not_zero(task):
    found = coverage(task, torch.full((100, 2), 0.5 + 5e-3))
    assert found == {"modes_captured": 0, "modes_total": len(task.mixture.centres), "high_quality": 0.0}


def test_one_point_captures_a_mode_but_has_no_spread(ring8_task):
    found = coverage(ring8_task, torch.stack([ring8_task.mixture.centres[5], torch.zeros(2)]))
    assert (found["modes_captured"], found["high_quality"]) == (1, 0.5)
    assert "mode_spread" not in found


def test_the_edge_of_high_quality_is_three_standard_deviations(grid25_task):
    centre, std = grid25_task.mixture.centres[0], grid25_task.mixture.std
    inside, outside = (centre + torch.tensor([r * std, 0.0]) for r in (2.99, 3.01))
    assert coverage(grid25_task, inside[None])["high_quality"] == 1.0
    assert coverage(grid25_task, outside[None])["high_quality"] == 0.0


@pytest.mark.parametrize("dimensions", [1, 2, 5])
def test_the_spread_of_perfect_samples_within_three_standard_deviations(dimensions):
    points = np.random.default_rng(0).normal(size=(400_000, dimensions))
    inside = points[np.linalg.norm(points, axis=1) <= 3]
    assert truncated_std(dimensions) == pytest.approx(inside.std(), rel=0.005)


@given(SHARES, st.data())
@settings(deadline=None, derandomize=True)
def test_divergences_are_scipys_and_half_the_absolute_difference(counts, data):
    others = data.draw(st.lists(st.integers(0, 1000), min_size=len(counts), max_size=len(counts)).filter(any))
    p, q = np.array(others) / sum(others), np.array(counts) / sum(counts)
    found = divergences(torch.tensor(p), torch.tensor(q))
    assert found["mode_kl"] == pytest.approx(stats.entropy(p, q), abs=1e-12)
    assert found["mode_tv"] == pytest.approx(np.abs(p - q).sum() / 2)
    assert found["mode_kl"] > -1e-12
    assert 0 <= found["mode_tv"] <= 1 + 1e-12


def test_a_mode_that_real_data_lack_makes_the_divergence_infinite_unless_it_is_empty():
    real = torch.tensor([0.5, 0.5, 0.0])
    assert divergences(torch.tensor([0.5, 0.4, 0.1]), real)["mode_kl"] == math.inf
    assert divergences(torch.tensor([0.5, 0.5, 0.0]), real)["mode_kl"] == 0.0


def test_shares_count_every_mode():
    assert shares(torch.tensor([0, 2, 2, 2]), 4).tolist() == [0.25, 0.0, 0.75, 0.0]


def test_real_digits_have_every_class(digits_task):
    found = classes(Evaluation(digits_task, digits_task.test.data))
    assert (found["modes_captured"], found["modes_total"]) == (10, 10)
    assert found["mode_kl"] < 0.005
    assert found["mode_tv"] < 0.03


@pytest.mark.parametrize("label", range(10))
def test_one_class_of_digits_is_one_class(digits_task, label):
    train = digits_task.train
    found = classes(Evaluation(digits_task, train.data[train.modes == label]))
    share = float((digits_task.test.modes == label).double().mean())
    assert (found["modes_captured"], found["modes_total"]) == (1, 10)
    assert found["mode_kl"] == pytest.approx(-math.log(share), abs=0.1)
    assert found["mode_tv"] == pytest.approx(1 - share, abs=0.03)


def of_classes(total, real, generated):
    return classes(
        SimpleNamespace(
            task=SimpleNamespace(modes=total), modes_real=torch.tensor(real), modes_generated=torch.tensor(generated)
        )
    )


def test_a_class_that_the_test_split_lacks_is_neither_captured_nor_missed():
    found = of_classes(4, [0, 0, 1, 3], [0, 0, 0, 3])
    assert (found["modes_captured"], found["modes_total"]) == (2, 3)
    assert found["mode_kl"] == pytest.approx(0.75 * math.log(1.5))
    assert found["mode_tv"] == pytest.approx(0.25)


def test_items_of_a_class_that_the_test_split_lacks_count_against_the_shares():
    found = of_classes(3, [0, 0, 1, 1], [0, 1, 2, 2])
    assert (found["modes_captured"], found["modes_total"]) == (2, 2)
    assert (found["mode_kl"], found["mode_tv"]) == (math.inf, 0.5)


def test_real_mnist_has_every_class_and_one_class_is_one(mnist_task):
    test = mnist_task.test
    found = classes(Evaluation(mnist_task, test.data))
    assert (found["modes_captured"], found["modes_total"]) == (10, 10)
    assert found["mode_tv"] < 0.01
    assert classes(Evaluation(mnist_task, test.data[test.modes == 7]))["modes_captured"] == 1


@pytest.mark.parametrize(("hits", "captured"), [(0, 1), (4, 1), (5, 2), (50, 2)])
def test_a_class_is_captured_with_a_tenth_of_its_real_share(hits, captured):
    # Its real share is a half, so it takes 5 of 100.
    assert of_classes(2, [0, 1], [0] * (100 - hits) + [1] * hits)["modes_captured"] == captured
