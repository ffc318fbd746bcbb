"""An evaluation of given features, and random features to give it."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from zoo.evaluation import Evaluation
from zoo.task import Split, Task


class PassThrough:
    """A judge whose features are the data."""

    name = "pass-through"
    sha256 = "0"

    def to(self, device: torch.device) -> PassThrough:
        return self

    def features(self, data: Tensor) -> Tensor:
        return data

    def modes(self, data: Tensor) -> Tensor:
        return (data[:, 0] > 0).long()


def evaluation_of(training: Tensor, real: Tensor, generated: Tensor) -> Evaluation:
    judge = PassThrough()
    splits = [Split(data, judge.modes(data)) for data in (training, real, real)]
    return Evaluation(Task(*splits, judge, modes=2, samples=len(generated)), generated)


def random_features(seed: int, n: int = 400, d: int = 12, shift: float = 0.0) -> Tensor:
    """Correlated, skewed and of full rank: (n, d) float64, one distribution per d."""
    mixing = torch.randn(d, d, generator=torch.Generator().manual_seed(d), dtype=torch.float64) / d**0.5
    noise = torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) @ mixing
    return noise + 0.2 * noise.relu() + shift


@pytest.fixture(scope="session")
def evaluate():
    return evaluation_of


@pytest.fixture(scope="session")
def draw():
    return random_features
