"""Class shares of generated items against real ones, beyond :mod:`zoo_bench.score.metrics.modes`."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from zoo.errors import ZooError
from zoo.evaluation import Evaluation
from zoo_bench.score.metrics.modes import shares
from zoo_bench.score.metrics.ndb import jensen_shannon


def class_shares(evaluation: Evaluation) -> dict[str, float]:
    """Return further comparisons of class shares; the judge names the class of every generated item.

    ``mode_kl_reverse`` is KL(real || generated) in nats, 0 to infinity, lower is better: infinite as soon as one class
    is missing. ``mode_js`` is the Jensen-Shannon divergence in nats, 0 to ln 2, lower is better.

    ``mode_chi2_p`` is the p-value of the chi-square test that both have the same shares, 0 to 1: small if they differ
    by more than chance. The judge classifies the real items of this test too, so that its mistakes affect both alike.
    """
    task = evaluation.task
    real, generated = shares(evaluation.modes_real, task.modes), shares(evaluation.modes_generated, task.modes)
    return {
        "mode_kl_reverse": float(torch.special.xlogy(real, real / generated).nansum()),
        "mode_js": jensen_shannon(real, generated),
        "mode_chi2_p": same_shares_p(evaluation.reference.test.modes, evaluation.modes_generated, task.modes),
    }


def same_shares_p(a: Tensor, b: Tensor, total: int) -> float:
    """Return the p-value of Pearson's chi-square test of homogeneity of two sets of classes, (N,) and (M,) int64.

    Raises:
        ZooError: If there is only one class.
    """
    from scipy.stats import chi2_contingency

    table = np.stack([np.bincount(modes.numpy(), minlength=total) for modes in (a, b)])
    table = table[:, table.sum(axis=0) > 0]
    if table.shape[1] < 2:
        raise ZooError("all real and generated items are of one class")
    return float(chi2_contingency(table, correction=False).pvalue)
