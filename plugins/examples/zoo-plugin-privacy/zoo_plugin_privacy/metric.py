"""Membership inference from samples: was this item in the training data?"""

from __future__ import annotations

import torch
from torch import Tensor

import zoo

QUANTILE = 1.96
BLOCK = 1000


def membership(evaluation: zoo.Evaluation) -> dict[str, float]:
    """Return the advantage of guessing that the items nearest to a sample were trained on, with its 95 % interval.

    As many training items as there are held-out ones, which are the control set, are ordered by the distance to their
    nearest sample, in the judge's features (Chen et al. 2020, GAN-Leaks, the attack that sees samples alone). The
    attacker names the nearer half. If a share p of the training items is in it, then so is 1 - p of the others, and the
    advantage (Yeom et al. 2018) is p - (1 - p). Without any memory of items the number in it is hypergeometric, and the
    standard deviation of the advantage of 2 n items is 1 / sqrt(2 n - 1); with memory it is smaller.
    """
    others = evaluation.features_real
    order = torch.randperm(len(evaluation.features_train), generator=torch.Generator().manual_seed(0))
    members = evaluation.features_train[order[: len(others)]]
    n = len(members)
    distances = _to_nearest(torch.cat([members, others[:n]]), evaluation.features_generated)
    nearer = distances.argsort(stable=True)[:n]
    advantage = 2.0 * float((nearer < n).double().mean()) - 1.0
    margin = QUANTILE / (2 * n - 1) ** 0.5
    return {
        "membership_advantage": advantage,
        "membership_low": max(-1.0, advantage - margin),
        "membership_high": min(1.0, advantage + margin),
    }


def _to_nearest(items: Tensor, samples: Tensor) -> Tensor:
    return torch.cat([torch.cdist(block, samples).amin(1) for block in items.split(BLOCK)])
