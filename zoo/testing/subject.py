"""What a check examines, and a reference loop that plays the game exactly as the contract describes it."""

from __future__ import annotations

import contextlib
import functools
import json
import math
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from zoo.catalogue import Entry
from zoo.config import ModelConfig
from zoo.errors import PluginError, ZooError
from zoo.model import GenerativeModel, Player, Turn, build, configure, sample_classes
from zoo.registry import installed
from zoo.specs import ModelSpec

BATCH_SIZE = 16
SAMPLES = 8
SEED = 7_203_811
"""A seed that no plugin would choose, so that a generator seeded anew is noticed."""

SIDES = (8, 16, 28, 32)
CANDIDATES: dict[str, list[tuple[int, ...]]] = {
    "images": [(channels, side, side) for channels in (1, 3) for side in (*SIDES, 64)],
    "points": [(2,), (1,), (8,)],
}


class Failure(Exception):  # noqa: N818 - what was found wrong; the check adds what to do
    """What a check found wrong, as the first half of a sentence."""


def require(condition: object, problem: str) -> None:
    """Raise :class:`Failure` unless the condition holds."""
    if not condition:
        raise Failure(problem)


@dataclass(frozen=True)
class Imported:
    """What importing a distribution's plugins, and then all their models, tasks or metrics, does to an interpreter.

    Attributes:
        heavy: Which of torch and torchvision the plugins' modules import.
        changed: Global settings that the modules of models, tasks or metrics change.
        printed: What all of them print to stdout.
        harnesses: Which of the installed harnesses they import.
        failed: Why a model's, task's or metric's module cannot be imported, by its name.
    """

    heavy: list[str]
    changed: list[str]
    printed: str
    harnesses: list[str]
    failed: dict[str, str]


@dataclass(frozen=True)
class Subject:
    """A model under examination, for items of one shape.

    Attributes:
        entry: The model's registry entry.
        shape: One item: (C, H, W) or (D,).
    """

    entry: Entry[ModelSpec]
    shape: tuple[int, ...]

    @property
    def spec(self) -> ModelSpec:
        """The model's spec."""
        return self.entry.spec

    @property
    def config(self) -> ModelConfig:
        """The settings that the model takes by default for this shape."""
        return configure(self.entry, self.shape, {})[1]

    @property
    def imported(self) -> Imported:
        """What importing the plugin does to a fresh interpreter."""
        return imported(self.entry)

    def build(self, seed: int = SEED, **settings: Any) -> GenerativeModel:
        """Seed torch and build the model in train mode."""
        torch.manual_seed(seed)
        return build(self.entry, self.shape, settings).train()

    def batch(self, n: int = BATCH_SIZE, index: int = 0, device: str | torch.device = "cpu") -> Tensor:
        """Return the ``index``-th batch of stand-in data; it leaves torch's global generator alone."""
        noise = torch.rand(n, *self.shape, generator=torch.Generator().manual_seed(index)) * 2.0 - 1.0
        return (noise.contiguous(memory_format=torch.channels_last) if noise.dim() == 4 else noise).to(device)

    def play(self, model: GenerativeModel, rounds: int = 0, batch: int = BATCH_SIZE, **watch: Any) -> Rounds:
        """Play some rounds, by default until every player has moved twice, and return them."""
        game = Rounds(model, **watch)
        for index in range(rounds or 2 * game.cycle):
            labels = torch.arange(batch, device=model.device) % model.config.classes if model.conditional else None
            game.play(self.batch(batch, index, model.device), labels)
        return game

    def samples(self, model: GenerativeModel, n: int = SAMPLES, labels: Tensor | None = None) -> Tensor:
        """Sample as the harness does: in eval mode and without gradients."""
        model.eval()
        with torch.no_grad():
            return sample_classes(model, n, labels)


def _nothing(*_: object) -> None:
    pass


