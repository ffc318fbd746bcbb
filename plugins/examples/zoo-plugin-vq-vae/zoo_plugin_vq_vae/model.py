"""VQ-VAE (van den Oord et al. 2017): an autoencoder with discrete codes, and then a prior over its codes."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor

import zoo
from zoo_plugin_vq_vae.networks import Autoencoder, PixelCNN


class VQVAEConfig(zoo.ModelConfig):
    """Settings of VQ-VAE, small enough for a CPU."""

    lr: float = Field(1e-3, gt=0, description="Adam's learning rate, both players")
    codes: int = Field(64, ge=2, description="Vectors in the codebook")
    code_dim: int = Field(16, ge=1, description="Dimensions of each")
    width: int = Field(64, ge=1, description="Channels of all networks")
    layers: int = Field(4, ge=1, description="Layers of the prior")
    commitment: float = Field(0.25, ge=0, description="Weight of the encoder's distance to its codes")
    first_stage: float = Field(0.5, gt=0, lt=1, description="Share of the budget for the autoencoder; then the prior")


class VQVAE(zoo.GenerativeModel):
    """Two players in two stages: the prior is fitted to the codes of the trained autoencoder.

    Both stages are charged to the one budget. Samples drawn before the second stage come from an untrained prior.
    """

    Config = VQVAEConfig

    def __init__(self, shape: tuple[int, ...], config: VQVAEConfig) -> None:
        super().__init__(shape, config)
        self.autoencoder = Autoencoder(shape, config.width, config.codes, config.code_dim)
        self.prior = PixelCNN(config.codes, config.width, config.layers)

    def players(self) -> list[zoo.Player]:
        """Return the players, each with its part of the budget."""
        adam, first = zoo.Adam(self.config.lr), self.config.first_stage
        return [
            zoo.Player("autoencoder", self.autoencoder, self.autoencoder_loss, adam, active=(0.0, first)),
            zoo.Player("prior", self.prior, self.prior_loss, adam, active=(first, 1.0)),
        ]

    def encode(self, x: Tensor) -> Tensor:
        """Map images to codes, (N, H / 4, W / 4) int64."""
        return self.autoencoder.codebook.nearest(self.autoencoder.encoder(x))

    def autoencoder_loss(self, turn: zoo.Turn) -> Tensor:
        """Reconstruction and commitment (equation 3); the encoder takes the gradient at the decoder's input."""
        codebook, encoding = self.autoencoder.codebook, self.autoencoder.encoder(turn.real)
        codes = codebook.nearest(encoding)
        vectors = codebook.lookup(codes)
        decoded = self.autoencoder.decoder(encoding + (vectors - encoding).detach())
        codebook.update(encoding, codes)
        return F.mse_loss(decoded, turn.real) + self.config.commitment * F.mse_loss(encoding, vectors)

    def prior_loss(self, turn: zoo.Turn) -> Tensor:
        """Negative log-likelihood of the codes, in nats per code."""
        codes = self.encode(turn.real)
        return F.cross_entropy(self.prior(codes), codes)

    def diagnostics(self, real: Tensor) -> dict[str, float]:
        """Return squared error of reconstructions, perplexity of the codes used, and nats per code under the prior."""
        codes = self.encode(real)
        decoded = self.autoencoder.decoder(self.autoencoder.codebook.lookup(codes))
        shares = torch.bincount(codes.flatten(), minlength=self.config.codes) / codes.numel()
        return {
            "reconstruction_mse": float(F.mse_loss(decoded, real)),
            "code_perplexity": float(torch.exp(-torch.special.xlogy(shares, shares).sum())),
            "prior_nats": float(F.cross_entropy(self.prior(codes), codes)),
        }

    def sample(self, n: int) -> Tensor:
        """Draw codes one after the other, and decode them."""
        height, width = (side // 4 for side in self.shape[1:])
        codes = torch.zeros(n, height, width, dtype=torch.int64, device=self.device)
        for i in range(height):
            for j in range(width):
                chances = self.prior(codes[:, : i + 1])[:, :, i, j].softmax(1)
                codes[:, i, j] = torch.multinomial(chances, 1).squeeze(1)
        return self.autoencoder.decoder(self.autoencoder.codebook.lookup(codes))
