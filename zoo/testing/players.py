"""Rules about training: players, losses and what a round may touch."""

from __future__ import annotations

import copy
import gc
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from zoo.model import Player
from zoo.testing.check import rule
from zoo.testing.subject import Rounds, Subject, copied, differing, require, trainable


@rule("return a list of zoo.Player, each with a name of its own and every of at least 1")
def players_named(subject: Subject) -> None:
    """There are players, under different names."""
    players = subject.build().players()
    require(players, "players() is empty")
    names = [p.name for p in players]
    require(len(set(names)) == len(names), f"two players share a name: {', '.join(names)}")
    require(all(p.every >= 1 for p in players), "a player never moves")


@rule("assign every network to self in __init__, so that it moves with the model and is saved with it")
def networks_belong(subject: Subject) -> None:
    """Every player's network is part of the model."""
    model = subject.build()
    parameters = set(model.parameters())
    strays = [p.name for p in model.players() if not parameters.issuperset(p.network.parameters())]
    require(not strays, f"the network of {' and '.join(strays)} has parameters that are not the model's")


@rule("add the network that they belong to to a player, or call requires_grad_(False) on it")
def parameters_covered(subject: Subject) -> None:
    """Every trainable parameter belongs to a player."""
    model = subject.build()
    covered = {w for p in model.players() for w in trainable(p.network)}
    idle = [name for name, w in model.named_parameters() if w.requires_grad and w not in covered]
    require(not idle, f"no player trains {', '.join(idle[:3])}")


@rule("remove the layer if nothing uses it, or let the loss depend on it; freeze it if it should stay as it is")
def gradients_reach(subject: Subject) -> None:
    """Every trainable parameter receives a gradient when its player moves."""
    model = subject.build()
    reached: set[Tensor] = set()
    game = subject.play(
        model, moved=lambda player: reached.update(w for w in trainable(player.network) if w.grad is not None)
    )
    idle = [name for name, w in model.named_parameters() if w in game.trained and w not in reached]
    require(not idle, f"no gradient reaches {', '.join(idle[:3])}")


@rule("return one number to minimise, such as the batch's mean, computed from the player's own network")
def losses_scalar(subject: Subject) -> None:
    """Every loss is a scalar tensor that has a gradient."""

    def computed(player: Player, loss: Any) -> None:
        require(isinstance(loss, Tensor), f"the loss of {player.name!r} is a {type(loss).__name__}, not a tensor")
        require(loss.dim() == 0, f"the loss of {player.name!r} has shape {tuple(loss.shape)}")
        require(loss.requires_grad, f"the loss of {player.name!r} does not depend on its network's parameters")

    subject.play(subject.build(), computed=computed)


@rule("guard logarithms, divisions and exponentials, or take a smaller learning rate by default")
def losses_finite(subject: Subject) -> None:
    """Losses are finite in the first rounds."""
    _finite(subject, autocast=False)


@rule("compute what needs range or precision in float32: with torch.autocast(..., enabled=False), or .float()")
def bfloat16(subject: Subject) -> None:
    """It trains under bfloat16 autocast, with finite losses."""
    _finite(subject, autocast=True)


def _finite(subject: Subject, *, autocast: bool) -> None:
    def computed(player: Player, loss: Tensor) -> None:
        require(torch.isfinite(loss), f"the loss of {player.name!r} is {loss.item()}")

    game = subject.play(subject.build(), computed=computed, autocast=autocast)
    bad = [name for name, w in game.model.named_parameters() if not torch.isfinite(w).all()]
    require(not bad, f"{', '.join(bad[:3])} became infinite or NaN")


@rule("let players() return every player, and play(turn), if you define it, call turn.move for each of them")
def players_move(subject: Subject) -> None:
    """Every player moves, and its network changes when it does."""
    model = subject.build()
    moves: dict[str, bool] = {}
    before: list[Tensor] = []

    def remember(player: Player) -> None:
        before[:] = [w.detach().clone() for w in trainable(player.network)]

    def compare(player: Player) -> None:
        after = trainable(player.network)
        moves[player.name] = any(not torch.equal(old, new) for old, new in zip(before, after, strict=True))

    game = subject.play(model, before=remember, moved=compare)
    still = [p.name for p in game.players if not moves.get(p.name)]
    require(not still, f"{' and '.join(still)} did not move")


