"""SN-GAN (Miyato et al. 2018): spectral normalisation of every weight of the discriminator, none in the generator."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

import zoo
from zoo.nn import ResNetDiscriminator, ResNetGenerator, append_labels, decoder, default_width, encoder, project


class SNGANConfig(zoo.LatentConfig, zoo.ConditionalConfig):
    """Settings of SN-GAN; "paper" has its setting C, one discriminator step and betas .5 and .999, with the hinge loss.

    The preset "resnet" is the paper's table 4 for 32 pixels, with its schedule; its generator has twice
    ``width`` channels.
    """

    tuned: ClassVar = {
        "points": {"lr": 5.06e-4, "betas": (0.0, 0.9), "discriminator_steps": 5},
        "small": {"lr": 4.2e-3, "betas": (0.0, 0.9), "discriminator_steps": 5},
        "grey": {"lr": 2.16e-3, "betas": (0.5, 0.9), "discriminator_steps": 5},
        "colour": {"lr": 2.05e-4, "betas": (0.5, 0.9)},
        "large": {"lr": 6.86e-4, "betas": (0.5, 0.9), "discriminator_steps": 5},
    }

    named_presets: ClassVar = {
        "resnet": {
            "betas": (0.0, 0.9), "discriminator_steps": 5, "schedule": "linear", "width": 128, "generator_batches": 2,
        },
    }  # fmt: skip

    search: ClassVar = {**zoo.COMMON_SEARCH, "discriminator_steps": (1, 5)}

    preset: Literal["tuned", "paper", "resnet"] = Field(
        "tuned", description="Settings: tuned, the paper's with these networks, or the paper's with its own"
    )
    z_dim: int = Field(128, ge=1, description="Dimensions of the latent, N(0, I)")
    lr: float = Field(2e-4, gt=0, description="Adam's learning rate, both players")
    betas: zoo.Betas = Field((0.5, 0.999), description="Adam's decay rates, both players")
    width: int = Field(64, ge=1, description="Channels at half the image's side, doubled at each half; all of a ResNet")
    generator_batches: int = Field(1, ge=1, description="Size of the generator's batch, in batches")
    discriminator_steps: int = Field(1, ge=1, description="Discriminator steps per generator step")
    loss: Literal["hinge", "non-saturating"] = Field("hinge", description="Equations 16 and 17, or the original GAN's")

    @classmethod
    def shape_defaults(cls, shape: tuple[int, ...]) -> dict[str, Any]:
        """See the base class."""
        return {"width": default_width(shape)} if len(shape) == 3 else {"z_dim": 2, "batch_size": 256}


class SNGAN(zoo.GenerativeModel):
    """Discriminator without batch normalisation; that of the CNN has leaky rectifiers of slope 0.1."""

    Config = SNGANConfig

    def __init__(self, shape: tuple[int, ...], config: SNGANConfig) -> None:
        super().__init__(shape, config)
        z_dim, outputs = config.z_dim + config.classes, 1 + config.classes
        if config.preset == "resnet":
            self.generator = nn.Sequential(ResNetGenerator(z_dim, shape, 2 * config.width), nn.Tanh())
            self.discriminator: nn.Module = ResNetDiscriminator(shape, config.width, outputs=outputs, spectral=True)
            return
        output = nn.Tanh() if len(shape) == 3 else nn.Identity()
        self.generator = nn.Sequential(decoder(z_dim, shape, config.width), output)
        self.discriminator = encoder(shape, outputs, config.width, norm="spectral", slope=0.1)

    def players(self) -> list[zoo.Player]:
        """See the base class."""
        adam, steps = zoo.Adam(self.config.lr, self.config.betas), self.config.discriminator_steps
        return [
            zoo.Player("generator", self.generator, self.generator_loss, adam, every=steps),
            zoo.Player("discriminator", self.discriminator, self.discriminator_loss, adam),
        ]

    def generator_loss(self, turn: zoo.Turn) -> Tensor:
        """Minus the mean logit (hinge) or sp(-D(G(z))); a batch of fakes is kept for the discriminator."""
        times = self.config.generator_batches
        labels = turn.labels_for(times * turn.size)
        fake = self.decode(self.latent(times * turn.size), labels)
        turn.kept["fake"] = fake[: turn.size]
        logit = self.logits(fake, labels)
        return -logit.mean() if self.config.loss == "hinge" else F.softplus(-logit).mean()

    def discriminator_loss(self, turn: zoo.Turn) -> Tensor:
        """Hinge or binary cross-entropy; one forward for both batches, hence one power iteration."""
        fake = turn.recall("fake", lambda: self.sample(turn.size, turn.labels))
        labels = turn.labels_for(2 * turn.size)
        on_real, on_fake = self.logits(torch.cat([turn.real, fake]), labels).chunk(2)
        if self.config.loss == "hinge":
            return F.relu(1.0 - on_real).mean() + F.relu(1.0 + on_fake).mean()
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
