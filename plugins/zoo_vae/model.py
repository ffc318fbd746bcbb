"""The variational autoencoder (Kingma & Welling 2014): one player that minimises the negative ELBO."""

from __future__ import annotations

from itertools import repeat
from typing import Any, ClassVar, Literal, Self

import torch
from pydantic import Field, model_validator
from torch import Tensor

import zoo
from zoo.nn import Bernoulli, Gaussian, active_units, append_labels, decoder, default_width, encoder, gaussian_kl


class VAEConfig(zoo.LatentConfig, zoo.ConditionalConfig):
    """Settings of the VAE; colour images and points take the Gaussian likelihood, grey images the Bernoulli.

    The preset "pytorch-example" has batch, Adam and latent of PyTorch's example; the paper's are Adagrad and 100 items.
    Points have a warm-up (Sonderby et al. 2016): where data vary alike in all directions, an unused posterior with its
    best sigma is a stationary point of the ELBO, as in probabilistic PCA (Lucas et al. 2019), and training stays there.
    """

    tuned: ClassVar = {
        "points": {},
        "small": {"lr": 2.16e-3, "z_dim": 8},
        "grey": {"lr": 1.24e-3, "z_dim": 16},
        "colour": {},
        "large": {},
    }

    search: ClassVar = {**zoo.COMMON_SEARCH, "z_dim": (2, 8, 16, 32, 64)}  # a bottleneck; a GAN's latent is only noise

    preset: Literal["tuned", "pytorch-example"] = Field(
        "tuned", description="Settings: tuned, or those of PyTorch's example, with these networks"
    )
    batch_size: int = Field(128, ge=1, description="Real items drawn, and charged, per round")
    z_dim: int = Field(20, ge=1, description="Dimensions of the latent, N(0, I)")
    lr: float = Field(1e-3, gt=0, description="Adam's learning rate")
    betas: zoo.Betas = Field((0.9, 0.999), description="Adam's decay rates")
    width: int = Field(64, ge=1, description="Channels at half the image's side; doubled whenever the side halves")
    likelihood: Literal["bernoulli", "gaussian"] = Field(
        "bernoulli", description="Of items given latents: gaussian has one sigma for all dimensions"
    )
    sigma: float | None = Field(
        None, gt=0, description="Sigma of the gaussian likelihood; None: the best of each batch"
    )
    warmup: float = Field(0.0, ge=0, le=1, description="Share of the budget in which the KL's weight rises from 0")

    @classmethod
    def shape_defaults(cls, shape: tuple[int, ...]) -> dict[str, Any]:
        """See the base class."""
        if len(shape) != 3:
            return {"z_dim": 2, "batch_size": 256, "likelihood": "gaussian", "warmup": 0.1}
        colour = {} if shape[0] == 1 else {"z_dim": 64, "likelihood": "gaussian"}
        return {"width": default_width(shape), **colour}

    @model_validator(mode="after")
    def _sigma_is_used(self) -> Self:
        if self.sigma is not None and self.likelihood != "gaussian":
            raise ValueError("sigma is the gaussian likelihood's: set likelihood=gaussian as well")
        return self


class VAE(zoo.GenerativeModel):
    """Reconstruction and KL are **summed** over an item's dimensions and averaged over the batch (equation 10)."""

    Config = VAEConfig

    def __init__(self, shape: tuple[int, ...], config: VAEConfig) -> None:
        super().__init__(shape, config)
        if len(shape) != 3 and config.likelihood == "bernoulli":
            raise zoo.ZooError("the bernoulli likelihood is for images: points take likelihood=gaussian")
        seen = (shape[0] + config.classes, *shape[1:])
        self.encoder = encoder(seen, 2 * config.z_dim, config.width, norm="batch")
        self.decoder = decoder(config.z_dim + config.classes, shape, config.width)
        self.likelihood = Bernoulli() if config.likelihood == "bernoulli" else Gaussian(config.sigma)

    def players(self) -> list[zoo.Player]:
        """See the base class."""
        return [zoo.Player("vae", self, self.loss, zoo.Adam(self.config.lr, self.config.betas))]

    def loss(self, turn: zoo.Turn) -> Tensor:
        """Negative ELBO in nats per item, with the reparametrisation of section 2.4; see :meth:`diagnostics`."""
        nll, kl, _ = self.terms(turn.real, turn.labels)
        return nll.mean() + self.kl_term(kl.mean(), turn)

    def terms(self, x: Tensor, labels: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """Return the reconstruction NLL (N,) and the KL (N,) of items, in nats, and the posterior means (N, z_dim).

        With labels it is the conditional VAE of Sohn et al. 2015, with the same prior for every class.
        """
        mu, logvar = self.posterior(x, labels)
        z = mu + torch.randn_like(mu) * torch.exp(0.5 * logvar)
        return self.likelihood.nll(self.output(z, labels), x), gaussian_kl(mu, logvar), mu

    def posterior(self, x: Tensor, labels: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return mean and log variance of q(z | x, label): (N, z_dim) each."""
        mu, logvar = self.encoder(append_labels(x, labels, self.config.classes)).float().chunk(2, dim=1)
        return mu, logvar  # not in bf16, which loses a small KL

    def output(self, z: Tensor, labels: Tensor | None) -> Tensor:
        """Return what the likelihood makes of latents."""
        return self.decoder(append_labels(z, labels, self.config.classes))

    def kl_term(self, kl: Tensor, turn: zoo.Turn) -> Tensor:
        """Return what the mean KL adds to the loss: itself, after the warm-up."""
        warmup = self.config.warmup
        return kl * min(1.0, turn.progress / warmup) if warmup else kl

    def diagnostics(self, real: Tensor, labels: Tensor | None = None) -> dict[str, float]:
        """Return the ELBO and its two parts, in nats per item, and how many latents the posterior uses.

        On grey images under the Bernoulli likelihood it is a criterion and bounds no likelihood of theirs; see
        :class:`zoo.nn.Bernoulli`.
        """
        size = self.config.batch_size
        labelled = repeat(None) if labels is None else labels.split(size)
        parts = [self.terms(batch, classes) for batch, classes in zip(real.split(size), labelled, strict=False)]
        nll, kl, mu = (torch.cat(part) for part in zip(*parts, strict=True))
        return {
            "elbo": float(-(nll + kl).mean()),
            "reconstruction": float(nll.mean()),
            "kl": float(kl.mean()),
            "active_units": float(active_units(mu)),
        }

    def encode(self, x: Tensor, labels: Tensor | None = None) -> Tensor:
        """Return the posterior means of items (N, ...): (N, z_dim)."""
        return self.posterior(x, labels)[0]

    def decode(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Return the mean item given latents (N, z_dim), and classes if it is conditional."""
        return self.likelihood.mean(self.output(z, labels))

    def sample(self, n: int, labels: Tensor | None = None) -> Tensor:
        """Draw images as the mean given a latent, as is usual in the field; points with the likelihood's noise."""
        z = self.latent(n)
        return self.decode(z, labels) if len(self.shape) == 3 else self.likelihood.sample(self.output(z, labels))
