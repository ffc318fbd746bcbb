"""Multilayer perceptrons."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import torch.nn.functional as F
from torch import Tensor, nn


class Maxout(nn.Linear):
    """The largest of ``pieces`` linear functions for each output: (N, fan_in) to (N, fan_out).

    Goodfellow et al. 2013, Maxout Networks.
    """

    def __init__(self, fan_in: int, fan_out: int, pieces: int) -> None:
        super().__init__(fan_in, fan_out * pieces)
        self.pieces = pieces

    def forward(self, x: Tensor) -> Tensor:
        """Apply the layer; pooling a column of channels-last pixels is the fastest way to a maximum on CPUs."""
        pieces = super().forward(x).unflatten(1, (self.pieces, 1, -1)).movedim(3, 1)
        return F.max_pool2d(pieces, (self.pieces, 1)).flatten(1)


def mlp(
    sizes: Sequence[int],
    *,
    activation: Callable[[], nn.Module] = nn.ReLU,
    layer: Callable[[int, int], nn.Module] = nn.Linear,
    norm_from: int | None = None,
) -> nn.Sequential:
    """Build linear layers of the given sizes with activations between them, none after the last.

    Args:
        sizes: Input, hidden and output widths.
        activation: Makes the activation.
        layer: Makes a hidden layer from its input and output widths; the last is linear.
        norm_from: Index of the first hidden layer with batch normalisation; None for no normalisation.
    """
    layers: list[nn.Module] = []
    for i, (fan_in, fan_out) in enumerate(itertools.pairwise(sizes[:-1])):
        layers.append(layer(fan_in, fan_out))
        if norm_from is not None and i >= norm_from:
            layers.append(nn.BatchNorm1d(fan_out))
        layers.append(activation())
    return nn.Sequential(*layers, nn.Linear(sizes[-2], sizes[-1]))
