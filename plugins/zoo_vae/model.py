"""The variational autoencoder (Kingma & Welling 2014): one player that minimises the negative ELBO."""

from __future__ import annotations

from typing import Any, Literal

import torch
from pydantic import Field
from torch import Tensor

import zoo
from zoo.nn import Bernoulli, Gaussian, decoder, default_width, encoder, gaussian_kl


class VAEConfig(zoo.LatentConfig):
    """Settings of the VAE; colour images and points take the Gaussian likelihood, grey images the Bernoulli."""

    batch_size: int = Field(128, ge=1, description="Real items drawn, and charged, per round")
    z_dim: int = Field(20, ge=1, description="Dimensions of the latent, N(0, I)")
    lr: float = Field(1e-3, gt=0, description="Adam's learning rate")
    betas: tuple[float, float] = Field((0.9, 0.999), description="Adam's decay rates")
    width: int = Field(64, ge=1, description="Channels at half the image's side; doubled whenever the side halves")
    likelihood: Literal["bernoulli", "gaussian"] = Field(
        "bernoulli", description="Of images given latents; gaussian learns one sigma"
    )

    @classmethod
    def presets(cls, shape: tuple[int, ...]) -> dict[str, Any]:
        """See the base class."""
        if len(shape) != 3:
            return {"z_dim": 2, "batch_size": 256, "likelihood": "gaussian"}
        colour = {} if shape[0] == 1 else {"z_dim": 64, "likelihood": "gaussian"}
        return {"width": default_width(shape), **colour}


class VAE(zoo.GenerativeModel):
    """Reconstruction and KL are **summed** over an item's dimensions and averaged over the batch (equation 10)."""

    Config = VAEConfig

    def __init__(self, shape: tuple[int, ...], config: VAEConfig) -> None:
        super().__init__(shape, config)
        self.encoder = encoder(shape, 2 * config.z_dim, config.width, norm="batch")
        self.decoder = decoder(config.z_dim, shape, config.width)
        self.likelihood = Bernoulli() if config.likelihood == "bernoulli" else Gaussian()

    def players(self) -> list[zoo.Player]:
        """See the base class."""
        return [zoo.Player("vae", self, self.loss, zoo.Adam(self.config.lr, self.config.betas))]

    def loss(self, turn: zoo.Turn) -> Tensor:
        """Negative ELBO in nats per item, with the reparametrisation of section 2.4."""
        mu, logvar = self.encoder(turn.real).chunk(2, dim=1)
        z = mu + torch.randn_like(mu) * torch.exp(0.5 * logvar)
        nll = self.likelihood.nll(self.decoder(z), turn.real)
        return nll.mean() + self.kl_term(gaussian_kl(mu, logvar).mean(), turn)

    def kl_term(self, kl: Tensor, turn: zoo.Turn) -> Tensor:
        """Return what the mean KL adds to the loss: itself."""
        return kl

    def sample(self, n: int) -> Tensor:
        """Draw images as the mean given a latent, as the field shows them; points with the likelihood's noise."""
        output = self.decoder(self.latent(n))
        return self.likelihood.mean(output) if len(self.shape) == 3 else self.likelihood.sample(output)
