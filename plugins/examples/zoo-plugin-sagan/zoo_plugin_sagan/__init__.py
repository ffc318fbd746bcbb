"""The plugin sagan. It imports no torch."""

from collections.abc import Iterator

import zoo


@zoo.hookimpl
def zoo_models() -> Iterator[zoo.ModelSpec]:
    """Provide the model."""
    yield zoo.ModelSpec(
        name="sagan",
        target="zoo_plugin_sagan.model:SAGAN",
        summary="Residual GAN with self-attention and spectral normalisation in both networks.",
        family="gan",
        data=("images",),
        paper="Zhang et al., Self-Attention Generative Adversarial Networks, ICML 2019",
        url="https://arxiv.org/abs/1805.08318",
        loss="Hinge: D minimises max(0, 1 - D(x)) + max(0, 1 + D(G(z))), G minimises -D(G(z)).",
        failure_modes="Drops modes; learns slowly on small budgets, as its discriminator is kept 1-Lipschitz.",
    )
