"""Networks, initial weights, losses and settings of public scripts for MNIST, trained and scored as every model is.

What is theirs: layers, initialisation, losses, optimisers, order and number of steps, batch size. What is not: data and
seeds are the harness's, the network of SN-GAN, made for CIFAR-10, has one channel, and the VAE's two outputs are halves
of one layer. Images are resized to 32 pixels where the script does, and samples back.
"""

from __future__ import annotations

from typing import ClassVar

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

import zoo
from zoo.nn import gradient_penalty

SIDE = 32
"""Pixels that the scripts resize images to."""


class PublicConfig(zoo.LatentConfig):
    """Settings are fixed: they are the script's."""


class PublicGAN(zoo.GenerativeModel):
    """Two networks and Adam's settings."""

    Config: ClassVar = PublicConfig
    betas = (0.5, 0.999)
    steps = 1
    generator: nn.Module
    discriminator: nn.Module

    def players(self) -> list[zoo.Player]:
        """See the base class."""
        adam = zoo.Adam(2e-4, self.betas)
        return [
            zoo.Player("generator", self.generator, self.generator_loss, adam, every=self.steps),
            zoo.Player("discriminator", self.discriminator, self.discriminator_loss, adam),
        ]

    def generator_loss(self, turn: zoo.Turn) -> Tensor:
        """Return the generator's loss."""
        raise NotImplementedError

    def discriminator_loss(self, turn: zoo.Turn) -> Tensor:
        """Return the discriminator's loss."""
        raise NotImplementedError

    def sample(self, n: int) -> Tensor:
        """Draw images and resize them to the data's side."""
        return resized(self.generator(self.latent(n)), self.shape[-1])


def resized(images: Tensor, side: int) -> Tensor:
    """Resize images (N, C, H, W) as torchvision's ``Resize`` does."""
    if images.shape[-1] == side:
        return images
    return F.interpolate(images, size=(side, side), mode="bilinear", antialias=True)


