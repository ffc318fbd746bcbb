"""Widely used public scripts, as models: ``pip install -e bench/speed/peers/public``. It imports no torch."""

from collections.abc import Iterator

import zoo

PYTORCH_GAN_URL = "https://github.com/eriklindernoren/PyTorch-GAN"
SNGAN_URL = "https://github.com/christiancosgrove/pytorch-spectral-normalization-gan"
PYTORCH_EXAMPLES_URL = "https://github.com/pytorch/examples"

DCGAN_PAPER = "Radford, Metz and Chintala, Unsupervised Representation Learning with DCGANs, ICLR 2016"
WGAN_GP_PAPER = "Gulrajani et al., Improved Training of Wasserstein GANs, NeurIPS 2017"
SNGAN_PAPER = "Miyato et al., Spectral Normalization for GANs, ICLR 2018"
VAE_PAPER = "Kingma and Welling, Auto-Encoding Variational Bayes, ICLR 2014"


@zoo.hookimpl
def zoo_models() -> Iterator[zoo.ModelSpec]:
    """Provide the models."""
    for name, target, url, paper, summary in (
        ("dcgan", "PublicDCGAN", PYTORCH_GAN_URL, DCGAN_PAPER, "DCGAN of PyTorch-GAN, dcgan.py."),
        ("wgan-gp", "PublicWGANGP", PYTORCH_GAN_URL, WGAN_GP_PAPER, "WGAN-GP of PyTorch-GAN, wgan_gp.py; perceptrons."),
        ("sngan", "PublicSNGAN", SNGAN_URL, SNGAN_PAPER, "SN-GAN of pytorch-spectral-normalization-gan, model.py."),
        ("vae", "PublicVAE", PYTORCH_EXAMPLES_URL, VAE_PAPER, "VAE of PyTorch's examples, vae/main.py; perceptrons."),
    ):
        yield zoo.ModelSpec(
            name=f"public-{name}", target=f"zoo_public.model:{target}", summary=summary, data=("images",),
            family="vae" if name == "vae" else "gan", paper=paper, url=url,
        )  # fmt: skip
