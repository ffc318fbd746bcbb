"""Denoising diffusion (Ho et al. 2020): one player, no adversary, and samples by a hundred small steps."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor

import zoo
from zoo_plugin_ddpm.networks import PointNet, UNet


class DDPMConfig(zoo.ModelConfig):
    """Settings of DDPM: few steps and a small network, for images of 8 to 32 pixels and for points."""

    batch_size: int = Field(64, ge=1, description="Real items drawn, and charged, per round")
    lr: float = Field(1e-3, gt=0, description="Adam's learning rate")
    steps: int = Field(100, ge=2, description="Diffusion steps, in training and in sampling")
    width: int = Field(32, ge=8, multiple_of=8, description="Channels at the image's full side, doubled below")

    @classmethod
    def shape_defaults(cls, shape: tuple[int, ...]) -> dict[str, Any]:
        """Return the defaults that differ for items of this shape."""
        return {} if len(shape) == 3 else {"batch_size": 256, "width": 128}


class DDPM(zoo.GenerativeModel):
    """Noise is mixed into items in ``steps`` steps, and a network learns to tell it from the item (algorithms 1, 2).

    ``kept[t]`` is the paper's alpha-bar, the share of an item's variance that is left after ``t`` steps. The schedule
    is the paper's, linear in t, compressed to fewer steps with the same total noise.
    """

    Config = DDPMConfig
    kept: Tensor

    def __init__(self, shape: tuple[int, ...], config: DDPMConfig) -> None:
        super().__init__(shape, config)
        self.network = UNet(shape, config.width) if len(shape) == 3 else PointNet(shape, config.width)
        beta = torch.linspace(0.1, 20.0, config.steps) / config.steps
        self.register_buffer("kept", torch.cat([torch.ones(1), torch.exp(-beta.cumsum(0))]))

    def players(self) -> list[zoo.Player]:
        """Return the only player."""
        return [zoo.Player("denoiser", self.network, self.loss, zoo.Adam(self.config.lr))]

    def loss(self, turn: zoo.Turn) -> Tensor:
        """Mean squared error of the predicted noise at a random step (equation 14)."""
        t = torch.randint(1, self.config.steps + 1, (turn.size,), device=self.device)
        alpha_bar = self.kept[t].view(-1, *[1] * len(self.shape))
        noise = torch.randn_like(turn.real)
        noisy = alpha_bar.sqrt() * turn.real + (1.0 - alpha_bar).sqrt() * noise
        return F.mse_loss(self.network(noisy, t / self.config.steps), noise)

    def sample(self, n: int) -> Tensor:
        """Start from noise and step back (algorithm 2), with the predicted image clipped as in the authors' code."""
        x = torch.randn(n, *self.shape, device=self.device)
        for t in range(self.config.steps, 0, -1):
            alpha_bar, previous = self.kept[t], self.kept[t - 1]
            noise = self.network(x, torch.full((n,), t / self.config.steps, device=self.device))
            item = (x - (1.0 - alpha_bar).sqrt() * noise) / alpha_bar.sqrt()
            item = item.clamp(-1.0, 1.0) if len(self.shape) == 3 else item
            alpha = alpha_bar / previous
            mean = (previous.sqrt() * (1.0 - alpha) * item + alpha.sqrt() * (1.0 - previous) * x) / (1.0 - alpha_bar)
            x = mean + ((1.0 - alpha) * (1.0 - previous) / (1.0 - alpha_bar)).sqrt() * torch.randn_like(x)
        return x
