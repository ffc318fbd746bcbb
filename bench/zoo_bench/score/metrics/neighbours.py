"""Fidelity and coverage by balls around nearest neighbours."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from zoo.distances import nearest, squared_distances
from zoo.evaluation import Evaluation
from zoo_bench.score.metrics.inputs import check, equal

K_MANIFOLD = 3
K_DENSITY = 5
"""Neighbours that a ball reaches to: of precision and recall, and of density and coverage."""


def neighbours(evaluation: Evaluation) -> dict[str, float]:
    """Return precision, recall, density, coverage, clipped density and clipped coverage; all higher is better.

    All of them depend on sample sizes, so the larger of the two sets is cut down to the size of the smaller, always to
    the same items.

    They do not apply to mixtures of points: a radial basis function is flat at its centre, so that distances within a
    mode vanish to first order, and points far from every mode have nearly the same features.
    """
    real, generated = evaluation.features_real, evaluation.features_generated
    check(K_DENSITY + 1, real=real, generated=generated)
    return ball_scores(*equal(real, generated))


def ball_scores(x: Tensor, y: Tensor) -> dict[str, float]:
    """Compare real ``x`` and generated ``y`` by the balls B_k(z) from an item to its k-th nearest neighbour of its set.

    An item on the edge of a ball is inside.

    - ``precision``: share of y in the union of B_3(x); ``recall``: share of x in the union of B_3(y) (Kynkäänniemi et
      al. 2019). 0 to 1; for equal distributions not 1, but about 0.6 to 0.9.
    - ``density``: mean over y of the number of B_5(x) it is in, over 5, 0 to N / 5, 1 on average for equal
      distributions; ``coverage``: share of B_5(x) with a y inside, 0 to 1, for equal distributions on average
      1 - prod_{j=1..5} (N - j) / (M + N - j) (Naeem et al. 2020).
    - ``clipped_density``: density with radii of at most their median and counts over 5 clipped at 1, over the same for
      each real item against the others, clipped at 1; ``clipped_coverage``: number of y in B_5(x) over 5, clipped at
      1, averaged over x, and mapped to the share of good samples that would give it on average (Salvy et al. 2025,
      arXiv 2507.01761). 0 to 1, both near 1 for equal distributions, and falling in line with the share of bad samples.

    Args:
        x: (N, F) float64, N >= 6.
        y: (M, F) float64, M >= 6.
    """
    distances, indices = nearest(x, x, K_DENSITY + 1)
    radii = distances[:, -1:]
    clipped = radii.clamp_max(radii.quantile(0.5))
    inside = distances[:, 1:] <= clipped
    fidelity_real = torch.bincount(indices[:, 1:][inside], minlength=len(x))

    ball, clipped_ball, manifold = radii.square(), clipped[:, 0].square(), distances[:, K_MANIFOLD].square()
    manifold_y = nearest(y, y, K_MANIFOLD + 1)[0][:, -1].square()
    recalled = torch.empty(len(x), dtype=torch.bool)
    hits = torch.empty(len(x), dtype=torch.int64)
    precise = torch.zeros(len(y), dtype=torch.bool)
    fidelity = torch.zeros(len(y), dtype=torch.int64)
    for rows, block in squared_distances(x, y):
        inside = torch.from_numpy(np.flatnonzero(block <= ball[rows]))
        i, j, near = inside // len(y), inside % len(y), block.flatten()[inside]
        hits[rows] = torch.bincount(i, minlength=len(block))
        precise[j[near <= manifold[rows][i]]] = True
        fidelity += torch.bincount(j[near <= clipped_ball[rows][i]], minlength=len(y))
        recalled[rows] = block.sub_(manifold_y).amin(dim=1) <= 0.0
    return {
        "precision": _mean(precise),
        "recall": _mean(recalled),
        "density": float(hits.sum()) / (K_DENSITY * len(y)),
        "coverage": _mean(hits > 0),
        "clipped_density": min(1.0, _clipped(fidelity) / _clipped(fidelity_real)),
        "clipped_coverage": good_share(_clipped(hits), len(x), len(y)),
    }


def good_share(covered: float, n: int, m: int) -> float:
    """Return the share of good samples among ``m`` that covers ``n`` real items to a given degree on average.

    The mass of a ball to the k-th neighbour is Beta(k, n - k), so the number J of ``good`` samples in it is
    Beta-Binomial(good, k, n - k), and the degree is E[min(J, k)] / k, which grows with ``good``.
    """
    from scipy.stats import betabinom

    good = np.arange(m + 1)
    counts = np.arange(K_DENSITY)[:, None]
    missing = (K_DENSITY - counts) * betabinom.pmf(counts, good, K_DENSITY, n - K_DENSITY)
    expected = 1.0 - missing.sum(axis=0) / K_DENSITY
    return float(np.interp(covered, expected, good / m))


def _clipped(counts: Tensor) -> float:
    return float(counts.clamp_max(K_DENSITY).double().mean()) / K_DENSITY


def _mean(mask: Tensor) -> float:
    return float(mask.double().mean())
