"""Cells of feature space, by k-means on the training split."""

from __future__ import annotations

from torch import Tensor, from_numpy

from zoo.evaluation import Reference
from zoo_bench.score.metrics.inputs import subsample

MAX_TRAINING_PER_CELL = 50


class Cells:
    """The ``k`` cells around centres that k-means finds on at most fifty training items per cell.

    One k-means++ start with a fixed seed.

    Args:
        training: (T, F) float64.
        k: Number of cells.
    """

    def __init__(self, training: Tensor, k: int) -> None:
        from sklearn.cluster import KMeans

        self.k = k
        self._means = KMeans(k, n_init=1, random_state=0).fit(subsample(training, MAX_TRAINING_PER_CELL * k).numpy())

    def of(self, features: Tensor) -> Tensor:
        """Return the cell of every row of (N, F) float64: (N,) int64 in 0 to k - 1."""
        return from_numpy(self._means.predict(features.numpy())).long()


def training_cells(reference: Reference, k: int) -> Cells:
    """Return the cells of the training split, for :meth:`zoo.evaluation.Reference.once`."""
    return Cells(reference.features_train, k)
