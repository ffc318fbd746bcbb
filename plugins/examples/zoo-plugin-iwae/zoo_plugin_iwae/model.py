"""The importance-weighted autoencoder (Burda et al. 2016): a VAE whose bound takes several weighted samples."""

from __future__ import annotations

import math
from typing import Any

import torch
from pydantic import Field
from torch import Tensor

import zoo
from zoo.nn import Bernoulli, Gaussian, active_units, decoder, default_width, encoder


class IWAEConfig(zoo.LatentConfig):
    """Settings of the IWAE; the likelihood is Bernoulli for grey images, else Gaussian with the best sigma."""

    z_dim: int = Field(20, ge=1, description="Dimensions of the latent, N(0, I)")
    lr: float = Field(1e-3, gt=0, description="Adam's learning rate")
    samples: int = Field(5, ge=1, description="Weighted samples k of each item; 1 is the VAE")
    width: int = Field(64, ge=1, description="Channels at half the image's side; doubled whenever the side halves")

    @classmethod
    def shape_defaults(cls, shape: tuple[int, ...]) -> dict[str, Any]:
        """Return the defaults that differ for items of this shape."""
        return {"width": default_width(shape)}


class IWAE(zoo.GenerativeModel):
    """Maximises E[log 1/k sum_i w_i], w = p(x, z) / q(z | x), with z_1..z_k from q(z | x) (equation 8)."""

    Config = IWAEConfig

    def __init__(self, shape: tuple[int, ...], config: IWAEConfig) -> None:
        super().__init__(shape, config)
        self.encoder = encoder(shape, 2 * config.z_dim, config.width)
        self.decoder = decoder(config.z_dim, shape, config.width)
        self.likelihood = Bernoulli() if shape[0] == 1 else Gaussian()

    def players(self) -> list[zoo.Player]:
        """Return the only player."""
        return [zoo.Player("autoencoder", self, self.loss, zoo.Adam(self.config.lr))]

    def log_weights(self, x: Tensor, mu: Tensor, logvar: Tensor) -> Tensor:
        """Return log w of k samples of each item: (k, N), in nats."""
        noise = torch.randn(self.config.samples, *mu.shape, device=mu.device)
        z = mu + noise * torch.exp(0.5 * logvar)
        items = x.expand(self.config.samples, *x.shape).flatten(0, 1)
        log_likelihood = -self.likelihood.nll(self.decoder(z.flatten(0, 1)), items).view(z.shape[:2])
        return log_likelihood + 0.5 * (noise**2 - z**2 + logvar).sum(2)

    def bound(self, log_weights: Tensor) -> Tensor:
        """Return the mean over items of log 1/k sum_i w_i."""
        return (log_weights.logsumexp(0) - math.log(self.config.samples)).mean()

    def loss(self, turn: zoo.Turn) -> Tensor:
        """Minus the bound; autograd gives each sample's gradient its normalised weight (equation 14)."""
        return -self.bound(self.log_weights(turn.real, *self.encoder(turn.real).chunk(2, dim=1)))

    def diagnostics(self, real: Tensor) -> dict[str, float]:
        """Return the bound with k samples and with one, in nats per item, and the number of active units.

        On grey images both are criteria and bound no likelihood of theirs; see :class:`zoo.nn.Bernoulli`.
        """
        mu, logvar = self.encoder(real).chunk(2, dim=1)
        log_weights = self.log_weights(real, mu, logvar)
        return {
            "iwae_bound": float(self.bound(log_weights)),
            "elbo": float(log_weights.mean()),
            "active_units": float(active_units(mu)),
        }

    def sample(self, n: int) -> Tensor:
        """Draw images as the mean given a latent."""
        return self.likelihood.mean(self.decoder(self.latent(n)))
