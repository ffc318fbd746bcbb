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
        loss="Non-saturating: G minimises softplus(-D(G(z))), D minimises softplus(-D(x)) + softplus(D(G(z))).",
        failure_modes=(
            "Drops modes, and some filters may collapse into an oscillation on long budgets (section 7 of the paper). "
            "Batch normalisation makes the samples of a small batch resemble each other in training."
        ),
        conditional=True,
    )
