import dataclasses

import pytest
import torch

from zoo.errors import ZooError
from zoo.evaluation import Evaluation, Reference
from zoo.registry import installed
from zoo_bench.data.sets.digits import digits
from zoo_bench.score.metrics.inputs import equal, subsample
from zoo_bench.score.metrics.specs import METRICS
from zoo_bench.score.scoring import score

NAMES = (
    "fid", "fid-inf", "fid-train", "kid", "mind", "neighbours", "vendi", "ndb", "authentic", "data-copying", "support",
)  # fmt: skip
NEED_TRAINING = ("fid-train", "ndb", "authentic", "data-copying")


@pytest.fixture(params=NAMES)
def metric(request):
    return next(spec for spec in METRICS if spec.name == request.param)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_infinite_features_are_refused(metric, bad, draw, evaluate):
    generated = draw(0)
    generated[3, 2] = bad
    with pytest.raises(ZooError, match="features of generated items are infinite or NaN"):
        metric.load()(evaluate(draw(1), draw(2), generated))


def test_too_few_items_are_refused(metric, draw, evaluate):
    with pytest.raises(ZooError, match=r"\d+ generated items are needed, there are 1"):
        metric.load()(evaluate(draw(1), draw(2), draw(0, 1)))


def test_a_constant_reference_is_refused(metric, draw, evaluate):
    constant = torch.ones(400, 12)
    kind = "training" if metric.name in NEED_TRAINING else "real"
    sets = (constant, draw(2)) if kind == "training" else (draw(1), constant)
    with pytest.raises(ZooError, match=f"all {kind} items have the same features"):
        metric.load()(evaluate(*sets, draw(0)))


def test_collapse_is_a_figure(metric, draw, evaluate):
    found = metric.load()(evaluate(draw(1), draw(2), draw(0, 1).repeat(400, 1)))
    assert all(torch.isfinite(torch.tensor(value)) for value in found.values())


def test_subsamples_are_the_same_every_time_and_from_everywhere(draw):
    x = torch.arange(1000)
    assert torch.equal(subsample(x, 100), subsample(x, 100))
    assert subsample(x, 100).unique().numel() == 100
    assert subsample(x, 100).float().mean() == pytest.approx(500, abs=100)
    assert subsample(x, 1000) is x


def test_equal_sizes():
    a, b = equal(torch.arange(10), torch.arange(4))
    assert len(a) == len(b) == 4


OF_IMAGES = [
    entry
    for entry in installed().metrics
    if entry.spec in METRICS and "mixture" not in entry.spec.needs and not entry.spec.judge
]


@pytest.fixture(scope="module")
def reference():
    return Reference(digits())


@pytest.mark.parametrize("value", [0, 255])
def test_constant_images_leave_every_metric_standing(reference, value):
    images = torch.full((200, 1, 8, 8), value, dtype=torch.uint8)
    found = score(Evaluation(reference.task, images, reference), OF_IMAGES)
    assert found.errors == {}
    assert found.values["modes_captured"] == found.values["support"] == 1
    assert found.values["fid"] > 10


@pytest.mark.parametrize("n", [1, 2, 5, 15])
def test_each_metric_says_how_many_items_it_needs_and_the_others_stand(reference, n):
    found = score(Evaluation(reference.task, reference.task.train.data[:n], reference), OF_IMAGES)
    assert all(message.endswith(f"items are needed, there are {n}") for message in found.errors.values()), found.errors
    assert set(found.values) >= {"modes_captured", "junk", "mode_tv"}
    scored = {entry.spec.name for entry in OF_IMAGES if found.values.keys() & names(entry.spec)}
    empty = {"by-class", "augmenting"} | ({"fid-inf"} if n == 15 else set())  # more than features
    assert found.errors.keys() | scored | empty == {entry.spec.name for entry in OF_IMAGES}
    assert found.traceback == ""


def test_a_reference_that_does_not_vary_is_named_and_the_others_stand(reference):
    task = reference.task
    test = dataclasses.replace(task.test, data=torch.zeros_like(task.test.data))
    found = score(Evaluation(dataclasses.replace(task, test=test), task.train.data), OF_IMAGES)
    assert {found.errors[name] for name in ("fid", "kid", "mind", "neighbours", "vendi")} == {
        "all real items have the same features"
    }
    assert {"mode_tv", "tstr"} <= found.values.keys()


def names(spec):
    return {column.name for column in spec.columns}
