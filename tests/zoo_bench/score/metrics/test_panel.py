"""FID under every judge of a panel."""

from dataclasses import replace

import pytest
import torch

from zoo.errors import ZooError
from zoo.evaluation import Evaluation
from zoo.task import Split
from zoo_bench.judges.pixels import PixelJudge
from zoo_bench.judges.twin import train_twin, twin_judge
from zoo_bench.score.metrics.frechet import torch_fidelity_distance
from zoo_bench.score.metrics.inputs import subsample
from zoo_bench.score.metrics.panel import panel


@pytest.fixture(scope="module")
def seated(digits_task):
    """Digits with a pair of judges beside their own."""
    twin = twin_judge(digits_task, 3, train_twin(digits_task, 3))
    return replace(digits_task, panel=(PixelJudge(digits_task.train.data), twin))


def noise(n=500):
    return torch.randint(0, 256, (n, 1, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def test_training_items_score_one(seated):
    found = panel(Evaluation(seated, subsample(seated.train.data, 500)))
    assert found["panel"] == pytest.approx(1.0)
    assert found["fid_twin"] == pytest.approx(found["fid_twin_real"])
    assert found["fid_pixels"] == pytest.approx(found["fid_pixels_real"])


def test_each_fid_is_torch_fidelity_s_under_that_judge(seated):
    samples = seated.validation.data
    found = panel(Evaluation(seated, samples))
    for column, judge in zip(("fid_pixels", "fid_twin"), seated.panel, strict=True):
        alone = Evaluation(replace(seated, judge=judge), samples)
        expected = torch_fidelity_distance(alone.features_generated, alone.features_real)
        assert found[column] == pytest.approx(expected, rel=1e-6)


def test_the_panel_is_the_geometric_mean_of_three_ratios(seated):
    evaluation = Evaluation(seated, noise())
    found = panel(evaluation)
    own = torch_fidelity_distance(evaluation.features_generated, evaluation.features_real)
    ratios = (
        own / found["fid_real"],
        found["fid_twin"] / found["fid_twin_real"],
        found["fid_pixels"] / found["fid_pixels_real"],
    )
    assert found["panel"] == pytest.approx((ratios[0] * ratios[1] * ratios[2]) ** (1 / 3), rel=1e-6)
    assert found["panel"] > 50


def test_copies_of_the_test_split_score_below_real_items(seated):
    found = panel(Evaluation(seated, seated.test.data[torch.arange(1000) % len(seated.test)]))
    assert found["fid_twin"] < 0.3 * found["fid_twin_real"]
    assert found["fid_pixels"] < 0.3 * found["fid_pixels_real"]


def test_what_needs_an_absent_judge_is_left_out(seated, digits_task):
    found = panel(Evaluation(replace(seated, panel=seated.panel[:1]), noise()))
    assert found.keys() == {"fid_real", "fid_pixels", "fid_pixels_real"}
    with pytest.raises(ZooError, match="no judge beside the task's own"):
        panel(Evaluation(digits_task, noise()))


def test_the_test_split_itself_has_no_ratio(seated):
    same = replace(seated, train=seated.test)
    assert "panel" not in panel(Evaluation(same, subsample(seated.test.data, len(seated.test))))


def test_one_item_is_too_few(seated):
    with pytest.raises(ZooError, match="2 generated items are needed, there are 1"):
        panel(Evaluation(seated, noise(1)))


def test_a_small_task_has_a_panel(seated):
    few = {name: Split(getattr(seated, name).data[:20], getattr(seated, name).modes[:20]) for name in ("train", "test")}
    judges = (PixelJudge(few["train"].data), seated.panel[1])
    assert panel(Evaluation(replace(seated, **few, panel=judges), noise(20)))["panel"] > 1
