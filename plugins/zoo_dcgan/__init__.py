"""Convolutions and batch normalisation in both networks."""

from collections.abc import Iterator

import zoo


@zoo.hookimpl
def zoo_models() -> Iterator[zoo.ModelSpec]:
    """Provide the model."""
    yield zoo.ModelSpec(
        name="dcgan",
        target="zoo_dcgan.model:DCGAN",
        summary="Convolutions and batch normalisation in both networks.",
        family="gan",
        data=("images",),
        paper="Radford, Metz and Chintala, Unsupervised Representation Learning with DCGANs, ICLR 2016",
        url="https://arxiv.org/abs/1511.06434",
    )
