"""The game: the players of one model move, round by round, and each move is counted. It treats all models alike."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
from torch import Tensor

from zoo.catalogue import Entry
from zoo.config import Shape
from zoo.errors import PluginError, ZooError
from zoo.model import GenerativeModel, Player, Turn, build
from zoo.specs import ModelSpec
from zoo_bench.plan.spec import PrecisionMode
from zoo_bench.train.average import WeightAverage
from zoo_bench.train.flops import COUNTS_IN_A_ROW, RECOUNTED_SHARE, Cost, CountFlops
from zoo_bench.train.meter import Meter
from zoo_bench.train.schedule import learning_rates


def build_on(device: torch.device, entry: Entry[ModelSpec], shape: Shape, config: Mapping[str, Any]) -> GenerativeModel:
    """Build an untrained model on a device, with the channels of its maps last in memory; errors as in zoo.create."""
    return build(entry, shape, dict(config)).to(device).to(memory_format=torch.channels_last)


class Game:
    """The players of one model at play: optimisers, schedules, averages, freezing, precision and counting.

    Args:
        model: The model, on its device.
        precision: Arithmetic and compilation of the losses. Compiled ones draw the same random numbers.
        recount: Whether operations are counted more than once for each kind of work, which makes some rounds slower.

    Raises:
        PluginError: If the model has no players, two of one name, a player whose network is not the model's, or a
            trainable parameter that no player trains.
    """

    def __init__(self, model: GenerativeModel, precision: PrecisionMode, *, recount: bool = True) -> None:
        self.model = model
        self._autocast = precision.startswith("bf16")
        self.players = list(model.players() or [])
        compiled = precision.endswith("+compile")
        self._losses = {p.name: _compiled(p.loss) if compiled else p.loss for p in self.players}
        self.losses: dict[str, Tensor] = {}
        self.meter = Meter()
        _check_players(model, self.players)
        self._weights = {p.name: [w for w in p.network.parameters() if w.requires_grad] for p in self.players}
        all_weights = {w for weights in self._weights.values() for w in weights}
        self._others = {name: list(all_weights.difference(weights)) for name, weights in self._weights.items()}
        self._optimizers = {p.name: p.optimizer(self._weights[p.name]) for p in self.players}
        schedule = model.config.schedule
        self._schedules = {p.name: learning_rates(schedule, p, self._optimizers[p.name]) for p in self.players}
        self._average = WeightAverage(model.config.ema, self.players)
        self._recount = recount
        self._recounted = random.Random(0)
        self._costs: dict[tuple[str, ...], Cost] = {}
        self._counter: CountFlops | None = None
        self._turn: Turn
        self._moving = ""

    def play(self, real: Tensor, progress: float, labels: Tensor | None = None) -> None:
        """Play one round on one batch, with its labels if the model is given them, and charge it."""
        self._turn = Turn(real, self.meter.rounds, progress, self.players, self.move, labels=labels)
        besides_moves = self._cost()
        is_counted = besides_moves.due or (self._recount and self._recounted.random() < RECOUNTED_SHARE)
        self._counter, self._counted_in_moves = CountFlops() if is_counted else None, 0
        with self._counter or nullcontext():
            self.model.play(self._turn)
        if self._counter:
            self.meter.flops += besides_moves.count(self._counter.total - self._counted_in_moves)
        else:
            self.meter.flops += besides_moves.mean
        self.meter.images += len(real)
        self.meter.rounds += 1

    def move(self, player: Player) -> None:
        """Update one player: the parameters of all others are frozen meanwhile.

        Its operations are counted in its first moves for each set of names in ``turn.kept``, and in a few later rounds.
        """
        cost = self._cost(player.name, *sorted(self._turn.kept))
        if self._counter:
            before = self._counter.total
            self.update(player, player.loss)
            self._counted_in_moves += self._counter.total - before
            self.meter.flops += cost.count(self._counter.total - before)
        elif cost.due:
            with CountFlops() as counter:
                self.update(player, player.loss)
            self.meter.flops += cost.count(counter.total)
        else:
            self.update(player, self._losses[player.name])
            self.meter.flops += cost.mean
        self.meter.updates += 1

    def _cost(self, *kind: str) -> Cost:
        """Return what a kind of move costs, or what a round costs besides its moves."""
        return self._costs.setdefault(kind, Cost(COUNTS_IN_A_ROW if self._recount else 1))

    def update(self, player: Player, loss_of: Callable[[Turn], Tensor]) -> None:
        """Take one optimiser step on a player's loss."""
        loss = self._backward(player, loss_of)
        self._schedules[player.name](self._turn.progress)
        self._optimizers[player.name].step()
        self._average.update(player.name)
        self.losses[player.name] = loss.detach()

    def gradients(self, real: Tensor, labels: Tensor | None = None) -> dict[str, Tensor]:
        """Return the gradient of every player's first move on one batch, from the weights as they are.

        Nobody's weights are updated in between and nothing is charged. The round is one in which all players that are
        active move, and there is one at the start of every player's part of the budget.

        Returns:
            By player, the gradient of its loss with respect to all of its weights, flat. A model with a game of its own
            may let a player out.
        """
        found: dict[str, Tensor] = {}

        def move(player: Player) -> None:
            self._backward(player, self._losses[player.name])
            gradients = [w.grad.flatten() for w in self._weights[player.name] if w.grad is not None]
            found.setdefault(player.name, torch.cat(gradients))

        all_move = math.lcm(*(player.every for player in self.players)) - 1
        for start in sorted({player.active[0] for player in self.players}):
            self._turn = Turn(real, all_move, start, self.players, move, labels=labels)
            self.model.play(self._turn)
        return found

    def _backward(self, player: Player, loss_of: Callable[[Turn], Tensor]) -> Tensor:
        """Compute the gradients of a player's loss and return the loss, with its graph freed."""
        self._freeze_others(player.name)
        for weight in self._weights[player.name]:
            weight.grad = None
        device = self._turn.real.device.type
        with torch.autocast(device, torch.bfloat16) if self._autocast else nullcontext():
            loss = loss_of(self._turn)
        if loss.dim():
            shape = tuple(loss.shape)
            raise PluginError(f"the loss of player {player.name!r} has shape {shape}: return a scalar, as loss.mean()")
        loss.backward()
        return loss

    def _freeze_others(self, name: str) -> None:
        if name != self._moving:
            for weight in self._others[name]:
                weight.requires_grad_(False)
            for weight in self._weights[name]:
                weight.requires_grad_(True)
            self._moving = name

    def state_dict(self) -> dict[str, Any]:
        """Return all that later rounds depend on; of the model these are its parameters and buffers."""
        return {
            "tensors": self._tensors(),
            "optimizers": {name: optimizer.state_dict() for name, optimizer in self._optimizers.items()},
            "average": self._average.state_dict(),
            "meter": self.meter.state_dict(),
            "costs": {kind: vars(cost) for kind, cost in self._costs.items()},
            "recounted": self._recounted.getstate(),
            "losses": self.losses,
            "moving": self._moving,
        }

    @torch.no_grad()
    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from an earlier game of the same model.

        Raises:
            ZooError: If the model has other tensors; it is left as it was.
        """
        tensors, earlier = self._tensors(), state["tensors"]
        if _forms(tensors) != _forms(earlier):
            raise ZooError(f"{type(self.model).__name__} has other parameters or buffers when it is built")
        for name, tensor in tensors.items():
            tensor.copy_(earlier[name])
        for name, optimizer in self._optimizers.items():
            optimizer.load_state_dict(state["optimizers"][name])
        self._average.load_state_dict(state["average"])
        self.meter.load_state_dict(state["meter"])
        for kind, cost in state["costs"].items():
            vars(self._cost(*kind)).update(cost)
        self._recounted.setstate(state["recounted"])
        self.losses = state["losses"]
        if state["moving"]:
            self._freeze_others(state["moving"])

    def _tensors(self) -> dict[str, Tensor]:
        """Return the model's parameters and buffers, also those that its state dict leaves out."""
        return {**dict(self.model.named_parameters()), **dict(self.model.named_buffers())}

    def stop_clock(self) -> None:
        """Stop the meter's clock once the device has finished all work."""
        if self.model.device.type == "cuda":
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
        for weights in self._weights.values():
            for weight in weights:
                weight.requires_grad_(True)


def _forms(tensors: Mapping[str, Tensor]) -> dict[str, tuple[torch.Size, torch.dtype]]:
    return {name: (tensor.shape, tensor.dtype) for name, tensor in tensors.items()}


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
    parameters = set(model.parameters())
    strays = [p.name for p in players if not parameters.issuperset(p.network.parameters())]
    if strays:
        raise PluginError(
            f"{name}: the network of player {strays[0]!r} is not part of the model: assign it to self in __init__"
        )
    trained = {id(w) for p in players for w in p.network.parameters()}
    idle = [key for key, w in model.named_parameters() if w.requires_grad and id(w) not in trained]
    if idle:
        raise PluginError(f"{name}: no player trains {', '.join(idle[:3])}: add its network to a player or freeze it")
