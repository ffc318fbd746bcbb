"""Networks from (noisy item, time in (0, 1]) to the noise in it."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import zoo
from zoo.nn import mlp

FREQUENCIES = 16


def embed(time: Tensor) -> Tensor:
    """Map times (N,) to sines and cosines, (N, 32)."""
    angle = time[:, None] * torch.logspace(0.0, 2.0, FREQUENCIES, device=time.device) * math.pi
    return torch.cat([angle.sin(), angle.cos()], dim=1)


class Block(nn.Module):
    """Two convolutions with the time between them, and a residual connection."""

    def __init__(self, fan_in: int, fan_out: int) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(fan_in, fan_out, 3, padding=1), nn.GroupNorm(4, fan_out))
        self.time = nn.Linear(2 * FREQUENCIES, fan_out)
        self.second = nn.Sequential(nn.SiLU(), nn.Conv2d(fan_out, fan_out, 3, padding=1), nn.SiLU())
        self.residual = nn.Conv2d(fan_in, fan_out, 1)

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        """Apply the block."""
        return self.second(self.first(x) + self.time(time)[:, :, None, None]) + self.residual(x)


class UNet(nn.Module):
    """A U-Net over three scales."""

    def __init__(self, shape: tuple[int, ...], width: int) -> None:
        super().__init__()
        channels, height, side = shape
        if height % 4 or side % 4:
            raise zoo.ZooError(f"images of {height}x{side} do not fit: both sides must be multiples of 4, resize them")
        self.down = nn.ModuleList([Block(channels, width), Block(width, 2 * width), Block(2 * width, 2 * width)])
        self.up = nn.ModuleList([Block(4 * width, width), Block(2 * width, width)])
        self.out = nn.Conv2d(width, channels, 3, padding=1)

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        """Predict the noise in images."""
        time = embed(time)
        full = self.down[0](x, time)
        half = self.down[1](F.avg_pool2d(full, 2), time)
        y = self.down[2](F.avg_pool2d(half, 2), time)
        for block, skip in zip(self.up, (half, full), strict=True):
            y = block(torch.cat([skip, F.interpolate(y, scale_factor=2.0)], dim=1), time)
        return self.out(y)


class PointNet(nn.Module):
    """A perceptron over the point and its time."""

    def __init__(self, shape: tuple[int, ...], width: int) -> None:
        super().__init__()
        (size,) = shape
        self.layers = mlp([size + 2 * FREQUENCIES, width, width, width, size], activation=nn.SiLU)

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        """Predict the noise in points."""
        return self.layers(torch.cat([x, embed(time)], dim=1))
