"""VAE whose KL term weighs beta times as much."""

from collections.abc import Iterator

import zoo


@zoo.hookimpl
def zoo_models() -> Iterator[zoo.ModelSpec]:
    """Provide the model."""
    yield zoo.ModelSpec(
        name="beta-vae",
        target="zoo_beta_vae.model:BetaVAE",
        summary="VAE whose KL term weighs beta times as much.",
        family="vae",
        data=("images", "points"),
        paper="Higgins et al., beta-VAE, ICLR 2017",
        url="https://openreview.net/forum?id=Sy2fzU9gl",
        loss="Negative ELBO with the KL times beta; with capacity set, gamma |KL - C| with C growing over the budget.",
        failure_modes=(
            "Blurs more than the VAE and loses rare modes as beta grows: posterior collapse, earlier on small images, "
            "where the reconstruction has fewer terms to weigh against the KL."
        ),
        conditional=True,
    )
