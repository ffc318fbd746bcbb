import itertools
import math
from types import SimpleNamespace

import pytest
import torch

import zoo
from tiny import Tiny, trained
from zoo_bench.train import loop as train_module
from zoo_bench.train import meter as meter_module

CASES = [
    pytest.param(entry.spec.name, kind, id=f"{entry.spec.name}-{kind}")
    for entry in zoo.installed().models
    for kind in ("images", "points")
    if kind in entry.spec.data
]
every_model = pytest.mark.parametrize(("name", "kind"), CASES)


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
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(meter_module, "perf_counter", lambda: clock.now)

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
    assert training.history[-1]["losses"].keys() == {"left", "right"}


@pytest.mark.parametrize("rounds", [1, 31, 32, 33, 50])
def test_the_training_speed_is_positive_however_short_the_run(rounds):
    assert trained(Tiny(), f"{rounds}rounds").images_per_s > 0


def test_the_training_speed_leaves_the_warm_up_out(monkeypatch):
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(meter_module, "perf_counter", lambda: clock.now)

    class Slow(Tiny):
        def play(self, turn: zoo.Turn) -> None:
            clock.now += 100.0 if turn.round < train_module.WARM_UP_ROUNDS else 0.5
            super().play(turn)

    assert trained(Slow(4), "50rounds").images_per_s == 4 / 0.5
