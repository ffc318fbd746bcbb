"""A least-squares GAN (Mao et al. 2017), to start from."""

from __future__ import annotations

from typing import Any

from pydantic import Field
from torch import Tensor, nn

import zoo
from zoo.nn import decoder, default_width, encoder


class MyModelConfig(zoo.LatentConfig):
    """Settings of MyModel."""

    lr: float = Field(2e-4, gt=0, description="Adam's learning rate, both players")
    width: int = Field(64, ge=1, description="Channels at half the image's side; doubled whenever the side halves")

    @classmethod
    def shape_defaults(cls, shape: tuple[int, ...]) -> dict[str, Any]:
        """Return the defaults that differ for items of this shape."""
        return {"width": default_width(shape)} if len(shape) == 3 else {"z_dim": 2, "batch_size": 256, "lr": 1e-3}


class MyModel(zoo.GenerativeModel):
    """The discriminator regresses real items to 1 and fakes to 0; the generator moves its fakes towards 1."""

    Config = MyModelConfig

    def __init__(self, shape: tuple[int, ...], config: MyModelConfig) -> None:
        super().__init__(shape, config)
        output = nn.Tanh() if len(shape) == 3 else nn.Identity()
        self.generator = nn.Sequential(decoder(config.z_dim, shape, config.width), output)
        self.discriminator = encoder(shape, 1, config.width, norm="batch")

    def players(self) -> list[zoo.Player]:
        """Return the players in the order in which they move."""
        adam = zoo.Adam(self.config.lr, betas=(0.5, 0.999))
        return [
            zoo.Player("generator", self.generator, self.generator_loss, adam),
            zoo.Player("discriminator", self.discriminator, self.discriminator_loss, adam),
        ]

    def generator_loss(self, turn: zoo.Turn) -> Tensor:
        """Pull the fakes towards 1, and keep them for the discriminator."""
        fake = turn.kept["fake"] = self.generator(self.latent(turn.size))
        return ((self.discriminator(fake) - 1.0) ** 2).mean()

    def discriminator_loss(self, turn: zoo.Turn) -> Tensor:
        """Pull real items towards 1 and fakes towards 0."""
        fake = turn.kept["fake"].detach()
        return ((self.discriminator(turn.real) - 1.0) ** 2).mean() + (self.discriminator(fake) ** 2).mean()

    def sample(self, n: int) -> Tensor:
        """Draw n items."""
        return self.generator(self.latent(n))
