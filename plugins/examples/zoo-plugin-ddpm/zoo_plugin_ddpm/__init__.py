"""The plugin ddpm: a small denoising diffusion model. It imports no torch."""

from collections.abc import Iterator

import zoo


@zoo.hookimpl
def zoo_models() -> Iterator[zoo.ModelSpec]:
    """Provide the model."""
    yield zoo.ModelSpec(
        name="ddpm",
        target="zoo_plugin_ddpm.model:DDPM",
        summary="Denoising diffusion: one network that predicts the noise in an item.",
        family="diffusion",
        data=("images", "points"),
        paper="Ho, Jain and Abbeel, Denoising Diffusion Probabilistic Models, NeurIPS 2020",
        url="https://arxiv.org/abs/2006.11239",
        loss="Mean squared error of the predicted noise at a random step (equation 14).",
        failure_modes="Sampling costs one pass of the network per step; small budgets leave noise in the samples.",
    )
