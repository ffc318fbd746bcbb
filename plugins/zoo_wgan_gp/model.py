"""WGAN-GP (Gulrajani et al. 2017): a Wasserstein critic with a gradient penalty, five steps to the generator's one."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

import zoo
from zoo.nn import (
    POINTS_HIDDEN,
    ResNetDiscriminator,
    ResNetGenerator,
    append_labels,
    decoder,
    default_width,
    encoder,
    gradient_penalty,
    project,
)


class WGANGPConfig(zoo.LatentConfig, zoo.ConditionalConfig):
    """Settings of WGAN-GP; on 2-D points penalty 0.1 and batch 256 as in the paper's toy experiments.

    The preset "toy" has their networks too, "resnet" is the paper's for CIFAR-10 (appendix C), with its schedule and a
    generator batch that is twice the critic's.
    """

    tuned: ClassVar = {
        "points": {"lr": 1.67e-3, "penalty": 0.687},
        "small": {"lr": 9.56e-3, "penalty": 1.9},
        "grey": {"lr": 2.5e-3, "penalty": 8.31},
        "colour": {"lr": 1.24e-3, "betas": (0.5, 0.999), "penalty": 0.428},
        "large": {"lr": 2.5e-3, "penalty": 8.31},
    }

    named_presets: ClassVar = {
        "toy": {"hidden": (512, 512, 512)},
        "resnet": {
            "lr": 2e-4, "betas": (0.0, 0.9), "schedule": "linear", "width": 128, "generator_batches": 2,
        },
    }  # fmt: skip

    search: ClassVar = {**zoo.COMMON_SEARCH, "penalty": zoo.Range(0.1, 100.0), "critic_steps": (1, 5)}

    preset: Literal["tuned", "paper", "toy", "resnet"] = Field(
        "tuned", description="Settings: tuned, the paper's with these networks, or the paper's with its own"
    )
    z_dim: int = Field(128, ge=1, description="Dimensions of the latent, N(0, I)")
    lr: float = Field(1e-4, gt=0, description="Adam's learning rate, both players")
    betas: zoo.Betas = Field((0.5, 0.9), description="Adam's decay rates, both players")
    width: int = Field(64, ge=1, description="Channels at half the image's side, doubled at each half; all of a ResNet")
    hidden: tuple[int, ...] = Field(POINTS_HIDDEN, description="Hidden widths of both networks on points")
    generator_batches: int = Field(1, ge=1, description="Size of the generator's batch, in batches")
    critic_steps: int = Field(5, ge=1, description="Critic steps per generator step")
    penalty: float = Field(10.0, ge=0, description="Weight lambda of the gradient penalty")

    @classmethod
    def shape_defaults(cls, shape: tuple[int, ...]) -> dict[str, Any]:
        """See the base class."""
        return {"width": default_width(shape)} if len(shape) == 3 else {"z_dim": 2, "batch_size": 256, "penalty": 0.1}


class WGANGP(zoo.GenerativeModel):
    """The critic has no batch normalisation: the penalty is defined per sample (section 4 of the paper)."""

    Config = WGANGPConfig

    def __init__(self, shape: tuple[int, ...], config: WGANGPConfig) -> None:
        super().__init__(shape, config)
        if config.preset == "toy" and len(shape) == 3:
            raise zoo.ZooError("preset=toy has networks for points: images take preset=paper or preset=resnet")
        z_dim, outputs = config.z_dim + config.classes, 1 + config.classes
        if config.preset == "resnet":
            self.generator = nn.Sequential(ResNetGenerator(z_dim, shape, config.width), nn.Tanh())
            self.critic: nn.Module = ResNetDiscriminator(shape, config.width, outputs=outputs, pooling="mean")
            return
        output = nn.Tanh() if len(shape) == 3 else nn.Identity()
        self.generator = nn.Sequential(decoder(z_dim, shape, config.width, hidden=config.hidden), output)
        self.critic = encoder(shape, outputs, config.width, hidden=config.hidden)

    def players(self) -> list[zoo.Player]:
        """See the base class."""
        adam = zoo.Adam(self.config.lr, self.config.betas)
        return [
            zoo.Player("generator", self.generator, self.generator_loss, adam, every=self.config.critic_steps),
            zoo.Player("critic", self.critic, self.critic_loss, adam),
        ]

    def generator_loss(self, turn: zoo.Turn) -> Tensor:
        """Minus the critic's mean on fakes, of which a batch is kept for the critic."""
        times = self.config.generator_batches
        labels = turn.labels_for(times * turn.size)
        fake = self.decode(self.latent(times * turn.size), labels)
        turn.kept["fake"] = fake[: turn.size]
        return -self.scores(fake, labels).mean()

    def critic_loss(self, turn: zoo.Turn) -> Tensor:
        """Equation 3 of the paper, loss and penalty in one step."""
        fake = turn.recall("fake", lambda: self.sample(turn.size, turn.labels))
        labels = turn.labels_for(2 * turn.size)
        on_real, on_fake = self.scores(torch.cat([turn.real, fake]), labels).chunk(2)
        penalty = gradient_penalty(lambda x: self.scores(x, turn.labels), turn.real, fake)
        return on_fake.mean() - on_real.mean() + self.config.penalty * penalty

    def scores(self, x: Tensor, labels: Tensor | None) -> Tensor:
        """Judge a batch (N, ...): (N,); of a conditional model this is a projection critic."""
        return project(self.critic(x), labels)

    def decode(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Generate items from latents (N, z_dim), and from classes if it is conditional."""
        return self.generator(append_labels(z, labels, self.config.classes))

    def sample(self, n: int, labels: Tensor | None = None) -> Tensor:
        """See the base class."""
        return self.decode(self.latent(n), labels)
