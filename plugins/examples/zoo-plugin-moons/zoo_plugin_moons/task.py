"""Two moons from scikit-learn, and a judge that knows the curves behind them."""

from __future__ import annotations

import hashlib
import json
from typing import Self

import torch
from sklearn.datasets import make_moons
from torch import Tensor

import zoo

NOISE_STD = 0.05
TRAIN, VALIDATION, TEST, SAMPLES = 50_000, 2_500, 10_000, 2_500
ANCHORS_PER_MOON = 16
BANDWIDTH = 0.2
"""Standard deviation of the radial basis functions."""


def draw(n: int, seed: int) -> zoo.Split:
    """Draw ``n`` points, (n, 2) float32, and the moon of each."""
    points, moons = make_moons(n, noise=NOISE_STD, random_state=seed)
    return zoo.Split(torch.from_numpy(points).float(), torch.from_numpy(moons).long())


class MoonsJudge:
    """Features are radial basis functions at anchors along both moons; the mode is the moon of the nearest anchor.

    Implements :class:`zoo.Judge`.
    """

    def __init__(self) -> None:
        points, moons = make_moons(2 * ANCHORS_PER_MOON, shuffle=False)
        self.name = "moons-rbf"
        definition = json.dumps([self.name, ANCHORS_PER_MOON, BANDWIDTH, NOISE_STD])
        self.sha256 = hashlib.sha256(definition.encode()).hexdigest()
        self._anchors, self._moons = torch.from_numpy(points), torch.from_numpy(moons).long()

    def to(self, device: torch.device) -> Self:
        """Stay on the CPU: points are few and small."""
        return self

    def features(self, data: Tensor) -> Tensor:
        """Map points (N, 2) to (N, 32)."""
        return torch.exp(-0.5 * (self._distances(data) / BANDWIDTH) ** 2)

    def modes(self, data: Tensor) -> Tensor:
        """Map points (N, 2) to their moon, (N,) int64."""
        return self._moons[self._distances(data).argmin(1)]

    def _distances(self, data: Tensor) -> Tensor:
        return torch.cdist(data.cpu().double(), self._anchors)


def moons() -> zoo.Task:
    """Load the task: every split is drawn with a seed of its own."""
    train, validation, test = (draw(n, seed) for seed, n in enumerate((TRAIN, VALIDATION, TEST)))
    return zoo.Task(train, validation, test, MoonsJudge(), modes=2, samples=SAMPLES)
