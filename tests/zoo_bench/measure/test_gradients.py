"""Which arithmetic counts: all models' gradients agree in bf16, and do not in one that is broken."""

import re

import pytest
import torch
from torch.overrides import TorchFunctionMode

from zoo.registry import installed
from zoo_bench.measure import gradients, probe
from zoo_bench.plan.options import BenchOptions
from zoo_bench.plan.planning import plan
from zoo_bench.train.game import Game

WAYS = [("fp32", 1), ("bf16", 1)]


@pytest.fixture(autouse=True)
def one_timed_round(monkeypatch):
    monkeypatch.setattr(probe, "BLOCK_ROUNDS", 1)
    monkeypatch.setattr(probe, "BLOCKS", 2)


def refusal(model, task):
    """Measure a model in both modes and return why bf16 is refused, or ""."""
    options = BenchOptions(models=model, task=task, budget="640", seeds=1, device="cpu", precision="fp32")
    fp32, bf16 = probe.measure(plan(options).runs[0], WAYS)
    assert "error" not in fp32
    return gradients.refusal(f"{model} on {task}", bf16)


@pytest.mark.parametrize("task", ["digits", "ring8", "mnist"])
@pytest.mark.parametrize("model", ["beta-vae", "dcgan", "gan", "sngan", "vae", "wgan-gp"])
def test_bf16_is_accepted_for_every_model(model, task):
    spec = installed().tasks.get(task).spec
    if spec.state != "ready":
        pytest.skip(f"{task} needs {spec.state}")
    if model == "dcgan" and task == "ring8":
        pytest.skip("dcgan does not apply to points")
    assert refusal(model, task) == ""


class ThreeBits(TorchFunctionMode):
    """Rounds the inputs of products to 3 bits of mantissa, of which bf16 has 7."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        if func.__name__ in ("linear", "conv2d", "conv_transpose2d"):
            args = (*map(_rounded, args[:2]), *args[2:])
        return func(*args, **(kwargs or {}))


def _rounded(x):
    mantissa, exponent = torch.frexp(x.detach().float())
    return x + (torch.ldexp((mantissa * 16).round() / 16, exponent) - x).detach()


def in_bf16(monkeypatch, change):
    """Let games in bf16 take a player's gradients otherwise: ``change(game, player, backward)``."""
    real = Game._backward

    def backward(self, player, loss_of):
        if not self._autocast:
            return real(self, player, loss_of)
        return change(self, player, lambda: real(self, player, loss_of))

    monkeypatch.setattr(Game, "_backward", backward)


def scaled(by, only=""):
    def change(game, player, backward):
        loss = backward()
        for weight in game._weights[player.name]:
            weight.grad *= by if only in player.name else 1.0
        return loss

    return change


def coarse(game, player, backward):
    with ThreeBits():
        return backward()


def infinite(game, player, backward):
    loss = backward()
    game._weights[player.name][0].grad[0] = torch.inf
    return loss


@pytest.mark.parametrize(
    ("change", "model", "why"),
    [
        (scaled(-1, "discriminator"), "sngan", "discriminator of sngan on digits have a cosine of -1.0000"),
        (scaled(1.1), "vae", r"vae of vae on digits have 1\.(09|10)\d+ times"),
        (scaled(0.9, "generator"), "dcgan", r"generator of dcgan on digits have 0\.(89|90)\d+ times"),
        (coarse, "dcgan", "generator of dcgan on digits have a cosine of 0.9[78]"),
        (coarse, "gan", "generator of gan on digits have a cosine of 0.9[78]"),
        (infinite, "wgan-gp", "the gradients of player 'generator' are not finite"),
    ],
    ids=["sign", "scale", "scale of one player", "3 bits", "3 bits in perceptrons", "overflow"],
)
def test_a_broken_bf16_is_refused_with_what_it_breaks(monkeypatch, change, model, why):
    in_bf16(monkeypatch, change)
    assert re.search(why, refusal(model, "digits"))


def test_weights_that_change_by_a_thousandth_are_accepted(monkeypatch):
    """After 20 rounds of a game the losses would differ: the false alarm of a criterion that compares those."""

    def shifted(game, player, backward):
        weights = {weight: weight.detach().clone() for weight in game.model.parameters()}
        with torch.no_grad():
            for weight in weights:
                weight *= 1 + 1e-3 * torch.randn(weight.shape, generator=torch.Generator().manual_seed(1))
        game._autocast = False
        loss = backward()
        game._autocast = True
        with torch.no_grad():
            for weight, before in weights.items():
                weight.copy_(before)
        return loss

    in_bf16(monkeypatch, shifted)
    assert refusal("sngan", "digits") == ""
