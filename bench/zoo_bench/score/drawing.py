"""Drawing samples from a model, in the one way that all scores and sheets use."""

from __future__ import annotations

import torch
from torch import Tensor

from zoo.errors import PluginError
from zoo.model import GenerativeModel
from zoo.signs import alive
from zoo.task import to_storage

BATCH_SIZE = 500


def draw(model: GenerativeModel, n: int) -> Tensor | None:
    """Draw ``n`` samples in batches, in eval mode, onto the CPU; the model's mode is kept.

    Returns:
        Samples as data are stored, images (n, C, H, W) uint8 and points (n, D) float32; None if any is not finite.

    Raises:
        PluginError: If ``sample`` returns another shape, or no floats.
    """
    training = model.training
    model.eval()
    parts = []
    try:
        with torch.no_grad():  # not a decorator: a profile would name its wrapper as the caller
            for start in range(0, n, BATCH_SIZE):
                alive("a batch of samples")
                part = _checked(model, min(BATCH_SIZE, n - start))
                if not torch.isfinite(part).all():
                    return None
                parts.append((to_storage(part) if len(model.shape) == 3 else part.float()).cpu())
    finally:
        model.train(training)
    return torch.cat(parts)


def _checked(model: GenerativeModel, n: int) -> Tensor:
    part = model.sample(n)
    if tuple(part.shape) != (n, *model.shape):
        expected = (n, *model.shape)
        raise PluginError(f"{type(model).__name__}.sample({n}) returned {tuple(part.shape)}, not {expected}")
    if not part.is_floating_point():
        raise PluginError(f"{type(model).__name__}.sample({n}) returned {part.dtype}, not floats")
    return part
