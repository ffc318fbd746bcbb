"""The residual networks of GANs (Gulrajani et al. 2017, Miyato et al. 2018).

They fit square images whose side is a multiple of 4. At 32 pixels they are those of Miyato et al.'s table 4; at other
sides they have as many blocks as the side needs.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo.nn.conv import Permute, add_spectral_norm, halvings


class UpBlock(nn.Module):
    """Twice the side: (N, C, H, W) to (N, fan_out, 2H, 2W), with batch normalisation before each convolution."""

    def __init__(self, fan_in: int, fan_out: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.BatchNorm2d(fan_in),
            nn.ReLU(),
            nn.Upsample(scale_factor=2),
            nn.Conv2d(fan_in, fan_out, 3, padding=1),
            nn.BatchNorm2d(fan_out),
            nn.ReLU(),
            nn.Conv2d(fan_out, fan_out, 3, padding=1),
        )
        self.shortcut = nn.Sequential(nn.Conv2d(fan_in, fan_out, 1), nn.Upsample(scale_factor=2))

    def forward(self, x: Tensor) -> Tensor:
        """Apply the block."""
        return self.layers(x) + self.shortcut(x)


class DownBlock(nn.Module):
    """Two convolutions without normalisation: (N, fan_in, H, W) to (N, fan_out, H, W), or half the side.

    Args:
        fan_in: Input channels.
        fan_out: Output channels.
        half: Halve the side by averaging.
        first: The block sees images: no rectifier before its first convolution.
    """

    def __init__(self, fan_in: int, fan_out: int, *, half: bool, first: bool = False) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Identity() if first else nn.ReLU(),
            nn.Conv2d(fan_in, fan_out, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(fan_out, fan_out, 3, padding=1),
        )
        self.shortcut = nn.Conv2d(fan_in, fan_out, 1) if half or fan_in != fan_out else nn.Identity()
        self.pool = nn.AvgPool2d(2) if half else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Apply the block."""
        return self.pool(self.layers(x) + self.shortcut(x))


class ResNetGenerator(nn.Module):
    """Latents to images: (N, z_dim) to (N, C, H, W), unbounded; apply tanh to it.

    Attributes:
        blocks: The residual blocks, each of ``width`` channels; a plugin may insert layers between them.

    Args:
        z_dim: Latent dimensions.
        shape: (C, H, W).
        width: Channels of every block: 256 in Miyato et al. 2018, 128 in Gulrajani et al. 2017.
    """

    def __init__(self, z_dim: int, shape: tuple[int, ...], width: int) -> None:
        super().__init__()
        ups, side = halvings(shape)
        self.start = nn.Sequential(
            nn.Linear(z_dim, width * side**2), nn.Unflatten(1, (side, side, width)), Permute(0, 3, 1, 2)
        )
        self.blocks = nn.Sequential(*(UpBlock(width, width) for _ in range(ups)))
        last = nn.Conv2d(width, shape[0], 3, padding=1)
        self.end = nn.Sequential(nn.BatchNorm2d(width), nn.ReLU(), last)
        self.apply(residual_init)
        nn.init.xavier_uniform_(last.weight)

    def forward(self, z: Tensor) -> Tensor:
        """Generate a batch."""
        return self.end(self.blocks(self.start(z)))


class ResNetDiscriminator(nn.Module):
    """Images to logits: (N, C, H, W) to (N,), or (N, outputs), with no batch normalisation.

    Attributes:
        blocks: The residual blocks, each of ``width`` channels: two or more that halve the side, then two that do not.

    Args:
        shape: (C, H, W).
        width: Channels of every block, 128 in both papers.
        outputs: Output dimensions; 1 for a logit, which is returned as (N,).
        spectral: Normalise every weight spectrally.
        pooling: Over positions: "sum" in Miyato et al. 2018, "mean" in Gulrajani et al. 2017.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        width: int,
        *,
        outputs: int = 1,
        spectral: bool = False,
        pooling: Literal["sum", "mean"] = "sum",
    ) -> None:
        super().__init__()
        downs = max(2, halvings(shape)[0] - 1)
        self.blocks = nn.Sequential(
            DownBlock(shape[0], width, half=True, first=True),
            *(DownBlock(width, width, half=True) for _ in range(downs - 1)),
            *(DownBlock(width, width, half=False) for _ in range(2)),
        )
        self.pool = torch.sum if pooling == "sum" else torch.mean
        self.end = nn.Linear(width, outputs)
        self.apply(residual_init)
        if spectral:
            add_spectral_norm(self)

    def forward(self, x: Tensor) -> Tensor:
        """Judge a batch."""
        y: Tensor = self.end(self.pool(F.relu(self.blocks(x)), (2, 3)))
        return y.squeeze(1) if y.shape[1] == 1 else y


def residual_init(module: nn.Module) -> None:
    """Initialise one module as Miyato et al.'s code: Glorot uniform, gain sqrt(2) for 3x3 convolutions of blocks."""
    if isinstance(module, nn.Conv2d | nn.Linear):
        within = isinstance(module, nn.Conv2d) and module.kernel_size == (3, 3)
        nn.init.xavier_uniform_(module.weight, math.sqrt(2.0) if within else 1.0)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
