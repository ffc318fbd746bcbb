"""Diversity of generated items by the spectrum of their similarities."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from zoo.evaluation import Evaluation
from zoo_bench.score.metrics.inputs import check, equal


def vendi(evaluation: Evaluation) -> dict[str, float]:
    """Return ``vendi``, the Vendi score over that of as many real items: 1 is as diverse as real data.

    It lies above 0. It measures diversity only: noise can exceed 1, so neither direction is better in itself.
    """
    generated, real = evaluation.features_generated, evaluation.features_real
    check(2, generated=generated, real=real)
    generated, real = equal(generated, real)
    return {"vendi": vendi_score(generated) / vendi_score(real)}


def vendi_score(x: Tensor) -> float:
    """Return the effective number of different items: exp of the entropy of the eigenvalues of K / N.

    Friedman & Dieng 2023, with the cosine kernel. 1 for copies of one item, N for orthogonal ones, at most
    min(N, F). The eigenvalues are also those of the F x F matrix X'X / N.

    Args:
        x: (N, F) float64.
    """
    unit = F.normalize(x, dim=1)
    gram = unit.T @ unit if len(x) >= x.shape[1] else unit @ unit.T
    eigenvalues = torch.linalg.eigvalsh(gram / len(x)).clamp_min(0.0)
    return float(torch.special.entr(eigenvalues).sum().exp())
