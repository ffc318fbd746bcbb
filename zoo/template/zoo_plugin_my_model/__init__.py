"""The plugin my-model. It imports no torch: the model's module is imported when the model is used."""

from collections.abc import Iterator

import zoo


@zoo.hookimpl
def zoo_models() -> Iterator[zoo.ModelSpec]:
    """Provide the model."""
    yield zoo.ModelSpec(
        name="my-model",
        target="zoo_plugin_my_model.model:MyModel",
        summary="Least-squares GAN.",
        family="gan",
        data=("images", "points"),
        paper="Mao et al., Least Squares Generative Adversarial Networks, ICCV 2017",
        url="https://arxiv.org/abs/1611.04076",
        loss="Least squares: G minimises (D(G(z)) - 1)^2, D minimises (D(x) - 1)^2 + D(G(z))^2.",
        failure_modes="Drops modes, as every plain GAN.",
        conditional=True,
    )
