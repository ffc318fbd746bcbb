"""Shares of bins of feature space: where generated items are too many or too few."""

from __future__ import annotations

import torch
from torch import Tensor

from zoo.evaluation import Evaluation
from zoo_bench.score.metrics.cells import Cells, training_cells
from zoo_bench.score.metrics.inputs import check

MAX_BINS = 100
MIN_ITEMS_PER_BIN = 10
Z_CRITICAL = 1.959963984540054
"""Two-sided critical value of a standard normal at the 5 % level."""


def ndb(evaluation: Evaluation) -> dict[str, float]:
    """Return ``ndb``, the share of bins whose shares differ, and ``ndb_js``; both lower is better."""
    training, real, generated = evaluation.features_train, evaluation.features_real, evaluation.features_generated
    check(2 * MIN_ITEMS_PER_BIN, training=training, real=real, generated=generated)
    k = bins(training, real, generated)
    return bin_scores(evaluation.reference.once(training_cells, k), real, generated)


def bins(*sets: Tensor) -> int:
    """Return how many bins sets can fill: 100, or as many as leave ten items of each per bin on average."""
    return min(MAX_BINS, min(map(len, sets)) // MIN_ITEMS_PER_BIN)


def bin_scores(cells: Cells, real: Tensor, generated: Tensor) -> dict[str, float]:
    """Compare how real and generated items fill bins (NDB, Richardson & Weiss 2018).

    Bins are k-means cells of the training split. Shares are those of the held-out items, not of the training items that
    made the bins, so that copying gains nothing.

    ``ndb`` is NDB / K, the share of bins in which a two-proportion pooled z-test finds a difference at the 5 % level:
    0 to 1, about 0.05 for equal distributions. ``ndb_js`` is the Jensen-Shannon divergence of the two vectors of shares
    in nats: 0 to ln 2, about (K - 1) / 8 (1 / N + 1 / M) for equal distributions.

    Args:
        cells: The bins.
        real: (N, F) float64, N >= 20.
        generated: (M, F) float64, M >= 20.
    """
    counts = torch.stack([torch.bincount(cells.of(z), minlength=cells.k) for z in (real, generated)]).double()
    sizes = counts.sum(dim=1, keepdim=True)
    p, q = counts / sizes
    pooled = counts.sum(dim=0) / sizes.sum()
    error = (pooled * (1.0 - pooled) * (1.0 / sizes).sum()).sqrt()
    return {
        "ndb": float(((p - q).abs() > Z_CRITICAL * error).double().mean()),
        "ndb_js": jensen_shannon(p, q),
    }


def jensen_shannon(p: Tensor, q: Tensor) -> float:
    """Return the Jensen-Shannon divergence of two vectors of shares in nats, 0 to ln 2."""
    entropy = torch.special.entr(torch.stack([(p + q) / 2.0, p, q])).sum(dim=1)
    return float(entropy[0] - (entropy[1] + entropy[2]) / 2.0)
