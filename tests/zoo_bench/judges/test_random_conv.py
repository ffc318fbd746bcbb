"""The judge of random convolutions."""

import dataclasses

import pytest
import torch

from zoo.evaluation import Evaluation
from zoo_bench.data.sets.digits import digits
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
