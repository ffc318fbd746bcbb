"""A judge that needs no weights and has no classes: a fixed random network."""

from __future__ import annotations

import hashlib
import json
from typing import Self

import torch
from torch import Tensor, nn

from zoo.task import to_model


class RandomJudge:
    """A fixed random convolutional network: no weights to download, and no classes. Implements :class:`zoo.Judge`.

    Three 3x3 convolutions of stride 2 with ReLU, pooled to 2x2 and mapped to 64 features, all orthogonal. Its features
    depend on colour, contrast, texture and coarse layout, not on what is in the picture: they show which models' images
    look wrong, but do not measure meaning. Random embeddings for evaluation: Naeem et al. 2020.

    Args:
        channels: Image channels.
        seed: Seed of the weights; that of every other is in its name.
    """

    NAME = "random-conv"
    WIDTHS = (32, 64, 128)
    FEATURES = 64

    def __init__(self, channels: int, seed: int = 0) -> None:
        self.name = f"{self.NAME}-{seed}" if seed else self.NAME
        definition = json.dumps([self.name, 1, channels, self.WIDTHS, self.FEATURES])
        self.sha256 = hashlib.sha256(definition.encode()).hexdigest()
        generator = torch.Generator().manual_seed(seed)
        layers: list[nn.Module] = []
        with torch.random.fork_rng(devices=[]):
            for width in self.WIDTHS:
                layers += [nn.Conv2d(channels, width, 3, stride=2, padding=1), nn.ReLU()]
                channels = width
            layers += [nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(4 * channels, self.FEATURES)]
        self._network = nn.Sequential(*layers).eval().requires_grad_(False)
        for name, weight in self._network.named_parameters():
            if name.endswith("bias"):
                weight.zero_()
            else:
                nn.init.orthogonal_(weight, generator=generator).mul_(2**0.5)

    def to(self, device: torch.device) -> Self:
        """Move the network to a device."""
        self._network.to(device)
        return self

    @torch.inference_mode()
    def features(self, data: Tensor) -> Tensor:
        """Map uint8 images (N, C, H, W) to (N, 64)."""
        features: Tensor = self._network(to_model(data.to(next(self._network.parameters()).device)))
        return features

    def modes(self, data: Tensor) -> None:
        """Return None: it has no classes."""
