"""The original GAN (Goodfellow et al. 2014): two perceptrons and the non-saturating loss."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

import zoo
from zoo.nn import mlp


class GANConfig(zoo.LatentConfig):
    """Settings of the original GAN; on 2-D points the perceptrons are small and the learning rate is higher."""

    lr: float = Field(2e-4, gt=0, description="Adam's learning rate, both players")
    betas: tuple[float, float] = Field((0.5, 0.999), description="Adam's decay rates, both players")
    generator_hidden: tuple[int, ...] = Field((128, 256, 512, 1024), description="Generator's hidden widths")
    discriminator_hidden: tuple[int, ...] = Field((512, 256), description="Discriminator's hidden widths")

    @classmethod
    def presets(cls, shape: tuple[int, ...]) -> dict[str, Any]:
        """See the base class."""
        if len(shape) == 3:
            return {}
        hidden = (128, 128, 128)
        return {"z_dim": 2, "batch_size": 256, "lr": 1e-3, "generator_hidden": hidden, "discriminator_hidden": hidden}


class GAN(zoo.GenerativeModel):
    """D minimises sp(-D(x)) + sp(D(G(z))), G minimises sp(-D(G(z))), with sp = softplus and D a logit."""

    Config = GANConfig

    def __init__(self, shape: tuple[int, ...], config: GANConfig) -> None:
        super().__init__(shape, config)
        size, leaky = math.prod(shape), partial(nn.LeakyReLU, 0.2)
        self.generator = mlp([config.z_dim, *config.generator_hidden, size], activation=leaky, norm_from=1)
        self.generator.append(nn.Unflatten(1, shape))
        if len(shape) == 3:
            self.generator.append(nn.Tanh())
        self.discriminator = nn.Sequential(
            nn.Flatten(), *mlp([size, *config.discriminator_hidden, 1], activation=leaky), nn.Flatten(0)
        )

    def players(self) -> list[zoo.Player]:
        """See the base class."""
        adam = zoo.Adam(self.config.lr, self.config.betas)
        return [
            zoo.Player("generator", self.generator, self.generator_loss, adam),
            zoo.Player("discriminator", self.discriminator, self.discriminator_loss, adam),
        ]

    def generator_loss(self, turn: zoo.Turn) -> Tensor:
        """Non-saturating loss, equation in section 3 of the paper; the fakes are kept for the discriminator."""
        fake = turn.kept["fake"] = self.generator(self.latent(turn.size))
        return F.softplus(-self.discriminator(fake)).mean()

    def discriminator_loss(self, turn: zoo.Turn) -> Tensor:
        """Binary cross-entropy on logits, equation 1."""
        fake = turn.kept["fake"].detach()
        return F.softplus(-self.discriminator(turn.real)).mean() + F.softplus(self.discriminator(fake)).mean()

    def sample(self, n: int) -> Tensor:
        """See the base class."""
        return self.generator(self.latent(n))
