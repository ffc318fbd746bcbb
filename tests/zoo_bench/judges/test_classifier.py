import copy
import hashlib
import json
from importlib.resources import files

import pytest
import torch
from safetensors import safe_open

from zoo.evaluation import Evaluation, Judged
from zoo.task import Mixture
from zoo_bench.data import train_judges as train_judge
from zoo_bench.data.sets import digits
from zoo_bench.judges.classifier import ClassifierJudge, JudgeNetwork
from zoo_bench.judges.mixture import MixtureJudge
from zoo_bench.judges.stacked import StackedJudge
from zoo_bench.score.metrics.corrected import junk

SHIPPED = {"digits": 0.97, "mnist": 0.97, "fashion-mnist": 0.9}


@pytest.fixture(params=SHIPPED)
def name(request):
    return request.param


@pytest.fixture
def task(name, request):
    """The task whose judge is examined; that of real MNIST only where the data are."""
    return request.getfixturevalue(f"{name.replace('-', '_')}_task")


def weights_file(name):
    return files("zoo_bench") / "judges" / "weights" / f"{name}-cnn.safetensors"


def test_every_shipped_judge_is_examined():
    shipped = {
        path.name
        for path in (files("zoo_bench") / "judges" / "weights").iterdir()
        if path.name.endswith(".safetensors")
    }
    assert shipped == {f"{name}-cnn.safetensors" for name in SHIPPED}


def test_a_judge_is_known_by_the_hash_of_its_file(name):
    content = weights_file(name).read_bytes()
    assert ClassifierJudge.shipped(f"{name}-cnn").sha256 == hashlib.sha256(content).hexdigest()


def test_a_judge_is_small(name):
    assert len(weights_file(name).read_bytes()) < 1_000_000
    with safe_open(str(weights_file(name)), "pt") as file:
        sizes = json.loads(file.metadata()["network"])
    assert sizes["features"] <= 128
    assert sizes["classes"] == 10


def test_a_judge_recognises_the_held_out_classes_as_well_as_its_file_says(name, task):
    found = torch.cat([task.judge.modes(batch) for batch in task.test.data.split(1000)])
    accuracy = float((found == task.test.modes).double().mean())
    assert accuracy > SHIPPED[name]
    assert f"{accuracy:.4f}" == task.judge.metadata["test_accuracy"]


def expected_calibration_error(confidence, right, bins=15):
    """Mean gap between confidence and accuracy over equally wide bins (Guo et al. 2017)."""
    bin_of = (confidence.double() * bins).long().clamp_max(bins - 1)
    gaps = torch.bincount(bin_of, weights=right.double() - confidence.double(), minlength=bins)
    return float(gaps.abs().sum() / len(right))


def test_confidence_is_calibrated(task):
    judged = Judged(task.judge, task.test.data)
    right = judged.modes == task.test.modes
    error = expected_calibration_error(judged.confidence, right)
    assert error < 0.02
    plain = copy.copy(task.judge)
    plain.temperature = 1.0
    assert error < expected_calibration_error(Judged(plain, task.test.data).confidence, right)


def test_the_temperature_is_that_of_the_validation_split(task):
    assert task.judge.temperature == train_judge.temperature(task.judge._network, task.validation)


def test_one_pass_gives_the_same_as_several(task):
    data = task.test.data[:200]
    judged = task.judge.judge(data)
    assert torch.equal(judged.features, task.judge.features(data))
    assert torch.equal(judged.modes, task.judge.modes(data))
    assert ((judged.confidence > 0) & (judged.confidence <= 1)).all()


def test_stacked_channels_are_judged_together(digits_task):
    data = digits_task.test.data[:60].reshape(20, 3, 8, 8)
    stacked, grey = StackedJudge(digits_task.judge), digits_task.judge.judge(digits_task.test.data[:60])
    judged = stacked.judge(data)
    assert torch.equal(judged.features, stacked.features(data))
    assert torch.equal(judged.modes, stacked.modes(data))
    assert torch.allclose(judged.confidence, grey.confidence.reshape(20, 3).prod(1))


def test_noise_is_junk_and_held_out_data_are_not(task):
    noise = torch.randint(256, (1000, *task.shape), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    assert junk(Evaluation(task, noise))["junk"] > 0.5
    assert junk(Evaluation(task, task.validation.data))["junk"] < 0.03


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


def test_the_training_script_repeats_itself_and_says_how_to_rebuild_the_network():
    recipe = train_judge.Recipe(digits.splits, shift=1, steps=40, features=5, width=4)
    (network, metadata), (again, _) = train_judge.train(recipe), train_judge.train(recipe)
    for key, weight in network.state_dict().items():
        assert torch.equal(weight, again.state_dict()[key]), key
    rebuilt = JudgeNetwork(**json.loads(metadata["network"]))
    rebuilt.load_state_dict(network.state_dict())
    assert metadata["test_accuracy"] == f"{train_judge.accuracy(rebuilt, digits.splits()[2]):.4f}"
    assert float(metadata["test_accuracy"]) > 0.2


def test_augmentation_moves_images_within_its_bounds():
    image = torch.full((1, 1, 8, 8), -1.0)
    image[0, 0, 4, 4] = 50.0
    torch.manual_seed(0)
    peaks = {int(train_judge.augment(image, shift=2).flatten().argmax()) for _ in range(200)}
    assert peaks == {8 * row + column for row in range(2, 7) for column in range(2, 7)}


@pytest.fixture
def square():
    """Four modes at the corners of a square of side 2."""
    return Mixture(torch.tensor([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]]), std=0.1)


def test_a_mixtures_features_peak_at_their_own_centre_and_vanish_at_the_others(square):
    features = MixtureJudge(square).features(square.centres)
    assert features.shape == (4, 4)
    assert torch.equal(features.diag(), torch.ones(4, dtype=torch.float64))
    # The nearest centre is four bandwidths away.
    assert (features - torch.eye(4)).max() == pytest.approx(torch.exp(torch.tensor(-8.0)).item())


def test_a_mixtures_features_fall_with_the_distance(square):
    along = square.centres[:1] + torch.tensor([[0.0, 0.0], [0.1, 0.0], [0.3, 0.0], [0.6, 0.0], [1.0, 0.0]])
    own = MixtureJudge(square).features(along)[:, 0]
    assert (own.diff() < 0).all()
    assert ((own > 0) & (own <= 1)).all()


def test_a_mixtures_modes_are_the_nearest_centres(square):
    points = square.centres.repeat(50, 1) + 0.3 * torch.randn(200, 2, generator=torch.Generator().manual_seed(0)).clamp(
        -3, 3
    )
    nearest = (points[:, None] - square.centres).square().sum(2).argmin(1)
    assert torch.equal(MixtureJudge(square).modes(points), nearest)


def test_a_mixtures_hash_changes_with_its_definition(square):
    moved = Mixture(square.centres + 1e-3, square.std)
    wider = Mixture(square.centres, 0.2)
    same = Mixture(square.centres.clone(), square.std)
    hashes = [MixtureJudge(mixture).sha256 for mixture in (square, moved, wider)]
    assert len(set(hashes)) == 3
    assert MixtureJudge(same).sha256 == hashes[0]


def test_mixture_tasks_are_recognised_without_mistakes(ring8_task, grid25_task):
    for task in (ring8_task, grid25_task):
        assert torch.equal(task.judge.modes(task.test.data), task.test.modes)
        assert task.judge.features(task.test.data).std(dim=0).min() > 0.05
