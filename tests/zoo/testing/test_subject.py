"""The kit's own loop plays the game as the contract words it; what importing a plugin does is found once."""

from functools import partial
from pathlib import Path

import pytest
import torch
from torch import nn

import zoo
from zoo.catalogue import Entry, Plugin
from zoo.registry import Registry
from zoo.testing import subject
from zoo.testing.subject import Rounds


class Two(zoo.GenerativeModel):
    """Two players on points that note which parameters are trainable, and when they move."""

    def __init__(self, **options):
        super().__init__((2,), zoo.ModelConfig())
        self.left, self.right = nn.Linear(2, 1), nn.Linear(2, 1)
        self.options = options
        self.noted = []

    def players(self):
        sgd = partial(torch.optim.SGD, lr=0.01)
        return [
            zoo.Player("left", self.left, partial(self.loss, "left"), sgd),
            zoo.Player("right", self.right, partial(self.loss, "right"), sgd, **self.options),
        ]

    def loss(self, name, turn):
        self.noted.append((name, turn.round, self.left.weight.requires_grad, self.right.weight.requires_grad))
        return (self.left(turn.real) * self.right(turn.real)).mean()


def played(model):
    game = Rounds(model)
    for _ in range(2 * game.cycle):
        game.play(torch.randn(4, 2))
    return game


def test_the_others_are_frozen_during_a_loss():
    model = Two()
    played(model)
    assert {(name, left, right) for name, _, left, right in model.noted} == {
        ("left", True, False),
        ("right", False, True),
    }
    assert all(weight.requires_grad for weight in model.parameters())


def test_two_cycles_reach_every_part_of_the_budget():
    model = Two(during=(0.75, 1.0), every=2)
    game = played(model)
    assert game.cycle == 8
    assert [turn for name, turn, *_ in model.noted if name == "right"] == [13, 15]


def entry_of(target, plugin):
    return Entry(zoo.ModelSpec(name=target.partition(":")[0], target=target, summary="Fine."), plugin)


def test_one_interpreter_serves_all_models_of_a_plugin(monkeypatch):
    registry, plugin = Registry(), Plugin("pair", "zoo-plugin-pair", "1.0", "quiet_plugin")
    silent, noisy, absent = (entry_of(f"{name}:Good", plugin) for name in ("broken_models", "noisy_model", "no_such"))
    for entry in (silent, noisy, absent):
        registry.models.add(entry)
    monkeypatch.setattr(subject, "installed", lambda: registry)
    monkeypatch.syspath_prepend(str(Path(__file__).parent / "data"))
    found = subject.imported(silent)
    assert found is subject.imported(noisy)
    assert (found.heavy, found.printed, found.harness) == ([], "loading\n", True)
    assert found.changed
    with pytest.raises(subject.Failure, match="cannot import no_such: ModuleNotFoundError: No module named 'no_such'"):
        subject.imported(absent)
