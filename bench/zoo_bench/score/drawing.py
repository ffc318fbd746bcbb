"""Drawing samples from a model, in the one way that all scores and sheets use."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from zoo.errors import PluginError
from zoo.model import GenerativeModel, sample_classes
from zoo.signs import alive
from zoo.task import Task, to_storage

BATCH_SIZE = 500

Sampler = Callable[[GenerativeModel, int, Tensor | None], Tensor]
"""From a model, a number and their classes to that many items, as :func:`zoo.model.sample_classes` draws them."""


def labels_to_draw(task: Task, n: int, seed: int) -> Tensor:
    """Draw the classes of ``n`` samples from their shares in the training split: (n,) int64, the same for every model.

    The generator is of another kind than that of latents, which may have the same seed.
    """
    assert task.train.modes is not None, "planning refuses to give labels that a task does not have"
    chosen = np.random.default_rng(seed).integers(len(task.train), size=n)
    return task.train.modes[torch.from_numpy(chosen)]


def draw(
    model: GenerativeModel, n: int, labels: Tensor | None = None, sampler: Sampler = sample_classes
) -> Tensor | None:
    """Draw ``n`` samples in batches, in eval mode, onto the CPU; the model's mode is kept.

    Args:
        model: The model.
        n: How many.
        labels: Their classes, (n,) int64, if the model is given labels.
        sampler: What draws a batch.

    Returns:
        Samples as data are stored, images (n, C, H, W) uint8 and points (n, D) float32; None if any is not finite.

    Raises:
        PluginError: If a batch has another shape, or no floats.
    """
    parts = []
    for start in range(0, n, BATCH_SIZE):
        size = min(BATCH_SIZE, n - start)
        part = draw_batch(model, size, None if labels is None else labels[start : start + size], sampler)
        if part is None:
            return None
        parts.append(part)
    return torch.cat(parts)


def draw_batch(
    model: GenerativeModel, n: int, labels: Tensor | None = None, sampler: Sampler = sample_classes
) -> Tensor | None:
    """Draw ``n`` samples at once; else as :func:`draw`."""
    alive("a batch of samples")
    call = f"sample({n})" if sampler is sample_classes else f"decode of {n} latents"
    training = model.training
    model.eval()
    try:
        with torch.no_grad():  # not a decorator: a profile would name its wrapper as the caller
            part = _checked(model, sampler(model, n, labels), n, call)
    finally:
        model.train(training)
    if not torch.isfinite(part).all():
        return None
    return (to_storage(part) if len(model.shape) == 3 else part.float()).cpu()


def decode(model: GenerativeModel, z: Tensor, labels: Tensor | None = None) -> Tensor | None:
    """Generate items from latents (N, z_dim) of a model that defines ``decode``, as :func:`draw` draws them."""
    latents = iter(z.split(BATCH_SIZE))
    return draw(model, len(z), labels, lambda model, n, labels: decode_batch(model, next(latents), labels))


def decode_batch(model: GenerativeModel, z: Tensor, labels: Tensor | None) -> Tensor:
    """Call a model's ``decode``, with labels (N,) if it is given them."""
    method = getattr(model, "decode")  # noqa: B009 - models may define it
    items: Tensor = method(z) if labels is None else method(z, labels)
    return items


def _checked(model: GenerativeModel, part: Tensor, n: int, call: str) -> Tensor:
    if tuple(part.shape) != (n, *model.shape):
        expected = (n, *model.shape)
        raise PluginError(f"{type(model).__name__}.{call} returned {tuple(part.shape)}, not {expected}")
    if not part.is_floating_point():
        raise PluginError(f"{type(model).__name__}.{call} returned {part.dtype}, not floats")
    return part
