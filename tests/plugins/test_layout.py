"""Gradients come back in the memory layout that activations have, or rectifiers are many times slower."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

import zoo
from zoo_bench.train.game import Game

BACKWARD = {torch.ops.aten.leaky_relu_backward.default, torch.ops.aten.threshold_backward.default}


class Rectifiers(TorchDispatchMode):
    """Notes the strides of the gradient and of the activation in every rectifier's backward pass."""

    def __init__(self) -> None:
        super().__init__()
        self.strides: list[tuple[tuple[int, ...], tuple[int, ...]]] = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if func in BACKWARD:
            gradient, activation = args[:2]
            self.strides.append((gradient.stride(), activation.stride()))
        return func(*args, **(kwargs or {}))


def found(model: zoo.GenerativeModel, real: Tensor) -> Rectifiers:
    game = Game(model.to(memory_format=torch.channels_last).train(), "fp32")
    with Rectifiers() as rectifiers:
        for _ in range(6):
            game.play(real, 0.0)
    return rectifiers


@pytest.mark.parametrize("shape", [(1, 8, 8), (1, 28, 28), (3, 32, 32)], ids=str)
@pytest.mark.parametrize("name", ["dcgan", "wgan-gp", "sngan", "vae", "beta-vae"])
def test_gradients_have_the_layout_of_activations(name, shape):
    strides = found(zoo.create(name, shape=shape), torch.randn(4, *shape)).strides
    assert strides
    assert all(gradient == activation for gradient, activation in strides)
