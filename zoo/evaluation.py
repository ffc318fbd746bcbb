"""What a metric sees: generated items, real items, and what is shared between metrics, computed once."""

from __future__ import annotations

from functools import cached_property

import torch
from torch import Tensor

from zoo.distances import nearest
from zoo.errors import ZooError
from zoo.task import Task

BATCH = 1024


class Evaluation:
    """Generated items beside the task's test split.

    Features are float64 on the CPU and standardised by the mean and standard deviation of the real features, so that
    no metric depends on the scale that a judge happens to have.

    Attributes:
        task: The task.
        generated: Images (M, C, H, W) uint8, or points (M, D) float32.
        real: The test split's items.
    """

    def __init__(self, task: Task, generated: Tensor) -> None:
        self.task = task
        self.generated = generated
        self.real = task.test.data

    @cached_property
    def _raw_real_features(self) -> Tensor:
        return self._features(self.real)

    @cached_property
    def features_real(self) -> Tensor:
        """Standardised features of the test split, (N, F) float64."""
        return self._standardise(self._raw_real_features)

    @cached_property
    def features_generated(self) -> Tensor:
        """Features of the generated items in the same units, (M, F) float64."""
        return self._standardise(self._features(self.generated))

    @cached_property
    def features_train(self) -> Tensor:
        """Features of the training split in the same units, (T, F) float64."""
        return self._standardise(self._features(self.task.train.data))

    @cached_property
    def nearest_train(self) -> tuple[Tensor, Tensor]:
        """The nearest training item of every generated item: its distance, (M,) float64, and its index, (M,) int64."""
        distances, indices = nearest(self.features_generated, self.features_train)
        return distances[:, 0], indices[:, 0]

    @cached_property
    def modes_real(self) -> Tensor:
        """True modes of the test split, (N,) int64."""
        if self.task.test.modes is None:
            raise ZooError("the task's test split has no labels")
        return self.task.test.modes

    @cached_property
    def modes_generated(self) -> Tensor:
        """Modes of the generated items as the judge sees them, (M,) int64."""
        found = [self.task.judge.modes(batch) for batch in self.generated.split(BATCH)]
        if any(modes is None for modes in found):
            raise ZooError(f"judge {self.task.judge.name!r} knows no modes")
        return torch.cat([modes for modes in found if modes is not None]).cpu()

    def _features(self, data: Tensor) -> Tensor:
        return torch.cat([self.task.judge.features(batch).cpu().double() for batch in data.split(BATCH)])

    def _standardise(self, features: Tensor) -> Tensor:
        std, mean = torch.std_mean(self._raw_real_features, dim=0)
        return (features - mean) / torch.where(std > 0, std, torch.ones_like(std))
