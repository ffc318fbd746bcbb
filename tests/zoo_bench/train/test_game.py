import dataclasses
from typing import Any

import pytest
import torch
from torch import nn

import zoo
from tiny import Tiny, trained
from zoo.errors import PluginError
from zoo_bench.core.budget import Budget
from zoo_bench.data.stream import Stream
from zoo_bench.train.game import Game
from zoo_bench.train.loop import train


def test_parameters_of_others_are_frozen_during_a_move():
    class Watched(Tiny):
        def left_loss(self, turn: zoo.Turn) -> torch.Tensor:
            trainable.append(("left", self.left.weight.requires_grad, self.right.weight.requires_grad))
            return super().left_loss(turn)

        def right_loss(self, turn: zoo.Turn) -> torch.Tensor:
            trainable.append(("right", self.left.weight.requires_grad, self.right.weight.requires_grad))
            return super().right_loss(turn)

    trainable: list[tuple[str, bool, bool]] = []
    model = Watched()
    trained(model, "3rounds")
    assert trainable == [("left", True, False), ("right", False, True)] * 3
    assert all(weight.requires_grad for weight in model.parameters())


def test_a_move_changes_the_weights_of_its_player_alone():
    class Watched(Tiny):
        def play(self, turn: zoo.Turn) -> None:
            left, right = turn.players
            before = self.right.weight.detach().clone()
            turn.move(left)
            assert torch.equal(self.right.weight, before)
            before = self.left.weight.detach().clone()
            turn.move(right)
            assert torch.equal(self.left.weight, before)
            moved.append(True)

    moved: list[bool] = []
    trained(Watched(), "3rounds")
    assert moved == [True] * 3


def test_a_parameter_that_the_model_froze_stays_frozen():
    model = Tiny()
    model.left.bias.requires_grad_(False)
    model.ornament = nn.Parameter(torch.zeros(3), requires_grad=False)
    before = model.left.bias.detach().clone()
    trained(model, "3rounds")
    assert torch.equal(model.left.bias, before)
    assert not model.left.bias.requires_grad
    assert not model.ornament.requires_grad


def test_a_model_with_a_parameter_that_no_player_trains_is_refused_by_name():
    model = Tiny()
    model.forgotten = nn.Linear(2, 2)
    with pytest.raises(PluginError, match=r"no player trains forgotten\.weight, forgotten\.bias"):
        trained(model, "1rounds")


def test_a_player_whose_network_is_not_the_model_s_is_refused_by_name():
    class Stray(Tiny):
        def players(self) -> list[zoo.Player]:
            return [*super().players(), zoo.Player("stray", nn.Linear(2, 2), self.left_loss, zoo.Adam(0.1))]

    with pytest.raises(PluginError, match=r"^Stray: the network of player 'stray' is not part of the model: assign it"):
        trained(Stray(), "1rounds")


@pytest.mark.parametrize("players", [[], None], ids=["empty", "no return"])
def test_a_model_without_players_is_refused(players):
    class Lonely(Tiny):
        def players(self) -> Any:
            return players

    with pytest.raises(PluginError, match="at least one"):
        trained(Lonely(), "1rounds")


def test_a_loss_that_is_no_scalar_is_refused_with_its_shape():
    class Rows(Tiny):
        def left_loss(self, turn: zoo.Turn) -> torch.Tensor:
            return super().left_loss(turn).expand(3)

    with pytest.raises(PluginError, match=r"loss of player 'left' has shape \(3,\): return a scalar"):
        trained(Rows(), "1rounds")


def test_players_of_one_name_are_refused():
    class Twins(Tiny):
        def players(self) -> list[zoo.Player]:
            return [*super().players(), super().players()[0]]

    with pytest.raises(PluginError, match="two players of one name: left, right, left"):
        trained(Twins(), "1rounds")


