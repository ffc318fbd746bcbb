"""Convolutional trunks: shapes, initialisation and spectral norm."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from zoo.errors import ZooError
from zoo.nn import ConvEncoder, ConvGenerator, add_spectral_norm, dcgan_init, default_width
from zoo.nn.conv import _channels

SHAPES = [(channels, side, side) for side in (8, 16, 28, 32, 64) for channels in (1, 3)]
BATCH_NORM = nn.modules.batchnorm._BatchNorm


def modules(network: nn.Module, kind: type[nn.Module]) -> list[nn.Module]:
    return [m for m in network.modules() if isinstance(m, kind)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_generators_give_images_of_the_shape(shape):
    assert ConvGenerator(5, shape, 2)(torch.randn(3, 5)).shape == (3, *shape)


@pytest.mark.parametrize("norm", ["batch", "spectral", "none"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_encoders_give_vectors_or_one_logit_for_each(shape, norm):
    x = torch.randn(3, *shape)
    assert ConvEncoder(shape, 6, 2, norm=norm)(x).shape == (3, 6)
    assert ConvEncoder(shape, 1, 2, norm=norm)(x).shape == (3,)
    assert ConvEncoder(shape, 1, 2, norm=norm).eval()(x[:1]).shape == (1,)


@pytest.mark.parametrize(
    ("side", "channels", "left"),
    [(8, [2, 4], 2), (16, [2, 4], 4), (28, [2, 4], 7), (32, [2, 4, 8], 4), (64, [2, 4, 8, 16], 4)],
)
def test_channels_double_whenever_the_side_halves(side, channels, left):
    assert _channels((1, side, side), 2) == (channels, left)


@pytest.mark.parametrize("shape", [(1, 10, 10), (1, 7, 7), (3, 30, 30), (3, 32, 64), (1, 28, 32)], ids=str)
@pytest.mark.parametrize("make", [lambda s: ConvGenerator(5, s, 2), lambda s: ConvEncoder(s, 1, 2)], ids=["G", "E"])
def test_images_that_do_not_fit_are_refused_in_one_sentence(make, shape):
    with pytest.raises(ZooError) as error:
        make(shape)
    size = f"{shape[1]}x{shape[2]}"
    assert str(error.value) == f"images of {size} do not fit: the side must be square and a multiple of 4, resize them"


@pytest.mark.parametrize("side", range(4, 132, 4))
def test_every_multiple_of_four_fits(side):
    channels, left = _channels((1, side, side), 1)
    assert left * 2 ** len(channels) == side
    assert left >= 1


def test_batch_norm_is_on_all_convolutions_of_an_encoder_but_the_first():
    encoder = ConvEncoder((1, 32, 32), 1, 2, norm="batch")
    assert [m.num_features for m in modules(encoder, BATCH_NORM)] == [4, 8]
    first, *others = modules(encoder, nn.Conv2d)
    assert first.bias is not None
    assert all(conv.bias is None for conv in others)


@pytest.mark.parametrize("norm", ["spectral", "none"])
def test_other_encoders_have_no_batch_norm_and_every_bias(norm):
    encoder = ConvEncoder((1, 32, 32), 1, 2, norm=norm)
    assert modules(encoder, BATCH_NORM) == []
    assert all(m.bias is not None for m in modules(encoder, nn.Conv2d))


def test_generators_normalise_all_but_their_output_and_have_no_bias_under_it():
    generator = ConvGenerator(5, (3, 32, 32), 2)
    assert [m.num_features for m in modules(generator, BATCH_NORM)] == [8, 4, 2]
    *hidden, last = modules(generator, nn.ConvTranspose2d)
    assert all(conv.bias is None for conv in hidden)
    assert last.bias is not None
    assert modules(generator, nn.Linear)[0].bias is None
    assert isinstance(list(generator)[-1], nn.ConvTranspose2d)


def test_the_slope_of_the_leaky_rectifiers_is_passed_on():
    assert {m.negative_slope for m in modules(ConvEncoder((1, 8, 8), 1, 2), nn.LeakyReLU)} == {0.2}
    assert {m.negative_slope for m in modules(ConvEncoder((1, 8, 8), 1, 2, slope=0.1), nn.LeakyReLU)} == {0.1}


@pytest.mark.parametrize("make", [nn.Linear, lambda a, b: nn.Conv2d(a, b, 4), lambda a, b: nn.ConvTranspose2d(a, b, 4)])
def test_dcgan_init_draws_weights_from_n_0_002(make):
    torch.manual_seed(0)
    layer = make(100, 100)
    dcgan_init(layer)
    assert layer.weight.mean().abs() < 1e-3
    assert abs(layer.weight.std() - 0.02) < 1e-3
    assert layer.bias.eq(0).all()


@pytest.mark.parametrize("make", [nn.BatchNorm1d, nn.BatchNorm2d])
def test_dcgan_init_draws_gains_from_n_1_002(make):
    torch.manual_seed(0)
    layer = make(10_000)
    dcgan_init(layer)
    assert abs(layer.weight.mean() - 1) < 1e-3
    assert abs(layer.weight.std() - 0.02) < 1e-3
    assert layer.bias.eq(0).all()


@pytest.mark.parametrize("make", [lambda: ConvGenerator(64, (3, 32, 32), 32), lambda: ConvEncoder((3, 32, 32), 9, 32)])
def test_trunks_are_initialised_so(make):
    torch.manual_seed(0)
    for module in make().modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            assert abs(module.weight.std() - 0.02) < 2e-3
        elif isinstance(module, BATCH_NORM):
            assert abs(module.weight.mean() - 1) < 2e-2


def test_spectral_norm_is_on_every_weight():
    encoder = ConvEncoder((1, 16, 16), 1, 2, norm="spectral")
    weighted = modules(encoder, nn.Conv2d) + modules(encoder, nn.Linear)
    assert len(weighted) == 3
    assert all(nn.utils.parametrize.is_parametrized(m, "weight") for m in weighted)


def test_spectral_norm_is_on_transposed_convolutions_too():
    generator = ConvGenerator(5, (1, 16, 16), 2)
    add_spectral_norm(generator)
    weighted = modules(generator, nn.ConvTranspose2d) + modules(generator, nn.Linear)
    assert len(weighted) == 3
    assert all(nn.utils.parametrize.is_parametrized(m, "weight") for m in weighted)


def test_spectral_norm_divides_by_the_largest_singular_value():
    torch.manual_seed(0)
    layer = nn.Linear(6, 4)
    expected = layer.weight / torch.linalg.svdvals(layer.weight)[0]
    add_spectral_norm(layer)
    for _ in range(50):
        layer(torch.zeros(1, 6))
    torch.testing.assert_close(layer.weight, expected)


def test_default_width():
    assert [default_width((1, side, side)) for side in (8, 16, 28, 32, 64)] == [32, 32, 64, 64, 64]


def test_generators_have_plain_rectifiers_and_the_usual_momentum():
    generator = ConvGenerator(5, (3, 32, 32), 2)
    assert len(modules(generator, nn.ReLU)) == 3
    assert {m.momentum for m in modules(generator, BATCH_NORM)} == {0.1}
