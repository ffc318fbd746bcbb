"""The original GAN (Goodfellow et al. 2014): two perceptrons and the non-saturating loss.

Remedies against collapse are settings, each off by default and switched on alone: ``packing``, ``r1``, ``r2``,
``gradient_penalty``, ``spectral_norm``, ``discriminator_lr``, and for every model ``schedule`` and ``ema``.
"""

from __future__ import annotations

import math
from functools import partial
from typing import Any, ClassVar, Literal, Self

import torch.nn.functional as F
from pydantic import Field, model_validator
from torch import Tensor, nn

import zoo
from zoo.nn import (
    Maxout,
    add_spectral_norm,
    append_labels,
    dcgan_init,
    gradient_penalty,
    mlp,
    pack,
    zero_centred_penalty,
)


class GANConfig(zoo.LatentConfig, zoo.ConditionalConfig):
    """Settings of the original GAN; on 2-D points the perceptrons are small.

    The preset "dcgan-era" has what public code took from DCGAN (Adam's settings, batch normalisation, leaky rectifiers:
    the paper has none of them), "pacgan" the GAN of Lin et al. 2018 on mixtures of Gaussians, whose results are
    published. A batch makes ``batch_size / packing`` packs.
    """

    tuned: ClassVar[Any] = {
        kind: {"lr": lr, "betas": (0.0, 0.9)}
        for kind, lr in {"points": 1e-3, "small": 5.06e-4, "grey": 4.43e-4, "colour": 4.43e-4, "large": 5.06e-4}.items()
    }

    named_presets: ClassVar = {
        "pacgan": {"z_dim": 2, "batch_size": 100, "lr": 1e-4, "betas": (0.8, 0.999), "generator_hidden": (400,) * 4,
                   "discriminator_hidden": (200,) * 3},
    }  # fmt: skip

    search: ClassVar = zoo.COMMON_SEARCH  # and no steps of the discriminator: it has one, as in the paper

    preset: Literal["tuned", "dcgan-era", "pacgan"] = Field("tuned", description="Settings: tuned, or others by name")
    lr: float = Field(2e-4, gt=0, description="Adam's learning rate, both players")
    discriminator_lr: float | None = Field(None, gt=0, description="The discriminator's, if it differs (TTUR)")
    betas: zoo.Betas = Field((0.5, 0.999), description="Adam's decay rates, both players")
    generator_hidden: tuple[int, ...] = Field((128, 256, 512, 1024), description="Generator's hidden widths")
    discriminator_hidden: tuple[int, ...] = Field((512, 256), description="Discriminator's hidden widths")
    batch_norm: bool = Field(True, description="Batch normalisation in the generator")
    spectral_norm: bool = Field(False, description="Spectral normalisation of the discriminator (Miyato et al. 2018)")
    packing: int = Field(1, ge=1, le=4, description="Samples that the discriminator sees at once (PacGAN)")
    r1: float = Field(0.0, ge=0, description="Weight gamma of R1, on real items (Mescheder et al. 2018)")
    r2: float = Field(0.0, ge=0, description="Weight gamma of R2, on generated items")
    gradient_penalty: float = Field(0.0, ge=0, description="Weight lambda of WGAN-GP's penalty")

    @classmethod
    def shape_defaults(cls, shape: tuple[int, ...]) -> dict[str, Any]:
        """See the base class."""
        points = {"z_dim": 2, "batch_size": 256, "generator_hidden": (128,) * 3, "discriminator_hidden": (128,) * 3}
        return {} if len(shape) == 3 else points

    @model_validator(mode="after")
    def _packs_fit(self) -> Self:
        if self.batch_size % self.packing:
            raise ValueError(f"batch_size must be a multiple of packing, got {self.batch_size} and {self.packing}")
        return self


class GAN(zoo.GenerativeModel):
    """D minimises sp(-D(x)) + sp(D(G(z))), G minimises sp(-D(G(z))), with sp = softplus and D a logit."""

    Config = GANConfig

    def __init__(self, shape: tuple[int, ...], config: GANConfig) -> None:
        super().__init__(shape, config)
        size, leaky = math.prod(shape), partial(nn.LeakyReLU, 0.2)
        pack_size = config.packing * (size + config.classes)
        sizes = (
            [config.z_dim + config.classes, *config.generator_hidden, size],
            [pack_size, *config.discriminator_hidden, 1],
        )
        if config.preset == "pacgan":
            self.generator = mlp(sizes[0], norm_from=0 if config.batch_norm else None)
            layers = mlp(sizes[1], activation=nn.Identity, layer=partial(Maxout, pieces=5))
        else:
            self.generator = mlp(sizes[0], activation=leaky, norm_from=1 if config.batch_norm else None)
            layers = mlp(sizes[1], activation=leaky)
        self.generator.append(nn.Unflatten(1, shape))
        if len(shape) == 3:
            self.generator.append(nn.Tanh())
        self.discriminator = nn.Sequential(nn.Flatten(), *layers, nn.Flatten(0))
        if config.preset == "pacgan":
            self.apply(dcgan_init)
        if config.spectral_norm:
            add_spectral_norm(self.discriminator)

    def players(self) -> list[zoo.Player]:
        """See the base class."""
        config = self.config
        slow, fast = (zoo.Adam(lr, config.betas) for lr in (config.lr, config.discriminator_lr or config.lr))
        return [
            zoo.Player("generator", self.generator, self.generator_loss, slow),
            zoo.Player("discriminator", self.discriminator, self.discriminator_loss, fast),
        ]

    def generator_loss(self, turn: zoo.Turn) -> Tensor:
        """Non-saturating loss, equation in section 3 of the paper; the fakes are kept for the discriminator."""
        fake = turn.kept["fake"] = self.decode(self.latent(turn.size), turn.labels)
        return F.softplus(-self.discriminator(self.packs(fake, turn.labels))).mean()

    def discriminator_loss(self, turn: zoo.Turn) -> Tensor:
        """Binary cross-entropy on logits, equation 1, and the penalties that are switched on."""
        real, fake = (self.packs(x, turn.labels) for x in (turn.real, turn.kept["fake"].detach()))
        loss = F.softplus(-self.discriminator(real)).mean() + F.softplus(self.discriminator(fake)).mean()
        if self.config.r1:
            loss = loss + self.config.r1 * zero_centred_penalty(self.discriminator, real)
        if self.config.r2:
            loss = loss + self.config.r2 * zero_centred_penalty(self.discriminator, fake)
        if self.config.gradient_penalty:
            loss = loss + self.config.gradient_penalty * gradient_penalty(self.discriminator, real, fake)
        return loss

    def packs(self, x: Tensor, labels: Tensor | None) -> Tensor:
        """Return packs of items (N, ...), each flat with its label if it has one; penalties see labels as input too."""
        labelled = x if labels is None else append_labels(x.flatten(1), labels, self.config.classes)
        return pack(labelled, self.config.packing)

    def decode(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Generate items from latents (N, z_dim), and from classes if it is conditional."""
        return self.generator(append_labels(z, labels, self.config.classes))

    def sample(self, n: int, labels: Tensor | None = None) -> Tensor:
        """See the base class."""
        return self.decode(self.latent(n), labels)
