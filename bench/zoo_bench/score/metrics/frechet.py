"""The Fréchet distance computed fast, extrapolated to infinitely many samples, and to the training split."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from zoo.evaluation import Evaluation
from zoo_bench.score.metrics.inputs import check, subsample

SIZES = 15
SMALLEST = 0.2
NEARLY_ZERO = 1e-12


def fid_inf(evaluation: Evaluation) -> dict[str, float]:
    """Return ``fid_inf``, the FID without its bias from finite samples; any sign, lower is better, 0 for real data."""
    generated, real = evaluation.features_generated, evaluation.features_real
    check(10, generated=generated, real=real)
    return {"fid_inf": frechet_infinity(generated, real)}


def fid_train(evaluation: Evaluation) -> dict[str, float]:
    """Return ``fid_train``, the FID to as many training items as the test split has; 0 to infinity.

    It stands beside ``fid``: about equal for a model that generalises, clearly lower for one that memorises. By itself
    neither direction is better.
    """
    generated, training = evaluation.features_generated, evaluation.features_train
    check(2, generated=generated, training=training)
    return {"fid_train": frechet_distance(generated, subsample(training, len(evaluation.features_real)))}


def frechet_infinity(x: Tensor, y: Tensor) -> float:
    """Extrapolate the Fréchet distance to infinitely many samples (Chong & Forsyth 2020, FID_inf).

    The bias of FID goes with 1/N. It is computed at 15 evenly spaced sizes, and the intercept of a least-squares line
    in 1/N is returned. The paper shrinks the generated set only; here both shrink together, from all down to a fifth,
    so the bias from a small reference goes too. The spread grows by a third to two thirds.

    Args:
        x: (N, F) float64, N >= 10.
        y: (M, F) float64, M >= 10.
    """
    shares = np.linspace(SMALLEST, 1.0, SIZES)
    values = [frechet_distance(_part(x, share), _part(y, share)) for share in shares]
    return float(np.polynomial.Polynomial.fit(1.0 / shares, values, 1)(0.0))


def frechet_distance(x: Tensor, y: Tensor) -> float:
    """Return |mu1 - mu2|^2 + tr S1 + tr S2 - 2 tr (S1 S2)^(1/2) (Heusel et al. 2017, equation 6), 0 to infinity.

    The trace term is the sum of the square roots of the eigenvalues of S1^(1/2) S2 S1^(1/2), and equally the sum of
    the singular values of A B', where A and B are the centred items over sqrt(n - 1), so that A'A = S1 and B'B = S2.
    Eigenvalues, of the first matrix or of A B' (A B')', are faster. They lose half of the digits of what is nearly 0;
    if there is such a one, singular values are taken.

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
    if eigenvalues[0] > NEARLY_ZERO * eigenvalues[-1]:
        trace = eigenvalues.sqrt().sum()
    else:
        trace = torch.linalg.svdvals(_root(x) @ _root(y).T).sum()
    return float(shift.square().sum() + spread - 2.0 * trace)


def _part(x: Tensor, share: float) -> Tensor:
    """Draw a share of the rows, other ones for every share but the same ones of equally long sets."""
    n = round(share * len(x))
    return x[torch.randperm(len(x), generator=torch.Generator().manual_seed(n))[:n]]


def _root(x: Tensor) -> Tensor:
    """Return A with at most F rows and A'A the covariance of ``x``."""
    centred = (x - x.mean(dim=0)) / (len(x) - 1) ** 0.5
    return torch.linalg.qr(centred, mode="r").R if len(x) > x.shape[1] else centred
