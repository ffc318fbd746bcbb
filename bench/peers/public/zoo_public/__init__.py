"""Widely used public scripts, as models: ``pip install -e bench/peers/public``. It imports no torch."""

from collections.abc import Iterator

import zoo

SCRIPTS = "https://github.com/eriklindernoren/PyTorch-GAN"
SPECTRAL = "https://github.com/christiancosgrove/pytorch-spectral-normalization-gan"

DCGAN = "Radford, Metz and Chintala, Unsupervised Representation Learning with DCGANs, ICLR 2016"
WGAN_GP = "Gulrajani et al., Improved Training of Wasserstein GANs, NeurIPS 2017"
SNGAN = "Miyato et al., Spectral Normalization for GANs, ICLR 2018"


@zoo.hookimpl
def zoo_models() -> Iterator[zoo.ModelSpec]:
    """Provide the models."""
    for name, target, url, paper, summary in (
        ("public-dcgan", "PublicDCGAN", SCRIPTS, DCGAN, "DCGAN of PyTorch-GAN, dcgan.py."),
        ("public-wgan-gp", "PublicWGANGP", SCRIPTS, WGAN_GP, "WGAN-GP of PyTorch-GAN, wgan_gp.py; perceptrons."),
        ("public-sngan", "PublicSNGAN", SPECTRAL, SNGAN, "SN-GAN of pytorch-spectral-normalization-gan, model.py."),
    ):
        yield zoo.ModelSpec(
            name=name, target=f"zoo_public.model:{target}", summary=summary, family="gan", data=("images",),
            paper=paper, url=url,
        )  # fmt: skip