class Rounds:
    """The game in its plainest form: no precision, meter or schedule; it is the contract, not the harness.

    Args:
        model: In train mode.
        before: Called with a player before its loss is computed.
        computed: Called with a player and its loss before the backward pass.
        moved: Called with a player after its optimiser's step.
        autocast: Compute losses in bfloat16.
    """

    def __init__(
        self,
        model: GenerativeModel,
        *,
        before: Callable[[Player], None] = _nothing,
        computed: Callable[[Player, Tensor], None] = _nothing,
        moved: Callable[[Player], None] = _nothing,
        autocast: bool = False,
    ) -> None:
        self.model = model
        self.players = model.players()
        require(self.players, "players() is empty")
        self.optimizers = {p.name: p.optimizer(trainable(p.network)) for p in self.players}
        self.trained = {w for p in self.players for w in trainable(p.network)}
        self.before, self.computed, self.moved, self.autocast = before, computed, moved, autocast
        self.round = 0
        self._turn: Turn

    @property
    def cycle(self) -> int:
        """Rounds in which every player moves, if the budget ends after twice as many."""
        return max(math.ceil(p.every / (p.active[1] - p.active[0])) for p in self.players)

    def play(self, real: Tensor, labels: Tensor | None = None) -> None:
        """Play one round on one batch."""
        budget = 2 * self.cycle
        self._turn = Turn(real, self.round, self.round % budget / budget, self.players, self.move, labels=labels)
        self.model.play(self._turn)
        self.round += 1

    def move(self, player: Player) -> None:
        """Update one player while the others are frozen."""
        self.before(player)
        parameters = set(player.network.parameters())
        for weight in self.trained:
            weight.requires_grad_(weight in parameters)
        optimizer = self.optimizers[player.name]
        optimizer.zero_grad(set_to_none=True)
        device = self._turn.real.device.type
        with torch.autocast(device, torch.bfloat16) if self.autocast else contextlib.nullcontext():
            loss = player.loss(self._turn)
        self.computed(player, loss)
        require(not loss.dim(), f"the loss of {player.name!r} has shape {tuple(loss.shape)} and is no scalar")
        loss.backward()
        if device != "meta":
            optimizer.step()
        for weight in self.trained:
            weight.requires_grad_(True)
        self.moved(player)


def trainable(network: nn.Module) -> list[nn.Parameter]:
    """Return the network's parameters that require gradients."""
    return [w for w in network.parameters() if w.requires_grad]


def copied(model: GenerativeModel) -> dict[str, Tensor]:
    """Return a copy of the state dict."""
    return {key: value.clone() for key, value in model.state_dict().items()}


def differing(first: dict[str, Tensor], second: dict[str, Tensor]) -> list[str]:
    """Return the keys under which two state dicts differ; NaN equals NaN."""
    keys = sorted(first.keys() | second.keys())
    return [k for k in keys if k not in first or k not in second or not _equal(first[k], second[k])]


def _equal(first: Tensor, second: Tensor) -> bool:
    return first.shape == second.shape and torch.allclose(first, second, rtol=0.0, atol=0.0, equal_nan=True)


def accepted(entry: Entry[ModelSpec]) -> Iterator[tuple[int, ...]]:
    """Yield, for every kind of data that the spec declares, the first usual shape that the model does not refuse."""
    for kind in entry.spec.data:
        for shape in CANDIDATES[kind]:
            try:
                build(entry, shape, {})
            except PluginError:
                raise
            except ZooError:
                continue
            yield shape
            break


def imported(entry: Entry[Any]) -> Imported:
    """Import an entry's plugin and target; one fresh interpreter serves all entries of its kind and distribution."""
    registry = installed()
    entries = [entry, *registry.models.all(), *registry.tasks.all(), *registry.metrics.all()]
    origin = (entry.plugin.distribution, type(entry.spec))
    alike = [e for e in entries if (e.plugin.distribution, type(e.spec)) == origin]
    plugins, targets = {e.plugin.module for e in alike}, {_module(e) for e in alike}
    effects = _imported(",".join(sorted(plugins)), ",".join(sorted(targets)))
    if reason := effects.failed.get(_module(entry)):
        raise Failure(f"a fresh interpreter cannot import {_module(entry)}: {reason}")
    return effects


def _module(entry: Entry[Any]) -> str:
    """Return the module of an entry's target."""
    return str(entry.spec.target).partition(":")[0]


@functools.cache
def _imported(plugins: str, targets: str) -> Imported:
    script = str(Path(__file__).with_name("imports.py"))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    result = subprocess.run(
        [sys.executable, "-P", script, plugins, targets], capture_output=True, text=True, env=environment, check=False
    )
    if result.returncode:
        reason = result.stderr.strip().rpartition("\n")[2]
        raise Failure(f"a fresh interpreter cannot import {plugins}: {reason}")
    return Imported(**json.loads(result.stdout))
