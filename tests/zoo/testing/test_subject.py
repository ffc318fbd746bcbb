"""The kit's own loop plays the game as the contract words it; what importing a plugin does is found once."""

import json
from functools import partial
from pathlib import Path

import pytest
import torch
from torch import nn

import zoo
from zoo.catalogue import Entry, Plugin
from zoo.testing import imports, subject
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
    model = Two(active=(0.75, 1.0), every=2)
    game = played(model)
    assert game.cycle == 8
    assert [turn for name, turn, *_ in model.noted if name == "right"] == [13, 15]


def test_a_module_that_cannot_be_imported_is_told_of_its_own_entry_alone(monkeypatch, capsys):
    monkeypatch.syspath_prepend(str(Path(__file__).parent / "data"))
    imports.main("quiet_plugin", "broken_models,no_such")
    facts = json.loads(capsys.readouterr().out)
    assert facts["failed"] == {"no_such": "ModuleNotFoundError: No module named 'no_such'"}
    monkeypatch.setattr(subject, "_imported", lambda plugins, targets: subject.Imported(**facts))
    sound, absent = (
        Entry(zoo.ModelSpec(name="it", target=f"{module}:Good", summary="It."), Plugin("it", "it", "1", "quiet_plugin"))
        for module in ("broken_models", "no_such")
    )
    assert subject.imported(sound).printed == ""
    with pytest.raises(subject.Failure, match="cannot import no_such: ModuleNotFoundError: No module named 'no_such'"):
        subject.imported(absent)
