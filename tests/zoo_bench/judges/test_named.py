"""Judges that are chosen by name."""

import hashlib
import os

import pytest
import torch

import zoo
from zoo.errors import UnknownNameError
from zoo_bench.judges.inception import InceptionJudge
from zoo_bench.judges.named import judge_name, named_judge


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


def test_results_name_the_judge_of_the_task_or_another(digits_task):
    digits_cnn, random_conv = digits_task.judge, named_judge("", 1)
    assert judge_name("", digits_task) == f"{digits_cnn.name}@{digits_cnn.sha256[:8]}"
    assert judge_name("random-conv", digits_task) == f"random-conv@{random_conv.sha256[:8]}"


def test_a_judge_that_only_a_plugin_knows_is_just_named(digits_task):
    assert judge_name("somebodys-judge", digits_task) == "somebodys-judge"


def test_inception_is_named_by_its_weights_without_being_built(digits_task, tmp_path, monkeypatch):
    def named(content):
        path.write_bytes(content)
        os.utime(path, ns=(0, len(content)))
        return judge_name("inception-v3-compat", digits_task)

    path = tmp_path / "weights.pth"
    monkeypatch.setenv("ZOO_INCEPTION", str(path))
    monkeypatch.setattr(InceptionJudge, "__init__", lambda self: pytest.fail("it was built"))
    for content in (b"weights", b"other weights"):
        assert named(content) == f"inception-v3-compat@{hashlib.sha256(content).hexdigest()[:8]}"


def test_a_judge_without_its_weights_is_just_named(digits_task, root, monkeypatch):
    monkeypatch.delenv("ZOO_INCEPTION", raising=False)
    monkeypatch.setattr(torch.hub, "download_url_to_file", lambda *args, **kwargs: pytest.fail("it was downloaded"))
    assert judge_name("inception-v3-compat", digits_task) == "inception-v3-compat"
