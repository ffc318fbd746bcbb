"""What an exported script has in place of genzoo: players, turns and the loop. Imports torch and numpy alone.

:mod:`zoo_bench.export.script` copies it; here it is read, checked and typed like any other module.
"""

from __future__ import annotations

import math
import sys
from collections import namedtuple
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

Player = namedtuple("Player", ["name", "network", "loss", "optimizer", "every"], defaults=[1])


def Adam(lr: float, betas: tuple[float, float]) -> Callable[..., torch.optim.Optimizer]:  # noqa: N802 - as in zoo
    """Return Adam with its settings, to be given the parameters."""
    return partial(torch.optim.Adam, lr=lr, betas=betas, fused=True)


class Turn:
    """One round: a batch of real items, the share of the budget that is spent, and what players share; no labels."""

    kept: dict[str, Tensor]

    def __init__(self, real: Tensor, progress: float) -> None:
        self.real, self.progress, self.size = real, progress, len(real)
        self.kept, self.labels, self.labels_for = {}, None, lambda n: None

    def recall(self, name: str, make: Callable[[], Tensor]) -> Tensor:
        """Return what a player kept, detached, or else make it without gradients."""
        if name in self.kept:
            return self.kept[name].detach()
        with torch.no_grad():
            return make()


class GenerativeModel(nn.Module):
    """Base of the model."""

    def __init__(self, shape: tuple[int, ...], config: Any) -> None:
        super().__init__()
        self.shape, self.config = shape, config

    def latent(self, n: int) -> Tensor:
        """Draw latents."""
        return torch.randn(n, self.config.z_dim)


def main(make: Callable[[], Any], seeds: dict[str, int], budget: float, per_round: int, bf16: bool) -> None:
    """Train on the array ``data`` of a file, print the losses of every round, and keep the weights."""
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_suffix(".npz")
    data = torch.from_numpy(np.load(path)["data"])
    torch.manual_seed(seeds["initialisation"])
    model = make().to(memory_format=torch.channels_last)
    players, losses = model.players(), {}
    optimizers = {player.name: player.optimizer(player.network.parameters()) for player in players}
    order, generator = torch.empty(0, dtype=torch.int64), torch.Generator().manual_seed(seeds["data"])
    torch.manual_seed(seeds["training"])
    for played in range(math.ceil(budget / per_round)):
        while len(order) < model.config.batch_size:
            order = torch.cat([order, torch.randperm(len(data), generator=generator)])
        real, order = data[order[: model.config.batch_size]], order[model.config.batch_size :]
        real = real.float().div_(127.5).sub_(1.0) if real.dtype == torch.uint8 else real
        real = real.contiguous(memory_format=torch.channels_last) if real.dim() == 4 else real
        turn = Turn(real, played * per_round / budget)
        for player in players:
            if (played + 1) % player.every == 0:
                model.requires_grad_(False)
                player.network.requires_grad_(True)
                player.network.zero_grad()
                with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
                    loss = player.loss(turn)
                loss.backward()
                optimizers[player.name].step()
                losses[player.name] = loss.item()
        print(*(f"{name} {loss!r}" for name, loss in losses.items()))
    torch.save(model.state_dict(), Path(__file__).with_suffix(".pt"))
