"""Checks and subsets of features, for every metric that uses them."""

from __future__ import annotations

import torch
from torch import Tensor

from zoo.errors import ZooError

REFERENCE_SETS = ("real", "training")


def check(minimum: int, **sets: Tensor) -> None:
    """Refuse features from which a metric cannot be computed.

    Generated items that are all the same are accepted: the metric then measures a collapse.

    Args:
        minimum: How many items of each set the metric needs.
        sets: Features (N, F) by name: "real", "generated", "training".

    Raises:
        ZooError: If there are too few, if one is infinite or NaN, or if those of a reference do not vary at all.
    """
    for name, features in sets.items():
        if len(features) < minimum:
            raise ZooError(f"{minimum} {name} items are needed, there are {len(features)}")
        if not features.isfinite().all():
            raise ZooError(f"features of {name} items are infinite or NaN")
        if name in REFERENCE_SETS and bool((features == features[0]).all()):
            raise ZooError(f"all {name} items have the same features")


def subsample(features: Tensor, n: int) -> Tensor:
    """Return ``n`` rows, always the same ones, drawn from everywhere because data may be in order; all if n >= N."""
    if n >= len(features):
        return features
    return features[torch.randperm(len(features), generator=torch.Generator().manual_seed(0))[:n]]


def equal(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Cut the larger of two sets down to the size of the smaller."""
    n = min(len(x), len(y))
    return subsample(x, n), subsample(y, n)
