"""Items that are of no class, and class shares corrected for the mistakes of the judge."""

from __future__ import annotations

import torch
from torch import Tensor

from zoo.evaluation import Evaluation, Judged, Reference
from zoo_bench.score.metrics.modes import divergences, shares

REAL_JUNK_SHARE = 0.01
MIN_ITEMS_PER_CLASS = 20
EM_ITERATIONS = 2000
COVARIANCE_RIDGE = 1e-3


def junk(evaluation: Evaluation) -> dict[str, float]:
    """Return ``junk``, the share of generated items that are of no class: 0 to 1, lower is better, 0.01 for real data.

    An item is junk if the judge is less sure of its class than of 99.5 % of held-out items, by calibrated confidence
    (Hendrycks and Gimpel 2017), or if its features are further from the mean of real ones, in Mahalanobis distance
    (after Lee et al. 2018), than those of 99.5 %. The second is needed because a classifier asked for a class is quite
    sure of the class of noise.

    Nothing is returned if the judge does not say how sure it is.
    """
    clear = _clear(evaluation.reference, evaluation.judged)
    return {} if clear is None else {"junk": float((~clear).double().mean())}


def corrected_shares(evaluation: Evaluation) -> dict[str, float]:
    """Return ``mode_kl_corrected`` and ``mode_tv_corrected``: as ``mode_kl`` and ``mode_tv``, after correction.

    What is corrected is the judge's confusion of classes, as it is on held-out real items; the shares are those of
    items that are not junk (see :func:`junk`). It is assumed that the judge confuses generated items of a class
    as it does real ones (Saerens, Latinne and Decaestecker 2002; Lipton, Wang and Smola 2018). Both are 0 to their
    uncorrected limits, lower is better.

    Nothing is returned if a class has fewer than 20 held-out items, too few to estimate its confusion, or if
    all items are junk.
    """
    reference = evaluation.reference
    total = reference.task.modes
    counts = torch.bincount(evaluation.modes_real, minlength=total)
    clear = _clear(evaluation.reference, evaluation.judged)
    judged = evaluation.modes_generated if clear is None else evaluation.modes_generated[clear]
    if counts.min() < MIN_ITEMS_PER_CLASS or not len(judged):
        return {}
    confusion = reference.once(_confusion)
    corrected = true_shares(torch.bincount(judged, minlength=total).double(), confusion)
    values = divergences(corrected, shares(evaluation.modes_real, total))
    return {f"{name}_corrected": value for name, value in values.items()}


def true_shares(counts: Tensor, confusion: Tensor) -> Tensor:
    """Return the shares of the true classes that explain best how a judge classified items, (K,) float64.

    Maximum likelihood by expectation maximisation (Saerens et al. 2002, with hard decisions): unlike the inverse of
    the matrix, it stays within 0 and 1.

    Args:
        counts: Number of items that the judge calls each class, (K,) float64.
        confusion: P(an item is called i | it is of class j), (K, K) float64 in row i and column j. A column may sum to
            less than 1: the rest is assigned to no class and is not in ``counts``.
    """
    seen = confusion.sum(dim=0)
    confusion = confusion / seen.clamp_min(1e-12)
    judged = counts / counts.sum()
    weights = torch.full_like(judged, 1.0 / len(judged))
    for _ in range(EM_ITERATIONS):
        expected = confusion @ weights
        ratio = torch.where(judged > 0, judged / expected.clamp_min(1e-300), torch.zeros_like(judged))
        weights = weights * (confusion.T @ ratio)
    weights = weights / seen.clamp_min(1e-12)
    return weights / weights.sum()


def _clear(reference: Reference, items: Judged) -> Tensor | None:
    """Return which items are not junk, (N,) bool, or None if the judge does not say how sure it is."""
    if items.confidence is None:
        return None
    min_confidence, max_distance = reference.once(_limits)
    return (items.confidence >= min_confidence) & (_distance(reference, items) <= max_distance)


def _limits(reference: Reference) -> tuple[float, float]:
    """Return the least confidence and the greatest distance from the mean of an item that is not junk."""
    confidence, distance = reference.test.confidence, _distance(reference, reference.test)
    assert confidence is not None
    rejected = int(REAL_JUNK_SHARE / 2 * len(confidence))
    return float(confidence.kthvalue(rejected + 1).values), float(distance.kthvalue(len(distance) - rejected).values)


def _distance(reference: Reference, items: Judged) -> Tensor:
    """Return the Mahalanobis distance of items from the mean of the test split, (N,) float64."""
    whitened = torch.linalg.solve_triangular(
        reference.once(_covariance_root), reference.standardise(items.features).T, upper=False
    )
    return whitened.norm(dim=0)


def _covariance_root(reference: Reference) -> Tensor:
    """Return L with L L' the covariance of the standardised test features plus a thousandth of the identity."""
    covariance = torch.atleast_2d(torch.cov(reference.features.T))
    return torch.linalg.cholesky(covariance + COVARIANCE_RIDGE * torch.eye(len(covariance), dtype=torch.float64))


def _confusion(reference: Reference) -> Tensor:
    """Return P(called i and not junk | class j) on the test split, (K, K) float64."""
    total, true = reference.task.modes, reference.task.test.modes
    assert true is not None
    clear = _clear(reference, reference.test)
    pairs = reference.test.modes * total + true
    counts = torch.bincount(pairs if clear is None else pairs[clear], minlength=total**2).reshape(total, total)
    return counts.double() / torch.bincount(true, minlength=total)
