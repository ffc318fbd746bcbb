"""WGAN-GP (Gulrajani et al. 2017): a Wasserstein critic with a gradient penalty, five steps to the generator's one."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

import zoo
from zoo.nn import ResNetDiscriminator, ResNetGenerator, decoder, default_width, encoder, gradient_penalty


class WGANGPConfig(zoo.LatentConfig):
    """Settings of WGAN-GP; on 2-D points the paper's toy setting: penalty 0.1 and batch 256.

    The preset "resnet" is the paper's for CIFAR-10 (appendix C), with its schedule.
    """

    named: ClassVar = {"resnet": {"lr": 2e-4, "betas": (0.0, 0.9), "schedule": "linear", "width": 128}}

    search: ClassVar = {
        "lr": zoo.Range(1e-5, 1e-2), "betas": ((0.0, 0.9), (0.5, 0.9), (0.5, 0.999)),
        "penalty": zoo.Range(0.1, 100.0), "critic_steps": (1, 5),
    }  # fmt: skip

    preset: Literal["cnn", "resnet"] = Field("cnn", description="Networks and settings of the paper")
    z_dim: int = Field(128, ge=1, description="Dimensions of the latent, N(0, I)")
    lr: float = Field(1e-4, gt=0, description="Adam's learning rate, both players")
    betas: tuple[float, float] = Field((0.5, 0.9), description="Adam's decay rates, both players")
    width: int = Field(64, ge=1, description="Channels at half the image's side, doubled at each half; all of a ResNet")
    critic_steps: int = Field(5, ge=1, description="Critic steps per generator step")
    penalty: float = Field(10.0, ge=0, description="Weight lambda of the gradient penalty")

    @classmethod
    def presets(cls, shape: tuple[int, ...]) -> dict[str, Any]:
        """See the base class."""
        return (
            {"width": default_width(shape)}
            if len(shape) == 3
            else {"z_dim": 2, "batch_size": 256, "lr": 1e-3, "penalty": 0.1}
        )


class WGANGP(zoo.GenerativeModel):
    """The critic has no batch normalisation: the penalty is defined per sample (section 4 of the paper)."""

    Config = WGANGPConfig

    def __init__(self, shape: tuple[int, ...], config: WGANGPConfig) -> None:
        super().__init__(shape, config)
        if config.preset == "resnet":
            self.generator = nn.Sequential(ResNetGenerator(config.z_dim, shape, config.width), nn.Tanh())
            self.critic: nn.Module = ResNetDiscriminator(shape, config.width, pooling="mean")
            return
        output = nn.Tanh() if len(shape) == 3 else nn.Identity()
        self.generator = nn.Sequential(decoder(config.z_dim, shape, config.width), output)
        self.critic = encoder(shape, 1, config.width)

    def players(self) -> list[zoo.Player]:
        """See the base class."""
        adam = zoo.Adam(self.config.lr, self.config.betas)
        return [
            zoo.Player("generator", self.generator, self.generator_loss, adam, every=self.config.critic_steps),
            zoo.Player("critic", self.critic, self.critic_loss, adam),
        ]

    def generator_loss(self, turn: zoo.Turn) -> Tensor:
        """Minus the critic's mean on fakes, which are kept for the critic."""
        fake = turn.kept["fake"] = self.generator(self.latent(turn.size))
        return -self.critic(fake).mean()

    def critic_loss(self, turn: zoo.Turn) -> Tensor:
        """Equation 3 of the paper, loss and penalty in one step."""
        fake = turn.recall("fake", lambda: self.sample(turn.size))
        on_real, on_fake = self.critic(torch.cat([turn.real, fake])).chunk(2)
        return on_fake.mean() - on_real.mean() + self.config.penalty * gradient_penalty(self.critic, turn.real, fake)

    def sample(self, n: int) -> Tensor:
        """See the base class."""
        return self.generator(self.latent(n))
