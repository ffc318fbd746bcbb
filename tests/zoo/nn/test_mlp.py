"""Perceptrons, and the choice of a trunk by the shape of an item."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from torch import nn

from zoo.nn import ConvEncoder, ConvGenerator, Maxout, decoder, encoder, mlp


def kinds(network: nn.Module) -> list[str]:
    return [type(layer).__name__ for layer in network.children()]


def widths(network: nn.Module) -> list[tuple[int, int]]:
    return [(m.in_features, m.out_features) for m in network.modules() if isinstance(m, nn.Linear)]


def test_activations_stand_between_linear_layers_and_not_after_the_last():
    network = mlp([5, 7, 9, 2])
    assert kinds(network) == ["Linear", "ReLU", "Linear", "ReLU", "Linear"]
    assert widths(network) == [(5, 7), (7, 9), (9, 2)]


def test_no_hidden_layer_is_one_linear_layer():
    assert kinds(mlp([5, 2])) == ["Linear"]


def test_the_activation_is_made_anew_for_each_layer():
    network = mlp([5, 7, 9, 2], activation=partial(nn.LeakyReLU, 0.3))
    assert [m.negative_slope for m in network if isinstance(m, nn.LeakyReLU)] == [0.3, 0.3]


@pytest.mark.parametrize(
    ("norm_from", "expected"),
    [
        (0, ["Linear", "BatchNorm1d", "ReLU", "Linear", "BatchNorm1d", "ReLU", "Linear"]),
        (1, ["Linear", "ReLU", "Linear", "BatchNorm1d", "ReLU", "Linear"]),
        (2, ["Linear", "ReLU", "Linear", "ReLU", "Linear"]),
    ],
)
def test_batch_norm_starts_at_the_hidden_layer_that_is_named(norm_from, expected):
    assert kinds(mlp([5, 7, 9, 2], norm_from=norm_from)) == expected


def test_trunks_of_images_are_convolutions():
    assert isinstance(decoder(4, (1, 8, 8), 2), ConvGenerator)
    assert isinstance(encoder((1, 8, 8), 1, 2), ConvEncoder)


@pytest.mark.parametrize("dimensions", [2, 5])
def test_trunks_of_points_are_perceptrons_of_equal_hidden_widths(dimensions):
    x = torch.randn(3, dimensions)
    assert decoder(4, (dimensions,), 2)(torch.randn(3, 4)).shape == x.shape
    assert encoder((dimensions,), 6, 2)(x).shape == (3, 6)
    assert encoder((dimensions,), 1, 2)(x).shape == (3,)
    assert widths(encoder((dimensions,), 1, 2)) == [(dimensions, 128), (128, 128), (128, 128), (128, 1)]


@pytest.mark.parametrize("norm", ["batch", "spectral", "none"])
def test_perceptrons_of_points_have_no_batch_norm(norm):
    network = encoder((2,), 1, 2, norm=norm)
    assert not any(isinstance(m, nn.modules.batchnorm._BatchNorm) for m in network.modules())


def test_spectral_norm_is_on_every_weight_of_points_too():
    linear = [m for m in encoder((2,), 1, 2, norm="spectral").modules() if isinstance(m, nn.Linear)]
    assert len(linear) == 4
    assert all(nn.utils.parametrize.is_parametrized(m, "weight") for m in linear)


def test_maxout_takes_the_largest_of_its_pieces():
    torch.manual_seed(0)
    layer, x = Maxout(3, 4, pieces=5), torch.randn(6, 3)
    y = layer(x)
    assert y.shape == (6, 4)
    for i in range(4):
        pieces = x @ layer.weight[i::4].T + layer.bias[i::4]
        torch.testing.assert_close(y[:, i], pieces.max(1).values)


def test_hidden_layers_may_be_of_another_kind_and_the_last_is_linear():
    network = mlp([2, 7, 3, 1], activation=nn.Identity, layer=partial(Maxout, pieces=2))
    assert [type(layer) for layer in network if not isinstance(layer, nn.Identity)] == [Maxout, Maxout, nn.Linear]
    assert network(torch.zeros(5, 2)).shape == (5, 1)
