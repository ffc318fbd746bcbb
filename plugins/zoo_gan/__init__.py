"""The original GAN: perceptrons and the non-saturating loss."""

from collections.abc import Iterator

import zoo


@zoo.hookimpl
def zoo_models() -> Iterator[zoo.ModelSpec]:
    """Provide the model."""
    yield zoo.ModelSpec(
        name="gan",
        target="zoo_gan.model:GAN",
        summary="The original GAN: perceptrons and the non-saturating loss.",
        family="gan",
        data=("images", "points"),
        paper="Goodfellow et al., Generative Adversarial Nets, NeurIPS 2014",
        url="https://arxiv.org/abs/1406.2661",
    )
