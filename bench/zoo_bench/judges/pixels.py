"""A judge that is no network: the principal components of the pixels."""

from __future__ import annotations

import hashlib
import json
from typing import Self

import torch
from torch import Tensor

from zoo.evaluation import digest
from zoo.task import to_model


class PixelJudge:
    """The first principal components of training images. Implements :class:`zoo.Judge`.

    It sees where ink and grain are and knows nothing of meaning, so that whoever fits a network's features does not
    thereby fit these. There are 32, or as many as images have values, or one less than there are items.

    Args:
        training: Stored training images, (N, C, H, W) uint8, N >= 2; of more than 5,000 as many are drawn.
    """

    NAME = "pixels"
    COMPONENTS = 32
    ITEMS = 5000
    POWER_ITERATIONS = 4

    def __init__(self, training: Tensor) -> None:
        if len(training) > self.ITEMS:  # data may be in order, so they are drawn from everywhere
            order = torch.randperm(len(training), generator=torch.Generator().manual_seed(0))
            training = training[order[: self.ITEMS]]
        values = self._values(training)
        count = min(self.COMPONENTS, values.shape[1], len(values) - 1)
        self.name = f"{self.NAME}-{count}"
        definition = json.dumps([self.name, 1, digest(training), self.POWER_ITERATIONS])
        self.sha256 = hashlib.sha256(definition.encode()).hexdigest()
        self._mean = values.mean(dim=0)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            self._components = torch.svd_lowrank(
                values - self._mean, min(2 * count, *values.shape), self.POWER_ITERATIONS
            )[2][:, :count]

    def to(self, device: torch.device) -> Self:
        """Move the components to a device."""
        self._mean, self._components = self._mean.to(device), self._components.to(device)
        return self

    def features(self, data: Tensor) -> Tensor:
        """Map uint8 images (N, C, H, W) to their coordinates, (N, at most 32)."""
        return (self._values(data.to(self._mean.device)) - self._mean) @ self._components

    def modes(self, data: Tensor) -> None:
        """Return None: it has no classes."""

    @staticmethod
    def _values(data: Tensor) -> Tensor:
        return to_model(data).flatten(1)
