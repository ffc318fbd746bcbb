"""The sliced Wasserstein distance between generated and real features."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from zoo.evaluation import Evaluation
from zoo_bench.score.metrics.inputs import check, equal

DIRECTIONS = 1000
"""Directions at least: whole orthonormal bases are drawn until there are as many."""

DIRECTIONS_PER_BLOCK = 50


def mind(evaluation: Evaluation) -> dict[str, float]:
    """Return ``mind``, 0 to infinity, lower is better; for equal distributions above 0 by an amount that goes with 1/N.

    The larger of the two sets is cut down to the size of the smaller, always to the same items.
    """
    generated, real = evaluation.features_generated, evaluation.features_real
    check(2, generated=generated, real=real)
    return {"mind": sliced_distance(*equal(generated, real))}


def sliced_distance(x: Tensor, y: Tensor) -> float:
    """Return 3 F / (N M) sum_ij |sort(u_i.x)_j - sort(u_i.y)_j|^2 over M >= 1000 unit directions u.

    The Monge Inception Distance (Berthet et al. 2026, arXiv 2605.06797). Unlike FID it sees more than two moments.
    Directions are those of random orthonormal bases (as Rowland et al. 2019 draw them), always the same ones. As
    squares over a basis add up to the squared norm, a shift by v adds 3 |v|^2 exactly.

    Args:
        x: (N, F) float64.
        y: (N, F) float64.
    """
    features = x.shape[1]
    drawn = directions(features)
    total = 0.0
    for block in drawn.split(DIRECTIONS_PER_BLOCK):
        a, b = (np.sort((block @ z.T).numpy(), axis=1) for z in (x, y))
        total += float(np.square(a - b).sum())
    return 3.0 * features / (len(x) * len(drawn)) * total


def directions(features: int) -> Tensor:
    """Return as many random orthonormal bases as it takes for 1000 directions, (M, F) float64."""
    bases = -(-DIRECTIONS // features)
    draws = torch.randn(bases, features, features, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    return torch.linalg.qr(draws).Q.mT.flatten(0, 1)
