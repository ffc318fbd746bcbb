import copy
import hashlib
import json
from importlib.resources import files
from itertools import pairwise

import pytest
import torch
from safetensors import safe_open

from zoo.evaluation import Evaluation, Judged, Reference
from zoo.task import Split
from zoo_bench.data import train_judges
from zoo_bench.data.disturbances import DISTURBANCES
from zoo_bench.data.robustness import examine
from zoo_bench.judges.classifier import ClassifierJudge, JudgeNetwork
from zoo_bench.score.metrics.corrected import junk


@pytest.fixture(scope="module", params=train_judges.RECIPES)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def task(name, request):
    """The task whose judge is examined; that of real MNIST only where the data are."""
    return request.getfixturevalue(f"{name.replace('-', '_')}_task")


@pytest.fixture(scope="module")
def judged(task):
    """What the judge says of the test split."""
    return Judged(task.judge, task.test.data)


def weights_file(name):
    return files("zoo_bench") / "judges" / "weights" / f"{name}-cnn.safetensors"


def test_every_shipped_judge_is_examined():
    shipped = {
        path.name
        for path in (files("zoo_bench") / "judges" / "weights").iterdir()
        if path.name.endswith(".safetensors")
    }
    assert shipped == {f"{name}-cnn.safetensors" for name in train_judges.RECIPES}


def test_a_judge_is_known_by_the_hash_of_its_file(name):
    content = weights_file(name).read_bytes()
    assert ClassifierJudge.shipped(f"{name}-cnn").sha256 == hashlib.sha256(content).hexdigest()


def test_a_judge_is_small(name):
    assert len(weights_file(name).read_bytes()) < 1_000_000
    with safe_open(str(weights_file(name)), "pt") as file:
        sizes = json.loads(file.metadata()["network"])
    assert sizes["features"] <= 128
    assert sizes["classes"] == 10


def test_a_judge_recognises_the_held_out_classes_as_well_as_its_file_says(name, task, judged):
    accuracy = float((judged.modes == task.test.modes).double().mean())
    assert accuracy >= train_judges.FLOORS[name][""]
    assert f"{accuracy:.4f}" == task.judge.metadata["test_accuracy"]


@pytest.mark.parametrize("disturbance", DISTURBANCES)
def test_a_judge_holds_its_floor_and_every_class_under_disturbance_and_its_features_see_it(name, task, disturbance):
    items = Split(task.test.data[:2000], task.test.modes[:2000])
    held = examine(task.judge, items, disturbance)
    assert min(found.accuracy for found in held) > train_judges.FLOORS[name][disturbance] - 0.01
    assert {found.modes for found in held} == {10}
    fids = [found.fid for found in held if found.fid > 1e-6]
    assert len(fids) >= 2
    assert all(weaker < stronger for weaker, stronger in pairwise(fids))


def expected_calibration_error(confidence, right, bins=15):
    """Mean gap between confidence and accuracy over equally wide bins (Guo et al. 2017)."""
    bin_of = (confidence.double() * bins).long().clamp_max(bins - 1)
    gaps = torch.bincount(bin_of, weights=right.double() - confidence.double(), minlength=bins)
    return float(gaps.abs().sum() / len(right))


def test_confidence_is_calibrated(task, judged):
    right = judged.modes == task.test.modes
    error = expected_calibration_error(judged.confidence, right)
    assert error < 0.02
    plain = copy.copy(task.judge)
    plain.temperature = 1.0
    assert error < expected_calibration_error(Judged(plain, task.test.data).confidence, right)


def test_the_temperature_is_that_of_the_validation_split(task):
    assert task.judge.temperature == train_judges.temperature(task.judge.network, task.validation)


def test_one_pass_gives_the_same_as_several(task):
    data = task.test.data[:200]
    judged = task.judge.judge(data)
    assert torch.equal(judged.features, task.judge.features(data))
    assert torch.equal(judged.modes, task.judge.modes(data))
    assert ((judged.confidence > 0) & (judged.confidence <= 1)).all()


def test_noise_is_junk_and_held_out_data_are_not(task):
    noise = torch.randint(256, (1000, *task.shape), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    reference = Reference(task)
    assert junk(Evaluation(task, noise, reference))["junk"] > 0.5
    assert junk(Evaluation(task, task.validation.data, reference))["junk"] < 0.04  # at most 7 of the 197 digits


def test_features_are_finite_and_none_is_constant(task):
    features = task.judge.features(task.test.data[:600])
    assert features.shape == (600, json.loads(task.judge.metadata["network"])["features"])
    assert torch.isfinite(features).all()
    assert features.double().std(dim=0).min() > 1e-2


def test_features_and_classes_do_not_depend_on_the_batch(task):
    data = task.test.data[:50]
    together = task.judge.features(data)
    alone = torch.cat([task.judge.features(batch) for batch in data.split(7)])
    assert torch.allclose(together, alone, atol=1e-4)
    assert torch.equal(task.judge.modes(data), torch.cat([task.judge.modes(batch) for batch in data.split(1)]))


def test_a_judge_is_frozen_and_stays_itself(digits_task):
    judge, data = digits_task.judge, digits_task.test.data[:20]
    first = judge.features(data)
    assert not first.requires_grad
    assert torch.equal(judge.features(data), first)
    assert judge.to(torch.device("cpu")) is judge


@pytest.mark.parametrize(("channels", "side"), [(1, 8), (3, 8), (1, 28), (3, 32)])
def test_the_network_fits_every_image_size(channels, side):
    network = JudgeNetwork(channels, side, features=6, classes=4, width=2)
    assert network.trunk(torch.zeros(2, channels, side, side)).shape == (2, 6)
    assert network(torch.zeros(2, channels, side, side)).shape == (2, 4)


def test_the_judge_of_a_build_without_its_data_says_what_it_holds(name):
    """Its file has the accuracies that the training script found on the test split."""
    metadata, floors = ClassifierJudge.shipped(f"{name}-cnn").metadata, train_judges.FLOORS[name]
    assert float(metadata["test_accuracy"]) >= floors[""]
    for disturbance, accuracies in json.loads(metadata["robustness"]).items():
        assert accuracies[-1] >= floors[disturbance], disturbance
