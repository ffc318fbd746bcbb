"""The training loop for every model: draw a batch, let the players move, charge the meter; it knows none by name."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor

from zoo.errors import PluginError
from zoo.model import GenerativeModel, Player, Turn
from zoo_bench.core.budget import Budget, Meter
from zoo_bench.data.stream import Stream
from zoo_bench.plan.spec import PrecisionMode
from zoo_bench.train.average import WeightAverage
from zoo_bench.train.flops import CountFlops
from zoo_bench.train.schedule import learning_rates

CHECK_EVERY = 50
WARM_UP_ROUNDS = 10
HISTORY_POINTS = 100


@dataclass
class Training:
    """What came of training.

    Attributes:
        meter: What was spent.
        diverged: Which player's loss became infinite or NaN, and when; empty if none did.
        losses: Last loss of each player.
        history: About a hundred points along the budget: images, seconds and the loss of each player.
        images_per_s: Real images per second after warm-up.
    """

    meter: Meter
    diverged: str = ""
    losses: dict[str, float] = field(default_factory=dict)
    history: list[dict[str, float]] = field(default_factory=list)
    images_per_s: float = math.nan


class Game:
    """The players of one model at play: optimisers, schedules, averages, freezing, precision and counting.

    Args:
        model: The model, on its device.
        precision: Arithmetic and compilation of the losses. Compiled ones draw the same random numbers.

    Raises:
        PluginError: If the model has no players, two of one name, a player whose network is not the model's, or a
            trainable parameter that no player trains.
    """

    def __init__(self, model: GenerativeModel, precision: PrecisionMode) -> None:
        self.model = model
        self._autocast = precision.startswith("bf16")
        self.players = list(model.players() or [])
        compiled = precision.endswith("+compile")
        self._losses = {p.name: _compiled(p.loss) if compiled else p.loss for p in self.players}
        self.losses: dict[str, Tensor] = {}
        self.meter = Meter()
        _check_players(model, self.players)
        self._own = {p.name: [w for w in p.network.parameters() if w.requires_grad] for p in self.players}
        everyone = {w for own in self._own.values() for w in own}
        self._others = {name: list(everyone.difference(own)) for name, own in self._own.items()}
        self._optimizers = {p.name: p.optimizer(self._own[p.name]) for p in self.players}
        schedule = model.config.schedule
        self._schedules = {p.name: learning_rates(schedule, p, self._optimizers[p.name]) for p in self.players}
        self._average = WeightAverage(model.config.ema, self.players)
        self._flops: dict[tuple[str, ...], int] = {}
        self._turn: Turn
        self._moving = ""

    def play(self, real: Tensor, progress: float) -> None:
        """Play one round on one batch and charge it."""
        self._turn = Turn(real, self.meter.steps, progress, self.players, self.move)
        self.model.play(self._turn)
        self.meter.images += len(real)
        self.meter.steps += 1

    def move(self, player: Player) -> None:
        """Update one player: the parameters of all others are frozen meanwhile.

        A move's operations are counted the first time that it happens with the same things kept in the round.
        """
        key = (player.name, *sorted(self._turn.kept))
        if key in self._flops:
            self.update(player, self._losses[player.name])
        else:
            with CountFlops() as counter:
                self.update(player, player.loss)
            self._flops[key] = counter.total
        self.meter.flops += self._flops[key]
        self.meter.updates += 1

    def update(self, player: Player, loss_of: Callable[[Turn], Tensor]) -> None:
        """Take one optimiser step on a player's loss."""
        self._freeze_others(player.name)
        optimizer = self._optimizers[player.name]
        optimizer.zero_grad(set_to_none=True)
        device = self._turn.real.device.type
        with torch.autocast(device, torch.bfloat16, enabled=self._autocast):
            loss = loss_of(self._turn)
        if loss.dim():
            shape = tuple(loss.shape)
            raise PluginError(f"the loss of player {player.name!r} has shape {shape}: return a scalar, as loss.mean()")
        loss.backward()
        self._schedules[player.name](self._turn.progress)
        optimizer.step()
        self._average.update(player.name)
        self.losses[player.name] = loss.detach()

    def _freeze_others(self, name: str) -> None:
        if name != self._moving:
            for weight in self._others[name]:
                weight.requires_grad_(False)
            for weight in self._own[name]:
                weight.requires_grad_(True)
            self._moving = name

    def stop_clock(self) -> None:
        """Stop the meter's clock once the device has done all that it was given."""
        if self._turn.real.is_cuda:
            torch.cuda.synchronize()
        self.meter.stop()

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Put the weight average in place of the weights for a while, if the model's settings ask for one."""
        self._average.swap()
        try:
            yield
        finally:
            self._average.swap()

    def finish(self) -> None:
        """Leave the weight average in the model if it has one, and make all parameters trainable again."""
        self._average.swap()
        for own in self._own.values():
            for weight in own:
                weight.requires_grad_(True)


