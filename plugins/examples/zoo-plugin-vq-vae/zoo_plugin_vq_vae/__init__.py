"""The plugin vq-vae. It imports no torch."""

from collections.abc import Iterator

import zoo


@zoo.hookimpl
def zoo_models() -> Iterator[zoo.ModelSpec]:
    """Provide the model."""
    yield zoo.ModelSpec(
        name="vq-vae",
        target="zoo_plugin_vq_vae.model:VQVAE",
        summary="Autoencoder with discrete codes, and a PixelCNN as their prior.",
        family="vae",
        data=("images",),
        paper="van den Oord, Vinyals and Kavukcuoglu, Neural Discrete Representation Learning, NeurIPS 2017",
        url="https://arxiv.org/abs/1711.00937",
        loss="Squared reconstruction error plus commitment; then the cross-entropy of the prior over the codes.",
        failure_modes="Codes that are never chosen stay unused; samples are only as good as the prior.",
    )
