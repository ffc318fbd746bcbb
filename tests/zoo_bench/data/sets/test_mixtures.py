import math

import pytest
import torch

from zoo_bench.data.sets import mixtures


@pytest.fixture(params=["ring8", "grid25"])
def name(request):
    return request.param


@pytest.fixture
def task(name, request):
    return request.getfixturevalue(f"{name}_task")


def test_the_ring_has_8_centres_on_the_unit_circle(ring8_task):
    x, y = ring8_task.mixture.centres.double().unbind(1)
    assert torch.allclose(x**2 + y**2, torch.ones(8, dtype=torch.float64))
    angles = (torch.atan2(y, x) % (2 * math.pi)).sort().values
    assert angles.tolist() == pytest.approx([k * math.pi / 4 for k in range(8)], abs=1e-6)
    assert ring8_task.mixture.std == 0.01


def test_the_grid_has_25_centres_two_apart(grid25_task):
    axis = (-4.0, -2.0, 0.0, 2.0, 4.0)
    assert {tuple(c) for c in grid25_task.mixture.centres.tolist()} == {(x, y) for x in axis for y in axis}
    assert grid25_task.mixture.std == 0.05


def test_splits_have_the_sizes_of_the_protocol(task):
    assert [len(split) for split in (task.train, task.validation, task.test)] == [100_000, 2_500, 10_000]
    assert task.samples == 2_500
    assert task.shape == (2,)
    assert task.train.data.dtype == torch.float32
    assert task.modes == len(task.mixture.centres)
    assert task.offers == {"points", "features", "mixture"}


def test_every_split_has_its_own_points(task):
    points = torch.cat([task.train.data, task.validation.data, task.test.data])
    assert len({tuple(point) for point in points.tolist()}) > 0.999 * len(points)
    assert not torch.equal(task.train.data[:2500], task.validation.data)


def test_points_are_the_same_every_time_whatever_the_seed(name, task):
    torch.manual_seed(5)
    again = getattr(mixtures, name)()
    assert torch.equal(again.train.data, task.train.data)
    assert torch.equal(again.test.data, task.test.data)
    assert again.judge.sha256 == task.judge.sha256


def test_every_mode_has_its_share_its_centre_and_its_width(task):
    data, modes, total = task.train.data.double(), task.train.modes, task.modes
    counts = torch.bincount(modes, minlength=total)
    assert (counts - 100_000 / total).abs().max() < 5 * math.sqrt(100_000 / total)
    for k in range(total):
        points, std = data[modes == k], task.mixture.std
        assert (points.mean(0) - task.mixture.centres[k]).abs().max() < 5 * std / math.sqrt(len(points))
        assert points.std(0).tolist() == pytest.approx([std, std], rel=5 / math.sqrt(2 * len(points)))
        assert abs(float(torch.corrcoef(points.T)[0, 1])) < 5 / math.sqrt(len(points))
