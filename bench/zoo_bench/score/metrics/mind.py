"""The sliced Wasserstein distance between generated and real features."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from zoo.evaluation import Evaluation
from zoo_bench.score.metrics.inputs import check, equal

DIRECTIONS = 1000
DIRECTIONS_PER_BLOCK = 50


def mind(evaluation: Evaluation) -> dict[str, float]:
    """Return ``mind``, 0 to infinity, lower is better; for equal distributions above 0 by an amount that goes with 1/N.

    The larger of the two sets is cut down to the size of the smaller, always to the same items.
    """
    generated, real = evaluation.features_generated, evaluation.features_real
    check(2, generated=generated, real=real)
    return {"mind": sliced_distance(*equal(generated, real))}


def sliced_distance(x: Tensor, y: Tensor) -> float:
    """Return 3 F / (N M) sum_ij |sort(u_i.x)_j - sort(u_i.y)_j|^2 over M = 1000 unit directions u.

    The Monge Inception Distance (Berthet et al. 2026, arXiv 2605.06797). Unlike FID it sees more than two moments. A
    shift by v gives 3 |v|^2, up to the draw of directions, which are always the same.

    Args:
        x: (N, F) float64.
        y: (N, F) float64.
    """
    features = x.shape[1]
    draws = torch.randn(DIRECTIONS, features, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    total = 0.0
    for directions in F.normalize(draws, dim=1).split(DIRECTIONS_PER_BLOCK):
        a, b = (np.sort((directions @ z.T).numpy(), axis=1) for z in (x, y))
        total += float(np.square(a - b).sum())
    return 3.0 * features / (len(x) * DIRECTIONS) * total
