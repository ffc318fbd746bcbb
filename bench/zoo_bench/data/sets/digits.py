"""UCI digits, 8x8, from scikit-learn's wheel: real images without a network."""

from __future__ import annotations

import itertools

import torch

from zoo.task import Split, Task
from zoo_bench.judges.classifier import ClassifierJudge

TRAIN, VALIDATION = 1000, 197


def splits() -> tuple[Split, Split, Split]:
    """Return 1,000 training, 197 validation and 600 test images, (N, 1, 8, 8) uint8, in a fixed shuffled order.

    The data's 17 grey levels, 0 to 16, become 0 to 255.
    """
    from sklearn.datasets import load_digits

    bunch = load_digits()
    order = torch.randperm(len(bunch.target), generator=torch.Generator().manual_seed(0))
    images = torch.from_numpy(bunch.images).mul(255 / 16).round().to(torch.uint8).unsqueeze(1)[order]
    labels = torch.from_numpy(bunch.target).long()[order]
    ends = (0, TRAIN, TRAIN + VALIDATION, len(order))
    train, validation, test = (Split(images[a:b], labels[a:b]) for a, b in itertools.pairwise(ends))
    return train, validation, test


def digits() -> Task:
    """Load the task ``digits``."""
    train, validation, test = splits()
    return Task(train, validation, test, ClassifierJudge.shipped("digits-cnn"), modes=10, samples=2000)