class PublicDCGAN(PublicGAN):
    """Upsampling and 3x3 convolutions; batch norm with an eps of 0.8; dropout; half of the discriminator's loss."""

    def __init__(self, shape: tuple[int, ...], config: PublicConfig) -> None:
        super().__init__(shape, config)

        def up(channels: int) -> list[nn.Module]:
            norm = nn.BatchNorm2d(channels, 0.8)
            return [nn.Upsample(scale_factor=2), nn.Conv2d(128, channels, 3, 1, 1), norm, nn.LeakyReLU(0.2)]

        def down(before: int, channels: int) -> list[nn.Module]:
            norm = [nn.BatchNorm2d(channels, 0.8)] if before > shape[0] else []
            return [nn.Conv2d(before, channels, 3, 2, 1), nn.LeakyReLU(0.2), nn.Dropout2d(0.25), *norm]

        self.generator = nn.Sequential(
            nn.Linear(config.z_dim, 128 * (SIDE // 4) ** 2), nn.Unflatten(1, (128, SIDE // 4, SIDE // 4)),
            nn.BatchNorm2d(128), *up(128), *up(64), nn.Conv2d(64, shape[0], 3, 1, 1), nn.Tanh(),
        )  # fmt: skip
        self.discriminator = nn.Sequential(
            *down(shape[0], 16), *down(16, 32), *down(32, 64), *down(64, 128), nn.Flatten(), nn.Linear(512, 1)
        )
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.normal_(module.weight, 0.0, 0.02)
            elif isinstance(module, nn.BatchNorm2d):
                nn.init.normal_(module.weight, 1.0, 0.02)

    def generator_loss(self, turn: zoo.Turn) -> Tensor:
        """Binary cross-entropy against "real"."""
        turn.kept["fake"] = fake = self.generator(self.latent(turn.size))
        return F.softplus(-self.discriminator(fake)).mean()

    def discriminator_loss(self, turn: zoo.Turn) -> Tensor:
        """Half of the binary cross-entropies."""
        real, fake = resized(turn.real, SIDE), turn.kept["fake"].detach()
        return (F.softplus(-self.discriminator(real)).mean() + F.softplus(self.discriminator(fake)).mean()) / 2


class PublicWGANGP(PublicGAN):
    """Perceptrons; betas of 0.5 and 0.999; five critic steps; a penalty of 10."""

    steps = 5

    def __init__(self, shape: tuple[int, ...], config: PublicConfig) -> None:
        super().__init__(shape, config)

        def block(before: int, after: int) -> list[nn.Module]:
            return [nn.Linear(before, after), nn.BatchNorm1d(after, 0.8), nn.LeakyReLU(0.2)]

        pixels = torch.Size(shape).numel()
        self.generator = nn.Sequential(
            nn.Linear(config.z_dim, 128), nn.LeakyReLU(0.2), *block(128, 256), *block(256, 512), *block(512, 1024),
            nn.Linear(1024, pixels), nn.Tanh(), nn.Unflatten(1, shape),
        )  # fmt: skip
        self.discriminator = nn.Sequential(
            nn.Flatten(), nn.Linear(pixels, 512), nn.LeakyReLU(0.2), nn.Linear(512, 256), nn.LeakyReLU(0.2),
            nn.Linear(256, 1),
        )  # fmt: skip

    def generator_loss(self, turn: zoo.Turn) -> Tensor:
        """Minus the critic's mean."""
        return -self.discriminator(self.generator(self.latent(turn.size))).mean()

    def discriminator_loss(self, turn: zoo.Turn) -> Tensor:
        """Difference of means and the penalty; the generator is in training mode."""
        fake = self.generator(self.latent(turn.size))
        difference = self.discriminator(fake).mean() - self.discriminator(turn.real).mean()
        return difference + 10.0 * gradient_penalty(self.discriminator, turn.real, fake)


class SNGANConfig(PublicConfig):
    """With the latent of SN-GAN's script."""

    z_dim: int = Field(128, ge=1, description="Dimensions of the latent, N(0, I)")


class PublicSNGAN(PublicGAN):
    """Networks of model.py, with the hinge loss, betas (0, 0.9) and five discriminator steps of the later main.py.

    In main.py all five steps see the same batch of real images; here each has its own, as in the paper.
    """

    Config = SNGANConfig
    betas = (0.0, 0.9)
    steps = 5

    def __init__(self, shape: tuple[int, ...], config: SNGANConfig) -> None:
        super().__init__(shape, config)

        def up(before: int, after: int, stride: int = 2) -> list[nn.Module]:
            padding = 1 if stride == 2 else 0
            layer = nn.ConvTranspose2d(before, after, 4, stride, padding)
            return [layer, nn.BatchNorm2d(after), nn.ReLU()]

        def down(before: int, after: int, stride: int) -> list[nn.Module]:
            return [spectral_norm(nn.Conv2d(before, after, 2 + stride, stride, 1)), nn.LeakyReLU(0.1)]

        self.generator = nn.Sequential(
            nn.Unflatten(1, (config.z_dim, 1, 1)), *up(config.z_dim, 512, 1), *up(512, 256), *up(256, 128),
            *up(128, 64), nn.ConvTranspose2d(64, shape[0], 3, 1, 1), nn.Tanh(),
        )  # fmt: skip
        self.discriminator = nn.Sequential(
            *down(shape[0], 64, 1), *down(64, 64, 2), *down(64, 128, 1), *down(128, 128, 2), *down(128, 256, 1),
            *down(256, 256, 2), *down(256, 512, 1), nn.Flatten(), spectral_norm(nn.Linear(16 * 512, 1)),
        )  # fmt: skip

    def generator_loss(self, turn: zoo.Turn) -> Tensor:
        """Minus the discriminator's mean."""
        return -self.discriminator(self.generator(self.latent(turn.size))).mean()

    def discriminator_loss(self, turn: zoo.Turn) -> Tensor:
        """Hinge loss."""
        fake = self.generator(self.latent(turn.size)).detach()
        on_real, on_fake = self.discriminator(resized(turn.real, SIDE)), self.discriminator(fake)
        return F.relu(1.0 - on_real).mean() + F.relu(1.0 + on_fake).mean()


class VAEConfig(PublicConfig):
    """With the latent and the batch of VAE's script."""

    z_dim: int = Field(20, ge=1, description="Dimensions of the latent, N(0, I)")
    batch_size: int = Field(128, ge=1, description="Real items drawn, and charged, per round")


class PublicVAE(zoo.GenerativeModel):
    """Perceptrons with one hidden layer of 400; binary cross-entropy and KL, summed; Adam with 1e-3."""

    Config = VAEConfig

    def __init__(self, shape: tuple[int, ...], config: VAEConfig) -> None:
        super().__init__(shape, config)
        pixels = torch.Size(shape).numel()
        self.encoder = nn.Sequential(nn.Flatten(), nn.Linear(pixels, 400), nn.ReLU(), nn.Linear(400, 2 * config.z_dim))
        self.decoder = nn.Sequential(
            nn.Linear(config.z_dim, 400), nn.ReLU(), nn.Linear(400, pixels), nn.Sigmoid(), nn.Unflatten(1, shape)
        )

    def players(self) -> list[zoo.Player]:
        """See the base class."""
        return [zoo.Player("vae", self, self.loss, zoo.Adam(1e-3))]

    def loss(self, turn: zoo.Turn) -> Tensor:
        """Sums over pixels, latents and the batch."""
        mu, logvar = self.encoder(turn.real).chunk(2, dim=1)
        output = self.decoder(mu + torch.randn_like(mu) * torch.exp(0.5 * logvar))
        cross_entropy = F.binary_cross_entropy(output, (turn.real + 1) / 2, reduction="sum")
        return cross_entropy - 0.5 * (1 + logvar - mu**2 - logvar.exp()).sum()

    def sample(self, n: int) -> Tensor:
        """Draw images as probabilities of white."""
        return self.decoder(self.latent(n)) * 2 - 1
