"""Whether generated items are copies of training items."""

from __future__ import annotations

import torch
from torch import Tensor

from zoo.distances import gaps, nearest
from zoo.errors import ZooError
from zoo.evaluation import Evaluation, Reference
from zoo_bench.score.metrics.cells import training_cells
from zoo_bench.score.metrics.inputs import check
from zoo_bench.score.metrics.kept import kept

MAX_CELLS = 50
MIN_REAL_PER_CELL = 50
MIN_GENERATED_PER_CELL = 20


def authentic(evaluation: Evaluation) -> dict[str, float]:
    """Return ``authentic``, the share of generated items that are no near copies, 0 to 1, higher is better.

    An item is authentic if it is further from its nearest training item than that is from its own nearest training item
    (AuthPct: Alaa et al. 2022). Held-out real points score 0.33 on a line, 0.38 in a plane and 0.5 in many dimensions,
    images up to 0.8; whatever lies off the data scores high as well, so this is read beside a fidelity metric.

    Points are compared by their coordinates, over the standard deviations of real ones, because features of neighbours
    hardly differ. What has collapsed to a few points may score anything, as few training points decide.
    """
    if "points" in evaluation.task.offers:
        return {"authentic": _authentic_points(evaluation)}
    training = evaluation.features_train
    check(2, training=training, generated=evaluation.features_generated)
    distances, indices = evaluation.nearest_train
    gaps = evaluation.reference.once(_training_gaps)
    return {"authentic": float((distances > gaps[indices]).double().mean())}


def _training_gaps(reference: Reference) -> Tensor:
    """Return the distance of every training item to the nearest other one, (T,) float64."""
    return kept("training gaps 1", gaps, reference.features_train)


def _authentic_points(evaluation: Evaluation) -> float:
    from scipy.spatial import KDTree

    std = evaluation.real.double().std(dim=0)
    scale = torch.where(std > 0, std, torch.ones_like(std))
    training, generated = evaluation.task.train.data / scale, evaluation.generated / scale
    check(2, training=training, generated=generated)
    tree = KDTree(training.numpy())
    distances, indices = tree.query(generated.numpy())
    gaps = tree.query(training.numpy()[indices], 2)[0][:, 1]
    return float((distances > gaps).mean())


def data_copying(evaluation: Evaluation) -> dict[str, float]:
    """Return ``ct``, the data-copying test statistic C_T (Meehan, Chaudhuri & Dasgupta 2020).

    In each cell of feature space, a Mann-Whitney test compares the distances to the nearest training item of generated
    and of held-out items; its z-scores are averaged over cells with their shares of held-out items as weights. Any
    sign: about 0 for real data, well below 0 (-3) for copies, well above for items off the data. The z-scores grow with
    the square root of the number of items, so only equal sizes compare.

    Cells are 50 k-means cells of the training split, or as many as leave fifty held-out items in each on average;
    those with fewer than 20 generated items do not count.
    """
    training, real, generated = evaluation.features_train, evaluation.features_real, evaluation.features_generated
    check(MIN_GENERATED_PER_CELL, training=training, real=real, generated=generated)
    k = max(1, min(MAX_CELLS, len(real) // MIN_REAL_PER_CELL, len(training) // MIN_REAL_PER_CELL))
    cells = evaluation.reference.once(training_cells, k)
    cell_real, cell_generated = cells.of(real), cells.of(generated)
    distance_real, distance_generated = evaluation.reference.once(_held_out_distances), evaluation.nearest_train[0]
    total = weight = 0.0
    for cell in range(k):
        a, b = distance_generated[cell_generated == cell], distance_real[cell_real == cell]
        if len(a) >= MIN_GENERATED_PER_CELL and len(b):
            total += len(b) * rank_sum_z(a, b)
            weight += len(b)
    if not weight:
        raise ZooError(f"no cell holds {MIN_GENERATED_PER_CELL} generated items and a real one")
    return {"ct": total / weight}


def _held_out_distances(reference: Reference) -> Tensor:
    """Return the distance of every test item to its nearest training item, (N,) float64."""
    return kept(
        "held-out distances 1", lambda x, y: nearest(x, y)[0][:, 0], reference.features, reference.features_train
    )


def rank_sum_z(a: Tensor, b: Tensor) -> float:
    """Return the z-score of the Mann-Whitney U of ``a`` over ``b``, corrected for ties; 0 if all values are equal.

    Args:
        a: (N,) values; the score is positive if they are the larger ones.
        b: (M,) values.
    """
    from scipy.stats import rankdata

    n, m = len(a), len(b)
    values = torch.cat([a, b])
    ties = values.unique(return_counts=True)[1].double()
    variance = n * m / 12.0 * (n + m + 1.0 - float((ties**3 - ties).sum()) / ((n + m) * (n + m - 1.0)))
    u = float(rankdata(values.numpy())[:n].sum()) - n * (n + 1) / 2.0
    return (u - n * m / 2.0) / variance**0.5 if variance > 0.0 else 0.0
