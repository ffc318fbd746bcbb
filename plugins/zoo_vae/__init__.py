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
        loss=(
            "Negative ELBO in nats per item: reconstruction plus KL(q(z|x) || N(0, I)), both summed over dimensions. "
            "On grey images, under the Bernoulli likelihood, it is a criterion and bounds no likelihood."
        ),
        failure_modes=(
            "Blurred images, because the mean of the likelihood is shown; samples between modes, because the prior "
            "has no gaps. Latents that carry nothing collapse to the prior."
        ),
        conditional=True,
    )
