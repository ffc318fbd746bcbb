"""Euclidean distances between many items, in blocks, so that memory stays bounded at any number of items."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

BLOCK_ENTRIES = 2**20
"""Float64 entries in a block, about 8 MB: few enough to stay in a processor's cache."""

MIN_BLOCK_ROWS = 32
RELATIVE_SLACK = 1e-12
"""Share by which squared norms are lowered: more than the rounding error of a squared distance."""


def products(left: Tensor, right: Tensor) -> Iterator[tuple[slice, Tensor]]:
    """Yield blocks of ``left @ right.T``: a slice of its rows, and those rows.

    Blocks are about 8 MB, small enough to stay in a cache, and share their memory: each is valid until the next.

    Args:
        left: (N, F) float64.
        right: (M, F) float64.
    """
    size = max(MIN_BLOCK_ROWS, BLOCK_ENTRIES // len(right))
    buffer = left.new_empty(min(size, len(left)), len(right))
    for start in range(0, len(left), size):
        rows = slice(start, min(start + size, len(left)))
        yield rows, torch.mm(left[rows], right.T, out=buffer[: rows.stop - start])


def squared_distances(x: Tensor, y: Tensor) -> Iterator[tuple[slice, Tensor]]:
    """Yield blocks of squared distances as :func:`products` does: rows of ``x`` against all of ``y``.

    One matrix product: |x|^2 - 2 x.y + |y|^2 = [-2x, |x|^2, 1] . [y, 1, |y|^2], lowered by 1e-12 of |x|^2 + |y|^2. That
    is more than its rounding error, so an item on the edge of a ball is always found inside.

    Args:
        x: (N, F) float64.
        y: (M, F) float64.
    """
    features = x.shape[1]
    centre = y.mean(dim=0)
    left, right = (z.new_ones(len(z), features + 2) for z in (x, y))
    for z, factor, norm in ((x, left, features), (y, right, features + 1)):
        centred = torch.sub(z, centre, out=factor[:, :features])
        factor[:, norm] = (1.0 - RELATIVE_SLACK) * torch.einsum("nf,nf->n", centred, centred)
    left[:, :features] *= -2.0
    return products(left, right)


def gaps(x: Tensor) -> Tensor:
    """Return the distance of every row of ``x`` (N, F) float64, N >= 2, to the nearest other one: (N,) float64."""
    distances = x.new_empty(len(x))
    for rows, block in squared_distances(x, x):
        block.diagonal(rows.start).fill_(torch.inf)
        distances[rows] = (x[rows] - x[block.min(dim=1).indices]).norm(dim=1)
    return distances


def nearest(x: Tensor, y: Tensor, k: int = 1) -> tuple[Tensor, Tensor]:
    """Return the ``k`` nearest rows of ``y`` for every row of ``x``.

    An item is its own nearest: the neighbours of the rows of ``x`` among themselves are ``nearest(x, x, k + 1)``
    without the first column.

    Args:
        x: (N, F) float64.
        y: (M, F) float64, M >= k.
        k: Number of neighbours.

    Returns:
        Distances, (N, k) float64 ascending, exact to rounding, and indices into ``y``, (N, k) int64.
    """
    distances, indices = x.new_empty(len(x), k), torch.empty(len(x), k, dtype=torch.int64)
    for rows, block in squared_distances(x, y):
        neighbours = (block.topk(k, largest=False) if k > 1 else block.min(dim=1, keepdim=True)).indices
        distances[rows], order = (x[rows, None] - y[neighbours]).norm(dim=2).sort(dim=1, stable=True)
        indices[rows] = neighbours.gather(1, order)
    return distances, indices
