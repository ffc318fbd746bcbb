import dataclasses
import math

import pytest

import zoo
from tiny import Tiny, trained

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
