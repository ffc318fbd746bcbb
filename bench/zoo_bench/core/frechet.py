"""The Fréchet distance of two sets of features, fast and exact at any rank."""

from __future__ import annotations

import torch
from torch import Tensor

MIN_EIGENVALUE_RATIO = 1e-12
"""Smallest eigenvalue, as a share of the largest, whose square root is exact enough."""


def frechet_distance(x: Tensor, y: Tensor) -> float:
    """Return |mu1 - mu2|^2 + tr S1 + tr S2 - 2 tr (S1 S2)^(1/2) (Heusel et al. 2017, equation 6), 0 to infinity.

    The trace term is the sum of the square roots of the eigenvalues of S1^(1/2) S2 S1^(1/2), and equally the sum of
    the singular values of A B', where A and B are the centred items over sqrt(n - 1), so that A'A = S1 and B'B = S2.
    Eigenvalues, of the first matrix or of A B' (A B')', are faster. They lose half of the digits of values near 0;
    if there are any, singular values are used instead.

    Args:
        x: (N, F) float64, N >= 2.
        y: (M, F) float64, M >= 2.
    """
    shift = x.mean(dim=0) - y.mean(dim=0)
    if min(len(x), len(y)) >= x.shape[1]:
        s1, s2 = torch.cov(x.T), torch.cov(y.T)
        values, vectors = torch.linalg.eigh(s1)
        root = vectors * values.clamp_min(0.0).sqrt() @ vectors.T
        eigenvalues = torch.linalg.eigvalsh(root @ s2 @ root)
        spread = s1.trace() + s2.trace()
    else:
        a, b = sorted((_root(x), _root(y)), key=len)
        cross = a @ b.T
        eigenvalues = torch.linalg.eigvalsh(cross @ cross.T)[1:]  # the rows of centred items add up to 0
        spread = a.square().sum() + b.square().sum()
    if eigenvalues[0] > MIN_EIGENVALUE_RATIO * eigenvalues[-1]:
        trace = eigenvalues.sqrt().sum()
    else:
        trace = torch.linalg.svdvals(_root(x) @ _root(y).T).sum()
    return float(shift.square().sum() + spread - 2.0 * trace)


def _root(x: Tensor) -> Tensor:
    """Return A with at most F rows and A'A the covariance of ``x``."""
    centred = (x - x.mean(dim=0)) / (len(x) - 1) ** 0.5
    return torch.linalg.qr(centred, mode="r").R if len(x) > x.shape[1] else centred
