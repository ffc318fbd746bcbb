"""A least-squares GAN (Mao et al. 2017), to start from."""

from __future__ import annotations

from typing import Any

from pydantic import Field
from torch import Tensor, nn

import zoo
from zoo.nn import append_labels, decoder, default_width, encoder, project


class MyModelConfig(zoo.LatentConfig, zoo.ConditionalConfig):
    """Settings of MyModel. Without the second base class, and what is about labels below, it cannot be given any."""

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
        self.generator = nn.Sequential(decoder(config.z_dim + config.classes, shape, config.width), output)
        self.discriminator = encoder(shape, 1 + config.classes, config.width, norm="batch")

    def players(self) -> list[zoo.Player]:
        """Return the players in the order in which they move."""
        adam = zoo.Adam(self.config.lr, betas=(0.5, 0.999))
        return [
            zoo.Player("generator", self.generator, self.generator_loss, adam),
            zoo.Player("discriminator", self.discriminator, self.discriminator_loss, adam),
        ]

    def generator_loss(self, turn: zoo.Turn) -> Tensor:
        """Pull the fakes towards 1, and keep them for the discriminator."""
        fake = turn.kept["fake"] = self.sample(turn.size, turn.labels)
        return ((self.judge(fake, turn.labels) - 1.0) ** 2).mean()

    def discriminator_loss(self, turn: zoo.Turn) -> Tensor:
        """Pull real items towards 1 and fakes towards 0."""
        fake = turn.kept["fake"].detach()
        on_real, on_fake = self.judge(turn.real, turn.labels), self.judge(fake, turn.labels)
        return ((on_real - 1.0) ** 2).mean() + (on_fake**2).mean()

    def judge(self, x: Tensor, labels: Tensor | None) -> Tensor:
        """Return how real items (N, ...) look, as items of their class if they have labels: (N,)."""
        return project(self.discriminator(x), labels)

    def sample(self, n: int, labels: Tensor | None = None) -> Tensor:
        """Draw n items, of these classes if it is given labels."""
        return self.generator(append_labels(self.latent(n), labels, self.config.classes))
