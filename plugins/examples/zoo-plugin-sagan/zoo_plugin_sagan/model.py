"""Self-attention GAN (Zhang et al. 2019) without class labels: hinge loss, residual networks, two time scales."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

import zoo
from zoo.nn import ResNetDiscriminator, ResNetGenerator, add_spectral_norm


class SAGANConfig(zoo.LatentConfig):
    """Settings of SAGAN: the paper's except for the width, which suits a CPU."""

    z_dim: int = Field(128, ge=1, description="Dimensions of the latent, N(0, I)")
    lr: float = Field(1e-4, gt=0, description="Adam's learning rate, generator")
    discriminator_lr: float = Field(4e-4, gt=0, description="Adam's learning rate, discriminator")
    betas: zoo.Betas = Field((0.0, 0.9), description="Adam's decay rates, both players")
    width: int = Field(32, ge=8, multiple_of=8, description="Channels of every block")


class SelfAttention(nn.Module):
    """y = x + gamma o(x), where o attends from every position to all others (section 3); gamma starts at 0."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.query, self.key = (nn.Conv2d(channels, channels // 8, 1) for _ in range(2))
        self.value, self.out = nn.Conv2d(channels, channels // 2, 1), nn.Conv2d(channels // 2, channels, 1)
        self.gamma = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        """Apply the layer to (N, C, H, W)."""
        query, key, value = (layer(x).flatten(2).transpose(1, 2) for layer in (self.query, self.key, self.value))
        attended = F.scaled_dot_product_attention(query, key, value, scale=1.0)
        return x + self.gamma * self.out(attended.transpose(1, 2).unflatten(2, x.shape[2:]))


class SAGAN(zoo.GenerativeModel):
    """Attention at half the image's side and spectral normalisation, in both networks."""

    Config = SAGANConfig

    def __init__(self, shape: tuple[int, ...], config: SAGANConfig) -> None:
        super().__init__(shape, config)
        generator = ResNetGenerator(config.z_dim, shape, config.width)
        discriminator = ResNetDiscriminator(shape, config.width)
        generator.blocks.insert(len(generator.blocks) - 1, SelfAttention(config.width))
        discriminator.blocks.insert(1, SelfAttention(config.width))
        for network in (generator, discriminator):
            add_spectral_norm(network)
        self.generator, self.discriminator = nn.Sequential(generator, nn.Tanh()), discriminator

    def players(self) -> list[zoo.Player]:
        """Return both players; the discriminator learns four times as fast (section 4.2)."""
        config = self.config
        slow, fast = (zoo.Adam(lr, config.betas) for lr in (config.lr, config.discriminator_lr))
        return [
            zoo.Player("generator", self.generator, self.generator_loss, slow),
            zoo.Player("discriminator", self.discriminator, self.discriminator_loss, fast),
        ]

    def generator_loss(self, turn: zoo.Turn) -> Tensor:
        """Minus the mean logit (equation 4); the fakes are kept for the discriminator."""
        fake = turn.kept["fake"] = self.generator(self.latent(turn.size))
        return -self.discriminator(fake).mean()

    def discriminator_loss(self, turn: zoo.Turn) -> Tensor:
        """Hinge loss (equation 4)."""
        fake = turn.recall("fake", lambda: self.sample(turn.size))
        on_real, on_fake = self.discriminator(torch.cat([turn.real, fake])).chunk(2)
        return F.relu(1.0 - on_real).mean() + F.relu(1.0 + on_fake).mean()

    def sample(self, n: int) -> Tensor:
        """Generate from latents."""
        return self.generator(self.latent(n))
