"""Discriminator kept 1-Lipschitz by spectral normalisation."""

from collections.abc import Iterator

import zoo


@zoo.hookimpl
def zoo_models() -> Iterator[zoo.ModelSpec]:
    """Provide the model."""
    yield zoo.ModelSpec(
        name="sngan",
        target="zoo_sngan.model:SNGAN",
        summary="Discriminator kept 1-Lipschitz by spectral normalisation.",
        family="gan",
        data=("images", "points"),
        paper="Miyato et al., Spectral Normalization for GANs, ICLR 2018",
        url="https://arxiv.org/abs/1802.05957",
        loss="Hinge: D minimises max(0, 1 - D(x)) + max(0, 1 + D(G(z))), G minimises -D(G(z)).",
        failure_modes=(
            "Starts slowly: all generated samples are first pushed alike, and small budgets end with modes missing. "
            "Still drops modes of mixtures, where one discriminator step per generator step is few."
        ),
        conditional=True,
    )
