"""What a VAE's decoder output means, and the KL divergence of its posterior."""

from __future__ import annotations

import math
from abc import abstractmethod

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Likelihood(nn.Module):
    """p(x | decoder output). Items are as models see them: images in [-1, 1] or points."""

    @abstractmethod
    def nll(self, output: Tensor, x: Tensor) -> Tensor:
        """Return -log p(x | output), **summed** over each item's dimensions: (N,), in nats."""

    @abstractmethod
    def mean(self, output: Tensor) -> Tensor:
        """Return E[x | output], of the shape of x."""

    def sample(self, output: Tensor) -> Tensor:
        """Draw x from p(x | output)."""
        raise NotImplementedError


class Bernoulli(Likelihood):
    """Each value is the probability of white (Kingma & Welling 2014, appendix C.1); for near-binary grey images."""

    def nll(self, output: Tensor, x: Tensor) -> Tensor:
        """See the base class."""
        target = x.add(1.0).div(2.0)
        return F.binary_cross_entropy_with_logits(output, target, reduction="none").flatten(1).sum(1)

    def mean(self, output: Tensor) -> Tensor:
        """See the base class."""
        return torch.sigmoid(output) * 2.0 - 1.0


class Gaussian(Likelihood):
    """N(output, sigma^2) with one learned sigma for all dimensions (sigma-VAE, Rybkin et al. 2021)."""

    def __init__(self) -> None:
        super().__init__()
        self.log_sigma = nn.Parameter(torch.zeros(()))

    def nll(self, output: Tensor, x: Tensor) -> Tensor:
        """See the base class."""
        scaled = (x - output) * torch.exp(-self.log_sigma)
        return (0.5 * scaled**2 + self.log_sigma + 0.5 * math.log(2 * math.pi)).flatten(1).sum(1)

    def mean(self, output: Tensor) -> Tensor:
        """See the base class."""
        return output

    def sample(self, output: Tensor) -> Tensor:
        """See the base class."""
        return output + torch.randn_like(output) * self.log_sigma.exp()


def gaussian_kl(mu: Tensor, logvar: Tensor) -> Tensor:
    """Return KL(N(mu, exp logvar) || N(0, I)), **summed** over latent dimensions: (N,), in nats.

    Kingma & Welling 2014, appendix B.
    """
    return -0.5 * (1.0 + logvar - mu**2 - logvar.exp()).sum(1)