def _compiled(loss: Callable[[Turn], Tensor]) -> Callable[[Turn], Tensor]:
    from torch._inductor import config

    config.fallback_random = True
    return torch.compile(loss)


def _check_players(model: GenerativeModel, players: Sequence[Player]) -> None:
    name = type(model).__name__
    names = [p.name for p in players]
    if not players:
        raise PluginError(f"{name}.players() is empty: return at least one zoo.Player")
    if len(set(names)) < len(names):
        raise PluginError(f"{name}.players() has two players of one name: {', '.join(names)}")
    own = set(model.parameters())
    strays = [p.name for p in players if not own.issuperset(p.network.parameters())]
    if strays:
        raise PluginError(
            f"{name}: the network of player {strays[0]!r} is not part of the model: assign it to self in __init__"
        )
    trained = {id(w) for p in players for w in p.network.parameters()}
    idle = [key for key, w in model.named_parameters() if w.requires_grad and id(w) not in trained]
    if idle:
        raise PluginError(f"{name}: no player trains {', '.join(idle[:3])}: add its network to a player or freeze it")


def train(
    model: GenerativeModel,
    stream: Stream,
    budget: Budget,
    *,
    precision: PrecisionMode = "fp32",
    on_progress: Callable[[float, Training], None] = lambda share, training: None,
    marks: Sequence[float] = (),
    on_mark: Callable[[float, Training], None] = lambda share, training: None,
) -> Training:
    """Train a model until its budget is spent.

    A round starts while less than the budget is spent, so a run overshoots by less than one batch.

    Args:
        model: The model, on its device; it is left in train mode with all parameters trainable, and with the average
            of its weights if its settings ask for one.
        stream: Where batches come from.
        budget: When to stop.
        precision: As in :class:`Game`.
        on_progress: Called every few rounds with the share of the budget spent.
        marks: Shares of the budget, ascending, at which ``on_mark`` is called.
        on_mark: Looks at the model while the clock stands still.
    """
    model.train()
    game = Game(model, precision)
    training = Training(game.meter)
    warm: tuple[int, float] = (0, 0.0)
    ahead = deque(marks)
    game.meter.start()
    while True:
        share = game.meter.share(budget)
        if ahead and share >= ahead[0]:
            game.stop_clock()
            while ahead and share >= ahead[0]:
                ahead.popleft()
            with game.averaged():
                on_mark(share, training)
            game.meter.start()
        if share >= 1.0:
            break
        if game.meter.steps == WARM_UP_ROUNDS:
            warm = (game.meter.images, game.meter.seconds)
        game.play(stream.next(model.config.batch_size), share)
        if game.meter.steps % CHECK_EVERY == 0:
            _read_losses(game, training)
            if training.diverged:
                break
            if share * HISTORY_POINTS >= len(training.history):
                _add_point(training)
            on_progress(share, training)
    _read_losses(game, training)
    _add_point(training)
    game.stop_clock()
    training.images_per_s = (game.meter.images - warm[0]) / (game.meter.seconds - warm[1])
    game.finish()
    return training


def _read_losses(game: Game, training: Training) -> None:
    """Fetch the last losses, which waits for the device, and note the first that is not finite."""
    training.losses = {name: float(loss) for name, loss in game.losses.items()}
    for name, loss in training.losses.items():
        if not math.isfinite(loss) and not training.diverged:
            training.diverged = f"the loss of player {name!r} is {loss} after {game.meter.images} images"


def _add_point(training: Training) -> None:
    meter = training.meter
    training.history.append({"images": meter.images, "seconds": meter.seconds, **training.losses})
