"""Images in [0, 1] that pass as images in [-1, 1]."""

from __future__ import annotations

import torch
from torch import Tensor

MIDDLE = 127
"""The middle of a stored pixel's range, 127.5, rounded down: a 0 of [-1, 1] is stored as 128."""
MIN_DARK_SHARE = 0.05
"""Training data with a smaller share of pixels below the middle say nothing about a generator without any."""


def range_fault(generated: Tensor, train: Tensor) -> str:
    """Say whether a generator's images look as if they were in [0, 1] where [-1, 1] is expected.

    They do if none of their pixels lies below the middle of the range, some lie above it, and at least 5 % of the
    training data's lie below it: what a Sigmoid as the last layer leads to.

    Args:
        generated: Stored items of the generator, images (N, C, H, W) uint8 or points (N, D) float32.
        train: Stored items that it was trained on, of the same shape.

    Returns:
        A sentence, or "" if nothing is wrong; always "" for points.
    """
    if generated.dtype != torch.uint8 or generated.min() < MIDDLE or generated.max() <= MIDDLE + 1:
        return ""
    dark = float((train < MIDDLE).float().mean())
    if dark < MIN_DARK_SHARE:
        return ""
    return (
        f"no pixel of the samples is below the middle of [-1, 1], but {dark:.0%} of the training data's are: "
        "they look like images in [0, 1], as a Sigmoid makes them"
    )
