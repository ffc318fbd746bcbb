import torch

from zoo_bench.judges.classifier import ClassifierJudge
from zoo_bench.judges.stacked import StackedJudge


def test_stacked_channels_are_judged_together(digits_task):
    data = digits_task.test.data[:60].reshape(20, 3, 8, 8)
    stacked, grey = StackedJudge(digits_task.judge), digits_task.judge.judge(digits_task.test.data[:60])
    judged = stacked.judge(data)
    assert torch.equal(judged.features, stacked.features(data))
    assert torch.equal(judged.modes, stacked.modes(data))
    assert torch.allclose(judged.confidence, grey.confidence.reshape(20, 3).prod(1))


def test_wide_features_are_projected_to_96_by_an_orthogonal_map():
    judge = StackedJudge(ClassifierJudge.shipped("mnist-cnn"))
    images = torch.randint(0, 256, (5, 3, 28, 28), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    assert judge.features(images).shape == (5, 96)
    again = StackedJudge(ClassifierJudge.shipped("mnist-cnn"))
    assert torch.equal(judge.features(images), again.features(images))
    assert judge.sha256 == again.sha256
    projection = judge._projection
    assert torch.allclose(projection @ projection.T, torch.eye(96), atol=1e-5)