@rule("change no parameters in a loss: the harness moves a player's network in its turn, and no other")
def only_on_its_turn(subject: Subject) -> None:
    """A player's parameters change on its own turn only."""
    model = subject.build()
    before: dict[Tensor, Tensor] = {}

    def remember(player: Player) -> None:
        parameters = set(player.network.parameters())
        before.clear()
        before.update({w: w.detach().clone() for w in game.trained if w not in parameters})

    def compare(player: Player) -> None:
        touched = any(not torch.equal(old, new) for new, old in before.items())
        require(not touched, f"parameters of another player change while {player.name!r} moves")

    game = Rounds(model, before=remember, moved=compare)
    for index in range(2 * game.cycle):
        game.play(subject.batch(index=index))


@rule("take the batch's size from turn.size, not from the settings")
def any_batch_size(subject: Subject) -> None:
    """It trains on batches of any size, such as 3 and 7."""
    for n in (3, 7):
        subject.play(subject.build(), rounds=2, batch=n)


@rule("work on a copy: turn.real is shared by all players, so no operation on it may end in an underscore")
def batch_unchanged(subject: Subject) -> None:
    """The batch is not written to."""
    batch = subject.batch()
    game = Rounds(subject.build())
    for _ in range(game.cycle):
        game.play(batch)
    require(torch.equal(batch, subject.batch()), "a loss changes turn.real in place")


@rule("leave train and eval mode to the harness, or set them back within the loss")
def losses_keep_mode(subject: Subject) -> None:
    """Losses leave every module in train mode."""
    model = subject.build()
    before = {name for name, module in model.named_modules() if module.training}
    subject.play(model)
    switched = sorted(before - {name for name, module in model.named_modules() if module.training})
    require(not switched, f"after a round {', '.join(switched[:3]) or 'the model'} is in eval mode")


@rule("keep what rounds share in turn.kept, and detach or .item() what the model itself keeps")
def memory_constant(subject: Subject) -> None:
    """No tensors or graphs accumulate over rounds."""
    game = subject.play(subject.build())
    gc.freeze()  # what exists already need not be counted
    try:
        counts = []
        for _ in range(3):
            for index in range(2 * game.cycle):
                game.play(subject.batch(index=index))
            counts.append(_alive())
    finally:
        gc.unfreeze()
    require(not counts[0] < counts[1] < counts[2], f"tensors and graph nodes alive grow over rounds: {counts}")


def _alive() -> int:
    """Count tensors that are not frozen, and autograd nodes reachable from them."""
    gc.collect()
    tensors = [item for item in gc.get_objects() if issubclass(type(item), Tensor)]
    return len(tensors) + len(set(_nodes([t.grad_fn for t in tensors if not t.is_leaf])))


def _nodes(todo: list[Any]) -> Iterator[Any]:
    visited = set()
    while todo:
        node = todo.pop()
        if node is not None and node not in visited:
            visited.add(node)
            todo += [following for following, _ in node.next_functions]
            yield node


@rule(
    "keep what training needs later in parameters or register_buffer, not in plain attributes, and draw from torch's "
    "global generator: a run that was interrupted goes on from these and its optimisers alone"
)
def resumes(subject: Subject) -> None:
    """Training that is saved and resumed in a new model ends where it would have ended without a break."""
    game = subject.play(subject.build())
    weights = copied(game.model)
    optimizers = copy.deepcopy({name: o.state_dict() for name, o in game.optimizers.items()})
    generator, start = torch.get_rng_state(), game.round

    resumed = Rounds(subject.build(seed=1))
    resumed.model.load_state_dict(weights)
    for name, state in optimizers.items():
        resumed.optimizers[name].load_state_dict(state)
    resumed.round = start
    ends = []
    for each in (resumed, game):
        torch.set_rng_state(generator)
        for index in range(2 * each.cycle):
            each.play(subject.batch(index=start + index))
        ends.append(copied(each.model))
    changed = differing(*ends)
    require(not changed, f"after a break, in a new model, training goes on otherwise: {', '.join(changed[:3])} differ")