class Tied(Tiny):
    """Two players that share a layer."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.right.weight = self.left.weight

    def right_loss(self, turn: zoo.Turn) -> torch.Tensor:
        return (self.right(turn.real) - 1.0).square().mean()


def test_players_may_share_weights_which_move_in_the_turns_of_both():
    class Watched(Tied):
        def play(self, turn: zoo.Turn) -> None:
            for player in turn.players:
                before = self.left.weight.detach().clone()
                turn.move(player)
                moved.append(not torch.equal(before, self.left.weight))

    moved: list[bool] = []
    model = Watched()
    trained(model, "3rounds")
    assert moved == [True] * 6
    assert model.left.weight is model.right.weight


PRODUCT = 2 * 4 * 2
"""Operations of one linear player of Tiny on a batch of 4, forward or backward."""


def flops_of(play, budget="2000rounds"):
    """Train a Tiny whose left player does further passes in some rounds, and return what was charged and was done."""

    class Busy(Tiny):
        def left_loss(self, turn: zoo.Turn) -> torch.Tensor:
            nonlocal done
            passes = play(turn.round)
            done += (5 + passes) * PRODUCT
            for _ in range(passes):
                self.right(turn.real)
            return super().left_loss(turn)

    done = 0
    return trained(Busy(), budget).meter.flops, done


@pytest.mark.parametrize("start", [0, 3, 40])
def test_passes_that_begin_later_are_charged(start):
    charged, done = flops_of(lambda n: 30 if n >= start else 0)
    assert charged == pytest.approx(done, rel=0.05)


def test_passes_in_every_sixteenth_round_are_charged_as_often():
    charged, done = flops_of(lambda n: 30 if n % 16 == 0 else 0)
    assert charged == pytest.approx(done, rel=0.05)


def test_the_same_run_is_charged_the_same():
    assert flops_of(lambda n: n % 5)[0] == flops_of(lambda n: n % 5)[0]


def test_a_budget_of_flops_ends_in_the_round_in_which_further_passes_reach_it():
    charged, _ = flops_of(lambda n: 30, f"{200 * 35 * PRODUCT / 1e6}MFLOP")
    assert charged == 200 * 35 * PRODUCT


def test_what_a_model_does_besides_its_moves_is_charged():
    class Aside(Tiny):
        def play(self, turn: zoo.Turn) -> None:
            super().play(turn)
            with torch.no_grad():
                self.left(turn.real)

    assert trained(Aside(), "100rounds").meter.flops == 100 * 6 * PRODUCT


def test_a_player_that_seldom_moves_is_charged_from_its_first_move():
    class Seldom(Tiny):
        def players(self) -> list[zoo.Player]:
            left, right = super().players()
            return [left, dataclasses.replace(right, every=50)]

    assert trained(Seldom(), "300rounds").meter.flops == (300 * 2 + 6 * 3) * PRODUCT


def test_without_recounts_each_kind_of_move_is_counted_once():
    class Watched(Tiny):
        def left_loss(self, turn: zoo.Turn) -> torch.Tensor:
            counted.append(torch.utils._python_dispatch._get_current_dispatch_mode() is not None)
            return super().left_loss(turn)

    for recount, expected in ((True, 32), (False, 1)):
        counted: list[bool] = []
        game = Game(Watched(), "fp32", recount=recount)
        for _ in range(40):
            game.play(torch.randn(4, 2), 0.0)
        assert counted == [n < expected for n in range(40)]
        assert game.meter.flops == 40 * 5 * PRODUCT


@pytest.mark.slow
def test_compiled_losses_are_those_of_eager_ones_and_cost_the_same_flops():
    data = torch.randint(0, 256, (256, 1, 8, 8), dtype=torch.uint8)

    def trained(precision):
        torch.manual_seed(0)
        model = zoo.create("gan", shape=(1, 8, 8))
        return train(model, Stream(data, 0, torch.device("cpu")), Budget(rounds=20), precision=precision)

    eager, compiled = trained("fp32"), trained("fp32+compile")
    assert compiled.losses == pytest.approx(eager.losses, rel=1e-3)
    assert compiled.meter.flops == eager.meter.flops


class Seldom(Tiny):
    """A model in which the left player moves in every third round, and the right one in the budget's second half."""

    def players(self) -> list[zoo.Player]:
        left, right = super().players()
        return [dataclasses.replace(left, every=3), dataclasses.replace(right, active=(0.5, 1.0))]


class MovesTwice(Tiny):
    def play(self, turn: zoo.Turn) -> None:
        for player in (*turn.players, *turn.players):
            turn.move(player)


@pytest.mark.parametrize("build", [Tiny, Seldom, MovesTwice])
def test_gradients_of_all_players_are_taken_from_the_same_weights(build):
    torch.manual_seed(0)
    model = build()
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    game = Game(model, "fp32")
    real = torch.randn(8, 2)
    found = game.gradients(real)
    left, right = real @ model.left.weight.T + model.left.bias, real @ model.right.weight.T + model.right.bias
    errors = {"left": left.detach(), "right": (right - left).detach()}
    assert found.keys() == errors.keys()
    for name, error in errors.items():
        expected = torch.cat([2 * (error * real).mean(dim=0), 2 * error.mean(dim=0)])
        torch.testing.assert_close(found[name], expected)
    assert all(torch.equal(weight, before[name]) for name, weight in model.state_dict().items())
    assert (game.meter.rounds, game.meter.updates, game.meter.flops, game.losses) == (0, 0, 0, {})


def test_a_player_that_its_model_never_lets_move_has_no_gradients():
    class LeftOnly(Tiny):
        def play(self, turn: zoo.Turn) -> None:
            turn.move(turn.players[0])

    assert Game(LeftOnly(), "fp32").gradients(torch.randn(8, 2)).keys() == {"left"}
