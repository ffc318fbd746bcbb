"""What GANs add to a discriminator's loss or input against collapse: gradient penalties, and packing."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def input_gradient(network: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Return grad_x D(x) of every sample, flattened: (N, D), differentiable in the network's parameters.

    Args:
        network: From items (N, ...) to one number each, (N,). It must treat samples separately: no batch normalisation.
        x: Where the gradient is taken; none flows back to what made it.
    """
    x = x.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(network(x).sum(), x, create_graph=True)
    return gradient.flatten(1)


def gradient_penalty(critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor) -> Tensor:
    """Return E[(||grad D(x^)||_2 - 1)^2] at x^ = a x + (1 - a) G(z), with a ~ U(0, 1) **per sample**.

    Equation 3 of Gulrajani et al. 2017, without its weight lambda.
    """
    a = torch.rand(len(real), *[1] * (real.dim() - 1), device=real.device)
    return ((input_gradient(critic, a * real + (1 - a) * fake).norm(dim=1) - 1.0) ** 2).mean()


def zero_centred_penalty(discriminator: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Return 1/2 E[||grad D(x)||_2^2]: R1 on real items, R2 on generated ones, without the weight gamma.

    Equations 9 and 10 of Mescheder et al. 2018.
    """
    return 0.5 * input_gradient(discriminator, x).square().sum(1).mean()


def pack(x: Tensor, m: int) -> Tensor:
    """Put each ``m`` successive items side by side: (N, C, ...) to (N / m, m C, ...), as in PacGAN (Lin et al. 2018).

    A discriminator that sees several independent samples at once can tell that they are too alike.

    Raises:
        RuntimeError: If N is not a multiple of ``m``.
    """
    return x if m == 1 else x.unflatten(0, (-1, m)).flatten(1, 2)
