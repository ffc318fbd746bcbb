"""Widely used public scripts, as models: ``pip install -e bench/speed/peers/public``. It imports no torch."""

from collections.abc import Iterator

import zoo

SCRIPTS = "https://github.com/eriklindernoren/PyTorch-GAN"
SPECTRAL = "https://github.com/christiancosgrove/pytorch-spectral-normalization-gan"
EXAMPLES = "https://github.com/pytorch/examples"

DCGAN = "Radford, Metz and Chintala, Unsupervised Representation Learning with DCGANs, ICLR 2016"
WGAN_GP = "Gulrajani et al., Improved Training of Wasserstein GANs, NeurIPS 2017"
SNGAN = "Miyato et al., Spectral Normalization for GANs, ICLR 2018"
VAE = "Kingma and Welling, Auto-Encoding Variational Bayes, ICLR 2014"


@zoo.hookimpl
def zoo_models() -> Iterator[zoo.ModelSpec]:
    """Provide the models."""
    for kind, target, url, paper, summary in (
        ("dcgan", "PublicDCGAN", SCRIPTS, DCGAN, "DCGAN of PyTorch-GAN, dcgan.py."),
        ("wgan-gp", "PublicWGANGP", SCRIPTS, WGAN_GP, "WGAN-GP of PyTorch-GAN, wgan_gp.py; perceptrons."),
        ("sngan", "PublicSNGAN", SPECTRAL, SNGAN, "SN-GAN of pytorch-spectral-normalization-gan, model.py."),
        ("vae", "PublicVAE", EXAMPLES, VAE, "VAE of PyTorch's examples, vae/main.py; perceptrons."),
    ):
        yield zoo.ModelSpec(
            name=f"public-{kind}", target=f"zoo_public.model:{target}", summary=summary, data=("images",),
            family="vae" if kind == "vae" else "gan", paper=paper, url=url,
        )  # fmt: skip
