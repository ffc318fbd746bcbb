"""Drawing samples from a model, in the one way that all scores and sheets use."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from zoo.errors import PluginError
from zoo.model import GenerativeModel, sample_classes
from zoo.signs import alive
from zoo.task import Task, to_storage

BATCH_SIZE = 500


def labels_to_draw(task: Task, n: int, seed: int) -> Tensor:
    """Draw the classes of ``n`` samples from their shares in the training split: (n,) int64, the same for every model.

    The generator is of another kind than that of latents, which may have the same seed.
    """
    assert task.train.modes is not None, "planning refuses to give labels that a task does not have"
    chosen = np.random.default_rng(seed).integers(len(task.train), size=n)
    return task.train.modes[torch.from_numpy(chosen)]


def draw(model: GenerativeModel, n: int, labels: Tensor | None = None) -> Tensor | None:
    """Draw ``n`` samples in batches, in eval mode, onto the CPU; the model's mode is kept.

    Args:
        model: The model.
        n: How many.
        labels: Their classes, (n,) int64, if the model is given labels.

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
                size = min(BATCH_SIZE, n - start)
                part = _checked(model, size, None if labels is None else labels[start : start + size])
                if not torch.isfinite(part).all():
                    return None
                parts.append((to_storage(part) if len(model.shape) == 3 else part.float()).cpu())
    finally:
        model.train(training)
    return torch.cat(parts)


def _checked(model: GenerativeModel, n: int, labels: Tensor | None) -> Tensor:
    part = sample_classes(model, n, labels)
    if tuple(part.shape) != (n, *model.shape):
        expected = (n, *model.shape)
        raise PluginError(f"{type(model).__name__}.sample({n}) returned {tuple(part.shape)}, not {expected}")
    if not part.is_floating_point():
        raise PluginError(f"{type(model).__name__}.sample({n}) returned {part.dtype}, not floats")
    return part
