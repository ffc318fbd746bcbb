"""The training loop for every model: draw a batch, let the players move, charge the meter."""

from __future__ import annotations

import math
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from zoo.model import GenerativeModel
from zoo.signs import alive
from zoo_bench.core.budget import Budget
from zoo_bench.data.stream import Stream
from zoo_bench.plan.record import HistoryPoint
from zoo_bench.plan.spec import PrecisionMode
from zoo_bench.train.checkpoint import Checkpoint, Generators, Stateful, signals_noted
from zoo_bench.train.flops import COUNTS_IN_A_ROW
from zoo_bench.train.game import Game
from zoo_bench.train.meter import Meter

CHECK_EVERY_ROUNDS = 50
"""Rounds between two looks at the losses, each of which waits for the device."""

WARM_UP_ROUNDS = COUNTS_IN_A_ROW
"""Rounds at the start, slower than the rest because all are counted, that do not count for the speed."""

HISTORY_POINTS = 100


@dataclass
class Training:
    """The result of training.

    Attributes:
        meter: The budget spent.
        diverged: A sentence on which player's loss became infinite or NaN, and when; empty if none did.
        losses: Last loss of each player.
        history: About a hundred points along the budget: images, seconds and the loss of each player.
        images_per_s: Real images per second after the warm-up.
        interrupted: Whether SIGTERM ended it before the budget was spent.
        marks_passed: How many marks were reached.
        warm_up_spent: Images and seconds of the warm-up.
    """

    meter: Meter
    diverged: str = ""
    losses: dict[str, float] = field(default_factory=dict)
    history: list[HistoryPoint] = field(default_factory=list)
    images_per_s: float = math.nan
    interrupted: bool = False
    marks_passed: int = 0
    warm_up_spent: tuple[int, float] = (0, 0.0)

    def state_dict(self) -> dict[str, Any]:
        """Return what training goes on from, for a checkpoint; the meter is the game's."""
        return {name: getattr(self, name) for name in ("losses", "history", "marks_passed", "warm_up_spent")}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from an earlier training."""
        vars(self).update(state)


def train(
    model: GenerativeModel,
    stream: Stream,
    budget: Budget,
    *,
    precision: PrecisionMode = "fp32",
    on_progress: Callable[[float, Training], None] = lambda share, training: None,
    marks: Sequence[float] = (),
    on_mark: Callable[[float, Training], None] = lambda share, training: None,
    checkpoint: Checkpoint | None = None,
) -> Training:
    """Train a model until its budget is spent, or SIGTERM arrives.

    A round starts while less than the budget is spent, so a run overshoots by less than one batch.

    Args:
        model: The model, on its device; it is left in train mode with all parameters trainable, and with the average
            of its weights if its settings ask for one.
        stream: The source of batches.
        budget: When to stop.
        precision: As in :class:`Game`.
        on_progress: Called every few rounds with the share of the budget spent.
        marks: Shares of the budget, ascending, at which ``on_mark`` is called.
        on_mark: Called at each mark, with the clock stopped and the weight average in the model.
        checkpoint: Training goes on from it if it is there. It is written when it is due, and when SIGTERM or SIGUSR1
            asks for it, with the clock stopped.
    """
    model.train()
    game = Game(model, precision)
    training = Training(game.meter)
    if checkpoint:
        own: dict[str, Stateful] = {"game": game, "training": training, "stream": stream}
        checkpoint.parts = {**own, "generators": Generators(model.device), **checkpoint.parts}
        checkpoint.restore()
    with signals_noted() as received:
        game.meter.start()
        while True:
            share = game.meter.share(budget)
            passed = sum(share >= mark for mark in marks)
            if passed > training.marks_passed:
                game.stop_clock()
                training.marks_passed = passed
                with game.averaged():
                    on_mark(share, training)
                game.meter.start()
            if share >= 1.0:
                break
            if game.meter.rounds == WARM_UP_ROUNDS:
                training.warm_up_spent = (game.meter.images, game.meter.seconds)
            alive("a round of training")
            real, labels = stream.next_labelled(model.config.batch_size)
            game.play(real, share, labels)
            if game.meter.rounds % CHECK_EVERY_ROUNDS == 0:
                _read_losses(game, training)
                if training.diverged:
                    break
                if share * HISTORY_POINTS >= len(training.history):
                    _add_point(training)
                on_progress(share, training)
            asked = set(received)
            received -= asked
            if checkpoint and (asked or checkpoint.is_due()):
                game.stop_clock()
                checkpoint.write()
                game.meter.start()
            if signal.SIGTERM in asked:
                training.interrupted = True
                break
    _read_losses(game, training)
    _add_point(training)
    game.stop_clock()
    (images, seconds), meter = training.warm_up_spent, game.meter
    training.images_per_s = (meter.images - images) / (meter.seconds - seconds)
    game.finish()
    return training


def _read_losses(game: Game, training: Training) -> None:
    """Fetch the last losses, which waits for the device, and record the first that is not finite."""
    training.losses = {name: float(loss) for name, loss in game.losses.items()}
    for name, loss in training.losses.items():
        if not math.isfinite(loss) and not training.diverged:
            training.diverged = f"the loss of player {name!r} is {loss} after {game.meter.images} images"


def _add_point(training: Training) -> None:
    meter = training.meter
    training.history.append({"images": meter.images, "seconds": meter.seconds, "losses": training.losses})
