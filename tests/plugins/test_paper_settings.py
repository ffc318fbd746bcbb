"""What the papers prescribe, written down from their text or code: a preset that drifts is no longer the paper's."""

import itertools

import pytest
import torch
from torch import nn

import zoo

GREY, COLOUR, POINT = (1, 28, 28), (3, 32, 32), (2,)
ONCE, FIFTH = 1, 5

# Model, preset, shape; latents, batch, Adam's learning rate and decay rates, rounds per step of the generator.
PAPERS = [
    ("gan", "dcgan-era", GREY, 100, 64, 2e-4, (0.5, 0.999), ONCE),  # PyTorch-GAN's: Goodfellow et al. 2014 name none
    ("gan", "pacgan", POINT, 2, 100, 1e-4, (0.8, 0.999), ONCE),  # code of Lin et al. 2018
    ("dcgan", "paper", COLOUR, 100, 64, 2e-4, (0.5, 0.999), ONCE),  # Radford et al. 2016, section 4, but its batch
    ("wgan-gp", "paper", COLOUR, 128, 64, 1e-4, (0.5, 0.9), FIFTH),  # code of Gulrajani et al. 2017, gan_cifar.py
    ("wgan-gp", "resnet", COLOUR, 128, 64, 2e-4, (0.0, 0.9), FIFTH),  # likewise, gan_cifar_resnet.py
    ("wgan-gp", "toy", POINT, 2, 256, 1e-4, (0.5, 0.9), FIFTH),  # likewise, gan_toy.py
    ("sngan", "paper", COLOUR, 128, 64, 2e-4, (0.5, 0.999), ONCE),  # Miyato et al. 2018, table 1, setting C
    ("sngan", "resnet", COLOUR, 128, 64, 2e-4, (0.0, 0.9), FIFTH),  # likewise, appendix B.4
    (
        "vae",
        "pytorch-example",
        GREY,
        20,
        128,
        1e-3,
        (0.9, 0.999),
        ONCE,
    ),  # PyTorch's example: Kingma & Welling took Adagrad
    ("beta-vae", "pytorch-example", GREY, 10, 128, 1e-3, (0.9, 0.999), ONCE),  # and the latent of Higgins et al. 2017
]


@pytest.mark.parametrize(("name", "preset", "shape", "z_dim", "batch", "lr", "betas", "every"), PAPERS)
def test_a_paper_s_preset_has_its_latents_batch_and_optimiser(name, preset, shape, z_dim, batch, lr, betas, every):
    width = {"width": 4} if len(shape) == 3 and name != "gan" else {}
    model = zoo.create(name, shape=shape, preset=preset, **width)
    assert (model.config.z_dim, model.config.batch_size) == (z_dim, batch)
    first, *others = model.players()
    assert [player.every for player in (first, *others)] == [every, *(ONCE for _ in others)]
    for player in (first, *others):
        [group] = player.optimizer(player.network.parameters()).param_groups
        assert (group["lr"], group["betas"]) == (lr, betas), player.name


@pytest.mark.parametrize("name", ["gan", "vae", "beta-vae"])
def test_settings_that_are_not_the_paper_s_are_not_called_so(name):
    with pytest.raises(zoo.ZooError, match=r"^[^\n]*preset[^\n]*'(dcgan-era|pytorch-example)'[^\n]*paper[^\n]*$"):
        zoo.create(name, shape=GREY, preset="paper")


@pytest.mark.parametrize("name", ["gan", "dcgan", "wgan-gp", "sngan", "vae", "beta-vae"])
def test_settings_of_adam_reach_every_player(name):
    model = zoo.create(name, shape=GREY, lr=0.003, betas=(0.3, 0.7))
    for player in model.players():
        [group] = player.optimizer(player.network.parameters()).param_groups
        assert (group["lr"], group["betas"]) == (0.003, (0.3, 0.7)), player.name


@pytest.mark.parametrize(
    ("name", "preset"),
    [
        ("gan", "tuned"),
        ("dcgan", "tuned"),
        ("wgan-gp", "tuned"),
        ("wgan-gp", "resnet"),
        ("sngan", "tuned"),
        ("sngan", "resnet"),
    ],
)
def test_generators_of_images_end_in_a_tanh(name, preset):
    model = zoo.create(name, shape=GREY, preset=preset, **({} if name == "gan" else {"width": 4}))
    last = model.generator[-1]
    inputs = []
    last.register_forward_pre_hook(lambda module, arguments: inputs.append(arguments[0]))
    sample = model.sample(4)
    torch.testing.assert_close(sample, torch.tanh(inputs[0]))
    assert sample.shape == (4, *GREY)


def test_dcgan_s_discriminator_has_batch_norm_in_every_convolution_but_the_first():
    layers = zoo.create("dcgan", shape=(3, 64, 64), width=4).discriminator.layers
    follows = [type(after) is nn.BatchNorm2d for layer, after in itertools.pairwise(layers)
               if isinstance(layer, nn.Conv2d)]  # fmt: skip
    assert follows == [False, *[True] * (len(follows) - 1)]
    assert len(follows) > 2


@pytest.mark.parametrize(("shape", "beta"), [(GREY, 4.0), (COLOUR, 4.0), ((1, 16, 16), 2.0), (POINT, 4.0)])
def test_beta_weighs_the_kl_more_and_less_so_where_pixels_are_few(shape, beta):
    config = zoo.create("beta-vae", shape=shape).config
    assert (config.beta, config.gamma, config.capacity) == (beta, 1000.0, None)


@pytest.mark.parametrize(
    ("name", "preset", "shape", "settings"),
    [
        ("gan", "dcgan-era", GREY, {"generator_hidden": (128, 256, 512, 1024), "discriminator_hidden": (512, 256)}),
        ("gan", "dcgan-era", POINT, {"z_dim": 2, "batch_size": 256, "generator_hidden": (128,) * 3}),
        ("vae", "pytorch-example", POINT, {"z_dim": 2, "batch_size": 256, "warmup": 0.1}),
    ],
)
def test_perceptrons_and_settings_for_points(name, preset, shape, settings):
    config = zoo.create(name, shape=shape, preset=preset).config
    assert {key: getattr(config, key) for key in settings} == settings
