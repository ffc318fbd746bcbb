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
        loss="Non-saturating: G minimises softplus(-D(G(z))), D minimises softplus(-D(x)) + softplus(D(G(z))).",
        failure_modes=(
            "Drops modes, above all of mixtures; the generator stalls when the discriminator wins early. Perceptrons "
            "know nothing of neighbouring pixels, so larger images stay noisy."
        ),
        conditional=True,
    )
