"""The autoencoder with its codebook, and the prior over codes."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import zoo

CODEBOOK_DECAY = 0.99
"""Decay of the codebook's moving averages per step."""


class Codebook(nn.Module):
    """K vectors, each the moving average of the encodings that are nearest to it (appendix A.1 of the paper).

    Nothing here is a parameter: the averages are buffers, so that they are stored with the weights.
    """

    vectors: Tensor
    counts: Tensor

    def __init__(self, size: int, dim: int) -> None:
        super().__init__()
        self.register_buffer("vectors", torch.randn(size, dim) / size)
        self.register_buffer("counts", torch.ones(size))

    def nearest(self, encoding: Tensor) -> Tensor:
        """Map encodings (N, D, H, W) to the indices of the nearest vectors, (N, H, W) int64."""
        points = encoding.detach().permute(0, 2, 3, 1)
        return torch.cdist(points.flatten(0, 2), self.vectors).argmin(1).view(points.shape[:3])

    def lookup(self, codes: Tensor) -> Tensor:
        """Map indices (N, H, W) to vectors (N, D, H, W)."""
        return F.embedding(codes, self.vectors).permute(0, 3, 1, 2)

    @torch.no_grad()
    def update(self, encoding: Tensor, codes: Tensor) -> None:
        """Move the vectors to the encodings that chose them."""
        points, indices = encoding.permute(0, 2, 3, 1).flatten(0, 2).float(), codes.flatten()
        totals = CODEBOOK_DECAY * self.counts[:, None] * self.vectors
        totals.index_add_(0, indices, points, alpha=1.0 - CODEBOOK_DECAY)
        ones = torch.ones_like(points[:, 0])
        self.counts.mul_(CODEBOOK_DECAY).index_add_(0, indices, ones, alpha=1.0 - CODEBOOK_DECAY)
        self.vectors.copy_(totals / self.counts[:, None])


class Residual(nn.Sequential):
    """x + f(x), with a 3x3 and a 1x1 convolution."""

    def __init__(self, width: int) -> None:
        super().__init__(nn.ReLU(), nn.Conv2d(width, width, 3, padding=1), nn.ReLU(), nn.Conv2d(width, width, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Apply the block."""
        return x + super().forward(x)


class Autoencoder(nn.Module):
    """Images to a grid of codes of a quarter of their side, and back (section 4.1 of the paper)."""

    def __init__(self, shape: tuple[int, ...], width: int, codes: int, code_dim: int) -> None:
        super().__init__()
        channels, height, side = shape
        if height % 4 or side % 4:
            raise zoo.ZooError(f"images of {height}x{side} do not fit: both sides must be multiples of 4, resize them")
        self.encoder = nn.Sequential(
            nn.Conv2d(channels, width, 4, 2, 1),
            nn.ReLU(),
            nn.Conv2d(width, width, 4, 2, 1),
            Residual(width),
            Residual(width),
            nn.Conv2d(width, code_dim, 1),
        )
        self.decoder = nn.Sequential(
            nn.Conv2d(code_dim, width, 3, padding=1),
            Residual(width),
            Residual(width),
            nn.ReLU(),
            nn.ConvTranspose2d(width, width, 4, 2, 1),
            nn.ReLU(),
            nn.ConvTranspose2d(width, channels, 4, 2, 1),
        )
        self.codebook = Codebook(codes, code_dim)


class MaskedConv2d(nn.Conv2d):
    """A convolution that sees the rows above and the positions to the left, and its own unless it is the first layer.

    Van den Oord et al. 2016, Pixel Recurrent Neural Networks, figure 2.
    """

    mask: Tensor

    def __init__(self, *arguments: Any, first: bool, kernel_size: int) -> None:
        super().__init__(*arguments, kernel_size=kernel_size, padding=kernel_size // 2)
        mask, middle = torch.ones(kernel_size, kernel_size), kernel_size // 2
        mask[middle, middle + (not first) :] = 0.0
        mask[middle + 1 :] = 0.0
        self.register_buffer("mask", mask)

    def forward(self, x: Tensor) -> Tensor:
        """Convolve."""
        return self._conv_forward(x, self.weight * self.mask, self.bias)


class PixelCNN(nn.Module):
    """Codes (N, H, W) to the logits of each given those before it, in rows from the top left: (N, codes, H, W)."""

    def __init__(self, codes: int, width: int, layers: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(codes, width)
        self.first = MaskedConv2d(width, width, first=True, kernel_size=5)
        self.layers = nn.ModuleList(MaskedConv2d(width, width, first=False, kernel_size=3) for _ in range(layers))
        self.out = nn.Sequential(nn.ReLU(), nn.Conv2d(width, codes, 1))

    def forward(self, codes: Tensor) -> Tensor:
        """Predict."""
        x = self.first(self.embedding(codes).permute(0, 3, 1, 2))
        for layer in self.layers:
            x = x + layer(x.relu())
        return self.out(x)
