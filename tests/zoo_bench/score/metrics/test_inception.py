"""FID as papers print it, against torch-fidelity on the same images as files."""

from collections import Counter
from typing import ClassVar

import pytest
import torch
from PIL import Image
from torch_fidelity import calculate_metrics

from zoo.evaluation import Evaluation, Reference
from zoo.registry import installed
from zoo.task import Split, Task
from zoo_bench.judges.random_conv import RandomJudge
from zoo_bench.score.metrics import inception
from zoo_bench.score.metrics.fid import fid
from zoo_bench.score.metrics.frechet import torch_fidelity_distance
from zoo_bench.score.metrics.inception import fid_inception, fid_inception_train
from zoo_bench.score.scoring import score

OURS = [entry for entry in installed().metrics if entry.spec.judge == "inception-v3-compat"]


class SmallNetwork:
    """Stands for Inception: sums of pixels over 2 x 2 places of each channel, of no common scale."""

    sha256, scale = "0", 1.0
    seen: ClassVar[Counter[str]]

    def __init__(self):
        self.seen["built"] += 1

    def to(self, device):
        return self

    def features(self, data):
        self.seen["images"] += len(data)
        colour = data.float().expand(-1, 3, -1, -1)
        pooled = torch.nn.functional.adaptive_avg_pool2d(colour, 2).flatten(1)
        return self.scale * pooled * torch.arange(1, 13)


@pytest.fixture
def small(monkeypatch, cache):
    """A small network in place of Inception, and an empty cache folder."""

    class Network(SmallNetwork):
        seen: ClassVar[Counter[str]] = Counter()

    monkeypatch.setattr(inception, "InceptionJudge", Network)
    return Network


def images(seed, n, channels=1, contrast=1.0):
    """Smooth images, (n, C, 8, 8)."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.randn(n, channels, 4, 4, generator=generator) * 50 * contrast + 128
    return torch.nn.functional.interpolate(coarse, (8, 8), mode="bilinear").clamp(0, 255).to(torch.uint8)


def task_of(train, test):
    judge = RandomJudge(train.shape[1])
    return Task(Split(train), Split(test), Split(test), judge, modes=0, samples=len(test))


@pytest.fixture
def evaluation():
    return Evaluation(task_of(images(0, 90), images(1, 70)), images(2, 80, contrast=1.3))


def write(folder, data):
    folder.mkdir()
    for i, image in enumerate(data):
        Image.fromarray(image.permute(1, 2, 0).squeeze(-1).numpy()).save(folder / f"{i:04}.png")
    return str(folder)


@pytest.mark.slow
@pytest.mark.parametrize("channels", [1, 3], ids=["grey", "colour"])
def test_both_are_those_of_torch_fidelity_on_the_same_images_as_files(
    channels, inception_weights, cache, tmp_path, monkeypatch
):
    monkeypatch.setenv("ZOO_INCEPTION", str(inception_weights))
    train, test, generated = (
        images(seed, n, channels, contrast) for seed, n, contrast in [(0, 70, 1), (1, 60, 1), (2, 65, 2)]
    )
    found = score(Evaluation(task_of(train, test), generated), OURS)
    assert found.errors == {}
    folder = write(tmp_path / "generated", generated)
    for column, data in {"fid_inception": test, "fid_inception_train": train}.items():
        theirs = calculate_metrics(
            input1=folder, input2=write(tmp_path / column, data), fid=True, feature_extractor="inception-v3-compat",
            feature_extractor_weights_path=str(inception_weights), cuda=torch.cuda.is_available(), save_cpu_ram=True,
            cache=False, verbose=False,
        )  # fmt: skip
        assert found.values[column] > 0.1
        assert found.values[column] == pytest.approx(theirs["frechet_inception_distance"], abs=1e-6)


def test_features_are_raw(small, evaluation):
    task, network = evaluation.task, small()
    features = [network.features(data).double() for data in (evaluation.generated, task.test.data, task.train.data)]
    found = score(evaluation, OURS).values
    assert found["fid_inception"] == pytest.approx(torch_fidelity_distance(features[0], features[1]), rel=1e-5)
    assert found["fid_inception_train"] == pytest.approx(torch_fidelity_distance(features[0], features[2]), rel=1e-5)
    small.scale, small.sha256 = 10.0, "1"
    larger = fid_inception(Evaluation(task, evaluation.generated))
    assert larger["fid_inception"] == pytest.approx(100 * found["fid_inception"], rel=1e-5)


def test_it_is_not_the_fid_of_standardised_features(small, evaluation):
    task = evaluation.task
    by_same_judge = Task(task.train, task.validation, task.test, small(), modes=0, samples=80)
    standardised = fid(Evaluation(by_same_judge, evaluation.generated))["fid"]
    assert fid_inception(evaluation)["fid_inception"] > 2 * standardised


def test_the_network_is_built_once_and_sees_every_image_once(small, evaluation):
    for _ in range(2):
        fid_inception(evaluation), fid_inception_train(evaluation)
    assert small.seen == {"built": 1, "images": 90 + 70 + 80}


def test_real_images_are_seen_once_on_a_machine(small, evaluation):
    first = score(evaluation, OURS).values
    small.seen.clear()
    task = evaluation.task
    assert score(Evaluation(task, evaluation.generated, Reference(task)), OURS).values == first
    assert small.seen == {"built": 1, "images": 80}
    small.sha256 = "of other weights"
    fid_inception(Evaluation(task, evaluation.generated))
    assert small.seen["images"] == 80 + 80 + 70


def test_too_few_images_are_refused_in_one_sentence(small, evaluation):
    few = score(Evaluation(evaluation.task, evaluation.generated[:1]), OURS)
    assert set(few.errors.values()) == {"2 generated items are needed, there are 1"}


def test_absent_weights_are_the_error_of_the_metric(evaluation, tmp_path, monkeypatch):
    monkeypatch.setenv("ZOO_INCEPTION", str(tmp_path / "absent.pth"))
    found = score(evaluation, OURS)
    assert found.errors.keys() == {"fid-inception", "fid-inception-train"}
    assert all("absent.pth', which is no file" in sentence for sentence in found.errors.values())
    assert (found.values, found.traceback) == ({}, "")


def test_they_are_on_request_and_never_headlines():
    assert {entry.spec.name: entry.spec.on_request for entry in OURS} == {
        "fid-inception": True,
        "fid-inception-train": True,
    }
    assert not any(column.headline for entry in OURS for column in entry.spec.columns)
