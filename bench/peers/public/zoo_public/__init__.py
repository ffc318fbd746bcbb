"""Widely used public scripts, as models: ``pip install -e bench/peers/public``. It imports no torch."""

from collections.abc import Iterator

import zoo

REPOSITORY = "https://github.com/eriklindernoren/PyTorch-GAN"
SPECTRAL = "https://github.com/christiancosgrove/pytorch-spectral-normalization-gan"


@zoo.hookimpl
def zoo_models() -> Iterator[zoo.ModelSpec]:
    """Provide the models."""
    for name, target, url, summary in (
        ("public-dcgan", "PublicDCGAN", REPOSITORY, "DCGAN of PyTorch-GAN, dcgan.py."),
        ("public-wgan-gp", "PublicWGANGP", REPOSITORY, "WGAN-GP of PyTorch-GAN, wgan_gp.py; perceptrons."),
        ("public-sngan", "PublicSNGAN", SPECTRAL, "SN-GAN of pytorch-spectral-normalization-gan, model.py."),
    ):
        yield zoo.ModelSpec(
            name=name, target=f"zoo_public.model:{target}", summary=summary, family="gan", data=("images",), url=url
        )
