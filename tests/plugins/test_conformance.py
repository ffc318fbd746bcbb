"""The project's own models keep the contract that it asks of others."""

import pytest
import torch

import zoo
import zoo.testing
from zoo.registry import installed

OWN = [entry.spec.name for entry in installed().models if entry.plugin.distribution == "genzoo"]


@zoo.testing.parametrize_with_checks(OWN)
def test_own_models_conform(check):
    check()


def test_all_six_are_there():
    assert {"beta-vae", "dcgan", "gan", "sngan", "vae", "wgan-gp"} <= set(OWN)


@pytest.mark.parametrize("shape", [(c, side, side) for c in (1, 3) for side in (8, 16, 28, 32)], ids=str)
@pytest.mark.parametrize("name", OWN)
def test_own_models_refuse_no_usual_side(name, shape):
    model = zoo.create(name, shape=shape).eval()
    with torch.inference_mode():
        assert model.sample(1).shape == (1, *shape)
