"""The judge of stacked digits: three grey images as one colour image."""

from __future__ import annotations

import hashlib
from typing import Self

import torch
from torch import Tensor, nn

from zoo.task import Judgement, Split
from zoo_bench.judges.classifier import ClassifierJudge


class StackedJudge:
    """A judge of grey images applied to each of three colour channels. Implements :class:`zoo.Judge`.

    The mode of an image is 100 a + 10 b + c of its channels' classes, red first (Metz et al. 2017). Features are those
    of the three channels, concatenated; more than 96 are projected to 96 by a fixed orthogonal map.
    """

    WIDTH = 96

    def __init__(self, grey: ClassifierJudge) -> None:
        self._grey = grey
        self.name = f"stacked-{grey.name}"
        self.sha256 = hashlib.sha256(f"{self.name}:{self.WIDTH}:{grey.sha256}".encode()).hexdigest()
        self._projection: Tensor | None = None

    def to(self, device: torch.device) -> Self:
        """Move the grey judge to a device."""
        self._grey.to(device)
        return self

    def features(self, data: Tensor) -> Tensor:
        """Map uint8 images (N, 3, H, W) to (N, at most 96)."""
        return self._projected(self._grey.features(self._channels(data)).reshape(len(data), -1))

    def modes(self, data: Tensor) -> Tensor:
        """Map uint8 images (N, 3, H, W) to 0 ... 999, (N,) int64."""
        return self._triple(self._grey.modes(self._channels(data)))

    def judge(self, data: Tensor) -> Judgement:
        """Map uint8 images to features, modes and the product of their channels' confidences, in one pass."""
        judgement = self._grey.judge(self._channels(data))
        confidence = judgement.confidence.reshape(-1, 3).prod(dim=1)
        features = self._projected(judgement.features.reshape(len(data), -1))
        return Judgement(features, self._triple(judgement.modes), confidence)

    @classmethod
    def grey(cls, split: Split) -> Split:
        """Return the channels of a split's images as grey images, (3 N, 1, H, W), with the class of each if known."""
        modes = split.modes
        digits = None if modes is None else torch.stack([modes // 100, modes // 10 % 10, modes % 10], dim=1).flatten()
        return Split(cls._channels(split.data), digits)

    @staticmethod
    def _channels(data: Tensor) -> Tensor:
        return data.flatten(0, 1).unsqueeze(1)

    @staticmethod
    def _triple(digits: Tensor) -> Tensor:
        return digits.reshape(-1, 3) @ torch.tensor([100, 10, 1], device=digits.device)

    def _projected(self, features: Tensor) -> Tensor:
        if features.shape[1] <= self.WIDTH:
            return features
        if self._projection is None:
            generator = torch.Generator().manual_seed(0)
            self._projection = nn.init.orthogonal_(torch.empty(self.WIDTH, features.shape[1]), generator=generator)
        return features @ self._projection.T.to(features.device)
