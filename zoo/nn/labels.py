"""Networks that see labels: appended to the input, or projected onto the features."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from zoo.errors import ZooError


def append_labels(x: Tensor, labels: Tensor | None, classes: int) -> Tensor:
    """Append the labels to vectors or images as one-hot numbers or planes (Mirza & Osindero 2014).

    The columns of a first linear layer that meet them are a learned embedding of the classes. The ones are sqrt(K), so
    that each number has the mean square of a latent's, 1: with plain ones a label begins as a K-th of one latent
    dimension, and the VAE on MNIST heeds it less after 100,000 images (one seed: 86 % of samples of their class, not
    92 %).

    Args:
        x: (N, D) or (N, C, H, W).
        labels: (N,) int64, 0 to ``classes - 1``; None, without classes: ``x`` is returned as it is.
        classes: Number of classes K.

    Returns:
        (N, D + K) or (N, C + K, H, W).

    Raises:
        ZooError: If there are classes, and no labels.
    """
    if labels is None:
        if classes:
            raise ZooError(f"this model is given labels: pass them, (N,) int64 of 0 to {classes - 1}")
        return x
    marks = F.one_hot(labels, classes).to(x.dtype) * classes**0.5
    if x.dim() == 4:
        marks = marks[:, :, None, None].expand(-1, -1, *x.shape[2:])
    return torch.cat([x, marks], 1)


def project(outputs: Tensor, labels: Tensor | None) -> Tensor:
    """Return the logits of a projection discriminator (Miyato & Koyama 2018, equation 3).

    With a last layer that is linear in the features phi, its first output is the paper's psi(phi), and output 1 + y the
    inner product of phi with the embedding of class y: a network with K more outputs is all that it takes.

    Args:
        outputs: Of the discriminator, (N, 1 + K); (N,) without labels.
        labels: (N,) int64, 0 to K - 1; None: ``outputs`` is returned as it is.

    Returns:
        (N,).
    """
    if labels is None:
        return outputs
    return outputs[:, 0] + outputs.gather(1, 1 + labels[:, None]).squeeze(1)
