"""Multilayer perceptrons."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

from torch import nn


def mlp(
    sizes: Sequence[int],
    *,
    activation: Callable[[], nn.Module] = nn.ReLU,
    norm_from: int | None = None,
) -> nn.Sequential:
    """Build linear layers of the given sizes with activations between them, none after the last.

    Args:
        sizes: Input, hidden and output widths.
        activation: Makes the activation.
        norm_from: Index of the first hidden layer with batch normalisation; None for no normalisation.
    """
    layers: list[nn.Module] = []
    for i, (fan_in, fan_out) in enumerate(itertools.pairwise(sizes[:-1])):
        layers.append(nn.Linear(fan_in, fan_out))
        if norm_from is not None and i >= norm_from:
            layers.append(nn.BatchNorm1d(fan_out))
        layers.append(activation())
    return nn.Sequential(*layers, nn.Linear(sizes[-2], sizes[-1]))
