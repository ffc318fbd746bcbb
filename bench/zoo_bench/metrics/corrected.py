"""Items that the judge is unsure of, and class shares corrected for the mistakes that it makes."""

from __future__ import annotations

import torch
from torch import Tensor

from zoo.evaluation import Evaluation, Reference
from zoo_bench.metrics.modes import divergences, shares

REAL_JUNK = 0.01
LEAST_PER_CLASS = 20
ITERATIONS = 2000


def junk(evaluation: Evaluation) -> dict[str, float]:
    """Return ``junk``, the share of generated items of which the judge is less sure than of 99 % of real ones.

    0 to 1, lower is better, 0.01 for real data. The threshold is the first percentile of the calibrated confidence in
    held-out items, so that the share does not depend on how sure a judge is by itself. A judge is not asked whether an
    item is like the data, only which class it is: it may well be sure of what is none.

    Nothing is returned if the judge does not say how sure it is.
    """
    sure = _sure(evaluation)
    return {} if sure is None else {"junk": float((~sure).double().mean())}


def corrected_shares(evaluation: Evaluation) -> dict[str, float]:
    """Return ``mode_kl_corrected`` and ``mode_tv_corrected``: as ``mode_kl`` and ``mode_tv``, after correction.

    What is corrected is the judge's confusion of classes, as it is on held-out real items; the shares are those of
    items that are not junk (see :func:`junk`). It takes for granted that the judge confuses generated items of a class
    as it does real ones (Saerens, Latinne and Decaestecker 2002; Lipton, Wang and Smola 2018). Both are 0 to their
    uncorrected limits, lower is better.

    Nothing is returned if a class has fewer than 20 held-out items, from which its confusion is not to be told, or if
    all items are junk.
    """
    reference = evaluation.reference
    total = reference.task.modes
    counts = torch.bincount(evaluation.modes_real, minlength=total)
    sure = _sure(evaluation)
    found = evaluation.modes_generated if sure is None else evaluation.modes_generated[sure]
    if counts.min() < LEAST_PER_CLASS or not len(found):
        return {}
    confusion = reference.once(_confusion)
    corrected = true_shares(torch.bincount(found, minlength=total).double(), confusion)
    made = divergences(corrected, shares(evaluation.modes_real, total))
    return {f"{name}_corrected": value for name, value in made.items()}


def true_shares(found: Tensor, confusion: Tensor) -> Tensor:
    """Return the shares of the true classes that most likely lie behind what a judge found, (K,) float64.

    Maximum likelihood by expectation maximisation (Saerens et al. 2002, with hard decisions): unlike the inverse of
    the matrix, it stays within 0 and 1.

    Args:
        found: Number of items that the judge calls each class, (K,) float64.
        confusion: P(the judge calls it i | it is j), (K, K) float64 in row i and column j. A column may add up to less
            than 1: the rest is called nothing and not among ``found``.
    """
    seen = confusion.sum(dim=0)
    confusion = confusion / seen.clamp_min(1e-12)
    found = found / found.sum()
    weights = torch.full_like(found, 1.0 / len(found))
    for _ in range(ITERATIONS):
        expected = confusion @ weights
        ratio = torch.where(found > 0, found / expected.clamp_min(1e-300), torch.zeros_like(found))
        weights = weights * (confusion.T @ ratio)
    weights = weights / seen.clamp_min(1e-12)
    return weights / weights.sum()


def _sure(evaluation: Evaluation) -> Tensor | None:
    """Return which generated items are not junk, (M,) bool, or None if the judge does not say how sure it is."""
    confidence = evaluation.judged.confidence
    return None if confidence is None else confidence >= evaluation.reference.once(_threshold)


def _threshold(reference: Reference) -> float:
    confidence = reference.test.confidence
    assert confidence is not None
    return float(confidence.kthvalue(int(REAL_JUNK * len(confidence)) + 1).values)


def _confusion(reference: Reference) -> Tensor:
    """Return P(called i and no junk | class j) on the test split, (K, K) float64."""
    total, true = reference.task.modes, reference.task.test.modes
    assert true is not None
    confidence, modes = reference.test.confidence, reference.test.modes
    sure = torch.ones(len(true), dtype=torch.bool) if confidence is None else confidence >= reference.once(_threshold)
    pairs = torch.bincount(modes[sure] * total + true[sure], minlength=total**2).reshape(total, total)
    return pairs.double() / torch.bincount(true, minlength=total)
