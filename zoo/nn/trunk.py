"""Networks chosen by the shape of an item: convolutions for images, a small perceptron for points."""

from __future__ import annotations

from torch import nn

from zoo.nn.conv import ConvEncoder, ConvGenerator, Norm, add_spectral_norm
from zoo.nn.mlp import mlp

POINTS_HIDDEN = (128, 128, 128)
"""Widths on points, the same for every model."""


def decoder(z_dim: int, shape: tuple[int, ...], width: int, *, hidden: tuple[int, ...] = POINTS_HIDDEN) -> nn.Module:
    """Latents to items, unbounded: (N, z_dim) to (N, *shape)."""
    if len(shape) == 3:
        return ConvGenerator(z_dim, shape, width)
    return mlp([z_dim, *hidden, *shape])


def encoder(
    shape: tuple[int, ...],
    outputs: int,
    width: int,
    *,
    hidden: tuple[int, ...] = POINTS_HIDDEN,
    norm: Norm = "none",
    slope: float = 0.2,
) -> nn.Module:
    """Items to vectors: (N, *shape) to (N, outputs), or (N,) if there is one output.

    Batch normalisation is for images only: on points its noise would hide modes from the network.
    """
    if len(shape) == 3:
        return ConvEncoder(shape, outputs, width, norm=norm, slope=slope)
    network = mlp([*shape, *hidden, outputs])
    if norm == "spectral":
        add_spectral_norm(network)
    if outputs == 1:
        network.append(nn.Flatten(0))
    return network
