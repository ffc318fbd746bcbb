"""Functions that the loaders of labelled images share."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from zoo.errors import DataError
from zoo.task import Split
from zoo_bench.data.sources import Source


def labelled(source: Source, images: Tensor, labels: Tensor, classes: int) -> Split:
    """Return a split of images (N, C, H, W) uint8 and labels (N,).

    Raises:
        DataError: If there are not as many labels as images, or a label is not a class.
    """
    if len(images) != len(labels):
        raise DataError(f"{source.title} in {str(source.path)!r} has {len(images):,} images but {len(labels):,} labels")
    if len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) < classes:
        low, high = int(labels.min()), int(labels.max())
        raise DataError(
            f"{source.title} in {str(source.path)!r} has labels from {low} to {high}, but {classes} classes "
            f"are 0 to {classes - 1}"
        )
    return Split(images.contiguous(), labels.long())


def hold_out(train: Split, n: int) -> tuple[Split, Split]:
    """Return a split without its last ``n`` items, and a split of these."""
    assert train.modes is not None
    cut = len(train) - n
    return Split(train.data[:cut], train.modes[:cut]), Split(train.data[cut:], train.modes[cut:])


def to_tensor(array: object) -> Tensor:
    """Return a tensor of an array or a list, in its own memory order."""
    return torch.from_numpy(np.ascontiguousarray(array))
