"""Wasserstein critic kept 1-Lipschitz by a gradient penalty."""

from collections.abc import Iterator

import zoo


@zoo.hookimpl
def zoo_models() -> Iterator[zoo.ModelSpec]:
    """Provide the model."""
    yield zoo.ModelSpec(
        name="wgan-gp",
        target="zoo_wgan_gp.model:WGANGP",
        summary="Wasserstein critic kept 1-Lipschitz by a gradient penalty.",
        family="gan",
        data=("images", "points"),
        paper="Gulrajani et al., Improved Training of Wasserstein GANs, NeurIPS 2017",
        url="https://arxiv.org/abs/1704.00028",
        loss="Wasserstein: the critic minimises D(G(z)) - D(x) + penalty (|grad D| - 1)^2, the generator -D(G(z)).",
        failure_modes=(
            "Slow: five batches are charged per step of the generator, so small budgets end long before it converges. "
            "Batch normalisation in the critic breaks the penalty, which is defined per sample."
        ),
        conditional=True,
    )
