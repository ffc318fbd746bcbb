from typing import Any

import torch
from torch import nn

import zoo
from tiny import Tiny, trained


class Normed(Tiny):
    """Its left network counts batches and tracks their statistics."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.left = nn.Sequential(nn.BatchNorm1d(2), nn.Linear(2, 1))
        self.states: list[dict[str, torch.Tensor]] = []

    def right_loss(self, turn: zoo.Turn) -> torch.Tensor:
        return self.right(turn.real).square().mean()

    def play(self, turn: zoo.Turn) -> None:
        super().play(turn)
        self.states.append({key: value.clone() for key, value in self.state_dict().items()})


def test_the_average_of_the_weights_is_left_in_the_model_and_is_what_marks_see():
    torch.manual_seed(0)
    model, seen = Normed(ema=0.7), []
    start = {key: value.clone() for key, value in model.state_dict().items()}
    trained(model, "30rounds", marks=[1.0], on_mark=lambda share, training: seen.append(model.left[1].weight.clone()))
    expected = start["left.1.weight"], start["left.0.running_mean"]
    for n, state in enumerate(model.states, start=1):
        decay = min(0.7, n / (n + 9))
        new = state["left.1.weight"], state["left.0.running_mean"]
        expected = tuple(decay * old + (1 - decay) * value for old, value in zip(expected, new, strict=True))
    torch.testing.assert_close(model.left[1].weight.data, expected[0])
    torch.testing.assert_close(model.left[0].running_mean, expected[1])
    assert torch.equal(seen[0], model.left[1].weight)
    assert model.left[0].num_batches_tracked == model.states[-1]["left.0.num_batches_tracked"] > 0
    assert not torch.equal(model.left[1].weight, model.states[-1]["left.1.weight"])


def test_averaging_and_looking_at_the_average_change_nothing_of_the_training():
    states = []
    for ema in (0.0, 0.9):
        torch.manual_seed(0)
        model = Normed(ema=ema)
        trained(model, "20rounds", marks=[0.25, 0.5, 1.0])
        states.append(model.states)
    for plain, averaged in zip(*states, strict=True):
        assert all(torch.equal(plain[key], averaged[key]) for key in plain)


def test_shared_weights_are_averaged_once_per_move():
    class Watched(Tiny):
        """Two players that share a layer."""

        def __init__(self, **settings: Any) -> None:
            super().__init__(**settings)
            self.right.weight = self.left.weight

        def right_loss(self, turn: zoo.Turn) -> torch.Tensor:
            return (self.right(turn.real) - 1.0).square().mean()

        def play(self, turn: zoo.Turn) -> None:
            for player in turn.players:
                turn.move(player)
                weights.append(self.left.weight.detach().clone())

    torch.manual_seed(0)
    model, weights = Watched(ema=0.01), []
    expected = model.left.weight.detach().clone()
    trained(model, "3rounds")
    for weight in weights:
        expected = 0.01 * expected + 0.99 * weight
    torch.testing.assert_close(model.left.weight.data, expected)
