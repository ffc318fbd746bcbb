"""Cells of feature space, by k-means on the training split."""

from __future__ import annotations

from torch import Tensor, from_numpy

from zoo_bench.metrics.inputs import subsample

TRAINING_PER_CELL = 50


def cells(training: Tensor, k: int, *sets: Tensor) -> list[Tensor]:
    """Return the cell of every row of every set, (N,) int64 in 0 to k - 1.

    Centres are found on at most fifty training items per cell, by one k-means++ start with a fixed seed.

    Args:
        training: (T, F) float64.
        k: Number of cells.
        sets: (N, F) float64 each.
    """
    from sklearn.cluster import KMeans

    means = KMeans(k, n_init=1, random_state=0).fit(subsample(training, TRAINING_PER_CELL * k).numpy())
    return [from_numpy(means.predict(features.numpy())).long() for features in sets]
