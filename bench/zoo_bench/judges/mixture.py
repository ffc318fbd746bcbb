"""The judge of a known mixture of Gaussians."""

from __future__ import annotations

import hashlib
import json
from typing import Self

import torch
from torch import Tensor

from zoo.task import Mixture


class MixtureJudge:
    """The judge of a known mixture of Gaussians. Implements :class:`zoo.Judge`.

    Its features are one radial basis function per component, exp(-|x - c|^2 / (2 h^2)) with h a quarter of the smallest
    distance between centres, so that the Fréchet distance depends on modes and not only on the overall mean and
    covariance.
    """

    def __init__(self, mixture: Mixture) -> None:
        self.name = "mixture-rbf"
        self._centres = mixture.centres.double()
        self._bandwidth = float(torch.pdist(self._centres).min()) / 4
        definition = json.dumps([self.name, self._centres.tolist(), mixture.std, self._bandwidth])
        self.sha256 = hashlib.sha256(definition.encode()).hexdigest()

    def to(self, device: torch.device) -> Self:
        """Return the judge unchanged, on the CPU: points are few and small."""
        return self

    def features(self, data: Tensor) -> Tensor:
        """Map points (N, D) to (N, K)."""
        distances = torch.cdist(data.cpu().double(), self._centres)
        return torch.exp(-0.5 * (distances / self._bandwidth) ** 2)

    def modes(self, data: Tensor) -> Tensor:
        """Map points to their nearest component, (N,) int64."""
        return torch.cdist(data.cpu().double(), self._centres).argmin(1)
