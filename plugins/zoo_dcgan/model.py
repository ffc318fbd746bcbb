"""DCGAN (Radford et al. 2016): the non-saturating loss with convolutions and batch normalisation."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

import zoo
from zoo.nn import ConvEncoder, ConvGenerator, append_labels, default_width, project


class DCGANConfig(zoo.LatentConfig, zoo.ConditionalConfig):
    """Settings of DCGAN.

    The preset "paper" has the paper's, but a batch of 64 instead of 128, a normal latent instead of a uniform one, and
    by default half of its generator's channels.
    """

    tuned: ClassVar = {
        "small": {"lr": 1e-3, "betas": (0.0, 0.9)},
        "grey": {"lr": 4.43e-4, "betas": (0.0, 0.9)},
        "colour": {"lr": 5.06e-4, "betas": (0.0, 0.9)},
        "large": {"lr": 4.43e-4, "betas": (0.0, 0.9)},
    }

    search: ClassVar = zoo.COMMON_SEARCH  # and no steps of the discriminator: it has one, as in the paper

    preset: Literal["tuned", "paper"] = Field("tuned", description="Settings: tuned, or the paper's")
    lr: float = Field(2e-4, gt=0, description="Adam's learning rate, both players")
    betas: zoo.Betas = Field((0.5, 0.999), description="Adam's decay rates, both players")
    width: int = Field(64, ge=1, description="Channels at half the image's side; doubled whenever the side halves")

    @classmethod
    def shape_defaults(cls, shape: tuple[int, ...]) -> dict[str, Any]:
        """See the base class."""
        return {"width": default_width(shape)}


class DCGAN(zoo.GenerativeModel):
    """Losses of the original GAN; the networks of sections 3 and 4 of the paper."""

    Config = DCGANConfig

    def __init__(self, shape: tuple[int, ...], config: DCGANConfig) -> None:
        super().__init__(shape, config)
        self.generator = nn.Sequential(ConvGenerator(config.z_dim + config.classes, shape, config.width), nn.Tanh())
        self.discriminator = ConvEncoder(shape, 1 + config.classes, config.width, norm="batch")

    def players(self) -> list[zoo.Player]:
        """See the base class."""
        adam = zoo.Adam(self.config.lr, self.config.betas)
        return [
            zoo.Player("generator", self.generator, self.generator_loss, adam),
            zoo.Player("discriminator", self.discriminator, self.discriminator_loss, adam),
        ]

    def generator_loss(self, turn: zoo.Turn) -> Tensor:
        """Non-saturating loss; the fakes are kept for the discriminator."""
        fake = turn.kept["fake"] = self.decode(self.latent(turn.size), turn.labels)
        return F.softplus(-self.logits(fake, turn.labels)).mean()

    def discriminator_loss(self, turn: zoo.Turn) -> Tensor:
        """Binary cross-entropy on logits; real and fake batches apart, so that each has its own batch statistics."""
        fake = turn.kept["fake"].detach()
        on_real, on_fake = self.logits(turn.real, turn.labels), self.logits(fake, turn.labels)
        return F.softplus(-on_real).mean() + F.softplus(on_fake).mean()

    def logits(self, x: Tensor, labels: Tensor | None) -> Tensor:
        """Judge a batch (N, ...): (N,); of a conditional model this is a projection discriminator."""
        return project(self.discriminator(x), labels)

    def decode(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Generate items from latents (N, z_dim), and from classes if it is conditional."""
        return self.generator(append_labels(z, labels, self.config.classes))

    def sample(self, n: int, labels: Tensor | None = None) -> Tensor:
        """See the base class."""
        return self.decode(self.latent(n), labels)
