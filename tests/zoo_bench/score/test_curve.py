import dataclasses
import itertools
import math
from types import SimpleNamespace

import pytest
import torch
from torch import nn

import zoo
from zoo.evaluation import Evaluation
from zoo_bench.score.curve import CURVE_SHARES, Curve, curve_values, target_of
from zoo_bench.score.metrics.frechet import expected_null

TRAINING = SimpleNamespace(meter=SimpleNamespace(images=640, seconds=1.5, flops=10**6))


class Memory(zoo.GenerativeModel):
    """Samples real validation images, or noise when its quality is 0."""

    def __init__(self, task):
        super().__init__(task.shape, zoo.ModelConfig())
        self.images = task.validation.data
        self.quality = nn.Parameter(torch.tensor(0.0))

    def sample(self, n):
        noise = torch.rand(n, *self.shape) * 2 - 1
        real = self.images[torch.randint(len(self.images), (n,))] / 127.5 - 1
        return torch.lerp(noise, real, self.quality)


@pytest.fixture
def curve(digits_task):
    model = Memory(digits_task)
    made = Curve(model, digits_task, seed=0)

    def add(share, quality):
        model.quality.data.fill_(quality)
        made.add(share, TRAINING)

    return made, add


def test_marks_double_up_to_the_whole_budget():
    assert CURVE_SHARES[-1] == 1.0
    assert all(later == 2 * earlier for earlier, later in itertools.pairwise(CURVE_SHARES))


def test_a_point_says_what_was_spent_and_the_score(curve):
    made, add = curve
    add(0.5, 1.0)
    (point,) = made.points
    assert point.keys() == {"share", "images", "seconds", "flops", "fid"}
    assert (point["share"], point["images"]) == (0.5, 640)
    assert point["fid"] >= 0


def test_the_best_point_keeps_its_weights(curve):
    made, add = curve
    for share, quality in ((0.25, 0.0), (0.5, 1.0), (1.0, 0.5)):
        add(share, quality)
    fids = [point["fid"] for point in made.points]
    assert fids[1] < fids[2] < fids[0]
    assert made.best["quality"] == 1.0
    assert not made.best_is_last


def test_a_run_that_improves_to_the_end_is_best_at_the_end(curve):
    made, add = curve
    assert not made.best_is_last
    add(0.5, 0.0)
    add(1.0, 1.0)
    assert made.best_is_last


def test_scoring_leaves_randomness_and_mode_as_they_were(curve):
    made, add = curve
    made._model.train()
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    add(0.5, 1.0)
    assert torch.equal(torch.rand(4), expected)
    assert made._model.training


def test_the_same_weights_have_the_same_score(curve):
    made, add = curve
    add(0.5, 0.5)
    torch.rand(17)
    add(1.0, 0.5)
    assert made.points[0]["fid"] == made.points[1]["fid"]


def test_samples_that_are_not_finite_leave_no_point(curve):
    made, add = curve
    add(0.5, math.nan)
    assert made.points == []
    assert made.best == {}


def test_the_area_is_the_mean_over_the_logarithm_of_the_budget():
    points = [{"share": 0.25, "fid": 8.0}, {"share": 0.5, "fid": 4.0}, {"share": 1.0, "fid": 2.0}]
    assert curve_values(points, target=0.0) == {"fid_auc": pytest.approx((6.0 + 3.0) / 2)}
    points = [{"share": share, "fid": 7.0} for share in (0.1, 0.5, 0.6, 1.0)]
    assert curve_values(points, target=0.0) == {"fid_auc": pytest.approx(7.0)}


@pytest.mark.parametrize("points", [[], [{"share": 1.0, "fid": 2.0}]])
def test_fewer_than_two_points_have_no_area(points):
    assert math.isnan(curve_values(points, target=0.0)["fid_auc"])


def test_the_target_is_five_times_what_real_data_score_on_average(curve, digits_task):
    made, _ = curve
    validation = Evaluation(dataclasses.replace(digits_task, test=digits_task.validation), digits_task.test.data)
    floor = expected_null(validation.features_real, 2000, 197)
    assert made.target == pytest.approx(5 * floor)


@pytest.mark.parametrize(
    ("reached", "spent"), [([9, 5, 4, 6], 20), ([9, 5.1, 5, 5], 30), ([1, 9, 9, 9], 10), ([9, 9, 8, 5.01], None)]
)
def test_the_first_mark_at_the_target_counts(reached, spent):
    points = [{"share": k / 4, "fid": fid, "images": 10 * k, "seconds": k} for k, fid in enumerate(reached, start=1)]
    found = curve_values(points, target=5.0)
    assert (found.get("images_to_target"), found.get("seconds_to_target")) == (spent, spent and spent / 10)


def test_the_values_of_a_stored_curve_are_those_of_its_run(curve, digits_task):
    made, add = curve
    add(0.5, 0.2)
    add(1.0, 0.1)
    assert curve_values(made.points, target_of(digits_task)) == made.values()
