"""The kernel distance between generated and real features, with its standard error."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from zoo.distances import products
from zoo.evaluation import Evaluation
from zoo_bench.score.metrics.inputs import check

MAX_UNDIVIDED_ROWS = 1000
"""Rows up to which the kernel of a set with itself is computed whole, without using its symmetry."""


def kid(evaluation: Evaluation) -> dict[str, float]:
    """Return ``kid``, unbiased and so of any sign, lower is better, 0 for real data, and ``kid_se``.

    The kernel is not invariant to the scale of features, which are therefore standardised by the real ones.
    """
    generated, real = evaluation.features_generated, evaluation.features_real
    check(4, generated=generated, real=real)
    value, error = kernel_distance(generated, real)
    return {"kid": value, "kid_se": error}


def kernel_distance(x: Tensor, y: Tensor) -> tuple[float, float]:
    """Return the unbiased squared maximum mean discrepancy under k(x, y) = (x.y / F + 1)^3, and its standard error.

    KID (Bińkowski et al. 2018), as the full U-statistic over all pairs instead of a mean over random subsets.

    The variance follows from the Hoeffding decomposition of the statistic (Hoeffding 1948; for the discrepancy,
    Sutherland et al. 2017). With f the witness function and t the variance of the kernel beyond its row and column
    effects, it is 4 (var f(x) / N + var f(y) / M) + 2 (t_xx / N(N-1) + t_yy / M(M-1) + 2 t_xy / NM). The first bracket
    vanishes for equal distributions; what sampling noise adds to its estimate, the second bracket, is subtracted.

    Args:
        x: (N, F) float64, N >= 4.
        y: (M, F) float64, M >= 4.
    """
    n, m = len(x), len(y)
    x, y = _lift(x), _lift(y)
    between = _between(x, y)
    xx, yy = (_without_diagonal(_within(z), z) for z in (x, y))
    xy = _Kernel(between.rows / m, between.columns / n, between.squares / (n * m))
    value = xx.rows.mean() + yy.rows.mean() - 2.0 * xy.rows.mean()
    first = (xx.rows - xy.rows).var() / n + (yy.rows - xy.columns).var() / m
    noise = xx.residual / (n * (n - 1)) + yy.residual / (m * (m - 1)) + 2.0 * xy.residual / (n * m)
    variance = (4.0 * first - 2.0 * noise).maximum(noise)
    return float(value), float(variance.sqrt())


@dataclass
class _Kernel:
    """A kernel matrix, reduced to sums or means of its rows, of its columns, and of all its squares."""

    rows: Tensor
    columns: Tensor
    squares: Tensor

    @property
    def residual(self) -> Tensor:
        """Variance of what row and column means do not explain."""
        return (self.squares - self.rows.mean() ** 2 - self.rows.var() - self.columns.var()).clamp_min(0.0)


def _lift(x: Tensor) -> Tensor:
    """Scale and append a feature so that x.y / F + 1 is one product."""
    return torch.cat([x / x.shape[1] ** 0.5, torch.ones_like(x[:, :1])], dim=1)


def _between(x: Tensor, y: Tensor) -> _Kernel:
    """Return the sums of the kernel of two lifted sets."""
    sums = _Kernel(x.new_empty(len(x)), x.new_zeros(len(y)), x.new_zeros(()))
    for rows, base in products(x, y):
        kernel = base.pow_(3)
        sums.rows[rows] = kernel.sum(dim=1)
        sums.columns += kernel.sum(dim=0)
        sums.squares += kernel.flatten() @ kernel.flatten()
    return sums


def _within(x: Tensor) -> _Kernel:
    """Return the sums of the kernel of a lifted set with itself; what is symmetric is computed once."""
    if len(x) <= MAX_UNDIVIDED_ROWS:
        return _between(x, x)
    halves = x.tensor_split(2)
    (a, b), across = map(_within, halves), _between(*halves)
    rows = torch.cat([a.rows + across.rows, b.rows + across.columns])
    return _Kernel(rows, rows, a.squares + b.squares + 2.0 * across.squares)


def _without_diagonal(sums: _Kernel, x: Tensor) -> _Kernel:
    """Return means over pairs of different items."""
    n, diagonal = len(x), x.square().sum(dim=1) ** 3
    rows = (sums.rows - diagonal) / (n - 1)
    return _Kernel(rows, rows, (sums.squares - diagonal.square().sum()) / (n * (n - 1)))
