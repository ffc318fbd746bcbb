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
    )
