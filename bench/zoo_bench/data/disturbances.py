"""Known disturbances of images, from none to strong: judges are trained under them, and examined under them.

Each maps images in [-1, 1], (N, C, H, W), and a strength for each of them, (N,) from 0 to 1, to images of the same
shape; at strength 0 an image stays as it is.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from zoo.task import to_model, to_storage

Disturbance = Callable[[Tensor, Tensor, Generator | None], Tensor]


def shift(images: Tensor, strength: Tensor, generator: Generator | None = None) -> Tensor:
    """Shift in a random direction by up to an eighth of the side, four pixels of 28; what comes in is black."""
    n, _, height, width = images.shape
    distance, angle = strength * math.ceil(width / 8), 2 * math.pi * torch.rand(n, generator=generator)
    down, right = ((distance * part).round().long()[:, None] for part in (angle.sin(), angle.cos()))
    rows, columns = torch.arange(height) - down, torch.arange(width) - right
    inside = ((rows >= 0) & (rows < height))[:, :, None] & ((columns >= 0) & (columns < width))[:, None, :]
    source = rows.clamp(0, height - 1)[:, :, None] * width + columns.clamp(0, width - 1)[:, None, :]
    moved = images.flatten(2).gather(2, source.flatten(1)[:, None].expand(-1, images.shape[1], -1))
    return torch.where(inside[:, None], moved.reshape(images.shape), -1.0)


def blur(images: Tensor, strength: Tensor, generator: Generator | None = None) -> Tensor:
    """Blur by a Gaussian of a standard deviation of up to a fourteenth of the side, two pixels of 28, or one pixel."""
    largest = max(1.0, images.shape[-1] / 14)
    reach = math.ceil(3 * largest)
    widths = (strength[:, None] * largest).clamp_min(1e-3)
    kernels = (-0.5 * (torch.arange(-reach, reach + 1) / widths).square()).softmax(dim=1)
    rows = kernels.repeat_interleave(images.shape[1], dim=0)[:, None, None, :]
    padded = F.pad(images, [reach] * 4, mode="replicate").flatten(0, 1)[None]
    blurred = F.conv2d(F.conv2d(padded, rows, groups=len(rows)), rows.mT, groups=len(rows))
    return blurred.reshape(images.shape)


def contrast(images: Tensor, strength: Tensor, generator: Generator | None = None) -> Tensor:
    """Take away up to 80 % of the contrast: every pixel moves towards medium grey."""
    return images * (1.0 - 0.8 * _per_image(strength))


def noise(images: Tensor, strength: Tensor, generator: Generator | None = None) -> Tensor:
    """Add Gaussian noise of a standard deviation of up to 0.8, 102 of 255 grey levels."""
    return images + 0.8 * _per_image(strength) * torch.randn(images.shape, generator=generator)


def salt(images: Tensor, strength: Tensor, generator: Generator | None = None) -> Tensor:
    """Make up to 40 % of the pixels black or white, half of them each (salt-and-pepper noise)."""
    chance = torch.rand(len(images), 1, *images.shape[2:], generator=generator)
    hit = 0.4 * _per_image(strength)
    return torch.where(chance < hit, torch.where(chance < hit / 2, -1.0, 1.0), images)


DISTURBANCES: dict[str, Disturbance] = {f.__name__: f for f in (shift, blur, contrast, noise, salt)}
"""In the order in which a camera would have them."""

STRENGTHS = (0.25, 0.5, 0.75, 1.0)
"""Under which judges are examined; noise then has 25, 51, 76 and 102 grey levels."""


def disturbed(data: Tensor, name: str, strength: float, seed: int = 0) -> Tensor:
    """Disturb stored images equally strongly, (N, C, H, W) uint8 to the same; the same images with the same seed."""
    strengths, generator = torch.full((len(data),), strength), torch.Generator().manual_seed(seed)
    return to_storage(DISTURBANCES[name](to_model(data), strengths, generator))


def disturbed_at_random(images: Tensor, shares: Tensor) -> tuple[Tensor, Tensor]:
    """Disturb each image by chance, by several disturbances or none, and with uniform strength.

    Args:
        images: In [-1, 1], (N, C, H, W).
        shares: Probability of each of :data:`DISTURBANCES`, (5,).

    Returns:
        The images, and how strongly each was disturbed by each, (N, 5), 0 if not at all.
    """
    strengths = torch.rand(len(images), len(DISTURBANCES))
    strengths *= torch.rand_like(strengths) < shares
    images = images.clone()
    for disturbance, strength in zip(DISTURBANCES.values(), strengths.T, strict=True):
        hit = strength > 0
        if hit.any():
            images[hit] = disturbance(images[hit], strength[hit], None)
    return images.clamp_(-1.0, 1.0), strengths


def _per_image(strength: Tensor) -> Tensor:
    return strength[:, None, None, None]
