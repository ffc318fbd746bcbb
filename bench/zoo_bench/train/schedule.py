"""Learning-rate schedules over the budget, for every model alike."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch

from zoo.config import Schedule
from zoo.model import Player

FACTORS: dict[Schedule, Callable[[float], float]] = {
    "constant": lambda share: 1.0,
    "linear": lambda share: 1.0 - share,
    "cosine": lambda share: 0.5 * (1.0 + math.cos(math.pi * share)),
}
"""By schedule: from the share of a player's part of the budget, in [0, 1), to the factor on its learning rate."""


def learning_rates(schedule: Schedule, player: Player, optimizer: torch.optim.Optimizer) -> Callable[[float], None]:
    """Return a function that sets a player's learning rates for a share of the budget spent."""
    initial = [group["lr"] for group in optimizer.param_groups]
    start, stop = player.active

    def apply(progress: float) -> None:
        factor = FACTORS[schedule]((progress - start) / (stop - start))
        for group, lr in zip(optimizer.param_groups, initial, strict=True):
            group["lr"] = lr * factor

    return apply if schedule != "constant" else lambda progress: None
