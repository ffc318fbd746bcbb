"""Variational autoencoder with summed reconstruction and KL."""

from collections.abc import Iterator

import zoo


@zoo.hookimpl
def zoo_models() -> Iterator[zoo.ModelSpec]:
    """Provide the model."""
    yield zoo.ModelSpec(
        name="vae",
        target="zoo_vae.model:VAE",
        summary="Variational autoencoder with summed reconstruction and KL.",
        family="vae",
        data=("images", "points"),
        paper="Kingma and Welling, Auto-Encoding Variational Bayes, ICLR 2014",
        url="https://arxiv.org/abs/1312.6114",
    )
