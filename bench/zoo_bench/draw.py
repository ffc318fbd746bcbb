"""Drawing samples from a model, as everything that scores or shows them does."""

from __future__ import annotations

import torch
from torch import Tensor

from zoo.errors import PluginError
from zoo.model import GenerativeModel
from zoo.task import to_storage

BATCH = 500


@torch.no_grad()
def draw(model: GenerativeModel, n: int) -> Tensor:
    """Draw ``n`` samples in batches, in eval mode, onto the CPU: (n, *shape) float. The model's mode is kept.

    Raises:
        PluginError: If ``sample`` returns another shape.
    """
    training = model.training
    model.eval()
    parts = []
    for start in range(0, n, BATCH):
        size = min(BATCH, n - start)
        part = model.sample(size)
        if tuple(part.shape) != (size, *model.shape):
            expected = (size, *model.shape)
            raise PluginError(f"{type(model).__name__}.sample({size}) returned {tuple(part.shape)}, not {expected}")
        parts.append(part.cpu())
    model.train(training)
    return torch.cat(parts)


def draw_stored(model: GenerativeModel, n: int) -> Tensor | None:
    """Draw ``n`` samples as data are stored: images uint8, points float32; None if any is infinite or NaN."""
    samples = draw(model, n)
    if not torch.isfinite(samples).all():
        return None
    return to_storage(samples) if len(model.shape) == 3 else samples.float()
