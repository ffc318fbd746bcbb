"""Residual networks: shapes, the paper's sizes, initialisation and spectral norm."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import zoo
from zoo.nn import DownBlock, ResNetDiscriminator, ResNetGenerator, UpBlock
from zoo_bench.core.budget import Budget
from zoo_bench.data.stream import Stream
from zoo_bench.train.loop import train

SHAPES = [(channels, side, side) for side in (8, 16, 28, 32, 64) for channels in (1, 3)]


def count(network: nn.Module) -> int:
    return sum(weight.numel() for weight in network.parameters())


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_they_fit_images_of_the_usual_sides(shape):
    images = ResNetGenerator(5, shape, 4)(torch.randn(3, 5))
    assert images.shape == (3, *shape)
    discriminator = ResNetDiscriminator(shape, 4)
    assert discriminator(images).shape == (3,)
    assert discriminator.eval()(images[:1]).shape == (1,)


def test_at_32_pixels_they_have_the_blocks_and_parameters_of_the_paper_s_table_4():
    shape, (g, d) = (3, 32, 32), (256, 128)
    generator, discriminator = ResNetGenerator(128, shape, g), ResNetDiscriminator(shape, d)
    up = 2 * (9 * g * g + g) + 2 * 2 * g + g * g + g
    assert count(generator) == (128 + 1) * 16 * g + 3 * up + 2 * g + 9 * g * 3 + 3
    first = (9 * 3 + 1) * d + (9 * d + 1) * d + (3 + 1) * d
    half, whole = 2 * (9 * d + 1) * d + (d + 1) * d, 2 * (9 * d + 1) * d
    assert count(discriminator) == first + half + 2 * whole + d + 1
    assert discriminator.blocks(torch.zeros(1, *shape)).shape == (1, d, 8, 8)


def test_blocks_add_a_shortcut_to_two_convolutions():
    x = torch.randn(2, 3, 4, 4)
    for block, size in ((UpBlock(3, 5), 8), (DownBlock(3, 5, half=True), 2), (DownBlock(3, 5, half=False), 4)):
        whole = block(x)
        assert whole.shape == (2, 5, size, size)
        for layer in block.layers:
            if isinstance(layer, nn.Conv2d):
                nn.init.zeros_(layer.weight)
                nn.init.zeros_(layer.bias)
        assert not torch.equal(block(x), whole)
        resized = nn.functional.interpolate(x, size=size) if size > 4 else nn.functional.adaptive_avg_pool2d(x, size)
        shortcut = next(m for m in block.shortcut.modules() if isinstance(m, nn.Conv2d))
        torch.testing.assert_close(block(x), shortcut(resized))


def test_blocks_rectify_before_each_convolution_but_that_of_an_image():
    x = torch.randn(2, 3, 4, 4)
    up, norm = UpBlock(3, 5), nn.functional.batch_norm
    h = nn.functional.interpolate(norm(x, None, None, training=True).relu(), scale_factor=2)
    h = up.layers[6](norm(up.layers[3](h), None, None, training=True).relu())
    torch.testing.assert_close(up(x), h + up.shortcut(x))
    for first in (False, True):
        down = DownBlock(3, 5, half=False, first=first)
        h = down.layers[3](down.layers[1](x if first else x.relu()).relu())
        torch.testing.assert_close(down(x), h + down.shortcut(x))


@pytest.mark.parametrize("pooling", ["sum", "mean"])
def test_the_discriminator_pools_rectified_features_over_all_positions(pooling):
    network, x = ResNetDiscriminator((3, 16, 16), 4, pooling=pooling), torch.randn(2, 3, 16, 16)
    features = network.blocks(x).relu().flatten(2)
    pooled = features.sum(2) if pooling == "sum" else features.mean(2)
    torch.testing.assert_close(network(x), network.end(pooled)[:, 0])
    assert zoo.create("sngan", shape=(3, 16, 16), preset="resnet", width=4).discriminator.pool is torch.sum
    assert zoo.create("wgan-gp", shape=(3, 16, 16), preset="resnet", width=4).critic.pool is torch.mean


def test_the_discriminator_judges_each_image_by_itself():
    discriminator, x = ResNetDiscriminator((1, 16, 16), 4).train(), torch.randn(5, 1, 16, 16)
    torch.testing.assert_close(discriminator(x)[:2], discriminator(x[:2]))


def test_initial_weights_are_glorot_s_with_gain_root_two_in_3x3_convolutions():
    generator = ResNetGenerator(128, (3, 32, 32), 64)
    within, shortcut = generator.blocks[0].layers[3].weight, generator.blocks[0].shortcut[0].weight
    assert within.std().item() == pytest.approx((2 * 2 / (9 * 64 + 9 * 64)) ** 0.5, rel=0.02)
    assert shortcut.std().item() == pytest.approx((2 / (64 + 64)) ** 0.5, rel=0.05)
    last = generator.end[-1].weight
    assert last.std().item() == pytest.approx((2 / (9 * 64 + 9 * 3)) ** 0.5, rel=0.05), "no gain without a rectifier"


def test_the_preset_of_sngan_sets_networks_and_settings_which_others_override():
    model = zoo.create("sngan", shape=(3, 32, 32), preset="resnet", width=8)
    assert isinstance(model.generator[0], ResNetGenerator)
    layers = [m for m in model.discriminator.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    assert all(nn.utils.parametrize.is_parametrized(layer) for layer in layers)
    config = model.config
    assert (config.width, config.betas, config.discriminator_steps, config.schedule) == (8, (0.0, 0.9), 5, "linear")
    assert config.generator_batches == 2
    assert [player.every for player in model.players()] == [5, 1]


def test_the_preset_of_wgan_gp_is_the_paper_s_with_a_critic_that_no_sample_shares():
    model = zoo.create("wgan-gp", shape=(1, 8, 8), preset="resnet", width=4)
    config = model.config
    assert (config.lr, config.betas, config.critic_steps, config.schedule) == (2e-4, (0.0, 0.9), 5, "linear")
    assert zoo.create("wgan-gp", shape=(3, 32, 32), preset="resnet").config.width == 128
    assert not any(isinstance(m, nn.BatchNorm2d) for m in model.critic.modules())
    assert config.generator_batches == 2
    x = torch.randn(2, 1, 8, 8)
    torch.testing.assert_close(model.critic(x), model.critic.end(model.critic.blocks(x).relu().mean((2, 3))).squeeze(1))


@pytest.mark.parametrize("name", ["sngan", "wgan-gp"])
def test_the_preset_trains(name):
    model = zoo.create(name, shape=(1, 8, 8), preset="resnet", width=4, batch_size=8)
    data = torch.randint(256, (32, 1, 8, 8), dtype=torch.uint8)
    training = train(model, Stream(data, 0, torch.device("cpu")), Budget.parse("6rounds"))
    assert training.diverged == ""
    assert model.eval().sample(2).abs().max() <= 1


@pytest.mark.parametrize("name", ["sngan", "wgan-gp"])
def test_the_preset_is_for_images(name):
    with pytest.raises(zoo.ZooError, match=r"^convolutions need images \(C, H, W\), not items of shape \(2,\)$"):
        zoo.create(name, shape=(2,), preset="resnet")


def test_sngan_s_generator_is_twice_as_wide_as_its_discriminator():
    model = zoo.create("sngan", shape=(1, 8, 8), preset="resnet", width=4)
    assert [block.layers[3].out_channels for block in model.generator[0].blocks] == [8] * 2
    assert {block.layers[3].out_channels for block in model.discriminator.blocks} == {4}


def test_biases_start_at_zero():
    for network in (ResNetGenerator(5, (1, 8, 8), 4), ResNetDiscriminator((1, 8, 8), 4)):
        assert all(m.bias.eq(0).all() for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear))
