import dataclasses
import itertools
import math
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

import zoo
from zoo.errors import PluginError
from zoo_bench.core.budget import Budget
from zoo_bench.data.stream import Stream
from zoo_bench.train import loop as train_module
from zoo_bench.train import meter as meter_module
from zoo_bench.train.loop import train

CPU = torch.device("cpu")
POINTS = torch.randn(50, 2, generator=torch.Generator().manual_seed(0))
IMAGES = torch.randint(256, (50, 1, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
CASES = [
    pytest.param(entry.spec.name, kind, id=f"{entry.spec.name}-{kind}")
    for entry in zoo.installed().models
    for kind in ("images", "points")
    if kind in entry.spec.data
]
every_model = pytest.mark.parametrize(("name", "kind"), CASES)


class Tiny(zoo.GenerativeModel):
    """Two linear players on points; it writes down what it is shown."""

    def __init__(self, batch_size: int = 4, **settings: Any) -> None:
        super().__init__((2,), zoo.ModelConfig(batch_size=batch_size, **settings))
        self.left, self.right = nn.Linear(2, 1), nn.Linear(2, 1)
        self.seen: list[torch.Tensor] = []
        self.progress: list[float] = []
        self.rounds: list[int] = []

    def players(self) -> list[zoo.Player]:
        sgd = partial(torch.optim.SGD, lr=0.01)
        return [
            zoo.Player("left", self.left, self.left_loss, sgd),
            zoo.Player("right", self.right, self.right_loss, sgd),
        ]

    def left_loss(self, turn: zoo.Turn) -> torch.Tensor:
        return self.left(turn.real).square().mean()

    def right_loss(self, turn: zoo.Turn) -> torch.Tensor:
        return (self.right(turn.real) - self.left(turn.real)).square().mean()

    def play(self, turn: zoo.Turn) -> None:
        assert not turn.kept
        self.seen.append(turn.real.clone())
        self.progress.append(turn.progress)
        self.rounds.append(turn.round)
        super().play(turn)


def trained(model: zoo.GenerativeModel, budget: str, seed: int = 0, **options):
    data = POINTS if len(model.shape) == 1 else IMAGES
    return train(model, Stream(data, seed, CPU), Budget.parse(budget), **options)


def create(name: str, kind: str) -> zoo.GenerativeModel:
    torch.manual_seed(0)
    return zoo.create(name, shape=(1, 8, 8) if kind == "images" else (2,))


@every_model
def test_images_reach_the_budget_within_one_batch(name, kind):
    model = create(name, kind)
    meter = trained(model, "700").meter
    assert 700 <= meter.images < 700 + model.config.batch_size
    assert meter.images == meter.rounds * model.config.batch_size


@every_model
def test_training_moves_every_player_as_often_as_it_says(name, kind):
    model = create(name, kind)
    meter = trained(model, "10rounds").meter
    assert meter.rounds == 10
    assert meter.updates == sum(10 // player.every for player in model.players())
    assert meter.images == 10 * model.config.batch_size
    assert meter.flops > 0


@every_model
def test_training_ends_with_finite_losses_changed_weights_and_everything_trainable(name, kind):
    model = create(name, kind)
    before = {key: weight.detach().clone() for key, weight in model.named_parameters()}
    training = trained(model, "10rounds")
    assert training.diverged == ""
    assert training.losses.keys() == {player.name for player in model.players()}
    assert all(map(math.isfinite, training.losses.values()))
    for player in model.players():
        names = [key for key, w in model.named_parameters() if any(w is own for own in player.network.parameters())]
        assert any(not torch.equal(before[key], model.get_parameter(key)) for key in names)
    assert all(weight.requires_grad for weight in model.parameters())


@every_model
def test_bf16_trains_with_weights_kept_in_fp32(name, kind):
    model = create(name, kind)
    training = trained(model, "2rounds", precision="bf16")
    assert all(map(math.isfinite, training.losses.values()))
    assert {weight.dtype for weight in model.parameters()} == {torch.float32}


def test_wgan_gp_makes_five_critic_steps_and_one_generator_step_in_five_rounds():
    model = create("wgan-gp", "points")
    moves = []
    play = model.play

    def spied(turn):
        move = turn.move
        turn.move = lambda player: (moves.append(player.name), move(player))
        play(turn)

    model.play = spied
    meter = trained(model, "15rounds").meter
    assert moves.count("critic") == 15
    assert moves.count("generator") == 3
    assert meter.updates == 18
    assert meter.images == 15 * model.config.batch_size


def test_every_batch_size_sees_the_same_items_in_the_same_order_under_one_seed():
    seen = {}
    for seed, size in itertools.product((0, 1), (3, 7, 64)):
        model = Tiny(size)
        torch.manual_seed(size)
        trained(model, "192", seed)
        seen[seed, size] = torch.cat(model.seen)[:192]
    for seed in (0, 1):
        assert torch.equal(seen[seed, 3], seen[seed, 7])
        assert torch.equal(seen[seed, 3], seen[seed, 64])
    assert not torch.equal(seen[0, 3], seen[1, 3])


def test_a_budget_of_images_stops_at_the_first_round_that_reaches_it():
    assert trained(Tiny(4), "40").meter.images == 40
    assert trained(Tiny(4), "41").meter.images == 44
    assert trained(Tiny(64), "1").meter.images == 64


def test_a_budget_of_steps_stops_there():
    assert trained(Tiny(), "7rounds").meter.rounds == 7


def test_a_budget_of_flops_stops_at_the_first_round_that_reaches_it():
    # Products of 2 B 2 operations: left's output and gradient; then right's output, left's output, right's gradient.
    per_round = (2 + 3) * 2 * 4 * 2
    meter = trained(Tiny(4), f"{100.5 * per_round / 1e6}MFLOP").meter
    assert meter.rounds == 101
    assert meter.flops == 101 * per_round


def test_a_budget_of_seconds_stops_at_the_first_round_that_reaches_it(monkeypatch):
    clock = SimpleNamespace(now=0.0, perf_counter=lambda: clock.now)
    monkeypatch.setattr(meter_module, "time", clock)

    class Slow(Tiny):
        def play(self, turn: zoo.Turn) -> None:
            clock.now += 2.0
            super().play(turn)

    meter = trained(Slow(), "9s").meter
    assert meter.rounds == 5
    assert meter.seconds == 10.0


@pytest.mark.parametrize(("budget", "rounds"), [("40,3rounds", 3), ("8,30rounds", 2), ("1h,5rounds,1PFLOP", 5)])
def test_of_several_limits_the_first_reached_stops(budget, rounds):
    assert trained(Tiny(4), budget).meter.rounds == rounds


def test_models_are_told_the_round_and_the_share_spent():
    model = Tiny(4)
    trained(model, "40")
    assert model.rounds == list(range(10))
    assert model.progress == pytest.approx([i / 10 for i in range(10)])


def test_models_are_trained_in_training_mode():
    modes: list[bool] = []

    class Watching(Tiny):
        def play(self, turn: zoo.Turn) -> None:
            modes.append(self.training and self.left.training)

    trained(Watching().eval(), "2rounds")
    assert modes == [True, True]


def test_a_loss_that_is_not_finite_stops_the_run_and_names_the_player():
    class Diverging(Tiny):
        def right_loss(self, turn: zoo.Turn) -> torch.Tensor:
            return super().right_loss(turn) * (math.nan if turn.round >= 20 else 1.0)

    training = trained(Diverging(), "100k")
    assert "'right'" in training.diverged
    assert 20 < training.meter.rounds < 200


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_loss_that_is_not_finite_in_the_last_round_is_noticed(value):
    class Diverging(Tiny):
        def left_loss(self, turn: zoo.Turn) -> torch.Tensor:
            return super().left_loss(turn) * (value if turn.round == 4 else 1.0)

    assert trained(Diverging(), "5rounds").diverged.startswith(f"the loss of player 'left' is {value}")


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


def test_progress_is_told_along_the_way():
    told: list[tuple[float, int]] = []
    trained(Tiny(4), "1600", on_progress=lambda share, training: told.append((share, training.meter.rounds)))
    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert 0 < shares[0] < shares[-1] < 1
    assert all(0 <= rounds / 400 - share < 0.01 for share, rounds in told)


def test_the_history_has_about_a_hundred_points_and_ends_at_the_end(monkeypatch):
    monkeypatch.setattr(train_module, "CHECK_EVERY_ROUNDS", 1)
    training = trained(Tiny(4), "1200")
    images = [point["images"] for point in training.history]
    assert 90 <= len(images) <= 110
    assert images == sorted(images)
    assert images[-1] == training.meter.images == 1200
    assert training.history[-1].keys() == {"images", "seconds", "left", "right"}


@pytest.mark.parametrize("rounds", [1, 9, 10, 11, 25])
def test_the_training_speed_is_positive_however_short_the_run(rounds):
    assert trained(Tiny(), f"{rounds}rounds").images_per_s > 0


def test_the_training_speed_leaves_the_warm_up_out(monkeypatch):
    clock = SimpleNamespace(now=0.0, perf_counter=lambda: clock.now)
    monkeypatch.setattr(meter_module, "time", clock)

    class Slow(Tiny):
        def play(self, turn: zoo.Turn) -> None:
            clock.now += 100.0 if turn.round < 10 else 0.5
            super().play(turn)

    assert trained(Slow(4), "30rounds").images_per_s == 4 / 0.5


SCHEDULES = {
    "constant": [1.0, 1.0, 1.0, 1.0],
    "linear": [1.0, 0.75, 0.5, 0.25],
    "cosine": [1.0, (1 + math.sqrt(0.5)) / 2, 0.5, (1 - math.sqrt(0.5)) / 2],
}


def steps_taken(model: Tiny, budget: str, name: str = "right") -> list[float]:
    """The size of each update of the bias of a player, whose gradient is one."""
    network, taken = getattr(model, name), list[float]()

    def play(turn: zoo.Turn) -> None:
        before = network.bias.item()
        Tiny.play(model, turn)
        taken.append(before - network.bias.item())

    model.play = play
    setattr(model, f"{name}_loss", lambda turn: network(turn.real).mean())
    trained(model, budget)
    return taken


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("name", ["left", "right"])
def test_learning_rates_of_every_player_follow_the_schedule_over_the_budget(schedule, name):
    taken = steps_taken(Tiny(schedule=schedule), "4rounds", name)
    assert taken == pytest.approx([0.01 * factor for factor in SCHEDULES[schedule]], abs=1e-6)


def test_the_schedule_of_a_player_runs_over_its_part_of_the_budget():
    class Staged(Tiny):
        def players(self) -> list[zoo.Player]:
            left, right = super().players()
            return [left, dataclasses.replace(right, active=(0.5, 1.0))]

    taken = steps_taken(Staged(schedule="linear"), "8rounds")
    assert taken == pytest.approx([0.0] * 4 + [0.01 * factor for factor in SCHEDULES["linear"]], abs=1e-6)


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


def test_shared_weights_are_averaged_once_per_move():
    class Watched(Tied):
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
