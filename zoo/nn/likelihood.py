"""What a VAE's decoder output means, and the KL divergence of its posterior."""

from __future__ import annotations

import math
from abc import abstractmethod

import torch
import torch.nn.functional as F
from torch import Tensor, nn

MIN_LOG_SIGMA = -6.0  # as in the code of Rybkin et al.; without it exact reconstructions have an infinite density


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
    """Each value is the probability of white (Kingma & Welling 2014, appendix C.1); for near-binary grey images.

    Grey values are no outcomes of it: over them its likelihood does not integrate to 1 (Loaiza-Ganem and Cunningham
    2019), so an ELBO of it is a criterion and bounds no likelihood of grey images. What it bounds is the mean log
    likelihood of binary images that are drawn with the grey values as probabilities of white.
    """

    def nll(self, output: Tensor, x: Tensor) -> Tensor:
        """Return the cross-entropy of grey values, in nats; of values -1 and 1 it is -log p(x | output)."""
        target = x.add(1.0).div(2.0)
        return F.binary_cross_entropy_with_logits(output, target, reduction="none").flatten(1).sum(1)

    def mean(self, output: Tensor) -> Tensor:
        """See the base class."""
        return torch.sigmoid(output) * 2.0 - 1.0


class Gaussian(Likelihood):
    """N(output, sigma^2) with one sigma for all dimensions.

    Args:
        sigma: Standard deviation on the scale of items. None: in training the most likely one, which is the batch's
            root mean square error (optimal sigma-VAE, Rybkin et al. 2021); in evaluation its running average. A
            learned sigma would move by one learning rate per step, and the KL weigh too much for thousands of steps.
    """

    log_sigma: Tensor

    def __init__(self, sigma: float | None = None) -> None:
        super().__init__()
        self.fixed = sigma is not None
        self.register_buffer("log_sigma", torch.tensor(0.0 if sigma is None else math.log(sigma)))

    def nll(self, output: Tensor, x: Tensor) -> Tensor:
        """See the base class."""
        error = x - output
        log_sigma = self.log_sigma
        if self.training and not self.fixed:
            log_sigma = error.detach().square().mean().log().mul(0.5).clamp(min=MIN_LOG_SIGMA)
            self.log_sigma.lerp_(log_sigma, 0.1)
        scaled = error * torch.exp(-log_sigma)
        return (0.5 * scaled**2 + log_sigma + 0.5 * math.log(2 * math.pi)).flatten(1).sum(1)

    def mean(self, output: Tensor) -> Tensor:
        """See the base class."""
        return output

    def sample(self, output: Tensor) -> Tensor:
        """See the base class."""
        return output + torch.randn_like(output) * self.log_sigma.exp()


def active_units(mu: Tensor, threshold: float = 0.01) -> int:
    """Count the latent dimensions whose posterior mean varies with the item: Var_x(E[z | x]) > threshold.

    The rest have collapsed to the prior. Burda et al. 2016, section 5.2 and appendix C.

    Args:
        mu: Posterior means of a data set, (N, z_dim).
        threshold: The paper's 0.01.
    """
    return int((mu.var(0) > threshold).sum())


def gaussian_kl(mu: Tensor, logvar: Tensor) -> Tensor:
    """Return KL(N(mu, exp logvar) || N(0, I)), **summed** over latent dimensions: (N,), in nats.

    Kingma & Welling 2014, appendix B.
    """
    return -0.5 * (1.0 + logvar - mu**2 - logvar.exp()).sum(1)
