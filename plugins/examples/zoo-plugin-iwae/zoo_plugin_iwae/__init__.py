"""The plugin iwae. It imports no torch."""

from collections.abc import Iterator

import zoo


@zoo.hookimpl
def zoo_models() -> Iterator[zoo.ModelSpec]:
    """Provide the model."""
    yield zoo.ModelSpec(
        name="iwae",
        target="zoo_plugin_iwae.model:IWAE",
        summary="VAE trained on a tighter bound, from several weighted samples.",
        family="vae",
        data=("images",),
        paper="Burda, Grosse and Salakhutdinov, Importance Weighted Autoencoders, ICLR 2016",
        url="https://arxiv.org/abs/1509.00519",
        loss="Minus the importance-weighted bound over k samples, in nats per item.",
        failure_modes="More samples weaken the gradient of the encoder; images are as blurred as a VAE's.",
    )
